/*
 * flip_store.h: a broker's store with a log of two months, made by the real
 * core; copies of it, and one bit of a copy flipped.
 */
#ifndef TESTS_FAULT_FLIP_STORE_H
#define TESTS_FAULT_FLIP_STORE_H

#include "tests/support/shell.h"

/* When it stopped; the second month. */
#define FLIP_NOW_MS (LETTERS_NOW_MS + 14 * KL_DAY_MS)

enum flip_file { FLIP_DATA, FLIP_SLOTS, FLIP_MARK };

/* Makes the region, and its store with `leaves` leaves or some more, all of
 * them signed; its core is gone. */
void flip_store_make(struct shell *s, unsigned int leaves);
/* Leaves of a running core, in a turn that nothing is signed after. */
void flip_store_grow(struct core *c, unsigned int leaves);

/* The files of state_dir, in memory. */
struct flip_files;
struct flip_files *flip_files_read(const char *state_dir);
void flip_files_free(struct flip_files *f);
/* Writes them into a directory, which has nothing else then. */
void flip_files_write(const struct flip_files *f, const char *dir);
/* How much of it is used: what lies behind is zero. */
size_t flip_files_used(const struct flip_files *f, enum flip_file file);

void flip_bit(const char *dir, enum flip_file file, size_t byte,
    unsigned int bit);
/* One of the bytes in which the file of a directory differs from these. */
size_t flip_changed(const struct flip_files *f, const char *dir,
    enum flip_file file, uint64_t draw);
/* Is the mark another than in these: was a checkpoint signed? */
bool flip_signed(const struct flip_files *f, const char *dir);

#endif
