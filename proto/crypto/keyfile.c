#include <kortelijn/crypto/keyfile.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/sign.h>

#include "proto/crypto/keyfile_priv.h"

#define MAGIC "kortelijn-secret-v1"
#define B64 sodium_base64_VARIANT_ORIGINAL

static const struct purpose {
	const char *name;
	size_t n;		/* bytes of the secret */
} purposes[] = {
	{ "authority", KL_SIGN_SECRET_BYTES },
	{ "identity", KL_SIGN_SECRET_BYTES },
	{ "log", KL_SIGN_SECRET_BYTES },
	{ "witness", KL_SIGN_SECRET_BYTES },
	{ "transport", 32 },
	{ "master", 32 },
	{ "recovery", 32 },
};

size_t
kl_keyfile_bytes(const char *name)
{
	for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++)
		if (strcmp(purposes[i].name, name) == 0)
			return purposes[i].n;
	return 0;
}

/* A signing key whose halves do not belong together would give its seed away
 * with two signatures. */
static bool
halves_match(struct kl_bytes b)
{
	struct kl_secret *again = NULL;
	bool match = false;

	if (kl_sign_from_seed(kl_bytes(b.p, KL_SIGN_SEED_BYTES), &again) ==
	    KL_OK)
		match = kl_secret_equal(kl_secret_bytes(again), b);
	kl_secret_free(again);
	return match;
}

int
kl_keyfile_secret(const char *purpose, struct kl_bytes b,
    struct kl_secret **out)
{
	if (b.n == 0 || b.n != kl_keyfile_bytes(purpose))
		return KL_E_FORMAT;
	if (b.n == KL_SIGN_SECRET_BYTES && !halves_match(b))
		return KL_E_FORMAT;
	*out = kl_secret_copy(b);
	return *out == NULL ? KL_E_MEMORY : KL_OK;
}

static int
line_read(const char *line, size_t n, const char *purpose,
    struct kl_secret **out)
{
	uint8_t b[KL_SECRET_MAX];
	char front[64];
	size_t skip, got = 0;
	int r = KL_E_FORMAT;

	snprintf(front, sizeof front, MAGIC " %s ", purpose);
	skip = strlen(front);
	if (n <= skip || memcmp(line, front, skip) != 0 ||
	    line[n - 1] != '\n')
		return KL_E_FORMAT;
	if (sodium_base642bin(b, sizeof b, line + skip, n - 1 - skip, NULL,
	    &got, NULL, B64) == 0)
		r = kl_keyfile_secret(purpose, kl_bytes(b, got), out);
	kl_wipe(b, sizeof b);
	return r;
}

static int
file_check(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return KL_E_IO;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return KL_E_DENIED;
	if ((st.st_mode & 07777) != 0600 && (st.st_mode & 07777) != 0400)
		return KL_E_DENIED;
	return KL_OK;
}

/* Reads to the end of the file; more than cap bytes: KL_E_FORMAT. */
static int
read_all(int fd, char *buf, size_t cap, size_t *n)
{
	ssize_t got;

	for (*n = 0; *n < cap; *n += (size_t)got) {
		got = read(fd, buf + *n, cap - *n);
		if (got == 0)
			return KL_OK;
		if (got < 0 && errno != EINTR)
			return KL_E_IO;
		if (got < 0)
			got = 0;
	}
	return KL_E_FORMAT;
}

static int
open_error(void)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
		return KL_E_NOT_FOUND;
	case ELOOP:		/* O_NOFOLLOW met a link */
	case EACCES:
	case EPERM:
	case ENXIO:		/* a socket */
		return KL_E_DENIED;
	default:
		return KL_E_IO;
	}
}

int
kl_keyfile_line_read(int dirfd, const char *path,
    char line[KEYFILE_LINE_MAX], size_t *n)
{
	/* A pipe under that name must not make us wait: O_NONBLOCK. */
	int fd = openat(dirfd, path,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int r;

	if (fd < 0)
		return open_error();
	if ((r = file_check(fd)) == KL_OK)
		r = read_all(fd, line, KEYFILE_LINE_MAX, n);
	close(fd);
	return r;
}

int
kl_keyfile_read(int dirfd, const char *path, const char *purpose,
    struct kl_secret **out)
{
	char line[KEYFILE_LINE_MAX];
	size_t n = 0;
	int r;

	*out = NULL;
	r = kl_keyfile_line_read(dirfd, path, line, &n);
	if (r == KL_OK)
		r = line_read(line, n, purpose, out);
	kl_wipe(line, sizeof line);
	return r;
}

static int
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, p, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return KL_E_IO;
		p += put;
		n -= (size_t)put;
	}
	return KL_OK;
}

/* A new name is durable only when its directory is. */
static int
sync_dir_of(int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	char dir[PATH_MAX] = ".";
	int fd, r;

	if (n >= sizeof dir)
		return KL_E_IO;
	if (n > 0) {
		memcpy(dir, path, n);
		dir[n] = '\0';
	}
	fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return KL_E_IO;
	r = fsync(fd) == 0 ? KL_OK : KL_E_IO;
	close(fd);
	return r;
}

int
kl_keyfile_line_write(int dirfd, const char *path, const char *line, size_t n)
{
	int fd = openat(dirfd, path,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = KL_E_IO;

	if (fd < 0)
		return errno == EEXIST ? KL_E_EXISTS : KL_E_IO;
	if (fchmod(fd, 0600) == 0 && write_all(fd, line, n) == KL_OK &&
	    fsync(fd) == 0)
		r = KL_OK;
	if (close(fd) != 0)
		r = KL_E_IO;
	if (r == KL_OK)
		r = sync_dir_of(dirfd, path);
	/* Half a key must not stand in the way of the next try. */
	if (r != KL_OK)
		(void)unlinkat(dirfd, path, 0);
	return r;
}

int
kl_keyfile_write(int dirfd, const char *path, const char *purpose,
    const struct kl_secret *sk)
{
	const struct kl_bytes secret = kl_secret_bytes(sk);
	char b64[sodium_base64_ENCODED_LEN(KL_SECRET_MAX, B64)];
	char line[KEYFILE_LINE_MAX];
	int n, r;

	if (secret.n != kl_keyfile_bytes(purpose))
		return KL_E_VALUE;
	sodium_bin2base64(b64, sizeof b64, secret.p, secret.n, B64);
	n = snprintf(line, sizeof line, MAGIC " %s %s\n", purpose, b64);
	r = kl_keyfile_line_write(dirfd, path, line, (size_t)n);
	kl_wipe(line, sizeof line);
	kl_wipe(b64, sizeof b64);
	return r;
}

/* 20 bytes are four times 40 bits, and 40 bits are 8 letters. */
static struct kl_fingerprint
letters_of(const struct kl_hash160 *h)
{
	struct kl_fingerprint f = { { 0 } };
	char raw[32];

	for (size_t i = 0; i < 4; i++) {
		uint64_t v = 0;

		for (size_t j = 0; j < 5; j++)
			v = v << 8 | h->b[5 * i + j];
		for (size_t j = 0; j < 8; j++)
			raw[8 * i + j] = kl_letters[v >> (35 - 5 * j) & 31];
	}
	for (size_t g = 0; g < 8; g++) {
		memcpy(f.b + 5 * g, raw + 4 * g, 4);
		f.b[5 * g + 4] = '-';
	}
	f.b[40] = kl_check_letter(raw, sizeof raw);
	return f;
}

struct kl_fingerprint
kl_fingerprint_of(const struct kl_id *id, uint32_t role,
    const struct kl_curve_pk *transport, const struct kl_sign_pk *sign)
{
	static const char label[] = "kortelijn/v1/fingerprint";
	const uint8_t role_byte = (uint8_t)role;
	const struct kl_bytes parts[] = {
		kl_bytes(label, sizeof label),
		KL_BYTES_OF(id->b),
		kl_bytes(&role_byte, 1),
		KL_BYTES_OF(transport->b),
		KL_BYTES_OF(sign->b),
	};
	struct kl_hash160 h = kl_hash160_parts(parts, 5);

	return letters_of(&h);
}

struct kl_fingerprint
kl_fingerprint_authority(const struct kl_sign_pk *pk)
{
	static const char label[] = "kortelijn/v1/authority-fingerprint";
	const struct kl_bytes parts[] = {
		kl_bytes(label, sizeof label), KL_BYTES_OF(pk->b),
	};
	struct kl_hash160 h = kl_hash160_parts(parts, 2);

	return letters_of(&h);
}
