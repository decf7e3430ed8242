#include "broker/ctl/cmd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/wire/signed.h>

#include "broker/ctl/control.h"
#include "broker/ctl/exports.h"
#include "broker/ctl/paper.h"
#include "proto/audit/json.h"
#include "proto/cli/output.h"

#define NOW_WAIT_MS (10 * KL_MINUTE_MS)
#define NOW_LOOK_US 200000

/* ---- now ---- */

/* What the broker says of it; NULL: it could not be asked, and that was
 * said. */
static json_t *
state_ask(const struct cli *c, int *r)
{
	json_t *answer, *e;

	*r = control_ask(c, json_pack("{s:s}", "cmd", "export_state"),
	    &answer);
	if (*r != CLI_OK)
		return NULL;
	e = json_incref(json_object_get(answer, "export"));
	json_decref(answer);
	return e;
}

static int
state_say(const struct cli *c, json_t *e)
{
	const char *failed = json_string_value(json_object_get(e, "failed"));
	int r;

	if (failed == NULL)
		return output_take(c, e);
	r = output_fail(c, CLI_FAILED, "the export failed: %s. The broker's "
	    "log says more; it tries again by itself", failed);
	json_decref(e);
	return r;
}

int
cmd_export_now(struct cli *c)
{
	const int64_t until_ms = kl_mono_ms() + NOW_WAIT_MS;
	json_t *answer, *e;
	int r;

	r = control_ask(c, json_pack("{s:s}", "cmd", "export"), &answer);
	json_decref(answer);
	if (r != CLI_OK)
		return r;
	while ((e = state_ask(c, &r)) != NULL) {
		if (!json_is_true(json_object_get(e, "running")))
			return state_say(c, e);
		json_decref(e);
		if (kl_mono_ms() > until_ms)
			return output_fail(c, CLI_FAILED, "it is still being "
			    "written; 'kortelijn status' says when it is done");
		(void)usleep(NOW_LOOK_US);
	}
	return r;
}

/* ---- list ---- */

static json_t *
month_text(uint32_t month)
{
	char text[16];

	(void)snprintf(text, sizeof text, "%04u-%02u",
	    (month - 1) / 12 % 10000, (month - 1) % 12 + 1);
	return json_string(text);
}

/* A head that is not the broker's own says nothing. */
static json_t *
row_make(const char *dir, const char *name, const struct kl_sign_pk *pk)
{
	struct kl_logfile_head h;
	struct kl_checkpoint c;
	struct paper_path path;
	struct stat st;
	size_t n;
	int r = paper_path(dir, name, &path);

	if (r == KL_OK && stat(path.b, &st) != 0)
		r = KL_E_IO;
	if (r == KL_OK)
		r = exports_head(path.b, &h, &n);
	if (r == KL_OK)
		r = kl_note_verify(kl_bytes_str(h.note.b), pk, &c);
	if (r != KL_OK)
		return json_pack("{s:s,s:s}", "file", output_text(
		    kl_bytes_str(name)).b, "wrong", kl_err_text(r));
	return json_pack("{s:s,s:o,s:s,s:I,s:o,s:I}",
	    "file", name, "month", month_text(h.month),
	    "log", c.origin, "leaves", (json_int_t)c.size,
	    "written", output_time((int64_t)st.st_mtime * KL_SECOND_MS),
	    "bytes", (json_int_t)st.st_size);
}

static int
by_name(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;

	return strcmp(json_string_value(json_object_get(*x, "file")),
	    json_string_value(json_object_get(*y, "file")));
}

#define FILES_MAX 4096

static json_t *
rows_make(const char *dir, DIR *d, const struct kl_sign_pk *pk)
{
	json_t **row = calloc(FILES_MAX, sizeof *row), *list = json_array();
	const struct dirent *e;
	size_t n = 0;

	while (row != NULL && n < FILES_MAX && (e = readdir(d)) != NULL)
		if (exports_name_ok(e->d_name) && (row[n] = row_make(dir,
		    e->d_name, pk)) != NULL)
			n++;
	if (row != NULL)
		qsort(row, n, sizeof *row, by_name);
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, row[i]);
	free(row);
	return list;
}

int
cmd_export_list(struct cli *c)
{
	static const struct output_column columns[] = {
		{ "file", "FILE", 39 }, { "leaves", "LEAVES", 7 },
		{ "written", "WRITTEN", 25 }, { "wrong", "WRONG", 8 },
	};
	const char *dir = c->n_args > 0 ? c->arg[0] : NULL;
	struct broker_conf conf;
	struct kl_sign_pk pk;
	DIR *d;
	json_t *list;
	int r;

	if (dir == NULL && (r = ctl_conf(c, &conf)) != CLI_OK)
		return r;
	if (dir == NULL)
		dir = conf.export_dir;
	if ((r = exports_key(c, &pk)) != CLI_OK)
		return r;
	if ((d = opendir(dir)) == NULL)
		return output_fail_err(c, errno == ENOENT ? KL_E_NOT_FOUND :
		    errno == EACCES ? KL_E_DENIED : KL_E_IO, dir);
	list = rows_make(dir, d, &pk);
	(void)closedir(d);
	return output_take_table(c, json_pack("{s:s,s:o}", "dir", dir,
	    "files", list), "files", columns,
	    sizeof columns / sizeof columns[0]);
}

/* ---- open ---- */

struct opened {
	FILE *f;
	struct kl_secret *key;
	struct kl_logfile_reader in;
	struct kl_arena *mem;
	struct kl_logfile_head head;
	uint64_t leaves, records;
	bool print;
	uint8_t chunk[KL_LOGFILE_CHUNK_MAX];
};

static int
leaf_print(struct opened *o, const struct kl_logfile_leaf *l)
{
	struct kl_record record;
	char hash[65], salt[65], bytes[2 * KL_LOGFILE_RECORD_MAX + 1];
	json_t *line;
	int r = 0;

	kl_hex(KL_BYTES_OF(l->hash), hash);
	kl_hex(KL_BYTES_OF(l->salt), salt);
	kl_hex(l->record, bytes);
	line = json_pack("{s:I,s:s}", "leaf", (json_int_t)l->index, "hash",
	    hash);
	kl_arena_reset(o->mem);
	if (l->record.n == 0) {
		(void)json_object_set_new(line, "erased", json_true());
	} else {
		(void)json_object_set_new(line, "salt", json_string(salt));
		(void)json_object_set_new(line, "record", json_string(bytes));
		if (KL_STATEMENT_READ(KL_S_RECORD, l->record, o->mem,
		    &record) == KL_C_OK)
			(void)audit_json_fields(line, &record);
	}
	r = line == NULL ? KL_E_MEMORY : json_dumpf(line, stdout,
	    JSON_COMPACT) == 0 && putchar('\n') != EOF ? KL_OK : KL_E_IO;
	json_decref(line);
	return r;
}

static int
leaves_take(struct opened *o)
{
	struct kl_logfile_leaf l;
	int r;

	while ((r = kl_logfile_leaf(&o->in, &l)) == KL_OK) {
		o->leaves++;
		o->records += l.record.n > 0;
		if (o->print && (r = leaf_print(o, &l)) != KL_OK)
			return r;
	}
	return r == KL_E_EMPTY ? KL_OK : r;
}

static int
chunks_take(struct opened *o)
{
	uint8_t len[4];
	size_t n, got;
	int r = KL_OK;

	while (r == KL_OK && (got = fread(len, 1, sizeof len, o->f)) > 0) {
		if (got < sizeof len || kl_logfile_length(len, &n) != KL_OK ||
		    fread(o->chunk, 1, n, o->f) != n)
			return ferror(o->f) ? KL_E_IO : KL_E_SIGNATURE;
		if ((r = kl_logfile_take(&o->in, kl_bytes(o->chunk,
		    n))) == KL_OK)
			r = leaves_take(o);
	}
	if (r == KL_OK && ferror(o->f))
		r = KL_E_IO;
	return r == KL_OK && !kl_logfile_whole(&o->in) ? KL_E_SIGNATURE : r;
}

static int
pass(struct opened *o, const struct kl_sign_pk *pk)
{
	uint8_t head[KL_LOGFILE_HEAD_MAX];
	size_t n, got;
	int r;

	rewind(o->f);
	o->leaves = o->records = 0;
	got = fread(head, 1, sizeof head, o->f);
	r = kl_logfile_open(&o->in, kl_secret_bytes(o->key), pk,
	    kl_bytes(head, got), &o->head, &n);
	if (r == KL_OK && fseek(o->f, (long)n, SEEK_SET) != 0)
		r = KL_E_IO;
	return r != KL_OK ? r : chunks_take(o);
}

static int
wrong(const struct cli *c, int r, const char *path)
{
	if (r == KL_E_SIGNATURE)
		return output_fail(c, CLI_FILE, "%s: not sealed with this "
		    "key, not of this broker, cut short or changed", path);
	return output_fail_err(c, r, path);
}

/* Nothing is printed of a file that is not right to its end. */
static int
verify_and_print(const struct cli *c, struct opened *o, const char *path)
{
	struct kl_sign_pk pk;
	int r;

	if ((r = exports_key(c, &pk)) != CLI_OK)
		return r;
	if ((r = pass(o, &pk)) != KL_OK)
		return wrong(c, r, path);
	o->print = true;
	if ((r = pass(o, &pk)) != KL_OK)
		return wrong(c, r, path);
	fprintf(stderr, "verified: leaves %" PRIu64 " to %" PRIu64 ", %"
	    PRIu64 " with their record, under the checkpoint of %s at %"
	    PRIu64 " leaves\n", o->in.first, o->in.end - 1, o->records,
	    o->in.checkpoint.origin, o->in.checkpoint.size);
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

int
cmd_export_open(struct cli *c)
{
	const char *key = cli_option(c, "recovery-key");
	struct opened *o;
	int r;

	if (key == NULL)
		return cli_missing(c, "recovery-key");
	if ((o = calloc(1, sizeof *o)) == NULL ||
	    (o->mem = kl_arena_new(65536, 256)) == NULL) {
		free(o);
		return output_fail_err(c, KL_E_MEMORY, c->arg[0]);
	}
	if ((r = kl_keyfile_read(AT_FDCWD, key, "recovery", &o->key)) !=
	    KL_OK)
		r = output_fail_err(c, r, key);
	else if ((o->f = fopen(c->arg[0], "re")) == NULL)
		r = output_fail_err(c, errno == ENOENT ? KL_E_NOT_FOUND :
		    errno == EACCES ? KL_E_DENIED : KL_E_IO, c->arg[0]);
	else
		r = verify_and_print(c, o, c->arg[0]);
	if (o->f != NULL)
		(void)fclose(o->f);
	kl_secret_free(o->key);
	kl_arena_free(o->mem);
	kl_wipe(o, sizeof *o);
	free(o);
	return r;
}
