/*
 * bundle.h: the records behind one tile of leaves: up to 256 entries of a
 * length in two bytes and salt and record behind it. Length 0: the record is
 * not there, past its term or not for this reader. PROTOCOL.md 10.12.
 */
#ifndef PROTO_AUDIT_BUNDLE_H
#define PROTO_AUDIT_BUNDLE_H

#include <kortelijn/wire/signed.h>

#include "proto/audit/tiles.h"

#define AUDIT_SALT_BYTES 32
#define AUDIT_ENTRY_MAX (2 + AUDIT_SALT_BYTES + KL_RECORD_MAX)
#define AUDIT_BUNDLE_MAX (AUDIT_TILE_HASHES * AUDIT_ENTRY_MAX)

/* Adds a record to a bundle; none: KL_BYTES_NONE. */
void audit_bundle_put(struct kl_writer *w,
    const uint8_t salt[AUDIT_SALT_BYTES], struct kl_bytes record);
/* The next entry; views into the bundle, *record none if it is not there.
 * KL_E_FORMAT: cut short, or a length that no entry has. */
int audit_bundle_next(struct kl_reader *r, const uint8_t **salt,
    struct kl_bytes *record) KL_MUST_CHECK;

#endif
