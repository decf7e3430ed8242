/*
 * control_desk.h: what a desk notes besides feedback: attempts to reach the
 * resident, and that its case system has taken a referral over.
 */
#ifndef ADAPTERS_COMMON_CONTROL_DESK_H
#define ADAPTERS_COMMON_CONTROL_DESK_H

#include "adapters/common/control_cmd.h"

int control_desk_attempt(struct control_cmd *c) KL_MUST_CHECK;
int control_desk_handed_over(struct control_cmd *c) KL_MUST_CHECK;
/* The attempts of a case, as an array. NULL: no memory. */
json_t *control_desk_attempts(struct engine *e, const struct kl_conv_id *conv);

#endif
