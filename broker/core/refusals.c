#include "broker/core/refusals.h"

#include <string.h>

#include <kortelijn/base/time.h>

#define NEARLY_FULL (REFUSALS_MAX * 3 / 4)

static bool
logged(uint32_t code)
{
	switch (code) {
	case KL_C_OK:
	case KL_C_HELLO_FIRST:
	case KL_C_SESSION_REPLACED:
	case KL_C_NOT_REPORTED_IN:
	case KL_C_TRY_LATER:
	case KL_C_STORE_FULL:
	case KL_C_DRAINING:
		return false;
	default:
		return true;
	}
}

void
refusals_note(struct refusals *f, uint32_t number, uint32_t code,
    int64_t now_ms)
{
	const int64_t minute = now_ms / KL_MINUTE_MS;

	if (!logged(code))
		return;
	for (size_t i = f->n; i-- > f->written;) {
		struct refusal *r = &f->r[i];

		if (r->minute != minute)
			break;
		if (r->number == number && r->code == code) {
			r->count++;
			return;
		}
	}
	if (f->n == REFUSALS_MAX)
		return;
	f->r[f->n++] = (struct refusal){ .number = number, .code = code,
		.count = 1, .minute = minute };
}

bool
refusals_due(const struct refusals *f, int64_t now_ms)
{
	return f->n > 0 && (f->n >= NEARLY_FULL ||
	    f->r[0].minute != now_ms / KL_MINUTE_MS);
}

static int
write_one(const struct refusal *f, struct turn *t, struct registry *r)
{
	const struct participant *p = registry_by_number(r, f->number);
	struct kl_record rec = {
		.event = f->code == KL_C_CONFLICT ? KL_EV_CONFLICT :
		    KL_EV_REFUSED,
		.outcome = 2, .reason = f->code, .count = f->count,
	};
	struct journal_leaf leaf;

	/* By any of its keys: those are not told apart. */
	if (p != NULL) {
		rec.org_from = p->id;
		rec.actor_role = p->role;
	}
	return journal_append(t->journal, t->txn, t->now_ms, &rec, t->mem,
	    &leaf);
}

int
refusals_write(struct refusals *f, struct turn *t, struct registry *r)
{
	const bool all = f->n >= NEARLY_FULL;
	const int64_t minute = t->now_ms / KL_MINUTE_MS;
	int err;

	while (f->written < f->n &&
	    (all || f->r[f->written].minute != minute)) {
		err = write_one(&f->r[f->written], t, r);
		if (err != KL_OK)
			return err;
		f->written++;
	}
	return KL_OK;
}

void
refusals_committed(struct refusals *f)
{
	f->n -= f->written;
	memmove(f->r, f->r + f->written, f->n * sizeof f->r[0]);
	f->written = 0;
}

void
refusals_undo(struct refusals *f)
{
	f->written = 0;
}
