/*
 * Control socket and watch folder over a real engine whose broker is away:
 * what they take is durable all the same.
 */
#include "adapters/common/control.h"

#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/host/control.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/link.h>
#include <kortelijn/host/textfile.h>
#include <kortelijn/wire/signed.h>

#include "adapters/common/access.h"
#include "adapters/common/alarm.h"
#include "adapters/common/backup_dir.h"
#include "adapters/common/engine_priv.h"
#include "adapters/common/identity.h"
#include "adapters/municipality/folder.h"
#include "adapters/practice/folder.h"
#include "tests/support/papers.h"
#include "tests/support/tmpdir.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)
#define AMRANI "tests/data/practice-1/el-amrani.json"
#define PUTTEN "tests/data/practice-1/van-putten.json"

static struct tmpdir dir;
static struct config config;
static struct papers_key authority, broker_key;
static struct kl_loop *loop;
static struct engine *engine;
static struct folder *folder;
static struct control *control;
static struct watch_error error;
static char text[16384];

/* ---- an adapter that could work ---- */

static void
put_path(char *out, size_t cap, const char *name)
{
	OK(kl_fs_path(out, cap, dir.path, name));
}

/* Keys, and the papers that an operator would hand back. */
static void
enrol(void)
{
	struct kl_arena *mem = kl_arena_new(65536, 256);
	struct kl_fingerprint fp;
	struct kl_enrol_request e;
	uint8_t packed[2048];
	char line[4096], path[3][400];
	struct kl_signed s;
	struct kl_card own, broker;
	const char *what;
	size_t n;

	OK(identity_init(&config, 1, line, &fp));
	OK(kl_textfile_parse(kl_bytes_str(line), KL_TAG_REQUEST, NULL, packed,
	    sizeof packed, &n));
	ck_assert_int_eq(kl_signed_read(kl_bytes(packed, n), mem, &s),
	    KL_C_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_ENROL, s.body, mem, &e),
	    KL_C_OK);
	own = papers_card(kl_id_text(&config.id).b, config.role, &e.sign_pk);
	own.transport_pk = e.transport_pk;
	broker = papers_card("kvk:90000009", KL_BROKER, &broker_key.pk);
	papers_card_write(dir.path, "in.card", &own, authority.sk);
	papers_card_write(dir.path, "in.broker", &broker, authority.sk);
	papers_authority_write(dir.path, "in.pub", KL_TRAINING,
	    &authority.pk);
	put_path(path[0], sizeof path[0], "in.card");
	put_path(path[1], sizeof path[1], "in.pub");
	put_path(path[2], sizeof path[2], "in.broker");
	OK(identity_accept(&config, &(struct identity_files){ path[0],
	    path[1], path[2] }, &fp, &what));
	kl_arena_free(mem);
}

static void
open_all(void)
{
	const struct folder_role role = config.role == KL_PRACTICE ?
	    folder_role_practice() : folder_role_municipality();
	const char *what = "";

	ck_assert_ptr_nonnull(loop = kl_loop_new());
	ck_assert_msg(engine_open(&config, loop, &engine, &what) == KL_OK,
	    "%s", what);
	ck_assert_msg(folder_open(engine, loop, &role, &folder, &error) ==
	    KL_OK, "%s", error.b);
	OK(control_open(engine, loop, folder, &control, &what));
}

static void
close_all(void)
{
	control_close(control);
	folder_close(folder);
	engine_free(engine);
	kl_loop_free(loop);
	/* A process keeps its lock to the end; this one plays several. */
	ck_assert_int_eq(unlink(tmpdir_file(&dir, "data/lock").b), 0);
	control = NULL;
	folder = NULL;
	engine = NULL;
	loop = NULL;
}

static void
make(uint32_t role, const char *id)
{
	struct kl_recovery_text recovery;

	OK(kl_crypto_init());
	OK(kl_link_init());
	dir = tmpdir_make();
	memset(&config, 0, sizeof config);
	config.role = role;
	OK(kl_id_read(id, &config.id));
	config.realm = KL_TRAINING;
	config.lang = KL_NL;
	config.erasure = KL_ERASURE_BEST_EFFORT;
	config.slots = 128;
	config.map_mb = 16;
	config.folder = true;
	config.folder_owner = -1;
	memcpy(config.name, "De Es", 6);
	/* Nobody listens at the port that discards. */
	memcpy(config.broker, "tcp://127.0.0.1:9", 18);
	put_path(config.data_dir, sizeof config.data_dir, "data");
	put_path(config.key_dir, sizeof config.key_dir, "keys");
	put_path(config.backup_dir, sizeof config.backup_dir, "backup");
	put_path(config.folder_dir, sizeof config.folder_dir, "folder");
	ck_assert_int_eq(mkdir(config.data_dir, 0700), 0);
	ck_assert_int_eq(mkdir(config.folder_dir, 0700), 0);
	authority = papers_key();
	broker_key = papers_key();
	put_path(config.policy, sizeof config.policy, "policy.conf");
	papers_policy_write(config.policy, NULL);
	enrol();
	OK(backup_key_make(&config, &recovery));
	open_all();
}

static void
setup_practice(void)
{
	make(KL_PRACTICE, "agb:01000001");
}

static void
setup_desk(void)
{
	make(KL_MUNICIPALITY, "oin:00000001000000000001");
}

static void
setup_partner(void)
{
	make(KL_PARTNER, "kvk:90000001");
}

static void
teardown(void)
{
	close_all();
	kl_secret_free(authority.sk);
	kl_secret_free(broker_key.sk);
	tmpdir_remove(&dir);
}

/* ---- turns ---- */

/* Ends the loop after some turns. */
struct stopper {
	struct kl_source src;
	int turns;
};

static int64_t
stopper_prepare(void *arg)
{
	struct stopper *s = arg;

	if (--s->turns <= 0)
		kl_loop_stop(loop);
	return s->turns > 0 ? 2 : 0;
}

static void
stopper_dispatch(void *arg, short revents)
{
	(void)arg;
	(void)revents;
}

static void
run(int turns)
{
	struct stopper s = { .src = { -1, 0, stopper_prepare,
	    stopper_dispatch, &s }, .turns = turns };

	OK(kl_loop_add(loop, &s.src));
	OK(kl_loop_run(loop));
	kl_loop_remove(loop, &s.src);
}

/* ---- questions ---- */

struct asking {
	char path[300];
	char *question, *reply;
	size_t n;
	int r;
	atomic_bool done;
	pthread_t thread;
};

static void *
ask_thread(void *arg)
{
	struct asking *a = arg;

	a->r = kl_control_ask(a->path, kl_bytes_str(a->question), 30000,
	    &a->reply, &a->n);
	atomic_store(&a->done, true);
	return NULL;
}

/* Takes question. */
static void
ask_begin(struct asking *a, json_t *question)
{
	memset(a, 0, sizeof *a);
	put_path(a->path, sizeof a->path, "data/" CONTROL_SOCKET);
	ck_assert_ptr_nonnull(a->question = json_dumps(question,
	    JSON_COMPACT));
	json_decref(question);
	ck_assert_int_eq(pthread_create(&a->thread, NULL, ask_thread, a), 0);
}

static json_t *
ask_end(struct asking *a)
{
	json_t *o;

	while (!atomic_load(&a->done))
		run(3);
	ck_assert_int_eq(pthread_join(a->thread, NULL), 0);
	OK(a->r);
	ck_assert_ptr_nonnull(o = json_loadb(a->reply, a->n, 0, NULL));
	free(a->question);
	free(a->reply);
	return o;
}

static json_t *
ask(json_t *question)
{
	struct asking a;

	ask_begin(&a, question);
	return ask_end(&a);
}

static const char *
str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static void
is_ok(json_t *o)
{
	ck_assert_msg(json_is_true(json_object_get(o, "ok")), "%s at %s",
	    str(o, "code"), str(o, "field"));
}

/* Takes o. */
static void
is_refused(json_t *o, const char *code, const char *field)
{
	ck_assert(json_is_false(json_object_get(o, "ok")));
	ck_assert_str_eq(str(o, "code"), code);
	ck_assert_str_eq(str(o, "field"), field);
	ck_assert_uint_gt(strlen(str(o, "nl")), 10);
	ck_assert_uint_gt(strlen(str(o, "en")), 10);
	json_decref(o);
}

/* A file of the test data, with a consent of today and `what` replaced. */
static void
person(const char *name, const char *what, const char *with)
{
	const struct kl_day_text today = kl_day_text(kl_day_of(
	    kl_clock_now_ms(&(struct kl_clock){ 0 })));
	const char *const edits[][2] = {
		{ "2026-11-23", today.b }, { what, with },
	};
	FILE *f = fopen(name, "r");
	size_t n;

	ck_assert_msg(f != NULL, "%s", name);
	n = fread(text, 1, sizeof text - 1000, f);
	text[n] = '\0';
	fclose(f);
	for (int i = 0; i < 2; i++) {
		size_t a = strlen(edits[i][0]), b = strlen(edits[i][1]);
		char *at = strstr(text, edits[i][0]);

		if (a == 0 || (at == NULL && i == 0))
			continue;
		ck_assert_ptr_nonnull(at);
		memmove(at + b, at + a, strlen(at + a) + 1);
		memcpy(at, edits[i][1], b);
	}
}

static json_t *
refer(int64_t wait_s)
{
	return ask(json_pack("{s:s,s:s,s:I}", "cmd", "refer", "file", text,
	    "wait", (json_int_t)wait_s));
}

/* Cases that the practice has. */
static size_t
cases(void)
{
	json_t *o = ask(json_pack("{s:s}", "cmd", "list"));
	size_t n = json_array_size(json_object_get(o, "referrals"));

	is_ok(o);
	json_decref(o);
	return n;
}

START_TEST(status_says_who_and_how)
{
	json_t *o = ask(json_pack("{s:s}", "cmd", "status"));

	is_ok(o);
	ck_assert_str_eq(str(o, "id"), "agb:01000001");
	ck_assert_str_eq(str(o, "role"), "practice");
	ck_assert_str_ne(str(o, "session"), "ready");
	ck_assert_str_eq(str(o, "folder"), "on");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "cases")), 0);
	json_decref(o);
}
END_TEST

START_TEST(referral_is_kept_though_the_broker_is_away)
{
	json_t *o;

	person(AMRANI, "", "");
	o = refer(0);
	is_ok(o);
	ck_assert_str_eq(str(o, "referral_id"), "P1-2026-002");
	ck_assert(json_is_false(json_object_get(o, "accepted")));
	json_decref(o);
	close_all();
	open_all();
	ck_assert_uint_eq(cases(), 1);
	o = ask(json_pack("{s:s,s:s}", "cmd", "show", "reference",
	    "P1-2026-002"));
	is_ok(o);
	ck_assert_str_eq(str(o, "patient_ref"), "his-4712");
	ck_assert_uint_ge(json_array_size(json_object_get(o, "history")), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "receipts")), 0);
	ck_assert_ptr_null(json_object_get(o, "text"));
	json_decref(o);
}
END_TEST

static json_t *
withdraw(const char *reference, const char *scope, const char *cause)
{
	return ask(json_pack("{s:s,s:s,s:s,s:s}", "cmd", "withdraw",
	    "reference", reference, "scope", scope, "cause", cause));
}

static json_t *
withdrawal(const char *reference)
{
	return ask(json_pack("{s:s,s:s,s:b}", "cmd", "withdrawal",
	    "reference", reference, "statement", 1));
}

START_TEST(withdrawal_is_kept_though_the_broker_is_away)
{
	uint8_t packed[KL_WITHDRAWAL_MAX];
	json_t *o;
	size_t n;

	person(PUTTEN, "", "");
	o = refer(0);
	is_ok(o);
	memcpy(text, str(o, "referral_id"), strlen(str(o, "referral_id")) +
	    1);
	json_decref(o);
	o = withdraw(text, "all", "resident");
	is_ok(o);
	ck_assert_str_eq(str(o, "state"), "consent_withdrawn");
	ck_assert_str_eq(str(json_object_get(o, "withdrawal"), "state"),
	    "withdrawing");
	ck_assert_int_eq(json_integer_value(json_object_get(o, "waiting")),
	    0);
	json_decref(o);
	close_all();
	open_all();
	o = withdrawal(text);
	is_ok(o);
	OK(kl_textfile_parse(kl_bytes_str(str(o, "statement")),
	    KL_TAG_WITHDRAWAL, NULL, packed, sizeof packed, &n));
	json_decref(o);
	/* Its page has counts, which only the broker knows. */
	is_refused(ask(json_pack("{s:s,s:s,s:s}", "cmd", "withdrawal",
	    "reference", text, "letter", "text")), "try_later",
	    "/reference");
	/* Asked for again, nothing is made anew. */
	o = ask(json_pack("{s:s,s:s,s:b}", "cmd", "withdraw", "reference",
	    text, "again", 1));
	is_ok(o);
	json_decref(o);
}
END_TEST

START_TEST(withdrawal_that_may_not_be_is_refused)
{
	json_t *o;

	person("tests/data/practice-1/ten-cate-no-address.json", "", "");
	o = refer(0);
	is_ok(o);
	memcpy(text, str(o, "referral_id"), strlen(str(o, "referral_id")) +
	    1);
	json_decref(o);
	is_refused(withdraw(text, "half", "resident"), "field_value",
	    "/scope");
	is_refused(withdraw(text, "all", "whim"), "field_value", "/cause");
	is_refused(withdraw(text, "feedback", "sent-in-error"),
	    "fields_disagree", "/scope");
	is_refused(withdraw(text, "feedback", "resident"),
	    "no_feedback_consent", "/scope");
	is_refused(withdraw("P9", "all", "resident"), "referral_unknown",
	    "/reference");
	is_refused(withdrawal("P9"), "referral_unknown", "/reference");
	is_refused(withdrawal(text), "referral_unknown", "/reference");
	is_refused(ask(json_pack("{s:s}", "cmd", "withdraw")),
	    "field_missing", "/reference");
	is_refused(ask(json_pack("{s:s}", "cmd", "withdrawal")),
	    "field_missing", "/reference");
	/* Nothing of all that has withdrawn it. */
	o = ask(json_pack("{s:s,s:s}", "cmd", "show", "reference", text));
	is_ok(o);
	ck_assert_ptr_null(json_object_get(o, "withdrawn"));
	json_decref(o);
}
END_TEST

START_TEST(refused_referral_leaves_nothing)
{
	person("tests/data/practice-1/jansen-with-bsn.json", "", "");
	is_refused(refer(0), "bsn", "/referral/name/family_name");
	person(AMRANI, "\"sms\"", "\"sms\", \"diagnosis\": \"P03\"");
	is_refused(refer(0), "field_unknown", "/referral/diagnosis");
	person(AMRANI, "1987-03", "2020-01-01");
	is_refused(refer(0), "under_age", "/referral/birth_date");
	person(AMRANI, "\"consent\"", "\"agreed\"");
	is_refused(refer(0), "field_unknown", "/agreed");
	ck_assert_uint_eq(cases(), 0);
}
END_TEST

START_TEST(second_referral_of_the_same_file_names_the_first)
{
	json_t *o;

	person(AMRANI, "", "");
	o = refer(0);
	is_ok(o);
	json_decref(o);
	o = refer(0);
	ck_assert_str_eq(str(o, "code"), "duplicate_file");
	ck_assert_str_eq(str(o, "referral_id"), "P1-2026-002");
	json_decref(o);
	ck_assert_uint_eq(cases(), 1);
}
END_TEST

START_TEST(who_waits_holds_up_no_other)
{
	struct asking slow, ready;
	json_t *o;

	person(AMRANI, "", "");
	ask_begin(&slow, json_pack("{s:s,s:s,s:i}", "cmd", "refer", "file",
	    text, "wait", 1));
	ask_begin(&ready, json_pack("{s:s,s:i}", "cmd", "status", "wait",
	    1));
	while (cases() == 0)
		run(1);
	ck_assert(!atomic_load(&slow.done) || !atomic_load(&ready.done));
	o = ask_end(&slow);
	ck_assert_str_eq(str(o, "code"), "try_later");
	ck_assert(json_is_true(json_object_get(o, "kept")));
	/* No link, and nobody to look at the status. */
	ck_assert_str_eq(str(o, "hindrance_nl"),
	    "geen verbinding met de broker");
	ck_assert_str_eq(str(o, "referral_id"), "P1-2026-002");
	json_decref(o);
	o = ask_end(&ready);
	ck_assert_str_eq(str(o, "code"), "try_later");
	ck_assert_str_ne(str(o, "session"), "");
	json_decref(o);
}
END_TEST

START_TEST(list_is_asked_in_pages)
{
	static const char *const ids[] = { "P1-1", "P1-2", "P1-3" };
	json_t *o, *rows;
	json_int_t after = 0;

	for (size_t i = 0; i < 3; i++) {
		person(AMRANI, "P1-2026-002", ids[i]);
		o = refer(0);
		is_ok(o);
		json_decref(o);
	}
	for (size_t seen = 0; seen < 3;) {
		o = ask(json_pack("{s:s,s:I,s:i}", "cmd", "list", "after",
		    after, "max", 2));
		is_ok(o);
		rows = json_object_get(o, "referrals");
		ck_assert_uint_eq(json_array_size(rows), seen == 0 ? 2 : 1);
		ck_assert_str_eq(str(json_array_get(rows, 0), "referral_id"),
		    ids[seen]);
		after = json_integer_value(json_object_get(o, "next"));
		ck_assert((after != 0) == (seen == 0));
		seen += json_array_size(rows);
		json_decref(o);
	}
	is_refused(ask(json_pack("{s:s,s:i}", "cmd", "list", "after", -1)),
	    "field_value", "/after");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "list", "after", "1")),
	    "field_value", "/after");
	is_refused(ask(json_pack("{s:s,s:i}", "cmd", "list", "max", 1 << 20)),
	    "field_value", "/max");
}
END_TEST

/* The lines about a case with this act and what the asker said of himself. */
static size_t
lines(const struct kl_conv_id *conv, uint32_t act, const char *staff)
{
	struct access_line line;
	struct access_at at = { 0, 0 };
	size_t n = 0;

	while (access_next(engine_turn(engine), conv, &at, &line) == KL_OK)
		n += line.act == act && line.by.interface ==
		    ENGINE_CONTROL && strcmp(line.by.staff, staff) == 0 ?
		    1 : 0;
	return n;
}

START_TEST(every_answer_that_shows_a_case_has_its_line)
{
	const struct kl_conv_id none = { { 0 } };
	struct engine_case k;
	json_t *o;

	person(AMRANI, "P1-2026-002", "P1-2026-002");
	json_decref(refer(0));
	OK(engine_case_next(engine, 0, &k));
	ck_assert_uint_eq(lines(&k.conv, ENGINE_TOOK_IN, ""), 1);
	o = ask(json_pack("{s:s,s:s,s:s,s:s}", "cmd", "show", "reference",
	    "P1-2026-002", "staff", "mw", "role", "gp"));
	is_ok(o);
	json_decref(o);
	ck_assert_uint_eq(lines(&k.conv, ENGINE_SAW, "mw"), 1);
	o = ask(json_pack("{s:s,s:s}", "cmd", "list", "staff", "as"));
	is_ok(o);
	json_decref(o);
	ck_assert_uint_eq(lines(&none, ENGINE_LISTED, "as"), 1);
}
END_TEST

START_TEST(asker_without_a_known_role_or_name_is_refused)
{
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "list", "role",
	    "boss")), "field_value", "/role");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "list", "staff",
	    "two words")), "field_value", "/staff");
}
END_TEST

START_TEST(question_that_is_none_is_refused)
{
	is_refused(ask(json_array()), "json", "");
	is_refused(ask(json_pack("{s:s}", "cmd", "explode")),
	    "value_unknown", "/cmd");
	is_refused(ask(json_pack("{s:i}", "cmd", 3)), "value_unknown",
	    "/cmd");
	is_refused(ask(json_pack("{s:s,s:i}", "cmd", "list", "all", 1)),
	    "field_unknown", "");
	/* A practice gives no feedback. */
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "feedback", "file",
	    "{}")), "value_unknown", "/cmd");
	is_refused(ask(json_pack("{s:s}", "cmd", "policy_load")),
	    "field_value", "/policy");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "policy_load", "policy",
	    "#")), "field_value", "/policy");
	is_refused(ask(json_pack("{s:s}", "cmd", "show")), "field_missing",
	    "/reference");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "show", "reference",
	    "ABCD-EFGH-K")), "referral_unknown", "");
	is_refused(ask(json_pack("{s:s}", "cmd", "refer")), "json", "");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "correct", "file",
	    "[]")), "json", "");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "profile", "id",
	    "kvk:1")), "field_value", "/id");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "profile", "id",
	    "kvk:90000001")), "receiver_unknown", "");
}
END_TEST

static struct kl_spoken_text
known_reference(void)
{
	const struct kl_spoken s = kl_spoken_make((uint8_t[5]){ 1, 2, 3 });

	return kl_spoken_text(&s);
}

START_TEST(desk_reports_only_on_what_it_has)
{
	is_refused(ask(json_pack("{s:s,s:s,s:s}", "cmd", "feedback",
	    "reference", "ABCD", "code", "taken_up")), "field_value",
	    "/reference");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "feedback", "code",
	    "taken_up")), "field_missing", "/reference");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "feedback", "file",
	    "{\"schema\":1}")), "field_missing", "/reference");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "refer", "file",
	    "{}")), "value_unknown", "/cmd");
}
END_TEST

START_TEST(desk_notes_only_on_what_it_has)
{
	is_refused(ask(json_pack("{s:s}", "cmd", "attempt")),
	    "field_missing", "/reference");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "attempt", "reference",
	    "4W3E-1G85-0")), "field_value", "/reference");
	is_refused(ask(json_pack("{s:s,s:s,s:s,s:s}", "cmd", "attempt",
	    "reference", known_reference().b, "kind", "dove", "part_of_day",
	    "morning")), "field_value", "/kind");
	is_refused(ask(json_pack("{s:s,s:s,s:s,s:s}", "cmd", "attempt",
	    "reference", known_reference().b, "kind", "phone",
	    "part_of_day", "morning")), "referral_unknown", "/reference");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "handed_over",
	    "reference", known_reference().b)), "referral_unknown",
	    "/reference");
}
END_TEST

static json_t *
erased(const char *reference, const char *word)
{
	return ask(json_pack("{s:s,s:s,s:s}", "cmd", "erased", "reference",
	    reference, "case_system", word));
}

START_TEST(desk_answers_only_what_it_was_asked)
{
	is_refused(erased("P9", "erased"), "referral_unknown", "/reference");
	is_refused(erased("P9", "gone"), "field_value", "/case_system");
	is_refused(ask(json_pack("{s:s}", "cmd", "erased")),
	    "field_missing", "/reference");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "erased", "reference",
	    "P9")), "field_missing", "/case_system");
}
END_TEST

START_TEST(partner_withdraws_nothing)
{
	is_refused(withdraw(known_reference().b, "all", "resident"), "role",
	    "");
}
END_TEST

START_TEST(desk_keeps_its_profile)
{
	FILE *f = fopen("tests/data/municipality/profile.json", "r");
	json_t *o;
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	fclose(f);
	o = ask(json_pack("{s:s,s:s}", "cmd", "profile", "file", text));
	is_ok(o);
	json_decref(o);
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "profile", "file",
	    "{}")), "field_missing", "/schema");
}
END_TEST

/* ---- alarms ---- */

static void
silent(bool yes)
{
	struct turn *t = engine_turn(engine);

	if (yes)
		OK(alarm_open(t, ENGINE_AL_CHECKPOINT, 0, NULL));
	else
		OK(alarm_close(t, ENGINE_AL_CHECKPOINT, NULL));
	run(3);
}

/* Takes question. */
static size_t
alarms_of(json_t *question)
{
	json_t *o = ask(question);
	size_t n = json_array_size(json_object_get(o, "alarms"));

	is_ok(o);
	json_decref(o);
	return n;
}

static json_t *
alarms(void)
{
	return json_pack("{s:s}", "cmd", "alarms");
}

START_TEST(alarms_that_name_a_case_have_its_line_once)
{
	struct engine_case k;

	person(AMRANI, "P1-2026-002", "P1-2026-002");
	json_decref(refer(0));
	OK(engine_case_next(engine, 0, &k));
	OK(alarm_open(engine_turn(engine), ENGINE_AL_NO_NEWS, 0, &k.conv));
	OK(alarm_raise(engine_turn(engine), ENGINE_AL_REFUSED, KL_C_EXPIRED,
	    &k.conv));
	run(3);
	ck_assert_uint_eq(alarms_of(json_pack("{s:s,s:s}", "cmd", "alarms",
	    "staff", "mw")), 2);
	ck_assert_uint_eq(lines(&k.conv, ENGINE_LISTED, "mw"), 1);
}
END_TEST

START_TEST(alarm_is_shown_until_it_is_seen_and_over)
{
	json_t *answer, *o;

	ck_assert_uint_eq(alarms_of(alarms()), 0);
	silent(true);
	answer = ask(alarms());
	is_ok(answer);
	o = json_array_get(json_object_get(answer, "alarms"), 0);
	ck_assert_str_eq(str(o, "alarm"), "no_checkpoint");
	ck_assert_uint_gt(strlen(str(o, "action_nl")), 20);
	ck_assert(json_is_true(json_object_get(o, "open")));
	ck_assert(json_is_array(json_object_get(o, "phones")));
	json_decref(answer);
	/* Seen, but still open. */
	ck_assert_uint_eq(alarms_of(json_pack("{s:s,s:i}", "cmd", "alarms",
	    "seen", 1)), 1);
	silent(false);
	ck_assert_uint_eq(alarms_of(alarms()), 0);
	ck_assert_uint_eq(alarms_of(json_pack("{s:s,s:b}", "cmd", "alarms",
	    "all", 1)), 1);
	ck_assert_uint_eq(alarms_of(json_pack("{s:s,s:i}", "cmd", "alarms",
	    "seen", 0)), 1);
	is_refused(ask(json_pack("{s:s,s:i}", "cmd", "alarms", "seen", -1)),
	    "field_value", "/seen");
}
END_TEST

START_TEST(status_counts_what_is_open)
{
	json_t *o;

	silent(true);
	silent(true);
	o = ask(json_pack("{s:s}", "cmd", "status"));
	ck_assert_int_eq(json_integer_value(json_object_get(o, "alarms")),
	    1);
	ck_assert_int_eq(json_integer_value(json_object_get(o,
	    "open_alarms")), 1);
	json_decref(o);
	silent(false);
	o = ask(json_pack("{s:s}", "cmd", "status"));
	ck_assert_int_eq(json_integer_value(json_object_get(o,
	    "open_alarms")), 0);
	json_decref(o);
}
END_TEST

START_TEST(backup_is_asked_and_shown)
{
	json_t *o = ask(json_pack("{s:s,s:b}", "cmd", "backup", "start", 1));

	is_ok(o);
	ck_assert_ptr_nonnull(json_object_get(o, "running"));
	json_decref(o);
	for (int i = 0; i < 1000; i++) {
		o = ask(json_pack("{s:s}", "cmd", "backup"));
		if (json_is_false(json_object_get(o, "running")))
			break;
		json_decref(o);
	}
	ck_assert_ptr_null(json_object_get(o, "failed"));
	json_decref(o);
	o = ask(json_pack("{s:s}", "cmd", "status"));
	ck_assert_ptr_nonnull(str(o, "backup_at"));
	ck_assert(json_is_false(json_object_get(o, "backup_overdue")));
	ck_assert(json_is_true(json_object_get(o, "recovery_key")));
	json_decref(o);
}
END_TEST

START_TEST(hold_is_asked_and_released)
{
	json_t *o = ask(json_pack("{s:s}", "cmd", "hold"));

	is_ok(o);
	ck_assert_str_eq(str(o, "hold"), "no_broker_clock");
	json_decref(o);
	engine->clock.offset_ms += 3 * KL_HOUR_MS;
	engine->next_timer_ms = 0;
	engine_wake(engine);
	run(5);
	o = ask(json_pack("{s:s,s:b}", "cmd", "hold", "release", 1));
	ck_assert_str_eq(str(o, "was"), "jump");
	ck_assert_str_eq(str(o, "hold"), "no_broker_clock");
	json_decref(o);
}
END_TEST

/* ---- the folder ---- */

static bool
there(const char *name)
{
	return access(tmpdir_file(&dir, name).b, F_OK) == 0;
}

static void
hand_in(const char *name)
{
	char path[300];
	FILE *f = fopen(tmpdir_file(&dir, "folder/in/x.tmp").b, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	fclose(f);
	(void)snprintf(path, sizeof path, "folder/in/%s", name);
	ck_assert_int_eq(rename(tmpdir_file(&dir, "folder/in/x.tmp").b,
	    tmpdir_file(&dir, path).b), 0);
	for (int i = 0; i < 500 && there(path); i++)
		run(2);
	run(5);
}

static void
note_says(const char *name, const char *what)
{
	char path[300], note[1200] = "";
	FILE *f;

	(void)snprintf(path, sizeof path, "folder/error/%s.error.txt", name);
	ck_assert_ptr_nonnull(f = fopen(tmpdir_file(&dir, path).b, "r"));
	ck_assert_uint_gt(fread(note, 1, sizeof note - 1, f), 0);
	fclose(f);
	ck_assert_msg(strstr(note, what) != NULL, "%s", note);
}

START_TEST(file_in_the_folder_becomes_a_case)
{
	person(AMRANI, "", "");
	hand_in("a.json");
	ck_assert_uint_eq(cases(), 1);
	ck_assert(!there("folder/work/a.json"));
	ck_assert(!there("folder/error/a.json"));
	ck_assert(!there("folder/done/a.json"));
}
END_TEST

START_TEST(alarm_and_its_end_are_handed_out)
{
	silent(true);
	for (int i = 0; i < 500 && !there("folder/out/0000000001.json"); i++)
		run(2);
	ck_assert(there("folder/out/0000000001.txt"));
	silent(false);
	for (int i = 0; i < 500 && !there("folder/out/0000000002.json"); i++)
		run(2);
	ck_assert(there("folder/out/0000000002.txt"));
}
END_TEST

START_TEST(same_file_twice_makes_one_case)
{
	person(AMRANI, "", "");
	hand_in("a.json");
	hand_in("b.json");
	ck_assert_uint_eq(cases(), 1);
	note_says("b.json", "Code: duplicate_file");
	note_says("b.json", "Opnieuw aanbieden: nee\n");
	/* The same referral_id with other content. */
	person(AMRANI, "7511JL", "7511JM");
	hand_in("c.json");
	ck_assert_uint_eq(cases(), 1);
	note_says("c.json", "Code: conflict");
	note_says("c.json", "met een correctie");
}
END_TEST

START_TEST(refused_file_says_why_in_dutch)
{
	person("tests/data/practice-1/jansen-with-bsn.json", "", "");
	hand_in("bsn.json");
	note_says("bsn.json", "Code: bsn\n"
	    "Plaats: /referral/name/family_name\nReden: ");
	note_says("bsn.json", "Opnieuw aanbieden: nee");
	person(AMRANI, "K. Oude Luttikhuis", "NL91ABNA0417164300");
	hand_in("iban.json");
	note_says("iban.json", "Code: iban");
	person(AMRANI, "Amrani", "Amrani P76");
	hand_in("icpc.json");
	note_says("icpc.json", "Code: medical_code");
	person(AMRANI, "\"sms\"", "\"sms\", \"practical_note\": \"belt\"");
	hand_in("note.json");
	note_says("note.json", "Code: free_text");
	person(AMRANI, "", "");
	hand_in("a b.json");
	note_says("a_b.json", "Code: file_name");
	ck_assert_uint_eq(cases(), 0);
	person(PUTTEN, "", "");
	hand_in("good.json");
	ck_assert_uint_eq(cases(), 1);
}
END_TEST

START_TEST(correction_is_told_from_a_referral)
{
	FILE *f = fopen("tests/data/practice-1/van-putten-correction.json",
	    "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	fclose(f);
	hand_in("c.json");
	note_says("c.json", "Code: referral_unknown");
}
END_TEST

START_TEST(crash_before_a_file_left_work_doubles_nothing)
{
	FILE *f;

	person(AMRANI, "", "");
	hand_in("a.json");
	ck_assert_uint_eq(cases(), 1);
	close_all();
	/* As if the process had ended between commit and removal. */
	f = fopen(tmpdir_file(&dir, "folder/work/a.json").b, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	fclose(f);
	open_all();
	for (int i = 0; i < 500 && there("folder/work/a.json"); i++)
		run(2);
	ck_assert(!there("folder/work/a.json"));
	ck_assert(!there("folder/error/a.json"));
	ck_assert_uint_eq(cases(), 1);
}
END_TEST

START_TEST(crash_before_the_commit_loses_nothing)
{
	FILE *f;

	close_all();
	person(AMRANI, "", "");
	f = fopen(tmpdir_file(&dir, "folder/work/a.json").b, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	fclose(f);
	open_all();
	for (int i = 0; i < 500 && there("folder/work/a.json"); i++)
		run(2);
	ck_assert_uint_eq(cases(), 1);
}
END_TEST

START_TEST(folder_that_cannot_be_used_stops_the_start)
{
	const struct folder_role role = folder_role_practice();
	struct folder *f;

	ck_assert_int_eq(rmdir(tmpdir_file(&dir, "folder/out").b), 0);
	ck_assert_int_eq(symlink("/tmp", tmpdir_file(&dir,
	    "folder/out").b), 0);
	ck_assert_int_eq(folder_open(engine, loop, &role, &f, &error),
	    KL_E_CONFIG);
	ck_assert_ptr_null(f);
	ck_assert_ptr_nonnull(strstr(error.b, "/out: "));
}
END_TEST

/* ---- questions to the broker's log --------------------------------------- */

static json_t *
log_question(const char *request, const char *body)
{
	return json_pack("{s:s,s:s,s:s}", "cmd", "log_ask", "request", request,
	    "body", body);
}

START_TEST(log_is_asked_only_what_a_question_can_be)
{
	is_refused(ask(log_question("submit", "")), "value_unknown",
	    "/request");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "log_ask", "body", "")),
	    "value_unknown", "/request");
	is_refused(ask(log_question("query", "no base64!")), "field_value",
	    "/body");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "log_ask", "request",
	    "log")), "field_value", "/body");
	is_refused(ask(json_pack("{s:s,s:s,s:s,s:i}", "cmd", "log_ask",
	    "request", "log", "body", "", "wait", 5)), "field_unknown", "");
}
END_TEST

/* Here is no broker. */
START_TEST(log_without_a_session_is_told_at_once)
{
	is_refused(ask(log_question("log", "CAE=")), "no_session", "");
	is_refused(ask(log_question("query", "CAM=")), "no_session", "");
}
END_TEST

START_TEST(alarm_without_evidence_says_so)
{
	is_refused(ask(json_pack("{s:s,s:i}", "cmd", "evidence", "number",
	    12345)), "no_evidence", "/number");
	is_refused(ask(json_pack("{s:s,s:s}", "cmd", "evidence", "number",
	    "x")), "field_value", "/number");
}
END_TEST

START_TEST(names_of_organisations_begin_with_the_own_one)
{
	json_t *o = ask(json_pack("{s:s}", "cmd", "names"));
	const json_t *own = json_array_get(json_object_get(o, "names"), 0);

	is_ok(o);
	ck_assert_uint_gt(strlen(str(own, "id")), 0);
	ck_assert_uint_gt(strlen(str(own, "name")), 0);
	json_decref(o);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("interfaces");
	TCase *t = tcase_create("practice"), *d = tcase_create("desk");
	TCase *p = tcase_create("partner");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup_practice, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, status_says_who_and_how);
	tcase_add_test(t, alarms_that_name_a_case_have_its_line_once);
	tcase_add_test(t, alarm_is_shown_until_it_is_seen_and_over);
	tcase_add_test(t, status_counts_what_is_open);
	tcase_add_test(t, backup_is_asked_and_shown);
	tcase_add_test(t, hold_is_asked_and_released);
	tcase_add_test(t, referral_is_kept_though_the_broker_is_away);
	tcase_add_test(t, withdrawal_is_kept_though_the_broker_is_away);
	tcase_add_test(t, withdrawal_that_may_not_be_is_refused);
	tcase_add_test(t, refused_referral_leaves_nothing);
	tcase_add_test(t, second_referral_of_the_same_file_names_the_first);
	tcase_add_test(t, who_waits_holds_up_no_other);
	tcase_add_test(t, list_is_asked_in_pages);
	tcase_add_test(t,
	    every_answer_that_shows_a_case_has_its_line);
	tcase_add_test(t,
	    asker_without_a_known_role_or_name_is_refused);
	tcase_add_test(t, question_that_is_none_is_refused);
	tcase_add_test(t, file_in_the_folder_becomes_a_case);
	tcase_add_test(t, alarm_and_its_end_are_handed_out);
	tcase_add_test(t, same_file_twice_makes_one_case);
	tcase_add_test(t, refused_file_says_why_in_dutch);
	tcase_add_test(t, correction_is_told_from_a_referral);
	tcase_add_test(t, crash_before_a_file_left_work_doubles_nothing);
	tcase_add_test(t, crash_before_the_commit_loses_nothing);
	tcase_add_test(t, folder_that_cannot_be_used_stops_the_start);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(d, setup_desk, teardown);
	tcase_set_timeout(d, 60);
	tcase_add_test(d, desk_reports_only_on_what_it_has);
	tcase_add_test(d, desk_answers_only_what_it_was_asked);
	tcase_add_test(d, desk_keeps_its_profile);
	tcase_add_test(d, desk_notes_only_on_what_it_has);
	suite_add_tcase(s, d);
	tcase_add_checked_fixture(p, setup_partner, teardown);
	tcase_set_timeout(p, 60);
	tcase_add_test(p, partner_withdraws_nothing);
	tcase_add_test(p, names_of_organisations_begin_with_the_own_one);
	tcase_add_test(p, alarm_without_evidence_says_so);
	tcase_add_test(p, log_without_a_session_is_told_at_once);
	tcase_add_test(p, log_is_asked_only_what_a_question_can_be);
	suite_add_tcase(s, p);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
