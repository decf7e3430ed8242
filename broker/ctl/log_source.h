/*
 * log_source.h: where a command reads the log, the log itself or an export of
 * it, and how the organisations in it are called.
 */
#ifndef BROKER_CTL_LOG_SOURCE_H
#define BROKER_CTL_LOG_SOURCE_H

#include "broker/ctl/ctl.h"
#include "proto/audit/link.h"
#include "proto/audit/names.h"

/* For the row of a table of commands. */
#define LOG_SOURCE_ARGS							\
	"[--dir=DIR [--card=FILE --authority=DIR]]"
#define LOG_SOURCE_HELP							\
	"\n--dir reads an export instead, without a broker and without a\n" \
	"record; an export knows no spoken references. Whether it is what\n" \
	"the broker signed 'kortelijn audit verify DIR' says; its cards\n" \
	"give names if --card and --authority verify them."
#define LOG_SOURCE_OPTIONS "dir=", "card=", "authority="

/* --dir; else as ctl_link_open. *names: NULL if none is known; yours, as the
 * link is. CLI_OK; otherwise it was said, and both are NULL. */
int log_source_open(const struct cli *c, struct audit_link **link,
    struct audit_names **names);

#endif
