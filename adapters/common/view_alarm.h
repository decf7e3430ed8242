/*
 * view_alarm.h: alarms as JSON: what is the matter, with which referral, what
 * to do and whom to phone. No content of a referral.
 */
#ifndef ADAPTERS_COMMON_VIEW_ALARM_H
#define ADAPTERS_COMMON_VIEW_ALARM_H

#include <jansson.h>

#include "adapters/common/engine.h"

#define VIEW_ALARM_PHONES_MAX 16

/* NULL: no memory. Owned by the caller. */
json_t *view_alarm(struct engine *e, const struct engine_alarm *a);

enum view_alarm_which {
	VIEW_ALARM_NEW,		/* above `seen`, and what is open */
	VIEW_ALARM_ALL,
};
/* At most `max` behind *after, oldest first; *after becomes the number of the
 * last one looked at, or 0 when no more follow. KL_E_AGAIN, KL_E_MEMORY. */
int view_alarm_list(struct engine *e, enum view_alarm_which which,
    uint64_t seen, uint64_t *after, size_t max, json_t **out) KL_MUST_CHECK;
/* Of those that are open for a case: their names, and what to do. */
json_t *view_alarm_names(const struct engine_case *k);
json_t *view_alarm_case(const struct engine_case *k);

#endif
