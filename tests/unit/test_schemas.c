/* The published JSON schemas and the tables of the domain say the same. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/domain/referral.h>
#include <kortelijn/domain/state.h>

static const char *const names[] = {
	"referral", "correction", "feedback", "referral-out", "feedback-out",
	"profile", "withdrawal-out",
	"attempt", "handed-over", "erased", "alarm-out",
};

static json_t *
schema(const char *name)
{
	char path[64];
	json_t *o;

	snprintf(path, sizeof path, "deploy/schemas/%s.schema.json", name);
	o = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_msg(o != NULL, "%s", path);
	return o;
}

static const char *
str(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	ck_assert_msg(s != NULL && s[0] != '\0', "%s", key);
	return s;
}

/* Every field, at any depth, has label, term and reason; every object is
 * closed. */
static void
check_described(json_t *o)
{
	json_t *props = json_object_get(o, "properties"), *p;
	const char *key;

	ck_assert(json_is_false(json_object_get(o, "additionalProperties")));
	ck_assert(json_is_array(json_object_get(o, "required")));
	json_object_foreach(props, key, p) {
		(void)str(p, "title");
		(void)str(p, "x-ddas");
		(void)str(p, "description");
		if (strcmp(str(p, "type"), "object") == 0)
			check_described(p);
	}
}

START_TEST(every_field_has_label_term_and_reason)
{
	json_t *o = schema(names[_i]);

	ck_assert_str_eq(str(o, "$schema"),
	    "https://json-schema.org/draft/2020-12/schema");
	(void)str(o, "$id");
	(void)str(o, "title");
	check_described(o);
	json_decref(o);
}
END_TEST

static json_t *
property(json_t *o, const char *path)
{
	const char *dot = strchr(path, '.');
	char first[32];
	size_t n = dot == NULL ? strlen(path) : (size_t)(dot - path);
	json_t *p;

	memcpy(first, path, n);
	first[n] = '\0';
	p = json_object_get(json_object_get(o, "properties"), first);
	ck_assert_msg(p != NULL, "%s", path);
	return dot == NULL ? p : property(p, dot + 1);
}

static void
check_enum(json_t *p, enum kl_list list)
{
	json_t *e = json_object_get(p, "enum");
	const struct kl_choice *c;
	size_t i;

	for (i = 0; (c = kl_list_at(list, i)) != NULL; i++) {
		ck_assert_str_eq(json_string_value(json_array_get(e, i)),
		    c->name);
		ck_assert_str_eq(str(json_object_get(p, "x-labels"),
		    c->name), c->nl);
		ck_assert_str_eq(str(json_object_get(p, "x-terms"), c->name),
		    c->term);
	}
	ck_assert_uint_eq(json_array_size(e), i);
}

static void
check_field(json_t *content, const struct kl_field *f)
{
	json_t *p = property(content, f->path);

	ck_assert_str_eq(str(p, "title"), f->nl);
	ck_assert_str_eq(str(p, "x-ddas"), f->term);
	ck_assert_str_eq(str(p, "description"), f->why);
	if (f->kind == KL_FIELD_LIST)
		check_enum(p, f->list);
	if (f->kind == KL_FIELD_ANSWER)
		ck_assert_str_eq(str(p, "type"), "boolean");
	if (f->chars != 0)
		ck_assert_int_eq(json_integer_value(json_object_get(p,
		    "maxLength")), (json_int_t)f->chars);
	if (f->kind == KL_FIELD_NUMBER) {
		ck_assert_int_eq(json_integer_value(json_object_get(p,
		    "minimum")), f->min);
		ck_assert_int_eq(json_integer_value(json_object_get(p,
		    "maximum")), f->max);
	}
}

static size_t
count_leaves(json_t *o)
{
	json_t *props = json_object_get(o, "properties"), *p;
	const char *key;
	size_t n = 0;

	json_object_foreach(props, key, p)
		n += json_object_get(p, "properties") == NULL ? 1 :
		    count_leaves(p);
	return n;
}

static bool
is_required(json_t *o, const char *key)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(o, "required"), i, v)
		if (strcmp(json_string_value(v), key) == 0)
			return true;
	return false;
}

START_TEST(content_is_the_table_of_fields)
{
	static const char *const with[] = {
		"referral", "correction", "referral-out",
	};
	json_t *o = schema(with[_i]);
	json_t *content = property(o, "referral");
	const struct kl_field *f;
	size_t i;

	for (i = 0; (f = kl_field_at(i)) != NULL; i++) {
		bool due = f->required && (_i < 2 || f->in_contact);

		check_field(content, f);
		if (strchr(f->path, '.') == NULL)
			ck_assert_msg(is_required(content, f->path) == due,
			    "%s", f->path);
	}
	ck_assert_uint_eq(count_leaves(content), i);
	json_decref(o);
}
END_TEST

static void
check_codes(json_t *p, bool system_too)
{
	json_t *e = json_object_get(p, "enum");
	const struct kl_state_row *r;
	size_t n = 0;

	for (size_t i = 0; (r = kl_state_at(i)) != NULL; i++) {
		if ((r->system && !system_too) || r->since > 1)
			continue;
		ck_assert_str_eq(json_string_value(json_array_get(e, n++)),
		    r->name);
		ck_assert_str_eq(str(json_object_get(p, "x-labels"),
		    r->name), r->nl);
		ck_assert_str_eq(str(json_object_get(p, "x-terms"), r->name),
		    r->term);
	}
	ck_assert_uint_eq(json_array_size(e), n);
}

START_TEST(codes_are_the_table_of_states)
{
	json_t *in = schema("feedback"), *out = schema("feedback-out");
	json_t *desk = schema("referral-out");

	check_codes(property(in, "code"), false);
	check_codes(property(out, "code"), true);
	check_codes(property(desk, "state"), true);
	json_decref(in);
	json_decref(out);
	json_decref(desk);
}
END_TEST

START_TEST(other_lists_are_the_tables_too)
{
	static const char *const with[] = { "feedback", "feedback-out" };
	json_t *o;

	for (size_t i = 0; i < 2; i++) {
		o = schema(with[i]);
		check_enum(property(o, "category"), KL_LIST_CATEGORY);
		check_enum(property(o, "ground"), KL_LIST_GROUND);
		check_enum(property(o, "wanted"), KL_LIST_WANTED);
		json_decref(o);
	}
	o = schema("referral");
	check_enum(property(o, "consent.asked_by"), KL_LIST_STAFF_ROLE);
	json_decref(o);
	o = schema("referral-out");
	check_enum(property(o, "extract"), KL_LIST_EXTRACT);
	json_decref(o);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("schemas");
	TCase *tc = tcase_create("schemas");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, every_field_has_label_term_and_reason, 0,
	    sizeof names / sizeof names[0]);
	tcase_add_loop_test(tc, content_is_the_table_of_fields, 0, 3);
	tcase_add_test(tc, codes_are_the_table_of_states);
	tcase_add_test(tc, other_lists_are_the_tables_too);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
