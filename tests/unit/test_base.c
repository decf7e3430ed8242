#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/arena.h>
#include <kortelijn/base/bytes.h>
#include <kortelijn/base/code.h>
#include <kortelijn/base/err.h>
#include <kortelijn/base/time.h>
#include <kortelijn/base/types.h>
#include <tests/support/vectors.h>

#define COUNT(t) (sizeof (t) / sizeof (t)[0])

/* ---- err --------------------------------------------------------------- */

START_TEST(every_error_has_a_text_of_its_own)
{
	static const int errs[] = {
		KL_OK, KL_E_FORMAT, KL_E_VALUE, KL_E_UNKNOWN, KL_E_SIZE,
		KL_E_SIGNATURE, KL_E_NOT_FOUND, KL_E_EXISTS, KL_E_DENIED,
		KL_E_EMPTY, KL_E_REFUSED, KL_E_CONFIG, KL_E_MEMORY,
		KL_E_FULL, KL_E_IO, KL_E_AGAIN, KL_E_SYSTEM, KL_E_COMMIT,
		KL_E_DAMAGED,
	};

	ck_assert_str_eq(kl_err_text(1), "unknown error");
	ck_assert_str_eq(kl_err_text(-1000), "unknown error");
	for (size_t i = 0; i < COUNT(errs); i++) {
		ck_assert_str_ne(kl_err_text(errs[i]), "unknown error");
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(kl_err_text(errs[i]),
			    kl_err_text(errs[j]));
	}
}
END_TEST

/* ---- bytes ------------------------------------------------------------- */

START_TEST(equal_and_zero_look_at_all_bytes)
{
	static const uint8_t zero[3] = { 0 }, last[3] = { 0, 0, 1 };

	ck_assert(kl_bytes_equal(kl_bytes_str("ab"), kl_bytes("abc", 2)));
	ck_assert(!kl_bytes_equal(kl_bytes_str("ab"), kl_bytes_str("abc")));
	ck_assert(!kl_bytes_equal(kl_bytes_str("ab"), kl_bytes_str("ac")));
	ck_assert(kl_bytes_equal(KL_BYTES_NONE, kl_bytes("x", 0)));
	ck_assert(kl_bytes_zero(KL_BYTES_OF(zero)));
	ck_assert(!kl_bytes_zero(KL_BYTES_OF(last)));
	ck_assert(kl_bytes_zero(KL_BYTES_NONE));
}
END_TEST

START_TEST(letters_of_several_bytes_count_once)
{
	ck_assert_uint_eq(kl_utf8_chars(KL_BYTES_NONE), 0);
	ck_assert_uint_eq(kl_utf8_chars(kl_bytes_str("Zoë, 5 €")), 8);
	ck_assert_uint_eq(kl_utf8_chars(kl_bytes_str("\xf0\x9f\x8f\xa0")), 1);
}
END_TEST

START_TEST(what_is_put_is_got)
{
	uint8_t buf[64];
	struct kl_writer w;
	struct kl_reader r;

	kl_writer_init(&w, buf, sizeof buf);
	kl_put_u8(&w, 0xfe);
	kl_put_u16(&w, 0xfedc);
	kl_put_u32(&w, 0xfedcba98);
	kl_put_u64(&w, UINT64_C(0xfedcba9876543210));
	kl_put_i64(&w, INT64_MIN);
	kl_put_bytes(&w, kl_bytes_str("tail"));
	ck_assert(!w.full);
	kl_reader_init(&r, kl_writer_bytes(&w));
	ck_assert_uint_eq(kl_get_u8(&r), 0xfe);
	ck_assert_uint_eq(kl_get_u16(&r), 0xfedc);
	ck_assert_uint_eq(kl_get_u32(&r), 0xfedcba98);
	ck_assert_uint_eq(kl_get_u64(&r), UINT64_C(0xfedcba9876543210));
	ck_assert(kl_get_i64(&r) == INT64_MIN);
	ck_assert(!kl_reader_done(&r));
	ck_assert(kl_bytes_equal(kl_get_bytes(&r, 4),
	    kl_bytes_str("tail")));
	ck_assert(kl_reader_done(&r));
}
END_TEST

START_TEST(numbers_are_big_endian)
{
	uint8_t buf[8];

	kl_be64_put(buf, UINT64_C(0x0102030405060708));
	ck_assert_mem_eq(buf, "\1\2\3\4\5\6\7\10", 8);
	ck_assert(kl_be64(buf) == UINT64_C(0x0102030405060708));
}
END_TEST

START_TEST(a_put_that_does_not_fit_stops_the_writer)
{
	uint8_t buf[4] = { 0, 0, 0, 0x5a };
	struct kl_writer w;

	kl_writer_init(&w, buf, 3);
	kl_put_u16(&w, 0x0102);
	kl_put_u16(&w, 0x0304);
	ck_assert(w.full);
	kl_put_u8(&w, 5);	/* would fit, but comes after the gap */
	ck_assert_uint_eq(w.n, 2);
	ck_assert_uint_eq(buf[3], 0x5a);
	kl_writer_init(&w, buf, 3);
	kl_put(&w, buf, SIZE_MAX);
	ck_assert(w.full);
}
END_TEST

START_TEST(a_get_that_does_not_fit_stops_the_reader)
{
	struct kl_reader r;
	uint8_t out[4];

	kl_reader_init(&r, kl_bytes("\1\2\3", 3));
	ck_assert_uint_eq(kl_get_u16(&r), 0x0102);
	memset(out, 0x5a, sizeof out);
	kl_get(&r, out, sizeof out);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(out)));
	ck_assert(r.bad);
	ck_assert_uint_eq(kl_get_u8(&r), 0);
	ck_assert_uint_eq(kl_get_bytes(&r, 0).n, 0);
	ck_assert(!kl_reader_done(&r));
	kl_reader_init(&r, kl_bytes("\1\2\3", 3));
	ck_assert_ptr_null(kl_get_bytes(&r, SIZE_MAX).p);
	ck_assert(r.bad);
}
END_TEST

START_TEST(hex_goes_there_and_back)
{
	uint8_t b[4];
	char text[9];

	ck_assert_int_eq(kl_hex_read("00Ff7fA0", b, 4), KL_OK);
	kl_hex(KL_BYTES_OF(b), text);
	ck_assert_str_eq(text, "00ff7fa0");
	kl_hex(KL_BYTES_NONE, text);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(hex_read_refuses_lengths_and_other_letters)
{
	static const char *const bad[] = { "", "0", "00f", "00ff0", "00gg",
		"0x0f", " 0ff", "00f ", "00f\xff", "000000" };
	uint8_t b[2];

	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_msg(kl_hex_read(bad[i], b, 2) == KL_E_FORMAT, "%s",
		    bad[i]);
}
END_TEST

/* RFC 4648 10. */
START_TEST(base64_is_as_the_rfc_says)
{
	static const char *const rows[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xfb\xff", "+/8=" },
	};
	uint8_t b[8];
	char text[16];
	size_t n;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct kl_bytes in = kl_bytes_str(rows[i][0]);

		ck_assert_int_eq(kl_base64(in, text, sizeof text), KL_OK);
		ck_assert_str_eq(text, rows[i][1]);
		ck_assert_int_eq(kl_base64_read(kl_bytes_str(text), b,
		    sizeof b, &n), KL_OK);
		ck_assert(kl_bytes_equal(kl_bytes(b, n), in));
	}
}
END_TEST

START_TEST(base64_answers_size_when_the_buffer_is_small)
{
	uint8_t b[5];
	char text[9];
	size_t n;

	ck_assert_int_eq(kl_base64(kl_bytes_str("foobar"), text, 8),
	    KL_E_SIZE);
	ck_assert_int_eq(kl_base64(kl_bytes_str("foobar"), text, 9), KL_OK);
	ck_assert_int_eq(kl_base64(KL_BYTES_NONE, text, 0), KL_E_SIZE);
	ck_assert_int_eq(kl_base64_read(kl_bytes_str("Zm9vYmFy"), b, 5, &n),
	    KL_E_SIZE);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(kl_base64_read(kl_bytes_str("Zm9vYmE="), b, 5, &n),
	    KL_OK);
}
END_TEST

START_TEST(base64_read_is_strict)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zh==",
		"Zm9=", "Zg==Zg==", "Zm8=Zm9v", "Zm 9", "Zm9v\n", "\nZm9",
		"Zm9-", "Zm9_", "Zm9\xff", "Z=g=", "=Zg=",
	};
	uint8_t b[16];
	size_t n;

	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_msg(kl_base64_read(kl_bytes_str(bad[i]), b,
		    sizeof b, &n) == KL_E_FORMAT, "%s", bad[i]);
	ck_assert_int_eq(kl_base64_read(kl_bytes("Zm9\0", 4), b, sizeof b,
	    &n), KL_E_FORMAT);
}
END_TEST

/* ---- arena ------------------------------------------------------------- */

START_TEST(arena_hands_out_zeroed_and_aligned_memory)
{
	struct kl_arena *a = kl_arena_new(1024, 16);
	uint8_t *p = kl_arena_alloc(a, 3), *q = kl_arena_alloc(a, 40);

	ck_assert(kl_bytes_zero(kl_bytes(q, 40)));
	ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
	ck_assert_uint_eq((uintptr_t)q % _Alignof(max_align_t), 0);
	ck_assert(q >= p + 3);
	memset(q, 0xff, 40);
	kl_arena_reset(a);
	ck_assert(kl_bytes_zero(kl_bytes(kl_arena_alloc(a, 100), 100)));
	kl_arena_free(a);
	kl_arena_free(NULL);
}
END_TEST

START_TEST(arena_stops_at_both_caps)
{
	struct kl_arena *a = kl_arena_new(64, 3);

	ck_assert_ptr_null(kl_arena_alloc(a, 65));
	ck_assert_ptr_null(kl_arena_alloc(a, SIZE_MAX));
	ck_assert_ptr_nonnull(kl_arena_alloc(a, 48));
	ck_assert_ptr_null(kl_arena_alloc(a, 17));
	ck_assert_ptr_nonnull(kl_arena_alloc(a, 16));
	ck_assert_ptr_null(kl_arena_alloc(a, 1));
	kl_arena_reset(a);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_nonnull(kl_arena_alloc(a, 0));
	ck_assert_ptr_null(kl_arena_alloc(a, 0));
	kl_arena_free(a);
}
END_TEST

START_TEST(arena_copy_is_a_copy_or_answers_memory)
{
	struct kl_arena *a = kl_arena_new(32, 4);
	char text[] = "text";
	struct kl_bytes out;

	ck_assert_int_eq(kl_arena_copy(a, kl_bytes_str(text), &out), KL_OK);
	text[0] = 'n';
	ck_assert(kl_bytes_equal(out, kl_bytes_str("text")));
	ck_assert_int_eq(kl_arena_copy(a, KL_BYTES_NONE, &out), KL_OK);
	ck_assert_uint_eq(out.n, 0);
	ck_assert_int_eq(kl_arena_copy(a, kl_bytes_str(text), &out),
	    KL_E_MEMORY);
	ck_assert_ptr_null(out.p);
	kl_arena_free(a);
}
END_TEST

START_TEST(arena_falls_back_to_a_mark)
{
	struct kl_arena *a = kl_arena_new(64, 100);
	uint8_t *kept = kl_arena_alloc(a, 16), *again;
	size_t mark = kl_arena_mark(a);

	kept[0] = 7;
	again = kl_arena_alloc(a, 48);
	ck_assert_ptr_null(kl_arena_alloc(a, 1));
	kl_arena_release(a, mark);
	ck_assert_ptr_eq(kl_arena_alloc(a, 48), again);
	ck_assert_uint_eq(kept[0], 7);
	kl_arena_release(a, 1000);	/* ahead of all: nothing happens */
	ck_assert_ptr_null(kl_arena_alloc(a, 1));
	kl_arena_free(a);
}
END_TEST

/* ---- types ------------------------------------------------------------- */

START_TEST(ids_of_every_scheme_are_read)
{
	static const char *const good[] = { "agb:01234567", "ura:00000001",
		"kvk:12345678", "oin:00000001234567890000" };

	for (size_t i = 0; i < COUNT(good); i++) {
		struct kl_id id, copy;

		ck_assert_int_eq(kl_id_read(good[i], &id), KL_OK);
		ck_assert(kl_id_valid(&id));
		ck_assert(!kl_id_none(&id));
		ck_assert_str_eq(kl_id_text(&id).b, good[i]);
		copy = id;
		ck_assert(kl_id_equal(&id, &copy));
		copy.b[4] ^= 1;
		ck_assert(!kl_id_equal(&id, &copy));
	}
}
END_TEST

START_TEST(other_ids_are_refused)
{
	static const char *const bad[] = {
		"", "agb:", "agb:0123456", "agb:012345678", "AGB:01234567",
		"agb:0123456a", "agb 01234567", " agb:01234567",
		"agb:01234567 ", "bsn:01234567", "oin:0000000123456789000",
		"oin:000000012345678900000", "agb:0123456\xb2",
	};
	struct kl_id id;

	for (size_t i = 0; i < COUNT(bad); i++) {
		ck_assert_msg(kl_id_read(bad[i], &id) == KL_E_FORMAT, "%s",
		    bad[i]);
		ck_assert(kl_id_none(&id));
	}
	ck_assert(!kl_id_valid(&id));
}
END_TEST

START_TEST(a_byte_behind_the_end_of_an_id_is_refused)
{
	struct kl_id id;

	ck_assert_int_eq(kl_id_read("agb:01234567", &id), KL_OK);
	for (size_t i = 12; i < sizeof id.b; i++) {
		id.b[i] = '0';
		ck_assert(!kl_id_valid(&id));
		id.b[i] = '\0';
	}
	ck_assert(kl_id_valid(&id));
	id.b[6] = '\0';
	ck_assert(!kl_id_valid(&id));
}
END_TEST

typedef const char *name_fn(uint32_t v);

START_TEST(every_value_of_a_list_has_a_name_of_its_own)
{
	static const struct {
		name_fn *name;
		uint32_t last;
	} lists[] = {
		{ kl_kind_name, KL_FEEDBACK },
		{ kl_statement_name, KL_NOTICE },
		{ kl_request_name, KL_QUERY },
		{ kl_role_name, KL_BROKER },
		{ kl_realm_name, KL_TRAINING },
		{ kl_staff_role_name, KL_STAFF_PARTNER },
		{ kl_milestone_name, KL_MS_RETURNED },
		{ kl_form_name, KL_WRITTEN },
		{ kl_outcome_name, KL_REFUSED },
		{ kl_scope_name, KL_SCOPE_FEEDBACK },
		{ kl_cause_name, KL_CAUSE_SENT_IN_ERROR },
		{ kl_revoke_reason_name, KL_REVOKE_COMPROMISE },
	};

	for (size_t i = 0; i < COUNT(lists); i++) {
		name_fn *name = lists[i].name;

		ck_assert_str_eq(name(0), "?");
		ck_assert_str_eq(name(lists[i].last + 1), "?");
		ck_assert_str_eq(name(UINT32_MAX), "?");
		for (uint32_t v = 1; v <= lists[i].last; v++) {
			ck_assert_str_ne(name(v), "?");
			for (uint32_t u = 1; u < v; u++)
				ck_assert_str_ne(name(v), name(u));
		}
	}
}
END_TEST

typedef uint32_t read_fn(const char *name);

START_TEST(names_are_read_back)
{
	static const struct {
		name_fn *name;
		read_fn *read;
	} lists[] = {
		{ kl_role_name, kl_role_read },
		{ kl_realm_name, kl_realm_read },
		{ kl_staff_role_name, kl_staff_role_read },
		{ kl_form_name, kl_form_read },
		{ kl_revoke_reason_name, kl_revoke_reason_read },
	};

	for (size_t i = 0; i < COUNT(lists); i++) {
		for (uint32_t v = 1; strcmp(lists[i].name(v), "?") != 0; v++)
			ck_assert_uint_eq(lists[i].read(lists[i].name(v)), v);
		ck_assert_uint_eq(lists[i].read(""), 0);
		ck_assert_uint_eq(lists[i].read("?"), 0);
		ck_assert_uint_eq(lists[i].read("Practice"), 0);
	}
}
END_TEST

START_TEST(spoken_reference_is_as_the_vector_says)
{
	struct vectors *v = vectors_open("fingerprint.txt");
	struct kl_spoken s = kl_spoken_make(vectors_get(v, "spoken_bits").p);
	struct kl_spoken_text t = kl_spoken_text(&s);

	ck_assert(kl_bytes_equal(vectors_get(v, "spoken"),
	    kl_bytes_str(t.b)));
	vectors_free(v);
}
END_TEST

START_TEST(spoken_reference_is_read_as_people_write_it)
{
	static const char *const forms[] = { "04HM-ASW9-%c", "04HMASW9%c",
		"04hm asw9 %c", " 0-4-h-m-a-s-w-9-%c " };
	const struct kl_spoken want =
	    kl_spoken_make((const uint8_t *)"\x01\x23\x45\x67\x89");

	for (size_t i = 0; i < COUNT(forms); i++) {
		struct kl_spoken got;
		char text[32];

		snprintf(text, sizeof text, forms[i], want.b[8]);
		ck_assert_int_eq(kl_spoken_read(text, &got), KL_OK);
		ck_assert_mem_eq(got.b, want.b, sizeof got.b);
	}
}
END_TEST

START_TEST(letters_that_are_misheard_are_refused)
{
	static const char *const bad[] = { "", "04HM-ASW9", "I4HM-ASW9-5",
		"L4HM-ASW9-5", "O4HM-ASW9-5", "U4HM-ASW9-5", "04HM-ASW9-55",
		"04HM_ASW9-5", "04HM-ASW9-\xb5" };
	struct kl_spoken s;

	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_msg(kl_spoken_read(bad[i], &s) == KL_E_FORMAT,
		    "%s", bad[i]);
}
END_TEST

START_TEST(one_wrong_letter_shows)
{
	char text[41] = "0Z1Y2X3W4V5T6S7R8Q9PANBMCKDJEHFG0Z1Y2X3W", t[41];

	for (size_t n = 1; n <= 40; n++) {
		const char check = kl_check_letter(text, n);

		memcpy(t, text, sizeof t);
		for (size_t i = 0; i < n; i++) {
			for (size_t l = 0; l < 32; l++) {
				t[i] = kl_letters[l];
				ck_assert((kl_check_letter(t, n) == check) ==
				    (t[i] == text[i]));
			}
			t[i] = text[i];
		}
	}
}
END_TEST

START_TEST(two_swapped_neighbours_show)
{
	/* The letters and their check letter, as a fingerprint has them. */
	for (size_t n = 2; n <= 32; n++)
		for (size_t l = 0; l < 32; l++) {
			char t[33];

			for (size_t i = 0; i < n; i++)
				t[i] = kl_letters[(i * i + l) % 32];
			t[n] = kl_check_letter(t, n);
			for (size_t i = 0; i < n; i++) {
				char a = t[i], b = t[i + 1];

				t[i] = b;
				t[i + 1] = a;
				ck_assert((kl_check_letter(t, n) == t[n]) ==
				    (a == b));
				t[i] = a;
				t[i + 1] = b;
			}
		}
}
END_TEST

/* ---- time -------------------------------------------------------------- */

START_TEST(days_go_there_and_back)
{
	for (int32_t day = -62091; day < 2932897; day += 13) {
		int y, m, d;

		kl_day_split(day, &y, &m, &d);
		ck_assert_int_eq(kl_day_make(y, m, d), day);
		ck_assert_int_eq(kl_day_of(kl_day_start_ms(day)), day);
		ck_assert_int_eq(kl_day_of(kl_day_start_ms(day) - 1),
		    day - 1);
	}
	ck_assert_int_eq(kl_day_make(1970, 1, 1), 0);
	ck_assert_int_eq(kl_day_make(2000, 2, 29), 11016);
	ck_assert_int_eq(kl_day_make(2026, 11, 24), 20781);
}
END_TEST

START_TEST(real_days_are_read)
{
	static const char *const good[] = { "1800-01-01", "1970-01-01",
		"2000-02-29", "2024-02-29", "2026-12-31", "9999-12-31" };

	for (size_t i = 0; i < COUNT(good); i++) {
		int32_t day;

		ck_assert_int_eq(kl_day_read(good[i], &day), KL_OK);
		ck_assert_str_eq(kl_day_text(day).b, good[i]);
	}
}
END_TEST

START_TEST(other_days_are_refused)
{
	static const char *const bad[] = {
		"", "2026-11-2", "2026-11-024", "26-11-24", "2026/11/24",
		"2026-13-01", "2026-00-01", "2026-01-00", "2026-01-32",
		"2026-02-29", "1900-02-29", "2026-04-31", "1799-12-31",
		"2026--1-24", "-026-11-24", " 2026-11-24", "2026-11-24 ",
		"2026-11--4", "2026-1--24", "20 6-11-24",
	};
	int32_t day;

	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_msg(kl_day_read(bad[i], &day) == KL_E_FORMAT, "%s",
		    bad[i]);
}
END_TEST

START_TEST(weeks_start_on_monday)
{
	/* 2026-11-23 is a Monday. */
	const int64_t monday = kl_day_start_ms(kl_day_make(2026, 11, 23));

	ck_assert(kl_week_start_ms(monday) == monday);
	ck_assert(kl_week_start_ms(monday + KL_WEEK_MS - 1) == monday);
	ck_assert(kl_week_start_ms(monday - 1) == monday - KL_WEEK_MS);
	ck_assert(kl_week_start_ms(0) == -3 * KL_DAY_MS);
	ck_assert(kl_week_start_ms(-4 * KL_DAY_MS) == -10 * KL_DAY_MS);
}
END_TEST

START_TEST(instants_are_written_in_utc)
{
	ck_assert_str_eq(kl_time_text(0).b, "1970-01-01T00:00:00.000Z");
	ck_assert_str_eq(kl_time_text(-1).b, "1969-12-31T23:59:59.999Z");
	ck_assert_str_eq(kl_time_text(KL_TIME_MAX_MS).b,
	    "9999-12-31T23:59:59.999Z");
	ck_assert_str_eq(kl_time_text(INT64_C(1795536000123)).b,
	    "2026-11-24T16:00:00.123Z");
}
END_TEST

START_TEST(durations_are_read)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "0s", 0 }, { "90s", 90 * KL_SECOND_MS },
		{ "15m", 15 * KL_MINUTE_MS }, { "3h", 3 * KL_HOUR_MS },
		{ "14d", 14 * KL_DAY_MS }, { "2w", 2 * KL_WEEK_MS },
		{ "-90s", -90 * KL_SECOND_MS }, { "-2w", -2 * KL_WEEK_MS },
		{ "36525d", 36525 * KL_DAY_MS },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t ms;

		ck_assert_int_eq(kl_duration_read(rows[i].text, &ms), KL_OK);
		ck_assert(ms == rows[i].ms);
	}
}
END_TEST

START_TEST(other_durations_are_refused)
{
	static const char *const bad[] = { "", "-", "s", "9", "-9", "9x",
		"9S", "9ss", "9 s", " 9s", "+9s", "--9s", "1.5h", "1h30m",
		"0x9s", "1234567890123s" };
	static const char *const large[] = { "36526d", "-36526d", "5218w",
		"999999999999w" };
	int64_t ms;

	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_msg(kl_duration_read(bad[i], &ms) == KL_E_FORMAT,
		    "%s", bad[i]);
	for (size_t i = 0; i < COUNT(large); i++)
		ck_assert_int_eq(kl_duration_read(large[i], &ms),
		    KL_E_VALUE);
	ck_assert(ms == 0);
}
END_TEST

/* ---- code -------------------------------------------------------------- */

START_TEST(every_code_stands_in_the_table_once)
{
	for (size_t i = 0; kl_code_at(i) != 0; i++) {
		const uint32_t code = kl_code_at(i);

		ck_assert(kl_code_known(code));
		ck_assert(i == 0 || kl_code_at(i - 1) < code);
		ck_assert_str_ne(kl_code_name(code), "unknown_code");
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(kl_code_name(code),
			    kl_code_name(kl_code_at(j)));
	}
}
END_TEST

START_TEST(no_code_of_the_header_is_missing)
{
	char line[256], name[64];
	FILE *f = fopen("include/kortelijn/base/code.h", "r");
	size_t seen = 0, rows = 0;
	unsigned code;

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, " KL_C_%63[A-Z_] = %u,", name, &code) != 2)
			continue;
		for (char *c = name; *c != '\0'; c++)
			if (*c != '_')
				*c = (char)(*c - 'A' + 'a');
		ck_assert_str_eq(kl_code_name(code), name);
		seen++;
	}
	fclose(f);
	while (kl_code_at(rows) != 0)
		rows++;
	ck_assert_uint_eq(seen, rows);
}
END_TEST

static void
expect_sentence(const char *text)
{
	size_t n = strlen(text);

	ck_assert_msg(n > 4 && n < 250, "%s", text);
	ck_assert_msg(text[n - 1] == '.', "%s", text);
	ck_assert_msg(text[0] >= 'A' && text[0] <= 'Z', "%s", text);
	ck_assert_msg(strstr(text, "  ") == NULL, "%s", text);
}

START_TEST(every_code_has_a_sentence_in_both_languages)
{
	for (size_t i = 0; kl_code_at(i) != 0; i++) {
		const uint32_t code = kl_code_at(i);

		expect_sentence(kl_code_text_en(code));
		expect_sentence(kl_code_text_nl(code));
		ck_assert_str_ne(kl_code_text_en(code),
		    kl_code_text_nl(code));
	}
}
END_TEST

START_TEST(an_unknown_code_is_named_so)
{
	static const uint32_t codes[] = { 0, 2, 9999, UINT32_MAX };

	for (size_t i = 0; i < COUNT(codes); i++) {
		ck_assert(!kl_code_known(codes[i]));
		ck_assert_str_eq(kl_code_name(codes[i]), "unknown_code");
		ck_assert_str_eq(kl_code_text_en(codes[i]), "Unknown code.");
		ck_assert_str_eq(kl_code_text_nl(codes[i]),
		    "Onbekende code.");
		ck_assert_int_eq(kl_code_retry(codes[i]), KL_RETRY_NEVER);
	}
	ck_assert_uint_eq(kl_code_at(SIZE_MAX), 0);
}
END_TEST

START_TEST(retry_follows_the_table)
{
	ck_assert_int_eq(kl_code_retry(KL_C_MALFORMED), KL_RETRY_NEVER);
	ck_assert_int_eq(kl_code_retry(KL_C_TRY_LATER), KL_RETRY_LATER);
	ck_assert_int_eq(kl_code_retry(KL_C_INSTANCE_CONFLICT),
	    KL_RETRY_REPAIR);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("base");
	TCase *tc = tcase_create("base");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, every_error_has_a_text_of_its_own);
	tcase_add_test(tc, equal_and_zero_look_at_all_bytes);
	tcase_add_test(tc, letters_of_several_bytes_count_once);
	tcase_add_test(tc, what_is_put_is_got);
	tcase_add_test(tc, numbers_are_big_endian);
	tcase_add_test(tc, a_put_that_does_not_fit_stops_the_writer);
	tcase_add_test(tc, a_get_that_does_not_fit_stops_the_reader);
	tcase_add_test(tc, hex_goes_there_and_back);
	tcase_add_test(tc, hex_read_refuses_lengths_and_other_letters);
	tcase_add_test(tc, base64_is_as_the_rfc_says);
	tcase_add_test(tc, base64_answers_size_when_the_buffer_is_small);
	tcase_add_test(tc, base64_read_is_strict);
	tcase_add_test(tc, arena_hands_out_zeroed_and_aligned_memory);
	tcase_add_test(tc, arena_stops_at_both_caps);
	tcase_add_test(tc, arena_copy_is_a_copy_or_answers_memory);
	tcase_add_test(tc, arena_falls_back_to_a_mark);
	tcase_add_test(tc, ids_of_every_scheme_are_read);
	tcase_add_test(tc, other_ids_are_refused);
	tcase_add_test(tc, a_byte_behind_the_end_of_an_id_is_refused);
	tcase_add_test(tc, every_value_of_a_list_has_a_name_of_its_own);
	tcase_add_test(tc, names_are_read_back);
	tcase_add_test(tc, spoken_reference_is_as_the_vector_says);
	tcase_add_test(tc, spoken_reference_is_read_as_people_write_it);
	tcase_add_test(tc, letters_that_are_misheard_are_refused);
	tcase_add_test(tc, one_wrong_letter_shows);
	tcase_add_test(tc, two_swapped_neighbours_show);
	tcase_add_test(tc, days_go_there_and_back);
	tcase_add_test(tc, real_days_are_read);
	tcase_add_test(tc, other_days_are_refused);
	tcase_add_test(tc, weeks_start_on_monday);
	tcase_add_test(tc, instants_are_written_in_utc);
	tcase_add_test(tc, durations_are_read);
	tcase_add_test(tc, other_durations_are_refused);
	tcase_add_test(tc, every_code_stands_in_the_table_once);
	tcase_add_test(tc, no_code_of_the_header_is_missing);
	tcase_add_test(tc, every_code_has_a_sentence_in_both_languages);
	tcase_add_test(tc, an_unknown_code_is_named_so);
	tcase_add_test(tc, retry_follows_the_table);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
