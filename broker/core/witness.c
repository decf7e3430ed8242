#include "broker/core/witness.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/vkey.h>

#include "broker/core/daily.h"
#include "broker/core/tables.h"

#define DAYS_BACK 7	/* how old a line may be to be kept for its day */
#define AHEAD_MS (10 * KL_MINUTE_MS)	/* how far a witness's clock may be */

/* A row: the id of a witness -> a checkpoint with its line alone. */
struct seen {
	struct kl_note note;
	struct kl_checkpoint checkpoint;
	struct kl_bytes line;		/* points into note */
	int64_t at_ms;
};

/* ---- one line ---- */

static bool
line_of(struct kl_bytes note, const struct kl_id *id,
    const struct registry_card *card, int64_t *at_ms, struct kl_bytes *line)
{
	struct kl_vkey key;
	int64_t at_s;

	if (kl_vkey_witness(id, &card->sign_pk, &key) != KL_OK ||
	    kl_note_cosigned_line(note, key.name, &key.pk, &at_s, line) !=
	    KL_OK || at_s > KL_TIME_MAX_MS / KL_SECOND_MS)
		return false;
	*at_ms = at_s * KL_SECOND_MS;
	return true;
}

/* A line that was good when it was made stays so when its card ends, but not
 * when the key was in other hands. */
static bool
line_counts(const struct registry_card *card, int64_t at_ms)
{
	return card->revoked != KL_REVOKE_COMPROMISE &&
	    at_ms >= card->not_before_ms - AHEAD_MS &&
	    at_ms < card->not_after_ms;
}

/* By a card that counts now; `now_ms` 0: by one that counted then. */
static bool
line_find(const struct participant *by, struct kl_bytes note, int64_t now_ms,
    int64_t *at_ms, struct kl_bytes *line)
{
	for (size_t i = 0; i < by->n_cards; i++) {
		const struct registry_card *card = &by->card[i];

		if (now_ms != 0 &&
		    registry_card_valid(card, now_ms) != KL_C_OK)
			continue;
		if (line_of(note, &by->id, card, at_ms, line) &&
		    line_counts(card, *at_ms))
			return true;
	}
	return false;
}

/* ---- rows ---- */

static bool
seen_read(struct kl_bytes row, const struct journal *j,
    const struct participant *by, struct seen *out)
{
	memset(out, 0, sizeof *out);
	if (row.n >= sizeof out->note.b)
		return false;
	memcpy(out->note.b, row.p, row.n);
	return kl_note_verify(kl_bytes(out->note.b, row.n), &j->pk,
	    &out->checkpoint) == KL_OK &&
	    strcmp(out->checkpoint.origin, j->origin) == 0 &&
	    line_find(by, kl_bytes(out->note.b, row.n), 0, &out->at_ms,
	    &out->line);
}

static bool
later(const struct seen *a, const struct seen *b)
{
	if (a->checkpoint.size != b->checkpoint.size)
		return a->checkpoint.size > b->checkpoint.size;
	return a->at_ms > b->at_ms;
}

/* KL_E_NOT_FOUND: nothing of this witness that counts. */
static int
seen_get(struct turn *t, const struct participant *by, struct seen *out)
{
	struct kl_bytes row;
	int err = kl_kv_get(t->txn, T_WITNESS, KL_BYTES_OF(by->id.b), &row);

	if (err != KL_OK)
		return err;
	return seen_read(row, t->journal, by, out) ? KL_OK : KL_E_NOT_FOUND;
}

/*
 * Is the checkpoint that is kept of this day one of no more leaves? Then this
 * one may take its place, and the days still follow each other.
 */
static int
day_fits(struct turn *t, int32_t day, const struct seen *s, bool *fits)
{
	struct kl_checkpoint c;
	struct kl_note note;
	int32_t found;
	int err = daily_from(t->txn, day, &note, &found);

	*fits = err == KL_OK && found == day && kl_note_verify(kl_bytes_str(
	    note.b), &t->journal->pk, &c) == KL_OK &&
	    strcmp(c.origin, s->checkpoint.origin) == 0 &&
	    c.size <= s->checkpoint.size;
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

/* Of the days until the line was signed the last one that it fits: a line that
 * is carried by hand may be of yesterday's checkpoint. */
static int
day_keep(struct turn *t, struct registry *r, const struct seen *s)
{
	const int32_t last = kl_day_of(s->at_ms);
	struct witness_seen all;
	bool fits = false;
	int err = witness_newest(t->txn, t->journal, r, &all);

	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	for (int32_t day = last; day > last - DAYS_BACK; day--) {
		if ((err = day_fits(t, day, s, &fits)) != KL_OK)
			return err;
		if (fits)
			return daily_put(t->txn, day,
			    all.checkpoint.size == s->checkpoint.size ?
			    &all.note : &s->note);
	}
	return KL_OK;
}

enum kl_code
witness_take(struct turn *t, struct registry *r, const struct participant *by,
    struct kl_bytes note, bool *fresh, int *err)
{
	struct seen now, before;

	memset(&now, 0, sizeof now);
	*fresh = false;
	*err = KL_OK;
	if (by->role != KL_AUDITOR ||
	    kl_note_verify(note, &t->journal->pk, &now.checkpoint) != KL_OK ||
	    kl_note_bare(note, &t->journal->pk, &now.note) != KL_OK ||
	    !line_find(by, note, t->now_ms, &now.at_ms, &now.line) ||
	    kl_note_add(&now.note, now.line) != KL_OK)
		return KL_C_NOT_WITNESSED;
	if (now.at_ms > t->now_ms + AHEAD_MS)
		return KL_C_CLOCK_AHEAD;
	*err = seen_get(t, by, &before);
	if (*err == KL_OK && !later(&now, &before))
		return KL_C_OK;
	if (*err == KL_OK || *err == KL_E_NOT_FOUND)
		*err = kl_kv_put(t->txn, T_WITNESS, KL_BYTES_OF(by->id.b),
		    kl_bytes_str(now.note.b));
	*fresh = *err == KL_OK;
	if (*fresh)
		*err = day_keep(t, r, &now);
	return KL_C_OK;
}

enum kl_code
witness_take_all(struct turn *t, struct registry *r, struct kl_bytes note,
    size_t *by, int *err)
{
	enum kl_code code = KL_C_NOT_WITNESSED, one;
	bool fresh;

	*by = 0;
	*err = KL_OK;
	for (size_t i = 0; i < r->n && *err == KL_OK; i++) {
		one = witness_take(t, r, r->p[i], note, &fresh, err);
		if (one == KL_C_OK)
			(*by)++;
		else if (one != KL_C_NOT_WITNESSED)
			code = one;
	}
	return *by > 0 ? KL_C_OK : code;
}

/* ---- the newest ---- */

/* Adds a line to what is told, if it has room; a checkpoint that covers more
 * takes its place. */
static void
seen_add(struct witness_seen *out, const struct kl_id *id,
    const struct seen *s)
{
	const struct witness_by by = { .id = *id, .at_ms = s->at_ms };

	if (out->n > 0 && s->checkpoint.size < out->checkpoint.size)
		return;
	if (out->n == 0 || s->checkpoint.size > out->checkpoint.size) {
		out->checkpoint = s->checkpoint;
		out->note = s->note;
		out->n = 0;
	} else if (out->n == WITNESS_MAX ||
	    kl_note_add(&out->note, s->line) != KL_OK) {
		return;
	}
	out->by[out->n++] = by;
}

int
witness_newest(struct kl_kv_txn *txn, const struct journal *j,
    struct registry *r, struct witness_seen *out)
{
	struct kl_bytes from = KL_BYTES_NONE;
	const struct participant *by;
	struct kl_kv_entry e;
	struct kl_id id;
	struct seen s;
	int err;

	memset(out, 0, sizeof *out);
	while ((err = kl_kv_seek(txn, T_WITNESS, from, from.n > 0, &e)) ==
	    KL_OK && e.key.n == sizeof id.b) {
		memcpy(id.b, e.key.p, sizeof id.b);
		from = KL_BYTES_OF(id.b);
		by = registry_by_id(r, &id);
		if (by != NULL && seen_read(e.value, j, by, &s))
			seen_add(out, &id, &s);
	}
	if (err != KL_OK && err != KL_E_NOT_FOUND)
		return err;
	return out->n > 0 ? KL_OK : KL_E_NOT_FOUND;
}
