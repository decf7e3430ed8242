#include "adapters/common/backup_void.h"

#define META "backups void"

int
backup_void_note(struct turn *t)
{
	return store_meta_put(t->store, META, &t->now_ms, sizeof t->now_ms);
}

int
backup_void_ms(struct store *s, int64_t *out)
{
	int r;

	*out = 0;
	r = store_meta_get(s, META, out, sizeof *out);
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}
