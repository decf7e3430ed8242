#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

#include "proto/audit/export_priv.h"
#include "proto/audit/page.h"
#include "proto/audit/words.h"
#include "proto/cli/output.h"

/* A wide table has no place on paper: so many months side by side. */
#define MONTHS_BESIDE 6u
#define KEPT_SHOWN 400u

static const char *
either(const struct audit_page *p, const char *nl, const char *en)
{
	return audit_page_either(p, nl, en);
}

static struct audit_page_count
number(const struct audit_page *p, uint64_t n)
{
	return audit_page_count(n, p->lang);
}

/* ---- what it is ---- */

static void
front(struct audit_page *p, const struct exporting *x)
{
	audit_page_tiles(p);
	audit_page_tile(p, number(p, x->head.size).b, either(p,
	    "regels in het logboek", "leaves in the log"));
	audit_page_tile(p, number(p, x->records).b, either(p,
	    "records hierin", "records in here"));
	audit_page_tile(p, number(p, x->n_kept + 1).b, either(p,
	    "controlepunten", "checkpoints"));
	audit_page_tile(p, number(p, x->witnessed).b, either(p,
	    "regels onder een getuige", "leaves under a witness"));
	audit_page_tiles_end(p);
	audit_page_paragraph(p, "%s", either(p, "Dit is een uitvoer van het "
	    "afleverlogboek van een broker van Kortelijn: wie stuurde wie "
	    "wat voor bericht, wanneer het werd vrijgegeven, geopend, "
	    "ingetrokken en gewist. Er staat geen persoon in en geen inhoud. "
	    "De hashes van alle regels zijn er, ook waar het record niet "
	    "(meer) is: zo is na te rekenen dat er niets is weggelaten of "
	    "veranderd.",
	    "This is an export of the delivery log of a broker of Kortelijn: "
	    "who sent whom what kind of message, when it was released, "
	    "opened, withdrawn and erased. There is no person in it and no "
	    "content. The hashes of all leaves are there, also where the "
	    "record is not (any more): so it can be verified that nothing "
	    "was left out or changed."));
}

static void
fact(struct audit_page *p, const char *what, const char *is)
{
	audit_page_row(p, what, false);
	audit_page_cell(p, "%s", is);
	audit_page_row_end(p);
}

static const char *
minute_text(int64_t minute, struct kl_local_text *buf)
{
	*buf = kl_calendar_text(minute * KL_MINUTE_MS);
	return minute == 0 ? "–" : buf->b;
}

static void
facts(struct audit_page *p, const struct exporting *x)
{
	const char *const columns[] = { "", "" };
	const struct audit_page_table t = { .caption = either(p,
	    "Dit logboek", "This log"), .columns = columns, .n = 2,
	    .numbers = 2 };
	struct kl_local_text a, b;
	char text[200];

	audit_page_table(p, &t);
	fact(p, either(p, "Logboek", "Log"), x->head.origin);
	fact(p, either(p, "Gemaakt op", "Made"),
	    kl_calendar_text(x->now_ms).b);
	fact(p, either(p, "Voor", "For"), x->of->reader[0] != '\0' ?
	    x->of->reader : either(p, "de beheerder van de broker",
	    "the operator of the broker"));
	(void)snprintf(text, sizeof text, "%s – %s",
	    minute_text(x->first_minute, &a),
	    minute_text(x->last_minute, &b));
	fact(p, either(p, "Records van", "Records of"), text);
	fact(p, either(p, "Wissen bij de broker", "Erasure at the broker"),
	    x->state.erasure == KL_STATE_VERIFIED ?
	    either(p, "aangetoond", "verified") :
	    either(p, "zo goed als het bestandssysteem kan",
	    "as well as the file system can"));
	fact(p, either(p, "Hoofdsleutel", "Master key"),
	    x->state.master_key == KL_STATE_SEALED ?
	    either(p, "verzegeld", "sealed") :
	    either(p, "naast de opslag", "beside the store"));
	audit_page_table_end(p);
}

/* ---- what is not in it ---- */

static void
missing(struct audit_page *p, const struct exporting *x)
{
	const uint64_t n = x->head.size - x->records;

	audit_page_heading(p, 2, either(p, "Wat er niet in staat",
	    "What is not in it"));
	if (n == 0) {
		audit_page_paragraph(p, "%s", either(p,
		    "Van elke regel is het record er.",
		    "Of each leaf the record is there."));
		return;
	}
	audit_page_paragraph(p, either(p,
	    "Van %s van de %s regels is alleen de hash er. Redenen:",
	    "Of %s of the %s leaves only the hash is there. Reasons:"),
	    number(p, n).b, number(p, x->head.size).b);
	audit_page_raw(p, "<ul>");
	audit_page_rawf(p, "<li>%s</li>", either(p,
	    "na afloop van de bewaartermijn (beleid P37) wordt een maand "
	    "records vernietigd; de hashes blijven;",
	    "after its term (policy P37) a month of records is destroyed; "
	    "the hashes stay;"));
	if (x->from_minute != 0 || x->to_minute != 0)
		audit_page_rawf(p, "<li>%s</li>", either(p,
		    "er is een periode gevraagd, en het record valt erbuiten;",
		    "a period was asked for, and the record is not in it;"));
	if (x->of->reader[0] != '\0')
		audit_page_rawf(p, "<li>%s</li>", either(p,
		    "de lezer mag alleen records lezen van de organisaties op "
		    "zijn kaart, en die zonder organisatie.",
		    "the reader may only read records of the organisations on "
		    "its card, and those without one."));
	audit_page_raw(p, "</ul>");
}

/* ---- checkpoints ---- */

static void
kept_row(struct audit_page *p, const struct export_kept *k)
{
	audit_page_row(p, k->day == 0 ? either(p, "laatste met getuige",
	    "newest with a witness") : kl_day_text((int32_t)k->day).b, false);
	audit_page_number(p, k->size);
	audit_page_number(p, k->witnesses);
	audit_page_row_end(p);
}

static void
checkpoints(struct audit_page *p, const struct exporting *x)
{
	const char *const columns[] = { either(p, "Bewaard op", "Kept on"),
		either(p, "Regels", "Leaves"),
		either(p, "Getuigen", "Witnesses") };
	const struct audit_page_table t = { .caption = either(p,
	    "Controlepunten", "Checkpoints"), .columns = columns, .n = 3,
	    .numbers = 1 };
	const size_t first = x->n_kept > KEPT_SHOWN ? x->n_kept - KEPT_SHOWN :
	    0;

	audit_page_heading(p, 2, either(p, "Controlepunten", "Checkpoints"));
	audit_page_paragraph(p, "%s", either(p, "Een controlepunt is de "
	    "handtekening van de broker onder alle regels tot dan toe. Een "
	    "getuige is een auditor die heeft nagerekend dat het een eerder "
	    "controlepunt voortzet, en meetekent.",
	    "A checkpoint is the broker's signature under all leaves up to "
	    "then. A witness is an auditor who has verified that it continues "
	    "an earlier one, and signs as well."));
	audit_page_table(p, &t);
	for (size_t i = first; i < x->n_kept; i++)
		kept_row(p, &x->kept[i]);
	audit_page_row(p, either(p, "dit", "this"), true);
	audit_page_number(p, x->head.size);
	audit_page_number(p, 0);
	audit_page_row_end(p);
	audit_page_table_end(p);
	if (first > 0)
		audit_page_note(p, either(p, "De eerste %zu staan in "
		    "checkpoints/.", "The first %zu are in checkpoints/."),
		    first);
}

/* ---- counts ---- */

static void
months(struct audit_page *p, const struct exporting *x, size_t from,
    size_t to)
{
	const char *columns[MONTHS_BESIDE + 1];
	struct audit_page_table t = { .caption = either(p,
	    "Records per maand", "Records by month"), .columns = columns,
	    .n = to - from + 1, .numbers = 1 };
	uint64_t any;

	columns[0] = either(p, "Gebeurtenis", "Event");
	for (size_t i = from; i < to; i++)
		columns[i - from + 1] = x->month[i].name;
	audit_page_table(p, &t);
	for (uint32_t e = 1; e <= KL_EV_LAST; e++) {
		any = 0;
		for (size_t i = from; i < to; i++)
			any += x->month[i].n[e];
		if (any == 0)
			continue;
		audit_page_row(p, audit_words_event(e, p->lang), false);
		for (size_t i = from; i < to; i++)
			audit_page_number(p, x->month[i].n[e]);
		audit_page_row_end(p);
	}
	audit_page_table_end(p);
}

static void
counts(struct audit_page *p, const struct exporting *x)
{
	audit_page_heading(p, 2, either(p, "Wat erin staat", "What is in it"));
	if (x->n_months == 0)
		audit_page_paragraph(p, "%s", either(p,
		    "Er zijn geen records.", "There are no records."));
	for (size_t i = 0; i < x->n_months; i += MONTHS_BESIDE)
		months(p, x, i, i + MONTHS_BESIDE < x->n_months ?
		    i + MONTHS_BESIDE : x->n_months);
	audit_page_note(p, either(p, "Beleidsbestanden: %zu van %zu. Kaarten: "
	    "%zu. Maanden naar de klok van Nederland.", "Policy files: %zu of "
	    "%zu. Cards: %zu. Months by the clocks of the Netherlands."),
	    x->policies_held, x->policies.n, x->cards);
}

/* ---- how to verify ---- */

static void
verify(struct audit_page *p, const struct exporting *x)
{
	audit_page_heading(p, 2, either(p, "Narekenen", "Verifying"));
	audit_page_paragraph(p, "%s", either(p, "Met het programma van "
	    "Kortelijn, zonder netwerk en zonder broker:",
	    "With the program of Kortelijn, without a network and without a "
	    "broker:"));
	audit_page_raw(p, "<pre>kortelijn audit verify ");
	audit_page_text(p, either(p, "MAP", "DIR"));
	audit_page_raw(p, " \\\n    --card=broker.card "
	    "--authority=authority.pub \\\n    --origin=");
	audit_page_text(p, x->head.origin);
	audit_page_raw(p, "</pre>");
	audit_page_paragraph(p, "%s", either(p, "Dat rekent elke hash na, "
	    "vergelijkt alle controlepunten, en toetst de regels die een "
	    "logboek zelf laat zien: niets vrijgegeven na een intrekking, "
	    "elke overgang één keer, elke gemiste termijn één keer gemeld. "
	    "Zonder dat programma, met OpenSSL alleen: VERIFY.txt. De sleutel "
	    "van de broker (zijn kaart) en de naam van het logboek moet u van "
	    "elders hebben.",
	    "That hashes everything again, compares all checkpoints, and "
	    "looks at the rules that a log shows by itself: nothing released "
	    "after a withdrawal, each transition once, each missed term told "
	    "once. Without that program, with OpenSSL alone: VERIFY.txt. The "
	    "broker's key (its card) and the name of the log you must have "
	    "from elsewhere."));
}

int
audit_export_page(struct exporting *x)
{
	struct audit_page p;
	int err;

	audit_page_init(&p, x->lang);
	audit_page_begin(&p, either(&p, "Afleverlogboek: uitvoer",
	    "Delivery log: export"), x->head.origin);
	front(&p, x);
	facts(&p, x);
	counts(&p, x);
	missing(&p, x);
	checkpoints(&p, x);
	verify(&p, x);
	if ((err = audit_page_end(&p)) == KL_OK)
		err = audit_dirout_file(x->out, "index.html", kl_bytes(p.b,
		    p.n));
	audit_page_clear(&p);
	return err == KL_OK ? CLI_OK : audit_export_fail(x, err,
	    "index.html");
}
