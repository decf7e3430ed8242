#include "proto/audit/orgs.h"

#include <stdlib.h>

#define SLOTS ((size_t)2 * AUDIT_ORGS_MAX)	/* a power of two */

int
audit_orgs_init(struct audit_orgs *o)
{
	*o = (struct audit_orgs){
		.ids = calloc(AUDIT_ORGS_MAX, sizeof *o->ids),
		.roles = calloc(AUDIT_ORGS_MAX, sizeof *o->roles),
		.slots = calloc(SLOTS, sizeof *o->slots),
	};
	return o->ids != NULL && o->roles != NULL && o->slots != NULL ?
	    KL_OK : KL_E_MEMORY;
}

void
audit_orgs_clear(struct audit_orgs *o)
{
	free(o->ids);
	free(o->roles);
	free(o->slots);
	*o = (struct audit_orgs){ .n = 0 };
}

/* FNV-1a: ids are digits and there are few. */
static size_t
home(const struct kl_id *id)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < sizeof id->b; i++)
		h = (h ^ (uint8_t)id->b[i]) * UINT64_C(1099511628211);
	return (size_t)(h ^ h >> 32) & (SLOTS - 1);
}

int
audit_orgs_put(struct audit_orgs *o, const struct kl_id *id, uint32_t *out)
{
	size_t i = home(id);

	*out = AUDIT_ORG_NONE;
	if (kl_id_none(id))
		return KL_OK;
	while (o->slots[i] != 0 &&
	    !kl_id_equal(&o->ids[o->slots[i] - 1], id))
		i = (i + 1) & (SLOTS - 1);
	if (o->slots[i] == 0) {
		if (o->n == AUDIT_ORGS_MAX)
			return KL_E_FULL;
		o->ids[o->n++] = *id;
		o->slots[i] = o->n;
	}
	*out = o->slots[i] - 1;
	return KL_OK;
}
