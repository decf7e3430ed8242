/*
 * control_case.h: what goes in over the control socket: a referral, a
 * correction, a feedback.
 */
#ifndef ADAPTERS_COMMON_CONTROL_CASE_H
#define ADAPTERS_COMMON_CONTROL_CASE_H

#include "adapters/common/control_cmd.h"

/* Each of them as control_cmd_run. */
int control_case_refer(struct control_cmd *c) KL_MUST_CHECK;
int control_case_correct(struct control_cmd *c) KL_MUST_CHECK;
int control_case_feedback(struct control_cmd *c) KL_MUST_CHECK;

/* What people want to know of a case right after a file. NULL: no case, or no
 * memory. */
json_t *control_case_answer(struct engine *e, const struct kl_conv_id *conv);
/* Into o, if something hinders: why nothing leaves now. */
void control_case_hindrance(struct engine *e, json_t *o);
/* Into o, if it is known: the phone number of the other side, for when
 * somebody must call. */
void control_case_phone(struct engine *e, const struct engine_case *k,
    json_t *o);

#endif
