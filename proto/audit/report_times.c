#include "proto/audit/report_times.h"

#include <stdio.h>

#include "proto/audit/report_words.h"
#include "proto/audit/svg.h"

#define either audit_report_audit_either
#define HOUR 60u
#define DAY (24u * HOUR)
#define N(a) (sizeof(a) / sizeof((a)[0]))

/* ---- steps of time ------------------------------------------------------- */

/* In minutes; the last minute of a step belongs to it. */
static const struct audit_report_times_bin soon[] = {
	{ 5 + 1, "5 minuten", "5 minutes" },
	{ HOUR + 1, "1 uur", "1 hour" },
	{ 4 * HOUR + 1, "4 uur", "4 hours" },
	{ DAY + 1, "1 dag", "1 day" },
	{ 2 * DAY + 1, "2 dagen", "2 days" },
	{ 4 * DAY + 1, "4 dagen", "4 days" },
	{ 14 * DAY + 1, "14 dagen", "14 days" },
	{ 0, "langer", "longer" },
};
/* In working days. */
static const struct audit_report_times_bin workdays[] = {
	{ 1, "dezelfde dag", "the same day" },
	{ 2, "1 werkdag", "1 working day" },
	{ 3, "2 werkdagen", "2 working days" },
	{ 4, "3 werkdagen", "3 working days" },
	{ 6, "4 of 5 werkdagen", "4 or 5 working days" },
	{ 11, "6 tot 10 werkdagen", "6 to 10 working days" },
	{ 21, "11 tot 20 werkdagen", "11 to 20 working days" },
	{ 0, "meer dan 20 werkdagen", "more than 20 working days" },
};
static const struct audit_report_times_bin months[] = {
	{ 7 * DAY + 1, "1 week", "1 week" },
	{ 28 * DAY + 1, "4 weken", "4 weeks" },
	{ 91 * DAY + 1, "3 maanden", "3 months" },
	{ 183 * DAY + 1, "6 maanden", "6 months" },
	{ 365 * DAY + 1, "1 jaar", "1 year" },
	{ 548 * DAY + 1, "18 maanden", "18 months" },
	{ 0, "langer", "longer" },
};

void
audit_report_times_spread(struct audit_page *p, const struct audit_spread *s,
    const struct audit_report_times_plot *plot)
{
	struct audit_svg_bar bars[AUDIT_SVG_BARS_MAX];
	struct audit_svg_chart c = { .title = plot->title,
		.counts = plot->counts, .rows = plot->rows, .n_series = 1,
		.bars = bars, .shares = true, .mark = plot->mark,
		.mark_text = plot->mark_text };
	uint32_t least = 0;

	if (s->n + s->open == 0)
		return;
	for (; c.n < plot->n; c.n++) {
		const uint32_t below = plot->bins[c.n].below == 0 ?
		    UINT32_MAX : plot->bins[c.n].below;

		bars[c.n] = (struct audit_svg_bar){
			.label = audit_page_either(p, plot->bins[c.n].nl,
			    plot->bins[c.n].en),
			.value = { audit_spread_between(s, least, below) } };
		least = below;
	}
	bars[c.n++] = (struct audit_svg_bar){ .open = true,
		.label = audit_page_either(p, "nog niet", "not yet"),
		.value = { s->open } };
	audit_svg_bars(p, &c);
}

struct audit_report_times_text
audit_report_times_said(const struct audit_spread *s, bool days,
    enum kl_lang lang)
{
	const bool en = lang == KL_EN;
	struct audit_report_times_text t;
	struct audit_spread_text half = { "" }, nine = { "" };
	uint32_t v;

	if (audit_spread_within(s, 500, &v))
		half = days ? audit_spread_days_text(v, lang) :
		    audit_spread_text(v, lang);
	if (audit_spread_within(s, 900, &v))
		nine = days ? audit_spread_days_text(v, lang) :
		    audit_spread_text(v, lang);
	if (s->n + s->open == 0)
		(void)snprintf(t.b, sizeof t.b, "%s",
		    en ? "nothing to measure" : "niets te meten");
	else if (half.b[0] == '\0')
		(void)snprintf(t.b, sizeof t.b, "%s", en ?
		    "less than half so far" : "nog minder dan de helft");
	else if (nine.b[0] == '\0')
		(void)snprintf(t.b, sizeof t.b, en ?
		    "half within %s; nine of ten not yet reached" :
		    "de helft binnen %s; 9 van de 10 nog niet gehaald",
		    half.b);
	else
		(void)snprintf(t.b, sizeof t.b, en ?
		    "half within %s, nine of ten within %s" :
		    "de helft binnen %s, 9 van de 10 binnen %s", half.b,
		    nine.b);
	return t;
}

/* ---- the four steps ------------------------------------------------------ */

/* Behind which of the workdays' bars the agreed term ends; 0: in none. */
static size_t
mark_of(struct kl_term term)
{
	for (size_t i = 0; term.unit == KL_UNIT_WD && i < N(workdays); i++)
		if (workdays[i].below == term.n + 1)
			return i + 1;
	return 0;
}

static void
step(struct audit_page *p, const struct audit_report_audit *r,
    const struct audit_spread *s, bool days,
    const struct audit_report_times_plot *plot)
{
	audit_page_heading(p, 3, plot->title);
	audit_page_paragraph(p, "%s: %s.", either(r, "Gerekend vanaf het "
	    "aannemen van de verwijzing", "Counted from the acceptance of "
	    "the referral"), audit_report_times_said(s, days, r->lang).b);
	audit_report_times_spread(p, s, plot);
	if (s->gone > 0)
		audit_page_note(p, either(r, "Niet meegeteld: %zu, want "
		    "ingetrokken, verlopen, teruggegeven, zonder deze stap "
		    "afgerond, of zonder terugkoppeling.",
		    "Not counted: %zu, as they were withdrawn, expired, "
		    "returned, ended without this step, or without "
		    "feedback."), s->gone);
}

static void
within(struct audit_page *p, const struct audit_spread *s, bool days)
{
	static const uint32_t permille[] = { 500, 900 };
	uint32_t v;

	for (size_t i = 0; i < 2; i++)
		if (!audit_spread_within(s, permille[i], &v))
			audit_page_cell(p, "%s", s->n + s->open == 0 ? "–" :
			    audit_page_either(p, "nog niet", "not yet"));
		else
			audit_page_cell(p, "%s", days ?
			    audit_spread_days_text(v, p->lang).b :
			    audit_spread_text(v, p->lang).b);
}

static void
desk_row(struct audit_page *p, const struct audit_report_audit *r, uint32_t i)
{
	const struct audit_of *o = &r->m->of[i];
	const uint32_t due = o->answer.kept + o->answer.late +
	    o->answer.missed;

	audit_page_row(p, audit_report_words_org(r->names,
	    &r->m->orgs.ids[i]).b, false);
	audit_page_cell(p, "%s", audit_page_count(o->referrals, r->lang).b);
	within(p, &o->minutes[AUDIT_COLLECTED], false);
	within(p, &o->days[AUDIT_TAKEN_UP], true);
	if (due == 0)
		audit_page_cell(p, "–");
	else
		audit_page_cell(p, either(r, "%s van %s", "%s of %s"),
		    audit_page_count(o->answer.kept, r->lang).b,
		    audit_page_count(due, r->lang).b);
	audit_page_row_end(p);
}

static void
steps_of_desks(struct audit_page *p, const struct audit_report_audit *r)
{
	const char *columns[] = { either(r, "ontvanger", "receiver"),
		either(r, "verwij\xc2\xadzingen", "referrals"),
		either(r, "gehaald: de helft binnen",
		    "collected: half within"),
		either(r, "9\xc2\xa0van\xc2\xa0" "de\xc2\xa0" "10 binnen",
		    "nine of ten within"),
		either(r, "opgepakt: de helft na", "taken up: half after"),
		either(r, "9\xc2\xa0van\xc2\xa0" "de\xc2\xa0" "10 na",
		    "nine of ten after"),
		either(r, "op tijd beantwoord", "answered in time") };
	const struct audit_page_table t = { .columns = columns, .n = 7,
		.numbers = 7, .whole = r->m->orgs.n < 20, .caption =
		either(r, "Per ontvanger", "By receiver") };

	audit_page_table(p, &t);
	for (uint32_t i = 0; i < r->m->orgs.n; i++)
		if (r->m->of[i].referrals > 0)
			desk_row(p, r, i);
	audit_page_table_end(p);
}

void
audit_report_times_steps(struct audit_page *p,
    const struct audit_report_audit *r)
{
	const struct audit_of *all = &r->m->all;
	const char *counts = either(r, "verwijzingen", "referrals");
	struct kl_policy policy;
	const struct audit_report_times_plot plots[AUDIT_STEPS] = {
		{ either(r, "Gehaald door de ontvanger",
		    "Collected by the receiver"), counts,
		  either(r, "binnen", "within"), soon, N(soon), 0, NULL },
		{ either(r, "Opgepakt door een mens", "Taken up by a human"),
		  counts, either(r, "na", "after"), workdays, N(workdays), 0,
		  either(r, "afgesproken", "agreed") },
		{ either(r, "Contact of hulp begonnen",
		    "Contact or help begun"), counts, either(r, "na", "after"),
		  workdays, N(workdays), 0, NULL },
		{ either(r, "Afgerond", "Ended"), counts,
		  either(r, "binnen", "within"), months, N(months), 0, NULL },
	};

	audit_report_audit_policy(r, &policy);
	audit_page_heading(p, 2, either(r, "Hoe lang het duurde",
	    "How long it took"));
	audit_page_paragraph(p, either(r, "Van de %s verwijzingen die in deze "
	    "periode zijn aangenomen. Wat nog wacht telt mee: 9 van de 10 is "
	    "gerekend over alles wat niet is weggevallen.",
	    "Of the %s referrals that were accepted in this period. What "
	    "still waits counts: nine of ten is of all that did not fall "
	    "away."), audit_page_count(all->referrals, r->lang).b);
	if (all->referrals == 0)
		return;
	for (size_t i = 0; i < AUDIT_STEPS; i++) {
		const bool days = i == AUDIT_TAKEN_UP ||
		    i == AUDIT_IN_PROGRESS;
		struct audit_report_times_plot plot = plots[i];

		if (i == AUDIT_TAKEN_UP)
			plot.mark = mark_of(kl_policy_term(&policy,
			    KL_POL_TAKE_UP_TERM));
		step(p, r, days ? &all->days[i] : &all->minutes[i], days,
		    &plot);
	}
	steps_of_desks(p, r);
}

/* ---- promised and measured ----------------------------------------------- */

static void
promised_row(struct audit_page *p, const struct audit_report_audit *r,
    enum kl_policy_key key, const char *measured)
{
	const struct kl_policy_row *row = kl_policy_row(key);
	struct kl_policy policy;

	audit_report_audit_policy(r, &policy);
	audit_page_raw(p, "<tr><th scope=\"row\">");
	audit_page_text(p, either(r, row->nl, row->en));
	audit_page_raw(p, "</th>");
	audit_page_cell(p, "%s", row->id);
	audit_page_cell(p, "%s", audit_report_words_term(key,
	    kl_policy_term(&policy, key), r->lang).b);
	audit_page_cell(p, "%s", measured);
	audit_page_row_end(p);
}

static void
promised_due(struct audit_page *p, const struct audit_report_audit *r,
    enum kl_policy_key key, const struct audit_due *d, const char *said)
{
	const uint32_t all = d->kept + d->late + d->missed;
	char b[320];

	if (all == 0)
		(void)snprintf(b, sizeof b, "%s", either(r,
		    "geen enkele termijn liep af", "no term ran out"));
	else
		(void)snprintf(b, sizeof b, either(r,
		    "%s van %s op tijd (%u %%); %s",
		    "%s of %s in time (%u%%); %s"),
		    audit_page_count(d->kept, r->lang).b,
		    audit_page_count(all, r->lang).b,
		    (100 * d->kept + all / 2) / all, said);
	promised_row(p, r, key, b);
}

void
audit_report_times_promised(struct audit_page *p,
    const struct audit_report_audit *r)
{
	const char *columns[] = { either(r, "afspraak", "agreed"),
		either(r, "regel", "rule"), either(r, "termijn", "term"),
		either(r, "gemeten", "measured") };
	const struct audit_page_table t = { .columns = columns, .n = 4,
		.numbers = 4, .whole = true, .caption = either(r,
		"Beloofd en gemeten", "Promised and measured") };
	const struct audit_of *all = &r->m->all;
	const char *not_here = either(r, "staat niet in dit logboek maar bij "
	    "de gemeente zelf: dit logboek ziet alleen 'loopt'",
	    "not in this log but at the municipality itself: this log sees "
	    "'in progress' only");

	audit_page_heading(p, 2, either(r, "Afspraak en praktijk",
	    "Promised and measured"));
	audit_page_table(p, &t);
	promised_due(p, r, KL_POL_PICKUP_ALARM_SENDER, &all->deliver,
	    audit_report_times_said(&all->days[AUDIT_COLLECTED], true,
	    r->lang).b);
	promised_due(p, r, KL_POL_TAKE_UP_TERM, &all->answer,
	    audit_report_times_said(&all->days[AUDIT_TAKEN_UP], true,
	    r->lang).b);
	promised_due(p, r, KL_POL_ERASE_RECEIPT_TERM, &r->m->erasing.due,
	    audit_report_times_said(&r->m->erasing.receipt, false,
	    r->lang).b);
	promised_row(p, r, KL_POL_FIRST_CONTACT_TERM, not_here);
	promised_row(p, r, KL_POL_FIRST_TALK_TERM, not_here);
	promised_row(p, r, KL_POL_DECISION_TERM, not_here);
	audit_page_table_end(p);
	audit_page_note(p, "%s", either(r, "Op tijd is gemeten aan de termijn "
	    "die in het bericht zelf stond, ondertekend door de afzender: met "
	    "de kortere bij spoed en met wat het meldpunt zelf strenger "
	    "belooft. De makelaar weet niet welke verwijzing spoed is.",
	    "In time is measured against the term in the message itself, "
	    "signed by its sender: with the shorter one in a crisis, and "
	    "with what the desk promises that is stricter. The broker does "
	    "not know which referral is a crisis."));
}

/* ---- deadlines ----------------------------------------------------------- */

static void
due_row(struct audit_page *p, const char *what, const struct audit_due *d,
    uint64_t told)
{
	audit_page_row(p, what, false);
	audit_page_number(p, d->kept);
	audit_page_number(p, d->late);
	audit_page_number(p, d->missed);
	audit_page_number(p, d->running);
	audit_page_number(p, d->lapsed);
	audit_page_number(p, told);
	audit_page_row_end(p);
}

void
audit_report_times_deadlines(struct audit_page *p,
    const struct audit_report_audit *r)
{
	const char *columns[] = { either(r, "termijn", "term"),
		either(r, "gehaald", "kept"), either(r, "te laat", "late"),
		either(r, "voorbij, nog niet gedaan", "past, not yet done"),
		either(r, "loopt nog", "still runs"),
		either(r, "weggevallen", "fell away"),
		either(r, "gemeld", "told") };
	const struct audit_page_table t = { .columns = columns, .n = 7,
		.numbers = 1, .whole = true, .caption = either(r,
		"Wat er van termijnen werd", "What became of terms") };

	audit_page_heading(p, 2, either(r, "Te laat", "Overdue"));
	audit_page_table(p, &t);
	due_row(p, either(r, "verwijzing ophalen", "collect the referral"),
	    &r->m->all.deliver, r->m->told_deliver);
	due_row(p, either(r, "verwijzing beantwoorden", "answer the referral"),
	    &r->m->all.answer, r->m->told_answer);
	due_row(p, either(r, "wisbewijs sturen", "send the receipt of erasure"),
	    &r->m->erasing.due, r->m->erasing.escalated);
	audit_page_table_end(p);
	audit_page_note(p, either(r, "'Gemeld' telt wat de makelaar in deze "
	    "periode aan beide kanten meldde, ook over eerdere verwijzingen "
	    "en andere berichten. Bij %u opgehaalde verwijzingen liep geen "
	    "termijn voor een antwoord: zonder toestemming voor "
	    "terugkoppeling, of al voorbij bij het ophalen.",
	    "'Told' counts what the broker told both sides in this period, "
	    "also of earlier referrals and other messages. For %u referrals "
	    "that were collected no term for an answer ran: no consent to "
	    "feedback, or already past when they were collected."),
	    r->m->all.no_answer_due);
}
