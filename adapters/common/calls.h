/*
 * calls.h: requests to the broker and the answers to them. A request waits
 * for the commit of its turn before it leaves; one that is not answered within
 * 40 s counts as lost. Knows nothing of what they say. PROTOCOL.md 6.1.
 */
#ifndef ADAPTERS_COMMON_CALLS_H
#define ADAPTERS_COMMON_CALLS_H

#include <kortelijn/wire/request.h>

#define CALLS_MAX 192			/* asked and not answered */
#define CALLS_TIMEOUT_MS 40000

struct calls;

/* send: as kl_link_send without route. NULL: no memory. */
struct calls_wire {
	int (*send)(void *arg, const struct kl_bytes *frames, size_t n);
	void *arg;
};
struct calls *calls_new(const struct calls_wire *wire);
/* Accepts NULL. */
void calls_free(struct calls *c);

struct call {
	uint64_t id;
	uint32_t request;		/* enum kl_request */
	uint8_t key[16];		/* the caller's own */
	int64_t sent_ms;		/* monotonic; 0: not yet */
};

/* Asks: body is the packed message of the request, ct its ciphertext or none.
 * Both are copied. KL_E_FULL: too many; KL_E_SIZE: too long; KL_E_MEMORY. */
int calls_ask(struct calls *c, uint32_t request, struct kl_bytes body,
    struct kl_bytes ct, const uint8_t key[16]) KL_MUST_CHECK;
/* After the commit: what was asked leaves. KL_E_AGAIN: the link does not take
 * it; what is left counts as lost. */
int calls_flush(struct calls *c, int64_t mono_ms) KL_MUST_CHECK;

struct call_answer {
	uint32_t code, retry_after_ms;
	int64_t time_ms;		/* the broker's clock */
	struct kl_bytes detail, body;
	const struct kl_bytes *ct;	/* frames behind the first */
	size_t n_ct;
};
/* What came over the link; views into it or the arena. KL_E_FORMAT: no answer;
 * KL_E_NOT_FOUND: to nothing that was asked; KL_E_MEMORY. Unless KL_OK
 * *call->request is that of the answer, 0 if it could not be read, and code is
 * set if it could be. */
int calls_take(struct calls *c, const struct kl_bytes *frames, size_t n,
    struct kl_arena *mem, struct call *call, struct call_answer *out)
    KL_MUST_CHECK;
/* Takes out any one that was asked, as lost. KL_E_EMPTY: none left. */
int calls_lose(struct calls *c, struct call *call) KL_MUST_CHECK;

/* One waits longer than it should. */
bool calls_overdue(const struct calls *c, int64_t mono_ms);
/* ms until then; negative: nothing was asked. */
int64_t calls_wait_ms(const struct calls *c, int64_t mono_ms);
/* Asked and not answered, of one request, or of all (0). */
size_t calls_open(const struct calls *c, uint32_t request);
/* Something was asked and has not left. */
bool calls_queued(const struct calls *c);

#endif
