#include "adapters/common/identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/link.h>
#include <kortelijn/host/textfile.h>

#include "proto/cli/enrol.h"

#define PATH_CAP 512
#define AUTHORITY_FILE "authority.pub"
#define OWN_FILE "own.card"
#define BROKER_FILE "broker.card"

static int
read_key(const struct config *c, const char *name, const char *purpose,
    struct kl_secret **out)
{
	char path[PATH_CAP];
	int r = kl_fs_path(path, sizeof path, c->key_dir, name);

	return r != KL_OK ? r : kl_keyfile_read(AT_FDCWD, path, purpose, out);
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

int
identity_init(const struct config *c, int64_t now_ms, char *request,
    struct kl_fingerprint *fingerprint)
{
	struct enrol_who who = { .id = c->id, .name = c->name,
	    .role = c->role, .realm = c->realm };
	int r = enrol_request(c->key_dir, &who, now_ms, request, fingerprint);

	return r != KL_OK ? r : enrol_key(c->key_dir, "master.key", "master");
}

static int
read_authority(const char *path, uint32_t realm, struct kl_sign_pk *out)
{
	struct kl_textfile_word word;
	size_t n;
	int r = kl_textfile_read(AT_FDCWD, path, KL_TAG_AUTHORITY, &word,
	    out->b, sizeof out->b, &n);

	if (r != KL_OK)
		return r;
	if (n != sizeof out->b || kl_realm_read(word.b) == 0)
		return KL_E_FORMAT;
	return kl_realm_read(word.b) == realm ? KL_OK : KL_E_VALUE;
}

/* A card in its file, packed as it was signed. */
struct card_paper {
	uint8_t packed[KL_STATEMENT_MAX];
	size_t n;
	struct kl_card card;		/* its name is left out */
};

/* A card that this authority signed. */
static int
read_card(const char *path, const struct kl_sign_pk *authority,
    struct card_paper *out)
{
	struct kl_arena *mem = kl_arena_new(65536, 256);
	struct kl_signed s;
	int r;

	if (mem == NULL)
		return KL_E_MEMORY;
	r = kl_textfile_read(AT_FDCWD, path, KL_TAG_CARD, NULL, out->packed,
	    sizeof out->packed, &out->n);
	if (r == KL_OK && kl_signed_read(kl_bytes(out->packed, out->n), mem,
	    &s) != KL_C_OK)
		r = KL_E_FORMAT;
	if (r == KL_OK)
		r = kl_verify(KL_LABEL_CARD, s.body, authority, &s.sig);
	if (r == KL_OK && KL_STATEMENT_READ(KL_CARD, s.body, mem,
	    &out->card) != KL_C_OK)
		r = KL_E_FORMAT;
	out->card.name = KL_BYTES_NONE;
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
	    memcmp(&card->sign_pk, &id->sign_pk, sizeof card->sign_pk) == 0 &&
	    memcmp(&card->transport_pk, &curve, sizeof curve) == 0;
}

struct papers {
	struct card_paper own, broker;
};

static int
load_files(const struct config *c, const struct identity_files *f,
    struct identity *id, struct papers *p, const char **what)
{
	const struct kl_card *card = &p->broker.card;
	int r;

	*what = f->authority;
	if ((r = read_authority(f->authority, c->realm, &id->authority)) !=
	    KL_OK)
		return r;
	*what = f->card;
	if ((r = read_card(f->card, &id->authority, &p->own)) != KL_OK)
		return r;
	if (!own_card_fits(c, id, &p->own.card))
		return KL_E_VALUE;
	id->card_from_ms = p->own.card.not_before_ms;
	id->card_until_ms = p->own.card.not_after_ms;
	*what = f->broker;
	if ((r = read_card(f->broker, &id->authority, &p->broker)) != KL_OK)
		return r;
	if (card->role != KL_BROKER || card->realm != c->realm)
		return KL_E_VALUE;
	id->broker_sign = card->sign_pk;
	id->broker_key_id = kl_key_id_of(card->sign_pk.b);
	id->broker_curve = card->transport_pk;
	return KL_OK;
}

static int
keep(const struct config *c, const char *name, const char *tag,
    const char *word, struct kl_bytes in)
{
	char path[PATH_CAP];
	int r = kl_fs_path(path, sizeof path, c->key_dir, name);

	return r != KL_OK ? r : kl_textfile_write(AT_FDCWD, path, tag, word,
	    in);
}

/* Our own card last: without it the adapter does not start. */
static int
keep_all(const struct config *c, const struct identity *id,
    const struct papers *p)
{
	int r;

	if ((r = keep(c, AUTHORITY_FILE, KL_TAG_AUTHORITY,
	    kl_realm_name(c->realm), KL_BYTES_OF(id->authority))) != KL_OK ||
	    (r = keep(c, BROKER_FILE, KL_TAG_CARD, NULL,
	    kl_bytes(p->broker.packed, p->broker.n))) != KL_OK)
		return r;
	return keep(c, OWN_FILE, KL_TAG_CARD, NULL,
	    kl_bytes(p->own.packed, p->own.n));
}

int
identity_accept(const struct config *c, const struct identity_files *in,
    struct kl_fingerprint *authority, const char **what)
{
	struct identity id = { .role = 0 };
	struct papers p;
	int r;

	*what = c->key_dir;
	if ((r = load_keys(c, &id)) == KL_OK)
		r = load_files(c, in, &id, &p, what);
	if (r == KL_OK) {
		*authority = kl_fingerprint_authority(&id.authority);
		*what = c->key_dir;
		r = keep_all(c, &id, &p);
	}
	identity_clear(&id);
	return r;
}

int
identity_load(const struct config *c, struct identity *out, const char **what)
{
	/* Static names for the message; the paths are of this call only. */
	static const char *const names[] = { AUTHORITY_FILE, OWN_FILE,
	    BROKER_FILE };
	char path[3][PATH_CAP];
	struct papers p;
	struct identity_files f = { path[1], path[0], path[2] };
	const char *at = NULL;
	int r;

	memset(out, 0, sizeof *out);
	*what = "keys in key_dir";
	for (int i = 0; i < 3; i++)
		if ((r = kl_fs_path(path[i], sizeof path[i], c->key_dir,
		    names[i])) != KL_OK)
			return r;
	if ((r = load_keys(c, out)) == KL_OK) {
		r = load_files(c, &f, out, &p, &at);
		for (int i = 0; i < 3; i++)
			if (at == path[i])
				*what = names[i];
	}
	if (r != KL_OK)
		identity_clear(out);
	return r;
}

int
identity_broker(const struct config *c, struct kl_sign_pk *authority,
    struct kl_sign_pk *broker, const char **what)
{
	char path[2][PATH_CAP];
	struct card_paper paper;
	int r;

	*what = AUTHORITY_FILE " in key_dir";
	if ((r = kl_fs_path(path[0], PATH_CAP, c->key_dir, AUTHORITY_FILE)) !=
	    KL_OK || (r = kl_fs_path(path[1], PATH_CAP, c->key_dir,
	    BROKER_FILE)) != KL_OK || (r = read_authority(path[0], c->realm,
	    authority)) != KL_OK)
		return r;
	*what = BROKER_FILE " in key_dir";
	if ((r = read_card(path[1], authority, &paper)) != KL_OK)
		return r;
	*broker = paper.card.sign_pk;
	return paper.card.role == KL_BROKER && paper.card.realm == c->realm ?
	    KL_OK : KL_E_VALUE;
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

bool
identity_key_ended(const struct identity *id, const struct kl_key_id *by,
    uint32_t code)
{
	return (code == KL_C_CARD_UNKNOWN || code == KL_C_CARD_EXPIRED ||
	    code == KL_C_CARD_REVOKED) &&
	    memcmp(by, &id->key_id, sizeof *by) != 0;
}
