/*
 * backup_dir.h: the directory with an adapter's backups, and the key that they
 * are sealed to. A backup is named after the adapter and the second in which it
 * was begun: "agb-01000001-20261124T023000Z.backup".
 */
#ifndef ADAPTERS_COMMON_BACKUP_DIR_H
#define ADAPTERS_COMMON_BACKUP_DIR_H

#include <kortelijn/base/types.h>
#include <kortelijn/end/recovery.h>

#include "adapters/common/config.h"

#define BACKUP_DIR_MAX 64		/* looked at */
#define BACKUP_NAME_CAP 64
#define BACKUP_PATH_CAP 512

struct backup_entry {
	char name[BACKUP_NAME_CAP];
	int64_t made_ms;
	int64_t bytes;
};
struct backup_list {
	size_t n;
	struct backup_entry entry[BACKUP_DIR_MAX];	/* newest first */
};

/* The path of one that is begun at at_ms. KL_E_SIZE. */
int backup_dir_path(const struct config *c, int64_t at_ms,
    char path[BACKUP_PATH_CAP]) KL_MUST_CHECK;
/* This adapter's finished backups; none if there is no such directory.
 * KL_E_DENIED, KL_E_IO. */
int backup_dir_list(const struct config *c, struct backup_list *out)
    KL_MUST_CHECK;
/* Removes those that were made before before_ms, and what was left half
 * written. KL_E_DENIED, KL_E_IO. */
int backup_dir_prune(const struct config *c, int64_t before_ms)
    KL_MUST_CHECK;

/* KEY_DIR/recovery.pub. KL_E_NOT_FOUND; KL_E_FORMAT: not such a file;
 * KL_E_DENIED, KL_E_SIZE, KL_E_IO. */
int backup_key_read(const struct config *c, struct kl_dh_pk *out)
    KL_MUST_CHECK;
/* A new pair: the public half is written there, the letters of the other one
 * are in *text and nowhere else. Errors of kl_textfile_write, KL_E_MEMORY. */
int backup_key_make(const struct config *c, struct kl_recovery_text *text)
    KL_MUST_CHECK;

#endif
