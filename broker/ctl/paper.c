#include "broker/ctl/paper.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/textfile.h>

int
paper_path(const char *dir, const char *name, struct paper_path *out)
{
	return kl_fs_path(out->b, sizeof out->b, dir, name);
}

int
paper_authority_read(const char *from, struct paper_authority *out)
{
	struct kl_textfile_word realm;
	struct paper_path path;
	struct stat st;
	size_t n;
	int r;

	memset(out, 0, sizeof *out);
	if ((r = paper_path(from, "authority.pub", &path)) != KL_OK)
		return r;
	if (stat(from, &st) != 0 || !S_ISREG(st.st_mode))
		from = path.b;
	r = kl_textfile_read(AT_FDCWD, from, KL_TAG_AUTHORITY, &realm,
	    out->pk.b, sizeof out->pk.b, &n);
	if (r != KL_OK)
		return r;
	out->realm = kl_realm_read(realm.b);
	return n == sizeof out->pk.b && out->realm != 0 ? KL_OK : KL_E_FORMAT;
}

int
paper_authority_open(const char *dir, struct paper_authority *out)
{
	struct paper_path path;
	struct kl_sign_pk pk;
	int r;

	if ((r = paper_authority_read(dir, out)) != KL_OK)
		return r;
	if ((r = paper_path(dir, "authority.key", &path)) != KL_OK)
		return r;
	r = kl_keyfile_read(AT_FDCWD, path.b, "authority", &out->sk);
	if (r == KL_OK)
		r = kl_sign_public(out->sk, &pk);
	if (r == KL_OK &&
	    !kl_bytes_equal(KL_BYTES_OF(pk), KL_BYTES_OF(out->pk)))
		r = KL_E_SIGNATURE;
	if (r != KL_OK)
		paper_authority_clear(out);
	return r;
}

void
paper_authority_clear(struct paper_authority *a)
{
	kl_secret_free(a->sk);
	a->sk = NULL;
}

int
paper_authority_write(const char *dir, const struct paper_authority *a)
{
	struct paper_path path;
	int r = paper_path(dir, "authority.pub", &path);

	if (r != KL_OK)
		return r;
	return kl_textfile_write(AT_FDCWD, path.b, KL_TAG_AUTHORITY,
	    kl_realm_name(a->realm), KL_BYTES_OF(a->pk.b));
}

struct paper *
paper_new(void)
{
	struct paper *p = calloc(1, sizeof *p);

	if (p != NULL && (p->mem = kl_arena_new(65536, 1024)) == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

void
paper_free(struct paper *p)
{
	if (p == NULL)
		return;
	kl_arena_free(p->mem);
	free(p);
}

/* `out` has the size of the struct that `type` names. */
static int
paper_read(struct paper *p, const char *path, const char *tag, uint32_t type,
    void *out, size_t out_size)
{
	int r;

	kl_arena_reset(p->mem);
	r = kl_textfile_read(AT_FDCWD, path, tag, NULL, p->packed,
	    sizeof p->packed, &p->n);
	if (r != KL_OK)
		return r;
	if (kl_signed_read(kl_bytes(p->packed, p->n), p->mem, &p->s) !=
	    KL_C_OK)
		return KL_E_FORMAT;
	if (kl_statement_read(type, p->s.body, p->mem, out, out_size) !=
	    KL_C_OK)
		return KL_E_FORMAT;
	return KL_OK;
}

int
paper_request_read(struct paper *p, const char *path)
{
	int r = paper_read(p, path, KL_TAG_REQUEST, KL_S_ENROL, &p->request,
	    sizeof p->request);

	if (r != KL_OK)
		return r;
	return kl_verify(KL_LABEL_ENROL, p->s.body, &p->request.sign_pk,
	    &p->s.sig);
}

int
paper_card_read(struct paper *p, const char *path,
    const struct paper_authority *a)
{
	int r = paper_read(p, path, KL_TAG_CARD, KL_CARD, &p->card,
	    sizeof p->card);

	if (r != KL_OK)
		return r;
	return kl_verify(KL_LABEL_CARD, p->s.body, &a->pk, &p->s.sig);
}

static int
paper_sign(struct paper *p, uint32_t type, enum kl_label label,
    const void *in, size_t in_size, const struct paper_authority *a)
{
	uint8_t body[KL_STATEMENT_MAX];
	struct kl_signed s;
	size_t n;
	int r;

	r = kl_statement_pack(type, in, in_size, body, sizeof body, &n);
	if (r != KL_OK)
		return r;
	s.body = kl_bytes(body, n);
	if ((r = kl_sign(label, s.body, a->sk, &s.sig)) != KL_OK)
		return r;
	return kl_signed_pack(&s, p->packed, sizeof p->packed, &p->n);
}

int
paper_card_sign(struct paper *p, const struct paper_authority *a)
{
	return paper_sign(p, KL_CARD, KL_LABEL_CARD, &p->card,
	    sizeof p->card, a);
}

int
paper_revocation_sign(struct paper *p, const struct paper_authority *a)
{
	return paper_sign(p, KL_REVOCATION, KL_LABEL_REVOCATION,
	    &p->revocation, sizeof p->revocation, a);
}

int
paper_card_write(const struct paper *p, const char *path)
{
	return kl_textfile_write(AT_FDCWD, path, KL_TAG_CARD, NULL,
	    kl_bytes(p->packed, p->n));
}

int
paper_revocation_write(const struct paper *p, const char *path)
{
	return kl_textfile_write(AT_FDCWD, path, KL_TAG_REVOCATION, NULL,
	    kl_bytes(p->packed, p->n));
}

int
paper_new_store_write(const char *dir, const char *reason)
{
	struct paper_path path;
	char line[512];
	int n, r;

	if ((r = paper_path(dir, BROKER_NEW_STORE, &path)) != KL_OK)
		return r;
	n = snprintf(line, sizeof line, "%s\n", reason);
	if (n < 0 || (size_t)n >= sizeof line)
		return KL_E_SIZE;
	return kl_fs_replace_at(AT_FDCWD, path.b, 0644, kl_bytes_str(line));
}

struct paper_name
paper_name(const struct kl_id *id, const uint8_t serial[16],
    const char *ending)
{
	struct kl_id_text text = kl_id_text(id);
	struct paper_name name;
	char hex[9];

	text.b[strcspn(text.b, ":")] = '-';
	kl_hex(kl_bytes(serial, 4), hex);
	(void)snprintf(name.b, sizeof name.b, "%s-%s.%s", text.b, hex,
	    ending);
	return name;
}
