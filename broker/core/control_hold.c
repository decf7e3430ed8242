/* Is the clock held, by what, and the operator's word that it is right. */
#include "broker/core/control_priv.h"

#include "broker/core/cycle.h"

static json_t *
hold_json(const struct core *c, bool released)
{
	const struct retain *r = &c->retain;

	return json_pack("{s:b,s:b,s:s,s:I,s:I,s:I,s:I,s:b,s:b}",
	    "ok", 1,
	    "held", c->turn.untrusted,
	    "why", c->turn.untrusted && r->hold.why == KL_HOLD_NONE ?
	        "behind" : kl_hold_name(r->hold.why),
	    "now_ms", (json_int_t)r->clock.now_ms,
	    "mark_ms", (json_int_t)r->hold.high_water_ms,
	    "confirmed_ms", (json_int_t)r->hold.sure_ms,
	    "waiting", (json_int_t)r->due,
	    "synchronised", !r->clock.unsynced,
	    "released", released);
}

json_t *
control_hold(struct core *c, const json_t *question)
{
	(void)question;
	/* By the clock of now. */
	if (cycle_run(c, NULL, NULL) != KL_OK)
		return control_refused(KL_C_TRY_LATER);
	return hold_json(c, false);
}

static int
release_in_turn(struct core *c, void *arg)
{
	bool *released = arg;

	*released = c->turn.untrusted;
	if (!*released)
		return KL_OK;
	retain_release(&c->retain);
	c->turn.untrusted = false;
	c->turn.latest_ms = c->retain.hold.high_water_ms;
	c->housekeeping_ms = 0;
	return KL_OK;
}

json_t *
control_hold_release(struct core *c, const json_t *question)
{
	bool released;

	(void)question;
	if (cycle_run(c, release_in_turn, &released) != KL_OK)
		return control_refused(KL_C_TRY_LATER);
	return hold_json(c, released);
}
