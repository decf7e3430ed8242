#include "proto/audit/measure_priv.h"

#include <string.h>

static struct kl_ref
paper_of(const struct kl_record *r)
{
	struct kl_ref ref;

	memcpy(ref.b, r->body_hash.b, sizeof ref.b);
	return ref;
}

int
audit_measure_erase_shown(struct audit_measure *m, const struct kl_record *r)
{
	const struct kl_ref ref = paper_of(r);
	void *at;

	if (r->kind != 0 || kl_bytes_zero(KL_BYTES_OF(ref)))
		return KL_OK;
	return audit_reftab_put(&m->work->papers, &ref, &at);
}

int
audit_measure_erase_withdrawn(struct audit_measure *m,
    const struct kl_record *r)
{
	struct measure_talk *t = audit_reftab_find(&m->work->talks,
	    r->conv_ref.b);
	const struct kl_ref paper = paper_of(r);
	struct audit_erasing *e = &m->erasing;
	struct audit_month *month;
	void *at;
	int err;

	if (t != NULL && r->kind == KL_FEEDBACK)
		t->untold = true;
	if (t != NULL && r->kind != KL_FEEDBACK)
		audit_measure_talk_withdrawn(m, t, r);
	if (!audit_measure_inside(m, r))
		return KL_OK;
	if (audit_reftab_find(&m->work->papers, paper.b) != NULL) {
		e->shown_again++;
		return KL_OK;
	}
	if ((err = audit_measure_count_month(m, r->time_minute, &month)) !=
	    KL_OK)
		return err;
	month->withdrawn++;
	e->all += r->kind != KL_FEEDBACK;
	e->feedback_only += r->kind == KL_FEEDBACK;
	e->by_practice += r->actor_role == KL_PRACTICE;
	e->by_municipality += r->actor_role == KL_MUNICIPALITY;
	e->by_other += r->actor_role != KL_PRACTICE &&
	    r->actor_role != KL_MUNICIPALITY;
	err = audit_reftab_put(&m->work->withdrawn, kl_bytes_zero(KL_BYTES_OF(
	    r->conv_ref)) ? &paper : &r->conv_ref, &at);
	if (err == KL_OK && ((struct measure_withdrawn *)at)->at == 0)
		((struct measure_withdrawn *)at)->at = r->time_minute;
	return err;
}

void
audit_measure_erase_erased(struct audit_measure *m, const struct kl_record *r)
{
	struct measure_withdrawn *w = audit_reftab_find(&m->work->withdrawn,
	    r->conv_ref.b);

	if (w != NULL && (r->prev_state == KL_MSG_WITHDRAWN ||
	    r->prev_state == KL_MSG_UNCONFIRMED))
		w->erased = r->time_minute;
}

/* Who owes it is org_from, in the asking and in the answer. */
static struct kl_ref
asked_key(const struct kl_record *r, uint32_t from)
{
	return audit_measure_key(kl_be64(r->conv_ref.b), from);
}

int
audit_measure_erase_asked(struct audit_measure *m,
    const struct kl_record *r, uint32_t from)
{
	const struct kl_ref key = asked_key(r, from);
	void *at;
	int err;

	err = audit_reftab_put(&m->work->asked, &key, &at);
	if (err == KL_OK)
		*(struct measure_asked *)at = (struct measure_asked){
			.key = key, .at = r->time_minute,
			.due = r->due_minute };
	return err;
}

int
audit_measure_erase_answered(struct audit_measure *m,
    const struct kl_record *r, uint32_t from)
{
	const struct kl_ref key = asked_key(r, from);
	const struct measure_asked *a = audit_reftab_find(&m->work->asked,
	    key.b);
	int err;

	if (a == NULL)
		return KL_OK;
	audit_measure_count_due(&m->erasing.due, r->time_minute <= a->due ?
	    MEASURE_KEPT : MEASURE_LATE);
	err = audit_spread_add(&m->erasing.receipt,
	    (uint32_t)(r->time_minute - a->at));
	audit_reftab_drop(&m->work->asked, key.b);
	return err;
}

int
audit_measure_erase_end(struct audit_measure *m)
{
	int err = KL_OK;

	for (uint32_t i = 0; err == KL_OK && i < m->work->withdrawn.n; i++) {
		const struct measure_withdrawn *w = audit_reftab_at(
		    &m->work->withdrawn, i);

		if (w->erased == 0)
			m->erasing.nothing_held++;
		else
			err = audit_spread_add(&m->erasing.erased,
			    (uint32_t)(w->erased - w->at));
	}
	return err;
}

void
audit_measure_erase_open(struct audit_measure *m, int64_t now)
{
	for (uint32_t i = 0; i < m->work->asked.n; i++) {
		const struct measure_asked *a = audit_reftab_at(
		    &m->work->asked, i);

		m->erasing.receipt.open++;
		audit_measure_count_due(&m->erasing.due,
		    audit_measure_count_fate(a->due, now));
	}
}
