/*
 * verify.h: `audit verify`: what files of the log prove, in words, to somebody
 * without a broker, a network or a secret key.
 */
#ifndef PROTO_AUDIT_VERIFY_H
#define PROTO_AUDIT_VERIFY_H

#include "proto/audit/names.h"
#include "proto/audit/trust.h"

#define AUDIT_VERIFY_HELP						\
	"Says what each FILE proves: a checkpoint, a record in the log\n" \
	"(inclusion), or that a checkpoint continues an earlier one\n"	\
	"(consistency; give that one too). Evidence of an alarm is two\n" \
	"checkpoints in one FILE. Checkpoints of all FILEs are held\n" \
	"against each other. Needs public keys only, no broker and no\n" \
	"network. --vkey is the log's key and origin in one text; else the\n" \
	"key comes from the broker's card and --origin says which log it\n" \
	"is. --witness adds the key of a witness, or a file of them. Of a\n" \
	"directory of 'audit export', which is given by itself, it hashes\n" \
	"all records, tiles and checkpoints, and holds the records against\n" \
	"the rules that the log shows: each that breaks one is named. Ends\n" \
	"with 0 only if all is proved."

/*
 * Verifies the arguments of c, or the one directory (dirverify.h), and prints
 * what they prove, in the language of --language. names: NULL if none is
 * known. CLI_OK: all is proved; CLI_FAILED: something is not, which is said;
 * CLI_FILE: a file cannot be read.
 */
int audit_verify(const struct cli *c, const struct audit_trust *t,
    const struct audit_names *names);

#endif
