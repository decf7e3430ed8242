/*
 * canon.h: protobuf bytes, accepted in their one canonical form only.
 *
 * Private to proto/wire, the only home of generated code. Canonical means:
 * packing the decoded message again gives the same bytes, and neither it nor
 * a message inside it holds a field that its schema does not name.
 * PROTOCOL.md 3.1.
 */
#ifndef KORTELIJN_WIRE_CANON_H
#define KORTELIJN_WIRE_CANON_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include <kortelijn/base/arena.h>
#include <kortelijn/base/bytes.h>

/*
 * Decodes `in`; what `out` points to lives in `mem` until its reset and is
 * never freed on its own. `out` is NULL on failure.
 * KL_E_FORMAT: not this message, a required field is missing, or not
 * canonical. KL_E_UNKNOWN: a field that the schema has not.
 * KL_E_MEMORY: the arena's cap is reached.
 */
int kl_canon_unpack(const ProtobufCMessageDescriptor *type,
    struct kl_bytes in, struct kl_arena *mem,
    ProtobufCMessage **out) KL_MUST_CHECK;

/* Packs `m` into buf and sets *n. KL_E_SIZE: larger than cap, nothing
 * written. */
int kl_canon_pack(const ProtobufCMessage *m, uint8_t *buf, size_t cap,
    size_t *n) KL_MUST_CHECK;

/* Copies a bytes field of exactly n bytes. KL_E_VALUE: another length. */
int kl_canon_fixed(ProtobufCBinaryData in, void *out, size_t n) KL_MUST_CHECK;

/*
 * Copies a bytes field of at most cap - 1 bytes into a char array of cap, and
 * ends it with NUL. KL_E_SIZE: longer. KL_E_VALUE: a NUL inside, or empty (an
 * absent text is an absent field).
 */
int kl_canon_text(ProtobufCBinaryData in, char *out,
    size_t cap) KL_MUST_CHECK;

/* Views to pack from; they borrow. */
ProtobufCBinaryData kl_canon_view(const void *p, size_t n);
ProtobufCBinaryData kl_canon_view_str(const char *s);

#endif
