/*
 * mutate.h: a text of lines, changed as a careless, a broken or an ill-willed
 * hand would change it.
 */
#ifndef TESTS_FAULT_MUTATE_H
#define TESTS_FAULT_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUTATE_MAX 12288	/* bytes of a text */

struct mutate_text {
	uint8_t b[MUTATE_MAX];
	size_t n;
};

struct mutate_random { uint64_t state; };
/* The same numbers for the same seed everywhere. below > 0. */
uint64_t mutate_random(struct mutate_random *r, uint64_t below);

/* How it is changed. `other`: a second text to take parts from. */
struct mutate_way {
	const char *name;
	void (*run)(struct mutate_text *t, const struct mutate_text *other,
	    struct mutate_random *r);
};
extern const struct mutate_way mutate_ways[];
extern const size_t mutate_n;

#endif
