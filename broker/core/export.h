/*
 * export.h: the delivery log on another disk: one sealed file for each month
 * (kortelijn/crypto/logfile.h), written anew when the month has grown, in
 * slices between turns, and deleted when the term of its records is over.
 * PROTOCOL.md 10.10.
 */
#ifndef CORE_EXPORT_H
#define CORE_EXPORT_H

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/logfile.h>

#include "broker/core/turn.h"

#define EXPORT_NAME_MAX 64	/* bytes of a file's name, with NUL */
#define EXPORT_MINUTE 120	/* of the night: at 02:00 */
#define EXPORT_RETRY_MS (10 * KL_MINUTE_MS)	/* after a failure */

enum export_phase {
	EXPORT_IDLE,
	EXPORT_SCAN,		/* which leaf is of which month */
	EXPORT_WRITE,		/* a month after the other */
	EXPORT_SWEEP,		/* files whose term is over */
};

/* A month of this log as the store knows it: its leaves are among first to
 * end, and the file holds them up to `written`. */
struct export_month {
	uint32_t month;			/* 12 * year + month, January 1 */
	uint64_t first, end, written;
};

struct export {
	/* asked for now: once a checkpoint covers these leaves; 0: not */
	uint64_t wanted;

	/* by the shell, before the first step */
	int dir;			/* of the files; -1: there is none */
	const struct kl_secret *key;	/* borrowed; NULL: there is none */

	/* as stored */
	uint64_t scanned;		/* leaves whose month is known */
	int64_t last_ms;		/* when it was done last; 0: never */
	uint64_t kept_scanned;		/* as of the last commit */
	int64_t kept_last_ms;

	/* this run */
	enum export_phase phase;
	uint64_t size;			/* leaves that it takes, */
	struct kl_note note;		/* under this checkpoint */
	struct export_month at;
	uint64_t next;			/* leaf */
	int fd;				/* of the new file; -1: none open */
	size_t unsynced;		/* bytes */
	struct kl_logfile_writer writer;
	uint8_t chunk[KL_LOGFILE_CHUNK_MAX];

	/* for the shell to tell; it sets `ended` back */
	bool ended;
	int err;			/* why it failed, or KL_OK */
	uint32_t files, deleted;
	int64_t retry_ms;		/* monotonic: not before */
};

/* What the store knows. KL_E_DAMAGED. */
int export_load(struct export *e, struct kl_kv_txn *txn) KL_MUST_CHECK;
void export_close(struct export *e);

/* There is a place and a key, nothing runs, and a night has begun since. */
bool export_due(const struct export *e, int64_t now_ms, int64_t mono_ms);
/* Begins a run over what the newest checkpoint covers. KL_E_NOT_FOUND: no
 * place, no key, or nothing is signed yet; KL_E_AGAIN: one runs. */
int export_begin(struct export *e, const struct turn *t) KL_MUST_CHECK;
/* A slice of it, bounded. What fails at the files ends the run (e->err) and is
 * no error of the turn; those of the store are. */
int export_step(struct export *e, struct turn *t, int64_t mono_ms)
    KL_MUST_CHECK;
void export_committed(struct export *e);
/* The turn was undone: the run is given up, and begins anew. */
void export_undo(struct export *e, int64_t mono_ms);

/* "20261124T234512Z-7K3MQ9VD.2026-11.klog": of the last part of the origin. */
struct export_name { char b[EXPORT_NAME_MAX]; };
struct export_name export_name(const char *origin, uint32_t month);
/* 0: no such name. */
uint32_t export_month_of(const char *name);

#endif
