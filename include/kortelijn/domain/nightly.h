/*
 * nightly.h: when the work of a night is due. A machine that is off at that
 * hour does it at its next start. Pure.
 */
#ifndef KORTELIJN_DOMAIN_NIGHTLY_H
#define KORTELIJN_DOMAIN_NIGHTLY_H

#include <stdbool.h>
#include <stdint.h>

#include <kortelijn/base/err.h>

#define KL_NIGHTLY_TEXT 6	/* bytes of "03:00" */

/* "03:00" as minutes since midnight. KL_E_FORMAT. */
int kl_nightly_read(const char *text, uint32_t *minute) KL_MUST_CHECK;

/* The latest instant, not after now_ms, at which the clocks of
 * Europe/Amsterdam showed that minute of a day; on a day on which they leap
 * over it, the instant as long after the leap. */
int64_t kl_nightly_last(int64_t now_ms, uint32_t minute);

/* Not done since the last night. Work that says it was done more than a day
 * from now was done by a wrong clock, and counts for nothing. */
bool kl_nightly_due(int64_t now_ms, uint32_t minute, int64_t done_ms);
/* It has been due for more than a day. */
bool kl_nightly_overdue(int64_t now_ms, uint32_t minute, int64_t done_ms);

#endif
