#include "proto/audit/suppress.h"

#include <stdlib.h>

#define NO_CELL UINT32_MAX
#define FAR UINT64_MAX

/* What it costs to lead something through a cell. As few cells as possible
 * are hidden, small ones rather than large ones, and totals last. */
#define COST_HIDDEN UINT64_C(1)
#define COST_SHOWN UINT64_C(100000)
#define COST_TOTAL UINT64_C(10000000000)

struct net {
	struct audit_suppress_cell *cells;
	size_t n;
	uint32_t nodes;
	uint32_t owners;		/* one more than the highest */

	/* of one search for the room of one cell */
	size_t of;
	uint32_t insider;		/* whose cells do not move; 0: none */
	uint32_t each;			/* most through one owner */
	int64_t *moved;			/* by cell */
	uint32_t *through;		/* by owner */

	/* of one way */
	uint64_t *cost;			/* by node */
	uint32_t *by;			/* by node: the cell that leads here */
	bool *back;			/* by node: against its direction */
};

static void
net_clear(struct net *g)
{
	free(g->moved);
	free(g->through);
	free(g->cost);
	free(g->by);
	free(g->back);
}

static int
net_check(const struct net *g, int64_t *sum)
{
	if (g->n > AUDIT_SUPPRESS_CELLS_MAX || g->nodes == 0 ||
	    g->nodes > AUDIT_SUPPRESS_NODES_MAX)
		return KL_E_VALUE;
	for (size_t i = 0; i < g->n; i++) {
		const struct audit_suppress_cell *c = &g->cells[i];

		if (c->from >= g->nodes || c->to >= g->nodes ||
		    c->from == c->to || c->value > AUDIT_SUPPRESS_COUNT_MAX ||
		    c->owner > AUDIT_SUPPRESS_CELLS_MAX)
			return KL_E_VALUE;
		sum[c->from] -= c->value;
		sum[c->to] += c->value;
	}
	for (uint32_t k = 0; k < g->nodes; k++)
		if (sum[k] != 0)
			return KL_E_VALUE;
	return KL_OK;
}

static int
net_init(struct net *g, struct audit_suppress_cell *cells, size_t n,
    uint32_t nodes)
{
	int64_t *sum;
	int err;

	*g = (struct net){ .cells = cells, .n = n, .nodes = nodes };
	if ((sum = calloc((size_t)nodes + 1, sizeof *sum)) == NULL)
		return KL_E_MEMORY;
	err = net_check(g, sum);
	free(sum);
	if (err != KL_OK)
		return err;
	for (size_t i = 0; i < n; i++)
		if (cells[i].owner >= g->owners)
			g->owners = cells[i].owner + 1;
	g->moved = calloc(n + 1, sizeof *g->moved);
	g->through = calloc((size_t)g->owners + 1, sizeof *g->through);
	g->cost = calloc(nodes, sizeof *g->cost);
	g->by = calloc(nodes, sizeof *g->by);
	g->back = calloc(nodes, sizeof *g->back);
	return g->moved != NULL && g->through != NULL && g->cost != NULL &&
	    g->by != NULL && g->back != NULL ? KL_OK : KL_E_MEMORY;
}

/* ---- one way ------------------------------------------------------------ */

/* An organisation that knows what goes through it may not be all there is;
 * whoever knows the cell itself need not be kept from it. */
static bool
owner_counts(const struct net *g, const struct audit_suppress_cell *c)
{
	return c->owner != 0 && c->owner != g->cells[g->of].owner;
}

static bool
may_move(const struct net *g, size_t i, bool hide)
{
	const struct audit_suppress_cell *c = &g->cells[i];

	if (i == g->of || (!c->hidden && !hide))
		return false;
	if (g->insider != 0 && c->owner == g->insider)
		return false;
	/* A way goes into what an owner has and out of it. */
	return !owner_counts(g, c) || g->each - g->through[c->owner] >= 2;
}

static uint64_t
cost_of(const struct audit_suppress_cell *c)
{
	return c->hidden ? COST_HIDDEN :
	    (c->total ? COST_TOTAL : COST_SHOWN) + c->value;
}

static bool
relax(struct net *g, size_t i, bool back)
{
	const struct audit_suppress_cell *c = &g->cells[i];
	const uint32_t from = back ? c->to : c->from;
	const uint32_t to = back ? c->from : c->to;
	const uint64_t cost = g->cost[from];

	if (cost == FAR || cost + cost_of(c) >= g->cost[to])
		return false;
	g->cost[to] = cost + cost_of(c);
	g->by[to] = (uint32_t)i;
	g->back[to] = back;
	return true;
}

/* The cheapest way from one node to another; `hide`: also through cells that
 * are shown. A cell can always grow; it can shrink while something is in it. */
static bool
way_find(struct net *g, uint32_t from, uint32_t to, bool hide)
{
	bool nearer = true;

	for (uint32_t k = 0; k < g->nodes; k++)
		g->cost[k] = FAR;
	g->cost[from] = 0;
	g->by[from] = NO_CELL;
	while (nearer) {
		nearer = false;
		for (size_t i = 0; i < g->n; i++) {
			if (!may_move(g, i, hide))
				continue;
			nearer |= relax(g, i, false);
			if (g->cells[i].value + g->moved[i] > 0)
				nearer |= relax(g, i, true);
		}
	}
	return g->cost[to] != FAR;
}

static uint32_t
way_before(const struct net *g, uint32_t node)
{
	const struct audit_suppress_cell *c = &g->cells[g->by[node]];

	return g->back[node] ? c->to : c->from;
}

/* On how many cells of the way that ends in `to` this owner is. */
static uint32_t
way_count(const struct net *g, uint32_t from, uint32_t to, uint32_t owner)
{
	uint32_t n = 0;

	for (uint32_t k = to; k != from; k = way_before(g, k))
		n += g->cells[g->by[k]].owner == owner;
	return n;
}

/* How much the way found takes, at most `want`. */
static uint32_t
way_width(const struct net *g, uint32_t from, uint32_t to, uint32_t want)
{
	for (uint32_t k = to; k != from; k = way_before(g, k)) {
		const struct audit_suppress_cell *c = &g->cells[g->by[k]];
		const int64_t left = c->value + g->moved[g->by[k]];
		uint32_t most = want;

		if (g->back[k] && left < want)
			want = (uint32_t)left;
		if (owner_counts(g, c))
			most = (g->each - g->through[c->owner]) /
			    way_count(g, from, to, c->owner);
		want = most < want ? most : want;
	}
	return want;
}

static bool
way_take(struct net *g, uint32_t from, uint32_t to, uint32_t width)
{
	bool more = false;

	for (uint32_t k = to; k != from; k = way_before(g, k)) {
		struct audit_suppress_cell *c = &g->cells[g->by[k]];

		g->moved[g->by[k]] += g->back[k] ? -(int64_t)width : width;
		if (owner_counts(g, c))
			g->through[c->owner] += width;
		more |= !c->hidden;
		c->hidden = true;
	}
	return more;
}

/* ---- the room of a cell ------------------------------------------------- */

/* Leads up to `want` from one node to the other: how much it was. */
static uint32_t
lead(struct net *g, uint32_t from, uint32_t to, uint32_t want, bool hide,
    bool *more)
{
	uint32_t got = 0;

	while (got < want && way_find(g, from, to, hide)) {
		const uint32_t width = way_width(g, from, to, want - got);

		if (width == 0)
			break;
		if (way_take(g, from, to, width))
			*more = true;
		got += width;
	}
	return got;
}

static void
still(struct net *g)
{
	for (size_t i = 0; i < g->n; i++)
		g->moved[i] = 0;
}

/* Of cell i, at most `want`, with at most `each` through an owner; hides what
 * it takes to have it, if `hide`. Less and more are two stories, but who knows
 * an owner's cells knows them in both. */
static uint32_t
room(struct net *g, size_t i, uint32_t want, uint32_t each, bool hide,
    bool *more)
{
	const struct audit_suppress_cell *c = &g->cells[i];
	uint32_t got;

	g->of = i;
	g->each = each;
	for (uint32_t k = 0; k < g->owners; k++)
		g->through[k] = 0;
	still(g);
	got = lead(g, c->from, c->to, c->value < want ? c->value : want,
	    false, more);
	still(g);
	got += lead(g, c->to, c->from, want - got, false, more);
	return got < want && hide ?
	    got + lead(g, c->to, c->from, want - got, true, more) : got;
}

/* Twice the limit, and through no organisation more than once the limit: then
 * without any one of them the limit is left. */
static void
protect(struct net *g, size_t i, uint32_t below, bool *more)
{
	const bool small = g->cells[i].value < below;

	if (!small || room(g, i, 2 * below, below, true, more) < 2 * below)
		(void)room(g, i, below, UINT32_MAX, true, more);
}

static void
suppress(struct net *g, uint32_t below)
{
	bool more = true;

	for (size_t i = 0; i < g->n; i++)
		g->cells[i].hidden |= g->cells[i].value < below;
	while (more) {
		more = false;
		for (size_t i = 0; i < g->n; i++)
			if (g->cells[i].hidden)
				protect(g, i, below, &more);
	}
}

int
audit_suppress(struct audit_suppress_cell *cells, size_t n, uint32_t nodes,
    uint32_t below)
{
	struct net g;
	int err;

	if ((err = net_init(&g, cells, n, nodes)) != KL_OK)
		goto out;
	for (size_t i = 0; i < n; i++)
		cells[i].hidden = below > AUDIT_SUPPRESS_MOST;
	if (below > AUDIT_SUPPRESS_MOST)
		goto out;
	for (uint32_t b = AUDIT_SUPPRESS_LEAST; b <= below ||
	    b == AUDIT_SUPPRESS_LEAST; b++)
		suppress(&g, b);
out:
	net_clear(&g);
	return err;
}

int
audit_suppress_room(const struct audit_suppress_cell *cells, size_t n,
    uint32_t nodes, size_t i, uint32_t insider, uint32_t most, uint32_t *out)
{
	struct audit_suppress_cell *own;
	struct net g = { .n = 0 };
	bool more = false;
	int err = KL_E_VALUE;

	*out = 0;
	if (i >= n)
		return err;
	if ((own = calloc(n, sizeof *own)) == NULL)
		return KL_E_MEMORY;
	for (size_t k = 0; k < n; k++)
		own[k] = cells[k];
	if ((err = net_init(&g, own, n, nodes)) != KL_OK)
		goto out;
	g.insider = insider;
	if (own[i].hidden)
		*out = room(&g, i, most, UINT32_MAX, false, &more);
out:
	net_clear(&g);
	free(own);
	return err;
}
