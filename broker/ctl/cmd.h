/*
 * cmd.h: the commands, one function each; main.c has the table.
 */
#ifndef BROKER_CTL_CMD_H
#define BROKER_CTL_CMD_H

#include "broker/ctl/ctl.h"

int cmd_authority_init(struct cli *c);
int cmd_authority_fingerprint(struct cli *c);
int cmd_broker_init(struct cli *c);
int cmd_enrol_request(struct cli *c);
int cmd_enrol_show(struct cli *c);
int cmd_enrol_issue(struct cli *c);
int cmd_enrol_accept(struct cli *c);
int cmd_participant_list(struct cli *c);
int cmd_participant_show(struct cli *c);
int cmd_participant_contact(struct cli *c);
int cmd_participant_revoke(struct cli *c);
int cmd_hold(struct cli *c);
int cmd_hold_release(struct cli *c);
int cmd_status(struct cli *c);
int cmd_rewrap(struct cli *c);
int cmd_origin_new(struct cli *c);
int cmd_export_now(struct cli *c);
int cmd_export_list(struct cli *c);
int cmd_export_open(struct cli *c);
int cmd_policy_show(struct cli *c);
int cmd_policy_check(struct cli *c);
int cmd_policy_diff(struct cli *c);
int cmd_policy_load(struct cli *c);
int cmd_subject_export(struct cli *c);
int cmd_audit_setup(struct cli *c);
int cmd_audit_checkpoint(struct cli *c);
int cmd_audit_prove(struct cli *c);
int cmd_audit_verify(struct cli *c);
int cmd_audit_witness(struct cli *c);
int cmd_audit_cosign(struct cli *c);
int cmd_audit_export(struct cli *c);
int cmd_erase_verify(struct cli *c);
int cmd_subject_erase(struct cli *c);
int cmd_report_audit(struct cli *c);
int cmd_report_region(struct cli *c);
int cmd_audit_query(struct cli *c);
int cmd_audit_story(struct cli *c);

#endif
