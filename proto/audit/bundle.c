#include "proto/audit/bundle.h"

void
audit_bundle_put(struct kl_writer *w, const uint8_t salt[AUDIT_SALT_BYTES],
    struct kl_bytes record)
{
	if (record.n == 0) {
		kl_put_u16(w, 0);
		return;
	}
	kl_put_u16(w, (uint16_t)(AUDIT_SALT_BYTES + record.n));
	kl_put(w, salt, AUDIT_SALT_BYTES);
	kl_put_bytes(w, record);
}

int
audit_bundle_next(struct kl_reader *r, const uint8_t **salt,
    struct kl_bytes *record)
{
	const size_t n = kl_get_u16(r);

	*salt = NULL;
	*record = KL_BYTES_NONE;
	if (r->bad || (n > 0 && n <= AUDIT_SALT_BYTES) ||
	    n > AUDIT_SALT_BYTES + KL_RECORD_MAX)
		return KL_E_FORMAT;
	if (n == 0)
		return KL_OK;
	*salt = kl_get_bytes(r, AUDIT_SALT_BYTES).p;
	*record = kl_get_bytes(r, n - AUDIT_SALT_BYTES);
	return r->bad ? KL_E_FORMAT : KL_OK;
}
