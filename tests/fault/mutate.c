#include "tests/fault/mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/bytes.h>

#define DASH "\xe2\x80\x94 "
#define LINES_MAX 256

uint64_t
mutate_random(struct mutate_random *r, uint64_t below)
{
	r->state = r->state * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (r->state >> 33) % below;
}

/* ---- bytes --------------------------------------------------------------- */

static size_t
place(const struct mutate_text *t, struct mutate_random *r)
{
	return t->n == 0 ? 0 : mutate_random(r, t->n);
}

/* Puts n bytes in the place of `gone` bytes at `at`. */
static void
splice(struct mutate_text *t, size_t at, size_t gone, const void *p, size_t n)
{
	if (at > t->n || gone > t->n - at || t->n - gone + n > sizeof t->b)
		return;
	memmove(t->b + at + n, t->b + at + gone, t->n - at - gone);
	if (n > 0)
		memcpy(t->b + at, p, n);
	t->n = t->n - gone + n;
}

static void
flip(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	(void)other;
	if (t->n > 0)
		t->b[place(t, r)] ^= (uint8_t)(1 << mutate_random(r, 8));
}

static void
flips(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	for (uint64_t i = 2 + mutate_random(r, 6); i > 0; i--)
		flip(t, other, r);
}

static void
letter(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghi"
	    "jklmnopqrstuvwxyz0123456789+/= \n\r\t-.";

	(void)other;
	if (t->n > 0)
		t->b[place(t, r)] = (uint8_t)letters[mutate_random(r,
		    sizeof letters - 1)];
}

static void
cut(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	(void)other;
	t->n = place(t, r);
}

static void
cut_front(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	(void)other;
	splice(t, 0, place(t, r), NULL, 0);
}

static void
trailing(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	static const char *const what[] = { "\n", " ", "x", "\n\n", "\r\n",
		"=", "# note\n" };
	const uint8_t nul[4] = { 0, 'm', 'o', 'r' };
	const uint64_t i = mutate_random(r, 8);

	(void)other;
	if (i == 7)
		splice(t, t->n, 0, nul, sizeof nul);
	else
		splice(t, t->n, 0, what[i], strlen(what[i]));
}

static void
insert(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	static const char what[] = " \t\r\n=+-0A\0";

	(void)other;
	splice(t, place(t, r), 0, &what[mutate_random(r, sizeof what - 1)],
	    1);
}

static void
leave_out(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	(void)other;
	splice(t, place(t, r), 1, NULL, 0);
}

static void
splice_other(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	const size_t at = place(t, r), from = place(other, r);

	splice(t, at, t->n - at, other->b + from, other->n - from);
}

static void
mark_of_order(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	(void)other;
	(void)r;
	splice(t, 0, 0, "\xef\xbb\xbf", 3);
}

/* ---- lines --------------------------------------------------------------- */

struct lines {
	size_t at[LINES_MAX + 1];	/* the last one: the end */
	size_t n;
};

static struct lines
lines_of(const struct mutate_text *t)
{
	struct lines l = { .n = 0 };

	for (size_t i = 0; i < t->n && l.n < LINES_MAX; i++)
		if (i == 0 || t->b[i - 1] == '\n')
			l.at[l.n++] = i;
	l.at[l.n] = t->n;
	return l;
}

static size_t
line_bytes(const struct lines *l, size_t i)
{
	return l->at[i + 1] - l->at[i];
}

static void
line_gone(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	const struct lines l = lines_of(t);
	size_t i;

	(void)other;
	if (l.n == 0)
		return;
	i = mutate_random(r, l.n);
	splice(t, l.at[i], line_bytes(&l, i), NULL, 0);
}

/* A line of `from` before a line of t. */
static void
line_put(struct mutate_text *t, const struct mutate_text *from,
    struct mutate_random *r)
{
	const struct lines l = lines_of(t), m = lines_of(from);
	size_t i, j;

	if (l.n == 0 || m.n == 0)
		return;
	i = mutate_random(r, l.n + 1);
	j = mutate_random(r, m.n);
	splice(t, l.at[i], 0, from->b + m.at[j], line_bytes(&m, j));
}

static void
line_twice(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	const struct mutate_text same = *t;

	(void)other;
	line_put(t, &same, r);
}

static void
line_of_other(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	line_put(t, other, r);
}

static void
line_exchanged(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	const struct lines l = lines_of(t), m = lines_of(other);
	size_t i, j;

	if (l.n == 0 || m.n == 0)
		return;
	i = mutate_random(r, l.n);
	j = mutate_random(r, m.n);
	splice(t, l.at[i], line_bytes(&l, i), other->b + m.at[j],
	    line_bytes(&m, j));
}

static void
lines_swapped(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	const struct mutate_text was = *t;
	const struct lines l = lines_of(t);
	size_t i, j;

	(void)other;
	if (l.n < 2)
		return;
	j = 1 + mutate_random(r, l.n - 1);
	i = mutate_random(r, j);
	splice(t, l.at[j], line_bytes(&l, j), was.b + l.at[i],
	    line_bytes(&l, i));
	splice(t, l.at[i], line_bytes(&l, i), was.b + l.at[j],
	    line_bytes(&l, j));
}

static void
line_ends(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	const struct lines l = lines_of(t);
	const size_t one = l.n == 0 ? 0 : mutate_random(r, l.n);
	const bool all = mutate_random(r, 2) == 0;

	(void)other;
	for (size_t i = l.n; i > 0; i--)
		if ((all || i - 1 == one) && l.at[i] > 0 &&
		    t->b[l.at[i] - 1] == '\n')
			splice(t, l.at[i] - 1, 0, "\r", 1);
}

static void
empty_line(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	const struct lines l = lines_of(t);

	(void)other;
	if (l.n > 0)
		splice(t, l.at[mutate_random(r, l.n + 1)], 0, "\n", 1);
}

static void
hash_more(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	const struct lines l = lines_of(t);
	uint8_t hash[32];
	char line[48];

	(void)other;
	for (size_t i = 0; i < sizeof hash; i++)
		hash[i] = (uint8_t)mutate_random(r, 256);
	if (l.n == 0 || kl_base64(KL_BYTES_OF(hash), line, sizeof line) !=
	    KL_OK)
		return;
	line[strlen(line) + 1] = '\0';
	line[strlen(line)] = '\n';
	splice(t, l.at[mutate_random(r, l.n + 1)], 0, line, 45);
}

/* ---- numbers and names --------------------------------------------------- */

static bool
digit(const struct mutate_text *t, size_t i)
{
	return i < t->n && t->b[i] >= '0' && t->b[i] <= '9';
}

/* A number that is a line, or the last word of one. */
static bool
number_find(const struct mutate_text *t, struct mutate_random *r, size_t *at,
    size_t *n)
{
	const struct lines l = lines_of(t);
	size_t from = l.n == 0 ? 0 : mutate_random(r, l.n);

	for (size_t k = 0; k < l.n; k++) {
		size_t i = (from + k) % l.n, end = l.at[i + 1];

		end -= end > l.at[i] && t->b[end - 1] == '\n';
		for (*at = end; *at > l.at[i] && digit(t, *at - 1); --*at)
			;
		*n = end - *at;
		if (*n > 0 && *n < 20 && (*at == l.at[i] ||
		    t->b[*at - 1] == ' '))
			return true;
	}
	return false;
}

static void
number_other(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	char text[24], was[24];
	size_t at, n;
	uint64_t v;

	(void)other;
	if (!number_find(t, r, &at, &n))
		return;
	memcpy(was, t->b + at, n);
	was[n] = '\0';
	v = strtoull(was, NULL, 10);
	switch (mutate_random(r, 5)) {
	case 0: v++; break;
	case 1: v--; break;
	case 2: v = mutate_random(r, 400); break;
	case 3: v *= 2; break;
	default: v ^= UINT64_C(1) << mutate_random(r, 64); break;
	}
	(void)snprintf(text, sizeof text, "%llu", (unsigned long long)v);
	splice(t, at, n, text, strlen(text));
}

static void
number_odd(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	static const char *const before[] = { "0", "00", "+", "-", " ", "0x",
		"\t" };
	size_t at, n;
	const char *put;

	(void)other;
	if (!number_find(t, r, &at, &n))
		return;
	put = before[mutate_random(r, sizeof before / sizeof before[0])];
	splice(t, at, 0, put, strlen(put));
}

/* Every place of the word that the note begins with. */
static void
origin_other(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	static const char was[] = "/log/";
	const bool all = mutate_random(r, 2) == 0;

	(void)other;
	for (size_t i = 0; i + sizeof was - 1 <= t->n; i++)
		if (memcmp(t->b + i, was, sizeof was - 1) == 0) {
			t->b[i + 1 + mutate_random(r, 3)] ^= 0x20;
			if (!all)
				return;
		}
}

/* ---- base64 -------------------------------------------------------------- */

/* The last word of a line, if it looks like base64 of at least 32 bytes. */
static bool
base64_find(const struct mutate_text *t, struct mutate_random *r, size_t *at,
    size_t *n)
{
	const struct lines l = lines_of(t);
	size_t from = l.n == 0 ? 0 : mutate_random(r, l.n);

	for (size_t k = 0; k < l.n; k++) {
		size_t i = (from + k) % l.n, end = l.at[i + 1];

		end -= end > l.at[i] && t->b[end - 1] == '\n';
		for (*at = end; *at > l.at[i] && t->b[*at - 1] != ' '; --*at)
			;
		*n = end - *at;
		if (*n >= 44)
			return true;
	}
	return false;
}

/* Bits that no byte needs, padding that is missing or too much, a blank. */
static void
base64_odd(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	size_t at, n;

	(void)other;
	if (!base64_find(t, r, &at, &n))
		return;
	switch (mutate_random(r, 4)) {
	case 0:
		if (t->b[at + n - 1] == '=')
			t->b[at + n - 2 - (t->b[at + n - 2] == '=')]++;
		break;
	case 1: splice(t, at + n - 1, 1, NULL, 0); break;
	case 2: splice(t, at + n, 0, "=", 1); break;
	default: splice(t, at + mutate_random(r, n), 0, " ", 1); break;
	}
}

/* The same signature with the order of the group added to its second half:
 * what a careless verifier takes as well. */
static void
signature_odd(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	static const uint8_t order[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c,
		0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0x10,
	};
	uint8_t sig[128];
	char text[180];
	unsigned int carry = 0;
	size_t at, n, got;

	(void)other;
	if (!base64_find(t, r, &at, &n) || n > 104 || kl_base64_read(kl_bytes(
	    t->b + at, n), sig, sizeof sig, &got) != KL_OK || got < 68)
		return;
	for (size_t i = 0; i < sizeof order; i++) {
		carry += sig[got - 32 + i] + order[i];
		sig[got - 32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	if (kl_base64(kl_bytes(sig, got), text, sizeof text) == KL_OK)
		splice(t, at, n, text, strlen(text));
}

/* Somebody's line that nobody knows, well formed: it changes nothing. */
static void
unknown_line(struct mutate_text *t, const struct mutate_text *other,
    struct mutate_random *r)
{
	char line[200], b64[104];
	uint8_t sig[72];

	(void)other;
	for (size_t i = 0; i < sizeof sig; i++)
		sig[i] = (uint8_t)mutate_random(r, 256);
	if (kl_base64(KL_BYTES_OF(sig), b64, sizeof b64) != KL_OK)
		return;
	(void)snprintf(line, sizeof line, DASH "w%llu.example %s\n",
	    (unsigned long long)mutate_random(r, 1000), b64);
	splice(t, t->n, 0, line, strlen(line));
}

const struct mutate_way mutate_ways[] = {
	{ "bit flipped", flip }, { "bits flipped", flips },
	{ "letter changed", letter }, { "cut short", cut },
	{ "begin cut off", cut_front }, { "trailing bytes", trailing },
	{ "byte more", insert }, { "byte less", leave_out },
	{ "end of another", splice_other },
	{ "byte order mark", mark_of_order },
	{ "line gone", line_gone }, { "line doubled", line_twice },
	{ "line of another", line_of_other },
	{ "line exchanged", line_exchanged },
	{ "lines swapped", lines_swapped }, { "CRLF", line_ends },
	{ "empty line", empty_line }, { "hash more", hash_more },
	{ "other number", number_other }, { "odd number", number_odd },
	{ "other origin", origin_other }, { "odd base64", base64_odd },
	{ "odd signature", signature_odd },
	{ "unknown line", unknown_line },
};
const size_t mutate_n = sizeof mutate_ways / sizeof mutate_ways[0];
