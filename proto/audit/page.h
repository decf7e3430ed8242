/*
 * page.h: a page for people in one file: HTML without scripts, pictures from
 * elsewhere or anything that is fetched, calm on a screen and made for A4.
 * Whatever comes from a log, a card or a policy is text here: it is escaped,
 * and control characters and what turns the direction of writing go out.
 */
#ifndef PROTO_AUDIT_PAGE_H
#define PROTO_AUDIT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/err.h>
#include <kortelijn/domain/list.h>

#define AUDIT_PAGE_MAX (32u << 20)	/* bytes */
#define AUDIT_PAGE_CELL_MAX 1024	/* bytes of one formatted text */

struct audit_page {
	char *b;		/* with NUL once begun */
	size_t n, cap;
	int err;		/* KL_E_FULL or KL_E_MEMORY; later puts fail */
	enum kl_lang lang;
	unsigned int ids;	/* given out */
};

void audit_page_init(struct audit_page *p, enum kl_lang lang);
void audit_page_clear(struct audit_page *p);
/* The one of the two in the page's language. */
const char *audit_page_either(const struct audit_page *p, const char *nl,
    const char *en);

/* Markup of ours, as it is. */
void audit_page_raw(struct audit_page *p, const char *markup);
void audit_page_rawf(struct audit_page *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Text. */
void audit_page_text(struct audit_page *p, const char *text);

/* Head and title; what follows is the body. */
void audit_page_begin(struct audit_page *p, const char *title,
    const char *subtitle);
/* KL_OK, or why the page is not whole. */
int audit_page_end(struct audit_page *p) KL_MUST_CHECK;

/* A heading of level 2 or 3. The sheet may turn before one of level 2. */
void audit_page_heading(struct audit_page *p, int level, const char *text);
void audit_page_paragraph(struct audit_page *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Smaller: how to read what stands above. */
void audit_page_note(struct audit_page *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One that must be seen. */
void audit_page_warning(struct audit_page *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A table: a caption and the headings of its columns, of which the first is
 * that of the rows. From column `numbers` on they are numbers, to the right.
 */
struct audit_page_table {
	const char *caption;
	const char *const *columns;
	size_t n;
	size_t numbers;		/* n or more: none */
	bool whole;		/* few rows: not over two sheets */
};
void audit_page_table(struct audit_page *p, const struct audit_page_table *t);
/* The heading of a row; `total`: set apart. Then its cells. */
void audit_page_row(struct audit_page *p, const char *heading, bool total);
void audit_page_cell(struct audit_page *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void audit_page_number(struct audit_page *p, uint64_t n);
void audit_page_row_end(struct audit_page *p);
void audit_page_table_end(struct audit_page *p);

/* Numbers of note at the top: what, and how much of it. */
void audit_page_tiles(struct audit_page *p);
void audit_page_tile(struct audit_page *p, const char *value,
    const char *label);
void audit_page_tiles_end(struct audit_page *p);

/* "1.234" and "1,234", with NUL. */
struct audit_page_count { char b[32]; };
struct audit_page_count audit_page_count(uint64_t n, enum kl_lang lang);

#endif
