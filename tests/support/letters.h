/*
 * letters.h: invented organisations with their keys, and what they sign:
 * cards, prekeys, profiles, receipts, envelopes. The ciphertext of an envelope
 * is random: who tests the broker needs none that opens.
 */
#ifndef TESTS_SUPPORT_LETTERS_H
#define TESTS_SUPPORT_LETTERS_H

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/wire/request.h>

/* A Tuesday, 2026-11-24 09:00. */
#define LETTERS_NOW_MS INT64_C(1795510800000)

struct party {
	struct kl_id id;
	uint32_t role;
	struct kl_sign_pk sign_pk;
	struct kl_secret *sk;
	struct kl_curve_pk transport_pk;
	struct kl_dh_pk prekey_pk;	/* of the week of LETTERS_NOW_MS */
	uint8_t serial[16];		/* of its card */
};

struct party party_make(uint32_t role, const char *id);
void party_clear(struct party *p);

/* A packed Signed, as every statement travels. */
struct letter_bytes {
	uint8_t b[KL_SIGNED_MAX];
	size_t n;
};
/* Packs the struct that `type` names and signs it. */
void letters_sign(uint32_t type, enum kl_label label, const void *in,
    size_t in_size, const struct kl_secret *sk, struct letter_bytes *out);
#define LETTERS_SIGN(type, in, sk, out)					\
	letters_sign(type, (enum kl_label)(type), in, sizeof *(in), sk, out)

/* In the training realm, from a month before LETTERS_NOW_MS for a year. */
struct kl_card party_card(const struct party *p);
/* Of its week and the ones after it, the first with prekey_pk. */
struct kl_prekey party_prekey(const struct party *p, unsigned int week);
struct kl_profile party_profile(const struct party *p);
struct kl_revocation party_revocation(const struct party *p,
    uint32_t reason);

struct letter {
	struct kl_envelope e;
	uint8_t header[KL_HEADER_MAX], consent[KL_CONSENT_MAX];
	struct letter_bytes envelope;	/* packed Signed */
	uint8_t ct[KL_CT_MAX];
	size_t ct_n;
	struct kl_hash body_hash;
};

/* A REFERRAL that every rule allows at LETTERS_NOW_MS: level 2, first seq. */
void letter_referral(struct letter *l, const struct party *from,
    const struct party *to);
/* In the conversation of `referral`; seq 2 and 1. */
void letter_correction(struct letter *l, const struct letter *referral,
    const struct party *from, const struct party *to);
void letter_feedback(struct letter *l, const struct letter *referral,
    const struct party *from, const struct party *to,
    enum kl_milestone milestone);
/* Packs and signs again after a change of l->e. What breaks the rules of form
 * ends the test. */
void letter_seal(struct letter *l, const struct party *from);
/* Signs header_bytes and consent_bytes as they are, within the rules or not. */
void letter_sign(struct letter *l, const struct party *from);
/* What the receiver signs about it. */
void letter_receipt(const struct letter *l, const struct party *by,
    uint32_t outcome, uint32_t code, struct letter_bytes *out);
/* The consent of a REFERRAL is withdrawn at the desk of `by`, at
 * LETTERS_NOW_MS. */
struct kl_withdrawal letter_withdrawal(const struct letter *referral,
    const struct party *by, uint32_t scope, uint32_t cause);

#endif
