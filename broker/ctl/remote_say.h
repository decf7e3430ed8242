/*
 * remote_say.h: what went wrong on the way to the broker, in words that say
 * what to do. Each answers an enum cli_exit.
 */
#ifndef BROKER_CTL_REMOTE_SAY_H
#define BROKER_CTL_REMOTE_SAY_H

#include "broker/ctl/remote_priv.h"

/* The handshake was refused: this key's card was revoked. */
int remote_say_refused(const struct remote *r);
/* No connection in time; silent: somebody listened and said nothing. */
int remote_say_no_link(const struct remote *r, bool silent);
/* Connected, and no answer again and again. */
int remote_say_no_answer(const struct remote *r);
/* A refusal, enum kl_code. */
int remote_say_code(const struct remote *r, uint32_t code);
int remote_say_senseless(const struct remote *r);
/* The broker is of another realm than the card. */
int remote_say_realm(const struct remote *r, uint32_t realm);

/* Once: that the connection was lost and is tried again. */
void remote_say_lost(struct remote *r);
/* Once: that the clock here is not that of the broker. PROTOCOL.md 6.6. */
void remote_say_clock(struct remote *r, int64_t time_ms);

#endif
