#include "adapters/common/subject.h"

#include <string.h>

#include "adapters/common/engine_priv.h"

int
subject_log(struct engine *e, const struct engine_actor *by,
    enum engine_act act, const struct kl_conv_id *conv)
{
	return engine_result(e, access_log(engine_turn(e), by, act, conv));
}

int
subject_log_list(struct engine *e, const struct engine_actor *by,
    uint64_t first, uint64_t last)
{
	int r = last == 0 ? store_last(e->store, STORE_ORDER, &last) : KL_OK;

	if (r == KL_OK)
		r = access_log_many(engine_turn(e), by, ENGINE_LISTED, first,
		    last);
	return engine_result(e, r);
}
