/*
 * vectors.h: reads tests/vectors/<file>: lines "name = hex", "#" comments.
 */
#ifndef TESTS_SUPPORT_VECTORS_H
#define TESTS_SUPPORT_VECTORS_H

#include <stdbool.h>
#include <stddef.h>

#include <kortelijn/base/bytes.h>

struct vectors;

/* Opens tests/vectors/<file> under $KL_TESTS, or under the current directory.
 * Ends the test program with a message when that fails: a missing vector is
 * a failed test. Free with vectors_free. */
struct vectors *vectors_open(const char *file);
void vectors_free(struct vectors *v);
/* The value of a name; it must be there. Borrowed. */
struct kl_bytes vectors_get(const struct vectors *v, const char *name);
bool vectors_has(const struct vectors *v, const char *name);
/* Name and value of the i-th line; false past the end. Borrowed. */
bool vectors_at(const struct vectors *v, size_t i, const char **name,
    struct kl_bytes *value);

#endif
