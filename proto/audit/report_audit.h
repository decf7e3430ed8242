/*
 * report_audit.h: `report audit`: what a log tells of a period, for who keeps
 * an eye on it. It holds small counts, as its reader may read the records
 * themselves; region.h is for everybody else.
 */
#ifndef PROTO_AUDIT_REPORT_AUDIT_H
#define PROTO_AUDIT_REPORT_AUDIT_H

#include <kortelijn/crypto/note.h>
#include <kortelijn/domain/policy_file.h>
#include <kortelijn/wire/request.h>

#include "proto/audit/measure.h"
#include "proto/audit/names.h"
#include "proto/audit/page.h"

#define AUDIT_REPORT_WITNESSES_MAX 16

/* A policy that counted in the period, from its load to the next. */
struct audit_report_load {
	uint64_t leaf;
	int64_t minute;
	struct kl_hash hash;
	bool held;		/* its bytes are there, as `file` */
	struct kl_policy_file file;
};

/* What the log says of itself now. */
struct audit_report_head {
	struct kl_checkpoint newest;	/* size 0: not known */
	int64_t signed_ms;		/* 0: not known */
	uint64_t witnessed;		/* leaves under a witness's line */
	char witness[AUDIT_REPORT_WITNESSES_MAX][KL_ORIGIN_MAX];
	int64_t witness_ms[AUDIT_REPORT_WITNESSES_MAX];
	size_t n_witnesses;
};

struct audit_report_audit {
	const struct audit_measure *m;
	const struct audit_names *names;	/* or NULL */
	const struct audit_report_load *loads;	/* in their order */
	size_t n_loads;
	const struct kl_query_state *state;	/* NULL: nobody to ask */
	struct audit_report_head head;
	int64_t made_ms;
	bool partial;		/* the reader may not read all of the log */
	enum kl_lang lang;
};

/* KL_OK, or why the page is not whole. Clear `page` after it. */
int audit_report_audit_html(const struct audit_report_audit *r,
    struct audit_page *page) KL_MUST_CHECK;

/* The policy that counted last. */
void audit_report_audit_policy(const struct audit_report_audit *r,
    struct kl_policy *out);
/* Of nl and en, the one in the report's language. */
const char *audit_report_audit_either(const struct audit_report_audit *r,
    const char *nl, const char *en);

#endif
