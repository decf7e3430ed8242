/*
 * logdump: the delivery log of a broker that stands still, as JSON lines.
 *
 *   logdump KORTELIJND.CONF [DIR]
 *
 * Reads the store itself, since what it is for is to doubt the broker. Each
 * leaf is hashed anew from salt and record, and the root must be the one that
 * the store holds. Ends with 1 if it is not. With DIR it prints nothing, and
 * makes an export there of all of it, for 'kortelijn audit verify'.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/crypto/merkle.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/crypto/vkey.h>
#include <kortelijn/host/master.h>

#include "broker/config.h"
#include "broker/core/journal.h"
#include "proto/audit/dirout.h"

#define MAC_SLOT 1		/* key of the values' MAC */

struct dump {
	struct vault vault;
	struct journal journal;
	struct kl_kv *kv;
	struct kl_kv_txn *txn;
	struct kl_arena *mem;
	struct kl_range range;		/* as hashed here */

	struct audit_dirout *out;	/* or NULL */
	struct kl_secret *sk;		/* of the log */
	struct kl_note mark;
	struct kl_checkpoint marked;
};

static int
fail(const char *what, const char *why)
{
	fprintf(stderr, "logdump: %s: %s\n", what, why);
	return 1;
}

static int
dump_slots(struct dump *d, const struct broker_conf *conf)
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
	r = kl_slots_open_with(conf->state_dir, &o, &d->vault.slots);
	kl_master_clear(&m);
	return r;
}

static int
dump_open(struct dump *d, const struct broker_conf *conf)
{
	char path[BROKER_PATH_BYTES + 16];
	struct kl_slot_key mac;
	int r;

	d->mem = kl_arena_new(1 << 20, 4096);
	if (d->mem == NULL)
		return KL_E_MEMORY;
	r = dump_slots(d, conf);
	if (r != KL_OK ||
	    (r = kl_slots_key(d->vault.slots, MAC_SLOT, &mac)) != KL_OK)
		return r;
	(void)snprintf(path, sizeof path, "%s/data.mdb", conf->state_dir);
	r = kl_kv_open(path, (size_t)conf->map_mb << 20, KL_BYTES_OF(mac.b),
	    &d->kv);
	kl_wipe(&mac, sizeof mac);
	if (r != KL_OK || (r = kl_kv_begin_read(d->kv, &d->txn)) != KL_OK)
		return r;
	d->journal.vault = &d->vault;
	kl_range_init(&d->range);
	return journal_load(&d->journal, d->txn);
}

static void
dump_close(struct dump *d)
{
	audit_dirout_free(d->out);
	kl_secret_free(d->sk);
	kl_kv_abort(&d->txn);
	kl_kv_close(d->kv);
	vault_clear(&d->vault);
	kl_arena_free(d->mem);
}

/* "" for zeros. */
static const char *
hex(const void *p, size_t n, char *out)
{
	out[0] = '\0';
	if (!kl_bytes_zero(kl_bytes(p, n)))
		kl_hex(kl_bytes(p, n), out);
	return out;
}

static void
print(uint64_t leaf, const struct kl_record *r)
{
	char conv[33], msg[33], body[65];

	printf("{\"leaf\":%" PRIu64 ",\"event\":\"%s\",\"minute\":%" PRId64
	    ",\"kind\":\"%s\",\"conv_ref\":\"%s\",\"msg_ref\":\"%s\","
	    "\"body\":\"%s\",", leaf, kl_event_name(r->event),
	    r->time_minute, r->kind != 0 ? kl_kind_name(r->kind) : "",
	    hex(&r->conv_ref, sizeof r->conv_ref, conv),
	    hex(&r->msg_ref, sizeof r->msg_ref, msg),
	    hex(&r->body_hash, sizeof r->body_hash, body));
	printf("\"org_from\":\"%s\",\"org_to\":\"%s\",\"prev\":\"%s\","
	    "\"new\":\"%s\",\"outcome\":%" PRIu32 ",\"reason\":\"%s\","
	    "\"count\":%" PRIu32 ",\"due\":%" PRId64 ",\"milestone\":\"%s\","
	    "\"role\":\"%s\"}\n",
	    kl_id_text(&r->org_from).b, kl_id_text(&r->org_to).b,
	    kl_message_state_name(r->prev_state),
	    kl_message_state_name(r->new_state), r->outcome,
	    kl_code_name(r->reason), r->count, r->due_minute,
	    r->milestone != 0 ? kl_milestone_name(r->milestone) : "",
	    kl_role_name(r->actor_role));
}

/* ---- an export ---- */

static int
export_key(struct dump *d)
{
	struct kl_vkey v;
	char text[KL_VKEY_MAX + 1];
	int r = kl_vkey_make(d->marked.origin, KL_NOTE_ED25519,
	    &d->journal.pk, &v);

	if (r != KL_OK)
		return r;
	(void)snprintf(text, sizeof text, "%s\n", kl_vkey_text(&v).b);
	return audit_dirout_file(d->out, "log.vkey", kl_bytes_str(text));
}

static int
export_begin(struct dump *d, const struct broker_conf *conf, const char *dir)
{
	char path[BROKER_PATH_BYTES + 16];
	int r;

	(void)snprintf(path, sizeof path, "%s/log.key", conf->config_dir);
	r = kl_keyfile_read(AT_FDCWD, path, "log", &d->sk);
	if (r == KL_OK)
		r = kl_sign_public(d->sk, &d->journal.pk);
	(void)snprintf(path, sizeof path, "%s/log.mark", conf->state_dir);
	if (r == KL_OK)
		r = journal_mark_read(path, &d->journal.pk, &d->mark,
		    &d->marked);
	return r != KL_OK ? r : audit_dirout_begin(dir, &d->out);
}

static int
export_leaf(struct dump *d, const struct kl_hash *hash,
    const struct kl_logged *l)
{
	int r = audit_dirout_leaf(d->out, hash);

	return r != KL_OK ? r : audit_dirout_record(d->out, l->leaf, l->salt,
	    l->record);
}

/* The mark is what the broker has signed; under the leaves that came since
 * stands a checkpoint of ours. */
static int
export_notes(struct dump *d)
{
	struct kl_checkpoint c = d->marked;
	struct kl_note note;
	int r;

	c.size = d->range.size;
	c.root = kl_range_root(&d->range);
	r = kl_note_sign(&c, d->sk, &note);
	if (r == KL_OK)
		r = audit_dirout_file(d->out, "checkpoint",
		    kl_bytes_str(note.b));
	return r != KL_OK ? r : audit_dirout_file(d->out, "checkpoints/mark",
	    kl_bytes_str(d->mark.b));
}

static int
export_end(struct dump *d)
{
	int r;

	if ((r = export_key(d)) != KL_OK || (r = export_notes(d)) != KL_OK ||
	    (r = audit_dirout_end(d->out)) != KL_OK)
		return r;
	return audit_dirout_place(d->out);
}

/* ---- all of it ---- */

static int
dump_leaf(struct dump *d, uint64_t i)
{
	struct kl_logged logged;
	struct kl_record record;
	struct kl_bytes packed;
	struct kl_hash hash;
	int r;

	kl_arena_reset(d->mem);
	r = journal_logged(&d->journal, d->txn, i, d->mem, &packed);
	if (r != KL_OK)
		return r;
	if (KL_MESSAGE_READ(KL_M_LOGGED, packed, d->mem, &logged) !=
	    KL_C_OK || KL_STATEMENT_READ(KL_S_RECORD, logged.record, d->mem,
	    &record) != KL_C_OK || logged.leaf != i)
		return KL_E_FORMAT;
	hash = kl_record_leaf_hash(logged.salt, logged.record);
	kl_range_append(&d->range, &hash);
	if (d->out == NULL)
		print(i, &record);
	return d->out == NULL ? KL_OK : export_leaf(d, &hash, &logged);
}

static int
dump_all(struct dump *d)
{
	struct kl_hash here, there;
	char what[32];
	int r;

	for (uint64_t i = 0; i < d->journal.range.size; i++)
		if ((r = dump_leaf(d, i)) != KL_OK) {
			(void)snprintf(what, sizeof what, "leaf %" PRIu64, i);
			return fail(what, kl_err_text(r));
		}
	here = kl_range_root(&d->range);
	there = kl_range_root(&d->journal.range);
	if (memcmp(&here, &there, sizeof here) != 0)
		return fail(d->journal.origin,
		    "the leaves do not lead to the root");
	return 0;
}

int
main(int argc, char **argv)
{
	struct kl_conf_error error;
	struct broker_conf conf;
	struct dump d = { .kv = NULL };
	int r;

	if (argc != 2 && argc != 3) {
		fputs("usage: logdump KORTELIJND.CONF [DIR]\n", stderr);
		return 2;
	}
	if (kl_crypto_init() != KL_OK)
		return fail("libsodium", "did not start");
	if (broker_conf_read(argv[1], &conf, &error) != KL_OK)
		return fail("configuration", error.b);
	r = dump_open(&d, &conf);
	if (r == KL_OK && argc == 3)
		r = export_begin(&d, &conf, argv[2]);
	r = r == KL_OK ? dump_all(&d) : fail(conf.state_dir, kl_err_text(r));
	if (r == 0 && d.out != NULL && (r = export_end(&d)) != KL_OK)
		r = fail(argv[2], kl_err_text(r));
	dump_close(&d);
	return r;
}
