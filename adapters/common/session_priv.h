/*
 * session_priv.h: what the parts of the session share: session.c (dialogue),
 * session_start.c (until it is ready), session_keep.c (directory, own keys,
 * log), session_items.c (what FETCH brings),
 * session_asks.c (what people ask of the log).
 */
#ifndef ADAPTERS_COMMON_SESSION_PRIV_H
#define ADAPTERS_COMMON_SESSION_PRIV_H

#include "adapters/common/checkpoint.h"
#include "adapters/common/session.h"
#include "adapters/common/sync.h"

#define SESSION_RETRY_MS 1000
#define SESSION_BAD_PAUSE_MS 5000	/* after items that do not verify */
#define SESSION_REFUSED_MS 10000	/* after a refusal that may pass */
#define SESSION_LOG_EVERY_MS (5 * KL_MINUTE_MS)
#define SESSION_BAD_MAX 64		/* alarms about items, of one session */

enum session_phase {
	SESSION_DOWN,		/* HELLO is due at due_ms */
	SESSION_HELLO,		/* asked */
	SESSION_LIST,		/* take-over: the broker's conversations */
	SESSION_PRESENT,	/* one page after another */
	SESSION_DONE,
	SESSION_DIRECTORY,	/* one page after another */
	SESSION_PUBLISH,
	SESSION_READY,
	SESSION_STUCK,		/* refused; HELLO again at due_ms */
};

enum session_log { SESSION_LOG_UNKNOWN, SESSION_LOG_SEEN, SESSION_LOG_SILENT };

/* What lies in the store. */
struct session_instance {
	struct kl_instance instance;
	struct kl_hash place;		/* of the store: a copy has another */
	uint64_t epoch;
};

struct session {
	struct calls *calls;
	struct outbox *outbox;
	struct receipts *receipts;
	struct repeats *withdrawals;
	struct erasures *erasures;
	struct asks *asks;

	enum session_phase phase;
	uint32_t code;			/* why STUCK */
	bool up;			/* the link */
	bool refused, refused_told;	/* the link's handshake; alarm */
	bool elsewhere;			/* the link should try the next one */
	int64_t due_ms;			/* of HELLO */
	struct session_instance me;

	/* this session */
	bool asked;			/* the phase's request is under way */
	bool take_over;			/* wanted, or being done */
	bool report_in;
	struct kl_conv_id list_after;
	struct sync_cursor present, present_next;
	int64_t step_due_ms;		/* a phase's request, not before */
	uint64_t directory_newest;
	bool directory_whole;
	bool waited;			/* an item, for a card */
	int64_t directory_due_ms, publish_due_ms, log_due_ms;
	int64_t prekeys_until_ms;

	/* FETCH */
	int64_t fetch_due_ms;
	uint64_t ack[KL_FETCH_ACKS_MAX];
	size_t n_ack;
	uint32_t bad;			/* alarms raised about items */

	/* clock */
	bool clock_known;
	int64_t clock_off_ms;
	uint32_t clock_alarm;		/* 0, 1: warned, 2: no sealing */
	int64_t log_seen_ms;		/* monotonic: last head of the log, 0:
					 * none since the start */
	int64_t log_from_ms;		/* monotonic: what counts till then */
	enum session_log log;		/* as the alarm has it */
};

/* Packs the struct and asks. KL_E_FULL: later. */
int session_ask(struct session *s, struct turn *t, uint32_t request,
    uint32_t type, const void *in, size_t in_size) KL_MUST_CHECK;
void session_enter(struct session *s, enum session_phase phase);
/* Nothing more until due: refused with code. */
void session_stick(struct session *s, uint32_t code, int64_t due_ms);

/* session_start.c: one request of the phase, and the answer to it. */
int session_start_work(struct session *s, struct turn *t, int64_t mono_ms)
    KL_MUST_CHECK;
int session_start_answer(struct session *s, struct turn *t,
    const struct call *call, const struct call_answer *a, int64_t mono_ms)
    KL_MUST_CHECK;

/* What the head of the log that the broker shows means for the session: a log
 * that was left ends it before anything is sent. */
int session_start_checkpoint(struct session *s, struct turn *t,
    enum checkpoint_verdict v, int64_t mono_ms) KL_MUST_CHECK;

/* session_keep.c: what is kept up, at the start and later. */
int session_keep_ask_directory(struct session *s, struct turn *t)
    KL_MUST_CHECK;
int session_keep_ask_publish(struct session *s, struct turn *t,
    int64_t mono_ms) KL_MUST_CHECK;
int session_keep_work(struct session *s, struct turn *t, int64_t mono_ms)
    KL_MUST_CHECK;
/* KL_E_FORMAT: no such answer. */
int session_keep_answer(struct session *s, struct turn *t, uint32_t request,
    const struct call_answer *a, int64_t mono_ms) KL_MUST_CHECK;
int session_keep_profile(struct session *s, struct turn *t,
    struct kl_bytes packed) KL_MUST_CHECK;

/* session_asks.c: asks the next one, if none is under way. */
int session_asks_work(struct session *s) KL_MUST_CHECK;
/* Is it one of these, rather than the session's own? */
bool session_asks_is(const struct call *call);
int session_asks_answer(struct session *s, struct turn *t,
    const struct call *call, const struct call_answer *a, int64_t mono_ms)
    KL_MUST_CHECK;

/* session_items.c */
int session_items_fetch(struct session *s, struct turn *t, int64_t mono_ms)
    KL_MUST_CHECK;
int session_items_take(struct session *s, struct turn *t,
    const struct call_answer *a, int64_t mono_ms) KL_MUST_CHECK;
/* What the broker said does not hold: an alarm, but not one for each time. */
int session_items_bad(struct session *s, struct turn *t) KL_MUST_CHECK;

#endif
