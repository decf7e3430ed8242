#include "adapters/common/outbox_time.h"

#include <string.h>

#include "adapters/common/alarm.h"
#include "adapters/common/events.h"
#include "adapters/common/outbox_priv.h"
#include "adapters/common/timers.h"

int
outbox_time_new_log(struct outbox *o, struct turn *t)
{
	struct store_entry at = { .n_key = 0 };
	struct out_row row;
	int r;

	while ((r = outbox_next_row(t, &at, &row)) == KL_OK) {
		if (row.state != OUT_ACCEPTED || row.origin == t->origin)
			continue;
		row.state = OUT_SEALED;
		if ((r = outbox_put_row(t, &row)) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? outbox_load(o, t) : r;
}

/* What never left is refused here: nobody ever had it. */
static void
end_case(struct case_row *c, bool left)
{
	if (left)
		(void)kl_progress_event(&c->sent, KL_ST_UNCERTAIN);
	else
		c->refused = KL_C_EXPIRED;
}

/* That a referral never left shows in no state: only the alarm says it. */
static int
raise_end(struct turn *t, const struct case_row *c,
    const struct out_row *row, enum engine_alarm_kind alarm)
{
	return row->kind == KL_REFERRAL && c->refused != 0 ?
	    alarm_tell(t, alarm, KL_C_EXPIRED, &c->conv) :
	    alarm_raise(t, alarm, KL_C_EXPIRED, &c->conv);
}

static int
end_unanswered(struct outbox *o, struct turn *t, struct case_row *c,
    struct out_row *row, enum engine_alarm_kind alarm)
{
	bool left = row->state == OUT_ACCEPTED;
	struct engine_step step;
	int r;

	memset(&step, 0, sizeof step);
	step.what = left ? ENGINE_UNCERTAIN : ENGINE_EXPIRED;
	step.kind = row->kind;
	step.ours = true;
	step.msg_id = row->id;
	row->state = left ? OUT_UNCERTAIN : OUT_EXPIRED;
	cases_settle(c, row->kind);
	outbox_drop(o, &row->id);
	if (row->kind == KL_REFERRAL)
		end_case(c, left);
	if ((r = outbox_erase_sealed(t, row)) != KL_OK ||
	    (r = outbox_put_row(t, row)) != KL_OK ||
	    (r = raise_end(t, c, row, alarm)) != KL_OK ||
	    (r = cases_step(t, c, &step)) != KL_OK ||
	    (r = events_add(t, ENGINE_EV_STATE, &c->conv, step.n)) != KL_OK)
		return r;
	kl_trace(t->trace, &(struct kl_trace_line){ .at_ms = t->now_ms,
	    .event = left ? "uncertain" : "expired", .msg = &row->id,
	    .conv = &row->conv });
	return cases_note_end(t, c);
}

int
outbox_time_due(struct outbox *o, struct turn *t, const struct kl_msg_id *id,
    bool expiry)
{
	struct case_row c;
	struct out_row row;
	int r = outbox_row(t, id, &row);

	if (r == KL_E_NOT_FOUND)
		return KL_OK;
	if (r != KL_OK)
		return r;
	if (row.state > OUT_ACCEPTED)
		return KL_OK;
	/* That of a referral is a term of its case. */
	if (!expiry)
		return row.kind == KL_REFERRAL ? KL_OK :
		    alarm_raise(t, ENGINE_AL_DEADLINE, 0, &row.conv);
	/* Sealed later than it was drafted: its own term counts. An accepted
	 * one has a notice on its way; an hour more for it to come. */
	if (row.expire_ms + (row.state == OUT_ACCEPTED ? KL_HOUR_MS : 0) >
	    t->now_ms)
		return timers_put(t->store, row.expire_ms + KL_HOUR_MS,
		    TIMER_EXPIRE, id->b);
	if ((r = cases_get(t, &row.conv, &c)) == KL_E_NOT_FOUND)
		return KL_OK;
	if (r == KL_OK)
		r = end_unanswered(o, t, &c, &row, row.state == OUT_ACCEPTED ?
		    ENGINE_AL_UNCERTAIN : ENGINE_AL_EXPIRED);
	return r != KL_OK ? r : cases_put(t, &c);
}

/* The first of a case that waits. NULL: none. */
static const struct outbox_entry *
waiting_of(const struct outbox *o, const struct kl_conv_id *conv)
{
	for (size_t i = 0; i < o->n; i++)
		if (memcmp(&o->e[i].conv, conv, sizeof *conv) == 0)
			return &o->e[i];
	return NULL;
}

int
outbox_time_draft(struct outbox *o, struct turn *t, struct case_row *c)
{
	const struct outbox_entry *e;
	struct out_row row;
	int r;

	while ((e = waiting_of(o, &c->conv)) != NULL)
		if ((r = outbox_row(t, &e->id, &row)) != KL_OK ||
		    (r = end_unanswered(o, t, c, &row, ENGINE_AL_DRAFT)) !=
		    KL_OK)
			return r;
	return cases_content_erase(t, c);
}

int
outbox_time_forget(struct outbox *o, struct turn *t, const struct case_row *c)
{
	struct engine_step s = { .n = 0 };
	int r;

	while ((r = cases_step_next(t, c, s.n, &s)) == KL_OK) {
		if (!s.ours)
			continue;
		outbox_drop(o, &s.msg_id);
		if ((r = store_del(t->store, STORE_OUT,
		    KL_BYTES_OF(s.msg_id))) != KL_OK ||
		    (r = store_del(t->store, STORE_SIGNED,
		    KL_BYTES_OF(s.msg_id))) != KL_OK ||
		    (r = store_del(t->store, STORE_SEALED,
		    KL_BYTES_OF(s.msg_id))) != KL_OK ||
		    (r = store_del(t->store, STORE_FEEDBACK,
		    KL_BYTES_OF(s.msg_id))) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}
