/*
 * parts.h: the parts of core over a store in a directory of its own, and
 * turns that are committed or undone as the shell does it.
 */
#ifndef TESTS_SUPPORT_PARTS_H
#define TESTS_SUPPORT_PARTS_H

#include <kortelijn/domain/policy.h>

#include "broker/core/mailbox.h"
#include "tests/support/letters.h"
#include "tests/support/tmpdir.h"

#define PARTS_SLOTS 1024

struct parts {
	struct tmpdir dir;
	struct tmpdir_path mark;
	struct kl_kv *kv;
	struct kl_arena *mem;
	struct vault vault;
	struct journal journal;
	struct registry registry;
	struct mailbox box;
	struct kl_policy policy;	/* the defaults after each start */
	struct turn turn;
	struct party broker;		/* its log key signs */
	struct kl_sign_pk authority_pk;
	struct kl_secret *authority;
};

/* A new store with its origin committed. */
void parts_open(struct parts *p);
/* Closes the files and reads all anew, as a start after a crash. */
void parts_restart(struct parts *p);
void parts_close(struct parts *p);

/* Clock at LETTERS_NOW_MS, or where the test sets p->turn.now_ms before. */
void parts_begin(struct parts *p);
void parts_commit(struct parts *p);
void parts_undo(struct parts *p);
/* A snapshot in p->turn.txn for what only reads; parts_undo ends it. */
void parts_begin_read(struct parts *p);

/* In a turn: takes up a card that the authority signs now. */
struct participant *parts_enrol(struct parts *p, const struct party *who);
enum kl_code parts_put(struct parts *p, uint32_t statement,
    const struct letter_bytes *b, const struct party *by, uint64_t *number);

#endif
