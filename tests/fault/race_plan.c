#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/state.h>

#include "tests/fault/race.h"

#define PLAIN_BYTES 64		/* nobody opens it */
#define VALID_DAYS 180

uint64_t
race_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	/* splitmix64: small, and the same on every machine. */
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t
race_below(uint64_t *state, uint64_t n)
{
	return race_random(state) % n;
}

/* True in `percent` of all cases. */
static bool
chance(uint64_t *state, unsigned int percent)
{
	return race_below(state, 100) < percent;
}

/* In tenths: what lies closest to a delivery is tried most. */
static enum race_after
after_which(uint64_t *state)
{
	static const enum race_after tenths[10] = { RACE_BEFORE, RACE_ASKED,
	    RACE_ASKED, RACE_ACCEPTED, RACE_ACCEPTED, RACE_ACCEPTED,
	    RACE_SEEN, RACE_SEEN, RACE_DELIVERED, RACE_FURTHER };

	return tenths[race_below(state, 10)];
}

/* The race's own numbers, so that it is the same whatever came before it. */
void
race_plan(struct races *s, size_t i)
{
	uint64_t x = s->seed ^ (uint64_t)(i + 1) * UINT64_C(0xd1342543de82ef95);
	struct race *r = &s->race[i];
	size_t by;

	*r = (struct race){ .number = i, .active = true };
	r->group = race_below(&x, RACE_GROUPS);
	kl_random(&r->conv, sizeof r->conv);
	kl_random(&r->child_conv, sizeof r->child_conv);
	memcpy(&r->conv, &i, sizeof i);
	memcpy(&r->child_conv, &i, sizeof i);
	r->msg[RACE_REFERRAL].planned = true;
	r->msg[RACE_CORRECTION].planned = chance(&x, 30);
	r->msg[RACE_FEEDBACK].planned = chance(&x, 60);
	r->msg[RACE_CHILD].planned = chance(&x, 40);
	r->w[0].planned = true;
	r->w[0].feedback = chance(&x, 30);
	by = race_below(&x, 2);
	r->w[0].by = r->group * 3 + by;
	/* Both parties at once, each with a scope of its own. */
	r->w[1].planned = chance(&x, 15);
	r->w[1].feedback = chance(&x, 30);
	r->w[1].by = r->group * 3 + (1 - by);
	r->after = after_which(&x);
	/* Feedback can only be raced when there is some. */
	if (r->w[0].feedback && r->msg[RACE_FEEDBACK].planned &&
	    r->after != RACE_BEFORE && chance(&x, 70))
		r->after = RACE_FURTHER;
	r->wait_permille = (uint32_t)race_below(&x, 2000);
	r->valid_until = (uint32_t)kl_day_of(race_now_ms()) + VALID_DAYS;
}

/* ---- messages ------------------------------------------------------------ */

struct race_end *
race_sender(struct races *s, const struct race *r, enum race_kind kind)
{
	return &s->end[r->group * 3 +
	    (kind == RACE_FEEDBACK || kind == RACE_CHILD ? 1 : 0)];
}

struct race_end *
race_receiver(struct races *s, const struct race *r, enum race_kind kind)
{
	return &s->end[r->group * 3 + (kind == RACE_FEEDBACK ? 0 :
	    kind == RACE_CHILD ? 2 : 1)];
}

static struct kl_consent
consent_of(struct races *s, const struct race *r, enum race_kind kind)
{
	const uint32_t today = (uint32_t)kl_day_of(race_now_ms());
	struct kl_consent k = {
		.referral = 1, .feedback_level = KL_LEVEL_2, .form = KL_ORAL,
		.info_text_version = 1, .given_on = today,
		.valid_until = r->valid_until, .recorded_in_his = 1,
	};

	kl_random(&k.preview_hash, sizeof k.preview_hash);
	if (kind == RACE_CHILD) {
		k.under = r->msg[RACE_REFERRAL].body;
		return k;
	}
	k.onward_to[k.n_onward_to++] = s->end[r->group * 3 + 2].c.id;
	return k;
}

static struct kl_header
header_of(struct races *s, const struct race *r, enum race_kind kind)
{
	static const uint32_t kinds[RACE_KINDS] = { KL_REFERRAL,
	    KL_CORRECTION, KL_FEEDBACK, KL_REFERRAL };
	struct kl_header h = client_header(&race_sender(s, r, kind)->c,
	    kinds[kind], &race_receiver(s, r, kind)->c.id, race_now_ms());

	h.conv_id = kind == RACE_CHILD ? r->child_conv : r->conv;
	if (kinds[kind] == KL_REFERRAL) {
		h.answer_by_ms = h.deliver_by_ms;
		return h;
	}
	h.answers = r->msg[RACE_REFERRAL].body;
	if (kind == RACE_FEEDBACK) {
		h.milestone = KL_MS_TAKEN_UP;
	} else {
		h.feedback_level = KL_LEVEL_0;
		h.seq = 2;
	}
	return h;
}

void
race_seal(struct races *s, struct race *r, enum race_kind kind)
{
	const struct client *from = &race_sender(s, r, kind)->c;
	const struct client *to = &race_receiver(s, r, kind)->c;
	struct race_message *m = &r->msg[kind];
	struct kl_header h = header_of(s, r, kind);
	struct kl_consent consent;
	uint8_t plain[PLAIN_BYTES];
	struct kl_hash preview;
	const bool referral = h.kind == KL_REFERRAL;

	if ((m->sealed = calloc(1, sizeof *m->sealed)) == NULL)
		race_must(KL_E_MEMORY, "a message");
	if (referral)
		consent = consent_of(s, r, kind);
	kl_random(&preview, sizeof preview);
	kl_random(plain, sizeof plain);
	race_must(kl_envelope_seal(&h, referral ? &consent : NULL,
	    h.kind == KL_CORRECTION ? &preview : NULL,
	    kl_bytes(plain, sizeof plain), &to->prekey, &from->sign_pk,
	    from->sign_sk, m->sealed), "seal a message");
	m->id = h.msg_id;
	m->body = m->sealed->body_hash;
}

void
race_sign(struct races *s, struct race *r, struct race_withdrawal *w)
{
	const struct client *by = &s->end[w->by].c;
	const struct kl_withdrawal is = {
		.version = KL_PROTOCOL_VERSION, .signer = by->id,
		.signer_key_id = by->key_id, .conv_id = r->conv,
		.scope = w->feedback ? KL_SCOPE_FEEDBACK : KL_SCOPE_ALL,
		.cause = KL_CAUSE_RESIDENT, .route = by->role,
		.at_ms = race_now_ms(), .valid_until = r->valid_until,
	};
	struct kl_signed read;

	race_must(client_sign(by, KL_WITHDRAWAL, &is, sizeof is, w->packed,
	    sizeof w->packed, &w->n), "sign a withdrawal");
	kl_arena_reset(s->mem);
	if (kl_signed_read(kl_bytes(w->packed, w->n), s->mem, &read) !=
	    KL_C_OK)
		race_must(KL_E_FORMAT, "a withdrawal");
	w->body = kl_hash_of(read.body);
}
