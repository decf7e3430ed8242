/*
 * records.h: the records that a question finds, one after the other in the
 * order of the log, over any link.
 */
#ifndef PROTO_AUDIT_RECORDS_H
#define PROTO_AUDIT_RECORDS_H

#include <kortelijn/wire/request.h>

#include "proto/audit/link.h"

/* Salt and packed record give the leaf (kl_record_leaf_hash). */
struct audit_record {
	uint64_t leaf;
	uint8_t salt[32];
	struct kl_bytes packed;
	struct kl_record r;	/* the same, read and checked */
};

/*
 * Asks for what `what` names and gives each record to take, which borrows it
 * for the call and answers CLI_OK to go on; anything else ends it and is
 * answered. All pages, in the order of the leaves; a page is fetched when the
 * one before was taken, so memory does not grow. The log keeps the question as
 * a leaf. CLI_OK; otherwise it was said: as audit_link_ask, and CLI_FAILED for
 * an answer that is no records or not in order.
 */
int audit_records(struct audit_link *l, const struct kl_query_what *what,
    int (*take)(void *arg, const struct audit_record *r), void *arg);

#endif
