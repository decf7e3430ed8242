/*
 * policy_file.h: policy.conf: what a house makes of the table of policy.h,
 * from bytes to a checked struct and back. PROTOCOL.md 13.1.
 *
 *	[policy]
 *	consent_max_age_at_send = 14d
 *	metadata_after_end = 120d
 *
 *	[override metadata_after_end]
 *	legal_basis = AVG 6(1)(e), besluit 2026-31
 *	approved_by = functionaris gegevensbescherming
 *	approved_on = 2026-11-02
 *	review_on = 2027-11-01
 *
 * A comment starts with "#" or ";" at the start of a line, or with " ;" after
 * a value. A key that is not given has its default. A value that is looser
 * than the default counts only from approved_on to review_on, both included;
 * before, after, and without the four of them the default counts.
 */
#ifndef KORTELIJN_DOMAIN_POLICY_FILE_H
#define KORTELIJN_DOMAIN_POLICY_FILE_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/domain/policy.h>

#define KL_POLICY_FILE_MAX 65536	/* bytes */
#define KL_POLICY_LINE_MAX 400		/* bytes, without its newline */
#define KL_POLICY_TEXT_MAX 161		/* of an override, with NUL */

struct kl_policy_override {
	bool given;
	char legal_basis[KL_POLICY_TEXT_MAX];	/* "": missing */
	char approved_by[KL_POLICY_TEXT_MAX];
	int32_t approved_on, review_on;		/* days; 0: missing */
};

struct kl_policy_file {
	struct kl_term asked[KL_POL_COUNT];	/* or the default */
	bool given[KL_POL_COUNT];
	struct kl_policy_override override[KL_POL_COUNT];
};

struct kl_policy_error {
	unsigned int line;	/* 0: of no line */
	char b[300];		/* one sentence, without the line's number */
};

/*
 * Reads all of `text`. On a failure *out is not to be used and *e says why.
 * KL_E_FORMAT: not a line of such a file, or a value of no form; KL_E_UNKNOWN:
 * a section, key, unit or member that the table has not; KL_E_EXISTS: given
 * twice; KL_E_VALUE: outside what is possible; KL_E_DENIED: a fixed row, which
 * has no setting; KL_E_SIZE: larger than a policy is.
 */
int kl_policy_file_read(struct kl_bytes text, struct kl_policy_file *out,
    struct kl_policy_error *e) KL_MUST_CHECK;
/* As if read from an empty file. */
void kl_policy_file_empty(struct kl_policy_file *out);

enum kl_policy_state {
	KL_POLICY_FIXED,
	KL_POLICY_DEFAULT,
	KL_POLICY_STRICTER,	/* or as strict, within the row's range */
	KL_POLICY_LOOSENED,	/* approved, and counts today */
	KL_POLICY_UNAPPROVED,	/* looser, and not or not yet approved: the
				 * default counts */
	KL_POLICY_OVERDUE,	/* past review_on: the default counts */
};
enum kl_policy_state kl_policy_file_state(const struct kl_policy_file *f,
    enum kl_policy_key key, int32_t today);
/* "stricter" and the like: for JSON and for people. */
const char *kl_policy_file_state_name(enum kl_policy_state state);
const char *kl_policy_file_state_label(enum kl_policy_state state,
    enum kl_lang lang);
/* What an unapproved row lacks: "legal_basis", "approved_on lies ahead"; NULL
 * for any other. */
const char *kl_policy_file_lacks(const struct kl_policy_file *f,
    enum kl_policy_key key, int32_t today);
/* How many rows are in that state. */
size_t kl_policy_file_count(const struct kl_policy_file *f,
    enum kl_policy_state state, int32_t today);
/* May all of it count? KL_E_DENIED: *e names the first row that is looser and
 * not approved, or past its review. */
int kl_policy_file_check(const struct kl_policy_file *f, int32_t today,
    struct kl_policy_error *e) KL_MUST_CHECK;
/* Takes out all but what is stricter than the default: what was loosened does
 * not outlive its file. */
void kl_policy_file_keep_strict(struct kl_policy_file *f, int32_t today);
/* What counts on that day. */
void kl_policy_file_at(const struct kl_policy_file *f, int32_t today,
    struct kl_policy *out);

/* The file as it is shipped: every row with its default, unit, source and
 * whether that source was read; fixed ones as comments. */
void kl_policy_file_write(struct kl_writer *w);
/* Only what differs from the defaults, with its approvals: read again, it is
 * the same policy. */
void kl_policy_file_write_changes(struct kl_writer *w,
    const struct kl_policy_file *f);

#endif
