/*
 * cmd_subject.h: the commands `subject find|export|log|erase`. Each answers an
 * enum cli_exit.
 */
#ifndef ADAPTERS_COMMON_CMD_SUBJECT_H
#define ADAPTERS_COMMON_CMD_SUBJECT_H

#include "proto/cli/cli.h"

int cmd_subject_find(struct cli *c);
int cmd_subject_export(struct cli *c);
int cmd_subject_log(struct cli *c);
int cmd_subject_erase(struct cli *c);

#endif
