/*
 * phone.h: whom to call, when a message alone is too slow.
 */
#ifndef ADAPTERS_COMMON_PHONE_H
#define ADAPTERS_COMMON_PHONE_H

#include "adapters/common/engine.h"

/* The number of a desk by its PROFILE, that for crises if there is one; "" if
 * none is known. */
struct phone { char b[20]; };
struct phone phone_of(struct engine *e, const struct kl_id *desk,
    bool crisis);

#endif
