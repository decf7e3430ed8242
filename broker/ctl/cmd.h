/*
 * cmd.h: the commands, one function each; main.c has the table.
 */
#ifndef BROKER_CTL_CMD_H
#define BROKER_CTL_CMD_H

#include "broker/ctl/ctl.h"

int cmd_authority_init(struct ctl *c);
int cmd_authority_fingerprint(struct ctl *c);
int cmd_broker_init(struct ctl *c);
int cmd_enrol_show(struct ctl *c);
int cmd_enrol_issue(struct ctl *c);
int cmd_enrol_accept(struct ctl *c);
int cmd_participant_list(struct ctl *c);
int cmd_participant_show(struct ctl *c);
int cmd_participant_revoke(struct ctl *c);
int cmd_status(struct ctl *c);
int cmd_checkpoint(struct ctl *c);
int cmd_store_new(struct ctl *c);
int cmd_help(struct ctl *c);

#endif
