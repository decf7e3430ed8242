/*
 * remote_log.h: does the log continue what this auditor saw of it? Asked at
 * the beginning of each session. PROTOCOL.md 7.1.2, 7.1.3.
 */
#ifndef BROKER_CTL_REMOTE_LOG_H
#define BROKER_CTL_REMOTE_LOG_H

#include "broker/ctl/remote_priv.h"

/* The note of the answer to HELLO. CLI_OK; *again: the connection went before
 * that was known. CLI_FAILED, said: it does not, or nobody can tell. */
int remote_log_check(struct remote *r, struct kl_bytes note, bool *again);
/* The broker stops over what it was shown, with this code, and shows its own
 * note. CLI_FAILED, said. PROTOCOL.md 7.1.1. */
int remote_log_stops(struct remote *r, uint32_t code, struct kl_bytes note);
/* Warns of an alarm of before. */
void remote_log_alarms(const struct remote *r);

#endif
