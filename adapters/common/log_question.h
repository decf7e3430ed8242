/*
 * log_question.h: what this adapter adds to a question that somebody here puts
 * to the broker's log: who asked, and under which name the log has the case.
 */
#ifndef ADAPTERS_COMMON_LOG_QUESTION_H
#define ADAPTERS_COMMON_LOG_QUESTION_H

#include "adapters/common/engine.h"
#include "adapters/common/turn.h"

/*
 * *body is a packed QUERY. A new one for records has a line in the access log,
 * of the case if it names one of ours; a spoken reference that is known here,
 * also of a case that was erased, becomes the log's own name of it: then *body
 * is another one, in the arena. *code is KL_C_OK, or why it is none. KL_E_FULL,
 * KL_E_MEMORY, errors of the store. PROTOCOL.md 7.11.
 */
int log_question_take(struct turn *t, const struct engine_actor *by,
    struct kl_bytes *body, uint32_t *code) KL_MUST_CHECK;

#endif
