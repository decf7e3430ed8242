/* What core holds on one referral, part by part, behind control_subject.h. */
#include "broker/core/control_subject.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/policy.h>

#include "broker/core/find.h"
#include "broker/core/withdraw_row.h"

#define LOG_ROWS 2048		/* of the log, looked at in one turn */
#define WAITING_MAX 20000	/* rows of mailboxes that are looked at */

static void
put(json_t *o, const char *key, json_t *value)
{
	(void)json_object_set_new(o, key, value);
}

static void
put_ms(json_t *o, const char *key, int64_t ms)
{
	put(o, key, ms == 0 ? json_null() : json_integer((json_int_t)ms));
}

json_t *
control_subject_hex(struct kl_bytes b)
{
	char hex[2 * sizeof(struct kl_hash) + 1];

	if (b.n > sizeof(struct kl_hash) || kl_bytes_zero(b))
		return json_null();
	kl_hex(b, hex);
	return json_string(hex);
}

json_t *
control_subject_spoken(const struct conversation *v)
{
	struct kl_spoken s = { "" };

	memcpy(s.b, v->spoken, sizeof v->spoken);
	return json_string(kl_spoken_text(&s).b);
}

static json_t *
unread(int err)
{
	return json_pack("{s:s}", "unread", kl_err_text(err));
}

/* ---- the conversation --------------------------------------------------- */

static const char *
state_name(uint32_t state)
{
	static const char *const names[] = { [KL_CONV_OPEN] = "open",
		[KL_CONV_ENDED] = "ended", [KL_CONV_WITHDRAWN] = "withdrawn",
		[KL_CONV_EXPIRED] = "expired" };

	return state >= KL_CONV_OPEN && state <= KL_CONV_EXPIRED ?
	    names[state] : "?";
}

json_t *
control_subject_conversation(struct core *c, const struct conversation *v)
{
	json_t *o = json_pack("{s:o,s:o,s:o,s:s,s:s,s:s,s:s,s:b,s:b,s:i,s:I,"
	    "s:I,s:o,s:o,s:o}",
	    "reference", control_subject_spoken(v),
	    "conv_id", CONTROL_HEX(v->id),
	    "conv_ref", CONTROL_HEX(v->ref),
	    "sender", kl_id_text(&v->sender).b,
	    "receiver", kl_id_text(&v->receiver).b,
	    "state", state_name(v->state),
	    "milestone", kl_milestone_name(v->milestone),
	    "delivered", v->delivered,
	    "reopened", v->reopened,
	    "feedback_level", (int)v->level - 1,
	    "seq_sender", (json_int_t)v->seq_sender,
	    "seq_receiver", (json_int_t)v->seq_receiver,
	    "referral_hash", CONTROL_HEX(v->referral),
	    "consent_hash", CONTROL_HEX(v->consent),
	    "under", CONTROL_HEX(v->under));

	if (o == NULL)
		return NULL;
	put_ms(o, "begun_ms", v->begun_ms);
	put_ms(o, "quiet_ms", v->quiet_ms);
	put_ms(o, "ended_ms", v->ended_ms);
	put_ms(o, "kept_until_ms", retain_until(&c->turn, v));
	put(o, "marker_until", json_string(kl_day_text(
	    (int32_t)v->valid_until).b));
	return o;
}

/* ---- the consent -------------------------------------------------------- */

static json_t *
ids_json(const struct kl_id *id, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list,
		    json_string(kl_id_text(&id[i]).b));
	return list;
}

static json_t *
header_json(const struct kl_header *h)
{
	json_t *o = json_pack("{s:s,s:s,s:i,s:i,s:s,s:o,s:o,s:o,s:o}",
	    "sender_role", kl_staff_role_name(h->sender_role),
	    "milestone", kl_milestone_name(h->milestone),
	    "feedback_level", (int)h->feedback_level - 1,
	    "content_schema", (int)h->content_schema,
	    /* A header with another is refused. */
	    "purpose", "referral_with_consent",
	    "staff_ref", CONTROL_HEX(h->staff_ref),
	    "replaces", CONTROL_HEX(h->replaces),
	    "sender_key_id", CONTROL_HEX(h->sender_key_id),
	    "prekey_id", CONTROL_HEX(h->prekey_id));

	if (o == NULL)
		return NULL;
	put_ms(o, "created_ms", h->created_ms);
	put_ms(o, "deliver_by_ms", h->deliver_by_ms);
	put_ms(o, "answer_by_ms", h->answer_by_ms);
	put_ms(o, "expire_at_ms", h->expire_at_ms);
	return o;
}

static json_t *
consent_json(const struct kl_consent *k)
{
	return json_pack("{s:s,s:i,s:s,s:i,s:s,s:s,s:b,s:o,s:o}",
	    "held", "signed",
	    "feedback_level", (int)k->feedback_level - 1,
	    "form", kl_form_name(k->form),
	    "info_text_version", (int)k->info_text_version,
	    "given_on", kl_day_text((int32_t)k->given_on).b,
	    "valid_until", kl_day_text((int32_t)k->valid_until).b,
	    "recorded_in_his", 1,
	    "preview_hash", CONTROL_HEX(k->preview_hash),
	    "onward_to", ids_json(k->onward_to, k->n_onward_to));
}

/* As the conversation has it, while the signed one waits with its message. */
static json_t *
consent_taken(const struct conversation *v)
{
	return json_pack("{s:s,s:i,s:s,s:s,s:o}",
	    "held", "taken over",
	    "feedback_level", (int)v->level - 1,
	    "given_on", kl_day_text((int32_t)v->given_on).b,
	    "valid_until", kl_day_text((int32_t)v->valid_until).b,
	    "onward_to", ids_json(v->onward_to, v->n_onward));
}

static json_t *
base64_json(struct kl_bytes b)
{
	char text[2 * KL_STATEMENT_MAX];

	return kl_base64(b, text, sizeof text) == KL_OK ?
	    json_string(text) : json_null();
}

json_t *
control_subject_consent(struct core *c, const struct conversation *v)
{
	struct kl_envelope e;
	struct kl_bytes body;
	struct kl_signed s;
	json_t *o;
	int r = conversation_body(&c->turn, v, &body);

	if (r == KL_E_NOT_FOUND)
		return consent_taken(v);
	if (r != KL_OK ||
	    kl_signed_read(body, c->turn.mem, &s) != KL_C_OK ||
	    kl_envelope_read(s.body, c->turn.mem, &e) != KL_C_OK)
		return unread(r != KL_OK ? r : KL_E_DAMAGED);
	if ((o = consent_json(&e.consent)) == NULL)
		return NULL;
	put(o, "header", header_json(&e.header));
	put(o, "signed_referral", base64_json(body));
	return o;
}

/* ---- messages ----------------------------------------------------------- */

static void
put_envelope(struct core *c, const struct message *m, json_t *o)
{
	struct kl_envelope e;
	struct kl_bytes packed;
	struct kl_signed s;

	put(o, "ciphertext", json_string(m->slot != KL_SLOT_NONE ? "held" :
	    "erased"));
	if (m->slot == KL_SLOT_NONE ||
	    message_envelope(&c->turn, m, &packed) != KL_OK ||
	    kl_signed_read(packed, c->turn.mem, &s) != KL_C_OK ||
	    kl_envelope_read(s.body, c->turn.mem, &e) != KL_C_OK)
		return;
	put(o, "header", header_json(&e.header));
	put(o, "signed_envelope", base64_json(packed));
}

static json_t *
message_json(struct core *c, const struct message *m)
{
	json_t *o = json_pack("{s:o,s:o,s:s,s:s,s:s,s:s,s:I,s:I,s:o}",
	    "msg_id", CONTROL_HEX(m->id),
	    "msg_ref", CONTROL_HEX(m->ref),
	    "kind", kl_kind_name(m->kind),
	    "from", kl_id_text(&m->from).b,
	    "to", kl_id_text(&m->to).b,
	    "state", kl_message_state_name(m->state),
	    "seq", (json_int_t)m->seq,
	    "accepted_leaf", (json_int_t)m->leaf,
	    "body_hash", CONTROL_HEX(m->body_hash));

	if (o == NULL)
		return NULL;
	if (m->outcome != 0)
		put(o, "receipt", json_pack("{s:s,s:I}",
		    "outcome", kl_outcome_name(m->outcome),
		    "leaf", (json_int_t)m->receipt_leaf));
	put_ms(o, "expire_at_ms", m->expire_ms);
	put_ms(o, "kept_until_ms", message_until(&c->turn, m));
	put_envelope(c, m, o);
	return o;
}

json_t *
control_subject_messages(struct core *c, const struct conversation *v)
{
	const size_t mark = kl_arena_mark(c->turn.mem);
	json_t *list = json_array();
	struct kl_tag after = { { 0 } };
	struct message m;
	bool first = true;
	int r;

	while (message_next_of(&c->turn, &v->tag, &after, first, &m) ==
	    KL_OK) {
		first = false;
		after = m.tag;
		r = message_get(&c->turn, &after, v, &m);
		(void)json_array_append_new(list, r == KL_OK ?
		    message_json(c, &m) : unread(r));
		kl_arena_release(c->turn.mem, mark);
	}
	return list;
}

/* ---- what waits --------------------------------------------------------- */

static void
put_notice(struct kl_bytes body, struct kl_arena *mem, json_t *o)
{
	static const char *const names[] = {
		[KL_NOTICE_EXPIRED] = "expired",
		[KL_NOTICE_UNCERTAIN] = "uncertain",
		[KL_NOTICE_DEAD] = "dead",
		[KL_NOTICE_LOST_AT_RECEIVER] = "lost_at_receiver",
		[KL_NOTICE_GAP] = "gap",
		[KL_NOTICE_ERASE_REQUEST] = "erase_request",
		[KL_NOTICE_WITHDRAWN] = "withdrawn",
		[KL_NOTICE_CONSENT_ENDED] = "consent_ended",
		[KL_NOTICE_DEADLINE] = "deadline",
		[KL_NOTICE_ESCALATION] = "escalation",
		[KL_NOTICE_LATE] = "late",
	};
	struct kl_notice n;

	if (KL_STATEMENT_READ(KL_NOTICE, body, mem, &n) != KL_C_OK)
		return;
	put(o, "notice", json_string(names[n.notice]));
	put(o, "code", json_string(kl_code_name(n.code)));
	put_ms(o, "at_ms", n.at_ms);
	put_ms(o, "due_ms", n.due_ms);
}

/* A statement for `to`, as it lies in its mailbox. */
static json_t *
waiting_json(struct core *c, const struct conversation *v,
    const struct mailbox_row *row, const struct participant *to)
{
	struct kl_bytes packed, ct;
	struct kl_signed s;
	struct kl_item i;
	json_t *o = json_pack("{s:s,s:I,s:s}", "for", kl_id_text(&to->id).b,
	    "item", (json_int_t)row->item, "statement",
	    kl_statement_name(row->sort - 1));

	if (o == NULL || mailbox_render(&c->turn, v, row, NULL, &packed,
	    &ct) != KL_OK ||
	    KL_MESSAGE_READ(KL_M_ITEM, packed, c->turn.mem, &i) != KL_C_OK ||
	    kl_signed_read(i.content, c->turn.mem, &s) != KL_C_OK)
		return o;
	if (row->sort == KL_NOTICE + 1)
		put_notice(s.body, c->turn.mem, o);
	put(o, "signed", base64_json(i.content));
	return o;
}

json_t *
control_subject_waiting(struct core *c, const struct conversation *v)
{
	const size_t mark = kl_arena_mark(c->turn.mem);
	json_t *list = json_array();
	struct mailbox_row row;
	int left = WAITING_MAX;

	for (size_t i = 0; i < c->registry.n; i++) {
		const struct participant *p = c->registry.p[i];

		row.item = 0;
		while (left-- > 0 && mailbox_next(&c->turn, p->number,
		    row.item, &row) == KL_OK) {
			if (row.sort != KL_SORT_ENVELOPE &&
			    row.item > v->born_item &&
			    memcmp(row.conv.b, v->tag.b,
			    sizeof v->tag.b) == 0)
				(void)json_array_append_new(list,
				    waiting_json(c, v, &row, p));
			kl_arena_release(c->turn.mem, mark);
		}
	}
	return list;
}

/* ---- withdrawals -------------------------------------------------------- */

static json_t *
withdrawal_json(const struct withdraw_row *row)
{
	return json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:o}",
	    "scope", kl_scope_name(row->scope),
	    "cause", kl_cause_name(row->cause),
	    "leaf", (json_int_t)row->counts.leaf,
	    "erased", (json_int_t)row->counts.erased,
	    "released_before", (json_int_t)row->counts.released_before,
	    "unconfirmed", (json_int_t)row->counts.unconfirmed,
	    "signed", base64_json(row->packed));
}

json_t *
control_subject_withdrawals(struct core *c, const struct kl_tag *tag)
{
	json_t *list = json_array();

	for (uint32_t scope = KL_SCOPE_ALL; scope <= KL_SCOPE_FEEDBACK;
	    scope++) {
		struct withdraw_row row = { .conv = *tag, .scope = scope };

		if (withdraw_row_get(&c->turn, &row) == KL_OK)
			(void)json_array_append_new(list,
			    withdrawal_json(&row));
		while (withdraw_row_next(&c->turn, &row) == KL_OK)
			(void)json_array_append_new(list,
			    withdrawal_json(&row));
	}
	return list;
}

static json_t *
asked_json(struct core *c, const struct owed *o)
{
	static const char *const states[] = { [OWED_OPEN] = "open",
		[OWED_ESCALATED] = "escalated",
		[OWED_ANSWERED] = "answered" };
	static const char *const said[] = { [KL_ERASED] = "erased",
		[KL_KEPT_ON_OWN_BASIS] = "kept",
		[KL_NOTHING_HELD] = "nothing_held" };
	const struct participant *p = registry_by_number(&c->registry,
	    o->number);
	json_t *row = json_pack("{s:s,s:s,s:o}",
	    "asked", p == NULL ? "" : kl_id_text(&p->id).b,
	    "state", states[o->state],
	    "withdrawal", CONTROL_HEX(o->withdrawal));

	put_ms(row, "due_ms", o->due_ms);
	if (o->state != OWED_ANSWERED)
		return row;
	put(row, "adapter_copy", json_string(said[o->adapter_copy]));
	put(row, "case_system", json_string(said[o->case_system]));
	put(row, "leaf", json_integer((json_int_t)o->leaf));
	return row;
}

json_t *
control_subject_asked(struct core *c, const struct conversation *v)
{
	struct owed_cursor at = { .begun = false };
	json_t *list = json_array();
	struct owed o;

	while (owed_next(&c->turn, v, &at, &o) == KL_OK)
		(void)json_array_append_new(list, asked_json(c, &o));
	return list;
}

/* ---- the log ------------------------------------------------------------ */

static json_t *
record_json(struct core *c, uint64_t leaf, const struct kl_record *r)
{
	const uint32_t days = kl_policy_days(c->turn.policy,
	    KL_POL_LOG_RETENTION);
	int32_t day;
	json_t *o = json_pack("{s:I,s:s,s:s,s:s,s:s,s:o,s:o}",
	    "leaf", (json_int_t)leaf,
	    "event", kl_event_name(r->event),
	    "from", kl_id_none(&r->org_from) ? "" :
	        kl_id_text(&r->org_from).b,
	    "to", kl_id_none(&r->org_to) ? "" : kl_id_text(&r->org_to).b,
	    "reason", kl_code_name(r->reason),
	    "msg_ref", CONTROL_HEX(r->msg_ref),
	    "body_hash", CONTROL_HEX(r->body_hash));

	if (o == NULL)
		return NULL;
	put_ms(o, "at_ms", r->time_minute * KL_MINUTE_MS);
	put_ms(o, "due_ms", r->due_minute * KL_MINUTE_MS);
	if (r->new_state != 0)
		put(o, "state", json_string(kl_message_state_name(
		    r->new_state)));
	if (r->milestone != 0)
		put(o, "milestone", json_string(kl_milestone_name(
		    r->milestone)));
	if (journal_until(c->turn.txn, leaf, days, &day) == KL_OK)
		put(o, "kept_until", json_string(kl_day_text(day).b));
	return o;
}

struct log_piece {
	struct core *c;
	json_t *list;
};

static int
record_take(void *arg, const struct journal_leaf *l,
    const struct kl_record *r)
{
	struct log_piece *p = arg;

	(void)json_array_append_new(p->list, record_json(p->c, l->index, r));
	return KL_OK;
}

int
control_subject_log(struct core *c, const struct conversation *v,
    uint64_t from, json_t **out, uint64_t *next)
{
	const struct find_who whole = { .all = true };
	const struct find_what what = { .conv_ref = v->ref };
	struct log_piece p = { .c = c, .list = json_array() };
	struct find f = { .who = &whole, .what = &what, .next = from,
		.end = c->journal.range.size, .left = LOG_ROWS };
	int r = find_piece(&f, &c->journal, c->turn.txn, c->turn.mem,
	    record_take, &p);

	*out = p.list;
	*next = f.next < f.end ? f.next : 0;
	return r;
}
