/*
 * withdraw_row.h: a withdrawal in the store: the statement and what was
 * answered. Of a conversation that is here it lies under its key and ends with
 * it; of another under the key of its month, one for each who signed.
 */
#ifndef CORE_WITHDRAW_ROW_H
#define CORE_WITHDRAW_ROW_H

#include "broker/core/withdraw.h"

struct withdraw_row {
	struct kl_tag conv;
	uint32_t scope;
	uint32_t number;		/* of who signed; 0: it is here */
	uint32_t cause;
	struct withdraw_counts counts;
	struct kl_bytes packed;		/* read: in the turn's memory */
};

/* conv, scope and number say which. KL_E_NOT_FOUND: none, or its key is no
 * more. */
int withdraw_row_get(struct turn *t, struct withdraw_row *row) KL_MUST_CHECK;
/* The one of row->conv and row->scope behind row->number. KL_E_NOT_FOUND. */
int withdraw_row_next(struct turn *t, struct withdraw_row *row) KL_MUST_CHECK;
int withdraw_row_put(struct turn *t, uint32_t slot,
    const struct withdraw_row *row) KL_MUST_CHECK;
/* Drops those of a conversation whose valid_until is before `today`: another
 * party may have named another day. */
int withdraw_row_drop_past(struct turn *t, const struct kl_tag *conv,
    int32_t today) KL_MUST_CHECK;

#endif
