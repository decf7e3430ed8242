/*
 * The layers of an envelope, table for table, and what they say about each
 * other.
 */
#include <kortelijn/wire/signed.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <tests/support/spec.h>

#define ARENA_BYTES (256 * 1024)
#define ARENA_ALLOCS 512
#define ID_A 11111111
#define ID_B 22222222

/* ---- the layers of an envelope ------------------------------------------- */

/* PROTOCOL.md 4.1 to 4.3. */
static const struct spec_field header_referral[] = {
	U_AS(1, ANY32, 1, 1), U_AS(1, ANY32, 1, 1), U_AS(1, 3, 1, 1),
	U(1, 1), U(1, 9), U_AS(1, 5, 1, 1), U_AS(1, 4, 1, 4), U(1, 255),
	F(16, 9, 9), F(16, 10, 10), { SPEC_U64, 1, ANY32, 1, ANY32, NULL },
	F(32, 0, 0), F(16, 0, 13), ID(ID_A), ID(ID_B), F(16, 0, 16),
	F(16, 0, 17), F(16, 0, 18), T(0, LAST), T(0, LAST), T(0, LAST),
	T(0, LAST),
};
static const struct spec_field header_correction[] = {
	U_AS(1, ANY32, 1, 1), U_AS(1, ANY32, 1, 1), U_AS(1, 3, 2, 2),
	U(1, 1), U(1, 9), U_AS(1, 5, 1, 1), U_AS(1, 4, 1, 1), U(1, 255),
	F(16, 9, 9), F(16, 10, 10), { SPEC_U64, 1, ANY32, 1, ANY32, NULL },
	F(32, 12, 12), F(16, 0, 13), ID(ID_A), ID(ID_B), F(16, 0, 16),
	F(16, 0, 17), F(16, 0, 18), T(0, LAST), T(0, LAST), T(0, 0),
	T(0, LAST),
};
static const struct spec_field header_feedback[] = {
	U_AS(1, ANY32, 1, 1), U_AS(1, ANY32, 1, 1), U_AS(1, 3, 3, 3),
	U(1, 1), U(1, 9), U_AS(1, 5, 2, 5), U(1, 4), U(1, 255),
	F(16, 9, 9), F(16, 10, 10), { SPEC_U64, 1, ANY32, 1, ANY32, NULL },
	F(32, 12, 12), F(16, 0, 13), ID(ID_A), ID(ID_B), F(16, 0, 16),
	F(16, 0, 17), F(16, 0, 18), T(0, LAST), T(0, LAST), T(0, 0),
	T(0, LAST),
};
static const struct spec_field consent[] = {
	U(1, 1), U(1, 4), U(1, 2), U(1, 65535), U(1, 2932896),
	U(1, 2932896), U(1, 1), F(32, 0, 8), F(32, 0, 9), IDS(4),
};
static const struct spec_field preview[] = { F(32, 0, 1) };
static const struct spec_field outer[] = {
	V(1, 15920), F(64, 0, 2),
};

static struct spec_bytes
sample(const struct spec_field *fields, size_t n, bool max)
{
	const struct spec s = { "sample", fields, n, 0, 0, NULL, NULL };
	struct spec_bytes b;

	spec_build(&s, max, &b);
	return b;
}
#define SAMPLE(fields, max) \
	sample(fields, sizeof fields / sizeof fields[0], max)

/* A consent of the level that a header of this size of sample names. */
static struct spec_bytes
consent_of_level(uint32_t level)
{
	const struct spec s = { "consent", consent,
		sizeof consent / sizeof consent[0], 0, 0, NULL, NULL };
	struct spec_bytes b;

	spec_build_with(&s, false, 1, level, &b);
	return b;
}

static enum kl_code
read_body(struct kl_bytes header, struct kl_bytes consent_bytes, uint32_t n_ct,
    struct kl_arena *mem, struct kl_envelope *out)
{
	struct kl_envelope e = {
		.header_bytes = header, .consent_bytes = consent_bytes,
		.ct_len = n_ct,
	};
	static uint8_t buf[2048];
	size_t n;

	/* What breaks the outer rows is refused there, by the same code. */
	if (kl_envelope_pack(&e, buf, sizeof buf, &n) != KL_OK)
		return KL_C_VALUE_UNKNOWN;
	return kl_envelope_read(kl_bytes(buf, n), mem, out);
}

static uint32_t
ct_len_of(uint32_t kind)
{
	return (uint32_t)kl_plain_bytes(kind) + KL_CT_EXTRA;
}

/* s->type is the kind. A REFERRAL's level is tried with each consent. */
static enum kl_code
read_header(const struct spec *s, struct kl_bytes in, struct kl_arena *mem,
    void *out)
{
	struct spec_bytes p = SAMPLE(preview, false);
	enum kl_code code = KL_C_MALFORMED;
	struct kl_envelope e;

	memset(out, 0, s->size);
	for (uint32_t level = 1; level <= 4; level++) {
		struct spec_bytes c = consent_of_level(level);
		struct kl_bytes beside =
		    s->type == KL_REFERRAL ? kl_bytes(c.b, c.n) :
		    s->type == KL_CORRECTION ? kl_bytes(p.b, p.n) :
		    KL_BYTES_NONE;

		if (in.n > KL_HEADER_MAX)
			return KL_C_MALFORMED;
		code = in.n == 0 ? KL_C_MALFORMED : read_body(in, beside,
		    ct_len_of(s->type), mem, &e);
		if (code != KL_C_LEVEL)
			break;
	}
	if (code == KL_C_OK)
		memcpy(out, &e.header, sizeof e.header);
	return code;
}

static int
pack_header(const struct spec *s, const void *in, uint8_t *buf, size_t cap,
    size_t *n)
{
	(void)s;
	return kl_header_pack(in, buf, cap, n);
}

static enum kl_code
read_consent(const struct spec *s, struct kl_bytes in, struct kl_arena *mem,
    void *out)
{
	struct spec_bytes h = SAMPLE(header_referral, false);
	enum kl_code code = KL_C_MALFORMED;
	struct kl_envelope e;

	memset(out, 0, s->size);
	for (uint8_t level = 1; level <= 4; level++) {
		h.b[h.end[6] - 1] = level;
		if (in.n > KL_CONSENT_MAX)
			return KL_C_MALFORMED;
		code = in.n == 0 ? KL_C_MALFORMED : read_body(
		    kl_bytes(h.b, h.n), in, ct_len_of(KL_REFERRAL), mem, &e);
		if (code != KL_C_LEVEL)
			break;
	}
	if (code == KL_C_OK)
		memcpy(out, &e.consent, sizeof e.consent);
	return code;
}

static int
pack_consent(const struct spec *s, const void *in, uint8_t *buf, size_t cap,
    size_t *n)
{
	(void)s;
	return kl_consent_pack(in, buf, cap, n);
}

static enum kl_code
read_preview(const struct spec *s, struct kl_bytes in, struct kl_arena *mem,
    void *out)
{
	struct spec_bytes h = SAMPLE(header_correction, false);
	struct kl_envelope e;
	enum kl_code code;

	memset(out, 0, s->size);
	if (in.n > KL_CONSENT_MAX)
		return KL_C_MALFORMED;
	code = read_body(kl_bytes(h.b, h.n), in, ct_len_of(KL_CORRECTION),
	    mem, &e);
	if (code == KL_C_OK)
		memcpy(out, &e.preview_hash, sizeof e.preview_hash);
	return code;
}

static int
pack_preview(const struct spec *s, const void *in, uint8_t *buf, size_t cap,
    size_t *n)
{
	(void)s;
	return kl_preview_pack(in, buf, cap, n);
}

/* The body around a FEEDBACK: its header is the sample of above, and is put
 * in when the tests are set up. */
static struct spec_field body[7];

static enum kl_code
read_whole(const struct spec *s, struct kl_bytes in, struct kl_arena *mem,
    void *out)
{
	(void)s;
	return kl_envelope_read(in, mem, out);
}

static int
pack_whole(const struct spec *s, const void *in, uint8_t *buf, size_t cap,
    size_t *n)
{
	(void)s;
	return kl_envelope_pack(in, buf, cap, n);
}

static void
make_body(void)
{
	static struct spec_bytes h;
	const struct spec_field fields[] = {
		V_AS(1, 320, h.n, h.n, (const char *)h.b),
		V_AS(0, 256, 0, 0, NULL), F(32, 0, 3), F(24, 0, 4),
		F(32, 0, 5), F(32, 0, 6), U_AS(1, 1296, 144, 144),
	};

	h = SAMPLE(header_feedback, true);
	memcpy(body, fields, sizeof body);
	body[0].min = body[0].max = h.n;
}

static enum kl_code
read_outer(const struct spec *s, struct kl_bytes in, struct kl_arena *mem,
    void *out)
{
	(void)s;
	return kl_signed_read(in, mem, out);
}

static int
pack_outer(const struct spec *s, const void *in, uint8_t *buf, size_t cap,
    size_t *n)
{
	(void)s;
	return kl_signed_pack(in, buf, cap, n);
}

static const struct spec specs[] = {
	{ "referral header", header_referral, 22, sizeof (struct kl_header),
	  KL_REFERRAL, read_header, pack_header },
	{ "correction header", header_correction, 22,
	  sizeof (struct kl_header), KL_CORRECTION, read_header, pack_header },
	{ "feedback header", header_feedback, 22, sizeof (struct kl_header),
	  KL_FEEDBACK, read_header, pack_header },
	{ "consent", consent, 10, sizeof (struct kl_consent), 0,
	  read_consent, pack_consent },
	{ "preview", preview, 1, sizeof (struct kl_hash), 0, read_preview,
	  pack_preview },
	{ "body", body, 7, sizeof (struct kl_envelope), 0, read_whole,
	  pack_whole },
	{ "signed", outer, 2, sizeof (struct kl_signed), 0, read_outer,
	  pack_outer },
};
#define N_SPECS ((int)(sizeof specs / sizeof specs[0]))

SPEC_TESTS

/* ---- envelope: layers and what they say about each other ----------------- */

static struct kl_arena *mem;

static void
setup(void)
{
	make_body();
	mem = kl_arena_new(ARENA_BYTES, ARENA_ALLOCS);
	ck_assert_ptr_nonnull(mem);
}

static void
teardown(void)
{
	kl_arena_free(mem);
}

struct layers {
	struct spec_bytes header, consent;
};

static struct layers
layers_of(uint32_t kind, bool max)
{
	struct layers l = { .consent = { .n = 0 } };

	switch (kind) {
	case KL_REFERRAL:
		l.header = SAMPLE(header_referral, max);
		l.consent = SAMPLE(consent, max);
		break;
	case KL_CORRECTION:
		l.header = SAMPLE(header_correction, max);
		l.consent = SAMPLE(preview, max);
		break;
	default:
		l.header = SAMPLE(header_feedback, max);
		break;
	}
	return l;
}

static enum kl_code
read_layers(const struct layers *l, uint32_t n_ct, struct kl_envelope *e)
{
	return read_body(kl_bytes(l->header.b, l->header.n),
	    kl_bytes(l->consent.b, l->consent.n), n_ct, mem, e);
}

START_TEST(an_envelope_of_each_kind_is_read)
{
	struct layers l = layers_of((uint32_t)_i, true);
	struct kl_envelope e;

	ck_assert_int_eq(read_layers(&l, ct_len_of((uint32_t)_i), &e),
	    KL_C_OK);
	ck_assert_uint_eq(e.header.kind, (uint32_t)_i);
	ck_assert_uint_eq(e.header.seq, UINT32_MAX);
	ck_assert_uint_eq(e.header_bytes.n, l.header.n);
	ck_assert_uint_eq(e.consent_bytes.n, l.consent.n);
	ck_assert_uint_eq(e.preview_hash.b[0],
	    _i == KL_REFERRAL ? 8 : _i == KL_CORRECTION ? 1 : 0);
	ck_assert_uint_eq(e.consent.n_onward_to, _i == KL_REFERRAL ? 4 : 0);
}
END_TEST

START_TEST(an_envelope_of_the_largest_fields_fits_its_limits)
{
	struct layers l = layers_of(KL_REFERRAL, true);
	struct kl_envelope e = { .ct_len = KL_CT_MAX,
		.header_bytes = kl_bytes(l.header.b, l.header.n),
		.consent_bytes = kl_bytes(l.consent.b, l.consent.n) };
	uint8_t buf[KL_ENVELOPE_MAX], out[KL_ENVELOPE_MAX];
	struct kl_signed s;
	size_t n;

	ck_assert_uint_le(l.header.n, KL_HEADER_MAX);
	ck_assert_uint_le(l.consent.n, KL_CONSENT_MAX);
	ck_assert_int_eq(kl_envelope_pack(&e, buf, sizeof buf, &n), KL_OK);
	s = (struct kl_signed){ .body = kl_bytes(buf, n) };
	ck_assert_int_eq(kl_signed_pack(&s, out, sizeof out, &n), KL_OK);
	ck_assert_uint_le(n, KL_ENVELOPE_MAX);
}
END_TEST

START_TEST(a_ciphertext_has_the_length_of_its_kind)
{
	struct layers l = layers_of((uint32_t)_i, false);
	uint32_t right = ct_len_of((uint32_t)_i);
	struct kl_envelope e;

	ck_assert_int_eq(read_layers(&l, right - 1, &e), KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_layers(&l, right + 1, &e), KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_layers(&l, 1, &e), KL_C_VALUE_UNKNOWN);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(e.header)));
}
END_TEST

START_TEST(consent_bytes_belong_to_their_kind)
{
	struct layers referral = layers_of(KL_REFERRAL, false);
	struct layers correction = layers_of(KL_CORRECTION, false);
	struct layers feedback = layers_of(KL_FEEDBACK, false);
	struct spec_bytes c = referral.consent, p = correction.consent;
	struct kl_envelope e;

	referral.consent.n = 0;
	ck_assert_int_eq(read_layers(&referral, ct_len_of(KL_REFERRAL), &e),
	    KL_C_NO_CONSENT);
	referral.consent = p;
	ck_assert_int_eq(read_layers(&referral, ct_len_of(KL_REFERRAL), &e),
	    KL_C_MALFORMED);
	correction.consent.n = 0;
	ck_assert_int_eq(read_layers(&correction, ct_len_of(KL_CORRECTION),
	    &e), KL_C_MALFORMED);
	correction.consent = c;
	ck_assert_int_eq(read_layers(&correction, ct_len_of(KL_CORRECTION),
	    &e), KL_C_MALFORMED);
	feedback.consent = p;
	ck_assert_int_eq(read_layers(&feedback, ct_len_of(KL_FEEDBACK), &e),
	    KL_C_MALFORMED);
}
END_TEST

static struct kl_header
header_of(uint32_t kind)
{
	struct layers l = layers_of(kind, false);
	struct kl_envelope e;

	ck_assert_int_eq(read_layers(&l, ct_len_of(kind), &e), KL_C_OK);
	return e.header;
}

/* What a reader says of a header as it is now. */
static enum kl_code
code_of(const struct kl_header *h)
{
	struct layers l = layers_of(h->kind, false);
	struct kl_envelope e;

	ck_assert_int_eq(kl_header_pack(h, l.header.b, sizeof l.header.b,
	    &l.header.n), KL_OK);
	return read_layers(&l, ct_len_of(h->kind), &e);
}

START_TEST(another_version_or_suite_has_its_own_code)
{
	struct kl_header h = header_of(KL_FEEDBACK);

	h.version = 2;
	ck_assert_int_eq(code_of(&h), KL_C_VERSION);
	h.version = 1;
	h.suite = 2;
	ck_assert_int_eq(code_of(&h), KL_C_SUITE);
}
END_TEST

START_TEST(answers_is_zero_in_a_referral_only)
{
	struct kl_header h = header_of(KL_REFERRAL);

	h.answers.b[31] = 1;
	ck_assert_int_eq(code_of(&h), KL_C_ANSWERS);
	h = header_of(KL_CORRECTION);
	memset(&h.answers, 0, sizeof h.answers);
	ck_assert_int_eq(code_of(&h), KL_C_ANSWERS);
	h = header_of(KL_FEEDBACK);
	memset(&h.answers, 0, sizeof h.answers);
	ck_assert_int_eq(code_of(&h), KL_C_ANSWERS);
}
END_TEST

START_TEST(roles_are_those_of_the_contract)
{
	unsigned int allowed = 0;

	for (uint32_t k = 0; k <= KL_FEEDBACK + 1; k++)
		for (uint32_t s = 0; s <= KL_BROKER; s++)
			for (uint32_t t = 0; t <= KL_BROKER; t++)
				allowed += kl_envelope_roles(k, s, t) ? 1 : 0;
	/* Three ways for a referral, the same for its correction, three for a
	 * feedback. */
	ck_assert_uint_eq(allowed, 9);
	ck_assert(kl_envelope_roles(KL_REFERRAL, KL_PRACTICE, KL_MUNICIPALITY));
	ck_assert(kl_envelope_roles(KL_REFERRAL, KL_MUNICIPALITY, KL_PARTNER));
	ck_assert(kl_envelope_roles(KL_FEEDBACK, KL_MUNICIPALITY, KL_PRACTICE));
	ck_assert(kl_envelope_roles(KL_FEEDBACK, KL_PARTNER, KL_MUNICIPALITY));
	ck_assert(!kl_envelope_roles(KL_REFERRAL, KL_PARTNER, KL_MUNICIPALITY));
	ck_assert(!kl_envelope_roles(KL_FEEDBACK, KL_PRACTICE,
	    KL_MUNICIPALITY));
}
END_TEST

START_TEST(a_kind_leaves_its_fields_alone)
{
	struct kl_header h = header_of(KL_REFERRAL);

	h.milestone = KL_MS_TAKEN_UP;
	ck_assert_int_eq(code_of(&h), KL_C_VALUE_UNKNOWN);
	h = header_of(KL_CORRECTION);
	h.milestone = KL_MS_ENDED;
	ck_assert_int_eq(code_of(&h), KL_C_VALUE_UNKNOWN);
	h = header_of(KL_CORRECTION);
	h.feedback_level = KL_LEVEL_1;
	ck_assert_int_eq(code_of(&h), KL_C_VALUE_UNKNOWN);
	h = header_of(KL_CORRECTION);
	h.answer_by_ms = 1;
	ck_assert_int_eq(code_of(&h), KL_C_VALUE_UNKNOWN);
	h = header_of(KL_FEEDBACK);
	h.answer_by_ms = 1;
	ck_assert_int_eq(code_of(&h), KL_C_VALUE_UNKNOWN);
	h = header_of(KL_FEEDBACK);
	h.milestone = KL_MS_NONE;
	ck_assert_int_eq(code_of(&h), KL_C_VALUE_UNKNOWN);
}
END_TEST

START_TEST(ids_are_not_zero_and_not_the_same)
{
	struct kl_header h = header_of(KL_FEEDBACK);

	memset(&h.msg_id, 0, sizeof h.msg_id);
	ck_assert_int_eq(code_of(&h), KL_C_VALUE_UNKNOWN);
	h = header_of(KL_FEEDBACK);
	memset(&h.conv_id, 0, sizeof h.conv_id);
	ck_assert_int_eq(code_of(&h), KL_C_VALUE_UNKNOWN);
	h = header_of(KL_FEEDBACK);
	h.receiver = h.sender;
	ck_assert_int_eq(code_of(&h), KL_C_VALUE_UNKNOWN);
	h = header_of(KL_FEEDBACK);
	h.replaces = h.msg_id;
	ck_assert_int_eq(code_of(&h), KL_C_REPLACES);
}
END_TEST

START_TEST(header_and_consent_name_the_same_level)
{
	struct kl_header h = header_of(KL_REFERRAL);

	h.feedback_level = KL_LEVEL_2;
	ck_assert_int_eq(code_of(&h), KL_C_LEVEL);
}
END_TEST

START_TEST(consent_names_each_receiver_once)
{
	struct kl_consent c = { .n_onward_to = 2, .referral = 1,
		.feedback_level = 1, .form = 1, .info_text_version = 1,
		.given_on = 1, .valid_until = 1, .recorded_in_his = 1 };
	uint8_t buf[KL_CONSENT_MAX];
	size_t n;

	ck_assert_int_eq(kl_id_read("kvk:12345678", &c.onward_to[0]), KL_OK);
	ck_assert_int_eq(kl_id_read("kvk:12345679", &c.onward_to[1]), KL_OK);
	ck_assert_int_eq(kl_consent_pack(&c, buf, sizeof buf, &n), KL_OK);
	c.onward_to[1] = c.onward_to[0];
	ck_assert_int_eq(kl_consent_pack(&c, buf, sizeof buf, &n),
	    KL_E_VALUE);
	memset(&c.onward_to[1], 0, sizeof c.onward_to[1]);
	ck_assert_int_eq(kl_consent_pack(&c, buf, sizeof buf, &n),
	    KL_E_VALUE);
}
END_TEST

START_TEST(a_signed_frame_above_its_limit_is_refused)
{
	static uint8_t big[KL_SIGNED_MAX + 1];
	struct kl_signed s;

	ck_assert_int_eq(kl_signed_read(KL_BYTES_OF(big), mem, &s),
	    KL_C_MALFORMED);
	ck_assert_uint_eq(s.body.n, 0);
}
END_TEST

START_TEST(each_kind_has_one_length)
{
	ck_assert_uint_eq(kl_plain_bytes(KL_REFERRAL), 1280);
	ck_assert_uint_eq(kl_plain_bytes(KL_CORRECTION), 1280);
	ck_assert_uint_eq(kl_plain_bytes(KL_FEEDBACK), 128);
	ck_assert_uint_eq(kl_plain_bytes(0), 0);
	ck_assert_uint_eq(kl_plain_bytes(4), 0);
}
END_TEST

static void
add_envelope_tests(TCase *tc)
{
	tcase_add_loop_test(tc, an_envelope_of_each_kind_is_read, KL_REFERRAL,
	    KL_FEEDBACK + 1);
	tcase_add_test(tc, an_envelope_of_the_largest_fields_fits_its_limits);
	tcase_add_loop_test(tc, a_ciphertext_has_the_length_of_its_kind,
	    KL_REFERRAL, KL_FEEDBACK + 1);
	tcase_add_test(tc, consent_bytes_belong_to_their_kind);
	tcase_add_test(tc, another_version_or_suite_has_its_own_code);
	tcase_add_test(tc, answers_is_zero_in_a_referral_only);
	tcase_add_test(tc, a_kind_leaves_its_fields_alone);
	tcase_add_test(tc, roles_are_those_of_the_contract);
	tcase_add_test(tc, ids_are_not_zero_and_not_the_same);
	tcase_add_test(tc, header_and_consent_name_the_same_level);
	tcase_add_test(tc, consent_names_each_receiver_once);
	tcase_add_test(tc, a_signed_frame_above_its_limit_is_refused);
	tcase_add_test(tc, each_kind_has_one_length);
}

int
main(void)
{
	Suite *s = suite_create("signed");
	TCase *tc = tcase_create("signed");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	SPEC_TESTS_ADD(tc, N_SPECS);
	add_envelope_tests(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
