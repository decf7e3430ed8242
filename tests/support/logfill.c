/*
 * logfill: many records in the delivery log of a broker that stands still, as
 * its core writes them, in large turns.
 *
 *	logfill KORTELIJND.CONF RECORDS ORG ANSWERS
 *
 * RECORDS of deliveries between invented organisations, among which ANSWERS
 * of ORG (an id) were accepted, spread evenly. The broker must have run this
 * month; its next start goes on from there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/host/master.h>

#include "broker/config.h"
#include "broker/core/journal.h"
#include "broker/core/month.h"

#define MAC_SLOT 1		/* key of the values' MAC */
#define TURN 20000		/* leaves of one transaction */
#define ORGS 400
#define STEPS 4			/* leaves of a message */

struct fill {
	struct vault vault;
	struct journal journal;
	struct kl_kv *kv;
	struct kl_kv_txn *txn;
	struct kl_arena *mem;
	struct kl_id answers_of;
	uint64_t records, answers, done, answered;
	int64_t from_ms, to_ms;		/* within this month */
	struct kl_record message;	/* of the next leaves */
};

static int
fail(const char *what, const char *why)
{
	fprintf(stderr, "logfill: %s: %s\n", what, why);
	return 1;
}

/* ---- the store ---------------------------------------------------------- */

static int
slots_open(struct fill *f, const struct broker_conf *conf)
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
	r = kl_slots_open_with(conf->state_dir, &o, &f->vault.slots);
	kl_master_clear(&m);
	return r;
}

/* No slot is free for a month: what is taken was not marked. */
static int
month_check(struct fill *f)
{
	uint32_t slot;

	return month_slot(f->txn, month_of(f->to_ms), &slot);
}

static int
fill_open(struct fill *f, const struct broker_conf *conf)
{
	char path[BROKER_PATH_BYTES + 16];
	struct kl_slot_key mac;
	int r;

	f->mem = kl_arena_new(1 << 20, 4096);
	if (f->mem == NULL)
		return KL_E_MEMORY;
	if ((r = slots_open(f, conf)) != KL_OK ||
	    (r = kl_slots_key(f->vault.slots, MAC_SLOT, &mac)) != KL_OK)
		return r;
	(void)snprintf(path, sizeof path, "%s/data.mdb", conf->state_dir);
	r = kl_kv_open(path, (size_t)conf->map_mb << 20, KL_BYTES_OF(mac.b),
	    &f->kv);
	kl_wipe(&mac, sizeof mac);
	if (r != KL_OK || (r = kl_kv_begin_read(f->kv, &f->txn)) != KL_OK)
		return r;
	f->journal.vault = &f->vault;
	if ((r = journal_load(&f->journal, f->txn)) == KL_OK)
		r = month_check(f);
	kl_kv_abort(&f->txn);
	return r;
}

static void
fill_close(struct fill *f)
{
	kl_kv_abort(&f->txn);
	kl_kv_close(f->kv);
	vault_clear(&f->vault);
	kl_arena_free(f->mem);
}

/* ---- records ------------------------------------------------------------ */

static uint32_t
below(uint32_t n)
{
	uint32_t v;

	kl_random(&v, sizeof v);
	return v % n;
}

static struct kl_id
org(const char *scheme, int digits)
{
	char text[KL_ID_BYTES + 1];
	struct kl_id id = { { 0 } };

	(void)snprintf(text, sizeof text, "%s:%0*u", scheme, digits,
	    1000 + below(ORGS));
	if (kl_id_read(text, &id) != KL_OK)
		abort();
	return id;
}

/* A message through its four leaves, or an answer, which is one. */
static void
next_message(struct fill *f)
{
	const bool answer = f->answered * f->records <
	    f->done * f->answers;

	f->message = (struct kl_record){
		.kind = answer ? KL_REFERRAL : KL_REFERRAL + below(3),
		.org_from = answer ? f->answers_of : org("agb", 8),
		.org_to = org("kvk", 8), .actor_role = KL_PRACTICE,
	};
	kl_random(&f->message.conv_ref, sizeof f->message.conv_ref);
	kl_random(&f->message.msg_ref, sizeof f->message.msg_ref);
	kl_random(&f->message.body_hash, sizeof f->message.body_hash);
	kl_random(&f->message.actor_key_id, sizeof f->message.actor_key_id);
	f->answered += answer;
}

static struct kl_record
next_record(struct fill *f)
{
	static const uint32_t event[STEPS] = { KL_EV_ACCEPTED,
		KL_EV_RELEASED, KL_EV_DELIVERED, KL_EV_ERASED };
	static const uint32_t state[STEPS] = { KL_MSG_ACCEPTED,
		KL_MSG_RELEASED, KL_MSG_DELIVERED, KL_MSG_ERASED };
	const size_t step = f->done % STEPS;
	struct kl_record r;

	if (step == 0)
		next_message(f);
	r = f->message;
	r.event = event[step];
	r.prev_state = step == 0 ? 0 : state[step - 1];
	r.new_state = state[step];
	return r;
}

static int
leaf_write(struct fill *f)
{
	const int64_t at_ms = f->from_ms + (f->to_ms - f->from_ms) /
	    (int64_t)f->records * (int64_t)f->done;
	struct kl_record r = next_record(f);
	struct journal_leaf leaf;
	int err;

	kl_arena_reset(f->mem);
	err = journal_append(&f->journal, f->txn, at_ms, &r, f->mem, &leaf);
	f->done++;
	return err;
}

static int
turn(struct fill *f)
{
	int err = kl_kv_begin(f->kv, &f->txn);

	for (int i = 0; err == KL_OK && i < TURN && f->done < f->records; i++)
		err = leaf_write(f);
	if (err == KL_OK)
		err = journal_save(&f->journal, f->txn);
	if (err != KL_OK)
		return err;
	if ((err = kl_kv_commit(&f->txn)) == KL_OK)
		journal_committed(&f->journal);
	return err;
}

static void
span_set(struct fill *f)
{
	int y, m, d;

	f->to_ms = kl_clock_now_ms(&(struct kl_clock){ 0 });
	kl_day_split(kl_day_of(f->to_ms), &y, &m, &d);
	f->from_ms = kl_day_start_ms(kl_day_make(y, m, 1));
}

int
main(int argc, char **argv)
{
	struct kl_conf_error error;
	struct broker_conf conf;
	static struct fill f;
	int r;

	if (argc != 5 || kl_id_read(argv[3], &f.answers_of) != KL_OK) {
		fputs("usage: logfill KORTELIJND.CONF RECORDS ORG ANSWERS\n",
		    stderr);
		return 2;
	}
	f.records = strtoull(argv[2], NULL, 10);
	f.answers = strtoull(argv[4], NULL, 10);
	if (kl_crypto_init() != KL_OK)
		return fail("libsodium", "did not start");
	if (broker_conf_read(argv[1], &conf, &error) != KL_OK)
		return fail("configuration", error.b);
	span_set(&f);
	r = fill_open(&f, &conf);
	while (r == KL_OK && f.done < f.records)
		r = turn(&f);
	if (r != KL_OK)
		(void)fail(conf.state_dir, kl_err_text(r));
	else
		printf("%" PRIu64 " leaves, %" PRIu64 " answers\n",
		    f.journal.committed.size, f.answered);
	fill_close(&f);
	return r == KL_OK ? 0 : 1;
}
