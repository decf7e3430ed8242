/*
 * svg.h: plots in a page, drawn with lines and rectangles: readable in grey on
 * paper, with axes that say what they count, and each with the same numbers as
 * a table beside it, for who cannot see it or wants them exactly.
 */
#ifndef PROTO_AUDIT_SVG_H
#define PROTO_AUDIT_SVG_H

#include "proto/audit/page.h"

#define AUDIT_SVG_SERIES_MAX 3
#define AUDIT_SVG_BARS_MAX 64

struct audit_svg_bar {
	const char *label;
	uint64_t value[AUDIT_SVG_SERIES_MAX];
	bool open;		/* not done yet: hatched */
};

struct audit_svg_chart {
	const char *title;	/* what is seen, in one line */
	const char *counts;	/* what the numbers are: "verwijzingen" */
	const char *rows;	/* what the labels are: "gehaald binnen" */
	const char *const *series;	/* their names, if more than one */
	size_t n_series;
	const struct audit_svg_bar *bars;
	size_t n;
	/* A line behind bar `mark`, with its text: what was agreed. 0: none. */
	size_t mark;
	const char *mark_text;
	/* Parts of the whole behind the numbers: "64 %". */
	bool shares;
};

/* Bars from the left, one below the other: for steps of time. */
void audit_svg_bars(struct audit_page *p, const struct audit_svg_chart *c);
/* Columns beside each other, series on top of each other: for months. */
void audit_svg_columns(struct audit_page *p, const struct audit_svg_chart *c);

/* The step of an axis that ends at or above `most` in at most six steps: 1, 2
 * or 5 times a power of ten; at least 1. */
uint64_t audit_svg_step(uint64_t most);

#endif
