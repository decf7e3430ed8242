#include <kortelijn/domain/nightly.h>

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

static bool
two_digits(const char *p, uint32_t below, uint32_t *out)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*out = (uint32_t)(p[0] - '0') * 10 + (uint32_t)(p[1] - '0');
	return *out < below;
}

int
kl_nightly_read(const char *text, uint32_t *minute)
{
	uint32_t h, m;

	*minute = 0;
	if (strlen(text) != 5 || text[2] != ':' ||
	    !two_digits(text, 24, &h) || !two_digits(text + 3, 60, &m))
		return KL_E_FORMAT;
	*minute = h * 60 + m;
	return KL_OK;
}

int64_t
kl_nightly_last(int64_t now_ms, uint32_t minute)
{
	int32_t day = kl_day_of(kl_calendar_local_ms(now_ms));
	int64_t at_ms;

	do
		at_ms = kl_calendar_instant_ms(kl_day_start_ms(day--) +
		    minute * KL_MINUTE_MS);
	while (at_ms > now_ms);
	return at_ms;
}

bool
kl_nightly_due(int64_t now_ms, uint32_t minute, int64_t done_ms)
{
	return done_ms < kl_nightly_last(now_ms, minute) ||
	    done_ms > now_ms + KL_DAY_MS;
}

bool
kl_nightly_overdue(int64_t now_ms, uint32_t minute, int64_t done_ms)
{
	return kl_nightly_due(now_ms - KL_DAY_MS, minute, done_ms) &&
	    done_ms <= now_ms;
}
