#include "broker/core/scrubber.h"

#include <errno.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/nightly.h>
#include <kortelijn/host/log.h>

#include "broker/core/core_main.h"
#include "broker/core/cycle.h"

#define SLICE_LEAVES 256	/* about a millisecond */
#define RETRY_MS KL_MINUTE_MS

static bool
same_root(const struct kl_range *a, const struct kl_range *b)
{
	const struct kl_hash x = kl_range_root(a), y = kl_range_root(b);

	return kl_bytes_equal(KL_BYTES_OF(x), KL_BYTES_OF(y));
}

static void
done(struct core *c, const struct scrub *s)
{
	struct scrubber *b = &c->scrubber;

	b->running = false;
	b->done_ms = kl_clock_now_ms(&c->clock);
	kl_logf(KL_LOG_INFO, "log_read",
	    kl_log_num("leaves", (int64_t)s->at.size),
	    kl_log_num("erased", (int64_t)s->erased));
}

static void
begin(struct core *c)
{
	scrub_begin(&c->scrubber.night);
	c->scrubber.to = c->journal.checked;
	c->scrubber.running = true;
}

static int
night_slice(struct core *c, struct kl_kv_txn *txn)
{
	struct scrubber *b = &c->scrubber;
	int r = scrub_read(&b->night, &c->vault, txn, b->to.size,
	    SLICE_LEAVES, c->mem);

	if (r != KL_OK || b->night.at.size < b->to.size)
		return r;
	if (!same_root(&b->night.at, &b->to))
		return KL_E_DAMAGED;
	done(c, &b->night);
	return KL_OK;
}

static int
start_slice(struct core *c, struct kl_kv_txn *txn)
{
	int r = journal_read_on(&c->journal, txn, SLICE_LEAVES, c->mem);

	if (r == KL_OK && c->journal.whole)
		done(c, &c->journal.read);
	return r;
}

static void
failed(struct core *c, int err)
{
	if (err == KL_E_DAMAGED) {
		core_stop(c, CORE_EXIT_COMMIT, "log_damaged", err);
		return;
	}
	kl_logf(KL_LOG_ERROR, "log_not_read",
	    kl_log_word("why", kl_err_text(err)),
	    kl_log_num("errno", errno),
	    kl_log_word("so", "no checkpoint is signed before it is; it is "
	    "tried again"));
	c->scrubber.retry_ms = kl_mono_ms() + RETRY_MS;
}

static int
slice(struct core *c)
{
	struct kl_kv_txn *txn;
	int r = kl_kv_begin_read(c->kv, &txn);

	if (r != KL_OK)
		return r;
	r = c->journal.whole ? night_slice(c, txn) : start_slice(c, txn);
	kl_kv_abort(&txn);
	return r;
}

static bool
wanted(struct core *c)
{
	struct scrubber *b = &c->scrubber;

	if (!c->journal.whole || b->running)
		return true;
	if (!kl_nightly_due(kl_clock_now_ms(&c->clock), SCRUB_MINUTE,
	    b->done_ms))
		return false;
	begin(c);
	return true;
}

void
scrubber_slice(struct core *c)
{
	struct scrubber *b = &c->scrubber;
	int r;

	b->more = false;
	if (kl_mono_ms() < b->retry_ms || !wanted(c))
		return;
	r = slice(c);
	kl_arena_reset(c->mem);
	if (r != KL_OK)
		failed(c, r);
	b->more = r == KL_OK && (!c->journal.whole || b->running);
}

void
scrubber_finish(struct core *c)
{
	do {
		scrubber_slice(c);
	} while (c->scrubber.more && !c->journal.whole);
}
