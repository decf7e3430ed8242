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

int
retain_forget(struct turn *t, struct registry *r, const struct kl_tag *tag)
{
	struct conversation c;
	int err = conversation_get(t, tag, &c);

	if (err != KL_OK)
		return err == KL_E_NOT_FOUND ? KL_OK : err;
	if (retain_until(t, &c) > t->now_ms)
		return KL_OK;	/* it was opened again: another timer */
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
