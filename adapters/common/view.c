#include "adapters/common/view.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/slots.h>

#include "adapters/common/backup.h"
#include "adapters/common/identity.h"
#include "adapters/common/json_put.h"
#include "adapters/common/rewrap.h"
#include "adapters/common/view_alarm.h"

#define ALARMS_SHOWN 10

/* ---- members ---- */

static void
put_state(json_t *o, uint32_t state)
{
	const struct kl_state_row *row = kl_state_row(state);

	json_put_text(o, "state", kl_state_name(state));
	if (row == NULL)
		return;
	json_put_text(o, "state_nl", row->nl);
	json_put_text(o, "state_en", row->en);
}

static void
put_code(json_t *o, uint32_t code)
{
	if (code == 0 || code == KL_C_OK)
		return;
	json_put_text(o, "code", kl_code_name(code));
	json_put_text(o, "code_nl", kl_code_text_nl(code));
	json_put_text(o, "code_en", kl_code_text_en(code));
}

/* ---- cases ---- */

static void
put_parties(json_t *o, const struct config *c, const struct engine_case *k)
{
	const struct kl_id_text own = kl_id_text(&c->id);
	const struct kl_id_text peer = kl_id_text(&k->peer);

	json_put_text(o, "sender", k->mine ? own.b : peer.b);
	json_put_text(o, "receiver", k->mine ? peer.b : own.b);
	json_put_text(o, "peer", peer.b);
	json_put_text(o, "peer_name", k->peer_name[0] != '\0' ? k->peer_name :
	    peer.b);
}

static void
put_times(json_t *o, const struct engine_case *k)
{
	json_put_time(o, "created_at", k->created_ms);
	json_put_time(o, "sent_at", k->sent_ms);
	json_put_time(o, "delivered_at", k->delivered_ms);
	json_put_time(o, "changed_at", k->changed_ms);
	json_put_time(o, "deliver_by", k->deliver_by_ms);
	json_put_time(o, "answer_by", k->answer_by_ms);
	json_put_time(o, "expire_at", k->expire_at_ms);
}

static void
put_withdrawn(json_t *o, const struct engine_case *k)
{
	if (k->withdrawn == 0)
		return;
	json_put_text(o, "withdrawn", kl_scope_name(k->withdrawn));
	json_put_bool(o, "withdrawing", k->withdrawing);
	json_put_bool(o, "do_not_contact", k->cause == KL_CAUSE_SENT_IN_ERROR);
	json_put_time(o, "answer_erase_by", k->erase_by_ms);
}

json_t *
view_case(const struct config *c, const struct engine_case *k)
{
	json_t *o = json_object();

	if (o == NULL)
		return NULL;
	if (k->spoken.b[0] != '\0')
		json_put_text(o, "reference", kl_spoken_text(&k->spoken).b);
	json_put_text(o, "referral_id", k->referral_id);
	json_put_text(o, "patient_ref", k->patient_ref);
	put_state(o, c->role == KL_PRACTICE ? k->state : k->full_state);
	if (c->role != KL_PRACTICE)
		json_put_text(o, "told", kl_state_name(k->state));
	json_put_text(o, "milestone", kl_milestone_name(k->milestone));
	if (k->level != 0)
		json_put_number(o, "level", k->level - KL_LEVEL_0);
	json_put_bool(o, "open", k->open);
	json_put_bool(o, "crisis", k->crisis);
	json_put_bool(o, "corrected", k->corrected);
	json_put_bool(o, "feedback_ended", k->feedback_ended);
	put_withdrawn(o, k);
	(void)json_object_set_new(o, "alarms", view_alarm_names(k));
	json_put_bool(o, "mapped", k->mapped);
	json_put_time(o, "handed_over_at", k->handed_ms);
	json_put_time(o, "copy_until", k->copy_until_ms);
	put_parties(o, c, k);
	put_code(o, k->refused);
	json_put_number(o, "waiting", k->waiting);
	put_times(o, k);
	if (k->valid_until != 0)
		json_put_text(o, "valid_until",
		    kl_day_text((int32_t)k->valid_until).b);
	if (k->has_leaf)
		json_put_number(o, "leaf", k->leaf);
	return o;
}

int
view_cases(struct engine *e, uint64_t *after, size_t max, json_t **out)
{
	struct engine_case k;
	int r;

	if ((*out = json_array()) == NULL)
		return KL_E_MEMORY;
	while ((r = engine_case_next(e, *after, &k)) == KL_OK &&
	    json_array_size(*out) < max) {
		*after = k.number;
		if (json_array_append_new(*out, view_case(engine_config(e),
		    &k)) != 0) {
			r = KL_E_MEMORY;
			break;
		}
	}
	if (r == KL_E_NOT_FOUND)
		*after = 0;
	if (r == KL_OK || r == KL_E_NOT_FOUND)
		return KL_OK;
	json_decref(*out);
	*out = NULL;
	return r;
}

/* ---- history ---- */

static const struct { uint32_t what; const char *nl, *en; } labels[] = {
	{ ENGINE_MADE, "vastgelegd", "kept" },
	{ ENGINE_SEALED, "verzegeld", "sealed" },
	{ ENGINE_ACCEPTED, "aangenomen door de broker",
	  "accepted by the broker" },
	{ ENGINE_DELIVERED, "geopend door de ontvanger",
	  "opened by the receiver" },
	{ ENGINE_REFUSED, "geweigerd", "refused" },
	{ ENGINE_RECEIVED, "ontvangen", "received" },
	{ ENGINE_EXPIRED, "niet opgehaald, verlopen", "not collected" },
	{ ENGINE_UNCERTAIN, "aankomst onzeker: bel", "uncertain: phone" },
	{ ENGINE_DEAD, "onbestelbaar", "cannot be delivered" },
	{ ENGINE_LOST, "zoekgeraakt bij de ander", "lost at the other side" },
	{ ENGINE_SEALED_AGAIN, "opnieuw verzegeld", "sealed again" },
	{ ENGINE_GAP, "een bericht komt niet meer",
	  "one message never comes" },
	{ ENGINE_DEADLINE, "termijn verstreken", "a deadline has passed" },
	{ ENGINE_FEEDBACK_OVER, "toestemming voor terugkoppeling voorbij",
	  "consent for feedback is over" },
	{ ENGINE_FEEDBACK_WITHDRAWN,
	  "toestemming voor terugkoppeling ingetrokken",
	  "consent for feedback withdrawn" },
	{ ENGINE_WITHDRAWN, "ingetrokken", "withdrawn" },
	{ ENGINE_HIDDEN, "blijft hier: zo ver gaat de toestemming niet",
	  "kept here: the consent does not reach so far" },
	{ ENGINE_ERASED, "inhoud gewist", "content erased" },
	{ ENGINE_HANDED_OVER, "overgenomen door het zaaksysteem",
	  "taken over by the case system" },
	{ ENGINE_ATTEMPT, "poging om contact te krijgen",
	  "attempt to make contact" },
	{ ENGINE_WITHDRAWING, "intrekking vastgelegd, wordt doorgegeven",
	  "withdrawal kept, on its way" },
	{ ENGINE_ERASE_ASKED, "gevraagd te wissen; hier gewist",
	  "asked to erase; erased here" },
	{ ENGINE_ERASE_ANSWERED, "wissen beantwoord", "erasure answered" },
	{ ENGINE_ERASE_TOLD, "andere kant meldt over wissen",
	  "other side tells about erasing" },
	{ ENGINE_ERASE_MISSING, "antwoord op wissen blijft uit",
	  "no answer about erasing" },
};

static void
put_kind(json_t *o, uint32_t kind)
{
	static const char *const nl[] = {
		[KL_REFERRAL] = "verwijzing", [KL_CORRECTION] = "correctie",
		[KL_FEEDBACK] = "terugkoppeling",
	};

	json_put_text(o, "kind", kl_kind_name(kind));
	json_put_text(o, "kind_en", kl_kind_name(kind));
	if (kind < sizeof nl / sizeof nl[0])
		json_put_text(o, "kind_nl", nl[kind]);
}

static void
put_label(json_t *o, uint32_t what)
{
	for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
		if (labels[i].what == what) {
			json_put_text(o, "label_nl", labels[i].nl);
			json_put_text(o, "label_en", labels[i].en);
		}
}

static void
put_feedback(json_t *o, const struct kl_feedback *f)
{
	json_t *b;

	if (f->code == 0 || (b = json_object()) == NULL)
		return;
	put_state(b, f->code);
	if (f->category != 0)
		json_put_text(b, "category", kl_list_name(KL_LIST_CATEGORY,
		    f->category));
	if (f->ground != 0)
		json_put_text(b, "ground", kl_list_name(KL_LIST_GROUND,
		    f->ground));
	if (f->wanted != 0)
		json_put_text(b, "wanted", kl_list_name(KL_LIST_WANTED,
		    f->wanted));
	if (f->day != 0)
		json_put_text(b, "date", kl_day_text(f->day).b);
	(void)json_object_set_new(o, "feedback", b);
}

/* Names of the fields that a correction changed. */
static void
put_changed(json_t *o, uint64_t changed)
{
	const struct kl_field *f;
	json_t *a = json_array();

	for (size_t i = 0; (f = kl_field_at(i)) != NULL && i < 64; i++)
		if ((changed >> i & 1) != 0)
			(void)json_array_append_new(a, json_string(f->path));
	(void)json_object_set_new(o, "changed", a);
}

static json_t *
view_step(const struct config *c, const struct engine_step *s)
{
	json_t *o = json_object();

	if (o == NULL)
		return NULL;
	json_put_number(o, "n", s->n);
	json_put_time(o, "at", s->at_ms);
	json_put_text(o, "what", engine_what_name(s->what));
	put_label(o, s->what);
	if (s->kind != 0) {
		put_kind(o, s->kind);
		json_put_bool(o, "ours", s->ours);
	}
	put_state(o, s->state);
	put_code(o, s->code);
	if (s->what == ENGINE_ACCEPTED || s->what == ENGINE_RECEIVED)
		json_put_number(o, "leaf", s->leaf);
	put_feedback(o, &s->feedback);
	if (s->kind == KL_CORRECTION && !s->ours &&
	    s->what == ENGINE_RECEIVED && c->role != KL_PRACTICE)
		put_changed(o, s->changed);
	return o;
}

int
view_history(struct engine *e, const struct engine_case *k, json_t **out)
{
	struct engine_step s = { .n = 0 };
	int r;

	if ((*out = json_array()) == NULL)
		return KL_E_MEMORY;
	while ((r = engine_step_next(e, &k->conv, s.n, &s)) == KL_OK)
		if (json_array_append_new(*out, view_step(engine_config(e),
		    &s)) != 0) {
			r = KL_E_MEMORY;
			break;
		}
	if (r == KL_E_NOT_FOUND)
		return KL_OK;
	json_decref(*out);
	*out = NULL;
	return r;
}

static bool
member_is(const json_t *o, const char *key, const char *value)
{
	const char *v = json_string_value(json_object_get(o, key));

	return v != NULL && strcmp(v, value) == 0;
}

static void
receipt_add(json_t *a, const char *level, const json_t *step)
{
	json_t *o = json_object();
	json_t *leaf = json_object_get(step, "leaf");

	json_put_text(o, "level", level);
	(void)json_object_set(o, "at", json_object_get(step, "at"));
	if (leaf != NULL)
		(void)json_object_set(o, "leaf", leaf);
	(void)json_array_append_new(a, o);
}

json_t *
view_receipts(const json_t *history)
{
	json_t *a = json_array();
	const json_t *s;
	bool up = false;
	size_t i;

	json_array_foreach(history, i, s) {
		const json_t *f = json_object_get(s, "feedback");

		if (member_is(s, "kind", "referral") && member_is(s, "what",
		    engine_what_name(ENGINE_ACCEPTED)))
			receipt_add(a, "accepted", s);
		if (member_is(s, "kind", "referral") && member_is(s, "what",
		    engine_what_name(ENGINE_DELIVERED)))
			receipt_add(a, "opened", s);
		if (f != NULL && !up && !member_is(f, "state",
		    "not_taken_on")) {
			receipt_add(a, "taken_up", s);
			up = true;
		}
	}
	return a;
}

/* ---- status ---- */

/* The last ALARMS_SHOWN of them, oldest first. */
static int
put_alarms(struct engine *e, json_t *o)
{
	struct engine_alarm a = { .seq = 0 };
	json_t *list = json_array();
	int r;

	while ((r = engine_alarm_next(e, a.seq, &a)) == KL_OK) {
		(void)json_array_append_new(list, view_alarm(e, &a));
		if (json_array_size(list) > ALARMS_SHOWN)
			(void)json_array_remove(list, 0);
	}
	(void)json_object_set_new(o, "newest_alarms", list);
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static void
put_who(json_t *o, const struct config *c)
{
	json_put_text(o, "id", kl_id_text(&c->id).b);
	json_put_text(o, "name", c->name);
	json_put_text(o, "role", kl_role_name(c->role));
	json_put_text(o, "realm", kl_realm_name(c->realm));
}

void
view_put_erasure(const struct engine *e, json_t *o)
{
	const struct rewrap_status s = rewrap_status(e);

	if (o == NULL)
		return;
	json_put_text(o, "erasure",
	    engine_config(e)->erasure == KL_ERASURE_VERIFIED ?
	    "verified" : "best-effort");
	json_put_text(o, "master_key",
	    s.sealed ? "sealed" : "beside the slots");
	json_put_time(o, "rewrapped_at", s.at_ms);
	json_put_bool(o, "rewrap_overdue", s.overdue);
}

void
view_put_backup(const struct engine *e, json_t *o)
{
	const struct backup_status s = backup_status(e);

	if (o == NULL)
		return;
	json_put_time(o, "backup_at", s.at_ms);
	json_put_bool(o, "backup_overdue", s.overdue);
	json_put_bool(o, "recovery_key", s.key);
}

int
view_status(struct engine *e, json_t **out)
{
	struct engine_status s;
	json_t *o;
	int r;

	*out = NULL;
	if ((r = engine_status(e, &s)) != KL_OK)
		return r;
	if ((o = json_object()) == NULL)
		return KL_E_MEMORY;
	put_who(o, engine_config(e));
	json_put_text(o, "broker", s.broker);
	json_put_text(o, "session", engine_session_name(s.session));
	put_code(o, s.code);
	if (s.clock_known)
		(void)json_object_set_new(o, "clock_off_ms",
		    json_integer(s.clock_off_ms));
	json_put_bool(o, "may_seal", s.may_seal);
	json_put_number(o, "epoch", s.epoch);
	json_put_number(o, "waiting", s.waiting);
	json_put_number(o, "receipts_waiting", s.receipts);
	json_put_number(o, "cases", s.cases);
	json_put_number(o, "open_cases", s.open_cases);
	json_put_time(o, "card_until", engine_identity(e)->card_until_ms);
	json_put_time(o, "prekeys_until", s.prekeys_until_ms);
	json_put_number(o, "directory", s.directory);
	json_put_text(o, "log_origin", s.origin);
	json_put_number(o, "log_size", s.log_size);
	json_put_time(o, "checkpoint_at", s.checkpoint_ms);
	json_put_number(o, "slots_free", s.slots_free);
	view_put_erasure(e, o);
	view_put_backup(e, o);
	json_put_number(o, "store_permille", s.store_permille);
	json_put_text(o, "hold", engine_hold(e));
	json_put_number(o, "alarms", s.alarms);
	json_put_number(o, "open_alarms", s.open_alarms);
	if ((r = put_alarms(e, o)) != KL_OK) {
		json_decref(o);
		return r;
	}
	*out = o;
	return KL_OK;
}

json_t *
view_refusal(const struct kl_finding *why)
{
	static const char *const retry[] = {
		[KL_RETRY_NEVER] = "never", [KL_RETRY_LATER] = "later",
		[KL_RETRY_REPAIR] = "after_repair",
	};

	return json_pack("{s:b,s:s,s:s,s:s,s:s,s:s}", "ok", 0,
	    "code", kl_code_name(why->code), "field", why->field,
	    "en", kl_code_text_en(why->code),
	    "nl", kl_code_text_nl(why->code),
	    "retry", retry[kl_code_retry(why->code)]);
}
