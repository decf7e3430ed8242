/*
 * conversation.h: one consent, one referral, one conversation: what it
 * allows, and how far it is. May this message be accepted, may it be released
 * now? Yes, or a refusal code. PROTOCOL.md 8.
 */
#ifndef CORE_CONVERSATION_H
#define CORE_CONVERSATION_H

#include "broker/core/registry.h"
#include "broker/core/turn.h"

struct conversation {
	struct kl_tag tag;		/* key of its row */
	uint32_t slot;
	struct kl_conv_id id;
	struct kl_ref ref;		/* for the log */
	uint8_t spoken[9];
	struct kl_id sender, receiver;	/* of the REFERRAL */
	struct kl_hash referral;	/* hash of its body */
	struct kl_hash consent;		/* hash of its consent bytes */
	struct kl_hash under;		/* parent's body, or zero */
	struct kl_id onward_to[KL_ONWARD_MAX];
	size_t n_onward;
	uint32_t level, given_on, valid_until;
	uint64_t seq_sender, seq_receiver;	/* last accepted of each side */
	bool base_sender, base_receiver;	/* any first seq */
	uint32_t milestone;
	uint32_t state;			/* enum kl_conv_state */
	bool delivered;			/* the REFERRAL was, once */
	bool reopened;
	int64_t answer_by_ms;		/* of the REFERRAL that counts; or 0 */
	int64_t ended_ms;
	/* How long it is kept; PROTOCOL.md 15.2. */
	int64_t begun_ms;		/* its REFERRAL was made */
	int64_t quiet_ms;		/* open, but nothing is told from here
					 * on; 0: it is */
	uint32_t after_end_days, max_days;	/* only ever less */
	/* When it was made: what is older is of a conversation of the same id
	 * that was forgotten, and opens under no key any more. */
	uint64_t born_item;		/* last one given before */
	uint64_t born_leaf;		/* first one after */
};

/* KL_E_NOT_FOUND. */
int conversation_get(struct turn *t, const struct kl_tag *tag,
    struct conversation *out) KL_MUST_CHECK;
int conversation_by_id(struct turn *t, const struct kl_conv_id *id,
    struct conversation *out) KL_MUST_CHECK;
int conversation_by_spoken(struct turn *t, const struct kl_spoken *spoken,
    struct conversation *out) KL_MUST_CHECK;
/* By the hash of its REFERRAL's body. */
int conversation_by_referral(struct turn *t, const struct kl_hash *body_hash,
    struct conversation *out) KL_MUST_CHECK;
/* Takes a slot, draws reference and spoken reference, writes nothing; born_item
 * is the caller's to fill. */
int conversation_make(struct turn *t, const struct kl_envelope *e,
    const struct kl_hash *body_hash, struct conversation *out) KL_MUST_CHECK;
int conversation_put(struct turn *t, const struct conversation *c)
    KL_MUST_CHECK;
/* Besides put: the rows by which a new one is found. */
int conversation_put_new(struct turn *t, const struct conversation *c)
    KL_MUST_CHECK;
/* A REFERRAL took the place of the one whose body hash is `before`: it is
 * found by its own from now on, and the old body is gone; unless something
 * stands under that one. */
int conversation_put_again(struct turn *t, const struct conversation *c,
    const struct kl_hash *before) KL_MUST_CHECK;
/* The signed REFERRAL, kept once it was delivered. It has a row of its own:
 * that of the conversation is read and written with every message. put:
 * KL_E_SIZE; body: KL_E_NOT_FOUND; *out is in the turn's memory. */
int conversation_put_body(struct turn *t, const struct conversation *c,
    struct kl_bytes body) KL_MUST_CHECK;
int conversation_body(struct turn *t, const struct conversation *c,
    struct kl_bytes *out) KL_MUST_CHECK;
/* Takes away all its rows, also those of its withdrawal. Its slot is still the
 * caller's to erase. */
int conversation_drop(struct turn *t, const struct conversation *c)
    KL_MUST_CHECK;
/* The tag of the next one that stands under the REFERRAL of this body hash.
 * KL_E_NOT_FOUND. */
int conversation_next_child(struct turn *t, const struct kl_hash *body,
    const struct kl_tag *after, bool first, struct kl_tag *out)
    KL_MUST_CHECK;
/* The next of the bodies that are kept for what stands under them, behind *tag
 * (zero: the first); *body is in the turn's memory. KL_E_NOT_FOUND. */
int conversation_next_former(struct turn *t, const struct conversation *c,
    struct kl_tag *tag, struct kl_bytes *body) KL_MUST_CHECK;
/* Does anything stand under it? */
bool conversation_has_child(struct turn *t, const struct conversation *c);
/* The next one in the order of tags after `after`. KL_E_NOT_FOUND. */
int conversation_next(struct turn *t, const struct kl_tag *after, bool first,
    struct conversation *out) KL_MUST_CHECK;

/* As kl_envelope_roles. under: inside a parent's consent. PROTOCOL.md 8.5. */
bool conversation_role_may(uint32_t kind, uint32_t sender_role,
    uint32_t receiver_role, bool under);
/* Form, dates and terms of a consent at the time of sending, as the policy of
 * now limits them. PROTOCOL.md 8.4. */
enum kl_code conversation_check_consent(const struct kl_consent *c,
    const struct kl_policy *policy, int64_t now_ms);
/* The same after a loss: but for its age, and within what any policy
 * allowed. */
enum kl_code conversation_check_shown(const struct kl_consent *c,
    int64_t now_ms);
/* The parent of an onward referral: active, delivered to the sender, names
 * the receiver, not shorter than the child. */
enum kl_code conversation_check_parent(const struct conversation *parent,
    const struct kl_envelope *child, int64_t now_ms);
/* A CORRECTION or FEEDBACK in this conversation, by a party or its successor
 * (as_receiver: it stands on the receiver's side). Sets *last_seq. */
enum kl_code conversation_check_message(const struct conversation *c,
    const struct kl_envelope *e, bool as_receiver, int64_t now_ms,
    uint64_t *last_seq);
/* Takes an accepted one into account. *opened: it reopened the conversation;
 * *closed: it ended it. */
void conversation_take_message(struct conversation *c,
    const struct kl_envelope *e, bool as_receiver, int64_t now_ms,
    bool *opened, bool *closed);
/* Its REFERRAL, of this body hash, is delivered now: by when it has to be
 * answered. 0: it was, there is no such term, or it has passed. */
int64_t conversation_answer_due(const struct conversation *c,
    const struct kl_hash *body_hash, int64_t now_ms);
/* At release: does the consent still cover this kind? */
enum kl_code conversation_check_release(const struct conversation *c,
    uint32_t kind, int64_t now_ms);

#endif
