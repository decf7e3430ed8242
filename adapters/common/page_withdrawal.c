#include "adapters/common/page_withdrawal.h"

#include <stdio.h>
#include <string.h>

#include "adapters/common/json_withdrawal.h"
#include "adapters/common/page_text.h"
#include "adapters/common/subject.h"

/* One event on its page. */
struct told {
	const struct config *c;
	const struct engine_event *ev;
	struct engine_case k;
	struct engine_step s;
	struct engine_withdrawal w;
};

static bool
in_error(const struct told *x)
{
	return x->k.cause == KL_CAUSE_SENT_IN_ERROR;
}

static void
put_title(struct page_text *t, const struct told *x)
{
	static const struct { uint32_t what; const char *nl, *en; } titles[] = {
		{ ENGINE_WITHDRAWING, "INTREKKING: wordt doorgegeven",
		  "WITHDRAWAL: on its way" },
		{ ENGINE_WITHDRAWN, "INTREKKING: bevestigd",
		  "WITHDRAWAL: confirmed" },
		{ ENGINE_ERASE_ASKED, "VERZOEK OM TE WISSEN",
		  "REQUEST TO ERASE" },
		{ ENGINE_ERASE_ANSWERED, "BEANTWOORD: verzoek om te wissen",
		  "ANSWERED: request to erase" },
		{ ENGINE_ERASE_TOLD, "DE ANDERE KANT MELDT: gewist of bewaard",
		  "THE OTHER SIDE TELLS: erased or kept" },
		{ ENGINE_ERASE_MISSING, "ANTWOORD OP WISSEN BLIJFT UIT",
		  "NO ANSWER ABOUT ERASING" },
	};

	if (in_error(x) && !x->k.mine)
		page_text_title(t, x->c,
		    "NEEM GEEN CONTACT OP: ten onrechte verzonden",
		    "DO NOT CONTACT: sent in error");
	else
		for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
			if (titles[i].what == x->s.what)
				page_text_title(t, x->c, titles[i].nl,
				    titles[i].en);
}

static void
put_count(struct page_text *t, const char *nl, const char *en, uint32_t n)
{
	char text[16];

	(void)snprintf(text, sizeof text, "%u", n);
	page_text_line(t, nl, en, text);
}

static void
put_ours(struct page_text *t, const struct engine_withdrawal *w)
{
	if (!w->done) {
		page_text_put(t, page_text_either(t,
		    "De broker heeft nog niet geantwoord.\n",
		    "The broker has not answered yet.\n"));
		return;
	}
	put_count(t, "Gewist voor ze waren opgehaald",
	    "Erased before they were collected", w->erased);
	put_count(t, "Al bezorgd", "Delivered before", w->released_before);
	put_count(t, "Aankomst onzeker", "Not certain", w->unconfirmed);
}

static const char *
outcome(const struct page_text *t, uint32_t v)
{
	switch (v) {
	case KL_ERASED:
		return page_text_either(t, "gewist", "erased");
	case KL_KEPT_ON_OWN_BASIS:
		return page_text_either(t, "bewaard op eigen grond",
		    "kept on a basis of their own");
	default:
		return page_text_either(t, "had niets", "held nothing");
	}
}

static void
put_told(struct page_text *t, const struct engine_withdrawal *w)
{
	for (size_t i = 0; i < w->n_told; i++) {
		const struct engine_told *p = &w->told[i];

		page_text_line(t, "Antwoord van", "Answer of",
		    p->name[0] != '\0' ? p->name : kl_id_text(&p->id).b);
		page_text_line(t, "  koppeling", "  adapter",
		    outcome(t, p->adapter_copy));
		page_text_line(t, "  eigen systeem", "  own system",
		    outcome(t, p->case_system));
	}
}

/* What people have to do now. */
static void
put_asked(struct page_text *t, const struct told *x)
{
	const struct engine_withdrawal *w = &x->w;

	page_text_line(t, "In de koppeling", "In the adapter",
	    outcome(t, w->adapter_copy));
	if (w->case_system != 0) {
		page_text_line(t, "In het eigen systeem", "In our own system",
		    outcome(t, w->case_system));
		return;
	}
	page_text_time(t, "Antwoord vóór", "Answer before", w->due_ms);
	page_text_put(t, page_text_either(t,
	    "\nWis deze verwijzing ook in uw zaaksysteem en meld het:\n"
	    "  kortelijn-municipality erased ",
	    "\nErase this referral in your case system too, and say so:\n"
	    "  kortelijn-municipality erased "));
	page_text_put(t, x->k.spoken.b[0] != '\0' ?
	    kl_spoken_text(&x->k.spoken).b : "REFERENCE");
	page_text_put(t, in_error(x) ? " --case-system=erased|nothing\n" :
	    " --case-system=erased|kept|nothing\n");
}

static void
put_no_contact(struct page_text *t)
{
	page_text_put(t, page_text_either(t,
	    "Deze verwijzing ging over de verkeerde persoon. Bel, mail en "
	    "schrijf niemand\n"
	    "naar aanleiding hiervan. Er mag niets van bewaard blijven.\n\n",
	    "This referral was about the wrong person. Do not call or write "
	    "to anybody\n"
	    "because of it. Nothing of it may be kept.\n\n"));
}

static int
make_text(const struct told *x, struct page *p)
{
	struct page_text t;
	int r = page_text_begin(&t, x->c, p);

	if (r != KL_OK)
		return r;
	put_title(&t, x);
	page_text_head(&t, &x->k, x->s.at_ms);
	page_text_line(&t, "Ingetrokken", "Withdrawn",
	    x->w.scope == KL_SCOPE_FEEDBACK ?
	    page_text_either(&t, "alleen de terugkoppeling; de hulp gaat door",
	    "the feedback only; the help goes on") :
	    page_text_either(&t, "alles", "all of it"));
	page_text_put(&t, "\n");
	if (in_error(x) && !x->k.mine)
		put_no_contact(&t);
	if (x->w.ours)
		put_ours(&t, &x->w);
	put_told(&t, &x->w);
	if (x->w.asked)
		put_asked(&t, x);
	return t.w.full ? KL_E_MEMORY : KL_OK;
}

static int
make_json(const struct told *x, struct page *p)
{
	const struct json_withdrawal_meta m = {
		.seq = x->ev->seq, .k = &x->k, .what = x->s.what,
		.at_ms = x->s.at_ms, .training = x->c->realm == KL_TRAINING,
	};

	return json_withdrawal_write(&m, &x->w, &p->json);
}

/* What only the broker's list told of has no statement here. */
static int
find(struct engine *e, const struct engine_event *ev, struct told *x)
{
	int r;

	memset(x, 0, sizeof *x);
	x->c = engine_config(e);
	x->ev = ev;
	if ((r = engine_case_get(e, &ev->conv, &x->k)) != KL_OK ||
	    (r = page_find_step(e, &ev->conv, ev->step, &x->s)) != KL_OK)
		return r;
	r = engine_withdrawal(e, &ev->conv, &x->w);
	if (r != KL_E_NOT_FOUND)
		return r;
	x->w.scope = x->k.withdrawn;
	x->w.cause = x->k.cause;
	return KL_OK;
}

int
page_withdrawal(struct engine *e, const struct engine_actor *by,
    const struct engine_event *ev, struct page *out)
{
	struct told x;
	int r;

	memset(out, 0, sizeof *out);
	if ((r = find(e, ev, &x)) != KL_OK ||
	    (r = subject_log(e, by, ENGINE_EXPORTED, &ev->conv)) != KL_OK)
		return r;
	out->spoken = x.k.spoken;
	if ((r = make_json(&x, out)) == KL_OK)
		r = make_text(&x, out);
	if (r != KL_OK)
		page_clear(out);
	return r;
}
