/*
 * orgs.h: the organisations that a log names, numbered from 0 in the order in
 * which they come.
 */
#ifndef PROTO_AUDIT_ORGS_H
#define PROTO_AUDIT_ORGS_H

#include <kortelijn/base/types.h>

#define AUDIT_ORGS_MAX 4096	/* of a region; far above */
#define AUDIT_ORG_NONE UINT32_MAX

struct audit_orgs {
	struct kl_id *ids;
	uint32_t *roles;	/* enum kl_role; 0: not seen yet */
	uint32_t n;
	uint32_t *slots;	/* index + 1 */
};

/* KL_E_MEMORY. */
int audit_orgs_init(struct audit_orgs *o) KL_MUST_CHECK;
void audit_orgs_clear(struct audit_orgs *o);
/* The number of id, a new one if need be; AUDIT_ORG_NONE for none. KL_E_FULL:
 * there are AUDIT_ORGS_MAX. */
int audit_orgs_put(struct audit_orgs *o, const struct kl_id *id, uint32_t *i)
    KL_MUST_CHECK;

#endif
