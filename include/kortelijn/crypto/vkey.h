/*
 * vkey.h: a public key together with the name under which it signs notes, in
 * the text form of C2SP signed-note: "name+hash+base64". For a log the name
 * is its origin, so that whoever pins this text pins key and origin.
 * PROTOCOL.md 10.4.
 */
#ifndef KORTELIJN_CRYPTO_VKEY_H
#define KORTELIJN_CRYPTO_VKEY_H

#include <kortelijn/crypto/note.h>

#define KL_VKEY_MAX 256		/* bytes of the text, with NUL */

struct kl_vkey {
	char name[KL_ORIGIN_MAX];
	uint8_t type;		/* KL_NOTE_ED25519 or KL_NOTE_COSIGNATURE */
	struct kl_sign_pk pk;
};

/* KL_E_VALUE: a name that is none (note.h), or another type. */
int kl_vkey_make(const char *name, uint8_t type, const struct kl_sign_pk *pk,
    struct kl_vkey *out) KL_MUST_CHECK;
/* An auditor signs as a witness under its id with a dash for the colon and
 * "/witness": "kvk-12345678/witness". KL_E_VALUE: no id. */
int kl_vkey_witness(const struct kl_id *id, const struct kl_sign_pk *pk,
    struct kl_vkey *out) KL_MUST_CHECK;

struct kl_vkey_text { char b[KL_VKEY_MAX]; };
/* Without a newline. v is one that kl_vkey_make or kl_vkey_read made. */
struct kl_vkey_text kl_vkey_text(const struct kl_vkey *v);
/* Strict: one form for each key. KL_E_FORMAT: not such a text, or its hash is
 * not that of its key; KL_E_UNKNOWN: a type of key that this version has
 * not. On an error *out is zero. */
int kl_vkey_read(struct kl_bytes text, struct kl_vkey *out) KL_MUST_CHECK;

/* A checkpoint of this log, whose key and origin are pinned. As
 * kl_note_verify, and KL_E_UNKNOWN: of another origin; KL_E_VALUE: `log` is a
 * witness's key. On an error *out is zero. */
int kl_vkey_checkpoint(const struct kl_vkey *log, struct kl_bytes text,
    struct kl_checkpoint *out) KL_MUST_CHECK;

#endif
