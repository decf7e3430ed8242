#include "proto/audit/csv.h"

#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

#include "proto/audit/words.h"

#define MARK "\xef\xbb\xbf"	/* by it Excel knows UTF-8 */
#define DIGITS_MAX 15		/* that Excel keeps of a number */

struct row {
	FILE *f;
	enum kl_lang lang;
	const struct audit_names *names;
	const struct audit_record *rec;
};

/* ---- cells -------------------------------------------------------------- */

/* Long ids in hex that happen to read as a number: digits, perhaps with one
 * "e". */
static bool
reads_as_number(const char *text)
{
	const size_t digits = strspn(text, "0123456789");
	const char *at = text + digits;

	if (digits == 0)
		return false;
	if (*at == '\0')
		return digits > DIGITS_MAX || (digits > 1 && text[0] == '0');
	return (*at == 'e' || *at == 'E') && at[1] != '\0' &&
	    at[1 + strspn(at + 1, "0123456789")] == '\0';
}

void
audit_csv_cell(FILE *f, bool first, const char *text)
{
	size_t n;

	fputs(first ? "\"" : ";\"", f);
	if ((text[0] != '\0' && strchr("=+-@\t\r\n", text[0]) != NULL) ||
	    reads_as_number(text))
		(void)putc('\'', f);
	for (; text[n = strcspn(text, "\"")] != '\0'; text += n + 1) {
		(void)fwrite(text, 1, n + 1, f);
		(void)putc('"', f);
	}
	(void)fwrite(text, 1, n, f);
	(void)putc('"', f);
}

static void
number(FILE *f, bool first, uint64_t v)
{
	char text[24], *at = text + sizeof text - 1;

	*at = '\0';
	do
		*--at = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	audit_csv_cell(f, first, at);
}

static void
hex(FILE *f, struct kl_bytes b)
{
	char text[65] = "";

	if (b.n <= 32 && !kl_bytes_zero(b))
		kl_hex(b, text);
	audit_csv_cell(f, false, text);
}

static void
minute(FILE *f, int64_t at)
{
	audit_csv_cell(f, false, at == 0 ? "" :
	    kl_calendar_text(at * KL_MINUTE_MS).b);
}

static void
organisation(const struct row *w, const struct kl_id *id)
{
	const char *name = audit_names_of(w->names, id);

	audit_csv_cell(w->f, false, kl_id_none(id) ? "" : kl_id_text(id).b);
	audit_csv_cell(w->f, false, name != NULL ? name : "");
}

/* ---- columns ------------------------------------------------------------ */

static const struct { const char *nl, *en; } headings[] = {
	{ "Regel", "Leaf" },
	{ "Tijd", "Time" },
	{ "Gebeurtenis", "Event" },
	{ "Soort", "Kind" },
	{ "Stap", "Step" },
	{ "Van", "From" },
	{ "Naam van", "Name from" },
	{ "Aan", "To" },
	{ "Naam aan", "Name to" },
	{ "Rol", "Role" },
	{ "Uitkomst", "Outcome" },
	{ "Reden", "Reason" },
	{ "Aantal", "Count" },
	{ "Termijn", "Due" },
	{ "Toestand voor", "State before" },
	{ "Toestand na", "State after" },
	{ "Gesprek", "Conversation" },
	{ "Bericht", "Message" },
	{ "Hash", "Hash" },
	{ "Sleutel", "Key" },
};

void
audit_csv_begin(FILE *f, enum kl_lang lang)
{
	fputs(MARK, f);
	for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++)
		audit_csv_cell(f, i == 0, lang == KL_EN ? headings[i].en :
		    headings[i].nl);
	fputs("\r\n", f);
}

static void
put_what(const struct row *w, const struct kl_record *r)
{
	number(w->f, true, w->rec->leaf);
	minute(w->f, r->time_minute);
	audit_csv_cell(w->f, false, audit_words_event(r->event, w->lang));
	audit_csv_cell(w->f, false, audit_words_kind(r->kind, w->lang));
	audit_csv_cell(w->f, false, audit_words_milestone(r->milestone,
	    w->lang));
	organisation(w, &r->org_from);
	organisation(w, &r->org_to);
}

static void
put_how(const struct row *w, const struct kl_record *r)
{
	audit_csv_cell(w->f, false, audit_words_role(r->actor_role, w->lang));
	audit_csv_cell(w->f, false, audit_words_outcome(r->outcome, w->lang));
	audit_csv_cell(w->f, false, audit_words_reason(r->reason, w->lang));
	number(w->f, false, r->count);
	minute(w->f, r->due_minute);
	audit_csv_cell(w->f, false, audit_words_state(r->prev_state, w->lang));
	audit_csv_cell(w->f, false, audit_words_state(r->new_state, w->lang));
}

void
audit_csv_put(FILE *f, enum kl_lang lang, const struct audit_names *names,
    const struct audit_record *rec)
{
	const struct row w = { .f = f, .lang = lang, .names = names,
		.rec = rec };
	const struct kl_record *r = &rec->r;

	put_what(&w, r);
	put_how(&w, r);
	hex(f, KL_BYTES_OF(r->conv_ref));
	hex(f, KL_BYTES_OF(r->msg_ref));
	hex(f, KL_BYTES_OF(r->body_hash));
	hex(f, KL_BYTES_OF(r->actor_key_id));
	fputs("\r\n", f);
}
