/*
 * paper.h: the papers of a region in files: the authority's key, cards,
 * revocations and requests to enrol; read, verified and signed.
 */
#ifndef BROKER_CTL_PAPER_H
#define BROKER_CTL_PAPER_H

#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/wire/signed.h>

#include "broker/ctl/ctl.h"

#define PAPER_PATH_BYTES 512

struct paper_path { char b[PAPER_PATH_BYTES]; };
/* DIR/NAME. KL_E_SIZE. */
int paper_path(const char *dir, const char *name, struct paper_path *out)
    KL_MUST_CHECK;

struct paper_authority {
	uint32_t realm;
	struct kl_sign_pk pk;
	struct kl_secret *sk;		/* NULL: only the public half */
};

/* DIR/authority.pub, or that file itself. As kl_textfile_read; KL_E_FORMAT for
 * a realm or key that is none. */
int paper_authority_read(const char *from, struct paper_authority *out)
    KL_MUST_CHECK;
/* With DIR/authority.key. As kl_keyfile_read; KL_E_SIGNATURE: the halves do
 * not belong together. Clear after use. */
int paper_authority_open(const char *dir, struct paper_authority *out)
    KL_MUST_CHECK;
void paper_authority_clear(struct paper_authority *a);
int paper_authority_write(const char *dir, const struct paper_authority *a)
    KL_MUST_CHECK;

/* A statement in its file, with the struct that it holds. `packed` is the
 * packed Signed; the views of card and request point into it and the arena. */
struct paper {
	struct kl_arena *mem;
	uint8_t packed[KL_STATEMENT_MAX];
	size_t n;
	struct kl_signed s;
	struct kl_card card;
	struct kl_enrol_request request;
	struct kl_revocation revocation;
};
/* NULL: no memory. */
struct paper *paper_new(void);
void paper_free(struct paper *p);

/* Read and verify; the request by its own key. KL_E_SIGNATURE; KL_E_FORMAT:
 * not this sort of paper; else as kl_textfile_read. */
int paper_request_read(struct paper *p, const char *path) KL_MUST_CHECK;
int paper_card_read(struct paper *p, const char *path,
    const struct paper_authority *a) KL_MUST_CHECK;

/* Sign p->card or p->revocation into p->packed. KL_E_VALUE: a field is
 * outside the protocol. */
int paper_card_sign(struct paper *p, const struct paper_authority *a)
    KL_MUST_CHECK;
int paper_revocation_sign(struct paper *p, const struct paper_authority *a)
    KL_MUST_CHECK;
/* p->packed as a file; errors as kl_textfile_write. */
int paper_card_write(const struct paper *p, const char *path) KL_MUST_CHECK;
int paper_revocation_write(const struct paper *p, const char *path)
    KL_MUST_CHECK;

/* DIR/new-store: the broker may begin an empty store at its next start, for
 * this reason (one line). KL_E_DENIED, KL_E_IO, KL_E_FULL, KL_E_SIZE. */
int paper_new_store_write(const char *dir, const char *reason) KL_MUST_CHECK;

/* "agb-01234567-0a1b2c3d.card": id and start of the serial. */
struct paper_name { char b[64]; };
struct paper_name paper_name(const struct kl_id *id,
    const uint8_t serial[16], const char *ending);

#endif
