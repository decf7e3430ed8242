/*
 * sandbox.h: what a process gives up after it has started: paths by Landlock,
 * system calls by seccomp, new privileges.
 */
#ifndef KORTELIJN_HOST_SANDBOX_H
#define KORTELIJN_HOST_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include <kortelijn/base/err.h>

enum kl_sandbox_role {
	KL_SANDBOX_EDGE,	/* network, no files, no other process */
	KL_SANDBOX_CORE,	/* its directories, no network, no processes */
};

struct kl_sandbox {
	enum kl_sandbox_role role;
	const char *const *write_dirs;	/* everything below; NULL-terminated */
	const char *const *read_dirs;	/* NULL-terminated */
	int landlock_abi;		/* out: what was reached, 0: none */
};

/* Forbidden calls answer EPERM, for all threads; paths are closed to the
 * calling thread and what it starts, so enter before there are others where
 * that matters. Threads may still be started, processes not. Not undone by
 * anything. KL_E_SYSTEM: seccomp could not be set, or a directory is not
 * there; a kernel without Landlock is no error (landlock_abi 0). */
int kl_sandbox_enter(struct kl_sandbox *s) KL_MUST_CHECK;

#endif
