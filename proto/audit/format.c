#include "proto/audit/format.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "proto/audit/csv.h"
#include "proto/audit/json.h"
#include "proto/audit/ldv.h"
#include "proto/audit/nen7513.h"
#include "proto/audit/table.h"
#include "proto/cli/output.h"

static const struct {
	const char *name;
	enum audit_format format;
} forms[] = {
	{ "table", AUDIT_FORMAT_TABLE },
	{ "json", AUDIT_FORMAT_JSON },
	{ "csv", AUDIT_FORMAT_CSV },
	{ "nen7513", AUDIT_FORMAT_NEN7513 },
	{ "ldv", AUDIT_FORMAT_LDV },
};

static bool
named(const char *name, enum audit_format *out)
{
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (strcmp(forms[i].name, name) == 0) {
			*out = forms[i].format;
			return true;
		}
	return false;
}

int
audit_format_option(const struct cli *c, enum audit_format *out)
{
	const char *name = cli_option(c, "format");
	const bool csv = cli_option(c, "csv") != NULL;

	*out = csv ? AUDIT_FORMAT_CSV : c->json ? AUDIT_FORMAT_JSON :
	    AUDIT_FORMAT_TABLE;
	if ((csv && c->json) || (name != NULL && (csv || c->json)))
		return output_fail(c, CLI_USAGE, "one form at a time: --json, "
		    "--csv or --format");
	if (name == NULL || named(name, out))
		return CLI_OK;
	return output_fail(c, CLI_USAGE,
	    "--format is table, json, csv, nen7513 or ldv");
}

/* ---- writing ------------------------------------------------------------ */

static int
cut_short(const struct audit_format_to *to, int err)
{
	if (err == EPIPE)
		return output_fail(to->cli, CLI_FAILED, "nobody reads on: the "
		    "answer is cut short after %" PRIu64 " records", to->n);
	return output_fail(to->cli, CLI_FAILED, "the answer is cut short after "
	    "%" PRIu64 " records: %s", to->n, err != 0 ? strerror(err) :
	    "it cannot be written");
}

static int
written(const struct audit_format_to *to)
{
	return ferror(to->f) ? cut_short(to, errno) : CLI_OK;
}

/* Takes `o`. */
static int
line_put(struct audit_format_to *to, json_t *o)
{
	const int r = o == NULL ? -1 : json_dumpf(o, to->f, JSON_COMPACT);

	json_decref(o);
	if (o == NULL)
		return output_fail_err(to->cli, KL_E_MEMORY, "a record");
	if (r == 0)
		(void)putc('\n', to->f);
	return CLI_OK;
}

/* Once. */
static void
begin(struct audit_format_to *to)
{
	if (to->begun)
		return;
	to->begun = true;
	if (to->format == AUDIT_FORMAT_TABLE)
		audit_table_begin(to->f, to->lang);
	if (to->format == AUDIT_FORMAT_CSV)
		audit_csv_begin(to->f, to->lang);
}

int
audit_format_put(void *arg, const struct audit_record *rec)
{
	struct audit_format_to *to = arg;
	int r = CLI_OK;

	errno = 0;
	begin(to);
	switch (to->format) {
	case AUDIT_FORMAT_TABLE:
		audit_table_put(to->f, rec);
		break;
	case AUDIT_FORMAT_JSON:
		r = line_put(to, audit_json_record(rec));
		break;
	case AUDIT_FORMAT_CSV:
		audit_csv_put(to->f, to->lang, to->names, rec);
		break;
	case AUDIT_FORMAT_NEN7513:
		r = line_put(to, audit_nen7513_record(rec, to->origin,
		    &to->policies));
		break;
	case AUDIT_FORMAT_LDV:
		r = line_put(to, audit_ldv_record(rec, to->origin,
		    to->activity));
		break;
	}
	if (r == CLI_OK && (r = written(to)) == CLI_OK)
		to->n++;
	return r;
}

int
audit_format_end(struct audit_format_to *to)
{
	errno = 0;
	begin(to);
	return fflush(to->f) == 0 ? written(to) : cut_short(to, errno);
}
