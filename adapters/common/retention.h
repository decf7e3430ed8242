/*
 * retention.h: how long this adapter keeps what it has of a case: P54 to P58,
 * PROTOCOL.md 15.6.
 *
 *   practice  a draft that was never sealed: P54
 *             plaintext: until it is taken up, 14 days, or the end
 *             copy (states, messages): P55 after the end
 *             reference and patient, the map: P58 after the end
 *   desk      content: P56 after the case system has it
 *             all of it: P57 after the end, announced
 *
 * Terms stand in the row of the case as times; another policy only ever makes
 * them earlier. Nothing of this runs while a conversation is open; what is
 * uncertain counts as ended, as does one that nothing more can be heard of.
 */
#ifndef ADAPTERS_COMMON_RETENTION_H
#define ADAPTERS_COMMON_RETENTION_H

#include "adapters/common/cases.h"
#include "adapters/common/outbox.h"

#define RETENTION_SWEEP_MAX 64		/* cases of one turn */

/* After each change of a case: writes its times and sets the timer. Changes
 * *c, which the caller puts. Errors of the store. */
int retention_review(struct turn *t, struct case_row *c) KL_MUST_CHECK;
/* A timer of the case came due. Errors of the store. */
int retention_timer(struct outbox *o, struct turn *t,
    const struct kl_conv_id *conv) KL_MUST_CHECK;
/* All terms anew, of some cases behind number *after; 0 when all were looked
 * at. After a start and after another policy. Errors of the store. */
int retention_sweep(struct turn *t, uint64_t *after) KL_MUST_CHECK;

#endif
