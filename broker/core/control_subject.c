/* Everything that core holds on one referral. */
#include "broker/core/control_subject.h"

#include <string.h>

#include <kortelijn/base/time.h>

#include "broker/core/control_priv.h"
#include "broker/core/cycle.h"
#include "broker/core/tables.h"

int
control_subject_find(struct core *c, const char *text,
    struct conversation *out, bool *marker)
{
	struct kl_spoken spoken;
	struct kl_conv_id id;
	int r;

	*marker = false;
	if (kl_spoken_read(text, &spoken) == KL_OK)
		return conversation_by_spoken(&c->turn, &spoken, out);
	if (strlen(text) != 2 * sizeof id.b ||
	    kl_hex_read(text, id.b, sizeof id.b) != KL_OK)
		return KL_E_FORMAT;
	r = conversation_by_id(&c->turn, &id, out);
	if (r != KL_E_NOT_FOUND)
		return r;
	*marker = retain_marker(&c->turn, &id) == KL_OK;
	return r;
}

/* ---- all of it --------------------------------------------------------- */

struct looked_up {
	const char *text;
	bool first;			/* else only the log, from here: */
	uint64_t from;

	int found;			/* as control_subject_find */
	json_t *o;
};

/* That an operator has looked is in the log before anything is shown. v: NULL
 * if its conversation is not here, nor the reference that it has in the log. */
static int
log_query(struct core *c, const struct conversation *v)
{
	struct kl_record rec = { .event = KL_EV_QUERY };
	struct journal_leaf leaf;

	if (v != NULL)
		rec.conv_ref = v->ref;
	return journal_append(&c->journal, c->turn.txn, c->turn.now_ms, &rec,
	    c->turn.mem, &leaf);
}

static void
put(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

static void
put_all(struct core *c, const struct conversation *v, json_t *o)
{
	put(o, "conversation", control_subject_conversation(c, v));
	put(o, "consent", control_subject_consent(c, v));
	put(o, "messages", control_subject_messages(c, v));
	put(o, "waiting", control_subject_waiting(c, v));
	put(o, "withdrawals", control_subject_withdrawals(c, &v->tag));
	put(o, "erase_requests", control_subject_asked(c, v));
	put(o, "now_ms", json_integer((json_int_t)c->turn.now_ms));
	control_put_erasure(c, o);
	control_policy_put(c, o);
}

/* Only that there was one, or what was withdrawn before it came. */
static int
put_traces(struct core *c, struct looked_up *x, bool marker)
{
	struct kl_conv_id id;
	json_t *withdrawals;
	struct kl_tag tag;

	if (kl_hex_read(x->text, id.b, sizeof id.b) != KL_OK)
		return KL_OK;
	tag = vault_tag(c->turn.vault, T_CONV, KL_BYTES_OF(id));
	withdrawals = control_subject_withdrawals(c, &tag);
	if (!marker && json_array_size(withdrawals) == 0) {
		json_decref(withdrawals);
		return KL_OK;
	}
	x->o = json_pack("{s:b,s:b,s:o}", "ok", 1, "marker", marker,
	    "withdrawals", withdrawals);
	control_policy_put(c, x->o);
	return log_query(c, NULL);
}

static int
look_up_in_turn(struct core *c, void *arg)
{
	struct looked_up *x = arg;
	struct conversation v;
	uint64_t next;
	bool marker;
	json_t *log;
	int r;

	x->found = control_subject_find(c, x->text, &v, &marker);
	if (x->found == KL_E_NOT_FOUND && x->first)
		return put_traces(c, x, marker);
	if (x->found != KL_OK)
		return x->found == KL_E_FORMAT ||
		    x->found == KL_E_NOT_FOUND ? KL_OK : x->found;
	if (x->first && (r = log_query(c, &v)) != KL_OK)
		return r;
	x->o = json_pack("{s:b}", "ok", 1);
	if (x->first)
		put_all(c, &v, x->o);
	r = control_subject_log(c, &v, x->first ? v.born_leaf : x->from, &log,
	    &next);
	put(x->o, "log", log);
	if (next != 0)
		put(x->o, "next", json_integer((json_int_t)next));
	return r;
}

json_t *
control_subject(struct core *c, const json_t *question)
{
	const json_t *from = json_object_get(question, "from");
	struct looked_up x = {
		.text = json_string_value(json_object_get(question,
		    "reference")),
		.first = from == NULL,
		.from = (uint64_t)json_integer_value(from),
	};

	if (x.text == NULL || (from != NULL && json_integer_value(from) < 0))
		return control_refused(KL_C_MALFORMED);
	if (cycle_run(c, look_up_in_turn, &x) != KL_OK) {
		json_decref(x.o);
		return control_refused(KL_C_TRY_LATER);
	}
	if (x.o != NULL)
		return x.o;
	return control_refused(x.found == KL_E_FORMAT ? KL_C_MALFORMED :
	    KL_C_REFERRAL_UNKNOWN);
}
