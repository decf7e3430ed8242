/*
 * remote.h: an auditor on another machine: the broker over CURVE with the card
 * of --as=DIR. PROTOCOL.md 6.5, 7.1, 7.11.
 */
#ifndef BROKER_CTL_REMOTE_H
#define BROKER_CTL_REMOTE_H

#include <stdbool.h>

#include "proto/audit/link.h"

/*
 * Opens the auditor's directory, asks for the passphrase, connects, says HELLO
 * and checks that the log continues what was seen of it before. What is asked
 * over the link survives a restart of the broker. Borrows c until close.
 * CLI_OK; otherwise it was said: CLI_NOT_RUNNING: nobody answers; CLI_FAILED:
 * refused, or the log does not continue; CLI_FILE, CLI_USAGE.
 */
int remote_open(const struct cli *c, const char *dir,
    struct audit_link **out);
/* Is it a link of remote_open? */
bool remote_is(const struct audit_link *l);
/* HELLO once more, with this note. As audit_link_ask. */
int remote_show(struct audit_link *l, struct kl_bytes note);

#endif
