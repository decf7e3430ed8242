/*
 * subject_letter.h: the answers of control_subject.h as pages that are handed
 * to a resident.
 */
#ifndef ADAPTERS_COMMON_SUBJECT_LETTER_H
#define ADAPTERS_COMMON_SUBJECT_LETTER_H

#include <jansson.h>

#include "adapters/common/letter.h"

/*
 * The page, the caller's to pass to letter_text_free. What is not in the
 * answer is left out. Errors of letter_take.
 */
int subject_letter_find(const struct letter_options *o, const json_t *answer,
    char **out, size_t *n) KL_MUST_CHECK;
int subject_letter_export(const struct letter_options *o,
    const json_t *answer, char **out, size_t *n) KL_MUST_CHECK;
int subject_letter_log(const struct letter_options *o, const json_t *answer,
    char **out, size_t *n) KL_MUST_CHECK;
int subject_letter_erase(const struct letter_options *o,
    const json_t *answer, char **out, size_t *n) KL_MUST_CHECK;

#endif
