#include "gate.h"

#include <kortelijn/base/time.h>
#include <kortelijn/base/types.h>
#include <kortelijn/wire/request.h>

#define ONE KL_MINUTE_MS	/* a bucket's level for one request */

uint32_t
gate_take(struct gate_bucket *b, int64_t per_minute, int64_t now_ms)
{
	const int64_t full = per_minute * ONE;
	int64_t past_ms = now_ms - b->filled_ms;

	if (b->filled_ms == 0 || past_ms > KL_MINUTE_MS)
		past_ms = KL_MINUTE_MS;
	if (past_ms < 0)
		past_ms = 0;
	b->level += past_ms * per_minute;
	if (b->level > full)
		b->level = full;
	b->filled_ms = now_ms;
	if (b->level < ONE)
		return (uint32_t)((ONE - b->level + per_minute - 1) /
		    per_minute);
	b->level -= ONE;
	return 0;
}

static enum gate_lane
lane_of(uint32_t request)
{
	return request == KL_WITHDRAW || request == KL_PUT_RECEIPT ?
	    GATE_URGENT : GATE_COMMON;
}

static size_t
frames_of(uint32_t request)
{
	return request == KL_SUBMIT ? 2 : 1;
}

static uint32_t
sizes_check(const struct kl_bytes *frame, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (frame[i].n > KL_FRAME_MAX)
			return KL_C_FRAME_TOO_LARGE;
	return KL_C_OK;
}

/* Frame 0 as a request, as far as it can be read. */
static uint32_t
head_read(struct kl_bytes in, struct kl_arena *mem, struct gate_verdict *v)
{
	struct kl_request_msg m;

	if (in.n > KL_FRAME_MAX)
		return KL_C_FRAME_TOO_LARGE;
	if (KL_MESSAGE_READ(KL_M_REQUEST, in, mem, &m) != KL_C_OK)
		return KL_C_MALFORMED;
	v->request = m.request;
	v->request_id = m.request_id;
	return KL_C_OK;
}

struct gate_verdict
gate_judge(struct gate_account *account, int64_t per_minute, int64_t now_ms,
    const struct kl_bytes *frame, size_t n, struct kl_arena *mem)
{
	struct gate_verdict v = { .request = 0 };
	bool readable;
	uint32_t wait_ms;

	v.code = head_read(frame[0], mem, &v);
	readable = v.code == KL_C_OK;
	wait_ms = gate_take(&account->lane[readable ? lane_of(v.request) :
	    GATE_COMMON], per_minute, now_ms);
	if (wait_ms > 0) {
		v.code = KL_C_QUOTA_REQUESTS;
		v.retry_after_ms = wait_ms;
	} else if (readable) {
		v.code = sizes_check(frame, n);
		if (v.code == KL_C_OK && n != frames_of(v.request))
			v.code = KL_C_FRAME_COUNT;
	}
	return v;
}
