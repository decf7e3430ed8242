/*
 * request.h: what participants and broker say to each other, as checked
 * structs. Readers and packers as in signed.h. PROTOCOL.md 6 and 7.
 */
#ifndef KORTELIJN_WIRE_REQUEST_H
#define KORTELIJN_WIRE_REQUEST_H

#include <kortelijn/wire/signed.h>

#define KL_BODY_MAX 16200	/* bytes; below a frame with its head */
#define KL_FETCH_WAIT_MAX_MS 30000
#define KL_FETCH_ACKS_MAX 16
#define KL_FETCH_ENVELOPES_MAX 4	/* of one answer, and unreceipted */
#define KL_ITEMS_MAX 8			/* of one answer */
#define KL_ACKS_MAX 64
#define KL_ENTRIES_MAX 64		/* of one page of the directory */
#define KL_PUBLISH_MAX 16
#define KL_PRESENT_MAX 8
#define KL_PAGE_MAX 64
#define KL_TILE_LEAVES 256		/* of the log, hashes of one answer */
#define KL_WITNESSED_MAX 4096		/* bytes of a note with witness lines */
#define KL_QUERY_ANSWERS_MAX 64		/* records of one page */
#define KL_QUERY_PART_MAX 8192		/* bytes of a file or a state, a page */

enum kl_yes { KL_NO = 1, KL_YES = 2 };	/* a bool on the wire */

enum kl_message_type {
	KL_M_REQUEST = 1, KL_M_REPLY, KL_M_HELLO, KL_M_HELLO_REPLY,
	KL_M_SUBMIT, KL_M_LOGGED, KL_M_SUBMIT_REPLY, KL_M_FETCH,
	KL_M_FETCH_REPLY, KL_M_ITEM, KL_M_PUT_RECEIPT, KL_M_ITEM_ACK,
	KL_M_WITHDRAW, KL_M_WITHDRAW_REPLY, KL_M_DIRECTORY,
	KL_M_DIRECTORY_REPLY, KL_M_ENTRY, KL_M_PUBLISH, KL_M_SYNC,
	KL_M_SYNC_REPLY, KL_M_SYNC_CONVERSATION, KL_M_LOG, KL_M_LOG_REPLY,
	KL_M_QUERY_WHAT, KL_M_QUERY, KL_M_QUERY_REPLY, KL_M_QUERY_STATE,
};

struct kl_request_msg {
	uint32_t version, request;
	uint64_t request_id;
	struct kl_bytes body;
};

struct kl_reply_msg {
	uint32_t version, request;	/* request and its id are 0 when the */
	uint64_t request_id;		/* request could not be read */
	uint32_t code, retry_after_ms;
	int64_t time_ms;		/* the broker's clock */
	struct kl_bytes detail;		/* SEQ: last seq, 8 bytes big-endian;
					 * RECEIVER_SUCCEEDED: its id */
	struct kl_bytes body;
};

struct kl_hello {
	struct kl_instance instance;
	uint64_t epoch;
	uint32_t take_over, schema_min, schema_max;
	struct kl_bytes note;		/* last checkpoint seen, or none */
	struct kl_bytes program;
};

struct kl_hello_reply {
	uint32_t realm, report_in, take_over;
	int64_t prekeys_until_ms;
	uint64_t directory;
	struct kl_bytes note, previous_note;
};

struct kl_submit { struct kl_bytes envelope; };

struct kl_logged {
	uint64_t leaf;
	struct kl_bytes record;
	uint8_t salt[32];
};

struct kl_submit_reply {
	struct kl_bytes logged;		/* a packed kl_logged */
	struct kl_ref conv_ref;
	uint8_t spoken[9];
};

struct kl_fetch {
	uint32_t wait_ms;
	uint64_t ack[KL_FETCH_ACKS_MAX];
	size_t n_ack;
};

struct kl_fetch_reply {
	struct kl_bytes item[KL_ITEMS_MAX];	/* packed kl_items */
	size_t n_item;
};

#define KL_SORT_ENVELOPE 1		/* else a statement's number + 1 */
struct kl_item {
	uint64_t item;
	uint32_t sort;
	struct kl_bytes content;	/* a packed kl_signed */
	struct kl_bytes logged;		/* envelope: a packed kl_logged */
	struct kl_ref conv_ref;
	uint8_t spoken[9];
};

struct kl_put_receipt {
	uint32_t statement;
	struct kl_bytes receipt;
};

struct kl_item_ack {
	uint64_t item[KL_ACKS_MAX];
	size_t n_item;
};

struct kl_withdraw { struct kl_bytes withdrawal; };

struct kl_withdraw_reply {
	struct kl_bytes logged;
	uint32_t erased, released_before, unconfirmed;
};

struct kl_directory { uint64_t after; };

struct kl_directory_reply {
	uint64_t newest, last;
	struct kl_bytes entry[KL_ENTRIES_MAX];
	size_t n_entry;
};

#define KL_ENTRY_REFERRAL 100		/* SYNC: a signed REFERRAL body */
struct kl_entry {
	uint32_t statement;
	struct kl_bytes content;	/* a packed kl_signed */
};

struct kl_publish {
	struct kl_bytes entry[KL_PUBLISH_MAX];
	size_t n_entry;
};

enum kl_sync_step { KL_SYNC_LIST = 1, KL_SYNC_PRESENT = 2, KL_SYNC_DONE = 3 };
struct kl_sync {
	uint32_t step;
	struct kl_conv_id after;
	struct kl_bytes presented[KL_PRESENT_MAX];	/* packed kl_entries */
	size_t n_presented;
};

struct kl_sync_reply {
	struct kl_bytes conversation[KL_PAGE_MAX];
	size_t n_conversation;
	uint32_t result[KL_PRESENT_MAX];
	size_t n_result;
};

enum kl_conv_state {
	KL_CONV_OPEN = 1, KL_CONV_ENDED = 2, KL_CONV_WITHDRAWN = 3,
	KL_CONV_EXPIRED = 4,
};
struct kl_sync_conversation {
	struct kl_conv_id conv_id;
	struct kl_ref conv_ref;
	uint8_t spoken[9];
	struct kl_hash referral;
	struct kl_id practice, receiver;
	uint32_t state, milestone;
	uint64_t last_seq_sender, last_seq_receiver;
};

enum kl_log_want {
	KL_LOG_CHECKPOINT = 1, KL_LOG_CONSISTENCY = 2, KL_LOG_INCLUSION = 3,
	KL_LOG_TILE = 4, KL_LOG_KEPT = 5,
};
struct kl_log_request {
	uint32_t want;
	uint64_t size;
	uint64_t at;		/* leaves of the tree; 0: newest checkpoint */
};

struct kl_log_reply {
	struct kl_bytes note;		/* KEPT: none when there is none */
	struct kl_bytes proof[KL_PAGE_MAX];
	size_t n_proof;
	struct kl_bytes tile;		/* whole hashes of leaves */
	uint64_t day;			/* KEPT: of the note */
	struct kl_bytes witnessed;	/* newest note with witness lines */
};

/* What records are asked for; zeros and none: any. PROTOCOL.md 7.11. */
struct kl_query_what {
	int64_t from_minute, to_minute;	/* to is exclusive; 0: open */
	struct kl_id sender, receiver;	/* org_from and org_to of a record */
	uint32_t kind, event, role, outcome;
	struct kl_ref conv_ref;
	uint8_t spoken[9];		/* letters, or zeros */
	uint8_t message[16];		/* a msg_ref, or a msg_id still known */
};

enum kl_query_want {
	KL_QUERY_RECORDS = 1, KL_QUERY_POLICY = 2, KL_QUERY_STATE = 3,
};
struct kl_query {
	uint32_t want;
	struct kl_bytes what;		/* RECORDS: a packed kl_query_what */
	uint64_t ticket;		/* 0: a new query */
	uint64_t from;			/* leaf */
	uint64_t offset;		/* POLICY: byte */
};

struct kl_query_reply {
	uint64_t ticket;		/* leaf of the query */
	uint64_t next;			/* 0: that was all */
	struct kl_bytes logged[KL_QUERY_ANSWERS_MAX];	/* packed kl_logged */
	size_t n_logged;
	struct kl_bytes part;
	uint64_t total;
};

enum kl_state_erasure { KL_STATE_VERIFIED = 1, KL_STATE_BEST_EFFORT = 2 };
enum kl_state_master { KL_STATE_SEALED = 1, KL_STATE_BESIDE = 2 };
struct kl_query_state {
	uint32_t erasure, master_key;
	uint32_t clock_held;		/* enum kl_yes */
	uint64_t policy_leaf;
	struct kl_hash policy_hash;	/* zero: no file was loaded */
	int64_t origin_ms, signed_ms;
	int64_t checked_ms;		/* 0: not read as a whole yet */
	uint32_t months_lost;		/* whose key the disk has lost */
	struct kl_bytes note, witnessed;
};

/* `type` is an enum kl_message_type and names what `out` points to. */
enum kl_code kl_message_read(uint32_t type, struct kl_bytes in,
    struct kl_arena *mem, void *out, size_t out_size) KL_MUST_CHECK;
int kl_message_pack(uint32_t type, const void *in, size_t in_size,
    uint8_t *buf, size_t cap, size_t *n) KL_MUST_CHECK;
#define KL_MESSAGE_READ(type, in, mem, out)				\
	kl_message_read(type, in, mem, out, sizeof *(out))
#define KL_MESSAGE_PACK(type, in, buf, cap, n)				\
	kl_message_pack(type, in, sizeof *(in), buf, cap, n)
/* The same into the arena. KL_E_MEMORY besides. */
int kl_message_pack_in(uint32_t type, const void *in, size_t in_size,
    struct kl_arena *mem, struct kl_bytes *out) KL_MUST_CHECK;
#define KL_MESSAGE_PACK_IN(type, in, mem, out)				\
	kl_message_pack_in(type, in, sizeof *(in), mem, out)

#endif
