/*
 * boot.h: from files to a core that may serve, and back. PROTOCOL.md 10.6, 12.
 */
#ifndef CORE_BOOT_H
#define CORE_BOOT_H

#include "broker/core/core.h"

/* Memory, keys, store, log, directory, in this order; a store that is not
 * there is made only where none was, or where the operator allows it. Answers
 * an enum core_exit; CORE_EXIT_STOPPED: all is there. One line in the log says
 * why not. */
int boot_open(struct core *c);
/* What the crash before left to erase, the cards and the policy in CONFIG, a
 * checkpoint. */
int boot_settle(struct core *c);
void boot_close(struct core *c);

#endif
