#include <kortelijn/domain/person.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

/* Before a family name, in the languages that are met here. */
static const char *const small_words[] = {
	"aan", "af", "al", "am", "auf", "aus", "ben", "bij", "bin", "bint",
	"d", "da", "dal", "de", "degli", "dei", "del", "della", "den", "der",
	"des", "di", "do", "dos", "du", "el", "en", "het", "ibn", "im", "in",
	"l", "la", "las", "le", "les", "lo", "los", "of", "onder", "op",
	"over", "s", "t", "te", "ten", "ter", "tho", "thoe", "tot", "uit",
	"uijt", "unter", "van", "ver", "vom", "von", "voor", "zu", "zum",
	"zur",
};

/* Letters that no decomposition takes apart. */
static const struct { const char *in, *out; } letters[] = {
	{ "\303\270", "o" }, { "\305\202", "l" }, { "\304\221", "d" },
	{ "\303\260", "d" }, { "\303\246", "ae" }, { "\305\223", "oe" },
	{ "\304\261", "i" }, { "\303\276", "th" },
};

static bool
is_small(const char *word, size_t n)
{
	if (n == 1)
		return true;
	for (size_t i = 0; i < sizeof small_words / sizeof small_words[0];
	    i++)
		if (strlen(small_words[i]) == n &&
		    memcmp(small_words[i], word, n) == 0)
			return true;
	return false;
}

/* Bytes of the letter at p, what it is written as in *as. */
static size_t
letter_at(const unsigned char *p, const char **as)
{
	utf8proc_int32_t cp;
	utf8proc_ssize_t n;

	*as = NULL;
	for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
		if (strncmp((const char *)p, letters[i].in,
		    strlen(letters[i].in)) == 0) {
			*as = letters[i].out;
			return strlen(letters[i].in);
		}
	n = utf8proc_iterate(p, -1, &cp);
	if (n <= 0)
		return 0;
	switch (utf8proc_category(cp)) {
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_LM:
		return (size_t)n;
	default:
		return 0;
	}
}

/* The next word in lower case; *p behind it. Its bytes, 0: no more. */
static size_t
next_word(const unsigned char **p, char word[KL_PERSON_WORD_MAX + 1])
{
	const char *as;
	size_t n = 0, step;

	while (**p != '\0' && letter_at(*p, &as) == 0)
		++*p;
	while ((step = letter_at(*p, &as)) > 0) {
		const char *from = as != NULL ? as : (const char *)*p;
		const size_t k = as != NULL ? strlen(as) : step;

		if (n + k <= KL_PERSON_WORD_MAX) {
			memcpy(word + n, from, k);
			n += k;
		}
		*p += step;
	}
	word[n] = '\0';
	return n;
}

static void
add(struct kl_person_words *out, const char *word, size_t n)
{
	for (size_t i = 0; i < out->n; i++)
		if (strcmp(out->b[i], word) == 0)
			return;
	if (out->n < KL_PERSON_WORDS)
		memcpy(out->b[out->n++], word, n + 1);
}

static void
collect(const unsigned char *folded, bool small, struct kl_person_words *out)
{
	char word[KL_PERSON_WORD_MAX + 1];
	size_t n;

	while ((n = next_word(&folded, word)) > 0)
		if (small || !is_small(word, n))
			add(out, word, n);
	explicit_bzero(word, sizeof word);
}

int
kl_person_words(const char *name, struct kl_person_words *out)
{
	utf8proc_uint8_t *folded = NULL;
	utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)name, 0,
	    &folded, UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPAT |
	    UTF8PROC_DECOMPOSE | UTF8PROC_STRIPMARK | UTF8PROC_CASEFOLD);

	memset(out, 0, sizeof *out);
	if (n < 0)
		return n == UTF8PROC_ERROR_NOMEM ? KL_E_MEMORY : KL_E_FORMAT;
	collect(folded, false, out);
	if (out->n == 0)
		collect(folded, true, out);
	explicit_bzero(folded, (size_t)n);
	free(folded);
	return out->n > 0 ? KL_OK : KL_E_FORMAT;
}
