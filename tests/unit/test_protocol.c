/*
 * The tables of proto/PROTOCOL.md say what the program says, row for row.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/types.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/domain/list.h>
#include <kortelijn/domain/referral.h>
#include <kortelijn/domain/state.h>
#include <kortelijn/host/link.h>
#include <kortelijn/wire/request.h>

#define DASH "\xe2\x80\x93"		/* an en dash: none */
#define ROW_MAX 1024

static char *text;			/* the contract, with NUL */

static void
setup(void)
{
	const char *root = getenv("KL_TESTS");
	char path[1024];
	long n;
	FILE *f;

	snprintf(path, sizeof path, "%s%sproto/PROTOCOL.md",
	    root == NULL ? "" : root, root == NULL ? "" : "/../");
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "cannot open %s", path);
	ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
	ck_assert_int_gt((n = ftell(f)), 0);
	rewind(f);
	text = calloc(1, (size_t)n + 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(fread(text, 1, (size_t)n, f), (size_t)n);
	fclose(f);
}

static void
teardown(void)
{
	free(text);
}

/* A table of the contract, read from the top. */
struct table {
	const char *at, *end;
};

/* The rows below a heading, up to the next one, that begin with `front`. */
static struct table
table_at(const char *heading)
{
	struct table t;
	char line[128];

	snprintf(line, sizeof line, "\n%s", heading);
	t.at = strstr(text, line);
	ck_assert_msg(t.at != NULL, "no heading: %s", heading);
	t.at += strlen(line);
	t.end = strstr(t.at, "\n## ");
	if (t.end == NULL)
		t.end = t.at + strlen(t.at);
	if (heading[2] == '#' && strstr(t.at, "\n### ") != NULL &&
	    strstr(t.at, "\n### ") < t.end)
		t.end = strstr(t.at, "\n### ");
	return t;
}

static bool
row_next(struct table *t, const char *front, char row[ROW_MAX])
{
	while (t->at < t->end) {
		const char *line = t->at;
		size_t n = strcspn(line, "\n");

		t->at += n + 1;
		if (strncmp(line, front, strlen(front)) != 0)
			continue;
		ck_assert_uint_lt(n, ROW_MAX);
		memcpy(row, line, n);
		row[n] = '\0';
		return true;
	}
	return false;
}

static void
row_is(struct table *t, const char *front, const char *want)
{
	char row[ROW_MAX];

	ck_assert_msg(row_next(t, front, row), "missing: %s", want);
	ck_assert_str_eq(row, want);
}

/* Rows of numbered tables begin with a digit. */
static bool
numbered_next(struct table *t, char row[ROW_MAX])
{
	while (row_next(t, "| ", row))
		if (row[2] >= '0' && row[2] <= '9')
			return true;
	return false;
}

START_TEST(every_refusal_code_is_in_the_contract)
{
	static const char *const again[] = { [KL_RETRY_NEVER] = "no",
		[KL_RETRY_LATER] = "later", [KL_RETRY_REPAIR] = "repair" };
	struct table t = table_at("## 9. Refusal codes");
	char row[ROW_MAX], want[ROW_MAX];
	uint32_t c;

	for (size_t i = 0; (c = kl_code_at(i)) != 0; i++) {
		snprintf(want, sizeof want, "| %" PRIu32 " | `%s` | %s | %s "
		    "| %s |", c, kl_code_name(c), again[kl_code_retry(c)],
		    kl_code_text_en(c), kl_code_text_nl(c));
		ck_assert_msg(numbered_next(&t, row), "missing: %s", want);
		ck_assert_str_eq(row, want);
	}
	ck_assert_msg(!numbered_next(&t, row), "no such code: %s", row);
}
END_TEST

START_TEST(every_state_is_in_the_contract)
{
	static const char *const levels[] = { DASH, "0", "1", "2", "3" };
	static const char *const milestones[] = { "as before", "none",
		"taken_up", "in_progress", "ended", "returned" };
	struct table t = table_at("### 8.15 ");
	char want[ROW_MAX], row[ROW_MAX], rank[16];
	const struct kl_state_row *r;

	for (size_t i = 0; (r = kl_state_at(i)) != NULL; i++) {
		/* Another schema exists in tests only. */
		if (r->since > 1)
			continue;
		snprintf(rank, sizeof rank, "%d", r->rank);
		snprintf(want, sizeof want, "| %" PRIu32 " | `%s` | %s | %s |"
		    " %s | %s | %s | %s |", r->code, r->name, r->nl,
		    r->rank == KL_RANK_END ? "end" : rank, levels[r->level],
		    r->collapse == 0 ? DASH : kl_state_name(r->collapse),
		    milestones[r->milestone], r->system ? "yes" : "no");
		ck_assert_msg(numbered_next(&t, row), "missing: %s", want);
		ck_assert_str_eq(row, want);
	}
	ck_assert_msg(!numbered_next(&t, row), "no such state: %s", row);
}
END_TEST

/* "3-4, 24-27" with en dashes. */
static void
followers(uint32_t from, char out[256])
{
	const struct kl_step s = { .milestone = KL_MS_NONE,
		.corrected = true, .other_wanted = true };
	uint32_t first = 0;
	size_t n = 0;

	snprintf(out, 256, DASH);
	for (uint32_t to = 1; to <= KL_ST_CLOSED + 1; to++) {
		bool may = to <= KL_ST_CLOSED &&
		    kl_state_in_table(from, to, &s);

		if (may && first == 0)
			first = to;
		if (may || first == 0)
			continue;
		n += (size_t)snprintf(out + n, 256 - n, "%s%" PRIu32,
		    n == 0 ? "" : ", ", first);
		if (to - 1 > first)
			n += (size_t)snprintf(out + n, 256 - n, DASH "%"
			    PRIu32, to - 1);
		first = 0;
	}
}

START_TEST(every_transition_is_in_the_contract)
{
	struct table t = table_at("### 8.16 ");
	char want[ROW_MAX], row[ROW_MAX], to[256];

	for (uint32_t code = 1; code <= KL_ST_CLOSED; code++) {
		followers(code, to);
		snprintf(want, sizeof want, "| %" PRIu32 " `%s` | %s |", code,
		    kl_state_name(code), to);
		ck_assert_msg(numbered_next(&t, row), "missing: %s", want);
		ck_assert_str_eq(row, want);
	}
}
END_TEST

START_TEST(every_event_of_the_log_is_in_the_contract)
{
	struct table t = table_at("### 10.7 ");
	char want[ROW_MAX], row[ROW_MAX];

	for (uint32_t i = 1; i <= KL_EV_LAST; i++) {
		snprintf(want, sizeof want, "| %" PRIu32 " | `%s` | ", i,
		    kl_event_name(i));
		ck_assert_msg(numbered_next(&t, row), "missing: %s", want);
		ck_assert_msg(strncmp(row, want, strlen(want)) == 0,
		    "%s, not %s", row, want);
	}
	ck_assert_msg(!numbered_next(&t, row), "no such event: %s", row);
}
END_TEST

/* "| name | 1 `a`, 2 `b` |" from a function that names values. */
static void
list_is(struct table t, const char *name, const char *(*name_of)(uint32_t))
{
	char want[ROW_MAX], front[64];
	size_t n;

	snprintf(front, sizeof front, "| %s | ", name);
	n = (size_t)snprintf(want, sizeof want, "%s", front);
	for (uint32_t v = 1; strcmp(name_of(v), "?") != 0; v++)
		n += (size_t)snprintf(want + n, sizeof want - n,
		    "%s%" PRIu32 " `%s`", v == 1 ? "" : ", ", v, name_of(v));
	snprintf(want + n, sizeof want - n, " |");
	row_is(&t, front, want);
}

START_TEST(the_closed_lists_are_in_the_contract)
{
	struct table t = table_at("### 2.4 ");

	list_is(t, "kind", kl_kind_name);
	list_is(t, "statement", kl_statement_name);
	list_is(t, "request", kl_request_name);
	list_is(t, "role", kl_role_name);
	list_is(t, "realm", kl_realm_name);
	list_is(t, "staff role", kl_staff_role_name);
	list_is(t, "milestone", kl_milestone_name);
	list_is(t, "consent form", kl_form_name);
	list_is(t, "receipt outcome", kl_outcome_name);
	list_is(t, "withdrawal scope", kl_scope_name);
	list_is(t, "withdrawal cause", kl_cause_name);
	list_is(t, "revocation reason", kl_revoke_reason_name);
}
END_TEST

START_TEST(the_states_of_records_are_in_the_contract)
{
	struct table t = table_at("### 10.8 ");
	char want[ROW_MAX];

	for (uint32_t v = 1; v <= KL_MSG_ERASED; v++) {
		snprintf(want, sizeof want, "| %" PRIu32 " | `%s` |", v,
		    kl_message_state_name(v));
		row_is(&t, want, want);
	}
}
END_TEST

static const char *const list_titles[KL_LIST_COUNT] = {
	[KL_LIST_SEX] = "sex", [KL_LIST_CONTACT] = "contact",
	[KL_LIST_PART_OF_DAY] = "part of day", [KL_LIST_PLACE] = "place",
	[KL_LIST_HELP_QUESTION] = "help question",
	[KL_LIST_CRISIS_KIND] = "crisis kind",
	[KL_LIST_HANDOVER] = "handover", [KL_LIST_STAFF_ROLE] = "staff role",
	[KL_LIST_RELATION] = "relation", [KL_LIST_EXTRACT] = "extract",
	[KL_LIST_CATEGORY] = "category", [KL_LIST_GROUND] = "ground",
	[KL_LIST_WANTED] = "wanted",
};

START_TEST(every_field_of_a_referral_is_in_the_contract)
{
	static const char *const sorts[] = { "name", "text", "postcode",
		"suffix", "phone", "e-mail", "language", "birth date",
		"number", "yes or no", "" };
	struct table t = table_at("### 11.2 ");
	char want[ROW_MAX], limit[64];
	const struct kl_field *f;

	for (size_t i = 0; (f = kl_field_at(i)) != NULL; i++) {
		snprintf(limit, sizeof limit, DASH);
		if (f->chars > 0)
			snprintf(limit, sizeof limit, "%zu / %zu", f->chars,
			    f->bytes);
		else if (f->max > 0)
			snprintf(limit, sizeof limit, "%" PRIu32 DASH "%"
			    PRIu32, f->min, f->max);
		snprintf(want, sizeof want, "| `%s` | %s | %s | %s | %s | %s "
		    "|", f->path, f->kind == KL_FIELD_LIST ?
		    list_titles[f->list] : sorts[f->kind], limit,
		    f->required ? "yes" : "no", f->in_contact ? "yes" : "no",
		    f->nl);
		row_is(&t, "| `", want);
	}
}
END_TEST

START_TEST(every_list_of_the_content_is_in_the_contract)
{
	const struct table t = table_at("### 11.2 ");

	for (int list = 1; list < KL_LIST_COUNT; list++) {
		struct table from = t;
		const struct kl_choice *c;
		char want[ROW_MAX], front[64];
		size_t n;

		/* The staff roles stand in 2.4. */
		if (list_titles[list] == NULL || list == KL_LIST_STAFF_ROLE)
			continue;
		snprintf(front, sizeof front, "| %s | 1 ", list_titles[list]);
		n = (size_t)snprintf(want, sizeof want, "| %s | ",
		    list_titles[list]);
		for (size_t i = 0; (c = kl_list_at((enum kl_list)list, i)) !=
		    NULL; i++)
			n += (size_t)snprintf(want + n, sizeof want - n,
			    "%s%" PRIu32 " `%s`", i == 0 ? "" : ", ",
			    c->value, c->name);
		snprintf(want + n, sizeof want - n, " |");
		row_is(&from, front, want);
	}
}
END_TEST

START_TEST(every_label_is_in_the_contract)
{
	static const char *const what[KL_LABEL_COUNT] = { "envelope", "CARD",
		"REVOCATION", "PREKEY", "PROFILE", "RECEIPT", "WITHDRAWAL",
		"ERASE_RECEIPT", "NOTICE", "request to enrol" };
	struct table t = table_at("### 3.3 ");
	char want[ROW_MAX], front[64];

	for (int i = 0; i < KL_LABEL_COUNT; i++) {
		struct kl_bytes label = kl_label_bytes((enum kl_label)i);

		snprintf(front, sizeof front, "| %s | ", what[i]);
		snprintf(want, sizeof want, "%s`%s\\0` |", front,
		    (const char *)label.p);
		row_is(&t, front, want);
	}
}
END_TEST

START_TEST(the_limits_are_those_of_the_contract)
{
	static const struct { const char *row; uint64_t value; } limits[] = {
		{ "| frame | 16,384 bytes | `frame_too_large` |",
		  KL_FRAME_MAX },
		{ "| frame on the wire | 20,480 bytes | connection cut |",
		  KL_LINK_MAX },
		{ "| frames of a message | 6 | dropped |",
		  KL_LINK_FRAMES_MAX },
		{ "| released without receipt, of a receiver | 4 envelopes |"
		  " wait |", KL_FETCH_ENVELOPES_MAX },
		{ "| items of one FETCH | 8 | the next FETCH |",
		  KL_ITEMS_MAX },
		{ "| statement but PROFILE | 2,400 | `value_unknown` |",
		  KL_STATEMENT_MAX },
		{ "| record | 384 | " DASH " |", KL_RECORD_MAX },
		{ "| proof | 64 hashes | " DASH " |", KL_PAGE_MAX },
	};
	char digits[32];

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		struct table t = table_at("## 14. Limits");

		if (limits[i].value < 1000)
			snprintf(digits, sizeof digits, "%" PRIu64,
			    limits[i].value);
		else
			snprintf(digits, sizeof digits, "%" PRIu64 ",%03"
			    PRIu64, limits[i].value / 1000,
			    limits[i].value % 1000);
		ck_assert_ptr_nonnull(strstr(limits[i].row, digits));
		row_is(&t, limits[i].row, limits[i].row);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("protocol");
	TCase *tc = tcase_create("protocol");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, every_refusal_code_is_in_the_contract);
	tcase_add_test(tc, every_state_is_in_the_contract);
	tcase_add_test(tc, every_transition_is_in_the_contract);
	tcase_add_test(tc, every_event_of_the_log_is_in_the_contract);
	tcase_add_test(tc, the_closed_lists_are_in_the_contract);
	tcase_add_test(tc, the_states_of_records_are_in_the_contract);
	tcase_add_test(tc, every_field_of_a_referral_is_in_the_contract);
	tcase_add_test(tc, every_list_of_the_content_is_in_the_contract);
	tcase_add_test(tc, every_label_is_in_the_contract);
	tcase_add_test(tc, the_limits_are_those_of_the_contract);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
