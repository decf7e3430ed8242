/*
 * fs.h: what a file system does with our bytes, and whole reads and writes.
 */
#ifndef KORTELIJN_HOST_FS_H
#define KORTELIJN_HOST_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/err.h>

enum kl_fs_kind {
	KL_FS_IN_PLACE,		/* an overwrite replaces the old block */
	KL_FS_COPIES,		/* old blocks may stay: btrfs, zfs, overlay */
	KL_FS_REMOTE,		/* no dependable locks or mmap: NFS, FUSE */
};

/* Kind of the file system that holds fd. A type we do not know counts as
 * KL_FS_COPIES. KL_E_IO. */
int kl_fs_kind(int fd, enum kl_fs_kind *out) KL_MUST_CHECK;
/* KL_OK: an overwrite of fd's bytes destroys the old ones as far as the file
 * system goes. KL_E_DENIED: it may keep them (kind, data=journal, blocks
 * shared with a copy); KL_E_IO. */
int kl_fs_check_in_place(int fd) KL_MUST_CHECK;
/* The journal mode that `mountinfo` (text of /proc/self/mountinfo) gives for
 * the ext file system `dev`. */
enum kl_fs_data { KL_FS_DATA_UNKNOWN, KL_FS_DATA_PLAIN, KL_FS_DATA_JOURNAL };
enum kl_fs_data kl_fs_data_mode(const char *mountinfo, dev_t dev);

/* Regular file of this user, nothing for group and others.
 * KL_E_DENIED, KL_E_IO. */
int kl_fs_check_private(int fd) KL_MUST_CHECK;

/* All n bytes or an error. KL_E_FULL, KL_E_IO; reading past the end:
 * KL_E_DAMAGED. */
int kl_fs_pwrite(int fd, const void *p, size_t n, off_t at) KL_MUST_CHECK;
int kl_fs_pread(int fd, void *p, size_t n, off_t at) KL_MUST_CHECK;

/* DIR/NAME with NUL. KL_E_SIZE: longer than cap. */
int kl_fs_path(char *out, size_t cap, const char *dir, const char *name)
    KL_MUST_CHECK;

/* All of a regular file (no link) of at most `max` bytes. *out has a NUL
 * behind its *n bytes and may hold what is secret: give it back with
 * kl_fs_read_free, which wipes it and accepts NULL. dirfd: AT_FDCWD or an open
 * directory. KL_E_NOT_FOUND; KL_E_DENIED: not readable, or no regular file;
 * KL_E_SIZE; KL_E_IO: also if it changed meanwhile; KL_E_MEMORY. */
int kl_fs_read_file(int dirfd, const char *path, size_t max, char **out,
    size_t *n) KL_MUST_CHECK;
void kl_fs_read_free(char *text, size_t n);

/* Writes the file whole or not at all: a new one beside it with exactly this
 * mode (the first: 0600), synced, renamed over it, its directory synced.
 * dirfd: AT_FDCWD or an open directory. KL_E_DENIED, KL_E_FULL, KL_E_IO. */
int kl_fs_replace(const char *path, struct kl_bytes content) KL_MUST_CHECK;
int kl_fs_replace_at(int dirfd, const char *path, mode_t mode,
    struct kl_bytes content) KL_MUST_CHECK;
/* Syncs the directory that holds `path`. KL_E_IO. */
int kl_fs_sync_parent(const char *path) KL_MUST_CHECK;

#endif
