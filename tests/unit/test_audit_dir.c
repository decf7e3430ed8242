#include "proto/audit/dircheck.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/crypto/sign.h>

#include "proto/audit/dir.h"
#include "proto/audit/logrecord.h"
#include "tests/support/exportdir.h"
#include "tests/support/tmpdir.h"

#define LEAVES 700		/* two full tiles and a part of one */

static struct tmpdir tmp;
static struct kl_sign_pk pk;
static struct kl_secret *sk;

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	tmp = tmpdir_make();
	ck_assert_int_eq(kl_sign_keypair(&pk, &sk), KL_OK);
}

static void
teardown(void)
{
	kl_secret_free(sk);
	tmpdir_remove(&tmp);
}

/* ---- tiles, bundles, records by themselves ---- */

struct tiles {
	struct kl_hash leaf[70000];
	uint64_t full, part, width[AUDIT_TILE_LEVELS];
};

static int
count_tile(void *arg, uint32_t level, uint64_t number,
    const struct kl_hash *hashes, uint32_t width)
{
	struct tiles *t = arg;

	ck_assert_ptr_nonnull(hashes);
	ck_assert_uint_eq(width, audit_tile_width(70000, level, number));
	if (width == AUDIT_TILE_HASHES) {
		t->full++;
	} else {
		t->part++;
		t->width[level] = width;
	}
	return 0;
}

START_TEST(tiles_are_those_of_the_specification)
{
	struct tiles *t = calloc(1, sizeof *t);
	struct audit_tiles *made = calloc(1, sizeof *made);
	struct kl_hash root, want;

	ck_assert_ptr_nonnull(t);
	ck_assert_ptr_nonnull(made);
	audit_tiles_init(made, count_tile, t);
	for (uint32_t i = 0; i < 70000; i++) {
		memcpy(t->leaf[i].b, &i, sizeof i);
		ck_assert_int_eq(audit_tiles_append(made, &t->leaf[i]), 0);
		if (i > 300 && i != 511 && i != 65535 && i != 69999)
			continue;
		root = audit_tiles_root(made);
		want = kl_tree_root(t->leaf, i + 1);
		ck_assert_mem_eq(&root, &want, sizeof root);
	}
	ck_assert_int_eq(audit_tiles_end(made), 0);
	/* 70,000 leaves: its example. */
	ck_assert_uint_eq(t->full, 273 + 1);
	ck_assert_uint_eq(t->part, 3);
	ck_assert_uint_eq(t->width[0], 112);
	ck_assert_uint_eq(t->width[1], 17);
	ck_assert_uint_eq(t->width[2], 1);
	free(made);
	free(t);
}
END_TEST

START_TEST(tiles_have_the_names_of_the_specification)
{
	ck_assert_str_eq(audit_tile_path(0, 1234067, 256).b,
	    "tile/0/x001/x234/067");
	ck_assert_str_eq(audit_tile_path(2, 0, 1).b, "tile/2/000.p/1");
	ck_assert_str_eq(audit_bundle_path(1000, 255).b,
	    "records/x001/000.p/255");
	ck_assert_uint_lt(strlen(audit_tile_path(7, UINT64_MAX, 255).b),
	    AUDIT_TILE_PATH_MAX - 1);
}
END_TEST

START_TEST(bundle_holds_what_was_put_and_refuses_what_is_cut)
{
	uint8_t buf[1000], salt[AUDIT_SALT_BYTES] = { 7 };
	struct kl_bytes record;
	const uint8_t *s;
	struct kl_writer w;
	struct kl_reader r;

	kl_writer_init(&w, buf, sizeof buf);
	audit_bundle_put(&w, salt, kl_bytes_str("record"));
	audit_bundle_put(&w, NULL, KL_BYTES_NONE);
	ck_assert_uint_eq(w.n, 2 + 32 + 6 + 2);
	kl_reader_init(&r, kl_writer_bytes(&w));
	ck_assert_int_eq(audit_bundle_next(&r, &s, &record), KL_OK);
	ck_assert_mem_eq(s, salt, sizeof salt);
	ck_assert_uint_eq(record.n, 6);
	ck_assert_int_eq(audit_bundle_next(&r, &s, &record), KL_OK);
	ck_assert_uint_eq(record.n, 0);
	ck_assert(kl_reader_done(&r));
	for (size_t n = 1; n < 40; n++) {
		kl_reader_init(&r, kl_bytes(buf, n));
		ck_assert_int_eq(audit_bundle_next(&r, &s, &record),
		    KL_E_FORMAT);
	}
	/* A salt and nothing behind it; more than a record may be. */
	buf[1] = AUDIT_SALT_BYTES;
	kl_reader_init(&r, kl_bytes(buf, sizeof buf));
	ck_assert_int_eq(audit_bundle_next(&r, &s, &record), KL_E_FORMAT);
	buf[0] = 2;
	kl_reader_init(&r, kl_bytes(buf, sizeof buf));
	ck_assert_int_eq(audit_bundle_next(&r, &s, &record), KL_E_FORMAT);
}
END_TEST

static struct kl_record
some_record(void)
{
	struct kl_record r = { .version = 1, .event = KL_EV_RELEASED,
		.conv_ref = { { 1 } }, .msg_ref = { { 2 } },
		.actor_role = KL_PRACTICE, .kind = KL_FEEDBACK,
		.time_minute = 29500000, .due_minute = 29500001,
		.body_hash = { { 3 } }, .prev_state = KL_MSG_ACCEPTED,
		.new_state = KL_MSG_RELEASED, .outcome = 1, .reason = 1,
		.count = 70000, .milestone = KL_MS_ENDED };

	ck_assert_int_eq(kl_id_read("agb:01234567", &r.org_from), KL_OK);
	return r;
}

/* The fast reader against the codec, over everything that one changed, one
 * missing and one added byte make of a record. */
START_TEST(fast_reader_and_codec_agree)
{
	struct kl_arena *mem = kl_arena_new(65536, 256);
	struct kl_record in = some_record(), a, b;
	uint8_t packed[KL_RECORD_MAX], buf[KL_RECORD_MAX];
	size_t n, taken = 0;

	ck_assert_int_eq(KL_STATEMENT_PACK(KL_S_RECORD, &in, packed,
	    sizeof packed, &n), KL_OK);
	for (size_t i = 0; i < n; i++)
		for (int v = 0; v < 256 + 2; v++) {
			size_t len = n;

			memcpy(buf, packed, n);
			if (v < 256) {
				buf[i] = (uint8_t)v;
			} else if (v == 256) {
				memmove(buf + i, buf + i + 1, n - i - 1);
				len = n - 1;
			} else {
				memmove(buf + i + 1, buf + i, n - i);
				len = n + 1;
			}
			kl_arena_reset(mem);
			ck_assert_int_eq(audit_logrecord_read(kl_bytes(buf,
			    len), mem, &a), KL_STATEMENT_READ(KL_S_RECORD,
			    kl_bytes(buf, len), mem, &b));
			ck_assert_mem_eq(&a, &b, sizeof a);
			taken += a.version == 1;
		}
	ck_assert_uint_gt(taken, n);
	kl_arena_free(mem);
}
END_TEST

/* ---- a directory ---- */

/* What is said of one. */
static size_t n_wrong, n_broken;
static char last_file[128], last_text[256];
static uint64_t last_leaf;
static uint32_t last_rule;

static void
wrong(void *arg, const char *file, uint64_t leaf, const char *text)
{
	(void)arg;
	n_wrong++;
	(void)snprintf(last_file, sizeof last_file, "%s", file);
	(void)snprintf(last_text, sizeof last_text, "%s", text);
	last_leaf = leaf;
}

static void
broken(void *arg, const struct audit_finding *f)
{
	(void)arg;
	n_broken++;
	last_leaf = f->leaf;
	last_rule = f->rule;
	(void)snprintf(last_text, sizeof last_text, "%s", f->text);
}

static int
look(const char *path, struct audit_dircheck_sum *sum)
{
	const struct audit_dircheck_keys keys = { .log = &pk,
		.origin = EXPORTDIR_ORIGIN };
	const struct audit_dircheck_told told = { wrong, broken, NULL };

	n_wrong = n_broken = 0;
	return audit_dircheck(path, &keys, &told, sum);
}

static struct tmpdir_path
make(const char *name, const struct exportdir *like)
{
	struct tmpdir_path path = tmpdir_file(&tmp, name);
	struct exportdir e = { .leaves = LEAVES, .checkpoint_every = 100 };

	if (like != NULL)
		e = *like;
	e.path = path.b;
	e.sk = sk;
	exportdir_make(&e);
	return path;
}

START_TEST(a_whole_export_verifies)
{
	struct tmpdir_path path = make("whole", NULL);
	struct audit_dircheck_sum sum;

	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_msg(n_wrong == 0, "%s: %s", last_file, last_text);
	ck_assert_msg(n_broken == 0, "leaf %d: %s", (int)last_leaf,
	    last_text);
	ck_assert_uint_eq(sum.leaves, LEAVES);
	ck_assert_uint_eq(sum.rules.records, LEAVES);
	ck_assert_uint_eq(sum.checkpoints, 8);
	ck_assert_uint_eq(sum.pairs, 28);
	ck_assert_uint_eq(sum.policies, 1);
	ck_assert(!sum.forked);
}
END_TEST

START_TEST(tiles_without_records_verify)
{
	const struct exportdir e = { .leaves = 513, .erased = 300 };
	struct tmpdir_path path = make("part", &e);
	struct audit_dircheck_sum sum;

	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_uint_eq(n_wrong + n_broken, 0);
	ck_assert_uint_eq(sum.rules.absent, 300);
	ck_assert_uint_eq(sum.rules.records, 213);
}
END_TEST

static void
break_it(void *arg, uint64_t leaf, struct kl_record *r)
{
	(void)arg;
	/* The RELEASED of a message comes a second time. */
	if (leaf == 406) {
		r->event = KL_EV_RELEASED;
		r->prev_state = KL_MSG_ACCEPTED;
		r->new_state = KL_MSG_RELEASED;
	}
}

START_TEST(a_record_that_breaks_a_rule_is_named)
{
	const struct exportdir e = { .leaves = 408, .change = break_it };
	struct tmpdir_path path = make("broken", &e);
	struct audit_dircheck_sum sum;

	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_uint_eq(n_wrong, 0);
	ck_assert_uint_ge(n_broken, 1);
	ck_assert_uint_ge(last_leaf, 406);
	ck_assert_uint_eq(last_rule, AUDIT_RULE_STATE);
	ck_assert_uint_eq(sum.rules.broken, n_broken);
}
END_TEST

static void
spoil(const char *path, const char *file, long at, bool cut)
{
	char name[600];
	FILE *f;
	int byte;

	(void)snprintf(name, sizeof name, "%s/%s", path, file);
	if (cut) {
		ck_assert_int_eq(truncate(name, at), 0);
		return;
	}
	ck_assert_ptr_nonnull(f = fopen(name, "r+b"));
	ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
	ck_assert_int_ne(byte = fgetc(f), EOF);
	ck_assert_int_eq(fseek(f, at, SEEK_SET), 0);
	ck_assert_int_ne(fputc(byte ^ 0x01, f), EOF);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(a_changed_tile_is_found)
{
	struct tmpdir_path path = make("tile", NULL);
	struct audit_dircheck_sum sum;

	spoil(path.b, "tile/0/001", 5, false);
	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	/* The record behind it, the tile above, and each root from there. */
	ck_assert_uint_ge(n_wrong, 3);
}
END_TEST

START_TEST(a_changed_tile_above_is_found)
{
	struct tmpdir_path path = make("above", NULL);
	struct audit_dircheck_sum sum;

	spoil(path.b, "tile/1/000.p/2", 33, false);
	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_uint_eq(n_wrong, 1);
	ck_assert_str_eq(last_file, "tile/1/000.p/2");
}
END_TEST

START_TEST(a_changed_record_is_found_by_its_leaf)
{
	struct tmpdir_path path = make("record", NULL);
	struct audit_dircheck_sum sum;

	spoil(path.b, "records/000", 3, false);
	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_uint_eq(n_wrong, 1);
	ck_assert_uint_eq(last_leaf, 0);
	ck_assert_str_eq(last_file, "records/000");
}
END_TEST

START_TEST(what_is_cut_short_is_found)
{
	struct tmpdir_path path = make("cut", NULL);
	struct audit_dircheck_sum sum;

	spoil(path.b, "records/002.p/188", 1000, true);
	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_uint_ge(n_wrong, 1);
	spoil(path.b, "tile/0/002.p/188", 1000, true);
	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_uint_ge(n_wrong, 2);
}
END_TEST

/* ---- the table for people ---- */

static const struct exportdir with_csv = { .leaves = 20, .csv = true };
#define CSV_MAX 16384

static char *
csv_path(const struct tmpdir_path *dir)
{
	static char path[600];

	(void)snprintf(path, sizeof path, "%s/records.csv", dir->b);
	return path;
}

static size_t
csv_read(const struct tmpdir_path *dir, char *text)
{
	FILE *f = fopen(csv_path(dir), "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, CSV_MAX - 1, f);
	ck_assert_uint_lt(n, CSV_MAX - 1);
	text[n] = '\0';
	(void)fclose(f);
	return n;
}

/* Puts `with` in the place of `n` bytes at `at` of `text` and looks again. */
static size_t
csv_wrong(const struct tmpdir_path *dir, const char *text, const char *at,
    size_t n, const char *with)
{
	struct audit_dircheck_sum sum;
	FILE *f = fopen(csv_path(dir), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(at);
	(void)fwrite(text, 1, (size_t)(at - text), f);
	(void)fputs(with, f);
	(void)fputs(at + n, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(look(dir->b, &sum), KL_OK);
	ck_assert_uint_eq(sum.wrong, n_wrong);
	return n_wrong;
}

static const char *
csv_line(const char *text, int leaf)
{
	char begin[24];
	const char *at;

	(void)snprintf(begin, sizeof begin, "\r\n\"%d\";", leaf);
	at = strstr(text, begin);
	return at == NULL ? NULL : at + 2;
}

START_TEST(a_changed_table_for_people_is_found)
{
	struct tmpdir_path path = make("csv", &with_csv);
	static char text[CSV_MAX];
	const size_t n = csv_read(&path, text);
	const char *at = csv_line(text, 6), *next = csv_line(text, 7);

	ck_assert_uint_eq(csv_wrong(&path, text, text, 0, ""), 0);
	ck_assert_uint_eq(csv_wrong(&path, text, strstr(at, "gelukt"), 6,
	    "mislukt"), 1);
	ck_assert_uint_eq(last_leaf, 6);
	ck_assert_str_eq(last_file, "records.csv");
	ck_assert_str_eq(last_text, "its line is not what was logged");
	ck_assert_uint_eq(csv_wrong(&path, text, at, (size_t)(next - at), ""),
	    1);
	ck_assert_uint_eq(last_leaf, 6);
	ck_assert_str_eq(last_text, "its line is not there");
	/* Another line, one that is none, and one that ends no more. */
	ck_assert_uint_eq(csv_wrong(&path, text, at, 0, "\"5\";\r\n"), 1);
	ck_assert_uint_eq(last_leaf, 5);
	ck_assert_str_eq(last_text, "a line without a record");
	ck_assert_uint_eq(csv_wrong(&path, text, text + n, 0, "Klopt.\n"), 1);
	ck_assert_uint_eq(csv_wrong(&path, text, text + n - 2, 2, ""), 1);
	ck_assert_uint_eq(last_leaf, 19);
	/* More columns, and fewer. */
	ck_assert_uint_eq(csv_wrong(&path, text, next - 2, 0, ";\"\""), 1);
	ck_assert_uint_eq(csv_wrong(&path, text, next - 5, 3, ""), 1);
	ck_assert_uint_eq(csv_wrong(&path, text, text, 3, ""), 1);
	ck_assert_str_eq(last_text,
	    "its first line is not that of an export");
}
END_TEST

/* Whoever verifies may not have the cards. */
START_TEST(names_in_the_table_for_people_are_free)
{
	struct tmpdir_path path = make("names", &with_csv);
	static char text[CSV_MAX];
	const char *at;

	(void)csv_read(&path, text);
	at = strstr(csv_line(text, 6), "agb:01234567\";\"\"");
	ck_assert_uint_eq(csv_wrong(&path, text, at + 15, 0,
	    "De \"\"Linde\"\""), 0);
	ck_assert_uint_eq(csv_wrong(&path, text, at + 15, 0, "De \"Linde"),
	    1);
	ck_assert_uint_eq(csv_wrong(&path, text, at + 4, 1, "9"), 1);
}
END_TEST

START_TEST(a_changed_policy_is_found)
{
	struct tmpdir_path path = make("policy", NULL);
	struct audit_dircheck_sum sum;

	spoil(path.b, "policy/3.conf", 2, false);
	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_uint_eq(n_wrong, 1);
	ck_assert_str_eq(last_file, "policy/3.conf");
}
END_TEST

START_TEST(a_changed_checkpoint_is_found)
{
	struct tmpdir_path path = make("kept", NULL);
	struct audit_dircheck_sum sum;

	spoil(path.b, "checkpoints/000000000300", 60, false);
	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_uint_eq(n_wrong, 1);
	ck_assert_uint_eq(sum.checkpoints, 7);
	spoil(path.b, "checkpoint", 60, false);
	ck_assert_int_eq(look(path.b, &sum), KL_E_SIGNATURE);
	ck_assert_int_eq(truncate(tmpdir_file(&tmp, "kept/checkpoint").b, 9),
	    0);
	ck_assert_int_eq(look(path.b, &sum), KL_E_FORMAT);
}
END_TEST

static void
checkpoint_put(const char *path, const char *name, const char *origin,
    uint64_t size)
{
	struct kl_checkpoint c = { .size = size, .root = { { 9 } } };
	char file[600];
	struct kl_note note;
	FILE *f;

	(void)snprintf(c.origin, sizeof c.origin, "%s", origin);
	ck_assert_int_eq(kl_note_sign(&c, sk, &note), KL_OK);
	(void)snprintf(file, sizeof file, "%s/%s", path, name);
	ck_assert_ptr_nonnull(f = fopen(file, "w"));
	ck_assert_int_ge(fputs(note.b, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(a_signed_checkpoint_of_another_past_is_a_fork)
{
	struct tmpdir_path path = make("fork", NULL);
	struct audit_dircheck_sum sum;

	checkpoint_put(path.b, "checkpoints/mine", EXPORTDIR_ORIGIN, 450);
	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_uint_eq(n_wrong, 1);
	ck_assert_str_eq(last_file, "checkpoints/mine");
	ck_assert(sum.forked);
}
END_TEST

/* As "checkpoints": those of before may be hidden behind it. */
static void
folder_is_told(const char *dir)
{
	struct audit_dircheck_sum sum;

	ck_assert_int_eq(look(dir, &sum), KL_OK);
	ck_assert_uint_eq(sum.wrong, 1);
	ck_assert_str_eq(last_file, "checkpoints");
}

START_TEST(a_folder_of_checkpoints_that_cannot_be_read_is_told)
{
	struct tmpdir_path path = make("export", NULL);
	const struct tmpdir_path folder = tmpdir_file(&tmp,
	    "export/checkpoints"), away = tmpdir_file(&tmp, "away");
	struct audit_dircheck_sum sum;

	ck_assert_int_eq(rename(folder.b, away.b), 0);
	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_uint_eq(sum.wrong, 0);
	ck_assert_int_eq(symlink(away.b, folder.b), 0);
	folder_is_told(path.b);
	ck_assert_int_eq(unlink(folder.b), 0);
	checkpoint_put(path.b, "checkpoints", EXPORTDIR_ORIGIN, 5);
	folder_is_told(path.b);
}
END_TEST

START_TEST(checkpoints_of_another_log_or_a_later_one_are_told)
{
	struct tmpdir_path path = make("other", NULL);
	struct audit_dircheck_sum sum;

	checkpoint_put(path.b, "checkpoints/later", EXPORTDIR_ORIGIN,
	    LEAVES + 1);
	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_uint_eq(n_wrong, 1);
	ck_assert(!sum.forked);
	checkpoint_put(path.b, "checkpoints/later", "another/log", 5);
	ck_assert_int_eq(look(path.b, &sum), KL_OK);
	ck_assert_uint_eq(n_wrong, 1);
	ck_assert_str_eq(last_text, "of another log");
	checkpoint_put(path.b, "checkpoint", "another/log", 5);
	ck_assert_int_eq(look(path.b, &sum), KL_E_UNKNOWN);
}
END_TEST

START_TEST(no_directory_and_no_checkpoint_are_told)
{
	struct audit_dircheck_sum sum;

	ck_assert_int_eq(look(tmpdir_file(&tmp, "none").b, &sum),
	    KL_E_NOT_FOUND);
	ck_assert_int_eq(look(tmp.path, &sum), KL_E_NOT_FOUND);
	checkpoint_put(tmp.path, "checkpoint", EXPORTDIR_ORIGIN, 5);
	ck_assert_int_eq(truncate(tmpdir_file(&tmp, "checkpoint").b,
	    AUDIT_DIR_NOTE_MAX + 1), 0);
	ck_assert_int_eq(look(tmp.path, &sum), KL_E_SIZE);
}
END_TEST

/* ---- writing ---- */

START_TEST(an_export_is_put_over_nothing)
{
	struct tmpdir_path path = tmpdir_file(&tmp, "there");
	struct audit_dirout *o;

	ck_assert_int_eq(mkdir(path.b, 0700), 0);
	ck_assert_int_eq(audit_dirout_begin(path.b, &o), KL_E_EXISTS);
	ck_assert_ptr_null(o);
	ck_assert_int_eq(rmdir(path.b), 0);
	/* A directory of that name that is not ours. */
	ck_assert_int_eq(mkdir(tmpdir_file(&tmp, "there.part").b, 0700), 0);
	ck_assert_int_eq(audit_dirout_begin(path.b, &o), KL_E_EXISTS);
	ck_assert_int_eq(rmdir(tmpdir_file(&tmp, "there.part").b), 0);
	/* It comes to be while we write. */
	ck_assert_int_eq(audit_dirout_begin(path.b, &o), KL_OK);
	ck_assert_int_eq(mkdir(path.b, 0700), 0);
	ck_assert_int_eq(audit_dirout_place(o), KL_E_EXISTS);
	audit_dirout_free(o);
	ck_assert_int_eq(audit_dirout_begin(tmpdir_file(&tmp, "no/dir").b,
	    &o), KL_E_NOT_FOUND);
}
END_TEST

START_TEST(two_exports_to_one_place_do_not_mix)
{
	struct tmpdir_path path = tmpdir_file(&tmp, "once");
	struct audit_dirout *first, *second;
	struct stat st;

	ck_assert_int_eq(audit_dirout_begin(path.b, &first), KL_OK);
	ck_assert_int_eq(audit_dirout_file(first, "a", kl_bytes_str("x")),
	    KL_OK);
	ck_assert_int_eq(audit_dirout_begin(path.b, &second), KL_E_EXISTS);
	ck_assert_ptr_null(second);
	ck_assert_int_eq(audit_dirout_end(first), KL_OK);
	ck_assert_int_eq(audit_dirout_place(first), KL_OK);
	audit_dirout_free(first);
	ck_assert_int_eq(stat(tmpdir_file(&tmp, "once/a").b, &st), 0);
}
END_TEST

START_TEST(an_export_that_was_cut_begins_anew)
{
	struct tmpdir_path path = tmpdir_file(&tmp, "again");
	struct kl_hash leaf = { { 1 } };
	struct audit_dirout *o;
	struct stat st;

	ck_assert_int_eq(audit_dirout_begin(path.b, &o), KL_OK);
	ck_assert_int_eq(audit_dirout_file(o, "a/b/c", kl_bytes_str("x")),
	    KL_OK);
	ck_assert_int_eq(audit_dirout_file(o, "a/b/c", kl_bytes_str("y")),
	    KL_E_EXISTS);
	audit_dirout_free(o);
	ck_assert_int_eq(audit_dirout_begin(path.b, &o), KL_OK);
	ck_assert_int_ne(stat(tmpdir_file(&tmp, "again.part/a").b, &st), 0);
	ck_assert_int_eq(audit_dirout_leaf(o, &leaf), KL_OK);
	ck_assert_int_eq(audit_dirout_record(o, 0, leaf.b,
	    kl_bytes_str("r")), KL_OK);
	ck_assert_int_eq(audit_dirout_record(o, 0, leaf.b,
	    kl_bytes_str("r")), KL_E_VALUE);
	ck_assert_int_eq(audit_dirout_end(o), KL_OK);
	ck_assert_int_eq(audit_dirout_place(o), KL_OK);
	audit_dirout_free(o);
	ck_assert_int_eq(stat(tmpdir_file(&tmp, "again/tile/0/000.p/1").b,
	    &st), 0);
	ck_assert_int_eq(stat(tmpdir_file(&tmp, "again/records/000.p/1").b,
	    &st), 0);
	ck_assert_int_ne(stat(tmpdir_file(&tmp, "again.part").b, &st), 0);
}
END_TEST

/* ---- reading ---- */

static const struct cli_program program = { .name = "prog",
	.daemon = "the daemon" };
static const struct cli cli = { .program = &program };

static int
count_record(void *arg, const struct audit_record *r)
{
	size_t *n = arg;

	ck_assert_uint_gt(r->packed.n, 0);
	(*n)++;
	return *n == 1000 ? CLI_FAILED : CLI_OK;
}

START_TEST(records_are_read_from_a_directory)
{
	struct kl_query_what what = { .event = KL_EV_RELEASED,
		.kind = KL_FEEDBACK };
	struct tmpdir_path path = make("read", NULL);
	size_t n = 0;

	ck_assert_int_eq(audit_dir_records(&cli, path.b, NULL, count_record,
	    &n), CLI_OK);
	ck_assert_uint_eq(n, LEAVES);
	n = 0;
	ck_assert_int_eq(audit_dir_records(&cli, path.b, &what, count_record,
	    &n), CLI_OK);
	ck_assert_uint_eq(n, (LEAVES - 4) / 8);
	n = 999;
	ck_assert_int_eq(audit_dir_records(&cli, path.b, &what, count_record,
	    &n), CLI_FAILED);
	what.spoken[0] = 'A';
	ck_assert_int_eq(audit_dir_records(&cli, path.b, &what, count_record,
	    &n), CLI_USAGE);
	spoil(path.b, "records/000", 3, false);
	ck_assert_int_eq(audit_dir_records(&cli, path.b, NULL, count_record,
	    &n), CLI_FILE);
	ck_assert_int_eq(audit_dir_records(&cli, tmp.path, NULL,
	    count_record, &n), CLI_FILE);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {
		tiles_are_those_of_the_specification,
		tiles_have_the_names_of_the_specification,
		bundle_holds_what_was_put_and_refuses_what_is_cut,
		fast_reader_and_codec_agree, a_whole_export_verifies,
		tiles_without_records_verify,
		a_record_that_breaks_a_rule_is_named, a_changed_tile_is_found,
		a_changed_tile_above_is_found,
		a_changed_record_is_found_by_its_leaf,
		what_is_cut_short_is_found,
		a_changed_table_for_people_is_found,
		names_in_the_table_for_people_are_free,
		a_changed_policy_is_found,
		a_changed_checkpoint_is_found,
		a_signed_checkpoint_of_another_past_is_a_fork,
		a_folder_of_checkpoints_that_cannot_be_read_is_told,
		checkpoints_of_another_log_or_a_later_one_are_told,
		no_directory_and_no_checkpoint_are_told,
		an_export_is_put_over_nothing,
		two_exports_to_one_place_do_not_mix,
		an_export_that_was_cut_begins_anew,
		records_are_read_from_a_directory,
	};
	Suite *s = suite_create("audit_dir");
	TCase *t = tcase_create("audit_dir");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
