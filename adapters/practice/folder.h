/*
 * folder.h: the practice's watch folder: referrals and corrections in,
 * feedback out.
 */
#ifndef ADAPTERS_PRACTICE_FOLDER_H
#define ADAPTERS_PRACTICE_FOLDER_H

#include "adapters/common/folder.h"

struct folder_role folder_role_practice(void);

#endif
