/*
 * ctl.h: what every command of `kortelijn` needs of its configuration.
 */
#ifndef BROKER_CTL_CTL_H
#define BROKER_CTL_CTL_H

#include "broker/config.h"
#include "proto/cli/cli.h"

#define CTL_CONF_DEFAULT "/etc/kortelijn/kortelijnd.conf"

/* kortelijnd.conf, said on standard error if it cannot be read. CLI_OK or
 * CLI_FILE. */
int ctl_conf(const struct cli *c, struct broker_conf *out);
/* Path of the control socket: --socket, or that of the file. CLI_OK,
 * CLI_USAGE, CLI_FILE. */
int ctl_socket(const struct cli *c, char path[BROKER_CONTROL_BYTES]);

#endif
