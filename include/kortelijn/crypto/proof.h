/*
 * proof.h: what the log has shown, as text files that anybody can check with
 * nothing but public keys: that a record stands in it (C2SP tlog-proof v1),
 * and that a checkpoint continues an earlier one (the body of add-checkpoint
 * of C2SP tlog-witness). PROTOCOL.md 10.11.
 *
 *   c2sp.org/tlog-proof@v1                      old 7
 *   extra <base64 of salt || record>            <base64 of a hash>
 *   index 7                                     ...
 *   <base64 of a hash>
 *   ...                                         <checkpoint>
 *
 *   <checkpoint>
 *
 * Each has one form: what a reader takes packs to the same bytes. Witnesses'
 * lines of the checkpoint are verified by note.h.
 */
#ifndef KORTELIJN_CRYPTO_PROOF_H
#define KORTELIJN_CRYPTO_PROOF_H

#include <kortelijn/crypto/merkle.h>
#include <kortelijn/crypto/note.h>
#include <kortelijn/crypto/vkey.h>

#define KL_PROOF_HASHES 63	/* what a log of 2^63 leaves needs */
#define KL_PROOF_RECORD_MAX 384	/* bytes; as PROTOCOL.md 10.2 */
#define KL_PROOF_TEXT_MAX 5120	/* bytes of a file, with NUL */

struct kl_proof_inclusion {
	uint64_t index;			/* of the leaf, from 0 */
	uint8_t salt[32];
	uint8_t record[KL_PROOF_RECORD_MAX];
	size_t record_n;		/* at least 1 */
	struct kl_hash hash[KL_PROOF_HASHES];	/* from the leaf up */
	size_t n;
	struct kl_note note;		/* the checkpoint */
};

struct kl_proof_consistency {
	uint64_t old_size;		/* leaves of the earlier one; 0: none */
	struct kl_hash hash[KL_PROOF_HASHES];
	size_t n;
	struct kl_note note;		/* the later one */
};

enum kl_proof_sort {
	KL_PROOF_CHECKPOINT = 1,	/* a signed note, if it is anything */
	KL_PROOF_INCLUSION = 2,
	KL_PROOF_CONSISTENCY = 3,
};
/* What a file claims to be, by its first line. */
enum kl_proof_sort kl_proof_sort(struct kl_bytes text);

/* The text with its NUL; *n bytes without it. KL_E_VALUE: the record or the
 * proof is longer than its limit, or there is no record; KL_E_SIZE: more than
 * cap. The note stands in it as it is. */
int kl_proof_inclusion_pack(const struct kl_proof_inclusion *p, char *out,
    size_t cap, size_t *n) KL_MUST_CHECK;
int kl_proof_consistency_pack(const struct kl_proof_consistency *p, char *out,
    size_t cap, size_t *n) KL_MUST_CHECK;

/* Form only. KL_E_FORMAT; on an error *out is zero. Nothing of what was read
 * may be believed before it was verified. */
int kl_proof_inclusion_read(struct kl_bytes text,
    struct kl_proof_inclusion *out) KL_MUST_CHECK;
int kl_proof_consistency_read(struct kl_bytes text,
    struct kl_proof_consistency *out) KL_MUST_CHECK;

/*
 * The record stood in the log when *out was signed. Errors of
 * kl_vkey_checkpoint: the checkpoint is not one of this log. KL_E_VALUE: the
 * leaf is beyond it; KL_E_NOT_FOUND: the hashes do not lead from this record
 * at this place to the checkpoint. On an error *out is zero.
 */
int kl_proof_inclusion_verify(const struct kl_proof_inclusion *p,
    const struct kl_vkey *log, struct kl_checkpoint *out) KL_MUST_CHECK;
/*
 * The log that *out describes begins with all that `old`, a signed note of the
 * same log, described, unchanged. Errors of kl_vkey_checkpoint for either;
 * KL_E_VALUE: `old` has another size than the proof begins at, or the later
 * one is smaller; KL_E_NOT_FOUND: the hashes do not lead from the one to the
 * other. A proof that begins at 0 has no `old` (KL_BYTES_NONE) and shows no
 * more than the checkpoint does. On an error *out is zero.
 */
int kl_proof_consistency_verify(const struct kl_proof_consistency *p,
    struct kl_bytes old, const struct kl_vkey *log, struct kl_checkpoint *out)
    KL_MUST_CHECK;

#endif
