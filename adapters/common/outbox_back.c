#include "adapters/common/outbox_back.h"

#include <string.h>

#include <kortelijn/crypto/sign.h>

#include "adapters/common/alarm.h"
#include "adapters/common/deadlines.h"
#include "adapters/common/events.h"
#include "adapters/common/outbox_draft.h"
#include "adapters/common/timers.h"

/* What happened to one message of ours. */
struct back {
	struct outbox *o;
	struct turn *t;
	struct out_row row;
	struct case_row c;
	struct engine_step step;
	bool tell;			/* the interfaces */
};

static int
open_back(struct back *b, const struct kl_msg_id *id)
{
	int r = outbox_row(b->t, id, &b->row);

	if (r == KL_OK)
		r = cases_get(b->t, &b->row.conv, &b->c);
	if (r != KL_OK)
		return r;
	memset(&b->step, 0, sizeof b->step);
	b->step.kind = b->row.kind;
	b->step.ours = true;
	b->step.msg_id = b->row.id;
	b->tell = b->row.kind == KL_REFERRAL;
	return KL_OK;
}

static void
trace(struct back *b, const char *event)
{
	kl_trace(b->t->trace, &(struct kl_trace_line){
	    .at_ms = b->t->now_ms, .event = event, .msg = &b->row.id,
	    .conv = &b->row.conv });
}

/* Writes row, step and case: the end of every way through here. */
static int
close_back(struct back *b, uint32_t what, const char *event)
{
	int r;

	b->step.what = what;
	b->t->want_submit = true;
	if ((r = outbox_put_row(b->t, &b->row)) != KL_OK ||
	    (r = cases_step(b->t, &b->c, &b->step)) != KL_OK)
		return r;
	trace(b, event);
	if (b->tell && (r = events_add(b->t, ENGINE_EV_STATE, &b->c.conv,
	    b->step.n)) != KL_OK)
		return r;
	if ((r = cases_note_end(b->t, &b->c)) != KL_OK)
		return r;
	return cases_put(b->t, &b->c);
}

/* ---- receipts -------------------------------------------------------- */

/* Until somebody has it in hand, which a feedback tells, or 14 days. */
static int
keep_plain(struct back *b)
{
	return timers_put(b->t->store, b->t->now_ms + OUTBOX_PLAIN_MS,
	    TIMER_CONTENT, b->c.conv.b);
}

static int
delivered(struct back *b, struct kl_bytes packed)
{
	struct turn *t = b->t;
	int r;

	b->row.state = OUT_DELIVERED;
	cases_settle(&b->c, b->row.kind);
	outbox_drop(b->o, &b->row.id);
	if (b->row.seq > b->c.seq_out)
		b->c.seq_out = b->row.seq;
	if ((r = outbox_erase_sealed(t, &b->row)) != KL_OK)
		return r;
	switch (b->row.kind) {
	case KL_REFERRAL:
		/* The ack of the broker may still be on its way. */
		(void)kl_progress_event(&b->c.sent, KL_ST_SENT);
		(void)kl_progress_event(&b->c.sent, KL_ST_DELIVERED);
		b->c.delivered_ms = t->now_ms;
		r = store_put_sealed(t->store, STORE_GOT,
		    KL_BYTES_OF(b->c.conv), b->c.slot, packed);
		if (r == KL_OK)
			r = keep_plain(b);
		break;
	case KL_CORRECTION:
		b->tell = b->c.sent.code == KL_ST_NOT_REACHED;
		(void)kl_progress_event(&b->c.sent, KL_ST_DELIVERED);
		r = keep_plain(b);
		break;
	default:
		break;
	}
	return r != KL_OK ? r : close_back(b, ENGINE_DELIVERED, "delivered");
}

static int
refused(struct back *b, uint32_t code)
{
	struct turn *t = b->t;
	int r;

	b->row.state = OUT_REFUSED;
	cases_settle(&b->c, b->row.kind);
	b->row.code = b->step.code = code;
	b->tell = true;
	outbox_drop(b->o, &b->row.id);
	if ((r = outbox_erase_sealed(t, &b->row)) != KL_OK)
		return r;
	if (b->row.kind == KL_REFERRAL) {
		(void)kl_progress_event(&b->c.sent, KL_ST_SENT);
		(void)kl_progress_event(&b->c.sent, KL_ST_NOT_TAKEN_ON);
		b->c.refused = code;
		if ((r = cases_content_erase(t, &b->c)) != KL_OK)
			return r;
	}
	if ((r = alarm_raise(t, ENGINE_AL_REFUSED, code, &b->c.conv)) !=
	    KL_OK)
		return r;
	return close_back(b, ENGINE_REFUSED, "refused");
}

/* Of FEEDBACK only the last state is worth telling again. */
static bool
overtaken(const struct back *b)
{
	return b->row.kind == KL_FEEDBACK && memcmp(&b->row.id,
	    &b->c.feedback_msg, sizeof b->row.id) != 0;
}

/* The plaintext is still here, or people must know that it is not. */
static int
seal_again(struct back *b, uint32_t what, const char *event)
{
	struct turn *t = b->t;
	int r;

	outbox_drop(b->o, &b->row.id);
	if (what == ENGINE_LOST && b->row.kind != KL_FEEDBACK)
		b->c.pending++;
	if (overtaken(b)) {
		b->row.state = what == ENGINE_LOST ? OUT_LOST : OUT_DEAD;
		return close_back(b, what, event);
	}
	/* Nor round in a circle with a receiver that never opens it. */
	r = b->row.resealed >= OUTBOX_RESEAL_MAX ? KL_E_NOT_FOUND :
	    outbox_draft_again(b->o, t, &b->c, &b->row, OUTBOX_REPLACES);
	if (r == KL_E_NOT_FOUND) {
		cases_settle(&b->c, b->row.kind);
		b->row.state = what == ENGINE_LOST ? OUT_LOST : OUT_DEAD;
		r = alarm_raise(t, what == ENGINE_LOST ? ENGINE_AL_LOST :
		    ENGINE_AL_DEAD, b->row.code, &b->c.conv);
	}
	if (r != KL_OK)
		return r;
	b->tell = true;
	return close_back(b, what, event);
}

static int
verify(struct turn *t, const struct back *b, const struct kl_signed *s,
    const struct kl_receipt *rc)
{
	const struct directory_card *card = directory_card(t->dir,
	    &rc->signer, &rc->signer_key_id);

	if (!kl_id_equal(&rc->signer, &b->c.peer) ||
	    !kl_bytes_equal(KL_BYTES_OF(rc->body_hash),
	    KL_BYTES_OF(b->row.body)))
		return KL_E_SIGNATURE;
	if (card == NULL) {
		t->want_directory = true;
		return KL_E_AGAIN;
	}
	if (kl_verify(KL_LABEL_RECEIPT, s->body, &card->sign_pk, &s->sig) !=
	    KL_OK)
		return KL_E_SIGNATURE;
	return KL_OK;
}

/* The first receipt counts, here as at the broker; and of what was sealed
 * again the new one is asked. */
static bool
receipted(const struct back *b)
{
	return b->row.state == OUT_DELIVERED || b->row.state == OUT_LOST ||
	    b->row.state == OUT_REPLACED;
}

static int
take_receipt(struct back *b, const struct kl_receipt *rc,
    struct kl_bytes packed)
{
	if (receipted(b))
		return KL_OK;
	switch (rc->outcome) {
	case KL_OPENED:
		return delivered(b, packed);
	case KL_UNDECRYPTABLE:
		if (b->row.state >= OUT_DELIVERED &&
		    b->row.state != OUT_UNCERTAIN)
			return KL_OK;
		b->row.code = b->step.code = rc->code;
		return seal_again(b, ENGINE_DEAD, "dead");
	default:
		return b->row.state == OUT_REFUSED ||
		    b->row.state == OUT_DEAD ? KL_OK : refused(b, rc->code);
	}
}

int
outbox_back_receipt(struct outbox *o, struct turn *t, struct kl_bytes packed)
{
	struct back b = { .o = o, .t = t };
	struct kl_receipt rc;
	struct kl_signed s;
	int r;

	if (kl_signed_read(packed, t->mem, &s) != KL_C_OK ||
	    KL_STATEMENT_READ(KL_RECEIPT, s.body, t->mem, &rc) != KL_C_OK)
		return KL_E_SIGNATURE;
	if ((r = open_back(&b, &rc.msg_id)) != KL_OK ||
	    (r = verify(t, &b, &s, &rc)) != KL_OK)
		return r;
	return take_receipt(&b, &rc, packed);
}

/* ---- notices --------------------------------------------------------- */

static int
ended(struct back *b, uint32_t state, enum engine_what what,
    enum engine_alarm_kind alarm, uint32_t code)
{
	static const char *const events[] = {
		[ENGINE_EXPIRED] = "expired", [ENGINE_UNCERTAIN] = "uncertain",
		[ENGINE_DEAD] = "dead",
	};
	int r;

	if (b->row.state >= OUT_DELIVERED && b->row.state != OUT_UNCERTAIN)
		return KL_OK;
	b->row.state = state;
	cases_settle(&b->c, b->row.kind);
	b->row.code = b->step.code = code == KL_C_OK ? 0 : code;
	b->tell = true;
	outbox_drop(b->o, &b->row.id);
	if (b->row.seq > b->c.seq_out)
		b->c.seq_out = b->row.seq;
	/* Not to be sealed again, or never held by the receiver for sure. */
	if ((r = outbox_erase_sealed(b->t, &b->row)) != KL_OK ||
	    (r = alarm_raise(b->t, alarm, code == KL_C_OK ? 0 : code,
	    &b->c.conv)) != KL_OK)
		return r;
	if (b->row.kind == KL_REFERRAL) {
		(void)kl_progress_event(&b->c.sent, KL_ST_SENT);
		if (what == ENGINE_UNCERTAIN)
			(void)kl_progress_event(&b->c.sent,
			    KL_ST_UNCERTAIN);
		else
			(void)kl_progress_event(&b->c.sent, KL_ST_EXPIRED);
	}
	return close_back(b, what, events[what]);
}

/* What a withdrawal ended is never sealed again. */
static uint32_t
may_go(const struct back *b)
{
	return cases_may(&b->c, b->row.kind, KL_LEVEL_3);
}

/* A key died before the message was released: under another it may go. */
static bool
key_died(uint32_t code)
{
	return code == KL_C_CARD_REVOKED || code == KL_C_CARD_EXPIRED ||
	    code == KL_C_PREKEY || code == KL_C_BLOCKED ||
	    code == KL_C_BROKER_DAMAGE;
}

/* The broker says so too: told once, by whoever says it first. */
static int
deadline_missed(struct back *b)
{
	int r = b->row.kind == KL_REFERRAL ?
	    deadlines_notice(b->t, &b->c) :
	    alarm_raise(b->t, ENGINE_AL_DEADLINE, 0, &b->c.conv);

	return r != KL_OK ? r : cases_put(b->t, &b->c);
}

static int
about_message(struct back *b, const struct kl_notice *n)
{
	switch (n->notice) {
	case KL_NOTICE_EXPIRED:
		return ended(b, OUT_EXPIRED, ENGINE_EXPIRED,
		    ENGINE_AL_EXPIRED, n->code);
	case KL_NOTICE_UNCERTAIN:
		return ended(b, OUT_UNCERTAIN, ENGINE_UNCERTAIN,
		    ENGINE_AL_UNCERTAIN, n->code);
	case KL_NOTICE_DEAD:
		if (b->row.state >= OUT_DELIVERED)
			return KL_OK;
		if (!key_died(n->code) || may_go(b) != KL_C_OK)
			return ended(b, OUT_DEAD, ENGINE_DEAD,
			    ENGINE_AL_DEAD, n->code);
		b->row.code = b->step.code = n->code;
		return seal_again(b, ENGINE_DEAD, "dead");
	case KL_NOTICE_LOST_AT_RECEIVER:
		if (b->row.state != OUT_DELIVERED || may_go(b) != KL_C_OK)
			return KL_OK;
		return seal_again(b, ENGINE_LOST, "lost");
	case KL_NOTICE_DEADLINE:
		return deadline_missed(b);
	default:
		return KL_OK;	/* LATE comes with its receipt */
	}
}

static int
about_conversation(struct back *b, const struct kl_notice *n)
{
	struct turn *t = b->t;
	int r;

	memset(&b->step, 0, sizeof b->step);
	switch (n->notice) {
	case KL_NOTICE_CONSENT_ENDED:
		b->c.feedback_ended = 1;
		b->step.what = ENGINE_FEEDBACK_OVER;
		break;
	case KL_NOTICE_WITHDRAWN:
		if (b->c.withdrawn != 0)	/* by us, or it was asked */
			return KL_OK;
		if (n->code == KL_C_NO_FEEDBACK_CONSENT) {
			b->c.feedback_ended = 1;
			b->step.what = ENGINE_FEEDBACK_WITHDRAWN;
			break;
		}
		(void)kl_progress_event(&b->c.sent, KL_ST_CONSENT_WITHDRAWN);
		(void)kl_progress_event(&b->c.full, KL_ST_CONSENT_WITHDRAWN);
		b->step.what = ENGINE_WITHDRAWN;
		break;
	case KL_NOTICE_DEADLINE:
		r = deadlines_notice(t, &b->c);
		return r != KL_OK ? r : cases_put(t, &b->c);
	default:
		return KL_OK;
	}
	if ((r = cases_step(t, &b->c, &b->step)) != KL_OK ||
	    (r = events_add(t, ENGINE_EV_STATE, &b->c.conv, b->step.n)) !=
	    KL_OK || (r = cases_note_end(t, &b->c)) != KL_OK)
		return r;
	return cases_put(t, &b->c);
}

int
outbox_back_notice(struct outbox *o, struct turn *t,
    const struct kl_notice *n)
{
	struct back b = { .o = o, .t = t };
	int r;

	if (kl_bytes_zero(KL_BYTES_OF(n->msg_id))) {
		r = cases_get(t, &n->conv_id, &b.c);
		return r != KL_OK ? r : about_conversation(&b, n);
	}
	r = open_back(&b, &n->msg_id);
	if (r == KL_E_NOT_FOUND && (r = cases_get(t, &n->conv_id, &b.c)) ==
	    KL_OK)
		return about_conversation(&b, n);
	return r != KL_OK ? r : about_message(&b, n);
}
