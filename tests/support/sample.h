/*
 * sample.h: a log of invented records in memory, signed by a key of its own
 * and seen by a witness: its checkpoints, and proofs of it as files.
 */
#ifndef TESTS_SUPPORT_SAMPLE_H
#define TESTS_SUPPORT_SAMPLE_H

#include <kortelijn/crypto/proof.h>
#include <kortelijn/wire/signed.h>

#define SAMPLE_ORIGIN "oin-00000009000000000001/log/20261124T090000Z-7K3MQ9VD"
#define SAMPLE_BROKER "oin:00000009000000000001"
#define SAMPLE_WITNESS "kvk:12345678"
#define SAMPLE_NOW_MS INT64_C(1795510800000)

struct sample_record {
	uint8_t salt[32], b[KL_PROOF_RECORD_MAX];
	size_t n;
};

struct sample {
	struct kl_secret *sk, *witness_sk;
	struct kl_vkey log, witness;
	char origin[KL_ORIGIN_MAX];	/* of what is signed from now on */
	uint64_t n;			/* leaves */
	struct kl_hash *leaf;
	struct sample_record *record;
};

struct sample_text {
	char b[KL_PROOF_TEXT_MAX];	/* with NUL */
	size_t n;
};

/* kl_crypto_init was called. Whatever cannot be made ends the test. */
void sample_open(struct sample *s, uint64_t leaves);
void sample_close(struct sample *s);

/* The checkpoint of the first `size` leaves; the same with the witness's
 * line. */
struct kl_note sample_note(const struct sample *s, uint64_t size);
struct kl_note sample_witnessed(const struct sample *s, uint64_t size);
/* Files, under the given checkpoint of `size` leaves. */
struct sample_text sample_inclusion(const struct sample *s, uint64_t at,
    uint64_t size, const struct kl_note *note);
struct sample_text sample_consistency(const struct sample *s, uint64_t old,
    uint64_t size, const struct kl_note *note);

#endif
