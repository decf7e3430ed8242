/*
 * turn.h: what every act of one turn needs: one transaction, one clock value,
 * memory that ends with the turn, and the two parts that all others write to.
 */
#ifndef CORE_TURN_H
#define CORE_TURN_H

#include "broker/core/journal.h"
#include "broker/core/vault.h"

struct turn {
	struct kl_kv_txn *txn;
	struct kl_arena *mem;
	int64_t now_ms;
	struct vault *vault;
	struct journal *journal;
};

#endif
