/*
 * mailbox.h: what waits for a participant, and a message on its way through:
 * accepted, released, delivered or ended. Every transition is one leaf.
 * PROTOCOL.md 7, 8.
 */
#ifndef CORE_MAILBOX_H
#define CORE_MAILBOX_H

#include "broker/core/message.h"

/* What all mailboxes share. Items are numbered through and never given anew. */
#define MAILBOX_TOUCHED_MAX 256
struct mailbox {
	uint64_t items, committed;	/* last number given */
	uint32_t touched[MAILBOX_TOUCHED_MAX];	/* got something in this turn */
	size_t n_touched;
	bool touched_more;		/* and so did others */
	bool ended;			/* slots wait for the next turn */
};

/* KL_E_DAMAGED. */
int mailbox_load(struct mailbox *b, struct kl_kv_txn *txn) KL_MUST_CHECK;
/* Writes the last number if it changed. Last in every turn. */
int mailbox_save(struct mailbox *b, struct kl_kv_txn *txn) KL_MUST_CHECK;
void mailbox_committed(struct mailbox *b);
void mailbox_undo(struct mailbox *b);

/* Stores an accepted envelope with its ciphertext, puts it into `to`'s
 * mailbox and writes the ACCEPTED leaf. */
int mailbox_accept(struct turn *t, const struct conversation *c,
    const struct kl_envelope *e, struct kl_bytes signed_bytes,
    struct kl_bytes ct, const struct kl_hash *body_hash,
    const struct participant *from, const struct participant *to,
    struct message *out, struct journal_leaf *leaf) KL_MUST_CHECK;

/* A statement for `to`, sealed under the conversation's key. */
int mailbox_put_statement(struct turn *t, const struct conversation *c,
    uint32_t to, uint32_t statement, struct kl_bytes signed_bytes)
    KL_MUST_CHECK;
/* A NOTICE of ours about m (NULL: the conversation). */
int mailbox_put_notice(struct turn *t, const struct conversation *c,
    const struct message *m, uint32_t to, uint32_t notice, uint32_t code)
    KL_MUST_CHECK;
/* A NOTICE that a term was missed. */
int mailbox_put_deadline(struct turn *t, const struct conversation *c,
    const struct message *m, uint32_t to, int64_t due_ms) KL_MUST_CHECK;
/* A NOTICE that the receipt for an ERASE_REQUEST is missing; conv: that which
 * its reader knows of. */
int mailbox_put_escalation(struct turn *t, const struct conversation *c,
    uint32_t to, const struct kl_conv_id *conv, int64_t due_ms)
    KL_MUST_CHECK;
/* ERASE_REQUEST, which stays until its ERASE_RECEIPT; *item: where it lies. */
struct mailbox_ask {
	struct kl_bytes withdrawal;	/* packed Signed of a party */
	struct kl_bytes parent;		/* in a child: that of its REFERRAL */
	int64_t due_ms;
};
int mailbox_put_erase_request(struct turn *t, const struct conversation *c,
    uint32_t to, const struct mailbox_ask *ask, uint64_t *item)
    KL_MUST_CHECK;
/* Tells its receiver, in its place, that it will never come. */
int mailbox_put_gap(struct turn *t, const struct conversation *c,
    const struct message *m) KL_MUST_CHECK;

/* One transition with its leaf; ends put the ciphertext's slot up for
 * erasing (erase.h) and take the item away. actor may be NULL: the broker. */
int mailbox_move(struct turn *t, const struct conversation *c,
    struct message *m, uint32_t state, uint32_t code,
    const struct kl_key_id *actor, uint32_t actor_role,
    struct journal_leaf *leaf) KL_MUST_CHECK;
/* A withdrawal ends m, which has not ended: what waits becomes WITHDRAWN, what
 * was released UNCONFIRMED. Its key is read back when it was destroyed. */
int mailbox_withdraw(struct turn *t, const struct conversation *c,
    struct message *m, uint32_t code, const struct kl_key_id *actor,
    uint32_t actor_role) KL_MUST_CHECK;
/* The same after a loss, by a receipt that was shown: the leaf is PRESENTED.
 * m may be new (slot and item none); then it is put for the first time. */
int mailbox_present(struct turn *t, const struct conversation *c,
    struct message *m, uint32_t state, uint32_t code,
    const struct kl_key_id *actor, uint32_t actor_role) KL_MUST_CHECK;
/* Takes away a message that waits although its conversation is no more, with
 * all that is left of it: nothing of it can be named any longer. */
int mailbox_end_gone(struct turn *t, struct message *m) KL_MUST_CHECK;
/* Puts a slot up for erasing that is no message's: of a conversation whose
 * rows are gone. */
int mailbox_erase_later(struct turn *t, uint32_t slot) KL_MUST_CHECK;

/* One row of a mailbox. */
struct mailbox_row {
	uint32_t number;		/* whose mailbox */
	uint64_t item;
	uint32_t sort;			/* as on the wire */
	bool stays;			/* an ERASE_REQUEST */
	struct kl_tag conv;
	struct kl_tag message;		/* envelope */
	struct kl_bytes sealed;		/* statement: copied to the turn */
};
/* The first row of mailbox `number` after item `after`. KL_E_NOT_FOUND. */
int mailbox_next(struct turn *t, uint32_t number, uint64_t after,
    struct mailbox_row *out) KL_MUST_CHECK;
/* Takes a handled statement away. KL_E_NOT_FOUND: no such item; KL_E_DENIED:
 * an envelope or an ERASE_REQUEST, which leave by their receipt. The first
 * only asks. */
int mailbox_may_ack(struct turn *t, uint32_t number, uint64_t item)
    KL_MUST_CHECK;
int mailbox_ack(struct turn *t, uint32_t number, uint64_t item)
    KL_MUST_CHECK;
/* Takes away an item whose conversation is no more. */
int mailbox_drop(struct turn *t, const struct mailbox_row *row)
    KL_MUST_CHECK;
/* As it goes on the wire, packed kl_item in the arena; of an envelope (m is
 * not NULL) with *ct. */
int mailbox_render(struct turn *t, const struct conversation *c,
    const struct mailbox_row *row, const struct message *m,
    struct kl_bytes *item, struct kl_bytes *ct) KL_MUST_CHECK;

#endif
