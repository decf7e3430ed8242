#include "proto/audit/spread.h"

#include <stdio.h>
#include <stdlib.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

#define FIRST_VALUES 64
#define WORKING_DAYS_MAX 4000	/* to look at; more is counted as this */

void
audit_spread_clear(struct audit_spread *s)
{
	free(s->v);
	*s = (struct audit_spread){ .v = NULL };
}

int
audit_spread_add(struct audit_spread *s, uint32_t value)
{
	const size_t cap = s->cap == 0 ? FIRST_VALUES : 2 * s->cap;
	uint32_t *v;

	if (s->n == AUDIT_SPREAD_MAX)
		return KL_E_FULL;
	if (s->n == s->cap) {
		if ((v = realloc(s->v, cap * sizeof *v)) == NULL)
			return KL_E_MEMORY;
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = value;
	s->sorted = false;
	return KL_OK;
}

static int
by_value(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void
audit_spread_sort(struct audit_spread *s)
{
	if (!s->sorted && s->n > 0)
		qsort(s->v, s->n, sizeof *s->v, by_value);
	s->sorted = true;
}

bool
audit_spread_within(const struct audit_spread *s, uint32_t permille,
    uint32_t *value)
{
	const size_t all = s->n + s->open;
	const size_t rank = (all * permille + 999) / 1000;

	*value = 0;
	if (all == 0 || rank == 0 || rank > s->n)
		return false;
	*value = s->v[rank - 1];
	return true;
}

/* How many are below. */
static size_t
below(const struct audit_spread *s, uint32_t value)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (s->v[mid] < value)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t
audit_spread_between(const struct audit_spread *s, uint32_t least,
    uint32_t end)
{
	return below(s, end) - below(s, least);
}

uint32_t
audit_spread_working_days(int64_t from_ms, int64_t to_ms)
{
	const int32_t last = kl_day_of(kl_calendar_local_ms(to_ms));
	int32_t day = kl_day_of(kl_calendar_local_ms(from_ms));
	uint32_t n = 0;

	for (int i = 0; day < last && i < WORKING_DAYS_MAX; i++)
		n += kl_calendar_working_day(NULL, ++day);
	return n;
}

/* ---- words --------------------------------------------------------------- */

#define HOUR 60u
#define DAY (24u * HOUR)

/* 90 minutes are said as minutes and 40 hours as hours: rounding hides no more
 * than a part in three. */
struct audit_spread_text
audit_spread_text(uint32_t minutes, enum kl_lang lang)
{
	const bool nl = lang == KL_NL;
	struct audit_spread_text t;
	uint32_t n = minutes;
	const char *unit = nl ? "minuten" : "minutes";

	if (minutes == 0) {
		(void)snprintf(t.b, sizeof t.b, "%s", nl ?
		    "een minuut" : "a minute");
		return t;
	}
	if (minutes == 1)
		unit = nl ? "minuut" : "minute";
	if (minutes > 3 * HOUR / 2) {
		n = (minutes + HOUR / 2) / HOUR;
		unit = nl ? "uur" : "hours";
	}
	if (minutes >= 2 * DAY) {
		n = (minutes + DAY / 2) / DAY;
		unit = nl ? "dagen" : "days";
	}
	(void)snprintf(t.b, sizeof t.b, "%u %s", n, unit);
	return t;
}

struct audit_spread_text
audit_spread_days_text(uint32_t days, enum kl_lang lang)
{
	const bool nl = lang == KL_NL;
	struct audit_spread_text t;

	if (days == 0)
		(void)snprintf(t.b, sizeof t.b, "%s",
		    nl ? "dezelfde dag" : "the same day");
	else
		(void)snprintf(t.b, sizeof t.b, "%u %s%s", days,
		    nl ? "werkdag" : "working day",
		    days == 1 ? "" : nl ? "en" : "s");
	return t;
}
