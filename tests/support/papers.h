/*
 * papers.h: a region inside a test program: an authority that signs what the
 * test asks for, and files of it.
 */
#ifndef TESTS_SUPPORT_PAPERS_H
#define TESTS_SUPPORT_PAPERS_H

#include <kortelijn/crypto/secret.h>
#include <kortelijn/wire/signed.h>

/* Every function ends the test when something fails. */

struct papers_key {
	struct kl_sign_pk pk;
	struct kl_secret *sk;
};
struct papers_key papers_key(void);

/* A packed Signed. */
struct papers_signed {
	uint8_t b[KL_STATEMENT_MAX];
	size_t n;
};
struct kl_bytes papers_bytes(const struct papers_signed *s);
struct papers_signed papers_sign(uint32_t statement, const void *in,
    size_t in_size, const struct kl_secret *sk);

/* A card of the training realm, valid 1 to 10^6 days since 1970, with a
 * random serial. */
struct kl_card papers_card(const char *id, uint32_t role,
    const struct kl_sign_pk *sign);

/* DIR/NAME as the line of a card, and DIR/NAME of an authority. */
void papers_card_write(const char *dir, const char *name,
    const struct kl_card *card, const struct kl_secret *authority);
void papers_authority_write(const char *dir, const char *name,
    uint32_t realm, const struct kl_sign_pk *pk);
/* A policy.conf; NULL: the one that is shipped. */
void papers_policy_write(const char *path, const char *text);

#endif
