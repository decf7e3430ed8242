/*
 * note.h: signed checkpoints of the log in C2SP text form: origin, size, root,
 * an empty line and one signature line. PROTOCOL.md 10.4.
 */
#ifndef KORTELIJN_CRYPTO_NOTE_H
#define KORTELIJN_CRYPTO_NOTE_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/origin.h>
#include <kortelijn/base/types.h>
#include <kortelijn/crypto/secret.h>

#define KL_NOTE_MAX 1024	/* bytes, with NUL */
#define KL_NOTE_ED25519 0x01	/* types of keys: the log's, */
#define KL_NOTE_COSIGNATURE 0x04	/* a witness's */

struct kl_checkpoint {
	char origin[KL_ORIGIN_MAX];
	uint64_t size;		/* leaves */
	struct kl_hash root;
};

/* Of two that verified under one key: is a of a younger log, or of the same one
 * and later? */
bool kl_checkpoint_further(const struct kl_checkpoint *a,
    const struct kl_checkpoint *b);

struct kl_note { char b[KL_NOTE_MAX]; };	/* text with NUL */

/* Signs with the log's key; the key's name is the origin.
 * KL_E_VALUE: origin is empty, too long, or holds a space, a plus or what is
 * not printable ASCII; or sk is no signing key. KL_E_SYSTEM. */
int kl_note_sign(const struct kl_checkpoint *c, const struct kl_secret *sk,
    struct kl_note *out) KL_MUST_CHECK;
/* Strict: one line of `pk` under the origin must verify; well-formed lines of
 * unknown keys are ignored; doubled lines of the same key, CR, a missing or
 * extra line are refused. KL_E_FORMAT; KL_E_SIGNATURE: no line of this key, or
 * it does not hold. On an error *out is zero. The caller compares the origin
 * with the one it pins. */
int kl_note_verify(struct kl_bytes text, const struct kl_sign_pk *pk,
    struct kl_checkpoint *out) KL_MUST_CHECK;

/* Adds a witness's line, of type 0x04: it saw this checkpoint at `time_s`
 * (seconds since 1970). The caller has verified the note and its consistency.
 * KL_E_VALUE: name, time or key; KL_E_FORMAT: no note; KL_E_EXISTS: this
 * witness signed it already; KL_E_SIZE: no room left; KL_E_SYSTEM. */
int kl_note_cosign(struct kl_note *note, const char *name, int64_t time_s,
    const struct kl_secret *sk) KL_MUST_CHECK;
/* The witness's line alone; errors as in kl_note_verify. */
int kl_note_verify_cosigned(struct kl_bytes text, const char *name,
    const struct kl_sign_pk *pk, int64_t *time_s) KL_MUST_CHECK;
/* The same; *line is a view of it in text, with its newline. */
int kl_note_cosigned_line(struct kl_bytes text, const char *name,
    const struct kl_sign_pk *pk, int64_t *time_s, struct kl_bytes *line)
    KL_MUST_CHECK;

/* Is there a line that names this key, whether it holds or not? KL_E_FORMAT:
 * no note, or it has two. */
int kl_note_has_line(struct kl_bytes text, const char *name, uint8_t type,
    const struct kl_sign_pk *pk, bool *has) KL_MUST_CHECK;

/* The checkpoint with its log's line and no other; errors as in
 * kl_note_verify. */
int kl_note_bare(struct kl_bytes text, const struct kl_sign_pk *pk,
    struct kl_note *out) KL_MUST_CHECK;
/* Puts a signature line with its newline behind a note; the caller has
 * verified both. KL_E_FORMAT: no line, or no note; KL_E_EXISTS: there is a
 * line of this key; KL_E_SIZE: no room left. On an error the note is as it
 * was. */
int kl_note_add(struct kl_note *note, struct kl_bytes line) KL_MUST_CHECK;

/* SHA-256(name || 0x0a || type || pk); its first 4 bytes name the key in
 * signature lines and in the C2SP text form of a public key. */
struct kl_hash kl_note_key_hash(struct kl_bytes name, uint8_t type,
    const struct kl_sign_pk *pk);

#endif
