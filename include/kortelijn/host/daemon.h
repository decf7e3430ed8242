/*
 * daemon.h: what every long-running program does at its start: no core dumps,
 * not dumpable, file mode 077, locked data directory, readiness told.
 */
#ifndef KORTELIJN_HOST_DAEMON_H
#define KORTELIJN_HOST_DAEMON_H

#include <kortelijn/base/err.h>

/* RLIMIT_CORE 0, PR_SET_DUMPABLE 0, umask 077, SIGPIPE ignored. KL_E_SYSTEM. */
int kl_daemon_harden(void) KL_MUST_CHECK;
/* Takes an exclusive lock on DIR/lock until the process ends.
 * KL_E_EXISTS: another process holds it; KL_E_DENIED, KL_E_IO. */
int kl_daemon_lock(const char *dir) KL_MUST_CHECK;
/* Makes the last component with mode 0700 if it is missing. KL_E_IO: it cannot
 * be made, or is no directory. */
int kl_daemon_mkdir(const char *dir) KL_MUST_CHECK;
/* Tells systemd ("READY=1", "WATCHDOG=1", "STATUS=...") if NOTIFY_SOCKET is
 * set; no error if it is not. Needs socket(2): not from inside the sandbox of
 * the core. */
void kl_daemon_notify(const char *message);

#endif
