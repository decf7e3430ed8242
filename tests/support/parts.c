#include "tests/support/parts.h"

#include <check.h>
#include <string.h>

#include "broker/core/erase.h"

#define MAP_BYTES (16u << 20)

static const uint8_t mac_key[32] = { 1 };

static void
files_open(struct parts *p)
{
	struct tmpdir_path store = tmpdir_file(&p->dir, "data.mdb");

	ck_assert_int_eq(kl_kv_open(store.b, MAP_BYTES,
	    KL_BYTES_OF(mac_key), &p->kv), KL_OK);
	ck_assert_int_eq(kl_slots_open(p->dir.path, PARTS_SLOTS,
	    KL_ERASURE_BEST_EFFORT, &p->vault.slots), KL_OK);
	memset(p->vault.index_key.b, 2, sizeof p->vault.index_key.b);
	p->mem = kl_arena_new(4 << 20, 1 << 16);
	ck_assert_ptr_nonnull(p->mem);
	p->journal = (struct journal){ .vault = &p->vault,
		.sk = p->broker.sk, .pk = p->broker.sign_pk,
		.broker = p->broker.id,
		.key_id = kl_key_id_of(p->broker.sign_pk.b) };
	p->registry = (struct registry){ .authority = p->authority_pk,
		.realm = KL_TRAINING };
	p->turn.mem = p->mem;
	p->turn.vault = &p->vault;
	p->turn.journal = &p->journal;
	p->turn.box = &p->box;
	kl_policy_defaults(&p->policy);
	p->turn.policy = &p->policy;
}

static void
files_close(struct parts *p)
{
	kl_kv_abort(&p->turn.txn);
	registry_clear(&p->registry);
	kl_arena_free(p->mem);
	vault_clear(&p->vault);
	kl_kv_close(p->kv);
}

void
parts_open(struct parts *p)
{
	const struct kl_note none = { .b = "" };

	memset(p, 0, sizeof *p);
	p->dir = tmpdir_make();
	p->mark = tmpdir_file(&p->dir, "log.mark");
	p->broker = party_make(KL_BROKER, "oin:00000001234567890000");
	ck_assert_int_eq(kl_sign_keypair(&p->authority_pk, &p->authority),
	    KL_OK);
	p->turn.now_ms = LETTERS_NOW_MS;
	files_open(p);
	parts_begin(p);
	ck_assert_int_eq(journal_create(&p->journal, p->turn.txn,
	    p->turn.now_ms, &none, p->mem), KL_OK);
	parts_commit(p);
}

void
parts_restart(struct parts *p)
{
	files_close(p);
	files_open(p);
	parts_begin_read(p);
	ck_assert_int_eq(journal_load(&p->journal, p->turn.txn), KL_OK);
	ck_assert_int_eq(registry_load(&p->registry, p->turn.txn, p->mem),
	    KL_OK);
	ck_assert_int_eq(mailbox_load(&p->box, p->turn.txn), KL_OK);
	ck_assert_int_eq(erase_mark_slots(&p->turn), KL_OK);
	kl_kv_abort(&p->turn.txn);
}

void
parts_close(struct parts *p)
{
	files_close(p);
	party_clear(&p->broker);
	kl_secret_free(p->authority);
	tmpdir_remove(&p->dir);
}

void
parts_begin(struct parts *p)
{
	kl_arena_reset(p->mem);
	ck_assert_int_eq(kl_kv_begin(p->kv, &p->turn.txn), KL_OK);
}

void
parts_begin_read(struct parts *p)
{
	kl_arena_reset(p->mem);
	ck_assert_int_eq(kl_kv_begin_read(p->kv, &p->turn.txn), KL_OK);
}

void
parts_commit(struct parts *p)
{
	ck_assert_int_eq(mailbox_save(&p->box, p->turn.txn), KL_OK);
	ck_assert_int_eq(journal_save(&p->journal, p->turn.txn), KL_OK);
	ck_assert_int_eq(kl_kv_commit(&p->turn.txn), KL_OK);
	journal_committed(&p->journal);
	mailbox_committed(&p->box);
	vault_keep_taken(&p->vault);
}

void
parts_undo(struct parts *p)
{
	kl_kv_abort(&p->turn.txn);
	journal_undo(&p->journal);
	mailbox_undo(&p->box);
	vault_undo_taken(&p->vault);
}

enum kl_code
parts_put(struct parts *p, uint32_t statement, const struct letter_bytes *b,
    const struct party *by, uint64_t *number)
{
	struct kl_entry e = { .statement = statement,
		.content = kl_bytes(b->b, b->n) };
	struct participant *who = by == NULL ? NULL :
	    registry_by_id(&p->registry, &by->id);
	enum kl_code code;
	int err;

	code = registry_put(&p->registry, p->turn.txn, &e, who,
	    p->turn.now_ms, p->mem, number, &err);
	ck_assert_int_eq(err, KL_OK);
	return code;
}

struct participant *
parts_enrol(struct parts *p, const struct party *who)
{
	struct kl_card c = party_card(who);
	struct letter_bytes b;
	uint64_t number;

	LETTERS_SIGN(KL_CARD, &c, p->authority, &b);
	ck_assert_int_eq(parts_put(p, KL_CARD, &b, NULL, &number), KL_C_OK);
	return registry_by_id(&p->registry, &who->id);
}
