#include "proto/audit/filter.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

#include "proto/audit/words.h"
#include "proto/cli/output.h"

/* ---- times -------------------------------------------------------------- */

#define DAY_CHARS 10		/* "2026-11-24" */
#define MINUTE_CHARS 16		/* "2026-11-24T09:30" */

static bool
two_digits(const char *at, int below, int *out)
{
	if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
		return false;
	*out = 10 * (at[0] - '0') + at[1] - '0';
	return *out < below;
}

/* "T09:30", or a space for the T. */
static bool
clock_read(const char *at, int64_t *ms)
{
	int hour, minute;

	if ((at[0] != 'T' && at[0] != ' ') || at[3] != ':' ||
	    !two_digits(at + 1, 24, &hour) || !two_digits(at + 4, 60, &minute))
		return false;
	*ms = hour * KL_HOUR_MS + minute * KL_MINUTE_MS;
	return true;
}

/* `last`: of a day its end. */
static bool
minute_read(const char *text, bool last, int64_t *out)
{
	const size_t n = strlen(text);
	char day[DAY_CHARS + 1];
	int64_t ms = 0;
	int32_t d;

	if (n != DAY_CHARS && n != MINUTE_CHARS)
		return false;
	memcpy(day, text, DAY_CHARS);
	day[DAY_CHARS] = '\0';
	if (kl_day_read(day, &d) != KL_OK || d < 1)
		return false;
	if (n == MINUTE_CHARS && !clock_read(text + DAY_CHARS, &ms))
		return false;
	if (n == DAY_CHARS && last)
		d++;
	*out = kl_calendar_instant_ms(kl_day_start_ms(d) + ms) / KL_MINUTE_MS;
	return true;
}

static int
time_option(const struct cli *c, const char *name, bool last, int64_t *out)
{
	const char *text = cli_option(c, name);

	*out = 0;
	if (text == NULL || minute_read(text, last, out))
		return CLI_OK;
	return output_fail(c, CLI_USAGE, "--%s is a day or a minute from 1970 "
	    "on, in Dutch time: 2026-11-24 or 2026-11-24T09:30", name);
}

int
audit_filter_span(const struct cli *c, int64_t *from_minute,
    int64_t *to_minute)
{
	int r;

	*to_minute = 0;
	if ((r = time_option(c, "from", false, from_minute)) != CLI_OK ||
	    (r = time_option(c, "to", true, to_minute)) != CLI_OK)
		return r;
	if (*to_minute != 0 && *to_minute <= *from_minute)
		return output_fail(c, CLI_USAGE,
		    "--to lies before --from: nothing is between them");
	return CLI_OK;
}

/* ---- names of lists ----------------------------------------------------- */

typedef const char *name_fn(uint32_t v);

struct list {
	const char *option;
	name_fn *name;
	uint32_t last;		/* values are 1 to this one */
};

static const struct list lists[] = {
	{ "kind", kl_kind_name, KL_FEEDBACK },
	{ "event", kl_event_name, KL_EV_LAST },
	{ "role", kl_role_name, KL_BROKER },
	{ "outcome", audit_words_outcome_name, 2 },
};

/* In an adapter's program --role says who asks. */
static const char *
option_name(const struct cli *c, const struct list *l)
{
	return strcmp(l->option, "role") == 0 && cli_has(c, "role=") ?
	    "actor-role" : l->option;
}

static int
say_list(const struct cli *c, const struct list *l)
{
	char names[400];
	size_t n = 0;

	for (uint32_t v = 1; v <= l->last && n < sizeof names; v++)
		n += (size_t)snprintf(names + n, sizeof names - n, "%s%s",
		    v == 1 ? "" : v == l->last ? " or " : ", ", l->name(v));
	return output_fail(c, CLI_USAGE, "--%s is %s", option_name(c, l),
	    names);
}

static int
list_option(const struct cli *c, const struct list *l, uint32_t *out)
{
	const char *text = cli_option(c, option_name(c, l));

	*out = 0;
	if (text == NULL)
		return CLI_OK;
	for (uint32_t v = 1; v <= l->last; v++)
		if (strcmp(text, l->name(v)) == 0) {
			*out = v;
			return CLI_OK;
		}
	return say_list(c, l);
}

/* ---- ids ---------------------------------------------------------------- */

static int
id_option(const struct cli *c, const char *name, struct kl_id *out)
{
	const char *text = cli_option(c, name);

	if (text == NULL || kl_id_read(text, out) == KL_OK)
		return CLI_OK;
	return output_fail(c, CLI_USAGE, "--%s is an organisation: agb:, ura: "
	    "or kvk: and 8 digits, or oin: and 20", name);
}

bool
audit_filter_reference(const char *text, struct kl_query_what *out)
{
	struct kl_spoken s;

	if (kl_spoken_read(text, &s) == KL_OK) {
		memcpy(out->spoken, s.b, sizeof out->spoken);
		return true;
	}
	return kl_hex_read(text, out->conv_ref.b, sizeof out->conv_ref.b) ==
	    KL_OK && !kl_bytes_zero(KL_BYTES_OF(out->conv_ref));
}

static int
reference_option(const struct cli *c, struct kl_query_what *out)
{
	const char *text = cli_option(c, "reference");

	if (text == NULL || audit_filter_reference(text, out))
		return CLI_OK;
	return output_fail(c, CLI_USAGE, "--reference is a spoken reference "
	    "such as ABCD-EFGH-K (its last letter checks the others), or 32 "
	    "hex digits");
}

static int
message_option(const struct cli *c, struct kl_query_what *out)
{
	const char *text = cli_option(c, "message");

	if (text == NULL || (kl_hex_read(text, out->message,
	    sizeof out->message) == KL_OK &&
	    !kl_bytes_zero(KL_BYTES_OF(out->message))))
		return CLI_OK;
	return output_fail(c, CLI_USAGE, "--message is the id of a message, "
	    "its own or the one in the log: 32 hex digits");
}

int
audit_filter_read(const struct cli *c, struct kl_query_what *out)
{
	uint32_t *const value[] = { &out->kind, &out->event, &out->role,
	    &out->outcome };
	int r;

	memset(out, 0, sizeof *out);
	if ((r = audit_filter_span(c, &out->from_minute, &out->to_minute)) !=
	    CLI_OK || (r = id_option(c, "sender", &out->sender)) != CLI_OK ||
	    (r = id_option(c, "receiver", &out->receiver)) != CLI_OK)
		return r;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if ((r = list_option(c, &lists[i], value[i])) != CLI_OK)
			return r;
	if ((r = reference_option(c, out)) != CLI_OK)
		return r;
	return message_option(c, out);
}
