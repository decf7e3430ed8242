#include "adapters/common/inbox_take.h"

#include <string.h>

#include <kortelijn/crypto/secret.h>

#include "adapters/common/access.h"
#include "adapters/common/alarm.h"
#include "adapters/common/events.h"
#include "adapters/common/guard.h"

/* Reads like `if (failed(err, store_put(...)))`. */
static bool
failed(int *err, int r)
{
	*err = r;
	return r != KL_OK;
}

/* ---- what all kinds have in common ----------------------------------- */

static int
take_names(struct turn *t, struct incoming *in)
{
	int r = cases_take_names(t, &in->c, &in->item->conv_ref,
	    in->item->spoken);

	/* Two names in one log: the broker errs, the resident must not. */
	if (r == KL_E_VALUE)
		r = alarm_raise(t, ENGINE_AL_BAD_ITEM, 0, &in->c.conv);
	return r != KL_OK ? r : cases_keep_logged(t, &in->c, &in->logged);
}

/* What a message tells besides that it came. */
struct news {
	const struct kl_feedback *feedback;
	uint64_t changed;
};

static int
finish(struct turn *t, struct incoming *in, enum engine_event_kind event,
    const struct news *news)
{
	const struct engine_actor by = { .interface = ENGINE_LINK };
	const struct kl_header *h = &in->e.header;
	struct engine_step step;
	int r;

	memset(&step, 0, sizeof step);
	step.what = ENGINE_RECEIVED;
	step.kind = h->kind;
	step.msg_id = h->msg_id;
	step.leaf = in->logged.leaf;
	if (news->feedback != NULL)
		step.feedback = *news->feedback;
	step.changed = news->changed;
	in->c.seq_in = h->seq;
	if (in->c.husk != 0 && h->kind != KL_FEEDBACK && (r = alarm_close(t,
	    ENGINE_AL_LOST_HERE, &in->c.conv)) != KL_OK)
		return r;
	in->c.husk = 0;
	if ((r = take_names(t, in)) != KL_OK ||
	    (r = cases_step(t, &in->c, &step)) != KL_OK ||
	    (r = events_add(t, event, &in->c.conv, step.n)) != KL_OK ||
	    (r = cases_note_end(t, &in->c)) != KL_OK ||
	    (r = cases_put(t, &in->c)) != KL_OK)
		return r;
	return access_log(t, &by, h->kind == KL_REFERRAL ? ENGINE_TOOK_IN :
	    ENGINE_CHANGED, &in->c.conv);
}

/* ---- referral -------------------------------------------------------- */

static void
fill_case(const struct turn *t, struct incoming *in,
    const struct kl_referral *r)
{
	const struct kl_header *h = &in->e.header;
	struct case_row *c = &in->c;

	c->conv = h->conv_id;
	c->peer = h->sender;
	c->crisis = r->crisis == KL_ANSWER_YES;
	c->referral_msg = h->msg_id;
	c->referral = in->body;
	c->level = c->sent.level = in->e.consent.feedback_level;
	c->consent.under = in->e.consent.under;
	c->valid_until = in->e.consent.valid_until;
	c->leaf = in->logged.leaf;
	c->has_leaf = 1;
	c->staff_role = KL_STAFF_DESK;
	c->sent_ms = h->created_ms;
	c->delivered_ms = t->now_ms;
	c->deliver_by_ms = h->deliver_by_ms;
	c->answer_by_ms = h->answer_by_ms;
	c->expire_at_ms = h->expire_at_ms;
}

static int
store_content(struct turn *t, struct incoming *in, enum cases_content which)
{
	/* Under a fresh key: the text before it is gone for good. */
	int r = cases_content_erase(t, &in->c);

	return r != KL_OK ? r : cases_content_put(t, &in->c, which,
	    kl_bytes(in->plain, in->n_plain));
}

/* Does it take the place of the one that this case has? */
static bool
replaces_it(const struct incoming *in)
{
	return memcmp(&in->e.header.replaces, &in->c.referral_msg,
	    sizeof in->c.referral_msg) == 0;
}

static uint32_t
take_referral(struct turn *t, struct incoming *in, int *err)
{
	const struct news none = { NULL, 0 };
	bool fresh = !in->known;
	struct kl_referral r;
	uint32_t code;

	if (in->known && (in->c.mine != 0 || !(in->c.husk ||
	    replaces_it(in))))
		return KL_C_CONFLICT;
	code = guard_opened_referral(t, &in->e, kl_bytes(in->plain,
	    in->n_plain), &r);
	if (code != KL_C_OK)
		goto out;
	code = KL_C_TRY_LATER;
	fill_case(t, in, &r);
	if (fresh) {
		kl_progress_init(&in->c.full, KL_ST_DELIVERED, 0);
		kl_progress_init(&in->c.sent, KL_ST_DELIVERED, in->c.level);
		if (failed(err, cases_make(t, &in->c)))
			goto out;
	}
	in->known = true;
	if (failed(err, store_content(t, in, CASES_REFERRAL)) ||
	    failed(err, store_put_sealed(t->store, STORE_SIGNED,
	    KL_BYTES_OF(in->c.referral_msg), in->c.slot,
	    in->signed_bytes)) ||
	    failed(err, finish(t, in, ENGINE_EV_REFERRAL, &none)))
		goto out;
	code = KL_C_OK;
out:
	if (code == KL_C_TRY_LATER && *err == KL_OK)
		*err = KL_E_MEMORY;
	kl_wipe(&r, sizeof r);
	return code;
}

/* ---- correction ------------------------------------------------------ */

static uint32_t
may_correct(struct case_row *c)
{
	uint32_t code = kl_progress_correct(&c->full);

	if (code == KL_C_OK)
		code = kl_progress_correct(&c->sent);
	if (code != KL_C_OK)
		return code;
	/* Its receipt is what reopens not_reached, on both sides. */
	(void)kl_progress_event(&c->full, KL_ST_DELIVERED);
	(void)kl_progress_event(&c->sent, KL_ST_DELIVERED);
	return KL_C_OK;
}

static bool
field_differs(const struct kl_field *f, const struct kl_referral *a,
    const struct kl_referral *b)
{
	switch (f->kind) {
	case KL_FIELD_BIRTH_DATE:
		return strcmp(kl_birth_text(a->birth_date).b,
		    kl_birth_text(b->birth_date).b) != 0;
	case KL_FIELD_NUMBER:
	case KL_FIELD_ANSWER:
	case KL_FIELD_LIST:
		return kl_field_number(f, a) != kl_field_number(f, b);
	default:
		return strcmp(kl_field_text(f, a), kl_field_text(f, b)) != 0;
	}
}

/* Bit i: field i of the form has another value than before. */
static int
differences(struct turn *t, const struct case_row *c,
    const struct kl_referral *now, uint64_t *out)
{
	const struct kl_field *f;
	struct kl_referral before;
	int r = cases_content(t, c, &before);

	*out = 0;
	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	for (size_t i = 0; i < 64 && (f = kl_field_at(i)) != NULL; i++)
		if (field_differs(f, &before, now))
			*out |= UINT64_C(1) << i;
	kl_wipe(&before, sizeof before);
	return KL_OK;
}

static uint32_t
take_correction(struct turn *t, struct incoming *in, int *err)
{
	struct case_row before = in->c;
	struct news news = { NULL, 0 };
	struct kl_referral r;
	uint32_t code;

	if (in->c.mine != 0)
		return KL_C_NOT_A_PARTY;
	code = guard_opened_referral(t, &in->e, kl_bytes(in->plain,
	    in->n_plain), &r);
	if (code == KL_C_OK && (code = may_correct(&in->c)) != KL_C_OK)
		in->c = before;
	if (code != KL_C_OK)
		goto out;
	code = KL_C_TRY_LATER;
	in->c.corrected = 1;
	in->c.crisis = r.crisis == KL_ANSWER_YES;
	if (failed(err, differences(t, &in->c, &r, &news.changed)) ||
	    failed(err, store_content(t, in, CASES_CORRECTION)) ||
	    failed(err, finish(t, in, ENGINE_EV_CORRECTION, &news)))
		goto out;
	code = KL_C_OK;
out:
	if (code == KL_C_TRY_LATER && *err == KL_OK)
		*err = KL_E_MEMORY;
	kl_wipe(&r, sizeof r);
	return code;
}

/* ---- feedback -------------------------------------------------------- */

/* A walk that starts anew where a gap or a loss left us without the steps
 * between; what was reopened stays so. */
static void
resume(struct kl_progress *p, uint32_t level)
{
	bool reopened = p->reopened;
	uint32_t steps = p->steps;

	kl_progress_init(p, KL_ST_DELIVERED, level);
	p->reopened = reopened;
	p->steps = steps;
}

static uint32_t
step(struct case_row *c, const struct kl_header *h,
    const struct kl_feedback *f)
{
	struct kl_progress p = c->sent;
	uint32_t code;

	/* Nobody answers what was not delivered: its receipt is under way. */
	(void)kl_progress_event(&p, KL_ST_SENT);
	if (p.code == KL_ST_SENT || p.code == KL_ST_UNCERTAIN)
		(void)kl_progress_event(&p, KL_ST_DELIVERED);
	code = kl_progress_step(&p, f);
	if (code != KL_C_OK && (c->gap != 0 || c->husk != 0)) {
		resume(&p, c->level);
		code = kl_progress_step(&p, f);
	}
	if (code != KL_C_OK)
		return code;
	if (p.milestone != h->milestone && c->gap == 0 && c->husk == 0)
		return KL_C_MILESTONE;
	p.milestone = h->milestone;
	c->sent = p;
	c->gap = 0;
	return KL_C_OK;
}

static uint32_t
take_feedback(struct turn *t, struct incoming *in, int *err)
{
	struct case_row *c = &in->c;
	struct kl_feedback f;
	const struct news news = { &f, 0 };
	uint32_t code;

	if (c->mine == 0)
		return KL_C_NOT_A_PARTY;
	code = guard_opened_feedback(t, &in->e, kl_bytes(in->plain,
	    in->n_plain), &f);
	if (code == KL_C_TRY_LATER)
		*err = KL_E_MEMORY;
	if (code != KL_C_OK)
		return code;
	/* What the broker alone knows of has no level here. */
	if (c->husk != 0 && c->level == 0)
		c->level = c->sent.level = f.level;
	if (f.level > c->level)
		return c->level == KL_LEVEL_0 ? KL_C_NO_FEEDBACK_CONSENT :
		    KL_C_LEVEL;
	if ((code = step(c, &in->e.header, &f)) != KL_C_OK)
		return code;
	if (c->delivered_ms == 0)
		c->delivered_ms = t->now_ms;
	/* Somebody has it in hand: nothing need be sealed again. */
	if (failed(err, cases_content_spent(t, c)) ||
	    failed(err, finish(t, in, ENGINE_EV_FEEDBACK, &news)))
		return KL_C_TRY_LATER;
	return KL_C_OK;
}

uint32_t
inbox_take(struct turn *t, struct incoming *in, int *err)
{
	*err = KL_OK;
	switch (in->e.header.kind) {
	case KL_REFERRAL:
		return take_referral(t, in, err);
	case KL_CORRECTION:
		return take_correction(t, in, err);
	default:
		return take_feedback(t, in, err);
	}
}
