/*
 * term.h: what every new card has besides who it is for: serial, realm and
 * how long it is valid, from --days and --from.
 */
#ifndef BROKER_CTL_TERM_H
#define BROKER_CTL_TERM_H

#include "broker/ctl/paper.h"

#define TERM_DAYS 730		/* unless --days says otherwise */
#define TERM_DAYS_MAX 1100

/* Fills p->card; its id, name, role and keys are the caller's. CLI_OK, or
 * CLI_USAGE after it was said. */
int term_set(const struct cli *c, struct paper *p,
    const struct paper_authority *a);

#endif
