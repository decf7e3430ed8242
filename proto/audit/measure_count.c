#include "proto/audit/measure_priv.h"

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

int
audit_measure_count_month(struct audit_measure *m, int64_t minute,
    struct audit_month **out)
{
	int year, month, day;

	kl_day_split(kl_day_of(kl_calendar_local_ms(minute * KL_MINUTE_MS)),
	    &year, &month, &day);
	month += 12 * year - 1;
	*out = NULL;
	for (size_t i = m->n_months; i-- > 0;)
		if (m->months[i].month == month) {
			*out = &m->months[i];
			return KL_OK;
		}
	if (m->n_months == AUDIT_MEASURE_MONTHS_MAX)
		return KL_E_FULL;
	*out = &m->months[m->n_months++];
	**out = (struct audit_month){ .month = month };
	return KL_OK;
}

static int
pair_at(struct audit_measure *m, uint32_t from, uint32_t to,
    struct audit_pair **out)
{
	const struct kl_ref key = audit_measure_key(from, to);
	struct measure_pair *row;
	void *at;
	int err;

	if ((err = audit_reftab_put(&m->work->pairs, &key, &at)) != KL_OK)
		return err;
	row = at;
	if (!row->there) {
		row->i = (uint32_t)m->n_pairs++;
		row->there = true;
		m->pairs[row->i] = (struct audit_pair){ .from = from,
			.to = to };
	}
	*out = &m->pairs[row->i];
	return KL_OK;
}

int
audit_measure_count_message(struct audit_measure *m, const struct kl_record *r,
    uint32_t from, uint32_t to)
{
	struct audit_month *month;
	struct audit_pair *pair;
	int err;

	if (from == AUDIT_ORG_NONE || to == AUDIT_ORG_NONE ||
	    r->kind >= AUDIT_MEASURE_KINDS)
		return KL_OK;
	if ((err = audit_measure_count_month(m, r->time_minute, &month)) !=
	    KL_OK || (err = pair_at(m, from, to, &pair)) != KL_OK)
		return err;
	month->n[r->kind]++;
	pair->n[r->kind]++;
	m->of[from].sent[r->kind]++;
	m->of[to].received[r->kind]++;
	m->all.sent[r->kind]++;
	m->all.received[r->kind]++;
	return KL_OK;
}

int
audit_measure_count_refusal(struct audit_measure *m, const struct kl_record *r,
    uint32_t from)
{
	struct audit_month *month;
	int err;

	if ((err = audit_measure_count_month(m, r->time_minute, &month)) !=
	    KL_OK)
		return err;
	month->refused += r->count;
	m->refused[r->reason < AUDIT_MEASURE_CODES ? r->reason : 0] +=
	    r->count;
	m->all.refused += r->count;
	if (from != AUDIT_ORG_NONE)
		m->of[from].refused += r->count;
	return KL_OK;
}

void
audit_measure_count_moment(struct audit_moments *list, uint64_t leaf,
    const struct kl_record *r)
{
	if (list->n < AUDIT_MEASURE_LISTED_MAX)
		list->m[list->n] = (struct audit_moment){ .leaf = leaf,
			.minute = r->time_minute, .hash = r->body_hash,
			.reason = r->reason, .count = r->count };
	list->n++;
}

void
audit_measure_count_due(struct audit_due *d, enum measure_fate fate)
{
	d->kept += fate == MEASURE_KEPT;
	d->late += fate == MEASURE_LATE;
	d->missed += fate == MEASURE_MISSED;
	d->running += fate == MEASURE_RUNNING;
	d->lapsed += fate == MEASURE_LAPSED;
}

enum measure_fate
audit_measure_count_fate(int64_t due, int64_t now)
{
	return now > due ? MEASURE_MISSED : MEASURE_RUNNING;
}
