/*
 * control.h: one question to a running broker over its Unix socket, a JSON
 * line each way.
 */
#ifndef BROKER_CTL_CONTROL_H
#define BROKER_CTL_CONTROL_H

#include <jansson.h>

#include "broker/ctl/ctl.h"

#define CONTROL_REPLY_MAX (4 << 20)	/* bytes */
#define CONTROL_WAIT_S 20

/* Is a broker behind the socket? Asks nothing. */
bool control_running(const struct ctl *c);
/*
 * Sends `question` (taken) and reads the answer. On CTL_OK the caller owns
 * *answer, an object with "ok": true. Otherwise the reason was said:
 * CTL_NOT_RUNNING; CTL_FILE: the socket is not ours; CTL_FAILED: refused, or
 * no answer in time.
 */
int control_ask(const struct ctl *c, json_t *question, json_t **answer);

#endif
