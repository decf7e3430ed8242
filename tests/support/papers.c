#include "tests/support/papers.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/domain/policy_file.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/textfile.h>

struct papers_key
papers_key(void)
{
	struct papers_key k;

	ck_assert_int_eq(kl_sign_keypair(&k.pk, &k.sk), KL_OK);
	return k;
}

struct kl_bytes
papers_bytes(const struct papers_signed *s)
{
	return kl_bytes(s->b, s->n);
}

struct papers_signed
papers_sign(uint32_t statement, const void *in, size_t in_size,
    const struct kl_secret *sk)
{
	struct papers_signed out;
	uint8_t body[KL_SIGNED_MAX];
	struct kl_signed s;
	size_t n;

	ck_assert_int_eq(kl_statement_pack(statement, in, in_size, body,
	    sizeof body, &n), KL_OK);
	s.body = kl_bytes(body, n);
	ck_assert_int_eq(kl_sign((enum kl_label)statement, s.body, sk, &s.sig),
	    KL_OK);
	ck_assert_int_eq(kl_signed_pack(&s, out.b, sizeof out.b, &out.n),
	    KL_OK);
	return out;
}

struct kl_card
papers_card(const char *id, uint32_t role, const struct kl_sign_pk *sign)
{
	struct kl_card c = {
		.version = KL_PROTOCOL_VERSION, .role = role,
		.realm = KL_TRAINING, .name = kl_bytes_str("Praktijk De Es"),
		.sign_pk = *sign, .issued_ms = KL_DAY_MS,
		.not_before_ms = KL_DAY_MS,
		.not_after_ms = 1000000 * KL_DAY_MS, .reads_all = 1,
	};

	ck_assert_int_eq(kl_id_read(id, &c.id), KL_OK);
	kl_random(c.serial, sizeof c.serial);
	kl_random(c.transport_pk.b, sizeof c.transport_pk.b);
	return c;
}

void
papers_card_write(const char *dir, const char *name,
    const struct kl_card *card, const struct kl_secret *authority)
{
	struct papers_signed s = papers_sign(KL_CARD, card, sizeof *card,
	    authority);
	char path[512];

	ck_assert_int_eq(kl_fs_path(path, sizeof path, dir, name), KL_OK);
	ck_assert_int_eq(kl_textfile_write(AT_FDCWD, path, KL_TAG_CARD, NULL,
	    papers_bytes(&s)), KL_OK);
}

void
papers_authority_write(const char *dir, const char *name, uint32_t realm,
    const struct kl_sign_pk *pk)
{
	char path[512];

	ck_assert_int_eq(kl_fs_path(path, sizeof path, dir, name), KL_OK);
	ck_assert_int_eq(kl_textfile_write(AT_FDCWD, path, KL_TAG_AUTHORITY,
	    kl_realm_name(realm), KL_BYTES_OF(*pk)), KL_OK);
}

void
papers_policy_write(const char *path, const char *text)
{
	static char shipped[KL_POLICY_FILE_MAX];
	struct kl_writer w;

	kl_writer_init(&w, shipped, sizeof shipped);
	kl_policy_file_write(&w);
	ck_assert_int_eq(kl_fs_replace(path, text != NULL ?
	    kl_bytes_str(text) : kl_writer_bytes(&w)), KL_OK);
}
