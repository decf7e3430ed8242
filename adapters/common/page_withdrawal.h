/*
 * page_withdrawal.h: what an interface hands out when a consent ends: that it
 * was withdrawn, that the other side asks to erase, what came of it.
 */
#ifndef ADAPTERS_COMMON_PAGE_WITHDRAWAL_H
#define ADAPTERS_COMMON_PAGE_WITHDRAWAL_H

#include "adapters/common/page.h"

/* Of an ENGINE_EV_WITHDRAWAL. KL_E_NOT_FOUND: the case is gone; KL_E_AGAIN;
 * KL_E_MEMORY. On success *out is the caller's, to page_clear. */
int page_withdrawal(struct engine *e, const struct engine_actor *by,
    const struct engine_event *ev, struct page *out) KL_MUST_CHECK;

#endif
