/*
 * said.h: what a function prints, on standard output and standard error.
 */
#ifndef TESTS_SUPPORT_SAID_H
#define TESTS_SUPPORT_SAID_H

#include <stddef.h>

struct said {
	char out[1 << 18], err[1 << 14];	/* with NUL */
	size_t n_out;

	/* of said.c */
	int saved[2], file[2];
};

/* From here on nothing reaches the terminal. */
void said_begin(struct said *s);
/* Both as they were; what was printed is in out and err. */
void said_end(struct said *s);

#endif
