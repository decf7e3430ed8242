/*
 * control_wait.h: answers of the control socket that wait for the broker.
 */
#ifndef ADAPTERS_COMMON_CONTROL_WAIT_H
#define ADAPTERS_COMMON_CONTROL_WAIT_H

#include "adapters/common/control_cmd.h"

/* Is what the answer waits for so? Then *answer is new. KL_OK; KL_E_EMPTY:
 * not yet; else as control_cmd_run. */
int control_wait_poll(struct engine *e, const struct folder *folder,
    enum control_wait wait, const struct kl_conv_id *conv, json_t **answer)
    KL_MUST_CHECK;
/* The answer when it did not come in time. */
json_t *control_wait_late(struct engine *e, enum control_wait wait,
    const struct kl_conv_id *conv);

#endif
