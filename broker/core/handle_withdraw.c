#include "broker/core/core.h"

#include <kortelijn/base/time.h>
#include <kortelijn/host/log.h>

#include "broker/core/held.h"
#include "broker/core/withdraw.h"

#define HELD_MS KL_SECOND_MS	/* too many answers wait */

/* Once a day: what it fills the store with lasts until its valid_until. */
static void
unknown_tell(const struct session *s, const struct kl_id *who)
{
	if (s->withdrawals == WITHDRAWALS_UNKNOWN_TELL + 1)
		kl_logf(KL_LOG_WARN, "unknown_withdrawals",
		    kl_log_org("participant", who),
		    kl_log_num("today", s->withdrawals),
		    kl_log_word("so", "call it: why does it withdraw what "
		    "nobody sent? See 'kortelijn status'"));
}

/* Each is a row until its day, and nobody has sent that many referrals. */
static bool
unknown_quota(struct core *c, struct session *s, const struct kl_id *who,
    int64_t *wait_ms)
{
	const int32_t today = kl_day_of(c->turn.now_ms);

	if (s->withdrawals_day != today) {
		s->withdrawals_day = today;
		s->withdrawals = 0;
	}
	*wait_ms = kl_day_start_ms(today + 1) - c->turn.now_ms;
	if (s->withdrawals == WITHDRAWALS_UNKNOWN_DAY)
		return false;
	s->withdrawals++;
	unknown_tell(s, who);
	return true;
}

static enum kl_code
read_and_check(struct core *c, const struct request *q, struct withdraw *w,
    bool *done, int *err)
{
	struct kl_withdraw m;
	enum kl_code code;

	code = KL_MESSAGE_READ(KL_M_WITHDRAW, q->msg.body, c->in_mem, &m);
	if (code != KL_C_OK ||
	    (code = withdraw_read(w, m.withdrawal, c->in_mem)) != KL_C_OK)
		return code;
	if (!kl_id_equal(&w->w.signer, &q->by->id))
		return KL_C_NOT_YOUR_KEY;
	code = withdraw_signed(w, true);
	return code != KL_C_OK ? code : withdraw_check(w, done, err);
}

int
handle_withdraw(struct core *c, const struct request *q, struct answer *a)
{
	struct withdraw w = { .t = &c->turn, .registry = &c->registry };
	bool done = false;
	int64_t wait_ms;
	enum kl_code code;
	int err = KL_OK;

	code = read_and_check(c, q, &w, &done, &err);
	if (err != KL_OK)
		return err;
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	if (c->held.n == HELD_MAX)
		return answer_refuse_for(a, KL_C_TRY_LATER, HELD_MS);
	if (!done && !w.known &&
	    !unknown_quota(c, q->session, &q->by->id, &wait_ms))
		return answer_refuse_for(a, KL_C_QUOTA_WITHDRAWALS, wait_ms);
	if (!done && (err = withdraw_apply(&w)) != KL_OK)
		return err;
	if (!held_must(c))
		return withdraw_reply(&c->turn, &w.counts, &a->body);
	a->held = true;
	return held_add(c, q, &w.counts);
}
