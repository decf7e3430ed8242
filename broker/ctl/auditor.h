/*
 * auditor.h: the directory of an auditor, on any machine: keys that open with
 * a passphrase, its card, whom it trusts, where the broker is, and what it may
 * not forget. Made by `enrol request`, completed by `audit setup`.
 */
#ifndef BROKER_CTL_AUDITOR_H
#define BROKER_CTL_AUDITOR_H

#include "broker/ctl/trust.h"

#define AUDITOR_CARD "auditor.card"
#define AUDITOR_BROKER_CARD "broker.card"
#define AUDITOR_BROKERS "broker.address"	/* one address a line */
#define AUDITOR_ENDPOINTS_BYTES 1024

/* An auditor of one process at a time; all is of the directory. */
struct auditor {
	char dir[PAPER_PATH_BYTES];
	struct ctl_trust trust;
	struct kl_id id;
	struct kl_sign_pk sign_pk;
	struct kl_curve_pk transport_pk;
	int64_t from_ms, until_ms;	/* of its card */
	char endpoints[AUDITOR_ENDPOINTS_BYTES];
};

/* Locks the directory for this process and reads all but the keys, each paper
 * checked against the authority's. CLI_OK; otherwise it was said: CLI_FILE:
 * something is missing or wrong; CLI_FAILED: another command works with it. */
int auditor_open(const struct cli *c, const char *dir, struct auditor *out);
/* The lock alone. CLI_OK, CLI_FILE, CLI_FAILED. */
int auditor_lock(const struct cli *c, const char *dir);

/* DIR/NAME.key, "identity" or "transport": asks for the passphrase, unless it
 * lies there without one. CLI_OK; otherwise said: CLI_FAILED: another
 * passphrase; errors of passphrase_get; CLI_FILE. */
int auditor_key(const struct cli *c, const char *dir, const char *name,
    struct kl_secret **out);

/* Instance and epoch of the next HELLO, counted up durably before it leaves;
 * *take_over: this instance is the one from now on, until auditor_taken_over.
 * KL_E_FORMAT, KL_E_FULL, KL_E_IO, ... PROTOCOL.md 6.5. */
int auditor_epoch(const char *dir, struct kl_instance *instance,
    uint64_t *epoch, bool *take_over) KL_MUST_CHECK;
int auditor_taken_over(const char *dir) KL_MUST_CHECK;
/* Draws a new instance, which takes over at the next HELLO. */
int auditor_take_over(const char *dir) KL_MUST_CHECK;

#endif
