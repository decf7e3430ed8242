#include "adapters/municipality/folder.h"

#include "adapters/common/page_alarm.h"
#include "adapters/common/page_withdrawal.h"

static int
page(struct engine *e, const struct engine_actor *by,
    const struct engine_event *ev, struct page *out)
{
	struct engine_case k;
	int r;

	switch (ev->kind) {
	case ENGINE_EV_REFERRAL:
	case ENGINE_EV_CORRECTION:
		return page_referral(e, by, ev, out);
	case ENGINE_EV_WITHDRAWAL:
		return page_withdrawal(e, by, ev, out);
	case ENGINE_EV_FEEDBACK:
		return page_step(e, by, ev, out);
	case ENGINE_EV_ALARM:
	case ENGINE_EV_ALARM_CLOSED:
		return page_alarm(e, by, ev, out);
	default:
		/* The end of a case that the practice or time brought. */
		r = engine_case_get(e, &ev->conv, &k);
		if (r != KL_OK || k.open)
			return r != KL_OK ? r : KL_E_NOT_FOUND;
		return page_step(e, by, ev, out);
	}
}

struct folder_role
folder_role_municipality(void)
{
	return (struct folder_role){ engine_desk_file, page };
}
