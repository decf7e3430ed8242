/*
 * view.h: cases, their history and the state of the adapter as JSON, for the
 * control socket. No content of a referral.
 */
#ifndef ADAPTERS_COMMON_VIEW_H
#define ADAPTERS_COMMON_VIEW_H

#include <jansson.h>

#include "adapters/common/engine.h"

/* NULL: no memory. Owned by the caller. */
json_t *view_case(const struct config *c, const struct engine_case *k);

/* At most `max` cases with a number above *after, as an array; *after becomes
 * the number of the last one, or 0 when no more follow. KL_E_AGAIN,
 * KL_E_MEMORY. */
int view_cases(struct engine *e, uint64_t *after, size_t max, json_t **out)
    KL_MUST_CHECK;
/* The history of one with its three levels of receipt: an array. Errors as
 * above. */
int view_history(struct engine *e, const struct engine_case *k, json_t **out)
    KL_MUST_CHECK;
/* Receipts as the history tells them: accepted, opened, taken up. */
json_t *view_receipts(const json_t *history);

/* How the adapter fares, with its newest alarms. Errors as above. */
int view_status(struct engine *e, json_t **out) KL_MUST_CHECK;

/* What every report says of erasure: "erasure", "master_key", when the slot
 * file was last written anew and whether that is overdue. `o` may be NULL. */
void view_put_erasure(const struct engine *e, json_t *o);
/* When the last backup was made, whether that is too long ago, and whether
 * there is a key to seal one to. */
void view_put_backup(const struct engine *e, json_t *o);

/* {"ok": false, "code", "field", "en", "nl", "retry"}. NULL: no memory. */
json_t *view_refusal(const struct kl_finding *why);

#endif
