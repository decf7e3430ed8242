/*
 * verdict.h: what a checkpoint or a proof in a file shows to somebody who has
 * nothing but public keys. Pure: bytes in, verdict out.
 */
#ifndef PROTO_AUDIT_VERDICT_H
#define PROTO_AUDIT_VERDICT_H

#include <kortelijn/crypto/proof.h>
#include <kortelijn/domain/list.h>

#include "proto/audit/records.h"
#include "proto/audit/trust.h"

struct audit_verdict {
	enum kl_proof_sort sort;
	/* KL_OK: proved. Else as audit_verdict_why says in words; everything
	 * below but `sort` and `old_size` is zero. */
	int err;
	struct kl_checkpoint checkpoint;	/* the later one */
	struct audit_trust_line line[AUDIT_WITNESSES_MAX];
	size_t n_lines;			/* of trusted witnesses, verified */
	uint64_t old_size;		/* consistency: leaves of the earlier */
	/* inclusion: the record that stands in the log; its packed bytes point
	 * into `proof` */
	struct audit_record record;
	struct kl_proof_inclusion proof;
};

/*
 * Reads and verifies all of it: form, signature, origin, hashes, the record's
 * own form, and the lines of the witnesses that are trusted. old: the earlier
 * checkpoint of a consistency proof, as a signed note, or nothing. Errors of
 * kl_proof_inclusion_verify and kl_proof_consistency_verify; KL_E_EMPTY: a
 * consistency proof without its `old`; KL_E_DENIED: a trusted witness's line
 * does not hold; KL_E_MEMORY. mem: for the record, reset by the caller.
 */
void audit_verdict(const struct audit_trust *t, struct kl_bytes text,
    struct kl_bytes old, struct kl_arena *mem, struct audit_verdict *out);
/* The signed note in a file of any sort, for whoever compares; none if the
 * file is none of them. Not verified. */
struct kl_bytes audit_verdict_note(struct kl_bytes text);
/* One sentence without a full stop. */
const char *audit_verdict_why(int err, enum kl_lang lang);

#endif
