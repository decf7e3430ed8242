#include "proto/cli/enrol.h"

#include <fcntl.h>
#include <string.h>

#include <kortelijn/crypto/keyfile_sealed.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/daemon.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/link.h>
#include <kortelijn/host/textfile.h>
#include <kortelijn/wire/signed.h>

#define PATH_CAP 512

/* passphrase: none, or that of a sealed key. */
static int
read_key(const char *path, const char *purpose, struct kl_bytes passphrase,
    struct kl_secret **out)
{
	bool sealed;
	int r;

	*out = NULL;
	if (passphrase.n == 0)
		return kl_keyfile_read(AT_FDCWD, path, purpose, out);
	if ((r = kl_keyfile_sealed(AT_FDCWD, path, &sealed)) != KL_OK)
		return r;
	return sealed ? kl_keyfile_sealed_read(AT_FDCWD, path, purpose,
	    passphrase, out) : KL_E_EXISTS;
}

static int
write_key(const char *path, const char *purpose, struct kl_bytes passphrase,
    const struct kl_secret *sk)
{
	return passphrase.n == 0 ?
	    kl_keyfile_write(AT_FDCWD, path, purpose, sk) :
	    kl_keyfile_sealed_write(AT_FDCWD, path, purpose, sk, passphrase);
}

static int
make_secret(const char *purpose, struct kl_secret **sk)
{
	struct kl_sign_pk sign;
	struct kl_curve_pk curve;

	if (strcmp(purpose, "identity") == 0)
		return kl_sign_keypair(&sign, sk);
	if (strcmp(purpose, "transport") == 0)
		return kl_curve_keypair(&curve, sk);
	*sk = kl_secret_random(32);
	return *sk == NULL ? KL_E_MEMORY : KL_OK;
}

/* The key of that name, made if it is missing. */
static int
take_key(const char *dir, const char *name, const char *purpose,
    struct kl_bytes passphrase, struct kl_secret **out)
{
	char path[PATH_CAP];
	int r;

	*out = NULL;
	if ((r = kl_fs_path(path, sizeof path, dir, name)) != KL_OK)
		return r;
	r = read_key(path, purpose, passphrase, out);
	if (r != KL_E_NOT_FOUND)
		return r;
	if ((r = make_secret(purpose, out)) == KL_OK)
		r = write_key(path, purpose, passphrase, *out);
	if (r != KL_OK) {
		kl_secret_free(*out);
		*out = NULL;
	}
	return r;
}

int
enrol_key(const char *dir, const char *name, const char *purpose)
{
	struct kl_secret *sk;
	int r = take_key(dir, name, purpose, KL_BYTES_NONE, &sk);

	kl_secret_free(sk);
	return r;
}

static int
pack(const struct enrol_who *who, const struct kl_sign_pk *sign,
    const struct kl_curve_pk *curve, int64_t now_ms,
    const struct kl_secret *sk, char *line)
{
	struct kl_enrol_request e = {
		.version = KL_PROTOCOL_VERSION, .role = who->role,
		.realm = who->realm, .id = who->id,
		.name = kl_bytes_str(who->name), .sign_pk = *sign,
		.transport_pk = *curve, .at_ms = now_ms,
	};
	uint8_t body[1024], packed[1200];
	struct kl_signed s;
	size_t n;
	int r;

	r = KL_STATEMENT_PACK(KL_S_ENROL, &e, body, sizeof body, &n);
	if (r != KL_OK)
		return r;
	s.body = kl_bytes(body, n);
	r = kl_sign(KL_LABEL_ENROL, s.body, sk, &s.sig);
	if (r == KL_OK)
		r = kl_signed_pack(&s, packed, sizeof packed, &n);
	return r != KL_OK ? r : kl_textfile_print(KL_TAG_REQUEST, NULL,
	    kl_bytes(packed, n), line, ENROL_REQUEST_MAX);
}

int
enrol_request(const char *dir, const struct enrol_who *who, int64_t now_ms,
    char *line, struct kl_fingerprint *fingerprint)
{
	struct kl_secret *identity = NULL, *transport = NULL;
	struct kl_sign_pk sign;
	struct kl_curve_pk curve;
	int r;

	if ((r = kl_daemon_mkdir(dir)) != KL_OK ||
	    (r = take_key(dir, "identity.key", "identity", who->passphrase,
	    &identity)) != KL_OK || (r = take_key(dir, "transport.key",
	    "transport", who->passphrase, &transport)) != KL_OK)
		goto out;
	if ((r = kl_sign_public(identity, &sign)) == KL_OK)
		r = kl_curve_public(transport, &curve);
	if (r == KL_OK)
		r = pack(who, &sign, &curve, now_ms, identity, line);
	if (r == KL_OK)
		*fingerprint = kl_fingerprint_of(&who->id, who->role, &curve,
		    &sign);
out:
	kl_secret_free(identity);
	kl_secret_free(transport);
	return r;
}

int
enrol_write(const char *path, const char *line)
{
	return kl_fs_replace_at(AT_FDCWD, path, 0644, kl_bytes_str(line));
}
