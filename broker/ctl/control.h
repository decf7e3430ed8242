/*
 * control.h: one question to a running broker.
 */
#ifndef BROKER_CTL_CONTROL_H
#define BROKER_CTL_CONTROL_H

#include <jansson.h>

#include "broker/ctl/ctl.h"
#include "broker/ctl/paper.h"

/* Is a broker behind the socket? Asks nothing. */
bool control_running(const struct cli *c);
/* As ask_take, at the socket of the configuration; besides CLI_USAGE and
 * CLI_FILE of ctl_socket. */
int control_ask(const struct cli *c, json_t *question, json_t **answer);
/* Asks a running broker to take up a signed paper, "card" or "revocation":
 * at once, not at its next start. As control_ask. */
int control_hand_over(const struct cli *c, const char *what,
    const struct paper *p);
/* What names a referral or a message: a spoken reference, or an id. CLI_USAGE,
 * and says what is wanted. */
int control_reference_check(const struct cli *c, const char *text);

#endif
