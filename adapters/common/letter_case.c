#include "adapters/common/letter_case.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <kortelijn/base/types.h>

/* ---- members --------------------------------------------------------- */

static const char *
str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static const char *
worded(const struct letter_case *p, const json_t *o, const char *nl,
    const char *en)
{
	return str(o, p->lang == KL_EN ? en : nl);
}

struct number { char b[24]; };
static struct number
number(const json_t *o, const char *key)
{
	struct number t;

	(void)snprintf(t.b, sizeof t.b, "%lld",
	    (long long)json_integer_value(json_object_get(o, key)));
	return t;
}

static struct letter_date
instant(const struct letter_case *p, const json_t *o, const char *key)
{
	struct letter_date none = { "" };
	struct tm tm = { .tm_year = 0 };
	time_t at;

	if (strptime(str(o, key), "%Y-%m-%dT%H:%M:%S", &tm) == NULL)
		return none;
	at = timegm(&tm);
	return letter_time((int64_t)at * KL_SECOND_MS, p->lang);
}

static struct letter_date
day(const struct letter_case *p, const json_t *o, const char *key)
{
	struct letter_date none = { "" };
	int32_t d;

	if (kl_day_read(str(o, key), &d) != KL_OK)
		return none;
	return letter_day(d, p->lang);
}

static const char *
name_of(const json_t *k)
{
	const char *reference = str(k, "reference");

	return reference[0] != '\0' ? reference : str(k, "referral_id");
}

/* ---- a case ---------------------------------------------------------- */

static void
put_case(struct letter_case *p, const json_t *k)
{
	struct letter *l = p->l;

	letter_say_row(l, TEXT_REFERENCE, str(k, "reference"));
	letter_say_row(l, TEXT_OWN_REFERENCE, str(k, "referral_id"));
	letter_say_row(l, TEXT_EXPORT_PATIENT_NUMBER, str(k, "patient_ref"));
	letter_say_row(l, strcmp(str(k, "peer"), str(k, "receiver")) == 0 ?
	    TEXT_TO : TEXT_FROM, str(k, "peer_name"));
	letter_say_row(l, TEXT_STATE, worded(p, k, "state_nl", "state_en"));
	letter_say_row(l, TEXT_SENT_ON, instant(p, k, "sent_at").b);
	letter_say_row(l, TEXT_OPENED_ON, instant(p, k, "delivered_at").b);
	letter_say_row(l, TEXT_ENDED_ON, instant(p, k, "changed_at").b);
}

static const char *
level_text(const struct letter_case *p, const json_t *consent)
{
	const json_int_t level = json_integer_value(json_object_get(consent,
	    "feedback_level"));

	if (level < 0 || level > 3)
		return "";
	return texts_get((enum text)(TEXT_EXPORT_LEVEL_0 + level), p->lang);
}

static const char *
asked_by(const struct letter_case *p, const json_t *consent)
{
	const uint32_t role = kl_staff_role_read(str(consent, "asked_by"));

	return role == 0 ? "" : kl_list_label(KL_LIST_STAFF_ROLE, role,
	    p->lang);
}

static void
put_consent(struct letter_case *p, const json_t *k)
{
	const json_t *c = json_object_get(k, "consent"), *id;
	struct texts_values v = p->v;
	struct letter *l = p->l;
	size_t i;

	letter_say_heading(l, TEXT_EXPORT_CONSENT);
	if (c == NULL) {
		v.other = str(k, "peer_name");
		letter_say(l, TEXT_EXPORT_CONSENT_THERE, &v);
		return;
	}
	letter_say_row(l, TEXT_EXPORT_GIVEN_ON, day(p, c, "given_on").b);
	letter_say_row(l, TEXT_EXPORT_FORM, texts_get(strcmp(str(c, "form"),
	    "oral") == 0 ? TEXT_EXPORT_ORAL : TEXT_EXPORT_WRITTEN, p->lang));
	letter_say_row(l, TEXT_EXPORT_ASKED_BY, asked_by(p, c));
	letter_say_row(l, TEXT_EXPORT_VALID_UNTIL,
	    day(p, c, "valid_until").b);
	letter_say_row(l, TEXT_EXPORT_LEVEL, level_text(p, c));
	letter_say_row(l, TEXT_EXPORT_INFO_VERSION,
	    number(c, "info_text_version").b);
	letter_say_row(l, TEXT_EXPORT_IN_FILE, texts_get(json_is_true(
	    json_object_get(c, "recorded_in_his")) ? TEXT_YES : TEXT_NO,
	    p->lang));
	json_array_foreach(json_object_get(c, "onward_to"), i, id)
		letter_say_row(l, TEXT_EXPORT_ONWARD, json_string_value(id));
}

static void
put_content(struct letter_case *p, const json_t *k)
{
	letter_say_heading(p->l, TEXT_EXPORT_CONTENT);
	if (str(k, "text")[0] == '\0')
		letter_say(p->l, TEXT_EXPORT_CONTENT_GONE, NULL);
	letter_lines(p->l, str(k, "text"));
	if (str(k, "text_before")[0] == '\0')
		return;
	letter_say_heading(p->l, TEXT_EXPORT_BEFORE);
	letter_lines(p->l, str(k, "text_before"));
}

/* "24 november 2026, 09:13: terugkoppeling, ontvangen: Contact gelegd" */
static void
put_step(struct letter_case *p, const json_t *s)
{
	const json_t *f = json_object_get(s, "feedback");
	const char *kind = worded(p, s, "kind_nl", "kind_en");
	const char *state = worded(p, f, "state_nl", "state_en");
	char line[400];

	(void)snprintf(line, sizeof line, "%s: %s%s%s%s%s",
	    instant(p, s, "at").b, kind, kind[0] != '\0' ? ", " : "",
	    worded(p, s, "label_nl", "label_en"),
	    state[0] != '\0' ? ": " : "", state);
	letter_item(p->l, line);
}

static void
put_history(struct letter_case *p, const json_t *k)
{
	const json_t *s;
	size_t i;

	letter_say_heading(p->l, TEXT_EXPORT_MESSAGES);
	json_array_foreach(json_object_get(k, "history"), i, s)
		put_step(p, s);
}

/* "24 november 2026: middag, telefoon" */
static void
put_attempts(struct letter_case *p, const json_t *k)
{
	const json_t *attempts = json_object_get(k, "attempts"), *a;
	char line[200];
	size_t i;

	if (json_array_size(attempts) == 0)
		return;
	letter_say_heading(p->l, TEXT_EXPORT_ATTEMPTS);
	json_array_foreach(attempts, i, a) {
		(void)snprintf(line, sizeof line, "%s: %s, %s",
		    day(p, a, "date").b, kl_list_label(KL_LIST_PART_OF_DAY,
		    kl_list_read(KL_LIST_PART_OF_DAY, str(a,
		    "part_of_day")), p->lang), kl_list_label(KL_LIST_CONTACT,
		    kl_list_read(KL_LIST_CONTACT, str(a, "kind")),
		    p->lang));
		letter_item(p->l, line);
	}
}

/* Whether and how it was withdrawn, as the steps tell. */
static void
put_withdrawal(struct letter_case *p, const json_t *k)
{
	static const char *const whats[] = { "withdrawn", "withdrawing",
		"feedback_withdrawn", "erase_asked", "erase_answered",
		"erase_told", "erase_missing" };
	const json_t *s;
	bool any = false;
	size_t i;

	letter_say_heading(p->l, TEXT_EXPORT_WITHDRAWALS);
	json_array_foreach(json_object_get(k, "history"), i, s)
		for (size_t w = 0; w < sizeof whats / sizeof whats[0]; w++)
			if (strcmp(str(s, "what"), whats[w]) == 0) {
				put_step(p, s);
				any = true;
			}
	if (!any)
		letter_say(p->l, TEXT_EXPORT_NOT_WITHDRAWN, NULL);
}

static void
put_receipts(struct letter_case *p, const json_t *k)
{
	const json_t *s;
	size_t i;

	letter_say_heading(p->l, TEXT_EXPORT_RECEIPTS);
	letter_say_row(p->l, TEXT_OPENED_ON, instant(p, k,
	    "delivered_at").b);
	json_array_foreach(json_object_get(k, "receipts"), i, s) {
		const char *level = str(s, "level");

		if (strcmp(level, "accepted") == 0)
			letter_say_row(p->l, TEXT_EXPORT_ACCEPTED,
			    instant(p, s, "at").b);
		else if (strcmp(level, "taken_up") == 0)
			letter_say_row(p->l, TEXT_EXPORT_TAKEN_UP,
			    instant(p, s, "at").b);
	}
}

/* ---- who looked ------------------------------------------------------ */

/* "huisarts wiersma (gebruiker 1000), opdracht" */
static void
who_text(const struct letter_case *p, const json_t *line, char *out, size_t cap)
{
	const char *role = worded(p, line, "role_nl", "role_en");
	const char *staff = str(line, "staff");
	size_t n;

	(void)snprintf(out, cap, "%s%s%s", role, role[0] != '\0' &&
	    staff[0] != '\0' ? " " : "", staff);
	n = strlen(out);
	if (json_object_get(line, "uid") != NULL)
		(void)snprintf(out + n, cap - n, "%s%s %s", n > 0 ? ", " :
		    "", texts_get(TEXT_USER, p->lang),
		    number(line, "uid").b);
	n = strlen(out);
	(void)snprintf(out + n, cap - n, "%s%s", n > 0 ? ", " : "",
	    worded(p, line, "interface_nl", "interface_en"));
}

/* The same by the same on the same day. */
static bool
alike(const struct letter_case *p, const json_t *a, const json_t *b)
{
	char x[200], y[200];

	who_text(p, a, x, sizeof x);
	who_text(p, b, y, sizeof y);
	return strcmp(x, y) == 0 && strcmp(str(a, "act"), str(b, "act")) ==
	    0 && strncmp(str(a, "at"), str(b, "at"), 10) == 0;
}

static void
put_line(struct letter_case *p, const json_t *line, size_t times)
{
	char who[200], text[500], often[40] = "";

	who_text(p, line, who, sizeof who);
	if (times > 1)
		(void)snprintf(often, sizeof often, " (%zu %s)", times,
		    texts_get(TEXT_TIMES, p->lang));
	(void)snprintf(text, sizeof text, "%s: %s%s; %s",
	    instant(p, line, "at").b, worded(p, line, "act_nl", "act_en"),
	    often, who);
	letter_item(p->l, text);
}

/* What was done again and again on one day is told once. */
static void
put_lines(struct letter_case *p, const json_t *k)
{
	const json_t *lines = json_object_get(k, "lines");
	const size_t n = json_array_size(lines);
	size_t i = 0, times;

	if (n == 0)
		letter_say(p->l, TEXT_LOG_NONE, NULL);
	for (; i < n; i += times) {
		const json_t *line = json_array_get(lines, i);

		for (times = 1; i + times < n && alike(p, line,
		    json_array_get(lines, i + times)); times++)
			;
		put_line(p, line, times);
	}
	if (json_is_true(json_object_get(k, "more")))
		letter_say(p->l, TEXT_LOG_MORE, &p->v);
}

void
letter_case_whole(struct letter_case *p, const json_t *k)
{
	letter_say_heading(p->l, TEXT_EXPORT_REFERRAL);
	put_case(p, k);
	put_content(p, k);
	put_consent(p, k);
	put_withdrawal(p, k);
	put_history(p, k);
	put_attempts(p, k);
	put_receipts(p, k);
	letter_say_heading(p->l, TEXT_LOG_TITLE);
	put_lines(p, json_object_get(k, "access"));
}

/* ---- for the pages --------------------------------------------------- */

void
letter_case_put(struct letter_case *p, const json_t *k)
{
	put_case(p, k);
}

void
letter_case_lines(struct letter_case *p, const json_t *k)
{
	put_lines(p, k);
}

const char *
letter_case_str(const json_t *o, const char *key)
{
	return str(o, key);
}

struct letter_date
letter_case_instant(const struct letter_case *p, const json_t *o,
    const char *key)
{
	return instant(p, o, key);
}

struct letter_date
letter_case_day(const struct letter_case *p, const json_t *o,
    const char *key)
{
	return day(p, o, key);
}

const char *
letter_case_name(const json_t *k)
{
	return name_of(k);
}
