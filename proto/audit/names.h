/*
 * names.h: how organisations are called, from the cards in a directory. Log
 * records hold ids only; a name is shown beside an id, never instead of it.
 */
#ifndef PROTO_AUDIT_NAMES_H
#define PROTO_AUDIT_NAMES_H

#include <kortelijn/base/types.h>

#define AUDIT_NAMES_MAX 4096	/* organisations of a region; far above */
#define AUDIT_NAME_BYTES 101	/* with NUL */

struct audit_names;

/*
 * Reads the files NAME.card in DIR, each signed by that authority; of an
 * organisation with several cards the newest counts, also when it has expired:
 * old records keep their name. What is no such card is passed over. KL_OK also
 * for a directory without one; *out is yours. KL_E_NOT_FOUND, KL_E_DENIED,
 * KL_E_IO: the directory; KL_E_MEMORY.
 */
int audit_names_read(const char *dir, const struct kl_sign_pk *authority,
    struct audit_names **out) KL_MUST_CHECK;
/* One more, into *n, or into a new one if that is NULL; the name is cleaned.
 * One that is there already stays. KL_E_FULL, KL_E_MEMORY. */
int audit_names_add(struct audit_names **n, const struct kl_id *id,
    const char *name) KL_MUST_CHECK;
/* Accepts NULL. */
void audit_names_free(struct audit_names *n);

/* Text that may reach a terminal; NULL: not known. `n` NULL: none is. */
const char *audit_names_of(const struct audit_names *n,
    const struct kl_id *id);

#endif
