/*
 * view_subject.h: what this adapter holds of a case and who looked at it, as
 * JSON. With content: only for an answer that has its line in the access log.
 */
#ifndef ADAPTERS_COMMON_VIEW_SUBJECT_H
#define ADAPTERS_COMMON_VIEW_SUBJECT_H

#include <jansson.h>

#include "adapters/common/subject.h"

/* A case as a search shows it, with the name and birth date of the person as
 * far as they are still here. KL_E_NOT_FOUND, KL_E_AGAIN, KL_E_MEMORY. */
int view_subject_hit(struct engine *e, const struct engine_case *k,
    json_t **out) KL_MUST_CHECK;
/* All of it: content, consent, history, receipts, who looked. Errors as
 * above. */
int view_subject_case(struct engine *e, const struct engine_case *k,
    json_t **out) KL_MUST_CHECK;
/* {"lines": [...], "more", "reference" as the newest line has it}.
 * KL_E_AGAIN, KL_E_MEMORY. */
int view_subject_lines(struct engine *e, const struct access_found *of,
    int64_t since_ms, json_t **out) KL_MUST_CHECK;

#endif
