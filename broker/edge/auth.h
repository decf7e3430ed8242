/*
 * auth.h: the keys that core has told, and what each may do. Held in memory
 * only, since a look-up at a handshake must never wait.
 */
#ifndef BROKER_EDGE_AUTH_H
#define BROKER_EDGE_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include <kortelijn/host/link.h>

#include "broker/edge/gate.h"
#include "broker/pipe.h"

struct auth;

struct auth_peer {
	struct kl_curve_pk pk;
	enum pipe_verdict verdict;
	bool seen;			/* it has sent something */
	struct gate_account account;
};

/* Room for so many keys, also forgotten ones. NULL: no memory. */
struct auth *auth_new(size_t keys_max);
/* Accepts NULL. */
void auth_free(struct auth *a);

/* Takes over what core says of a key. A revoked one stays revoked. KL_E_FULL:
 * it is new and there is no room. */
int auth_set(struct auth *a, const struct pipe_key *key) KL_MUST_CHECK;
/* NULL: core never told of it. Valid until auth_free. */
struct auth_peer *auth_find(struct auth *a, const struct kl_curve_pk *pk);
/* For link.h; arg is the struct auth. */
enum kl_link_verdict auth_admit(void *arg, const struct kl_curve_pk *pk);

#endif
