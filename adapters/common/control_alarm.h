/*
 * control_alarm.h: alarms, what was seen of them, and the operator's word on
 * the clock.
 */
#ifndef ADAPTERS_COMMON_CONTROL_ALARM_H
#define ADAPTERS_COMMON_CONTROL_ALARM_H

#include "adapters/common/control_cmd.h"

int control_alarm_list(struct control_cmd *c) KL_MUST_CHECK;
/* What proves an alarm to others, by "number". */
int control_alarm_evidence(struct control_cmd *c) KL_MUST_CHECK;
int control_alarm_hold(struct control_cmd *c) KL_MUST_CHECK;

#endif
