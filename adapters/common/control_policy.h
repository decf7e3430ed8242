/*
 * control_policy.h: the policy over the control socket: what counts and who
 * loosened it, and another one.
 */
#ifndef ADAPTERS_COMMON_CONTROL_POLICY_H
#define ADAPTERS_COMMON_CONTROL_POLICY_H

#include "adapters/common/control_cmd.h"

/* Each as control_cmd_run. */
int control_policy_show(struct control_cmd *c) KL_MUST_CHECK;
int control_policy_load(struct control_cmd *c) KL_MUST_CHECK;

/* The part of the status, which the first shows with the hash of the file.
 * NULL: no memory. */
json_t *control_policy_json(const struct engine *e);

#endif
