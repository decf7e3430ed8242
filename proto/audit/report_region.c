#include "proto/audit/report_region.h"

#include <stdlib.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

#include "proto/audit/region_data.h"
#include "proto/audit/report_words.h"
#include "proto/audit/suppress.h"
#include "proto/audit/svg.h"

#define QUARTERS_ABREAST 8	/* columns that fit a sheet */

static const char *
either(const struct audit_report_region *r, const char *nl, const char *en)
{
	return r->lang == KL_EN ? en : nl;
}

/* The word for a step. */
static const char *
step_name(const struct audit_report_region *r, size_t k)
{
	const struct audit_region_data_step *s = audit_region_data_step(k);

	return either(r, s->nl, s->en);
}

int
audit_report_region_begin(struct audit_report_region *r)
{
	const int32_t from = r->from > r->region->from ? r->from :
	    r->region->from;
	const int32_t to = r->to < r->region->to ? r->to : r->region->to;
	int err = KL_OK;

	r->n = 0;
	if (r->below < AUDIT_SUPPRESS_LEAST)
		r->below = AUDIT_SUPPRESS_LEAST;
	r->tables = calloc(from < to ? (size_t)(to - from) : 1,
	    sizeof *r->tables);
	if (r->tables == NULL)
		return KL_E_MEMORY;
	for (int32_t q = from; err == KL_OK && q < to; q++) {
		err = audit_region_table(r->region, q, r->below,
		    &r->tables[r->n]);
		r->n += err == KL_OK;
	}
	return err;
}

void
audit_report_region_clear(struct audit_report_region *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->tables[i].rows);
	free(r->tables);
	r->tables = NULL;
	r->n = 0;
}

struct audit_report_region_text
audit_report_region_rule(uint32_t below, enum kl_lang lang)
{
	struct audit_report_region_text t;

	(void)snprintf(t.b, sizeof t.b, lang == KL_EN ?
	    "x = hidden. A count below %u is not shown, and neither is zero "
	    "(small_numbers_below, P53). Where a hidden count could be "
	    "worked out from others, also by an organisation that knows its "
	    "own, more are hidden, a total if need be. Each quarter is "
	    "counted by itself, after it is over, and does not change "
	    "afterwards: two reports cannot be subtracted." :
	    "x = verborgen. Een aantal onder %u staat er niet, nul ook niet "
	    "(small_numbers_below, P53). Waar een verborgen aantal uit "
	    "andere te berekenen zou zijn, ook door een organisatie die haar "
	    "eigen aantallen kent, zijn er meer verborgen, zo nodig een "
	    "totaal. Elk kwartaal is apart geteld, na afloop, en verandert "
	    "daarna niet meer: twee rapporten zijn niet van elkaar af te "
	    "trekken.", below);
	return t;
}

struct audit_report_region_text
audit_report_region_line(uint32_t below, enum kl_lang lang)
{
	struct audit_report_region_text t;

	(void)snprintf(t.b, sizeof t.b, lang == KL_EN ?
	    "x = hidden: below %u, zero too, or needed so that such a count "
	    "cannot be worked out (P53). Quarters stand by themselves." :
	    "x = verborgen: onder %u, ook nul, of nodig om zo'n aantal niet "
	    "te verraden (P53). Elk kwartaal staat op zichzelf.", below);
	return t;
}

/* ---- cells --------------------------------------------------------------- */

static void
cell(struct audit_page *p, const struct audit_region_cell *c)
{
	if (!c->hidden)
		audit_page_number(p, c->n);
	else
		audit_page_rawf(p, "<td class=\"num\"><abbr title=\"%s\">x"
		    "</abbr></td>", audit_page_either(p, "verborgen",
		    "hidden"));
}

static void
rule(struct audit_page *p, const struct audit_report_region *r)
{
	audit_page_note(p, "%s",
	    audit_report_region_line(r->below, r->lang).b);
}

/* The last row of a table is that of the region. */
static const struct audit_region_row *
all(const struct audit_region_table *t)
{
	return &t->rows[t->municipalities + t->practices];
}

static const struct audit_region_row *
row_of(const struct audit_region_table *t, uint32_t org)
{
	for (size_t i = 0; i <= t->municipalities + t->practices; i++)
		if (t->rows[i].org == org)
			return &t->rows[i];
	return NULL;
}

static struct audit_report_words
heading_of(const struct audit_report_region *r, uint32_t org)
{
	struct audit_report_words t;

	if (org != AUDIT_ORG_NONE)
		return audit_report_words_org(r->names,
		    &r->region->orgs.ids[org]);
	(void)snprintf(t.b, sizeof t.b, "%s", either(r, "Hele regio",
	    "All of the region"));
	return t;
}

/* ---- by quarter ---------------------------------------------------------- */

/* The referrals of one row over some quarters; their sum only where that tells
 * nothing new. An organisation that came later has nothing before. */
static void
quarters_row(struct audit_page *p, const struct audit_report_region *r,
    uint32_t org, size_t at, size_t n)
{
	uint64_t sum = 0;
	bool hidden = false;

	audit_page_row(p, heading_of(r, org).b, org == AUDIT_ORG_NONE);
	for (size_t i = at; i < at + n; i++) {
		const struct audit_region_row *row = row_of(&r->tables[i],
		    org);

		if (row == NULL) {
			audit_page_raw(p, "<td class=\"num\">–</td>");
			hidden = true;
			continue;
		}
		cell(p, &row->cells[AUDIT_REGION_REFERRED]);
		sum += row->cells[AUDIT_REGION_REFERRED].n;
		hidden |= row->cells[AUDIT_REGION_REFERRED].hidden;
	}
	if (hidden)
		audit_page_raw(p, "<td class=\"num\"></td>");
	else
		audit_page_number(p, sum);
	audit_page_row_end(p);
}

static void
quarters_some(struct audit_page *p, const struct audit_report_region *r,
    bool practices, size_t at, size_t n)
{
	struct audit_report_words titles[QUARTERS_ABREAST];
	const char *columns[QUARTERS_ABREAST + 2];
	const struct audit_region_table *last = &r->tables[at + n - 1];
	const size_t first = practices ? last->municipalities : 0;
	const size_t rows = practices ? last->practices :
	    last->municipalities;
	struct audit_page_table t = { .columns = columns, .n = n + 2,
		.numbers = 1, .caption = practices ?
		either(r, "Verwijzingen, per praktijk",
		    "Referrals, by practice") :
		either(r, "Verwijzingen, per gemeente",
		    "Referrals, by municipality") };

	columns[0] = practices ? either(r, "praktijk", "practice") :
	    either(r, "gemeente", "municipality");
	for (size_t i = 0; i < n; i++) {
		titles[i] = audit_report_words_quarter_short(
		    r->tables[at + i].quarter, r->lang);
		columns[1 + i] = titles[i].b;
	}
	columns[n + 1] = either(r, "samen", "together");
	audit_page_table(p, &t);
	for (size_t i = 0; i < rows; i++)
		quarters_row(p, r, last->rows[first + i].org, at, n);
	quarters_row(p, r, AUDIT_ORG_NONE, at, n);
	audit_page_table_end(p);
}

static void
quarters(struct audit_page *p, const struct audit_report_region *r,
    bool practices)
{
	for (size_t at = 0; at < r->n; at += QUARTERS_ABREAST)
		quarters_some(p, r, practices, at,
		    r->n - at < QUARTERS_ABREAST ? r->n - at :
		    QUARTERS_ABREAST);
	rule(p, r);
	audit_page_note(p, "%s", either(r,
	    "De kolom 'samen' is alleen ingevuld waar elk kwartaal er staat. "
	    "Een streepje: deze organisatie deed toen nog niet mee.",
	    "The column 'together' is filled only where each quarter is "
	    "there. A dash: this organisation took no part then."));
}

/* ---- by step ------------------------------------------------------------- */

static void
steps_table(struct audit_page *p, const struct audit_report_region *r,
    const struct audit_region_table *t, bool practices)
{
	const char *columns[AUDIT_REGION_STEPS + 1];
	const size_t first = practices ? t->municipalities : 0;
	const size_t rows = practices ? t->practices : t->municipalities;
	struct audit_report_words caption = audit_report_words_quarter(
	    t->quarter, r->lang);
	struct audit_page_table table = { .caption = caption.b,
		.columns = columns, .n = AUDIT_REGION_STEPS + 1,
		.numbers = 1 };

	columns[0] = practices ? either(r, "praktijk", "practice") :
	    either(r, "gemeente", "municipality");
	for (size_t k = 0; k < AUDIT_REGION_STEPS; k++)
		columns[1 + k] = step_name(r, k);
	audit_page_table(p, &table);
	for (size_t i = 0; i <= rows; i++) {
		const struct audit_region_row *row = i < rows ?
		    &t->rows[first + i] : all(t);

		audit_page_row(p, heading_of(r, row->org).b, i == rows);
		for (size_t k = 0; k < AUDIT_REGION_STEPS; k++)
			cell(p, &row->cells[k]);
		audit_page_row_end(p);
	}
	audit_page_table_end(p);
	rule(p, r);
}

static void
steps_words(struct audit_page *p, const struct audit_report_region *r)
{
	const char *columns[2] = { either(r, "stap", "step"),
		either(r, "betekent", "means") };
	const struct audit_page_table t = { .columns = columns, .n = 2,
		.numbers = 2, .whole = true, .caption = either(r, "De stappen",
		"The steps") };

	audit_page_table(p, &t);
	for (size_t k = 0; k < AUDIT_REGION_STEPS; k++) {
		const struct audit_region_data_step *s =
		    audit_region_data_step(k);

		audit_page_row(p, step_name(r, k), false);
		audit_page_cell(p, "%s", either(r, s->nl_means,
		    s->en_means));
		audit_page_row_end(p);
	}
	audit_page_table_end(p);
}

/* ---- the page ------------------------------------------------------------ */

static int32_t
first_day(int32_t quarter)
{
	return kl_day_make(quarter / 4, 3 * (quarter % 4) + 1, 1);
}

static struct audit_report_words
subtitle(const struct audit_report_region *r)
{
	const int32_t today = kl_day_of(kl_calendar_local_ms(r->made_ms));
	struct audit_report_words t;

	if (r->n == 0)
		(void)snprintf(t.b, sizeof t.b, either(r,
		    "stand van %.60s", "as of %.60s"),
		    audit_report_words_day(today, r->lang).b);
	else
		(void)snprintf(t.b, sizeof t.b, either(r,
		    "%.50s tot en met %.50s · stand van %.50s",
		    "%.50s up to and including %.50s · as of %.50s"),
		    audit_report_words_day(first_day(r->tables[0].quarter),
		    r->lang).b, audit_report_words_day(first_day(
		    r->tables[r->n - 1].quarter + 1) - 1, r->lang).b,
		    audit_report_words_day(today, r->lang).b);
	return t;
}

static void
tiles(struct audit_page *p, const struct audit_report_region *r)
{
	const struct audit_region_table *t = &r->tables[r->n - 1];
	char label[256];

	audit_page_tiles(p);
	for (size_t k = 0; k <= AUDIT_REGION_ENDED; k++) {
		const struct audit_region_cell *c = &all(t)->cells[k];

		(void)snprintf(label, sizeof label, "%s, %s",
		    step_name(r, k),
		    audit_report_words_quarter(t->quarter, r->lang).b);
		audit_page_tile(p, c->hidden ? "x" :
		    audit_page_count(c->n, r->lang).b, label);
	}
	audit_page_tiles_end(p);
	rule(p, r);
}

/* Only quarters whose total may be shown. */
static void
plot(struct audit_page *p, const struct audit_report_region *r)
{
	struct audit_report_words labels[AUDIT_SVG_BARS_MAX];
	struct audit_svg_bar bars[AUDIT_SVG_BARS_MAX];
	struct audit_svg_chart c = {
		.title = either(r, "Verwijzingen in de regio, per kwartaal",
		    "Referrals in the region, by quarter"),
		.counts = either(r, "verwijzingen", "referrals"),
		.rows = either(r, "kwartaal", "quarter"),
		.n_series = 1, .bars = bars };

	for (size_t i = 0; i < r->n && c.n < AUDIT_SVG_BARS_MAX; i++) {
		const struct audit_region_cell *v =
		    &all(&r->tables[i])->cells[AUDIT_REGION_REFERRED];

		if (v->hidden)
			continue;
		labels[c.n] = audit_report_words_quarter_short(
		    r->tables[i].quarter, r->lang);
		bars[c.n] = (struct audit_svg_bar){ .value = { v->n },
			.label = labels[c.n].b };
		c.n++;
	}
	if (c.n < 2)
		return;
	audit_svg_columns(p, &c);
	if (c.n < r->n)
		audit_page_note(p, "%s", either(r,
		    "Kwartalen waarvan het totaal verborgen is, ontbreken.",
		    "Quarters whose total is hidden are left out."));
}

static void
told(struct audit_page *p, const struct audit_report_region *r)
{
	tiles(p, r);
	audit_page_heading(p, 2, either(r, "Verwijzingen per kwartaal",
	    "Referrals by quarter"));
	plot(p, r);
	quarters(p, r, false);
	quarters(p, r, true);
	audit_page_heading(p, 2, either(r, "Wat ervan werd, per gemeente",
	    "What became of them, by municipality"));
	steps_words(p, r);
	for (size_t i = 0; i < r->n; i++)
		steps_table(p, r, &r->tables[i], false);
	audit_page_heading(p, 2, either(r, "Wat ervan werd, per praktijk",
	    "What became of them, by practice"));
	for (size_t i = 0; i < r->n; i++)
		steps_table(p, r, &r->tables[i], true);
}

static void
how(struct audit_page *p, const struct audit_report_region *r)
{
	audit_page_heading(p, 2, either(r, "Hoe dit rapport telt",
	    "How this report counts"));
	audit_page_paragraph(p, "%s", either(r,
	    "Geteld zijn verwijzingen van praktijken naar gemeenten, uit het "
	    "logboek van de makelaar. Dat logboek kent geen personen. Elke "
	    "verwijzing telt bij elke stap één keer, in het kwartaal waarin "
	    "die stap is gezet; wat in het ene kwartaal verwezen is, kan in "
	    "het volgende zijn opgepakt. Een stap die is overgeslagen telt "
	    "mee met de stap erna. Zonder toestemming voor terugkoppeling "
	    "blijven de stappen na 'gehaald' onbekend.",
	    "Counted are referrals of practices to municipalities, out of "
	    "the broker's log. That log knows no persons. Each referral "
	    "counts once at each step, in the quarter in which the step was "
	    "taken; what was referred in one quarter may be taken up in the "
	    "next. A step that was passed over counts with the next one. "
	    "Without consent to feedback the steps after 'collected' stay "
	    "unknown."));
	audit_page_paragraph(p, "%s",
	    audit_report_region_rule(r->below, r->lang).b);
	audit_page_paragraph(p, "%s", either(r,
	    "Een kwartaal dat nog loopt staat er niet in. Doorverwijzingen "
	    "van een gemeente naar een partner evenmin: die horen bij een "
	    "verwijzing die al geteld is. Er bestaat geen uitvoer van "
	    "Kortelijn met personen.",
	    "A quarter that is not over is not in it. Neither are referrals "
	    "on from a municipality to a partner: they belong to one that is "
	    "counted. No export of Kortelijn holds persons."));
}

int
audit_report_region_html(const struct audit_report_region *r,
    struct audit_page *p)
{
	audit_page_init(p, r->lang);
	audit_page_begin(p, either(r, "Regiorapport verwijzingen",
	    "Regional report on referrals"), subtitle(r).b);
	audit_page_paragraph(p, "%s", either(r,
	    "Hoeveel inwoners met geldzorgen huisartsenpraktijken in deze "
	    "regio naar hun gemeente verwezen, en hoe ver die verwijzingen "
	    "kwamen. Dit rapport bevat alleen aantallen, en geen aantal dat "
	    "iets over één persoon zegt: u kunt het met anderen delen.",
	    "How many residents with money worries general practices in this "
	    "region referred to their municipality, and how far those "
	    "referrals came. This report holds counts only, and none that "
	    "tells of one person: you may share it."));
	if (r->partial)
		audit_page_warning(p, "%s", either(r,
		    "Niet elk record van het logboek was te lezen: omdat wie "
		    "dit rapport maakte alleen de organisaties op de eigen "
		    "kaart leest, of omdat er records ontbreken. 'Hele regio' "
		    "is hier het deel dat er was. Leg dit rapport niet naast "
		    "een van de hele regio, en deel het niet.",
		    "Not every record of the log was there to read: because "
		    "whoever made this report reads only the organisations on "
		    "their card, or because records are missing. 'All of the "
		    "region' is the part that was there. Do not lay this "
		    "report beside one of the whole region, and do not share "
		    "it."));
	if (r->n == 0)
		audit_page_warning(p, "%s", either(r,
		    "In deze periode ligt geen kwartaal dat voorbij is en "
		    "waarvan het logboek er helemaal nog is.",
		    "No quarter in this period is over and still in the log "
		    "as a whole."));
	else
		told(p, r);
	how(p, r);
	audit_page_raw(p, "</main>\n<footer>Kortelijn " KL_VERSION "</footer>"
	    "\n");
	return audit_page_end(p);
}
