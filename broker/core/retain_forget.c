#include "broker/core/retain_forget.h"

#include <kortelijn/base/time.h>

#include "broker/core/tables.h"
#include "broker/core/timer.h"

static int
row_drop(struct turn *t, char table, struct kl_bytes key)
{
	int err = kl_kv_del(t->txn, table, key);

	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

static int
marker_put(struct turn *t, const struct conversation *c)
{
	const int64_t until_ms = kl_day_start_ms((int32_t)c->valid_until + 1);
	int err;

	if (until_ms <= t->now_ms)
		return KL_OK;
	err = kl_kv_put(t->txn, T_MARKER, KL_BYTES_OF(c->tag), KL_BYTES_NONE);
	return err != KL_OK ? err :
	    timer_put(t, until_ms, TIMER_MARKER, &c->tag);
}

int
retain_marker(struct turn *t, const struct kl_conv_id *id)
{
	const struct kl_tag tag = vault_tag(t->vault, T_CONV,
	    KL_BYTES_OF(*id));
	struct kl_bytes v;

	return kl_kv_get(t->txn, T_MARKER, KL_BYTES_OF(tag), &v);
}

/* What still waits in it cannot outlive it. */
static int
messages_end(struct turn *t, struct registry *r, struct conversation *c)
{
	const size_t mark = kl_arena_mark(t->mem);
	struct message m = { .state = 0 };
	struct kl_tag after = { { 0 } };
	bool first = true;
	int err;

	while ((err = message_next_of(t, &c->tag, &after, first, &m)) ==
	    KL_OK) {
		first = false;
		after = m.tag;
		err = message_get(t, &after, c, &m);
		if (err == KL_OK && (m.state == KL_MSG_ACCEPTED ||
		    m.state == KL_MSG_RELEASED))
			err = retain_end(t, r, c, &m, KL_C_CONVERSATION_ENDED);
		if (err != KL_OK && err != KL_E_NOT_FOUND)
			return err;
		kl_arena_release(t->mem, mark);
	}
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

int
retain_forget(struct turn *t, struct registry *r, const struct kl_tag *tag)
{
	struct conversation c;
	int err = conversation_get(t, tag, &c);

	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	if (retain_until(t, &c) > t->now_ms)
		return KL_OK;	/* it was opened again: another timer */
	/* What stands under it is shown to be allowed by it. */
	if (retain_limit(t, &c) > t->now_ms &&
	    conversation_has_child(t, &c))
		return timer_put(t, t->now_ms + KL_DAY_MS,
		    TIMER_CONVERSATION, tag);
	if ((err = messages_end(t, r, &c)) != KL_OK)
		return err;
	if (c.state == KL_CONV_OPEN)
		retain_count_down(r, &c);
	if ((err = conversation_drop(t, &c)) != KL_OK ||
	    (err = marker_put(t, &c)) != KL_OK)
		return err;
	return mailbox_erase_later(t, c.slot);
}

int
retain_forget_shown(struct turn *t, const struct kl_tag *tag)
{
	return row_drop(t, T_SHOWN, KL_BYTES_OF(*tag));
}

int
retain_forget_marker(struct turn *t, const struct kl_tag *tag)
{
	return row_drop(t, T_MARKER, KL_BYTES_OF(*tag));
}
