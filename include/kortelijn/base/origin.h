/*
 * origin.h: the name of a log: of which broker, begun when, and eight random
 * letters, so that of two logs of one broker everybody can tell which is the
 * older. PROTOCOL.md 10.4.
 */
#ifndef KORTELIJN_BASE_ORIGIN_H
#define KORTELIJN_BASE_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include <kortelijn/base/types.h>

#define KL_ORIGIN_MAX 100	/* bytes, with NUL */

struct kl_origin { char b[KL_ORIGIN_MAX]; };

/*
 * "oin-00000009000000000001/log/20261124T234512Z-7K3MQ9VD". Begins
 * at now_ms, or a second after `before` if that is later: a log that is known
 * is never younger than the one that follows it, whatever the clock says.
 * before: the name of a log, or "" if none is known. `bits` are random.
 */
struct kl_origin kl_origin_make(const struct kl_id *broker, int64_t now_ms,
    const char *before, const uint8_t bits[5]);
/* When it began, in ms. KL_E_FORMAT: no such name. */
int kl_origin_began(const char *origin, int64_t *at_ms) KL_MUST_CHECK;
/* `a` is another log than `b` and began before it; in the same second the
 * letters decide. A name without a time is older than each that has one, and
 * of two without neither is. Whose logs they are is not looked at: the caller
 * has verified both under one key. */
bool kl_origin_older(const char *a, const char *b);

#endif
