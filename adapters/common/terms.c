#include "adapters/common/terms.h"

#include <kortelijn/base/time.h>
#include <kortelijn/base/types.h>
#include <kortelijn/domain/calendar.h>

struct terms
terms_of(uint32_t kind, bool crisis, uint32_t level, int64_t created_ms)
{
	struct terms t = { 0 };

	if (kind == KL_FEEDBACK) {
		t.expire_at_ms = created_ms + 42 * KL_DAY_MS;
		t.deliver_by_ms = t.expire_at_ms;
		return t;
	}
	t.expire_at_ms = crisis ? kl_calendar_add_working_days(created_ms, 3) :
	    created_ms + 14 * KL_DAY_MS;
	t.deliver_by_ms = crisis ? created_ms + 4 * KL_HOUR_MS :
	    kl_calendar_add_working_days(created_ms, 2);
	if (kind == KL_REFERRAL && level != KL_LEVEL_0)
		t.answer_by_ms = crisis ? created_ms + 8 * KL_HOUR_MS :
		    kl_calendar_add_working_days(created_ms, 2);
	return t;
}
