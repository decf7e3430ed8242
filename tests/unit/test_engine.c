#include "adapters/common/engine.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/daemon.h>
#include <kortelijn/host/link.h>

#include "adapters/common/access.h"
#include "adapters/common/cases.h"
#include "adapters/common/engine_priv.h"
#include "adapters/common/engine_withdraw.h"
#include "adapters/common/identity.h"
#include "adapters/common/timers.h"
#include "tests/support/papers.h"
#include "tests/support/people.h"
#include "tests/support/tmpdir.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)
#define DATA "tests/data/practice-1/"

static struct tmpdir dir;
static struct papers_key authority, broker;
static struct config config;
static struct kl_loop *loop;
static struct engine *engine;
static struct engine_listener listener;
static unsigned int committed, undone;
static const struct engine_actor clerk = { .interface = ENGINE_CONTROL,
	.uid = 1000 };

static char file[65536];
static size_t file_n;
static struct engine_taken taken;
static struct kl_finding why;

/* ---- a practice with its papers ----------------------------------------- */

static void
on_commit(void *arg)
{
	(void)arg;
	committed++;
	kl_loop_stop(loop);
}

static void
on_undo(void *arg)
{
	(void)arg;
	undone++;
	kl_loop_stop(loop);
}

static struct kl_secret *
own_key(const char *name, const char *purpose)
{
	struct kl_secret *sk;
	char path[300];

	(void)snprintf(path, sizeof path, "%s/%s", config.key_dir, name);
	OK(kl_keyfile_read(AT_FDCWD, path, purpose, &sk));
	return sk;
}

static void
write_papers(void)
{
	struct kl_secret *id = own_key("identity.key", "identity");
	struct kl_secret *transport = own_key("transport.key", "transport");
	struct kl_id_text name = kl_id_text(&config.id);
	struct kl_secret *sk;
	struct kl_sign_pk pk;
	struct kl_card card;

	OK(kl_sign_public(id, &pk));
	card = papers_card(name.b, config.role, &pk);
	OK(kl_curve_public(transport, &card.transport_pk));
	papers_card_write(dir.path, "own.card", &card, authority.sk);
	card = papers_card("oin:00000009000000000001", KL_BROKER, &broker.pk);
	OK(kl_curve_keypair(&card.transport_pk, &sk));
	papers_card_write(dir.path, "broker.card", &card, authority.sk);
	papers_authority_write(dir.path, "authority.pub", KL_TRAINING,
	    &authority.pk);
	kl_secret_free(sk);
	kl_secret_free(id);
	kl_secret_free(transport);
}

static void
make_identity(void)
{
	struct tmpdir_path card = tmpdir_file(&dir, "own.card");
	struct tmpdir_path pub = tmpdir_file(&dir, "authority.pub");
	struct tmpdir_path b = tmpdir_file(&dir, "broker.card");
	const struct identity_files f = { card.b, pub.b, b.b };
	struct kl_fingerprint fp;
	const char *what;
	char request[2048];

	OK(identity_init(&config, 1000, request, &fp));
	write_papers();
	OK(identity_accept(&config, &f, &fp, &what));
	(void)snprintf(config.policy, sizeof config.policy, "%.190s/%s",
	    config.key_dir, "policy.conf");
	papers_policy_write(config.policy, NULL);
}

static void
open_engine(void)
{
	const char *what;

	ck_assert_ptr_nonnull(loop = kl_loop_new());
	OK(engine_open(&config, loop, &engine, &what));
	listener = (struct engine_listener){ .committed = on_commit,
		.undone = on_undo };
	engine_listen(engine, &listener);
	committed = undone = 0;
}

static void
close_engine(void)
{
	engine_unlisten(engine, &listener);
	engine_free(engine);
	kl_loop_free(loop);
}

static void
make_config(uint32_t role, const char *id)
{
	memset(&config, 0, sizeof config);
	config.role = role;
	config.realm = KL_TRAINING;
	OK(kl_id_read(id, &config.id));
	(void)snprintf(config.name, sizeof config.name, "Praktijk");
	(void)snprintf(config.data_dir, sizeof config.data_dir, "%.100s/data",
	    dir.path);
	(void)snprintf(config.key_dir, sizeof config.key_dir, "%.100s/keys",
	    dir.path);
	(void)snprintf(config.broker, sizeof config.broker,
	    "tcp://127.0.0.1:1");
	config.erasure = KL_ERASURE_BEST_EFFORT;
	config.slots = 64;
	config.map_mb = 16;
}

static void
setup(void)
{
	OK(kl_crypto_init());
	OK(kl_link_init());
	dir = tmpdir_make();
	authority = papers_key();
	broker = papers_key();
	make_config(KL_PRACTICE, "agb:01234567");
	make_identity();
	/* The day before which the files of tests/data gave consent. */
	config.clock_offset_ms = INT64_C(1795510800000) -
	    kl_clock_now_ms(&(struct kl_clock){ 0 });
	open_engine();
}

static void
teardown(void)
{
	close_engine();
	kl_secret_free(authority.sk);
	kl_secret_free(broker.sk);
	tmpdir_remove(&dir);
}

/* Turns until one is committed or undone. */
static void
turn(void)
{
	unsigned int before = committed + undone;

	engine_wake(engine);
	while (committed + undone == before)
		OK(kl_loop_run(loop));
}

static size_t
count_timers(enum timer_what what)
{
	struct timer at;
	size_t n = 0;
	int r = timers_first(engine->store, &at);

	for (; r == KL_OK; r = timers_next(engine->store, &at, &at))
		n += at.what == (uint32_t)what ? 1 : 0;
	ck_assert_int_eq(r, KL_E_NOT_FOUND);
	return n;
}

/* The directory is locked as long as the process lives. */
static void
reopen(void)
{
	char path[300];

	close_engine();
	(void)snprintf(path, sizeof path, "%s/lock", config.data_dir);
	ck_assert_int_eq(remove(path), 0);
	open_engine();
}

static void
load(const char *name)
{
	FILE *f = fopen(name, "rb");

	ck_assert_msg(f != NULL, "%s", name);
	file_n = fread(file, 1, sizeof file - 1, f);
	file[file_n] = '\0';
	ck_assert_int_eq(fclose(f), 0);
}

static void
edit(const char *what, const char *with)
{
	char *at = strstr(file, what);
	size_t n = strlen(what), m = strlen(with);

	ck_assert_msg(at != NULL, "%s", what);
	memmove(at + m, at + n, file_n + 1 - (size_t)(at - file) - n);
	memcpy(at, with, m);
	file_n += m - n;
}

static int
refer(const char *name)
{
	load(name);
	return engine_refer(engine, &clerk, kl_bytes(file, file_n), &taken,
	    &why);
}

static void
refused(int r, uint32_t code, const char *field)
{
	ck_assert_int_eq(r, KL_E_REFUSED);
	ck_assert_str_eq(kl_code_name(why.code), kl_code_name(code));
	ck_assert_str_eq(why.field, field);
}

static uint64_t
count_cases(void)
{
	struct engine_case c = { .number = 0 };
	uint64_t n = 0;

	while (engine_case_next(engine, c.number, &c) == KL_OK)
		n++;
	return n;
}

/* ---- what comes in ------------------------------------------------------ */

START_TEST(referral_is_taken_while_the_broker_is_away)
{
	struct engine_case c;

	OK(refer(DATA "van-putten.json"));
	ck_assert_str_eq(taken.referral_id, "P1-2026-001");
	turn();
	ck_assert_uint_eq(undone, 0);
	OK(engine_case_find(engine, "P1-2026-001", &c));
	ck_assert_uint_eq(c.state, KL_ST_DRAFT);
	ck_assert_uint_eq(c.waiting, 1);
	ck_assert(c.mine && c.open && c.has_content);
	ck_assert_str_eq(c.patient_ref, "his-4711");
}
END_TEST

START_TEST(taken_file_is_there_after_a_restart)
{
	struct engine_status s;

	OK(refer(DATA "van-putten.json"));
	turn();
	reopen();
	ck_assert_uint_eq(count_cases(), 1);
	OK(engine_status(engine, &s));
	ck_assert_uint_eq(s.waiting, 1);
	ck_assert_uint_eq(s.cases, 1);
	ck_assert_uint_eq(s.session, ENGINE_NO_LINK);
}
END_TEST

START_TEST(without_a_commit_nothing_was_taken)
{
	OK(refer(DATA "van-putten.json"));
	reopen();
	ck_assert_uint_eq(count_cases(), 0);
}
END_TEST

START_TEST(same_file_twice_is_refused_and_named)
{
	struct kl_conv_id first;

	OK(refer(DATA "van-putten.json"));
	first = taken.conv;
	turn();
	refused(refer(DATA "van-putten.json"), KL_C_DUPLICATE_FILE,
	    "/referral_id");
	ck_assert_mem_eq(&taken.conv, &first, sizeof first);
	turn();
	ck_assert_uint_eq(count_cases(), 1);
}
END_TEST

/* A mended file under the old id has not gone out: "taken before" would let
 * the practice believe that it has. */
START_TEST(other_file_under_the_same_id_is_a_conflict_and_named)
{
	struct kl_conv_id first;

	OK(refer(DATA "van-putten.json"));
	first = taken.conv;
	turn();
	load(DATA "van-putten.json");
	edit("+31611234567", "+31611234568");
	refused(engine_refer(engine, &clerk, kl_bytes(file, file_n), &taken,
	    &why), KL_C_CONFLICT, "/referral_id");
	ck_assert_mem_eq(&taken.conv, &first, sizeof first);
	ck_assert_uint_eq(count_cases(), 1);
}
END_TEST

START_TEST(own_id_that_looks_like_a_reference_can_be_corrected)
{
	const struct kl_spoken s = kl_spoken_make((uint8_t[5]){ 7, 7, 7 });

	load(DATA "van-putten.json");
	edit("P1-2026-001", kl_spoken_text(&s).b);
	OK(engine_refer(engine, &clerk, kl_bytes(file, file_n), &taken,
	    &why));
	turn();
	load(DATA "van-putten-correction.json");
	edit("P1-2026-001", kl_spoken_text(&s).b);
	OK(engine_correct(engine, &clerk, kl_bytes(file, file_n), &taken,
	    &why));
	ck_assert_str_eq(taken.referral_id, kl_spoken_text(&s).b);
}
END_TEST

/* Or a correction of the one would reach the receiver of the other. */
START_TEST(reference_of_a_referral_is_no_id_for_another)
{
	const struct kl_spoken s = kl_spoken_make((uint8_t[5]){ 7, 7, 7 });
	const struct kl_ref ref = { .b = { 1 } };
	struct case_row c;
	uint8_t spoken[9];

	OK(refer(DATA "van-putten.json"));
	OK(cases_get(engine_turn(engine), &taken.conv, &c));
	memcpy(spoken, s.b, sizeof spoken);
	OK(cases_take_names(engine_turn(engine), &c, &ref, spoken));
	OK(cases_put(engine_turn(engine), &c));
	turn();
	load(DATA "el-amrani.json");
	edit("P1-2026-002", kl_spoken_text(&s).b);
	refused(engine_refer(engine, &clerk, kl_bytes(file, file_n), &taken,
	    &why), KL_C_CONFLICT, "/referral_id");
	ck_assert_str_eq(taken.referral_id, "P1-2026-001");
	ck_assert_uint_eq(count_cases(), 1);
}
END_TEST

START_TEST(bsn_anywhere_is_refused)
{
	ck_assert_int_eq(refer(DATA "jansen-with-bsn.json"), KL_E_REFUSED);
	ck_assert_uint_eq(why.code, KL_C_BSN);
	turn();
	ck_assert_uint_eq(count_cases(), 0);
}
END_TEST

START_TEST(old_consent_is_refused)
{
	load(DATA "van-putten.json");
	edit("\"given_on\": \"2026-11-23\"", "\"given_on\": \"2026-10-01\"");
	refused(engine_refer(engine, &clerk, kl_bytes(file, file_n), &taken,
	    &why), KL_C_CONSENT_DATE, "/consent/given_on");
}
END_TEST

START_TEST(minor_is_refused_at_the_field)
{
	load(DATA "van-putten.json");
	edit("1934-04-28", "2015-04-28");
	refused(engine_refer(engine, &clerk, kl_bytes(file, file_n), &taken,
	    &why), KL_C_UNDER_AGE, "/referral/birth_date");
}
END_TEST

START_TEST(correction_needs_its_referral)
{
	load(DATA "van-putten-correction.json");
	refused(engine_correct(engine, &clerk, kl_bytes(file, file_n),
	    &taken, &why), KL_C_REFERRAL_UNKNOWN, "/correction_of");
	OK(refer(DATA "van-putten.json"));
	load(DATA "van-putten-correction.json");
	OK(engine_correct(engine, &clerk, kl_bytes(file, file_n), &taken,
	    &why));
	turn();
	ck_assert_uint_eq(taken.step, 2);
}
END_TEST

START_TEST(correction_is_what_counts)
{
	struct kl_referral r;

	OK(refer(DATA "van-putten.json"));
	load(DATA "van-putten-correction.json");
	OK(engine_correct(engine, &clerk, kl_bytes(file, file_n), &taken,
	    &why));
	OK(engine_content(engine, &clerk, ENGINE_SAW, &taken.conv, &r));
	ck_assert_str_eq(r.phone, "+31612345609");
}
END_TEST

START_TEST(feedback_is_not_for_a_practice)
{
	struct kl_feedback f = { .code = KL_ST_TAKEN_UP };
	struct kl_spoken s = kl_spoken_make((uint8_t[5]){ 1 });

	refused(engine_feedback(engine, &clerk, &s, &f, &taken, &why),
	    KL_C_REFERRAL_UNKNOWN, "/reference");
	load("tests/data/municipality/taken-up.json");
	refused(engine_feedback_file(engine, &clerk, kl_bytes(file, file_n),
	    &taken, &why), KL_C_REFERRAL_UNKNOWN, "/reference");
	refused(engine_feedback_file(engine, &clerk, kl_bytes_str("{"),
	    &taken, &why), KL_C_JSON, "");
}
END_TEST

static void
become_desk(void)
{
	close_engine();
	config.role = KL_MUNICIPALITY;
	OK(kl_id_read("oin:00000001000000000001", &config.id));
	(void)snprintf(config.data_dir, sizeof config.data_dir, "%.100s/desk",
	    dir.path);
	(void)snprintf(config.key_dir, sizeof config.key_dir, "%.100s/dkeys",
	    dir.path);
	make_identity();
	open_engine();
}

START_TEST(referral_is_not_for_a_desk)
{
	become_desk();
	refused(refer(DATA "van-putten.json"), KL_C_ROLE, "");
}
END_TEST

START_TEST(without_a_policy_nothing_is_taken)
{
	struct engine_status st;
	struct kl_conv_id conv;
	struct engine_alarm a;

	OK(refer(DATA "van-putten.json"));
	turn();
	ck_assert_int_eq(remove(config.policy), 0);
	reopen();
	refused(refer(DATA "el-amrani.json"), KL_C_NO_POLICY, "");
	refused(engine_correct(engine, &clerk, kl_bytes(file, file_n),
	    &taken, &why), KL_C_NO_POLICY, "");
	OK(engine_status(engine, &st));
	ck_assert_uint_eq(st.waiting, 1);
	OK(engine_alarm_next(engine, 0, &a));
	ck_assert_uint_eq(a.kind, ENGINE_AL_POLICY);
	ck_assert_uint_eq(a.code, KL_C_NO_POLICY);
	ck_assert(engine_policy_loaded(engine)->none);
	/* Whoever takes a consent back waits for nothing. */
	OK(engine_withdraw(engine, &clerk, "P1-2026-001",
	    &(struct engine_withdraw_want){ .scope = KL_SCOPE_ALL,
	    .cause = KL_CAUSE_RESIDENT }, &conv, &why));
	turn();
	ck_assert_uint_eq(undone, 0);
}
END_TEST

START_TEST(a_policy_counts_from_the_end_of_its_turn)
{
	static const char text[] = "[policy]\nsubject_min_age = 99y\n";
	struct kl_policy_error e;

	ck_assert_int_eq(remove(config.policy), 0);
	reopen();
	OK(engine_policy_load(engine, &clerk, kl_bytes_str(text), &e));
	refused(refer(DATA "van-putten.json"), KL_C_NO_POLICY, "");
	turn();
	ck_assert_uint_eq(kl_policy_number(engine_policy(engine),
	    KL_POL_SUBJECT_MIN_AGE), 99);
	refused(refer(DATA "van-putten.json"), KL_C_UNDER_AGE,
	    "/referral/birth_date");
	OK(engine_policy_load(engine, &clerk, kl_bytes_str("[policy]\n"),
	    &e));
	turn();
	OK(refer(DATA "van-putten.json"));
	ck_assert_int_eq(engine_policy_load(engine, &clerk, kl_bytes_str(
	    "[policy]\nsubject_min_age = 16y\n"), &e), KL_E_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.b, "subject_min_age"));
}
END_TEST

/* ---- what a desk notes -------------------------------------------------- */

static struct kl_spoken reference;
static struct kl_conv_id conv;

/* A referral of people_usual() that came; one way to reach is changed by
 * `change`. */
static void
take_case(void (*change)(struct kl_referral *r))
{
	struct turn *t = engine_turn(engine);
	const struct kl_ref ref = { { 1 } };
	struct kl_referral r = people_usual();
	uint8_t salt[KL_SALT_BYTES] = { 1 }, packed[KL_PLAIN_REFERRAL];
	struct case_row c;
	size_t n;

	if (change != NULL)
		change(&r);
	memset(&c, 0, sizeof c);
	kl_random(c.conv.b, sizeof c.conv.b);
	c.level = KL_LEVEL_2;
	c.valid_until = (uint32_t)kl_day_of(t->now_ms) + 700;
	c.sent_ms = c.delivered_ms = t->now_ms;
	kl_progress_init(&c.sent, KL_ST_DELIVERED, KL_LEVEL_2);
	kl_progress_init(&c.full, KL_ST_DELIVERED, 0);
	OK(cases_make(t, &c));
	OK(kl_content_pack_referral(&r, salt, KL_SCHEMA_MAX, packed,
	    sizeof packed, &n));
	OK(cases_content_put(t, &c, CASES_REFERRAL, kl_bytes(packed, n)));
	reference = kl_spoken_make((uint8_t[5]){ 9, 8, 7, 6, 5 });
	OK(cases_take_names(t, &c, &ref, (const uint8_t *)reference.b));
	OK(cases_put(t, &c));
	conv = c.conv;
	turn();
}

static int
attempt(uint32_t kind, uint32_t part)
{
	const struct kl_attempt a = { 0, part, kind };

	return engine_attempt(engine, &clerk, &reference, &a, &taken, &why);
}

static int
not_reached(void)
{
	const struct kl_feedback f = { .code = KL_ST_NOT_REACHED };

	return engine_feedback(engine, &clerk, &reference, &f, &taken, &why);
}

START_TEST(not_reached_needs_enough_attempts)
{
	struct kl_attempt a;

	become_desk();
	take_case(NULL);
	refused(not_reached(), KL_C_ATTEMPTS, "/code");
	OK(attempt(KL_CONTACT_PHONE, KL_MORNING));
	OK(attempt(KL_CONTACT_SMS, KL_MORNING));
	refused(not_reached(), KL_C_ATTEMPTS, "/code");
	/* The same one again is the same one. */
	OK(attempt(KL_CONTACT_SMS, KL_MORNING));
	refused(not_reached(), KL_C_ATTEMPTS, "/code");
	OK(attempt(KL_CONTACT_PHONE, KL_EVENING));
	turn();
	OK(engine_attempt_next(engine, &conv, 2, &a));
	ck_assert_uint_eq(a.part_of_day, KL_EVENING);
	ck_assert_int_eq(engine_attempt_next(engine, &conv, 3, &a),
	    KL_E_NOT_FOUND);
	OK(not_reached());
}
END_TEST

static void
with_email(struct kl_referral *r)
{
	memcpy(r->email, "a@example.nl", sizeof "a@example.nl");
}

START_TEST(three_attempts_at_one_part_of_the_day_are_not_enough)
{
	become_desk();
	take_case(with_email);
	OK(attempt(KL_CONTACT_PHONE, KL_MORNING));
	OK(attempt(KL_CONTACT_SMS, KL_MORNING));
	OK(attempt(KL_CONTACT_EMAIL, KL_MORNING));
	refused(not_reached(), KL_C_ATTEMPTS, "/code");
}
END_TEST

static void
by_letter_only(struct kl_referral *r)
{
	r->phone[0] = '\0';
	r->letter_ok = KL_ANSWER_YES;
	r->contact_preference = KL_CONTACT_LETTER;
	r->email[0] = '\0';
}

static void
no_letter(struct kl_referral *r)
{
	r->letter_ok = KL_ANSWER_NO;
}

START_TEST(one_kind_is_enough_where_the_referral_gives_one)
{
	become_desk();
	take_case(by_letter_only);
	OK(attempt(KL_CONTACT_LETTER, KL_MORNING));
	OK(attempt(KL_CONTACT_LETTER, KL_AFTERNOON));
	refused(not_reached(), KL_C_ATTEMPTS, "/code");
	OK(attempt(KL_CONTACT_LETTER, KL_EVENING));
	OK(not_reached());
}
END_TEST

START_TEST(attempt_in_a_way_that_the_resident_did_not_give_is_refused)
{
	become_desk();
	take_case(no_letter);
	refused(attempt(KL_CONTACT_LETTER, KL_MORNING), KL_C_ATTEMPT_KIND,
	    "/attempt/kind");
}
END_TEST

START_TEST(attempt_is_on_a_day_that_was)
{
	struct kl_attempt a = { kl_day_of(engine_now_ms(engine)) + 2,
		KL_MORNING, KL_CONTACT_PHONE };

	become_desk();
	take_case(NULL);
	refused(engine_attempt(engine, &clerk, &reference, &a, &taken, &why),
	    KL_C_FIELD_VALUE, "/attempt/date");
	a.day -= 4;
	refused(engine_attempt(engine, &clerk, &reference, &a, &taken, &why),
	    KL_C_FIELD_VALUE, "/attempt/date");
}
END_TEST

START_TEST(attempts_of_before_an_end_do_not_count_again)
{
	struct case_row c;

	become_desk();
	take_case(NULL);
	OK(attempt(KL_CONTACT_PHONE, KL_MORNING));
	OK(attempt(KL_CONTACT_SMS, KL_MORNING));
	OK(attempt(KL_CONTACT_PHONE, KL_EVENING));
	OK(not_reached());
	turn();
	refused(attempt(KL_CONTACT_PHONE, KL_EVENING), KL_C_STATE,
	    "/reference");
	OK(cases_get(engine_turn(engine), &conv, &c));
	ck_assert_uint_eq(c.attempts_from, 3);
}
END_TEST

START_TEST(handing_over_is_noted_once)
{
	struct engine_case k;
	uint64_t step;

	become_desk();
	take_case(NULL);
	OK(engine_desk_file(engine, &clerk, kl_bytes_str("{\"schema\": 1, "
	    "\"reference\": \"4W3E-1G85-0\", \"handed_over\": false}"),
	    &taken, &why) == KL_E_REFUSED ? KL_OK : KL_E_VALUE);
	OK(engine_handed_over(engine, &clerk, &reference, &taken, &why));
	step = taken.step;
	OK(engine_handed_over(engine, &clerk, &reference, &taken, &why));
	ck_assert_uint_eq(taken.step, step);
	OK(engine_case_get(engine, &conv, &k));
	ck_assert_int_ne(k.handed_ms, 0);
	ck_assert(k.has_content);
}
END_TEST

START_TEST(files_of_a_desk_are_told_apart)
{
	char text[300];

	become_desk();
	take_case(NULL);
	(void)snprintf(text, sizeof text, "{\"schema\": 1, \"reference\": "
	    "\"%s\", \"attempt\": {\"kind\": \"phone\", "
	    "\"part_of_day\": \"morning\"}}",
	    kl_spoken_text(&reference).b);
	OK(engine_desk_file(engine, &clerk, kl_bytes_str(text), &taken,
	    &why));
	(void)snprintf(text, sizeof text, "{\"schema\": 1, \"reference\": "
	    "\"%s\", \"attempt\": {\"kind\": \"dove\"}}",
	    kl_spoken_text(&reference).b);
	refused(engine_desk_file(engine, &clerk, kl_bytes_str(text), &taken,
	    &why), KL_C_FIELD_VALUE, "/attempt/kind");
	(void)snprintf(text, sizeof text, "{\"schema\": 1, \"reference\": "
	    "\"%s\", \"attempt\": {}, \"handed_over\": true}",
	    kl_spoken_text(&reference).b);
	refused(engine_desk_file(engine, &clerk, kl_bytes_str(text), &taken,
	    &why), KL_C_FIELDS_DISAGREE, "/handed_over");
	load("tests/data/municipality/taken-up.json");
	refused(engine_desk_file(engine, &clerk, kl_bytes(file, file_n),
	    &taken, &why), KL_C_REFERRAL_UNKNOWN, "/reference");
}
END_TEST

START_TEST(what_a_person_at_the_desk_saw_is_collected)
{
	struct kl_referral r;
	struct case_row c;

	become_desk();
	take_case(NULL);
	OK(engine_content(engine, &clerk, ENGINE_EXPORTED, &conv, &r));
	OK(cases_get(engine_turn(engine), &conv, &c));
	ck_assert_int_eq(c.seen_ms, 0);
	OK(engine_content(engine, &clerk, ENGINE_SAW, &conv, &r));
	OK(cases_get(engine_turn(engine), &conv, &c));
	ck_assert_int_ne(c.seen_ms, 0);
}
END_TEST

/* ---- the clock ---------------------------------------------------------- */

static void
due_soon(int n)
{
	uint8_t id[16];

	for (int i = 0; i < n; i++) {
		kl_random(id, sizeof id);
		OK(timers_put(engine->store, engine_turn(engine)->now_ms -
		    1000, TIMER_SEEN, id));
	}
}

/* The broker's clock says the same. */
static void
compared(void)
{
	engine_turn(engine)->clock_known = true;
	engine_turn(engine)->clock_off_ms = 0;
}

START_TEST(clock_that_jumped_erases_nothing_until_it_is_confirmed)
{
	compared();
	engine->next_timer_ms = 0;
	turn();
	ck_assert_str_eq(engine_hold(engine), "none");
	engine->clock.offset_ms += 2 * KL_HOUR_MS;
	due_soon(3);
	engine->next_timer_ms = 0;
	turn();
	ck_assert_str_eq(engine_hold(engine), "jump");
	ck_assert_uint_eq(count_timers(TIMER_SEEN), 3);
	OK(engine_hold_release(engine));
	turn();
	ck_assert_str_eq(engine_hold(engine), "none");
	engine->next_timer_ms = 0;
	turn();
	ck_assert_uint_eq(count_timers(TIMER_SEEN), 0);
}
END_TEST

START_TEST(hold_outlives_a_restart)
{
	compared();
	engine->next_timer_ms = 0;
	turn();
	engine->clock.offset_ms += 2 * KL_HOUR_MS;
	engine->next_timer_ms = 0;
	turn();
	reopen();
	compared();
	ck_assert_str_eq(engine_hold(engine), "jump");
}
END_TEST

START_TEST(clock_behind_the_mark_erases_nothing)
{
	compared();
	engine->clock.offset_ms += 30 * KL_MINUTE_MS;
	engine->next_timer_ms = 0;
	turn();
	reopen();
	compared();
	due_soon(1);
	engine->next_timer_ms = 0;
	turn();
	ck_assert_str_eq(engine_hold(engine), "behind");
	ck_assert_uint_eq(count_timers(TIMER_SEEN), 1);
}
END_TEST

START_TEST(without_the_brokers_clock_nothing_is_erased)
{
	due_soon(1);
	engine->next_timer_ms = 0;
	turn();
	ck_assert_str_eq(engine_hold(engine), "no_broker_clock");
	ck_assert_uint_eq(count_timers(TIMER_SEEN), 1);
	compared();
	engine_turn(engine)->clock_off_ms = 11 * KL_MINUTE_MS;
	engine->next_timer_ms = 0;
	turn();
	ck_assert_str_eq(engine_hold(engine), "clock_differs");
	ck_assert_uint_eq(count_timers(TIMER_SEEN), 1);
}
END_TEST

START_TEST(another_policy_looks_at_every_case_again)
{
	struct kl_policy_error e;
	struct case_row c;

	become_desk();
	take_case(NULL);
	engine->next_timer_ms = 0;
	turn();
	OK(cases_get(engine_turn(engine), &conv, &c));
	ck_assert_int_ne(c.copy_until_ms, 0);
	int64_t before = c.copy_until_ms;
	OK(engine_policy_load(engine, &clerk, kl_bytes_str(
	    "[policy]\ndesk_copy_after_end = 30d\n"), &e));
	turn();
	engine->next_timer_ms = 0;
	turn();
	OK(cases_get(engine_turn(engine), &conv, &c));
	ck_assert_int_eq(c.copy_until_ms, before - 60 * KL_DAY_MS);
}
END_TEST

START_TEST(full_pool_undoes_the_turn_and_goes_on)
{
	char id[32];
	int r = KL_OK;

	for (int i = 0; i < 60 && r == KL_OK; i++) {
		load(DATA "van-putten.json");
		(void)snprintf(id, sizeof id, "P-%c%c", 'a' + i / 26,
		    'a' + i % 26);
		edit("P1-2026-001", id);
		r = engine_refer(engine, &clerk, kl_bytes(file, file_n),
		    &taken, &why);
	}
	ck_assert_int_eq(r, KL_E_AGAIN);
	turn();
	ck_assert_uint_eq(undone, 1);
	ck_assert_uint_eq(count_cases(), 0);
	OK(refer(DATA "van-putten.json"));
	turn();
	ck_assert_uint_eq(committed, 1);
	ck_assert_uint_eq(count_cases(), 1);
	OK(engine_failed(engine));
}
END_TEST

/* ---- what time brings ---------------------------------------------------- */

#define KEPT_TIMERS 1500	/* more than one turn looks at */

START_TEST(deadlines_are_told_behind_much_that_waits_for_the_broker)
{
	const int64_t now_ms = engine_turn(engine)->now_ms;
	uint8_t id[16];

	/* What would erase waits for the broker's clock. */
	for (int i = 0; i < KEPT_TIMERS; i++) {
		kl_random(id, sizeof id);
		OK(timers_put(engine->store, now_ms - 2000, TIMER_SEEN, id));
	}
	kl_random(id, sizeof id);
	OK(timers_put(engine->store, now_ms - 1000, TIMER_DELIVER_BY, id));
	for (int i = 0; i < 4; i++) {
		engine->next_timer_ms = 0;
		turn();
	}
	ck_assert_uint_eq(count_timers(TIMER_DELIVER_BY), 0);
	ck_assert_uint_eq(count_timers(TIMER_SEEN), KEPT_TIMERS);
	/* And from the front again. */
	OK(timers_put(engine->store, now_ms - 3000, TIMER_DELIVER_BY, id));
	for (int i = 0; i < 4; i++) {
		engine->next_timer_ms = 0;
		turn();
	}
	ck_assert_uint_eq(count_timers(TIMER_DELIVER_BY), 0);
}
END_TEST

START_TEST(month_of_the_access_log_ends_in_steps)
{
	const struct kl_conv_id *conv = &taken.conv;
	struct access_at at = { 0, 0 };
	struct access_line line;
	struct timer due = { .due_ms = 0 };
	int r;

	OK(refer(DATA "van-putten.json"));
	for (int i = 0; i < ACCESS_SWEEP_MAX + 10; i++)
		OK(access_log(engine_turn(engine), &clerk, ENGINE_SAW, conv));
	turn();
	for (r = timers_first(engine->store, &due); r == KL_OK &&
	    due.what != TIMER_ACCESS;)
		r = timers_next(engine->store, &due, &due);
	OK(r);
	OK(timers_put(engine->store, engine_turn(engine)->now_ms - 1000,
	    TIMER_ACCESS, due.id));
	/* Not while the clock may have leapt. */
	engine->next_timer_ms = 0;
	turn();
	OK(access_next(engine_turn(engine), conv, &at, &line));
	memset(&at, 0, sizeof at);
	compared();
	for (int i = 0; i < 6; i++) {
		engine->next_timer_ms = 0;
		turn();
	}
	ck_assert_int_eq(access_next(engine_turn(engine), conv, &at, &line),
	    KL_E_NOT_FOUND);
	/* Its own timer, of which nothing is left to do. */
	ck_assert_uint_eq(count_timers(TIMER_ACCESS), 1);
}
END_TEST

/* ---- what goes out ------------------------------------------------------ */

START_TEST(content_is_shown_with_a_line_in_the_access_log)
{
	struct access_line line;
	struct kl_referral r;
	struct access_at at = { 0, 0 };
	unsigned int saw = 0;

	OK(refer(DATA "van-putten.json"));
	OK(engine_content(engine, &clerk, ENGINE_SAW, &taken.conv, &r));
	turn();
	while (access_next(engine_turn(engine), &taken.conv, &at, &line) ==
	    KL_OK)
		saw += line.act == ENGINE_SAW && line.by.uid == 1000 ? 1 : 0;
	ck_assert_uint_eq(saw, 1);
	memset(&taken.conv, 0, sizeof taken.conv);
	ck_assert_int_eq(engine_content(engine, &clerk, ENGINE_SAW,
	    &taken.conv, &r), KL_E_NOT_FOUND);
	ck_assert_str_eq(r.name.family_name, "");
}
END_TEST

START_TEST(history_and_alarms_begin_empty)
{
	struct engine_step s;
	struct engine_alarm al;
	struct engine_event ev;
	struct engine_case c;

	OK(refer(DATA "van-putten.json"));
	OK(engine_step_next(engine, &taken.conv, 0, &s));
	ck_assert_uint_eq(s.what, ENGINE_MADE);
	ck_assert_str_eq(engine_what_name(s.what), "made");
	ck_assert_int_eq(engine_step_next(engine, &taken.conv, s.n, &s),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(engine_alarm_next(engine, 0, &al), KL_E_NOT_FOUND);
	ck_assert_int_eq(engine_event_next(engine, 0, &ev), KL_E_NOT_FOUND);
	ck_assert_int_eq(engine_case_find(engine, "28T5-CY4T-H", &c),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(names_have_an_answer_for_every_number)
{
	for (uint32_t i = 0; i < 40; i++) {
		ck_assert_ptr_nonnull(engine_what_name(i));
		ck_assert_ptr_nonnull(engine_alarm_name(i));
		ck_assert_ptr_nonnull(engine_session_name(i));
	}
	ck_assert_str_eq(engine_session_name(ENGINE_CONFLICT),
	    "instance_conflict");
}
END_TEST

START_TEST(second_engine_on_the_same_folder_is_refused)
{
	struct engine *second;
	const char *what;

	ck_assert_int_eq(engine_open(&config, loop, &second, &what),
	    KL_E_EXISTS);
	ck_assert_ptr_null(second);
	ck_assert_str_eq(what, "data_dir");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("engine");
	TCase *t = tcase_create("engine");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, referral_is_taken_while_the_broker_is_away);
	tcase_add_test(t, taken_file_is_there_after_a_restart);
	tcase_add_test(t, without_a_commit_nothing_was_taken);
	tcase_add_test(t, same_file_twice_is_refused_and_named);
	tcase_add_test(t, other_file_under_the_same_id_is_a_conflict_and_named);
	tcase_add_test(t, own_id_that_looks_like_a_reference_can_be_corrected);
	tcase_add_test(t, reference_of_a_referral_is_no_id_for_another);
	tcase_add_test(t, bsn_anywhere_is_refused);
	tcase_add_test(t, old_consent_is_refused);
	tcase_add_test(t, minor_is_refused_at_the_field);
	tcase_add_test(t, correction_needs_its_referral);
	tcase_add_test(t, correction_is_what_counts);
	tcase_add_test(t, feedback_is_not_for_a_practice);
	tcase_add_test(t, referral_is_not_for_a_desk);
	tcase_add_test(t, without_a_policy_nothing_is_taken);
	tcase_add_test(t, a_policy_counts_from_the_end_of_its_turn);
	tcase_add_test(t, not_reached_needs_enough_attempts);
	tcase_add_test(t, three_attempts_at_one_part_of_the_day_are_not_enough);
	tcase_add_test(t, one_kind_is_enough_where_the_referral_gives_one);
	tcase_add_test(t,
	    attempt_in_a_way_that_the_resident_did_not_give_is_refused);
	tcase_add_test(t, attempt_is_on_a_day_that_was);
	tcase_add_test(t, attempts_of_before_an_end_do_not_count_again);
	tcase_add_test(t, handing_over_is_noted_once);
	tcase_add_test(t, files_of_a_desk_are_told_apart);
	tcase_add_test(t, what_a_person_at_the_desk_saw_is_collected);
	tcase_add_test(t,
	    clock_that_jumped_erases_nothing_until_it_is_confirmed);
	tcase_add_test(t, hold_outlives_a_restart);
	tcase_add_test(t, clock_behind_the_mark_erases_nothing);
	tcase_add_test(t, without_the_brokers_clock_nothing_is_erased);
	tcase_add_test(t, another_policy_looks_at_every_case_again);
	tcase_add_test(t, full_pool_undoes_the_turn_and_goes_on);
	tcase_add_test(t,
	    deadlines_are_told_behind_much_that_waits_for_the_broker);
	tcase_add_test(t, month_of_the_access_log_ends_in_steps);
	tcase_add_test(t, content_is_shown_with_a_line_in_the_access_log);
	tcase_add_test(t, history_and_alarms_begin_empty);
	tcase_add_test(t, names_have_an_answer_for_every_number);
	tcase_add_test(t, second_engine_on_the_same_folder_is_refused);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
