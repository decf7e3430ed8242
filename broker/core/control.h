/*
 * control.h: what the operator's program asks core over its Unix socket:
 * one JSON object each way, {"cmd":"status"} and the like.
 */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H

#include "broker/core/core.h"

/* Listens at conf->control. As kl_control_open. */
int control_open(struct core *c) KL_MUST_CHECK;
void control_close(struct core *c);

#endif
