/*
 * log_names.h: how organisations are called, for commands that show the log.
 */
#ifndef BROKER_CTL_LOG_NAMES_H
#define BROKER_CTL_LOG_NAMES_H

#include "broker/ctl/ctl.h"
#include "proto/audit/names.h"

/* From the cards in the broker's configuration, on its own machine. NULL where
 * they are not: with --as, or when nothing of it can be read. Names are a
 * courtesy: nothing is said. Free with audit_names_free. */
struct audit_names *log_names(const struct cli *c);

#endif
