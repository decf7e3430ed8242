/*
 * message.h: a message in the store: what of it is in clear, what is sealed
 * under its conversation's key, its ciphertext under a key of its own, and its
 * leaves. PROTOCOL.md 8.1, 15.
 */
#ifndef CORE_MESSAGE_H
#define CORE_MESSAGE_H

#include "broker/core/conversation.h"

struct message {
	struct kl_tag tag;		/* key of its rows */
	/* in clear in the store */
	uint32_t state;			/* enum kl_message_state */
	uint32_t slot;			/* of its key; KL_SLOT_NONE: gone */
	uint32_t receiver;		/* number; whose mailbox */
	uint64_t item;			/* in it */
	uint64_t leaf;			/* ACCEPTED */
	struct kl_tag body;		/* tag of the body hash, for repeats */
	struct kl_tag conv;
	int64_t expire_ms;
	uint32_t repeats;		/* hours in which it was sent again */
	int64_t repeated_ms;
	uint64_t held;			/* epoch in which its receiver showed
					 * the receipt; 0: never */
	uint32_t was;			/* slot that it had, or NONE */
	uint64_t erased_leaf;		/* ERASED of it; 0: none yet */
	/* sealed under the conversation's key */
	struct kl_msg_id id;
	struct kl_ref ref;
	struct kl_hash body_hash;
	struct kl_id from, to;
	struct kl_key_id sender_key_id;
	uint32_t kind;
	uint32_t milestone;		/* of a FEEDBACK; else 0 */
	uint64_t seq;
	uint32_t outcome;		/* of the first receipt, 0: none yet */
	uint64_t receipt_leaf;		/* that it made */
};

/* What of it is in clear. KL_E_NOT_FOUND. */
int message_find(struct turn *t, const struct kl_msg_id *id,
    struct message *out) KL_MUST_CHECK;
int message_peek(struct turn *t, const struct kl_tag *tag,
    struct message *out) KL_MUST_CHECK;
/* All of it; c is its conversation. */
int message_get(struct turn *t, const struct kl_tag *tag,
    const struct conversation *c, struct message *out) KL_MUST_CHECK;
struct kl_tag message_body_tag(struct turn *t, const struct kl_hash *body);
/* What is in clear of the next one in the order of tags. KL_E_NOT_FOUND. */
int message_next(struct turn *t, const struct kl_tag *after, bool first,
    struct message *out) KL_MUST_CHECK;
/* The same for those of one conversation, also the ended ones that are
 * remembered. Only out->tag is set. */
int message_next_of(struct turn *t, const struct kl_tag *conv,
    const struct kl_tag *after, bool first, struct message *out)
    KL_MUST_CHECK;
/* Writes a new one, so that it is found by its conversation as well. */
int message_put_new(struct turn *t, const struct conversation *c,
    const struct message *m) KL_MUST_CHECK;
/* Writes it back, with no transition. */
int message_put(struct turn *t, const struct conversation *c,
    const struct message *m) KL_MUST_CHECK;
/* Until when one that has ended is remembered. */
int64_t message_until(const struct turn *t, const struct message *m);
/* Drops all that is left of a message that ended long ago. */
int message_forget(struct turn *t, const struct kl_tag *tag) KL_MUST_CHECK;

/* Signed envelope and ciphertext under the key of m's slot; read, they lie in
 * the arena. KL_E_NOT_FOUND: the message has ended. */
int message_put_blob(struct turn *t, const struct message *m,
    struct kl_bytes envelope, struct kl_bytes ct) KL_MUST_CHECK;
int message_get_blob(struct turn *t, const struct message *m,
    struct kl_bytes *envelope, struct kl_bytes *ct) KL_MUST_CHECK;
/* The signed envelope of a message that has not ended, in the arena.
 * KL_E_NOT_FOUND. */
int message_envelope(struct turn *t, const struct message *m,
    struct kl_bytes *signed_bytes) KL_MUST_CHECK;

/* Fills in whose leaf it is, writes it, and tells whoever watches. */
int message_log(struct turn *t, const struct conversation *c,
    const struct message *m, struct kl_record *rec,
    struct journal_leaf *leaf) KL_MUST_CHECK;

#endif
