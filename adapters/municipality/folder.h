/*
 * folder.h: the watch folder of a desk: feedback in, referrals and their
 * corrections out.
 */
#ifndef ADAPTERS_MUNICIPALITY_FOLDER_H
#define ADAPTERS_MUNICIPALITY_FOLDER_H

#include "adapters/common/folder.h"

struct folder_role folder_role_municipality(void);

#endif
