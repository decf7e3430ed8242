#include "proto/audit/report_audit.h"

#include <stdio.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

#include "proto/audit/report_counts.h"
#include "proto/audit/report_rules.h"
#include "proto/audit/report_times.h"
#include "proto/audit/report_words.h"
#include "proto/audit/words.h"
#include "proto/cli/output.h"

const char *
audit_report_audit_either(const struct audit_report_audit *r, const char *nl,
    const char *en)
{
	return r->lang == KL_EN ? en : nl;
}

void
audit_report_audit_policy(const struct audit_report_audit *r,
    struct kl_policy *out)
{
	const struct audit_report_load *l = r->n_loads == 0 ? NULL :
	    &r->loads[r->n_loads - 1];

	if (l != NULL && l->held)
		kl_policy_file_at(&l->file, kl_day_of(kl_calendar_local_ms(
		    r->made_ms)), out);
	else
		kl_policy_defaults(out);
}

/* ---- the page ------------------------------------------------------------ */

/* The first and the last day of it. */
static struct audit_report_words
subtitle(const struct audit_report_audit *r)
{
	const int64_t now = r->made_ms / KL_MINUTE_MS;
	const int64_t from = r->m->from != 0 ? r->m->from : r->m->first;
	const int64_t to = r->m->to < now ? r->m->to - 1 : now;
	struct audit_report_words t;

	(void)snprintf(t.b, sizeof t.b, audit_report_audit_either(r,
	    "%.50s tot en met %.50s · stand van %.60s",
	    "%.50s up to and including %.50s · as of %.60s"),
	    audit_report_words_day(kl_day_of(kl_calendar_local_ms(
	    (from != 0 ? from : now) * KL_MINUTE_MS)), r->lang).b,
	    audit_report_words_day(kl_day_of(kl_calendar_local_ms(
	    to * KL_MINUTE_MS)), r->lang).b,
	    audit_report_words_time(r->made_ms, r->lang).b);
	return t;
}

static void
tile_of(struct audit_page *p, uint64_t n, const char *label)
{
	audit_page_tile(p, audit_page_count(n, p->lang).b, label);
}

static void
tile_share(struct audit_page *p, const struct audit_due *d, const char *label)
{
	const uint32_t all = d->kept + d->late + d->missed;
	char b[32] = "–";

	if (all > 0)
		(void)snprintf(b, sizeof b, "%u%s%%",
		    (100 * d->kept + all / 2) / all,
		    audit_page_either(p, " ", ""));
	audit_page_tile(p, b, label);
}

static void
in_short(struct audit_page *p, const struct audit_report_audit *r)
{
	const struct audit_measure *m = r->m;

	audit_page_tiles(p);
	tile_of(p, m->all.referrals, audit_page_either(p,
	    "verwijzingen aangenomen", "referrals accepted"));
	tile_share(p, &m->all.deliver, audit_page_either(p,
	    "op tijd gehaald", "collected in time"));
	tile_share(p, &m->all.answer, audit_page_either(p,
	    "op tijd beantwoord", "answered in time"));
	tile_of(p, m->all.deliver.missed + m->all.answer.missed +
	    m->erasing.due.missed, audit_page_either(p, "nu te laat",
	    "overdue now"));
	tile_of(p, m->erasing.all + m->erasing.feedback_only,
	    audit_page_either(p, "intrekkingen", "withdrawals"));
	tile_of(p, m->all.refused, audit_page_either(p, "weigeringen",
	    "refusals"));
	audit_page_tiles_end(p);
}

static void
how(struct audit_page *p, const struct audit_report_audit *r)
{
	audit_page_heading(p, 2, audit_page_either(p,
	    "Hoe dit rapport telt", "How this report counts"));
	audit_page_paragraph(p, audit_page_either(p, "Aantallen zijn van "
	    "records in de periode (%s in totaal). Doorlooptijden zijn van de "
	    "verwijzingen die in de periode zijn aangenomen; wat er daarna mee "
	    "gebeurde telt mee tot het laatste record dat gelezen is. Het "
	    "logboek kent minuten, geen seconden. Werkdagen zijn die van de "
	    "Algemene termijnenwet; de dag zelf telt niet mee. Een stap die is "
	    "overgeslagen telt als gezet bij de stap erna.",
	    "Counts are of records in the period (%s in all). Durations are "
	    "of the referrals that were accepted in it; what became of them "
	    "counts up to the last record that was read. The log knows "
	    "minutes, not seconds. Working days are those of the Algemene "
	    "termijnenwet; the day itself does not count. A step that was "
	    "passed over counts as taken with the next one."),
	    audit_page_count(r->m->records, p->lang).b);
}

int
audit_report_audit_html(const struct audit_report_audit *r,
    struct audit_page *p)
{
	audit_page_init(p, r->lang);
	audit_page_begin(p, audit_page_either(p, "Toezichtrapport Kortelijn",
	    "Kortelijn audit report"), subtitle(r).b);
	in_short(p, r);
	audit_page_warning(p, "%s", audit_page_either(p, "Dit rapport bevat "
	    "kleine aantallen per organisatie. Het is voor wie het logboek mag "
	    "lezen; geef het niet verder. Om te delen is er het regiorapport "
	    "('kortelijn report region').", "This report holds small counts "
	    "by organisation. It is for those who may read the log; do not "
	    "pass it on. To share there is the regional report ('kortelijn "
	    "report region')."));
	if (r->partial)
		audit_page_warning(p, "%s", audit_page_either(p, "Niet elk "
		    "record was te lezen: omdat wie dit rapport maakte alleen "
		    "de organisaties op de eigen kaart leest, of omdat er "
		    "records ontbreken. De aantallen zijn niet die van het "
		    "hele logboek.", "Not every record was there to read: "
		    "because whoever made this report reads only the "
		    "organisations on their card, or because records are "
		    "missing. The counts are not those of all of the log."));
	audit_report_counts_traffic(p, r);
	audit_report_times_steps(p, r);
	audit_report_times_promised(p, r);
	audit_report_times_deadlines(p, r);
	audit_report_counts_refusals(p, r);
	audit_report_counts_erasing(p, r);
	audit_report_counts_mishaps(p, r);
	audit_report_rules_policy(p, r);
	audit_report_rules_keys(p, r);
	audit_report_rules_log(p, r);
	audit_report_rules_unknown(p, r);
	audit_report_counts_who(p, r);
	how(p, r);
	audit_page_raw(p, "</main>\n<footer>Kortelijn " KL_VERSION "</footer>"
	    "\n");
	return audit_page_end(p);
}
