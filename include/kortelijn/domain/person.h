/*
 * person.h: a family name as one looks for it: without case, accents and the
 * small words before it.
 */
#ifndef KORTELIJN_DOMAIN_PERSON_H
#define KORTELIJN_DOMAIN_PERSON_H

#include <stddef.h>

#include <kortelijn/base/err.h>

#define KL_PERSON_WORDS 8
#define KL_PERSON_WORD_MAX 60	/* bytes without NUL; longer is cut */

struct kl_person_words {
	char b[KL_PERSON_WORDS][KL_PERSON_WORD_MAX + 1];
	size_t n;
};

/*
 * The words that name somebody: lower case, without accents, split at blanks,
 * hyphens and apostrophes. Initials (one letter) and words such as "van", "de"
 * and "el" are left out, unless nothing else is there. Each word counts once.
 * KL_E_FORMAT: not UTF-8, or no letter in it; KL_E_MEMORY.
 */
int kl_person_words(const char *name, struct kl_person_words *out)
    KL_MUST_CHECK;

#endif
