#include "adapters/common/json_withdrawal.h"

#include <string.h>

#include "adapters/common/json_put.h"

static const char *const outcomes[] = {
	[KL_ERASED] = "erased", [KL_KEPT_ON_OWN_BASIS] = "kept",
	[KL_NOTHING_HELD] = "nothing",
};

const char *
json_withdrawal_outcome(uint32_t outcome)
{
	return outcome >= KL_ERASED && outcome <= KL_NOTHING_HELD ?
	    outcomes[outcome] : "?";
}

uint32_t
json_withdrawal_outcome_read(const char *name)
{
	for (uint32_t i = KL_ERASED; i <= KL_NOTHING_HELD; i++)
		if (strcmp(outcomes[i], name) == 0)
			return i;
	return 0;
}

/* ---- members --------------------------------------------------------- */

static void
put_outcome(json_t *o, const char *key, uint32_t outcome)
{
	if (outcome != 0)
		json_put_text(o, key, json_withdrawal_outcome(outcome));
}

static json_t *
told(const struct engine_told *t)
{
	json_t *o = json_object();

	json_put_text(o, "from", kl_id_text(&t->id).b);
	json_put_text(o, "from_name", t->name);
	put_outcome(o, "adapter_copy", t->adapter_copy);
	put_outcome(o, "case_system", t->case_system);
	json_put_time(o, "at", t->at_ms);
	return o;
}

/* Counts are the broker's: none before it has answered. */
static void
put_ours(json_t *o, const struct engine_withdrawal *w)
{
	json_t *a = json_array();

	json_put_text(o, "state", w->done ? "withdrawn" : "withdrawing");
	json_put_time(o, "withdrawn_at", w->at_ms);
	json_put_time(o, "confirmed_at", w->done_ms);
	if (w->code != 0)
		json_put_text(o, "code", kl_code_name(w->code));
	if (w->done) {
		json_put_number(o, "erased", w->erased);
		json_put_number(o, "released_before", w->released_before);
		json_put_number(o, "unconfirmed", w->unconfirmed);
	}
	if (w->has_leaf)
		json_put_number(o, "leaf", w->leaf);
	json_put_time(o, "escalated_at", w->missing_ms);
	for (size_t i = 0; i < w->n_told; i++)
		(void)json_array_append_new(a, told(&w->told[i]));
	(void)json_object_set_new(o, "erase_receipts", a);
}

static void
put_asked(json_t *o, const struct engine_withdrawal *w)
{
	json_t *q = json_object();

	json_put_time(q, "asked_at", w->asked_ms);
	json_put_time(q, "answer_by", w->due_ms);
	put_outcome(q, "adapter_copy", w->adapter_copy);
	put_outcome(q, "case_system", w->case_system);
	json_put_time(q, "answered_at", w->answered_ms);
	json_put_time(q, "taken_at", w->taken_ms);
	(void)json_object_set_new(o, "erase_request", q);
}

json_t *
json_withdrawal(const struct engine_withdrawal *w)
{
	json_t *o = json_object();

	if (o == NULL)
		return NULL;
	json_put_text(o, "scope", kl_scope_name(w->scope));
	json_put_text(o, "cause", kl_cause_name(w->cause));
	json_put_text(o, "by", w->ours ? "us" : "them");
	if (w->ours)
		put_ours(o, w);
	if (w->asked)
		put_asked(o, w);
	return o;
}

/* ---- the event ------------------------------------------------------- */

static void
put_case(json_t *o, const struct json_withdrawal_meta *m)
{
	const struct engine_case *k = m->k;

	json_put_number(o, "schema", KL_SCHEMA_MAX);
	json_put_number(o, "seq", m->seq);
	if (k->spoken.b[0] != '\0')
		json_put_text(o, "reference", kl_spoken_text(&k->spoken).b);
	json_put_text(o, "referral_id", k->referral_id);
	json_put_text(o, "patient_ref", k->patient_ref);
	json_put_text(o, "other_side", kl_id_text(&k->peer).b);
	json_put_text(o, "other_side_name", k->peer_name);
	json_put_text(o, "event", engine_what_name(m->what));
	json_put_time(o, "at", m->at_ms);
	(void)json_object_set_new(o, "training",
	    json_boolean(m->training));
	(void)json_object_set_new(o, "do_not_contact",
	    json_boolean(k->cause == KL_CAUSE_SENT_IN_ERROR));
}

int
json_withdrawal_write(const struct json_withdrawal_meta *m,
    const struct engine_withdrawal *w, char **out)
{
	json_t *o = json_object();

	*out = NULL;
	if (o != NULL) {
		put_case(o, m);
		(void)json_object_set_new(o, "withdrawal",
		    json_withdrawal(w));
		*out = json_dumps(o, JSON_INDENT(2));
	}
	json_decref(o);
	return *out == NULL ? KL_E_MEMORY : KL_OK;
}
