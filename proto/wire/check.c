#include "proto/wire/check.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/wire/request.h>
#include <kortelijn/wire/signed.h>

static int
verdict(bool ok)
{
	return ok ? KL_OK : KL_E_VALUE;
}

/* ---- texts --------------------------------------------------------------- */

/* Bytes of the UTF-8 sequence at p, 0 if it is none: no overlong forms, no
 * surrogates, nothing above U+10FFFF. */
static size_t
utf8_sequence(const uint8_t *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 :
	    p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

/* UTF-8 without control characters but, if so asked, line ends. */
static bool
text_ok(struct kl_bytes t, bool lines)
{
	for (size_t i = 0, n; i < t.n; i += n) {
		if ((n = utf8_sequence(t.p + i, t.n - i)) == 0)
			return false;
		if ((t.p[i] < 0x20 && !(lines && t.p[i] == '\n')) ||
		    t.p[i] == 0x7f || (t.p[i] == 0xc2 && t.p[i + 1] < 0xa0))
			return false;
	}
	return true;
}

static bool
texts_ok(const struct kl_bytes *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (t[i].n == 0 || !text_ok(t[i], false))
			return false;
	return true;
}

static bool
printable(struct kl_bytes t)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] < 0x20 || t.p[i] > 0x7e)
			return false;
	return true;
}

/* E.164: a plus and 8 to 15 digits; or none. */
static bool
phone_ok(struct kl_bytes t)
{
	if (t.n == 0)
		return true;
	if (t.p[0] != '+' || t.n < 9 || t.n > 16 || t.p[1] == '0')
		return false;
	for (size_t i = 1; i < t.n; i++)
		if (t.p[i] < '0' || t.p[i] > '9')
			return false;
	return true;
}

/* Letters of a spoken reference, or zeros. */
static bool
spoken_ok(const uint8_t spoken[9])
{
	if (kl_bytes_zero(kl_bytes(spoken, 9)))
		return true;
	for (size_t i = 0; i < 9; i++)
		if (spoken[i] == '\0' ||
		    strchr(kl_letters, spoken[i]) == NULL)
			return false;
	return true;
}

/* ---- signed -------------------------------------------------------------- */

int
kl_check_consent(const void *consent)
{
	const struct kl_consent *c = consent;

	for (size_t i = 0; i < c->n_onward_to; i++)
		for (size_t j = 0; j < i; j++)
			if (kl_id_equal(&c->onward_to[i], &c->onward_to[j]))
				return KL_E_VALUE;
	return KL_OK;
}

int
kl_check_card(const void *card)
{
	const struct kl_card *c = card;
	bool reads = c->reads_all == KL_YES || c->n_reads > 0;

	return verdict(text_ok(c->name, false) &&
	    c->not_before_ms < c->not_after_ms &&
	    memcmp(c->sign_pk.b, c->transport_pk.b, 32) != 0 &&
	    kl_id_none(&c->succeeds) == (c->succeeds_from_ms == 0) &&
	    !kl_id_equal(&c->succeeds, &c->id) &&
	    (!reads || c->role == KL_AUDITOR) &&
	    !(c->reads_all == KL_YES && c->n_reads > 0));
}

int
kl_check_prekey(const void *prekey)
{
	const struct kl_prekey *k = prekey;

	return verdict(k->schema_min <= k->schema_max &&
	    k->not_before_ms == kl_week_start_ms(k->not_before_ms) &&
	    k->not_after_ms == k->not_before_ms + KL_WEEK_MS);
}

int
kl_check_profile(const void *profile)
{
	const struct kl_profile *p = profile;

	return verdict(p->valid_from_ms < p->valid_until_ms &&
	    phone_ok(p->phone) && phone_ok(p->crisis_phone));
}

static bool
partner_ok(struct kl_bytes t)
{
	struct kl_id id;

	if (t.n != sizeof id + 1)
		return false;
	memcpy(&id, t.p, sizeof id);
	return kl_id_valid(&id) && t.p[sizeof id] != 0;
}

int
kl_check_details(const void *details)
{
	const struct kl_profile_details *d = details;

	for (size_t i = 0; i < d->n_partners; i++)
		if (!partner_ok(d->partners[i]))
			return KL_E_VALUE;
	return verdict(text_ok(d->display_name, false) &&
	    texts_ok(d->languages, d->n_languages) &&
	    texts_ok(d->regular_contacts, d->n_regular_contacts) &&
	    texts_ok(d->local_crisis_kinds, d->n_local_crisis_kinds) &&
	    text_ok(d->what_to_expect, true) &&
	    text_ok(d->asks_of_practice, true) &&
	    text_ok(d->retention_statement, true) &&
	    text_ok(d->privacy_notice, true));
}

int
kl_check_receipt(const void *receipt)
{
	const struct kl_receipt *r = receipt;

	switch (r->outcome) {
	case KL_OPENED: return verdict(r->code == KL_C_OK);
	case KL_REFUSED: return verdict(r->code != KL_C_OK);
	default: return KL_OK;
	}
}

int
kl_check_withdrawal(const void *withdrawal)
{
	const struct kl_withdrawal *w = withdrawal;

	if (w->cause != KL_CAUSE_SENT_IN_ERROR)
		return KL_OK;
	return verdict(w->scope == KL_SCOPE_ALL && w->route == KL_PRACTICE);
}

/* What the adapter itself holds is never kept. */
int
kl_check_erase_receipt(const void *erase_receipt)
{
	const struct kl_erase_receipt *r = erase_receipt;

	return verdict(r->adapter_copy != KL_KEPT_ON_OWN_BASIS);
}

int
kl_check_notice(const void *notice)
{
	const struct kl_notice *n = notice;
	bool gap = n->notice == KL_NOTICE_GAP;
	bool erase = n->notice == KL_NOTICE_ERASE_REQUEST;

	if (gap ? n->seq_from == 0 || n->seq_from > n->seq_to :
	    n->seq_from != 0 || n->seq_to != 0)
		return KL_E_VALUE;
	return verdict(erase == (n->withdrawal.n > 0) &&
	    (erase || n->parent.n == 0));
}

int
kl_check_enrol(const void *enrol_request)
{
	const struct kl_enrol_request *e = enrol_request;

	return verdict(text_ok(e->name, false) &&
	    memcmp(e->sign_pk.b, e->transport_pk.b, 32) != 0);
}

/* ---- requests ------------------------------------------------------------ */

int
kl_check_hello(const void *hello)
{
	const struct kl_hello *h = hello;

	return verdict(h->schema_min <= h->schema_max &&
	    printable(h->program));
}

int
kl_check_submit_reply(const void *submit_reply)
{
	const struct kl_submit_reply *r = submit_reply;

	return verdict(spoken_ok(r->spoken));
}

int
kl_check_item(const void *item)
{
	const struct kl_item *i = item;

	return verdict(spoken_ok(i->spoken) &&
	    (i->sort == KL_SORT_ENVELOPE) == (i->logged.n > 0));
}

int
kl_check_put_receipt(const void *put_receipt)
{
	const struct kl_put_receipt *r = put_receipt;

	return verdict(r->statement != KL_WITHDRAWAL);
}

int
kl_check_entry(const void *entry)
{
	const struct kl_entry *e = entry;

	return verdict(e->statement <= KL_NOTICE ||
	    e->statement == KL_ENTRY_REFERRAL);
}

int
kl_check_sync_conversation(const void *c)
{
	const struct kl_sync_conversation *s = c;

	return verdict(spoken_ok(s->spoken));
}

/* Only a proof has a tree of its own, and what it proves lies within. */
int
kl_check_log(const void *log)
{
	const struct kl_log_request *q = log;

	switch (q->want) {
	case KL_LOG_CONSISTENCY: return verdict(q->at == 0 || q->size <= q->at);
	case KL_LOG_INCLUSION: return verdict(q->at == 0 || q->size < q->at);
	default: return verdict(q->at == 0);
	}
}

/* A proof is a row of whole hashes: its reader copies them as such. */
int
kl_check_log_reply(const void *log_reply)
{
	const struct kl_log_reply *r = log_reply;

	for (size_t i = 0; i < r->n_proof; i++)
		if (r->proof[i].n != sizeof (struct kl_hash))
			return KL_E_VALUE;
	return verdict(r->tile.n % sizeof (struct kl_hash) == 0);
}

int
kl_check_query_what(const void *query_what)
{
	const struct kl_query_what *w = query_what;

	return verdict(spoken_ok(w->spoken) &&
	    (w->to_minute == 0 || w->from_minute < w->to_minute));
}

/* What another want has a use for stays zero: one question has one form. */
int
kl_check_query(const void *query)
{
	const struct kl_query *q = query;

	switch (q->want) {
	case KL_QUERY_RECORDS: return verdict(q->what.n > 0 && q->offset == 0);
	case KL_QUERY_POLICY: return verdict(q->what.n == 0);
	default: return verdict(q->what.n == 0 && q->from == 0 &&
	    q->offset == 0);
	}
}
