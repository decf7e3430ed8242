/*
 * letter_priv.h: a letter as its own files see it: letter.c (what it is made
 * of), letter_html.c and letter_plain.c (how each form writes it).
 */
#ifndef ADAPTERS_COMMON_LETTER_PRIV_H
#define ADAPTERS_COMMON_LETTER_PRIV_H

#include "adapters/common/letter.h"

#define LETTER_TITLE_MAX 200

/* What is open in the HTML, and what stands above a line of the text. */
enum letter_block {
	LETTER_NOTHING, LETTER_ROWS, LETTER_ITEMS, LETTER_PROSE,
	LETTER_HEADING,
};

struct letter {
	struct letter_options o;
	char title[LETTER_TITLE_MAX];
	char *p;
	size_t n, room;
	int err;
	enum letter_block block;
	size_t lines;		/* of this page of text */
	unsigned int page;
};

void letter_put(struct letter *l, const char *s);
void letter_put_n(struct letter *l, const char *s, size_t n);
const char *letter_either(const struct letter *l, const char *nl,
    const char *en);
/* What a page says in the training realm. */
const char *letter_training(const struct letter *l);
/* Clean text is shown as it is; of other text printable ASCII alone. */
bool letter_clean(const char *text, size_t n);
char letter_shown(char c, bool clean);

/* The parts of a page in either form. Values are of n bytes. */
void letter_html_begin(struct letter *l);
void letter_html_end(struct letter *l);
void letter_html_heading(struct letter *l, const char *text);
void letter_html_paragraph(struct letter *l, const char *text, size_t n);
void letter_html_item(struct letter *l, const char *text);
void letter_html_row(struct letter *l, const char *label, const char *value,
    size_t n);

void letter_plain_begin(struct letter *l);
void letter_plain_heading(struct letter *l, const char *text);
void letter_plain_paragraph(struct letter *l, const char *text, size_t n);
void letter_plain_item(struct letter *l, const char *text);
void letter_plain_row(struct letter *l, const char *label, const char *value,
    size_t n);

#endif
