#include "proto/audit/region_data.h"

#include "proto/audit/csv.h"
#include "proto/cli/output.h"

/* In the order of enum audit_region_step. */
static const struct audit_region_data_step steps[AUDIT_REGION_STEPS] = {
	{ "referred", "verwezen", "referred",
	  "een praktijk stuurde een verwijzing, met toestemming",
	  "a practice sent a referral, with consent" },
	{ "collected", "gehaald", "collected",
	  "het meldpunt van de gemeente heeft de verwijzing binnen",
	  "the municipality's desk has the referral" },
	{ "taken_up", "opgepakt", "taken up",
	  "het meldpunt meldt dat iemand ermee bezig is",
	  "the desk says that somebody is at it" },
	{ "in_progress", "loopt", "in progress",
	  "er is contact gezocht of gelegd, of er is hulp begonnen",
	  "contact is sought or made, or help has begun" },
	{ "ended", "afgerond", "ended",
	  "de gemeente meldt het einde, hoe dan ook",
	  "the municipality says that it has ended, in whatever way" },
	{ "returned", "teruggegeven", "returned",
	  "niet in behandeling genomen, of niet te openen",
	  "not taken on, or could not be opened" },
	{ "withdrawn", "ingetrokken", "withdrawn",
	  "de inwoner trok de toestemming in, of het was een vergissing",
	  "the resident withdrew the consent, or it was sent in error" },
	{ "expired", "verlopen", "expired",
	  "niemand haalde de verwijzing op tijd op",
	  "nobody collected the referral in time" },
};

const struct audit_region_data_step *
audit_region_data_step(size_t i)
{
	return &steps[i];
}

static const char *
either(const struct audit_report_region *r, const char *nl, const char *en)
{
	return r->lang == KL_EN ? en : nl;
}

static const struct audit_region_row *
all(const struct audit_region_table *t)
{
	return &t->rows[t->municipalities + t->practices];
}

static const char *
role_key(const struct audit_region_table *t, size_t i)
{
	return i < t->municipalities ? "municipality" :
	    i < t->municipalities + t->practices ? "practice" : "region";
}

static void
csv_row(const struct audit_report_region *r,
    const struct audit_region_table *t, size_t i, FILE *f)
{
	const struct audit_region_row *row = &t->rows[i];
	const struct kl_id *id = row->org == AUDIT_ORG_NONE ? NULL :
	    &r->region->orgs.ids[row->org];
	const char *name = id == NULL ? NULL : audit_names_of(r->names, id);
	char text[32];

	(void)snprintf(text, sizeof text, "%d-Q%d", t->quarter / 4,
	    t->quarter % 4 + 1);
	audit_csv_cell(f, true, text);
	audit_csv_cell(f, false, role_key(t, i));
	audit_csv_cell(f, false, id == NULL ? "" : kl_id_text(id).b);
	audit_csv_cell(f, false, name == NULL ? "" : name);
	for (size_t k = 0; k < AUDIT_REGION_STEPS; k++) {
		(void)snprintf(text, sizeof text, "%u", row->cells[k].n);
		audit_csv_cell(f, false, row->cells[k].hidden ? "x" : text);
	}
	(void)fputs("\r\n", f);
}

void
audit_region_data_csv(const struct audit_report_region *r, FILE *f)
{
	static const char *const nl[4] = { "kwartaal", "soort", "nummer",
		"naam" };
	static const char *const en[4] = { "quarter", "kind", "id", "name" };

	(void)fputs("\xef\xbb\xbf", f);
	for (size_t i = 0; i < 4; i++)
		audit_csv_cell(f, i == 0, either(r, nl[i], en[i]));
	for (size_t k = 0; k < AUDIT_REGION_STEPS; k++)
		audit_csv_cell(f, false, either(r, steps[k].nl,
		    steps[k].en));
	(void)fputs("\r\n", f);
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; k <= r->tables[i].municipalities +
		    r->tables[i].practices; k++)
			csv_row(r, &r->tables[i], k, f);
	audit_csv_cell(f, true, audit_report_region_rule(r->below,
	    r->lang).b);
	(void)fputs("\r\n", f);
}

static json_t *
json_row(const struct audit_report_region *r,
    const struct audit_region_row *row)
{
	json_t *o = json_object();

	if (row->org != AUDIT_ORG_NONE) {
		const struct kl_id *id = &r->region->orgs.ids[row->org];
		const char *name = audit_names_of(r->names, id);

		(void)json_object_set_new(o, "id", output_id(id));
		if (name != NULL)
			(void)json_object_set_new(o, "name",
			    json_string(name));
	}
	for (size_t k = 0; k < AUDIT_REGION_STEPS; k++)
		(void)json_object_set_new(o, steps[k].key,
		    row->cells[k].hidden ? json_null() :
		    json_integer(row->cells[k].n));
	return o;
}

static json_t *
json_rows(const struct audit_report_region *r,
    const struct audit_region_row *rows, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_row(r, &rows[i]));
	return list;
}

json_t *
audit_region_data_json(const struct audit_report_region *r)
{
	json_t *list = json_array(), *quarter;
	char text[32];

	for (size_t i = 0; i < r->n; i++) {
		const struct audit_region_table *t = &r->tables[i];

		(void)snprintf(text, sizeof text, "%d-Q%d", t->quarter / 4,
		    t->quarter % 4 + 1);
		quarter = json_pack("{s:s,s:o,s:o,s:o}", "quarter", text,
		    "municipalities", json_rows(r, t->rows,
		    t->municipalities), "practices", json_rows(r, t->rows +
		    t->municipalities, t->practices), "region", json_row(r,
		    all(t)));
		(void)json_array_append_new(list, quarter);
	}
	return json_pack("{s:i,s:b,s:o,s:s}", "hidden_below", (int)r->below,
	    "partial", (int)r->partial, "quarters", list, "rule",
	    audit_report_region_rule(r->below, r->lang).b);
}
