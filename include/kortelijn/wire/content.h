/*
 * content.h: what is sealed: the content of REFERRAL, CORRECTION and
 * FEEDBACK as canonical bytes.
 *
 * This checks form: sizes, lists, canonical bytes. What may be said is a
 * matter of domain/rules.h and domain/feedback.h. PROTOCOL.md 3, 11.
 */
#ifndef KORTELIJN_WIRE_CONTENT_H
#define KORTELIJN_WIRE_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/arena.h>
#include <kortelijn/base/bytes.h>
#include <kortelijn/domain/feedback.h>
#include <kortelijn/domain/referral.h>

#define KL_SALT_BYTES 32
/* Padded lengths, enum kl_kind; padding takes at least a byte. */
#define KL_CONTENT_REFERRAL_BYTES 1280
#define KL_CONTENT_FEEDBACK_BYTES 128

/* The newest schema that is written here and opened by a receiver who states
 * this range in its prekey; 0: there is none, so nothing can be sealed.
 * PROTOCOL.md 11.5. */
uint32_t kl_content_schema(uint32_t schema_min, uint32_t schema_max);

/* Content of a REFERRAL or CORRECTION; `salt` is that of the preview.
 * KL_E_SIZE: cap too small. KL_E_VALUE: schema not among those written here. */
int kl_content_pack_referral(const struct kl_referral *r,
    const uint8_t salt[KL_SALT_BYTES], uint32_t schema, uint8_t *buf,
    size_t cap, size_t *n) KL_MUST_CHECK;

/*
 * Reads what the above wrote. Copies all; `mem` is for the decoder only.
 * On failure *out is wiped.
 * KL_E_FORMAT: not canonical bytes of this message. KL_E_UNKNOWN: a field or
 * a schema that is not read here. KL_E_VALUE: a value outside its list, or a
 * NUL in a text. KL_E_SIZE: longer than its limit. KL_E_MEMORY: arena.
 */
int kl_content_read_referral(struct kl_bytes plain, struct kl_arena *mem,
    struct kl_referral *out, uint8_t salt[KL_SALT_BYTES],
    uint32_t *schema) KL_MUST_CHECK;

/* The same for FEEDBACK. */
int kl_content_pack_feedback(const struct kl_feedback *f, uint32_t schema,
    uint8_t *buf, size_t cap, size_t *n) KL_MUST_CHECK;
int kl_content_read_feedback(struct kl_bytes plain, struct kl_arena *mem,
    struct kl_feedback *out, uint32_t *schema) KL_MUST_CHECK;

#endif
