/* The readable half of profile.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>

#include "adapters/common/profile.h"

struct page {
	char *p;
	size_t n, cap;
	bool full;
	enum kl_lang lang;
};

static void put(struct page *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
put(struct page *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->p + t->n, t->cap - t->n, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= t->cap - t->n)
		t->full = true;
	else
		t->n += (size_t)n;
}

static const char *
word(const struct page *t, const char *nl, const char *en)
{
	return t->lang == KL_EN ? en : nl;
}

static void
put_line(struct page *t, const char *nl, const char *en, struct kl_bytes v)
{
	if (v.n > 0)
		put(t, "%s: %.*s\n", word(t, nl, en), (int)v.n,
		    (const char *)v.p);
}

static void
put_paragraph(struct page *t, const char *nl, const char *en,
    struct kl_bytes v)
{
	if (v.n > 0)
		put(t, "\n%s\n%.*s\n", word(t, nl, en), (int)v.n,
		    (const char *)v.p);
}

static void
put_items(struct page *t, const char *nl, const char *en, enum kl_list list,
    const uint32_t *v, size_t n)
{
	if (n == 0)
		return;
	put(t, "%s:", word(t, nl, en));
	for (size_t i = 0; i < n; i++)
		put(t, "%s %s", i == 0 ? "" : ",",
		    kl_list_label(list, v[i], t->lang));
	put(t, "\n");
}

static void
put_texts(struct page *t, const char *nl, const char *en,
    const struct kl_bytes *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_line(t, nl, en, v[i]);
}

static void
put_hours(struct page *t, const struct kl_profile_details *d)
{
	for (size_t i = 0; i < d->n_office_hours; i++) {
		const uint32_t v = d->office_hours[i];
		const uint32_t from = v / 10000 % 10000, to = v % 10000;

		put(t, "%s: %s %02u:%02u-%02u:%02u\n",
		    word(t, "Bereikbaar", "Office hours"),
		    kl_list_label(KL_LIST_WEEKDAY, v / 100000000, t->lang),
		    from / 100, from % 100, to / 100, to % 100);
	}
	for (size_t i = 0; i < d->n_closed_days; i++) {
		struct kl_day_text day = kl_day_text(
		    (int32_t)d->closed_days[i]);

		put(t, "%s: %s\n", word(t, "Gesloten", "Closed"), day.b);
	}
}

static void
put_terms(struct page *t, const struct kl_profile_details *d)
{
	static const char *const nl[PROFILE_TERMS] = {
		[PROFILE_TAKE_UP] = "opgepakt",
		[PROFILE_FIRST_CONTACT] = "eerste contact",
		[PROFILE_FIRST_TALK] = "eerste gesprek",
		[PROFILE_CRISIS_FIRST_TALK] = "eerste gesprek bij crisis",
		[PROFILE_DECISION] = "besluit na het eerste gesprek",
	};
	static const char *const en[PROFILE_TERMS] = {
		[PROFILE_TAKE_UP] = "taken up",
		[PROFILE_FIRST_CONTACT] = "first contact",
		[PROFILE_FIRST_TALK] = "first talk",
		[PROFILE_CRISIS_FIRST_TALK] = "first talk in a crisis",
		[PROFILE_DECISION] = "decision after the first talk",
	};

	for (size_t i = 0; i < d->n_response_terms && i < PROFILE_TERMS; i++)
		put(t, "%s: %s %s %u %s\n", word(t, "Afspraak", "Agreement"),
		    word(t, nl[i], en[i]), word(t, "binnen", "within"),
		    d->response_terms[i], word(t, "uur", "hours"));
}

static void
put_until(struct page *t, const struct kl_profile *p)
{
	struct kl_day_text day = kl_day_text(
	    kl_day_of(p->valid_until_ms - 1));

	put(t, "%s: %s\n", word(t, "Geldig tot en met", "Valid until"),
	    day.b);
}

int
profile_text(const struct kl_profile *p, const struct kl_profile_details *d,
    enum kl_lang lang, char *out, size_t cap, size_t *n)
{
	struct page t = { .p = out, .cap = cap, .lang = lang };

	put_line(&t, "Meldpunt", "Contact desk", d->display_name);
	put_line(&t, "Telefoon", "Phone", p->phone);
	put_line(&t, "Telefoon bij spoed", "Phone in a crisis",
	    p->crisis_phone);
	put_hours(&t, d);
	put_terms(&t, d);
	put_items(&t, "Hulp", "Help", KL_LIST_HELP_OFFERED, d->help_offered,
	    d->n_help_offered);
	put_items(&t, "Plaats van het gesprek", "Place of the talk",
	    KL_LIST_PLACE, d->places_offered, d->n_places_offered);
	put_items(&t, "Warme overdracht", "Warm handover", KL_LIST_HANDOVER,
	    d->handover_forms, d->n_handover_forms);
	put_texts(&t, "Taal", "Language", d->languages, d->n_languages);
	put_texts(&t, "Vast contact", "Regular contact", d->regular_contacts,
	    d->n_regular_contacts);
	put_texts(&t, "Ook crisis", "Also a crisis", d->local_crisis_kinds,
	    d->n_local_crisis_kinds);
	put_until(&t, p);
	put_paragraph(&t, "Wat gebeurt er na de verwijzing",
	    "What happens after the referral", d->what_to_expect);
	put_paragraph(&t, "Wat wij de praktijk niet vragen",
	    "What we do not ask of the practice", d->asks_of_practice);
	put_paragraph(&t, "Hoe lang wij gegevens bewaren",
	    "How long we keep data", d->retention_statement);
	put_paragraph(&t, "Privacy", "Privacy", d->privacy_notice);
	*n = t.full ? 0 : t.n;
	if (t.full && cap > 0)
		out[0] = '\0';
	return t.full ? KL_E_SIZE : KL_OK;
}
