/*
 * folder.h: the watch folder of an adapter: watch.h on the one side, the
 * engine on the other. What it takes and hands out is the role's.
 */
#ifndef ADAPTERS_COMMON_FOLDER_H
#define ADAPTERS_COMMON_FOLDER_H

#include "adapters/common/engine.h"
#include "adapters/common/page.h"
#include "adapters/common/watch.h"

struct folder;

struct folder_role {
	/* As engine_refer. */
	int (*take)(struct engine *e, const struct engine_actor *by,
	    struct kl_bytes file, struct engine_taken *out,
	    struct kl_finding *why);
	/* The page of an event. KL_E_NOT_FOUND: it gives none; else as
	 * page_referral. */
	int (*page)(struct engine *e, const struct engine_actor *by,
	    const struct engine_event *ev, struct page *out);
};

/* Opens the folder of the configuration and adds it to the loop. *out is NULL
 * if none is configured. role is copied. Errors of watch_open; KL_E_FULL: the
 * loop. */
int folder_open(struct engine *e, struct kl_loop *l,
    const struct folder_role *role, struct folder **out,
    struct watch_error *error) KL_MUST_CHECK;
/* Accepts NULL. */
void folder_close(struct folder *f);

/* Since when out/ cannot be written; 0: it can, or nothing is to be. */
int64_t folder_blocked_ms(const struct folder *f);

#endif
