/*
 * stream.h: more bytes than fit in memory, sealed chunk by chunk to one public
 * key. Each chunk is bound to its number and to whether it is the last one:
 * what was left out, moved, repeated or cut off does not open.
 *
 * The nonce of a chunk is 1 or 0 (the last one, or not), 15 zeros and its
 * number; every stream has a key of its own (seal.h).
 */
#ifndef KORTELIJN_END_STREAM_H
#define KORTELIJN_END_STREAM_H

#include <stdbool.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>
#include <kortelijn/crypto/seal.h>
#include <kortelijn/crypto/secret.h>

#define KL_STREAM_EXTRA 16		/* bytes a chunk is longer sealed */

struct kl_stream {
	struct kl_message_key key;
	uint64_t n;			/* number of the next chunk */
	bool ended;
};

/* For who seals: *ephemeral goes with the bytes, beside head. For who opens.
 * KL_E_VALUE: no key that works. Clear in any case. */
int kl_stream_begin(struct kl_stream *s, const struct kl_dh_pk *to,
    struct kl_bytes head, struct kl_dh_pk *ephemeral) KL_MUST_CHECK;
int kl_stream_open(struct kl_stream *s, const struct kl_secret *sk,
    const struct kl_dh_pk *ephemeral, struct kl_bytes head) KL_MUST_CHECK;
/* Wipes the key. */
void kl_stream_clear(struct kl_stream *s);

/* out has plain.n + KL_STREAM_EXTRA bytes. KL_E_VALUE: the last one was
 * sealed already. */
int kl_stream_seal(struct kl_stream *s, struct kl_bytes plain, bool last,
    uint8_t *out) KL_MUST_CHECK;
/* out has ct.n - KL_STREAM_EXTRA bytes. KL_E_SIGNATURE: not this chunk of this
 * stream, and out is zero; KL_E_SIZE: shorter than a tag; KL_E_VALUE: behind
 * the last one. */
int kl_stream_unseal(struct kl_stream *s, struct kl_bytes ct, bool last,
    uint8_t *out) KL_MUST_CHECK;

#endif
