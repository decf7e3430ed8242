#include "adapters/common/rewrap.h"

#include <errno.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/nightly.h>
#include <kortelijn/host/log.h>

#include "adapters/common/engine_priv.h"

#define SLICE_SLOTS 512		/* a few milliseconds and a sync */
#define RETRY_MS (10 * KL_MINUTE_MS)

static bool
running(const struct engine *e)
{
	return kl_slots_rewrap_progress(store_slots(e->store)).running;
}

static bool
due(const struct engine *e, int64_t mono_ms)
{
	return e->rewrap.asked || (mono_ms >= e->rewrap.retry_ms &&
	    kl_nightly_due(kl_clock_now_ms(&e->clock), e->config->rewrap_at,
	    kl_slots_made_ms(store_slots(e->store))));
}

static int
failed(struct engine *e, int r, int64_t mono_ms)
{
	if (r == KL_E_COMMIT)
		return r;
	kl_logf(KL_LOG_ERROR, "rewrap_failed",
	    kl_log_word("why", kl_err_text(r)), kl_log_num("errno", errno));
	e->rewrap.failed = r;
	e->rewrap.retry_ms = mono_ms + RETRY_MS;
	return KL_OK;
}

static int
begin(struct engine *e)
{
	e->rewrap.asked = false;
	return kl_slots_rewrap_begin(store_slots(e->store),
	    kl_clock_now_ms(&e->clock));
}

static int
slice(struct engine *e)
{
	struct kl_slots *s = store_slots(e->store);
	int left = kl_slots_rewrap_step(s, SLICE_SLOTS), r;

	if (left != 0)
		return left < 0 ? left : KL_OK;
	if ((r = kl_slots_rewrap_finish(s)) == KL_OK) {
		e->rewrap.failed = KL_OK;
		kl_logf(KL_LOG_INFO, "rewrapped", kl_log_num("slots",
		    (int64_t)kl_slots_count(s)));
	}
	return r;
}

int
rewrap_slice(struct engine *e, int64_t mono_ms)
{
	bool goes_on = running(e);
	int r;

	e->rewrap.more = false;
	if (store_dirty(e->store) || (!goes_on && !due(e, mono_ms)))
		return KL_OK;
	/* It gives zeroed slots new keys: the store must have forgotten
	 * them. */
	store_abort(e->store);
	if ((r = store_idle(e->store)) != KL_OK)
		return r;
	r = goes_on ? KL_OK : begin(e);
	if (r == KL_OK)
		r = slice(e);
	if (r != KL_OK)
		return failed(e, r, mono_ms);
	e->rewrap.more = running(e);
	return KL_OK;
}

void
rewrap_ask(struct engine *e)
{
	e->rewrap.asked = !running(e);
	e->rewrap.failed = KL_OK;
}

struct rewrap_status
rewrap_status(const struct engine *e)
{
	const struct kl_slots *s = store_slots(e->store);
	const struct kl_slots_progress p = kl_slots_rewrap_progress(s);
	const int64_t at_ms = kl_slots_made_ms(s);

	return (struct rewrap_status){ .sealed = kl_slots_sealed(s),
		.running = running(e) || e->rewrap.asked, .done = p.done,
		.slots = p.total, .at_ms = at_ms, .failed = e->rewrap.failed,
		.overdue = kl_nightly_overdue(kl_clock_now_ms(&e->clock),
		    e->config->rewrap_at, at_ms) };
}
