#include "adapters/common/phone.h"

#include <string.h>

#include "adapters/common/directory.h"

/* For a PROFILE, once. */
#define ARENA_BYTES (512 * 1024)
#define ARENA_ALLOCS 8192

struct phone
phone_of(struct engine *e, const struct kl_id *desk, bool crisis)
{
	struct kl_arena *mem = kl_arena_new(ARENA_BYTES, ARENA_ALLOCS);
	struct phone out = { "" };
	struct kl_profile_details details;
	struct kl_profile p;
	struct kl_bytes phone = KL_BYTES_NONE;

	if (mem != NULL && directory_profile(engine_store(e), mem, desk, &p,
	    &details) == KL_OK)
		phone = crisis && p.crisis_phone.n > 0 ? p.crisis_phone :
		    p.phone;
	if (phone.n < sizeof out.b && phone.n > 0)
		memcpy(out.b, phone.p, phone.n);
	kl_arena_free(mem);
	return out;
}
