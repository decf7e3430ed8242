#include "proto/audit/svg.h"

#include <stdio.h>

#include <kortelijn/base/bytes.h>

#define STEPS_MAX 6u

/* All in units of the picture, of which the page makes what fits. */
#define WIDTH 440u
#define COLUMNS_WIDE 680u
#define LETTER 8u		/* as wide as a wide one at 12 units */
#define BAR_HIGH 18u
#define BAR_STEP 27u
#define COLUMNS_HIGH 170u

/* Dark, middle and light: apart in grey too. */
static const char *const fills[AUDIT_SVG_SERIES_MAX] = {
	"#1f4e6b", "#7fa3b8", "#dbe6ec",
};

uint64_t
audit_svg_step(uint64_t most)
{
	static const uint64_t times[] = { 1, 2, 5 };

	for (uint64_t ten = 1; ten <= UINT64_MAX / 100; ten *= 10)
		for (size_t i = 0; i < 3; i++)
			if (times[i] * ten * STEPS_MAX >= most)
				return times[i] * ten;
	return UINT64_MAX / STEPS_MAX;
}

/* The axis: its step, and where it ends. */
struct axis { uint64_t step, end; };

static struct axis
axis_for(uint64_t most)
{
	struct axis a = { .step = audit_svg_step(most) };

	a.end = (most + a.step - 1) / a.step * a.step;
	if (a.end == 0)
		a.end = a.step;
	return a;
}

static unsigned int
scaled(const struct axis *a, uint64_t value, unsigned int length)
{
	return (unsigned int)((double)value / (double)a->end * length + .5);
}

static uint64_t
sum(const struct audit_svg_chart *c, size_t i)
{
	uint64_t n = 0;

	for (size_t k = 0; k < c->n_series; k++)
		n += c->bars[i].value[k];
	return n;
}

static uint64_t
most(const struct audit_svg_chart *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n = sum(c, i) > n ? sum(c, i) : n;
	return n;
}

static uint64_t
all(const struct audit_svg_chart *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += sum(c, i);
	return n;
}

static unsigned int
text_wide(const char *text)
{
	return LETTER * (unsigned int)kl_utf8_chars(kl_bytes_str(text));
}

static void
text_at(struct audit_page *p, unsigned int x, unsigned int y,
    const char *anchor, const char *text)
{
	audit_page_rawf(p, "<text x=\"%u\" y=\"%u\" text-anchor=\"%s\">", x,
	    y, anchor);
	audit_page_text(p, text);
	audit_page_raw(p, "</text>\n");
}

static void
line_at(struct audit_page *p, unsigned int x1, unsigned int y1,
    unsigned int x2, unsigned int y2, const char *how)
{
	audit_page_rawf(p, "<line x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\" "
	    "%s/>\n", x1, y1, x2, y2, how);
}

#define GRID "stroke=\"#d3dadf\""
#define AXIS "stroke=\"#1c2328\""
#define MARK "stroke=\"#1c2328\" stroke-dasharray=\"5 3\" stroke-width=\"1.5\""

static void
rect_at(struct audit_page *p, unsigned int x, unsigned int y,
    unsigned int wide, unsigned int high, const char *fill)
{
	audit_page_rawf(p, "<rect x=\"%u\" y=\"%u\" width=\"%u\" "
	    "height=\"%u\" fill=\"%s\" stroke=\"#1f4e6b\"/>\n", x, y, wide,
	    high, fill);
}

/* ---- around every plot --------------------------------------------------- */

static void
begin(struct audit_page *p, const struct audit_svg_chart *c,
    unsigned int wide, unsigned int high)
{
	const unsigned int id = ++p->ids;

	audit_page_raw(p, wide > WIDTH ?
	    "<div class=\"plot wide\">\n<figure>\n" :
	    "<div class=\"plot\">\n<figure>\n");
	audit_page_rawf(p, "<svg viewBox=\"0 0 %u %u\" role=\"img\" "
	    "aria-labelledby=\"t%u\">\n<title id=\"t%u\">", wide, high, id,
	    id);
	audit_page_text(p, c->title);
	audit_page_raw(p, audit_page_either(p,
	    ". De getallen staan in de tabel ernaast.",
	    ". The numbers are in the table beside it."));
	audit_page_rawf(p, "</title>\n<defs><pattern id=\"h%u\" width=\"6\" "
	    "height=\"6\" patternUnits=\"userSpaceOnUse\" "
	    "patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" "
	    "fill=\"#fff\"/><rect width=\"2\" height=\"6\" "
	    "fill=\"#1f4e6b\"/></pattern></defs>\n", id);
}

static unsigned int
percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 :
	    (unsigned int)((100 * part + whole / 2) / whole);
}

static void
table(struct audit_page *p, const struct audit_svg_chart *c)
{
	const char *columns[AUDIT_SVG_SERIES_MAX + 2] = { c->rows };
	struct audit_page_table t = { .caption = c->title, .whole = true,
		.columns = columns, .n = 1 + c->n_series, .numbers = 1 };
	const uint64_t whole = all(c);

	for (size_t k = 0; k < c->n_series; k++)
		columns[1 + k] = c->n_series > 1 ? c->series[k] : c->counts;
	if (c->shares)
		columns[t.n++] = audit_page_either(p, "deel", "share");
	audit_page_table(p, &t);
	for (size_t i = 0; i < c->n; i++) {
		audit_page_row(p, c->bars[i].label, false);
		for (size_t k = 0; k < c->n_series; k++)
			audit_page_number(p, c->bars[i].value[k]);
		if (c->shares)
			audit_page_rawf(p, "<td class=\"num\">%u%s%%</td>",
			    percent(sum(c, i), whole),
			    audit_page_either(p, "&nbsp;", ""));
		audit_page_row_end(p);
	}
	audit_page_table_end(p);
}

static void
end(struct audit_page *p, const struct audit_svg_chart *c)
{
	audit_page_raw(p, "</svg>\n</figure>\n<div class=\"side\">\n");
	table(p, c);
	audit_page_raw(p, "</div>\n</div>\n");
}

/* ---- bars ---------------------------------------------------------------- */

struct frame {
	unsigned int left, top, wide, high;	/* where the bars are */
	struct axis axis;
};

static void
bars_grid(struct audit_page *p, const struct audit_svg_chart *c,
    const struct frame *f)
{
	const unsigned int floor = f->top + f->high;

	for (uint64_t v = 0; v <= f->axis.end; v += f->axis.step) {
		const unsigned int x = f->left +
		    scaled(&f->axis, v, f->wide);

		line_at(p, x, f->top, x, floor, v == 0 ? AXIS : GRID);
		text_at(p, x, floor + 16, "middle",
		    audit_page_count(v, p->lang).b);
	}
	text_at(p, f->left + f->wide / 2, floor + 34, "middle", c->counts);
	text_at(p, f->left - 8, f->top - 10, "end", c->rows);
}

static void
bars_one(struct audit_page *p, const struct audit_svg_chart *c,
    const struct frame *f, size_t i)
{
	const unsigned int y = f->top + 4 + (unsigned int)i * BAR_STEP;
	const unsigned int wide = scaled(&f->axis, sum(c, i), f->wide);
	char hatch[16];

	(void)snprintf(hatch, sizeof hatch, "url(#h%u)", p->ids);
	text_at(p, f->left - 8, y + 13, "end", c->bars[i].label);
	if (wide > 0)
		rect_at(p, f->left, y, wide, BAR_HIGH,
		    c->bars[i].open ? hatch : fills[0]);
	text_at(p, f->left + wide + 6, y + 13, "start",
	    audit_page_count(sum(c, i), p->lang).b);
}

void
audit_svg_bars(struct audit_page *p, const struct audit_svg_chart *c)
{
	struct frame f = { .top = 26, .axis = axis_for(most(c)),
		.high = (unsigned int)c->n * BAR_STEP };
	const unsigned int y = f.top + (unsigned int)c->mark * BAR_STEP - 1;

	if (c->n == 0 || c->n > AUDIT_SVG_BARS_MAX)
		return;

	f.left = text_wide(c->rows);
	for (size_t i = 0; i < c->n; i++)
		if (text_wide(c->bars[i].label) > f.left)
			f.left = text_wide(c->bars[i].label);
	f.left = (f.left > WIDTH / 2 ? WIDTH / 2 : f.left) + 10;
	f.wide = WIDTH - f.left - 56;
	begin(p, c, WIDTH, f.top + f.high + 42);
	bars_grid(p, c, &f);
	for (size_t i = 0; i < c->n; i++)
		bars_one(p, c, &f, i);
	if (c->mark > 0) {
		line_at(p, f.left - 4, y, f.left + f.wide, y, MARK);
		text_at(p, WIDTH - 2, y - 5, "end", c->mark_text);
	}
	end(p, c);
}

/* ---- columns ------------------------------------------------------------- */

static void
columns_grid(struct audit_page *p, const struct audit_svg_chart *c,
    const struct frame *f)
{
	const unsigned int floor = f->top + f->high;

	for (uint64_t v = 0; v <= f->axis.end; v += f->axis.step) {
		const unsigned int y = floor - scaled(&f->axis, v, f->high);

		line_at(p, f->left, y, f->left + f->wide, y,
		    v == 0 ? AXIS : GRID);
		text_at(p, f->left - 6, y + 4, "end",
		    audit_page_count(v, p->lang).b);
	}
	text_at(p, 2, f->top - 26, "start", c->counts);
	text_at(p, f->left + f->wide / 2, floor + 36, "middle", c->rows);
}

static void
columns_one(struct audit_page *p, const struct audit_svg_chart *c,
    const struct frame *f, size_t i)
{
	const unsigned int step = f->wide / (unsigned int)c->n;
	const unsigned int wide = step * 7 / 10 > 40 ? 40 :
	    step * 7 / 10 > 2 ? step * 7 / 10 : 2;
	const unsigned int middle = f->left + (unsigned int)i * step +
	    step / 2;
	/* As many labels as there is room for. */
	const size_t every = 1 + (text_wide(c->bars[0].label) + 6) / step;
	unsigned int y = f->top + f->high;

	for (size_t k = 0; k < c->n_series; k++) {
		const unsigned int high = scaled(&f->axis,
		    c->bars[i].value[k], f->high);

		y -= high;
		if (high > 0)
			rect_at(p, middle - wide / 2, y, wide, high,
			    fills[k]);
	}
	if (i % every == 0)
		text_at(p, middle, f->top + f->high + 17, "middle",
		    c->bars[i].label);
}

static void
legend(struct audit_page *p, const struct audit_svg_chart *c,
    const struct frame *f)
{
	unsigned int x = f->left;

	for (size_t k = 0; c->n_series > 1 && k < c->n_series; k++) {
		rect_at(p, x, f->top - 19, 11, 11, fills[k]);
		text_at(p, x + 17, f->top - 9, "start", c->series[k]);
		x += 34 + text_wide(c->series[k]);
	}
}

void
audit_svg_columns(struct audit_page *p, const struct audit_svg_chart *c)
{
	struct frame f = { .top = 44, .high = COLUMNS_HIGH,
		.axis = axis_for(most(c)) };

	if (c->n == 0 || c->n > AUDIT_SVG_BARS_MAX)
		return;
	f.left = text_wide(audit_page_count(f.axis.end, p->lang).b) + 12;
	f.wide = COLUMNS_WIDE - f.left - 6;
	begin(p, c, COLUMNS_WIDE, f.top + f.high + 44);
	columns_grid(p, c, &f);
	legend(p, c, &f);
	for (size_t i = 0; i < c->n; i++)
		columns_one(p, c, &f, i);
	end(p, c);
}
