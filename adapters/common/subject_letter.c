#include "adapters/common/subject_letter.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <kortelijn/base/types.h>

/* A letter in the making, and what all of it fills in. */
struct page {
	struct letter *l;
	enum kl_lang lang;
	const json_t *answer;
	bool practice;
	struct texts_values v;
};

/* ---- members --------------------------------------------------------- */

/* "" if it is not there. */
static const char *
str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static const char *
worded(const struct page *p, const json_t *o, const char *nl, const char *en)
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

/* "" if it is no instant. */
static struct letter_date
instant(const struct page *p, const json_t *o, const char *key)
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
day(const struct page *p, const json_t *o, const char *key)
{
	struct letter_date none = { "" };
	int32_t d;

	if (kl_day_read(str(o, key), &d) != KL_OK)
		return none;
	return letter_day(d, p->lang);
}

/* The reference, else the practice's own. */
static const char *
name_of(const json_t *k)
{
	const char *reference = str(k, "reference");

	return reference[0] != '\0' ? reference : str(k, "referral_id");
}

/* ---- begin and end --------------------------------------------------- */

static int
begin(struct page *p, const struct letter_options *o, const json_t *answer,
    enum text title)
{
	int r = letter_new(o, texts_get(title, o->lang), &p->l);

	if (r != KL_OK)
		return r;
	p->lang = o->lang;
	p->answer = answer;
	p->practice = strcmp(str(answer, "role"), "practice") == 0;
	memset(&p->v, 0, sizeof p->v);
	p->v.organisation = str(answer, "organisation");
	p->v.phone = str(answer, "phone");
	letter_say_row(p->l, TEXT_FROM, p->v.organisation);
	letter_say_row(p->l, TEXT_MADE_ON, instant(p, answer, "made_at").b);
	return KL_OK;
}

static int
finish(struct page *p, char **out, size_t *n)
{
	letter_say(p->l, p->v.phone[0] != '\0' ? TEXT_CALL : TEXT_ASK,
	    &p->v);
	letter_say(p->l, TEXT_COMPLAINT, NULL);
	return letter_take(p->l, out, n);
}

/* A term in days, in years if it is long. */
static void
say_term(struct page *p, enum text t, const char *key)
{
	const json_int_t days = json_integer_value(json_object_get(p->answer,
	    key));
	const bool years = days >= 2 * 365;
	struct texts_values v = p->v;
	char count[40];

	(void)snprintf(count, sizeof count, "%lld %s", (long long)(years ?
	    days / 365 : days), texts_get(years ? TEXT_YEARS : TEXT_DAYS,
	    p->lang));
	v.count = count;
	letter_say(p->l, t, &v);
}

/* ---- a case ---------------------------------------------------------- */

static void
put_case(struct page *p, const json_t *k)
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
level_text(const struct page *p, const json_t *consent)
{
	const json_int_t level = json_integer_value(json_object_get(consent,
	    "feedback_level"));

	if (level < 0 || level > 3)
		return "";
	return texts_get((enum text)(TEXT_EXPORT_LEVEL_0 + level), p->lang);
}

static const char *
asked_by(const struct page *p, const json_t *consent)
{
	const uint32_t role = kl_staff_role_read(str(consent, "asked_by"));

	return role == 0 ? "" : kl_list_label(KL_LIST_STAFF_ROLE, role,
	    p->lang);
}

static void
put_consent(struct page *p, const json_t *k)
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
put_content(struct page *p, const json_t *k)
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
put_step(struct page *p, const json_t *s)
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
put_history(struct page *p, const json_t *k)
{
	const json_t *s;
	size_t i;

	letter_say_heading(p->l, TEXT_EXPORT_MESSAGES);
	json_array_foreach(json_object_get(k, "history"), i, s)
		put_step(p, s);
}

/* "24 november 2026: middag, telefoon" */
static void
put_attempts(struct page *p, const json_t *k)
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
put_withdrawal(struct page *p, const json_t *k)
{
	static const char *const whats[] = { "withdrawn", "withdrawing",
		"erase_asked", "erase_answered", "erase_told",
		"erase_missing" };
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
put_receipts(struct page *p, const json_t *k)
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
who_text(const struct page *p, const json_t *line, char *out, size_t cap)
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
alike(const struct page *p, const json_t *a, const json_t *b)
{
	char x[200], y[200];

	who_text(p, a, x, sizeof x);
	who_text(p, b, y, sizeof y);
	return strcmp(x, y) == 0 && strcmp(str(a, "act"), str(b, "act")) ==
	    0 && strncmp(str(a, "at"), str(b, "at"), 10) == 0;
}

static void
put_line(struct page *p, const json_t *line, size_t times)
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
put_lines(struct page *p, const json_t *k)
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

/* ---- pages ----------------------------------------------------------- */

int
subject_letter_find(const struct letter_options *o, const json_t *answer,
    char **out, size_t *n)
{
	const json_t *cases = json_object_get(answer, "referrals"), *k;
	struct page p;
	size_t i;
	int r = begin(&p, o, answer, TEXT_FIND_TITLE);

	*out = NULL;
	if (r != KL_OK)
		return r;
	letter_say(p.l, json_array_size(cases) > 0 ? TEXT_FIND_INTRO :
	    TEXT_FIND_NONE, &p.v);
	json_array_foreach(cases, i, k) {
		letter_heading(p.l, name_of(k));
		put_case(&p, k);
	}
	return finish(&p, out, n);
}

static void
export_case(struct page *p, const json_t *k)
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

/* What a resident may do about it. */
static void
say_rights(struct page *p, const json_t *cases)
{
	struct texts_values v = p->v;

	v.other = str(json_array_get(cases, 0), "peer_name");
	say_term(p, TEXT_EXPORT_TERM, "keep_days");
	letter_say(p->l, p->practice ? TEXT_EXPORT_CORRECT_HERE :
	    TEXT_EXPORT_CORRECT_THERE, &v);
	letter_say(p->l, TEXT_EXPORT_CORRECT_HOW, NULL);
	letter_say(p->l, TEXT_EXPORT_WITHDRAW, NULL);
}

int
subject_letter_export(const struct letter_options *o, const json_t *answer,
    char **out, size_t *n)
{
	const json_t *cases = json_object_get(answer, "referrals"), *k;
	struct page p;
	size_t i;
	int r = begin(&p, o, answer, TEXT_EXPORT_TITLE);

	*out = NULL;
	if (r != KL_OK)
		return r;
	letter_say(p.l, TEXT_EXPORT_INTRO, &p.v);
	letter_say(p.l, TEXT_EXPORT_KORTELIJN, NULL);
	letter_say(p.l, TEXT_EXPORT_FILES, NULL);
	json_array_foreach(cases, i, k)
		export_case(&p, k);
	letter_say_heading(p.l, TEXT_EXPORT_RIGHTS);
	if (json_array_size(cases) > 0)
		say_rights(&p, cases);
	else
		letter_say(p.l, TEXT_EXPORT_NONE, NULL);
	return finish(&p, out, n);
}

int
subject_letter_log(const struct letter_options *o, const json_t *answer,
    char **out, size_t *n)
{
	const json_t *cases = json_object_get(answer, "referrals"), *k;
	struct page p;
	size_t i;
	int r = begin(&p, o, answer, TEXT_LOG_TITLE);

	*out = NULL;
	if (r != KL_OK)
		return r;
	letter_say(p.l, TEXT_LOG_INTRO, &p.v);
	letter_say(p.l, TEXT_LOG_FIRST, NULL);
	letter_say(p.l, TEXT_LOG_NUMBERS, &p.v);
	letter_say(p.l, TEXT_LOG_PROGRAM, &p.v);
	say_term(&p, TEXT_LOG_TERM, "log_days");
	if (json_array_size(cases) == 0)
		letter_say(p.l, TEXT_LOG_NONE, NULL);
	json_array_foreach(cases, i, k) {
		letter_heading(p.l, name_of(k)[0] != '\0' ? name_of(k) :
		    texts_get(TEXT_EXPORT_REFERRAL, p.lang));
		put_lines(&p, k);
	}
	return finish(&p, out, n);
}

static bool
is_withdrawn(const json_t *k)
{
	return strcmp(str(k, "done"), "withdrawn") == 0;
}

/* Then others are asked too. */
static bool
any_withdrawn(const json_t *cases)
{
	const json_t *k;
	size_t i;

	json_array_foreach(cases, i, k)
		if (is_withdrawn(k))
			return true;
	return false;
}

static void
put_erased(struct page *p, const json_t *cases)
{
	const json_t *k;
	size_t i;

	letter_say(p->l, TEXT_ERASE_WHICH, NULL);
	json_array_foreach(cases, i, k) {
		const struct texts_values v = { .reference = name_of(k) };

		letter_say_item(p->l, is_withdrawn(k) ? TEXT_ERASE_OPEN :
		    TEXT_ERASE_ENDED, &v);
	}
	if (any_withdrawn(cases)) {
		letter_say(p->l, TEXT_ERASE_OTHER_SIDE, NULL);
		letter_say(p->l, TEXT_WITHDRAWAL_PROOF, NULL);
	}
}

int
subject_letter_erase(const struct letter_options *o, const json_t *answer,
    char **out, size_t *n)
{
	const json_t *cases = json_object_get(answer, "referrals");
	struct letter_date until, now;
	struct texts_values v;
	struct page p;
	int r = begin(&p, o, answer, any_withdrawn(cases) ?
	    TEXT_ERASE_BEGUN_TITLE : TEXT_ERASE_TITLE);

	*out = NULL;
	if (r != KL_OK)
		return r;
	now = instant(&p, answer, "made_at");
	until = day(&p, answer, "log_until");
	v = p.v;
	v.date = now.b;
	letter_say(p.l, TEXT_ERASE_DONE, &v);
	put_erased(&p, cases);
	v.date = until.b;
	letter_say(p.l, TEXT_ERASE_LOG_STAYS, &v);
	letter_say(p.l, TEXT_ERASE_LOG_WHY, NULL);
	letter_say(p.l, TEXT_ERASE_LOG_NAMELESS, NULL);
	letter_say(p.l, p.practice ? TEXT_ERASE_FILE_PRACTICE :
	    TEXT_ERASE_FILE_DESK, NULL);
	letter_say(p.l, TEXT_ERASE_NOT_BACK, NULL);
	return finish(&p, out, n);
}
