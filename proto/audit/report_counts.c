#include "proto/audit/report_counts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/code.h>

#include "proto/audit/report_times.h"
#include "proto/audit/report_words.h"
#include "proto/audit/svg.h"
#include "proto/audit/words.h"

#define either audit_report_audit_either
#define PAIRS_SHOWN 60		/* rows; the page says how many more */

/* ---- traffic ------------------------------------------------------------- */

/* Longer than two years: by year. */
static size_t
months_bars(const struct audit_report_audit *r, struct audit_svg_bar *bars,
    struct audit_report_words *labels)
{
	const struct audit_measure *m = r->m;
	const bool years = m->n_months > 24;
	size_t n = 0;

	for (size_t i = 0; i < m->n_months && n < AUDIT_SVG_BARS_MAX; i++) {
		const int32_t month = m->months[i].month;

		if (n == 0 || !years ||
		    m->months[i - 1].month / 12 != month / 12) {
			labels[n] = audit_report_words_month_short(month,
			    r->lang);
			if (years)
				(void)snprintf(labels[n].b,
				    sizeof labels[n].b, "%d", month / 12);
			bars[n] = (struct audit_svg_bar){
				.label = labels[n].b };
			n++;
		}
		bars[n - 1].value[0] += m->months[i].n[KL_REFERRAL];
		bars[n - 1].value[1] += m->months[i].n[KL_FEEDBACK];
		bars[n - 1].value[2] += m->months[i].n[KL_CORRECTION];
	}
	return n;
}

static void
months(struct audit_page *p, const struct audit_report_audit *r)
{
	const char *series[] = { either(r, "verwijzingen", "referrals"),
		either(r, "terugkoppelingen", "feedback"),
		either(r, "correcties", "corrections") };
	struct audit_report_words labels[AUDIT_SVG_BARS_MAX];
	struct audit_svg_bar bars[AUDIT_SVG_BARS_MAX];
	const bool years = r->m->n_months > 24;
	const struct audit_svg_chart c = {
		.title = years ? either(r, "Aangenomen berichten, per jaar",
		    "Accepted messages, by year") :
		    either(r, "Aangenomen berichten, per maand",
		    "Accepted messages, by month"),
		.counts = either(r, "berichten", "messages"),
		.rows = years ? either(r, "jaar", "year") :
		    either(r, "maand", "month"),
		.series = series, .n_series = 3, .bars = bars,
		.n = months_bars(r, bars, labels) };

	audit_svg_columns(p, &c);
}

/* Municipalities before practices, then by their ids. */
static int
by_role(const void *a, const void *b, void *arg)
{
	static const uint32_t order[] = { 9, 2, 1, 3, 4, 5 };
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct audit_orgs *o = arg;
	const uint32_t at = order[o->roles[x] % 6], bt = order[o->roles[y] %
	    6];

	return at != bt ? (at < bt ? -1 : 1) :
	    memcmp(&o->ids[x], &o->ids[y], sizeof *o->ids);
}

static void
orgs_row(struct audit_page *p, const struct audit_of *o, const char *role)
{
	audit_page_cell(p, "%s", role);
	audit_page_number(p, o->sent[KL_REFERRAL]);
	audit_page_number(p, o->received[KL_REFERRAL]);
	audit_page_number(p, o->sent[KL_FEEDBACK]);
	audit_page_number(p, o->sent[KL_CORRECTION]);
	audit_page_number(p, o->refused);
	audit_page_row_end(p);
}

static void
orgs(struct audit_page *p, const struct audit_report_audit *r)
{
	const char *columns[] = { either(r, "organisatie", "organisation"),
		either(r, "rol", "role"),
		either(r, "verwees", "referred"),
		either(r, "kreeg verwezen", "was referred"),
		either(r, "koppelde terug", "gave feedback"),
		either(r, "corrigeerde", "corrected"),
		either(r, "geweigerd", "refused") };
	const struct audit_page_table t = { .columns = columns, .n = 7,
		.numbers = 2, .caption = either(r, "Berichten en weigeringen",
		"Messages and refusals") };

	const uint32_t n = r->m->orgs.n;
	uint32_t *list = calloc((size_t)n + 1, sizeof *list);

	if (list == NULL) {
		p->err = KL_E_MEMORY;
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		list[i] = i;
	qsort_r(list, n, sizeof *list, by_role, (void *)&r->m->orgs);
	audit_page_table(p, &t);
	for (uint32_t i = 0; i < n; i++) {
		audit_page_row(p, audit_report_words_org(r->names,
		    &r->m->orgs.ids[list[i]]).b, false);
		orgs_row(p, &r->m->of[list[i]], audit_words_role(
		    r->m->orgs.roles[list[i]], r->lang));
	}
	audit_page_row(p, either(r, "Samen", "Together"), true);
	orgs_row(p, &r->m->all, "");
	audit_page_table_end(p);
	free(list);
}

static int
by_referrals(const void *a, const void *b)
{
	const struct audit_pair *x = a, *y = b;

	if (x->n[KL_REFERRAL] != y->n[KL_REFERRAL])
		return x->n[KL_REFERRAL] > y->n[KL_REFERRAL] ? -1 : 1;
	return x->from != y->from ? (x->from < y->from ? -1 : 1) :
	    x->to < y->to ? -1 : x->to > y->to;
}

static uint32_t
between(const struct audit_measure *m, uint32_t from, uint32_t to,
    uint32_t kind)
{
	for (size_t i = 0; i < m->n_pairs; i++)
		if (m->pairs[i].from == from && m->pairs[i].to == to)
			return m->pairs[i].n[kind];
	return 0;
}

static void
pairs_rows(struct audit_page *p, const struct audit_report_audit *r,
    const struct audit_pair *v, size_t n)
{
	const struct audit_measure *m = r->m;

	for (size_t i = 0; i < n && i < PAIRS_SHOWN; i++) {
		audit_page_row(p, audit_report_words_org(r->names,
		    &m->orgs.ids[v[i].from]).b, false);
		audit_page_cell(p, "%s", audit_report_words_org(r->names,
		    &m->orgs.ids[v[i].to]).b);
		audit_page_number(p, v[i].n[KL_REFERRAL]);
		audit_page_number(p, v[i].n[KL_CORRECTION]);
		audit_page_number(p, between(m, v[i].to, v[i].from,
		    KL_FEEDBACK));
		audit_page_row_end(p);
	}
}

static void
pairs(struct audit_page *p, const struct audit_report_audit *r)
{
	const char *columns[] = { either(r, "van", "from"),
		either(r, "aan", "to"), either(r, "verwijzingen", "referrals"),
		either(r, "correcties", "corrections"),
		either(r, "terugkoppelingen", "feedback back") };
	const struct audit_page_table t = { .columns = columns, .n = 5,
		.numbers = 2, .caption = either(r, "Wie naar wie verwees",
		"Who referred to whom") };
	struct audit_pair *v = calloc(r->m->n_pairs + 1, sizeof *v);
	size_t n = 0;

	if (v == NULL) {
		p->err = KL_E_MEMORY;
		return;
	}
	for (size_t i = 0; i < r->m->n_pairs; i++)
		if (r->m->pairs[i].n[KL_REFERRAL] > 0)
			v[n++] = r->m->pairs[i];
	qsort(v, n, sizeof *v, by_referrals);
	audit_page_table(p, &t);
	pairs_rows(p, r, v, n);
	audit_page_table_end(p);
	if (n > PAIRS_SHOWN)
		audit_page_note(p, either(r, "En nog %zu paren met minder "
		    "verwijzingen; --json heeft ze alle.", "And %zu more "
		    "pairs with fewer referrals; --json has them all."),
		    n - PAIRS_SHOWN);
	free(v);
}

void
audit_report_counts_traffic(struct audit_page *p,
    const struct audit_report_audit *r)
{
	audit_page_heading(p, 2, either(r, "Verkeer", "Traffic"));
	if (r->m->n_months == 0) {
		audit_page_paragraph(p, "%s", either(r,
		    "In deze periode is geen bericht aangenomen.",
		    "No message was accepted in this period."));
		return;
	}
	months(p, r);
}

void
audit_report_counts_who(struct audit_page *p,
    const struct audit_report_audit *r)
{
	if (r->m->n_months == 0)
		return;
	audit_page_heading(p, 2, either(r, "Per organisatie",
	    "By organisation"));
	orgs(p, r);
	pairs(p, r);
}

/* ---- refusals ------------------------------------------------------------ */

static void
codes(struct audit_page *p, const struct audit_report_audit *r,
    const uint64_t *n, const char *caption)
{
	const char *columns[] = { either(r, "reden", "reason"),
		either(r, "code", "code"), either(r, "keer", "times") };
	const struct audit_page_table t = { .columns = columns, .n = 3,
		.numbers = 2, .caption = caption, .whole = true };

	audit_page_table(p, &t);
	for (uint32_t i = 0; i < AUDIT_MEASURE_CODES; i++) {
		if (n[i] == 0)
			continue;
		audit_page_row(p, i == KL_C_OK ? either(r, "zonder reden",
		    "no reason given") : audit_words_reason(i, r->lang),
		    false);
		audit_page_cell(p, "%s", kl_code_name(i));
		audit_page_number(p, n[i]);
		audit_page_row_end(p);
	}
	audit_page_table_end(p);
}

static uint64_t
sum(const uint64_t *n)
{
	uint64_t all = 0;

	for (size_t i = 0; i < AUDIT_MEASURE_CODES; i++)
		all += n[i];
	return all;
}

void
audit_report_counts_refusals(struct audit_page *p,
    const struct audit_report_audit *r)
{
	audit_page_heading(p, 2, either(r, "Geweigerd", "Refused"));
	if (sum(r->m->refused) == 0)
		audit_page_paragraph(p, "%s", either(r,
		    "De makelaar weigerde niets.",
		    "The broker refused nothing."));
	else
		codes(p, r, r->m->refused, either(r,
		    "Door de makelaar geweigerd, naar reden",
		    "Refused by the broker, by reason"));
	if (sum(r->m->dead) > 0)
		codes(p, r, r->m->dead, either(r,
		    "Door de ontvanger teruggewezen, naar reden",
		    "Turned back by the receiver, by reason"));
	audit_page_note(p, "%s", either(r, "Weigeringen staan in het logboek "
	    "per deelnemer, reden en minuut, met hun aantal. Wat zonder "
	    "geldige sleutel aanklopt staat er niet in.",
	    "The log has refusals by participant, reason and minute, with "
	    "their number. What knocks without a valid key is not in it."));
}

/* ---- withdrawal and erasure ---------------------------------------------- */

static const struct audit_report_times_bin at_once[] = {
	{ 1, "dezelfde minuut", "the same minute" },
	{ 6, "5 minuten", "5 minutes" },
	{ 61, "1 uur", "1 hour" },
	{ 24 * 60 + 1, "1 dag", "1 day" },
	{ 0, "langer", "longer" },
};
static const struct audit_report_times_bin receipts[] = {
	{ 61, "1 uur", "1 hour" },
	{ 24 * 60 + 1, "1 dag", "1 day" },
	{ 2 * 24 * 60 + 1, "2 dagen", "2 days" },
	{ 7 * 24 * 60 + 1, "1 week", "1 week" },
	{ 14 * 24 * 60 + 1, "2 weken", "2 weeks" },
	{ 0, "langer", "longer" },
};

static void
erased(struct audit_page *p, const struct audit_report_audit *r)
{
	const struct audit_erasing *e = &r->m->erasing;
	const struct audit_report_times_plot plot = {
		.title = either(r, "Van intrekking tot laatste wissen bij de "
		    "makelaar", "From withdrawal to the last erasure at the "
		    "broker"),
		.counts = either(r, "intrekkingen", "withdrawals"),
		.rows = either(r, "binnen", "within"), .bins = at_once,
		.n = sizeof at_once / sizeof at_once[0] };

	audit_page_heading(p, 3, plot.title);
	audit_page_paragraph(p, "%s: %s.", either(r, "Gemeten", "Measured"),
	    audit_report_times_said(&e->erased, false, r->lang).b);
	audit_report_times_spread(p, &e->erased, &plot);
	audit_page_note(p, either(r, "Niets meer te wissen: %u keer. Alles "
	    "was dan al afgeleverd, en daarmee al gewist.",
	    "Nothing left to erase: %u times. All was delivered then, and "
	    "erased with that."), e->nothing_held);
}

static void
receipts_plot(struct audit_page *p, const struct audit_report_audit *r)
{
	const struct audit_erasing *e = &r->m->erasing;
	const struct audit_report_times_plot plot = {
		.title = either(r, "Van wisverzoek tot ondertekend wisbewijs",
		    "From the request to erase to its signed receipt"),
		.counts = either(r, "wisverzoeken", "requests"),
		.rows = either(r, "binnen", "within"), .bins = receipts,
		.n = sizeof receipts / sizeof receipts[0] };

	audit_page_heading(p, 3, plot.title);
	audit_page_paragraph(p, "%s: %s.", either(r, "Gemeten", "Measured"),
	    audit_report_times_said(&e->receipt, false, r->lang).b);
	audit_report_times_spread(p, &e->receipt, &plot);
	if (e->escalated > 0)
		audit_page_warning(p, either(r, "%u keer bleef een wisbewijs "
		    "uit tot na de termijn; dat is aan beide kanten gemeld.",
		    "%u times a receipt of erasure was missing at its "
		    "deadline; both sides were told."), e->escalated);
}

void
audit_report_counts_erasing(struct audit_page *p,
    const struct audit_report_audit *r)
{
	const struct audit_erasing *e = &r->m->erasing;

	audit_page_heading(p, 2, either(r, "Intrekken en wissen",
	    "Withdrawal and erasure"));
	if (e->all + e->feedback_only == 0) {
		audit_page_paragraph(p, "%s", either(r,
		    "Er is in deze periode geen toestemming ingetrokken.",
		    "No consent was withdrawn in this period."));
	} else {
		audit_page_paragraph(p, either(r, "Ingetrokken: %u keer "
		    "helemaal en %u keer alleen de terugkoppeling. %u keer "
		    "via een praktijk, %u keer via een gemeente, %u keer "
		    "anders.", "Withdrawn: %u times altogether and %u times "
		    "the feedback only. %u times through a practice, %u times "
		    "through a municipality, %u times otherwise."), e->all,
		    e->feedback_only, e->by_practice, e->by_municipality,
		    e->by_other);
		erased(p, r);
	}
	if (e->shown_again > 0)
		audit_page_note(p, either(r, "Niet meegeteld: %u keer is een "
		    "intrekking na verlies van de opslag opnieuw getoond. Die "
		    "is van daarvoor.", "Not counted: %u times a withdrawal "
		    "was shown again after a loss of the store. It is from "
		    "before."), e->shown_again);
	if (e->receipt.n + e->receipt.open > 0)
		receipts_plot(p, r);
}

/* ---- what went wrong ----------------------------------------------------- */

void
audit_report_counts_mishaps(struct audit_page *p,
    const struct audit_report_audit *r)
{
	static const struct {
		uint32_t event;
		const char *nl, *en;
	} rows[] = {
		{ KL_EV_EXPIRED, "verlopen: nooit opgehaald",
		  "expired: never collected" },
		{ KL_EV_UNCONFIRMED, "onbevestigd: afgegeven, geen "
		  "ontvangstbewijs", "unconfirmed: released, no receipt" },
		{ KL_EV_DEAD, "niet af te leveren", "not deliverable" },
		{ KL_EV_LOST, "bij de ontvanger verloren, opnieuw gevraagd",
		  "lost at the receiver, asked for again" },
		{ KL_EV_TAKE_OVER, "installatie overgenomen",
		  "installation taken over" },
		{ KL_EV_PRESENTED, "opnieuw getoond na verlies van de opslag",
		  "shown again after a loss of the store" },
		{ KL_EV_CONFLICT, "zelfde nummer, andere inhoud (minuten)",
		  "same number, other content (minutes)" },
		{ KL_EV_BLOCKED, "deelnemer geblokkeerd of vrijgegeven",
		  "participant blocked or released" },
		{ KL_EV_REVOCATION, "kaart ingetrokken", "card revoked" },
	};
	const char *columns[] = { either(r, "gebeurtenis", "event"),
		either(r, "keer", "times") };
	const struct audit_page_table t = { .columns = columns, .n = 2,
		.numbers = 1, .whole = true, .caption = either(r,
		"Wat niet gewoon verliep", "What did not go as usual") };

	audit_page_heading(p, 2, either(r, "Bijzonderheden", "Mishaps"));
	audit_page_table(p, &t);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		audit_page_row(p, either(r, rows[i].nl, rows[i].en), false);
		audit_page_number(p, r->m->events[rows[i].event]);
		audit_page_row_end(p);
	}
	audit_page_table_end(p);
}
