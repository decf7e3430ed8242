/*
 * race.h: 1,000 withdrawals against deliveries, with clients that are
 * libkortelijn and nothing else, and a broker that is killed in between.
 *
 * A race is one conversation: a REFERRAL, maybe a CORRECTION, a FEEDBACK and an
 * onward child of it, and a WITHDRAWAL at a random moment by one of its
 * parties or by both. What is planned comes from the seed; what wins does not.
 */
#ifndef TESTS_FAULT_RACE_H
#define TESTS_FAULT_RACE_H

#include <stdio.h>
#include <sys/types.h>

#include <kortelijn/crypto/hash.h>

#include "tests/support/client.h"

#define RACE_GROUPS 3			/* practice, desk, partner */
#define RACE_ENDS (3 * RACE_GROUPS)
#define RACE_PENDING 1024		/* requests of one end under way */

enum race_kind {
	RACE_REFERRAL, RACE_CORRECTION, RACE_FEEDBACK, RACE_CHILD,
	RACE_KINDS
};

enum race_state { RACE_UNSENT, RACE_SENT, RACE_TAKEN, RACE_REFUSED };

/* When a withdrawal is sent: a random time after this. */
enum race_after {
	RACE_BEFORE,		/* the REFERRAL is sent after it */
	RACE_ASKED,		/* the REFERRAL was sent */
	RACE_ACCEPTED,		/* the REFERRAL was answered */
	RACE_SEEN,		/* its receiver has it */
	RACE_DELIVERED,		/* its receipt was answered */
	RACE_FURTHER,		/* what follows the receipt was sent */
};

struct race_message {
	bool planned;
	enum race_state state;
	struct kl_sealed *sealed;	/* until it is answered */
	struct kl_msg_id id;
	struct kl_hash body;
	uint64_t leaf;			/* ACCEPTED, as answered */
	uint32_t code;
	int64_t asked_us;
	int64_t again_ms;		/* 0: not asked to come again */
	uint32_t frames, late;		/* that reached its receiver */
	bool receipt_sent, receipt_taken;
};

struct race_withdrawal {
	bool planned;
	enum race_state state;
	bool feedback;			/* scope */
	size_t by;			/* its end */
	uint8_t packed[KL_WITHDRAWAL_MAX];
	size_t n;
	struct kl_hash body;
	int64_t again_ms;
	uint64_t tick;			/* when its answer was taken */
	uint64_t leaf;			/* CONSENT_WITHDRAWN, as answered */
	struct kl_withdraw_reply told;
};

struct race {
	size_t number, group;
	bool active, over;
	struct kl_conv_id conv, child_conv;
	uint32_t valid_until;
	struct race_message msg[RACE_KINDS];
	struct race_withdrawal w[2];
	enum race_after after;
	uint32_t wait_permille;		/* of the time that an answer takes */
	int64_t began_us, send_us;	/* send: the REFERRAL */
	int64_t due_us;			/* the withdrawals; 0: not known yet */
};

enum race_asked { RACE_ASK_SUBMIT = 1, RACE_ASK_FETCH, RACE_ASK_RECEIPT,
	RACE_ASK_WITHDRAW, RACE_ASK_ERASED };

struct race_pending { enum race_asked what; size_t race, which; };

struct race_end {
	struct client c;
	struct race_pending pending[RACE_PENDING];
	uint64_t ack[KL_FETCH_ACKS_MAX];
	size_t n_ack;
	bool fetching;
	uint64_t fetch_tick;		/* when it was asked */
	int64_t fetch_us;		/* not before */
};

struct race_broker {
	const char *program, *conf, *endpoint;
	struct kl_curve_pk transport_pk;
	pid_t pid;			/* the supervisor */
};

struct races {
	struct race_end end[RACE_ENDS];
	struct race *race;
	size_t n, in_flight, begun, over;
	uint64_t seed, random;		/* random: what is not of one race */
	uint64_t tick;			/* grows with all that is sent, taken */
	int64_t answer_us;		/* what a SUBMIT takes, about */
	int64_t seen_ms;		/* last progress */
	struct kl_arena *mem;
	struct race_broker broker;
	size_t kills, killed[3];	/* edge, core, supervisor */
	size_t cut;			/* withdrawals without answer then */
	size_t *kill_at;		/* races that begin before */
	size_t n_kill;
	int64_t kill_us;		/* 0: none is due */
	size_t errors;			/* answers that nothing explains */
};

/* race_plan.c: what a race will be, and what its messages are. */
uint64_t race_random(uint64_t *state);
/* In [0, n). */
uint64_t race_below(uint64_t *state, uint64_t n);
void race_plan(struct races *s, size_t i);
void race_seal(struct races *s, struct race *r, enum race_kind kind);
void race_sign(struct races *s, struct race *r, struct race_withdrawal *w);
struct race_end *race_sender(struct races *s, const struct race *r,
    enum race_kind kind);
struct race_end *race_receiver(struct races *s, const struct race *r,
    enum race_kind kind);

/* race_end.c: what an end sends. All of it may be sent again. */
void race_send_message(struct races *s, struct race *r, enum race_kind kind);
void race_send_withdrawal(struct races *s, struct race *r, size_t which);
void race_send_receipt(struct races *s, struct race *r, enum race_kind kind);
void race_send_fetch(struct races *s, struct race_end *e);
/* Answers an ERASE_REQUEST. */
void race_send_erased(struct races *s, struct race_end *e,
    const struct kl_conv_id *conv, const struct kl_hash *withdrawal);

/* race_take.c: what came; true if anything did. */
bool race_take_all(struct races *s);
/* What the plan says is due by now. */
void race_moves(struct races *s, struct race *r);

/* race_kill.c */
void race_kills_plan(struct races *s);
/* Kills one, waits until the broker serves again, and sends anew what had no
 * answer. */
void race_kill(struct races *s);
/* HELLO and so on of all ends, on new connections. */
void race_connect(struct races *s);

/* race_tell.c: what the participants hold, a line of JSON each: for
 * race_check. */
void race_tell(const struct races *s, FILE *f);

/* Ends the program, with what went wrong. */
void race_must(int r, const char *what);
int64_t race_now_ms(void);
int64_t race_now_us(void);

#endif
