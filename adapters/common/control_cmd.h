/*
 * control_cmd.h: what each command of the control socket does.
 */
#ifndef ADAPTERS_COMMON_CONTROL_CMD_H
#define ADAPTERS_COMMON_CONTROL_CMD_H

#include <jansson.h>

#include "adapters/common/folder.h"

enum control_wait {
	CONTROL_NOW,		/* at the end of the turn */
	CONTROL_READY,		/* the broker serves us */
	CONTROL_ACCEPTED,	/* the case's referral is settled */
};

/* One question and its answer in the making. */
struct control_cmd {
	struct engine *engine;
	const struct folder *folder;
	struct engine_actor by;
	const json_t *question;

	json_t *answer;		/* the command's; NULL: no memory */
	enum control_wait wait;
	struct kl_conv_id conv;	/* of CONTROL_ACCEPTED */
};

/* Does what the question asks and makes the answer. Members that are not of
 * the command refuse it. KL_OK: it counts once the turn is durable;
 * KL_E_REFUSED: the answer says why, at once; KL_E_AGAIN, KL_E_MEMORY: try
 * later. */
int control_cmd_run(struct control_cmd *c) KL_MUST_CHECK;

/* Is what the answer waits for so? Then *answer is new. KL_OK; KL_E_EMPTY:
 * not yet; else as above. */
int control_cmd_poll(struct engine *e, const struct folder *folder,
    enum control_wait wait, const struct kl_conv_id *conv, json_t **answer)
    KL_MUST_CHECK;
/* The answer when it did not come in time. */
json_t *control_cmd_late(struct engine *e, enum control_wait wait,
    const struct kl_conv_id *conv);
json_t *control_cmd_refusal(uint32_t code);

#endif
