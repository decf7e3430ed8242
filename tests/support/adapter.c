#include "tests/support/adapter.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/slots.h>

#include "adapters/common/alarm.h"
#include "adapters/common/deadlines.h"
#include "adapters/common/outbox_answer.h"
#include "adapters/common/outbox_back.h"
#include "adapters/common/outbox_draft.h"
#include "adapters/common/prekeys.h"
#include "adapters/common/retention.h"
#include "adapters/common/timers.h"
#include "adapters/common/withdraw.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

void
adapter_region_make(struct adapter_region *r)
{
	OK(kl_crypto_init());
	memset(r, 0, sizeof *r);
	r->authority = papers_key();
	r->broker = papers_key();
}

void
adapter_region_clear(struct adapter_region *r)
{
	kl_secret_free(r->authority.sk);
	kl_secret_free(r->broker.sk);
}

static void
make_identity(struct adapter *a, const struct adapter_region *r)
{
	a->id.id = a->config.id;
	a->id.role = a->config.role;
	a->id.realm = KL_TRAINING;
	OK(kl_sign_keypair(&a->id.sign_pk, &a->id.sign_sk));
	a->id.key_id = kl_key_id_of(a->id.sign_pk.b);
	a->id.card_until_ms = ADAPTER_NOW_MS + 365 * KL_DAY_MS;
	a->id.master = kl_secret_random(32);
	a->id.authority = r->authority.pk;
	a->id.broker_sign = r->broker.pk;
	a->id.broker_key_id = kl_key_id_of(r->broker.pk.b);
}

void
adapter_make(struct adapter *a, const struct adapter_region *r,
    uint32_t role, const char *id)
{
	struct store_options o;

	memset(a, 0, sizeof *a);
	a->dir = tmpdir_make();
	a->config.role = role;
	a->config.realm = KL_TRAINING;
	OK(kl_id_read(id, &a->config.id));
	make_identity(a, r);
	o = (struct store_options){ .dir = a->dir.path,
		.mac_key = kl_secret_bytes(a->id.master),
		.map_bytes = 8u << 20, .slots = 128 };
	OK(store_open(&o, &a->store));
	a->mem = kl_arena_new(1u << 20, 16384);
	a->directory = directory_new(&a->id.authority, KL_TRAINING);
	a->outbox = outbox_new();
	a->receipts = receipts_new();
	a->withdrawals = repeats_new();
	a->erasures = erasure_new();
	ck_assert(a->mem != NULL && a->directory != NULL &&
	    a->outbox != NULL && a->receipts != NULL &&
	    a->withdrawals != NULL && a->erasures != NULL);
	a->t = (struct turn){ .config = &a->config, .id = &a->id,
		.dir = a->directory, .store = a->store, .mem = a->mem,
		.now_ms = ADAPTER_NOW_MS, .clock_known = true, .origin = 1,
		.policy = &a->policy };
	kl_policy_defaults(&a->policy);
	OK(prekeys_top_up(a->store, a->t.now_ms));
	adapter_commit(a);
}

void
adapter_clear(struct adapter *a)
{
	receipts_free(a->receipts);
	repeats_free(a->withdrawals);
	erasure_free(a->erasures);
	outbox_free(a->outbox);
	directory_free(a->directory);
	kl_arena_free(a->mem);
	store_close(a->store);
	identity_clear(&a->id);
	tmpdir_remove(&a->dir);
}

void
adapter_commit(struct adapter *a)
{
	OK(store_commit(a->store));
	OK(store_erase(a->store));
	kl_arena_reset(a->mem);
}

void
adapter_restart(struct adapter *a)
{
	store_abort(a->store);
	OK(outbox_load(a->outbox, &a->t));
	OK(receipts_load(a->receipts, &a->t));
	OK(withdraw_load(a->withdrawals, &a->t));
	OK(erasure_load(a->erasures, &a->t));
	store_abort(a->store);
	kl_arena_reset(a->mem);
}

void
adapter_meet_card(struct adapter *a, const struct adapter_region *r,
    const struct adapter *b, int64_t from_ms)
{
	struct kl_id_text id = kl_id_text(&b->id.id);
	struct kl_card card = papers_card(id.b, b->id.role, &b->id.sign_pk);
	struct papers_signed s;

	if (from_ms != 0)
		card.not_before_ms = from_ms;
	s = papers_sign(KL_CARD, &card, sizeof card, r->authority.sk);
	OK(directory_take(a->directory, a->store, a->mem, KL_CARD,
	    papers_bytes(&s)));
	adapter_commit(a);
}

void
adapter_meet_keys(struct adapter *a, struct adapter *b)
{
	struct prekey_row row[PREKEYS_AHEAD];
	uint8_t buf[KL_STATEMENT_MAX];
	size_t n, len;

	OK(prekeys_unpublished(b->store, b->t.now_ms, row, PREKEYS_AHEAD,
	    &n));
	for (size_t i = 0; i < n; i++) {
		OK(prekeys_statement(&b->id, &row[i], buf, sizeof buf,
		    &len));
		OK(directory_take(a->directory, a->store, a->mem, KL_PREKEY,
		    kl_bytes(buf, len)));
	}
	adapter_commit(a);
	store_abort(b->store);
}

void
adapter_meet(struct adapter *a, const struct adapter_region *r,
    struct adapter *b)
{
	adapter_meet_card(a, r, b, 0);
	adapter_meet_card(b, r, a, 0);
	adapter_meet_keys(a, b);
	adapter_meet_keys(b, a);
}

/* ---- what people do ----------------------------------------------------- */

static void
put_content(struct adapter *a, struct case_row *c, enum cases_content which,
    const struct kl_referral *r)
{
	uint8_t salt[KL_SALT_BYTES], packed[KL_PLAIN_REFERRAL];
	size_t n;

	kl_random(salt, sizeof salt);
	OK(kl_content_pack_referral(r, salt, KL_SCHEMA_MAX, packed,
	    sizeof packed, &n));
	OK(cases_content_put(&a->t, c, which, kl_bytes(packed, n)));
}

void
adapter_refer(struct adapter *a, const struct adapter *to, uint32_t level,
    struct case_row *c)
{
	struct kl_referral r = people_usual();

	memset(c, 0, sizeof *c);
	kl_random(c->conv.b, sizeof c->conv.b);
	c->peer = to->id.id;
	c->mine = 1;
	c->level = level;
	c->valid_until = PEOPLE_TODAY + 700;
	c->staff_role = KL_STAFF_GP;
	(void)snprintf(c->referral_id, sizeof c->referral_id, "R-%02x%02x",
	    c->conv.b[0], c->conv.b[1]);
	c->consent = (struct kl_consent){ .referral = 1,
		.feedback_level = level, .form = KL_ORAL,
		.info_text_version = 1, .given_on = PEOPLE_TODAY - 1,
		.valid_until = c->valid_until, .recorded_in_his = 1 };
	kl_progress_init(&c->sent, KL_ST_DRAFT, level);
	OK(cases_make(&a->t, c));
	OK(cases_put_client(&a->t, c));
	put_content(a, c, CASES_REFERRAL, &r);
	OK(outbox_draft_add(a->outbox, &a->t, c, KL_REFERRAL, NULL,
	    KL_MS_NONE));
	OK(cases_note_end(&a->t, c));
	OK(cases_put(&a->t, c));
	adapter_commit(a);
}

void
adapter_correct(struct adapter *a, struct case_row *c,
    const struct kl_referral *r)
{
	*c = adapter_case(a, &c->conv);
	/* Whether it is allowed is for the other side to say as well. */
	(void)kl_progress_correct(&c->sent);
	put_content(a, c, CASES_CORRECTION, r);
	OK(outbox_draft_add(a->outbox, &a->t, c, KL_CORRECTION, NULL,
	    KL_MS_NONE));
	OK(cases_put(&a->t, c));
	adapter_commit(a);
}

void
adapter_feedback(struct adapter *a, struct case_row *c, uint32_t code)
{
	struct kl_feedback f = { .code = code,
		.day = kl_day_of(a->t.now_ms) };

	*c = adapter_case(a, &c->conv);
	if (code == KL_ST_CONTACT_DETAILS_WANTED)
		f.wanted = KL_WANTED_PHONE;
	ck_assert_uint_eq(kl_progress_step(&c->full, &f), KL_C_OK);
	f.level = c->level;
	ck_assert_uint_eq(kl_progress_step(&c->sent, &f), KL_C_OK);
	OK(outbox_draft_add(a->outbox, &a->t, c, KL_FEEDBACK, &f,
	    c->sent.milestone));
	OK(cases_note_end(&a->t, c));
	OK(cases_put(&a->t, c));
	adapter_commit(a);
}

/* ---- time --------------------------------------------------------------- */

void
adapter_time(struct adapter *a, int64_t at_ms)
{
	struct kl_conv_id conv;
	struct timer due;
	int r;

	a->t.now_ms = at_ms;
	while ((r = timers_first(a->store, &due)) == KL_OK &&
	    due.due_ms <= at_ms) {
		OK(timers_done(a->store, &due));
		memcpy(conv.b, due.id, sizeof conv.b);
		if (due.what == TIMER_TERM)
			OK(deadlines_timer(&a->t, &conv));
		else if (due.what == TIMER_COPY)
			OK(retention_timer(a->outbox, &a->t, &conv));
		adapter_commit(a);
	}
	ck_assert(r == KL_OK || r == KL_E_NOT_FOUND);
}

unsigned
adapter_alarms(struct adapter *a, uint32_t kind, unsigned *open)
{
	struct engine_alarm al = { .seq = 0 };
	unsigned n = 0, n_open = 0;

	while (alarm_next(a->store, al.seq, &al) == KL_OK)
		if (al.kind == kind) {
			n++;
			n_open += al.closed_ms == 0 ? 1 : 0;
		}
	if (open != NULL)
		*open = n_open;
	return n;
}

/* ---- the broker's part -------------------------------------------------- */

/* The ACCEPTED leaf of it. */
static size_t
log_it(struct adapter_region *r, const struct adapter *a,
    const struct kl_envelope *e, const struct kl_hash *body,
    const struct kl_ref *ref, uint8_t *out, size_t cap)
{
	struct kl_record rec = { .version = 1, .event = KL_EV_ACCEPTED,
		.conv_ref = *ref, .org_from = e->header.sender,
		.org_to = e->header.receiver, .actor_role = a->id.role,
		.kind = e->header.kind,
		.time_minute = a->t.now_ms / KL_MINUTE_MS,
		.body_hash = *body, .new_state = KL_MSG_ACCEPTED,
		.outcome = 1, .reason = KL_C_OK, .count = 1 };
	struct kl_logged l = { .leaf = r->leaf++ };
	uint8_t packed[KL_RECORD_MAX];
	size_t n;

	memcpy(&rec.msg_ref, &e->header.msg_id, sizeof rec.msg_ref);
	memcpy(&rec.actor_key_id, &a->id.key_id, sizeof rec.actor_key_id);
	OK(KL_STATEMENT_PACK(KL_S_RECORD, &rec, packed, sizeof packed, &n));
	l.record = kl_bytes(packed, n);
	OK(KL_MESSAGE_PACK(KL_M_LOGGED, &l, out, cap, &n));
	return n;
}

static void
answer(struct adapter_region *r, const struct adapter *a,
    const struct out_submit *out, struct adapter_mail *m)
{
	struct kl_submit_reply reply;
	struct kl_envelope e;
	struct kl_signed s;
	struct kl_hash body;
	struct kl_spoken spoken;
	size_t n;

	ck_assert_int_eq(kl_signed_read(out->envelope, a->mem, &s), KL_C_OK);
	ck_assert_int_eq(kl_envelope_read(s.body, a->mem, &e), KL_C_OK);
	body = kl_hash_of(s.body);
	memset(m, 0, sizeof *m);
	memset(&reply, 0, sizeof reply);
	m->id = out->id;
	/* A name that each conversation keeps. */
	spoken = kl_spoken_make(e.header.conv_id.b);
	memcpy(reply.spoken, spoken.b, sizeof reply.spoken);
	memcpy(&reply.conv_ref, &e.header.conv_id, sizeof reply.conv_ref);
	n = log_it(r, a, &e, &body, &reply.conv_ref, m->logged,
	    sizeof m->logged);
	reply.logged = kl_bytes(m->logged, n);
	OK(KL_MESSAGE_PACK(KL_M_SUBMIT_REPLY, &reply, m->reply,
	    sizeof m->reply, &m->n_reply));
	memcpy(m->envelope, out->envelope.p, out->envelope.n);
	memcpy(m->ct, out->ct.p, out->ct.n);
	m->n_ct = out->ct.n;
	m->item = (struct kl_item){ .item = r->leaf,
		.sort = KL_SORT_ENVELOPE,
		.content = kl_bytes(m->envelope, out->envelope.n),
		.logged = reply.logged, .conv_ref = reply.conv_ref };
	memcpy(m->item.spoken, spoken.b, sizeof m->item.spoken);
}

bool
adapter_send(struct adapter *a, struct adapter_region *r,
    struct adapter_mail *m)
{
	struct out_submit out;
	int err;

	OK(outbox_draft_seal(a->outbox, &a->t, a->mono_ms));
	err = outbox_next(a->outbox, &a->t, a->mono_ms, &out);
	if (err == KL_OK)
		answer(r, a, &out, m);
	else
		ck_assert_int_eq(err, KL_E_EMPTY);
	adapter_commit(a);
	return err == KL_OK;
}

void
adapter_accepted(struct adapter *a, const struct adapter_mail *m)
{
	struct out_answer ok = { .code = KL_C_OK,
		.body = kl_bytes(m->reply, m->n_reply) };

	OK(outbox_answer_take(a->outbox, &a->t, &m->id, &ok, a->mono_ms));
	adapter_commit(a);
}

enum inbox_verdict
adapter_receive(struct adapter *b, const struct adapter_mail *m)
{
	enum inbox_verdict v;

	OK(inbox_envelope(&b->t, b->receipts, &m->item,
	    kl_bytes(m->ct, m->n_ct), &v));
	adapter_commit(b);
	return v;
}

bool
adapter_receipt(struct adapter *b, struct adapter_receipt *out)
{
	struct kl_bytes packed;
	struct kl_signed s;
	int err = receipts_next(b->receipts, &b->t, b->mono_ms, &out->id,
	    &packed);

	if (err == KL_E_EMPTY)
		return false;
	OK(err);
	ck_assert_uint_le(packed.n, sizeof out->b);
	memcpy(out->b, packed.p, packed.n);
	out->n = packed.n;
	ck_assert_int_eq(kl_signed_read(packed, b->mem, &s), KL_C_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_RECEIPT, s.body, b->mem,
	    &out->r), KL_C_OK);
	OK(receipts_answer(b->receipts, &b->t, &out->id, KL_C_OK,
	    b->mono_ms));
	adapter_commit(b);
	return true;
}

uint32_t
adapter_carry(struct adapter *a, struct adapter *b, struct adapter_region *r)
{
	struct adapter_mail m;
	struct adapter_receipt rc;

	ck_assert(adapter_send(a, r, &m));
	adapter_accepted(a, &m);
	ck_assert_int_eq(adapter_receive(b, &m), INBOX_TAKEN);
	ck_assert(adapter_receipt(b, &rc));
	OK(outbox_back_receipt(a->outbox, &a->t, kl_bytes(rc.b, rc.n)));
	adapter_commit(a);
	return rc.r.outcome;
}

struct kl_bytes
adapter_withdraw(struct adapter *a, struct case_row *c, uint32_t scope,
    uint32_t cause)
{
	const struct withdraw_want want = { scope, cause };
	struct kl_bytes packed;
	struct withdrawal w;

	*c = adapter_case(a, &c->conv);
	OK(withdraw_make(a->withdrawals, &a->t, a->outbox, c, &want));
	adapter_commit(a);
	OK(withdraw_get(&a->t, &c->conv, scope, &w));
	OK(kl_arena_copy(a->mem, kl_bytes(w.packed, w.n), &packed));
	return packed;
}

void
adapter_withdraw_reply(struct adapter_region *r, const struct adapter *a,
    const struct adapter *other, struct adapter_reply *out)
{
	struct kl_record rec = { .version = 1,
		.event = KL_EV_CONSENT_WITHDRAWN, .org_from = a->id.id,
		.org_to = other->id.id, .actor_role = a->id.role,
		.time_minute = a->t.now_ms / KL_MINUTE_MS, .outcome = 1,
		.reason = KL_C_OK, .count = 1 };
	struct kl_withdraw_reply reply = { .erased = 1,
		.released_before = 2, .unconfirmed = 3 };
	struct kl_logged l = { .leaf = r->leaf++ };
	uint8_t packed[KL_RECORD_MAX], logged[700];
	size_t n;

	kl_random(rec.conv_ref.b, sizeof rec.conv_ref.b);
	memcpy(&rec.actor_key_id, &a->id.key_id, sizeof rec.actor_key_id);
	OK(KL_STATEMENT_PACK(KL_S_RECORD, &rec, packed, sizeof packed, &n));
	l.record = kl_bytes(packed, n);
	OK(KL_MESSAGE_PACK(KL_M_LOGGED, &l, logged, sizeof logged, &n));
	reply.logged = kl_bytes(logged, n);
	OK(KL_MESSAGE_PACK(KL_M_WITHDRAW_REPLY, &reply, out->b,
	    sizeof out->b, &out->n));
}

struct case_row
adapter_case(struct adapter *a, const struct kl_conv_id *conv)
{
	struct case_row c;

	OK(cases_get(&a->t, conv, &c));
	return c;
}

struct kl_notice
adapter_notice(uint32_t notice, const struct kl_conv_id *conv,
    const struct kl_msg_id *msg, uint32_t code)
{
	struct kl_notice n = { .version = 1, .notice = notice,
		.conv_id = *conv, .code = code, .at_ms = ADAPTER_NOW_MS };

	if (msg != NULL)
		n.msg_id = *msg;
	return n;
}
