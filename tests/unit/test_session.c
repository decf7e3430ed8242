#include "adapters/common/session.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/note.h>
#include <kortelijn/crypto/sign.h>

#include "adapters/common/alarm.h"
#include "adapters/common/checkpoint.h"
#include "adapters/common/prekeys.h"
#include "adapters/common/withdraw.h"
#include "adapters/common/withdraw_told.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)
#define SENT_MAX 64

static struct adapter_region region;
static struct adapter gp, desk;
static struct calls *calls;
static struct session *session;
static struct asks *asks;
static struct kl_arena *mem;

/* What left, newest last, and what was not looked at yet. */
static struct {
	struct kl_request_msg m;
	uint8_t bytes[KL_FRAME_MAX], ct[KL_CT_MAX];
	size_t n, n_ct;
} sent[SENT_MAX];
static size_t n_sent, looked;
static bool wire_full;

static int
take(void *arg, const struct kl_bytes *frames, size_t n)
{
	(void)arg;
	if (wire_full)
		return KL_E_AGAIN;
	ck_assert_uint_lt(n_sent, SENT_MAX);
	memcpy(sent[n_sent].bytes, frames[0].p, frames[0].n);
	sent[n_sent].n = frames[0].n;
	sent[n_sent].n_ct = n > 1 ? frames[1].n : 0;
	if (n > 1)
		memcpy(sent[n_sent].ct, frames[1].p, frames[1].n);
	n_sent++;
	return KL_OK;
}

static void
open_session(void)
{
	const struct calls_wire wire = { take, NULL };
	struct session_parts p = { NULL, gp.outbox, gp.receipts,
		gp.withdrawals, gp.erasures, NULL };

	ck_assert_ptr_nonnull(calls = calls_new(&wire));
	ck_assert_ptr_nonnull(asks = asks_new());
	p.calls = calls;
	p.asks = asks;
	OK(session_open(&p, &gp.t, &session));
	adapter_commit(&gp);
}

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&gp, &region, KL_PRACTICE, "agb:01234567");
	adapter_make(&desk, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_meet_card(&desk, &region, &gp, 0);
	adapter_meet_keys(&desk, &gp);
	gp.t.clock_known = false;
	gp.t.origin = 0;
	gp.mono_ms = 1000;
	ck_assert_ptr_nonnull(mem = kl_arena_new(1 << 20, 10000));
	open_session();
	n_sent = looked = 0;
	wire_full = false;
}

static void
close_session(void)
{
	session_close(session);
	calls_free(calls);
	asks_free(asks);
}

static void
teardown(void)
{
	close_session();
	kl_arena_free(mem);
	adapter_clear(&gp);
	adapter_clear(&desk);
	adapter_region_clear(&region);
}

/* One turn: what was asked leaves after the commit. */
static void
turn(void)
{
	gp.t.want_submit = gp.t.want_receipt = false;
	OK(session_work(session, &gp.t, gp.mono_ms));
	ck_assert_uint_eq(n_sent, looked);
	adapter_commit(&gp);
	if (calls_flush(calls, gp.mono_ms) != KL_OK)
		session_begin_again(session, gp.mono_ms + 1000);
}

/* The next request that left: it must be this one. */
static struct kl_request_msg *
asked(uint32_t request)
{
	ck_assert_uint_lt(looked, n_sent);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_REQUEST,
	    kl_bytes(sent[looked].bytes, sent[looked].n), mem,
	    &sent[looked].m), KL_C_OK);
	ck_assert_str_eq(kl_request_name(sent[looked].m.request),
	    kl_request_name(request));
	return &sent[looked++].m;
}

static void
nothing_asked(void)
{
	ck_assert_uint_eq(looked, n_sent);
}

/* Answers a request; cts: ciphertexts behind it. */
static int64_t broker_off_ms;
static uint32_t retry_after_ms;

static void
answer_frames(const struct kl_request_msg *to, uint32_t code,
    struct kl_bytes body, const struct kl_bytes *cts, size_t n_cts)
{
	struct kl_reply_msg m = { .version = 1, .request = to->request,
		.request_id = to->request_id, .code = code,
		.retry_after_ms = retry_after_ms,
		.time_ms = gp.t.now_ms + broker_off_ms, .body = body };
	struct kl_bytes frames[1 + KL_FETCH_ENVELOPES_MAX];

	OK(KL_MESSAGE_PACK_IN(KL_M_REPLY, &m, mem, &frames[0]));
	for (size_t i = 0; i < n_cts; i++)
		frames[1 + i] = cts[i];
	OK(session_message(session, &gp.t, frames, 1 + n_cts, gp.mono_ms));
}

static void
answer(const struct kl_request_msg *to, uint32_t code)
{
	answer_frames(to, code, KL_BYTES_NONE, NULL, 0);
}

static void
answer_with(const struct kl_request_msg *to, uint32_t type, const void *in,
    size_t in_size)
{
	struct kl_bytes body;

	OK(kl_message_pack_in(type, in, in_size, mem, &body));
	answer_frames(to, KL_C_OK, body, NULL, 0);
}
#define ANSWER(to, type, in) answer_with(to, type, in, sizeof *(in))

/* ---- a broker that says what it is told to ------------------------------ */

static struct kl_note note;

static struct kl_bytes
checkpoint(const char *origin, uint64_t size, uint8_t root)
{
	struct kl_checkpoint c = { .size = size, .root = { { root } } };

	memcpy(c.origin, origin, strlen(origin) + 1);
	OK(kl_note_sign(&c, region.broker.sk, &note));
	return kl_bytes_str(note.b);
}

static struct kl_hello_reply
usual_hello(void)
{
	struct kl_hello_reply h = { .realm = KL_TRAINING,
		.report_in = KL_NO, .take_over = KL_NO,
		.prekeys_until_ms = gp.t.now_ms + KL_WEEK_MS };

	h.note = checkpoint("broker/log/one", 4, 1);
	return h;
}

static struct kl_hello
hello_of(const struct kl_request_msg *m)
{
	struct kl_hello h;

	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_HELLO, m->body, mem, &h),
	    KL_C_OK);
	return h;
}

/* The desk's card and prekeys as pages of the directory. */
static void
directory_page(struct kl_directory_reply *d)
{
	struct prekey_row row[PREKEYS_AHEAD];
	struct kl_id_text id = kl_id_text(&desk.id.id);
	struct kl_card card = papers_card(id.b, desk.id.role,
	    &desk.id.sign_pk);
	struct papers_signed s = papers_sign(KL_CARD, &card, sizeof card,
	    region.authority.sk);
	struct kl_entry e = { KL_CARD, papers_bytes(&s) };
	uint8_t buf[KL_STATEMENT_MAX];
	size_t n, len;

	OK(KL_MESSAGE_PACK_IN(KL_M_ENTRY, &e, mem, &d->entry[d->n_entry++]));
	OK(prekeys_unpublished(desk.store, desk.t.now_ms, row, PREKEYS_AHEAD,
	    &n));
	for (size_t i = 0; i < n; i++) {
		OK(prekeys_statement(&desk.id, &row[i], buf, sizeof buf,
		    &len));
		e = (struct kl_entry){ KL_PREKEY, kl_bytes(buf, len) };
		OK(KL_MESSAGE_PACK_IN(KL_M_ENTRY, &e, mem,
		    &d->entry[d->n_entry++]));
	}
	store_abort(desk.store);
	d->newest = d->last = d->n_entry;
}

static void
link_up(void)
{
	session_link(session, KL_LINK_UP, gp.mono_ms);
}

/* From a link that came up to READY, with the FETCH that then waits. */
static struct kl_request_msg *
greet_with(const struct kl_directory_reply *d)
{
	struct kl_hello_reply h = usual_hello();

	link_up();
	turn();
	ANSWER(asked(KL_HELLO), KL_M_HELLO_REPLY, &h);
	turn();
	ANSWER(asked(KL_DIRECTORY), KL_M_DIRECTORY_REPLY, d);
	turn();
	answer(asked(KL_PUBLISH), KL_C_OK);
	turn();
	return asked(KL_FETCH);
}

static struct kl_request_msg *
greet(void)
{
	struct kl_directory_reply d = { .newest = 0 };

	directory_page(&d);
	return greet_with(&d);
}

static uint32_t
phase(void)
{
	return session_state(session).session;
}

static uint64_t
alarms(uint32_t kind)
{
	struct engine_alarm a = { .seq = 0 };
	uint64_t n = 0;

	while (alarm_next(gp.store, a.seq, &a) == KL_OK)
		n += a.kind == kind ? 1 : 0;
	return n;
}

/* ---- greeting ----------------------------------------------------------- */

START_TEST(greeting_ends_ready)
{
	ck_assert_uint_eq(phase(), ENGINE_NO_LINK);
	(void)greet();
	ck_assert_uint_eq(phase(), ENGINE_READY);
	ck_assert_uint_eq(directory_cards(gp.directory), 1);
	nothing_asked();
}
END_TEST

START_TEST(epoch_is_counted_up_before_each_hello)
{
	struct kl_hello first, second;

	link_up();
	turn();
	first = hello_of(asked(KL_HELLO));
	ck_assert_uint_eq(first.epoch, 1);
	/* The process dies before any answer. */
	close_session();
	open_session();
	link_up();
	turn();
	second = hello_of(asked(KL_HELLO));
	ck_assert_uint_eq(second.epoch, 2);
	ck_assert_mem_eq(&first.instance, &second.instance,
	    sizeof first.instance);
}
END_TEST

START_TEST(other_place_is_another_instance)
{
	struct { struct kl_instance i; struct kl_hash place; uint64_t n; } me;
	struct kl_hello h;

	OK(store_meta_get(gp.store, "instance", &me, sizeof me));
	me.place.b[0] ^= 1;
	OK(store_meta_put(gp.store, "instance", &me, sizeof me));
	adapter_commit(&gp);
	close_session();
	open_session();
	link_up();
	turn();
	h = hello_of(asked(KL_HELLO));
	ck_assert_mem_ne(&h.instance, &me.i, sizeof me.i);
}
END_TEST

START_TEST(instance_conflict_stops_until_take_over)
{
	struct kl_hello_reply h = usual_hello();
	struct kl_sync_reply list = { .n_conversation = 0 };
	const struct kl_request_msg *m;

	link_up();
	turn();
	answer(asked(KL_HELLO), KL_C_INSTANCE_CONFLICT);
	ck_assert_uint_eq(phase(), ENGINE_CONFLICT);
	ck_assert_uint_eq(alarms(ENGINE_AL_INSTANCE_CONFLICT), 1);
	gp.mono_ms += KL_MINUTE_MS;
	turn();
	nothing_asked();
	OK(session_take_over(session, &gp.t, gp.mono_ms));
	turn();
	m = asked(KL_HELLO);
	ck_assert_uint_eq(hello_of(m).take_over, KL_YES);
	h.take_over = KL_YES;
	ANSWER(m, KL_M_HELLO_REPLY, &h);
	turn();
	ANSWER(asked(KL_SYNC), KL_M_SYNC_REPLY, &list);
	turn();
	/* Nothing held: DONE at once. */
	ANSWER(asked(KL_SYNC), KL_M_SYNC_REPLY, &list);
	turn();
	(void)asked(KL_DIRECTORY);
}
END_TEST

START_TEST(conflict_that_stays_is_one_alarm)
{
	link_up();
	for (int i = 0; i < 3; i++) {
		turn();
		answer(asked(KL_HELLO), KL_C_INSTANCE_CONFLICT);
		gp.mono_ms += 10 * KL_MINUTE_MS;
	}
	ck_assert_uint_eq(alarms(ENGINE_AL_INSTANCE_CONFLICT), 1);
}
END_TEST

START_TEST(broker_that_hangs_does_not_refuse)
{
	session_link(session, KL_LINK_SILENT, gp.mono_ms);
	ck_assert_uint_eq(phase(), ENGINE_NO_LINK);
	turn();
	ck_assert_uint_eq(alarms(ENGINE_AL_BROKER), 0);
}
END_TEST

START_TEST(refused_key_shows_as_not_served)
{
	session_link(session, KL_LINK_REFUSED, gp.mono_ms);
	ck_assert_uint_eq(phase(), ENGINE_NOT_SERVED);
	turn();
	nothing_asked();
	/* The link tries again every few seconds: one alarm all the same. */
	session_link(session, KL_LINK_DOWN, gp.mono_ms);
	session_link(session, KL_LINK_REFUSED, gp.mono_ms);
	turn();
	ck_assert_uint_eq(alarms(ENGINE_AL_BROKER), 1);
	link_up();
	turn();
	answer(asked(KL_HELLO), KL_C_CARD_EXPIRED);
	ck_assert_uint_eq(phase(), ENGINE_NOT_SERVED);
	ck_assert_uint_eq(session_state(session).code, KL_C_CARD_EXPIRED);
}
END_TEST

START_TEST(other_realm_is_not_served)
{
	struct kl_hello_reply h = usual_hello();

	h.realm = KL_PRODUCTION;
	link_up();
	turn();
	ANSWER(asked(KL_HELLO), KL_M_HELLO_REPLY, &h);
	ck_assert_uint_eq(session_state(session).code, KL_C_REALM);
}
END_TEST

START_TEST(busy_broker_is_greeted_again)
{
	link_up();
	turn();
	answer(asked(KL_HELLO), KL_C_TRY_LATER);
	turn();
	nothing_asked();
	gp.mono_ms += 1000;
	turn();
	(void)asked(KL_HELLO);
}
END_TEST

START_TEST(hello_first_begins_again)
{
	answer(greet(), KL_C_HELLO_FIRST);
	turn();
	ck_assert_uint_eq(hello_of(asked(KL_HELLO)).epoch, 2);
}
END_TEST

START_TEST(replaced_session_waits_a_minute)
{
	answer(greet(), KL_C_SESSION_REPLACED);
	gp.mono_ms += KL_MINUTE_MS - 1;
	turn();
	nothing_asked();
	gp.mono_ms += 1;
	turn();
	(void)asked(KL_HELLO);
}
END_TEST

START_TEST(unanswered_request_begins_again)
{
	(void)greet();
	gp.mono_ms += CALLS_TIMEOUT_MS - 1;
	gp.t.now_ms += 1;
	OK(session_work(session, &gp.t, gp.mono_ms));
	ck_assert_uint_eq(phase(), ENGINE_READY);
	gp.mono_ms += 1;
	n_sent = looked;
	OK(session_work(session, &gp.t, gp.mono_ms));
	adapter_commit(&gp);
	OK(calls_flush(calls, gp.mono_ms));
	(void)asked(KL_HELLO);
}
END_TEST

START_TEST(new_connection_begins_again)
{
	(void)greet();
	session_link(session, KL_LINK_DOWN, gp.mono_ms);
	ck_assert_uint_eq(phase(), ENGINE_NO_LINK);
	turn();
	nothing_asked();
	link_up();
	turn();
	(void)asked(KL_HELLO);
}
END_TEST

START_TEST(link_that_takes_nothing_begins_again)
{
	link_up();
	wire_full = true;
	turn();
	wire_full = false;
	gp.mono_ms += 1000;
	turn();
	ck_assert_uint_eq(hello_of(asked(KL_HELLO)).epoch, 2);
}
END_TEST

START_TEST(answers_to_nothing_are_passed_over)
{
	struct kl_request_msg other = { .request = KL_FETCH,
		.request_id = 999 };
	struct kl_bytes garbage = kl_bytes_str("garbage");

	(void)greet();
	answer(&other, KL_C_HELLO_FIRST);
	OK(session_message(session, &gp.t, &garbage, 1, gp.mono_ms));
	OK(session_message(session, &gp.t, &garbage, 0, gp.mono_ms));
	ck_assert_uint_eq(phase(), ENGINE_READY);
}
END_TEST

/* ---- the log ------------------------------------------------------------ */

/* The HELLO of the next session answers with this note. */
static void
greet_again(struct kl_hello_reply *h)
{
	session_link(session, KL_LINK_DOWN, gp.mono_ms);
	link_up();
	turn();
	ANSWER(asked(KL_HELLO), KL_M_HELLO_REPLY, h);
}

START_TEST(smaller_log_is_a_durable_alarm_with_both_notes)
{
	struct kl_hello_reply h = usual_hello();
	struct kl_bytes evidence;

	(void)greet();
	h.note = checkpoint("broker/log/one", 3, 1);
	greet_again(&h);
	ck_assert_uint_eq(alarms(ENGINE_AL_LOG_FORK), 1);
	OK(alarm_evidence(gp.store, gp.mem, 1, &evidence));
	ck_assert_uint_gt(evidence.n, 200);
}
END_TEST

START_TEST(same_size_with_another_root_is_an_alarm)
{
	struct kl_hello_reply h = usual_hello();

	(void)greet();
	h.note = checkpoint("broker/log/one", 4, 2);
	greet_again(&h);
	ck_assert_uint_eq(alarms(ENGINE_AL_LOG_FORK), 1);
}
END_TEST

/* A store that was put back, by a broker that sees it: it says so itself. */
START_TEST(broker_that_says_it_went_back_leaves_both_notes)
{
	struct kl_hello_reply h = usual_hello();
	const struct kl_request_msg *m;
	struct kl_bytes evidence, body;
	struct kl_checkpoint c;

	(void)greet();
	h.note = checkpoint("broker/log/one", 3, 1);
	session_link(session, KL_LINK_DOWN, gp.mono_ms);
	link_up();
	turn();
	m = asked(KL_HELLO);
	OK(KL_MESSAGE_PACK_IN(KL_M_HELLO_REPLY, &h, mem, &body));
	answer_frames(m, KL_C_LOG_BEHIND, body, NULL, 0);
	ck_assert_uint_eq(phase(), ENGINE_NOT_SERVED);
	ck_assert_uint_eq(session_state(session).code, KL_C_LOG_BEHIND);
	ck_assert(session_wants_other(session));
	ck_assert_uint_eq(alarms(ENGINE_AL_LOG_FORK), 1);
	OK(alarm_evidence(gp.store, gp.mem, 1, &evidence));
	ck_assert_uint_gt(evidence.n, h.note.n);
	OK(kl_note_verify(kl_bytes(evidence.p + evidence.n - h.note.n,
	    h.note.n), &region.broker.pk, &c));
	ck_assert_uint_eq(c.size, 3);
}
END_TEST

START_TEST(same_fork_is_one_alarm)
{
	struct kl_hello_reply h = usual_hello();

	(void)greet();
	h.note = checkpoint("broker/log/one", 3, 1);
	greet_again(&h);
	session_begin_again(session, gp.mono_ms);
	h.note = checkpoint("broker/log/one", 3, 2);
	greet_again(&h);
	ck_assert_uint_eq(alarms(ENGINE_AL_LOG_FORK), 1);
}
END_TEST

START_TEST(note_of_another_key_is_not_kept)
{
	struct kl_hello_reply h = usual_hello();
	struct checkpoint kept;
	uint8_t bad[KL_NOTE_MAX];

	memcpy(bad, h.note.p, h.note.n);
	bad[h.note.n - 10] ^= 1;
	h.note = kl_bytes(bad, h.note.n);
	greet_again(&h);
	OK(checkpoint_get(&gp.t, &kept));
	ck_assert_str_eq(kept.origin, "");
	ck_assert_uint_eq(alarms(ENGINE_AL_BAD_ITEM), 1);
}
END_TEST

START_TEST(larger_log_must_prove_itself)
{
	struct kl_hello_reply h = usual_hello();
	struct kl_log_reply l = { .n_proof = 1 };
	struct kl_directory_reply d = { .newest = 0 };
	uint8_t proof[32] = { 7 };
	const struct kl_request_msg *m;

	(void)greet();
	h.note = checkpoint("broker/log/one", 9, 3);
	greet_again(&h);
	turn();
	ANSWER(asked(KL_DIRECTORY), KL_M_DIRECTORY_REPLY, &d);
	turn();
	(void)asked(KL_FETCH);
	turn();
	m = asked(KL_LOG);
	l.note = h.note;
	l.proof[0] = kl_bytes(proof, sizeof proof);
	ANSWER(m, KL_M_LOG_REPLY, &l);
	ck_assert_uint_eq(alarms(ENGINE_AL_LOG_FORK), 1);
}
END_TEST

START_TEST(new_origin_reports_in_and_publishes_again)
{
	struct kl_hello_reply h = usual_hello();
	struct kl_sync_reply done = { .n_result = 0 };
	struct kl_directory d;
	const struct kl_request_msg *m;

	(void)greet();
	h.note = checkpoint("broker/log/two", 2, 9);
	h.report_in = KL_YES;
	h.prekeys_until_ms = 0;
	greet_again(&h);
	ck_assert_uint_eq(alarms(ENGINE_AL_ORIGIN), 1);
	ck_assert_uint_eq(gp.t.origin, 2);
	turn();
	ANSWER(asked(KL_SYNC), KL_M_SYNC_REPLY, &done);
	turn();
	m = asked(KL_DIRECTORY);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_DIRECTORY, m->body, mem, &d),
	    KL_C_OK);
	ck_assert_uint_eq(d.after, 0);
}
END_TEST

START_TEST(a_broker_that_answers_nothing_is_looked_for_elsewhere)
{
	(void)greet();
	ck_assert(!session_wants_other(session));
	gp.mono_ms += KL_MINUTE_MS;
	turn();
	ck_assert(session_wants_other(session));
}
END_TEST

START_TEST(a_broker_that_was_left_is_sent_nothing)
{
	struct kl_hello_reply h = usual_hello();

	(void)greet();
	h.note = checkpoint("b/log/20261125T100000Z-00000001", 2, 9);
	h.report_in = KL_YES;
	greet_again(&h);
	ck_assert(!session_wants_other(session));
	h.note = checkpoint("b/log/20261124T100000Z-00000001", 9, 3);
	greet_again(&h);
	turn();
	nothing_asked();
	ck_assert_uint_eq(session_state(session).session,
	    ENGINE_NOT_SERVED);
	ck_assert_uint_eq(session_state(session).code, KL_C_LOG_LEFT);
	ck_assert_uint_eq(alarms(ENGINE_AL_LOG_LEFT), 1);
	ck_assert(session_wants_other(session));
	ck_assert(!session_wants_other(session));
	/* At another address it begins at once. */
	session_link(session, KL_LINK_DOWN, gp.mono_ms);
	link_up();
	turn();
	(void)asked(KL_HELLO);
}
END_TEST

START_TEST(silent_broker_is_told_after_a_quarter_of_an_hour)
{
	turn();
	gp.mono_ms += 15 * KL_MINUTE_MS - 1;
	turn();
	ck_assert_uint_eq(alarms(ENGINE_AL_CHECKPOINT), 0);
	gp.mono_ms += 1;
	turn();
	turn();
	ck_assert_uint_eq(alarms(ENGINE_AL_CHECKPOINT), 1);
	(void)greet();
	gp.mono_ms += 15 * KL_MINUTE_MS;
	OK(session_work(session, &gp.t, gp.mono_ms));
	ck_assert_uint_eq(alarms(ENGINE_AL_CHECKPOINT), 2);
}
END_TEST

START_TEST(card_that_ends_is_told_once_a_month_before)
{
	gp.id.card_until_ms = gp.t.now_ms + 30 * KL_DAY_MS + 1;
	turn();
	ck_assert_uint_eq(alarms(ENGINE_AL_CARD), 0);
	gp.t.now_ms++;
	turn();
	turn();
	ck_assert_uint_eq(alarms(ENGINE_AL_CARD), 1);
	/* Nor after a restart; but the next card has its own end. */
	close_session();
	open_session();
	turn();
	ck_assert_uint_eq(alarms(ENGINE_AL_CARD), 1);
	gp.id.card_until_ms++;
	gp.t.now_ms += KL_DAY_MS;
	turn();
	ck_assert_uint_eq(alarms(ENGINE_AL_CARD), 2);
}
END_TEST

/* ---- clock -------------------------------------------------------------- */

START_TEST(clock_off_by_a_minute_is_told_once)
{
	const struct kl_request_msg *m;

	broker_off_ms = -61 * 1000;
	m = greet();
	ck_assert_uint_eq(alarms(ENGINE_AL_CLOCK), 1);
	ck_assert(turn_clock_good(&gp.t));
	broker_off_ms = 11 * KL_MINUTE_MS;
	answer(m, KL_C_OK);
	ck_assert(!turn_clock_good(&gp.t));
	ck_assert_uint_eq(alarms(ENGINE_AL_CLOCK), 2);
	broker_off_ms = 0;
}
END_TEST

/* ---- work --------------------------------------------------------------- */

/* The ACCEPTED record of what this request submits. */
static struct kl_bytes
record_of(const struct kl_request_msg *q)
{
	struct kl_record rec = { .version = 1, .event = KL_EV_ACCEPTED,
		.org_from = gp.id.id, .org_to = desk.id.id,
		.actor_role = KL_PRACTICE, .kind = KL_REFERRAL,
		.new_state = KL_MSG_ACCEPTED, .outcome = 1,
		.reason = KL_C_OK, .count = 1 };
	static uint8_t packed[KL_RECORD_MAX];
	struct kl_submit m;
	struct kl_signed s;
	size_t n;

	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_SUBMIT, q->body, mem, &m),
	    KL_C_OK);
	ck_assert_int_eq(kl_signed_read(m.envelope, mem, &s), KL_C_OK);
	rec.body_hash = kl_hash_of(s.body);
	OK(KL_STATEMENT_PACK(KL_S_RECORD, &rec, packed, sizeof packed, &n));
	return kl_bytes(packed, n);
}

static void
submitted(const struct kl_request_msg *q)
{
	struct kl_submit_reply ok = { .conv_ref = { { 1 } } };
	struct kl_spoken spoken = kl_spoken_make((uint8_t[5]){ 1, 2, 3, 4,
	    5 });
	struct kl_logged l = { .leaf = 8, .record = record_of(q) };

	OK(KL_MESSAGE_PACK_IN(KL_M_LOGGED, &l, mem, &ok.logged));
	memcpy(ok.spoken, spoken.b, 9);
	ANSWER(q, KL_M_SUBMIT_REPLY, &ok);
	adapter_commit(&gp);
}

START_TEST(message_is_submitted_and_its_receipt_taken)
{
	struct case_row c;

	(void)greet();
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	turn();
	submitted(asked(KL_SUBMIT));
	ck_assert_uint_eq(sent[looked - 1].n_ct, KL_CT_MAX);
	c = adapter_case(&gp, &c.conv);
	ck_assert_uint_eq(c.sent.code, KL_ST_SENT);
	ck_assert_uint_eq(c.leaf, 8);
}
END_TEST

static uint32_t
sync_step(const struct kl_request_msg *q, size_t *presented)
{
	struct kl_sync m;

	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_SYNC, q->body, mem, &m),
	    KL_C_OK);
	*presented = m.n_presented;
	return m.step;
}

START_TEST(what_a_full_broker_does_not_take_is_presented_again)
{
	static const uint32_t later[] = { KL_C_STORE_FULL, KL_C_TRY_LATER };
	struct kl_hello_reply h = usual_hello();
	struct kl_sync_reply reply = { .n_result = 1 };
	const struct kl_request_msg *q;
	struct case_row c;
	size_t n;

	(void)greet();
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	turn();
	submitted(asked(KL_SUBMIT));
	h.note = checkpoint("broker/log/two", 2, 9);
	h.report_in = KL_YES;
	greet_again(&h);
	for (size_t i = 0; i < 2; i++) {
		turn();
		q = asked(KL_SYNC);
		ck_assert_uint_eq(sync_step(q, &n), KL_SYNC_PRESENT);
		ck_assert_uint_eq(n, 1);
		reply.result[0] = later[i];
		ANSWER(q, KL_M_SYNC_REPLY, &reply);
		gp.mono_ms += KL_SECOND_MS;
	}
	turn();
	reply.result[0] = KL_C_OK;
	ANSWER(asked(KL_SYNC), KL_M_SYNC_REPLY, &reply);
	turn();
	ck_assert_uint_eq(sync_step(asked(KL_SYNC), &n), KL_SYNC_DONE);
}
END_TEST

START_TEST(lost_answer_sends_the_same_message_in_the_next_session)
{
	struct kl_hello_reply h = usual_hello();
	struct kl_directory_reply d = { .newest = 0 };
	struct case_row c;
	size_t first;

	(void)greet();
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	turn();
	(void)asked(KL_SUBMIT);
	first = looked - 1;
	greet_again(&h);
	turn();
	ANSWER(asked(KL_DIRECTORY), KL_M_DIRECTORY_REPLY, &d);
	turn();
	(void)asked(KL_SUBMIT);
	ck_assert_uint_eq(sent[looked - 1].n_ct, sent[first].n_ct);
	ck_assert_mem_eq(sent[looked - 1].ct, sent[first].ct,
	    sent[first].n_ct);
	(void)asked(KL_FETCH);
}
END_TEST

/* An item in the answer to a FETCH. */
static void
give(const struct kl_request_msg *fetch, const struct kl_item *item,
    const struct kl_bytes *ct)
{
	struct kl_fetch_reply f = { .n_item = 1 };
	struct kl_bytes body;

	OK(KL_MESSAGE_PACK_IN(KL_M_ITEM, item, mem, &f.item[0]));
	OK(KL_MESSAGE_PACK_IN(KL_M_FETCH_REPLY, &f, mem, &body));
	answer_frames(fetch, KL_C_OK, body, ct, ct == NULL ? 0 : 1);
}

static struct kl_item
notice_item(uint32_t kind, const struct kl_secret *sk)
{
	static struct papers_signed s;
	struct kl_notice n = adapter_notice(kind,
	    &(struct kl_conv_id){ { 5 } }, NULL, KL_C_OK);

	if (kind == KL_NOTICE_GAP)
		n.seq_from = n.seq_to = 2;
	OK(kl_id_read("oin:00000009000000000001", &n.signer));
	n.signer_key_id = kl_key_id_of(region.broker.pk.b);
	s = papers_sign(KL_NOTICE, &n, sizeof n, sk);
	return (struct kl_item){ .item = 17, .sort = KL_NOTICE + 1,
		.content = papers_bytes(&s) };
}

START_TEST(handled_statement_is_acknowledged_by_the_next_fetch)
{
	struct kl_item item = notice_item(KL_NOTICE_DEADLINE,
	    region.broker.sk);
	struct kl_fetch f;

	give(greet(), &item, NULL);
	turn();
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_FETCH, asked(KL_FETCH)->body,
	    mem, &f), KL_C_OK);
	ck_assert_uint_eq(f.n_ack, 1);
	ck_assert_uint_eq(f.ack[0], 17);
	ck_assert_uint_eq(alarms(ENGINE_AL_BAD_ITEM), 0);
}
END_TEST

START_TEST(receipt_of_what_is_not_held_any_more_is_acknowledged)
{
	struct kl_receipt r = { .version = KL_PROTOCOL_VERSION,
		.signer = desk.id.id, .signer_key_id = desk.id.key_id,
		.msg_id = { { 9 } }, .body_hash = { { 9 } },
		.outcome = KL_OPENED, .code = KL_C_OK,
		.at_ms = ADAPTER_NOW_MS };
	struct kl_item item = { .item = 18, .sort = KL_RECEIPT + 1 };
	uint8_t buf[RECEIPTS_BYTES_MAX];
	struct kl_fetch f;
	size_t n;

	OK(identity_sign(&desk.id, KL_RECEIPT, &r, sizeof r, buf, sizeof buf,
	    &n));
	item.content = kl_bytes(buf, n);
	give(greet(), &item, NULL);
	turn();
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_FETCH, asked(KL_FETCH)->body,
	    mem, &f), KL_C_OK);
	ck_assert_uint_eq(f.n_ack, 1);
	ck_assert_uint_eq(f.ack[0], 18);
	ck_assert_uint_eq(alarms(ENGINE_AL_BAD_ITEM), 0);
}
END_TEST

START_TEST(notice_of_another_key_is_an_alarm)
{
	struct kl_item item = notice_item(KL_NOTICE_DEADLINE,
	    region.authority.sk);

	give(greet(), &item, NULL);
	ck_assert_uint_eq(alarms(ENGINE_AL_BAD_ITEM), 1);
}
END_TEST

START_TEST(item_of_a_sort_that_nobody_sends_is_an_alarm)
{
	struct kl_item item = notice_item(KL_NOTICE_DEADLINE,
	    region.broker.sk);

	item.sort = KL_CARD + 1;
	give(greet(), &item, NULL);
	ck_assert_uint_eq(alarms(ENGINE_AL_BAD_ITEM), 1);
}
END_TEST

/* ---- withdrawals -------------------------------------------------------- */

static struct case_row withdrawn;

static void
withdraw_one(void)
{
	adapter_refer(&gp, &desk, KL_LEVEL_2, &withdrawn);
	(void)adapter_withdraw(&gp, &withdrawn, KL_SCOPE_ALL,
	    KL_CAUSE_RESIDENT);
}

static uint32_t
withdraw_state(void)
{
	struct withdrawal w;

	OK(withdraw_get(&gp.t, &withdrawn.conv, KL_SCOPE_ALL, &w));
	return w.state;
}

static void
answer_withdraw_ok(const struct kl_request_msg *m)
{
	struct adapter_reply reply;

	adapter_withdraw_reply(&region, &gp, &desk, &reply);
	answer_frames(m, KL_C_OK, kl_bytes(reply.b, reply.n), NULL, 0);
}

START_TEST(withdrawal_leaves_before_what_waits)
{
	struct case_row other;

	(void)greet();
	adapter_refer(&gp, &desk, KL_LEVEL_2, &other);
	withdraw_one();
	turn();
	(void)asked(KL_WITHDRAW);
	(void)asked(KL_SUBMIT);
	nothing_asked();
}
END_TEST

START_TEST(withdrawal_is_sent_until_it_is_answered)
{
	(void)greet();
	withdraw_one();
	turn();
	answer(asked(KL_WITHDRAW), KL_C_TRY_LATER);
	turn();
	nothing_asked();
	ck_assert_uint_eq(withdraw_state(), WITHDRAW_WAITS);
	gp.mono_ms += 1000;
	turn();
	answer_withdraw_ok(asked(KL_WITHDRAW));
	ck_assert_uint_eq(withdraw_state(), WITHDRAW_DONE);
	gp.mono_ms += 20000;
	turn();
	nothing_asked();
}
END_TEST

START_TEST(withdrawal_on_its_way_is_sent_in_a_new_session)
{
	const struct kl_directory_reply none = { .newest = 0 };
	struct kl_hello_reply h = usual_hello();

	(void)greet();
	withdraw_one();
	turn();
	(void)asked(KL_WITHDRAW);
	session_link(session, KL_LINK_DOWN, gp.mono_ms);
	link_up();
	turn();
	ANSWER(asked(KL_HELLO), KL_M_HELLO_REPLY, &h);
	turn();
	ANSWER(asked(KL_DIRECTORY), KL_M_DIRECTORY_REPLY, &none);
	turn();
	(void)asked(KL_WITHDRAW);
}
END_TEST

/* The desk's WITHDRAWAL of gp's case, signed with sk, in a NOTICE. */
static struct kl_item
erase_item(const struct kl_secret *sk)
{
	static struct papers_signed s;
	static uint8_t packed[KL_WITHDRAWAL_MAX];
	struct identity signer = desk.id;
	const struct kl_withdrawal w = { .version = 1,
		.signer = desk.id.id, .signer_key_id = desk.id.key_id,
		.conv_id = withdrawn.conv, .scope = KL_SCOPE_ALL,
		.cause = KL_CAUSE_RESIDENT, .route = KL_MUNICIPALITY,
		.at_ms = ADAPTER_NOW_MS, .valid_until = PEOPLE_TODAY + 100 };
	struct kl_notice n = adapter_notice(KL_NOTICE_ERASE_REQUEST,
	    &withdrawn.conv, NULL, KL_C_OK);
	size_t len;

	signer.sign_sk = (struct kl_secret *)sk;
	OK(identity_sign(&signer, KL_WITHDRAWAL, &w, sizeof w, packed,
	    sizeof packed, &len));
	n.withdrawal = kl_bytes(packed, len);
	OK(kl_id_read("oin:00000009000000000001", &n.signer));
	n.signer_key_id = kl_key_id_of(region.broker.pk.b);
	s = papers_sign(KL_NOTICE, &n, sizeof n, region.broker.sk);
	return (struct kl_item){ .item = 19, .sort = KL_NOTICE + 1,
		.content = papers_bytes(&s) };
}

static size_t
acks_of(const struct kl_request_msg *m)
{
	struct kl_fetch f;

	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_FETCH, m->body, mem, &f),
	    KL_C_OK);
	return f.n_ack;
}

START_TEST(erase_request_is_answered_and_never_acknowledged)
{
	struct kl_request_msg *fetch = greet();
	struct kl_put_receipt p;
	struct kl_item item;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &withdrawn);
	item = erase_item(desk.id.sign_sk);
	give(fetch, &item, NULL);
	turn();
	ck_assert_uint_eq(acks_of(asked(KL_FETCH)), 0);
	turn();
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_PUT_RECEIPT,
	    asked(KL_PUT_RECEIPT)->body, mem, &p), KL_C_OK);
	ck_assert_uint_eq(p.statement, KL_ERASE_RECEIPT);
	answer(&sent[looked - 1].m, KL_C_OK);
	gp.mono_ms += 20000;
	turn();
	nothing_asked();
	ck_assert_uint_eq(adapter_case(&gp, &withdrawn.conv).withdrawn,
	    KL_SCOPE_ALL);
}
END_TEST

START_TEST(erase_request_without_ground_stays_and_is_told)
{
	struct kl_request_msg *fetch = greet();
	struct kl_item item;

	adapter_refer(&gp, &desk, KL_LEVEL_2, &withdrawn);
	item = erase_item(region.broker.sk);
	give(fetch, &item, NULL);
	turn();
	(void)asked(KL_SUBMIT);
	fetch = asked(KL_FETCH);
	ck_assert_uint_eq(acks_of(fetch), 0);
	ck_assert_uint_eq(alarms(ENGINE_AL_ERASE), 1);
	/* It comes again: not in a circle, and not told twice. */
	give(fetch, &item, NULL);
	turn();
	nothing_asked();
	gp.mono_ms += 5000;
	turn();
	ck_assert_uint_eq(acks_of(asked(KL_FETCH)), 0);
	ck_assert_uint_eq(alarms(ENGINE_AL_ERASE), 1);
	ck_assert_uint_eq(adapter_case(&gp, &withdrawn.conv).withdrawn, 0);
}
END_TEST

START_TEST(erase_receipt_of_the_other_side_is_acknowledged)
{
	struct kl_request_msg *fetch = greet();
	struct kl_erase_receipt rc = { .version = 1, .signer = desk.id.id,
		.signer_key_id = desk.id.key_id, .adapter_copy = KL_ERASED,
		.case_system = KL_ERASED, .at_ms = ADAPTER_NOW_MS };
	struct kl_item item = { .item = 20, .sort = KL_ERASE_RECEIPT + 1 };
	struct store_entry at = { .n_key = 0 };
	uint8_t buf[RECEIPTS_BYTES_MAX];
	struct withdraw_told told;
	struct withdrawal w;
	size_t n;

	withdraw_one();
	OK(withdraw_get(&gp.t, &withdrawn.conv, KL_SCOPE_ALL, &w));
	rc.conv_id = withdrawn.conv;
	rc.withdrawal_hash = w.hash;
	OK(identity_sign(&desk.id, KL_ERASE_RECEIPT, &rc, sizeof rc, buf,
	    sizeof buf, &n));
	item.content = kl_bytes(buf, n);
	give(fetch, &item, NULL);
	turn();
	(void)asked(KL_WITHDRAW);
	ck_assert_uint_eq(acks_of(asked(KL_FETCH)), 1);
	OK(withdraw_told_each(&gp.t, &w.hash, &at, &told));
}
END_TEST

/* A feedback of a case that is not known here. */
static void
feedback_mail(struct adapter_mail *m)
{
	struct case_row c;

	memset(&c, 0, sizeof c);
	kl_random(c.conv.b, sizeof c.conv.b);
	c.peer = gp.id.id;
	c.level = KL_LEVEL_2;
	c.valid_until = PEOPLE_TODAY + 10;
	c.staff_role = KL_STAFF_DESK;
	c.referral.b[0] = 1;
	kl_progress_init(&c.sent, KL_ST_DELIVERED, c.level);
	kl_progress_init(&c.full, KL_ST_DELIVERED, 0);
	OK(cases_make(&desk.t, &c));
	adapter_feedback(&desk, &c, KL_ST_TAKEN_UP);
	ck_assert(adapter_send(&desk, &region, m));
}

START_TEST(notice_behind_an_envelope_that_waits_is_not_taken)
{
	const struct kl_directory_reply empty = { .newest = 0 };
	struct kl_item gap = notice_item(KL_NOTICE_GAP, region.broker.sk);
	struct kl_fetch_reply f = { .n_item = 2 };
	struct kl_request_msg *fetch = greet_with(&empty);
	struct adapter_mail m;
	struct kl_bytes body, ct;
	struct kl_fetch next;

	/* Its sender's card has to be fetched first. */
	feedback_mail(&m);
	ct = kl_bytes(m.ct, m.n_ct);
	gap.item = m.item.item + 1;
	gap.conv_ref = m.item.conv_ref;
	OK(KL_MESSAGE_PACK_IN(KL_M_ITEM, &m.item, mem, &f.item[0]));
	OK(KL_MESSAGE_PACK_IN(KL_M_ITEM, &gap, mem, &f.item[1]));
	OK(KL_MESSAGE_PACK_IN(KL_M_FETCH_REPLY, &f, mem, &body));
	answer_frames(fetch, KL_C_OK, body, &ct, 1);
	turn();
	ANSWER(asked(KL_DIRECTORY), KL_M_DIRECTORY_REPLY, &empty);
	gp.mono_ms += KL_MINUTE_MS / 2;
	turn();
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_FETCH, asked(KL_FETCH)->body,
	    mem, &next), KL_C_OK);
	ck_assert_uint_eq(next.n_ack, 0);
}
END_TEST

START_TEST(envelope_is_receipted_before_the_next_fetch)
{
	struct adapter_mail m;
	struct kl_request_msg *fetch = greet();
	struct kl_bytes ct;

	/* Refused, receipted. */
	feedback_mail(&m);
	ct = kl_bytes(m.ct, m.n_ct);
	give(fetch, &m.item, &ct);
	turn();
	answer(asked(KL_PUT_RECEIPT), KL_C_TRY_LATER);
	(void)asked(KL_FETCH);
	gp.mono_ms += 1000;
	turn();
	answer(asked(KL_PUT_RECEIPT), KL_C_OK);
	ck_assert_uint_eq(receipts_waiting(gp.receipts), 0);
}
END_TEST

START_TEST(answer_without_its_ciphertext_is_an_alarm)
{
	struct kl_item item = { .item = 1, .sort = KL_SORT_ENVELOPE,
		.content = kl_bytes_str("x"), .logged = kl_bytes_str("y") };

	give(greet(), &item, NULL);
	ck_assert_uint_eq(alarms(ENGINE_AL_BAD_ITEM), 1);
	turn();
	nothing_asked();
	gp.mono_ms += 5000;
	turn();
	(void)asked(KL_FETCH);
}
END_TEST

START_TEST(refused_fetch_waits)
{
	retry_after_ms = 500;
	answer(greet(), KL_C_DRAINING);
	retry_after_ms = 0;
	turn();
	nothing_asked();
	ck_assert_int_eq(session_wait_ms(session, gp.mono_ms), 1500);
	gp.mono_ms += 1500;
	turn();
	(void)asked(KL_FETCH);
}
END_TEST

START_TEST(profile_is_published_and_again_after_a_loss)
{
	struct kl_hello_reply h = usual_hello();
	struct kl_directory_reply d = { .newest = 0 };

	(void)greet();
	ck_assert_int_eq(session_publish(session, &gp.t, KL_CARD,
	    kl_bytes_str("p")), KL_E_VALUE);
	OK(session_publish(session, &gp.t, KL_PROFILE, kl_bytes_str("p")));
	turn();
	answer(asked(KL_PUBLISH), KL_C_OK);
	turn();
	nothing_asked();
	h.note = checkpoint("broker/log/two", 2, 9);
	greet_again(&h);
	turn();
	ANSWER(asked(KL_DIRECTORY), KL_M_DIRECTORY_REPLY, &d);
	turn();
	answer(asked(KL_PUBLISH), KL_C_OK);
	turn();
	(void)asked(KL_PUBLISH);
}
END_TEST

START_TEST(directory_that_was_too_far_begins_anew)
{
	struct kl_directory_reply far = { .newest = UINT64_MAX };
	struct kl_directory_reply d = { .newest = 9, .last = 9 };
	const struct kl_request_msg *m;
	struct kl_directory q;

	(void)greet();
	gp.t.want_directory = true;
	turn();
	m = asked(KL_DIRECTORY);
	directory_page(&far);
	far.newest = far.last = UINT64_MAX;
	ANSWER(m, KL_M_DIRECTORY_REPLY, &far);
	gp.t.want_directory = true;
	turn();
	/* The broker has no more than nine. */
	ANSWER(asked(KL_DIRECTORY), KL_M_DIRECTORY_REPLY, &d);
	gp.mono_ms += 2000;
	turn();
	m = asked(KL_DIRECTORY);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_DIRECTORY, m->body, mem, &q),
	    KL_C_OK);
	ck_assert_uint_eq(q.after, 0);
}
END_TEST

/* ---- what people ask of the log ----------------------------------------- */

static uint64_t
people_ask(uint32_t request, const char *body)
{
	uint64_t ticket;

	OK(asks_put(asks, request, kl_bytes_str(body), &ticket));
	return ticket;
}

static uint32_t
told(uint64_t ticket)
{
	struct ask_answer out;

	OK(asks_take(asks, ticket, &out));
	return out.code;
}

START_TEST(question_of_people_leaves_at_once_and_comes_back_to_them)
{
	struct ask_answer out;
	const struct kl_request_msg *m;
	uint64_t a;

	(void)greet();
	a = people_ask(KL_QUERY, "a");
	ck_assert_int_eq(session_wait_ms(session, gp.mono_ms), 0);
	turn();
	m = asked(KL_QUERY);
	ck_assert(kl_bytes_equal(m->body, kl_bytes_str("a")));
	gp.t.want_tell = false;
	answer_frames(m, KL_C_OK, kl_bytes_str("rows"), NULL, 0);
	ck_assert(gp.t.want_tell);
	OK(asks_take(asks, a, &out));
	ck_assert_uint_eq(out.code, KL_C_OK);
	ck_assert(kl_bytes_equal(out.body, kl_bytes_str("rows")));
	ck_assert_uint_eq(phase(), ENGINE_READY);
}
END_TEST

START_TEST(refusal_of_the_broker_is_passed_on)
{
	struct ask_answer out;
	uint64_t a;

	(void)greet();
	a = people_ask(KL_QUERY, "a");
	turn();
	retry_after_ms = 250;
	answer(asked(KL_QUERY), KL_C_QUOTA_REQUESTS);
	retry_after_ms = 0;
	OK(asks_take(asks, a, &out));
	ck_assert_uint_eq(out.code, KL_C_QUOTA_REQUESTS);
	ck_assert_uint_eq(out.retry_after_ms, 250);
	ck_assert_uint_eq(phase(), ENGINE_READY);
}
END_TEST

START_TEST(second_question_waits_for_the_answer_to_the_first)
{
	const struct kl_request_msg *first;
	struct case_row c;

	(void)greet();
	(void)people_ask(KL_QUERY, "a");
	(void)people_ask(KL_LOG, "b");
	turn();
	first = asked(KL_QUERY);
	nothing_asked();
	/* What this adapter has to do itself does not stand behind it. */
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	turn();
	(void)asked(KL_SUBMIT);
	answer(first, KL_C_OK);
	turn();
	ck_assert(kl_bytes_equal(asked(KL_LOG)->body, kl_bytes_str("b")));
}
END_TEST

START_TEST(question_is_not_asked_before_the_session_is_ready)
{
	uint64_t a = people_ask(KL_QUERY, "a");

	link_up();
	ck_assert_uint_eq(told(a), KL_C_NO_SESSION);
	turn();
	(void)asked(KL_HELLO);
	nothing_asked();
}
END_TEST

START_TEST(question_ends_with_the_session_it_was_asked_in)
{
	uint64_t a, b;

	(void)greet();
	a = people_ask(KL_QUERY, "a");
	b = people_ask(KL_QUERY, "b");
	turn();
	(void)asked(KL_QUERY);
	session_link(session, KL_LINK_DOWN, gp.mono_ms);
	ck_assert_uint_eq(told(a), KL_C_TRY_LATER);
	ck_assert_uint_eq(told(b), KL_C_NO_SESSION);
}
END_TEST

/* Their question and the session's own are the same request. */
START_TEST(own_question_about_the_log_is_not_mistaken_for_theirs)
{
	struct kl_log_reply l = { .n_proof = 0 };
	struct ask_answer out;
	const struct kl_request_msg *theirs, *own;
	uint64_t a;

	(void)greet();
	(void)people_ask(KL_LOG, "a");
	turn();
	l.note = checkpoint("broker/log/one", 9, 3);
	ANSWER(asked(KL_LOG), KL_M_LOG_REPLY, &l);
	turn();
	own = asked(KL_LOG);
	a = people_ask(KL_LOG, "b");
	turn();
	theirs = asked(KL_LOG);
	answer(own, KL_C_TRY_LATER);
	ck_assert_int_eq(asks_take(asks, a, &out), KL_E_EMPTY);
	answer(theirs, KL_C_OK);
	ck_assert_uint_eq(told(a), KL_C_OK);
}
END_TEST

START_TEST(note_that_people_are_shown_is_held_against_the_kept_one)
{
	struct kl_log_reply l = { .n_proof = 0 };

	(void)greet();
	(void)people_ask(KL_LOG, "a");
	turn();
	l.note = checkpoint("broker/log/one", 4, 2);
	ANSWER(asked(KL_LOG), KL_M_LOG_REPLY, &l);
	ck_assert_uint_eq(alarms(ENGINE_AL_LOG_FORK), 1);
}
END_TEST

START_TEST(further_note_that_people_are_shown_is_to_be_proved)
{
	struct kl_log_reply l = { .n_proof = 0 };
	struct kl_log_request q;

	(void)greet();
	(void)people_ask(KL_LOG, "a");
	turn();
	l.note = checkpoint("broker/log/one", 9, 3);
	ANSWER(asked(KL_LOG), KL_M_LOG_REPLY, &l);
	turn();
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOG, asked(KL_LOG)->body, mem,
	    &q), KL_C_OK);
	ck_assert_uint_eq(q.want, KL_LOG_CONSISTENCY);
	ck_assert_uint_eq(q.size, 4);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("session");
	TCase *t = tcase_create("session");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, greeting_ends_ready);
	tcase_add_test(t, epoch_is_counted_up_before_each_hello);
	tcase_add_test(t, other_place_is_another_instance);
	tcase_add_test(t, instance_conflict_stops_until_take_over);
	tcase_add_test(t, conflict_that_stays_is_one_alarm);
	tcase_add_test(t, broker_that_hangs_does_not_refuse);
	tcase_add_test(t, refused_key_shows_as_not_served);
	tcase_add_test(t, other_realm_is_not_served);
	tcase_add_test(t, busy_broker_is_greeted_again);
	tcase_add_test(t, hello_first_begins_again);
	tcase_add_test(t, replaced_session_waits_a_minute);
	tcase_add_test(t, unanswered_request_begins_again);
	tcase_add_test(t, new_connection_begins_again);
	tcase_add_test(t, link_that_takes_nothing_begins_again);
	tcase_add_test(t, answers_to_nothing_are_passed_over);
	tcase_add_test(t, smaller_log_is_a_durable_alarm_with_both_notes);
	tcase_add_test(t, same_size_with_another_root_is_an_alarm);
	tcase_add_test(t,
	    broker_that_says_it_went_back_leaves_both_notes);
	tcase_add_test(t, same_fork_is_one_alarm);
	tcase_add_test(t, note_of_another_key_is_not_kept);
	tcase_add_test(t, larger_log_must_prove_itself);
	tcase_add_test(t, new_origin_reports_in_and_publishes_again);
	tcase_add_test(t, a_broker_that_was_left_is_sent_nothing);
	tcase_add_test(t,
	    a_broker_that_answers_nothing_is_looked_for_elsewhere);
	tcase_add_test(t, silent_broker_is_told_after_a_quarter_of_an_hour);
	tcase_add_test(t, card_that_ends_is_told_once_a_month_before);
	tcase_add_test(t, clock_off_by_a_minute_is_told_once);
	tcase_add_test(t, message_is_submitted_and_its_receipt_taken);
	tcase_add_test(t,
	    what_a_full_broker_does_not_take_is_presented_again);
	tcase_add_test(t,
	    lost_answer_sends_the_same_message_in_the_next_session);
	tcase_add_test(t, handled_statement_is_acknowledged_by_the_next_fetch);
	tcase_add_test(t,
	    receipt_of_what_is_not_held_any_more_is_acknowledged);
	tcase_add_test(t, notice_of_another_key_is_an_alarm);
	tcase_add_test(t, item_of_a_sort_that_nobody_sends_is_an_alarm);
	tcase_add_test(t, withdrawal_leaves_before_what_waits);
	tcase_add_test(t, withdrawal_is_sent_until_it_is_answered);
	tcase_add_test(t, withdrawal_on_its_way_is_sent_in_a_new_session);
	tcase_add_test(t, erase_request_is_answered_and_never_acknowledged);
	tcase_add_test(t, erase_request_without_ground_stays_and_is_told);
	tcase_add_test(t, erase_receipt_of_the_other_side_is_acknowledged);
	tcase_add_test(t,
	    notice_behind_an_envelope_that_waits_is_not_taken);
	tcase_add_test(t, envelope_is_receipted_before_the_next_fetch);
	tcase_add_test(t, answer_without_its_ciphertext_is_an_alarm);
	tcase_add_test(t, refused_fetch_waits);
	tcase_add_test(t, profile_is_published_and_again_after_a_loss);
	tcase_add_test(t, directory_that_was_too_far_begins_anew);
	tcase_add_test(t,
	    question_of_people_leaves_at_once_and_comes_back_to_them);
	tcase_add_test(t, refusal_of_the_broker_is_passed_on);
	tcase_add_test(t, second_question_waits_for_the_answer_to_the_first);
	tcase_add_test(t, question_is_not_asked_before_the_session_is_ready);
	tcase_add_test(t, question_ends_with_the_session_it_was_asked_in);
	tcase_add_test(t,
	    own_question_about_the_log_is_not_mistaken_for_theirs);
	tcase_add_test(t,
	    note_that_people_are_shown_is_held_against_the_kept_one);
	tcase_add_test(t, further_note_that_people_are_shown_is_to_be_proved);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
