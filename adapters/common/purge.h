/*
 * purge.h: what ends here when a consent is withdrawn, or a party asks for
 * erasure: messages on their way, plaintext, readable copies. What is left of
 * the case goes under another key, so that none of it can be read again from
 * an old page of the store.
 */
#ifndef ADAPTERS_COMMON_PURGE_H
#define ADAPTERS_COMMON_PURGE_H

#include "adapters/common/outbox.h"

/*
 * Erases of the case what scope (enum kl_scope) covers. What stays: at scope
 * all who, when and how it ended; at scope feedback the referral too, and at
 * the desk its own history. *held: there was something of that scope here.
 * Changes *c, which the caller puts. The keys die with the next store_erase
 * and are read back. KL_E_FULL: no slot; errors of the store.
 */
int purge_case(struct turn *t, struct outbox *o, struct case_row *c,
    uint32_t scope, bool *held) KL_MUST_CHECK;

#endif
