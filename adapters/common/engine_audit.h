/*
 * engine_audit.h: asking the broker's log through a running adapter, for
 * people of this organisation. The broker answers what this participant may
 * read. PROTOCOL.md 7.10, 7.11.
 */
#ifndef ADAPTERS_COMMON_ENGINE_AUDIT_H
#define ADAPTERS_COMMON_ENGINE_AUDIT_H

#include "adapters/common/asks.h"
#include "adapters/common/engine.h"

/*
 * Asks KL_QUERY or KL_LOG (enum kl_request), packed in body; it leaves when
 * the turn is durable, and engine_audit_drop takes *ticket out again. A
 * question for records has a line in the access log. KL_E_REFUSED: *code is
 * no_session, log_busy or malformed; KL_E_AGAIN.
 */
int engine_audit_ask(struct engine *e, const struct engine_actor *by,
    uint32_t request, struct kl_bytes body, uint64_t *ticket, uint32_t *code)
    KL_MUST_CHECK;
/* As asks_take. */
int engine_audit_take(const struct engine *e, uint64_t ticket,
    struct ask_answer *out) KL_MUST_CHECK;
void engine_audit_drop(struct engine *e, uint64_t ticket);

#endif
