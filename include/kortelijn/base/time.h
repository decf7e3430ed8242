/*
 * time.h: instants in milliseconds UTC, days and weeks counted from 1970.
 *
 * Nothing here asks a clock: the time of day comes in as a value (host/loop.h
 * has the one place that reads it).
 */
#ifndef KORTELIJN_BASE_TIME_H
#define KORTELIJN_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include <kortelijn/base/err.h>

#define KL_SECOND_MS INT64_C(1000)
#define KL_MINUTE_MS (60 * KL_SECOND_MS)
#define KL_HOUR_MS (60 * KL_MINUTE_MS)
#define KL_DAY_MS (24 * KL_HOUR_MS)
#define KL_WEEK_MS (7 * KL_DAY_MS)
/* 9999-12-31: an instant after it is refused everywhere. */
#define KL_TIME_MAX_MS INT64_C(253402300799999)

/* Days since 1970-01-01, UTC. */
int32_t kl_day_of(int64_t time_ms);
int64_t kl_day_start_ms(int32_t day);
int32_t kl_day_make(int year, int month, int day);
void kl_day_split(int32_t day, int *year, int *month, int *mday);
/* Start of the week, Monday 00:00 UTC, that holds time_ms. */
int64_t kl_week_start_ms(int64_t time_ms);

/* "2026-11-24" with NUL. */
struct kl_day_text { char b[11]; };
struct kl_day_text kl_day_text(int32_t day);
/* KL_E_FORMAT: not a real day of 1800 to 9999. */
int kl_day_read(const char *text, int32_t *day) KL_MUST_CHECK;
/* "2026-11-24T16:00:00.123Z" with NUL. */
struct kl_time_text { char b[25]; };
struct kl_time_text kl_time_text(int64_t time_ms);
/* "90s", "15m", "14d", "3h", "2w" as milliseconds, with an optional minus.
 * KL_E_FORMAT otherwise, KL_E_VALUE above 100 years. */
int kl_duration_read(const char *text, int64_t *ms) KL_MUST_CHECK;

#endif
