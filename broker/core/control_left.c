/* What is left of a message, read back from where it was. */
#include "broker/core/control_priv.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/policy.h>

#include "broker/core/control_subject.h"
#include "broker/core/cycle.h"
#include "broker/core/tables.h"

static void
put(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

struct left {
	const char *text;
	int found;
	json_t *o;
};

/* Read back from the device: a slot that was zeroed may have a new key by
 * now, which opens nothing of before. */
static const char *
slot_name(struct core *c, const struct message *m)
{
	if (m->slot != KL_SLOT_NONE)
		return "in use";
	if (m->was == KL_SLOT_NONE)
		return "never here";
	if (kl_slots_verify_zero(c->vault.slots, m->was) == KL_OK)
		return "zeroed";
	return m->erased_leaf == 0 ? "to be zeroed" : "overwritten";
}

static json_t *
log_until(struct core *c, const struct message *m)
{
	int32_t day;
	int r = journal_until(c->turn.txn, m->leaf,
	    kl_policy_days(c->turn.policy, KL_POL_LOG_RETENTION), &day);

	return r == KL_OK ? json_string(kl_day_text(day).b) : json_null();
}

static bool
ciphertext_held(struct core *c, const struct message *m)
{
	struct kl_bytes v;
	uint8_t key[4];

	return m->slot != KL_SLOT_NONE && kl_kv_get(c->turn.txn, T_BLOB,
	    vault_slot_key(key, m->slot), &v) == KL_OK;
}

/* What only its conversation's key opens. */
static void
put_sealed(struct core *c, const struct message *m,
    const struct conversation *v, json_t *o)
{
	struct message all;

	put(o, "conversation_until_ms", json_integer((json_int_t)retain_until(
	    &c->turn, v)));
	if (message_get(&c->turn, &m->tag, v, &all) != KL_OK)
		return;
	put(o, "msg_id", CONTROL_HEX(all.id));
	put(o, "kind", json_string(kl_kind_name(all.kind)));
	put(o, "reference", control_subject_spoken(v));
}

static json_t *
left_json(struct core *c, const struct message *m)
{
	struct conversation v;
	int r = conversation_get(&c->turn, &m->conv, &v);
	json_t *o = json_pack("{s:s,s:s,s:b,s:b,s:I,s:o}",
	    "state", kl_message_state_name(m->state),
	    "slot", slot_name(c, m),
	    "ciphertext", ciphertext_held(c, m),
	    "conversation", r == KL_OK,
	    "accepted_leaf", (json_int_t)m->leaf,
	    "log_until", log_until(c, m));
	if (o == NULL)
		return NULL;
	if (m->slot != KL_SLOT_NONE || m->was != KL_SLOT_NONE)
		put(o, "slot_number", json_integer(m->slot != KL_SLOT_NONE ?
		    m->slot : m->was));
	put(o, "erased_leaf", m->erased_leaf == 0 ? json_null() :
	    json_integer((json_int_t)m->erased_leaf));
	put(o, "row_until_ms", json_integer((json_int_t)message_until(
	    &c->turn, m)));
	if (r == KL_OK)
		put_sealed(c, m, &v, o);
	return o;
}

static int
left_of_conversation(struct core *c, struct left *l,
    const struct conversation *v)
{
	json_t *list = json_array();
	struct kl_tag after = { { 0 } };
	struct message m;
	bool first = true;
	int r;

	while ((r = message_next_of(&c->turn, &v->tag, &after, first, &m)) ==
	    KL_OK) {
		first = false;
		after = m.tag;
		if (message_peek(&c->turn, &after, &m) == KL_OK)
			(void)json_array_append_new(list, left_json(c, &m));
		kl_arena_reset(c->turn.mem);
	}
	l->o = json_pack("{s:b,s:o,s:I}", "ok", 1, "messages", list,
	    "conversation_until_ms", (json_int_t)retain_until(&c->turn, v));
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
left_of_message(struct core *c, struct left *l, const struct kl_msg_id *id)
{
	struct message m;

	l->found = message_find(&c->turn, id, &m);
	if (l->found == KL_OK)
		l->o = json_pack("{s:b,s:[o]}", "ok", 1, "messages",
		    left_json(c, &m));
	return l->found == KL_E_NOT_FOUND ? KL_OK : l->found;
}

static int
left_in_turn(struct core *c, void *arg)
{
	struct left *l = arg;
	struct conversation v;
	struct kl_msg_id id;
	bool marker;

	l->found = control_subject_find(c, l->text, &v, &marker);
	if (l->found == KL_OK)
		return left_of_conversation(c, l, &v);
	if (l->found == KL_E_NOT_FOUND && marker) {
		l->o = json_pack("{s:b,s:b,s:[]}", "ok", 1, "marker", 1,
		    "messages");
		return KL_OK;
	}
	if (l->found == KL_E_NOT_FOUND && strlen(l->text) == 2 * sizeof id.b &&
	    kl_hex_read(l->text, id.b, sizeof id.b) == KL_OK)
		return left_of_message(c, l, &id);
	return l->found == KL_E_FORMAT || l->found == KL_E_NOT_FOUND ?
	    KL_OK : l->found;
}

json_t *
control_left(struct core *c, const json_t *question)
{
	struct left l = { .text = json_string_value(json_object_get(question,
	    "what")) };

	if (l.text == NULL)
		return control_refused(KL_C_MALFORMED);
	if (cycle_run(c, left_in_turn, &l) != KL_OK) {
		json_decref(l.o);
		return control_refused(KL_C_TRY_LATER);
	}
	if (l.o == NULL)
		return control_refused(l.found == KL_E_FORMAT ?
		    KL_C_MALFORMED : KL_C_REFERRAL_UNKNOWN);
	control_put_erasure(c, l.o);
	control_policy_put(c, l.o);
	return l.o;
}
