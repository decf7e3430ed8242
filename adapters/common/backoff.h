/*
 * backoff.h: how long what the broker did not take waits for its next try.
 */
#ifndef ADAPTERS_COMMON_BACKOFF_H
#define ADAPTERS_COMMON_BACKOFF_H

#include <stdint.h>

#include <kortelijn/base/time.h>

#define BACKOFF_FIRST_MS KL_SECOND_MS
#define BACKOFF_LAST_MS (10 * KL_MINUTE_MS)

/* Twice as long after each attempt, between these two; never shorter than
 * what the broker asks. */
int64_t backoff_ms(uint32_t attempts, uint32_t at_least_ms);

#endif
