/*
 * approval.h: the controllers' approval of one auditor's card that reads all:
 * who of each organisation has agreed, and when. The card reads the records of
 * the organisations that stand here, and of no other. PROTOCOL.md 7.11.5.
 *
 *	[card]
 *	auditor = kvk:87654321
 *	serial = 5f1b7c0e2a9d4c3b8e6f70a1b2c3d4e5
 *
 *	[agb:01234567]
 *	approved_by = praktijkhouder
 *	approved_on = 2026-11-20
 *
 * A comment starts with "#" or ";" at the start of a line, or with " ;" after
 * a value.
 */
#ifndef KORTELIJN_DOMAIN_APPROVAL_H
#define KORTELIJN_DOMAIN_APPROVAL_H

#include <kortelijn/base/types.h>

#define KL_APPROVAL_MAX 65536		/* bytes of a file */
#define KL_APPROVAL_ORGS_MAX 512
#define KL_APPROVAL_LINE_MAX 400	/* bytes, without its newline */
#define KL_APPROVAL_TEXT_MAX 160	/* bytes of approved_by */

struct kl_approval {
	struct kl_id auditor;
	uint8_t serial[16];
	struct kl_id org[KL_APPROVAL_ORGS_MAX];
	size_t n;
	int32_t last_on;	/* the latest approved_on, a day */
};

struct kl_approval_error {
	unsigned int line;	/* 0: of no line */
	char b[200];		/* one sentence, without the line's number */
};

/*
 * Reads all of `text`. On a failure *out is not to be used and *e says why.
 * KL_E_FORMAT: not a line of such a file, or a value of no form; KL_E_UNKNOWN:
 * a key that it has not; KL_E_EXISTS: given twice; KL_E_VALUE: something is
 * missing, or there is no organisation; KL_E_SIZE: larger than an approval is,
 * or too many organisations.
 */
int kl_approval_read(struct kl_bytes text, struct kl_approval *out,
    struct kl_approval_error *e) KL_MUST_CHECK;
/* May it count for this card today? KL_E_DENIED: *e says why not. */
int kl_approval_check(const struct kl_approval *a, const struct kl_id *auditor,
    const uint8_t serial[16], int32_t today, struct kl_approval_error *e)
    KL_MUST_CHECK;

#endif
