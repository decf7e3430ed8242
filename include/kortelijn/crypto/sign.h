/*
 * sign.h: Ed25519 over label || body. Every label ends in a zero byte and
 * none is a prefix of another, so that a signature of one sort of bytes can
 * never pass as one of another sort. PROTOCOL.md 3.3.
 */
#ifndef KORTELIJN_CRYPTO_SIGN_H
#define KORTELIJN_CRYPTO_SIGN_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>
#include <kortelijn/crypto/secret.h>

enum kl_label {
	KL_LABEL_ENVELOPE = 0,
	/* A statement's label has the number of its enum kl_statement. */
	KL_LABEL_CARD = KL_CARD,
	KL_LABEL_REVOCATION = KL_REVOCATION,
	KL_LABEL_PREKEY = KL_PREKEY,
	KL_LABEL_PROFILE = KL_PROFILE,
	KL_LABEL_RECEIPT = KL_RECEIPT,
	KL_LABEL_WITHDRAWAL = KL_WITHDRAWAL,
	KL_LABEL_ERASE_RECEIPT = KL_ERASE_RECEIPT,
	KL_LABEL_NOTICE = KL_NOTICE,
	KL_LABEL_ENROL = 9,	/* a request to enrol, by its own key */
	KL_LABEL_COUNT = 10,
};

/* The label's bytes with the zero byte at its end; static. */
struct kl_bytes kl_label_bytes(enum kl_label label);

/* A secret signing key: the seed and the public half behind it, so that
 * neither signing nor kl_sign_public computes it anew. */
#define KL_SIGN_SEED_BYTES 32
#define KL_SIGN_SECRET_BYTES 64

/* A new key pair. *sk is owned by the caller. KL_E_MEMORY. */
int kl_sign_keypair(struct kl_sign_pk *pk, struct kl_secret **sk)
    KL_MUST_CHECK;
/* The pair of a given seed. KL_E_VALUE: not 32 bytes; KL_E_MEMORY. */
int kl_sign_from_seed(struct kl_bytes seed, struct kl_secret **sk)
    KL_MUST_CHECK;
/* The public half, without computation. KL_E_VALUE: no signing key. */
int kl_sign_public(const struct kl_secret *sk, struct kl_sign_pk *pk)
    KL_MUST_CHECK;
/* KL_E_SIZE: the body is longer than KL_FRAME_MAX; KL_E_VALUE: no signing
 * key; KL_E_SYSTEM: the library failed. */
int kl_sign(enum kl_label label, struct kl_bytes body,
    const struct kl_secret *sk, struct kl_sig *sig) KL_MUST_CHECK;
/* KL_E_SIGNATURE: it does not hold; KL_E_SIZE as above. */
int kl_verify(enum kl_label label, struct kl_bytes body,
    const struct kl_sign_pk *pk, const struct kl_sig *sig) KL_MUST_CHECK;

/* Signed notes (checkpoints) have no label: their text ends in a newline and
 * holds no zero byte, which no labelled bytes can be. KL_E_FORMAT: not such a
 * text; else as above. */
int kl_sign_note(struct kl_bytes text, const struct kl_secret *sk,
    struct kl_sig *sig) KL_MUST_CHECK;
int kl_verify_note(struct kl_bytes text, const struct kl_sign_pk *pk,
    const struct kl_sig *sig) KL_MUST_CHECK;

#endif
