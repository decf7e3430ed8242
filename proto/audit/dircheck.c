#include "proto/audit/dircheck.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/crypto/hash.h>

#include "proto/audit/csvcheck.h"
#include "proto/audit/dir.h"
#include "proto/audit/kept.h"
#include "proto/audit/logrecord.h"

#define MEM_BYTES 65536
#define MEM_PIECES 256
#define POLICY_MAX (1u << 20)
#define NAME_MAX_BYTES 64

struct check {
	const struct audit_dircheck_keys *keys;
	const struct audit_dircheck_told *told;
	struct audit_dircheck_sum *sum;
	struct audit_dir *d;
	struct audit_rules *rules;
	struct audit_kept *kept;
	struct audit_csvcheck *csv;
	struct kl_arena *mem;
	struct audit_tiles tiles;
	struct kl_hash above[AUDIT_TILE_HASHES];
	uint8_t *policy;
};

static void
wrong(struct check *c, const char *file, uint64_t leaf, const char *text)
{
	c->sum->wrong++;
	c->told->wrong(c->told->arg, file, leaf, text);
}

/* ---- tiles ---- */

/* Level 0 is where the hashes come from; those above must follow from it. */
static int
tile_compare(void *arg, uint32_t level, uint64_t number,
    const struct kl_hash *hashes, uint32_t width)
{
	const struct audit_tile_path path = audit_tile_path(level, number,
	    width);
	struct check *c = arg;
	size_t n;
	int r;

	if (level == 0)
		return 0;
	r = audit_dir_file(c->d, path.b, c->above, sizeof c->above, &n);
	if (r != KL_OK)
		wrong(c, path.b, AUDIT_NO_LEAF, kl_err_text(r));
	else if (n != width * sizeof *hashes || memcmp(c->above, hashes, n) !=
	    0)
		wrong(c, path.b, AUDIT_NO_LEAF,
		    "its hashes do not follow from the tiles below");
	return 0;
}

/* ---- records ---- */

/* The bytes of a policy, where they are there. */
static void
policy_compare(struct check *c, uint64_t leaf, const struct kl_record *rec)
{
	char name[NAME_MAX_BYTES];
	struct kl_bytes bytes;
	struct kl_hash is;
	size_t n;
	int r;

	(void)snprintf(name, sizeof name, "policy/%" PRIu64 ".conf", leaf);
	r = audit_dir_file(c->d, name, c->policy, POLICY_MAX, &n);
	if (r == KL_E_NOT_FOUND)
		return;
	bytes = kl_bytes(c->policy, n);
	is = kl_sha256_parts(&bytes, 1);
	if (r != KL_OK)
		wrong(c, name, leaf, kl_err_text(r));
	else if (memcmp(&is, &rec->body_hash, sizeof is) != 0)
		wrong(c, name, leaf, "not the policy that was loaded");
	else
		c->sum->policies++;
}

static int
record_take(struct check *c, uint64_t leaf, const struct kl_hash *hash,
    const uint8_t *salt, struct kl_bytes packed, const char *file)
{
	struct audit_record rec = { .leaf = leaf };
	struct kl_hash is;

	if (packed.n == 0) {
		audit_rules_absent(c->rules, leaf);
		return KL_OK;
	}
	is = kl_record_leaf_hash(salt, packed);
	if (memcmp(&is, hash, sizeof is) != 0) {
		wrong(c, file, leaf, "not the record that was logged");
		audit_rules_absent(c->rules, leaf);
		return KL_OK;
	}
	if (audit_logrecord_read(packed, c->mem, &rec.r) != KL_C_OK) {
		wrong(c, file, leaf, "logged, and no record of this protocol");
		audit_rules_absent(c->rules, leaf);
		return KL_OK;
	}
	audit_csvcheck_take(c->csv, &rec);
	if (rec.r.event == KL_EV_POLICY)
		policy_compare(c, leaf, &rec.r);
	return audit_rules_take(c->rules, leaf, &rec.r);
}

static int
records_take(struct check *c, uint64_t number, uint32_t width)
{
	const struct audit_tile_path path = audit_bundle_path(number, width);
	const uint64_t first = number * AUDIT_TILE_HASHES;
	struct kl_bytes packed;
	struct kl_reader in;
	const uint8_t *salt;
	bool whole = true;
	int r = audit_dir_bundle(c->d, number, width, &in);

	if (r != KL_OK) {
		wrong(c, path.b, AUDIT_NO_LEAF, kl_err_text(r));
		whole = false;
	}
	for (uint32_t i = 0; i < width; i++) {
		packed = KL_BYTES_NONE;
		salt = NULL;
		if (whole && audit_bundle_next(&in, &salt, &packed) !=
		    KL_OK) {
			wrong(c, path.b, first + i, "cut short, or no record");
			whole = false;
			packed = KL_BYTES_NONE;
		}
		r = record_take(c, first + i, &c->d->hashes[i], salt, packed,
		    path.b);
		if (r != KL_OK)
			return r;
	}
	if (whole && !kl_reader_done(&in))
		wrong(c, path.b, AUDIT_NO_LEAF, "longer than its records");
	return KL_OK;
}

/* ---- all leaves ---- */

static void
kept_compare(struct check *c)
{
	const struct kl_hash root = audit_tiles_root(&c->tiles);

	audit_kept_at(c->kept, c->tiles.size, &root);
}

static int
tile_take(struct check *c, uint64_t number, uint32_t width)
{
	const struct audit_tile_path path = audit_tile_path(0, number, width);
	int r = audit_dir_tile(c->d, number, width);

	if (r != KL_OK) {
		wrong(c, path.b, AUDIT_NO_LEAF, r == KL_E_FORMAT ?
		    "too long or too short" : kl_err_text(r));
		memset(c->d->hashes, 0, sizeof c->d->hashes);
	}
	for (uint32_t i = 0; i < width; i++) {
		if (audit_tiles_append(&c->tiles, &c->d->hashes[i]) != 0)
			return KL_E_MEMORY;
		if (c->tiles.size == audit_kept_next(c->kept))
			kept_compare(c);
	}
	return records_take(c, number, width);
}

static int
leaves_take(struct check *c)
{
	const uint64_t size = c->sum->newest.size;
	uint32_t width;
	int r = KL_OK;

	for (uint64_t n = 0; r == KL_OK && (width = audit_tile_width(size, 0,
	    n)) > 0; n++)
		r = tile_take(c, n, width);
	if (r == KL_OK)
		r = audit_tiles_end(&c->tiles);
	c->sum->leaves = c->tiles.size;
	audit_csvcheck_end(c->csv);
	audit_rules_end(c->rules);
	return r;
}

/* ---- what goes with them ---- */

static void
vkey_compare(struct check *c)
{
	char is[KL_VKEY_MAX + 1], want[KL_VKEY_MAX + 1];
	struct kl_vkey v;
	size_t n;
	int r;

	r = audit_dir_file(c->d, "log.vkey", is, sizeof is, &n);
	if (r == KL_E_NOT_FOUND)
		return;
	if (r == KL_OK && (r = kl_vkey_make(c->sum->newest.origin,
	    KL_NOTE_ED25519, c->keys->log, &v)) == KL_OK) {
		(void)snprintf(want, sizeof want, "%s\n",
		    kl_vkey_text(&v).b);
		if (n != strlen(want) || memcmp(is, want, n) != 0)
			r = KL_E_SIGNATURE;
	}
	if (r != KL_OK)
		wrong(c, "log.vkey", AUDIT_NO_LEAF,
		    "not the key of this log");
}

static void
csv_wrong(void *arg, const char *file, uint64_t leaf, const char *text)
{
	wrong(arg, file, leaf, text);
}

/* It is for people, who may not get to see anything else. */
static int
csv_open(struct check *c)
{
	const int r = audit_csvcheck_open(c->d, csv_wrong, c, &c->csv);

	if (r == KL_OK || r == KL_E_MEMORY)
		return r;
	wrong(c, "records.csv", AUDIT_NO_LEAF, kl_err_text(r));
	return KL_OK;
}

static int
all(struct check *c)
{
	int r = audit_kept_newest(c->kept, c->d->text, &c->sum->newest);

	if (r != KL_OK || (r = audit_kept_read(c->kept, c->d)) != KL_OK)
		return r;
	vkey_compare(c);
	if (audit_kept_next(c->kept) == 0)
		kept_compare(c);
	if ((r = csv_open(c)) != KL_OK || (r = leaves_take(c)) != KL_OK)
		return r;
	audit_kept_sum(c->kept, c->sum);
	c->sum->rules = audit_rules_count(c->rules);
	c->sum->bytes = c->sum->rules.bytes + sizeof *c + sizeof *c->d +
	    MEM_BYTES + POLICY_MAX + audit_kept_bytes(c->kept);
	return KL_OK;
}

static void
wrong_kept(void *arg, const char *file, const char *text)
{
	wrong(arg, file, AUDIT_NO_LEAF, text);
}

static int
begin(struct check *c, const char *path)
{
	int r = audit_dir_open(path, &c->d);

	if (r != KL_OK)
		return r;
	c->rules = audit_rules_new(c->told->broken, c->told->arg);
	c->kept = audit_kept_new(c->keys, wrong_kept, c);
	c->mem = kl_arena_new(MEM_BYTES, MEM_PIECES);
	c->policy = malloc(POLICY_MAX);
	audit_tiles_init(&c->tiles, tile_compare, c);
	return c->rules == NULL || c->kept == NULL || c->mem == NULL ||
	    c->policy == NULL ? KL_E_MEMORY : KL_OK;
}

int
audit_dircheck(const char *path, const struct audit_dircheck_keys *k,
    const struct audit_dircheck_told *told, struct audit_dircheck_sum *out)
{
	struct check *c = calloc(1, sizeof *c);
	int r;

	memset(out, 0, sizeof *out);
	if (c == NULL)
		return KL_E_MEMORY;
	c->keys = k;
	c->told = told;
	c->sum = out;
	if ((r = begin(c, path)) == KL_OK)
		r = all(c);
	audit_rules_free(c->rules);
	audit_kept_free(c->kept);
	audit_csvcheck_free(c->csv);
	kl_arena_free(c->mem);
	audit_dir_close(c->d);
	free(c->policy);
	free(c);
	return r;
}
