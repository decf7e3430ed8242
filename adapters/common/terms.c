#include "adapters/common/terms.h"

#include <kortelijn/base/time.h>
#include <kortelijn/base/types.h>

#define MONTH_DAY(month, day) ((month) * 100 + (day))

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
moving_day_off(int32_t day, int year)
{
	switch (day - easter(year)) {
	case -2:	/* Good Friday */
	case 1:		/* Easter Monday */
	case 39:	/* Ascension */
	case 50:	/* Whit Monday */
		return true;
	default:
		return false;
	}
}

/* Monday is 0: 1970-01-01 was a Thursday. */
static int
weekday(int32_t day)
{
	return (int)((day % 7 + 7 + 3) % 7);
}

/* The 27th of April; when that is a Sunday, the 26th. */
static bool
kings_day(int32_t day, int year)
{
	int32_t d = kl_day_make(year, 4, 27);

	return day == (weekday(d) == 6 ? d - 1 : d);
}

bool
terms_day_off(int32_t day)
{
	int year, month, mday;

	if (weekday(day) >= 5)
		return true;
	kl_day_split(day, &year, &month, &mday);
	switch (MONTH_DAY(month, mday)) {
	case MONTH_DAY(1, 1):
	case MONTH_DAY(5, 5):
	case MONTH_DAY(12, 25):
	case MONTH_DAY(12, 26):
		return true;
	default:
		return kings_day(day, year) || moving_day_off(day, year);
	}
}

int64_t
terms_add_working_days(int64_t at_ms, int days)
{
	while (days > 0) {
		at_ms += KL_DAY_MS;
		if (!terms_day_off(kl_day_of(at_ms)))
			days--;
	}
	return at_ms;
}

struct terms
terms_of(uint32_t kind, bool crisis, uint32_t level, int64_t created_ms)
{
	struct terms t = { 0 };

	if (kind == KL_FEEDBACK) {
		t.expire_at_ms = created_ms + 42 * KL_DAY_MS;
		t.deliver_by_ms = t.expire_at_ms;
		return t;
	}
	t.expire_at_ms = crisis ? terms_add_working_days(created_ms, 3) :
	    created_ms + 14 * KL_DAY_MS;
	t.deliver_by_ms = crisis ? created_ms + 4 * KL_HOUR_MS :
	    terms_add_working_days(created_ms, 2);
	if (kind == KL_REFERRAL && level != KL_LEVEL_0)
		t.answer_by_ms = crisis ? created_ms + 8 * KL_HOUR_MS :
		    terms_add_working_days(created_ms, 2);
	return t;
}
