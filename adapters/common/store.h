/*
 * store.h: what an adapter keeps: rows in clear that hold no personal data,
 * and content as AEAD under keys in slots, so that it can be erased.
 *
 * One transaction at a time, begun by the first use after a commit. An error
 * other than NOT_FOUND means: abort this turn.
 */
#ifndef ADAPTERS_COMMON_STORE_H
#define ADAPTERS_COMMON_STORE_H

#include <stdbool.h>

#include <kortelijn/base/arena.h>
#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/slots.h>

/* First byte of every key. Tables of content are upper case; so are what
 * withdrawals leave, which hold none. */
enum store_table {
	STORE_META = 'm',
	STORE_CARD = 'd',		/* serial -> packed Signed */
	STORE_REVOCATION = 'v',		/* serial -> packed Signed */
	STORE_PREKEY = 'p',		/* owner, not_before -> packed Signed */
	STORE_PROFILE = 'f',		/* owner -> packed Signed */
	STORE_OWN_PREKEY = 'k',		/* key id -> struct of prekeys.c */
	STORE_ORDER = 'n',		/* number -> conv_id, of each case */
	STORE_SPOKEN = 's',		/* tag -> conv_id */
	STORE_CLIENT = 'i',		/* tag -> conv_id */
	STORE_OUT = 'o',		/* msg_id -> struct out_row */
	STORE_SEEN = 'r',		/* msg_id -> struct and receipt */
	STORE_UNSENT = 'q',		/* msg_id: receipt not taken yet */
	STORE_EVENT = 'x',		/* seq -> struct of events.c */
	STORE_TIMER = 'z',		/* due, what, id */
	STORE_ALARM = 'a',		/* seq -> struct of alarm.c */
	STORE_ALARM_OPEN = 'j',		/* conv_id, kind -> seq */
	STORE_MONTH = 'y',		/* see access.c: keys of months */
	STORE_LOGGED = 'l',		/* conv_id, leaf -> record and salt */
	STORE_FILE = 'w',		/* tag of a folder's file -> when */
	STORE_WITHDRAWAL = 'W',		/* see withdraw.c */
	STORE_ERASURE = 'E',		/* see erasure.c, withdraw_told.c */
	STORE_POLICY = 'c',		/* seq -> load of policy_store.c */
	STORE_USED = 'u',		/* slot in use */
	STORE_ERASING = 'e',		/* slot to be zeroed */

	STORE_SECRET = 'K',		/* key id -> private half */
	STORE_CASE = 'C',		/* conv_id -> struct case_row */
	STORE_STEP = 'S',		/* conv_id, n -> struct engine_step */
	STORE_CONTENT = 'T',		/* conv_id, which -> packed content */
	STORE_SIGNED = 'B',		/* msg_id -> signed envelope */
	STORE_SEALED = 'Y',		/* msg_id -> its ciphertext */
	STORE_ATTEMPT = 'A',		/* conv_id, n -> struct kl_attempt */
	STORE_GOT = 'G',		/* conv_id -> receipt of the REFERRAL */
	STORE_FEEDBACK = 'H',		/* msg_id -> struct kl_feedback */
	STORE_ACCESS = 'J',		/* month, tag, seq -> access_line */
	STORE_PERSON = 'N',		/* month, tags -> access_found */
};

/* Value of a row that only has to be there. */
#define STORE_HERE kl_bytes("", 1)

struct store;

struct store_options {
	const char *dir;
	struct kl_bytes mac_key;	/* 32 bytes */
	size_t map_bytes;
	uint32_t slots;
	bool verified;			/* erasure */
	const struct kl_secret *secret, *secret_before;	/* of the master key */
	int64_t now_ms;			/* of a new slot file */
};

/* Opens or makes data.mdb, slots and master in dir; zeroes what a crash left
 * half erased. KL_E_UNKNOWN: another version of the program made it; errors of
 * kl_kv_open and kl_slots_open_with. */
int store_open(const struct store_options *o, struct store **out)
    KL_MUST_CHECK;
/* Accepts NULL. */
void store_close(struct store *s);

/* The place this store lives at: machine, inode and birth time of its file.
 * A copy has another one. KL_E_IO. */
int store_binding(const struct store *s, struct kl_hash *out) KL_MUST_CHECK;

/* Commits what was written since the last time. The slots that were dropped in
 * it wait for store_erase, unless they are many. KL_E_COMMIT: the process must
 * end. */
int store_commit(struct store *s) KL_MUST_CHECK;
void store_abort(struct store *s);
/* Zeroes the slots that were dropped, with one sync for all: what several turns
 * dropped shares it. The store knows of them, so a crash before it is made good
 * at the next start; closing does it too. KL_E_COMMIT. */
int store_erase(struct store *s) KL_MUST_CHECK;
/* There is something for store_erase. */
bool store_erasing(const struct store *s);
/* What is dropped in this turn is read back from the device once it is
 * zeroed; store_erase fails if it is not zero there. */
void store_read_back(struct store *s);
/* Nothing that was dropped waits to be zeroed, not even in this turn. */
bool store_erased(const struct store *s);
/* Something was written that is not committed. */
bool store_dirty(const struct store *s);
/* Work of an idle turn: new keys for zeroed slots. Does nothing while there is
 * something to commit. KL_E_IO, KL_E_COMMIT, errors of store_del. */
int store_idle(struct store *s) KL_MUST_CHECK;

/* As kl_kv_get and so on. A value is valid until the next write. */
int store_get(struct store *s, char table, struct kl_bytes key,
    struct kl_bytes *out) KL_MUST_CHECK;
/* A row of fixed size. KL_E_DAMAGED: another size. */
int store_get_row(struct store *s, char table, struct kl_bytes key, void *row,
    size_t n) KL_MUST_CHECK;
int store_put(struct store *s, char table, struct kl_bytes key,
    struct kl_bytes value) KL_MUST_CHECK;
/* KL_OK also if it is not there. */
int store_del(struct store *s, char table, struct kl_bytes key)
    KL_MUST_CHECK;
/* The first entry with key >= from, or > from; its key is copied. */
struct store_entry {
	uint8_t key[100];
	size_t n_key;
	struct kl_bytes value;
};
int store_seek(struct store *s, char table, struct kl_bytes from, bool after,
    struct store_entry *out) KL_MUST_CHECK;
/* The row after *at (n_key 0: the first), of exactly n bytes. KL_E_NOT_FOUND,
 * KL_E_DAMAGED. */
int store_next_row(struct store *s, char table, struct store_entry *at,
    void *row, size_t n) KL_MUST_CHECK;

/* Tables whose keys are numbers of 8 bytes, from 1: the last one given, 0 if
 * none; a row under the next one; the first row after `after`. KL_E_NOT_FOUND,
 * KL_E_DAMAGED. */
int store_last(struct store *s, char table, uint64_t *out) KL_MUST_CHECK;
int store_append(struct store *s, char table, struct kl_bytes row)
    KL_MUST_CHECK;
int store_next_numbered(struct store *s, char table, uint64_t after,
    uint64_t *number, struct kl_bytes *row) KL_MUST_CHECK;

/* Slots. KL_E_FULL: none free. */
int store_slot_take(struct store *s, uint32_t *slot) KL_MUST_CHECK;
/* Dies with the first store_erase after the next commit; KL_SLOT_NONE is
 * ignored. */
int store_slot_drop(struct store *s, uint32_t slot) KL_MUST_CHECK;
uint32_t store_slots_free(const struct store *s);
/* For a rewrap, which gives zeroed slots new keys: only after store_idle. */
struct kl_slots *store_slots(const struct store *s);
/* Wipes the keys of slots that were read: at least every second. */
void store_forget_keys(struct store *s);

/* Content under the key of a slot. */
int store_put_sealed(struct store *s, char table, struct kl_bytes key,
    uint32_t slot, struct kl_bytes value) KL_MUST_CHECK;
/* Into the arena. KL_E_NOT_FOUND: not there, or its key is gone. */
int store_get_sealed(struct store *s, char table, struct kl_bytes key,
    struct kl_arena *mem, struct kl_bytes *out) KL_MUST_CHECK;
int store_get_sealed_row(struct store *s, char table, struct kl_bytes key,
    struct kl_arena *mem, void *row, size_t n) KL_MUST_CHECK;

/* For a copy of the store: the same, and the slot that it lies under.
 * KL_E_NOT_FOUND also when that slot was dropped. */
int store_get_sealed_at(struct store *s, char table, struct kl_bytes key,
    struct kl_arena *mem, uint32_t *slot, struct kl_bytes *out)
    KL_MUST_CHECK;
/* Told of each row that is put or deleted, also in turns that are undone.
 * NULL ends it. */
struct store_watch {
	void (*changed)(void *arg, char table, struct kl_bytes key);
	void *arg;
};
void store_watch(struct store *s, const struct store_watch *w);

/* Lookup key of something that should not stand in the file: under the MAC
 * key and a word. */
struct kl_tag store_tag(const struct store *s, const char *word,
    struct kl_bytes value);

/* Meta values of fixed size. KL_E_NOT_FOUND leaves *out. */
int store_meta_get(struct store *s, const char *name, void *out, size_t n)
    KL_MUST_CHECK;
int store_meta_put(struct store *s, const char *name, const void *in, size_t n)
    KL_MUST_CHECK;

unsigned int store_used_permille(struct store *s);

#endif
