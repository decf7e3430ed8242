/*
 * json_withdrawal.h: the end of a consent, and what came of it, as JSON for a
 * HIS or case system: withdrawal-out.schema.json.
 */
#ifndef ADAPTERS_COMMON_JSON_WITHDRAWAL_H
#define ADAPTERS_COMMON_JSON_WITHDRAWAL_H

#include <jansson.h>

#include "adapters/common/engine_withdraw.h"

/* "erased", "kept", "nothing"; "?" for no enum kl_erase_outcome. Read: 0 for
 * another word. */
const char *json_withdrawal_outcome(uint32_t outcome);
uint32_t json_withdrawal_outcome_read(const char *name);

/* {"scope", "cause", "by", "state", times, counts, "erase_receipts",
 * "erase_request"}. NULL: no memory. */
json_t *json_withdrawal(const struct engine_withdrawal *w);

struct json_withdrawal_meta {
	uint64_t seq;			/* cursor of the interface */
	const struct engine_case *k;
	uint32_t what;			/* enum engine_what of the step */
	int64_t at_ms;
	bool training;
};
/* The event: with NUL, to wipe and free with json_text_free. KL_E_MEMORY. */
int json_withdrawal_write(const struct json_withdrawal_meta *m,
    const struct engine_withdrawal *w, char **out) KL_MUST_CHECK;

#endif
