/*
 * link.h: how the auditing commands of kortelijn reach the broker.
 */
#ifndef BROKER_CTL_LINK_H
#define BROKER_CTL_LINK_H

#include "proto/audit/link.h"

/* With --as=DIR over the network, as that auditor; else over the operator's
 * socket. Close with audit_link_close. CLI_OK; otherwise it was said: as
 * remote_open, ctl_socket. */
int ctl_link_open(const struct cli *c, struct audit_link **out);
/* Shows the broker a signed checkpoint, with what witnesses wrote under it: at
 * HELLO, so over a link of --as=DIR only. CLI_OK; otherwise it was said, as
 * audit_link_ask; CLI_USAGE: another link. PROTOCOL.md 7.1.1. */
int ctl_link_show(struct audit_link *l, struct kl_bytes note);

#endif
