#include <kortelijn/domain/approval.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>

#define SERIAL "5f1b7c0e2a9d4c3b8e6f70a1b2c3d4e5"
#define CARD "[card]\nauditor = kvk:87654321\nserial = " SERIAL "\n"
#define ORG "[agb:01234567]\napproved_by = houder\napproved_on = 2026-11-20\n"
#define TODAY 20781		/* 2026-11-24 */

static struct kl_approval a;
static struct kl_approval_error e;

static int
read_text(const char *text)
{
	return kl_approval_read(kl_bytes_str(text), &a, &e);
}

START_TEST(an_approval_names_card_and_organisations)
{
	uint8_t serial[16];
	struct kl_id id;

	ck_assert_int_eq(read_text("# of the region\r\n\n" CARD ORG
	    "\t[ura:00001234] ; later\n approved_on=2026-11-24\n"
	    "approved_by = Mr. \xc3\x96. de Boer ; by mail\n"), KL_OK);
	ck_assert_uint_eq(a.n, 2);
	ck_assert_str_eq(kl_id_text(&a.auditor).b, "kvk:87654321");
	ck_assert_str_eq(kl_id_text(&a.org[1]).b, "ura:00001234");
	ck_assert_int_eq(kl_hex_read(SERIAL, serial, sizeof serial), KL_OK);
	ck_assert_mem_eq(a.serial, serial, sizeof serial);
	ck_assert_int_eq(kl_id_read("kvk:87654321", &id), KL_OK);
	ck_assert_int_eq(kl_approval_check(&a, &id, serial, TODAY, &e),
	    KL_OK);
}
END_TEST

static const struct {
	const char *text;
	int err;
	unsigned int line;
	const char *words;		/* in what is said */
} wrong[] = {
	{ "", KL_E_VALUE, 0, "no [card]" },
	{ CARD, KL_E_VALUE, 0, "names no organisation" },
	{ ORG, KL_E_VALUE, 0, "no [card]" },
	{ "auditor = kvk:87654321\n", KL_E_FORMAT, 1, "before any" },
	{ "[card]\nauditor\n", KL_E_FORMAT, 2, "key = value" },
	{ "[card]\nauditor = kvk:1\n", KL_E_FORMAT, 2, "an id" },
	{ "[card]\nserial = 12\n", KL_E_FORMAT, 2, "32 hexadecimal" },
	{ "[card]\nserial = " SERIAL "\n", KL_E_VALUE, 2,
	  "auditor is missing" },
	{ "[card]\nauditor = kvk:87654321\n" ORG, KL_E_VALUE, 3,
	  "serial is missing" },
	{ "[card]\nname = x\n", KL_E_UNKNOWN, 2, "auditor and serial" },
	{ CARD "serial = " SERIAL "\n", KL_E_EXISTS, 4, "twice" },
	{ CARD "auditor = kvk:87654321\n", KL_E_EXISTS, 4, "twice" },
	{ CARD CARD, KL_E_EXISTS, 4, "[card] is given twice" },
	{ CARD ORG "[card]\n", KL_E_EXISTS, 7, "[card] is given twice" },
	{ CARD ORG ORG, KL_E_EXISTS, 7, "given twice" },
	{ CARD "[all]\n", KL_E_FORMAT, 4, "[ID]" },
	{ CARD "[agb:01234567]\napproved_on = 2026-11-20\n", KL_E_VALUE, 5,
	  "approved_by is missing" },
	{ CARD "[agb:01234567]\napproved_by = x\n", KL_E_VALUE, 5,
	  "approved_on is missing" },
	{ CARD "[agb:01234567]\napproved_by =\n", KL_E_FORMAT, 5,
	  "approved_by wants" },
	{ CARD "[agb:01234567]\napproved_by = \xff\n", KL_E_FORMAT, 5,
	  "approved_by wants" },
	{ CARD "[agb:01234567]\napproved_on = 20-11-2026\n", KL_E_FORMAT, 5,
	  "such as" },
	{ CARD ORG "approved_by = y\n", KL_E_EXISTS, 7, "twice" },
	{ CARD ORG "approved_on = 2026-11-20\n", KL_E_EXISTS, 7, "twice" },
	{ CARD ORG "review_on = 2026-11-20\n", KL_E_UNKNOWN, 7,
	  "approved_by and approved_on" },
	{ CARD ORG "\x01\n", KL_E_FORMAT, 7, "control" },
};

START_TEST(what_is_wrong_is_named_with_its_line)
{
	ck_assert_int_eq(read_text(wrong[_i].text), wrong[_i].err);
	ck_assert_msg(strstr(e.b, wrong[_i].words) != NULL, "%s", e.b);
	ck_assert_uint_eq(e.line, wrong[_i].line);
}
END_TEST

START_TEST(it_counts_for_one_card_and_not_ahead_of_time)
{
	uint8_t serial[16];
	struct kl_id id;

	ck_assert_int_eq(read_text(CARD ORG), KL_OK);
	ck_assert_int_eq(kl_hex_read(SERIAL, serial, sizeof serial), KL_OK);
	ck_assert_int_eq(kl_approval_check(&a, &a.auditor, serial,
	    TODAY - 5, &e), KL_E_DENIED);
	ck_assert_ptr_nonnull(strstr(e.b, "lies ahead"));
	serial[0] ^= 1;
	ck_assert_int_eq(kl_approval_check(&a, &a.auditor, serial, TODAY,
	    &e), KL_E_DENIED);
	ck_assert_ptr_nonnull(strstr(e.b, "another card"));
	serial[0] ^= 1;
	ck_assert_int_eq(kl_id_read("kvk:12345678", &id), KL_OK);
	ck_assert_int_eq(kl_approval_check(&a, &id, serial, TODAY, &e),
	    KL_E_DENIED);
}
END_TEST

START_TEST(so_many_organisations_and_bytes_and_no_more)
{
	static char big[KL_APPROVAL_MAX + 8];
	size_t n = (size_t)snprintf(big, sizeof big, CARD);

	for (unsigned int i = 0; i < KL_APPROVAL_ORGS_MAX; i++)
		n += (size_t)snprintf(big + n, sizeof big - n,
		    "[agb:%08u]\napproved_by = x\napproved_on = 2026-11-20\n",
		    i);
	ck_assert_int_eq(read_text(big), KL_OK);
	ck_assert_uint_eq(a.n, KL_APPROVAL_ORGS_MAX);
	(void)snprintf(big + n, sizeof big - n, ORG);
	ck_assert_int_eq(read_text(big), KL_E_SIZE);
	memset(big, '#', sizeof big - 1);
	ck_assert_int_eq(read_text(big), KL_E_SIZE);
	big[KL_APPROVAL_LINE_MAX + 1] = '\0';
	ck_assert_int_eq(read_text(big), KL_E_SIZE);
}
END_TEST

/* A mail that was cut short, or a file of something else. */
START_TEST(no_bytes_of_any_sort_confuse_it)
{
	static const char text[] = CARD ORG;
	char cut[sizeof text];

	for (size_t n = 0; n < sizeof text - 1; n++)
		for (int byte = 0; byte < 256; byte += 17) {
			memcpy(cut, text, sizeof text);
			cut[n] = (char)byte;
			if (kl_approval_read(kl_bytes(cut, sizeof text - 1),
			    &a, &e) == KL_OK)
				ck_assert_uint_ge(a.n, 1);
			else
				ck_assert_uint_gt(strlen(e.b), 0);
		}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("approval");
	TCase *tc = tcase_create("approval");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, an_approval_names_card_and_organisations);
	tcase_add_loop_test(tc, what_is_wrong_is_named_with_its_line, 0,
	    (int)(sizeof wrong / sizeof wrong[0]));
	tcase_add_test(tc, it_counts_for_one_card_and_not_ahead_of_time);
	tcase_add_test(tc, so_many_organisations_and_bytes_and_no_more);
	tcase_add_test(tc, no_bytes_of_any_sort_confuse_it);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
