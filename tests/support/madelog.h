/*
 * madelog.h: the records of a log of a region that does not exist, in their
 * order: practices, municipalities, referrals and what became of them, the
 * same for the same seed.
 */
#ifndef TESTS_SUPPORT_MADELOG_H
#define TESTS_SUPPORT_MADELOG_H

#include <kortelijn/wire/signed.h>

struct madelog {
	unsigned int seed;
	int64_t begin, end;	/* minutes */
	uint32_t practices, municipalities, referrals;
};

/* The i-th of them, from 1. */
struct kl_id madelog_practice(uint32_t i);
struct kl_id madelog_municipality(uint32_t i);

/* Leaf 0 is `origin`, leaf 1 a policy that was loaded. Ends when take answers
 * anything but 0, and answers that. */
int madelog_run(const struct madelog *m,
    int (*take)(void *arg, uint64_t leaf, const struct kl_record *r),
    void *arg);

#endif
