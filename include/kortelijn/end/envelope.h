/*
 * envelope.h: sealing and opening a message end to end, suite 1. Linked by
 * adapters only. PROTOCOL.md 4.
 */
#ifndef KORTELIJN_END_ENVELOPE_H
#define KORTELIJN_END_ENVELOPE_H

#include <kortelijn/base/code.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/wire/signed.h>

/* What lies in an outbox and travels: the packed Signed and, beside it, the
 * ciphertext. */
struct kl_sealed {
	uint8_t envelope[KL_ENVELOPE_MAX];
	size_t n_envelope;
	uint8_t ct[KL_CT_MAX];
	size_t n_ct;
	struct kl_hash body_hash;
};

/*
 * Seals `plain` (packed content, unpadded) for h->receiver under its prekey
 * and signs. consent: REFERRAL; preview_hash: CORRECTION; NULL otherwise.
 * Sets h->sender_key_id and h->prekey_id. The caller has filled the rest.
 * KL_E_SIZE: plain does not fit its kind; KL_E_VALUE: header or consent break
 * the protocol, or the prekey is a low-order point. On failure *out is zero.
 */
int kl_envelope_seal(struct kl_header *h, const struct kl_consent *consent,
    const struct kl_hash *preview_hash, struct kl_bytes plain,
    const struct kl_dh_pk *prekey, const struct kl_sign_pk *sender_pk,
    const struct kl_secret *sender_sk, struct kl_sealed *out) KL_MUST_CHECK;

/*
 * Signature and ciphertext hash of an envelope as it came: all that can be
 * checked without the prekey's private half. Fills *e, whose views point into
 * `in` or the arena, and *body_hash. KL_C_OK, KL_C_MALFORMED and the other
 * codes of kl_envelope_read, KL_C_SIGNATURE.
 */
enum kl_code kl_envelope_check(struct kl_bytes in, struct kl_bytes ct,
    const struct kl_sign_pk *sender_pk, struct kl_arena *mem,
    struct kl_envelope *e, struct kl_hash *body_hash) KL_MUST_CHECK;

/*
 * Opens a checked envelope. plain: KL_PLAIN_REFERRAL bytes of room; *n is the
 * unpadded length. The caller wipes plain.
 * KL_E_SIGNATURE: key, commitment or tag do not hold (UNDECRYPTABLE);
 * KL_E_FORMAT: padding.
 */
int kl_envelope_open(const struct kl_envelope *e, struct kl_bytes ct,
    const struct kl_sign_pk *sender_pk, const struct kl_dh_pk *prekey,
    const struct kl_secret *prekey_sk, uint8_t *plain, size_t *n)
    KL_MUST_CHECK;

#endif
