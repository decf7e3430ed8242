#include "broker/core/rewrap.h"

#include <errno.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/nightly.h>
#include <kortelijn/host/log.h>

#include "broker/core/core_main.h"
#include "broker/core/cycle.h"

#define SLICE_SLOTS 512		/* a few milliseconds and a sync */
#define RETRY_MS (10 * KL_MINUTE_MS)

static bool
running(const struct core *c)
{
	return kl_slots_rewrap_progress(c->vault.slots).running;
}

static bool
due(const struct core *c)
{
	return c->rewrap.asked || (kl_mono_ms() >= c->rewrap.retry_ms &&
	    kl_nightly_due(kl_clock_now_ms(&c->clock), c->conf->rewrap_at,
	    kl_slots_made_ms(c->vault.slots)));
}

static void
failed(struct core *c, int err)
{
	kl_logf(KL_LOG_ERROR, "rewrap_failed",
	    kl_log_word("why", kl_err_text(err)),
	    kl_log_num("errno", errno));
	c->rewrap.failed = err;
	c->rewrap.retry_ms = kl_mono_ms() + RETRY_MS;
}

static void
done(struct core *c)
{
	c->rewrap.failed = KL_OK;
	kl_logf(KL_LOG_INFO, "rewrapped", kl_log_num("slots",
	    (int64_t)kl_slots_count(c->vault.slots)));
}

static int
begin(struct core *c)
{
	c->rewrap.asked = false;
	return kl_slots_rewrap_begin(c->vault.slots,
	    kl_clock_now_ms(&c->clock));
}

static int
slice(struct core *c)
{
	const uint32_t zeroed = kl_slots_zeroed(c->vault.slots);
	int left = kl_slots_rewrap_step(c->vault.slots, SLICE_SLOTS), r;

	/* Their new keys can be taken after the next sync. */
	if (kl_slots_zeroed(c->vault.slots) != zeroed)
		c->refilled = true;
	if (left != 0)
		return left < 0 ? left : KL_OK;
	if ((r = kl_slots_rewrap_finish(c->vault.slots)) == KL_OK)
		done(c);
	return r;
}

void
rewrap_slice(struct core *c)
{
	int r = KL_OK;

	if (!running(c)) {
		if (!due(c))
			return;
		r = begin(c);
	}
	if (r == KL_OK)
		r = slice(c);
	if (r == KL_E_COMMIT)
		core_stop(c, CORE_EXIT_COMMIT, "rewrap_failed", r);
	else if (r != KL_OK)
		failed(c, r);
	c->rewrap.more = running(c);
}

bool
rewrap_waits(const struct core *c)
{
	return running(c) || c->rewrap.asked;
}

bool
rewrap_overdue(const struct core *c)
{
	return kl_nightly_overdue(kl_clock_now_ms(&c->clock),
	    c->conf->rewrap_at, kl_slots_made_ms(c->vault.slots));
}

void
rewrap_ask(struct core *c)
{
	c->rewrap.asked = !running(c);
	c->rewrap.failed = KL_OK;
}
