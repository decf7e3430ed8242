/*
 * papers.h: cards and revocations on their way into the directory: from files
 * at the start, from the control socket while it runs; and what follows from
 * a revocation.
 */
#ifndef CORE_PAPERS_H
#define CORE_PAPERS_H

#include "broker/core/core.h"

/* In a turn: takes one up with its leaf. *code: KL_C_OK, also for what is
 * there already, or why it is refused: by the registry, or VALUE_UNKNOWN for
 * a number that the policy does not take. */
int papers_take(struct core *c, const struct kl_entry *e,
    enum kl_code *code) KL_MUST_CHECK;
/* In a turn: CONFIG/broker.card, CONFIG/cards and CONFIG/revocations. A file
 * that is refused is told in the log and passed over. */
int papers_load(struct core *c) KL_MUST_CHECK;
/* CONFIG/broker.card into the journal: who signs the log. One line in the log
 * says what is wrong. */
int papers_broker(struct core *c) KL_MUST_CHECK;

#endif
