/*
 * letter.h: a page that is printed and handed over: plain text of 72 columns,
 * or one HTML file with its own style for paper that fetches nothing.
 *
 * Values may come from others: what is no clean text is shown as '?', and in
 * HTML nothing of it is markup. In the training realm every page says so, that
 * of a text on its first line. The first error sticks; letter_take tells it.
 */
#ifndef ADAPTERS_COMMON_LETTER_H
#define ADAPTERS_COMMON_LETTER_H

#include <kortelijn/base/err.h>
#include <kortelijn/base/time.h>
#include <kortelijn/domain/list.h>

#include "adapters/common/texts.h"

#define LETTER_COLUMNS 72
#define LETTER_PAGE_LINES 60
#define LETTER_MAX (8 * 1024 * 1024)	/* bytes with NUL */

enum letter_form { LETTER_TEXT = 1, LETTER_HTML = 2 };

struct letter_options {
	enum letter_form form;
	enum kl_lang lang;
	bool training;
};

struct letter;

/* Begins a page under `title`, which is copied. KL_E_MEMORY. */
int letter_new(const struct letter_options *o, const char *title,
    struct letter **out) KL_MUST_CHECK;
/* Wipes. Accepts NULL. */
void letter_free(struct letter *l);

void letter_heading(struct letter *l, const char *text);
void letter_paragraph(struct letter *l, const char *text);
/* An item of a list. */
void letter_item(struct letter *l, const char *text);
/* A label and its value; left out if the value is NULL or empty. */
void letter_row(struct letter *l, const char *label, const char *value);
/* Lines as kl_render_referral makes them: "Label: value" as rows, others as
 * paragraphs. */
void letter_lines(struct letter *l, const char *text);

/* The same with sentences and labels of texts.h, in the letter's language;
 * v, which may be NULL, fills what they leave open. */
void letter_say(struct letter *l, enum text t, const struct texts_values *v);
void letter_say_heading(struct letter *l, enum text t);
void letter_say_item(struct letter *l, enum text t,
    const struct texts_values *v);
void letter_say_row(struct letter *l, enum text label, const char *value);

/* "24 november 2026", and of an instant the local one with "09:13" behind it;
 * with NUL. */
struct letter_date { char b[40]; };
struct letter_date letter_day(int32_t day, enum kl_lang lang);
struct letter_date letter_time(int64_t at_ms, enum kl_lang lang);

/*
 * The whole page with NUL, the caller's to pass to letter_text_free; l is
 * spent. KL_E_SIZE: longer than LETTER_MAX; KL_E_VALUE: a sentence lacked a
 * value; KL_E_MEMORY.
 */
int letter_take(struct letter *l, char **out, size_t *n) KL_MUST_CHECK;
/* Wipes. Accepts NULL. */
void letter_text_free(char *text);

#endif
