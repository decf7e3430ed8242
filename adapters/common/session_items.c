#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/sign.h>

#include "adapters/common/alarm.h"
#include "adapters/common/inbox.h"
#include "adapters/common/outbox_back.h"
#include "adapters/common/session_priv.h"
#include "adapters/common/withdraw_onward.h"
#include "adapters/common/withdraw_told.h"

#define SORT_RECEIPT (KL_RECEIPT + 1)
#define SORT_NOTICE (KL_NOTICE + 1)
#define SORT_ERASE_RECEIPT (KL_ERASE_RECEIPT + 1)

int
session_items_fetch(struct session *s, struct turn *t, int64_t mono_ms)
{
	struct kl_fetch f = { .wait_ms = KL_FETCH_WAIT_MAX_MS };
	int r;

	if (s->fetch_due_ms > mono_ms || calls_open(s->calls, KL_FETCH) > 0)
		return KL_OK;
	memcpy(f.ack, s->ack, s->n_ack * sizeof s->ack[0]);
	f.n_ack = s->n_ack;
	r = session_ask(s, t, KL_FETCH, KL_M_FETCH, &f, sizeof f);
	if (r == KL_OK)
		s->n_ack = 0;
	return r;
}

/* One item as it was read, with its ciphertext. */
struct got {
	struct kl_item item;
	struct kl_bytes ct;
	bool waits;			/* for its sender's card */
};

/* Receipts first: what a message answers is delivered before it is read. The
 * rest by number, so that a gap stands in its place. */
static int
by_number(const void *a, const void *b)
{
	const struct got *x = a, *y = b;
	bool rx = x->item.sort == SORT_RECEIPT;
	bool ry = y->item.sort == SORT_RECEIPT;

	if (rx != ry)
		return rx ? -1 : 1;
	return x->item.item < y->item.item ? -1 : x->item.item > y->item.item;
}

static bool
read_items(struct turn *t, const struct call_answer *a, struct got *got,
    size_t *n)
{
	struct kl_fetch_reply f;
	size_t ct = 0;

	*n = 0;
	if (KL_MESSAGE_READ(KL_M_FETCH_REPLY, a->body, t->mem, &f) != KL_C_OK)
		return false;
	for (size_t i = 0; i < f.n_item; i++) {
		struct got *g = &got[*n];

		if (KL_MESSAGE_READ(KL_M_ITEM, f.item[i], t->mem, &g->item) !=
		    KL_C_OK)
			return false;
		g->ct = KL_BYTES_NONE;
		g->waits = false;
		if (g->item.sort == KL_SORT_ENVELOPE) {
			if (ct == a->n_ct)
				return false;
			g->ct = a->ct[ct++];
		}
		++*n;
	}
	return ct == a->n_ct;
}

int
session_items_bad(struct session *s, struct turn *t)
{
	/* The same item comes again and again: not an alarm for each. */
	if (s->bad == SESSION_BAD_MAX)
		return KL_OK;
	s->bad++;
	return alarm_raise(t, ENGINE_AL_BAD_ITEM, KL_C_SIGNATURE, NULL);
}

/* ---- notices --------------------------------------------------------- */

static int
read_notice(struct turn *t, struct kl_bytes packed, struct kl_notice *n)
{
	struct kl_signed sg;

	if (kl_signed_read(packed, t->mem, &sg) != KL_C_OK ||
	    KL_STATEMENT_READ(KL_NOTICE, sg.body, t->mem, n) != KL_C_OK ||
	    memcmp(&n->signer_key_id, &t->id->broker_key_id,
	    sizeof n->signer_key_id) != 0 || kl_verify(KL_LABEL_NOTICE,
	    sg.body, &t->id->broker_sign, &sg.sig) != KL_OK)
		return KL_E_SIGNATURE;
	return KL_OK;
}

/* Stays in the mailbox until its receipt is there. What is new needs no pause
 * before the next FETCH. */
static int
erase_request(struct session *s, struct turn *t, const struct kl_notice *n)
{
	enum erasure_verdict v = ERASURE_WAIT;
	uint32_t code;
	int r;

	/* Each that is refused is an alarm and a mark in the store. */
	if (s->bad == SESSION_BAD_MAX)
		return KL_E_AGAIN;
	r = erasure_request(s->erasures, t, s->outbox, n, &v, &code);
	s->bad += r == KL_OK && v == ERASURE_REFUSED ? 1 : 0;
	if (r == KL_OK && v == ERASURE_OBEYED)
		r = withdraw_onward(s->withdrawals, t, s->outbox,
		    &n->conv_id);
	if (r != KL_OK)
		return r;
	return v == ERASURE_OBEYED || v == ERASURE_REFUSED ? KL_E_EMPTY :
	    KL_E_AGAIN;
}

static int
take_notice(struct session *s, struct turn *t, struct kl_bytes packed)
{
	struct kl_notice n;
	int r = read_notice(t, packed, &n);

	if (r != KL_OK)
		return r;
	switch (n.notice) {
	case KL_NOTICE_GAP:
		return inbox_gap(t, &n);
	case KL_NOTICE_ERASE_REQUEST:
		return erase_request(s, t, &n);
	case KL_NOTICE_ESCALATION:
		r = withdraw_told_missing(t, &n);
		return r != KL_E_NOT_FOUND ? r :
		    erasure_due(t, &n.conv_id);
	default:
		return outbox_back_notice(s->outbox, t, &n);
	}
}

/* ---- items ----------------------------------------------------------- */

static int
take_statement(struct session *s, struct turn *t, const struct got *g,
    bool *handled)
{
	int r;

	*handled = true;
	if (g->item.sort == SORT_RECEIPT)
		r = outbox_back_receipt(s->outbox, t, g->item.content);
	else if (g->item.sort == SORT_NOTICE)
		r = take_notice(s, t, g->item.content);
	else if (g->item.sort == SORT_ERASE_RECEIPT)
		r = withdraw_told_take(t, g->item.content);
	else
		r = KL_E_SIGNATURE;
	if (r == KL_E_EMPTY)		/* nothing to acknowledge */
		return KL_OK;
	if (r == KL_E_AGAIN) {
		*handled = false;
		return KL_OK;
	}
	/* Of what was forgotten, or of a store that was lost. */
	if (r == KL_E_NOT_FOUND)
		r = KL_OK;
	if (r == KL_E_SIGNATURE)
		r = session_items_bad(s, t);
	if (r == KL_OK)
		s->ack[s->n_ack++] = g->item.item;
	return r;
}

static int
take_envelope(struct session *s, struct turn *t, struct got *g,
    bool *handled)
{
	enum inbox_verdict v;
	int r = inbox_envelope(t, s->receipts, &g->item, g->ct, &v);

	*handled = v == INBOX_TAKEN || v == INBOX_REPEATED;
	g->waits = v == INBOX_WAIT;
	return r == KL_OK && v == INBOX_BAD ? session_items_bad(s, t) : r;
}

/* A GAP behind an envelope that waits: without its case it means nothing, and
 * it would be gone when the envelope is taken. */
static bool
is_behind(const struct got *got, size_t i)
{
	if (got[i].item.sort != SORT_NOTICE)
		return false;
	for (size_t j = 0; j < i; j++)
		if (got[j].waits && memcmp(&got[j].item.conv_ref,
		    &got[i].item.conv_ref, sizeof got[i].item.conv_ref) == 0)
			return true;
	return false;
}

static int
take_one(struct session *s, struct turn *t, struct got *got, size_t i,
    bool *handled)
{
	*handled = false;
	if (got[i].item.sort == KL_SORT_ENVELOPE)
		return take_envelope(s, t, &got[i], handled);
	return is_behind(got, i) ? KL_OK :
	    take_statement(s, t, &got[i], handled);
}

static int
take_all(struct session *s, struct turn *t, struct got *got, size_t n,
    size_t *left)
{
	int r = KL_OK;

	*left = 0;
	for (size_t i = 0; i < n && r == KL_OK; i++) {
		size_t mark = kl_arena_mark(t->mem);
		bool handled;

		if (s->n_ack == KL_FETCH_ACKS_MAX)
			break;
		r = take_one(s, t, got, i, &handled);
		*left += handled ? 0 : 1;
		kl_arena_release(t->mem, mark);
	}
	return r;
}

int
session_items_take(struct session *s, struct turn *t,
    const struct call_answer *a, int64_t mono_ms)
{
	struct got got[KL_ITEMS_MAX];
	size_t n, left;
	int r;

	if (!read_items(t, a, got, &n)) {
		s->fetch_due_ms = mono_ms + SESSION_BAD_PAUSE_MS;
		return session_items_bad(s, t);
	}
	qsort(got, n, sizeof got[0], by_number);
	/* Only a directory that was read since something waited for it can
	 * say that a card is none. */
	t->directory_whole = s->waited && s->directory_whole;
	r = take_all(s, t, got, n, &left);
	s->waited = left > 0 && t->want_directory;
	if (s->waited)
		s->directory_whole = false;
	/* What cannot be taken comes again at once: not in a circle. */
	s->fetch_due_ms = mono_ms;
	if (left > 0)
		s->fetch_due_ms += s->waited ? SESSION_RETRY_MS :
		    left == n ? SESSION_BAD_PAUSE_MS : 0;
	return r;
}
