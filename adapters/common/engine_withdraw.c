#include "adapters/common/engine_withdraw.h"

#include <string.h>

#include "adapters/common/access.h"
#include "adapters/common/cases.h"
#include "adapters/common/engine_priv.h"
#include "adapters/common/erasure.h"
#include "adapters/common/withdraw.h"
#include "adapters/common/withdraw_told.h"

static int
refuse(struct kl_finding *why, uint32_t code, const char *field)
{
	kl_finding_set(why, code, field);
	return KL_E_REFUSED;
}

static int
find(struct turn *t, const char *reference, struct case_row *c,
    struct kl_finding *why)
{
	struct kl_spoken spoken;
	int r = KL_E_NOT_FOUND;

	if (kl_spoken_read(reference, &spoken) == KL_OK)
		r = cases_by_spoken(t, &spoken, c);
	if (r == KL_E_NOT_FOUND)
		r = cases_by_client(t, reference, c);
	return r != KL_E_NOT_FOUND ? r :
	    refuse(why, KL_C_REFERRAL_UNKNOWN, "/reference");
}

/* ---- withdrawing ----------------------------------------------------- */

/* PROTOCOL.md 5.8, 6.4; DOMAIN P12. */
static int
check_want(const struct turn *t, const struct case_row *c,
    const struct engine_withdraw_want *want, struct kl_finding *why)
{
	const bool error = want->cause == KL_CAUSE_SENT_IN_ERROR;

	if (error && (t->id->role != KL_PRACTICE || c->mine == 0))
		return refuse(why, KL_C_ROLE, "/cause");
	if (error && want->scope != KL_SCOPE_ALL)
		return refuse(why, KL_C_FIELDS_DISAGREE, "/scope");
	if (want->scope == KL_SCOPE_FEEDBACK && c->level == KL_LEVEL_0)
		return refuse(why, KL_C_NO_FEEDBACK_CONSENT, "/scope");
	return KL_OK;
}

static int
withdraw(struct engine *e, const struct engine_actor *by,
    const char *reference, const struct engine_withdraw_want *want,
    struct kl_conv_id *conv, struct kl_finding *why)
{
	const struct withdraw_want w = { want->scope, want->cause };
	struct turn *t = engine_turn(e);
	struct withdrawal there;
	struct case_row c;
	int r;

	if (t->id->role != KL_PRACTICE && t->id->role != KL_MUNICIPALITY)
		return refuse(why, KL_C_ROLE, "");
	if ((r = find(t, reference, &c, why)) != KL_OK)
		return r;
	*conv = c.conv;
	if (want->again && (r = withdraw_get(t, &c.conv, KL_SCOPE_FEEDBACK,
	    &there)) != KL_E_NOT_FOUND)
		return r != KL_OK ? r : access_log(t, by, ENGINE_SAW, conv);
	if ((r = check_want(t, &c, want, why)) != KL_OK ||
	    (r = access_log(t, by, ENGINE_WITHDREW, conv)) != KL_OK)
		return r;
	return withdraw_make(e->withdrawals, t, e->outbox, &c, &w);
}

int
engine_withdraw(struct engine *e, const struct engine_actor *by,
    const char *reference, const struct engine_withdraw_want *want,
    struct kl_conv_id *conv, struct kl_finding *why)
{
	size_t mark = kl_arena_mark(e->mem);
	int r;

	memset(conv, 0, sizeof *conv);
	memset(why, 0, sizeof *why);
	r = e->broken ? KL_E_AGAIN :
	    withdraw(e, by, reference, want, conv, why);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

/* ---- erased ---------------------------------------------------------- */

static int
erased(struct engine *e, const struct engine_actor *by,
    const char *reference, uint32_t case_system, struct kl_conv_id *conv,
    struct kl_finding *why)
{
	struct turn *t = engine_turn(e);
	struct case_row c;
	int r = find(t, reference, &c, why);

	if (r != KL_OK)
		return r;
	*conv = c.conv;
	r = erasure_answer(e->erasures, t, conv, case_system);
	if (r == KL_E_NOT_FOUND)
		return refuse(why, KL_C_NO_ERASE_REQUEST, "/reference");
	if (r == KL_E_VALUE)
		return refuse(why, KL_C_KEPT_IN_ERROR, "/case_system");
	return r != KL_OK ? r : access_log(t, by, ENGINE_WIPED, conv);
}

int
engine_erased(struct engine *e, const struct engine_actor *by,
    const char *reference, uint32_t case_system, struct kl_conv_id *conv,
    struct kl_finding *why)
{
	size_t mark = kl_arena_mark(e->mem);
	int r;

	memset(conv, 0, sizeof *conv);
	memset(why, 0, sizeof *why);
	r = e->broken ? KL_E_AGAIN :
	    erased(e, by, reference, case_system, conv, why);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

/* ---- looking --------------------------------------------------------- */

static int
fill_told(struct turn *t, const struct kl_hash *hash,
    struct engine_withdrawal *out)
{
	struct store_entry at = { .n_key = 0 };
	struct withdraw_told w;
	int r = KL_OK;

	while (out->n_told < ENGINE_TOLD_MAX &&
	    (r = withdraw_told_each(t, hash, &at, &w)) == KL_OK) {
		struct engine_told *to = &out->told[out->n_told++];
		const struct directory_card *card = directory_any(t->dir,
		    &w.signer);

		to->id = w.signer;
		if (card != NULL)
			memcpy(to->name, card->name, sizeof to->name);
		to->adapter_copy = w.adapter_copy;
		to->case_system = w.case_system;
		to->at_ms = w.at_ms;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
fill_ours(struct turn *t, const struct withdrawal *w,
    struct engine_withdrawal *out)
{
	out->ours = true;
	out->scope = w->scope;
	out->cause = w->cause;
	out->done = w->state == WITHDRAW_DONE;
	out->code = w->code;
	out->at_ms = w->at_ms;
	out->done_ms = w->done_ms;
	out->erased = w->erased;
	out->released_before = w->released_before;
	out->unconfirmed = w->unconfirmed;
	out->has_leaf = w->has_leaf != 0;
	out->leaf = w->leaf;
	out->missing_ms = w->missing_ms;
	out->n_statement = w->n;
	memcpy(out->statement, w->packed, w->n);
	return fill_told(t, &w->hash, out);
}

/* Of several the one that waits for an answer, else the last one. */
static void
fill_asked(const struct erasure *x, struct engine_withdrawal *out)
{
	/* The broker asks nobody twice for the same. */
	out->covered |= out->ours && out->cause == KL_CAUSE_RESIDENT &&
	    kl_bytes_zero(KL_BYTES_OF(x->parent)) &&
	    (x->scope == KL_SCOPE_ALL || x->scope == out->scope) &&
	    (x->cause == KL_CAUSE_RESIDENT || x->asked_ms <= out->done_ms);
	if (out->asked && out->case_system == 0)
		return;
	if (!out->ours && out->scope != KL_SCOPE_ALL) {
		out->scope = x->scope;
		out->cause = x->cause;
	}
	out->asked = true;
	out->asked_ms = x->asked_ms;
	out->due_ms = x->due_ms;
	out->answered_ms = x->answered_ms;
	out->taken_ms = x->taken_ms;
	out->adapter_copy = x->adapter_copy;
	out->case_system = x->case_system;
}

static int
look(struct turn *t, const struct kl_conv_id *conv,
    struct engine_withdrawal *out)
{
	struct store_entry at = { .n_key = 0 };
	struct withdrawal w;
	struct erasure x;
	int r = withdraw_get(t, conv, KL_SCOPE_FEEDBACK, &w);

	memset(out, 0, sizeof *out);
	if (r == KL_OK)
		r = fill_ours(t, &w, out);
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	while ((r = erasure_of(t, conv, &at, &x)) == KL_OK)
		fill_asked(&x, out);
	return r == KL_E_NOT_FOUND && (out->ours || out->asked) ? KL_OK : r;
}

int
engine_withdrawal(struct engine *e, const struct kl_conv_id *conv,
    struct engine_withdrawal *out)
{
	return engine_result(e, look(engine_turn(e), conv, out));
}
