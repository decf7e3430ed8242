/* What is handed out about the end of a consent: the event as the schema says
 * it, and the words of its lists. */
#include "adapters/common/json_withdrawal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/common/json_content.h"
#include "adapters/common/json_desk.h"

static struct engine_case k;
static struct engine_withdrawal w;
static json_t *schema;

static void
setup(void)
{
	memset(&k, 0, sizeof k);
	memset(&w, 0, sizeof w);
	memcpy(k.spoken.b, "ABCDEFGHJ", 9);
	ck_assert_int_eq(kl_id_read("oin:00000001000000000001", &k.peer),
	    KL_OK);
	k.cause = w.cause = KL_CAUSE_RESIDENT;
	k.withdrawn = w.scope = KL_SCOPE_ALL;
	schema = json_load_file("deploy/schemas/withdrawal-out.schema.json",
	    0, NULL);
	ck_assert_ptr_nonnull(schema);
}

static void
teardown(void)
{
	json_decref(schema);
}

static void
all_made(void)
{
	w.ours = w.done = w.has_leaf = w.asked = true;
	w.at_ms = w.done_ms = w.missing_ms = 1795510800000;
	w.code = KL_C_NOT_SERVED;
	w.asked_ms = w.due_ms = w.answered_ms = w.taken_ms = 1795510800000;
	w.adapter_copy = KL_ERASED;
	w.case_system = KL_KEPT_ON_OWN_BASIS;
	w.n_told = 1;
	w.told[0].id = k.peer;
	memcpy(w.told[0].name, "Meldpunt", 9);
	w.told[0].adapter_copy = KL_ERASED;
	w.told[0].case_system = KL_NOTHING_HELD;
	w.told[0].at_ms = 1795510800000;
	memcpy(k.referral_id, "R-1", 4);
	memcpy(k.patient_ref, "P-1", 4);
	memcpy(k.peer_name, "Meldpunt", 9);
}

static json_t *
written(uint32_t what)
{
	const struct json_withdrawal_meta m = { .seq = 7, .k = &k,
		.what = what, .at_ms = 1795510800000, .training = true };
	char *text;
	json_t *o;

	ck_assert_int_eq(json_withdrawal_write(&m, &w, &text), KL_OK);
	o = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	json_text_free(text);
	ck_assert_ptr_nonnull(o);
	return o;
}

/* Every member stands in the schema, and all that it asks for is there. */
static void
ck_fits(json_t *o, const json_t *s)
{
	json_t *props = json_object_get(s, "properties"), *v, *p, *n;
	const char *key;
	size_t i;

	json_object_foreach(o, key, v) {
		p = json_object_get(props, key);
		ck_assert_msg(p != NULL, "%s", key);
		if (json_is_object(v))
			ck_fits(v, p);
		if (json_is_array(v))
			json_array_foreach(v, i, n)
				ck_fits(n, json_object_get(p, "items"));
	}
	json_array_foreach(json_object_get(s, "required"), i, n)
		ck_assert_msg(json_object_get(o, json_string_value(n)) !=
		    NULL, "%s", json_string_value(n));
}

START_TEST(event_is_as_the_schema_says)
{
	json_t *o;

	all_made();
	o = written(ENGINE_ERASE_TOLD);
	ck_fits(o, schema);
	ck_assert_str_eq(json_string_value(json_object_get(o, "event")),
	    "erase_told");
	json_decref(o);
}
END_TEST

START_TEST(every_event_is_in_the_schema)
{
	static const uint32_t whats[] = { ENGINE_WITHDRAWING,
		ENGINE_WITHDRAWN, ENGINE_ERASE_ASKED, ENGINE_ERASE_ANSWERED,
		ENGINE_ERASE_TOLD, ENGINE_ERASE_MISSING };
	const json_t *names = json_object_get(json_object_get(
	    json_object_get(schema, "properties"), "event"), "enum");

	ck_assert_uint_eq(json_array_size(names),
	    sizeof whats / sizeof whats[0]);
	for (size_t i = 0; i < sizeof whats / sizeof whats[0]; i++)
		ck_assert_str_eq(json_string_value(json_array_get(names, i)),
		    engine_what_name(whats[i]));
}
END_TEST

START_TEST(counts_are_there_only_when_the_broker_has_spoken)
{
	json_t *o;

	w.ours = true;
	w.at_ms = 1795510800000;
	o = json_withdrawal(&w);
	ck_assert_ptr_null(json_object_get(o, "erased"));
	ck_assert_str_eq(json_string_value(json_object_get(o, "state")),
	    "withdrawing");
	json_decref(o);
	w.done = true;
	w.erased = 2;
	o = json_withdrawal(&w);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "erased")),
	    2);
	json_decref(o);
}
END_TEST

START_TEST(wrong_patient_says_do_not_contact)
{
	json_t *o = written(ENGINE_ERASE_ASKED);

	ck_assert(json_is_false(json_object_get(o, "do_not_contact")));
	json_decref(o);
	k.cause = w.cause = KL_CAUSE_SENT_IN_ERROR;
	o = written(ENGINE_ERASE_ASKED);
	ck_assert(json_is_true(json_object_get(o, "do_not_contact")));
	json_decref(o);
}
END_TEST

START_TEST(outcomes_read_as_they_are_written)
{
	for (uint32_t i = KL_ERASED; i <= KL_NOTHING_HELD; i++)
		ck_assert_uint_eq(json_withdrawal_outcome_read(
		    json_withdrawal_outcome(i)), i);
	ck_assert_uint_eq(json_withdrawal_outcome_read("?"), 0);
	ck_assert_str_eq(json_withdrawal_outcome(0), "?");
	ck_assert_str_eq(json_withdrawal_outcome(4), "?");
}
END_TEST

static int
read_file(const char *members, struct json_desk_file *f,
    struct kl_finding *why)
{
	const struct kl_spoken spoken = kl_spoken_make((uint8_t[16]){ 7 });
	char text[200];

	(void)snprintf(text, sizeof text, "{\"schema\": 1, "
	    "\"reference\": \"%s\", %s}", kl_spoken_text(&spoken).b,
	    members);
	ck_assert(json_desk_is(kl_bytes_str(text)));
	return json_desk_read(kl_bytes_str(text), f, why);
}

START_TEST(file_of_the_case_system_says_what_became_of_it)
{
	struct json_desk_file f;
	struct kl_finding why;

	ck_assert_int_eq(read_file("\"case_system\": \"nothing\"", &f,
	    &why), KL_OK);
	ck_assert_int_eq(f.kind, JSON_DESK_ERASED);
	ck_assert_uint_eq(f.case_system, KL_NOTHING_HELD);
	ck_assert_int_eq(read_file("\"case_system\": \"gone\"", &f, &why),
	    KL_E_REFUSED);
	ck_assert_uint_eq(why.code, KL_C_FIELD_VALUE);
	ck_assert_str_eq(why.field, "/case_system");
	ck_assert_int_eq(read_file("\"case_system\": \"erased\", "
	    "\"handed_over\": true", &f, &why), KL_E_REFUSED);
	ck_assert_uint_eq(why.code, KL_C_FIELDS_DISAGREE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("withdraw_pages");
	TCase *t = tcase_create("withdraw_pages");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, event_is_as_the_schema_says);
	tcase_add_test(t, every_event_is_in_the_schema);
	tcase_add_test(t, counts_are_there_only_when_the_broker_has_spoken);
	tcase_add_test(t, wrong_patient_says_do_not_contact);
	tcase_add_test(t, outcomes_read_as_they_are_written);
	tcase_add_test(t, file_of_the_case_system_says_what_became_of_it);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
