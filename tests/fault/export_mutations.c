/*
 * export_mutations: changes an export in every place and in many ways, and
 * counts what is still taken for the log's own.
 *
 *   export_mutations DIR [FLIPS]
 *
 * DIR is made: a log of a full tile and a part of one, with checkpoints on the
 * way. Each byte of each file that says something is changed FLIPS times (2),
 * in another bit each time; then files are cut, lengthened, taken away and
 * exchanged, lines doubled and ended in another way. Ends with 1 if anything
 * was accepted, or if the export was not right before and after.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/crypto/vkey.h>

#include "proto/audit/dircheck.h"
#include "tests/support/exportdir.h"

#define LEAVES 270
#define FILES_MAX 64
#define FILE_MAX (1u << 17)

struct file {
	char path[512];
	uint8_t bytes[FILE_MAX];
	size_t n;
};

static struct file *files;
static size_t n_files, front;	/* of each path: that of the directory */
static struct kl_sign_pk pk;
static const char *dir;
static size_t tried, accepted;

/* ---- is it right? ---- */

static void
wrong(void *arg, const char *file, uint64_t leaf, const char *text)
{
	(void)arg;
	(void)file;
	(void)leaf;
	(void)text;
}

static void
broken(void *arg, const struct audit_finding *f)
{
	(void)arg;
	(void)f;
}

static bool
right(void)
{
	const struct audit_dircheck_keys keys = { .log = &pk,
		.origin = EXPORTDIR_ORIGIN };
	const struct audit_dircheck_told told = { wrong, broken, NULL };
	struct audit_dircheck_sum s;

	return audit_dircheck(dir, &keys, &told, &s) == KL_OK &&
	    s.wrong == 0 && s.rules.broken == 0;
}

static void
judge(const struct file *f, const char *what, size_t at)
{
	tried++;
	if (!right())
		return;
	accepted++;
	printf("ACCEPTED: %s, %s %zu\n", f->path + front, what, at);
}

/* ---- files ---- */

static void
give_up(const char *what)
{
	perror(what);
	exit(2);
}

static void
write_file(const struct file *f, const uint8_t *bytes, size_t n)
{
	FILE *out = fopen(f->path, "wb");

	if (out == NULL || fwrite(bytes, 1, n, out) != n || fclose(out) != 0)
		give_up(f->path);
}

/* What nothing rests on stays as it is. */
static int
take(const char *path, const struct stat *st, int type, struct FTW *where)
{
	const char *name = path + front;
	struct file *f = &files[n_files];
	FILE *in = NULL;

	(void)st;
	(void)where;
	if (type != FTW_F || strcmp(name, "EXPORT") == 0)
		return 0;
	if (n_files == FILES_MAX || (in = fopen(path, "rb")) == NULL)
		give_up(path);
	(void)snprintf(f->path, sizeof f->path, "%s", path);
	f->n = fread(f->bytes, 1, sizeof f->bytes, in);
	(void)fclose(in);
	n_files++;
	return 0;
}

/* ---- changes ---- */

static void
flip_bytes(const struct file *f, size_t flips)
{
	FILE *out = fopen(f->path, "r+b");

	if (out == NULL)
		give_up(f->path);
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < flips; k++) {
			const int bit = 1 << ((i + 3 * k) % 8);

			if (fseek(out, (long)i, SEEK_SET) != 0 ||
			    fputc(f->bytes[i] ^ bit, out) == EOF ||
			    fflush(out) != 0)
				give_up(f->path);
			judge(f, "bit flipped in byte", i);
			if (fseek(out, (long)i, SEEK_SET) != 0 ||
			    fputc(f->bytes[i], out) == EOF ||
			    fflush(out) != 0)
				give_up(f->path);
		}
	(void)fclose(out);
}

static void
cut(const struct file *f)
{
	const size_t step = f->n / 97 + 1;

	for (size_t n = 0; n < f->n; n += step) {
		write_file(f, f->bytes, n);
		judge(f, "cut to", n);
	}
	write_file(f, f->bytes, f->n - 1);
	judge(f, "cut to", f->n - 1);
	write_file(f, f->bytes, f->n);
}

static void
lengthen(const struct file *f)
{
	static uint8_t buf[FILE_MAX + 64];

	for (size_t more = 1; more <= 32; more++) {
		memcpy(buf, f->bytes, f->n);
		/* More of the same, and nothing. */
		memcpy(buf + f->n, f->bytes, more < f->n ? more : f->n);
		write_file(f, buf, f->n + more);
		judge(f, "lengthened by", more);
		memset(buf + f->n, 0, more);
		write_file(f, buf, f->n + more);
		judge(f, "lengthened with zeros by", more);
	}
	write_file(f, f->bytes, f->n);
}

static bool
is(const struct file *f, const char *start)
{
	return strncmp(f->path + front, start, strlen(start)) == 0;
}

static void
take_away(const struct file *f)
{
	/* A checkpoint or a policy that is not there says nothing. */
	if (!is(f, "tile/") && !is(f, "records/") && strcmp(f->path + front,
	    "checkpoint") != 0)
		return;
	if (unlink(f->path) != 0)
		give_up(f->path);
	judge(f, "taken away", 0);
	write_file(f, f->bytes, f->n);
}

/* One in the other's place; checkpoints of one log are no matter of place. */
static void
exchange(const struct file *a, const struct file *b)
{
	if (a == b || (a->n == b->n && memcmp(a->bytes, b->bytes, a->n) ==
	    0) || (is(a, "checkpoints/") && is(b, "checkpoint")) ||
	    (is(a, "checkpoint") && is(b, "checkpoint") && a->n == b->n))
		return;
	write_file(a, b->bytes, b->n);
	judge(a, "replaced by file", (size_t)(b - files));
	write_file(a, a->bytes, a->n);
}

static void
exchange_hashes(const struct file *f)
{
	static uint8_t buf[FILE_MAX];

	for (size_t i = 0; is(f, "tile/") && i + 64 <= f->n; i += 32) {
		memcpy(buf, f->bytes, f->n);
		memcpy(buf + i, f->bytes + i + 32, 32);
		memcpy(buf + i + 32, f->bytes + i, 32);
		write_file(f, buf, f->n);
		judge(f, "hashes exchanged at", i);
	}
	write_file(f, f->bytes, f->n);
}

/* Lines of a note: each doubled, each gone, each ended by CR LF. */
static void
lines(const struct file *f)
{
	static uint8_t buf[2 * FILE_MAX];
	size_t from = 0, to;

	if (!is(f, "checkpoint"))
		return;
	for (to = 1; to <= f->n; to++) {
		if (f->bytes[to - 1] != '\n')
			continue;
		memcpy(buf, f->bytes, to);
		memcpy(buf + to, f->bytes + from, f->n - from);
		write_file(f, buf, f->n + to - from);
		judge(f, "line doubled before", to);
		memcpy(buf, f->bytes, from);
		memcpy(buf + from, f->bytes + to, f->n - to);
		write_file(f, buf, f->n - (to - from));
		judge(f, "line gone before", to);
		memcpy(buf, f->bytes, to - 1);
		buf[to - 1] = '\r';
		memcpy(buf + to, f->bytes + to - 1, f->n - to + 1);
		write_file(f, buf, f->n + 1);
		judge(f, "CR LF at", to);
		from = to;
	}
	write_file(f, f->bytes, f->n);
}

/* ---- all of it ---- */

static void
key_put(void)
{
	struct kl_vkey v;
	char path[512];
	FILE *f = NULL;

	(void)snprintf(path, sizeof path, "%s/log.vkey", dir);
	if (kl_vkey_make(EXPORTDIR_ORIGIN, KL_NOTE_ED25519, &pk, &v) !=
	    KL_OK || (f = fopen(path, "w")) == NULL)
		give_up(path);
	fprintf(f, "%s\n", kl_vkey_text(&v).b);
	(void)fclose(f);
}

static void
make(void)
{
	struct exportdir e = { .path = dir, .leaves = LEAVES,
		.checkpoint_every = 60 };
	struct kl_secret *sk = NULL;

	if (kl_crypto_init() != KL_OK || kl_sign_keypair(&pk, &sk) != KL_OK ||
	    (files = calloc(FILES_MAX, sizeof *files)) == NULL)
		give_up("memory");
	e.sk = sk;
	exportdir_make(&e);
	kl_secret_free(sk);
	key_put();
	front = strlen(dir) + 1;
	if (nftw(dir, take, 16, FTW_PHYS) != 0)
		give_up(dir);
}

int
main(int argc, char **argv)
{
	size_t flips = 2;

	if (argc != 2 && argc != 3) {
		fputs("usage: export_mutations DIR [FLIPS]\n", stderr);
		return 2;
	}
	dir = argv[1];
	if (argc == 3)
		flips = strtoul(argv[2], NULL, 10);
	make();
	if (!right()) {
		printf("the export is not right before it was changed\n");
		return 1;
	}
	for (size_t i = 0; i < n_files; i++) {
		flip_bytes(&files[i], flips);
		cut(&files[i]);
		lengthen(&files[i]);
		take_away(&files[i]);
		exchange_hashes(&files[i]);
		lines(&files[i]);
		for (size_t k = 0; k < n_files; k++)
			exchange(&files[i], &files[k]);
	}
	printf("exports: %zu files, %zu changes, %zu accepted\n", n_files,
	    tried, accepted);
	if (!right())
		printf("the export is not right after it was put right\n");
	return accepted > 0 || !right() ? 1 : 0;
}
