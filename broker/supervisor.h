/*
 * supervisor.h: starts edge and core, and again when one of them ends.
 */
#ifndef BROKER_SUPERVISOR_H
#define BROKER_SUPERVISOR_H

#include "broker/config.h"

/* What a child finds at its start, as descriptors. */
struct supervisor_fds {
	int pipe;		/* its end of pipe.h */
	int ready;		/* for ready.h */
	int conf;		/* a struct broker_conf */
};

/* The option that makes the program a child, and the form of its value: the
 * three descriptors in the order above. */
#define SUPERVISOR_EDGE "--edge"
#define SUPERVISOR_CORE "--core"
#define SUPERVISOR_FDS "%d,%d,%d"

/* Runs until SIGTERM, or until a child says that only an operator can help;
 * answers the exit status of the program: 0, 1, or 3 for the latter. The
 * children die with the calling process, however that ends. */
int supervisor_run(const struct broker_conf *conf);

/* In a child: what the supervisor read, so that an edit of the file takes
 * effect at the next start of the whole and not of a part. KL_E_IO. */
int supervisor_conf_read(int fd, struct broker_conf *out) KL_MUST_CHECK;

#endif
