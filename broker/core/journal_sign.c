/* Checkpoints of the log: what they cover is read again first; and the proofs
 * that lead to them. PROTOCOL.md 7.10, 10.4, 10.5. */
#include "broker/core/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/fs.h>

#include "broker/core/tree.h"

#define SIGN_BUSY_MS 1000
#define SIGN_IDLE_MS (10 * KL_MINUTE_MS)

/* ---- checkpoints --------------------------------------------------------- */

bool
journal_due(const struct journal *j, int64_t now_ms)
{
	int64_t age = now_ms - j->note_ms;

	if (!j->whole)
		return false;
	if (j->committed.size != j->checked.size)
		return age >= SIGN_BUSY_MS || age < 0;
	return age >= SIGN_IDLE_MS || age < 0;
}

static bool
same_root(const struct kl_range *a, const struct kl_range *b)
{
	const struct kl_hash x = kl_range_root(a), y = kl_range_root(b);

	return a->size == b->size &&
	    kl_bytes_equal(KL_BYTES_OF(x), KL_BYTES_OF(y));
}

/* Up to the checkpoint that was signed last, and then to the end: both are
 * known by other means. */
static int
read_on(const struct journal *j, struct scrub *s, struct kl_kv_txn *txn,
    uint64_t max, struct kl_arena *mem)
{
	const struct kl_range *to = s->at.size < j->checked.size ?
	    &j->checked : &j->committed;
	int err = scrub_read(s, j->vault, txn, to->size, max, mem);

	return err == KL_OK && s->at.size == to->size &&
	    !same_root(&s->at, to) ? KL_E_DAMAGED : err;
}

int
journal_read_on(struct journal *j, struct kl_kv_txn *read, uint64_t max,
    struct kl_arena *mem)
{
	int err = read_on(j, &j->read, read, max, mem);

	j->whole = err == KL_OK && j->read.at.size == j->committed.size;
	return err;
}

int
journal_sign(struct journal *j, struct kl_kv_txn *read, int64_t now_ms,
    const char *mark_path, struct kl_arena *mem)
{
	struct kl_checkpoint c = { .size = j->committed.size };
	struct scrub fresh = j->read;
	struct kl_note note;
	int err;

	do {
		err = read_on(j, &fresh, read, UINT64_MAX, mem);
	} while (err == KL_OK && fresh.at.size < j->committed.size);
	if (err != KL_OK)
		return err;
	memcpy(c.origin, j->origin, sizeof c.origin);
	c.root = kl_range_root(&fresh.at);
	if ((err = kl_note_sign(&c, j->sk, &note)) != KL_OK)
		return err;
	err = kl_fs_replace(mark_path, kl_bytes_str(note.b));
	if (err != KL_OK)
		return err;
	j->read = fresh;
	j->whole = true;
	j->checked = fresh.at;
	j->note = note;
	j->note_ms = now_ms;
	return KL_OK;
}

int
journal_mark_read(const char *mark_path, const struct kl_sign_pk *pk,
    struct kl_note *note, struct kl_checkpoint *c)
{
	FILE *f = fopen(mark_path, "re");
	bool failed;
	size_t n;

	memset(note, 0, sizeof *note);
	if (f == NULL)
		return errno == ENOENT ? KL_E_NOT_FOUND : KL_E_IO;
	n = fread(note->b, 1, sizeof note->b - 1, f);
	failed = ferror(f) != 0;
	(void)fclose(f);
	if (failed)
		return KL_E_IO;
	if (kl_note_verify(kl_bytes(note->b, n), pk, c) != KL_OK)
		return KL_E_DAMAGED;
	return KL_OK;
}

int
journal_resume(struct journal *j, struct kl_kv_txn *read,
    const char *mark_path)
{
	struct kl_checkpoint c;
	struct kl_range marked;
	struct kl_note note;
	struct kl_hash root;
	int err = journal_mark_read(mark_path, &j->pk, &note, &c);

	if (err == KL_E_NOT_FOUND)
		return KL_OK;
	if (err != KL_OK)
		return err;
	if (strcmp(c.origin, j->origin) != 0 || c.size > j->committed.size)
		return KL_E_DAMAGED;
	if (tree_range(read, c.size, &marked) != KL_OK)
		return KL_E_DAMAGED;
	root = kl_range_root(&marked);
	if (!kl_bytes_equal(KL_BYTES_OF(root), KL_BYTES_OF(c.root)))
		return KL_E_DAMAGED;
	j->checked = marked;
	j->note = note;
	return KL_OK;
}

/* ---- proofs -------------------------------------------------------------- */

int
journal_prove(struct journal *j, struct kl_kv_txn *txn,
    const struct kl_log_request *q, struct kl_hash *out, size_t *n)
{
	const uint64_t total = q->at != 0 ? q->at : j->checked.size;
	int err;

	*n = 0;
	if (total > j->checked.size)
		return KL_E_VALUE;
	err = q->want == KL_LOG_CONSISTENCY ?
	    tree_prove_consistency(txn, total, q->size, out, n) :
	    tree_prove_inclusion(txn, total, q->size, out, n);
	return err == KL_E_NOT_FOUND ? KL_E_DAMAGED : err;
}

int
journal_tile(struct journal *j, struct kl_kv_txn *txn, uint64_t tile,
    struct kl_hash *out, size_t *n)
{
	const uint64_t total = j->checked.size;
	uint64_t leaf;
	int err;

	*n = 0;
	if (tile > total / KL_TILE_LEAVES)
		return KL_E_VALUE;
	leaf = tile * KL_TILE_LEAVES;
	while (leaf < total && *n < KL_TILE_LEAVES) {
		err = tree_leaf(txn, leaf++, &out[(*n)++]);
		if (err != KL_OK)
			return err == KL_E_NOT_FOUND ? KL_E_DAMAGED : err;
	}
	return *n > 0 ? KL_OK : KL_E_VALUE;
}
