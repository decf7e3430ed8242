/*
 * asks.h: questions about the broker's log that somebody puts at this machine,
 * and the answers to them. One at a time is asked of the broker, so that what
 * this adapter has to do itself never stands behind them.
 */
#ifndef ADAPTERS_COMMON_ASKS_H
#define ADAPTERS_COMMON_ASKS_H

#include <stdbool.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/code.h>

#define ASKS_MAX 8		/* put and not taken out */
#define ASKS_LOST_MS 1000	/* ask again after that */

struct asks;

/* NULL: no memory. */
struct asks *asks_new(void);
/* Accepts NULL. */
void asks_free(struct asks *a);

/* Takes up a question: body, copied, is the packed message of `request`. Its
 * number, from 1, is *ticket; whoever gets one drops it. KL_E_FULL: too many
 * wait; KL_E_SIZE: longer than a frame. */
int asks_put(struct asks *a, uint32_t request, struct kl_bytes body,
    uint64_t *ticket) KL_MUST_CHECK;
/* Its answer is not wanted any more, or was read. One under way stays so
 * until it is answered or lost. Accepts a ticket that is gone. */
void asks_drop(struct asks *a, uint64_t ticket);

struct ask {
	uint64_t ticket;
	uint32_t request;		/* enum kl_request */
	struct kl_bytes body;		/* borrowed, until something is put */
};
/* The oldest that was not asked yet, which is under way from here on.
 * KL_E_EMPTY: none, or one is under way. */
int asks_next(struct asks *a, struct ask *out) KL_MUST_CHECK;
bool asks_full(const struct asks *a);
/* Would asks_next have one? */
bool asks_due(const struct asks *a);
/* The one under way is answered; body is copied. */
void asks_answer(struct asks *a, uint32_t code, uint32_t retry_after_ms,
    struct kl_bytes body);
/* It cannot be answered any more: "try later". */
void asks_lost(struct asks *a);
/* All that wait to be asked are answered with code. */
void asks_end(struct asks *a, uint32_t code);

struct ask_answer {
	uint32_t code;			/* enum kl_code, the broker's */
	uint32_t retry_after_ms;
	struct kl_bytes body;		/* borrowed, until it is dropped */
};
/* KL_E_EMPTY: not answered yet; KL_E_NOT_FOUND: no such ticket. */
int asks_take(const struct asks *a, uint64_t ticket, struct ask_answer *out)
    KL_MUST_CHECK;

#endif
