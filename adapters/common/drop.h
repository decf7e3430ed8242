/*
 * drop.h: files that change hands between programs: which names they may
 * have, moving one without overwriting another, and writing one so that it
 * appears whole or not at all.
 */
#ifndef ADAPTERS_COMMON_DROP_H
#define ADAPTERS_COMMON_DROP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <kortelijn/base/bytes.h>

#define DROP_NAME_MAX 200	/* bytes */
#define DROP_NAME_CAP 256	/* of any name in a directory, with NUL */

/* Does the name end in `end`, in any case, with something before it? */
bool drop_ends_in(const char *name, const char *end);
/* 1 to DROP_NAME_MAX of [A-Za-z0-9._-], and no dot first. */
bool drop_name_fine(const char *name);

/* Moves `name`, which ends in ".json", from one directory to another under
 * the same name or, if that is taken, with "-1", "-2" and so on before the
 * ending. What is not allowed in a name becomes "_". The new name is in `to`.
 * KL_E_IO. */
int drop_move(int from, const char *name, int there, char to[DROP_NAME_CAP])
    KL_MUST_CHECK;

/* Writes `name` in the directory, in place of what has that name, synced;
 * meanwhile it is a name that begins with a dot. KL_E_FULL, KL_E_DENIED,
 * KL_E_IO. */
int drop_put(int dir, const char *name, struct kl_bytes content, mode_t mode)
    KL_MUST_CHECK;

struct drop_part {
	const char *ending;	/* without its dot */
	struct kl_bytes content;
};
/* Writes STEM.ENDING of each part, in their order, and replaces nothing: what
 * holds the same bytes already stays, and where other bytes have one of the
 * names, each part gets "-1", "-2" and so on behind STEM. KL_E_EXISTS: all of
 * those are taken; otherwise as drop_put. */
int drop_put_new(int dir, const char *stem, const struct drop_part *part,
    size_t n, mode_t mode) KL_MUST_CHECK;
/* The error above that errno stands for. */
int drop_error(void);

#endif
