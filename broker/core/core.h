/*
 * core.h: the whole of core, for its shell: main, dispatch, handle_*, control,
 * stats. The parts never see it.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include <kortelijn/domain/policy_file.h>
#include <kortelijn/host/control.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/host/trace.h>

#include "broker/config.h"
#include "broker/core/daily.h"
#include "broker/core/export.h"
#include "broker/core/mailbox.h"
#include "broker/core/refusals.h"
#include "broker/core/retain.h"
#include "broker/core/rewrap.h"
#include "broker/core/scrubber.h"
#include "broker/core/stats.h"
#include "broker/core/withdraw.h"
#include "broker/pipe.h"
#include "broker/ready.h"

#define TURN_REQUESTS_MAX 128	/* of one turn */
#define TURN_REPLIES_MAX 512	/* with those that were held */
#define TURN_MESSAGES_MAX 1024	/* of edge, requests or not */
#define TURN_QUERY_ROWS 2048	/* of the log, for all queries */
#define TURN_CAREFUL 64		/* turns of one request, after one failed */
#define WITHDRAWALS_UNKNOWN_DAY 1000	/* of a participant */
#define WITHDRAWALS_UNKNOWN_TELL 50	/* above it the operator is told */
#define SESSION_MAILBOXES_MAX 8	/* its own and those of predecessors */
#define CORE_PATH_BYTES (BROKER_PATH_BYTES + 32)

/* Where a participant is since its HELLO, in memory only: after a start
 * everybody says HELLO again. */
struct session {
	bool open;
	uint32_t generation;		/* of edge */
	struct kl_route route;
	struct kl_route replaced;	/* the one before; n 0: none */

	/* a FETCH that waits; due_ms 0: none */
	int64_t due_ms;			/* monotonic */
	uint64_t fetch_id;		/* of the request */
	/* ERASE_REQUESTs may wait for a person: of each of its mailboxes, up
	 * to which they were brought already, and when the first was */
	uint64_t asked[SESSION_MAILBOXES_MAX];
	int64_t asked_ms;		/* monotonic */

	/* SYNC: where LIST and DONE go on, slice by slice */
	struct kl_conv_id list_after;	/* last one told; list_at: looked at */
	struct kl_tag list_at, done_at;
	bool listing, ending;

	/* quotas of a day and a minute, anew after a start */
	int32_t day, withdrawals_day;
	uint64_t bytes;
	uint32_t withdrawals;		/* of what is not known here */
	int64_t take_over_ms;		/* monotonic; begin of the minute */
	uint32_t take_overs;
	int64_t query_ms;		/* the same of new queries */
	uint32_t queries;
};

/* The policy that was loaded last. */
struct core_policy {
	struct kl_policy_file file;
	struct kl_hash hash;		/* SHA-256 of its bytes */
	uint64_t leaf;
	int64_t at_ms;
	int32_t day;			/* for which `policy` was made of it */
	bool drain;			/* no policy could be read at start */
	int64_t tell_ms;		/* monotonic; when that is said again */
};

/* Of the controllers, for a card that reads all. */
struct core_approval {
	uint8_t serial[16];		/* of the card */
	struct kl_id *org;		/* in the order of find_sort; owned */
	size_t n;
	uint64_t leaf;			/* that tells it */
};

/* An answer of this turn, packed, until its commit. */
struct turn_reply {
	struct kl_route route;
	uint32_t generation;
	uint32_t request, code;
	uint64_t request_id;
	size_t n;
	struct kl_bytes frame[1 + KL_FETCH_ENVELOPES_MAX];
};

/* Answers to withdrawals that wait for the next turn; see held.h. */
#define HELD_MAX TURN_REQUESTS_MAX
struct held {
	struct held_answer {
		struct kl_route route;
		uint32_t generation;
		uint64_t request_id;
		struct withdraw_counts counts;
	} one[HELD_MAX];
	size_t n, committed;
};

struct core {
	const struct broker_conf *conf;
	struct kl_clock clock;
	int exit;
	uint32_t fenced;		/* enum kl_code: why nobody may go on
					 * with this store; 0: anybody may */

	/* keys and paths */
	struct kl_secret *log_sk;
	struct kl_secret *recovery_key;	/* NULL: not there */
	char mark_path[CORE_PATH_BYTES];

	/* store */
	struct kl_kv *kv;
	struct vault vault;
	struct journal journal;
	struct registry registry;
	struct mailbox box;
	struct retain retain;
	struct rewrap rewrap;
	struct export export;		/* of the log, every night */
	struct daily daily;	/* a checkpoint of each day */
	struct scrubber scrubber;	/* of the log: is it as it was? */
	bool hold_told;			/* that the clock is not trusted */
	int64_t undone_told_ms;		/* monotonic; when it may be again */
	bool full;			/* no SUBMIT from here on */
	int64_t full_asked_ms;		/* monotonic; when it was looked at */

	/* policy */
	struct kl_policy policy;	/* that counts now */
	struct core_policy loaded;	/* of which it was made */

	/* of auditors */
	struct core_approval *approval;
	size_t n_approvals;

	/* the turn */
	struct turn turn;
	struct kl_arena *mem;		/* of one request */
	struct kl_arena *in_mem;	/* what a request unpacks to */
	struct kl_arena *out_mem;	/* answers of one turn */
	struct turn_reply reply[TURN_REPLIES_MAX];
	size_t n_reply;
	bool registry_changed;		/* to be read again if undone */
	bool keys_changed;		/* to tell edge after the commit */
	int64_t erase_due_ms;		/* monotonic; 0: no slot waits */
	bool refilled;			/* slots wait for a sync */
	uint32_t careful;		/* turns that take one request each */
	int64_t pause_ms;		/* monotonic; after an undone turn */
	struct held held;
	size_t query_rows;		/* that queries may still look at */

	/* participants, by number - 1 */
	struct session *session;	/* REGISTRY_PARTICIPANTS_MAX */
	int64_t fetch_due_ms;		/* monotonic, not after the first */
	struct refusals refusals;
	struct stats stats;

	/* towards edge */
	int pipe_fd, ready_fd;
	uint32_t generation;		/* of the edge of now; 0: none */
	struct pipe_out *out;
	uint8_t *in;			/* PIPE_MSG_MAX */

	/* the loop */
	struct kl_loop *loop;
	struct kl_source pipe_src, timer_src;
	struct ready ready;
	struct kl_control *control;
	struct kl_trace *trace;
	bool work_left;			/* timers, mail of revoked keys */
	int64_t housekeeping_ms;	/* monotonic; when it is due */
	int64_t sign_retry_ms;		/* monotonic; after a failure */
	int sign_err;			/* of it; KL_OK: there was none */
};

/* A request that passed the common checks. */
struct request {
	const struct pipe_msg *pipe;
	struct kl_request_msg msg;
	struct participant *by;
	const struct registry_card *card;	/* of its transport key */
	struct session *session;
};

/* What a handler says. Refused requests have written nothing. */
struct answer {
	uint32_t code;			/* enum kl_code */
	uint32_t retry_after_ms;
	uint8_t detail[KL_ID_BYTES];
	size_t n_detail;
	struct kl_bytes body;		/* packed, in the turn's memory */
	struct kl_bytes ct[KL_FETCH_ENVELOPES_MAX];
	size_t n_ct;
	bool held;			/* it will be answered later */
};

/* KL_OK for what was refused too. */
int answer_refuse(struct answer *a, enum kl_code code);
int answer_refuse_for(struct answer *a, enum kl_code code, int64_t ms);

/* Handlers: KL_OK, also when they refuse, or why the turn must be undone. */
int handle_hello(struct core *c, const struct request *q, struct answer *a)
    KL_MUST_CHECK;
int handle_submit(struct core *c, const struct request *q, struct answer *a)
    KL_MUST_CHECK;
int handle_fetch(struct core *c, const struct request *q, struct answer *a)
    KL_MUST_CHECK;
int handle_receipt(struct core *c, const struct request *q, struct answer *a)
    KL_MUST_CHECK;
/* One of its statements: packed as PUT_RECEIPT has it. */
int handle_erase_receipt(struct core *c, const struct request *q,
    struct kl_bytes packed, struct answer *a) KL_MUST_CHECK;
int handle_item_ack(struct core *c, const struct request *q,
    struct answer *a) KL_MUST_CHECK;
int handle_withdraw(struct core *c, const struct request *q,
    struct answer *a) KL_MUST_CHECK;
int handle_directory(struct core *c, const struct request *q,
    struct answer *a) KL_MUST_CHECK;
int handle_publish(struct core *c, const struct request *q,
    struct answer *a) KL_MUST_CHECK;
int handle_sync(struct core *c, const struct request *q, struct answer *a)
    KL_MUST_CHECK;
int handle_log(struct core *c, const struct request *q, struct answer *a)
    KL_MUST_CHECK;
/* The same of a packed kl_log_request, whoever asks. */
int handle_log_body(struct core *c, struct kl_bytes body, struct answer *a)
    KL_MUST_CHECK;
int handle_query(struct core *c, const struct request *q, struct answer *a)
    KL_MUST_CHECK;

#endif
