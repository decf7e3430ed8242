#include <kortelijn/crypto/vkey.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/crypto/note_text.h"

#define HASH_DIGITS 8		/* of the first four bytes, in hex */
#define KEY_BYTES (1 + sizeof(struct kl_sign_pk))
#define KEY_BASE64 ((KEY_BYTES + 2) / 3 * 4 + 1)

static bool
type_known(uint8_t type)
{
	return type == KL_NOTE_ED25519 || type == KL_NOTE_COSIGNATURE;
}

int
kl_vkey_make(const char *name, uint8_t type, const struct kl_sign_pk *pk,
    struct kl_vkey *out)
{
	const struct kl_bytes text = kl_bytes(name,
	    strnlen(name, KL_ORIGIN_MAX));

	memset(out, 0, sizeof *out);
	if (!kl_note_text_name(text) || !type_known(type))
		return KL_E_VALUE;
	memcpy(out->name, text.p, text.n);
	out->type = type;
	out->pk = *pk;
	return KL_OK;
}

int
kl_vkey_witness(const struct kl_id *id, const struct kl_sign_pk *pk,
    struct kl_vkey *out)
{
	char name[KL_ORIGIN_MAX], *colon;

	memset(out, 0, sizeof *out);
	if (!kl_id_valid(id))
		return KL_E_VALUE;
	(void)snprintf(name, sizeof name, "%s/witness", kl_id_text(id).b);
	if ((colon = strchr(name, ':')) != NULL)
		*colon = '-';
	return kl_vkey_make(name, KL_NOTE_COSIGNATURE, pk, out);
}

struct kl_vkey_text
kl_vkey_text(const struct kl_vkey *v)
{
	const struct kl_hash h = kl_note_key_hash(kl_bytes_str(v->name),
	    v->type, &v->pk);
	char hash[HASH_DIGITS + 1], b64[KEY_BASE64];
	uint8_t key[KEY_BYTES];
	struct kl_vkey_text out;

	kl_hex(kl_bytes(h.b, HASH_DIGITS / 2), hash);
	key[0] = v->type;
	memcpy(key + 1, v->pk.b, sizeof v->pk.b);
	if (kl_base64(KL_BYTES_OF(key), b64, sizeof b64) != KL_OK)
		b64[0] = '\0';	/* cannot be: it has its size */
	(void)snprintf(out.b, sizeof out.b, "%s+%s+%s", v->name, hash, b64);
	return out;
}

/* The only text of a key is the one that is written of it. */
int
kl_vkey_read(struct kl_bytes text, struct kl_vkey *out)
{
	const uint8_t *plus = text.n == 0 ? NULL : memchr(text.p, '+',
	    text.n);
	char name[KL_ORIGIN_MAX] = "";
	uint8_t key[KEY_BYTES];
	struct kl_bytes b64;
	struct kl_sign_pk pk;
	size_t at, n;

	memset(out, 0, sizeof *out);
	if (plus == NULL || text.n >= KL_VKEY_MAX)
		return KL_E_FORMAT;
	at = (size_t)(plus - text.p);
	if (at >= sizeof name || text.n - at < HASH_DIGITS + 2 ||
	    plus[HASH_DIGITS + 1] != '+')
		return KL_E_FORMAT;
	memcpy(name, text.p, at);
	b64 = kl_bytes(plus + HASH_DIGITS + 2, text.n - at - HASH_DIGITS - 2);
	if (kl_base64_read(b64, key, sizeof key, &n) != KL_OK || n == 0)
		return KL_E_FORMAT;
	if (!type_known(key[0]))
		return KL_E_UNKNOWN;
	memcpy(pk.b, key + 1, sizeof pk.b);
	if (n != sizeof key || kl_vkey_make(name, key[0], &pk, out) != KL_OK ||
	    !kl_bytes_equal(kl_bytes_str(kl_vkey_text(out).b), text)) {
		memset(out, 0, sizeof *out);
		return KL_E_FORMAT;
	}
	return KL_OK;
}

int
kl_vkey_checkpoint(const struct kl_vkey *log, struct kl_bytes text,
    struct kl_checkpoint *out)
{
	int r;

	memset(out, 0, sizeof *out);
	if (log->type != KL_NOTE_ED25519)
		return KL_E_VALUE;
	if ((r = kl_note_verify(text, &log->pk, out)) != KL_OK)
		return r;
	if (strcmp(out->origin, log->name) == 0)
		return KL_OK;
	memset(out, 0, sizeof *out);
	return KL_E_UNKNOWN;
}
