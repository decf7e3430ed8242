/*
 * control_audit.h: command log_ask of the control socket: one packed request
 * for the broker's log, one packed answer, as proto/audit/link.h has them; and
 * command names, for whoever tells people what the answers say.
 */
#ifndef ADAPTERS_COMMON_CONTROL_AUDIT_H
#define ADAPTERS_COMMON_CONTROL_AUDIT_H

#include "adapters/common/control_cmd.h"

/* The broker answers within this, or it is "try later". */
#define CONTROL_LOG_WAIT_MS 15000

/* "request" is query or log, "body" base64. */
int control_audit_ask(struct control_cmd *c) KL_MUST_CHECK;
/* The names of organisations on their cards: "names". */
int control_audit_names(struct control_cmd *c) KL_MUST_CHECK;
/* Is it answered? Then *answer is new: "body", or the broker's code and
 * "retry_after_ms". KL_E_EMPTY: not yet. */
int control_audit_poll(struct engine *e, uint64_t ticket, json_t **answer)
    KL_MUST_CHECK;

#endif
