/*
 * control_withdraw.h: withdrawing a consent over the control socket, what is
 * known of it, and the desk's answer to a request to erase.
 */
#ifndef ADAPTERS_COMMON_CONTROL_WITHDRAW_H
#define ADAPTERS_COMMON_CONTROL_WITHDRAW_H

#include "adapters/common/control_cmd.h"

/* Each of them as control_cmd_run. */
int control_withdraw_run(struct control_cmd *c) KL_MUST_CHECK;
int control_withdraw_show(struct control_cmd *c) KL_MUST_CHECK;
int control_withdraw_erased(struct control_cmd *c) KL_MUST_CHECK;

/* Has the broker answered? Then *answer is new. KL_E_EMPTY: not yet;
 * KL_E_AGAIN, KL_E_MEMORY, KL_E_NOT_FOUND. */
int control_withdraw_poll(struct engine *e, const struct kl_conv_id *conv,
    json_t **answer) KL_MUST_CHECK;
/* Into o, the answer of `show`: the withdrawal, if there is one. */
void control_withdraw_put(struct engine *e, const struct kl_conv_id *conv,
    json_t *o);

#endif
