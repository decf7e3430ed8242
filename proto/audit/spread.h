/*
 * spread.h: how long something took, many times over: in how many minutes half
 * of them were done, and in how many nine of ten.
 *
 * What is not done yet counts: half of ten is five, also when three of the ten
 * still wait. What fell away (withdrawn, expired) does not.
 */
#ifndef PROTO_AUDIT_SPREAD_H
#define PROTO_AUDIT_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/err.h>
#include <kortelijn/domain/list.h>

#define AUDIT_SPREAD_MAX (1 << 22)	/* values */

struct audit_spread {
	uint32_t *v;
	size_t n, cap;
	size_t open;		/* not done yet */
	size_t gone;		/* fell away before */
	bool sorted;
};

void audit_spread_clear(struct audit_spread *s);
/* KL_E_FULL, KL_E_MEMORY. */
int audit_spread_add(struct audit_spread *s, uint32_t value) KL_MUST_CHECK;
/* After the last add, and before what follows. */
void audit_spread_sort(struct audit_spread *s);
/* The value within which `permille` of all that did not fall away was done.
 * False: not so many are. */
bool audit_spread_within(const struct audit_spread *s, uint32_t permille,
    uint32_t *value);
/* How many values v have least <= v < below. */
size_t audit_spread_between(const struct audit_spread *s, uint32_t least,
    uint32_t below);

/* Local days after that of `from` up to that of `to` on which people work: on
 * Friday evening and Monday morning it is 1; on the same day 0. */
uint32_t audit_spread_working_days(int64_t from_ms, int64_t to_ms);

/* "12 minuten", "3 uur", "4 dagen", rounded to what people say; with NUL. */
struct audit_spread_text { char b[32]; };
struct audit_spread_text audit_spread_text(uint32_t minutes,
    enum kl_lang lang);
/* "dezelfde dag", "2 werkdagen". */
struct audit_spread_text audit_spread_days_text(uint32_t days,
    enum kl_lang lang);

#endif
