#include <inttypes.h>

#include "tests/fault/race.h"

static void
put_hash(FILE *f, const struct kl_hash *h)
{
	char hex[65];

	kl_hex(kl_bytes(h->b, sizeof h->b), hex);
	fprintf(f, "\"body\":\"%s\"", hex);
}

static void
tell_message(FILE *f, const struct race *r, enum race_kind kind)
{
	static const char *const kinds[RACE_KINDS] = { "referral",
	    "correction", "feedback", "child" };
	const struct race_message *m = &r->msg[kind];

	if (m->state == RACE_UNSENT)
		return;
	fprintf(f, "{\"race\":%zu,\"what\":\"%s\",\"taken\":%s,"
	    "\"leaf\":%" PRIu64 ",\"frames\":%u,\"late\":%u,", r->number,
	    kinds[kind], m->state == RACE_TAKEN ? "true" : "false", m->leaf,
	    m->frames, m->late);
	put_hash(f, &m->body);
	fputs("}\n", f);
}

static void
tell_withdrawal(FILE *f, const struct race *r,
    const struct race_withdrawal *w)
{
	if (w->state != RACE_TAKEN)
		return;
	fprintf(f, "{\"race\":%zu,\"what\":\"withdrawal\",\"feedback\":%s,"
	    "\"leaf\":%" PRIu64 ",\"erased\":%u,\"released_before\":%u,"
	    "\"unconfirmed\":%u,", r->number, w->feedback ? "true" : "false",
	    w->leaf, w->told.erased, w->told.released_before,
	    w->told.unconfirmed);
	put_hash(f, &w->body);
	fputs("}\n", f);
}

void
race_tell(const struct races *s, FILE *f)
{
	for (size_t i = 0; i < s->begun; i++) {
		for (size_t k = 0; k < RACE_KINDS; k++)
			tell_message(f, &s->race[i], (enum race_kind)k);
		for (size_t k = 0; k < 2; k++)
			tell_withdrawal(f, &s->race[i], &s->race[i].w[k]);
	}
}
