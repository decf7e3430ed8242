/*
 * control_rewrap.h: the keys of the store written anew by hand.
 */
#ifndef ADAPTERS_COMMON_CONTROL_REWRAP_H
#define ADAPTERS_COMMON_CONTROL_REWRAP_H

#include "adapters/common/control_cmd.h"

/* With member "start" it begins; the answer says how it goes. As
 * control_cmd_run. */
int control_rewrap_run(struct control_cmd *c) KL_MUST_CHECK;

#endif
