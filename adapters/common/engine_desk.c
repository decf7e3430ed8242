#include <string.h>

#include <kortelijn/domain/calendar.h>

#include "adapters/common/access.h"
#include "adapters/common/attempts.h"
#include "adapters/common/engine_priv.h"
#include "adapters/common/engine_withdraw.h"
#include "adapters/common/json_desk.h"

static int
refuse(struct kl_finding *why, uint32_t code, const char *field)
{
	kl_finding_set(why, code, field);
	return KL_E_REFUSED;
}

/* History, access log and row of what the desk noted. */
static int
noted(struct turn *t, const struct engine_actor *by, struct case_row *c,
    enum engine_what what, struct engine_taken *out)
{
	struct engine_step step;
	int r;

	memset(&step, 0, sizeof step);
	step.what = what;
	step.ours = true;
	if ((r = cases_step(t, c, &step)) != KL_OK ||
	    (r = cases_note_end(t, c)) != KL_OK ||
	    (r = cases_put(t, c)) != KL_OK)
		return r;
	engine_in_taken(out, c);
	return access_log(t, by, ENGINE_CHANGED, &c->conv);
}

/* ---- attempts -------------------------------------------------------- */

static int32_t
local_day(int64_t at_ms)
{
	return kl_day_of(kl_calendar_local_ms(at_ms));
}

/* A way that the resident did not give may be what others see or hear. */
static int
check_attempt(struct turn *t, const struct case_row *c,
    const struct kl_attempt *a, struct kl_finding *why)
{
	struct kl_referral r;
	uint32_t permitted;
	int e;

	if (!cases_open(c))
		return refuse(why, KL_C_STATE, "/reference");
	if (a->day > local_day(t->now_ms) ||
	    a->day < local_day(c->delivered_ms))
		return refuse(why, KL_C_FIELD_VALUE, "/attempt/date");
	if ((e = cases_content(t, c, &r)) != KL_OK)
		return e == KL_E_NOT_FOUND ? KL_OK : e;
	permitted = attempts_permitted(&r);
	kl_wipe(&r, sizeof r);
	return (permitted & 1u << a->kind) != 0 ? KL_OK :
	    refuse(why, KL_C_ATTEMPT_KIND, "/attempt/kind");
}

static int
attempt(struct turn *t, const struct engine_actor *by,
    const struct kl_spoken *reference, struct kl_attempt *a,
    struct engine_taken *out, struct kl_finding *why)
{
	struct case_row c;
	int r = engine_in_answers(t, reference, &c, why);

	if (r != KL_OK)
		return r;
	if (a->day == 0)
		a->day = local_day(t->now_ms);
	if ((r = check_attempt(t, &c, a, why)) != KL_OK)
		return r;
	r = attempts_add(t, &c, a);
	if (r == KL_E_FULL && c.attempts >= ATTEMPTS_MAX)
		return refuse(why, KL_C_STATE, "/attempt");
	if (r != KL_OK)
		return r;
	c.seen_ms = c.seen_ms != 0 ? c.seen_ms : t->now_ms;
	return noted(t, by, &c, ENGINE_ATTEMPT, out);
}

int
engine_attempt(struct engine *e, const struct engine_actor *by,
    const struct kl_spoken *reference, const struct kl_attempt *a,
    struct engine_taken *out, struct kl_finding *why)
{
	size_t mark = kl_arena_mark(e->mem);
	struct kl_attempt full = *a;
	int r;

	memset(out, 0, sizeof *out);
	memset(why, 0, sizeof *why);
	r = e->broken ? KL_E_AGAIN : attempt(engine_turn(e), by, reference,
	    &full, out, why);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

int
engine_attempt_next(struct engine *e, const struct kl_conv_id *conv,
    uint32_t n, struct kl_attempt *out)
{
	struct turn *t = engine_turn(e);
	size_t mark = kl_arena_mark(e->mem);
	struct case_row c;
	int r = cases_get(t, conv, &c);

	if (r == KL_OK)
		r = attempts_get(t, &c, n, out);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

/* ---- handed over ----------------------------------------------------- */

static int
handed_over(struct turn *t, const struct engine_actor *by,
    const struct kl_spoken *reference, struct engine_taken *out,
    struct kl_finding *why)
{
	struct case_row c;
	int r = engine_in_answers(t, reference, &c, why);

	if (r != KL_OK)
		return r;
	if (c.handed_ms != 0) {		/* once is enough */
		engine_in_taken(out, &c);
		return KL_OK;
	}
	c.handed_ms = t->now_ms;
	c.seen_ms = c.seen_ms != 0 ? c.seen_ms : t->now_ms;
	return noted(t, by, &c, ENGINE_HANDED_OVER, out);
}

int
engine_handed_over(struct engine *e, const struct engine_actor *by,
    const struct kl_spoken *reference, struct engine_taken *out,
    struct kl_finding *why)
{
	size_t mark = kl_arena_mark(e->mem);
	int r;

	memset(out, 0, sizeof *out);
	memset(why, 0, sizeof *why);
	r = e->broken ? KL_E_AGAIN : handed_over(engine_turn(e), by,
	    reference, out, why);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

int
engine_desk_file(struct engine *e, const struct engine_actor *by,
    struct kl_bytes file, struct engine_taken *out, struct kl_finding *why)
{
	struct json_desk_file f;
	int r;

	if (!json_desk_is(file))
		return engine_feedback_file(e, by, file, out, why);
	memset(out, 0, sizeof *out);
	memset(why, 0, sizeof *why);
	if ((r = json_desk_read(file, &f, why)) != KL_OK)
		return engine_result(e, r);
	if (f.kind == JSON_DESK_ERASED)
		return engine_erased(e, by, kl_spoken_text(&f.reference).b,
		    f.case_system, &out->conv, why);
	return f.kind == JSON_DESK_ATTEMPT ?
	    engine_attempt(e, by, &f.reference, &f.attempt, out, why) :
	    engine_handed_over(e, by, &f.reference, out, why);
}
