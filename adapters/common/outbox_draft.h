/*
 * outbox_draft.h: new messages, and messages that are sealed again.
 */
#ifndef ADAPTERS_COMMON_OUTBOX_DRAFT_H
#define ADAPTERS_COMMON_OUTBOX_DRAFT_H

#include "adapters/common/outbox.h"

/* A new message of c: its content must be there already (cases_content_put),
 * that of a FEEDBACK is `f`, collapsed. milestone: of the header. Adds the
 * step to the history. */
int outbox_draft_add(struct outbox *o, struct turn *t, struct case_row *c,
    uint32_t kind, const struct kl_feedback *f, uint32_t milestone)
    KL_MUST_CHECK;
/* Seals what can be. mono_ms: for back-off. */
int outbox_draft_seal(struct outbox *o, struct turn *t, int64_t mono_ms)
    KL_MUST_CHECK;

/* Seals the same content again under a new id. replaces: it was accepted once
 * and takes the next seq; else it takes its old one. The old row becomes
 * REPLACED or goes. KL_E_NOT_FOUND: the plaintext is gone. */
enum outbox_again { OUTBOX_SAME_SEQ, OUTBOX_REPLACES };
int outbox_draft_again(struct outbox *o, struct turn *t, struct case_row *c,
    struct out_row *row, enum outbox_again how) KL_MUST_CHECK;

#endif
