/*
 * export_priv.h: what the files of export share.
 *
 * Private to proto/audit/export*.
 */
#ifndef PROTO_AUDIT_EXPORT_PRIV_H
#define PROTO_AUDIT_EXPORT_PRIV_H

#include <kortelijn/domain/list.h>
#include <kortelijn/wire/request.h>

#include "proto/audit/export.h"
#include "proto/audit/policies.h"

#define EXPORT_MONTHS_MAX 264	/* 20 years of P37, and some */

struct export_month {
	char name[8];			/* "2026-11", local */
	uint64_t n[KL_EV_LAST + 1];	/* by event */
};

/* A checkpoint that was kept. */
struct export_kept {
	uint64_t size;
	int64_t day;
	unsigned int witnesses;		/* lines besides the log's */
};

struct exporting {
	struct cli *cli;
	struct audit_link *link;
	const struct audit_export *of;
	enum kl_lang lang;
	struct audit_dirout *out;
	struct kl_arena *mem;
	struct kl_note note;		/* the newest */
	struct kl_checkpoint head;
	uint64_t began;			/* leaf of the first question */
	int64_t now_ms, told_ms;
	int64_t from_minute, to_minute;

	/* what came */
	FILE *csv;
	uint64_t records, first_leaf;
	int64_t first_minute, last_minute;	/* of them */
	struct audit_policies policies;
	size_t policies_cap, policies_held;
	struct export_kept *kept;
	size_t n_kept, kept_cap;
	unsigned int witnesses;		/* lines under the newest witnessed */
	uint64_t witnessed;		/* leaves under it; 0: none */
	size_t cards;
	struct kl_query_state state;	/* its views into state_bytes */
	uint8_t state_bytes[KL_QUERY_PART_MAX];
	struct export_month month[EXPORT_MONTHS_MAX];
	size_t n_months;
};

/* How the broker erases; with it, which leaf the question became: all before
 * it goes into the export. enum cli_exit, said, as of all of these. */
int audit_export_state(struct exporting *x);
/* Checkpoint, tiles, kept checkpoints: what is public of a log. */
int audit_export_log(struct exporting *x);
/* Records and policies. */
int audit_export_records(struct exporting *x);
/* log-key.pem, log.vkey, VERIFY.txt. */
int audit_export_text(struct exporting *x);
int audit_export_page(struct exporting *x);

/* An error about the directory; CLI_FILE, or CLI_FAILED. */
int audit_export_fail(const struct exporting *x, int err, const char *file);
/* Asks LOG or QUERY; *reply in x->mem. */
int audit_export_ask(struct exporting *x, uint32_t request, uint32_t type,
    const void *body, size_t size, struct kl_bytes *reply);
/* How far it is, where somebody waits and looks. */
void audit_export_tell(struct exporting *x, const char *what, uint64_t done,
    uint64_t of);

#endif
