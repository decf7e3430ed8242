/*
 * spec.h: a message of the protocol as PROTOCOL.md's tables give it, and what
 * every reader owes to such a table. It encodes by itself and shares nothing
 * with the codec under test.
 */
#ifndef TESTS_SUPPORT_SPEC_H
#define TESTS_SUPPORT_SPEC_H

#include <check.h>

#include <kortelijn/base/arena.h>
#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>

#define SPEC_BYTES_MAX 20000

enum spec_type {
	SPEC_U32 = 1,	/* lo..hi; min and max are the values of the samples */
	SPEC_U64,
	SPEC_TIME,	/* 0 to the end of 9999 */
	SPEC_FIXED,	/* lo bytes, filled with min or max */
	SPEC_ID,	/* min 0: may be none, and is at minimum */
	SPEC_VIEW,	/* lo..hi bytes; min, max long, or `text` at maximum */
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

/* Short names for the rows of a table; min and max as in the range unless
 * they are given (_AS). */
#define ANY32 UINT32_MAX
#define ANY64 UINT64_MAX
#define LAST KL_TIME_MAX_MS
#define U(lo, hi) { SPEC_U32, lo, hi, lo, hi, NULL }
#define U_AS(lo, hi, min, max) { SPEC_U32, lo, hi, min, max, NULL }
#define Q_AS(lo, hi, min, max) { SPEC_U64, lo, hi, min, max, NULL }
#define Q(lo, hi) { SPEC_U64, lo, hi, lo, hi, NULL }
#define T(min, max) { SPEC_TIME, 0, 0, min, max, NULL }
#define F(n, min, max) { SPEC_FIXED, n, n, min, max, NULL }
#define ID(v) { SPEC_ID, 0, 0, v, v, NULL }
#define ID_OR_NONE(v) { SPEC_ID, 0, 0, 0, v, NULL }
#define V(lo, hi) { SPEC_VIEW, lo, hi, lo, hi, NULL }
#define V_AS(lo, hi, min, max, text) { SPEC_VIEW, lo, hi, min, max, text }
#define US(n, v) { SPEC_U32S, 0, n, 0, v, NULL }
#define QS(n, v) { SPEC_U64S, 0, n, 0, v, NULL }
#define IDS(n) { SPEC_IDS, 0, n, 0, 0, NULL }
#define VS(n, size) { SPEC_VIEWS, size, n, 0, size, NULL }
/* Samples of `now` bytes where `size` are allowed. */
#define VS_OF(n, size, now) { SPEC_VIEWS, size, n, 0, now, NULL }
#define VS_AS(n, text) { SPEC_VIEWS, sizeof text - 1, n, 0, \
	sizeof text - 1, text }

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

/* One test for each promise, over specs[] of the file, and what adds them. */
#define SPEC_TEST(name, promise)					\
	START_TEST(name) { promise(&specs[_i]); } END_TEST
#define SPEC_TESTS							\
	SPEC_TEST(every_struct_round_trips_at_minimum_and_maximum,	\
	    spec_round_trips)						\
	SPEC_TEST(every_value_out_of_range_is_refused,			\
	    spec_refuses_values_out_of_range)				\
	SPEC_TEST(a_cut_at_any_byte_is_refused, spec_refuses_truncation) \
	SPEC_TEST(an_unknown_field_is_refused,				\
	    spec_refuses_unknown_fields)				\
	SPEC_TEST(a_missing_or_doubled_field_is_refused,		\
	    spec_refuses_missing_and_doubled_fields)			\
	SPEC_TEST(only_the_canonical_form_is_read,			\
	    spec_refuses_what_is_not_canonical)				\
	SPEC_TEST(no_frame_reads_beyond_its_arena, spec_stays_in_its_arena)
#define SPEC_TESTS_ADD(tc, n) do {					\
	tcase_add_loop_test(tc,						\
	    every_struct_round_trips_at_minimum_and_maximum, 0, n);	\
	tcase_add_loop_test(tc, every_value_out_of_range_is_refused, 0,	\
	    n);								\
	tcase_add_loop_test(tc, a_cut_at_any_byte_is_refused, 0, n);	\
	tcase_add_loop_test(tc, an_unknown_field_is_refused, 0, n);	\
	tcase_add_loop_test(tc, a_missing_or_doubled_field_is_refused,	\
	    0, n);							\
	tcase_add_loop_test(tc, only_the_canonical_form_is_read, 0, n);	\
	tcase_add_loop_test(tc, no_frame_reads_beyond_its_arena, 0, n);	\
} while (0)

#endif
