/*
 * calendar.h: what time people keep: the clocks of Europe/Amsterdam, working
 * days, the hours in which a desk is open. Pure; there is no table to keep up,
 * neither of time zones nor of holidays. PROTOCOL.md 13.
 */
#ifndef KORTELIJN_DOMAIN_CALENDAR_H
#define KORTELIJN_DOMAIN_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/domain/policy.h>

#define KL_CALENDAR_HOURS_MAX 14
#define KL_CALENDAR_CLOSED_MAX 32
/* More working days or office hours than this are counted as this. */
#define KL_CALENDAR_COUNT_MAX 1000

/* When a desk is open, as its PROFILE says it (PROTOCOL.md 5.6). Entries that
 * are no hours are passed over; without any, 09:00 to 17:00 on Monday to
 * Friday. */
struct kl_calendar {
	/* day * 10^8 + from * 10^4 + to: 1 is Monday, HHMM local time */
	uint32_t hours[KL_CALENDAR_HOURS_MAX];
	size_t n_hours;
	uint32_t closed[KL_CALENDAR_CLOSED_MAX];	/* local days */
	size_t n_closed;
};

/* What a clock on the wall shows, as milliseconds since 1970-01-01 00:00 by
 * that clock; kl_day_of of it is the local day. The rule for summer time is
 * that of Directive 2000/84/EC, in every year. */
int64_t kl_calendar_local_ms(int64_t at_ms);
/* The first instant at which the clock shows local_ms. For a time that the
 * clocks leap over, the instant as long after the leap. */
int64_t kl_calendar_instant_ms(int64_t local_ms);
/* "2026-11-24 17:00", local, with NUL. */
struct kl_local_text { char b[17]; };
struct kl_local_text kl_calendar_text(int64_t at_ms);

/* A Saturday, a Sunday or a day of the Algemene termijnenwet, art. 3. `day`
 * counts from 1970 and is a local one. */
bool kl_calendar_day_off(int32_t day);
/* Neither that, nor a closed day of `c`. NULL: no desk in particular. */
bool kl_calendar_working_day(const struct kl_calendar *c, int32_t day);

/* n working days later, at the same time of day by the clock on the wall. */
int64_t kl_calendar_add_working_days(int64_t at_ms, uint32_t n);
/* The same by the working days of a desk. NULL: no desk in particular. */
int64_t kl_calendar_add_desk_days(const struct kl_calendar *c, int64_t at_ms,
    uint32_t n);
/* When the desk was open for n hours since at_ms. A desk that is not open for
 * 60 days is taken to be open at the usual hours. */
int64_t kl_calendar_add_office_hours(const struct kl_calendar *c,
    int64_t at_ms, uint32_t n);
/* When the desk closes next: today, if it is still to close today. */
int64_t kl_calendar_closing(const struct kl_calendar *c, int64_t at_ms);
/* A term of the policy from at_ms on: h, d, mo and y by the clock, wd and oh
 * by the desk. wd of 0 is the same day: until the desk closes. NULL: no desk in
 * particular. */
int64_t kl_calendar_add(const struct kl_calendar *c, int64_t at_ms,
    struct kl_term term);
bool kl_calendar_open(const struct kl_calendar *c, int64_t at_ms);

#endif
