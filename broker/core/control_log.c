/* How the log fares: is it as it was written? */
#include "broker/core/control_priv.h"

#include <stdio.h>

#include "broker/core/month_gone.h"

struct month_text { char b[16]; };

static struct month_text
text_of(uint32_t month)
{
	struct month_text t;

	(void)snprintf(t.b, sizeof t.b, "%04u-%02u", (month - 1) / 12,
	    (month - 1) % 12 + 1);
	return t;
}

/* Their key went with a sector of the disk; their hashes are still there. */
static json_t *
months_lost(struct core *c)
{
	json_t *list = json_array();
	struct kl_kv_txn *txn;
	uint32_t month = 0;

	if (kl_kv_begin_read(c->kv, &txn) != KL_OK)
		return list;
	while (month_gone_next(txn, MONTH_LOST, &month) == KL_OK)
		(void)json_array_append_new(list,
		    json_string(text_of(month).b));
	kl_kv_abort(&txn);
	return list;
}

static json_t *
log_json(struct core *c)
{
	const struct scrubber *b = &c->scrubber;
	const bool start = !c->journal.whole;
	const struct scrub *s = start ? &c->journal.read : &b->night;
	const uint64_t of = start ? c->journal.committed.size : b->to.size;
	json_t *o = json_pack("{s:I,s:b,s:b,s:I,s:o}",
	    "leaves_unsigned", (json_int_t)(c->journal.committed.size -
	    c->journal.checked.size),
	    "read_since_start", c->journal.whole,
	    "reading", start || b->running,
	    "read_ms", (json_int_t)b->done_ms,
	    "months_lost", months_lost(c));

	if (o != NULL && c->sign_err != KL_OK)
		(void)json_object_set_new(o, "not_signed_why",
		    json_string(kl_err_text(c->sign_err)));
	if (o == NULL || (!start && !b->running))
		return o;
	(void)json_object_set_new(o, "leaves_read",
	    json_integer((json_int_t)s->at.size));
	(void)json_object_set_new(o, "leaves_to_read",
	    json_integer((json_int_t)of));
	return o;
}

void
control_log_status(struct core *c, json_t *o)
{
	(void)json_object_set_new(o, "log", log_json(c));
}
