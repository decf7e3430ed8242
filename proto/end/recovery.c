#include <kortelijn/end/recovery.h>

#include <ctype.h>
#include <string.h>

#include <kortelijn/crypto/seal.h>

#define KEY_BYTES 32
#define FIRST_LINE 28	/* letters, in 80 columns beside a label */

int
kl_recovery_make(struct kl_dh_pk *pk, struct kl_secret **sk)
{
	return kl_dh_keypair(pk, sk);
}

/* Five bits of the key, counted from the front. */
static unsigned
bits_at(const uint8_t *key, size_t letter)
{
	size_t bit = 5 * letter, at = bit / 8;
	unsigned two = (unsigned)key[at] << 8;

	if (at + 1 < KEY_BYTES)
		two |= key[at + 1];
	return two >> (11 - bit % 8) & 31;
}

struct kl_recovery_text
kl_recovery_text(const struct kl_secret *sk)
{
	const struct kl_bytes key = kl_secret_bytes(sk);
	struct kl_recovery_text t = { "" };
	char raw[KL_RECOVERY_LETTERS];
	size_t n = 0;

	if (key.n != KEY_BYTES)
		return t;
	for (size_t i = 0; i < KL_RECOVERY_LETTERS; i++) {
		raw[i] = kl_letters[bits_at(key.p, i)];
		t.b[n++] = raw[i];
		if (i % 4 == 3)
			t.b[n++] = i + 1 == FIRST_LINE ? ' ' : '-';
	}
	t.b[n++] = kl_check_letter(raw, sizeof raw);
	t.b[n] = '\0';
	kl_wipe(raw, sizeof raw);
	return t;
}

/* The letters without what stands between them. */
static int
letters(struct kl_bytes text, char raw[KL_RECOVERY_LETTERS + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = (char)toupper(text.p[i]);

		if (c == '-' || isspace((unsigned char)c))
			continue;
		if (c == '\0' || strchr(kl_letters, c) == NULL ||
		    n > KL_RECOVERY_LETTERS)
			return KL_E_FORMAT;
		raw[n++] = c;
	}
	return n == KL_RECOVERY_LETTERS + 1 ? KL_OK : KL_E_FORMAT;
}

static void
bytes_of(const char *raw, uint8_t key[KEY_BYTES])
{
	memset(key, 0, KEY_BYTES);
	for (size_t i = 0; i < 8 * KEY_BYTES; i++) {
		size_t v = (size_t)(strchr(kl_letters, raw[i / 5]) -
		    kl_letters);

		key[i / 8] |= (uint8_t)((v >> (4 - i % 5) & 1) <<
		    (7 - i % 8));
	}
}

int
kl_recovery_read(struct kl_bytes text, struct kl_secret **sk)
{
	char raw[KL_RECOVERY_LETTERS + 1];
	uint8_t key[KEY_BYTES];
	int r = letters(text, raw);

	*sk = NULL;
	if (r == KL_OK && kl_check_letter(raw, KL_RECOVERY_LETTERS) !=
	    raw[KL_RECOVERY_LETTERS])
		r = KL_E_VALUE;
	if (r == KL_OK) {
		bytes_of(raw, key);
		*sk = kl_secret_copy(KL_BYTES_OF(key));
		r = *sk == NULL ? KL_E_MEMORY : KL_OK;
	}
	kl_wipe(raw, sizeof raw);
	kl_wipe(key, sizeof key);
	return r;
}
