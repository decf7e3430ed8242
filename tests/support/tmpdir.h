/*
 * tmpdir.h: a directory of its own for one test, under $TMPDIR or /tmp.
 */
#ifndef TESTS_SUPPORT_TMPDIR_H
#define TESTS_SUPPORT_TMPDIR_H

struct tmpdir {
	char path[256];
};

/* Both end the process when the file system refuses. */
struct tmpdir tmpdir_make(void);
/* Removes it with all that is in it. */
void tmpdir_remove(const struct tmpdir *d);

struct tmpdir_path {
	char b[512];
};
/* PATH/NAME. */
struct tmpdir_path tmpdir_file(const struct tmpdir *d, const char *name);

#endif
