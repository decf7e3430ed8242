/* The slot file anew, and what its erasure is worth. */
#include "broker/core/control_priv.h"

/* A rewrap by hand: "start", else only how it goes. */
json_t *
control_rewrap(struct core *c, const json_t *question)
{
	struct kl_slots_progress p;
	json_t *o;

	if (json_is_true(json_object_get(question, "start")))
		rewrap_ask(c);
	p = kl_slots_rewrap_progress(c->vault.slots);
	o = json_pack("{s:b,s:b,s:I,s:I}", "ok", 1,
	    "rewrapping", rewrap_waits(c),
	    "done", (json_int_t)p.done, "slots", (json_int_t)p.total);
	control_put_erasure(c, o);
	if (c->rewrap.failed != KL_OK)
		(void)json_object_set_new(o, "failed",
		    json_string(kl_err_text(c->rewrap.failed)));
	return o;
}

void
control_put_erasure(const struct core *c, json_t *o)
{
	const struct kl_slots *s = c->vault.slots;
	const bool verified = c->conf->erasure == KL_ERASURE_VERIFIED;

	if (o == NULL)
		return;
	(void)json_object_set_new(o, "erasure",
	    json_string(verified ? "verified" : "best-effort"));
	(void)json_object_set_new(o, "master_key",
	    json_string(kl_slots_sealed(s) ? "sealed" : "beside the slots"));
	(void)json_object_set_new(o, "rewrapped_ms",
	    json_integer((json_int_t)kl_slots_made_ms(s)));
	(void)json_object_set_new(o, "rewrap_overdue",
	    json_boolean(rewrap_overdue(c)));
}
