#include "broker/core/core.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/log.h>

#include "broker/core/core_main.h"
#include "broker/core/cycle.h"
#include "broker/core/fence.h"
#include "broker/core/fetch.h"
#include "broker/core/witness.h"

#define TAKE_OVERS_MAX 4	/* in a minute: each is a leaf */

static bool
instance_is(const struct participant *p, const struct kl_hello *h)
{
	return memcmp(p->instance.b, h->instance.b, sizeof p->instance.b) ==
	    0;
}

/* PROTOCOL.md 6.5.2. */
static bool
instance_may(const struct participant *p, const struct kl_hello *h)
{
	return p->epoch == 0 || (instance_is(p, h) && h->epoch > p->epoch);
}

static int
take_over_log(struct core *c, const struct participant *p,
    const struct registry_card *card)
{
	struct kl_record rec = { .event = KL_EV_TAKE_OVER, .org_from = p->id,
		.actor_role = p->role, .actor_key_id = card->key_id };
	struct journal_leaf leaf;

	return journal_append(&c->journal, c->turn.txn, c->turn.now_ms, &rec,
	    c->mem, &leaf);
}

/* How long until the next one may be; 0: now. */
static int64_t
take_over_wait_ms(struct session *s)
{
	const int64_t now_ms = kl_mono_ms();

	if (s->take_overs == 0 || now_ms - s->take_over_ms >= KL_MINUTE_MS) {
		s->take_overs = 0;
		s->take_over_ms = now_ms;
	}
	if (s->take_overs == TAKE_OVERS_MAX)
		return s->take_over_ms + KL_MINUTE_MS - now_ms;
	s->take_overs++;
	return 0;
}

/* An auditor brings its line in the note that it shows; a note without one is
 * what everybody shows. */
static int
line_take(struct core *c, const struct participant *p, struct kl_bytes note)
{
	bool fresh;
	int err = KL_OK;

	if (p->role == KL_AUDITOR && fence_is_ours(c, note))
		(void)witness_take(&c->turn, &c->registry, p, note, &fresh,
		    &err);
	return err;
}

static void
session_open(const struct request *q)
{
	struct session *s = q->session;

	s->replaced = s->open && s->generation == q->pipe->generation ?
	    s->route : (struct kl_route){ .n = 0 };
	s->open = true;
	s->listing = s->ending = false;
	memset(s->asked, 0, sizeof s->asked);
	s->generation = q->pipe->generation;
	s->route = q->pipe->route;
}

static int
reply_make(struct core *c, const struct participant *p, struct answer *a)
{
	const struct kl_hello_reply r = {
		.realm = c->registry.realm,
		.report_in = c->registry.must_report && !p->reported_in ?
		    KL_YES : KL_NO,
		.take_over = p->taking_over ? KL_YES : KL_NO,
		.prekeys_until_ms = registry_cover_ms(p, c->turn.now_ms),
		.directory = c->registry.newest,
		.note = kl_bytes_str(c->journal.note.b),
		.previous_note = kl_bytes_str(c->journal.previous.b),
	};

	return KL_MESSAGE_PACK_IN(KL_M_HELLO_REPLY, &r, c->mem, &a->body);
}

int
handle_hello(struct core *c, const struct request *q, struct answer *a)
{
	struct participant *p = q->by;
	struct kl_hello h;
	enum kl_code code;
	int64_t wait_ms;
	int r;

	code = KL_MESSAGE_READ(KL_M_HELLO, q->msg.body, c->in_mem, &h);
	if (code != KL_C_OK)
		return answer_refuse(a, code);
	if (fence_must_stop(c, h.note))
		return KL_E_AGAIN;
	if (!instance_may(p, &h) && h.take_over != KL_YES)
		return answer_refuse(a, KL_C_INSTANCE_CONFLICT);
	if (h.take_over == KL_YES &&
	    (wait_ms = take_over_wait_ms(q->session)) > 0)
		return answer_refuse_for(a, KL_C_TRY_LATER, wait_ms);
	if ((r = fetch_end(c, p)) != KL_OK)
		return r;
	if (h.take_over == KL_YES) {
		if ((r = take_over_log(c, p, q->card)) != KL_OK)
			return r;
		p->taking_over = true;
	}
	p->instance = h.instance;
	p->epoch = h.epoch;
	registry_touch(&c->registry, p);
	session_open(q);
	if ((r = line_take(c, p, h.note)) != KL_OK)
		return r;
	return reply_make(c, p, a);
}
