/* Checkpoints that an auditor has signed as a witness, carried by hand. */
#include "broker/core/control_priv.h"

#include <kortelijn/base/time.h>

#include "broker/core/cycle.h"
#include "broker/core/fence.h"
#include "broker/core/witness.h"

#define OVERDUE_MS (24 * KL_HOUR_MS)

/* ---- taking one ---- */

struct handed_in {
	struct kl_bytes note;
	enum kl_code code;
	size_t by;
};

static int
cosign_in_turn(struct core *c, void *arg)
{
	struct handed_in *h = arg;
	int err;

	if (fence_must_stop(c, h->note))
		return KL_E_AGAIN;
	if (!fence_is_ours(c, h->note)) {
		h->code = KL_C_OTHER_LOG;
		return KL_OK;
	}
	h->code = witness_take_all(&c->turn, &c->registry, h->note, &h->by,
	    &err);
	return err;
}

json_t *
control_cosign(struct core *c, const json_t *question)
{
	const json_t *note = json_object_get(question, "note");
	struct handed_in h = { .code = KL_C_OK };

	if (!json_is_string(note) ||
	    json_string_length(note) >= KL_NOTE_MAX)
		return control_refused(KL_C_MALFORMED);
	h.note = kl_bytes(json_string_value(note), json_string_length(note));
	if (cycle_run(c, cosign_in_turn, &h) != KL_OK)
		return control_refused(KL_C_TRY_LATER);
	return h.code != KL_C_OK ? control_refused(h.code) :
	    json_pack("{s:b,s:I}", "ok", 1, "lines", (json_int_t)h.by);
}

/* ---- how it stands ---- */

static bool
auditor_known(const struct core *c, int64_t now_ms)
{
	for (size_t i = 0; i < c->registry.n; i++)
		if (c->registry.p[i]->role == KL_AUDITOR &&
		    registry_card_now(c->registry.p[i], now_ms) != NULL)
			return true;
	return false;
}

static json_t *
seen_json(const struct core *c, const struct witness_seen *s, int64_t now_ms)
{
	json_t *by = json_array();
	int64_t at_ms = 0;

	for (size_t i = 0; i < s->n; i++) {
		(void)json_array_append_new(by, json_string(
		    kl_id_text(&s->by[i].id).b));
		if (s->by[i].at_ms > at_ms)
			at_ms = s->by[i].at_ms;
	}
	return json_pack("{s:I,s:I,s:I,s:o,s:b}",
	    "leaves", (json_int_t)s->checkpoint.size,
	    "leaves_behind", (json_int_t)(c->journal.committed.size -
	    s->checkpoint.size),
	    "at_ms", (json_int_t)at_ms, "by", by,
	    "overdue", now_ms - at_ms > OVERDUE_MS);
}

/* Nothing is said where nobody is to witness; a region that has an auditor
 * and no line yet is overdue. */
void
control_witness_status(struct core *c, json_t *o)
{
	const int64_t now_ms = kl_clock_now_ms(&c->clock);
	struct witness_seen s = { .n = 0 };
	struct kl_kv_txn *txn;
	int r = kl_kv_begin_read(c->kv, &txn);

	if (r == KL_OK) {
		r = witness_newest(txn, &c->journal, &c->registry, &s);
		kl_kv_abort(&txn);
	}
	if (r == KL_OK)
		(void)json_object_set_new(o, "witnessed",
		    seen_json(c, &s, now_ms));
	else if (r == KL_E_NOT_FOUND && auditor_known(c, now_ms))
		(void)json_object_set_new(o, "witnessed", json_pack(
		    "{s:i,s:I,s:[],s:b}", "leaves", 0, "leaves_behind",
		    (json_int_t)c->journal.committed.size, "by", "overdue",
		    1));
}
