/* What the operator's program is answered over the control socket. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/keyfile.h>

#include "broker/core/control.h"
#include "broker/core/core_main.h"
#include "broker/core/cycle.h"
#include "broker/core/exporter.h"
#include "tests/support/shell.h"

#define WAIT_MS 20000

static struct shell s;
static struct kl_source answer_src;
static char line[65536];
static size_t line_n;

/* The answer of the asking process, until it closes its end. */
static void
answer_take(void *arg, short revents)
{
	const ssize_t n = read(answer_src.fd, line + line_n,
	    sizeof line - 1 - line_n);

	(void)arg;
	(void)revents;
	if (n > 0)
		line_n += (size_t)n;
	else
		kl_loop_stop(s.core->loop);
}

static void
setup(void)
{
	shell_open(&s);
	(void)snprintf(s.conf.control, sizeof s.conf.control, "%.90s/sock",
	    s.dir.path);
}

static void
teardown(void)
{
	shell_close(&s);
}

/* Asks from a process of its own while the loop of this one turns. */
static void
asker(const char *question, int out)
{
	char *text;
	size_t n;
	int r = kl_control_ask(s.conf.control, kl_bytes_str(question),
	    WAIT_MS, &text, &n);

	if (r == KL_OK && write(out, text, n) != (ssize_t)n)
		_exit(2);
	_exit(r == KL_OK ? 0 : 1);
}

static json_t *
ask(const char *question)
{
	int fd[2], status;
	json_t *o;
	pid_t pid;

	ck_assert_int_eq(pipe(fd), 0);
	s.core->loop = kl_loop_new();
	ck_assert_ptr_nonnull(s.core->loop);
	ck_assert_int_eq(control_open(s.core), KL_OK);
	if ((pid = fork()) == 0) {
		(void)close(fd[0]);
		asker(question, fd[1]);
	}
	(void)close(fd[1]);
	line_n = 0;
	answer_src = (struct kl_source){ .fd = fd[0], .events = POLLIN,
		.dispatch = answer_take };
	ck_assert_int_eq(kl_loop_add(s.core->loop, &answer_src), KL_OK);
	ck_assert_int_eq(kl_loop_run(s.core->loop), KL_OK);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	control_close(s.core);
	s.core->control = NULL;
	kl_loop_free(s.core->loop);
	s.core->loop = NULL;
	(void)close(fd[0]);
	o = json_loadb(line, line_n, 0, NULL);
	ck_assert_ptr_nonnull(o);
	return o;
}

static json_int_t
number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	ck_assert(json_is_integer(v));
	return json_integer_value(v);
}

static const char *
text(const json_t *o, const char *key)
{
	const char *v = json_string_value(json_object_get(o, key));

	ck_assert_ptr_nonnull(v);
	return v;
}

START_TEST(status_counts_what_happened)
{
	struct letter l;
	json_t *o;

	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	letter_referral(&l, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	letter_referral(&l, &s.practice, &s.desk);
	l.envelope.b[l.envelope.n - 1] ^= 1;
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l),
	    KL_C_SIGNATURE);
	o = ask("{\"cmd\":\"status\"}");
	ck_assert(json_is_true(json_object_get(o, "ok")));
	ck_assert_str_eq(text(o, "realm"), "training");
	ck_assert_str_eq(text(o, "erasure"), "best-effort");
	ck_assert_int_eq(number(o, "participants"), 4);
	ck_assert_int_eq(number(o, "sessions"), 2);
	ck_assert_int_eq(number(o, "waiting"), 1);
	ck_assert_int_eq(number(o, "open_conversations"), 1);
	ck_assert_int_eq(number(o, "leaves"),
	    (json_int_t)s.core->journal.committed.size);
	ck_assert_int_eq(number(o, "refused"), 1);
	ck_assert_int_eq(number(json_object_get(o, "refusals"),
	    "signature"), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(o,
	    "not_reported_in")), 0);
	json_decref(o);
}
END_TEST

START_TEST(participants_lists_every_card)
{
	json_t *o, *list;

	ck_assert_int_eq(shell_revoke(&s, &s.auditor, KL_REVOKE_LEFT),
	    KL_C_OK);
	o = ask("{\"cmd\":\"participants\"}");
	list = json_object_get(o, "participants");
	ck_assert_uint_eq(json_array_size(list), 4);
	for (size_t i = 0; i < 4; i++) {
		const json_t *row = json_array_get(list, i);
		const bool revoked = strcmp(text(row, "role"), "auditor") ==
		    0;

		ck_assert_str_eq(text(row, "state"), revoked ? "revoked" :
		    "valid");
		ck_assert_int_gt(number(row, "not_after_ms"),
		    LETTERS_NOW_MS);
	}
	json_decref(o);
}
END_TEST

static json_t *
ask_paper(const char *cmd, const char *member, const struct letter_bytes *b)
{
	char base64[2 * KL_STATEMENT_MAX], question[3 * KL_STATEMENT_MAX];

	ck_assert_int_eq(kl_base64(kl_bytes(b->b, b->n), base64,
	    sizeof base64), KL_OK);
	(void)snprintf(question, sizeof question,
	    "{\"cmd\":\"%s\",\"%s\":\"%s\"}", cmd, member, base64);
	return ask(question);
}

START_TEST(a_card_is_taken_up_while_it_runs)
{
	struct kl_card c = party_card(&s.partner);
	const uint64_t before = s.core->journal.committed.size;
	struct letter_bytes b;
	json_t *o;

	LETTERS_SIGN(KL_CARD, &c, s.authority, &b);
	o = ask_paper("card", "card", &b);
	ck_assert(json_is_true(json_object_get(o, "ok")));
	json_decref(o);
	ck_assert_uint_eq(s.core->journal.committed.size, before + 1);
	ck_assert_ptr_nonnull(registry_by_id(&s.core->registry,
	    &s.partner.id));
	/* One of the other realm is not. */
	c.realm = KL_PRODUCTION;
	c.serial[0] ^= 1;
	LETTERS_SIGN(KL_CARD, &c, s.authority, &b);
	o = ask_paper("card", "card", &b);
	ck_assert(json_is_false(json_object_get(o, "ok")));
	ck_assert_str_eq(text(o, "code"), "realm");
	json_decref(o);
}
END_TEST

START_TEST(a_revocation_is_taken_up_while_it_runs)
{
	const struct kl_revocation v = party_revocation(&s.desk,
	    KL_REVOKE_LEFT);
	struct letter_bytes b;
	json_t *o;

	LETTERS_SIGN(KL_REVOCATION, &v, s.authority, &b);
	o = ask_paper("revocation", "revocation", &b);
	ck_assert(json_is_true(json_object_get(o, "ok")));
	json_decref(o);
	ck_assert_int_eq(shell_verdict(&s, &s.desk), PIPE_KEY_REVOKED);
	/* Signed by somebody else. */
	LETTERS_SIGN(KL_REVOCATION, &v, s.desk.sk, &b);
	o = ask_paper("revocation", "revocation", &b);
	ck_assert_str_eq(text(o, "code"), "signature");
	json_decref(o);
}
END_TEST

START_TEST(a_hold_is_shown_and_released)
{
	json_t *o = ask("{\"cmd\":\"hold\"}");

	ck_assert(json_is_false(json_object_get(o, "held")));
	ck_assert_str_eq(text(o, "why"), "none");
	json_decref(o);
	s.core->clock.offset_ms += 400 * KL_DAY_MS;
	o = ask("{\"cmd\":\"hold\"}");
	ck_assert(json_is_true(json_object_get(o, "held")));
	ck_assert_str_eq(text(o, "why"), "jump");
	ck_assert_int_lt(number(o, "mark_ms"), number(o, "now_ms"));
	json_decref(o);
	o = ask("{\"cmd\":\"hold_release\"}");
	ck_assert(json_is_true(json_object_get(o, "released")));
	ck_assert(json_is_false(json_object_get(o, "held")));
	ck_assert_int_eq(number(o, "mark_ms"), number(o, "now_ms"));
	json_decref(o);
	/* Nothing is held any more. */
	o = ask("{\"cmd\":\"hold_release\"}");
	ck_assert(json_is_false(json_object_get(o, "released")));
	json_decref(o);
}
END_TEST

START_TEST(a_clock_behind_the_mark_is_released_as_well)
{
	json_t *o;

	s.core->retain.hold.high_water_ms += 400 * KL_DAY_MS;
	o = ask("{\"cmd\":\"hold\"}");
	ck_assert(json_is_true(json_object_get(o, "held")));
	ck_assert_str_eq(text(o, "why"), "behind");
	json_decref(o);
	o = ask("{\"cmd\":\"hold_release\"}");
	ck_assert(json_is_true(json_object_get(o, "released")));
	ck_assert_int_eq(number(o, "mark_ms"), number(o, "now_ms"));
	json_decref(o);
}
END_TEST

START_TEST(a_partys_withdrawal_is_done_and_counted)
{
	struct kl_withdrawal w;
	struct letter_bytes b;
	struct letter l;
	uint64_t before;
	json_t *o;

	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	letter_referral(&l, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	w = letter_withdrawal(&l, &s.practice, KL_SCOPE_ALL,
	    KL_CAUSE_RESIDENT);
	before = s.core->journal.committed.size;
	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.practice.sk, &b);
	for (int again = 0; again < 2; again++) {
		o = ask_paper("withdraw", "withdrawal", &b);
		ck_assert(json_is_true(json_object_get(o, "ok")));
		ck_assert_int_eq(number(o, "erased"), 1);
		ck_assert_int_eq(number(o, "released_before"), 0);
		ck_assert_int_eq(number(o, "unconfirmed"), 0);
		ck_assert_str_eq(text(o, "scope"), "all");
		ck_assert_str_eq(text(o, "cause"), "resident");
		ck_assert_int_eq(json_is_true(json_object_get(o, "again")),
		    again);
		json_decref(o);
		/* Its ERASED leaf was there before the answer. */
		ck_assert_uint_eq(s.core->journal.committed.size, before + 3);
	}
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n, 0);
}
END_TEST

START_TEST(who_waits_for_mail_gets_what_the_operator_hands_in)
{
	const struct kl_fetch poll = { .wait_ms = KL_FETCH_WAIT_MAX_MS };
	struct kl_withdrawal w;
	struct shell_answer a;
	struct letter_bytes b;
	struct letter l;

	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	letter_referral(&l, &s.practice, &s.desk);
	shell_deliver(&s, &s.practice, &s.desk, &l);
	SHELL_SEND(&s, &s.desk, KL_FETCH, KL_M_FETCH, &poll);
	shell_turn(&s);
	ck_assert(!shell_take(&s, &a));
	w = letter_withdrawal(&l, &s.practice, KL_SCOPE_ALL,
	    KL_CAUSE_RESIDENT);
	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.practice.sk, &b);
	json_decref(ask_paper("withdraw", "withdrawal", &b));
	ck_assert(shell_take(&s, &a));
	ck_assert_uint_eq(a.m.request, KL_FETCH);
	ck_assert_uint_gt(a.m.body.n, 0);
}
END_TEST

START_TEST(the_operator_alone_makes_nothing_disappear)
{
	struct kl_withdrawal w;
	struct letter_bytes b;
	struct letter l;
	json_t *o;

	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	letter_referral(&l, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	w = letter_withdrawal(&l, &s.practice, KL_SCOPE_ALL,
	    KL_CAUSE_RESIDENT);
	/* With the keys of the broker and of the authority. */
	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.authority, &b);
	o = ask_paper("withdraw", "withdrawal", &b);
	ck_assert_str_eq(text(o, "code"), "signature");
	json_decref(o);
	w.signer = s.broker.id;
	w.signer_key_id = kl_key_id_of(s.broker.sign_pk.b);
	LETTERS_SIGN(KL_WITHDRAWAL, &w, s.broker.sk, &b);
	o = ask_paper("withdraw", "withdrawal", &b);
	ck_assert(json_is_false(json_object_get(o, "ok")));
	json_decref(o);
	o = ask("{\"cmd\":\"withdraw\",\"withdrawal\":\"AAAA\"}");
	ck_assert_str_eq(text(o, "code"), "malformed");
	json_decref(o);
	o = ask("{\"cmd\":\"withdraw\"}");
	ck_assert_str_eq(text(o, "code"), "malformed");
	json_decref(o);
	ck_assert_uint_eq(shell_fetch(&s, &s.desk, 0).n_ct, 1);
}
END_TEST

START_TEST(after_a_loss_status_says_who_is_missing_and_what_waits)
{
	const struct kl_sync done = { .step = KL_SYNC_DONE };
	struct shell_answer a;
	const json_t *loss, *p;
	json_t *o;
	size_t i;

	o = ask("{\"cmd\":\"status\"}");
	ck_assert_ptr_null(json_object_get(o, "loss"));
	json_decref(o);
	shell_stop(&s);
	ck_assert_int_eq(unlink(shell_file(&s, "state/data.mdb").b), 0);
	shell_new_store(&s, "disk died");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS), CORE_EXIT_STOPPED);
	(void)shell_edge(&s);
	shell_begin(&s, &s.desk);
	SHELL_SEND(&s, &s.desk, KL_SYNC, KL_M_SYNC, &done);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_OK);
	shell_restart(&s, LETTERS_NOW_MS);
	o = ask("{\"cmd\":\"status\"}");
	loss = json_object_get(o, "loss");
	/* Broker and auditor hold nothing. */
	ck_assert_int_eq(number(loss, "asked"), 2);
	ck_assert_int_eq(number(loss, "reported_in"), 1);
	ck_assert_int_gt(number(loss, "previous_leaves"), 0);
	json_array_foreach(json_object_get(loss, "participants"), i, p) {
		const bool desk = strcmp(text(p, "role"), "municipality") ==
		    0;

		ck_assert_int_eq(json_is_true(json_object_get(p,
		    "reported_in")), desk);
		ck_assert_int_eq(number(p, "reported_in_ms") > 0, desk);
		ck_assert(json_is_null(json_object_get(p, "phone")));
	}
	ck_assert_uint_eq(i, 2);
	json_decref(o);
}
END_TEST

START_TEST(an_export_is_off_until_it_has_place_and_key)
{
	json_t *o = ask("{\"cmd\":\"export\"}");

	ck_assert(!json_is_true(json_object_get(o, "ok")));
	json_decref(o);
	(void)snprintf(s.conf.export_dir, sizeof s.conf.export_dir,
	    "%.150s/export", s.dir.path);
	shell_restart(&s, LETTERS_NOW_MS);
	o = ask("{\"cmd\":\"export\"}");
	ck_assert_ptr_nonnull(strstr(text(o, "text"), "recovery.key"));
	json_decref(o);
}
END_TEST

START_TEST(an_export_is_made_on_demand_and_shown)
{
	struct kl_secret *key = kl_secret_random(32);
	const json_t *e;
	json_t *o;

	ck_assert_int_eq(kl_keyfile_write(AT_FDCWD,
	    shell_file(&s, "config/recovery.key").b, "recovery", key),
	    KL_OK);
	kl_secret_free(key);
	(void)snprintf(s.conf.export_dir, sizeof s.conf.export_dir,
	    "%.150s/export", s.dir.path);
	shell_restart(&s, LETTERS_NOW_MS);
	o = ask("{\"cmd\":\"export\"}");
	ck_assert(json_is_true(json_object_get(o, "ok")));
	json_decref(o);
	for (int i = 0; exporter_running(s.core); i++) {
		ck_assert_int_lt(i, 1000);
		shell_turn(&s);
	}
	o = ask("{\"cmd\":\"export_state\"}");
	e = json_object_get(o, "export");
	ck_assert_int_ge(number(e, "last_ms"), LETTERS_NOW_MS);
	ck_assert(json_is_false(json_object_get(e, "running")));
	ck_assert(json_is_false(json_object_get(e, "overdue")));
	ck_assert_ptr_null(json_object_get(e, "off"));
	ck_assert_ptr_null(json_object_get(e, "failed"));
	json_decref(o);
	o = ask("{\"cmd\":\"status\"}");
	ck_assert(json_is_object(json_object_get(o, "export")));
	json_decref(o);
}
END_TEST

static json_t *
ask_about(const char *cmd, const char *key, const char *what)
{
	char question[256];

	(void)snprintf(question, sizeof question,
	    "{\"cmd\":\"%s\",\"%s\":\"%s\"}", cmd, key, what);
	return ask(question);
}

static const json_t *
first(const json_t *o, const char *key)
{
	return json_array_get(json_object_get(o, key), 0);
}

/* Delivered: the practice has a receipt that waits. */
static void
delivered(struct letter *l, char conv[33], char msg[33])
{
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	letter_referral(l, &s.practice, &s.desk);
	shell_deliver(&s, &s.practice, &s.desk, l);
	kl_hex(KL_BYTES_OF(l->e.header.conv_id), conv);
	kl_hex(KL_BYTES_OF(l->e.header.msg_id), msg);
}

static int
grow_in_turn(struct core *c, void *arg)
{
	int *n = arg, r = KL_OK;

	for (; *n > 0 && r == KL_OK; (*n)--) {
		struct kl_record rec = { .event = KL_EV_CARD,
			.org_from = s.desk.id };
		struct journal_leaf leaf;

		r = journal_append(&c->journal, c->turn.txn, c->turn.now_ms,
		    &rec, c->mem, &leaf);
		kl_arena_reset(c->mem);
	}
	return r;
}

/* Its records lie far apart, and are found without opening those between. */
START_TEST(the_log_of_a_referral_is_all_of_it)
{
	char conv[33], msg[33];
	struct letter l;
	int n = 3000;
	json_t *o;

	delivered(&l, conv, msg);
	ck_assert_int_eq(cycle_run(s.core, grow_in_turn, &n), KL_OK);
	o = ask_about("subject", "reference", conv);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "log")), 5);
	ck_assert_ptr_null(json_object_get(o, "next"));
	json_decref(o);
}
END_TEST

/* ---- the log, asked as over the link ------------------------------------ */

/* The body of the answer, which must be OK. */
static struct kl_bytes
log_ask(const char *request, struct kl_bytes body, json_t **o)
{
	static uint8_t out[KL_BODY_MAX];
	char in[512], question[700];
	size_t n;

	ck_assert_int_eq(kl_base64(body, in, sizeof in), KL_OK);
	(void)snprintf(question, sizeof question, "{\"cmd\":\"log_ask\","
	    "\"request\":\"%s\",\"body\":\"%s\"}", request, in);
	*o = ask(question);
	if (!json_is_true(json_object_get(*o, "ok")))
		return KL_BYTES_NONE;
	ck_assert_int_eq(kl_base64_read(kl_bytes_str(text(*o, "body")), out,
	    sizeof out, &n), KL_OK);
	return kl_bytes(out, n);
}

START_TEST(an_operator_asks_the_log_and_reads_all)
{
	const struct kl_query_what w = { .event = KL_EV_ACCEPTED };
	struct kl_query q = { .want = KL_QUERY_RECORDS };
	char conv[33], msg[33];
	struct kl_query_reply r;
	uint8_t what[256], buf[512];
	struct kl_record rec;
	struct kl_logged g;
	struct letter l;
	json_t *o;
	size_t n;

	delivered(&l, conv, msg);
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_QUERY_WHAT, &w, what,
	    sizeof what, &n), KL_OK);
	q.what = kl_bytes(what, n);
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_QUERY, &q, buf, sizeof buf,
	    &n), KL_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_QUERY_REPLY, log_ask("query",
	    kl_bytes(buf, n), &o), s.mem, &r), KL_C_OK);
	ck_assert_uint_eq(r.n_logged, 1);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, r.logged[0], s.mem,
	    &g), KL_C_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, g.record, s.mem,
	    &rec), KL_C_OK);
	ck_assert(kl_id_equal(&rec.org_from, &s.practice.id));
	json_decref(o);
	/* It is durable that he has asked, and that it was nobody else. */
	ck_assert_uint_lt(r.ticket, s.core->journal.committed.size);
	q.ticket = r.ticket;
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_QUERY, &q, buf, sizeof buf,
	    &n), KL_OK);
	ck_assert_uint_gt(log_ask("query", kl_bytes(buf, n), &o).n, 0);
	json_decref(o);
	q.ticket--;
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_QUERY, &q, buf, sizeof buf,
	    &n), KL_OK);
	(void)log_ask("query", kl_bytes(buf, n), &o);
	ck_assert_str_eq(text(o, "code"), "ticket");
	json_decref(o);
}
END_TEST

START_TEST(an_operator_asks_for_tiles_too)
{
	const struct kl_log_request q = { .want = KL_LOG_TILE };
	const struct kl_log_request beyond = { .want = KL_LOG_TILE,
		.size = UINT64_MAX };
	struct kl_log_reply r;
	struct kl_checkpoint c;
	uint8_t buf[64];
	json_t *o;
	size_t n;

	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_LOG, &q, buf, sizeof buf, &n),
	    KL_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOG_REPLY, log_ask("log",
	    kl_bytes(buf, n), &o), s.mem, &r), KL_C_OK);
	ck_assert_int_eq(kl_note_verify(r.note, &s.broker.sign_pk, &c),
	    KL_OK);
	ck_assert_uint_eq(r.tile.n, c.size * sizeof(struct kl_hash));
	json_decref(o);
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_LOG, &beyond, buf, sizeof buf,
	    &n), KL_OK);
	(void)log_ask("log", kl_bytes(buf, n), &o);
	ck_assert_str_eq(text(o, "code"), "try_later");
	ck_assert_int_gt(number(o, "retry_after_ms"), 0);
	json_decref(o);
}
END_TEST

START_TEST(a_question_that_is_none_is_malformed)
{
	static const char *const wrong[] = {
		"{\"cmd\":\"log_ask\"}",
		"{\"cmd\":\"log_ask\",\"request\":\"query\"}",
		"{\"cmd\":\"log_ask\",\"request\":\"submit\",\"body\":\"\"}",
		"{\"cmd\":\"log_ask\",\"request\":\"log\",\"body\":7}",
		"{\"cmd\":\"log_ask\",\"request\":\"log\",\"body\":\"!\"}",
		"{\"cmd\":\"log_ask\",\"request\":\"query\",\"body\":\"\"}",
		"{\"cmd\":\"approval\"}",
		"{\"cmd\":\"approval\",\"approval\":\"!\"}",
		"{\"cmd\":\"approval\",\"approval\":\"W2NhcmRd\"}",
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		json_t *o = ask(wrong[i]);

		ck_assert_msg(strcmp(text(o, "code"), "malformed") == 0,
		    "%s", wrong[i]);
		json_decref(o);
	}
}
END_TEST

START_TEST(status_names_who_reads_all_and_what_is_missing)
{
	char file[512], question[1024], base64[700], serial[33];
	struct kl_card card = party_card(&s.auditor);
	const char *all;
	json_t *o;

	o = ask("{\"cmd\":\"status\"}");
	ck_assert_ptr_null(json_object_get(o, "reads_all"));
	json_decref(o);
	card.serial[0] ^= 1;
	card.reads_all = KL_YES;
	ck_assert_int_eq(shell_card(&s, &card), KL_C_OK);
	o = ask("{\"cmd\":\"status\"}");
	all = json_string_value(first(o, "reads_all"));
	ck_assert_ptr_nonnull(all);
	ck_assert_ptr_nonnull(strstr(all, kl_id_text(&card.id).b));
	ck_assert_ptr_nonnull(strstr(all, "approval is missing"));
	json_decref(o);
	kl_hex(KL_BYTES_OF(card.serial), serial);
	(void)snprintf(file, sizeof file, "[card]\nauditor = %s\nserial = %s\n"
	    "[%s]\napproved_by = x\napproved_on = 2026-11-01\n",
	    kl_id_text(&card.id).b, serial, kl_id_text(&s.practice.id).b);
	ck_assert_int_eq(kl_base64(kl_bytes_str(file), base64,
	    sizeof base64), KL_OK);
	(void)snprintf(question, sizeof question,
	    "{\"cmd\":\"approval\",\"approval\":\"%s\"}", base64);
	o = ask(question);
	ck_assert(json_is_true(json_object_get(o, "ok")));
	json_decref(o);
	o = ask("{\"cmd\":\"status\"}");
	all = json_string_value(first(o, "reads_all"));
	ck_assert_ptr_nonnull(all);
	ck_assert_ptr_nonnull(strstr(all, "records of 1 organisations"));
	json_decref(o);
}
END_TEST

START_TEST(all_of_a_referral_is_shown)
{
	char conv[33], msg[33], reference[16];
	const json_t *m;
	struct letter l;
	uint64_t leaves;
	json_t *o;

	delivered(&l, conv, msg);
	leaves = s.core->journal.committed.size;
	o = ask_about("subject", "reference", conv);
	ck_assert_str_eq(text(json_object_get(o, "conversation"), "state"),
	    "open");
	(void)snprintf(reference, sizeof reference, "%s",
	    text(json_object_get(o, "conversation"), "reference"));
	ck_assert_str_eq(text(json_object_get(o, "consent"), "form"),
	    "oral");
	m = first(o, "messages");
	ck_assert_str_eq(text(m, "msg_id"), msg);
	ck_assert_str_eq(text(m, "state"), "delivered");
	ck_assert_str_eq(text(m, "ciphertext"), "erased");
	ck_assert_str_eq(text(first(o, "waiting"), "statement"), "receipt");
	/* accepted, released, delivered, erased, and this look. */
	ck_assert_uint_eq(json_array_size(json_object_get(o, "log")), 5);
	ck_assert_str_eq(text(json_array_get(json_object_get(o, "log"), 4),
	    "event"), "query");
	ck_assert_ptr_null(json_object_get(o, "next"));
	json_decref(o);
	ck_assert_uint_ge(s.core->journal.committed.size, leaves + 1);
	o = ask_about("subject", "reference", reference);
	ck_assert_str_eq(text(json_object_get(o, "conversation"), "conv_id"),
	    conv);
	json_decref(o);
}
END_TEST

START_TEST(a_withdrawal_and_what_it_asked_are_shown)
{
	char conv[33], msg[33];
	struct kl_withdrawal w;
	struct letter l;
	json_t *o;

	delivered(&l, conv, msg);
	w = letter_withdrawal(&l, &s.practice, KL_SCOPE_ALL,
	    KL_CAUSE_RESIDENT);
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL),
	    KL_C_OK);
	o = ask_about("subject", "reference", conv);
	ck_assert_str_eq(text(json_object_get(o, "conversation"), "state"),
	    "withdrawn");
	ck_assert_str_eq(text(first(o, "withdrawals"), "scope"), "all");
	ck_assert_int_eq(number(first(o, "withdrawals"),
	    "released_before"), 1);
	ck_assert_str_eq(text(first(o, "erase_requests"), "asked"),
	    kl_id_text(&s.desk.id).b);
	ck_assert_str_eq(text(first(o, "erase_requests"), "state"), "open");
	json_decref(o);
}
END_TEST

START_TEST(what_was_withdrawn_before_it_came_is_shown)
{
	struct kl_withdrawal w;
	struct letter l;
	uint64_t leaves;
	char conv[33];
	json_t *o;

	letter_referral(&l, &s.practice, &s.desk);
	shell_begin(&s, &s.practice);
	w = letter_withdrawal(&l, &s.practice, KL_SCOPE_ALL,
	    KL_CAUSE_RESIDENT);
	ck_assert_int_eq(shell_withdraw(&s, &s.practice, &w, NULL),
	    KL_C_OK);
	kl_hex(KL_BYTES_OF(w.conv_id), conv);
	leaves = s.core->journal.committed.size;
	o = ask_about("subject", "reference", conv);
	ck_assert(json_is_false(json_object_get(o, "marker")));
	ck_assert_str_eq(text(first(o, "withdrawals"), "cause"), "resident");
	json_decref(o);
	ck_assert_uint_eq(s.core->journal.committed.size, leaves + 1);
}
END_TEST

START_TEST(what_is_unknown_says_so)
{
	static const char *const unknown[] = {
		"00000000000000000000000000000001", "0000-0000-0" };
	json_t *o;

	for (size_t i = 0; i < 2; i++) {
		o = ask_about("subject", "reference", unknown[i]);
		ck_assert_str_eq(text(o, "code"), "referral_unknown");
		json_decref(o);
		o = ask_about("left", "what", unknown[i]);
		ck_assert_str_eq(text(o, "code"), "referral_unknown");
		json_decref(o);
	}
	o = ask_about("subject", "reference", "nonsense");
	ck_assert_str_eq(text(o, "code"), "malformed");
	json_decref(o);
	o = ask("{\"cmd\":\"left\"}");
	ck_assert_str_eq(text(o, "code"), "malformed");
	json_decref(o);
}
END_TEST

START_TEST(what_is_left_of_a_message_is_read_back)
{
	char conv[33], msg[33];
	struct letter l, waits;
	const json_t *m;
	json_t *o;

	delivered(&l, conv, msg);
	o = ask_about("left", "what", msg);
	m = first(o, "messages");
	ck_assert_str_eq(text(m, "slot"), "zeroed");
	ck_assert(json_is_false(json_object_get(m, "ciphertext")));
	ck_assert_int_gt(number(m, "erased_leaf"), number(m,
	    "accepted_leaf"));
	ck_assert_str_eq(text(m, "log_until"), "2031-12-02");
	ck_assert_str_eq(text(o, "erasure"), "best-effort");
	json_decref(o);
	/* A new key in its sector is not taken for the old one. */
	ck_assert_int_ge(kl_slots_refill(s.core->vault.slots, 64), 1);
	o = ask_about("left", "what", conv);
	ck_assert_str_eq(text(first(o, "messages"), "slot"), "overwritten");
	json_decref(o);
	letter_referral(&waits, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &waits), KL_C_OK);
	kl_hex(KL_BYTES_OF(waits.e.header.msg_id), msg);
	o = ask_about("left", "what", msg);
	m = first(o, "messages");
	ck_assert_str_eq(text(m, "slot"), "in use");
	ck_assert(json_is_true(json_object_get(m, "ciphertext")));
	json_decref(o);
}
END_TEST

/* The answer to a policy of these lines. */
static json_t *
policy_load_of(const char *lines)
{
	char in[256], question[400];

	ck_assert_int_eq(kl_base64(kl_bytes_str(lines), in, sizeof in),
	    KL_OK);
	(void)snprintf(question, sizeof question,
	    "{\"cmd\":\"policy_load\",\"policy\":\"%s\"}", in);
	return ask(question);
}

START_TEST(a_policy_is_loaded_or_refused_with_its_line)
{
	json_t *o = policy_load_of("[policy]\nttl_max = 9d\n");

	ck_assert(json_is_true(json_object_get(o, "ok")));
	ck_assert_uint_eq(strlen(text(json_object_get(o, "policy"),
	    "sha256")), 64);
	json_decref(o);
	ck_assert_uint_eq(kl_policy_days(&s.core->policy, KL_POL_TTL_MAX), 9);
	o = policy_load_of("[policy]\nttl_max = 99d\n");
	ck_assert(json_is_false(json_object_get(o, "ok")));
	ck_assert_ptr_nonnull(strstr(text(o, "text"), "line 2: ttl_max"));
	json_decref(o);
	o = policy_load_of("[policy]\nmetadata_after_end = 99d\n");
	ck_assert_ptr_nonnull(strstr(text(o, "text"), "lacks"));
	json_decref(o);
	o = ask("{\"cmd\":\"policy_load\"}");
	ck_assert_str_eq(text(o, "code"), "malformed");
	json_decref(o);
	o = ask("{\"cmd\":\"policy_load\",\"policy\":\"#\"}");
	ck_assert_str_eq(text(o, "code"), "malformed");
	json_decref(o);
	ck_assert_uint_eq(kl_policy_days(&s.core->policy, KL_POL_TTL_MAX), 9);
}
END_TEST

START_TEST(what_is_looser_stands_in_status_and_policy)
{
	json_t *o = policy_load_of("[policy]\nmetadata_after_end = 99d\n"
	    "[override metadata_after_end]\nlegal_basis = x\n"
	    "approved_by = FG\napproved_on = 2026-11-02\n"
	    "review_on = 2026-12-24\n");
	const json_t *row = json_array_get(json_object_get(json_object_get(o,
	    "policy"), "looser"), 0);

	ck_assert_str_eq(text(row, "key"), "metadata_after_end");
	ck_assert_str_eq(text(row, "approved_by"), "FG");
	ck_assert_str_eq(text(row, "review_on"), "2026-12-24");
	json_decref(o);
	o = ask("{\"cmd\":\"status\"}");
	row = json_array_get(json_object_get(json_object_get(o, "policy"),
	    "looser"), 0);
	ck_assert_str_eq(json_string_value(row), "metadata_after_end = 99d "
	    "(loosened), approved by FG until 2026-12-24");
	json_decref(o);
}
END_TEST

START_TEST(a_question_that_is_none_is_refused)
{
	static const struct {
		const char *question, *code;
	} cases[] = {
		{ "{\"cmd\":\"explode\"}", "not_served" },
		{ "{\"cmd\":7}", "malformed" },
		{ "[]", "malformed" },
		{ "garbage", "malformed" },
		{ "{\"cmd\":\"card\"}", "malformed" },
		{ "{\"cmd\":\"card\",\"card\":\"@@\"}", "malformed" },
		{ "{\"cmd\":\"card\",\"card\":\"AAAA\"}", "malformed" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		json_t *o = ask(cases[i].question);

		ck_assert(json_is_false(json_object_get(o, "ok")));
		ck_assert_str_eq(text(o, "code"), cases[i].code);
		json_decref(o);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("core: control");
	TCase *t = tcase_create("control");
	SRunner *r;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, status_counts_what_happened);
	tcase_add_test(t, participants_lists_every_card);
	tcase_add_test(t, a_card_is_taken_up_while_it_runs);
	tcase_add_test(t, a_revocation_is_taken_up_while_it_runs);
	tcase_add_test(t, a_hold_is_shown_and_released);
	tcase_add_test(t, all_of_a_referral_is_shown);
	tcase_add_test(t, the_log_of_a_referral_is_all_of_it);
	tcase_add_test(t, an_operator_asks_the_log_and_reads_all);
	tcase_add_test(t, an_operator_asks_for_tiles_too);
	tcase_add_test(t, a_question_that_is_none_is_malformed);
	tcase_add_test(t, status_names_who_reads_all_and_what_is_missing);
	tcase_add_test(t, a_withdrawal_and_what_it_asked_are_shown);
	tcase_add_test(t, what_was_withdrawn_before_it_came_is_shown);
	tcase_add_test(t, what_is_unknown_says_so);
	tcase_add_test(t, what_is_left_of_a_message_is_read_back);
	tcase_add_test(t, a_clock_behind_the_mark_is_released_as_well);
	tcase_add_test(t, a_partys_withdrawal_is_done_and_counted);
	tcase_add_test(t, who_waits_for_mail_gets_what_the_operator_hands_in);
	tcase_add_test(t, the_operator_alone_makes_nothing_disappear);
	tcase_add_test(t,
	    after_a_loss_status_says_who_is_missing_and_what_waits);
	tcase_add_test(t, an_export_is_off_until_it_has_place_and_key);
	tcase_add_test(t, an_export_is_made_on_demand_and_shown);
	tcase_add_test(t, a_policy_is_loaded_or_refused_with_its_line);
	tcase_add_test(t, what_is_looser_stands_in_status_and_policy);
	tcase_add_test(t, a_question_that_is_none_is_refused);
	suite_add_tcase(suite, t);
	r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
