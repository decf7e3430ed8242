/*
 * watch_work.h: the files that lie in work/: offered to who takes them, and
 * sent on to error/, to done/ or away.
 */
#ifndef ADAPTERS_COMMON_WATCH_WORK_H
#define ADAPTERS_COMMON_WATCH_WORK_H

#include "adapters/common/drop.h"
#include "adapters/common/watch.h"

struct watch_work {
	char name[DROP_NAME_CAP];
	bool taken;		/* its commit is under way */
	bool again;		/* it may have been taken before a crash */
	bool bad_name;		/* that it had in in/ */
};

struct watch_works {
	const struct watch_options *o;
	int root;
	struct watch_work *list;	/* WATCH_FILES_MAX */
	size_t n;
	char *text;		/* o->file_max + 1 */
};

/* KL_E_MEMORY. Clear in any case. */
int watch_works_init(struct watch_works *ws, const struct watch_options *o,
    int root) KL_MUST_CHECK;
void watch_works_clear(struct watch_works *ws);

/* A directory of the folder; -1 with errno. */
int watch_works_dir(const struct watch_works *ws, const char *name);
/* Adds what lies in work/ and is not in the list. False: it is full. */
bool watch_works_find(struct watch_works *ws);
/* Adds a file that came into work/ and offers it at once. */
void watch_works_offer(struct watch_works *ws, int work,
    const struct watch_work *k, const struct watch_judge *j);
/* Offers what waits. */
void watch_works_offer_all(struct watch_works *ws, int work,
    const struct watch_judge *j);
void watch_works_committed(struct watch_works *ws);
void watch_works_undone(struct watch_works *ws);

#endif
