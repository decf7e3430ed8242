/*
 * trust.h: whose signature counts under a log: the broker's card, as the
 * region's authority signed it.
 */
#ifndef BROKER_CTL_TRUST_H
#define BROKER_CTL_TRUST_H

#include "broker/ctl/paper.h"

struct ctl_trust {
	uint32_t realm;
	struct kl_sign_pk authority;
	struct kl_id broker;
	struct kl_sign_pk sign;		/* the log's key */
	struct kl_curve_pk transport;
};

/* The broker's card in that file, under an authority that was read. KL_E_VALUE:
 * the card of somebody else, or of another realm; else as paper_card_read. */
int ctl_trust_read(const struct paper_authority *a, const char *card,
    struct ctl_trust *out) KL_MUST_CHECK;
/* --card=FILE under --authority=DIR; else what the auditor's directory of
 * --as=DIR was given; else the broker's own configuration. CLI_OK; otherwise it
 * was said: CLI_USAGE, CLI_FILE, CLI_FAILED. */
int ctl_trust(const struct cli *c, struct ctl_trust *out);

#endif
