#include "adapters/common/letter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/domain/calendar.h>
#include <kortelijn/domain/rules.h>

#include "adapters/common/letter_priv.h"

#define ROOM_FIRST 4096
#define LABEL_MAX 100
#define LINE_MAX 4096

/* ---- bytes ---- */

/* Twice the room, without leaving a copy behind. */
static int
grow(struct letter *l, size_t need)
{
	size_t room = l->room;
	char *p;

	while (room < need)
		room *= 2;
	if (room > LETTER_MAX)
		return KL_E_SIZE;
	if ((p = malloc(room)) == NULL)
		return KL_E_MEMORY;
	memcpy(p, l->p, l->n);
	explicit_bzero(l->p, l->room);
	free(l->p);
	l->p = p;
	l->room = room;
	return KL_OK;
}

void
letter_put_n(struct letter *l, const char *s, size_t n)
{
	if (l->err == KL_OK && l->n + n + 1 > l->room)
		l->err = grow(l, l->n + n + 1);
	if (l->err != KL_OK)
		return;
	memcpy(l->p + l->n, s, n);
	l->n += n;
}

void
letter_put(struct letter *l, const char *s)
{
	letter_put_n(l, s, strlen(s));
}

const char *
letter_either(const struct letter *l, const char *nl, const char *en)
{
	return l->o.lang == KL_EN ? en : nl;
}

/* Printable ASCII alone, of a text that is not clean. */
char
letter_shown(char c, bool clean)
{
	if (clean || (c >= ' ' && c <= '~'))
		return c;
	return c == '\t' || c == '\n' || c == '\r' ? ' ' : '?';
}

bool
letter_clean(const char *text, size_t n)
{
	return kl_rules_check_text(kl_bytes(text, n), KL_RULE_UTF8) ==
	    KL_C_OK;
}

const char *
letter_training(const struct letter *l)
{
	return letter_either(l, "OEFENING: geen echte gegevens",
	    "TRAINING: no real data");
}

/* ---- parts ---- */

int
letter_new(const struct letter_options *o, const char *title,
    struct letter **out)
{
	struct letter *l = calloc(1, sizeof *l);
	size_t n = strlen(title);

	*out = NULL;
	if (l == NULL)
		return KL_E_MEMORY;
	if ((l->p = malloc(ROOM_FIRST)) == NULL) {
		free(l);
		return KL_E_MEMORY;
	}
	l->room = ROOM_FIRST;
	l->o = *o;
	if (n >= sizeof l->title)
		n = sizeof l->title - 1;
	for (size_t i = 0; i < n; i++)
		l->title[i] = letter_shown(title[i], letter_clean(title, n));
	if (o->form == LETTER_HTML)
		letter_html_begin(l);
	else
		letter_plain_begin(l);
	*out = l;
	return KL_OK;
}

void
letter_free(struct letter *l)
{
	if (l == NULL)
		return;
	if (l->p != NULL)
		explicit_bzero(l->p, l->room);
	free(l->p);
	explicit_bzero(l, sizeof *l);
	free(l);
}

void
letter_heading(struct letter *l, const char *text)
{
	if (l->o.form == LETTER_HTML)
		letter_html_heading(l, text);
	else
		letter_plain_heading(l, text);
}

static void
paragraph_n(struct letter *l, const char *text, size_t n)
{
	if (l->o.form == LETTER_HTML)
		letter_html_paragraph(l, text, n);
	else
		letter_plain_paragraph(l, text, n);
}

void
letter_paragraph(struct letter *l, const char *text)
{
	paragraph_n(l, text, strlen(text));
}

void
letter_item(struct letter *l, const char *text)
{
	if (l->o.form == LETTER_HTML)
		letter_html_item(l, text);
	else
		letter_plain_item(l, text);
}

static void
row_n(struct letter *l, const char *label, const char *value, size_t n)
{
	if (l->o.form == LETTER_HTML)
		letter_html_row(l, label, value, n);
	else
		letter_plain_row(l, label, value, n);
}

void
letter_row(struct letter *l, const char *label, const char *value)
{
	if (value != NULL && value[0] != '\0')
		row_n(l, label, value, strlen(value));
}

void
letter_lines(struct letter *l, const char *text)
{
	while (*text != '\0') {
		const size_t n = strcspn(text, "\n");
		const char *colon = memmem(text, n, ": ", 2);
		const size_t before = colon == NULL ? 0 :
		    (size_t)(colon - text);
		char label[LABEL_MAX];

		if (before > 0 && before < sizeof label) {
			memcpy(label, text, before);
			label[before] = '\0';
			row_n(l, label, colon + 2, n - before - 2);
		} else if (n > 0) {
			paragraph_n(l, text, n);
		}
		text += n + (text[n] == '\n' ? 1 : 0);
	}
}

/* ---- sentences of texts.h ---- */

/* NULL: it lacks a value, which is told at the end. */
static const char *
filled(struct letter *l, enum text t, const struct texts_values *v,
    char line[LINE_MAX])
{
	int r = texts_fill(t, l->o.lang, v, line, LINE_MAX);

	if (r != KL_OK && l->err == KL_OK)
		l->err = r;
	return r == KL_OK ? line : NULL;
}

void
letter_say(struct letter *l, enum text t, const struct texts_values *v)
{
	char line[LINE_MAX];

	if (filled(l, t, v, line) != NULL)
		letter_paragraph(l, line);
	explicit_bzero(line, sizeof line);
}

void
letter_say_heading(struct letter *l, enum text t)
{
	letter_heading(l, texts_get(t, l->o.lang));
}

void
letter_say_item(struct letter *l, enum text t, const struct texts_values *v)
{
	char line[LINE_MAX];

	if (filled(l, t, v, line) != NULL)
		letter_item(l, line);
	explicit_bzero(line, sizeof line);
}

void
letter_say_row(struct letter *l, enum text label, const char *value)
{
	letter_row(l, texts_get(label, l->o.lang), value);
}

/* ---- dates ---- */

struct letter_date
letter_day(int32_t day, enum kl_lang lang)
{
	static const char *const months[12][2] = {
		{ "januari", "January" }, { "februari", "February" },
		{ "maart", "March" }, { "april", "April" },
		{ "mei", "May" }, { "juni", "June" }, { "juli", "July" },
		{ "augustus", "August" }, { "september", "September" },
		{ "oktober", "October" }, { "november", "November" },
		{ "december", "December" },
	};
	struct letter_date t;
	int year, month, mday;

	kl_day_split(day, &year, &month, &mday);
	(void)snprintf(t.b, sizeof t.b, "%d %s %d", mday,
	    months[month - 1][lang == KL_EN], year);
	return t;
}

struct letter_date
letter_time(int64_t at_ms, enum kl_lang lang)
{
	const int64_t local_ms = kl_calendar_local_ms(at_ms);
	struct letter_date t = letter_day(kl_day_of(local_ms), lang);
	const size_t n = strlen(t.b);

	(void)snprintf(t.b + n, sizeof t.b - n, ", %s",
	    kl_calendar_text(at_ms).b + 11);
	return t;
}

int
letter_take(struct letter *l, char **out, size_t *n)
{
	int r;

	*out = NULL;
	*n = 0;
	if (l->o.form == LETTER_HTML)
		letter_html_end(l);
	letter_put_n(l, "", 1);
	if ((r = l->err) == KL_OK) {
		*out = l->p;
		*n = l->n - 1;
		l->p = NULL;
	}
	letter_free(l);
	return r;
}

void
letter_text_free(char *text)
{
	if (text == NULL)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}
