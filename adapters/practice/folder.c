#include "adapters/practice/folder.h"

#include <jansson.h>

#include "adapters/common/page_alarm.h"
#include "adapters/common/page_withdrawal.h"

/* A correction names what it corrects. What cannot be read goes to the reader
 * of referrals, which says why. */
static bool
is_correction(struct kl_bytes file)
{
	json_t *o = json_loadb((const char *)file.p, file.n, 0, NULL);
	const bool is = json_object_get(o, "correction_of") != NULL;

	json_decref(o);
	return is;
}

static int
take(struct engine *e, const struct engine_actor *by, struct kl_bytes file,
    struct engine_taken *out, struct kl_finding *why)
{
	if (is_correction(file))
		return engine_correct(e, by, file, out, why);
	return engine_refer(e, by, file, out, why);
}

/* That it was sent and delivered is what the practice expects; the rest is
 * news. */
static bool
is_news(const struct engine_step *s)
{
	return s->state != KL_ST_SENT && s->state != KL_ST_DELIVERED &&
	    s->state != KL_ST_DRAFT;
}

static int
page(struct engine *e, const struct engine_actor *by,
    const struct engine_event *ev, struct page *out)
{
	struct engine_step s;
	int r;

	if (ev->kind == ENGINE_EV_WITHDRAWAL)
		return page_withdrawal(e, by, ev, out);
	if (ev->kind == ENGINE_EV_ALARM || ev->kind ==
	    ENGINE_EV_ALARM_CLOSED)
		return page_alarm(e, by, ev, out);
	if (ev->kind == ENGINE_EV_FEEDBACK)
		return page_step(e, by, ev, out);
	if (ev->kind != ENGINE_EV_STATE)
		return KL_E_NOT_FOUND;
	if ((r = page_find_step(e, &ev->conv, ev->step, &s)) != KL_OK)
		return r;
	return is_news(&s) ? page_step(e, by, ev, out) : KL_E_NOT_FOUND;
}

struct folder_role
folder_role_practice(void)
{
	return (struct folder_role){ take, page };
}
