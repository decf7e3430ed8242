#include "proto/audit/report_words.h"

#include <stdio.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

static const char *const months[2][12] = {
	{ "januari", "februari", "maart", "april", "mei", "juni", "juli",
	  "augustus", "september", "oktober", "november", "december" },
	{ "January", "February", "March", "April", "May", "June", "July",
	  "August", "September", "October", "November", "December" },
};
static const char *const short_months[2][12] = {
	{ "jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep",
	  "okt", "nov", "dec" },
	{ "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	  "Oct", "Nov", "Dec" },
};

struct audit_report_words
audit_report_words_day(int32_t day, enum kl_lang lang)
{
	struct audit_report_words t;
	int year, month, mday;

	kl_day_split(day, &year, &month, &mday);
	(void)snprintf(t.b, sizeof t.b, "%d %s %d", mday,
	    months[lang == KL_EN][month - 1], year);
	return t;
}

struct audit_report_words
audit_report_words_time(int64_t time_ms, enum kl_lang lang)
{
	const int64_t local = kl_calendar_local_ms(time_ms);
	const struct audit_report_words day = audit_report_words_day(
	    kl_day_of(local), lang);
	const unsigned int minutes = (unsigned int)((local -
	    kl_day_start_ms(kl_day_of(local))) / KL_MINUTE_MS);
	struct audit_report_words t;

	(void)snprintf(t.b, sizeof t.b, "%.150s, %02u:%02u", day.b,
	    minutes / 60, minutes % 60);
	return t;
}

struct audit_report_words
audit_report_words_month(int32_t month, enum kl_lang lang)
{
	struct audit_report_words t;

	(void)snprintf(t.b, sizeof t.b, "%s %d",
	    months[lang == KL_EN][month % 12], month / 12);
	return t;
}

struct audit_report_words
audit_report_words_month_short(int32_t month, enum kl_lang lang)
{
	struct audit_report_words t;

	(void)snprintf(t.b, sizeof t.b, "%s %02d",
	    short_months[lang == KL_EN][month % 12], month / 12 % 100);
	return t;
}

struct audit_report_words
audit_report_words_quarter(int32_t quarter, enum kl_lang lang)
{
	struct audit_report_words t;

	(void)snprintf(t.b, sizeof t.b, lang == KL_EN ?
	    "quarter %d of %d" : "%de kwartaal %d", quarter % 4 + 1,
	    quarter / 4);
	return t;
}

struct audit_report_words
audit_report_words_quarter_short(int32_t quarter, enum kl_lang lang)
{
	struct audit_report_words t;

	(void)snprintf(t.b, sizeof t.b, lang == KL_EN ?
	    "Q%d %d" : "%de kw. %d", quarter % 4 + 1, quarter / 4);
	return t;
}

struct audit_report_words
audit_report_words_term(enum kl_policy_key key, struct kl_term t,
    enum kl_lang lang)
{
	static const struct { const char *one[2], *more[2]; } units[] = {
		[KL_UNIT_H] = { { "uur", "hour" }, { "uur", "hours" } },
		[KL_UNIT_D] = { { "dag", "day" }, { "dagen", "days" } },
		[KL_UNIT_MO] = { { "maand", "month" },
		    { "maanden", "months" } },
		[KL_UNIT_Y] = { { "jaar", "year" }, { "jaar", "years" } },
		[KL_UNIT_WD] = { { "werkdag", "working day" },
		    { "werkdagen", "working days" } },
		[KL_UNIT_OH] = { { "kantooruur", "office hour" },
		    { "kantooruren", "office hours" } },
	};
	const size_t en = lang == KL_EN;
	struct audit_report_words w;

	if (t.unit == KL_UNIT_WD && t.n == 0)
		(void)snprintf(w.b, sizeof w.b, "%s",
		    en ? "the same day" : "dezelfde dag");
	else if (t.unit < sizeof units / sizeof units[0] &&
	    units[t.unit].one[0] != NULL)
		(void)snprintf(w.b, sizeof w.b, "%u %s", t.n, t.n == 1 ?
		    units[t.unit].one[en] : units[t.unit].more[en]);
	else
		(void)snprintf(w.b, sizeof w.b, "%s",
		    kl_term_text(key, t).b);
	return w;
}

struct audit_report_words
audit_report_words_org(const struct audit_names *names,
    const struct kl_id *id)
{
	const char *name = audit_names_of(names, id);
	struct audit_report_words t;

	if (name == NULL)
		(void)snprintf(t.b, sizeof t.b, "%s", kl_id_text(id).b);
	else
		(void)snprintf(t.b, sizeof t.b, "%s (%s)", name,
		    kl_id_text(id).b);
	return t;
}
