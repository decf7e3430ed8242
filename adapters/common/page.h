/*
 * page.h: what an interface hands out of a case: JSON for a program and
 * readable text beside it for people.
 */
#ifndef ADAPTERS_COMMON_PAGE_H
#define ADAPTERS_COMMON_PAGE_H

#include "adapters/common/engine.h"

#define PAGE_TEXT_MAX 8192	/* with NUL */

struct page {
	struct kl_spoken spoken;	/* b[0] is 0: not known yet */
	char *json;			/* NULL: only text */
	char *text;
};

/* The referral of an ENGINE_EV_REFERRAL or ENGINE_EV_CORRECTION, as a desk
 * gets it; of a correction also what has changed. The export goes into the
 * access log, so the page is shown only after the turn is committed.
 * KL_E_NOT_FOUND: its content is not here any more; KL_E_AGAIN; KL_E_MEMORY.
 * On success *out is the caller's, to page_clear. */
int page_referral(struct engine *e, const struct engine_actor *by,
    const struct engine_event *ev, struct page *out) KL_MUST_CHECK;
/* The step of an ENGINE_EV_FEEDBACK or ENGINE_EV_STATE, with its line too.
 * Errors as above. */
int page_step(struct engine *e, const struct engine_actor *by,
    const struct engine_event *ev, struct page *out) KL_MUST_CHECK;
/* Wipes; accepts an empty page. */
void page_clear(struct page *p);

/* Step n of a case. KL_E_NOT_FOUND, KL_E_AGAIN. */
int page_find_step(struct engine *e, const struct kl_conv_id *conv, uint64_t n,
    struct engine_step *out) KL_MUST_CHECK;

#endif
