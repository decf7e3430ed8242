/*
 * prove.h: `audit prove`: files that show, without broker and network, that
 * records stand in the log, or that its newest checkpoint continues an earlier
 * one.
 */
#ifndef PROTO_AUDIT_PROVE_H
#define PROTO_AUDIT_PROVE_H

#include <kortelijn/base/types.h>

#include "proto/audit/link.h"

#define AUDIT_PROVE_ARGS						\
	"[LEAF|REFERENCE] [--event=EVENT] [--from-size=N] "		\
	"[--from=CHECKPOINTFILE] [--witnessed] [--out=DIR]"
#define AUDIT_PROVE_SUMMARY "write proofs that verify anywhere"
#define AUDIT_PROVE_HELP						\
	"LEAF: that the record of this number stands in the log.\n"	\
	"REFERENCE: the same for each record of a conversation, or with\n" \
	"--event for those of one event: accepted, released, delivered,\n" \
	"erased and so on. Without either: that the checkpoint of now\n" \
	"continues the one of N records, or the one in CHECKPOINTFILE.\n" \
	"--witnessed leads to the newest checkpoint that an auditor has\n" \
	"signed instead of to the newest. One proof is printed; several,\n" \
	"or with --out, are files in DIR. 'audit verify' says what they\n" \
	"prove. The files hold the record: no person is in it."
#define AUDIT_PROVE_OPTIONS						\
	"event=", "from-size=", "from=", "witnessed", "out="

/* `broker`: the key of the checkpoints. Every proof is verified before it is
 * written. CLI_OK, or said: CLI_USAGE, CLI_FILE, CLI_FAILED, and what the link
 * answers. */
int audit_prove(const struct cli *c, struct audit_link *l,
    const struct kl_sign_pk *broker);

#endif
