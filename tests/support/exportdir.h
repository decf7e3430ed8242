/*
 * exportdir.h: the export of a log that never was: whole conversations, one
 * after the other, as a broker would have logged them, so that nothing is
 * wrong with it unless a test makes it so.
 */
#ifndef TESTS_SUPPORT_EXPORTDIR_H
#define TESTS_SUPPORT_EXPORTDIR_H

#include <kortelijn/crypto/note.h>
#include <kortelijn/wire/signed.h>

#define EXPORTDIR_ORIGIN						\
	"oin-00000001234567890000/log/20261124T234512Z-7K3MQ9VD"

struct exportdir {
	const char *path;
	uint64_t leaves;
	uint64_t erased;		/* records of so many first leaves */
	uint64_t checkpoint_every;	/* leaves; 0: the newest only */
	bool csv;			/* with records.csv */
	const struct kl_secret *sk;
	/* Changes a record before it is logged, or NULL. */
	void (*change)(void *arg, uint64_t leaf, struct kl_record *r);
	void *arg;
};

/* Ends the process if it cannot be written. */
void exportdir_make(const struct exportdir *e);

#endif
