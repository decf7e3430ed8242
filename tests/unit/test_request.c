#include <kortelijn/wire/request.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <tests/support/spec.h>

#define ID_A 11111111
#define ID_B 22222222
#define HASH "0123456789abcdef0123456789abcdef"

/* PROTOCOL.md 6.1 and 7, table for table. */
static const struct spec_field request[] = {
	U(1, ANY32), U(1, ANY32), Q(1, ANY64), V(0, 16200),
};
static const struct spec_field reply[] = {
	U(1, ANY32), U(0, ANY32), Q(0, ANY64), U(1, 65535), U(0, ANY32),
	T(0, LAST), V(0, 64), V(0, 16200),
};
static const struct spec_field hello[] = {
	F(16, 0, 1), Q(1, ANY64), U(1, 2), U(1, 255), U_AS(1, 255, 1, 255),
	V(0, 1023), V(0, 64),
};
static const struct spec_field hello_reply[] = {
	U(1, 2), U(1, 2), U(1, 2), T(0, LAST), Q(0, ANY64), V(0, 1023),
	V(0, 1023),
};
static const struct spec_field submit[] = { V(1, 1024) };
static const struct spec_field logged[] = {
	Q(0, ANY64), V(1, 384), F(32, 0, 3),
};
static const struct spec_field submit_reply[] = {
	V(1, 512), F(16, 0, 2), F(9, 0, 'Z'),
};
static const struct spec_field fetch[] = { U(0, 30000), QS(16, 7) };
static const struct spec_field fetch_reply[] = { VS_OF(8, 16200, 100) };
static const struct spec_field item[] = {
	Q(1, ANY64), U_AS(1, 9, 9, 1), V(1, 16000), V(0, 512), F(16, 0, 5),
	F(9, 0, '0'),
};
static const struct spec_field put_receipt[] = { U(5, 7), V(1, 2400) };
static const struct spec_field item_ack[] = { QS(64, 7) };
static const struct spec_field withdraw[] = { V(1, 2400) };
static const struct spec_field withdraw_reply[] = {
	V(1, 512), U(0, ANY32), U(0, ANY32), U(0, ANY32),
};
static const struct spec_field directory[] = { Q(0, ANY64) };
static const struct spec_field directory_reply[] = {
	Q(0, ANY64), Q(0, ANY64), VS_OF(64, 16200, 100),
};
static const struct spec_field entry[] = { U(1, 100), V(1, 16000) };
static const struct spec_field publish[] = { VS_OF(16, 16200, 100) };
static const struct spec_field sync[] = {
	U(1, 3), F(16, 0, 2), VS_OF(8, 2400, 100),
};
static const struct spec_field sync_reply[] = {
	VS_OF(64, 512, 100), US(8, 63),
};
static const struct spec_field sync_conversation[] = {
	F(16, 0, 1), F(16, 0, 2), F(9, 0, 'A'), F(32, 0, 4), ID(ID_A),
	ID(ID_B), U(1, 4), U(1, 5), Q(0, ANY64), Q(0, ANY64),
};
/* At their maximum the inclusion of the last leaf. */
static const struct spec_field log_request[] = {
	U_AS(1, 5, 1, 3), Q_AS(0, ANY64, 0, ANY64 - 1), Q(0, ANY64),
};
static const struct spec_field log_reply[] = {
	V(0, 1023), VS_AS(64, HASH), V(0, 8192), Q(0, ANY64), V(0, 4096),
};
static const struct spec_field query_what[] = {
	T(0, LAST - 1), T(0, LAST), ID_OR_NONE(ID_A), ID_OR_NONE(ID_B),
	U(0, 3), U(0, KL_EV_LAST), U(0, 5), U(0, 2), F(16, 0, 1),
	F(9, 0, 'A'), F(16, 0, 2),
};
static const struct spec_field query[] = {
	U_AS(1, 3, 1, 1), V_AS(0, 256, 1, 256, NULL), Q(0, ANY64),
	Q(0, ANY64), Q_AS(0, ANY64, 0, 0),
};
static const struct spec_field query_reply[] = {
	Q(1, ANY64), Q(0, ANY64), VS_OF(64, 512, 100), V(0, 8192),
	Q(0, ANY64),
};
static const struct spec_field query_state[] = {
	U(1, 2), U(1, 2), U(1, 2), Q(0, ANY64), F(32, 0, 1), T(0, LAST),
	T(0, LAST), T(0, LAST), U(0, ANY32), V(1, 1023), V(0, 4096),
};

static enum kl_code
read_message(const struct spec *s, struct kl_bytes in, struct kl_arena *mem,
    void *out)
{
	return kl_message_read(s->type, in, mem, out, s->size);
}

static int
pack_message(const struct spec *s, const void *in, uint8_t *buf, size_t cap,
    size_t *n)
{
	return kl_message_pack(s->type, in, s->size, buf, cap, n);
}

#define MESSAGE(fields, id, type)					\
	{ #type, fields, sizeof fields / sizeof fields[0],		\
	  sizeof (struct type), id, read_message, pack_message }

static const struct spec specs[] = {
	MESSAGE(request, KL_M_REQUEST, kl_request_msg),
	MESSAGE(reply, KL_M_REPLY, kl_reply_msg),
	MESSAGE(hello, KL_M_HELLO, kl_hello),
	MESSAGE(hello_reply, KL_M_HELLO_REPLY, kl_hello_reply),
	MESSAGE(submit, KL_M_SUBMIT, kl_submit),
	MESSAGE(logged, KL_M_LOGGED, kl_logged),
	MESSAGE(submit_reply, KL_M_SUBMIT_REPLY, kl_submit_reply),
	MESSAGE(fetch, KL_M_FETCH, kl_fetch),
	MESSAGE(fetch_reply, KL_M_FETCH_REPLY, kl_fetch_reply),
	MESSAGE(item, KL_M_ITEM, kl_item),
	MESSAGE(put_receipt, KL_M_PUT_RECEIPT, kl_put_receipt),
	MESSAGE(item_ack, KL_M_ITEM_ACK, kl_item_ack),
	MESSAGE(withdraw, KL_M_WITHDRAW, kl_withdraw),
	MESSAGE(withdraw_reply, KL_M_WITHDRAW_REPLY, kl_withdraw_reply),
	MESSAGE(directory, KL_M_DIRECTORY, kl_directory),
	MESSAGE(directory_reply, KL_M_DIRECTORY_REPLY, kl_directory_reply),
	MESSAGE(entry, KL_M_ENTRY, kl_entry),
	MESSAGE(publish, KL_M_PUBLISH, kl_publish),
	MESSAGE(sync, KL_M_SYNC, kl_sync),
	MESSAGE(sync_reply, KL_M_SYNC_REPLY, kl_sync_reply),
	MESSAGE(sync_conversation, KL_M_SYNC_CONVERSATION,
	    kl_sync_conversation),
	MESSAGE(log_request, KL_M_LOG, kl_log_request),
	MESSAGE(log_reply, KL_M_LOG_REPLY, kl_log_reply),
	MESSAGE(query_what, KL_M_QUERY_WHAT, kl_query_what),
	MESSAGE(query, KL_M_QUERY, kl_query),
	MESSAGE(query_reply, KL_M_QUERY_REPLY, kl_query_reply),
	MESSAGE(query_state, KL_M_QUERY_STATE, kl_query_state),
};
#define N_SPECS ((int)(sizeof specs / sizeof specs[0]))

static struct kl_arena *mem;

static void
setup(void)
{
	mem = kl_arena_new(256 * 1024, 512);
	ck_assert_ptr_nonnull(mem);
}

static void
teardown(void)
{
	kl_arena_free(mem);
}

SPEC_TESTS

/* ---- rules between fields ------------------------------------------------ */

static bool
packs(uint32_t type, const void *in, size_t size)
{
	static uint8_t buf[SPEC_BYTES_MAX];
	size_t n;
	int r = kl_message_pack(type, in, size, buf, sizeof buf, &n);

	ck_assert(r == KL_OK || r == KL_E_VALUE);
	return r == KL_OK;
}
#define PACKS(type, in) packs(type, in, sizeof *(in))

static enum kl_code
read_with(uint32_t type, size_t field, uint64_t value)
{
	const struct spec *s = &specs[type - KL_M_REQUEST];
	static struct spec_bytes b;
	void *out = malloc(s->size);
	enum kl_code code;

	ck_assert_ptr_nonnull(out);
	ck_assert_uint_eq(s->type, type);
	spec_build_with(s, false, field - 1, value, &b);
	code = s->read(s, kl_bytes(b.b, b.n), mem, out);
	free(out);
	return code;
}

START_TEST(a_reader_applies_the_rules_between_fields_too)
{
	ck_assert_int_eq(read_with(KL_M_HELLO, 4, 2), KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_M_ITEM, 2, KL_SORT_ENVELOPE),
	    KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_M_ITEM, 4, 1), KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_M_PUT_RECEIPT, 1, KL_WITHDRAWAL),
	    KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(read_with(KL_M_ENTRY, 1, KL_NOTICE), KL_C_OK);
	for (uint64_t v = KL_NOTICE + 1; v < KL_ENTRY_REFERRAL; v++)
		ck_assert_int_eq(read_with(KL_M_ENTRY, 1, v),
		    KL_C_VALUE_UNKNOWN);
}
END_TEST

START_TEST(a_program_names_itself_in_ascii)
{
	struct kl_hello h = { .epoch = 1, .take_over = KL_NO,
		.schema_min = 1, .schema_max = 1 };

	h.program = kl_bytes_str("kortelijn-practice 0.1.0");
	ck_assert(PACKS(KL_M_HELLO, &h));
	h.program = kl_bytes_str("a\nb");
	ck_assert(!PACKS(KL_M_HELLO, &h));
	h.program = kl_bytes_str("\xc3\xab");
	ck_assert(!PACKS(KL_M_HELLO, &h));
	h.program = KL_BYTES_NONE;
	h.schema_min = 2;
	ck_assert(!PACKS(KL_M_HELLO, &h));
}
END_TEST

START_TEST(a_spoken_reference_is_letters_or_none)
{
	struct kl_submit_reply r = { .logged = kl_bytes_str("x") };
	struct kl_sync_conversation c = { .state = KL_CONV_OPEN,
		.milestone = KL_MS_NONE };
	struct kl_item i = { .item = 1, .sort = KL_NOTICE + 1,
		.content = kl_bytes_str("x") };

	ck_assert_int_eq(kl_id_read("agb:12345678", &c.practice), KL_OK);
	ck_assert_int_eq(kl_id_read("kvk:12345678", &c.receiver), KL_OK);
	ck_assert(PACKS(KL_M_SUBMIT_REPLY, &r));
	ck_assert(PACKS(KL_M_ITEM, &i));
	ck_assert(PACKS(KL_M_SYNC_CONVERSATION, &c));
	memcpy(r.spoken, "ABCDEFGH", 8);	/* the last one is zero */
	ck_assert(!PACKS(KL_M_SUBMIT_REPLY, &r));
	memcpy(i.spoken, "ABCDEFGHI", 9);	/* I is no letter of ours */
	ck_assert(!PACKS(KL_M_ITEM, &i));
	memcpy(c.spoken, "abcdefghj", 9);
	ck_assert(!PACKS(KL_M_SYNC_CONVERSATION, &c));
}
END_TEST

START_TEST(a_proof_is_whole_hashes)
{
	struct kl_log_reply r = { .note = kl_bytes_str("x"),
		.proof = { kl_bytes_str(HASH) }, .n_proof = 1 };

	ck_assert(PACKS(KL_M_LOG_REPLY, &r));
	r.proof[0].n = 31;
	ck_assert(!PACKS(KL_M_LOG_REPLY, &r));
	r.proof[0] = KL_BYTES_NONE;
	ck_assert(!PACKS(KL_M_LOG_REPLY, &r));
	r.n_proof = 0;
	r.tile = kl_bytes_str(HASH HASH);
	ck_assert(PACKS(KL_M_LOG_REPLY, &r));
	r.tile.n--;
	ck_assert(!PACKS(KL_M_LOG_REPLY, &r));
}
END_TEST

START_TEST(a_span_of_minutes_has_a_beginning_before_its_end)
{
	struct kl_query_what w = { .from_minute = 10 };

	ck_assert(PACKS(KL_M_QUERY_WHAT, &w));
	w.to_minute = 11;
	ck_assert(PACKS(KL_M_QUERY_WHAT, &w));
	w.to_minute = 10;
	ck_assert(!PACKS(KL_M_QUERY_WHAT, &w));
	w.to_minute = 0;
	memcpy(w.spoken, "abcdefghj", 9);
	ck_assert(!PACKS(KL_M_QUERY_WHAT, &w));
}
END_TEST

START_TEST(a_query_has_the_fields_of_what_it_wants_only)
{
	struct kl_query q = { .want = KL_QUERY_RECORDS, .from = 7 };

	ck_assert(!PACKS(KL_M_QUERY, &q));
	q.what = kl_bytes_str("x");
	ck_assert(PACKS(KL_M_QUERY, &q));
	q.offset = 1;
	ck_assert(!PACKS(KL_M_QUERY, &q));
	q.want = KL_QUERY_POLICY;
	ck_assert(!PACKS(KL_M_QUERY, &q));
	q.what = KL_BYTES_NONE;
	ck_assert(PACKS(KL_M_QUERY, &q));
	q.want = KL_QUERY_STATE;
	ck_assert(!PACKS(KL_M_QUERY, &q));
	q.offset = 0;
	ck_assert(!PACKS(KL_M_QUERY, &q));
	q.from = 0;
	ck_assert(PACKS(KL_M_QUERY, &q));
}
END_TEST

START_TEST(only_a_proof_has_a_tree_of_its_own)
{
	struct kl_log_request q = { .want = KL_LOG_CONSISTENCY, .size = 9,
		.at = 9 };

	ck_assert(PACKS(KL_M_LOG, &q));
	q.at = 8;
	ck_assert(!PACKS(KL_M_LOG, &q));
	q.at = 0;
	ck_assert(PACKS(KL_M_LOG, &q));
	q.want = KL_LOG_INCLUSION;
	ck_assert(PACKS(KL_M_LOG, &q));
	q.at = 9;
	ck_assert(!PACKS(KL_M_LOG, &q));
	q.at = 10;
	ck_assert(PACKS(KL_M_LOG, &q));
	q.want = KL_LOG_CHECKPOINT;
	ck_assert(!PACKS(KL_M_LOG, &q));
	q.want = KL_LOG_TILE;
	ck_assert(!PACKS(KL_M_LOG, &q));
}
END_TEST

/* ---- the rest of the interface ------------------------------------------- */

START_TEST(a_struct_of_another_size_is_not_touched)
{
	struct kl_submit s = { .envelope = KL_BYTES_NONE };
	struct kl_log_request l;
	uint8_t buf[64];
	size_t n = 1;

	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_HELLO, KL_BYTES_NONE, mem, &l),
	    KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(KL_MESSAGE_READ(0, KL_BYTES_NONE, mem, &l),
	    KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(KL_MESSAGE_READ(99, KL_BYTES_NONE, mem, &l),
	    KL_C_VALUE_UNKNOWN);
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_HELLO, &s, buf, sizeof buf, &n),
	    KL_E_VALUE);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(packing_into_a_spent_arena_says_so)
{
	struct kl_directory d = { .after = 1 };
	struct kl_arena *spent = kl_arena_new(64, 1);
	struct kl_bytes out;

	ck_assert_int_eq(KL_MESSAGE_PACK_IN(KL_M_DIRECTORY, &d, mem, &out),
	    KL_OK);
	ck_assert_uint_eq(out.n, 2);
	ck_assert_ptr_nonnull(kl_arena_alloc(spent, 1));
	ck_assert_int_eq(KL_MESSAGE_PACK_IN(KL_M_DIRECTORY, &d, spent, &out),
	    KL_E_MEMORY);
	ck_assert_uint_eq(out.n, 0);
	ck_assert_int_eq(kl_message_pack_in(KL_M_HELLO, &d, sizeof d, mem,
	    &out), KL_E_VALUE);
	kl_arena_free(spent);
}
END_TEST

START_TEST(the_largest_body_fits_a_frame)
{
	static uint8_t big[16200];
	struct kl_reply_msg r = { .version = 1, .request = ANY32,
		.request_id = ANY64, .code = KL_C_OK,
		.retry_after_ms = ANY32, .time_ms = LAST,
		.body = KL_BYTES_OF(big), .detail = kl_bytes(big, 64) };
	static uint8_t buf[KL_FRAME_MAX];
	size_t n;

	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_REPLY, &r, buf, sizeof buf, &n),
	    KL_OK);
	ck_assert_uint_le(n, KL_FRAME_MAX);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("request");
	TCase *tc = tcase_create("request");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	SPEC_TESTS_ADD(tc, N_SPECS);
	tcase_add_test(tc, a_reader_applies_the_rules_between_fields_too);
	tcase_add_test(tc, a_program_names_itself_in_ascii);
	tcase_add_test(tc, a_spoken_reference_is_letters_or_none);
	tcase_add_test(tc, a_proof_is_whole_hashes);
	tcase_add_test(tc, a_span_of_minutes_has_a_beginning_before_its_end);
	tcase_add_test(tc, a_query_has_the_fields_of_what_it_wants_only);
	tcase_add_test(tc, only_a_proof_has_a_tree_of_its_own);
	tcase_add_test(tc, a_struct_of_another_size_is_not_touched);
	tcase_add_test(tc, packing_into_a_spent_arena_says_so);
	tcase_add_test(tc, the_largest_body_fits_a_frame);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
