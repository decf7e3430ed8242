#include <string.h>

#include <kortelijn/base/bytes.h>

#include "adapters/common/letter_priv.h"

#define ROW_COLUMNS 26		/* of labels, before their values */

static void
begin_page(struct letter *l)
{
	char number[12];
	size_t n = sizeof number;

	l->lines = 0;
	if (l->page++ > 0)
		letter_put(l, "\f");
	if (l->o.training) {
		letter_put(l, letter_training(l));
		letter_put(l, "\n\n");
		l->lines += 2;
	}
	letter_put(l, l->title);
	if (l->page > 1) {
		letter_put(l, letter_either(l, ", bladzijde ", ", page "));
		for (unsigned int v = l->page; v > 0; v /= 10)
			number[--n] = (char)('0' + v % 10);
		letter_put_n(l, number + n, sizeof number - n);
	}
	letter_put(l, "\n");
	l->lines++;
	if (l->page > 1) {
		letter_put(l, "\n");
		l->lines++;
	}
}

/* The end of a line. */
static void
newline(struct letter *l)
{
	letter_put(l, "\n");
	if (++l->lines >= LETTER_PAGE_LINES)
		begin_page(l);
}

/* The first n bytes as one word of the line. */
static void
put_word(struct letter *l, const char *text, size_t n, bool clean)
{
	for (size_t i = 0; i < n; i++) {
		const char c = letter_shown(text[i], clean);

		letter_put_n(l, &c, 1);
	}
}

static void
spaces(struct letter *l, size_t n)
{
	while (n-- > 0)
		letter_put(l, " ");
}

/* Bytes of the next word, at most as many as fit a line by themselves. */
static size_t
word_of(const char *text, size_t n, size_t columns)
{
	size_t i = 0, at = 0;

	while (i < n && text[i] != ' ') {
		if ((text[i] & 0xc0) != 0x80 && ++at > columns)
			break;
		i++;
	}
	return i;
}

/* Broken between words; the first line begins at column `at`, the others at
 * `indent`. */
static void
wrapped(struct letter *l, const char *text, size_t n, size_t at,
    size_t indent)
{
	const bool clean = letter_clean(text, n);
	bool first = true;

	while (n > 0) {
		size_t word = word_of(text, n, LETTER_COLUMNS - indent);
		size_t width = kl_utf8_chars(kl_bytes(text, word));

		if (!first && at + 1 + width > LETTER_COLUMNS) {
			newline(l);
			spaces(l, indent);
			at = indent;
			first = true;
		}
		if (word > 0 && !first) {
			letter_put(l, " ");
			at++;
		}
		put_word(l, text, word, clean);
		at += width;
		first = first && word == 0;
		word += word < n && text[word] == ' ' ? 1 : 0;
		text += word;
		n -= word;
	}
	newline(l);
}

/* A blank line between blocks, but none on top of a page. */
static void
open_block(struct letter *l, enum letter_block next)
{
	const size_t top = (l->o.training ? 2u : 0u) +
	    (l->page > 1 ? 2u : 0u);
	const bool apart = l->block != next || next == LETTER_PROSE ||
	    next == LETTER_HEADING;

	if (apart && l->block != LETTER_HEADING && l->lines > top)
		newline(l);
	l->block = next;
}

void
letter_plain_begin(struct letter *l)
{
	begin_page(l);
}

void
letter_plain_heading(struct letter *l, const char *text)
{
	const size_t n = strlen(text);

	/* Not as the last line of a page. */
	if (l->lines + 4 >= LETTER_PAGE_LINES)
		begin_page(l);
	open_block(l, LETTER_HEADING);
	wrapped(l, text, n, 0, 0);
	for (size_t i = kl_utf8_chars(kl_bytes(text, n)); i > 0; i--)
		letter_put(l, "-");
	newline(l);
}

void
letter_plain_paragraph(struct letter *l, const char *text, size_t n)
{
	open_block(l, LETTER_PROSE);
	wrapped(l, text, n, 0, 0);
}

void
letter_plain_item(struct letter *l, const char *text)
{
	open_block(l, LETTER_ITEMS);
	letter_put(l, "- ");
	wrapped(l, text, strlen(text), 2, 2);
}

void
letter_plain_row(struct letter *l, const char *label, const char *value,
    size_t n)
{
	const size_t width = kl_utf8_chars(kl_bytes_str(label));

	open_block(l, LETTER_ROWS);
	put_word(l, label, strlen(label), letter_clean(label,
	    strlen(label)));
	letter_put(l, ":");
	if (width + 2 > ROW_COLUMNS) {
		newline(l);
		spaces(l, ROW_COLUMNS);
	} else {
		spaces(l, ROW_COLUMNS - width - 1);
	}
	wrapped(l, value, n, ROW_COLUMNS, ROW_COLUMNS);
}
