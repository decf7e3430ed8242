/*
 * session.h: the dialogue with the broker: HELLO, reporting in, directory,
 * own prekeys, then the outbox, receipts, the long poll and what people ask
 * of the broker's log, with what goes wrong on the way. Sends through
 * calls.h, so nothing leaves before its commit. PROTOCOL.md 6.5, 7.
 */
#ifndef ADAPTERS_COMMON_SESSION_H
#define ADAPTERS_COMMON_SESSION_H

#include <kortelijn/host/link.h>

#include "adapters/common/asks.h"
#include "adapters/common/calls.h"
#include "adapters/common/engine.h"
#include "adapters/common/erasure.h"
#include "adapters/common/outbox.h"
#include "adapters/common/receipts.h"

struct session;

struct session_parts {
	struct calls *calls;
	struct outbox *outbox;
	struct receipts *receipts;
	struct repeats *withdrawals;
	struct erasures *erasures;
	struct asks *asks;
};

/* Borrows the parts. Draws or reads instance and epoch. NULL in *out unless
 * KL_OK. KL_E_MEMORY, errors of the store. */
int session_open(const struct session_parts *p, struct turn *t,
    struct session **out) KL_MUST_CHECK;
/* Accepts NULL. */
void session_close(struct session *s);

/* The link is there, is gone, or its handshake was refused. */
void session_link(struct session *s, enum kl_link_state state,
    int64_t mono_ms);
/* Asks whatever is due, within the turn. Errors of the store. */
int session_work(struct session *s, struct turn *t, int64_t mono_ms)
    KL_MUST_CHECK;
/* A message from the broker. KL_OK also for one that is no answer to anything;
 * errors of the store. */
int session_message(struct session *s, struct turn *t,
    const struct kl_bytes *frames, size_t n, int64_t mono_ms) KL_MUST_CHECK;
/* What was asked did not leave, or its turn was undone: begin again. */
void session_begin_again(struct session *s, int64_t due_mono_ms);
/* ms until session_work has something to do; negative: nothing by itself. */
int64_t session_wait_ms(const struct session *s, int64_t mono_ms);

/* Is this connection one to leave, since nobody answers or the broker stands
 * on a log that was left? Asked once: the answer is false until the session
 * comes to it again. */
bool session_wants_other(struct session *s);

/* This instance is the one from now on; a new instance id is drawn. Errors of
 * the store. */
int session_take_over(struct session *s, struct turn *t, int64_t mono_ms)
    KL_MUST_CHECK;
/* A PROFILE of ours, packed: kept and published. */
int session_publish(struct session *s, struct turn *t, uint32_t statement,
    struct kl_bytes packed) KL_MUST_CHECK;

struct session_state {
	uint32_t session;		/* enum engine_session */
	uint32_t code;
	uint64_t epoch;
	int64_t prekeys_until_ms;
	bool clock_known;
	int64_t clock_off_ms;
	bool directory_whole;
};
struct session_state session_state(const struct session *s);

#endif
