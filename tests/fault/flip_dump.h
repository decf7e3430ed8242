/*
 * flip_dump.h: every leaf of a store, its hash and what its record opens to,
 * read past the broker's own checks.
 */
#ifndef TESTS_FAULT_FLIP_DUMP_H
#define TESTS_FAULT_FLIP_DUMP_H

#include "broker/config.h"
#include "broker/core/core.h"

#define FLIP_LEAVES_MAX 2048

enum flip_record {
	FLIP_NONE,			/* its row cannot be read */
	FLIP_CLOSED,			/* its record does not open */
	FLIP_OPEN,
};
struct flip_dump {
	bool done;			/* every leaf was asked for */
	uint64_t n;
	bool month_lost;		/* and the store says so */
	struct {
		enum flip_record state;
		struct kl_hash hash;	/* as the row has it */
		struct kl_hash plain;	/* of salt and record */
	} leaf[FLIP_LEAVES_MAX];
};

/* Of the first `n` leaves, in a transaction of a core that runs. */
void flip_dump_core(struct core *c, uint64_t n, struct flip_dump *out);
/* Of a state directory; ends early where it cannot go on. The caller has a
 * process to lose: LMDB may fault on what it reads. */
void flip_dump_files(const struct broker_conf *conf, uint64_t n,
    struct flip_dump *out);

enum flip_same {
	FLIP_SAME,
	FLIP_LOST,			/* only records, told as a lost month */
	FLIP_DIFFERS,
};
/* From leaf `from` on. `at`: the first that differs. */
enum flip_same flip_dump_compare(const struct flip_dump *was,
    const struct flip_dump *is, uint64_t from, uint64_t *at);

#endif
