/* After a loss: who has reported in, who is missing and whom to call. */
#include "broker/core/control_priv.h"

#include <stdlib.h>

#include "broker/core/loss.h"

/* Of its PROFILE, once it has published one here. */
static json_t *
phone_of(struct core *c, const struct participant *p)
{
	struct kl_directory_reply page;
	struct kl_profile profile;
	struct kl_entry e;
	struct kl_signed s;

	kl_arena_reset(c->mem);
	if (p->profile == 0 || registry_page(&c->registry, c->turn.txn,
	    p->profile - 1, c->mem, &page) != KL_OK || page.n_entry == 0 ||
	    KL_MESSAGE_READ(KL_M_ENTRY, page.entry[0], c->mem, &e) !=
	    KL_C_OK || e.statement != KL_PROFILE ||
	    kl_signed_read(e.content, c->mem, &s) != KL_C_OK ||
	    KL_STATEMENT_READ(KL_PROFILE, s.body, c->mem, &profile) !=
	    KL_C_OK || profile.phone.n == 0)
		return json_null();
	return json_stringn((const char *)profile.phone.p, profile.phone.n);
}

static json_t *
participant_json(struct core *c, const struct participant *p,
    uint32_t waits)
{
	return json_pack("{s:s,s:s,s:s,s:b,s:I,s:b,s:I,s:o}",
	    "id", kl_id_text(&p->id).b,
	    "name", p->name,
	    "role", kl_role_name(p->role),
	    "reported_in", p->reported_in,
	    "reported_in_ms", (json_int_t)loss_reported_ms(c, p),
	    "connected", c->session[p->number - 1].open,
	    "conversations_wait", (json_int_t)waits,
	    "phone", phone_of(c, p));
}

static json_t *
participants_json(struct core *c, const struct loss_waits *w,
    json_int_t *asked, json_int_t *in)
{
	json_t *list = json_array();

	*asked = *in = 0;
	for (size_t i = 0; i < c->registry.n; i++) {
		const struct participant *p = c->registry.p[i];

		if (!loss_asks(p))
			continue;
		(*asked)++;
		*in += p->reported_in;
		(void)json_array_append_new(list, participant_json(c, p,
		    i < w->cap ? w->by[i] : 0));
	}
	return list;
}

static void
put_previous(const struct core *c, json_t *o)
{
	struct kl_checkpoint last;

	if (kl_note_verify(kl_bytes_str(c->journal.previous.b),
	    &c->journal.pk, &last) != KL_OK)
		return;
	(void)json_object_set_new(o, "previous_log",
	    json_string(last.origin));
	(void)json_object_set_new(o, "previous_leaves",
	    json_integer((json_int_t)last.size));
}

static json_t *
loss_json(struct core *c, struct loss_waits *w)
{
	json_int_t asked, in;
	json_t *list, *o;

	if (loss_count(c, w) != KL_OK)
		w->more = true;
	list = participants_json(c, w, &asked, &in);
	o = json_pack("{s:I,s:I,s:I,s:I,s:I,s:b,s:o}",
	    "began_ms", (json_int_t)c->registry.lost_ms,
	    "asked", asked, "reported_in", in,
	    "conversations", (json_int_t)w->open,
	    "conversations_wait", (json_int_t)w->wait,
	    "more_conversations", w->more,
	    "participants", list);
	put_previous(c, o);
	return o;
}

void
control_loss_status(struct core *c, json_t *o)
{
	struct loss_waits w = { .cap = c->registry.n };

	if (!c->registry.must_report)
		return;
	w.by = calloc(w.cap + 1, sizeof *w.by);
	if (w.by != NULL && kl_kv_begin_read(c->kv, &c->turn.txn) == KL_OK) {
		(void)json_object_set_new(o, "loss", loss_json(c, &w));
		kl_kv_abort(&c->turn.txn);
		kl_arena_reset(c->mem);
	}
	free(w.by);
}
