/*
 * mailbox.h: what waits for a participant, and a message as a state machine:
 * accepted, released, delivered or ended, erased. Every transition is one
 * leaf. PROTOCOL.md 6, 8.
 */
#ifndef CORE_MAILBOX_H
#define CORE_MAILBOX_H

#include "broker/core/conversation.h"

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
	/* sealed under the conversation's key */
	struct kl_msg_id id;
	struct kl_ref ref;
	struct kl_hash body_hash;
	struct kl_id from, to;
	struct kl_key_id sender_key_id;
	uint32_t kind;
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

/* One transition with its leaf; ends put the ciphertext's slot up for
 * erasing and take the item away. actor may be NULL: the broker. */
int message_move(struct turn *t, const struct conversation *c,
    struct message *m, uint32_t state, uint32_t code,
    const struct kl_key_id *actor, uint32_t actor_role,
    struct journal_leaf *leaf) KL_MUST_CHECK;
/* The same after a loss, by a receipt that was shown: the leaf is PRESENTED.
 * m may be new (slot and item none); then it is put for the first time. */
int message_present(struct turn *t, const struct conversation *c,
    struct message *m, uint32_t state, uint32_t code,
    const struct kl_key_id *actor, uint32_t actor_role) KL_MUST_CHECK;
/* What is in clear of the next one in the order of tags. KL_E_NOT_FOUND. */
int message_next(struct turn *t, const struct kl_tag *after, bool first,
    struct message *out) KL_MUST_CHECK;
/* A NOTICE that a term was missed. */
int mailbox_put_deadline(struct turn *t, const struct conversation *c,
    const struct message *m, uint32_t to, int64_t due_ms) KL_MUST_CHECK;
/* The signed envelope of a message that has not ended, in the arena.
 * KL_E_NOT_FOUND. */
int message_envelope(struct turn *t, const struct message *m,
    struct kl_bytes *signed_bytes) KL_MUST_CHECK;
/* Tells its receiver, in its place, that it will never come. */
int mailbox_put_gap(struct turn *t, const struct conversation *c,
    const struct message *m) KL_MUST_CHECK;
/* Writes the message back, with no transition. */
int message_put(struct turn *t, const struct conversation *c,
    const struct message *m) KL_MUST_CHECK;

/* One row of a mailbox. */
struct mailbox_row {
	uint32_t number;		/* whose mailbox */
	uint64_t item;
	uint32_t sort;			/* as on the wire */
	struct kl_tag conv;
	struct kl_tag message;		/* envelope */
	struct kl_bytes sealed;		/* statement: copied to the turn */
};
/* The first row of mailbox `number` after item `after`. KL_E_NOT_FOUND. */
int mailbox_next(struct turn *t, uint32_t number, uint64_t after,
    struct mailbox_row *out) KL_MUST_CHECK;
/* Takes a handled statement away. KL_E_NOT_FOUND: no such item; KL_E_DENIED:
 * an envelope, which leaves by its receipt. The first only asks. */
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

/* ---- erasing: in the turn after the one that ended a message ----------- */

#define MAILBOX_ERASE_MAX 256
struct mailbox_erasing {
	uint32_t slot[MAILBOX_ERASE_MAX];
	size_t n;
};
/* Zeroes the slots that wait, at most MAILBOX_ERASE_MAX, and syncs them: first
 * in a turn. KL_E_COMMIT: the process must end. */
int mailbox_erase_slots(struct turn *t, struct mailbox_erasing *e)
    KL_MUST_CHECK;
/* Puts a slot up for erasing that is no message's: of a conversation whose
 * rows are gone. */
int mailbox_erase_later(struct turn *t, uint32_t slot) KL_MUST_CHECK;
/* Their ERASED leaves. */
int mailbox_erase_log(struct turn *t, const struct mailbox_erasing *e)
    KL_MUST_CHECK;

/* ---- timers ------------------------------------------------------------ */

enum mailbox_timer {
	TIMER_EXPIRE = 1,	/* message */
	TIMER_FORGET = 2,	/* message */
	TIMER_CONSENT = 3,	/* conversation: its consent ends */
	TIMER_CONVERSATION = 4,	/* conversation: it may be forgotten */
	TIMER_UNSENT = 6,	/* conversation: its REFERRAL never came */
	TIMER_DELIVER = 8,	/* message: deliver_by */
	TIMER_ANSWER = 9,	/* conversation: answer_by */
	TIMER_SHOWN = 7,	/* receipt whose message never came */
	TIMER_MARKER = 5,	/* conversation: nor need its end be known */
};
struct mailbox_due {
	int64_t at_ms;
	uint32_t sort;
	struct kl_tag tag;
};
/* The first timer that is due. KL_E_NOT_FOUND. */
int mailbox_due(struct turn *t, struct mailbox_due *out) KL_MUST_CHECK;
int mailbox_timer_done(struct turn *t, const struct mailbox_due *d)
    KL_MUST_CHECK;
int mailbox_timer_put(struct turn *t, int64_t at_ms, uint32_t sort,
    const struct kl_tag *tag) KL_MUST_CHECK;
/* Drops all that is left of a message that ended long ago. */
int message_forget(struct turn *t, const struct kl_tag *tag) KL_MUST_CHECK;

/* Every slot that messages, conversations and months refer to is marked used;
 * at start. */
int mailbox_mark_slots(struct turn *t) KL_MUST_CHECK;

#endif
