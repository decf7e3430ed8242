#include <kortelijn/base/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Division that rounds down for negative times too. */
static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

int32_t
kl_day_of(int64_t time_ms)
{
	return (int32_t)floor_div(time_ms, KL_DAY_MS);
}

int64_t
kl_day_start_ms(int32_t day)
{
	return day * KL_DAY_MS;
}

/* Proleptic Gregorian calendar; the year starts in March so that the leap
 * day comes last (Howard Hinnant, "chrono-compatible low-level date
 * algorithms"). */
int32_t
kl_day_make(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era = (int)floor_div(y, 400);
	int yoe = y - era * 400;
	int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

void
kl_day_split(int32_t day, int *year, int *month, int *mday)
{
	int32_t z = day + 719468;
	int era = (int)floor_div(z, 146097);
	int doe = z - era * 146097;
	int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int mp = (5 * doy + 2) / 153;

	*mday = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = yoe + era * 400 + (*month <= 2 ? 1 : 0);
}

int64_t
kl_week_start_ms(int64_t time_ms)
{
	/* 1970-01-01 was a Thursday: the Monday before it is day -3. */
	return (floor_div(kl_day_of(time_ms) + 3, 7) * 7 - 3) * KL_DAY_MS;
}

struct kl_day_text
kl_day_text(int32_t day)
{
	struct kl_day_text t;
	char buf[40];
	int y, m, d;

	kl_day_split(day, &y, &m, &d);
	snprintf(buf, sizeof buf, "%04d-%02d-%02d", y, m, d);
	buf[10] = '\0';
	memcpy(t.b, buf, sizeof t.b);
	return t;
}

int
kl_day_read(const char *text, int32_t *day)
{
	int y, m, d, n = 0, y2, m2, d2;

	if (strlen(text) != 10 || strspn(text, "0123456789-") != 10 ||
	    text[4] != '-' || text[7] != '-' ||
	    sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &n) != 3 || n != 10)
		return KL_E_FORMAT;
	if (y < 1800 || m < 1 || m > 12 || d < 1 || d > 31)
		return KL_E_FORMAT;
	*day = kl_day_make(y, m, d);
	kl_day_split(*day, &y2, &m2, &d2);
	return y == y2 && m == m2 && d == d2 ? KL_OK : KL_E_FORMAT;
}

struct kl_time_text
kl_time_text(int64_t time_ms)
{
	struct kl_time_text t;
	int32_t day = kl_day_of(time_ms);
	int64_t in_day = time_ms - kl_day_start_ms(day);
	char buf[64];

	snprintf(buf, sizeof buf, "%sT%02d:%02d:%02d.%03dZ",
	    kl_day_text(day).b, (int)(in_day / KL_HOUR_MS),
	    (int)(in_day / KL_MINUTE_MS % 60),
	    (int)(in_day / KL_SECOND_MS % 60), (int)(in_day % KL_SECOND_MS));
	buf[24] = '\0';
	memcpy(t.b, buf, sizeof t.b);
	return t;
}

static int64_t
unit_ms(char c)
{
	switch (c) {
	case 's': return KL_SECOND_MS;
	case 'm': return KL_MINUTE_MS;
	case 'h': return KL_HOUR_MS;
	case 'd': return KL_DAY_MS;
	case 'w': return KL_WEEK_MS;
	default: return 0;
	}
}

int
kl_duration_read(const char *text, int64_t *ms)
{
	bool minus = text[0] == '-';
	const char *p = minus ? text + 1 : text;
	size_t digits = strspn(p, "0123456789");
	int64_t unit, count;

	*ms = 0;
	if (digits == 0 || digits > 12 || p[digits] == '\0' ||
	    p[digits + 1] != '\0')
		return KL_E_FORMAT;
	if ((unit = unit_ms(p[digits])) == 0)
		return KL_E_FORMAT;
	count = strtoll(p, NULL, 10);
	if (count > 36525 * KL_DAY_MS / unit)
		return KL_E_VALUE;
	*ms = minus ? -count * unit : count * unit;
	return KL_OK;
}
