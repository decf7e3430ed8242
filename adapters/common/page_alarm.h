/*
 * page_alarm.h: an alarm as an interface hands it out: JSON for a program and
 * readable text beside it for people.
 */
#ifndef ADAPTERS_COMMON_PAGE_ALARM_H
#define ADAPTERS_COMMON_PAGE_ALARM_H

#include "adapters/common/page.h"

/* Of an ENGINE_EV_ALARM or ENGINE_EV_ALARM_CLOSED. KL_E_NOT_FOUND: its case is
 * not here any more; KL_E_AGAIN; KL_E_MEMORY. *out as of page_step. */
int page_alarm(struct engine *e, const struct engine_actor *by,
    const struct engine_event *ev, struct page *out) KL_MUST_CHECK;

#endif
