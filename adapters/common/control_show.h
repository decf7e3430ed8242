/*
 * control_show.h: what is shown over the control socket: the list, one case,
 * how the adapter does.
 */
#ifndef ADAPTERS_COMMON_CONTROL_SHOW_H
#define ADAPTERS_COMMON_CONTROL_SHOW_H

#include "adapters/common/control_cmd.h"

/* Each of them as control_cmd_run. Of the list one page; "next" in it is the
 * "after" of the next one. */
int control_show_list(struct control_cmd *c) KL_MUST_CHECK;
int control_show_case(struct control_cmd *c) KL_MUST_CHECK;
int control_show_status(struct control_cmd *c) KL_MUST_CHECK;
int control_show_take_over(struct control_cmd *c) KL_MUST_CHECK;

/* The answer to `status`. KL_E_MEMORY, errors of engine_status. */
int control_show_status_of(struct engine *e, const struct folder *folder,
    json_t **out) KL_MUST_CHECK;

#endif
