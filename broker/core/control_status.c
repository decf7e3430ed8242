/* How the broker fares, and who takes part. */
#include "broker/core/control_priv.h"

#include <kortelijn/base/time.h>

#define WAITING_MAX 20000	/* "20000" says enough: it is very many */

/* Items in all mailboxes. */
static json_int_t
waiting(struct core *c)
{
	struct mailbox_row row;
	json_int_t n = 0;

	if (kl_kv_begin_read(c->kv, &c->turn.txn) != KL_OK)
		return -1;
	for (uint32_t p = 1; p <= c->registry.n; p++) {
		row.item = 0;
		while (n < WAITING_MAX && mailbox_next(&c->turn, p, row.item,
		    &row) == KL_OK) {
			kl_arena_reset(c->mem);
			n++;
		}
	}
	kl_kv_abort(&c->turn.txn);
	return n;
}

static json_int_t
open_sessions(const struct core *c)
{
	json_int_t n = 0;

	for (size_t i = 0; i < c->registry.n; i++)
		n += c->session[i].open && c->session[i].generation ==
		    c->generation;
	return n;
}

static json_int_t
open_conversations(const struct core *c)
{
	json_int_t n = 0;

	for (size_t i = 0; i < c->registry.n; i++)
		n += c->registry.p[i]->open_conversations;
	return n;
}

/* Who has not reported in after a loss. */
static json_t *
missing(const struct core *c)
{
	json_t *list = json_array();

	for (size_t i = 0; c->registry.must_report && i < c->registry.n;
	    i++) {
		const struct participant *p = c->registry.p[i];

		if (p->role != KL_BROKER && p->role != KL_AUDITOR &&
		    !p->reported_in)
			(void)json_array_append_new(list,
			    json_string(kl_id_text(&p->id).b));
	}
	return list;
}

/* Who fills the store with withdrawals of what nobody knows: only if one
 * does. */
static void
unknown_put(const struct core *c, json_t *o)
{
	const int32_t today = kl_day_of(kl_clock_now_ms(&c->clock));
	json_t *list = json_array();

	for (size_t i = 0; i < c->registry.n; i++) {
		const struct session *s = &c->session[i];

		if (s->withdrawals_day == today &&
		    s->withdrawals > WITHDRAWALS_UNKNOWN_TELL)
			(void)json_array_append_new(list, json_string(
			    kl_id_text(&c->registry.p[i]->id).b));
	}
	if (json_array_size(list) == 0)
		json_decref(list);
	else
		(void)json_object_set_new(o, "unknown_withdrawals",
		    json_pack("{s:o,s:i,s:s}", "participants", list,
		    "above_today", WITHDRAWALS_UNKNOWN_TELL, "next_step",
		    "call it: each is kept until its consent ends and fills "
		    "the store; 'kortelijn participant revoke' stops it"));
}

static json_t *
refusals_json(const struct core *c)
{
	json_t *o = json_object();

	for (uint32_t i = 0; i < STATS_CODES; i++)
		if (i != KL_C_OK && c->stats.answer[i] > 0)
			(void)json_object_set_new(o, kl_code_name(i),
			    json_integer((json_int_t)c->stats.answer[i]));
	return o;
}

static json_t *
requests_json(const struct core *c)
{
	json_t *o = json_object();

	for (uint32_t i = 1; i < STATS_REQUESTS; i++)
		if (c->stats.request[i] > 0)
			(void)json_object_set_new(o, kl_request_name(i),
			    json_integer((json_int_t)c->stats.request[i]));
	return o;
}

json_t *
control_status(struct core *c, const json_t *question)
{
	const struct kl_slots *slots = c->vault.slots;
	json_t *o;

	(void)question;
	o = json_pack("{s:b,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,"
	    "s:I,s:I,s:I,s:b,s:I,s:I,s:I,s:o,s:o,s:o}",
	    "ok", 1,
	    "version", KL_VERSION,
	    "realm", kl_realm_name(c->registry.realm),
	    "origin", c->journal.origin,
	    "now_ms", (json_int_t)kl_clock_now_ms(&c->clock),
	    "started_ms", (json_int_t)c->stats.started_ms,
	    "participants", (json_int_t)c->registry.n,
	    "sessions", open_sessions(c),
	    "waiting", waiting(c),
	    "open_conversations", open_conversations(c),
	    "leaves", (json_int_t)c->journal.committed.size,
	    "checkpoint_ms", (json_int_t)c->journal.note_ms,
	    "store_used_permille", (json_int_t)kl_kv_used_permille(c->kv),
	    "slots_free", (json_int_t)kl_slots_free(slots),
	    "slots", (json_int_t)kl_slots_count(slots),
	    "clock_held", c->turn.untrusted,
	    "turns", (json_int_t)c->stats.turns,
	    "turns_undone", (json_int_t)c->stats.undone,
	    "refused", (json_int_t)stats_refused(&c->stats),
	    "not_reported_in", missing(c),
	    "requests", requests_json(c),
	    "refusals", refusals_json(c));
	unknown_put(c, o);
	control_approval_status(c, o);
	control_policy_status(c, o);
	control_put_erasure(c, o);
	control_export_status(c, o);
	control_log_status(c, o);
	control_witness_status(c, o);
	control_loss_status(c, o);
	return o;
}

/* ---- participants ---- */

static const char *
card_state(const struct registry_card *k, int64_t now_ms)
{
	switch (registry_card_valid(k, now_ms)) {
	case KL_C_OK: return "valid";
	case KL_C_CARD_NOT_YET: return "not yet";
	case KL_C_CARD_EXPIRED: return "expired";
	default: return "revoked";
	}
}

static json_t *
card_json(struct core *c, const struct participant *p,
    const struct registry_card *k)
{
	const int64_t now_ms = kl_clock_now_ms(&c->clock);
	char serial[33];

	kl_hex(KL_BYTES_OF(k->serial), serial);
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:s,s:b,s:I,s:I}",
	    "id", kl_id_text(&p->id).b,
	    "role", kl_role_name(p->role),
	    "name", p->name,
	    "state", card_state(k, now_ms),
	    "not_before_ms", (json_int_t)k->not_before_ms,
	    "not_after_ms", (json_int_t)k->not_after_ms,
	    "serial", serial,
	    "session", c->session[p->number - 1].open,
	    "prekeys_until_ms", (json_int_t)registry_cover_ms(p, now_ms),
	    "open_conversations", (json_int_t)p->open_conversations);
}

json_t *
control_participants(struct core *c, const json_t *question)
{
	json_t *list = json_array();

	(void)question;
	for (size_t i = 0; i < c->registry.n; i++) {
		const struct participant *p = c->registry.p[i];

		for (size_t j = 0; j < p->n_cards; j++)
			(void)json_array_append_new(list,
			    card_json(c, p, &p->card[j]));
	}
	return json_pack("{s:b,s:o}", "ok", 1, "participants", list);
}
