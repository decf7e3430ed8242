#include "tests/support/madelog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/code.h>

#define DAY 1440
#define PER_REFERRAL 16

struct event {
	int64_t minute;
	uint32_t conv, n;	/* n-th of its conversation */
	struct kl_record r;
};

struct making {
	const struct madelog *m;
	unsigned int seed;
	struct event *e;
	size_t n;
};

static uint32_t
chance(struct making *g, uint32_t below)
{
	return (uint32_t)rand_r(&g->seed) % below;
}

struct kl_id
madelog_practice(uint32_t i)
{
	struct kl_id id = { { 0 } };
	char text[32];

	(void)snprintf(text, sizeof text, "agb:01%06u", i % 1000000);
	if (kl_id_read(text, &id) != KL_OK)
		abort();
	return id;
}

struct kl_id
madelog_municipality(uint32_t i)
{
	struct kl_id id = { { 0 } };
	char text[32];

	(void)snprintf(text, sizeof text, "oin:000000010032%04u5000",
	    i % 10000);
	if (kl_id_read(text, &id) != KL_OK)
		abort();
	return id;
}

static struct kl_ref
ref(uint32_t conv, uint32_t message)
{
	struct kl_ref r = { { 0 } };

	kl_be64_put(r.b, (conv + 1) * UINT64_C(0x9e3779b97f4a7c15) + message);
	kl_be64_put(r.b + 8, UINT64_C(0xfeedc0de00000000) + conv);
	return r;
}

static struct kl_record *
put(struct making *g, uint32_t event, uint32_t conv, int64_t minute)
{
	struct event *e = &g->e[g->n];

	*e = (struct event){ .minute = minute, .conv = conv,
		.n = (uint32_t)g->n,
		.r = { .version = 1, .event = event, .time_minute = minute,
		    .outcome = 1, .reason = KL_C_OK, .count = 1 } };
	if (minute < g->m->end)
		g->n++;
	return &e->r;
}

struct story { uint32_t conv, practice, municipality; };

static struct kl_record *
message(struct making *g, const struct story *s, uint32_t event,
    uint32_t kind, uint32_t number, int64_t minute)
{
	struct kl_record *r = put(g, event, s->conv, minute);
	const bool back = kind == KL_FEEDBACK;

	r->conv_ref = ref(s->conv, 0);
	r->msg_ref = ref(s->conv, number);
	r->kind = kind;
	r->org_from = back ? madelog_municipality(s->municipality) :
	    madelog_practice(s->practice);
	r->org_to = back ? madelog_practice(s->practice) :
	    madelog_municipality(s->municipality);
	r->actor_role = back == (event == KL_EV_DELIVERED) ? KL_PRACTICE :
	    KL_MUNICIPALITY;
	r->body_hash.b[0] = 1;
	return r;
}

static int64_t
carried(struct making *g, const struct story *s, uint32_t kind,
    uint32_t number, int64_t at)
{
	message(g, s, KL_EV_RELEASED, kind, number, at);
	message(g, s, KL_EV_DELIVERED, kind, number, at + 1)->due_minute =
	    kind == KL_REFERRAL ? at + 1 + 2 * DAY : 0;
	message(g, s, KL_EV_ERASED, kind, number, at + 1)->prev_state =
	    KL_MSG_DELIVERED;
	return at + 1;
}

static void
withdraw(struct making *g, const struct story *s, int64_t at)
{
	struct kl_record *r = put(g, KL_EV_CONSENT_WITHDRAWN, s->conv, at);

	r->conv_ref = ref(s->conv, 0);
	r->org_from = madelog_practice(s->practice);
	r->org_to = madelog_municipality(s->municipality);
	r->actor_role = KL_PRACTICE;
	r = put(g, KL_EV_ERASE_ASKED, s->conv, at);
	r->conv_ref = ref(s->conv, 0);
	r->org_from = madelog_municipality(s->municipality);
	r->org_to = madelog_practice(s->practice);
	r->due_minute = at + 7 * DAY;
	r = put(g, KL_EV_ERASE_RECEIPT, s->conv, at + 5 + chance(g, 3 * DAY));
	r->conv_ref = ref(s->conv, 0);
	r->org_from = madelog_municipality(s->municipality);
	r->org_to = madelog_practice(s->practice);
	r->actor_role = KL_MUNICIPALITY;
}

/* Before it was collected. */
static void
withdraw_early(struct making *g, const struct story *s, int64_t at)
{
	struct kl_record *r = put(g, KL_EV_CONSENT_WITHDRAWN, s->conv, at);

	r->conv_ref = ref(s->conv, 0);
	r->org_from = madelog_practice(s->practice);
	r->org_to = madelog_municipality(s->municipality);
	r->actor_role = KL_PRACTICE;
	message(g, s, KL_EV_WITHDRAWN, KL_REFERRAL, 1, at);
	r = message(g, s, KL_EV_ERASED, KL_REFERRAL, 1,
	    at + (chance(g, 9) == 0));
	r->prev_state = KL_MSG_WITHDRAWN;
}

static void
tell(struct making *g, const struct story *s, int64_t at)
{
	static const uint32_t told[] = { KL_MS_TAKEN_UP, KL_MS_IN_PROGRESS,
		KL_MS_IN_PROGRESS, KL_MS_ENDED };
	static const uint32_t days[] = { 3, 9, 40, 200 };

	for (uint32_t i = 0; i < 4; i++) {
		if (chance(g, 12) == 0)
			return;
		at += 30 + chance(g, days[i] * DAY);
		message(g, s, KL_EV_ACCEPTED, KL_FEEDBACK, 2 + i,
		    at)->milestone = told[i];
		carried(g, s, KL_FEEDBACK, 2 + i, at + chance(g, 600));
	}
}

static void
refer(struct making *g, const struct story *s, int64_t at)
{
	struct kl_record *r = message(g, s, KL_EV_ACCEPTED, KL_REFERRAL, 1,
	    at);

	r->new_state = KL_MSG_ACCEPTED;
	r->due_minute = at + 2 * DAY;
	if (chance(g, 80) == 0) {
		withdraw_early(g, s, at + 5 + chance(g, 900));
		return;
	}
	if (chance(g, 60) == 0) {
		message(g, s, KL_EV_DEADLINE, KL_REFERRAL, 1, at + 2 * DAY);
		message(g, s, KL_EV_EXPIRED, KL_REFERRAL, 1, at + 14 * DAY);
		return;
	}
	at = carried(g, s, KL_REFERRAL, 1, at + (chance(g, 4) != 0 ?
	    1 + chance(g, 90) : chance(g, 3 * DAY)));
	if (chance(g, 25) == 0)
		withdraw(g, s, at + chance(g, 20 * DAY));
	else
		tell(g, s, at);
}

static void
refuse(struct making *g, uint32_t i, int64_t at)
{
	static const uint32_t why[] = { KL_C_TIMES, KL_C_RECEIVER_SUCCEEDED,
		KL_C_PREKEY, KL_C_SEQ, KL_C_QUOTA_REQUESTS };
	struct kl_record *r = put(g, KL_EV_REFUSED, i, at);

	r->org_from = madelog_practice(1 + i % g->m->practices);
	r->outcome = 2;
	r->reason = why[chance(g, 5)];
	r->count = 1 + chance(g, 4);
}

static int
by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->minute != y->minute)
		return x->minute < y->minute ? -1 : 1;
	return x->n < y->n ? -1 : x->n > y->n;
}

static void
make(struct making *g)
{
	const struct madelog *m = g->m;
	const int64_t span = m->end - m->begin;
	struct story s;

	put(g, KL_EV_ORIGIN, 0, m->begin);
	put(g, KL_EV_POLICY, 0, m->begin);
	for (uint32_t i = 0; i < m->referrals; i++) {
		s = (struct story){ .conv = i + 1,
			.practice = 1 + chance(g, m->practices) };
		s.municipality = 1 + s.practice % m->municipalities;
		refer(g, &s, m->begin + 1 + span * i / m->referrals);
		if (chance(g, 30) == 0)
			refuse(g, i, m->begin + 1 + span * i / m->referrals);
	}
}

int
madelog_run(const struct madelog *m,
    int (*take)(void *arg, uint64_t leaf, const struct kl_record *r),
    void *arg)
{
	struct making g = { .m = m, .seed = m->seed };
	int err = 0;

	g.e = calloc((size_t)m->referrals * PER_REFERRAL * 2 + 4,
	    sizeof *g.e);
	if (g.e == NULL)
		abort();
	make(&g);
	qsort(g.e, g.n, sizeof *g.e, by_time);
	for (size_t i = 0; err == 0 && i < g.n; i++)
		err = take(arg, i, &g.e[i].r);
	free(g.e);
	return err;
}
