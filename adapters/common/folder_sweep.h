/*
 * folder_sweep.h: which pages in out/ may not lie there any longer, because
 * nobody took them and what they say was erased here since.
 */
#ifndef ADAPTERS_COMMON_FOLDER_SWEEP_H
#define ADAPTERS_COMMON_FOLDER_SWEEP_H

#include "adapters/common/engine.h"

/*
 * Is this a page of ours, written at at_ms, that has to go? A page with content
 * goes when its consent was withdrawn, or the term of the copy here has ended;
 * one of a referral that is not known (any more) when it is older than the term
 * of a copy, since a store that was lost may learn of it again. What names no
 * referral, or was not written by a folder, stays.
 */
bool folder_sweep_due(struct engine *e, const char *name, int64_t at_ms);

#endif
