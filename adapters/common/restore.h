/*
 * restore.h: keys, papers and store of an adapter from a backup, where nothing
 * of it is. What is restored is another instance of its card: it must take over
 * before the broker serves it.
 */
#ifndef ADAPTERS_COMMON_RESTORE_H
#define ADAPTERS_COMMON_RESTORE_H

#include "adapters/common/backup_file.h"
#include "adapters/common/config.h"

struct restore {
	struct backup_head head;
	uint32_t slots;			/* that it was made with */
	uint64_t records;
};

/*
 * Reads all of a backup with its key; writes nothing. Errors of
 * backup_reader_new and backup_reader_next; KL_E_DAMAGED also for what stands
 * in no backup of a store.
 */
int restore_verify(const char *path, const struct kl_secret *sk,
    struct restore *out) KL_MUST_CHECK;

/*
 * The same, and then keys and papers into key_dir and the store into data_dir:
 * first all is read, then it is written, and the store has its name only when
 * it is whole. A policy that is there stays.
 * KL_E_CONFIG: of another participant, role or realm than the configuration,
 * or the secret of the master key is missing; KL_E_EXISTS: a program works with
 * data_dir, a store is there, or a key or paper in key_dir that is another one.
 * *what names it, or is `path`. Besides, errors of identity_load and
 * store_open. The lock of data_dir is held until the process ends.
 */
int restore_run(const struct config *c, const char *path,
    const struct kl_secret *sk, struct restore *out, const char **what)
    KL_MUST_CHECK;

#endif
