/*
 * letter_case.h: the parts of a letter that tell of one referral, out of the
 * JSON of view_subject.h.
 */
#ifndef ADAPTERS_COMMON_LETTER_CASE_H
#define ADAPTERS_COMMON_LETTER_CASE_H

#include <jansson.h>

#include "adapters/common/letter.h"

/* A letter in the making, and what all of it fills in. */
struct letter_case {
	struct letter *l;
	enum kl_lang lang;
	const json_t *answer;
	bool practice;
	struct texts_values v;
};

/* "" if it is not there. */
const char *letter_case_str(const json_t *o, const char *key);
/* As in letter.h, of a member; "" if it is no instant, or no day. */
struct letter_date letter_case_instant(const struct letter_case *p,
    const json_t *o, const char *key);
struct letter_date letter_case_day(const struct letter_case *p,
    const json_t *o, const char *key);
/* The reference, else the practice's own. */
const char *letter_case_name(const json_t *k);

/* Which case it is, and how it stands. */
void letter_case_put(struct letter_case *p, const json_t *k);
/* All of it. */
void letter_case_whole(struct letter_case *p, const json_t *k);
/* Who looked: {"lines", "more"}. */
void letter_case_lines(struct letter_case *p, const json_t *k);

#endif
