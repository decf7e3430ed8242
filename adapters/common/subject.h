/*
 * subject.h: what a resident may ask of this adapter (AVG 15 to 17): which
 * cases are theirs, all that is here of them, who looked, and erasure.
 *
 * As in engine.h, what is answered counts when the turn is committed.
 */
#ifndef ADAPTERS_COMMON_SUBJECT_H
#define ADAPTERS_COMMON_SUBJECT_H

#include "adapters/common/access.h"

/* Lines of the access log for interfaces: about a case, or about a list of
 * the cases with numbers first to last (0: to the newest). KL_E_AGAIN. */
int subject_log(struct engine *e, const struct engine_actor *by,
    enum engine_act act, const struct kl_conv_id *conv) KL_MUST_CHECK;
int subject_log_list(struct engine *e, const struct engine_actor *by,
    uint64_t first, uint64_t last) KL_MUST_CHECK;

#endif
