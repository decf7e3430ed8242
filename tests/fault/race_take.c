#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/loop.h>

#include "tests/fault/race.h"

#define RETRY_MS 5
#define ANSWER_MOST_US 200000
#define LATEST_US 2000000	/* a plan whose moment never comes */

static void
strange(struct races *s, const char *what, const char *why)
{
	printf("races: %s: %s\n", what, why);
	s->errors++;
}

static bool
come_again(const struct client_answer *a, int64_t *again_ms)
{
	if (kl_code_retry(a->reply.code) != KL_RETRY_LATER)
		return false;
	*again_ms = kl_mono_ms() + RETRY_MS;
	return true;
}

/* ---- what the plan says -------------------------------------------------- */

static bool
moment_came(const struct race *r)
{
	const struct race_message *m = &r->msg[RACE_REFERRAL];

	switch (r->after) {
	case RACE_BEFORE:
	case RACE_ASKED:	return true;
	case RACE_ACCEPTED:	return m->state == RACE_TAKEN;
	case RACE_SEEN:		return m->frames > 0;
	case RACE_DELIVERED:	return m->receipt_taken;
	default:		return m->receipt_taken &&
		(!r->msg[RACE_FEEDBACK].planned ||
		r->msg[RACE_FEEDBACK].state != RACE_UNSENT);
	}
}

static void
withdraw_when_due(struct races *s, struct race *r)
{
	const int64_t now_us = race_now_us();

	if (r->due_us == 0 && (moment_came(r) ||
	    now_us - r->began_us > LATEST_US))
		r->due_us = now_us + (r->after == RACE_BEFORE ? 0 :
		    s->answer_us * r->wait_permille / 1000);
	if (r->due_us == 0 || r->due_us > now_us)
		return;
	for (size_t i = 0; i < 2; i++)
		if (r->w[i].planned && r->w[i].state == RACE_UNSENT)
			race_send_withdrawal(s, r, i);
}

static void
send_when_due(struct races *s, struct race *r, enum race_kind kind)
{
	const struct race_message *first = &r->msg[RACE_REFERRAL];
	const struct race_message *m = &r->msg[kind];

	if (!m->planned || m->state != RACE_UNSENT)
		return;
	if (kind == RACE_REFERRAL ? race_now_us() >= r->send_us :
	    kind == RACE_CORRECTION ? first->state == RACE_TAKEN :
	    first->receipt_taken)
		race_send_message(s, r, kind);
}

static bool
over(const struct race *r)
{
	if (r->msg[RACE_REFERRAL].state == RACE_UNSENT)
		return false;
	for (size_t i = 0; i < 2; i++)
		if (r->w[i].planned && r->w[i].state != RACE_TAKEN)
			return false;
	for (size_t i = 0; i < RACE_KINDS; i++)
		if (r->msg[i].state == RACE_SENT ||
		    (r->msg[i].receipt_sent && !r->msg[i].receipt_taken))
			return false;
	return true;
}

void
race_moves(struct races *s, struct race *r)
{
	const int64_t now_ms = kl_mono_ms();

	for (size_t i = 0; i < 2; i++)
		if (r->w[i].again_ms != 0 && r->w[i].again_ms <= now_ms)
			race_send_withdrawal(s, r, i);
	for (size_t i = 0; i < RACE_KINDS; i++)
		if (r->msg[i].again_ms != 0 && r->msg[i].again_ms <= now_ms)
			race_send_message(s, r, (enum race_kind)i);
	withdraw_when_due(s, r);
	for (size_t i = 0; i < RACE_KINDS; i++)
		send_when_due(s, r, (enum race_kind)i);
	if (r->over || !over(r))
		return;
	r->over = true;
	r->active = false;
	s->over++;
}

/* ---- items --------------------------------------------------------------- */

/* Its answer was taken before this FETCH was asked, so nothing that it covers
 * may come. */
static bool
withdrawn_before(const struct race *r, enum race_kind kind, uint64_t tick)
{
	for (size_t i = 0; i < 2; i++)
		if (r->w[i].state == RACE_TAKEN && r->w[i].tick < tick &&
		    (!r->w[i].feedback || kind == RACE_FEEDBACK))
			return true;
	return false;
}

static struct race_message *
message_of(struct races *s, const struct kl_header *h, struct race **r,
    enum race_kind *kind)
{
	size_t i;

	memcpy(&i, &h->conv_id, sizeof i);
	if (i >= s->begun)
		return NULL;
	*r = &s->race[i];
	for (size_t k = 0; k < RACE_KINDS; k++)
		if (memcmp(&(*r)->msg[k].id, &h->msg_id, sizeof h->msg_id) ==
		    0) {
			*kind = (enum race_kind)k;
			return &(*r)->msg[k];
		}
	return NULL;
}

static void
take_envelope(struct races *s, struct race_end *e, const struct kl_item *item,
    struct kl_bytes ct)
{
	struct race_message *m;
	struct kl_envelope env;
	struct kl_signed sign;
	enum race_kind kind;
	struct race *r;

	if (kl_signed_read(item->content, s->mem, &sign) != KL_C_OK ||
	    kl_envelope_read(sign.body, s->mem, &env) != KL_C_OK ||
	    (m = message_of(s, &env.header, &r, &kind)) == NULL ||
	    race_receiver(s, r, kind) != e || ct.n != env.ct_len) {
		strange(s, "FETCH", "an envelope that nobody sent");
		return;
	}
	m->frames++;
	m->late += withdrawn_before(r, kind, e->fetch_tick) ? 1 : 0;
	race_send_receipt(s, r, kind);
}

static void
take_notice(struct races *s, struct race_end *e, const struct kl_item *item)
{
	struct kl_signed sign, inner;
	struct kl_notice n;
	struct kl_hash hash;

	if (kl_signed_read(item->content, s->mem, &sign) != KL_C_OK ||
	    KL_STATEMENT_READ(KL_NOTICE, sign.body, s->mem, &n) != KL_C_OK)
		race_must(KL_E_FORMAT, "a notice");
	if (n.notice != KL_NOTICE_ERASE_REQUEST) {
		e->ack[e->n_ack++] = item->item;
		return;
	}
	if (kl_signed_read(n.withdrawal, s->mem, &inner) != KL_C_OK)
		race_must(KL_E_FORMAT, "a withdrawal that was passed on");
	hash = kl_hash_of(inner.body);
	race_send_erased(s, e, &n.conv_id, &hash);
}

static void
take_items(struct races *s, struct race_end *e, const struct client_answer *a)
{
	struct kl_fetch_reply f;
	struct kl_item item;
	size_t ct = 0;

	e->fetching = false;
	e->fetch_us += race_now_us();
	if (a->reply.code != KL_C_OK) {
		if (kl_code_retry(a->reply.code) != KL_RETRY_LATER)
			strange(s, "FETCH", kl_code_name(a->reply.code));
		return;
	}
	kl_arena_reset(s->mem);
	if (KL_MESSAGE_READ(KL_M_FETCH_REPLY, a->reply.body, s->mem, &f) !=
	    KL_C_OK)
		race_must(KL_E_FORMAT, "the answer to FETCH");
	for (size_t i = 0; i < f.n_item; i++) {
		if (KL_MESSAGE_READ(KL_M_ITEM, f.item[i], s->mem, &item) !=
		    KL_C_OK)
			race_must(KL_E_FORMAT, "an item");
		if (item.sort == KL_SORT_ENVELOPE)
			take_envelope(s, e, &item, ct < a->n_ct ?
			    a->ct[ct++] : KL_BYTES_NONE);
		else if (item.sort == KL_NOTICE + 1)
			take_notice(s, e, &item);
		else
			e->ack[e->n_ack++] = item.item;
	}
}

/* ---- answers ------------------------------------------------------------- */

static uint64_t
leaf_of(struct races *s, struct kl_bytes logged)
{
	struct kl_logged l;

	if (KL_MESSAGE_READ(KL_M_LOGGED, logged, s->mem, &l) != KL_C_OK)
		race_must(KL_E_FORMAT, "a leaf");
	return l.leaf;
}

/* What a withdrawal makes of a message that comes after it. */
static bool
explained(const struct race *r, uint32_t code)
{
	bool withdrawn = false;

	for (size_t i = 0; i < 2; i++)
		withdrawn |= r->w[i].state != RACE_UNSENT;
	return withdrawn && (code == KL_C_CONVERSATION_ENDED ||
	    code == KL_C_NO_FEEDBACK_CONSENT || code == KL_C_CONSENT_PARENT);
}

/* A kill on the way says nothing. */
static void
answer_time(struct races *s, int64_t us)
{
	if (us < ANSWER_MOST_US)
		s->answer_us = (7 * s->answer_us + us) / 8;
}

static void
submitted(struct races *s, struct race *r, enum race_kind kind,
    const struct client_answer *a)
{
	struct race_message *m = &r->msg[kind];
	struct kl_submit_reply reply;

	if (m->state != RACE_SENT || come_again(a, &m->again_ms))
		return;
	m->code = a->reply.code;
	m->state = m->code == KL_C_OK ? RACE_TAKEN : RACE_REFUSED;
	free(m->sealed);
	m->sealed = NULL;
	if (m->state == RACE_REFUSED) {
		if (!explained(r, m->code))
			strange(s, "SUBMIT", kl_code_name(m->code));
		return;
	}
	if (kind == RACE_REFERRAL)
		answer_time(s, race_now_us() - m->asked_us);
	kl_arena_reset(s->mem);
	if (KL_MESSAGE_READ(KL_M_SUBMIT_REPLY, a->reply.body, s->mem,
	    &reply) != KL_C_OK)
		race_must(KL_E_FORMAT, "the answer to SUBMIT");
	m->leaf = leaf_of(s, reply.logged);
}

static void
withdrew(struct races *s, struct race *r, size_t which,
    const struct client_answer *a)
{
	struct race_withdrawal *w = &r->w[which];

	if (w->state != RACE_SENT || come_again(a, &w->again_ms))
		return;
	if (a->reply.code != KL_C_OK) {
		strange(s, "WITHDRAW", kl_code_name(a->reply.code));
		w->state = RACE_REFUSED;
		return;
	}
	w->state = RACE_TAKEN;
	w->tick = s->tick;
	kl_arena_reset(s->mem);
	if (KL_MESSAGE_READ(KL_M_WITHDRAW_REPLY, a->reply.body, s->mem,
	    &w->told) != KL_C_OK)
		race_must(KL_E_FORMAT, "the answer to WITHDRAW");
	w->leaf = leaf_of(s, w->told.logged);
}

static void
receipted(struct races *s, struct race *r, enum race_kind kind,
    const struct client_answer *a)
{
	int64_t again_ms;

	if (come_again(a, &again_ms)) {
		race_send_receipt(s, r, kind);
		return;
	}
	if (a->reply.code != KL_C_OK)
		strange(s, "RECEIPT", kl_code_name(a->reply.code));
	r->msg[kind].receipt_taken = true;
}

static void
take(struct races *s, struct race_end *e, const struct client_answer *a)
{
	const struct race_pending p =
	    e->pending[a->reply.request_id % RACE_PENDING];
	struct race *r = &s->race[p.race];

	s->seen_ms = kl_mono_ms();
	s->tick++;
	switch (p.what) {
	case RACE_ASK_SUBMIT:
		submitted(s, r, (enum race_kind)p.which, a);
		break;
	case RACE_ASK_FETCH:
		take_items(s, e, a);
		break;
	case RACE_ASK_RECEIPT:
		receipted(s, r, (enum race_kind)p.which, a);
		break;
	case RACE_ASK_WITHDRAW:
		withdrew(s, r, p.which, a);
		break;
	case RACE_ASK_ERASED:
		if (a->reply.code != KL_C_OK &&
		    kl_code_retry(a->reply.code) != KL_RETRY_LATER)
			strange(s, "ERASE_RECEIPT",
			    kl_code_name(a->reply.code));
		break;
	default:
		strange(s, "an answer", "to nothing that was asked");
	}
}

bool
race_take_all(struct races *s)
{
	struct client_answer a;
	bool any = false;
	int r;

	for (size_t i = 0; i < RACE_ENDS; i++) {
		while ((r = client_take(&s->end[i].c, &a)) == KL_OK) {
			take(s, &s->end[i], &a);
			any = true;
		}
		if (r != KL_E_EMPTY)
			race_must(r, "receive");
	}
	return any;
}
