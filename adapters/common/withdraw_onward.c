#include "adapters/common/withdraw_onward.h"

#include <string.h>

#include "adapters/common/access.h"
#include "adapters/common/cases.h"
#include "adapters/common/withdraw.h"

static bool
stands_under(const struct case_row *c, const struct kl_hash *referral)
{
	return c->mine != 0 && c->withdrawn != KL_SCOPE_ALL &&
	    memcmp(&c->consent.under, referral, sizeof *referral) == 0;
}

static int
end_one(struct repeats *q, struct turn *t, struct outbox *o,
    struct case_row *c)
{
	static const struct withdraw_want all = { KL_SCOPE_ALL,
		KL_CAUSE_RESIDENT };
	static const struct engine_actor self = { .interface = ENGINE_LINK };
	int r = access_log(t, &self, ENGINE_WITHDREW, &c->conv);

	return r != KL_OK ? r : withdraw_make(q, t, o, c, &all);
}

int
withdraw_onward(struct repeats *q, struct turn *t, struct outbox *o,
    const struct kl_conv_id *conv)
{
	struct case_row parent, c;
	uint64_t after = 0;
	int r = cases_get(t, conv, &parent);

	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	/* Under one that is no child itself the broker shows the link. */
	if (t->id->role != KL_MUNICIPALITY || parent.mine != 0 ||
	    parent.withdrawn != KL_SCOPE_ALL ||
	    kl_bytes_zero(KL_BYTES_OF(parent.consent.under)))
		return KL_OK;
	while (r == KL_OK) {
		size_t mark = kl_arena_mark(t->mem);

		if ((r = cases_next(t, after, &c)) == KL_OK) {
			after = c.number;
			if (stands_under(&c, &parent.referral))
				r = end_one(q, t, o, &c);
		}
		kl_arena_release(t->mem, mark);
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}
