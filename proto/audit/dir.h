/*
 * dir.h: reads the directory of an export, which anybody may have written:
 * nothing of it is believed here. PROTOCOL.md 10.12.
 */
#ifndef PROTO_AUDIT_DIR_H
#define PROTO_AUDIT_DIR_H

#include <stdio.h>

#include <kortelijn/crypto/note.h>

#include "proto/audit/bundle.h"
#include "proto/audit/dirout.h"
#include "proto/audit/records.h"

#define AUDIT_DIR_NOTE_MAX 8192		/* bytes of a file with a checkpoint */

/* An open one; 66 KB and more. */
struct audit_dir {
	int fd;
	struct kl_bytes text;		/* of the checkpoint, in note */
	uint8_t note[AUDIT_DIR_NOTE_MAX];
	struct kl_hash hashes[AUDIT_TILE_HASHES];
	uint8_t bundle[AUDIT_BUNDLE_MAX];
};

/* KL_E_NOT_FOUND: no such directory, or no checkpoint in it; KL_E_DENIED,
 * KL_E_IO; KL_E_SIZE: the checkpoint is too long to be one; KL_E_MEMORY. */
int audit_dir_open(const char *path, struct audit_dir **out) KL_MUST_CHECK;
/* Accepts NULL. */
void audit_dir_close(struct audit_dir *d);

/* A file of at most cap bytes, *n of them. Errors as above. */
int audit_dir_file(const struct audit_dir *d, const char *name, void *buf,
    size_t cap, size_t *n) KL_MUST_CHECK;
/* The same as a stream, of any length. */
int audit_dir_stream(const struct audit_dir *d, const char *name, FILE **out)
    KL_MUST_CHECK;
/* Tile `number` of level 0 of `width` hashes into d->hashes, and the records
 * behind it as entries of a reader over d->bundle. KL_E_FORMAT: another
 * length. */
int audit_dir_tile(struct audit_dir *d, uint64_t number, uint32_t width)
    KL_MUST_CHECK;
int audit_dir_bundle(struct audit_dir *d, uint64_t number, uint32_t width,
    struct kl_reader *out) KL_MUST_CHECK;

/*
 * As audit_records, from a directory: the records that `what` (NULL: any)
 * names. Each must hash to its leaf; that the leaves lead to the checkpoint,
 * and whose it is, `kortelijn audit verify` says. A spoken reference, and ids
 * that the log does not hold, are unknown here. CLI_OK; CLI_FILE, said: the
 * directory, or a record that is not its leaf's; CLI_USAGE, said: a spoken
 * reference; or what take answers.
 */
int audit_dir_records(const struct cli *c, const char *path,
    const struct kl_query_what *what,
    int (*take)(void *arg, const struct audit_record *r), void *arg);

#endif
