/*
 * textfile.h: small files read whole, and files that appear whole or not at
 * all.
 */
#ifndef ADAPTERS_COMMON_TEXTFILE_H
#define ADAPTERS_COMMON_TEXTFILE_H

#include <stddef.h>

#include <kortelijn/base/bytes.h>

/* DIR/NAME with NUL. KL_E_SIZE: longer than cap. */
int textfile_path(char *out, size_t cap, const char *dir, const char *name)
    KL_MUST_CHECK;

/* Reads a regular file (no link) of at most `max` bytes; *out has a NUL behind
 * its *n bytes; wipe and free it with textfile_free.
 * KL_E_NOT_FOUND; KL_E_DENIED: no regular file; KL_E_SIZE; KL_E_IO;
 * KL_E_MEMORY. */
int textfile_read(const char *path, size_t max, char **out, size_t *n)
    KL_MUST_CHECK;
void textfile_free(char *text, size_t n);

/* Writes PATH.tmp and renames it to PATH, with mode 0600; with `sync` both the
 * file and its directory are synced. KL_E_FULL, KL_E_IO, KL_E_SIZE. */
enum textfile_sync { TEXTFILE_SYNC, TEXTFILE_NO_SYNC };
int textfile_write(const char *path, struct kl_bytes text,
    enum textfile_sync sync) KL_MUST_CHECK;

/* The word behind "LABEL " on the one line of a file, decoded from base64.
 * KL_E_FORMAT: other label, more than one line, no base64; KL_E_SIZE. */
int textfile_decode(struct kl_bytes text, const char *label, uint8_t *out,
    size_t cap, size_t *n) KL_MUST_CHECK;

#endif
