/*
 * logrecord.h: reads log records fast, for who reads a million of them.
 */
#ifndef PROTO_AUDIT_LOGRECORD_H
#define PROTO_AUDIT_LOGRECORD_H

#include <kortelijn/wire/signed.h>

/*
 * As KL_STATEMENT_READ of KL_S_RECORD, to the same verdict on the same bytes,
 * without an allocation where they are right: their canonical form is walked
 * once instead of being unpacked and packed again. `mem` is for those that are
 * not, and is reset by this. PROTOCOL.md 3.1, 10.2.
 */
enum kl_code audit_logrecord_read(struct kl_bytes in, struct kl_arena *mem,
    struct kl_record *out) KL_MUST_CHECK;

#endif
