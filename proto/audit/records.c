#include "proto/audit/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/host/loop.h>

#include "proto/cli/output.h"

#define TELL_MS 2000		/* between two lines about how far it is */
#define WHAT_MAX 512		/* bytes of a packed question */

struct reading {
	struct audit_link *link;
	struct kl_arena *mem;
	struct kl_query q;
	bool begun;		/* *last is the leaf of a record */
	uint64_t last, taken;
	int64_t told_ms;
	int (*take)(void *arg, const struct audit_record *r);
	void *arg;
};

/* A log that answers so is not one of ours, or somebody changed it. */
static int
senseless(const struct reading *g)
{
	return output_fail(g->link->cli, CLI_FAILED, "what %s answers is not "
	    "understood", g->link->cli->program->daemon);
}

/* Where somebody waits and looks. */
static void
tell(struct reading *g)
{
	const int64_t now_ms = kl_mono_ms();

	if (now_ms - g->told_ms < TELL_MS || isatty(STDERR_FILENO) == 0)
		return;
	g->told_ms = now_ms;
	fprintf(stderr, "%s: %" PRIu64 " records, at leaf %" PRIu64 "\n",
	    g->link->cli->program->name, g->taken, g->q.from);
}

static int
take_one(struct reading *g, struct kl_bytes logged)
{
	struct audit_record rec;
	struct kl_logged l;

	if (KL_MESSAGE_READ(KL_M_LOGGED, logged, g->mem, &l) != KL_C_OK ||
	    KL_STATEMENT_READ(KL_S_RECORD, l.record, g->mem, &rec.r) !=
	    KL_C_OK || l.leaf >= g->q.ticket ||
	    (g->begun && l.leaf <= g->last))
		return senseless(g);
	rec.leaf = l.leaf;
	memcpy(rec.salt, l.salt, sizeof rec.salt);
	rec.packed = l.record;
	g->begun = true;
	g->last = l.leaf;
	g->taken++;
	return g->take(g->arg, &rec);
}

/* A page, and where the next one begins: behind all that it had. */
static int
take_page(struct reading *g, struct kl_bytes body)
{
	struct kl_query_reply p;
	size_t mark;
	int r = CLI_OK;

	if (KL_MESSAGE_READ(KL_M_QUERY_REPLY, body, g->mem, &p) != KL_C_OK ||
	    (g->q.ticket != 0 && p.ticket != g->q.ticket))
		return senseless(g);
	g->q.ticket = p.ticket;
	mark = kl_arena_mark(g->mem);
	for (size_t i = 0; i < p.n_logged && r == CLI_OK; i++) {
		r = take_one(g, p.logged[i]);
		kl_arena_release(g->mem, mark);
	}
	if (r == CLI_OK && p.next != 0 && (p.next <= g->q.from ||
	    p.next >= p.ticket || (g->begun && p.next <= g->last)))
		r = senseless(g);
	g->q.from = p.next;
	return r;
}

static int
all_pages(struct reading *g)
{
	struct kl_bytes body, reply;
	int r;

	do {
		kl_arena_reset(g->mem);
		if (KL_MESSAGE_PACK_IN(KL_M_QUERY, &g->q, g->mem, &body) !=
		    KL_OK)
			return output_fail_err(g->link->cli, KL_E_MEMORY,
			    "the question");
		r = audit_link_ask(g->link, KL_QUERY, body, g->mem, &reply);
		if (r == CLI_OK)
			r = take_page(g, reply);
		if (r == CLI_OK)
			tell(g);
	} while (r == CLI_OK && g->q.from != 0);
	return r;
}

int
audit_records(struct audit_link *l, const struct kl_query_what *what,
    int (*take)(void *arg, const struct audit_record *r), void *arg)
{
	uint8_t packed[WHAT_MAX];
	struct reading g = { .link = l, .take = take, .arg = arg,
		.told_ms = kl_mono_ms(), .q.want = KL_QUERY_RECORDS };
	size_t n;
	int r;

	if (l->records != NULL)
		return l->records(l, what, take, arg);
	if ((r = KL_MESSAGE_PACK(KL_M_QUERY_WHAT, what, packed, sizeof packed,
	    &n)) != KL_OK)
		return output_fail_err(l->cli, r, "the question");
	g.q.what = kl_bytes(packed, n);
	if ((g.mem = kl_arena_new(AUDIT_ANSWER_BYTES,
	    AUDIT_ANSWER_PIECES)) == NULL)
		return output_fail_err(l->cli, KL_E_MEMORY, "the answers");
	r = all_pages(&g);
	kl_arena_free(g.mem);
	return r;
}
