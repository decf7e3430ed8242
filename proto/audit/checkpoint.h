/*
 * checkpoint.h: `audit checkpoint`: the signed head of the log, as text that
 * can be kept anywhere and later shows that the log was not rewritten.
 */
#ifndef PROTO_AUDIT_CHECKPOINT_H
#define PROTO_AUDIT_CHECKPOINT_H

#include <kortelijn/base/types.h>

#include "proto/audit/link.h"

#define AUDIT_CHECKPOINT_ARGS "[--witnessed] [--day=DAY] [--vkey]"
#define AUDIT_CHECKPOINT_SUMMARY "print the signed head of the delivery log"
#define AUDIT_CHECKPOINT_HELP						\
	"Three lines and a signature, in the text form of C2SP. Kept\n"	\
	"anywhere, on paper too, it later proves that the log was not\n" \
	"rewritten ('audit verify'). --witnessed: the newest that an\n"	\
	"auditor has signed as a witness, with those lines. --day: the\n" \
	"one that was kept of that day, or of the next that has one.\n"	\
	"--vkey prints the log's public key and origin in one text instead,\n" \
	"for 'audit verify --vkey' and for other programs."
#define AUDIT_CHECKPOINT_OPTIONS "witnessed", "day=", "vkey"

/* `broker`: the key under which it must be signed. CLI_OK, or said: CLI_USAGE,
 * and what audit_logask.h answers. */
int audit_checkpoint(const struct cli *c, struct audit_link *l,
    const struct kl_sign_pk *broker);

#endif
