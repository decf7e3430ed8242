/*
 * retain_end.h: how a message and a conversation end, and whether a message
 * may still be released. PROTOCOL.md 8.1, 8.3, 8.13.
 */
#ifndef CORE_RETAIN_END_H
#define CORE_RETAIN_END_H

#include "broker/core/mailbox.h"

/* After a loss a conversation counts once its practice has reported in, and
 * with `under` the practice of its parent. PROTOCOL.md 12.3. */
bool retain_counts(struct turn *t, struct registry *r,
    const struct conversation *c);
/* May m be released now? KL_C_OK; KL_C_NOT_REPORTED_IN, KL_C_TRY_LATER (the
 * clock cannot be trusted): it waits; else why it ends. m has not ended. */
enum kl_code retain_check(struct turn *t, struct registry *r,
    const struct conversation *c, const struct message *m);
/* Ends a message that has no receipt, as its state asks, and tells its sender
 * and, if it never left, its receiver. A REFERRAL takes its conversation with
 * it. */
int retain_end(struct turn *t, struct registry *r, struct conversation *c,
    struct message *m, enum kl_code code) KL_MUST_CHECK;
/* The same of a message as message_next gives it: of one whose conversation is
 * forgotten nobody is told. */
int retain_end_found(struct turn *t, struct registry *r, struct message *m,
    enum kl_code code) KL_MUST_CHECK;
/* The receipt of a conversation's REFERRAL came: `body` is the signed one, or
 * none if the conversation has it. It opens again what had expired. */
int retain_delivered(struct turn *t, struct registry *r,
    struct conversation *c, struct kl_bytes body) KL_MUST_CHECK;
/* m, its REFERRAL, was refused by the receiver or could not be opened. */
int retain_refused(struct turn *t, struct registry *r,
    struct conversation *c, const struct message *m) KL_MUST_CHECK;
/* The conversation, whose state and ended_ms say so, is at an end: counts, and
 * when it is forgotten. The caller stores it. */
int retain_close(struct turn *t, struct registry *r,
    const struct conversation *c) KL_MUST_CHECK;
/* Its sender has one open conversation more, or one less. */
void retain_reopen(struct registry *r, const struct conversation *c);
void retain_count_down(struct registry *r, const struct conversation *c);
/* A new conversation's timers. unsent_ms: 0, or when the term of its REFERRAL
 * ends, which has not come yet. */
int retain_begin(struct turn *t, struct registry *r,
    const struct conversation *c, int64_t unsent_ms) KL_MUST_CHECK;
/* It is open, but nothing is told any more from then on, so that it counts as
 * ended. The caller stores it. PROTOCOL.md 15.2. */
int retain_quiet(struct turn *t, struct conversation *c, int64_t from_ms)
    KL_MUST_CHECK;
/* When it is forgotten, as things are now; a parent stays for its children
 * until its limit, which nothing outlives. */
int64_t retain_until(const struct turn *t, const struct conversation *c);
int64_t retain_limit(const struct turn *t, const struct conversation *c);
/* The policy has changed: if its terms are stricter, they are those of the
 * conversation from now on. */
int retain_shorten(struct turn *t, struct conversation *c) KL_MUST_CHECK;

/* What a timer is for: a message's term has passed; a REFERRAL of which nothing
 * but the body was shown never came; a consent is past its date. */
int retain_expired(struct turn *t, struct registry *r,
    const struct kl_tag *message) KL_MUST_CHECK;
int retain_unsent(struct turn *t, struct registry *r,
    const struct kl_tag *conversation) KL_MUST_CHECK;
int retain_consent(struct turn *t, struct registry *r,
    const struct kl_tag *conversation) KL_MUST_CHECK;

#endif
