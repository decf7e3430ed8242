#include <tests/support/spec.h>

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/base/types.h>

#define ARENA_BYTES (256 * 1024)
#define ARENA_ALLOCS 512

/* ---- encoding ------------------------------------------------------------ */

static void
put_varint(struct kl_writer *w, uint64_t v, bool longer)
{
	for (; v >= 0x80; v >>= 7)
		kl_put_u8(w, (uint8_t)(v | 0x80));
	kl_put_u8(w, (uint8_t)(longer ? v | 0x80 : v));
	if (longer)
		kl_put_u8(w, 0);
}

static bool
is_number(enum spec_type t)
{
	return t == SPEC_U32 || t == SPEC_U64 || t == SPEC_TIME ||
	    t == SPEC_U32S || t == SPEC_U64S;
}

static bool
is_repeated(enum spec_type t)
{
	return t >= SPEC_U32S;
}

static void
put_tag(struct kl_writer *w, size_t i, enum spec_type t)
{
	put_varint(w, (i + 1) << 3 | (is_number(t) ? 0 : 2), false);
}

static void
put_data(struct kl_writer *w, const void *p, size_t n, bool longer)
{
	put_varint(w, n, longer);
	kl_put(w, p, n);
}

static void
put_id(struct kl_writer *w, uint64_t digits, bool longer)
{
	char id[KL_ID_BYTES + 40] = { 0 };

	snprintf(id, sizeof id, "kvk:%08" PRIu64, digits);
	put_data(w, id, KL_ID_BYTES, longer);
}

/* How a field is written otherwise than its sample says. */
struct odd {
	bool on;
	uint64_t value;		/* number, length or count */
	bool longer;		/* a varint with a zero byte too much */
	bool doubled, missing;
	size_t field;
};

static void
put_view(struct kl_writer *w, const struct spec_field *f, uint64_t n,
    const struct odd *o)
{
	static uint8_t fill[SPEC_BYTES_MAX];

	if (f->text != NULL && n == f->max && !o->on) {
		put_data(w, f->text, f->max, o->longer);
		return;
	}
	memset(fill, f->type == SPEC_FIXED ? (int)f->max : 'a', sizeof fill);
	put_data(w, fill, n, o->longer);
}

static void
put_repeated(struct kl_writer *w, const struct spec_field *f, size_t i,
    uint64_t count, bool longer)
{
	static uint8_t fill[SPEC_BYTES_MAX];

	memset(fill, 'a', sizeof fill);
	if (f->text != NULL)
		memcpy(fill, f->text, f->lo);
	for (uint64_t k = 0; k < count; k++) {
		put_tag(w, i, f->type);
		if (is_number(f->type))
			put_varint(w, f->max, longer);
		else if (f->type == SPEC_IDS)
			put_id(w, 10000000 + k, longer);
		else
			put_data(w, fill, f->max, longer);
	}
}

static void
put_field(struct kl_writer *w, const struct spec_field *f, size_t i, bool max,
    const struct odd *o)
{
	uint64_t sample = is_repeated(f->type) ? (max ? f->hi : 0) :
	    max ? f->max : f->min;
	uint64_t v = o->on ? o->value : sample;
	static const uint8_t zero[KL_ID_BYTES];
	uint8_t fill[128];

	if (is_repeated(f->type)) {
		put_repeated(w, f, i, v, o->longer);
		return;
	}
	put_tag(w, i, f->type);
	switch (f->type) {
	case SPEC_FIXED:
		memset(fill, (int)sample, sizeof fill);
		put_data(w, fill, o->on ? o->value : f->lo, o->longer);
		return;
	case SPEC_ID:
		if (o->on)
			put_view(w, f, v, o);
		else if (v == 0)
			put_data(w, zero, sizeof zero, o->longer);
		else
			put_id(w, v, o->longer);
		return;
	case SPEC_VIEW:
		put_view(w, f, v, o);
		return;
	default:
		put_varint(w, v, o->longer);
	}
}

static void
build(const struct spec *s, bool max, const struct odd *odd,
    struct spec_bytes *out)
{
	static const struct odd none;
	struct kl_writer w;

	kl_writer_init(&w, out->b, sizeof out->b);
	for (size_t i = 0; i < s->n; i++) {
		const struct odd *o = odd != NULL && odd->field == i ?
		    odd : &none;

		if (!o->missing)
			put_field(&w, &s->fields[i], i, max, o);
		if (o->doubled)
			put_field(&w, &s->fields[i], i, max, o);
		out->end[i] = w.n;
	}
	ck_assert(!w.full);
	out->n = w.n;
}

void
spec_build(const struct spec *s, bool max, struct spec_bytes *out)
{
	build(s, max, NULL, out);
}

void
spec_build_with(const struct spec *s, bool max, size_t i, uint64_t value,
    struct spec_bytes *out)
{
	struct odd o = { .on = true, .field = i, .value = value };

	build(s, max, &o, out);
}

/* ---- promises ------------------------------------------------------------ */

static enum kl_code
read_code(const struct spec *s, const struct spec_bytes *in, size_t n)
{
	struct kl_arena *mem = kl_arena_new(ARENA_BYTES, ARENA_ALLOCS);
	/* Of its exact length, so that a read past the end shows. */
	uint8_t *exact = malloc(n == 0 ? 1 : n);
	void *out = malloc(s->size);
	enum kl_code code;

	ck_assert(mem != NULL && exact != NULL && out != NULL);
	memcpy(exact, in->b, n);
	memset(out, 0x5a, s->size);
	code = s->read(s, kl_bytes(exact, n), mem, out);
	if (code != KL_C_OK)
		ck_assert_msg(kl_bytes_zero(kl_bytes(out, s->size)),
		    "%s: leaves something behind on failure", s->name);
	free(out);
	free(exact);
	kl_arena_free(mem);
	return code;
}

static void
expect(const struct spec *s, const struct spec_bytes *in, enum kl_code want,
    const char *what, size_t field)
{
	enum kl_code code = read_code(s, in, in->n);

	ck_assert_msg(code == want, "%s: %s, field %zu: %s, not %s", s->name,
	    what, field + 1, kl_code_name(code), kl_code_name(want));
}

static void
round_trip(const struct spec *s, bool max)
{
	struct kl_arena *mem = kl_arena_new(ARENA_BYTES, ARENA_ALLOCS);
	static struct spec_bytes in;
	static uint8_t again[SPEC_BYTES_MAX];
	void *out = malloc(s->size);
	enum kl_code code;
	size_t n;

	spec_build(s, max, &in);
	ck_assert(mem != NULL && out != NULL);
	code = s->read(s, kl_bytes(in.b, in.n), mem, out);
	ck_assert_msg(code == KL_C_OK, "%s: %s of %zu bytes: %s", s->name,
	    max ? "maximum" : "minimum", in.n, kl_code_name(code));
	ck_assert_int_eq(s->pack(s, out, again, sizeof again, &n), KL_OK);
	ck_assert_msg(kl_bytes_equal(kl_bytes(again, n),
	    kl_bytes(in.b, in.n)), "%s: packs to other bytes", s->name);
	if (n > 0)
		ck_assert_int_eq(s->pack(s, out, again, n - 1, &n), KL_E_SIZE);
	ck_assert_uint_eq(n, 0);
	free(out);
	kl_arena_free(mem);
}

void
spec_round_trips(const struct spec *s)
{
	round_trip(s, false);
	round_trip(s, true);
}

static void
number_out_of_range(const struct spec *s, size_t i)
{
	const struct spec_field *f = &s->fields[i];
	static struct spec_bytes b;

	if (f->lo > 0) {
		spec_build_with(s, false, i, f->lo - 1, &b);
		expect(s, &b, KL_C_VALUE_UNKNOWN, "below its range", i);
	}
	if (f->hi == UINT64_MAX)
		return;
	spec_build_with(s, false, i, f->hi + 1, &b);
	/* Above 32 bits no canonical form exists. */
	expect(s, &b, f->type == SPEC_U32 && f->hi == UINT32_MAX ?
	    KL_C_MALFORMED : KL_C_VALUE_UNKNOWN, "above its range", i);
}

static void
length_out_of_range(const struct spec *s, size_t i, uint64_t lo, uint64_t hi)
{
	static struct spec_bytes b;

	if (lo > 0) {
		spec_build_with(s, false, i, lo - 1, &b);
		expect(s, &b, KL_C_VALUE_UNKNOWN, "too short", i);
		spec_build_with(s, false, i, 0, &b);
		expect(s, &b, KL_C_VALUE_UNKNOWN, "empty", i);
	}
	spec_build_with(s, false, i, hi + 1, &b);
	expect(s, &b, KL_C_VALUE_UNKNOWN, "too long", i);
}

/* One element of a list is longer than the rest of its kind may be. */
static void
element_too_long(const struct spec *s, size_t i)
{
	const struct spec_field *f = &s->fields[i];
	static struct spec_bytes b, tail;
	static uint8_t fill[SPEC_BYTES_MAX];
	struct kl_writer w;

	spec_build(s, false, &tail);
	kl_writer_init(&w, b.b, sizeof b.b);
	kl_put(&w, tail.b, tail.end[i]);
	put_tag(&w, i, f->type);
	memset(fill, 'a', f->lo + 1);
	put_data(&w, fill, f->lo + 1, false);
	kl_put(&w, tail.b + tail.end[i], tail.n - tail.end[i]);
	b.n = w.n;
	ck_assert(!w.full);
	expect(s, &b, KL_C_VALUE_UNKNOWN, "element too long", i);
}

static void
field_out_of_range(const struct spec *s, size_t i)
{
	const struct spec_field *f = &s->fields[i];
	static struct spec_bytes b;

	switch (f->type) {
	case SPEC_U32:
	case SPEC_U64:
		number_out_of_range(s, i);
		return;
	case SPEC_TIME:
		spec_build_with(s, false, i, KL_TIME_MAX_MS + 1, &b);
		expect(s, &b, KL_C_VALUE_UNKNOWN, "after 9999", i);
		spec_build_with(s, false, i, UINT64_MAX, &b);
		expect(s, &b, KL_C_VALUE_UNKNOWN, "before 1970", i);
		return;
	case SPEC_FIXED:
		length_out_of_range(s, i, f->lo, f->lo);
		return;
	case SPEC_ID:
		length_out_of_range(s, i, KL_ID_BYTES, KL_ID_BYTES);
		spec_build_with(s, false, i, KL_ID_BYTES, &b);
		expect(s, &b, KL_C_VALUE_UNKNOWN, "no participant", i);
		return;
	case SPEC_VIEW:
		length_out_of_range(s, i, f->lo, f->hi);
		return;
	default:
		spec_build_with(s, false, i, f->hi + 1, &b);
		expect(s, &b, KL_C_VALUE_UNKNOWN, "too many", i);
		if (f->type == SPEC_VIEWS)
			element_too_long(s, i);
	}
}

void
spec_refuses_values_out_of_range(const struct spec *s)
{
	for (size_t i = 0; i < s->n; i++)
		field_out_of_range(s, i);
}

/* Where a message may end early: all required fields are there, and no field
 * is cut through. */
static bool
may_end(const struct spec *s, const struct spec_bytes *b, size_t n)
{
	size_t required = 0, last = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!is_repeated(s->fields[i].type))
			required = b->end[i];
	if (n < required)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (b->end[i] <= n)
			last = b->end[i];
	if (n == last)
		return true;
	/* Inside a list: between two of its equal elements. */
	for (size_t i = 0; i < s->n; i++)
		if (b->end[i] > n)
			return (n - last) % ((b->end[i] - last) /
			    s->fields[i].hi) == 0;
	return false;
}

static void
truncate_all(const struct spec *s, bool max)
{
	static struct spec_bytes b;

	spec_build(s, max, &b);
	for (size_t n = 0; n < b.n; n++) {
		enum kl_code code = read_code(s, &b, n);

		if (may_end(s, &b, n))
			continue;
		ck_assert_msg(code == KL_C_MALFORMED,
		    "%s: cut to %zu of %zu: %s", s->name, n, b.n,
		    kl_code_name(code));
	}
}

void
spec_refuses_truncation(const struct spec *s)
{
	static struct spec_bytes b;

	truncate_all(s, false);
	spec_build(s, true, &b);
	if (b.n < 4000)
		truncate_all(s, true);
}

void
spec_refuses_unknown_fields(const struct spec *s)
{
	static const char *const extra[] = {
		"\xc0\x0c\x00",		/* 200: a varint */
		"\xc2\x0c\x01x",	/* 200: bytes */
		"\xc5\x0c\x01\x02\x03\x04",	/* 200: 32 bits */
		"\xfa\xff\xff\xff\x0f\x01x",	/* the largest number */
	};
	static const size_t length[] = { 3, 4, 6, 7 };
	static struct spec_bytes b;

	for (size_t i = 0; i < 4; i++) {
		spec_build(s, false, &b);
		memcpy(b.b + b.n, extra[i], length[i]);
		b.n += length[i];
		expect(s, &b, KL_C_MALFORMED, "unknown field behind", i);
		spec_build(s, false, &b);
		memmove(b.b + length[i], b.b, b.n);
		memcpy(b.b, extra[i], length[i]);
		b.n += length[i];
		expect(s, &b, KL_C_MALFORMED, "unknown field before", i);
	}
}

void
spec_refuses_missing_and_doubled_fields(const struct spec *s)
{
	static struct spec_bytes b;

	for (size_t i = 0; i < s->n; i++) {
		struct odd o = { .field = i, .missing = true };

		if (is_repeated(s->fields[i].type))
			continue;
		build(s, false, &o, &b);
		expect(s, &b, KL_C_MALFORMED, "missing", i);
		o = (struct odd){ .field = i, .doubled = true };
		build(s, false, &o, &b);
		expect(s, &b, KL_C_MALFORMED, "doubled", i);
	}
}

static void
other_order(const struct spec *s)
{
	static struct spec_bytes b;
	uint8_t first[SPEC_BYTES_MAX];
	size_t n;

	spec_build(s, true, &b);
	n = b.end[0];
	if (s->n < 2 || b.n == n || n > 64)
		return;
	memcpy(first, b.b, n);
	memmove(b.b, b.b + n, b.n - n);
	memcpy(b.b + b.n - n, first, n);
	expect(s, &b, KL_C_MALFORMED, "out of order", 0);
}

void
spec_refuses_what_is_not_canonical(const struct spec *s)
{
	static struct spec_bytes b;

	for (size_t i = 0; i < s->n; i++) {
		const struct spec_field *f = &s->fields[i];
		struct odd o = { .field = i, .longer = true };

		build(s, true, &o, &b);
		expect(s, &b, KL_C_MALFORMED, "longer varint", i);
		if (f->type != SPEC_U32S && f->type != SPEC_U64S)
			continue;
		/* The packed form of a list of numbers. */
		spec_build(s, false, &b);
		memmove(b.b + b.end[i] + 3, b.b + b.end[i], b.n - b.end[i]);
		b.b[b.end[i]] = (uint8_t)((i + 1) << 3 | 2);
		b.b[b.end[i] + 1] = 1;
		b.b[b.end[i] + 2] = 1;
		b.n += 3;
		expect(s, &b, KL_C_MALFORMED, "packed list", i);
	}
	other_order(s);
}

/* A frame full of one small field over and over. */
static void
flood(const struct spec *s, const uint8_t *unit, size_t n)
{
	static struct spec_bytes b;
	enum kl_code code;

	b.n = 0;
	while (b.n + n <= KL_FRAME_MAX) {
		memcpy(b.b + b.n, unit, n);
		b.n += n;
	}
	code = read_code(s, &b, b.n);
	ck_assert_msg(code == KL_C_MALFORMED || code == KL_C_VALUE_UNKNOWN ||
	    code == KL_C_TRY_LATER, "%s: flood: %s", s->name,
	    kl_code_name(code));
}

void
spec_stays_in_its_arena(const struct spec *s)
{
	static const uint8_t unknown[] = { 0xc2, 0x0c, 0 };
	static struct spec_bytes b;
	struct kl_arena *mem = kl_arena_new(64, 1);
	void *out = malloc(s->size);

	flood(s, unknown, sizeof unknown);
	for (size_t i = 0; i < s->n && i < 15; i++) {
		uint8_t unit[2] = { (uint8_t)((i + 1) << 3), 0 };

		flood(s, unit, sizeof unit);
		unit[0] |= 2;
		flood(s, unit, sizeof unit);
	}
	/* Too little for anything: our lack, so it may be sent again. */
	spec_build(s, true, &b);
	ck_assert(mem != NULL && out != NULL);
	ck_assert_int_eq(s->read(s, kl_bytes(b.b, b.n), mem, out),
	    KL_C_TRY_LATER);
	free(out);
	kl_arena_free(mem);
}
