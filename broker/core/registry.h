/*
 * registry.h: who takes part: cards, revocations, prekeys, profiles, and what
 * the broker remembers of each participant. All in memory, all from the
 * directory in the store; a change is written and read in the same turn.
 */
#ifndef CORE_REGISTRY_H
#define CORE_REGISTRY_H

#include <kortelijn/base/arena.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/kv.h>
#include <kortelijn/wire/request.h>

#define REGISTRY_PARTICIPANTS_MAX 4096
#define REGISTRY_CARDS_MAX 4		/* of one participant, by date */
#define REGISTRY_PREKEYS_MAX 24	/* nine weeks ahead and nine back */
#define REGISTRY_PREKEY_WEEKS 10	/* how far ahead one may be published */
#define REGISTRY_REVOCATIONS_MAX (4 * REGISTRY_PARTICIPANTS_MAX)

struct registry_card {
	uint8_t serial[16];
	struct kl_sign_pk sign_pk;
	struct kl_curve_pk transport_pk;
	struct kl_key_id key_id;	/* of sign_pk */
	int64_t not_before_ms, not_after_ms;
	uint32_t revoked;		/* enum kl_revoke_reason, 0: not */
};

/* Whose records a card of an auditor names. */
struct registry_reads {
	uint8_t serial[16];		/* of the card */
	struct kl_id who;
	bool all;			/* as far as an approval goes */
	struct kl_id id[KL_READS_MAX];
	size_t n;
};

struct registry_revocation {
	uint8_t serial[16];
	uint32_t reason;
};

struct registry_prekey {
	struct kl_key_id id;
	struct kl_key_id signer;
	uint64_t number;		/* in the directory */
	int64_t not_before_ms, not_after_ms;
};

struct participant {
	uint32_t number;		/* from 1; names its mailbox */
	struct kl_id id;
	uint32_t role;
	char name[101];
	struct kl_id succeeds;		/* or zero */
	int64_t succeeds_from_ms;
	struct registry_card card[REGISTRY_CARDS_MAX];
	size_t n_cards;
	struct registry_prekey prekey[REGISTRY_PREKEYS_MAX];
	size_t n_prekeys;
	uint64_t profile;		/* directory number, 0: none */
	/* as stored in T_PARTICIPANT */
	struct kl_instance instance;
	uint64_t epoch;			/* 0: never said HELLO */
	bool reported_in;		/* on this log origin */
	bool taking_over;		/* until it has reported in */
	uint32_t open_conversations;
	bool touched;			/* to be written in this turn */
};

struct registry {
	struct kl_sign_pk authority;
	uint32_t realm;
	struct participant **p;		/* [number - 1] */
	size_t n, made, cap;		/* known, allocated, room */
	struct registry_revocation *revocation;	/* also of cards to come */
	size_t n_revocations, cap_revocations;
	struct registry_reads *reads;
	size_t n_reads, cap_reads;
	uint64_t newest;		/* directory number */
	bool must_report;		/* this origin began after a loss, */
	int64_t lost_ms;		/* then: when it began */
	size_t n_touched;
};

/* Reads everything anew; what was there is dropped. KL_E_DAMAGED,
 * KL_E_MEMORY, KL_E_FULL. A pointer to a participant of the store stays one to
 * the same participant: its number is that of its first card. */
int registry_load(struct registry *r, struct kl_kv_txn *txn,
    struct kl_arena *mem) KL_MUST_CHECK;
void registry_clear(struct registry *r);

struct participant *registry_by_id(struct registry *r,
    const struct kl_id *id);
struct participant *registry_by_number(struct registry *r, uint32_t number);
/* By a transport key on any card; *card is the one that counts at now_ms if
 * the key stands on several, else the last of them. */
struct participant *registry_by_key(struct registry *r,
    const struct kl_curve_pk *pk, int64_t now_ms,
    const struct registry_card **card);
/* The card whose key has this id, chosen likewise; NULL if there is none. */
const struct registry_card *registry_card_of(const struct participant *p,
    const struct kl_key_id *key_id, int64_t now_ms);
/* NULL: no card of an auditor has this serial. */
const struct registry_reads *registry_reads(const struct registry *r,
    const uint8_t serial[16]);
/* Any card that counts at now_ms, or NULL. */
const struct registry_card *registry_card_now(const struct participant *p,
    int64_t now_ms);
/* KL_C_OK, or why this card does not count at now_ms. */
enum kl_code registry_card_valid(const struct registry_card *c,
    int64_t now_ms);
/* Who has taken over from this participant at now_ms, or NULL. */
struct participant *registry_successor(struct registry *r,
    const struct kl_id *id, int64_t now_ms);
/* Is `who` the participant `is`, or has it taken over from it? */
bool registry_stands_for(struct registry *r, const struct kl_id *who,
    const struct kl_id *is, int64_t now_ms);
/* What was signed under a card that counted then stays signed, whatever became
 * of the card since. KL_C_OK, the code of the card, KL_C_CLOCK_AHEAD (at_ms has
 * not come yet), KL_C_SIGNATURE. */
struct registry_signed {
	enum kl_label label;
	const struct kl_signed *s;
	const struct kl_id *signer;
	const struct kl_key_id *key_id;
	int64_t at_ms;
};
enum kl_code registry_signed_then(struct registry *r,
    const struct registry_signed *s, int64_t now_ms);
/* Under a card that counts now. */
enum kl_code registry_signed_now(struct registry *r,
    const struct registry_signed *s, int64_t now_ms);
/* The prekey whose id this is, NULL if it is not known (any more). */
const struct registry_prekey *registry_prekey_of(
    const struct participant *p, const struct kl_key_id *id);
/* Until when its prekeys reach without a gap; 0: none for now. */
int64_t registry_cover_ms(const struct participant *p, int64_t now_ms);

/*
 * Verifies a statement of the directory (CARD, REVOCATION: the authority's
 * signature and realm; PREKEY, PROFILE: `by`'s own), stores it under the next
 * number and takes it up in memory. A PREKEY takes the place of the one of the
 * same week, a PROFILE that of the last. What is there already is KL_C_OK with
 * *number 0; numbers are never given anew. The code says why it was refused; a
 * negative *err says that the store failed.
 */
enum kl_code registry_put(struct registry *r, struct kl_kv_txn *txn,
    const struct kl_entry *e, const struct participant *by, int64_t now_ms,
    struct kl_arena *mem, uint64_t *number, int *err);
/* What registry_put would answer, without storing anything. */
enum kl_code registry_check(struct registry *r, const struct kl_entry *e,
    const struct participant *by, int64_t now_ms, struct kl_arena *mem);
/* Writes instance, epoch, reported_in, taking_over, open_conversations. */
int registry_save(struct kl_kv_txn *txn, const struct participant *p)
    KL_MUST_CHECK;
/* The same at the end of the turn, however often it changes until then. */
void registry_touch(struct registry *r, struct participant *p);
int registry_save_touched(struct registry *r, struct kl_kv_txn *txn)
    KL_MUST_CHECK;
void registry_committed(struct registry *r);
/* A page of the directory after a number; packed kl_entries in the arena. */
int registry_page(struct registry *r, struct kl_kv_txn *txn, uint64_t after,
    struct kl_arena *mem, struct kl_directory_reply *out) KL_MUST_CHECK;
/* Leaves out prekeys that no message can be sealed to any more: what was
 * sealed in their week has expired. At most `max`. */
int registry_prune(struct registry *r, struct kl_kv_txn *txn,
    int64_t now_ms, size_t max) KL_MUST_CHECK;

#endif
