#include "proto/audit/page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cli/output.h"

#define FIRST_BYTES 16384

void
audit_page_init(struct audit_page *p, enum kl_lang lang)
{
	*p = (struct audit_page){ .lang = lang };
}

void
audit_page_clear(struct audit_page *p)
{
	free(p->b);
	p->b = NULL;
	p->n = p->cap = 0;
}

const char *
audit_page_either(const struct audit_page *p, const char *nl, const char *en)
{
	return p->lang == KL_EN ? en : nl;
}

/* ---- bytes --------------------------------------------------------------- */

static void
put(struct audit_page *p, const char *s, size_t n)
{
	size_t cap = p->cap == 0 ? FIRST_BYTES : p->cap;
	char *b;

	if (p->err == KL_OK && n >= AUDIT_PAGE_MAX - p->n)
		p->err = KL_E_FULL;
	if (p->err != KL_OK)
		return;
	while (cap <= p->n + n)
		cap *= 2;
	if (cap != p->cap) {
		if ((b = realloc(p->b, cap)) == NULL) {
			p->err = KL_E_MEMORY;
			return;
		}
		p->b = b;
		p->cap = cap;
	}
	memcpy(p->b + p->n, s, n);
	p->n += n;
	p->b[p->n] = '\0';
}

void
audit_page_raw(struct audit_page *p, const char *markup)
{
	put(p, markup, strlen(markup));
}

void
audit_page_rawf(struct audit_page *p, const char *format, ...)
{
	char b[AUDIT_PAGE_CELL_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(b, sizeof b, format, ap);
	va_end(ap);
	audit_page_raw(p, b);
}

static void
put_escaped(struct audit_page *p, const char *s)
{
	for (; *s != '\0'; s++)
		switch (*s) {
		case '&': audit_page_raw(p, "&amp;"); break;
		case '<': audit_page_raw(p, "&lt;"); break;
		case '>': audit_page_raw(p, "&gt;"); break;
		case '"': audit_page_raw(p, "&quot;"); break;
		case '\'': audit_page_raw(p, "&#39;"); break;
		default: put(p, s, 1);
		}
}

/* In pieces that the one place that cleans text takes. */
void
audit_page_text(struct audit_page *p, const char *text)
{
	const size_t room = sizeof(struct output_text) - 1;
	size_t n = strlen(text);

	while (n > 0) {
		size_t k = n < room ? n : room;

		while (k < n && k > 1 && ((uint8_t)text[k] & 0xc0) == 0x80)
			k--;
		put_escaped(p, output_text(kl_bytes(text, k)).b);
		text += k;
		n -= k;
	}
}

static void
put_format(struct audit_page *p, const char *format, va_list ap)
{
	char b[AUDIT_PAGE_CELL_MAX];

	(void)vsnprintf(b, sizeof b, format, ap);
	audit_page_text(p, b);
}

/* ---- the frame ----------------------------------------------------------- */

static const char style[] =
	"<style>\n"
	"@page { size: A4; margin: 16mm 15mm 18mm; }\n"
	"* { box-sizing: border-box; }\n"
	"html { -webkit-text-size-adjust: 100%; }\n"
	"body { font: .94rem/1.5 system-ui, \"Segoe UI\", \"Noto Sans\","
	" \"Liberation Sans\", Arial, sans-serif; color: #1c2328;"
	" background: #fff; max-width: 60rem; margin: 2.2rem auto 4rem;"
	" padding: 0 1.5rem; }\n"
	"header { border-bottom: 2px solid #1f4e6b; padding-bottom: .8rem;"
	" margin-bottom: 1.4rem; }\n"
	"h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem;"
	" color: #163c54; }\n"
	"h2 { font-size: 1.25rem; margin: 2.4rem 0 .5rem; color: #163c54;"
	" break-after: avoid; }\n"
	"h3 { font-size: 1.02rem; margin: 1.5rem 0 .4rem;"
	" break-after: avoid; }\n"
	"p { margin: .5rem 0; max-width: 46rem; orphans: 3; widows: 3; }\n"
	".sub { margin: 0; color: #45525b; }\n"
	".note { font-size: .87rem; color: #45525b; }\n"
	".warn { border-left: 5px solid #8a4b08; background: #fdf5ea;"
	" padding: .5rem .9rem; }\n"
	"table { border-collapse: collapse; width: 100%; margin: .5rem 0"
	" 1rem; font-size: .93rem; font-variant-numeric: tabular-nums; }\n"
	"caption { text-align: left; font-weight: 600; padding: .2rem 0"
	" .35rem; caption-side: top; }\n"
	"thead th { border-bottom: 1.5px solid #1f4e6b; font-weight: 600;"
	" vertical-align: bottom; }\n"
	"thead { display: table-header-group; }\n"
	"th, td { text-align: left; vertical-align: top;"
	" padding: .28rem .9rem .28rem 0; overflow-wrap: break-word; }\n"
	"tbody th { font-weight: 400; }\n"
	"tbody tr { border-bottom: 1px solid #d9dfe3; break-inside: avoid;"
	" }\n"
	".num { text-align: right; }\n"
	".num:last-child { padding-right: .2rem; }\n"
	"tr.total { border-top: 1.5px solid #1f4e6b; font-weight: 600; }\n"
	"tr.total th { font-weight: 600; }\n"
	".tiles { display: grid; grid-template-columns:"
	" repeat(auto-fill, minmax(8.4rem, 1fr)); gap: .7rem; margin: 1rem 0"
	" 1.2rem; padding: 0; list-style: none; break-inside: avoid; }\n"
	".tiles li { border: 1px solid #c3ccd2; border-radius: 4px;"
	" padding: .55rem .8rem; }\n"
	".tiles b { display: block; font-size: 1.35rem; line-height: 1.25;"
	" color: #163c54; }\n"
	".tiles span { font-size: .87rem; color: #45525b; }\n"
	".plot { display: flex; flex-wrap: wrap; gap: 0 1.6rem;"
	" align-items: flex-start; break-inside: avoid; margin: .4rem 0"
	" 1rem; }\n"
	".plot figure { flex: 1 1 24rem; margin: 0; min-width: 0; }\n"
	".plot .side { flex: 1 1 14rem; min-width: min-content; }\n"
	".plot.wide { display: block; }\n"
	".side caption, caption.hidden { position: absolute; width: 1px;"
	" height: 1px; padding: 0; overflow: hidden; clip-path: inset(50%);"
	" }\n"
	".wide .side caption { position: static; width: auto;"
	" height: auto; padding: .2rem 0 .35rem; clip-path: none; }\n"
	"h3 + p { break-after: avoid; }\n"
	"table.whole { break-inside: avoid; }\n"
	".plot svg { width: 100%; height: auto; display: block; }\n"
	"svg text { font: 12px system-ui, \"Segoe UI\", \"Noto Sans\","
	" \"Liberation Sans\", Arial, sans-serif; fill: #1c2328; }\n"
	"code { font: .87em ui-monospace, \"DejaVu Sans Mono\","
	" monospace; overflow-wrap: anywhere; }\n"
	"footer { border-top: 1px solid #c3ccd2; margin-top: 2.5rem;"
	" padding-top: .6rem; font-size: .87rem; color: #45525b; }\n"
	"@media print { html { font-size: 10pt; } body { margin: 0; padding: 0;"
	" max-width: none; } p { max-width: none; }"
	" h2 { margin-top: 1.5rem; } .warn { background: none; }"
	" .tiles { grid-template-columns: repeat(6, 1fr); gap: 2mm; }"
	" .tiles li { padding: 1.5mm 2mm; }"
	" .plot { flex-wrap: nowrap; } .plot figure { flex: 1 1 56%; }"
	" .plot .side { flex: 1 1 34%; } }\n"
	"</style>\n";

void
audit_page_begin(struct audit_page *p, const char *title,
    const char *subtitle)
{
	audit_page_rawf(p, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n",
	    audit_page_either(p, "nl", "en"));
	audit_page_raw(p, "<meta http-equiv=\"Content-Security-Policy\" "
	    "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n<meta name=\"referrer\" "
	    "content=\"no-referrer\">\n<title>");
	audit_page_text(p, title);
	audit_page_raw(p, "</title>\n");
	audit_page_raw(p, style);
	audit_page_raw(p, "</head>\n<body>\n<header>\n<h1>");
	audit_page_text(p, title);
	audit_page_raw(p, "</h1>\n<p class=\"sub\">");
	audit_page_text(p, subtitle);
	audit_page_raw(p, "</p>\n</header>\n<main>\n");
}

int
audit_page_end(struct audit_page *p)
{
	audit_page_raw(p, "</body>\n</html>\n");
	return p->err;
}

void
audit_page_heading(struct audit_page *p, int level, const char *text)
{
	audit_page_rawf(p, "<h%d>", level);
	audit_page_text(p, text);
	audit_page_rawf(p, "</h%d>\n", level);
}

void
audit_page_paragraph(struct audit_page *p, const char *format, ...)
{
	va_list ap;

	audit_page_raw(p, "<p>");
	va_start(ap, format);
	put_format(p, format, ap);
	va_end(ap);
	audit_page_raw(p, "</p>\n");
}

void
audit_page_note(struct audit_page *p, const char *format, ...)
{
	va_list ap;

	audit_page_raw(p, "<p class=\"note\">");
	va_start(ap, format);
	put_format(p, format, ap);
	va_end(ap);
	audit_page_raw(p, "</p>\n");
}

void
audit_page_warning(struct audit_page *p, const char *format, ...)
{
	va_list ap;

	audit_page_rawf(p, "<p class=\"warn\"><strong>%s</strong> ",
	    audit_page_either(p, "Let op.", "Note."));
	va_start(ap, format);
	put_format(p, format, ap);
	va_end(ap);
	audit_page_raw(p, "</p>\n");
}

/* ---- tables -------------------------------------------------------------- */

/* Cells that are numbers are those with the class of their column, which the
 * page gives by how the cell is put. */
void
audit_page_table(struct audit_page *p, const struct audit_page_table *t)
{
	/* A heading stays with its first rows, a caption does not. */
	if (!t->whole)
		audit_page_heading(p, 3, t->caption);
	audit_page_raw(p, t->whole ? "<table class=\"whole\">\n<caption>" :
	    "<table>\n<caption class=\"hidden\">");
	audit_page_text(p, t->caption);
	audit_page_raw(p, "</caption>\n<thead><tr>");
	for (size_t i = 0; i < t->n; i++) {
		audit_page_raw(p, i >= t->numbers ?
		    "<th scope=\"col\" class=\"num\">" :
		    "<th scope=\"col\">");
		audit_page_text(p, t->columns[i]);
		audit_page_raw(p, "</th>");
	}
	audit_page_raw(p, "</tr></thead>\n<tbody>\n");
}

void
audit_page_row(struct audit_page *p, const char *heading, bool total)
{
	audit_page_raw(p, total ? "<tr class=\"total\">" : "<tr>");
	audit_page_raw(p, "<th scope=\"row\">");
	audit_page_text(p, heading);
	audit_page_raw(p, "</th>");
}

void
audit_page_cell(struct audit_page *p, const char *format, ...)
{
	va_list ap;

	audit_page_raw(p, "<td>");
	va_start(ap, format);
	put_format(p, format, ap);
	va_end(ap);
	audit_page_raw(p, "</td>");
}

void
audit_page_number(struct audit_page *p, uint64_t n)
{
	audit_page_rawf(p, "<td class=\"num\">%s</td>",
	    audit_page_count(n, p->lang).b);
}

void
audit_page_row_end(struct audit_page *p)
{
	audit_page_raw(p, "</tr>\n");
}

void
audit_page_table_end(struct audit_page *p)
{
	audit_page_raw(p, "</tbody>\n</table>\n");
}

/* ---- numbers ------------------------------------------------------------- */

void
audit_page_tiles(struct audit_page *p)
{
	audit_page_raw(p, "<ul class=\"tiles\">\n");
}

void
audit_page_tile(struct audit_page *p, const char *value, const char *label)
{
	audit_page_raw(p, "<li><b>");
	audit_page_text(p, value);
	audit_page_raw(p, "</b> <span>");
	audit_page_text(p, label);
	audit_page_raw(p, "</span></li>\n");
}

void
audit_page_tiles_end(struct audit_page *p)
{
	audit_page_raw(p, "</ul>\n");
}

struct audit_page_count
audit_page_count(uint64_t n, enum kl_lang lang)
{
	const char mark = lang == KL_EN ? ',' : '.';
	struct audit_page_count t;
	char digits[24];
	const int all = snprintf(digits, sizeof digits, "%" PRIu64, n);
	size_t k = 0;

	for (int i = 0; i < all; i++) {
		if (i > 0 && (all - i) % 3 == 0)
			t.b[k++] = mark;
		t.b[k++] = digits[i];
	}
	t.b[k] = '\0';
	return t;
}
