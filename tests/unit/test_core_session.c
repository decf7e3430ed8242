/* Who may ask what: cards, sessions, instances, and the small requests. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <kortelijn/base/time.h>

#include "broker/core/core_main.h"
#include "tests/support/shell.h"

static struct shell s;
static struct letter l;

static void
setup(void)
{
	shell_open(&s);
}

static void
teardown(void)
{
	shell_close(&s);
}

static struct kl_hello
hello(const struct party *who, uint64_t epoch)
{
	struct kl_hello h = { .epoch = epoch, .take_over = KL_NO,
		.schema_min = 1, .schema_max = 1 };

	memcpy(h.instance.b, who->serial, sizeof h.instance.b);
	return h;
}

static enum kl_code
hello_at(const struct party *who, uint64_t epoch)
{
	const struct kl_hello h = hello(who, epoch);

	return shell_hello(&s, who, &h);
}

/* ---- cards --------------------------------------------------------------- */

START_TEST(a_key_without_a_card_is_unknown)
{
	ck_assert_int_eq(hello_at(&s.partner, 1), KL_C_CARD_UNKNOWN);
	shell_enrol(&s, &s.partner);
	ck_assert_int_eq(hello_at(&s.partner, 1), KL_C_OK);
}
END_TEST

START_TEST(a_card_counts_between_its_dates)
{
	struct kl_card c = party_card(&s.partner);

	c.not_before_ms = LETTERS_NOW_MS + KL_DAY_MS;
	ck_assert_int_eq(shell_card(&s, &c), KL_C_OK);
	ck_assert_int_eq(hello_at(&s.partner, 1), KL_C_CARD_NOT_YET);
	shell_restart(&s, LETTERS_NOW_MS + 2 * KL_DAY_MS);
	ck_assert_int_eq(hello_at(&s.partner, 1), KL_C_OK);
	shell_restart(&s, LETTERS_NOW_MS + 366 * KL_DAY_MS);
	ck_assert_int_eq(hello_at(&s.partner, 2), KL_C_CARD_EXPIRED);
}
END_TEST

START_TEST(a_revocation_works_on_the_next_request)
{
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
	letter_referral(&l, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	ck_assert_int_eq(shell_revoke(&s, &s.practice, KL_REVOKE_LEFT),
	    KL_C_OK);
	ck_assert_int_eq(shell_verdict(&s, &s.practice), PIPE_KEY_REVOKED);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l),
	    KL_C_CARD_REVOKED);
	ck_assert_int_eq(hello_at(&s.practice, 9), KL_C_CARD_REVOKED);
	/* Twice is no error, and it lasts. */
	ck_assert_int_eq(shell_revoke(&s, &s.practice, KL_REVOKE_LEFT),
	    KL_C_OK);
	shell_restart(&s, LETTERS_NOW_MS);
	ck_assert_int_eq(hello_at(&s.practice, 9), KL_C_CARD_REVOKED);
}
END_TEST

START_TEST(a_card_of_the_other_realm_is_refused)
{
	struct kl_card c = party_card(&s.partner);

	c.realm = KL_PRODUCTION;
	ck_assert_int_eq(shell_card(&s, &c), KL_C_REALM);
	ck_assert_int_eq(hello_at(&s.partner, 1), KL_C_CARD_UNKNOWN);
}
END_TEST

START_TEST(a_card_that_the_authority_did_not_sign_is_refused)
{
	const struct kl_card c = party_card(&s.partner);
	struct kl_secret *authority = s.authority;

	s.authority = s.partner.sk;
	ck_assert_int_eq(shell_card(&s, &c), KL_C_SIGNATURE);
	s.authority = authority;
}
END_TEST

START_TEST(edge_is_told_of_each_key)
{
	/* Practice, desk and auditor; the broker's own card is no key. */
	ck_assert_uint_eq(shell_edge(&s), 3);
	shell_enrol(&s, &s.partner);
	ck_assert_int_eq(shell_verdict(&s, &s.partner), PIPE_KEY_ALLOW);
	ck_assert_uint_eq(shell_edge(&s), 4);
}
END_TEST

/* ---- sessions ------------------------------------------------------------ */

START_TEST(every_request_needs_a_hello)
{
	letter_referral(&l, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l),
	    KL_C_HELLO_FIRST);
	ck_assert_int_eq(shell_fetch(&s, &s.desk, 0).code, KL_C_HELLO_FIRST);
	shell_begin(&s, &s.desk);
	ck_assert_int_eq(shell_fetch(&s, &s.desk, 0).code, KL_C_OK);
	/* A new edge: said to another, it counts no more. */
	(void)shell_edge(&s);
	ck_assert_int_eq(shell_fetch(&s, &s.desk, 0).code, KL_C_HELLO_FIRST);
}
END_TEST

START_TEST(hello_tells_how_things_are)
{
	const struct kl_hello h = hello(&s.desk, 1);
	struct kl_checkpoint c;
	struct kl_hello_reply r;
	struct shell_answer a;

	SHELL_SEND(&s, &s.desk, KL_HELLO, KL_M_HELLO, &h);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_HELLO_REPLY, a.m.body, s.mem,
	    &r), KL_C_OK);
	ck_assert_uint_eq(r.realm, KL_TRAINING);
	ck_assert_uint_eq(r.report_in, KL_NO);
	ck_assert_uint_eq(r.take_over, KL_NO);
	ck_assert_int_eq(r.prekeys_until_ms, 0);
	ck_assert_uint_eq(r.directory, 4);
	ck_assert_uint_eq(r.previous_note.n, 0);
	ck_assert_int_eq(kl_note_verify(r.note, &s.broker.sign_pk, &c),
	    KL_OK);
	ck_assert_uint_ge(c.size, 5);
}
END_TEST

START_TEST(an_epoch_is_used_once)
{
	ck_assert_int_eq(hello_at(&s.desk, 5), KL_C_OK);
	ck_assert_int_eq(hello_at(&s.desk, 5), KL_C_INSTANCE_CONFLICT);
	ck_assert_int_eq(hello_at(&s.desk, 4), KL_C_INSTANCE_CONFLICT);
	shell_restart(&s, LETTERS_NOW_MS);
	ck_assert_int_eq(hello_at(&s.desk, 5), KL_C_INSTANCE_CONFLICT);
	ck_assert_int_eq(hello_at(&s.desk, 6), KL_C_OK);
}
END_TEST

START_TEST(a_second_instance_is_refused_until_it_takes_over)
{
	struct kl_hello h = hello(&s.desk, 1);
	uint64_t before;

	ck_assert_int_eq(hello_at(&s.desk, 5), KL_C_OK);
	h.instance.b[0] ^= 1;
	h.epoch = 9;
	ck_assert_int_eq(shell_hello(&s, &s.desk, &h),
	    KL_C_INSTANCE_CONFLICT);
	ck_assert_int_eq(shell_fetch(&s, &s.desk, 0).code, KL_C_OK);

	before = s.core->journal.committed.size;
	h.take_over = KL_YES;
	h.epoch = 1;
	ck_assert_int_eq(shell_hello(&s, &s.desk, &h), KL_C_OK);
	ck_assert_uint_eq(s.core->journal.committed.size, before + 1);
	/* First it says what it holds. */
	ck_assert_int_eq(shell_fetch(&s, &s.desk, 0).code,
	    KL_C_NOT_REPORTED_IN);
	/* The old one is out, whatever its epoch. */
	ck_assert_int_eq(hello_at(&s.desk, 50), KL_C_INSTANCE_CONFLICT);
}
END_TEST

START_TEST(the_older_connection_is_told_that_it_was_replaced)
{
	struct kl_fetch f = { .wait_ms = 0 };
	struct kl_hello h = hello(&s.desk, 2);
	uint8_t buf[256];
	struct shell_answer a;
	size_t n;

	ck_assert_int_eq(hello_at(&s.desk, 1), KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_HELLO, &h, buf, sizeof buf,
	    &n), KL_OK);
	shell_send_from(&s, &s.desk, 7, KL_HELLO, kl_bytes(buf, n),
	    KL_BYTES_NONE);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_OK);
	SHELL_SEND(&s, &s.desk, KL_FETCH, KL_M_FETCH, &f);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_SESSION_REPLACED);
	/* One that never said HELLO is told that. */
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_FETCH, &f, buf, sizeof buf,
	    &n), KL_OK);
	shell_send_from(&s, &s.desk, 8, KL_FETCH, kl_bytes(buf, n),
	    KL_BYTES_NONE);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_HELLO_FIRST);
	shell_send_from(&s, &s.desk, 7, KL_FETCH, kl_bytes(buf, n),
	    KL_BYTES_NONE);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_OK);
}
END_TEST

START_TEST(a_checkpoint_that_is_ahead_stops_the_broker)
{
	struct kl_checkpoint c = { .size = 1000 };
	struct kl_hello h = hello(&s.desk, 1);
	struct kl_note note;

	/* Of another origin it says nothing. */
	memcpy(c.origin, "elsewhere/log/00000000", 23);
	ck_assert_int_eq(kl_note_sign(&c, s.broker.sk, &note), KL_OK);
	h.note = kl_bytes_str(note.b);
	ck_assert_int_eq(shell_hello(&s, &s.desk, &h), KL_C_OK);
	/* Nor if it was not signed by us. */
	memcpy(c.origin, s.core->journal.origin, sizeof c.origin);
	ck_assert_int_eq(kl_note_sign(&c, s.desk.sk, &note), KL_OK);
	h.epoch++;
	h.note = kl_bytes_str(note.b);
	ck_assert_int_eq(shell_hello(&s, &s.desk, &h), KL_C_OK);
	ck_assert_int_eq(kl_note_sign(&c, s.broker.sk, &note), KL_OK);
	h.epoch++;
	h.note = kl_bytes_str(note.b);
	ck_assert_int_eq(shell_hello(&s, &s.desk, &h), KL_C_LOG_BEHIND);
	ck_assert_int_eq(s.core->exit, CORE_EXIT_OPERATOR);
	/* Nobody need show it again. */
	shell_stop(&s);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_OPERATOR);
}
END_TEST

/* Its own: whoever showed the other one holds both. */
START_TEST(who_shows_another_history_is_shown_ours)
{
	struct kl_checkpoint c = { .size = 1000 }, ours;
	struct kl_hello h = hello(&s.desk, 1);
	struct kl_hello_reply reply;
	struct shell_answer a;
	struct kl_note note;

	memcpy(c.origin, s.core->journal.origin, sizeof c.origin);
	ck_assert_int_eq(kl_note_sign(&c, s.broker.sk, &note), KL_OK);
	h.note = kl_bytes_str(note.b);
	SHELL_SEND(&s, &s.desk, KL_HELLO, KL_M_HELLO, &h);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_LOG_BEHIND);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_HELLO_REPLY, a.m.body, s.mem,
	    &reply), KL_C_OK);
	ck_assert_int_eq(kl_note_verify(reply.note, &s.broker.sign_pk, &ours),
	    KL_OK);
	ck_assert_str_eq(ours.origin, c.origin);
	ck_assert_uint_lt(ours.size, c.size);
}
END_TEST

/* The machine that comes back after another has taken over. */
START_TEST(a_checkpoint_of_a_younger_log_fences_the_broker_off)
{
	struct kl_checkpoint c = { .size = 1 };
	struct kl_hello h = hello(&s.desk, 1);
	struct kl_note note;

	/* Signed by another it says nothing. */
	memcpy(c.origin, "b/log/99991231T235959Z-00000000", 32);
	ck_assert_int_eq(kl_note_sign(&c, s.desk.sk, &note), KL_OK);
	h.note = kl_bytes_str(note.b);
	ck_assert_int_eq(shell_hello(&s, &s.desk, &h), KL_C_OK);
	ck_assert_int_eq(kl_note_sign(&c, s.broker.sk, &note), KL_OK);
	h.epoch++;
	h.note = kl_bytes_str(note.b);
	ck_assert_int_eq(shell_hello(&s, &s.desk, &h), KL_C_LOG_LEFT);
	ck_assert_int_eq(s.core->exit, CORE_EXIT_OPERATOR);
	/* Nobody need show it again. */
	shell_stop(&s);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_OPERATOR);
}
END_TEST

/* Its store is moved away and it takes over in its turn. */
START_TEST(a_broker_that_was_fenced_off_can_begin_a_younger_log)
{
	struct kl_checkpoint c = { .size = 7 }, before;
	struct kl_hello h = hello(&s.desk, 1);
	struct kl_note note;

	memcpy(c.origin, "b/log/20300101T000000Z-00000000", 32);
	ck_assert_int_eq(kl_note_sign(&c, s.broker.sk, &note), KL_OK);
	h.note = kl_bytes_str(note.b);
	ck_assert_int_eq(shell_hello(&s, &s.desk, &h), KL_C_LOG_LEFT);
	shell_stop(&s);
	ck_assert_int_eq(unlink(shell_file(&s, "state/data.mdb").b), 0);
	shell_new_store(&s, "takes over again");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS),
	    CORE_EXIT_STOPPED);
	ck_assert(kl_origin_older(c.origin, s.core->journal.origin));
	ck_assert_int_eq(kl_note_verify(kl_bytes_str(
	    s.core->journal.previous.b), &s.broker.sign_pk, &before), KL_OK);
	ck_assert_str_eq(before.origin, c.origin);
	shell_restart(&s, LETTERS_NOW_MS);
	h.epoch++;
	ck_assert_int_eq(shell_hello(&s, &s.desk, &h), KL_C_OK);
}
END_TEST

/* ---- forms --------------------------------------------------------------- */

static enum kl_code
raw(uint32_t request, struct kl_bytes body)
{
	struct shell_answer a;

	shell_send_from(&s, &s.desk, 0, request, body, KL_BYTES_NONE);
	shell_answer(&s, &a);
	ck_assert_uint_eq(a.m.request, request);
	return (enum kl_code)a.m.code;
}

START_TEST(garbage_is_malformed_in_every_request)
{
	static const uint32_t requests[] = { KL_HELLO, KL_FETCH,
		KL_PUT_RECEIPT, KL_ITEM_ACK, KL_WITHDRAW, KL_DIRECTORY,
		KL_PUBLISH, KL_SYNC, KL_LOG, KL_QUERY };
	static const uint8_t junk[] = { 0xff, 0x01, 0x02 };

	shell_begin(&s, &s.desk);
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
		ck_assert_int_eq(raw(requests[i], kl_bytes(junk,
		    sizeof junk)), KL_C_MALFORMED);
}
END_TEST

START_TEST(bytes_that_are_no_request_are_answered_without_a_number)
{
	struct pipe_msg m = { .type = PIPE_REQUEST,
		.generation = s.generation, .peer = s.desk.transport_pk,
		.route = { .n = 1 }, .n = 1,
		.frame = { kl_bytes_str("\xff garbage") } };
	struct shell_answer a;

	ck_assert_int_eq(pipe_send(s.fd[1], &m), KL_OK);
	shell_turn(&s);
	ck_assert(shell_take(&s, &a));
	ck_assert_int_eq(a.m.code, KL_C_MALFORMED);
	ck_assert_uint_eq(a.m.request, 0);
	ck_assert_uint_eq(a.m.request_id, 0);
}
END_TEST

static enum kl_code
frame_answer(const uint8_t *p, size_t n)
{
	struct pipe_msg m = { .type = PIPE_REQUEST,
		.generation = s.generation, .peer = s.desk.transport_pk,
		.route = { .n = 1 }, .n = 1, .frame = { kl_bytes(p, n) } };
	struct shell_answer a;

	ck_assert_int_eq(pipe_send(s.fd[1], &m), KL_OK);
	shell_turn(&s);
	ck_assert(shell_take(&s, &a));
	return (enum kl_code)a.m.code;
}

START_TEST(another_version_and_an_unknown_request_are_named)
{
	/* Request { version, request, request_id 1, body "" } */
	const uint8_t version[] = { 8, 2, 16, 3, 24, 1, 34, 0 };
	const uint8_t request[] = { 8, 1, 16, 99, 24, 1, 34, 0 };

	ck_assert_int_eq(frame_answer(version, sizeof version),
	    KL_C_VERSION);
	ck_assert_int_eq(frame_answer(request, sizeof request),
	    KL_C_VALUE_UNKNOWN);
}
END_TEST

START_TEST(what_edge_should_never_send_stops_nothing)
{
	const struct pipe_msg keys = { .type = PIPE_KEYS_DONE,
		.generation = s.generation };

	ck_assert_int_eq(pipe_send(s.fd[1], &keys), KL_OK);
	ck_assert_int_eq(write(s.fd[1], "garbage", 7), 7);
	ck_assert_int_eq(hello_at(&s.desk, 1), KL_C_OK);
	/* The pair is closed when the supervisor gives up on us. */
	ck_assert_int_eq(shutdown(s.fd[1], SHUT_RDWR), 0);
	shell_turn(&s);
	ck_assert_int_eq(s.core->exit, 0);
}
END_TEST

START_TEST(an_auditor_reads_the_directory_and_no_mail)
{
	const struct kl_directory d = { .after = 0 };
	const struct kl_log_request g = { .want = KL_LOG_CHECKPOINT };
	struct shell_answer a;

	shell_begin(&s, &s.auditor);
	SHELL_SEND(&s, &s.auditor, KL_DIRECTORY, KL_M_DIRECTORY, &d);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_OK);
	SHELL_SEND(&s, &s.auditor, KL_LOG, KL_M_LOG, &g);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_OK);
	ck_assert_int_eq(shell_fetch(&s, &s.auditor, 0).code, KL_C_ROLE);
	letter_referral(&l, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.auditor, &l), KL_C_ROLE);
}
END_TEST

/* ---- directory, publish, log --------------------------------------------- */

static size_t
directory(uint64_t after, struct kl_directory_reply *r)
{
	const struct kl_directory d = { .after = after };
	struct shell_answer a;

	SHELL_SEND(&s, &s.desk, KL_DIRECTORY, KL_M_DIRECTORY, &d);
	shell_answer(&s, &a);
	ck_assert_int_eq(a.m.code, KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_DIRECTORY_REPLY, a.m.body,
	    s.mem, r), KL_C_OK);
	return r->n_entry;
}

START_TEST(the_directory_grows_by_what_is_published)
{
	struct kl_directory_reply r;
	struct kl_entry e;

	shell_begin(&s, &s.desk);
	ck_assert_uint_eq(directory(0, &r), 5);
	ck_assert_uint_eq(r.last, r.newest);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_ENTRY, r.entry[4], s.mem, &e),
	    KL_C_OK);
	ck_assert_uint_eq(e.statement, KL_PREKEY);
	ck_assert_uint_eq(directory(r.newest, &r), 0);
	ck_assert_uint_eq(r.last, r.newest);
}
END_TEST

static enum kl_code
publish(const struct party *who, uint32_t statement,
    const struct letter_bytes *b, size_t n)
{
	struct kl_publish m = { .n_entry = n };
	uint8_t buf[KL_PUBLISH_MAX][KL_STATEMENT_MAX];
	struct shell_answer a;

	for (size_t i = 0; i < n; i++) {
		const struct kl_entry e = { .statement = statement,
			.content = kl_bytes(b[i].b, b[i].n) };

		ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_ENTRY, &e, buf[i],
		    sizeof buf[i], &m.entry[i].n), KL_OK);
		m.entry[i].p = buf[i];
	}
	SHELL_SEND(&s, who, KL_PUBLISH, KL_M_PUBLISH, &m);
	shell_answer(&s, &a);
	return (enum kl_code)a.m.code;
}

START_TEST(a_publication_is_taken_whole_or_not_at_all)
{
	static struct letter_bytes b[2];
	struct kl_prekey k = party_prekey(&s.desk, 1);
	uint64_t before;

	shell_begin(&s, &s.desk);
	before = s.core->registry.newest;
	LETTERS_SIGN(KL_PREKEY, &k, s.desk.sk, &b[0]);
	k = party_prekey(&s.desk, 11);
	LETTERS_SIGN(KL_PREKEY, &k, s.desk.sk, &b[1]);
	ck_assert_int_eq(publish(&s.desk, KL_PREKEY, b, 2), KL_C_TIMES);
	ck_assert_uint_eq(s.core->registry.newest, before);
	ck_assert_int_eq(publish(&s.desk, KL_PREKEY, b, 1), KL_C_OK);
	ck_assert_uint_eq(s.core->registry.newest, before + 1);
	/* Again is done already. */
	ck_assert_int_eq(publish(&s.desk, KL_PREKEY, b, 1), KL_C_OK);
	ck_assert_uint_eq(s.core->registry.newest, before + 1);
}
END_TEST

START_TEST(nobody_publishes_for_another)
{
	static struct letter_bytes b;
	const struct kl_prekey k = party_prekey(&s.practice, 1);
	const struct kl_profile f = party_profile(&s.practice);
	const struct kl_card c = party_card(&s.partner);

	shell_begin(&s, &s.desk);
	shell_begin(&s, &s.practice);
	LETTERS_SIGN(KL_PREKEY, &k, s.practice.sk, &b);
	ck_assert_int_eq(publish(&s.desk, KL_PREKEY, &b, 1),
	    KL_C_NOT_YOUR_KEY);
	LETTERS_SIGN(KL_PREKEY, &k, s.desk.sk, &b);
	ck_assert_int_eq(publish(&s.practice, KL_PREKEY, &b, 1),
	    KL_C_SIGNATURE);
	LETTERS_SIGN(KL_PROFILE, &f, s.practice.sk, &b);
	ck_assert_int_eq(publish(&s.practice, KL_PROFILE, &b, 1), KL_C_ROLE);
	/* Cards come from the operator. */
	LETTERS_SIGN(KL_CARD, &c, s.authority, &b);
	ck_assert_int_eq(publish(&s.desk, KL_CARD, &b, 1), KL_C_ROLE);
	ck_assert_int_eq(hello_at(&s.partner, 1), KL_C_CARD_UNKNOWN);
}
END_TEST

static enum kl_code
log_ask(uint32_t want, uint64_t size, struct kl_log_reply *r)
{
	const struct kl_log_request q = { .want = want, .size = size };
	struct shell_answer a;

	SHELL_SEND(&s, &s.desk, KL_LOG, KL_M_LOG, &q);
	shell_answer(&s, &a);
	if (a.m.code == KL_C_OK)
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOG_REPLY, a.m.body,
		    s.mem, r), KL_C_OK);
	return (enum kl_code)a.m.code;
}

START_TEST(proofs_lead_to_the_checkpoint_that_is_shown)
{
	struct kl_hash proof[KL_PAGE_MAX], leaf;
	struct kl_checkpoint c, old;
	struct kl_log_reply r;

	shell_begin(&s, &s.desk);
	ck_assert_int_eq(log_ask(KL_LOG_CHECKPOINT, 0, &r), KL_C_OK);
	ck_assert_int_eq(kl_note_verify(r.note, &s.broker.sign_pk, &old),
	    KL_OK);
	shell_begin(&s, &s.practice);
	letter_referral(&l, &s.practice, &s.desk);
	ck_assert_int_eq(shell_submit(&s, &s.practice, &l), KL_C_OK);
	s.core->journal.note_ms -= KL_HOUR_MS;
	shell_turn(&s);
	ck_assert_int_eq(log_ask(KL_LOG_CONSISTENCY, old.size, &r), KL_C_OK);
	ck_assert_int_eq(kl_note_verify(r.note, &s.broker.sign_pk, &c),
	    KL_OK);
	ck_assert_uint_gt(c.size, old.size);
	for (size_t i = 0; i < r.n_proof; i++)
		memcpy(proof[i].b, r.proof[i].p, 32);
	ck_assert_int_eq(kl_check_consistency(old.size, &old.root, c.size,
	    &c.root, proof, r.n_proof), KL_OK);
	ck_assert_int_eq(log_ask(KL_LOG_INCLUSION, 1, &r), KL_C_OK);
	for (size_t i = 0; i < r.n_proof; i++)
		memcpy(proof[i].b, r.proof[i].p, 32);
	memset(&leaf, 0, sizeof leaf);
	ck_assert_int_eq(kl_check_inclusion(&leaf, 1, c.size, proof,
	    r.n_proof, &c.root), KL_E_SIGNATURE);
	ck_assert_int_eq(log_ask(KL_LOG_INCLUSION, c.size, &r),
	    KL_C_TRY_LATER);
	ck_assert_int_eq(log_ask(KL_LOG_CONSISTENCY, 0, &r),
	    KL_C_VALUE_UNKNOWN);
}
END_TEST

static TCase *
tcase(Suite *suite, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	suite_add_tcase(suite, t);
	return t;
}

int
main(void)
{
	Suite *suite = suite_create("core: session");
	SRunner *r;
	TCase *t;
	int failed;

	if (kl_crypto_init() != KL_OK)
		return EXIT_FAILURE;
	t = tcase(suite, "cards");
	tcase_add_test(t, a_key_without_a_card_is_unknown);
	tcase_add_test(t, a_card_counts_between_its_dates);
	tcase_add_test(t, a_revocation_works_on_the_next_request);
	tcase_add_test(t, a_card_of_the_other_realm_is_refused);
	tcase_add_test(t, a_card_that_the_authority_did_not_sign_is_refused);
	tcase_add_test(t, edge_is_told_of_each_key);
	t = tcase(suite, "sessions");
	tcase_add_test(t, every_request_needs_a_hello);
	tcase_add_test(t, hello_tells_how_things_are);
	tcase_add_test(t, an_epoch_is_used_once);
	tcase_add_test(t, a_second_instance_is_refused_until_it_takes_over);
	tcase_add_test(t, the_older_connection_is_told_that_it_was_replaced);
	tcase_add_test(t, a_checkpoint_that_is_ahead_stops_the_broker);
	tcase_add_test(t, who_shows_another_history_is_shown_ours);
	tcase_add_test(t,
	    a_checkpoint_of_a_younger_log_fences_the_broker_off);
	tcase_add_test(t,
	    a_broker_that_was_fenced_off_can_begin_a_younger_log);
	t = tcase(suite, "forms");
	tcase_add_test(t, garbage_is_malformed_in_every_request);
	tcase_add_test(t,
	    bytes_that_are_no_request_are_answered_without_a_number);
	tcase_add_test(t,
	    another_version_and_an_unknown_request_are_named);
	tcase_add_test(t, what_edge_should_never_send_stops_nothing);
	tcase_add_test(t, an_auditor_reads_the_directory_and_no_mail);
	t = tcase(suite, "directory and log");
	tcase_add_test(t, the_directory_grows_by_what_is_published);
	tcase_add_test(t, a_publication_is_taken_whole_or_not_at_all);
	tcase_add_test(t, nobody_publishes_for_another);
	tcase_add_test(t, proofs_lead_to_the_checkpoint_that_is_shown);
	r = srunner_create(suite);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
