/*
 * erase_control: a store that deletes without destroying keys: what the slot
 * layer is there to prevent. A scan that does not find what this one deleted
 * finds nothing anywhere.
 *
 *   erase_control DIR N MARKERS
 *
 * Puts N random markers into DIR/control.mdb, commits, deletes all of them,
 * commits, and writes them to MARKERS as "control HEX"; and one more word,
 * "unlinked", for those of a file that was removed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/kv.h>

#define MARKER 16
#define MARKERS_MAX 4096
#define MAP_BYTES (4u << 20)
#define TABLE 'x'

struct markers {
	uint8_t b[MARKERS_MAX][MARKER];
	size_t n;
};

static void
must(int r, const char *what)
{
	if (r == KL_OK)
		return;
	fprintf(stderr, "erase_control: %s: %s\n", what, kl_err_text(r));
	exit(1);
}

static struct kl_bytes
key_of(const uint32_t *i)
{
	return kl_bytes(i, sizeof *i);
}

static void
put_and_delete(const char *path, const struct markers *m)
{
	uint8_t mac_key[32];
	struct kl_kv_txn *t;
	struct kl_kv *kv;

	kl_random(mac_key, sizeof mac_key);
	must(kl_kv_open(path, MAP_BYTES, KL_BYTES_OF(mac_key), &kv), path);
	must(kl_kv_begin(kv, &t), "begin");
	for (uint32_t i = 0; i < m->n; i++)
		must(kl_kv_put(t, TABLE, key_of(&i), KL_BYTES_OF(m->b[i])),
		    "put");
	must(kl_kv_commit(&t), "commit");
	must(kl_kv_begin(kv, &t), "begin");
	for (uint32_t i = 0; i < m->n; i++)
		must(kl_kv_del(t, TABLE, key_of(&i)), "del");
	must(kl_kv_commit(&t), "commit");
	kl_kv_close(kv);
}

static void
write_and_unlink(const char *path, const struct markers *m)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);

	if (fd < 0 || kl_fs_pwrite(fd, m->b, m->n * MARKER, 0) != KL_OK ||
	    fsync(fd) != 0 || close(fd) != 0 || unlink(path) != 0)
		must(KL_E_IO, path);
}

static void
tell(FILE *f, const char *word, const struct markers *m)
{
	char hex[2 * MARKER + 1];

	for (size_t i = 0; i < m->n; i++) {
		kl_hex(KL_BYTES_OF(m->b[i]), hex);
		fprintf(f, "%s %s\n", word, hex);
	}
}

int
main(int argc, char **argv)
{
	static struct markers deleted, unlinked;
	char path[512];
	FILE *f;

	if (argc != 4) {
		fputs("usage: erase_control DIR N MARKERS\n", stderr);
		return 2;
	}
	must(kl_crypto_init(), "libsodium");
	deleted.n = unlinked.n = (size_t)strtoul(argv[2], NULL, 10);
	if (deleted.n < 1 || deleted.n > MARKERS_MAX)
		must(KL_E_VALUE, argv[2]);
	kl_random(deleted.b, sizeof deleted.b);
	kl_random(unlinked.b, sizeof unlinked.b);
	(void)snprintf(path, sizeof path, "%s/control.mdb", argv[1]);
	put_and_delete(path, &deleted);
	(void)snprintf(path, sizeof path, "%s/control.txt", argv[1]);
	write_and_unlink(path, &unlinked);
	if ((f = fopen(argv[3], "w")) == NULL)
		must(KL_E_IO, argv[3]);
	tell(f, "control", &deleted);
	tell(f, "unlinked", &unlinked);
	return fclose(f) == 0 ? 0 : 1;
}
