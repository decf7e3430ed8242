#include "adapters/common/subject_letter.h"

#include <stdio.h>
#include <string.h>

#include "adapters/common/letter_case.h"

/* ---- begin and end --------------------------------------------------- */

static int
begin(struct letter_case *p, const struct letter_options *o,
    const json_t *answer, enum text title)
{
	int r = letter_new(o, texts_get(title, o->lang), &p->l);

	if (r != KL_OK)
		return r;
	p->lang = o->lang;
	p->answer = answer;
	p->practice = strcmp(letter_case_str(answer, "role"), "practice") == 0;
	memset(&p->v, 0, sizeof p->v);
	p->v.organisation = letter_case_str(answer, "organisation");
	p->v.phone = letter_case_str(answer, "phone");
	letter_say_row(p->l, TEXT_FROM, p->v.organisation);
	letter_say_row(p->l, TEXT_MADE_ON, letter_case_instant(p, answer,
	    "made_at").b);
	return KL_OK;
}

static int
finish(struct letter_case *p, char **out, size_t *n)
{
	letter_say(p->l, p->v.phone[0] != '\0' ? TEXT_CALL : TEXT_ASK,
	    &p->v);
	letter_say(p->l, TEXT_COMPLAINT, NULL);
	return letter_take(p->l, out, n);
}

/* A term in days, in years if it is long. */
static void
say_term(struct letter_case *p, enum text t, const char *key)
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

/* ---- pages ----------------------------------------------------------- */

int
subject_letter_find(const struct letter_options *o, const json_t *answer,
    char **out, size_t *n)
{
	const json_t *cases = json_object_get(answer, "referrals"), *k;
	struct letter_case p;
	size_t i;
	int r = begin(&p, o, answer, TEXT_FIND_TITLE);

	*out = NULL;
	if (r != KL_OK)
		return r;
	letter_say(p.l, json_array_size(cases) > 0 ? TEXT_FIND_INTRO :
	    TEXT_FIND_NONE, &p.v);
	json_array_foreach(cases, i, k) {
		letter_heading(p.l, letter_case_name(k));
		letter_case_put(&p, k);
	}
	return finish(&p, out, n);
}

/* What a resident may do about it. */
static void
say_rights(struct letter_case *p, const json_t *cases)
{
	struct texts_values v = p->v;

	v.other = letter_case_str(json_array_get(cases, 0), "peer_name");
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
	struct letter_case p;
	size_t i;
	int r = begin(&p, o, answer, TEXT_EXPORT_TITLE);

	*out = NULL;
	if (r != KL_OK)
		return r;
	letter_say(p.l, TEXT_EXPORT_INTRO, &p.v);
	letter_say(p.l, TEXT_EXPORT_KORTELIJN, NULL);
	letter_say(p.l, TEXT_EXPORT_FILES, NULL);
	json_array_foreach(cases, i, k)
		letter_case_whole(&p, k);
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
	struct letter_case p;
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
		const char *name = letter_case_name(k);

		letter_heading(p.l, name[0] != '\0' ? name :
		    texts_get(TEXT_EXPORT_REFERRAL, p.lang));
		letter_case_lines(&p, k);
	}
	return finish(&p, out, n);
}

static bool
is_done(const json_t *k, const char *how)
{
	return strcmp(letter_case_str(k, "done"), how) == 0;
}

static bool
any_done(const json_t *cases, const char *how)
{
	const json_t *k;
	size_t i;

	json_array_foreach(cases, i, k)
		if (is_done(k, how))
			return true;
	return false;
}

/* Then others are asked too. */
static bool
any_withdrawn(const json_t *cases)
{
	return any_done(cases, "withdrawn");
}

static void
put_erased(struct letter_case *p, const json_t *cases)
{
	const json_t *k;
	size_t i;

	letter_say(p->l, TEXT_ERASE_WHICH, NULL);
	json_array_foreach(cases, i, k) {
		const struct texts_values v = {
			.reference = letter_case_name(k) };

		letter_say_item(p->l, is_done(k, "withdrawn") ?
		    TEXT_ERASE_OPEN : is_done(k, "withdrawn_before") ?
		    TEXT_ERASE_BEFORE : TEXT_ERASE_ENDED, &v);
	}
	if (any_withdrawn(cases))
		letter_say(p->l, TEXT_ERASE_OTHER_SIDE, NULL);
	if (any_withdrawn(cases) || any_done(cases, "withdrawn_before"))
		letter_say(p->l, TEXT_WITHDRAWAL_PROOF, NULL);
}

int
subject_letter_erase(const struct letter_options *o, const json_t *answer,
    char **out, size_t *n)
{
	const json_t *cases = json_object_get(answer, "referrals");
	struct letter_date until, now;
	struct texts_values v;
	struct letter_case p;
	int r = begin(&p, o, answer, any_withdrawn(cases) ?
	    TEXT_ERASE_BEGUN_TITLE : TEXT_ERASE_TITLE);

	*out = NULL;
	if (r != KL_OK)
		return r;
	now = letter_case_instant(&p, answer, "made_at");
	until = letter_case_day(&p, answer, "log_until");
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
