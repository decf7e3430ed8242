#include "proto/audit/report_rules.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

#include "proto/audit/report_words.h"

#define either audit_report_audit_either
#define FEW_ROWS 8		/* that fit a sheet */

/* ---- what was looser ----------------------------------------------------- */

static int64_t
day_minute(int32_t day)
{
	return kl_calendar_instant_ms(kl_day_start_ms(day)) / KL_MINUTE_MS;
}

static bool
same(const struct audit_report_rules_looser *a,
    const struct audit_report_rules_looser *b)
{
	return a->key == b->key && a->counted == b->counted &&
	    a->value.n == b->value.n && a->value.unit == b->value.unit &&
	    a->to == b->from && strcmp(a->by->approved_by,
	    b->by->approved_by) == 0 && a->by->review_on == b->by->review_on;
}

static void
looser_put(struct audit_report_rules_list *l,
    const struct audit_report_rules_looser *v)
{
	if (v->from >= v->to)
		return;
	if (l->n > 0 && l->n <= AUDIT_REPORT_LOOSER_MAX &&
	    same(&l->v[l->n - 1], v)) {
		l->v[l->n - 1].to = v->to;
		return;
	}
	if (l->n < AUDIT_REPORT_LOOSER_MAX)
		l->v[l->n] = *v;
	l->n++;
}

/* An approval counts from its first to its last day; before and after, and
 * without one, the default does. */
static void
looser_in(const struct audit_report_load *load, enum kl_policy_key key,
    int64_t from, int64_t to, struct audit_report_rules_list *l)
{
	const struct kl_policy_override *by = &load->file.override[key];
	struct audit_report_rules_looser v = { .key = key, .by = by,
		.value = load->file.asked[key] };
	const bool approved = by->given && by->legal_basis[0] != '\0' &&
	    by->approved_by[0] != '\0' && by->approved_on != 0 &&
	    by->review_on != 0;
	int64_t begin = approved ? day_minute(by->approved_on) : to;
	int64_t end = approved ? day_minute(by->review_on + 1) : to;

	begin = begin < from ? from : begin > to ? to : begin;
	end = end < begin ? begin : end > to ? to : end;
	v.from = from;
	v.to = begin;
	looser_put(l, &v);
	v.from = begin;
	v.to = end;
	v.counted = true;
	looser_put(l, &v);
	v.from = end;
	v.to = to;
	v.counted = false;
	looser_put(l, &v);
}

/* What is not over yet is not foretold; the minute that runs counts. */
static int64_t
period_end(const struct audit_report_audit *r)
{
	const int64_t now = r->made_ms / KL_MINUTE_MS;

	return r->m->to <= now ? r->m->to : now + 1;
}

void
audit_report_rules_looser(const struct audit_report_audit *r,
    struct audit_report_rules_list *out)
{
	*out = (struct audit_report_rules_list){ .n = 0 };
	for (int key = 0; key < KL_POL_COUNT; key++)
		for (size_t i = 0; i < r->n_loads; i++) {
			const struct audit_report_load *l = &r->loads[i];
			const int64_t from = l->minute > r->m->from ?
			    l->minute : r->m->from;
			const int64_t to = i + 1 < r->n_loads ?
			    r->loads[i + 1].minute : period_end(r);

			if (l->held && !kl_policy_fixed(
			    (enum kl_policy_key)key) &&
			    !kl_policy_strict((enum kl_policy_key)key,
			    l->file.asked[key], kl_policy_row(
			    (enum kl_policy_key)key)->value))
				looser_in(l, (enum kl_policy_key)key, from,
				    to, out);
		}
	for (size_t i = 0; i < out->n && i < AUDIT_REPORT_LOOSER_MAX; i++)
		if (out->v[i].to > r->made_ms / KL_MINUTE_MS)
			out->v[i].to = INT64_MAX;
}

static struct audit_report_words
when(const struct audit_report_audit *r, int64_t minute)
{
	struct audit_report_words t;

	if (minute != INT64_MAX)
		return audit_report_words_time(minute * KL_MINUTE_MS,
		    r->lang);
	(void)snprintf(t.b, sizeof t.b, "%s", either(r, "nu nog", "still"));
	return t;
}

static void
looser_row(struct audit_page *p, const struct audit_report_audit *r,
    const struct audit_report_rules_looser *v)
{
	const struct kl_policy_row *row = kl_policy_row(v->key);
	struct audit_report_words review;

	audit_page_raw(p, "<tr><th scope=\"row\">");
	audit_page_text(p, either(r, row->nl, row->en));
	audit_page_rawf(p, "<br><code>%s</code> (%s)</th>", row->key,
	    row->id);
	audit_page_cell(p, either(r, "%s in plaats van %s%s",
	    "%s instead of %s%s"),
	    audit_report_words_term(v->key, v->value, r->lang).b,
	    audit_report_words_term(v->key, row->value, r->lang).b,
	    v->counted ? "" :
	    either(r, " gevraagd; telde niet, want zonder geldige "
	    "goedkeuring", " asked for; did not count, as it had no valid "
	    "approval"));
	audit_page_cell(p, "%s", when(r, v->from).b);
	audit_page_cell(p, "%s", when(r, v->to).b);
	review = audit_report_words_day(v->by->review_on, r->lang);
	if (v->by->approved_by[0] == '\0')
		audit_page_cell(p, "–");
	else
		audit_page_cell(p, either(r, "%s; %s; te herzien op %s",
		    "%s; %s; to be reviewed on %s"), v->by->approved_by,
		    v->by->legal_basis, v->by->review_on == 0 ? "?" :
		    review.b);
	audit_page_row_end(p);
}

static void
looser(struct audit_page *p, const struct audit_report_audit *r)
{
	const char *columns[] = { either(r, "regel", "rule"),
		either(r, "soepeler", "looser"), either(r, "van", "from"),
		either(r, "tot", "to"),
		either(r, "goedgekeurd door, op grond van",
		    "approved by, on the basis of") };
	struct audit_page_table t = { .columns = columns, .n = 5,
		.numbers = 5, .caption = either(r,
		"Waar het beleid soepeler was dan de standaard",
		"Where the policy was looser than the defaults") };
	struct audit_report_rules_list l;

	audit_report_rules_looser(r, &l);
	if (l.n == 0) {
		audit_page_paragraph(p, "%s", either(r,
		    "Geen enkele regel was soepeler dan de standaard.",
		    "No rule was looser than its default."));
		return;
	}
	t.whole = l.n < FEW_ROWS;
	audit_page_table(p, &t);
	for (size_t i = 0; i < l.n && i < AUDIT_REPORT_LOOSER_MAX; i++)
		looser_row(p, r, &l.v[i]);
	audit_page_table_end(p);
	if (l.n > AUDIT_REPORT_LOOSER_MAX)
		audit_page_note(p, either(r, "En nog %zu; kies een kortere "
		    "periode.", "And %zu more; choose a shorter period."),
		    l.n - AUDIT_REPORT_LOOSER_MAX);
}

static void
loads(struct audit_page *p, const struct audit_report_audit *r)
{
	const char *columns[] = { either(r, "geladen op", "loaded on"),
		either(r, "regel in het logboek", "leaf of the log"),
		either(r, "bestand (SHA-256)", "file (SHA-256)"),
		either(r, "inhoud", "content") };
	const struct audit_page_table t = { .columns = columns, .n = 4,
		.numbers = 4, .whole = true, .caption = either(r,
		"Elk beleid dat gold", "Every policy that counted") };
	char hex[65];

	audit_page_table(p, &t);
	for (size_t i = 0; i < r->n_loads; i++) {
		const struct audit_report_load *l = &r->loads[i];

		kl_hex(KL_BYTES_OF(l->hash), hex);
		audit_page_row(p, when(r, l->minute).b, false);
		audit_page_cell(p, "%llu", (unsigned long long)l->leaf);
		audit_page_rawf(p, "<td><code>%s</code></td>", hex);
		audit_page_cell(p, "%s", l->held ?
		    either(r, "gelezen", "read") :
		    either(r, "niet hier", "not here"));
		audit_page_row_end(p);
	}
	audit_page_table_end(p);
}

void
audit_report_rules_policy(struct audit_page *p,
    const struct audit_report_audit *r)
{
	bool all = true;

	audit_page_heading(p, 2, either(r, "Beleid", "Policy"));
	for (size_t i = 0; i < r->n_loads; i++)
		all = all && r->loads[i].held;
	if (r->n_loads == 0) {
		audit_page_warning(p, "%s", either(r, "Het logboek toont voor "
		    "deze periode geen geladen beleid. Zonder beleid neemt de "
		    "makelaar geen verwijzingen aan.", "The log shows no "
		    "policy that was loaded for this period. Without one the "
		    "broker takes no referrals."));
		return;
	}
	looser(p, r);
	if (!all)
		audit_page_warning(p, "%s", either(r, "Niet van elk beleid is "
		    "het bestand hier. Wat daarin soepeler was, staat dan niet "
		    "in dit rapport; vraag het bestand op en vergelijk zijn "
		    "SHA-256.", "Not every policy's file is here. What was "
		    "looser in it is then not in this report; ask for the file "
		    "and compare its SHA-256."));
	loads(p, r);
}

/* ---- erasure and keys ---------------------------------------------------- */

static void
holds(struct audit_page *p, const struct audit_report_audit *r)
{
	const char *columns[] = { either(r, "wanneer", "when"),
		either(r, "wat", "what"),
		either(r, "wachtte op wissen", "waited for erasure") };
	const struct audit_page_table t = { .columns = columns, .n = 3,
		.numbers = 2, .caption = either(r,
		"Wissen op termijn stilgezet", "Erasure by term on hold") };
	const struct audit_moments *h = &r->m->holds;

	if (h->n == 0) {
		audit_page_paragraph(p, "%s", either(r, "Het wissen op "
		    "termijn heeft in deze periode niet stilgestaan.",
		    "Erasure by term was not on hold in this period."));
		return;
	}
	audit_page_table(p, &t);
	for (size_t i = 0; i < h->n && i < AUDIT_MEASURE_LISTED_MAX; i++) {
		audit_page_row(p, when(r, h->m[i].minute).b, false);
		audit_page_cell(p, "%s", h->m[i].reason == KL_C_OK ?
		    either(r, "hervat", "released") :
		    either(r, "stilgezet: de klok was niet te vertrouwen",
		    "held: the clock was not to be trusted"));
		audit_page_number(p, h->m[i].count);
		audit_page_row_end(p);
	}
	audit_page_table_end(p);
}

void
audit_report_rules_keys(struct audit_page *p,
    const struct audit_report_audit *r)
{
	const struct kl_query_state *s = r->state;

	audit_page_heading(p, 2, either(r, "Wissen en sleutels",
	    "Erasure and keys"));
	if (s == NULL) {
		audit_page_paragraph(p, "%s", either(r, "Dit rapport komt uit "
		    "een uitvoer: hoe deze makelaar wist en waar zijn "
		    "hoofdsleutel ligt, is daar niet in te zien.",
		    "This report is made from an export: how this broker "
		    "erases and where its master key lies is not in it."));
		holds(p, r);
		return;
	}
	audit_page_paragraph(p, "%s", s->erasure == KL_STATE_VERIFIED ?
	    either(r, "Wissen is aangetoond: het bestandssysteem overschrijft "
	    "op de plaats, en elke gewiste sleutel wordt teruggelezen.",
	    "Erasure is verified: the file system overwrites in place, and "
	    "each erased key is read back.") :
	    either(r, "Wissen is zo goed als dit bestandssysteem kan: het kan "
	    "oude kopieën van sleutels bewaren tot de nachtelijke "
	    "vernieuwing van de hoofdsleutel.",
	    "Erasure is as good as this file system can: it may keep old "
	    "copies of keys until the nightly renewal of the master key."));
	audit_page_paragraph(p, "%s", s->master_key == KL_STATE_SEALED ?
	    either(r, "De hoofdsleutel is verzegeld met een sleutel die niet "
	    "op dezelfde schijf ligt.", "The master key is sealed with a key "
	    "that is not on the same disk.") :
	    either(r, "De hoofdsleutel ligt naast de sleutels die hij "
	    "beschermt. Wie de schijf heeft, heeft beide.",
	    "The master key lies beside the keys that it protects. Who has "
	    "the disk has both."));
	if (s->clock_held == KL_YES)
		audit_page_warning(p, "%s", either(r, "Het wissen op termijn "
		    "staat nu stil: de klok is niet te vertrouwen.",
		    "Erasure by term is on hold now: the clock is not to be "
		    "trusted."));
	if (s->months_lost > 0)
		audit_page_warning(p, either(r, "Van %u maanden van het "
		    "logboek is de sleutel door de schijf verloren; hun "
		    "records zijn onleesbaar.", "The disk lost the key of "
		    "%u months of the log; their records cannot be read."),
		    s->months_lost);
	holds(p, r);
}

/* ---- the log ------------------------------------------------------------- */

static void
fact(struct audit_page *p, const char *what, const char *value)
{
	audit_page_row(p, what, false);
	audit_page_cell(p, "%s", value);
	audit_page_row_end(p);
}

static struct audit_report_words
instant(const struct audit_report_audit *r, int64_t ms)
{
	struct audit_report_words t;

	if (ms != 0)
		return audit_report_words_time(ms, r->lang);
	(void)snprintf(t.b, sizeof t.b, "%s",
	    either(r, "niet bekend", "not known"));
	return t;
}

static void
witnesses(struct audit_page *p, const struct audit_report_audit *r)
{
	const struct audit_report_head *h = &r->head;
	char b[KL_ORIGIN_MAX + 80];

	if (h->n_witnesses == 0)
		fact(p, either(r, "medeondertekend door", "cosigned by"),
		    either(r, "nog niemand", "nobody yet"));
	for (size_t i = 0; i < h->n_witnesses; i++) {
		(void)snprintf(b, sizeof b, "%.*s, %.60s",
		    KL_ORIGIN_MAX - 1, h->witness[i],
		    instant(r, h->witness_ms[i]).b);
		fact(p, either(r, "medeondertekend door", "cosigned by"), b);
	}
}

static void
state_of(struct audit_page *p, const struct audit_report_audit *r)
{
	const struct audit_report_head *h = &r->head;

	fact(p, either(r, "logboek", "log"), h->newest.origin);
	if (r->state != NULL)
		fact(p, either(r, "begonnen op", "begun on"),
		    instant(r, r->state->origin_ms).b);
	fact(p, either(r, "regels onder het laatste controlepunt",
	    "leaves under the last checkpoint"),
	    audit_page_count(h->newest.size, r->lang).b);
	fact(p, either(r, "dat is ondertekend op", "which was signed on"),
	    instant(r, h->signed_ms).b);
	witnesses(p, r);
	fact(p, either(r, "regels die nog geen getuige zag",
	    "leaves that no witness has seen yet"),
	    audit_page_count(h->newest.size > h->witnessed ?
	    h->newest.size - h->witnessed : 0, r->lang).b);
	if (r->state != NULL)
		fact(p, either(r, "voor het laatst helemaal herlezen",
		    "last read again as a whole"),
		    instant(r, r->state->checked_ms).b);
}

void
audit_report_rules_log(struct audit_page *p,
    const struct audit_report_audit *r)
{
	const char *columns[] = { either(r, "wat", "what"),
		either(r, "stand", "state") };
	const struct audit_page_table t = { .columns = columns, .n = 2,
		.numbers = 2, .whole = true, .caption = either(r,
		"Het logboek en zijn getuigen", "The log and its witnesses") };
	const struct audit_report_head *h = &r->head;

	audit_page_heading(p, 2, either(r, "Het logboek zelf",
	    "The log itself"));
	audit_page_table(p, &t);
	state_of(p, r);
	audit_page_table_end(p);
	if (h->n_witnesses == 0)
		audit_page_warning(p, "%s", either(r, "Nog geen getuige "
		    "ondertekende mee. Tot dan bewijst alleen wat deelnemers "
		    "bewaren dat dit logboek niet herschreven is: "
		    "'kortelijn audit witness'.",
		    "No witness has cosigned yet. Until then only what "
		    "participants keep shows that this log was not rewritten: "
		    "'kortelijn audit witness'."));
	audit_page_note(p, "%s", either(r, "Dit rapport telt records; of zij "
	    "bij dit logboek horen bewijst het niet. Dat doen 'kortelijn audit "
	    "export' en daarna 'kortelijn audit verify', zonder verbinding met "
	    "de makelaar.", "This report counts records; it does not prove "
	    "that they are of this log. 'kortelijn audit export' does, and "
	    "'kortelijn audit verify' after it, without the broker."));
}

/* ---- what a log cannot tell ---------------------------------------------- */

void
audit_report_rules_unknown(struct audit_page *p,
    const struct audit_report_audit *r)
{
	const struct kl_policy_row *up = kl_policy_row(
	    KL_POL_AVAILABILITY_TARGET);
	const struct kl_policy_row *breach = kl_policy_row(
	    KL_POL_BREACH_NOTICE_OPERATOR);
	struct kl_policy policy;

	audit_report_audit_policy(r, &policy);
	audit_page_heading(p, 2, either(r, "Wat dit logboek niet kan zeggen",
	    "What this log cannot tell"));
	audit_page_paragraph(p, either(r, "Beschikbaarheid (%s): afgesproken "
	    "is %s per jaar. Een logboek weet niet wanneer het niet werkte: "
	    "een stil uur en een storing zien er hetzelfde uit. Meet dit bij "
	    "de deelnemers, of met een bewaking van buiten.",
	    "Availability (%s): agreed is %s a year. A log does not know when "
	    "it did not work: a quiet hour and an outage look the same. "
	    "Measure it at the participants, or with a monitor from outside."),
	    up->id, audit_report_words_term(
	    KL_POL_AVAILABILITY_TARGET, kl_policy_term(&policy,
	    KL_POL_AVAILABILITY_TARGET), r->lang).b);
	audit_page_paragraph(p, either(r, "Datalekken (%s): de beheerder meldt "
	    "binnen %s aan de verantwoordelijken. Of dat gebeurd is, staat "
	    "hier niet. Wat er tussen twee tijdstippen onderweg was, toont "
	    "'kortelijn audit query --from --to'.",
	    "Breaches (%s): the operator tells the controllers within %s. "
	    "Whether that was done is not here. What was under way between two "
	    "times 'kortelijn audit query --from --to' shows."), breach->id,
	    audit_report_words_term(
	    KL_POL_BREACH_NOTICE_OPERATOR, kl_policy_term(&policy,
	    KL_POL_BREACH_NOTICE_OPERATOR), r->lang).b);
	audit_page_paragraph(p, "%s", either(r, "Medewerkers en inwoners: wie "
	    "er binnen een organisatie keek en over wie het ging, staat in "
	    "het eigen toegangslogboek van die organisatie, te vinden met "
	    "hetzelfde kenmerk.", "Staff and residents: who looked within an "
	    "organisation and whom it was about stands in that "
	    "organisation's own access log, under the same reference."));
}
