#include "proto/audit/filter.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/audit/words.h"
#include "tests/support/said.h"

static struct said said;

static const struct cli_command command = {
	.name = "audit query", .options = { AUDIT_FILTER_OPTIONS },
};
static const struct cli_program program = { .name = "kortelijn" };

static int
read_words(char **words, size_t n, struct kl_query_what *what)
{
	const struct cli c = { .program = &program, .command = &command,
	    .words = words, .n_words = n };
	int r;

	said_begin(&said);
	r = audit_filter_read(&c, what);
	said_end(&said);
	return r;
}

/* One option, or none. */
static struct kl_query_what
filter(const char *option)
{
	char *words[] = { (char *)(uintptr_t)option };
	struct kl_query_what what;

	ck_assert_msg(read_words(words, option != NULL, &what) == CLI_OK,
	    "%s: %s", option, said.err);
	return what;
}

static void
refuse(const char *option, const char *why)
{
	char *words[] = { (char *)(uintptr_t)option };
	struct kl_query_what what;

	ck_assert_int_eq(read_words(words, 1, &what), CLI_USAGE);
	ck_assert_msg(strstr(said.err, why) != NULL, "%s: %s", option,
	    said.err);
}

/* An adapter's --role says who asks, for its access log. */
START_TEST(role_of_the_asker_is_no_filter)
{
	static const char *const options[] = { "role=", NULL };
	const struct cli_program adapter = { .name = "a", .options = options };
	char role[] = "--role=desk", of[] = "--actor-role=partner";
	char *words[] = { role, of };
	const struct cli c = { .program = &adapter, .command = &command,
	    .words = words, .n_words = 2 };
	struct kl_query_what what;

	ck_assert_int_eq(audit_filter_read(&c, &what), CLI_OK);
	ck_assert_uint_eq(what.role, KL_PARTNER);
}
END_TEST

START_TEST(nothing_given_is_any)
{
	const struct kl_query_what none = { 0 }, what = filter(NULL);

	ck_assert_mem_eq(&what, &none, sizeof none);
}
END_TEST

START_TEST(days_are_those_of_amsterdam)
{
	/* 2026-11-24 begins at 23:00 UTC the evening before; in summer at
	 * 22:00. Minutes since 1970. */
	ck_assert_int_eq(filter("--from=2026-11-24").from_minute,
	    INT64_C(1795474800) / 60);
	ck_assert_int_eq(filter("--from=2026-07-01").from_minute,
	    INT64_C(1782856800) / 60);
}
END_TEST

START_TEST(last_day_belongs_to_it)
{
	ck_assert_int_eq(filter("--to=2026-11-24").to_minute,
	    filter("--from=2026-11-25").from_minute);
	/* The night in which the clocks fall back has 25 hours. */
	ck_assert_int_eq(filter("--to=2026-10-25").to_minute -
	    filter("--from=2026-10-25").from_minute, 25 * 60);
}
END_TEST

START_TEST(minutes_are_those_of_amsterdam)
{
	ck_assert_int_eq(filter("--from=2026-11-24T09:30").from_minute,
	    filter("--from=2026-11-24").from_minute + 9 * 60 + 30);
	ck_assert_int_eq(filter("--to=2026-11-24 09:30").to_minute,
	    filter("--from=2026-11-24T09:30").from_minute);
}
END_TEST

START_TEST(times_that_are_none_are_refused)
{
	static const char *const wrong[] = {
		"--from=", "--from=24-11-2026", "--from=2026-02-30",
		"--from=2026-11-24T", "--from=2026-11-24T24:00",
		"--from=2026-11-24T09:60", "--from=2026-11-24T9:30",
		"--from=2026-11-24T09:30:00", "--from=1969-12-31",
		"--from=2026-11-24x09:30", "--from=2026-11-24T09-30",
		"--from=2026-11-24T0a:30", "--from=2026-11-24T09:3a",
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		refuse(wrong[i], "2026-11-24T09:30");
	refuse("--to=tomorrow", "--to is a day or a minute");
}
END_TEST

START_TEST(end_before_begin_is_refused)
{
	char *words[] = { (char[]){ "--from=2026-11-24T10:00" },
	    (char[]){ "--to=2026-11-24T10:00" } };
	struct kl_query_what what;

	ck_assert_int_eq(read_words(words, 2, &what), CLI_USAGE);
	ck_assert_ptr_nonnull(strstr(said.err, "before --from"));
}
END_TEST

START_TEST(organisations_are_ids)
{
	const struct kl_query_what a = filter("--sender=agb:01234567");
	const struct kl_query_what b = filter("--receiver=kvk:12345678");

	ck_assert_str_eq(kl_id_text(&a.sender).b, "agb:01234567");
	ck_assert(kl_id_none(&a.receiver));
	ck_assert_str_eq(kl_id_text(&b.receiver).b, "kvk:12345678");
	refuse("--sender=De Linde", "agb:, ura: or kvk:");
	refuse("--receiver=agb:1234567", "--receiver is an organisation");
}
END_TEST

START_TEST(every_name_of_a_list_is_taken)
{
	char option[64];

	for (uint32_t v = 1; v <= KL_EV_LAST; v++) {
		(void)snprintf(option, sizeof option, "--event=%s",
		    kl_event_name(v));
		ck_assert_uint_eq(filter(option).event, v);
	}
	ck_assert_uint_eq(filter("--kind=correction").kind, KL_CORRECTION);
	ck_assert_uint_eq(filter("--role=auditor").role, KL_AUDITOR);
	ck_assert_uint_eq(filter("--outcome=done").outcome, 1);
	ck_assert_uint_eq(filter("--outcome=refused").outcome, 2);
}
END_TEST

START_TEST(other_names_are_told_what_is_allowed)
{
	refuse("--kind=letter", "referral, correction or feedback");
	refuse("--role=patient",
	    "practice, municipality, partner, auditor or broker");
	refuse("--outcome=1", "done or refused");
	refuse("--event=opened", "accepted, released, delivered, dead");
	for (uint32_t v = 1; v <= KL_EV_LAST; v++)
		ck_assert_ptr_nonnull(strstr(said.err, kl_event_name(v)));
}
END_TEST

START_TEST(reference_is_spoken_or_an_id)
{
	const struct kl_spoken s = kl_spoken_make((uint8_t[]){ 1, 2, 3, 4,
	    5 });
	struct kl_query_what what;
	char option[64];

	(void)snprintf(option, sizeof option, "--reference=%s",
	    kl_spoken_text(&s).b);
	what = filter(option);
	ck_assert_mem_eq(what.spoken, s.b, sizeof what.spoken);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(what.conv_ref)));
	/* As it is said over the phone. */
	for (char *at = option + strlen("--reference="); *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	ck_assert_mem_eq(filter(option).spoken, s.b, sizeof what.spoken);

	what = filter("--reference=000102030405060708090a0b0c0d0e0f");
	ck_assert_uint_eq(what.conv_ref.b[15], 15);
	ck_assert(kl_bytes_zero(KL_BYTES_OF(what.spoken)));
	refuse("--reference=ABCD-EFGH-2", "last letter checks");
	refuse("--reference=00000000000000000000000000000000", "32 hex");
}
END_TEST

START_TEST(message_is_an_id)
{
	ck_assert_uint_eq(filter("--message="
	    "f00102030405060708090a0b0c0d0e0f").message[0], 0xf0);
	refuse("--message=12", "32 hex digits");
	refuse("--message=00000000000000000000000000000000", "32 hex digits");
}
END_TEST

/* ---- words -------------------------------------------------------------- */

START_TEST(every_value_has_words_in_both_languages)
{
	for (int lang = KL_NL; lang <= KL_EN; lang++) {
		for (uint32_t v = 1; v <= KL_EV_LAST; v++)
			ck_assert_str_ne(audit_words_event(v,
			    (enum kl_lang)lang), "?");
		for (uint32_t v = 1; v <= KL_FEEDBACK; v++)
			ck_assert_str_ne(audit_words_kind(v,
			    (enum kl_lang)lang), "?");
		for (uint32_t v = 1; v <= KL_BROKER; v++)
			ck_assert_str_ne(audit_words_role(v,
			    (enum kl_lang)lang), "?");
		for (uint32_t v = 1; v <= KL_MSG_ERASED; v++)
			ck_assert_str_ne(audit_words_state(v,
			    (enum kl_lang)lang), "?");
		for (uint32_t v = 1; v <= KL_MS_RETURNED; v++)
			ck_assert_str_ne(audit_words_milestone(v,
			    (enum kl_lang)lang), "?");
	}
	ck_assert_str_eq(audit_words_event(0, KL_NL), "");
	ck_assert_str_eq(audit_words_event(KL_EV_LAST + 1, KL_NL), "?");
	ck_assert_str_eq(audit_words_reason(KL_C_OK, KL_NL), "");
	ck_assert_str_eq(audit_words_reason(KL_C_NO_CONSENT, KL_EN),
	    "There is no consent for this referral.");
	ck_assert_str_eq(audit_words_reason(9, KL_EN), "?");
}
END_TEST

START_TEST(who_did_it_is_known_by_event)
{
	struct kl_record r = { .event = KL_EV_ACCEPTED };

	ck_assert_int_eq(audit_words_actor(&r), AUDIT_ACTOR_FROM);
	r.event = KL_EV_RELEASED;
	ck_assert_int_eq(audit_words_actor(&r), AUDIT_ACTOR_TO);
	r.event = KL_EV_DEAD;
	r.actor_role = KL_BROKER;
	ck_assert_int_eq(audit_words_actor(&r), AUDIT_ACTOR_BROKER);
	r.actor_role = KL_MUNICIPALITY;
	ck_assert_int_eq(audit_words_actor(&r), AUDIT_ACTOR_TO);
	r.event = KL_EV_QUERY;
	ck_assert_int_eq(audit_words_actor(&r), AUDIT_ACTOR_OPERATOR);
	ck_assert_int_eq(kl_id_read("kvk:12345678", &r.org_from), KL_OK);
	ck_assert_int_eq(audit_words_actor(&r), AUDIT_ACTOR_FROM);
	r.event = KL_EV_WITHDRAWN;
	r.actor_role = KL_PRACTICE;
	ck_assert_int_eq(audit_words_actor(&r), AUDIT_ACTOR_UNKNOWN);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("audit_filter");
	TCase *t = tcase_create("audit_filter");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(t, nothing_given_is_any);
	tcase_add_test(t, role_of_the_asker_is_no_filter);
	tcase_add_test(t, days_are_those_of_amsterdam);
	tcase_add_test(t, last_day_belongs_to_it);
	tcase_add_test(t, minutes_are_those_of_amsterdam);
	tcase_add_test(t, times_that_are_none_are_refused);
	tcase_add_test(t, end_before_begin_is_refused);
	tcase_add_test(t, organisations_are_ids);
	tcase_add_test(t, every_name_of_a_list_is_taken);
	tcase_add_test(t, other_names_are_told_what_is_allowed);
	tcase_add_test(t, reference_is_spoken_or_an_id);
	tcase_add_test(t, message_is_an_id);
	tcase_add_test(t, every_value_has_words_in_both_languages);
	tcase_add_test(t, who_did_it_is_known_by_event);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
