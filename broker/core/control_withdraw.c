/* A party's signed WITHDRAWAL that comes by way of the operator. */
#include "broker/core/control_priv.h"

#include "broker/core/cycle.h"
#include "broker/core/withdraw.h"

struct handed_in {
	struct kl_bytes packed;
	struct withdraw w;
	enum kl_code code;
	bool again;
};

/* What is signed is what counts: nobody's connection stands behind it. */
static int
withdraw_in_turn(struct core *c, void *arg)
{
	struct handed_in *h = arg;
	struct withdraw *w = &h->w;
	int err = KL_OK;

	*w = (struct withdraw){ .t = &c->turn, .registry = &c->registry };
	kl_arena_reset(c->in_mem);
	if ((h->code = withdraw_read(w, h->packed, c->in_mem)) == KL_C_OK &&
	    (h->code = withdraw_signed(w, false)) == KL_C_OK)
		h->code = withdraw_check(w, &h->again, &err);
	return err != KL_OK || h->code != KL_C_OK || h->again ? err :
	    withdraw_apply(w);
}

/* Until its keys are zeroed and the leaves of that are there. */
static int
erase_now(struct core *c)
{
	int err = KL_OK;

	while (err == KL_OK && c->erase_due_ms != 0)
		err = cycle_run(c, NULL, NULL);
	return err;
}

static json_t *
counts_json(const struct handed_in *h)
{
	const struct withdraw_counts *n = &h->w.counts;

	return json_pack("{s:b,s:s,s:s,s:b,s:b,s:I,s:I,s:I,s:I}", "ok", 1,
	    "scope", kl_scope_name(h->w.w.scope),
	    "cause", kl_cause_name(h->w.w.cause),
	    "known", h->w.known, "again", h->again,
	    "erased", (json_int_t)n->erased,
	    "released_before", (json_int_t)n->released_before,
	    "unconfirmed", (json_int_t)n->unconfirmed,
	    "leaf", (json_int_t)n->leaf);
}

json_t *
control_withdraw(struct core *c, const json_t *question)
{
	const char *text = json_string_value(json_object_get(question,
	    "withdrawal"));
	uint8_t buf[KL_WITHDRAWAL_MAX];
	struct handed_in h = { .code = KL_C_OK };
	size_t n;

	if (text == NULL || kl_base64_read(kl_bytes_str(text), buf,
	    sizeof buf, &n) != KL_OK)
		return control_refused(KL_C_MALFORMED);
	h.packed = kl_bytes(buf, n);
	if (cycle_run(c, withdraw_in_turn, &h) != KL_OK)
		return control_refused(KL_C_TRY_LATER);
	if (h.code != KL_C_OK)
		return control_refused(h.code);
	return erase_now(c) != KL_OK ? control_refused(KL_C_TRY_LATER) :
	    counts_json(&h);
}
