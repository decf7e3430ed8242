/*
 * sections.h: lines of "[section]" and "key = value", as the files of an
 * operator have them. A comment starts with "#" or ";" at the start of a line,
 * or with " ;" after a value.
 */
#ifndef KORTELIJN_DOMAIN_SECTIONS_H
#define KORTELIJN_DOMAIN_SECTIONS_H

#include <kortelijn/base/bytes.h>

/* No part of the library's interface. */
#pragma GCC visibility push(hidden)

#define KL_SECTIONS_LINE_MAX 400	/* bytes, without its newline */

struct kl_sections {
	/* Names and values without white space at their ends; they are valid
	 * for the call. What is not KL_OK ends the reading. */
	int (*section)(void *arg, const char *name);
	int (*key)(void *arg, const char *name, const char *value);
	/* A line that is neither, in words. Answers err. */
	int (*wrong)(void *arg, int err, const char *why);
	void *arg;
	unsigned int *line;	/* counted for them, from 1 */
};

/* KL_E_FORMAT: neither of both, or a control character; KL_E_SIZE: a line is
 * too long; or what a call answered. */
int kl_sections_read(const struct kl_sections *s, struct kl_bytes text)
    KL_MUST_CHECK;

#pragma GCC visibility pop

#endif
