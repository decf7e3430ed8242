/*
 * cmd_audit.h: the commands that ask the broker's log for this organisation,
 * through the running adapter, and that verify what it showed.
 */
#ifndef ADAPTERS_COMMON_CMD_AUDIT_H
#define ADAPTERS_COMMON_CMD_AUDIT_H

#include "proto/audit/link.h"
#include "proto/audit/names.h"

/* Each answers an enum cli_exit. */
int cmd_audit_query(struct cli *c);
int cmd_audit_story(struct cli *c);
int cmd_audit_checkpoint(struct cli *c);
int cmd_audit_prove(struct cli *c);
int cmd_audit_export(struct cli *c);
/* Needs no running adapter. */
int cmd_audit_verify(struct cli *c);

/* The link of the commands: asks the adapter of the configuration, whose
 * language counts from here on. CLI_OK, CLI_FILE, CLI_FAILED. */
int cmd_audit_link(struct cli *c, struct audit_link **out);
/* How organisations are called, as the adapter knows them from their cards;
 * NULL: none. CLI_OK, or what cmd_ask answers. */
int cmd_audit_names(struct cli *c, struct audit_names **out);

#endif
