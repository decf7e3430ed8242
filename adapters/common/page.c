#include "adapters/common/page.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/render.h>

#include "adapters/common/page_text.h"

#include "adapters/common/subject.h"

/* ---- pages ---- */

int
page_find_step(struct engine *e, const struct kl_conv_id *conv, uint64_t n,
    struct engine_step *out)
{
	int r = engine_step_next(e, conv, n - 1, out);

	return r == KL_OK && out->n != n ? KL_E_NOT_FOUND : r;
}

/* Names of fields that have another value now; never the values, which stand
 * in the text below. */
static void
put_changes(struct page_text *t, uint64_t changed)
{
	const struct kl_field *f;
	bool first = true;

	for (size_t i = 0; (f = kl_field_at(i)) != NULL && i < 64; i++) {
		if ((changed >> i & 1) == 0)
			continue;
		page_text_put(t, first ? page_text_either(t, "Gewijzigd: ",
		    "Changed: ") : ", ");
		page_text_put(t, page_text_either(t, f->nl, f->en));
		first = false;
	}
	page_text_put(t, first ? page_text_either(t, "Gewijzigd: niets\n",
	    "Changed: nothing\n") : "\n");
}

static int
referral_text(const struct config *c, const struct engine_case *k,
    const struct engine_step *s, const struct kl_referral *r, struct page *p)
{
	char body[KL_RENDER_MAX], level[2] = { 0 };
	const bool correction = s->kind == KL_CORRECTION;
	struct page_text t;
	size_t n;
	int e;

	if ((e = page_text_begin(&t, c, p)) != KL_OK)
		return e;
	if (correction)
		page_text_title(&t, c,
		    "CORRECTIE: vervangt de eerdere verwijzing",
		    "CORRECTION: replaces the earlier referral");
	else
		page_text_title(&t, c, "VERWIJZING", "REFERRAL");
	page_text_head(&t, k, s->at_ms);
	page_text_time(&t, "Antwoord verwacht vóór", "Answer expected before",
	    k->answer_by_ms);
	level[0] = (char)('0' + k->level - KL_LEVEL_0);
	page_text_line(&t, "Terugkoppeling op niveau", "Feedback at level",
	    level);
	if (correction)
		put_changes(&t, s->changed);
	page_text_put(&t, "\n");
	e = kl_render_referral(r, (enum kl_lang)c->lang, body, sizeof body,
	    &n);
	if (e == KL_OK)
		kl_put(&t.w, body, n);
	explicit_bzero(body, sizeof body);
	return e == KL_OK && !t.w.full ? KL_OK : KL_E_MEMORY;
}

static int
referral_json(const struct config *c, const struct engine_event *ev,
    const struct engine_case *k, const struct engine_step *s,
    const struct kl_referral *r, struct page *p)
{
	const struct json_referral_meta m = {
		.seq = ev->seq, .reference = k->spoken, .from = k->peer,
		.from_name = k->peer_name, .state = k->full_state,
		.feedback_level = k->level, .received_ms = s->at_ms,
		.answer_by_ms = k->answer_by_ms, .schema = KL_SCHEMA_MAX,
		.corrected = k->corrected, .training = c->realm ==
		KL_TRAINING,
	};

	return json_write_referral(&m, r, &p->json);
}

/* Case and step of an event. */
static int
of_event(struct engine *e, const struct engine_event *ev,
    struct engine_case *k, struct engine_step *s)
{
	int r = engine_case_get(e, &ev->conv, k);

	return r != KL_OK ? r : page_find_step(e, &ev->conv, ev->step, s);
}

int
page_referral(struct engine *e, const struct engine_actor *by,
    const struct engine_event *ev, struct page *out)
{
	const struct config *c = engine_config(e);
	struct kl_referral content;
	struct engine_case k;
	struct engine_step s;
	int r;

	memset(out, 0, sizeof *out);
	if ((r = of_event(e, ev, &k, &s)) != KL_OK)
		return r;
	r = engine_content(e, by, ENGINE_EXPORTED, &ev->conv, &content);
	if (r != KL_OK)
		return r;
	out->spoken = k.spoken;
	if ((r = referral_json(c, ev, &k, &s, &content, out)) == KL_OK)
		r = referral_text(c, &k, &s, &content, out);
	explicit_bzero(&content, sizeof content);
	if (r != KL_OK)
		page_clear(out);
	return r;
}

/* What a step tells: the feedback that came, or the state that was reached. */
static struct kl_feedback
told(const struct engine_step *s)
{
	if (s->feedback.code != 0)
		return s->feedback;
	return (struct kl_feedback){ .code = s->state,
	    .day = kl_day_of(s->at_ms) };
}

static int
step_text(const struct config *c, const struct engine_case *k,
    const struct engine_step *s, struct page *p)
{
	const struct kl_feedback f = told(s);
	const struct kl_state_row *row = kl_state_row(f.code);
	char body[1024];
	struct page_text t;
	size_t n;
	int r;

	if ((r = page_text_begin(&t, c, p)) != KL_OK)
		return r;
	if (s->feedback.code != 0)
		page_text_title(&t, c, "TERUGKOPPELING", "FEEDBACK");
	else
		page_text_title(&t, c, "BERICHT OVER EEN VERWIJZING",
		    "NOTICE ABOUT A REFERRAL");
	page_text_head(&t, k, s->at_ms);
	page_text_put(&t, "\n");
	if (k->mine) {
		r = kl_render_feedback(&f, (enum kl_lang)c->lang, body,
		    sizeof body, &n);
		if (r == KL_OK)
			kl_put(&t.w, body, n);
	} else if (row != NULL) {
		page_text_line(&t, "Stand", "State",
		    page_text_either(&t, row->nl, row->en));
		page_text_put(&t, row->desk_nl);
		page_text_put(&t, "\n");
	}
	return r == KL_OK && !t.w.full ? KL_OK : KL_E_MEMORY;
}

static int
step_json(const struct config *c, const struct engine_event *ev,
    const struct engine_case *k, const struct engine_step *s, struct page *p)
{
	const struct kl_feedback f = told(s);
	const struct json_feedback_meta m = {
		.seq = ev->seq, .reference = k->spoken,
		.referral_id = k->referral_id, .patient_ref = k->patient_ref,
		.from = k->peer, .from_name = k->peer_name,
		.received_ms = s->at_ms,
		.training = c->realm == KL_TRAINING,
	};

	/* The schema asks for a reference. */
	if (k->spoken.b[0] == '\0')
		return KL_OK;
	return json_write_feedback(&m, &f, &p->json);
}

int
page_step(struct engine *e, const struct engine_actor *by,
    const struct engine_event *ev, struct page *out)
{
	const struct config *c = engine_config(e);
	struct engine_case k;
	struct engine_step s;
	int r;

	memset(out, 0, sizeof *out);
	if ((r = of_event(e, ev, &k, &s)) != KL_OK ||
	    (r = subject_log(e, by, ENGINE_EXPORTED, &ev->conv)) != KL_OK)
		return r;
	out->spoken = k.spoken;
	if ((r = step_json(c, ev, &k, &s, out)) == KL_OK)
		r = step_text(c, &k, &s, out);
	if (r != KL_OK)
		page_clear(out);
	return r;
}

void
page_clear(struct page *p)
{
	json_text_free(p->json);
	json_text_free(p->text);
	memset(p, 0, sizeof *p);
}
