#include "tests/fault/flip_dump.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/host/master.h>

#include "broker/core/month.h"
#include "broker/core/month_gone.h"

#define MAC_SLOT 1		/* key of the values' MAC */

static void
leaf_dump(struct vault *v, struct kl_kv_txn *txn, uint64_t i,
    struct kl_arena *mem, struct flip_dump *out)
{
	struct leaf_plain plain;
	struct leaf_row row;
	struct kl_bytes parts[2];
	uint32_t slot;

	out->leaf[i].state = FLIP_NONE;
	if (leaf_get(txn, i, &row) != KL_OK)
		return;
	out->leaf[i].state = FLIP_CLOSED;
	out->leaf[i].hash = row.hash;
	if (row.sealed.n == 0 || month_slot(txn, row.month, &slot) != KL_OK ||
	    leaf_open(v, slot, i, row.sealed, mem, &plain) != KL_OK)
		return;
	parts[0] = KL_BYTES_OF(plain.salt);
	parts[1] = plain.record;
	out->leaf[i].state = FLIP_OPEN;
	out->leaf[i].plain = kl_hash_parts(parts, 2);
}

/* Each leaf in a transaction of its own: one that has met damage answers
 * nothing else. */
static void
dump(struct vault *v, struct kl_kv *kv, uint64_t n, struct kl_arena *mem,
    struct flip_dump *out)
{
	struct kl_kv_txn *txn;
	uint32_t month = 0;

	memset(out, 0, sizeof *out);
	out->n = n < FLIP_LEAVES_MAX ? n : FLIP_LEAVES_MAX;
	for (uint64_t i = 0; i < out->n; i++) {
		kl_arena_reset(mem);
		if (kl_kv_begin_read(kv, &txn) != KL_OK)
			return;
		leaf_dump(v, txn, i, mem, out);
		kl_kv_abort(&txn);
	}
	out->done = true;
	/* The leaves stand before this is asked: it looks at the row behind,
	 * which is of no leaf, and LMDB may fault on that one. Then no lost
	 * month is told, and none excuses a leaf. */
	if (kl_kv_begin_read(kv, &txn) != KL_OK)
		return;
	out->month_lost = month_gone_next(txn, MONTH_LOST, &month) == KL_OK;
	kl_kv_abort(&txn);
}

void
flip_dump_core(struct core *c, uint64_t n, struct flip_dump *out)
{
	dump(&c->vault, c->kv, n, c->mem, out);
	kl_arena_reset(c->mem);
}

static int
slots_open(const struct broker_conf *conf, struct vault *v)
{
	const struct kl_master_files files = { conf->master_key,
		conf->master_key_old, conf->state_dir };
	struct kl_slots_options o = { .count = (uint32_t)conf->slots,
		.erasure = KL_ERASURE_BEST_EFFORT };
	struct kl_conf_error error;
	struct kl_master m;
	int r = kl_master_read(&files, &m, &error);

	if (r != KL_OK)
		return r;
	o.secret = m.secret;
	o.secret_before = m.before;
	r = kl_slots_open_with(conf->state_dir, &o, &v->slots);
	kl_master_clear(&m);
	return r;
}

void
flip_dump_files(const struct broker_conf *conf, uint64_t n,
    struct flip_dump *out)
{
	struct kl_arena *mem = kl_arena_new(1 << 20, 4096);
	struct vault v = { .slots = NULL };
	char path[BROKER_PATH_BYTES + 16];
	struct kl_slot_key mac;
	struct kl_kv *kv;

	memset(out, 0, sizeof *out);
	(void)snprintf(path, sizeof path, "%s/data.mdb", conf->state_dir);
	if (mem == NULL || slots_open(conf, &v) != KL_OK ||
	    kl_slots_key(v.slots, MAC_SLOT, &mac) != KL_OK ||
	    kl_kv_open(path, (size_t)conf->map_mb << 20, KL_BYTES_OF(mac.b),
	    &kv) != KL_OK)
		return;
	dump(&v, kv, n, mem, out);
	kl_kv_close(kv);
	vault_clear(&v);
	kl_arena_free(mem);
}

enum flip_same
flip_dump_compare(const struct flip_dump *was, const struct flip_dump *is,
    uint64_t from, uint64_t *at)
{
	enum flip_same r = FLIP_SAME;

	*at = 0;
	if (!is->done || is->n < was->n)
		return FLIP_DIFFERS;
	for (uint64_t i = from; i < was->n; i++) {
		*at = i;
		if (is->leaf[i].state == FLIP_NONE ||
		    memcmp(&was->leaf[i].hash, &is->leaf[i].hash,
		    sizeof was->leaf[i].hash) != 0)
			return FLIP_DIFFERS;
		if (is->leaf[i].state == was->leaf[i].state) {
			if (memcmp(&was->leaf[i].plain, &is->leaf[i].plain,
			    sizeof was->leaf[i].plain) != 0)
				return FLIP_DIFFERS;
			continue;
		}
		if (is->leaf[i].state != FLIP_CLOSED || !is->month_lost)
			return FLIP_DIFFERS;
		r = FLIP_LOST;
	}
	return r;
}
