/* SYNC: reporting in after a loss of the store, and take-over. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/textfile.h>

#include "broker/core/core_main.h"
#include "tests/support/shell.h"

/* A participant with what its adapter remembers of its session. */
struct who {
	struct party p;
	struct kl_hello h;
};

static struct shell box;
static struct who practice, other, desk, partner;
static struct letter referral, feedback;
static struct letter_bytes receipt;	/* of the referral, by the desk */

static struct who
who_of(const struct party *p)
{
	struct who w = { .p = *p, .h = { .take_over = KL_NO,
	    .schema_min = 1, .schema_max = 1 } };

	kl_random(w.h.instance.b, sizeof w.h.instance.b);
	return w;
}

static uint32_t
ask(const struct who *w, uint32_t request, uint32_t type, const void *body,
    size_t size, struct shell_answer *a)
{
	shell_send(&box, &w->p, request, type, body, size, KL_BYTES_NONE);
	shell_answer(&box, a);
	return a->m.code;
}
#define ASK(w, request, type, body, a)					\
	ask(w, request, type, body, sizeof *(body), a)

static struct kl_hello_reply
hello(struct who *w)
{
	struct kl_hello_reply r;
	struct shell_answer a;

	w->h.epoch++;
	ck_assert_uint_eq(ASK(w, KL_HELLO, KL_M_HELLO, &w->h, &a), KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_HELLO_REPLY, a.m.body, box.mem,
	    &r), KL_C_OK);
	return r;
}

static void
all_hello(void)
{
	struct who *const all[] = { &practice, &other, &desk, &partner };

	for (size_t i = 0; i < 4; i++)
		(void)hello(all[i]);
}

static uint32_t
publish(const struct who *w)
{
	const struct kl_prekey k = party_prekey(&w->p, 0);
	struct kl_entry e = { .statement = KL_PREKEY };
	struct kl_publish m = { .n_entry = 1 };
	uint8_t entry[KL_STATEMENT_MAX];
	struct letter_bytes packed;
	struct shell_answer a;
	size_t n;

	LETTERS_SIGN(KL_PREKEY, &k, w->p.sk, &packed);
	e.content = kl_bytes(packed.b, packed.n);
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_ENTRY, &e, entry, sizeof entry,
	    &n), KL_OK);
	m.entry[0] = kl_bytes(entry, n);
	return ASK(w, KL_PUBLISH, KL_M_PUBLISH, &m, &a);
}

static void
all_publish(void)
{
	const struct who *const all[] = { &practice, &other, &desk,
		&partner };

	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(publish(all[i]), KL_C_OK);
}

/* A card that outlives the store. */
static void
card_write(const struct party *p, const char *name)
{
	const struct tmpdir_path path = shell_file(&box, name);
	const struct kl_card c = party_card(p);
	struct letter_bytes b;

	LETTERS_SIGN(KL_CARD, &c, box.authority, &b);
	ck_assert_int_eq(kl_textfile_write(AT_FDCWD, path.b, KL_TAG_CARD,
	    NULL, kl_bytes(b.b, b.n)), KL_OK);
}

static void
restart(int64_t later_ms)
{
	shell_restart(&box, shell_now_ms(&box) + later_ms);
}

static void
setup(void)
{
	struct party p = party_make(KL_PRACTICE, "agb:07654321");

	shell_open(&box);
	practice = who_of(&box.practice);
	other = who_of(&p);
	desk = who_of(&box.desk);
	partner = who_of(&box.partner);
	card_write(&other.p, "config/cards/4.card");
	card_write(&partner.p, "config/cards/5.card");
	restart(0);
	all_hello();
	all_publish();
	letter_referral(&referral, &practice.p, &desk.p);
	letter_receipt(&referral, &desk.p, KL_OPENED, KL_C_OK, &receipt);
	letter_feedback(&feedback, &referral, &desk.p, &practice.p,
	    KL_MS_TAKEN_UP);
}

static void
teardown(void)
{
	shell_close(&box);
	party_clear(&other.p);
}

/* ---- short words ---- */

static uint32_t
submit(const struct who *w, const struct letter *l)
{
	return shell_submit(&box, &w->p, l);
}

static uint32_t
hand_in(const struct who *w, const struct letter_bytes *r)
{
	const struct kl_put_receipt m = { .statement = KL_RECEIPT,
		.receipt = kl_bytes(r->b, r->n) };
	struct shell_answer a;

	return ASK(w, KL_PUT_RECEIPT, KL_M_PUT_RECEIPT, &m, &a);
}

/* What one FETCH brings; its statements are acknowledged at once. */
struct mail {
	uint32_t code;
	size_t n_envelopes, n_receipts, n_notices;
	struct kl_msg_id msg[KL_ITEMS_MAX];
	struct kl_notice notice[KL_ITEMS_MAX];	/* its views are void */
};

static void
item_read(const struct kl_item *i, struct mail *out)
{
	struct kl_envelope e;
	struct kl_signed v;

	if (i->sort == KL_RECEIPT + 1) {
		out->n_receipts++;
	} else if (i->sort == KL_NOTICE + 1) {
		out->notice[out->n_notices++] = shell_notice(&box, i);
	} else {
		ck_assert_int_eq(kl_signed_read(i->content, box.mem, &v),
		    KL_C_OK);
		ck_assert_int_eq(kl_envelope_read(v.body, box.mem, &e),
		    KL_C_OK);
		out->msg[out->n_envelopes++] = e.header.msg_id;
	}
}

static struct mail
fetch(const struct who *w)
{
	const struct shell_items got = shell_fetch(&box, &w->p, 0);
	struct mail out = { .code = got.code };
	struct kl_item_ack m = { .n_item = 0 };
	struct shell_answer a;

	for (size_t i = 0; i < got.n; i++) {
		item_read(&got.item[i], &out);
		if (got.item[i].sort != KL_SORT_ENVELOPE)
			m.item[m.n_item++] = got.item[i].item;
	}
	if (m.n_item > 0)
		ck_assert_uint_eq(ASK(w, KL_ITEM_ACK, KL_M_ITEM_ACK, &m, &a),
		    KL_C_OK);
	return out;
}

/* One entry in SYNC PRESENT: its result. */
static uint32_t
show(const struct who *w, uint32_t statement, const struct letter_bytes *b)
{
	const struct kl_entry e = { .statement = statement,
		.content = kl_bytes(b->b, b->n) };
	struct kl_sync m = { .step = KL_SYNC_PRESENT, .n_presented = 1 };
	uint8_t entry[KL_FRAME_MAX];
	struct kl_sync_reply r;
	struct shell_answer a;
	size_t n;

	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_ENTRY, &e, entry, sizeof entry,
	    &n), KL_OK);
	m.presented[0] = kl_bytes(entry, n);
	ck_assert_uint_eq(ASK(w, KL_SYNC, KL_M_SYNC, &m, &a), KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_SYNC_REPLY, a.m.body, box.mem,
	    &r), KL_C_OK);
	ck_assert_uint_eq(r.n_result, 1);
	return r.result[0];
}

static uint32_t
show_body(const struct who *w, const struct letter *l)
{
	return show(w, KL_ENTRY_REFERRAL, &l->envelope);
}

static uint32_t
show_receipt(const struct who *w, const struct letter_bytes *r)
{
	return show(w, KL_RECEIPT, r);
}

static uint32_t
done(const struct who *w)
{
	const struct kl_sync m = { .step = KL_SYNC_DONE };
	struct shell_answer a;

	return ASK(w, KL_SYNC, KL_M_SYNC, &m, &a);
}

/* How many leaves of this event the log has. */
static size_t
leaves(uint32_t event)
{
	struct core *c = box.core;
	struct kl_kv_txn *txn;
	struct kl_logged l;
	struct kl_record r;
	struct kl_bytes packed;
	size_t n = 0;

	ck_assert_int_eq(kl_kv_begin_read(c->kv, &txn), KL_OK);
	for (uint64_t i = 0; i < c->journal.committed.size; i++) {
		kl_arena_reset(box.mem);
		ck_assert_int_eq(journal_logged(&c->journal, txn, i, box.mem,
		    &packed), KL_OK);
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, packed,
		    box.mem, &l), KL_C_OK);
		ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, l.record,
		    box.mem, &r), KL_C_OK);
		n += r.event == event;
	}
	kl_kv_abort(&txn);
	return n;
}

/* Sent, fetched by its receiver, receipted, and the receipt fetched. */
static void
deliver(const struct letter *l, const struct who *from, const struct who *to,
    struct letter_bytes *r)
{
	struct mail m;

	ck_assert_uint_eq(submit(from, l), KL_C_OK);
	m = fetch(to);
	ck_assert_uint_eq(m.n_envelopes, 1);
	letter_receipt(l, &to->p, KL_OPENED, KL_C_OK, r);
	ck_assert_uint_eq(hand_in(to, r), KL_C_OK);
	m = fetch(from);
	ck_assert_uint_eq(m.n_receipts, 1);
}

static void
lose_store(void)
{
	const int64_t now_ms = shell_now_ms(&box);

	shell_stop(&box);
	ck_assert_int_eq(unlink(shell_file(&box, "state/data.mdb").b), 0);
	ck_assert_int_eq(kl_fs_replace(shell_file(&box,
	    "config/new-store").b, kl_bytes_str("lost\n")), KL_OK);
	ck_assert_int_eq(shell_start(&box, now_ms), CORE_EXIT_STOPPED);
	ck_assert_uint_gt(shell_edge(&box), 0);
	all_hello();
}

/* All conversations of w, over all pages; the last one's in *last. */
static size_t
list(const struct who *w, struct kl_sync_conversation *last)
{
	struct kl_sync m = { .step = KL_SYNC_LIST };
	struct shell_answer a;
	struct kl_sync_reply r;
	size_t n = 0;

	for (int i = 0; i < 1000; i++) {
		if (ASK(w, KL_SYNC, KL_M_SYNC, &m, &a) == KL_C_TRY_LATER)
			continue;
		ck_assert_uint_eq(a.m.code, KL_C_OK);
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_SYNC_REPLY, a.m.body,
		    box.mem, &r), KL_C_OK);
		if (r.n_conversation == 0)
			return n;
		n += r.n_conversation;
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_SYNC_CONVERSATION,
		    r.conversation[r.n_conversation - 1], box.mem, last),
		    KL_C_OK);
		m.after = last->conv_id;
	}
	ck_abort_msg("the list never ends");
	return 0;
}

/* ---- LIST ---- */

START_TEST(list_tells_a_conversation_to_its_parties_only)
{
	struct kl_sync_conversation c;

	deliver(&referral, &practice, &desk, &receipt);
	ck_assert_uint_eq(submit(&desk, &feedback), KL_C_OK);
	ck_assert_uint_eq(list(&other, &c), 0);
	ck_assert_uint_eq(list(&partner, &c), 0);
	ck_assert_uint_eq(list(&desk, &c), 1);
	ck_assert_uint_eq(list(&practice, &c), 1);
	ck_assert_mem_eq(c.conv_id.b, referral.e.header.conv_id.b, 16);
	ck_assert_mem_eq(c.referral.b, referral.body_hash.b, 32);
	ck_assert(kl_id_equal(&c.practice, &practice.p.id));
	ck_assert(kl_id_equal(&c.receiver, &desk.p.id));
	ck_assert_uint_eq(c.state, KL_CONV_OPEN);
	ck_assert_uint_eq(c.milestone, KL_MS_TAKEN_UP);
	ck_assert_uint_eq(c.last_seq_sender, 1);
	ck_assert_uint_eq(c.last_seq_receiver, 1);
}
END_TEST

START_TEST(list_goes_on_page_by_page_and_past_those_of_others)
{
	struct kl_sync_conversation c;
	struct letter l;

	for (int i = 0; i < 100; i++) {
		letter_referral(&l, &practice.p, &desk.p);
		ck_assert_uint_eq(submit(&practice, &l), KL_C_OK);
		letter_referral(&l, &other.p, &desk.p);
		ck_assert_uint_eq(submit(&other, &l), KL_C_OK);
	}
	ck_assert_uint_eq(list(&practice, &c), 100);
	ck_assert_uint_eq(list(&other, &c), 100);
	ck_assert_uint_eq(list(&desk, &c), 200);
	ck_assert_uint_eq(list(&partner, &c), 0);
	/* From its start again, although it was asked elsewhere before. */
	ck_assert_uint_eq(list(&practice, &c), 100);
}
END_TEST

/* ---- after a loss: reporting in ---- */

START_TEST(everybody_is_asked_to_report_in_once)
{
	struct kl_hello_reply r;

	r = hello(&practice);
	ck_assert_uint_eq(r.report_in, KL_NO);
	lose_store();
	r = hello(&practice);
	ck_assert_uint_eq(r.report_in, KL_YES);
	ck_assert_uint_eq(r.take_over, KL_NO);
	ck_assert_uint_eq(fetch(&practice).code, KL_C_NOT_REPORTED_IN);
	ck_assert_uint_eq(submit(&practice, &referral),
	    KL_C_NOT_REPORTED_IN);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(fetch(&practice).code, KL_C_OK);
	r = hello(&practice);
	ck_assert_uint_eq(r.report_in, KL_NO);
	ck_assert_uint_eq(leaves(KL_EV_REPORTED_IN), 1);
	ck_assert_uint_eq(fetch(&desk).code, KL_C_NOT_REPORTED_IN);
}
END_TEST

START_TEST(who_reported_in_is_remembered_over_a_restart)
{
	lose_store();
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	restart(0);
	ck_assert_uint_eq(hello(&practice).report_in, KL_NO);
	ck_assert_uint_eq(hello(&desk).report_in, KL_YES);
}
END_TEST

/* What the two parties show of one delivered referral, in every order. */
enum act { P_BODY, P_RECEIPT, P_DONE, D_BODY, D_RECEIPT, D_DONE, ACTS };

static void
act(enum act a)
{
	uint32_t code;

	switch (a) {
	case P_BODY: code = show_body(&practice, &referral); break;
	case P_RECEIPT: code = show_receipt(&practice, &receipt); break;
	case P_DONE: code = done(&practice); break;
	case D_BODY: code = show_body(&desk, &referral); break;
	case D_RECEIPT: code = show_receipt(&desk, &receipt); break;
	default: code = done(&desk); break;
	}
	ck_assert_uint_eq(code, KL_C_OK);
}

/* Done comes last for each side. */
static bool
order_may(const int *order)
{
	int at[ACTS];

	for (int i = 0; i < ACTS; i++)
		at[order[i]] = i;
	return at[P_DONE] > at[P_BODY] && at[P_DONE] > at[P_RECEIPT] &&
	    at[D_DONE] > at[D_BODY] && at[D_DONE] > at[D_RECEIPT];
}

static void
order_try(const int *order)
{
	struct kl_sync_conversation c;
	bool practice_done = false, desk_done = false;

	lose_store();
	ck_assert_uint_eq(publish(&practice), KL_C_OK);
	for (int i = 0; i < ACTS; i++) {
		act((enum act)order[i]);
		practice_done = practice_done || order[i] == P_DONE;
		desk_done = desk_done || order[i] == D_DONE;
		if (desk_done && !practice_done)
			ck_assert_uint_eq(submit(&desk, &feedback),
			    KL_C_NOT_REPORTED_IN);
	}
	ck_assert_uint_eq(list(&practice, &c), 1);
	ck_assert_uint_eq(c.state, KL_CONV_OPEN);
	ck_assert_uint_eq(submit(&desk, &feedback), KL_C_OK);
	ck_assert_uint_eq(fetch(&practice).n_envelopes, 1);
	ck_assert_uint_eq(fetch(&desk).n_envelopes, 0);
	ck_assert_uint_eq(registry_by_id(&box.core->registry,
	    &practice.p.id)->open_conversations, 1);
}

/* _i picks what comes first, to share the work among the cases. */
START_TEST(parties_report_in_in_every_order)
{
	int order[ACTS], tried = 0;

	deliver(&referral, &practice, &desk, &receipt);
	for (int n = 0; n < 46656; n++) {	/* 6 to the 6th */
		bool used[ACTS] = { false }, fits = true;

		for (int i = 0, rest = n; i < ACTS; i++, rest /= ACTS) {
			order[i] = rest % ACTS;
			fits = fits && !used[order[i]];
			used[order[i]] = true;
		}
		if (!fits || !order_may(order) || order[0] != _i)
			continue;
		order_try(order);
		tried++;
	}
	ck_assert_int_eq(tried, _i == P_DONE || _i == D_DONE ? 0 : 20);
}
END_TEST

START_TEST(practice_that_never_reports_in_keeps_its_conversations_still)
{
	struct letter l, f;
	struct letter_bytes r;

	deliver(&referral, &practice, &desk, &receipt);
	letter_referral(&l, &other.p, &desk.p);
	deliver(&l, &other, &desk, &r);
	lose_store();
	ck_assert_uint_eq(show_body(&desk, &referral), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	ck_assert_uint_eq(show_body(&desk, &l), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&desk, &r), KL_C_OK);
	ck_assert_uint_eq(done(&desk), KL_C_OK);
	ck_assert_uint_eq(done(&other), KL_C_OK);
	ck_assert_uint_eq(publish(&other), KL_C_OK);
	ck_assert_uint_eq(publish(&practice), KL_C_OK);
	letter_feedback(&f, &l, &desk.p, &other.p, KL_MS_TAKEN_UP);
	ck_assert_uint_eq(submit(&desk, &f), KL_C_OK);
	ck_assert_uint_eq(fetch(&other).n_envelopes, 1);
	ck_assert_uint_eq(submit(&desk, &feedback), KL_C_NOT_REPORTED_IN);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(submit(&desk, &feedback), KL_C_OK);
}
END_TEST

START_TEST(conversation_that_nobody_showed_waits_for_its_practice)
{
	deliver(&referral, &practice, &desk, &receipt);
	lose_store();
	ck_assert_uint_eq(done(&desk), KL_C_OK);
	ck_assert_uint_eq(publish(&practice), KL_C_OK);
	ck_assert_uint_eq(submit(&desk, &feedback), KL_C_NOT_REPORTED_IN);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(submit(&desk, &feedback),
	    KL_C_CONVERSATION_ENDED);
}
END_TEST

/* ---- after a loss: outboxes ---- */

START_TEST(referral_without_receipt_comes_again_from_the_outbox)
{
	struct mail m;

	ck_assert_uint_eq(submit(&practice, &referral), KL_C_OK);
	lose_store();
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(done(&desk), KL_C_OK);
	all_publish();
	ck_assert_uint_eq(fetch(&desk).n_envelopes, 0);
	ck_assert_uint_eq(submit(&desk, &feedback), KL_C_BEFORE_RECEIPT);
	ck_assert_uint_eq(submit(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(submit(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(leaves(KL_EV_ACCEPTED), 1);
	m = fetch(&desk);
	ck_assert_uint_eq(m.n_envelopes, 1);
	ck_assert_mem_eq(m.msg[0].b, referral.e.header.msg_id.b, 16);
	ck_assert_uint_eq(hand_in(&desk, &receipt), KL_C_OK);
	ck_assert_uint_eq(submit(&desk, &feedback), KL_C_OK);
}
END_TEST

START_TEST(referral_after_its_receipt_is_delivered_at_once)
{
	struct mail m;

	ck_assert_uint_eq(submit(&practice, &referral), KL_C_OK);
	lose_store();
	/* The desk has it, and the practice does not know. */
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	ck_assert_uint_eq(done(&desk), KL_C_OK);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	all_publish();
	ck_assert_uint_eq(submit(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(leaves(KL_EV_DELIVERED), 1);
	ck_assert_uint_eq(leaves(KL_EV_RELEASED), 0);
	ck_assert_uint_eq(fetch(&desk).n_envelopes, 0);
	m = fetch(&practice);
	ck_assert_uint_eq(m.n_receipts, 1);
	ck_assert_uint_eq(submit(&desk, &feedback), KL_C_OK);
}
END_TEST

START_TEST(feedback_after_its_receipt_is_delivered_at_once)
{
	struct letter_bytes of_feedback;

	deliver(&referral, &practice, &desk, &receipt);
	ck_assert_uint_eq(submit(&desk, &feedback), KL_C_OK);
	ck_assert_uint_eq(fetch(&practice).n_envelopes, 1);
	letter_receipt(&feedback, &practice.p, KL_OPENED, KL_C_OK,
	    &of_feedback);
	lose_store();
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&practice, &receipt), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&practice, &of_feedback), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&practice, &of_feedback), KL_C_OK);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(done(&desk), KL_C_OK);
	all_publish();
	ck_assert_uint_eq(submit(&desk, &feedback), KL_C_OK);
	ck_assert_uint_eq(fetch(&practice).n_envelopes, 0);
	ck_assert_uint_eq(fetch(&desk).n_receipts, 1);
}
END_TEST

START_TEST(receipt_finds_a_message_that_came_first)
{
	lose_store();
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(publish(&desk), KL_C_OK);
	ck_assert_uint_eq(submit(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	ck_assert_uint_eq(done(&desk), KL_C_OK);
	ck_assert_uint_eq(leaves(KL_EV_PRESENTED), 1);
	ck_assert_uint_eq(fetch(&desk).n_envelopes, 0);
	ck_assert_uint_eq(fetch(&practice).n_receipts, 1);
	/* Handed in once more it is what it was. */
	ck_assert_uint_eq(hand_in(&desk, &receipt), KL_C_OK);
}
END_TEST

START_TEST(prekeys_from_before_a_loss_count_for_what_was_sealed_then)
{
	struct letter later = referral;

	lose_store();
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	/* Nobody has published anything yet. */
	ck_assert_uint_eq(submit(&practice, &referral), KL_C_OK);
	later.e.header.created_ms = shell_now_ms(&box) + 1;
	later.e.header.msg_id.b[0] ^= 1;
	later.e.header.conv_id.b[0] ^= 1;
	letter_seal(&later, &practice.p);
	ck_assert_uint_eq(submit(&practice, &later), KL_C_NOT_REPORTED_IN);
	ck_assert_uint_eq(done(&desk), KL_C_OK);
	ck_assert_uint_eq(submit(&practice, &later), KL_C_NOT_REPORTED_IN);
	restart(0);
	(void)hello(&practice);
	(void)hello(&desk);
	ck_assert_uint_eq(submit(&practice, &later), KL_C_NOT_REPORTED_IN);
	ck_assert_uint_eq(publish(&desk), KL_C_OK);
	ck_assert_uint_eq(submit(&practice, &later), KL_C_OK);
	later.e.header.prekey_id.b[0] ^= 1;
	later.e.header.msg_id.b[0] ^= 2;
	later.e.header.conv_id.b[0] ^= 2;
	letter_seal(&later, &practice.p);
	ck_assert_uint_eq(submit(&practice, &later), KL_C_PREKEY);
}
END_TEST

START_TEST(first_seq_after_a_loss_is_the_base)
{
	struct letter correction;

	deliver(&referral, &practice, &desk, &receipt);
	lose_store();
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&practice, &receipt), KL_C_OK);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(done(&desk), KL_C_OK);
	all_publish();
	feedback.e.header.seq = 5;
	letter_seal(&feedback, &desk.p);
	ck_assert_uint_eq(submit(&desk, &feedback), KL_C_OK);
	letter_feedback(&feedback, &referral, &desk.p, &practice.p,
	    KL_MS_IN_PROGRESS);
	feedback.e.header.seq = 7;
	letter_seal(&feedback, &desk.p);
	ck_assert_uint_eq(submit(&desk, &feedback), KL_C_SEQ);
	letter_correction(&correction, &referral, &practice.p, &desk.p);
	correction.e.header.seq = 4;
	letter_seal(&correction, &practice.p);
	ck_assert_uint_eq(submit(&practice, &correction), KL_C_OK);
}
END_TEST

START_TEST(refused_referral_is_over_when_its_receipt_is_shown)
{
	struct kl_sync_conversation c;

	letter_receipt(&referral, &desk.p, KL_REFUSED, KL_C_BSN, &receipt);
	lose_store();
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	ck_assert_uint_eq(list(&desk, &c), 1);
	ck_assert_uint_eq(c.state, KL_CONV_EXPIRED);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	all_publish();
	ck_assert_uint_eq(submit(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(leaves(KL_EV_ACCEPTED), 0);
}
END_TEST

START_TEST(body_whose_referral_never_comes_expires)
{
	struct kl_sync_conversation c;

	lose_store();
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
	restart(15 * KL_DAY_MS);
	(void)hello(&practice);
	ck_assert_uint_eq(list(&practice, &c), 1);
	ck_assert_uint_eq(c.state, KL_CONV_EXPIRED);
	/* A late receipt shows that it had come all the same. */
	(void)hello(&desk);
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	ck_assert_uint_eq(list(&practice, &c), 1);
	ck_assert_uint_eq(c.state, KL_CONV_OPEN);
}
END_TEST

START_TEST(answer_that_is_late_after_a_loss_is_told_once)
{
	lose_store();
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	for (int again = 0; again < 2; again++) {
		restart(11 * KL_DAY_MS);
		ck_assert_uint_eq(leaves(KL_EV_DEADLINE), 1);
	}
}
END_TEST

START_TEST(answer_that_was_late_before_a_loss_is_not_told_again)
{
	referral.e.header.answer_by_ms = referral.e.header.created_ms + 1;
	letter_seal(&referral, &practice.p);
	lose_store();
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
	letter_receipt(&referral, &desk.p, KL_OPENED, KL_C_OK, &receipt);
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	restart(11 * KL_DAY_MS);
	ck_assert_uint_eq(leaves(KL_EV_DEADLINE), 0);
}
END_TEST

START_TEST(onward_referral_waits_for_the_parents_practice)
{
	struct letter child;

	referral.e.consent.n_onward_to = 1;
	referral.e.consent.onward_to[0] = partner.p.id;
	letter_seal(&referral, &practice.p);
	deliver(&referral, &practice, &desk, &receipt);
	letter_referral(&child, &desk.p, &partner.p);
	child.e.consent.under = referral.body_hash;
	letter_seal(&child, &desk.p);
	ck_assert_uint_eq(submit(&desk, &child), KL_C_OK);
	lose_store();
	ck_assert_uint_eq(show_body(&desk, &child), KL_C_OK);
	ck_assert_uint_eq(done(&partner), KL_C_OK);
	ck_assert_uint_eq(show_body(&desk, &referral), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	ck_assert_uint_eq(done(&desk), KL_C_OK);
	all_publish();
	ck_assert_uint_eq(submit(&desk, &child), KL_C_NOT_REPORTED_IN);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(submit(&desk, &child), KL_C_OK);
	ck_assert_uint_eq(fetch(&partner).n_envelopes, 1);
}
END_TEST

START_TEST(delivered_onward_referral_waits_for_the_parents_practice)
{
	struct letter child, back;
	struct letter_bytes of_child;

	referral.e.consent.n_onward_to = 1;
	referral.e.consent.onward_to[0] = partner.p.id;
	letter_seal(&referral, &practice.p);
	deliver(&referral, &practice, &desk, &receipt);
	letter_referral(&child, &desk.p, &partner.p);
	child.e.consent.under = referral.body_hash;
	letter_seal(&child, &desk.p);
	deliver(&child, &desk, &partner, &of_child);
	letter_feedback(&back, &child, &partner.p, &desk.p, KL_MS_TAKEN_UP);
	lose_store();
	ck_assert_uint_eq(show_body(&partner, &child), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&partner, &of_child), KL_C_OK);
	ck_assert_uint_eq(done(&partner), KL_C_OK);
	ck_assert_uint_eq(publish(&desk), KL_C_OK);
	ck_assert_uint_eq(submit(&partner, &back), KL_C_NOT_REPORTED_IN);
	ck_assert_uint_eq(show_body(&desk, &referral), KL_C_OK);
	ck_assert_uint_eq(done(&desk), KL_C_OK);
	ck_assert_uint_eq(submit(&partner, &back), KL_C_NOT_REPORTED_IN);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(submit(&partner, &back), KL_C_OK);
}
END_TEST

/* ---- after a loss: many at once, in random order ---- */

/* How far a referral was when the store was lost. */
enum far { ACCEPTED, RELEASED, RECEIPTED, KNOWN, FARS };

/* One referral, and what its two sides know of it. */
struct loop {
	struct letter l;
	struct letter_bytes receipt;
	struct who *by;
	enum far far;
	int seen;			/* by the desk's application */
	bool accepted, closed;		/* on the new origin; by feedback */
};
#define LOOPS (2 * FARS)
static struct loop loops[LOOPS];

/* What a side still has to do, in its order; others come in between. */
enum stage { SHOWING, OUTBOX, WORKING, FINISHED };
struct side {
	struct who *w;
	enum stage stage;
	size_t at;
};

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

static void
loop_begin(struct loop *l, struct who *by, enum far far)
{
	*l = (struct loop){ .by = by, .far = far };
	letter_referral(&l->l, &by->p, &desk.p);
	letter_receipt(&l->l, &desk.p, KL_OPENED, KL_C_OK, &l->receipt);
	ck_assert_uint_eq(submit(by, &l->l), KL_C_OK);
	if (far == ACCEPTED)
		return;
	ck_assert_uint_gt(fetch(&desk).n_envelopes, 0);
	l->seen = 1;
	if (far == RELEASED)
		return;
	ck_assert_uint_eq(hand_in(&desk, &l->receipt), KL_C_OK);
	if (far == KNOWN)
		ck_assert_uint_eq(fetch(by).n_receipts, 1);
}

/* The desk takes at most four that it has not receipted, so what is known
 * comes first. */
static void
loops_begin(void)
{
	size_t n = 0;

	for (int far = KNOWN; far >= ACCEPTED; far--) {
		loop_begin(&loops[n++], &practice, (enum far)far);
		loop_begin(&loops[n++], &other, (enum far)far);
	}
}

/* What this side has of that referral. */
static bool
has_body(const struct side *s, const struct loop *l)
{
	return s->w == &desk ? l->far != ACCEPTED : l->by == s->w;
}

static bool
has_receipt(const struct side *s, const struct loop *l)
{
	return s->w == &desk ? l->far != ACCEPTED :
	    l->by == s->w && l->far == KNOWN;
}

/* One thing to show; false: all was shown. */
static bool
show_next(struct side *s)
{
	const struct loop *l = &loops[s->at / 2];

	if (s->at == 2 * LOOPS)
		return false;
	if (s->at % 2 == 0 && has_body(s, l))
		ck_assert_uint_eq(show_body(s->w, &l->l), KL_C_OK);
	if (s->at % 2 == 1 && has_receipt(s, l))
		ck_assert_uint_eq(show_receipt(s->w, &l->receipt), KL_C_OK);
	s->at++;
	return true;
}

static struct loop *
loop_of(const struct kl_msg_id *id)
{
	for (size_t i = 0; i < LOOPS; i++)
		if (memcmp(loops[i].l.e.header.msg_id.b, id->b,
		    sizeof id->b) == 0)
			return &loops[i];
	return NULL;
}

/* A desk opens what it has not seen, and receipts all. */
static void
desk_fetch(void)
{
	const struct mail m = fetch(&desk);
	struct loop *l;

	for (size_t i = 0; i < m.n_envelopes; i++) {
		l = loop_of(&m.msg[i]);
		ck_assert_ptr_nonnull(l);
		if (l->far == ACCEPTED)
			l->seen++;
		ck_assert_uint_eq(hand_in(&desk, &l->receipt), KL_C_OK);
	}
}

/* True when each has had its feedback accepted. */
static bool
desk_work(void)
{
	bool all = true;
	struct letter f;
	uint32_t code;

	desk_fetch();
	for (size_t i = 0; i < LOOPS; i++) {
		if (loops[i].closed)
			continue;
		letter_feedback(&f, &loops[i].l, &desk.p, &loops[i].by->p,
		    KL_MS_TAKEN_UP);
		code = loops[i].seen == 0 ? KL_C_BEFORE_RECEIPT :
		    submit(&desk, &f);
		loops[i].closed = code == KL_C_OK;
		all = all && loops[i].closed;
		ck_assert(loops[i].closed || code == KL_C_NOT_REPORTED_IN ||
		    code == KL_C_BEFORE_RECEIPT);
	}
	return all;
}

/* True when all that a practice has no receipt of was accepted again. */
static bool
practice_work(struct side *s)
{
	bool all = true;

	for (size_t i = 0; i < LOOPS; i++) {
		struct loop *l = &loops[i];
		uint32_t code;

		if (l->by != s->w || l->far == KNOWN || l->accepted)
			continue;
		code = submit(s->w, &l->l);
		l->accepted = code == KL_C_OK;
		all = all && l->accepted;
		ck_assert(l->accepted || code == KL_C_NOT_REPORTED_IN);
	}
	return all;
}

static void
side_step(struct side *s)
{
	switch (s->stage) {
	case SHOWING:
		if (show_next(s))
			return;
		ck_assert_uint_eq(done(s->w), KL_C_OK);
		break;
	case OUTBOX:
		ck_assert_uint_eq(publish(s->w), KL_C_OK);
		break;
	case WORKING:
		if (!(s->w == &desk ? desk_work() : practice_work(s)))
			return;
		break;
	default:
		return;
	}
	s->stage++;
}

/* The broker is killed: sessions end, and who had not reported in shows all
 * again. */
static void
kill_broker(struct side *side, size_t n)
{
	restart(0);
	for (size_t i = 0; i < n; i++)
		if (hello(side[i].w).report_in == KL_YES)
			side[i].at = 0;
}

/* Nothing leaves before its practice has reported in. */
static void
check_order_of_leaves(void)
{
	const struct kl_id *const who[] = { &practice.p.id, &other.p.id };
	bool reported[2] = { false };
	struct core *c = box.core;
	struct kl_kv_txn *txn;
	struct kl_record r;
	struct kl_logged l;
	struct kl_bytes b;

	ck_assert_int_eq(kl_kv_begin_read(c->kv, &txn), KL_OK);
	for (uint64_t i = 0; i < c->journal.committed.size; i++) {
		kl_arena_reset(box.mem);
		ck_assert_int_eq(journal_logged(&c->journal, txn, i, box.mem,
		    &b), KL_OK);
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_LOGGED, b, box.mem,
		    &l), KL_C_OK);
		ck_assert_int_eq(KL_STATEMENT_READ(KL_S_RECORD, l.record,
		    box.mem, &r), KL_C_OK);
		for (size_t j = 0; j < 2; j++) {
			if (!kl_id_equal(&r.org_from, who[j]))
				continue;
			reported[j] = reported[j] ||
			    r.event == KL_EV_REPORTED_IN;
			ck_assert(r.event != KL_EV_RELEASED || reported[j]);
		}
	}
	kl_kv_abort(&txn);
}

START_TEST(random_orders_and_crashes_lose_and_double_nothing)
{
	struct side side[] = { { .w = &practice }, { .w = &other },
		{ .w = &desk } };
	uint32_t seed = (uint32_t)_i;
	int steps = 0;

	loops_begin();
	lose_store();
	while (side[0].stage != FINISHED || side[1].stage != FINISHED ||
	    side[2].stage != FINISHED) {
		const uint32_t dice = next_random(&seed);

		ck_assert_int_lt(++steps, 2000);
		if (dice % 40 == 0)
			kill_broker(side, 3);
		else
			side_step(&side[dice % 3]);
	}
	for (size_t i = 0; i < LOOPS; i++)
		ck_assert_int_eq(loops[i].seen, 1);
	check_order_of_leaves();
}
END_TEST

/* ---- after a loss: what is refused ---- */

START_TEST(body_that_does_not_verify_is_refused)
{
	struct letter l = referral;

	lose_store();
	l.envelope.b[l.envelope.n - 1] ^= 1;
	ck_assert_uint_eq(show_body(&practice, &l), KL_C_SIGNATURE);
	l = referral;
	l.envelope.n--;
	ck_assert_uint_eq(show_body(&practice, &l), KL_C_MALFORMED);
	l = referral;
	l.e.header.sender_key_id.b[0] ^= 1;
	letter_seal(&l, &practice.p);
	ck_assert_uint_eq(show_body(&practice, &l), KL_C_CARD_UNKNOWN);
	letter_correction(&l, &referral, &practice.p, &desk.p);
	ck_assert_uint_eq(show_body(&practice, &l), KL_C_VALUE_UNKNOWN);
	ck_assert_uint_eq(leaves(KL_EV_PRESENTED), 0);
}
END_TEST

START_TEST(body_outside_the_rules_is_refused)
{
	struct letter l;

	lose_store();
	ck_assert_uint_eq(show_body(&other, &referral), KL_C_NOT_A_PARTY);
	letter_referral(&l, &practice.p, &partner.p);
	ck_assert_uint_eq(show_body(&practice, &l), KL_C_ROLE);
	letter_referral(&l, &practice.p, &desk.p);
	l.e.header.created_ms -= 60 * KL_DAY_MS;
	letter_seal(&l, &practice.p);
	ck_assert_uint_eq(show_body(&practice, &l), KL_C_CARD_NOT_YET);
	l.e.header.created_ms += 600 * KL_DAY_MS;
	letter_seal(&l, &practice.p);
	ck_assert_uint_eq(show_body(&practice, &l), KL_C_CARD_EXPIRED);
	l.e.header.created_ms = LETTERS_NOW_MS + KL_HOUR_MS;
	letter_seal(&l, &practice.p);
	ck_assert_uint_eq(show_body(&practice, &l), KL_C_CLOCK_AHEAD);
	letter_referral(&l, &practice.p, &desk.p);
	l.e.consent.valid_until = l.e.consent.given_on - 1;
	letter_seal(&l, &practice.p);
	ck_assert_uint_eq(show_body(&practice, &l), KL_C_CONSENT_DATE);
	letter_referral(&l, &practice.p, &desk.p);
	ck_assert_int_eq(kl_id_read("oin:00000001234567890009",
	    &l.e.header.receiver), KL_OK);
	letter_seal(&l, &practice.p);
	ck_assert_uint_eq(show_body(&practice, &l), KL_C_RECEIVER_UNKNOWN);
}
END_TEST

START_TEST(consent_may_be_old_when_it_is_shown)
{
	lose_store();
	referral.e.consent.given_on -= 100;
	letter_seal(&referral, &practice.p);
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
}
END_TEST

START_TEST(other_body_of_a_conversation_is_a_conflict)
{
	struct letter l = referral;

	lose_store();
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
	l.e.consent.info_text_version++;
	letter_seal(&l, &practice.p);
	ck_assert_uint_eq(show_body(&practice, &l), KL_C_CONFLICT);
	ck_assert_uint_eq(show_body(&desk, &referral), KL_C_OK);
	ck_assert_uint_eq(leaves(KL_EV_PRESENTED), 1);
}
END_TEST

START_TEST(receipt_that_does_not_fit_is_refused)
{
	struct letter_bytes r = receipt;
	struct letter l;

	lose_store();
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
	r.b[r.n - 1] ^= 1;
	ck_assert_uint_eq(show_receipt(&desk, &r), KL_C_SIGNATURE);
	r.n--;
	ck_assert_uint_eq(show_receipt(&desk, &r), KL_C_MALFORMED);
	/* Not its receiver's. */
	letter_receipt(&referral, &partner.p, KL_OPENED, KL_C_OK, &r);
	ck_assert_uint_eq(show_receipt(&desk, &r), KL_C_NOT_A_PARTY);
	ck_assert_uint_eq(show_receipt(&partner, &receipt),
	    KL_C_NOT_A_PARTY);
	/* Of another message under this body. */
	l = referral;
	l.e.header.msg_id.b[0] ^= 1;
	letter_receipt(&l, &desk.p, KL_OPENED, KL_C_OK, &r);
	ck_assert_uint_eq(show_receipt(&desk, &r), KL_C_CONFLICT);
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	/* The first one counts. */
	letter_receipt(&referral, &desk.p, KL_REFUSED, KL_C_BSN, &r);
	ck_assert_uint_eq(show_receipt(&desk, &r), KL_C_CONFLICT);
	l = referral;
	l.body_hash.b[0] ^= 1;
	letter_receipt(&l, &desk.p, KL_OPENED, KL_C_OK, &r);
	ck_assert_uint_eq(show_receipt(&desk, &r), KL_C_CONFLICT);
	ck_assert_uint_eq(show_receipt(&partner, &receipt),
	    KL_C_NOT_A_PARTY);
}
END_TEST

START_TEST(strangers_receipt_does_not_deliver)
{
	struct letter_bytes r;

	lose_store();
	letter_receipt(&referral, &partner.p, KL_OPENED, KL_C_OK, &r);
	ck_assert_uint_eq(show_receipt(&partner, &r), KL_C_OK);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(done(&desk), KL_C_OK);
	all_publish();
	ck_assert_uint_eq(submit(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(fetch(&desk).n_envelopes, 1);
}
END_TEST

START_TEST(other_statements_are_not_shown)
{
	lose_store();
	ck_assert_uint_eq(show(&practice, KL_WITHDRAWAL,
	    &receipt), KL_C_MALFORMED);
	ck_assert_uint_eq(show(&practice, KL_CARD,
	    &receipt), KL_C_VALUE_UNKNOWN);
}
END_TEST

START_TEST(showing_outside_a_loss_changes_nothing)
{
	struct kl_sync_conversation c;

	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	ck_assert_uint_eq(done(&desk), KL_C_OK);
	ck_assert_uint_eq(list(&practice, &c), 0);
	lose_store();
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(list(&practice, &c), 0);
	ck_assert_uint_eq(leaves(KL_EV_PRESENTED), 0);
}
END_TEST

START_TEST(full_store_takes_nothing_new)
{
	lose_store();
	box.core->full = true;
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_STORE_FULL);
	box.core->full = true;
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_STORE_FULL);
}
END_TEST

/* ---- take-over ---- */

static void
take_over(struct who *w)
{
	struct shell_answer a;

	kl_random(w->h.instance.b, sizeof w->h.instance.b);
	ck_assert_uint_eq(ASK(w, KL_HELLO, KL_M_HELLO, &w->h, &a),
	    KL_C_INSTANCE_CONFLICT);
	w->h.take_over = KL_YES;
	ck_assert_uint_eq(hello(w).take_over, KL_YES);
	w->h.take_over = KL_NO;
}

static uint32_t
finish(const struct who *w)
{
	uint32_t code;

	while ((code = done(w)) == KL_C_TRY_LATER)
		;
	return code;
}

START_TEST(what_a_receiver_lost_is_sealed_again)
{
	struct letter kept, again;
	struct letter_bytes of_kept;
	struct mail m;

	deliver(&referral, &practice, &desk, &receipt);
	letter_referral(&kept, &practice.p, &desk.p);
	deliver(&kept, &practice, &desk, &of_kept);
	take_over(&desk);
	ck_assert_uint_eq(fetch(&desk).code, KL_C_NOT_REPORTED_IN);
	ck_assert_uint_eq(show_receipt(&desk, &of_kept), KL_C_OK);
	ck_assert_uint_eq(finish(&desk), KL_C_OK);
	ck_assert_uint_eq(leaves(KL_EV_LOST), 1);
	ck_assert_uint_eq(fetch(&desk).code, KL_C_OK);
	m = fetch(&practice);
	ck_assert_uint_eq(m.n_notices, 1);
	ck_assert_uint_eq(m.notice[0].notice, KL_NOTICE_LOST_AT_RECEIVER);
	ck_assert_mem_eq(m.notice[0].msg_id.b, referral.e.header.msg_id.b,
	    16);
	again = referral;
	again.e.header.replaces = referral.e.header.msg_id;
	again.e.header.msg_id.b[0] ^= 1;
	again.e.header.seq = 2;
	letter_seal(&again, &practice.p);
	ck_assert_uint_eq(submit(&practice, &again), KL_C_OK);
	m = fetch(&desk);
	ck_assert_uint_eq(m.n_envelopes, 1);
	ck_assert_mem_eq(m.msg[0].b, again.e.header.msg_id.b, 16);
	ck_assert_uint_eq(hello(&desk).take_over, KL_NO);
}
END_TEST

START_TEST(practice_that_lost_its_feedback_gets_it_again)
{
	struct letter_bytes of_feedback;
	struct mail m;

	deliver(&referral, &practice, &desk, &receipt);
	deliver(&feedback, &desk, &practice, &of_feedback);
	take_over(&practice);
	ck_assert_uint_eq(finish(&practice), KL_C_OK);
	m = fetch(&desk);
	ck_assert_uint_eq(m.n_notices, 1);
	ck_assert_mem_eq(m.notice[0].msg_id.b, feedback.e.header.msg_id.b,
	    16);
	/* What it sent itself is not its to lose. */
	ck_assert_uint_eq(leaves(KL_EV_LOST), 1);
}
END_TEST

START_TEST(ended_conversation_loses_nothing)
{
	struct letter_bytes of_feedback;

	letter_feedback(&feedback, &referral, &desk.p, &practice.p,
	    KL_MS_ENDED);
	deliver(&referral, &practice, &desk, &receipt);
	deliver(&feedback, &desk, &practice, &of_feedback);
	take_over(&desk);
	ck_assert_uint_eq(finish(&desk), KL_C_OK);
	take_over(&practice);
	ck_assert_uint_eq(finish(&practice), KL_C_OK);
	ck_assert_uint_eq(leaves(KL_EV_LOST), 0);
}
END_TEST

START_TEST(receipts_are_shown_anew_after_another_hello)
{
	deliver(&referral, &practice, &desk, &receipt);
	take_over(&desk);
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	ck_assert_uint_eq(hello(&desk).take_over, KL_YES);
	ck_assert_uint_eq(finish(&desk), KL_C_OK);
	ck_assert_uint_eq(leaves(KL_EV_LOST), 1);
}
END_TEST

START_TEST(take_over_outlives_a_restart_of_the_broker)
{
	deliver(&referral, &practice, &desk, &receipt);
	take_over(&desk);
	restart(0);
	ck_assert_uint_eq(hello(&desk).take_over, KL_YES);
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	ck_assert_uint_eq(finish(&desk), KL_C_OK);
	ck_assert_uint_eq(leaves(KL_EV_LOST), 0);
	ck_assert_uint_eq(leaves(KL_EV_TAKE_OVER), 1);
}
END_TEST

START_TEST(much_is_lost_step_by_step)
{
	struct letter_bytes r;
	struct letter l;
	int steps = 0;

	for (int i = 0; i < 70; i++) {
		letter_referral(&l, &practice.p, &desk.p);
		deliver(&l, &practice, &desk, &r);
	}
	take_over(&desk);
	while (done(&desk) == KL_C_TRY_LATER)
		steps++;
	ck_assert_int_ge(steps, 2);
	ck_assert_uint_eq(leaves(KL_EV_LOST), 70);
	ck_assert_uint_eq(fetch(&desk).code, KL_C_OK);
}
END_TEST

START_TEST(receipt_that_was_never_handed_in_delivers)
{
	ck_assert_uint_eq(submit(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(fetch(&desk).n_envelopes, 1);
	take_over(&desk);
	ck_assert_uint_eq(show_receipt(&desk, &receipt), KL_C_OK);
	ck_assert_uint_eq(finish(&desk), KL_C_OK);
	ck_assert_uint_eq(leaves(KL_EV_LOST), 0);
	ck_assert_uint_eq(fetch(&practice).n_receipts, 1);
	ck_assert_uint_eq(fetch(&desk).n_envelopes, 0);
}
END_TEST

START_TEST(receipt_of_what_never_left_is_unknown)
{
	ck_assert_uint_eq(submit(&practice, &referral), KL_C_OK);
	take_over(&desk);
	ck_assert_uint_eq(show_receipt(&desk, &receipt),
	    KL_C_MESSAGE_UNKNOWN);
	letter_receipt(&feedback, &desk.p, KL_OPENED, KL_C_OK, &receipt);
	ck_assert_uint_eq(show_receipt(&desk, &receipt),
	    KL_C_MESSAGE_UNKNOWN);
	ck_assert_uint_eq(show_body(&desk, &referral), KL_C_OK);
	ck_assert_uint_eq(finish(&desk), KL_C_OK);
	ck_assert_uint_eq(fetch(&desk).n_envelopes, 1);
}
END_TEST

START_TEST(loss_and_take_over_at_once)
{
	deliver(&referral, &practice, &desk, &receipt);
	lose_store();
	take_over(&desk);
	ck_assert_uint_eq(show_body(&practice, &referral), KL_C_OK);
	ck_assert_uint_eq(show_receipt(&practice, &receipt), KL_C_OK);
	ck_assert_uint_eq(done(&practice), KL_C_OK);
	ck_assert_uint_eq(finish(&desk), KL_C_OK);
	ck_assert_uint_eq(leaves(KL_EV_LOST), 1);
	ck_assert_uint_eq(leaves(KL_EV_REPORTED_IN), 2);
	ck_assert_uint_eq(fetch(&practice).n_notices, 1);
}
END_TEST

/* ---- the store itself ---- */

static void
copy(const char *from, const char *to)
{
	const struct tmpdir_path a = shell_file(&box, from);
	const struct tmpdir_path b = shell_file(&box, to);
	static char buf[1 << 16];
	FILE *in = fopen(a.b, "r"), *out = fopen(b.b, "w");
	size_t n;

	ck_assert_ptr_nonnull(in);
	ck_assert_ptr_nonnull(out);
	while ((n = fread(buf, 1, sizeof buf, in)) > 0)
		ck_assert_uint_eq(fwrite(buf, 1, n, out), n);
	(void)fclose(in);
	(void)fclose(out);
}

START_TEST(old_store_copied_back_is_refused)
{
	int64_t now_ms;

	restart(0);
	copy("state/data.mdb", "old");
	all_hello();
	ck_assert_uint_eq(submit(&practice, &referral), KL_C_OK);
	/* Its end is signed at the next start. */
	restart(0);
	now_ms = shell_now_ms(&box);
	shell_stop(&box);
	copy("old", "state/data.mdb");
	ck_assert_int_eq(shell_start(&box, now_ms), CORE_EXIT_OPERATOR);
}
END_TEST

START_TEST(new_origin_names_the_one_before)
{
	struct kl_note before;

	restart(0);
	before = box.core->journal.note;
	lose_store();
	ck_assert_str_eq(box.core->journal.previous.b, before.b);
	ck_assert_ptr_null(strstr(before.b, box.core->journal.origin));
}
END_TEST

static TCase *
list_case(void)
{
	TCase *tc = tcase_create("list");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, list_tells_a_conversation_to_its_parties_only);
	tcase_add_test(tc,
	    list_goes_on_page_by_page_and_past_those_of_others);
	return tc;
}

static TCase *
loss_case(void)
{
	TCase *tc = tcase_create("loss");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, everybody_is_asked_to_report_in_once);
	tcase_add_test(tc, who_reported_in_is_remembered_over_a_restart);
	tcase_add_loop_test(tc, parties_report_in_in_every_order, 0, ACTS);
	tcase_add_test(tc,
	    practice_that_never_reports_in_keeps_its_conversations_still);
	tcase_add_test(tc,
	    conversation_that_nobody_showed_waits_for_its_practice);
	tcase_add_test(tc,
	    referral_without_receipt_comes_again_from_the_outbox);
	tcase_add_test(tc, referral_after_its_receipt_is_delivered_at_once);
	tcase_add_test(tc, feedback_after_its_receipt_is_delivered_at_once);
	tcase_add_test(tc, receipt_finds_a_message_that_came_first);
	tcase_add_test(tc,
	    prekeys_from_before_a_loss_count_for_what_was_sealed_then);
	tcase_add_test(tc, first_seq_after_a_loss_is_the_base);
	tcase_add_test(tc,
	    refused_referral_is_over_when_its_receipt_is_shown);
	tcase_add_test(tc, body_whose_referral_never_comes_expires);
	tcase_add_test(tc, answer_that_is_late_after_a_loss_is_told_once);
	tcase_add_test(tc,
	    answer_that_was_late_before_a_loss_is_not_told_again);
	tcase_add_test(tc, onward_referral_waits_for_the_parents_practice);
	tcase_add_test(tc,
	    delivered_onward_referral_waits_for_the_parents_practice);
	return tc;
}

static TCase *
random_case(void)
{
	TCase *tc = tcase_create("random");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc,
	    random_orders_and_crashes_lose_and_double_nothing, 0, 8);
	return tc;
}

static TCase *
refused_case(void)
{
	TCase *tc = tcase_create("refused");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, body_that_does_not_verify_is_refused);
	tcase_add_test(tc, body_outside_the_rules_is_refused);
	tcase_add_test(tc, consent_may_be_old_when_it_is_shown);
	tcase_add_test(tc, other_body_of_a_conversation_is_a_conflict);
	tcase_add_test(tc, receipt_that_does_not_fit_is_refused);
	tcase_add_test(tc, strangers_receipt_does_not_deliver);
	tcase_add_test(tc, other_statements_are_not_shown);
	tcase_add_test(tc, showing_outside_a_loss_changes_nothing);
	tcase_add_test(tc, full_store_takes_nothing_new);
	return tc;
}

static TCase *
take_over_case(void)
{
	TCase *tc = tcase_create("take-over");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_a_receiver_lost_is_sealed_again);
	tcase_add_test(tc, practice_that_lost_its_feedback_gets_it_again);
	tcase_add_test(tc, ended_conversation_loses_nothing);
	tcase_add_test(tc, receipts_are_shown_anew_after_another_hello);
	tcase_add_test(tc, take_over_outlives_a_restart_of_the_broker);
	tcase_add_test(tc, much_is_lost_step_by_step);
	tcase_add_test(tc, receipt_that_was_never_handed_in_delivers);
	tcase_add_test(tc, receipt_of_what_never_left_is_unknown);
	tcase_add_test(tc, loss_and_take_over_at_once);
	tcase_add_test(tc, old_store_copied_back_is_refused);
	tcase_add_test(tc, new_origin_names_the_one_before);
	return tc;
}

int
main(void)
{
	Suite *s = suite_create("sync");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, list_case());
	suite_add_tcase(s, loss_case());
	suite_add_tcase(s, random_case());
	suite_add_tcase(s, refused_case());
	suite_add_tcase(s, take_over_case());
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
