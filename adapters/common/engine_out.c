#include <ctype.h>
#include <string.h>

#include "adapters/common/access.h"
#include "adapters/common/alarm.h"
#include "adapters/common/cases.h"
#include "adapters/common/checkpoint.h"
#include "adapters/common/engine_priv.h"
#include "adapters/common/engine_withdraw.h"
#include "adapters/common/events.h"

/* ---- names ----------------------------------------------------------- */

const char *
engine_what_name(uint32_t what)
{
	static const char *const names[] = {
		[ENGINE_MADE] = "made",
		[ENGINE_SEALED] = "sealed",
		[ENGINE_ACCEPTED] = "accepted",
		[ENGINE_DELIVERED] = "delivered",
		[ENGINE_REFUSED] = "refused",
		[ENGINE_RECEIVED] = "received",
		[ENGINE_EXPIRED] = "expired",
		[ENGINE_UNCERTAIN] = "uncertain",
		[ENGINE_DEAD] = "dead",
		[ENGINE_LOST] = "lost",
		[ENGINE_SEALED_AGAIN] = "sealed_again",
		[ENGINE_GAP] = "gap",
		[ENGINE_DEADLINE] = "deadline",
		[ENGINE_FEEDBACK_OVER] = "feedback_over",
		[ENGINE_WITHDRAWN] = "withdrawn",
		[ENGINE_HIDDEN] = "hidden",
		[ENGINE_ERASED] = "erased",
		[ENGINE_WITHDRAWING] = "withdrawing",
		[ENGINE_ERASE_ASKED] = "erase_asked",
		[ENGINE_ERASE_ANSWERED] = "erase_answered",
		[ENGINE_ERASE_TOLD] = "erase_told",
		[ENGINE_ERASE_MISSING] = "erase_missing",
		[ENGINE_FEEDBACK_WITHDRAWN] = "feedback_withdrawn",
		[ENGINE_HANDED_OVER] = "handed_over",
		[ENGINE_ATTEMPT] = "attempt",
	};

	if (what >= sizeof names / sizeof names[0] || names[what] == NULL)
		return "?";
	return names[what];
}

const char *
engine_session_name(uint32_t session)
{
	switch (session) {
	case ENGINE_NO_LINK: return "no_link";
	case ENGINE_GREETING: return "greeting";
	case ENGINE_READY: return "ready";
	case ENGINE_CONFLICT: return "instance_conflict";
	case ENGINE_NOT_SERVED: return "not_served";
	default: return "?";
	}
}

/* ---- cases ----------------------------------------------------------- */

/* What is not done yet about a withdrawal. */
static int
view_withdrawn(struct engine *e, struct engine_case *out)
{
	struct engine_withdrawal w;
	int r = engine_withdrawal(e, &out->conv, &w);

	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	out->withdrawing = w.ours && !w.done;
	if (w.asked && w.case_system == 0)
		out->erase_by_ms = w.due_ms;
	return KL_OK;
}

static int
view(struct engine *e, const struct case_row *c, struct engine_case *out)
{
	cases_view(&e->turn, c, out);
	out->waiting = outbox_waiting_of(e->outbox, &c->conv);
	return c->withdrawn == 0 ? KL_OK : view_withdrawn(e, out);
}

int
engine_case_next(struct engine *e, uint64_t after, struct engine_case *out)
{
	size_t mark = kl_arena_mark(e->mem);
	struct case_row c;
	int r = cases_next(engine_turn(e), after, &c);

	if (r == KL_OK)
		r = view(e, &c, out);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

int
engine_case_get(struct engine *e, const struct kl_conv_id *conv,
    struct engine_case *out)
{
	size_t mark = kl_arena_mark(e->mem);
	struct case_row c;
	int r = cases_get(engine_turn(e), conv, &c);

	if (r == KL_OK)
		r = view(e, &c, out);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

int
engine_case_find(struct engine *e, const char *reference,
    struct engine_case *out)
{
	struct turn *t = engine_turn(e);
	size_t mark = kl_arena_mark(e->mem);
	struct kl_spoken spoken;
	struct case_row c;
	int r = KL_E_NOT_FOUND;

	if (kl_spoken_read(reference, &spoken) == KL_OK)
		r = cases_by_spoken(t, &spoken, &c);
	/* An id of the practice may look like one too. */
	if (r == KL_E_NOT_FOUND)
		r = cases_by_client(t, reference, &c);
	if (r == KL_OK)
		r = view(e, &c, out);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

/* A person at the desk has it in hand now. */
static int
note_seen(struct turn *t, struct case_row *c, enum engine_act act)
{
	int r;

	if (c->mine != 0 || c->seen_ms != 0 || (act != ENGINE_SAW &&
	    act != ENGINE_PRINTED))
		return KL_OK;
	c->seen_ms = t->now_ms;
	r = cases_note_end(t, c);
	return r != KL_OK ? r : cases_put(t, c);
}

int
engine_content(struct engine *e, const struct engine_actor *by,
    enum engine_act act, const struct kl_conv_id *conv,
    struct kl_referral *out)
{
	struct turn *t = engine_turn(e);
	size_t mark = kl_arena_mark(e->mem);
	struct case_row c;
	int r;

	memset(out, 0, sizeof *out);
	if ((r = cases_get(t, conv, &c)) == KL_OK)
		r = cases_content(t, &c, out);
	if (r == KL_OK)
		r = access_log(t, by, act, conv);
	if (r == KL_OK)
		r = note_seen(t, &c, act);
	if (r != KL_OK)
		memset(out, 0, sizeof *out);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

int
engine_step_next(struct engine *e, const struct kl_conv_id *conv,
    uint64_t after, struct engine_step *out)
{
	struct turn *t = engine_turn(e);
	size_t mark = kl_arena_mark(e->mem);
	struct case_row c;
	int r;

	if ((r = cases_get(t, conv, &c)) == KL_OK)
		r = cases_step_next(t, &c, after, out);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

const char *
engine_alarm_name(uint32_t kind)
{
	return alarm_name(kind);
}

/* ---- events and alarms ----------------------------------------------- */

int
engine_event_next(struct engine *e, uint64_t after, struct engine_event *out)
{
	return engine_result(e, events_next(e->store, after, out));
}

int
engine_cursor_get(struct engine *e, const char *name, uint64_t *seq)
{
	return engine_result(e, events_cursor_get(e->store, name, seq));
}

int
engine_cursor_put(struct engine *e, const char *name, uint64_t seq)
{
	return engine_result(e, events_cursor_put(e->store, name, seq));
}

int
engine_alarm_next(struct engine *e, uint64_t after, struct engine_alarm *out)
{
	return engine_result(e, alarm_next(e->store, after, out));
}

int
engine_alarm_get(struct engine *e, uint64_t seq, struct engine_alarm *out)
{
	return engine_result(e, alarm_get(e->store, seq, out));
}

int
engine_alarm_evidence(struct engine *e, uint64_t seq,
    char text[ENGINE_EVIDENCE_MAX])
{
	const size_t mark = kl_arena_mark(e->mem);
	struct kl_bytes v;
	int r = alarm_evidence(e->store, e->mem, seq, &v);

	if (r == KL_OK && v.n == 0)
		r = KL_E_NOT_FOUND;
	if (r == KL_OK && v.n >= ENGINE_EVIDENCE_MAX)
		r = KL_E_DAMAGED;
	if (r == KL_OK) {
		memcpy(text, v.p, v.n);
		text[v.n] = '\0';
	}
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

/* ---- state ----------------------------------------------------------- */

static int
count_cases(struct engine *e, struct engine_status *out)
{
	struct case_row c = { .number = 0 };
	int r = KL_OK;

	while (r == KL_OK) {
		size_t mark = kl_arena_mark(e->mem);

		r = cases_next(&e->turn, c.number, &c);
		kl_arena_release(e->mem, mark);
		if (r == KL_OK) {
			out->cases++;
			out->open_cases += cases_open(&c) ? 1 : 0;
		}
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

void
engine_session(struct engine *e, struct engine_status *out)
{
	struct session_state s = session_state(e->session);

	memset(out, 0, sizeof *out);
	out->broker = kl_link_endpoint(e->link);
	out->session = s.session;
	out->code = s.code;
	out->epoch = s.epoch;
	out->prekeys_until_ms = s.prekeys_until_ms;
	out->clock_known = s.clock_known;
	out->clock_off_ms = s.clock_off_ms;
	out->may_seal = turn_clock_good(engine_turn(e));
}

static int
fill_status(struct engine *e, struct turn *t, struct engine_status *out)
{
	struct checkpoint kept;
	int r;

	out->waiting = outbox_waiting(e->outbox);
	out->receipts = (uint32_t)receipts_waiting(e->receipts);
	out->directory = directory_cards(e->dir);
	out->slots_free = store_slots_free(e->store);
	out->store_permille = store_used_permille(e->store);
	if ((r = checkpoint_get(t, &kept)) != KL_OK ||
	    (r = alarm_count(e->store, &out->alarms)) != KL_OK ||
	    (r = alarm_count_open(e->store, &out->open_alarms)) != KL_OK)
		return r;
	memcpy(out->origin, kept.origin, sizeof out->origin);
	out->log_size = kept.size;
	out->checkpoint_ms = kept.seen_ms;
	return count_cases(e, out);
}

int
engine_status(struct engine *e, struct engine_status *out)
{
	engine_session(e, out);
	return engine_result(e, fill_status(e, engine_turn(e), out));
}

void
engine_refresh(struct engine *e)
{
	const int64_t mono_ms = kl_mono_ms();

	if (mono_ms < e->next_refresh_ms)
		return;
	e->next_refresh_ms = mono_ms + 2 * KL_SECOND_MS;
	engine_turn(e)->want_directory = true;
	e->awake = true;
}

void
engine_take_over(struct engine *e)
{
	(void)engine_result(e, session_take_over(e->session, engine_turn(e),
	    kl_mono_ms()));
}

int
engine_publish(struct engine *e, uint32_t statement, struct kl_bytes packed)
{
	return engine_result(e, session_publish(e->session, engine_turn(e),
	    statement, packed));
}
