/*
 * remote_priv.h: the session of an auditor, for remote.c and its parts.
 */
#ifndef BROKER_CTL_REMOTE_PRIV_H
#define BROKER_CTL_REMOTE_PRIV_H

#include <kortelijn/host/link.h>
#include <kortelijn/wire/request.h>

#include "broker/ctl/auditor.h"
#include "proto/audit/link.h"

struct remote {
	struct audit_link link;
	struct auditor a;
	struct kl_link *l;

	/* of this process */
	struct kl_arena *in, *out, *body;
	uint64_t requests;
	unsigned int sessions;
	struct audit_wait wait;
	bool clock_told, lost_told;

	/* of this connection */
	bool session;		/* HELLO was answered */
	uint64_t connected;	/* which one it is */
};

/* One request and its answer, of which the views last until the next one.
 * KL_E_AGAIN: the connection went, or nothing came within ms. */
int remote_call(struct remote *r, uint32_t request, struct kl_bytes body,
    int64_t ms, struct kl_reply_msg *out) KL_MUST_CHECK;
/* HELLO with the next epoch and the note of a checkpoint, or none. */
int remote_hello(struct remote *r, struct kl_bytes note, int64_t ms,
    struct kl_reply_msg *out) KL_MUST_CHECK;

#endif
