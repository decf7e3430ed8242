/*
 * witnesses.h: whose lines count as a witness's: the auditors whose cards lie
 * in the broker's configuration, or the auditor of --as=DIR.
 */
#ifndef BROKER_CTL_WITNESSES_H
#define BROKER_CTL_WITNESSES_H

#include "broker/ctl/trust.h"
#include "proto/audit/trust.h"

/* The key of the auditor whose card is in that file, as a witness's name.
 * KL_E_VALUE: the card of somebody who is none; else as paper_card_read. */
int witnesses_card(const char *path, const struct paper_authority *a,
    struct kl_vkey *out) KL_MUST_CHECK;
/* What `audit verify` trusts: --vkey, or the broker's card (ctl_trust) and
 * --origin, or else the log that the configuration names, or that the auditor
 * of --as=DIR saw last; and the witnesses of --witness, of the configuration's
 * cards and of --as=DIR. CLI_OK, or said: CLI_USAGE, CLI_FILE. */
int witnesses_trust(const struct cli *c, struct audit_trust *out);

#endif
