/*
 * control_profile.h: what a desk tells of itself, over the control socket: set,
 * shown, or the desks that could be referred to.
 */
#ifndef ADAPTERS_COMMON_CONTROL_PROFILE_H
#define ADAPTERS_COMMON_CONTROL_PROFILE_H

#include "adapters/common/control_cmd.h"

/* As control_cmd_run. */
int control_profile_run(struct control_cmd *c) KL_MUST_CHECK;

#endif
