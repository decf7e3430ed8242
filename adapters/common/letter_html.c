#include <string.h>

#include "adapters/common/letter_priv.h"

static void
put_escaped(struct letter *l, const char *text, size_t n)
{
	const bool clean = letter_clean(text, n);

	for (size_t i = 0; i < n; i++) {
		const char c = letter_shown(text[i], clean);

		switch (c) {
		case '&': letter_put(l, "&amp;"); break;
		case '<': letter_put(l, "&lt;"); break;
		case '>': letter_put(l, "&gt;"); break;
		case '"': letter_put(l, "&quot;"); break;
		case '\'': letter_put(l, "&#39;"); break;
		default: letter_put_n(l, &c, 1);
		}
	}
}

static void
put_element(struct letter *l, const char *name, const char *text, size_t n)
{
	letter_put(l, "<");
	letter_put(l, name);
	letter_put(l, ">");
	put_escaped(l, text, n);
	letter_put(l, "</");
	letter_put(l, name);
	letter_put(l, ">\n");
}

static void
open_block(struct letter *l, enum letter_block next)
{
	if (l->block == next)
		return;
	if (l->block == LETTER_ROWS)
		letter_put(l, "</table>\n");
	if (l->block == LETTER_ITEMS)
		letter_put(l, "</ul>\n");
	if (next == LETTER_ROWS)
		letter_put(l, "<table>\n");
	if (next == LETTER_ITEMS)
		letter_put(l, "<ul>\n");
	l->block = next;
}

/* Something that is fixed on the page is printed on each sheet. */
static const char style[] =
	"<style>\n"
	"@page { size: A4; margin: 22mm 20mm; }\n"
	"body { font: 11pt/1.45 sans-serif; color: #000; background: #fff;"
	" max-width: 170mm; margin: 10mm auto; }\n"
	"h1 { font-size: 15pt; }\n"
	"h2 { font-size: 12pt; margin: 1.4em 0 .3em; break-after: avoid; }\n"
	"p { margin: .5em 0; orphans: 3; widows: 3; }\n"
	"table { border-collapse: collapse; width: 100%; }\n"
	"th { text-align: left; font-weight: normal; color: #333;"
	" width: 36%; }\n"
	"th, td { vertical-align: top; padding: .1em .5em .1em 0; }\n"
	"tr, li { break-inside: avoid; }\n"
	".training { position: fixed; top: 0; right: 0;"
	" border: 1px solid #000; background: #fff; padding: 0 .5em;"
	" font-weight: bold; }\n"
	"@media print { body { margin: 0; max-width: none; } }\n"
	"</style>\n";

void
letter_html_begin(struct letter *l)
{
	letter_put(l, "<!DOCTYPE html>\n<html lang=\"");
	letter_put(l, letter_either(l, "nl", "en"));
	letter_put(l, "\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\""
	    "default-src 'none'; style-src 'unsafe-inline'\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width\">\n");
	put_element(l, "title", l->title, strlen(l->title));
	letter_put(l, style);
	letter_put(l, "</head>\n<body>\n");
	if (l->o.training) {
		letter_put(l, "<div class=\"training\">");
		letter_put(l, letter_training(l));
		letter_put(l, "</div>\n");
	}
	put_element(l, "h1", l->title, strlen(l->title));
}

void
letter_html_end(struct letter *l)
{
	open_block(l, LETTER_NOTHING);
	letter_put(l, "</body>\n</html>\n");
}

void
letter_html_heading(struct letter *l, const char *text)
{
	open_block(l, LETTER_HEADING);
	put_element(l, "h2", text, strlen(text));
}

void
letter_html_paragraph(struct letter *l, const char *text, size_t n)
{
	open_block(l, LETTER_PROSE);
	put_element(l, "p", text, n);
}

void
letter_html_item(struct letter *l, const char *text)
{
	open_block(l, LETTER_ITEMS);
	put_element(l, "li", text, strlen(text));
}

void
letter_html_row(struct letter *l, const char *label, const char *value,
    size_t n)
{
	open_block(l, LETTER_ROWS);
	letter_put(l, "<tr><th scope=\"row\">");
	put_escaped(l, label, strlen(label));
	letter_put(l, "</th><td>");
	put_escaped(l, value, n);
	letter_put(l, "</td></tr>\n");
}
