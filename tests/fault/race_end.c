#include <stdlib.h>
#include <string.h>

#include "tests/fault/race.h"

#define PAUSE_PERMILLE 2500	/* of an answer's time, between two FETCHes */

/* What cannot be sent waits for the next connection, like what had no
 * answer. */
static void
send_request(struct races *s, struct race_end *e, struct race_pending p,
    uint32_t request, uint32_t type, const void *body, size_t size,
    struct kl_bytes ct)
{
	uint64_t id;
	const int r = client_send(&e->c, request, type, body, size, ct, &id);

	s->tick++;
	if (r == KL_E_AGAIN)
		return;
	race_must(r, "send");
	e->pending[id % RACE_PENDING] = p;
}

void
race_send_message(struct races *s, struct race *r, enum race_kind kind)
{
	struct race_message *m = &r->msg[kind];
	struct kl_submit q;

	if (m->state == RACE_UNSENT)
		race_seal(s, r, kind);
	m->state = RACE_SENT;
	m->again_ms = 0;
	m->asked_us = race_now_us();
	q = (struct kl_submit){ kl_bytes(m->sealed->envelope,
	    m->sealed->n_envelope) };
	send_request(s, race_sender(s, r, kind),
	    (struct race_pending){ RACE_ASK_SUBMIT, r->number, kind },
	    KL_SUBMIT, KL_M_SUBMIT, &q, sizeof q,
	    kl_bytes(m->sealed->ct, m->sealed->n_ct));
}

void
race_send_withdrawal(struct races *s, struct race *r, size_t which)
{
	struct race_withdrawal *w = &r->w[which];
	struct kl_withdraw q;

	if (w->state == RACE_UNSENT)
		race_sign(s, r, w);
	w->state = RACE_SENT;
	w->again_ms = 0;
	q.withdrawal = kl_bytes(w->packed, w->n);
	send_request(s, &s->end[w->by],
	    (struct race_pending){ RACE_ASK_WITHDRAW, r->number, which },
	    KL_WITHDRAW, KL_M_WITHDRAW, &q, sizeof q, KL_BYTES_NONE);
}

void
race_send_receipt(struct races *s, struct race *r, enum race_kind kind)
{
	struct race_message *m = &r->msg[kind];
	struct race_end *e = race_receiver(s, r, kind);
	const struct kl_receipt k = {
		.version = KL_PROTOCOL_VERSION, .signer = e->c.id,
		.signer_key_id = e->c.key_id, .msg_id = m->id,
		.body_hash = m->body, .outcome = KL_OPENED,
		.code = KL_C_OK, .at_ms = race_now_ms(),
	};
	uint8_t packed[KL_STATEMENT_MAX];
	struct kl_put_receipt q = { .statement = KL_RECEIPT };
	size_t n;

	m->receipt_sent = true;
	race_must(client_sign(&e->c, KL_RECEIPT, &k, sizeof k, packed,
	    sizeof packed, &n), "sign a receipt");
	q.receipt = kl_bytes(packed, n);
	send_request(s, e,
	    (struct race_pending){ RACE_ASK_RECEIPT, r->number, kind },
	    KL_PUT_RECEIPT, KL_M_PUT_RECEIPT, &q, sizeof q, KL_BYTES_NONE);
}

void
race_send_erased(struct races *s, struct race_end *e,
    const struct kl_conv_id *conv, const struct kl_hash *withdrawal)
{
	const struct kl_erase_receipt k = {
		.version = KL_PROTOCOL_VERSION, .signer = e->c.id,
		.signer_key_id = e->c.key_id, .conv_id = *conv,
		.withdrawal_hash = *withdrawal, .adapter_copy = 1,
		.case_system = 1, .at_ms = race_now_ms(),
	};
	uint8_t packed[KL_STATEMENT_MAX];
	struct kl_put_receipt q = { .statement = KL_ERASE_RECEIPT };
	size_t n;

	race_must(client_sign(&e->c, KL_ERASE_RECEIPT, &k, sizeof k, packed,
	    sizeof packed, &n), "sign an erase receipt");
	q.receipt = kl_bytes(packed, n);
	send_request(s, e, (struct race_pending){ RACE_ASK_ERASED, 0, 0 },
	    KL_PUT_RECEIPT, KL_M_PUT_RECEIPT, &q, sizeof q, KL_BYTES_NONE);
}

void
race_send_fetch(struct races *s, struct race_end *e)
{
	struct kl_fetch q = { .n_ack = e->n_ack };
	const uint64_t pause = (uint64_t)s->answer_us * PAUSE_PERMILLE / 1000;

	/* Half of them wait at the broker for what comes. */
	if (race_below(&s->random, 2) == 0)
		q.wait_ms = 50;
	memcpy(q.ack, e->ack, sizeof q.ack);
	e->n_ack = 0;
	e->fetching = true;
	send_request(s, e, (struct race_pending){ RACE_ASK_FETCH, 0, 0 },
	    KL_FETCH, KL_M_FETCH, &q, sizeof q, KL_BYTES_NONE);
	e->fetch_tick = s->tick;
	/* When the next one goes, once this one is answered. */
	e->fetch_us = (int64_t)race_below(&s->random, pause + 1);
}
