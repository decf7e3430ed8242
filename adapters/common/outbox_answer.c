#include "adapters/common/outbox_answer.h"

#include <string.h>

#include <kortelijn/crypto/hash.h>

#include "adapters/common/alarm.h"
#include "adapters/common/events.h"
#include "adapters/common/outbox_draft.h"
#include "adapters/common/outbox_seal.h"

static struct engine_step
step_of(const struct out_row *row, uint32_t what)
{
	struct engine_step s;

	memset(&s, 0, sizeof s);
	s.what = what;
	s.kind = row->kind;
	s.ours = true;
	s.msg_id = row->id;
	return s;
}

static void
trace(struct turn *t, const struct out_row *row, const char *event)
{
	kl_trace(t->trace, &(struct kl_trace_line){ .at_ms = t->now_ms,
	    .event = event, .msg = &row->id, .conv = &row->conv,
	    .has_leaf = row->has_leaf != 0, .leaf = row->leaf });
}

/* ---- accepted -------------------------------------------------------- */

/* Is it of this very message? What is shown to others later must say so. */
static bool
leaf_is_ours(struct turn *t, const struct out_row *row,
    const struct kl_logged *l)
{
	struct kl_record rec;

	return KL_STATEMENT_READ(KL_S_RECORD, l->record, t->mem, &rec) ==
	    KL_C_OK && (rec.event == KL_EV_ACCEPTED ||
	    rec.event == KL_EV_PRESENTED) &&
	    kl_id_equal(&rec.org_from, &t->id->id) &&
	    kl_bytes_equal(KL_BYTES_OF(rec.body_hash),
	    KL_BYTES_OF(row->body));
}

static int
take_leaf(struct turn *t, struct case_row *c, struct out_row *row,
    const struct kl_submit_reply *reply)
{
	struct kl_logged l;
	int r;

	if (KL_MESSAGE_READ(KL_M_LOGGED, reply->logged, t->mem, &l) !=
	    KL_C_OK || !leaf_is_ours(t, row, &l))
		return KL_E_FORMAT;
	row->leaf = l.leaf;
	row->has_leaf = 1;
	row->origin = t->origin;
	if (row->kind == KL_REFERRAL) {
		c->leaf = l.leaf;
		c->has_leaf = 1;
	}
	r = cases_take_names(t, c, &reply->conv_ref, reply->spoken);
	if (r == KL_E_VALUE)
		r = alarm_raise(t, ENGINE_AL_BAD_ITEM, 0, &c->conv);
	return r != KL_OK ? r : cases_keep_logged(t, c, &l);
}

static int
accepted(struct outbox *o, struct turn *t, struct case_row *c,
    struct out_row *row, struct kl_bytes body)
{
	struct engine_step step = step_of(row, ENGINE_ACCEPTED);
	struct kl_submit_reply reply;
	int r;

	if (KL_MESSAGE_READ(KL_M_SUBMIT_REPLY, body, t->mem, &reply) !=
	    KL_C_OK)
		return KL_E_FORMAT;
	if ((r = take_leaf(t, c, row, &reply)) != KL_OK)
		return r;
	step.leaf = row->leaf;
	row->state = OUT_ACCEPTED;
	if (row->seq > c->seq_out)
		c->seq_out = row->seq;
	/* Sent again, it may be delivered by now: then nothing changes. */
	if (row->kind == KL_REFERRAL &&
	    kl_progress_event(&c->sent, KL_ST_SENT) == KL_C_OK)
		c->sent_ms = t->now_ms;
	outbox_drop(o, &row->id);
	if ((r = outbox_put_row(t, row)) != KL_OK ||
	    (r = cases_step(t, c, &step)) != KL_OK)
		return r;
	trace(t, row, "accepted");
	t->want_submit = true;
	return row->kind != KL_REFERRAL ? KL_OK :
	    events_add(t, ENGINE_EV_STATE, &c->conv, step.n);
}

/* It was on its way when it was withdrawn: the case has its names now. */
static int
accepted_before(struct turn *t, struct case_row *c, struct out_row *row,
    struct kl_bytes body)
{
	struct kl_submit_reply reply;
	int r;

	if (KL_MESSAGE_READ(KL_M_SUBMIT_REPLY, body, t->mem, &reply) !=
	    KL_C_OK)
		return KL_E_FORMAT;
	if ((r = take_leaf(t, c, row, &reply)) != KL_OK ||
	    (r = outbox_put_row(t, row)) != KL_OK)
		return r;
	return cases_put(t, c);
}

/* ---- refused --------------------------------------------------------- */

static int
refused(struct outbox *o, struct turn *t, struct case_row *c,
    struct out_row *row, uint32_t code)
{
	struct engine_step step = step_of(row, ENGINE_REFUSED);
	int r;

	step.code = row->code = code;
	row->state = OUT_REFUSED;
	cases_settle(c, row->kind);
	outbox_drop(o, &row->id);
	if (row->kind == KL_REFERRAL)
		c->refused = code;
	if (row->kind == KL_FEEDBACK && code == KL_C_CONSENT_DATE)
		c->feedback_ended = 1;
	if ((r = outbox_erase_sealed(t, row)) != KL_OK ||
	    (r = outbox_put_row(t, row)) != KL_OK)
		return r;
	if (row->kind == KL_REFERRAL &&
	    (r = cases_content_erase(t, c)) != KL_OK)
		return r;
	if ((r = alarm_raise(t, ENGINE_AL_REFUSED, code, &c->conv)) !=
	    KL_OK || (r = cases_step(t, c, &step)) != KL_OK)
		return r;
	trace(t, row, "refused");
	t->want_submit = true;
	return events_add(t, ENGINE_EV_STATE, &c->conv, step.n);
}

/* Another key than the one that the broker refused? Sealing with the same one
 * would change nothing: after a loss the receiver has only yet to publish it
 * again. */
static bool
other_prekey(const struct turn *t, const struct case_row *c,
    const struct out_row *row)
{
	const struct directory_prekey *k = outbox_seal_prekey(t, &c->peer);
	struct kl_key_id id;

	if (k == NULL)
		return false;
	id = kl_key_id_of(k->pk.b);
	return memcmp(&id, &row->prekey, sizeof id) != 0;
}

enum cure { SEAL_ANEW, SEND_LATER, GIVE_UP };

/* PROTOCOL.md 15.4 */
static enum cure
cure_of(const struct turn *t, const struct case_row *c,
    const struct out_row *row, uint32_t code)
{
	switch (code) {
	case KL_C_SEQ:
	case KL_C_CONFLICT:
	case KL_C_TIMES:
		return row->resealed < OUTBOX_RESEAL_MAX ? SEAL_ANEW : GIVE_UP;
	case KL_C_PREKEY:
		return other_prekey(t, c, row) ? SEAL_ANEW : SEND_LATER;
	case KL_C_CARD_UNKNOWN:
	case KL_C_CARD_EXPIRED:
	case KL_C_CARD_NOT_YET:
	case KL_C_CARD_REVOKED:
		return memcmp(&row->signer, &t->id->key_id,
		    sizeof row->signer) != 0 ? SEAL_ANEW : SEND_LATER;
	default:
		return kl_code_retry(code) == KL_RETRY_NEVER ? GIVE_UP :
		    SEND_LATER;
	}
}

static int
not_accepted(struct outbox *o, struct turn *t, struct case_row *c,
    struct out_row *row, const struct out_answer *a, int64_t mono_ms)
{
	int r;

	if (a->code == KL_C_SEQ && a->detail.n == 8)
		cases_take_seq_out(c, kl_be64(a->detail.p));
	switch (cure_of(t, c, row, a->code)) {
	case SEND_LATER:
		t->want_directory |= a->code == KL_C_PREKEY;
		outbox_defer(o, &row->id, a->retry_after_ms, mono_ms);
		return KL_OK;
	case SEAL_ANEW:
		r = outbox_draft_again(o, t, c, row, OUTBOX_SAME_SEQ);
		if (r != KL_E_NOT_FOUND)
			return r;
		break;	/* its plaintext is gone */
	default:
		break;
	}
	return refused(o, t, c, row, a->code);
}

int
outbox_answer_take(struct outbox *o, struct turn *t,
    const struct kl_msg_id *id, const struct out_answer *a, int64_t mono_ms)
{
	struct out_row row;
	struct case_row c;
	int r = outbox_row(t, id, &row);

	/* Meanwhile sealed anew, delivered or forgotten. */
	if (r == KL_E_NOT_FOUND)
		return KL_OK;
	if (r != KL_OK)
		return r;
	r = cases_get(t, &row.conv, &c);
	if (r == KL_OK && row.state == OUT_WITHDRAWN && a->code == KL_C_OK)
		return accepted_before(t, &c, &row, a->body);
	if (row.state != OUT_SEALED || r == KL_E_NOT_FOUND) {
		outbox_drop(o, id);
		return KL_OK;
	}
	if (r != KL_OK)
		return r;
	r = a->code == KL_C_OK ? accepted(o, t, &c, &row, a->body) :
	    not_accepted(o, t, &c, &row, a, mono_ms);
	if (r == KL_OK)
		r = cases_note_end(t, &c);
	return r != KL_OK ? r : cases_put(t, &c);
}
