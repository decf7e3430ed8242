#include <kortelijn/domain/calendar.h>

#include <string.h>

#include <kortelijn/base/time.h>

#define MONTH_DAY(month, day) ((month) * 100 + (day))
#define LOOK_DAYS 60		/* ahead for an hour in which a desk is open */

/* ---- the clock ------------------------------------------------------- */

/* Monday is 0: 1970-01-01 was a Thursday. */
static int
weekday(int32_t day)
{
	return (int)((day % 7 + 7 + 3) % 7);
}

/* 01:00 UTC on the last Sunday of a month of 31 days. */
static int64_t
turn_of_clocks(int year, int month)
{
	int32_t last = kl_day_make(year, month, 31);

	return kl_day_start_ms(last - (weekday(last) + 1) % 7) + KL_HOUR_MS;
}

static int64_t
offset_ms(int64_t at_ms)
{
	int year, month, mday;

	kl_day_split(kl_day_of(at_ms), &year, &month, &mday);
	return at_ms >= turn_of_clocks(year, 3) &&
	    at_ms < turn_of_clocks(year, 10) ? 2 * KL_HOUR_MS : KL_HOUR_MS;
}

int64_t
kl_calendar_local_ms(int64_t at_ms)
{
	return at_ms + offset_ms(at_ms);
}

int64_t
kl_calendar_instant_ms(int64_t local_ms)
{
	int64_t summer = local_ms - 2 * KL_HOUR_MS;

	/* In the hour that comes twice the first is in summer time. */
	return offset_ms(summer) == 2 * KL_HOUR_MS ? summer :
	    local_ms - KL_HOUR_MS;
}

struct kl_local_text
kl_calendar_text(int64_t at_ms)
{
	int64_t local = kl_calendar_local_ms(at_ms);
	struct kl_time_text t = kl_time_text(local);
	struct kl_local_text out;

	memcpy(out.b, t.b, 16);
	out.b[10] = ' ';
	out.b[16] = '\0';
	return out;
}

/* ---- days ------------------------------------------------------------ */

/* Easter Sunday of the Gregorian calendar, days since 1970 (the rule of the
 * golden number and the dominical letter). */
static int32_t
easter(int year)
{
	int golden = year % 19, century = year / 100;
	int moon = (century - century / 4 - (8 * century + 13) / 25 +
	    19 * golden + 15) % 30;
	int sunday;

	moon -= moon / 28 * (1 - moon / 28 * (29 / (moon + 1)) *
	    ((21 - golden) / 11));
	sunday = (year + year / 4 + moon + 2 - century + century / 4) % 7;
	return kl_day_make(year, 3, 28) + moon - sunday;
}

static bool
moving_holiday(int32_t day, int year)
{
	switch (day - easter(year)) {
	case -2:	/* Good Friday */
	case 0:
	case 1:		/* Easter Monday */
	case 39:	/* Ascension */
	case 49:
	case 50:	/* Whit Monday */
		return true;
	default:
		return false;
	}
}

/* The 27th of April; when that is a Sunday, the 26th. */
static bool
kings_day(int32_t day, int year)
{
	int32_t d = kl_day_make(year, 4, 27);

	return day == (weekday(d) == 6 ? d - 1 : d);
}

static bool
holiday(int32_t day)
{
	int year, month, mday;

	kl_day_split(day, &year, &month, &mday);
	switch (MONTH_DAY(month, mday)) {
	case MONTH_DAY(1, 1):
	case MONTH_DAY(5, 5):
	case MONTH_DAY(12, 25):
	case MONTH_DAY(12, 26):
		return true;
	default:
		return kings_day(day, year) || moving_holiday(day, year);
	}
}

bool
kl_calendar_day_off(int32_t day)
{
	return weekday(day) >= 5 || holiday(day);
}

static bool
closed_day(const struct kl_calendar *c, int32_t day)
{
	for (size_t i = 0; c != NULL && i < c->n_closed; i++)
		if (c->closed[i] == (uint32_t)day)
			return true;
	return false;
}

bool
kl_calendar_working_day(const struct kl_calendar *c, int32_t day)
{
	return !kl_calendar_day_off(day) && !closed_day(c, day);
}

static uint32_t
at_most(uint32_t n)
{
	return n < KL_CALENDAR_COUNT_MAX ? n : KL_CALENDAR_COUNT_MAX;
}

int64_t
kl_calendar_add_desk_days(const struct kl_calendar *c, int64_t at_ms,
    uint32_t n)
{
	int64_t local = kl_calendar_local_ms(at_ms);

	if (n == 0)
		return at_ms;
	for (n = at_most(n); n > 0;) {
		local += KL_DAY_MS;
		if (kl_calendar_working_day(c, kl_day_of(local)))
			n--;
	}
	return kl_calendar_instant_ms(local);
}

int64_t
kl_calendar_add_working_days(int64_t at_ms, uint32_t n)
{
	return kl_calendar_add_desk_days(NULL, at_ms, n);
}

/* ---- hours ----------------------------------------------------------- */

struct span {
	int64_t from_ms, to_ms;
};

/* Of one day, in order, none touching another. */
struct spans {
	struct span s[KL_CALENDAR_HOURS_MAX];
	size_t n;
};

/* In its place; what it overlaps is taken into it. */
static void
add_span(struct spans *o, struct span s)
{
	size_t i = 0, j;

	while (i < o->n && o->s[i].to_ms < s.from_ms)
		i++;
	for (j = i; j < o->n && o->s[j].from_ms <= s.to_ms; j++) {
		if (o->s[j].from_ms < s.from_ms)
			s.from_ms = o->s[j].from_ms;
		if (o->s[j].to_ms > s.to_ms)
			s.to_ms = o->s[j].to_ms;
	}
	memmove(o->s + i + 1, o->s + j, (o->n - j) * sizeof o->s[0]);
	o->s[i] = s;
	o->n = o->n - (j - i) + 1;
}

static bool
hours_read(uint32_t hours, uint32_t *day, int64_t *from_ms, int64_t *to_ms)
{
	uint32_t from = hours / 10000 % 10000, to = hours % 10000;

	*day = hours / 100000000;
	*from_ms = (from / 100 * 60 + from % 100) * KL_MINUTE_MS;
	*to_ms = (to / 100 * 60 + to % 100) * KL_MINUTE_MS;
	return *day >= 1 && *day <= 7 && from % 100 < 60 && to % 100 < 60 &&
	    *from_ms < *to_ms && *to_ms <= KL_DAY_MS;
}

static struct span
instants(int32_t day, int64_t from_ms, int64_t to_ms)
{
	int64_t start = kl_day_start_ms(day);

	return (struct span){ kl_calendar_instant_ms(start + from_ms),
		kl_calendar_instant_ms(start + to_ms) };
}

static void
usual_hours(int32_t day, struct spans *out)
{
	out->n = 0;
	if (weekday(day) < 5)
		add_span(out, instants(day, 9 * KL_HOUR_MS, 17 * KL_HOUR_MS));
}

/* Also of a weekday that is none for others: a desk may be open on Saturday,
 * but not on a holiday. */
static void
hours_of(const struct kl_calendar *c, int32_t day, struct spans *out)
{
	uint32_t wd;
	int64_t from, to;
	bool any = false;

	out->n = 0;
	if (holiday(day) || closed_day(c, day))
		return;
	for (size_t i = 0; c != NULL && i < c->n_hours; i++) {
		if (!hours_read(c->hours[i], &wd, &from, &to))
			continue;
		any = true;
		if ((int)wd == weekday(day) + 1)
			add_span(out, instants(day, from, to));
	}
	if (!any)
		usual_hours(day, out);
}

static int32_t
local_day(int64_t at_ms)
{
	return kl_day_of(kl_calendar_local_ms(at_ms));
}

/* The first hours that end after at_ms. */
static struct span
next_span(const struct kl_calendar *c, int64_t at_ms)
{
	int32_t first = local_day(at_ms), day;
	struct spans o;

	for (day = first; day < first + LOOK_DAYS; day++) {
		hours_of(c, day, &o);
		for (size_t i = 0; i < o.n; i++)
			if (o.s[i].to_ms > at_ms)
				return o.s[i];
	}
	for (day = first;; day++) {
		usual_hours(day, &o);
		if (o.n > 0 && o.s[0].to_ms > at_ms)
			return o.s[0];
	}
}

int64_t
kl_calendar_add_office_hours(const struct kl_calendar *c, int64_t at_ms,
    uint32_t n)
{
	int64_t left = at_most(n) * KL_HOUR_MS;

	while (left > 0) {
		struct span s = next_span(c, at_ms);
		int64_t from = s.from_ms > at_ms ? s.from_ms : at_ms;

		if (s.to_ms - from >= left)
			return from + left;
		left -= s.to_ms - from;
		at_ms = s.to_ms;
	}
	return at_ms;
}

int64_t
kl_calendar_closing(const struct kl_calendar *c, int64_t at_ms)
{
	int64_t end = next_span(c, at_ms).to_ms;
	int32_t day = local_day(end - 1);

	/* The last hours of that day, not those before its lunch. */
	for (;;) {
		int64_t later = next_span(c, end).to_ms;

		if (local_day(later - 1) != day)
			return end;
		end = later;
	}
}

int64_t
kl_calendar_add(const struct kl_calendar *c, int64_t at_ms,
    struct kl_term term)
{
	switch (term.unit) {
	case KL_UNIT_WD:
		return term.n == 0 ? kl_calendar_closing(c, at_ms) :
		    kl_calendar_add_desk_days(c, at_ms, term.n);
	case KL_UNIT_OH:
		return kl_calendar_add_office_hours(c, at_ms, term.n);
	default:
		return at_ms + kl_term_ms(term);
	}
}

bool
kl_calendar_open(const struct kl_calendar *c, int64_t at_ms)
{
	struct spans o;

	hours_of(c, local_day(at_ms), &o);
	for (size_t i = 0; i < o.n; i++)
		if (o.s[i].from_ms <= at_ms && at_ms < o.s[i].to_ms)
			return true;
	return false;
}
