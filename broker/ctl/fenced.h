/*
 * fenced.h: why a broker that does not run stays down, as far as its files
 * say: somebody has shown it a checkpoint that does not fit its store.
 */
#ifndef CTL_FENCED_H
#define CTL_FENCED_H

#include "broker/config.h"
#include "proto/cli/cli.h"

/* Says it on standard error if it is so. PROTOCOL.md 10.6. */
void fenced_say(const struct cli *c, const struct broker_conf *conf);

#endif
