/*
 * exporter.h: where the log export goes, when, and what is said of it.
 */
#ifndef CORE_EXPORTER_H
#define CORE_EXPORTER_H

#include "broker/core/core.h"

/* Directory and recovery key; before the sandbox. What is missing is told and
 * leaves the export off: the broker serves without it, and its status says so
 * until it is mended. */
void exporter_open(struct core *c);
void exporter_close(struct core *c);
/* In a turn: begins when it is due, and does a slice. Errors of the store. */
int exporter_step(struct core *c) KL_MUST_CHECK;
/* Something is left to do at once. */
bool exporter_busy(const struct core *c);
/* One is to be made now, of all that is logged until now. KL_E_NOT_FOUND:
 * exporter_off says why not. */
int exporter_ask(struct core *c) KL_MUST_CHECK;
/* One is being made, or waits for the next checkpoint. */
bool exporter_running(const struct core *c);
/* Why there is none, or NULL. */
const char *exporter_off(const struct core *c);
/* The last one should have been made a day ago. */
bool exporter_overdue(const struct core *c, int64_t now_ms);

#endif
