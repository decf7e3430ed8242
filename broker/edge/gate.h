/*
 * gate.h: what edge refuses without asking core: sizes, frame counts, bytes
 * that are no request, and too many requests a minute. PROTOCOL.md 6.2.
 */
#ifndef BROKER_EDGE_GATE_H
#define BROKER_EDGE_GATE_H

#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/arena.h>
#include <kortelijn/base/bytes.h>
#include <kortelijn/base/code.h>

/* A bucket that fills in one minute. A full one lets a burst through. */
struct gate_bucket {
	int64_t level;		/* 60 000 for one request */
	int64_t filled_ms;	/* monotonic; 0: never used, so full */
};

/* What people have withdrawn and what was received must get through although
 * the rest of a participant's traffic is too much. */
enum gate_lane { GATE_COMMON, GATE_URGENT, GATE_LANES };

struct gate_account { struct gate_bucket lane[GATE_LANES]; };

struct gate_verdict {
	uint32_t code;		/* enum kl_code; KL_C_OK: core may have it */
	uint32_t request;	/* 0 if unreadable */
	uint64_t request_id;	/* 0 if unreadable */
	uint32_t retry_after_ms;
};

/* Takes one request of a minute's allowance. Answers 0, or the ms until there
 * is one; then nothing was taken. */
uint32_t gate_take(struct gate_bucket *b, int64_t per_minute, int64_t now_ms);

/* Judges a message of n frames (1 or more). OK, FRAME_TOO_LARGE, FRAME_COUNT,
 * MALFORMED (also what takes more than mem has) or QUOTA_REQUESTS. Whatever
 * is answered, it costs one of the allowance. */
struct gate_verdict gate_judge(struct gate_account *account,
    int64_t per_minute, int64_t now_ms, const struct kl_bytes *frame,
    size_t n, struct kl_arena *mem);

#endif
