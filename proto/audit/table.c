#include "proto/audit/table.h"

#include <inttypes.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

/* Of the first line; the second begins under the time. */
#define LINE "%-7s %-16s %-17s %-10s %s\n"
#define BELOW "        %-32s %-12s %s\n"

void
audit_table_begin(FILE *f, enum kl_lang lang)
{
	if (lang == KL_EN) {
		fprintf(f, LINE, "LEAF", "TIME", "EVENT", "KIND", "FROM");
		fprintf(f, BELOW, "CONVERSATION OR REASON", "STEP", "TO");
	} else {
		fprintf(f, LINE, "REGEL", "TIJD", "GEBEURTENIS", "SOORT",
		    "VAN");
		fprintf(f, BELOW, "GESPREK OF REDEN", "STAP", "AAN");
	}
}

/* Without the blanks at its end; nothing of a line that is empty. */
static void
put_trimmed(FILE *f, const char *text)
{
	size_t n = strcspn(text, "\n");

	while (n > 0 && text[n - 1] == ' ')
		n--;
	if (n > 0)
		fprintf(f, "%.*s\n", (int)n, text);
}

static void
put_line(FILE *f, const char *first, const char *step, const char *to)
{
	char text[128];

	(void)snprintf(text, sizeof text, BELOW, first, step, to);
	put_trimmed(f, text);
}

static const char *
id(const struct kl_id *org, struct kl_id_text *t)
{
	*t = kl_id_text(org);
	return kl_id_none(org) ? "" : t->b;
}

/* Of a refusal why and how often, of anything else its conversation. */
static void
put_below(FILE *f, const struct kl_record *r)
{
	const char *step = r->milestone != 0 ? kl_milestone_name(r->milestone)
	    : "";
	struct kl_id_text to;
	char text[64] = "";

	if (!kl_bytes_zero(KL_BYTES_OF(r->conv_ref)))
		kl_hex(KL_BYTES_OF(r->conv_ref), text);
	else if (r->reason != KL_C_OK && r->count > 1)
		(void)snprintf(text, sizeof text, "%s, %" PRIu32 " times",
		    kl_code_name(r->reason), r->count);
	else if (r->reason != KL_C_OK)
		(void)snprintf(text, sizeof text, "%s",
		    kl_code_name(r->reason));
	put_line(f, text, step, id(&r->org_to, &to));
	if (!kl_bytes_zero(KL_BYTES_OF(r->conv_ref)) && r->reason != KL_C_OK)
		put_line(f, kl_code_name(r->reason), "", "");
}

/* The term that was missed. */
static void
put_due(FILE *f, const struct kl_record *r)
{
	char text[40];

	if (r->event != KL_EV_DEADLINE && r->event != KL_EV_ESCALATED)
		return;
	(void)snprintf(text, sizeof text, "due %s",
	    kl_calendar_text(r->due_minute * KL_MINUTE_MS).b);
	put_line(f, text, "", "");
}

void
audit_table_put(FILE *f, const struct audit_record *rec)
{
	const struct kl_record *r = &rec->r;
	struct kl_id_text from;
	char leaf[24], text[128];

	(void)snprintf(leaf, sizeof leaf, "%" PRIu64, rec->leaf);
	(void)snprintf(text, sizeof text, LINE, leaf,
	    kl_calendar_text(r->time_minute * KL_MINUTE_MS).b,
	    kl_event_name(r->event), r->kind != 0 ? kl_kind_name(r->kind) : "",
	    id(&r->org_from, &from));
	put_trimmed(f, text);
	put_below(f, r);
	put_due(f, r);
}
