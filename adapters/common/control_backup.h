/*
 * control_backup.h: a backup by hand.
 */
#ifndef ADAPTERS_COMMON_CONTROL_BACKUP_H
#define ADAPTERS_COMMON_CONTROL_BACKUP_H

#include "adapters/common/control_cmd.h"

/* With member "start" it begins; the answer says how it goes. As
 * control_cmd_run. */
int control_backup_run(struct control_cmd *c) KL_MUST_CHECK;

#endif
