#include "proto/audit/region.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

#include "proto/audit/suppress.h"

/* A conversation that a practice began. */
struct talk {
	struct kl_ref ref;
	uint32_t practice, municipality;	/* organisations */
	bool there, shown;	/* shown: presented after a loss */
	bool done[AUDIT_REGION_STEPS];
};

int
audit_region_begin(struct audit_region *r)
{
	*r = (struct audit_region){ .from = 0 };
	if (audit_orgs_init(&r->orgs) != KL_OK)
		return KL_E_MEMORY;
	r->since = calloc(AUDIT_ORGS_MAX, sizeof *r->since);
	audit_reftab_init(&r->talks, sizeof(struct talk),
	    AUDIT_REGION_OPEN_MAX);
	return r->since != NULL ? KL_OK : KL_E_MEMORY;
}

void
audit_region_clear(struct audit_region *r)
{
	for (size_t i = 0; i < AUDIT_REGION_QUARTERS_MAX; i++)
		free(r->counts[i]);
	audit_orgs_clear(&r->orgs);
	audit_reftab_clear(&r->talks);
	free(r->since);
	*r = (struct audit_region){ .from = 0 };
}

/* 4 * year + quarter - 1, by the clock on the wall. */
static int32_t
quarter_of(int64_t minute)
{
	int year, month, day;

	kl_day_split(kl_day_of(kl_calendar_local_ms(minute * KL_MINUTE_MS)),
	    &year, &month, &day);
	return 4 * year + (month - 1) / 3;
}

/* ---- counting ------------------------------------------------------------ */

/* NULL: a clock that is a century off is not told. */
static int
counts_at(struct audit_region *r, int32_t quarter, uint32_t **out)
{
	const int32_t i = quarter - AUDIT_REGION_FIRST;

	*out = NULL;
	if (i < 0 || i >= AUDIT_REGION_QUARTERS_MAX)
		return KL_OK;
	if (r->counts[i] == NULL)
		r->counts[i] = calloc((size_t)AUDIT_ORGS_MAX *
		    AUDIT_REGION_STEPS, sizeof *r->counts[i]);
	*out = r->counts[i];
	return r->counts[i] != NULL ? KL_OK : KL_E_MEMORY;
}

static int
step(struct audit_region *r, struct talk *t, const struct kl_record *rec,
    enum audit_region_step s)
{
	uint32_t *n;
	int err;

	if (t->done[s])
		return KL_OK;
	t->done[s] = true;
	err = counts_at(r, quarter_of(rec->time_minute), &n);
	if (err != KL_OK || n == NULL)
		return err;
	n[t->practice * AUDIT_REGION_STEPS + s]++;
	n[t->municipality * AUDIT_REGION_STEPS + s]++;
	return KL_OK;
}

static int
begins(struct audit_region *r, const struct kl_record *rec,
    const uint32_t org[2])
{
	const int32_t quarter = quarter_of(rec->time_minute);
	struct talk *t;
	void *row;
	int err;

	if (org[0] == AUDIT_ORG_NONE || org[1] == AUDIT_ORG_NONE ||
	    r->orgs.roles[org[0]] == KL_MUNICIPALITY ||
	    r->orgs.roles[org[1]] == KL_PRACTICE || org[0] == org[1])
		return KL_OK;
	if ((err = audit_reftab_put(&r->talks, &rec->conv_ref, &row)) != KL_OK)
		return err;
	t = row;
	if (t->there)
		return KL_OK;	/* sealed again */
	*t = (struct talk){ .ref = rec->conv_ref, .practice = org[0],
		.municipality = org[1], .there = true,
		.shown = rec->event == KL_EV_PRESENTED };
	for (size_t i = 0; i < 2; i++)
		if (r->since[org[i]] == 0 || quarter < r->since[org[i]])
			r->since[org[i]] = quarter;
	r->orgs.roles[org[0]] = KL_PRACTICE;
	r->orgs.roles[org[1]] = KL_MUNICIPALITY;
	return t->shown ? KL_OK : step(r, t, rec, AUDIT_REGION_REFERRED);
}

static int
ends(struct audit_region *r, struct talk *t, const struct kl_record *rec,
    enum audit_region_step s)
{
	const int err = step(r, t, rec, s);

	audit_reftab_drop(&r->talks, rec->conv_ref.b);
	return err;
}

/* A step that was passed over was taken with the next; but of what was
 * presented it was perhaps taken in the log before. */
static int
feedback(struct audit_region *r, struct talk *t, const struct kl_record *rec)
{
	const uint32_t ms = rec->milestone;
	int err = KL_OK;

	if (ms == KL_MS_TAKEN_UP || (!t->shown &&
	    (ms == KL_MS_IN_PROGRESS || ms == KL_MS_ENDED)))
		err = step(r, t, rec, AUDIT_REGION_TAKEN_UP);
	if (err == KL_OK && ms == KL_MS_IN_PROGRESS)
		err = step(r, t, rec, AUDIT_REGION_IN_PROGRESS);
	if (err != KL_OK)
		return err;
	if (ms == KL_MS_ENDED)
		return ends(r, t, rec, AUDIT_REGION_ENDED);
	return ms == KL_MS_RETURNED ?
	    ends(r, t, rec, AUDIT_REGION_RETURNED) : KL_OK;
}

static int
goes_on(struct audit_region *r, struct talk *t, const struct kl_record *rec)
{
	if (rec->event == KL_EV_CONSENT_WITHDRAWN)
		return rec->kind == KL_FEEDBACK ? KL_OK :
		    ends(r, t, rec, AUDIT_REGION_WITHDRAWN);
	if (rec->event == KL_EV_ACCEPTED && rec->kind == KL_FEEDBACK)
		return feedback(r, t, rec);
	if (rec->kind != KL_REFERRAL)
		return KL_OK;
	switch (rec->event) {
	case KL_EV_DELIVERED:
		return step(r, t, rec, AUDIT_REGION_COLLECTED);
	case KL_EV_EXPIRED:
		return ends(r, t, rec, AUDIT_REGION_EXPIRED);
	case KL_EV_DEAD:
		return ends(r, t, rec, AUDIT_REGION_RETURNED);
	default:
		return KL_OK;
	}
}

/* A log that does not begin with its leaf 0 has lost its first months at the
 * end of their term: the first quarter of it is not whole. */
static void
log_begins(struct audit_region *r, uint64_t leaf, const struct kl_record *rec)
{
	const int32_t quarter = quarter_of(rec->time_minute);
	const int32_t whole = leaf == 0 ? quarter : quarter + 1;

	r->begun = true;
	r->from = whole > r->from ? whole : r->from;
}

void
audit_region_log_end(struct audit_region *r, int64_t now)
{
	const int32_t quarter = quarter_of(now != 0 ? now :
	    r->last);

	if (r->begun && (r->to == 0 || quarter < r->to))
		r->to = quarter;
	r->begun = false;
}

int
audit_region_take(struct audit_region *r, uint64_t leaf,
    const struct kl_record *rec)
{
	struct talk *t;
	uint32_t org[2];
	int err;

	if (!r->begun)
		log_begins(r, leaf, rec);
	r->last = rec->time_minute;
	if ((err = audit_orgs_put(&r->orgs, &rec->org_from, &org[0])) !=
	    KL_OK || (err = audit_orgs_put(&r->orgs, &rec->org_to,
	    &org[1])) != KL_OK)
		return err;
	if (rec->kind == KL_REFERRAL && (rec->event == KL_EV_ACCEPTED ||
	    rec->event == KL_EV_PRESENTED) &&
	    rec->actor_role == KL_PRACTICE &&
	    (err = begins(r, rec, org)) != KL_OK)
		return err;
	t = audit_reftab_find(&r->talks, rec->conv_ref.b);
	return t != NULL ? goes_on(r, t, rec) : KL_OK;
}

/* ---- the table of a quarter ---------------------------------------------- */

static int
by_id(const void *a, const void *b, void *arg)
{
	const struct audit_region_row *x = a, *y = b;
	const struct kl_id *ids = arg;

	return memcmp(&ids[x->org], &ids[y->org], sizeof *ids);
}

/* Who had a part in it, then or before: that it has none now is no secret of
 * the numbers. */
static size_t
rows_of(const struct audit_region *r, int32_t quarter, uint32_t role,
    struct audit_region_row *rows)
{
	const uint32_t *counts = r->counts[quarter - AUDIT_REGION_FIRST];
	size_t n = 0;

	for (uint32_t i = 0; i < r->orgs.n; i++) {
		if (r->since[i] == 0 || r->since[i] > quarter ||
		    r->orgs.roles[i] != role)
			continue;
		rows[n].org = i;
		for (size_t k = 0; k < AUDIT_REGION_STEPS; k++)
			rows[n].cells[k].n = counts == NULL ? 0 :
			    counts[i * AUDIT_REGION_STEPS + k];
		n++;
	}
	qsort_r(rows, n, sizeof *rows, by_id, r->orgs.ids);
	return n;
}

/* Municipalities and practices are two lists of the same referrals, so they
 * share their total: a net of three nodes. */
static int
hide(struct audit_region_table *t, size_t step, uint32_t below,
    struct audit_suppress_cell *cells)
{
	const size_t n = t->municipalities + t->practices;
	struct audit_region_cell *all = &t->rows[n].cells[step];
	int err;

	for (size_t i = 0; i < n; i++) {
		const bool practice = i >= t->municipalities;

		cells[i] = (struct audit_suppress_cell){
			.from = practice, .to = practice ? 2 : 1,
			.owner = t->rows[i].org + 1,
			.value = t->rows[i].cells[step].n };
		if (!practice)
			all->n += cells[i].value;
	}
	cells[n] = (struct audit_suppress_cell){ .from = 2, .to = 0,
		.value = all->n, .total = true };
	if ((err = audit_suppress(cells, n + 1, 3, below)) != KL_OK)
		return err;
	for (size_t i = 0; i <= n; i++)
		t->rows[i].cells[step].hidden = cells[i].hidden;
	return KL_OK;
}

int
audit_region_table(const struct audit_region *r, int32_t quarter,
    uint32_t below, struct audit_region_table *out)
{
	struct audit_suppress_cell *cells;
	int err = KL_OK;

	*out = (struct audit_region_table){ .quarter = quarter };
	if (quarter < r->from || quarter >= r->to ||
	    quarter < AUDIT_REGION_FIRST ||
	    quarter >= AUDIT_REGION_FIRST + AUDIT_REGION_QUARTERS_MAX)
		return KL_E_VALUE;
	out->rows = calloc((size_t)r->orgs.n + 1, sizeof *out->rows);
	cells = calloc((size_t)r->orgs.n + 1, sizeof *cells);
	if (out->rows == NULL || cells == NULL)
		err = KL_E_MEMORY;
	if (err == KL_OK) {
		out->municipalities = rows_of(r, quarter, KL_MUNICIPALITY,
		    out->rows);
		out->practices = rows_of(r, quarter, KL_PRACTICE,
		    out->rows + out->municipalities);
		out->rows[out->municipalities + out->practices].org =
		    AUDIT_ORG_NONE;
	}
	for (size_t k = 0; err == KL_OK && k < AUDIT_REGION_STEPS; k++)
		err = hide(out, k, below, cells);
	free(cells);
	if (err != KL_OK) {
		free(out->rows);
		out->rows = NULL;
	}
	return err;
}
