#include "proto/audit/format.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/crypto/merkle.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/textfile.h>

#include "proto/audit/csv.h"
#include "proto/audit/ldv.h"
#include "tests/support/said.h"
#include "tests/support/tmpdir.h"

#define ORIGIN "oin-00000009000000000001/log/20261124T234512Z-7K3MQ9VD"
#define ORG_A "agb:01234567"
#define ORG_B "oin:00000001000000000001"
#define CONV "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"

static struct said said;
static char *text;		/* of the last output */
static size_t text_n;

static const struct cli_program program = { .name = "kortelijn",
	.daemon = "the broker" };
static const struct cli cli = { .program = &program };

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	text = NULL;
}

static void
teardown(void)
{
	free(text);
}

/* ---- records ------------------------------------------------------------ */

static uint8_t packed[KL_RECORD_MAX];

static struct kl_id
id(const char *of)
{
	struct kl_id out;

	ck_assert_int_eq(kl_id_read(of, &out), KL_OK);
	return out;
}

static void
fill(uint8_t *p, size_t n, uint8_t first)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(first + i);
}

/* A referral that was accepted at 2026-11-24 17:00 in the Netherlands. */
static struct kl_record
referral(void)
{
	struct kl_record r = { .version = 1, .event = KL_EV_ACCEPTED,
		.org_from = id(ORG_A), .org_to = id(ORG_B),
		.actor_role = KL_PRACTICE, .kind = KL_REFERRAL,
		.time_minute = INT64_C(1795536000) / 60,
		.due_minute = INT64_C(1795536000) / 60 + 24 * 60,
		.new_state = KL_MSG_ACCEPTED, .outcome = 1,
		.reason = KL_C_OK, .count = 1 };

	fill(r.conv_ref.b, sizeof r.conv_ref.b, 0xc0);
	fill(r.msg_ref.b, sizeof r.msg_ref.b, 0xa0);
	fill(r.body_hash.b, sizeof r.body_hash.b, 0x20);
	fill(r.actor_key_id.b, sizeof r.actor_key_id.b, 0x50);
	return r;
}

/* Three refusals of one minute. */
static struct kl_record
refusal(void)
{
	struct kl_record r = { .version = 1, .event = KL_EV_REFUSED,
		.org_from = id(ORG_A), .actor_role = KL_BROKER,
		.time_minute = INT64_C(1795536000) / 60, .outcome = 2,
		.reason = KL_C_NO_CONSENT, .count = 3 };

	fill(r.actor_key_id.b, sizeof r.actor_key_id.b, 0x60);
	return r;
}

static struct audit_record
logged(uint64_t leaf, const struct kl_record *r)
{
	struct audit_record out = { .leaf = leaf, .r = *r };
	size_t n;

	fill(out.salt, sizeof out.salt, 0x70);
	ck_assert_int_eq(KL_STATEMENT_PACK(KL_S_RECORD, r, packed,
	    sizeof packed, &n), KL_OK);
	out.packed = kl_bytes(packed, n);
	return out;
}

/* ---- output ------------------------------------------------------------- */

/* All of what a form makes of one record, in `text`. */
static void
output(struct audit_format_to *to, const struct kl_record *r)
{
	const struct audit_record rec = logged(41, r);

	free(text);
	text = NULL;
	to->cli = &cli;
	to->origin = ORIGIN;
	if (to->lang == 0)
		to->lang = KL_NL;
	ck_assert_ptr_nonnull(to->f = open_memstream(&text, &text_n));
	to->begun = false;
	to->n = 0;
	ck_assert_int_eq(audit_format_put(to, &rec), CLI_OK);
	ck_assert_int_eq(audit_format_end(to), CLI_OK);
	ck_assert_int_eq(fclose(to->f), 0);
	ck_assert_uint_eq(to->n, 1);
}

/* One object on one line. */
static json_t *
line(enum audit_format format, const struct kl_record *r)
{
	struct audit_policy policy = { .leaf = 3 };
	struct audit_format_to to = { .format = format,
		.policies = { &policy, 1 } };
	json_t *o;

	fill(policy.hash.b, sizeof policy.hash.b, 0x90);
	output(&to, r);
	ck_assert_ptr_eq(strchr(text, '\n'), text + text_n - 1);
	ck_assert_ptr_nonnull(o = json_loads(text, 0, NULL));
	return o;
}

static const char *
str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "(none)";
}

/* ---- table -------------------------------------------------------------- */

START_TEST(table_is_two_lines_within_80_columns)
{
	struct audit_format_to to = { .format = AUDIT_FORMAT_TABLE };
	const struct kl_record r = referral();

	output(&to, &r);
	ck_assert_str_eq(text,
	    "REGEL   TIJD             GEBEURTENIS       SOORT      VAN\n"
	    "        GESPREK OF REDEN                 STAP         AAN\n"
	    "41      2026-11-24 17:00 accepted          referral   " ORG_A "\n"
	    "        " CONV "              " ORG_B "\n");
	to.lang = KL_EN;
	output(&to, &r);
	ck_assert_ptr_nonnull(strstr(text, "LEAF    TIME             EVENT"));
}
END_TEST

START_TEST(widest_line_of_a_table_fits)
{
	struct audit_format_to to = { .format = AUDIT_FORMAT_TABLE };
	struct kl_record r = referral();
	size_t n;

	r.event = KL_EV_CONSENT_WITHDRAWN;
	r.kind = KL_CORRECTION;
	r.milestone = KL_MS_IN_PROGRESS;
	r.org_from = id(ORG_B);
	output(&to, &r);
	for (const char *at = text; *at != '\0'; at += n + 1) {
		n = strcspn(at, "\n");
		ck_assert_uint_le(n, 80);
	}
}
END_TEST

START_TEST(headings_stand_also_above_nothing)
{
	struct audit_format_to to = { .cli = &cli, .lang = KL_NL,
		.format = AUDIT_FORMAT_CSV };

	ck_assert_ptr_nonnull(to.f = open_memstream(&text, &text_n));
	ck_assert_int_eq(audit_format_end(&to), CLI_OK);
	ck_assert_int_eq(fclose(to.f), 0);
	ck_assert_ptr_nonnull(strstr(text, "\"Regel\";\"Tijd\""));
	ck_assert_uint_eq(to.n, 0);
}
END_TEST

START_TEST(table_says_why_and_how_often)
{
	struct audit_format_to to = { .format = AUDIT_FORMAT_TABLE };
	const struct kl_record r = refusal();

	output(&to, &r);
	ck_assert_ptr_nonnull(strstr(text, "\n        no_consent, 3 times\n"));
}
END_TEST

START_TEST(table_names_the_term_that_was_missed)
{
	struct audit_format_to to = { .format = AUDIT_FORMAT_TABLE };
	struct kl_record r = referral();

	r.event = KL_EV_DEADLINE;
	output(&to, &r);
	ck_assert_ptr_nonnull(strstr(text, "\n        due 2026-11-25 17:00\n"));
}
END_TEST

/* ---- JSON --------------------------------------------------------------- */

START_TEST(json_has_what_a_proof_needs)
{
	const struct kl_record r = referral();
	const struct audit_record rec = logged(41, &r);
	const struct kl_hash hash = kl_record_leaf_hash(rec.salt, rec.packed);
	json_t *o = line(AUDIT_FORMAT_JSON, &r);
	uint8_t salt[32], record[KL_RECORD_MAX], h[32];

	ck_assert_int_eq(json_integer_value(json_object_get(o, "leaf")), 41);
	ck_assert_int_eq(kl_hex_read(str(o, "salt"), salt, 32), KL_OK);
	ck_assert_mem_eq(salt, rec.salt, 32);
	ck_assert_int_eq(kl_hex_read(str(o, "record"), record, rec.packed.n),
	    KL_OK);
	ck_assert_mem_eq(record, rec.packed.p, rec.packed.n);
	ck_assert_int_eq(kl_hex_read(str(o, "hash"), h, 32), KL_OK);
	ck_assert_mem_eq(h, hash.b, 32);
	ck_assert_str_eq(str(o, "event"), "accepted");
	ck_assert_str_eq(str(o, "time"), "2026-11-24T16:00:00.000Z");
	ck_assert_str_eq(str(o, "due"), "2026-11-25T16:00:00.000Z");
	ck_assert_str_eq(str(o, "conv_ref"), CONV);
	ck_assert_str_eq(str(o, "outcome"), "done");
	json_decref(o);
}
END_TEST

/* ---- CSV ---------------------------------------------------------------- */

START_TEST(csv_is_what_a_dutch_excel_opens)
{
	struct audit_format_to to = { .format = AUDIT_FORMAT_CSV };
	const struct kl_record r = referral();

	output(&to, &r);
	ck_assert_str_eq(text, "\xef\xbb\xbf\"Regel\";\"Tijd\";"
	    "\"Gebeurtenis\";\"Soort\";\"Stap\";\"Van\";\"Naam van\";\"Aan\";"
	    "\"Naam aan\";\"Rol\";\"Uitkomst\";\"Reden\";\"Aantal\";"
	    "\"Termijn\";\"Toestand voor\";\"Toestand na\";\"Gesprek\";"
	    "\"Bericht\";\"Hash\";\"Sleutel\"\r\n"
	    "\"41\";\"2026-11-24 17:00\";\"aangenomen\";\"verwijzing\";\"\";"
	    "\"" ORG_A "\";\"\";\"" ORG_B "\";\"\";\"praktijk\";\"gelukt\";"
	    "\"\";\"1\";\"2026-11-25 17:00\";\"\";\"aangenomen\";\"" CONV
	    "\";\"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf\";"
	    "\"202122232425262728292a2b2c2d2e2f"
	    "303132333435363738393a3b3c3d3e3f\";"
	    "\"505152535455565758595a5b5c5d5e5f\"\r\n");
}
END_TEST

START_TEST(csv_speaks_english_when_asked)
{
	struct audit_format_to to = { .format = AUDIT_FORMAT_CSV,
		.lang = KL_EN };
	const struct kl_record r = refusal();

	output(&to, &r);
	ck_assert_ptr_nonnull(strstr(text, "\"Leaf\";\"Time\";\"Event\""));
	ck_assert_ptr_nonnull(strstr(text, "\"refused\";\"There is no consent "
	    "for this referral.\";\"3\""));
}
END_TEST

static void
cell(const char *in, const char *out)
{
	free(text);
	text = NULL;
	FILE *f = open_memstream(&text, &text_n);

	ck_assert_ptr_nonnull(f);
	audit_csv_cell(f, true, in);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_str_eq(text, out);
}

START_TEST(cells_are_no_formulas)
{
	cell("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"");
	cell("+31", "\"'+31\"");
	cell("-1", "\"'-1\"");
	cell("@SUM(A1)", "\"'@SUM(A1)\"");
	cell("\tx", "\"'\tx\"");
	cell("\rx", "\"'\rx\"");
	cell("a=b", "\"a=b\"");
	cell("De Linde; Zwolle", "\"De Linde; Zwolle\"");
	cell("", "\"\"");
}
END_TEST

START_TEST(cells_are_not_rounded)
{
	cell("1234567890123456", "\"'1234567890123456\"");
	cell("12345678901234e5678901", "\"'12345678901234e5678901\"");
	cell("0123", "\"'0123\"");
	cell("123456789012345", "\"123456789012345\"");
	cell("0", "\"0\"");
	cell("12e", "\"12e\"");
	cell("12e4a", "\"12e4a\"");
}
END_TEST

/* A card whose holder calls itself by a formula. */
static void
card_write(const struct tmpdir *d, const struct kl_secret *sk,
    const char *name)
{
	struct kl_card card = { .version = 1, .role = KL_PRACTICE,
		.realm = KL_TRAINING, .id = id(ORG_A),
		.name = kl_bytes_str(name), .issued_ms = 1,
		.not_after_ms = 1000, .reads_all = 1 };
	uint8_t body[KL_STATEMENT_MAX], out[KL_STATEMENT_MAX];
	struct kl_signed s;
	size_t n;

	fill(card.serial, sizeof card.serial, 1);
	fill(card.sign_pk.b, sizeof card.sign_pk.b, 2);
	fill(card.transport_pk.b, sizeof card.transport_pk.b, 3);
	ck_assert_int_eq(KL_STATEMENT_PACK(KL_CARD, &card, body, sizeof body,
	    &n), KL_OK);
	s.body = kl_bytes(body, n);
	ck_assert_int_eq(kl_sign(KL_LABEL_CARD, s.body, sk, &s.sig), KL_OK);
	ck_assert_int_eq(kl_signed_pack(&s, out, sizeof out, &n), KL_OK);
	ck_assert_int_eq(kl_textfile_write(AT_FDCWD, tmpdir_file(d,
	    "a.card").b, KL_TAG_CARD, NULL, kl_bytes(out, n)), KL_OK);
}

static struct kl_secret *
authority(uint8_t seed, struct kl_sign_pk *pk)
{
	struct kl_secret *sk;
	uint8_t b[32];

	memset(b, seed, sizeof b);
	ck_assert_int_eq(kl_sign_from_seed(kl_bytes(b, sizeof b), &sk), KL_OK);
	ck_assert_int_eq(kl_sign_public(sk, pk), KL_OK);
	return sk;
}

START_TEST(names_stand_beside_ids_and_are_no_formulas)
{
	struct audit_format_to to = { .format = AUDIT_FORMAT_CSV };
	const struct kl_record r = referral();
	const struct tmpdir d = tmpdir_make();
	struct audit_names *names, *strange;
	struct kl_sign_pk pk, other;
	struct kl_secret *sk = authority(1, &pk), *sk2 = authority(2, &other);

	card_write(&d, sk, "=cmd|'/c calc'!A0");
	ck_assert_int_eq(audit_names_read(d.path, &pk, &names), KL_OK);
	to.names = names;
	output(&to, &r);
	ck_assert_ptr_nonnull(strstr(text, "\"" ORG_A
	    "\";\"'=cmd|'/c calc'!A0\";\"" ORG_B "\";\"\""));

	/* Not signed by that authority: no name. */
	ck_assert_int_eq(audit_names_read(d.path, &other, &strange), KL_OK);
	ck_assert_ptr_null(audit_names_of(strange, &r.org_from));
	audit_names_free(strange);
	audit_names_free(names);
	ck_assert_int_eq(audit_names_read(tmpdir_file(&d, "none").b, &pk,
	    &names), KL_E_NOT_FOUND);
	ck_assert_ptr_null(names);
	ck_assert_ptr_null(audit_names_of(NULL, &r.org_from));
	kl_secret_free(sk);
	kl_secret_free(sk2);
	tmpdir_remove(&d);
}
END_TEST

START_TEST(names_can_be_added_and_the_first_stays)
{
	const struct kl_record r = referral();
	struct audit_names *names = NULL;
	struct kl_id id = r.org_from;

	ck_assert_int_eq(audit_names_add(&names, &id, "De\033Es"), KL_OK);
	ck_assert_ptr_nonnull(names);
	ck_assert_int_eq(audit_names_add(&names, &id, "Another"), KL_OK);
	ck_assert_ptr_nonnull(audit_names_of(names, &id));
	ck_assert_ptr_null(strchr(audit_names_of(names, &id), '\033'));
	ck_assert_ptr_null(strstr(audit_names_of(names, &id), "Another"));
	ck_assert_ptr_null(audit_names_of(names, &r.org_to));
	for (int i = 1; i < AUDIT_NAMES_MAX; i++) {
		struct kl_id other;
		char text[20];

		(void)snprintf(text, sizeof text, "agb:%08d", 90000000 + i);
		ck_assert_int_eq(kl_id_read(text, &other), KL_OK);
		ck_assert_int_eq(audit_names_add(&names, &other, text),
		    KL_OK);
	}
	ck_assert_int_eq(kl_id_read("agb:80000000", &id), KL_OK);
	ck_assert_int_eq(audit_names_add(&names, &id, "One more"), KL_E_FULL);
	audit_names_free(names);
}
END_TEST

/* ---- NEN 7513 ----------------------------------------------------------- */

START_TEST(nen7513_has_every_row_that_the_broker_knows)
{
	const struct kl_record r = referral();
	json_t *o = line(AUDIT_FORMAT_NEN7513, &r), *user, *object;

	ck_assert_str_eq(str(o, "EventID"), "accepted");
	ck_assert_str_eq(str(o, "eventTypeCode"), "referral");
	ck_assert_str_eq(str(o, "EventActionCode"), "C");
	ck_assert_str_eq(str(o, "EventDateTime"), "2026-11-24T16:00:00.000Z");
	ck_assert_int_eq(json_integer_value(json_object_get(o,
	    "EventOutcomeIndicator")), 0);

	user = json_array_get(json_object_get(o, "users"), 0);
	ck_assert_str_eq(str(user, "userID"), ORG_A);
	ck_assert(json_is_true(json_object_get(user, "userIsRequestor")));
	ck_assert_str_eq(str(user, "roleIDCode"), "practice");
	ck_assert_str_eq(str(user, "alternateUserID"),
	    "505152535455565758595a5b5c5d5e5f");
	ck_assert_str_eq(str(user, "networkAccessPointTypeCode"),
	    "actor_key_id");
	ck_assert_str_eq(str(user, "networkAccessPointID"),
	    "505152535455565758595a5b5c5d5e5f");
	ck_assert_uint_eq(json_object_size(user), 6);
	user = json_array_get(json_object_get(o, "users"), 1);
	ck_assert_str_eq(str(user, "userID"), ORG_B);
	ck_assert(json_is_false(json_object_get(user, "userIsRequestor")));
	ck_assert_uint_eq(json_object_size(user), 2);

	object = json_array_get(json_object_get(o, "participants"), 0);
	ck_assert_str_eq(str(object, "participantObjectIDTypeCode"),
	    "msg_ref");
	ck_assert_str_eq(str(object, "participantObjectTypeCodeRole"),
	    "referral");
	ck_assert_str_eq(str(object, "participantObjectDataLifeCycle"),
	    "accepted");
	ck_assert_str_eq(str(json_object_get(object,
	    "participantObjectDetail"), "due"), "2026-11-25T16:00:00.000Z");
	object = json_array_get(json_object_get(o, "participants"), 1);
	ck_assert_str_eq(str(object, "participantObjectID"), CONV);

	ck_assert_str_eq(str(o, "autorisatieProtocol"),
	    "909192939495969798999a9b9c9d9e9f"
	    "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
	ck_assert_str_eq(str(o, "behandelrelatieProtocol"), "not applicable");
	ck_assert_str_eq(str(json_object_get(o, "toestemmingsProfiel"),
	    "conv_ref"), CONV);
	ck_assert_str_eq(str(json_object_get(o, "controles"), "result"),
	    "passed");
	ck_assert_str_eq(str(o, "AuditEnterpriseSiteID"),
	    "oin:00000009000000000001");
	ck_assert_str_eq(str(o, "AuditSourceId"), ORIGIN);
	ck_assert_int_eq(json_integer_value(json_object_get(o,
	    "AuditSourceTypeCode")), 4);
	json_decref(o);
}
END_TEST

START_TEST(nen7513_names_no_person_and_invents_nothing)
{
	static const char *const unknown[] = { "userName", "purposeOfUse",
		"participantObjectName", "participantObjectSensitivity",
		"participantObjectPermissionPolicySet" };
	const struct kl_record r = referral();
	struct audit_format_to to = { .format = AUDIT_FORMAT_NEN7513 };

	output(&to, &r);
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		ck_assert_ptr_null(strstr(text, unknown[i]));
	/* Without a load before it, no policy is named. */
	ck_assert_ptr_null(strstr(text, "autorisatieProtocol"));
}
END_TEST

START_TEST(nen7513_names_who_shows_its_own_paper_once)
{
	struct kl_record r = referral();
	json_t *o, *users;

	r.event = KL_EV_PRESENTED;
	r.org_to = r.org_from;
	o = line(AUDIT_FORMAT_NEN7513, &r);
	users = json_object_get(o, "users");
	ck_assert_uint_eq(json_array_size(users), 1);
	ck_assert_str_eq(str(json_array_get(users, 0), "userID"), ORG_A);
	ck_assert(json_is_true(json_object_get(json_array_get(users, 0),
	    "userIsRequestor")));
	json_decref(o);
}
END_TEST

START_TEST(nen7513_of_a_refusal_says_what_was_refused)
{
	const struct kl_record r = refusal();
	json_t *o = line(AUDIT_FORMAT_NEN7513, &r), *checks, *users;

	checks = json_object_get(o, "controles");
	ck_assert_int_eq(json_integer_value(json_object_get(o,
	    "EventOutcomeIndicator")), 4);
	ck_assert_str_eq(str(checks, "result"), "refused");
	ck_assert_str_eq(str(checks, "reason"), "no_consent");
	ck_assert_int_eq(json_integer_value(json_object_get(checks,
	    "count")), 3);
	users = json_object_get(o, "users");
	ck_assert(json_is_true(json_object_get(json_array_get(users, 0),
	    "userIsRequestor")));
	/* The broker's key, not that of who was refused. */
	ck_assert_str_eq(str(json_array_get(users, 0), "alternateUserID"),
	    "(none)");
	ck_assert_str_eq(str(json_array_get(users, 1), "userID"),
	    "oin:00000009000000000001");
	ck_assert_ptr_null(json_object_get(o, "toestemmingsProfiel"));
	json_decref(o);
}
END_TEST

START_TEST(policy_is_the_last_one_loaded_before)
{
	struct audit_policy at[] = { { .leaf = 1 }, { .leaf = 9 } };
	const struct audit_policies p = { at, 2 };

	ck_assert_ptr_null(audit_policies_at(&p, 0));
	ck_assert_ptr_null(audit_policies_at(&p, 1));
	ck_assert_ptr_eq(audit_policies_at(&p, 2), &at[0]);
	ck_assert_ptr_eq(audit_policies_at(&p, 9), &at[0]);
	ck_assert_ptr_eq(audit_policies_at(&p, 10), &at[1]);
}
END_TEST

/* ---- Logboek Dataverwerkingen -------------------------------------------- */

START_TEST(ldv_is_a_span_of_its_conversation)
{
	const struct kl_record r = referral();
	const struct audit_record rec = logged(41, &r);
	const struct kl_hash leaf = kl_record_leaf_hash(rec.salt, rec.packed);
	struct audit_format_to to = { .format = AUDIT_FORMAT_LDV,
		.activity = "https://register.example/42" };
	char span[17];
	json_t *o;

	output(&to, &r);
	ck_assert_ptr_nonnull(o = json_loads(text, 0, NULL));
	kl_hex(kl_bytes(leaf.b + 24, 8), span);
	ck_assert_str_eq(str(o, "trace_id"), CONV);
	ck_assert_str_eq(str(o, "span_id"), span);
	ck_assert_str_eq(str(o, "status"), "Ok");
	ck_assert_str_eq(str(o, "name"), "accepted referral");
	ck_assert_str_eq(str(o, "start_time"), "2026-11-24T16:00:00.000Z");
	ck_assert_str_eq(str(o, "end_time"), "2026-11-24T16:00:00.000Z");
	ck_assert_str_eq(str(json_object_get(o, "attributes"),
	    "dpl.core.processing_activity_id"),
	    "https://register.example/42");
	ck_assert_uint_eq(json_object_size(json_object_get(o,
	    "attributes")), 1);
	ck_assert_uint_eq(json_object_size(o), 8);
	json_decref(o);
}
END_TEST

START_TEST(ldv_names_no_user_and_no_subject)
{
	static const char *const kept_out[] = { ORG_A, ORG_B, "practice",
		"5051525354", "data_subject", "processing_activity_id" };
	struct audit_format_to to = { .format = AUDIT_FORMAT_LDV };
	const struct kl_record r = referral();

	output(&to, &r);
	for (size_t i = 0; i < sizeof kept_out / sizeof kept_out[0]; i++)
		ck_assert_ptr_null(strstr(text, kept_out[i]));
}
END_TEST

START_TEST(ldv_without_a_conversation_is_a_trace_of_its_own)
{
	const struct kl_record r = refusal();
	const struct audit_record rec = logged(41, &r);
	const struct kl_hash leaf = kl_record_leaf_hash(rec.salt, rec.packed);
	json_t *o = line(AUDIT_FORMAT_LDV, &r);
	char trace[33];

	kl_hex(kl_bytes(leaf.b, 16), trace);
	ck_assert_str_eq(str(o, "trace_id"), trace);
	ck_assert_str_eq(str(o, "status"), "Unset");
	ck_assert_str_eq(str(o, "name"), "refused");
	json_decref(o);
}
END_TEST

START_TEST(nen7513_and_ldv_share_no_field)
{
	const struct kl_record r = referral();
	json_t *nen = line(AUDIT_FORMAT_NEN7513, &r);
	json_t *ldv = line(AUDIT_FORMAT_LDV, &r);
	const char *key;
	json_t *v;

	json_object_foreach(ldv, key, v)
		ck_assert_ptr_null(json_object_get(nen, key));
	ck_assert_uint_gt(json_object_size(nen), 0);
	json_decref(nen);
	json_decref(ldv);
}
END_TEST

START_TEST(activity_is_an_absolute_uri)
{
	ck_assert(audit_ldv_activity_valid("urn:nl:register:42"));
	ck_assert(!audit_ldv_activity_valid("register/42"));
	ck_assert(!audit_ldv_activity_valid("https:"));
	ck_assert(!audit_ldv_activity_valid("https://a b"));
	ck_assert(!audit_ldv_activity_valid("https://a\"b"));
	ck_assert(!audit_ldv_activity_valid(""));
}
END_TEST

/* ---- the way out --------------------------------------------------------- */

static int
option(const char *word, bool json, enum audit_format *out)
{
	char *words[] = { (char *)(uintptr_t)word };
	const struct cli c = { .program = &program, .words = words,
		.n_words = 1, .json = json };
	int r;

	said_begin(&said);
	r = audit_format_option(&c, out);
	said_end(&said);
	return r;
}

START_TEST(one_form_at_a_time)
{
	enum audit_format f;

	ck_assert_int_eq(option("--csv", false, &f), CLI_OK);
	ck_assert_int_eq(f, AUDIT_FORMAT_CSV);
	ck_assert_int_eq(option("--json", true, &f), CLI_OK);
	ck_assert_int_eq(f, AUDIT_FORMAT_JSON);
	ck_assert_int_eq(option("--format=ldv", false, &f), CLI_OK);
	ck_assert_int_eq(f, AUDIT_FORMAT_LDV);
	ck_assert_int_eq(option("--format=nen7513", false, &f), CLI_OK);
	ck_assert_int_eq(f, AUDIT_FORMAT_NEN7513);
	ck_assert_int_eq(option("--format=xml", false, &f), CLI_USAGE);
	ck_assert_ptr_nonnull(strstr(said.err, "nen7513 or ldv"));
	ck_assert_int_eq(option("--format=ldv", true, &f), CLI_USAGE);
	ck_assert_int_eq(option("--csv", true, &f), CLI_USAGE);
}
END_TEST

/* Records until it fails; what it then answers. */
static int
until_it_fails(FILE *f)
{
	struct audit_format_to to = { .cli = &cli, .f = f,
		.format = AUDIT_FORMAT_JSON };
	const struct kl_record r = referral();
	const struct audit_record rec = logged(41, &r);
	int i, result = CLI_OK;

	for (i = 0; i < 1000 && result == CLI_OK; i++)
		result = audit_format_put(&to, &rec);
	if (result == CLI_OK)
		result = audit_format_end(&to);
	return result;
}

START_TEST(full_disk_is_told)
{
	FILE *f = fopen("/dev/full", "w");

	ck_assert_ptr_nonnull(f);
	said_begin(&said);
	ck_assert_int_eq(until_it_fails(f), CLI_FAILED);
	(void)fclose(f);
	said_end(&said);
	ck_assert_ptr_nonnull(strstr(said.err, "cut short after"));
	ck_assert_ptr_nonnull(strstr(said.err, strerror(ENOSPC)));
}
END_TEST

START_TEST(reader_that_went_away_is_told)
{
	int fd[2];
	FILE *f;

	(void)signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(fd), 0);
	ck_assert_int_eq(close(fd[0]), 0);
	ck_assert_ptr_nonnull(f = fdopen(fd[1], "w"));
	said_begin(&said);
	ck_assert_int_eq(until_it_fails(f), CLI_FAILED);
	(void)fclose(f);
	said_end(&said);
	ck_assert_ptr_nonnull(strstr(said.err, "nobody reads on"));
}
END_TEST

static void
add_forms(TCase *t)
{
	tcase_add_test(t, table_is_two_lines_within_80_columns);
	tcase_add_test(t, widest_line_of_a_table_fits);
	tcase_add_test(t, headings_stand_also_above_nothing);
	tcase_add_test(t, table_says_why_and_how_often);
	tcase_add_test(t, table_names_the_term_that_was_missed);
	tcase_add_test(t, json_has_what_a_proof_needs);
	tcase_add_test(t, csv_is_what_a_dutch_excel_opens);
	tcase_add_test(t, csv_speaks_english_when_asked);
	tcase_add_test(t, cells_are_no_formulas);
	tcase_add_test(t, cells_are_not_rounded);
	tcase_add_test(t, names_stand_beside_ids_and_are_no_formulas);
	tcase_add_test(t, names_can_be_added_and_the_first_stays);
}

int
main(void)
{
	Suite *s = suite_create("audit_format");
	TCase *t = tcase_create("audit_format");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	add_forms(t);
	tcase_add_test(t, nen7513_has_every_row_that_the_broker_knows);
	tcase_add_test(t, nen7513_names_no_person_and_invents_nothing);
	tcase_add_test(t, nen7513_names_who_shows_its_own_paper_once);
	tcase_add_test(t, nen7513_of_a_refusal_says_what_was_refused);
	tcase_add_test(t, policy_is_the_last_one_loaded_before);
	tcase_add_test(t, ldv_is_a_span_of_its_conversation);
	tcase_add_test(t, ldv_names_no_user_and_no_subject);
	tcase_add_test(t, ldv_without_a_conversation_is_a_trace_of_its_own);
	tcase_add_test(t, nen7513_and_ldv_share_no_field);
	tcase_add_test(t, activity_is_an_absolute_uri);
	tcase_add_test(t, one_form_at_a_time);
	tcase_add_test(t, full_disk_is_told);
	tcase_add_test(t, reader_that_went_away_is_told);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
