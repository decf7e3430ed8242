/*
 * dircheck.h: is all of an export what the log's key has signed? Hashes every
 * record, every tile and every checkpoint again, and looks at what the records
 * tell (rules.h). With public keys only, in memory that does not grow with the
 * records but with the messages among them. PROTOCOL.md 10.12, 10.13.
 */
#ifndef PROTO_AUDIT_DIRCHECK_H
#define PROTO_AUDIT_DIRCHECK_H

#include <kortelijn/crypto/vkey.h>

#include "proto/audit/rules.h"

/* Whose log it must be. */
struct audit_dircheck_keys {
	const struct kl_sign_pk *log;
	const char *origin;		/* "": whichever it names */
	const struct kl_vkey *witness;	/* whose lines count, or NULL */
	size_t n_witness;
};

/* Told as it goes; each borrows for the call. */
struct audit_dircheck_told {
	/* A file is not what it should be; leaf, or AUDIT_NO_LEAF. */
	void (*wrong)(void *arg, const char *file, uint64_t leaf,
	    const char *text);
	void (*broken)(void *arg, const struct audit_finding *f);
	void *arg;
};

struct audit_dircheck_sum {
	struct kl_checkpoint newest;
	uint64_t leaves;
	uint64_t wrong;			/* files and leaves */
	uint64_t checkpoints;		/* that verify, with the newest */
	uint64_t pairs;			/* of them, each consistent */
	bool forked;			/* one is signed, and another past */
	uint64_t witnessed;		/* leaves under a witnessed one */
	uint32_t witnesses;		/* different ones that were seen */
	uint64_t policies;		/* files that a record names */
	struct audit_rules_counts rules;
	size_t bytes;			/* memory held at most */
};

/* KL_OK: all was looked at, and the sum says how it is. KL_E_NOT_FOUND,
 * KL_E_DENIED, KL_E_IO, KL_E_SIZE: no such directory, or without a checkpoint;
 * KL_E_SIGNATURE, KL_E_FORMAT, KL_E_UNKNOWN: its checkpoint is not one of that
 * key and origin, so nothing in it says anything; KL_E_MEMORY. */
int audit_dircheck(const char *path, const struct audit_dircheck_keys *k,
    const struct audit_dircheck_told *told, struct audit_dircheck_sum *out)
    KL_MUST_CHECK;

#endif
