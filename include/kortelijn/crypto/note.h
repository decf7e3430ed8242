/*
 * note.h: signed checkpoints of the log in C2SP text form: origin, size, root,
 * an empty line and one signature line. PROTOCOL.md 10.
 */
#ifndef KORTELIJN_CRYPTO_NOTE_H
#define KORTELIJN_CRYPTO_NOTE_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>
#include <kortelijn/crypto/secret.h>

#define KL_ORIGIN_MAX 100	/* bytes, with NUL */
#define KL_NOTE_MAX 1024	/* bytes, with NUL */

struct kl_checkpoint {
	char origin[KL_ORIGIN_MAX];
	uint64_t size;		/* leaves */
	struct kl_hash root;
};

struct kl_note { char b[KL_NOTE_MAX]; };	/* text with NUL */

/* Signs with the log's key; the key's name is the origin.
 * KL_E_VALUE: origin is empty, too long, or holds a space, plus or control. */
int kl_note_sign(const struct kl_checkpoint *c, const struct kl_secret *sk,
    struct kl_note *out) KL_MUST_CHECK;
/* Strict: at least one line of `pk` under the origin must verify; unknown key
 * lines are ignored; doubled lines of the same key, CR, a missing or extra
 * line are refused. KL_E_FORMAT, KL_E_SIGNATURE. */
int kl_note_verify(struct kl_bytes text, const struct kl_sign_pk *pk,
    struct kl_checkpoint *out) KL_MUST_CHECK;

#endif
