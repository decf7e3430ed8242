#include "adapters/common/page_text.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>

void
page_text_put(struct page_text *t, const char *s)
{
	kl_put(&t->w, s, strlen(s));
}

const char *
page_text_either(const struct page_text *t, const char *nl, const char *en)
{
	return t->english ? en : nl;
}

void
page_text_line(struct page_text *t, const char *nl, const char *en,
    const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	page_text_put(t, page_text_either(t, nl, en));
	page_text_put(t, ": ");
	page_text_put(t, value);
	page_text_put(t, "\n");
}

void
page_text_time(struct page_text *t, const char *nl, const char *en,
    int64_t at_ms)
{
	char value[32];

	if (at_ms == 0)
		return;
	/* To the minute: "2026-11-24 16:00 UTC". */
	memcpy(value, kl_time_text(at_ms).b, 16);
	value[10] = ' ';
	memcpy(value + 16, " UTC", 5);
	page_text_line(t, nl, en, value);
}

void
page_text_title(struct page_text *t, const struct config *c, const char *nl,
    const char *en)
{
	page_text_put(t, page_text_either(t, nl, en));
	if (c->realm == KL_TRAINING)
		page_text_put(t, page_text_either(t,
		    " (oefening, geen echte gegevens)",
		    " (training, no real data)"));
	page_text_put(t, "\n\n");
}

void
page_text_head(struct page_text *t, const struct engine_case *k, int64_t at_ms)
{
	if (k->spoken.b[0] != '\0')
		page_text_line(t, "Kenmerk", "Reference",
		    kl_spoken_text(&k->spoken).b);
	page_text_line(t, "Eigen kenmerk", "Own reference", k->referral_id);
	page_text_line(t, "Patiënt", "Patient", k->patient_ref);
	page_text_line(t, k->mine ? "Ontvanger" : "Van",
	    k->mine ? "Receiver" : "From",
	    k->peer_name[0] != '\0' ? k->peer_name :
	    kl_id_text(&k->peer).b);
	page_text_time(t, "Datum", "Date", at_ms);
}

int
page_text_begin(struct page_text *t, const struct config *c, struct page *p)
{
	p->text = calloc(1, PAGE_TEXT_MAX);
	if (p->text == NULL)
		return KL_E_MEMORY;
	t->english = c->lang == KL_EN;
	kl_writer_init(&t->w, p->text, PAGE_TEXT_MAX - 1);
	return KL_OK;
}
