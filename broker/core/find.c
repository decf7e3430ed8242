#include "broker/core/find.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core/month.h"

#define DAY_MINUTES 1440
#define BEGIN_BYTES 8192	/* a bit for each two bytes of a summary_id */

/* ---- who may read what -------------------------------------------------- */

static int
id_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct kl_id));
}

void
find_sort(struct kl_id *org, size_t n)
{
	if (n > 0)
		qsort(org, n, sizeof *org, id_order);
}

static size_t
begin_of(const struct summary_id *id)
{
	return (size_t)id->b[0] << 8 | id->b[1];
}

int
find_who(struct find_who *w, const struct kl_id *org, size_t n_org,
    struct kl_arena *mem)
{
	*w = (struct find_who){ .org = org, .n_org = n_org,
		.begin = kl_arena_alloc(mem, BEGIN_BYTES) };
	if (w->begin == NULL)
		return KL_E_MEMORY;
	for (size_t i = 0; i < n_org; i++) {
		const struct summary_id id = summary_id(&org[i]);
		const size_t at = begin_of(&id);

		w->begin[at / 8] |= (uint8_t)(1u << at % 8);
	}
	return KL_OK;
}

bool
find_may(const struct find_who *w, const struct kl_id *org)
{
	return w->all || (w->n_org > 0 && bsearch(org, w->org, w->n_org,
	    sizeof *org, id_order) != NULL);
}

static bool
may_read(const struct find_who *w, const struct kl_record *r)
{
	if (w->all)
		return true;
	if (kl_id_none(&r->org_from) && kl_id_none(&r->org_to))
		return r->event != KL_EV_QUERY;
	return find_may(w, &r->org_from) || find_may(w, &r->org_to);
}

static bool
may_begin(const struct find_who *w, const struct summary_id *id)
{
	const size_t at = begin_of(id);

	return (w->begin[at / 8] >> at % 8 & 1) != 0;
}

/* Never false of what may_read would allow. */
static bool
might_read(const struct find_who *w, const struct summary_record *s)
{
	return w->all || (kl_bytes_zero(KL_BYTES_OF(s->from)) &&
	    kl_bytes_zero(KL_BYTES_OF(s->to))) || may_begin(w, &s->from) ||
	    may_begin(w, &s->to);
}

/* ---- what fits ---------------------------------------------------------- */

static bool
minute_fits(const struct find_what *w, int64_t minute)
{
	return minute >= w->from_minute &&
	    (w->to_minute == 0 || minute < w->to_minute);
}

static bool
number_fits(uint32_t asked, uint32_t is)
{
	return asked == 0 || asked == is;
}

static bool
id_fits(const struct kl_id *asked, const struct kl_id *is)
{
	return kl_id_none(asked) || kl_id_equal(asked, is);
}

static bool
ref_fits(const struct kl_ref *asked, const struct kl_ref *is)
{
	return kl_bytes_zero(KL_BYTES_OF(*asked)) ||
	    memcmp(asked, is, sizeof *asked) == 0;
}

static bool
record_fits(const struct find_what *w, const struct kl_record *r)
{
	return minute_fits(w, r->time_minute) &&
	    number_fits(w->kind, r->kind) &&
	    number_fits(w->event, r->event) &&
	    number_fits(w->role, r->actor_role) &&
	    number_fits(w->outcome, r->outcome) &&
	    id_fits(&w->sender, &r->org_from) &&
	    id_fits(&w->receiver, &r->org_to) &&
	    ref_fits(&w->conv_ref, &r->conv_ref) &&
	    ref_fits(&w->msg_ref, &r->msg_ref);
}

/* The same cut short, once for each piece: what a summary is held against. */
struct shorts {
	bool from_asked, to_asked, conv_asked, msg_asked;
	struct summary_id from, to;
	struct summary_conv conv;
	struct summary_msg msg;
};

static struct shorts
shorts_of(const struct find_what *w)
{
	struct shorts s = {
		.from_asked = !kl_id_none(&w->sender),
		.to_asked = !kl_id_none(&w->receiver),
		.conv_asked = !kl_bytes_zero(KL_BYTES_OF(w->conv_ref)),
		.msg_asked = !kl_bytes_zero(KL_BYTES_OF(w->msg_ref)),
		.from = summary_id(&w->sender),
		.to = summary_id(&w->receiver),
	};

	memcpy(s.conv.b, w->conv_ref.b, sizeof s.conv.b);
	memcpy(s.msg.b, w->msg_ref.b, sizeof s.msg.b);
	return s;
}

#define SHORT_FITS(asked, a, b) (!(asked) || memcmp(&(a), &(b), sizeof(a)) == 0)

static bool
summary_fits(const struct find_what *w, const struct shorts *s,
    const struct summary_record *r)
{
	return r->event != 0 && number_fits(w->event, r->event) &&
	    number_fits(w->kind, r->kind) && number_fits(w->role, r->role) &&
	    number_fits(w->outcome, r->outcome) &&
	    minute_fits(w, r->minute) &&
	    SHORT_FITS(s->from_asked, s->from, r->from) &&
	    SHORT_FITS(s->to_asked, s->to, r->to) &&
	    SHORT_FITS(s->conv_asked, s->conv, r->conv) &&
	    SHORT_FITS(s->msg_asked, s->msg, r->msg);
}

/* ---- a piece ------------------------------------------------------------ */

/* What a call of find_piece carries along. */
struct piece {
	struct find *f;
	struct journal *j;
	struct kl_kv_txn *txn;
	struct kl_arena *mem;
	struct shorts shorts;
	find_take *take;
	void *arg;
	struct summary_row row;
	bool ahead;			/* row is of a tile still to come */
	bool candidate[SUMMARY_LEAVES];	/* of the tile that is looked at */
};

/* Opens one record. KL_E_FULL: no more in this piece. */
static int
look_at_leaf(struct piece *p, uint64_t leaf)
{
	const size_t mark = kl_arena_mark(p->mem);
	struct journal_leaf l;
	struct kl_record r;
	int err;

	if (p->f->left == 0)
		return KL_E_FULL;
	p->f->left--;
	err = journal_record(p->j, p->txn, leaf, p->mem, &l);
	if (err == KL_E_NOT_FOUND)
		return KL_OK;
	if (err == KL_OK && KL_STATEMENT_READ(KL_S_RECORD, l.record, p->mem,
	    &r) != KL_C_OK)
		err = KL_E_DAMAGED;
	if (err == KL_OK && record_fits(p->f->what, &r) &&
	    may_read(p->f->who, &r))
		err = p->take(p->arg, &l, &r);
	kl_arena_release(p->mem, mark);
	return err;
}

/* Can a record of this month be within the minutes that are asked for? */
static bool
month_fits(const struct find_what *w, uint32_t month)
{
	const int64_t first = (int64_t)month_end(month - 1) * DAY_MINUTES;
	const int64_t after = (int64_t)month_end(month) * DAY_MINUTES;

	return after > w->from_minute &&
	    (w->to_minute == 0 || first < w->to_minute);
}

static int
look_at_row(struct piece *p)
{
	const size_t mark = kl_arena_mark(p->mem);
	struct summary_record s;
	struct kl_bytes opened;
	int err;

	if (!month_fits(p->f->what, p->row.month))
		return KL_OK;
	err = summary_open(p->j->vault, p->txn, &p->row, p->mem, &opened);
	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	for (size_t i = 0; i < SUMMARY_LEAVES; i++) {
		summary_read(&p->row, opened, i, &s);
		if (summary_fits(p->f->what, &p->shorts, &s) &&
		    might_read(p->f->who, &s))
			p->candidate[i] = true;
	}
	kl_arena_release(p->mem, mark);
	return KL_OK;
}

/* All rows of one tile, from p->row on; afterwards that is the first one
 * behind them. */
static int
look_at_rows(struct piece *p, uint64_t tile)
{
	int err = KL_OK;

	while (err == KL_OK && p->row.tile == tile) {
		p->f->left -= p->f->left > 0;
		if ((err = look_at_row(p)) == KL_OK)
			err = summary_next(p->txn, tile, p->row.month + 1,
			    &p->row);
	}
	p->ahead = err == KL_OK;
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* Which leaves of this tile may fit. A row that is damaged says nothing, so
 * each of them is opened: the records are what counts. KL_E_NOT_FOUND: this
 * tile has no row, nor has any behind it. */
static int
look_at_tile(struct piece *p, uint64_t tile)
{
	int err = KL_OK;

	memset(p->candidate, 0, sizeof p->candidate);
	if (!p->ahead || p->row.tile < tile)
		err = summary_next(p->txn, tile, 0, &p->row);
	p->ahead = err == KL_OK;
	if (err == KL_OK)
		err = look_at_rows(p, tile);
	if (err == KL_E_DAMAGED) {
		memset(p->candidate, true, sizeof p->candidate);
		err = KL_OK;
	}
	return err;
}

/* Those among the leaves of a tile that may fit, from f->next on. */
static int
look_at_candidates(struct piece *p, uint64_t tile)
{
	const uint64_t first = tile * SUMMARY_LEAVES;
	struct find *f = p->f;
	int err = KL_OK;

	for (size_t i = 0; i < SUMMARY_LEAVES && first + i < f->end; i++) {
		if (first + i < f->next || !p->candidate[i])
			continue;
		f->next = first + i;
		if ((err = look_at_leaf(p, first + i)) != KL_OK)
			return err;
	}
	f->next = first + SUMMARY_LEAVES;
	return KL_OK;
}

/* Leaves that have no row yet. */
static int
look_at_newest(struct piece *p)
{
	struct find *f = p->f;
	int err;

	for (; f->next < f->end; f->next++)
		if ((err = look_at_leaf(p, f->next)) != KL_OK)
			return err;
	return KL_OK;
}

/* Leaves below `full` lie in tiles that are full; where such a tile has no
 * row, nothing of it is left. */
static int
look(struct piece *p, uint64_t full)
{
	struct find *f = p->f;
	int err = KL_OK;

	while (f->next < full && f->next < f->end) {
		const uint64_t tile = f->next / SUMMARY_LEAVES;

		if (f->left == 0)
			return KL_E_FULL;
		if ((err = look_at_tile(p, tile)) == KL_E_NOT_FOUND)
			f->next = full;
		else if (err != KL_OK ||
		    (err = look_at_candidates(p, tile)) != KL_OK)
			return err;
		else if (p->ahead && f->next < p->row.tile * SUMMARY_LEAVES)
			f->next = p->row.tile * SUMMARY_LEAVES;
	}
	return look_at_newest(p);
}

int
find_piece(struct find *f, struct journal *j, struct kl_kv_txn *txn,
    struct kl_arena *mem, find_take *take, void *arg)
{
	struct piece p = { .f = f, .j = j, .txn = txn, .mem = mem,
		.shorts = shorts_of(f->what), .take = take, .arg = arg };
	uint64_t full = j->range.size / SUMMARY_LEAVES * SUMMARY_LEAVES;
	int err;

	if (f->end > j->range.size)
		f->end = j->range.size;
	err = f->next < f->end ? look(&p, full) : KL_OK;
	if (err == KL_OK)
		f->next = f->end;
	return err == KL_E_FULL ? KL_OK : err;
}
