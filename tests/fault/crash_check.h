/*
 * crash_check.h: what the store held after each commit, and whether a core
 * that was started on an image holds one of these states: nothing acknowledged
 * is lost (I1), each step has one leaf (I3), what was erased is (I8), the log
 * is the one that was handed out (I9), nothing was sent before its sync (I10),
 * and it starts, with a state that was committed (I11).
 */
#ifndef TESTS_FAULT_CRASH_CHECK_H
#define TESTS_FAULT_CRASH_CHECK_H

#include "tests/support/shell.h"

#define CHECK_COMMITS 8192
#define CHECK_WHY 200

/* After a commit of the core that is recorded. Answers its number, from 0. */
size_t check_commit(struct core *c);
/* That was answered to an accepted submit; the letter stays. */
void check_acked(const struct letter *l);
/* The newest checkpoint, if it is another one: its number, from 1, or 0. */
size_t check_told(const struct core *c);
size_t check_commits(void);
/* When that commit was; the last one, if there are fewer. */
int64_t check_time_ms(size_t commit);

/* What an image must be. */
struct check_image {
	size_t least, most;	/* commits: one of these states */
	size_t told;		/* newest checkpoint that was given out */
	bool log_too;		/* read every record of the log */
};

/* Before the first write of a start: which state is it? KL_OK; else *why. */
int check_found(struct core *c, const struct check_image *i,
    char why[CHECK_WHY]) KL_MUST_CHECK;
/* When it is settled. */
int check_settled(struct core *c, const struct check_image *i,
    char why[CHECK_WHY]) KL_MUST_CHECK;

/* How often a message came to this, to see that the work was work. */
unsigned int check_events(struct core *c, uint32_t event);

#endif
