/*
 * dirlink.h: an export as if it were the log itself, for commands that read
 * records over a link: without a broker, and without a record of it.
 */
#ifndef PROTO_AUDIT_DIRLINK_H
#define PROTO_AUDIT_DIRLINK_H

#include "proto/audit/link.h"

/*
 * Borrows c and path until close. Its records are those of audit_dir_records;
 * besides, it answers what a story asks: the checkpoint and the time of the
 * export, which is that of its last record, and the policies that it has.
 * Whose checkpoint it is `kortelijn audit verify` says. CLI_OK; CLI_FILE,
 * CLI_FAILED, said: there is no export, or no memory.
 */
int audit_dirlink(const struct cli *c, const char *path,
    struct audit_link **out);

#endif
