/*
 * policies.h: which policy was in force at a leaf: the last one that was
 * loaded before it; and what was looser in it than the table. DOMAIN 2.4.
 */
#ifndef PROTO_AUDIT_POLICIES_H
#define PROTO_AUDIT_POLICIES_H

#include <kortelijn/domain/policy_file.h>

#include "proto/audit/records.h"

#define AUDIT_POLICIES_MAX 4096	/* loads; one a day for the term of the log */

struct audit_policy {
	uint64_t leaf;
	int64_t minute;
	struct kl_hash hash;	/* SHA-256 of the file */
};

/* In the order of the log. All zero to begin. */
struct audit_policies {
	struct audit_policy *at;
	size_t n;
};

/* Asks for all loads that are still in the log, a question of its own.
 * CLI_OK; else as audit_records, and CLI_FAILED for more than
 * AUDIT_POLICIES_MAX. Free after it, also when it failed. */
int audit_policies_read(struct audit_link *l, struct audit_policies *out);
void audit_policies_free(struct audit_policies *p);

/* NULL: the record of its load has gone, or there was none before. */
const struct audit_policy *audit_policies_at(const struct audit_policies *p,
    uint64_t leaf);

/*
 * The file of a load, compared with its hash, into `text` of
 * KL_POLICY_FILE_MAX bytes, and *n. CLI_OK; *n is 0 when the broker holds it
 * no more. Else it was said: as audit_link_ask, and CLI_FAILED for bytes that
 * are not those of the hash.
 */
int audit_policies_file(struct audit_link *l, const struct audit_policy *p,
    uint8_t *text, size_t *n);
/* The same, read; *known is false when it is not held, or is of a version
 * that is not understood here. */
int audit_policies_take(struct audit_link *l, const struct audit_policy *p,
    struct kl_policy_file *out, bool *known);

#endif
