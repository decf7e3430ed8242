/*
 * trace.h: what happened to each message, as JSON lines in a file outside the
 * store: for the suppliers' sandbox and for the checker of histories. Ids
 * only, no content; the training realm only, which the caller sees to.
 *
 * Lines wait until the commit that they tell of: kl_trace_flush after it and
 * before the answer leaves, kl_trace_drop when the turn was undone.
 */
#ifndef KORTELIJN_HOST_TRACE_H
#define KORTELIJN_HOST_TRACE_H

#include <stdbool.h>

#include <kortelijn/base/types.h>

struct kl_trace;

/* Appends to the file, which is made with mode 0600. KL_E_IO, KL_E_MEMORY. */
int kl_trace_open(const char *path, struct kl_trace **out) KL_MUST_CHECK;
/* Accepts NULL. */
void kl_trace_close(struct kl_trace *t);

struct kl_trace_line {
	int64_t at_ms;
	const char *event;		/* literal of [a-z_] */
	const struct kl_msg_id *msg;	/* NULL: left out, as those below */
	const struct kl_conv_id *conv;
	const struct kl_hash *body;
	bool has_leaf;
	uint64_t leaf;
};

/* All three do nothing without a trace (NULL). A line for which there is no
 * memory is left out: the trace is no record. */
void kl_trace(struct kl_trace *t, const struct kl_trace_line *line);
/* One write(2) for each line. */
void kl_trace_flush(struct kl_trace *t);
void kl_trace_drop(struct kl_trace *t);

#endif
