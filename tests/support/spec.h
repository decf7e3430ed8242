/*
 * spec.h: a message of the protocol as PROTOCOL.md's tables give it, and what
 * every reader owes to such a table. It encodes by itself and shares nothing
 * with the codec under test.
 */
#ifndef TESTS_SUPPORT_SPEC_H
#define TESTS_SUPPORT_SPEC_H

#include <kortelijn/base/arena.h>
#include <kortelijn/base/code.h>

#define SPEC_BYTES_MAX 20000

enum spec_type {
	SPEC_U32 = 1,	/* lo..hi; min and max are the values of the samples */
	SPEC_U64,
	SPEC_TIME,	/* 0 to the end of 9999 */
	SPEC_FIXED,	/* lo bytes, filled with min or max */
	SPEC_ID,	/* participant; min 0: may be none, and is at minimum */
	SPEC_VIEW,	/* lo..hi bytes; min and max long, or `text` at maximum */
	SPEC_U32S,	/* at most hi numbers, each `max` */
	SPEC_U64S,
	SPEC_IDS,	/* at most hi participants */
	SPEC_VIEWS,	/* at most hi, of at most lo bytes; lo is exact with a
			 * `text` */
};

/* Fields stand in the order of their numbers, from 1. */
struct spec_field {
	enum spec_type type;
	uint64_t lo, hi, min, max;
	const char *text;
};

struct spec {
	const char *name;
	const struct spec_field *fields;
	size_t n;
	size_t size;		/* of the struct that is read and packed */
	uint32_t type;		/* for the two functions below */
	enum kl_code (*read)(const struct spec *s, struct kl_bytes in,
	    struct kl_arena *mem, void *out);
	int (*pack)(const struct spec *s, const void *in, uint8_t *buf,
	    size_t cap, size_t *n);
};

/* The sample with all fields at their minimum or maximum. */
struct spec_bytes {
	uint8_t b[SPEC_BYTES_MAX];
	size_t n;
	size_t end[64];		/* of each field */
};
void spec_build(const struct spec *s, bool max, struct spec_bytes *out);
/* Field i (from 0) of the sample holds another value. */
void spec_build_with(const struct spec *s, bool max, size_t i, uint64_t value,
    struct spec_bytes *out);

/* Each checks one promise for one message; they end the test if it fails. */
void spec_round_trips(const struct spec *s);
void spec_refuses_values_out_of_range(const struct spec *s);
void spec_refuses_truncation(const struct spec *s);
void spec_refuses_unknown_fields(const struct spec *s);
void spec_refuses_missing_and_doubled_fields(const struct spec *s);
void spec_refuses_what_is_not_canonical(const struct spec *s);
void spec_stays_in_its_arena(const struct spec *s);

#endif
