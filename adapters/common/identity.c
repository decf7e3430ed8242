#include "adapters/common/identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/daemon.h>
#include <kortelijn/host/link.h>

#include "adapters/common/textfile.h"

#define CARD_LABEL "kortelijn-card-v1"
#define AUTHORITY_LABEL "kortelijn-authority-v1"
#define REQUEST_LABEL "kortelijn-request-v1"
#define FILE_MAX 8192
#define PATH_CAP 512

static int
read_key(const struct config *c, const char *name, const char *purpose,
    struct kl_secret **out)
{
	char path[PATH_CAP];
	int r = textfile_path(path, sizeof path, c->key_dir, name);

	return r != KL_OK ? r : kl_keyfile_read(AT_FDCWD, path, purpose, out);
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

/* A key that is there stays. */
static int
make_key(const struct config *c, const char *name, const char *purpose)
{
	struct kl_secret *sk = NULL;
	char path[PATH_CAP];
	int r;

	r = read_key(c, name, purpose, &sk);
	kl_secret_free(sk);
	sk = NULL;
	if (r != KL_E_NOT_FOUND)
		return r;
	if ((r = textfile_path(path, sizeof path, c->key_dir, name)) != KL_OK)
		return r;
	if ((r = make_secret(purpose, &sk)) == KL_OK)
		r = kl_keyfile_write(AT_FDCWD, path, purpose, sk);
	kl_secret_free(sk);
	return r;
}

static int
load_keys(const struct config *c, struct identity *id)
{
	int r;

	id->id = c->id;
	id->role = c->role;
	id->realm = c->realm;
	r = read_key(c, "identity.key", "identity", &id->sign_sk);
	if (r == KL_OK)
		r = kl_sign_public(id->sign_sk, &id->sign_pk);
	if (r == KL_OK)
		r = read_key(c, "transport.key", "transport",
		    &id->transport_sk);
	if (r == KL_OK)
		r = read_key(c, "master.key", "master", &id->master);
	id->key_id = kl_key_id_of(id->sign_pk.b);
	return r;
}

static int
pack_request(const struct config *c, const struct identity *id,
    const struct kl_curve_pk *curve, int64_t now_ms, char *out, size_t cap)
{
	struct kl_enrol_request e = {
		.version = KL_PROTOCOL_VERSION, .role = c->role,
		.realm = c->realm, .id = c->id,
		.name = kl_bytes_str(c->name), .sign_pk = id->sign_pk,
		.transport_pk = *curve, .at_ms = now_ms,
	};
	const size_t skip = sizeof REQUEST_LABEL;
	uint8_t body[1024], packed[1200];
	struct kl_signed s;
	size_t n;
	int r;

	r = KL_STATEMENT_PACK(KL_S_ENROL, &e, body, sizeof body, &n);
	if (r != KL_OK)
		return r;
	s.body = kl_bytes(body, n);
	r = kl_sign(KL_LABEL_ENROL, s.body, id->sign_sk, &s.sig);
	if (r == KL_OK)
		r = kl_signed_pack(&s, packed, sizeof packed, &n);
	if (r != KL_OK)
		return r;
	if (cap <= skip)
		return KL_E_SIZE;
	memcpy(out, REQUEST_LABEL " ", skip);
	return kl_base64(kl_bytes(packed, n), out + skip, cap - skip);
}

int
identity_init(const struct config *c, int64_t now_ms, char *request,
    size_t cap, struct kl_fingerprint *fingerprint)
{
	struct identity id = { .role = 0 };
	struct kl_curve_pk curve;
	int r;

	if ((r = kl_daemon_mkdir(c->key_dir)) != KL_OK)
		return r;
	if ((r = make_key(c, "identity.key", "identity")) != KL_OK ||
	    (r = make_key(c, "transport.key", "transport")) != KL_OK ||
	    (r = make_key(c, "master.key", "master")) != KL_OK)
		return r;
	if ((r = load_keys(c, &id)) == KL_OK)
		r = kl_curve_public(id.transport_sk, &curve);
	if (r == KL_OK)
		r = pack_request(c, &id, &curve, now_ms, request, cap);
	if (r == KL_OK)
		*fingerprint = kl_fingerprint_of(&c->id, c->role, &curve,
		    &id.sign_pk);
	identity_clear(&id);
	return r;
}

static int
read_authority(const char *path, uint32_t realm, struct kl_sign_pk *out)
{
	char label[80];
	char *text;
	size_t n, got = 0;
	int r;

	(void)snprintf(label, sizeof label, "%s %s", AUTHORITY_LABEL,
	    kl_realm_name(realm));
	if ((r = textfile_read(path, FILE_MAX, &text, &n)) != KL_OK)
		return r;
	r = textfile_decode(kl_bytes(text, n), label, out->b, sizeof out->b,
	    &got);
	textfile_free(text, n);
	return r == KL_OK && got != sizeof out->b ? KL_E_FORMAT : r;
}

/* A card that this authority signed. Its name is not copied. */
static int
read_card(const char *path, const struct kl_sign_pk *authority,
    struct kl_card *out)
{
	struct kl_arena *mem = kl_arena_new(65536, 256);
	uint8_t packed[KL_STATEMENT_MAX + 400];
	struct kl_signed s;
	char *text = NULL;
	size_t n = 0, got;
	int r;

	if (mem == NULL)
		return KL_E_MEMORY;
	r = textfile_read(path, FILE_MAX, &text, &n);
	if (r == KL_OK)
		r = textfile_decode(kl_bytes(text, n), CARD_LABEL, packed,
		    sizeof packed, &got);
	if (r == KL_OK && kl_signed_read(kl_bytes(packed, got), mem, &s) !=
	    KL_C_OK)
		r = KL_E_FORMAT;
	if (r == KL_OK)
		r = kl_verify(KL_LABEL_CARD, s.body, authority, &s.sig);
	if (r == KL_OK && KL_STATEMENT_READ(KL_CARD, s.body, mem, out) !=
	    KL_C_OK)
		r = KL_E_FORMAT;
	out->name = KL_BYTES_NONE;
	textfile_free(text, n);
	kl_arena_free(mem);
	return r;
}

static bool
own_card_fits(const struct config *c, const struct identity *id,
    const struct kl_card *card)
{
	struct kl_curve_pk curve;

	return kl_curve_public(id->transport_sk, &curve) == KL_OK &&
	    kl_id_equal(&card->id, &c->id) && card->role == c->role &&
	    card->realm == c->realm &&
	    memcmp(&card->sign_pk, &id->sign_pk, sizeof curve) == 0 &&
	    memcmp(&card->transport_pk, &curve, sizeof curve) == 0;
}

static int
load_files(const struct config *c, const struct identity_files *f,
    struct identity *id, const char **what)
{
	struct kl_card card;
	int r;

	*what = f->authority;
	if ((r = read_authority(f->authority, c->realm, &id->authority)) !=
	    KL_OK)
		return r;
	*what = f->card;
	if ((r = read_card(f->card, &id->authority, &card)) != KL_OK)
		return r;
	if (!own_card_fits(c, id, &card))
		return KL_E_VALUE;
	*what = f->broker;
	if ((r = read_card(f->broker, &id->authority, &card)) != KL_OK)
		return r;
	if (card.role != KL_BROKER || card.realm != c->realm)
		return KL_E_VALUE;
	id->broker_sign = card.sign_pk;
	id->broker_key_id = kl_key_id_of(card.sign_pk.b);
	id->broker_curve = card.transport_pk;
	return KL_OK;
}

static int
copy_file(const char *from, const struct config *c, const char *name)
{
	char path[PATH_CAP];
	char *text;
	size_t n;
	int r;

	if ((r = textfile_path(path, sizeof path, c->key_dir, name)) != KL_OK)
		return r;
	if ((r = textfile_read(from, FILE_MAX, &text, &n)) != KL_OK)
		return r;
	r = textfile_write(path, kl_bytes(text, n), TEXTFILE_SYNC);
	textfile_free(text, n);
	return r;
}

int
identity_accept(const struct config *c, const struct identity_files *in,
    struct kl_fingerprint *authority, const char **what)
{
	struct identity id = { .role = 0 };
	int r;

	*what = c->key_dir;
	if ((r = load_keys(c, &id)) == KL_OK)
		r = load_files(c, in, &id, what);
	if (r == KL_OK)
		*authority = kl_fingerprint_authority(&id.authority);
	identity_clear(&id);
	if (r != KL_OK)
		return r;
	*what = c->key_dir;
	if ((r = copy_file(in->authority, c, "authority.pub")) != KL_OK ||
	    (r = copy_file(in->broker, c, "broker.card")) != KL_OK)
		return r;
	return copy_file(in->card, c, "own.card");
}

int
identity_load(const struct config *c, struct identity *out, const char **what)
{
	/* Static names for the message; the paths are of this call only. */
	static const char *const names[] = { "authority.pub", "own.card",
	    "broker.card" };
	char path[3][PATH_CAP];
	struct identity_files f = { path[1], path[0], path[2] };
	const char *at = NULL;
	int r;

	memset(out, 0, sizeof *out);
	*what = "keys in key_dir";
	for (int i = 0; i < 3; i++)
		if ((r = textfile_path(path[i], sizeof path[i], c->key_dir,
		    names[i])) != KL_OK)
			return r;
	if ((r = load_keys(c, out)) == KL_OK) {
		r = load_files(c, &f, out, &at);
		for (int i = 0; i < 3; i++)
			if (at == path[i])
				*what = names[i];
	}
	if (r != KL_OK)
		identity_clear(out);
	return r;
}

void
identity_clear(struct identity *id)
{
	kl_secret_free(id->sign_sk);
	kl_secret_free(id->transport_sk);
	kl_secret_free(id->master);
	memset(id, 0, sizeof *id);
}

int
identity_sign(const struct identity *id, uint32_t statement, const void *in,
    size_t in_size, uint8_t *buf, size_t cap, size_t *n)
{
	uint8_t body[KL_SIGNED_MAX];
	struct kl_signed s;
	size_t len;
	int r;

	r = kl_statement_pack(statement, in, in_size, body, sizeof body, &len);
	if (r != KL_OK)
		return r;
	s.body = kl_bytes(body, len);
	/* A statement's label has its number. */
	r = kl_sign((enum kl_label)statement, s.body, id->sign_sk, &s.sig);
	if (r != KL_OK)
		return r;
	return kl_signed_pack(&s, buf, cap, n);
}
