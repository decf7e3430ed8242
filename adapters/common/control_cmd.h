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
	CONTROL_WITHDRAWN,	/* the broker has answered the withdrawal */
	CONTROL_ERASED,		/* always: what was erased is zeroed */
	CONTROL_LOGGED,		/* always: the broker answered `log` */
};

/* One question and its answer in the making. */
struct control_cmd {
	struct engine *engine;
	const struct folder *folder;
	struct engine_actor by;
	const json_t *question;

	json_t *answer;		/* the command's; NULL: no memory */
	enum control_wait wait;
	struct kl_conv_id conv;	/* of CONTROL_ACCEPTED, _WITHDRAWN */
	uint64_t log;		/* of CONTROL_LOGGED: engine_audit_ask */
};

/* Does what the question asks and makes the answer. Members that are not of
 * the command refuse it; "staff" and "role" go into `by`. KL_OK: it counts
 * once the turn is durable; KL_E_REFUSED: the answer says why, at once;
 * KL_E_AGAIN, KL_E_MEMORY: try later. */
int control_cmd_run(struct control_cmd *c) KL_MUST_CHECK;

/* ---- for the files of the commands ----------------------------------- */

/* A member of the question. NULL: not given, or no text. */
const char *control_cmd_text(const struct control_cmd *c, const char *member);
/* The bytes of member "file"; empty if it is not given. */
struct kl_bytes control_cmd_file(const struct control_cmd *c);
/* A number of 0 to max at a JSON pointer; *out keeps its value if it is not
 * given. KL_E_REFUSED: no such number; the answer says so. */
int control_cmd_number(struct control_cmd *c, const char *pointer,
    uint64_t max, uint64_t *out) KL_MUST_CHECK;
/* The answer is that of a refusal: KL_E_REFUSED. */
int control_cmd_refuse(struct control_cmd *c, uint32_t code,
    const char *field) KL_MUST_CHECK;
/* The answer is `more`, which it takes (NULL: no memory), with "ok".
 * KL_E_MEMORY. */
int control_cmd_answer(struct control_cmd *c, json_t *more) KL_MUST_CHECK;
/* NULL: no memory. */
json_t *control_cmd_refusal(uint32_t code);

#endif
