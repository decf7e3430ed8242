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

#endif
