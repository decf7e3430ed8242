#include "proto/audit/report_data.h"

#include <stdio.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>

#include "proto/audit/report_rules.h"
#include "proto/cli/output.h"

static json_t *
kinds(const uint32_t n[AUDIT_MEASURE_KINDS])
{
	return json_pack("{s:I,s:I,s:I}", "referral",
	    (json_int_t)n[KL_REFERRAL], "correction",
	    (json_int_t)n[KL_CORRECTION], "feedback",
	    (json_int_t)n[KL_FEEDBACK]);
}

static json_t *
within(const struct audit_spread *s, uint32_t permille)
{
	uint32_t v;

	return audit_spread_within(s, permille, &v) ?
	    json_integer((json_int_t)v) : json_null();
}

static json_t *
spread(const struct audit_spread *s)
{
	return json_pack("{s:I,s:I,s:I,s:o,s:o}", "done", (json_int_t)s->n,
	    "open", (json_int_t)s->open, "fell_away", (json_int_t)s->gone,
	    "half_within", within(s, 500), "nine_of_ten_within",
	    within(s, 900));
}

static json_t *
due(const struct audit_due *d)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "kept",
	    (json_int_t)d->kept, "late", (json_int_t)d->late, "missed",
	    (json_int_t)d->missed, "running", (json_int_t)d->running,
	    "fell_away", (json_int_t)d->lapsed);
}

static json_t *
json_of(const struct audit_of *o)
{
	static const char *const names[AUDIT_STEPS] = { "collected",
		"taken_up", "in_progress", "ended" };
	json_t *minutes = json_object(), *days = json_object();

	for (size_t i = 0; i < AUDIT_STEPS; i++) {
		(void)json_object_set_new(minutes, names[i],
		    spread(&o->minutes[i]));
		(void)json_object_set_new(days, names[i],
		    spread(&o->days[i]));
	}
	return json_pack("{s:o,s:o,s:I,s:I,s:o,s:o,s:o,s:o,s:I,s:I,s:I,s:I}",
	    "sent", kinds(o->sent), "received", kinds(o->received),
	    "refused", (json_int_t)o->refused, "referrals",
	    (json_int_t)o->referrals, "minutes", minutes, "working_days",
	    days, "deliver_by", due(&o->deliver), "answer_by",
	    due(&o->answer), "returned", (json_int_t)o->returned, "expired",
	    (json_int_t)o->expired, "dead", (json_int_t)o->dead,
	    "withdrawn", (json_int_t)o->withdrawn);
}

static json_t *
json_orgs(const struct audit_report_audit *r)
{
	json_t *list = json_array(), *o;

	for (uint32_t i = 0; i < r->m->orgs.n; i++) {
		const struct kl_id *id = &r->m->orgs.ids[i];
		const char *name = audit_names_of(r->names, id);

		o = json_of(&r->m->of[i]);
		(void)json_object_set_new(o, "id", output_id(id));
		if (name != NULL)
			(void)json_object_set_new(o, "name",
			    json_string(name));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *
json_pairs(const struct audit_report_audit *r)
{
	const struct audit_measure *m = r->m;
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < m->n_pairs; i++) {
		o = kinds(m->pairs[i].n);
		(void)json_object_set_new(o, "from",
		    output_id(&m->orgs.ids[m->pairs[i].from]));
		(void)json_object_set_new(o, "to",
		    output_id(&m->orgs.ids[m->pairs[i].to]));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *
json_months(const struct audit_measure *m)
{
	json_t *list = json_array(), *o;
	char text[24];

	for (size_t i = 0; i < m->n_months; i++) {
		(void)snprintf(text, sizeof text, "%d-%02d",
		    m->months[i].month / 12, m->months[i].month % 12 + 1);
		o = kinds(m->months[i].n);
		(void)json_object_set_new(o, "month", json_string(text));
		(void)json_object_set_new(o, "refused",
		    json_integer((json_int_t)m->months[i].refused));
		(void)json_object_set_new(o, "withdrawn",
		    json_integer(m->months[i].withdrawn));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *
json_codes(const uint64_t *n)
{
	json_t *o = json_object();

	for (uint32_t i = 0; i < AUDIT_MEASURE_CODES; i++)
		if (n[i] > 0)
			(void)json_object_set_new(o, kl_code_name(i),
			    json_integer((json_int_t)n[i]));
	return o;
}

static json_t *
json_events(const struct audit_measure *m)
{
	json_t *o = json_object();

	for (uint32_t i = 1; i < AUDIT_MEASURE_EVENTS; i++)
		if (m->events[i] > 0)
			(void)json_object_set_new(o, kl_event_name(i),
			    json_integer((json_int_t)m->events[i]));
	return o;
}

static json_t *
json_erasing(const struct audit_erasing *e)
{
	return json_pack("{s:I,s:I,s:I,s:o,s:I,s:o,s:o,s:I}", "all",
	    (json_int_t)e->all, "feedback_only",
	    (json_int_t)e->feedback_only, "shown_again",
	    (json_int_t)e->shown_again, "minutes_to_erased",
	    spread(&e->erased), "nothing_held", (json_int_t)e->nothing_held,
	    "minutes_to_receipt", spread(&e->receipt), "receipt_due",
	    due(&e->due), "escalated", (json_int_t)e->escalated);
}

static json_t *
json_looser(const struct audit_report_audit *r)
{
	json_t *list = json_array(), *o;
	struct audit_report_rules_list l;

	audit_report_rules_looser(r, &l);
	for (size_t i = 0; i < l.n && i < AUDIT_REPORT_LOOSER_MAX; i++) {
		const struct audit_report_rules_looser *v = &l.v[i];

		o = json_pack("{s:s,s:s,s:s,s:b,s:s,s:s}", "key",
		    kl_policy_row(v->key)->key, "value",
		    kl_term_text(v->key, v->value).b, "default",
		    kl_term_text(v->key, kl_policy_row(v->key)->value).b,
		    "counted", (int)v->counted, "approved_by",
		    v->by->approved_by, "legal_basis", v->by->legal_basis);
		(void)json_object_set_new(o, "from",
		    output_time(v->from * KL_MINUTE_MS));
		(void)json_object_set_new(o, "to", v->to == INT64_MAX ?
		    json_null() : output_time(v->to * KL_MINUTE_MS));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *
json_policies(const struct audit_report_audit *r)
{
	json_t *list = json_array(), *o;
	char hex[65];

	for (size_t i = 0; i < r->n_loads; i++) {
		kl_hex(KL_BYTES_OF(r->loads[i].hash), hex);
		o = json_pack("{s:I,s:s,s:b}", "leaf",
		    (json_int_t)r->loads[i].leaf, "sha256", hex, "held",
		    (int)r->loads[i].held);
		(void)json_object_set_new(o, "time", output_time(
		    r->loads[i].minute * KL_MINUTE_MS));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *
json_holds(const struct audit_moments *h)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < h->n && i < AUDIT_MEASURE_LISTED_MAX; i++) {
		o = json_pack("{s:b,s:I}", "held",
		    (int)(h->m[i].reason != KL_C_OK), "count",
		    (json_int_t)h->m[i].count);
		(void)json_object_set_new(o, "time",
		    output_time(h->m[i].minute * KL_MINUTE_MS));
		(void)json_array_append_new(list, o);
	}
	return list;
}

static json_t *
json_log(const struct audit_report_audit *r)
{
	const struct audit_report_head *h = &r->head;
	json_t *o = json_pack("{s:s,s:I,s:I,s:I}", "origin",
	    h->newest.origin, "size", (json_int_t)h->newest.size, "witnessed",
	    (json_int_t)h->witnessed, "witnesses", (json_int_t)h->n_witnesses);

	if (h->signed_ms != 0)
		(void)json_object_set_new(o, "signed",
		    output_time(h->signed_ms));
	if (r->state == NULL)
		return o;
	(void)json_object_set_new(o, "erasure", json_string(
	    r->state->erasure == KL_STATE_VERIFIED ? "verified" :
	    "best-effort"));
	(void)json_object_set_new(o, "master_key", json_string(
	    r->state->master_key == KL_STATE_SEALED ? "sealed" : "beside"));
	if (r->state->checked_ms != 0)
		(void)json_object_set_new(o, "read_again",
		    output_time(r->state->checked_ms));
	return o;
}

json_t *
audit_report_data_json(const struct audit_report_audit *r)
{
	const struct audit_measure *m = r->m;
	json_t *o = json_pack("{s:I,s:b,s:o,s:o,s:o,s:o}", "records",
	    (json_int_t)m->records, "partial", (int)r->partial, "all",
	    json_of(&m->all), "organisations", json_orgs(r), "pairs",
	    json_pairs(r), "months", json_months(m));

	if (o == NULL)
		return NULL;
	if (m->from != 0)
		(void)json_object_set_new(o, "from",
		    output_time(m->from * KL_MINUTE_MS));
	if (m->to != INT64_MAX)
		(void)json_object_set_new(o, "to",
		    output_time(m->to * KL_MINUTE_MS));
	(void)json_object_set_new(o, "events", json_events(m));
	(void)json_object_set_new(o, "refused", json_codes(m->refused));
	(void)json_object_set_new(o, "turned_back", json_codes(m->dead));
	(void)json_object_set_new(o, "waited_feedback",
	    spread(&m->waited[KL_FEEDBACK]));
	(void)json_object_set_new(o, "withdrawals",
	    json_erasing(&m->erasing));
	(void)json_object_set_new(o, "policies", json_policies(r));
	(void)json_object_set_new(o, "looser", json_looser(r));
	(void)json_object_set_new(o, "holds", json_holds(&m->holds));
	(void)json_object_set_new(o, "log", json_log(r));
	return o;
}
