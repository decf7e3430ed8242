/*
 * cmd_backup.h: the commands about backups, for the tables of main.c, and the
 * recovery key as init makes it.
 */
#ifndef ADAPTERS_COMMON_CMD_BACKUP_H
#define ADAPTERS_COMMON_CMD_BACKUP_H

#include <jansson.h>

#include "adapters/common/config.h"
#include "proto/cli/cli.h"

/* Each answers an enum cli_exit. */
int cmd_backup_now(struct cli *c);
int cmd_backup_key(struct cli *c);
int cmd_backup_list(struct cli *c);
int cmd_backup_verify(struct cli *c);
int cmd_restore(struct cli *c);

/* A new recovery key: its letters into the file of --recovery-out, or into
 * `answer` to be shown this once, with what to do about them. CLI_OK, or the
 * code after it was said. */
int cmd_backup_new_key(struct cli *c, const struct config *conf,
    json_t *answer);

#endif
