/*
 * backup_void.h: that something was erased because somebody asked for it: the
 * backups of before hold it still, so another takes their place soon.
 */
#ifndef ADAPTERS_COMMON_BACKUP_VOID_H
#define ADAPTERS_COMMON_BACKUP_VOID_H

#include "adapters/common/turn.h"

/* One commit with the erasing. Errors of the store. */
int backup_void_note(struct turn *t) KL_MUST_CHECK;
/* What was begun at or before this instant is void; 0: nothing. Errors of the
 * store. */
int backup_void_ms(struct store *s, int64_t *out) KL_MUST_CHECK;

#endif
