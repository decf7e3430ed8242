/*
 * page_text.h: the readable half of a page that an interface hands out, line by
 * line, in the language of the adapter.
 */
#ifndef ADAPTERS_COMMON_PAGE_TEXT_H
#define ADAPTERS_COMMON_PAGE_TEXT_H

#include "adapters/common/page.h"

struct page_text {
	struct kl_writer w;		/* of p->text, PAGE_TEXT_MAX */
	bool english;
};

/* Begins the text of p. KL_E_MEMORY. */
int page_text_begin(struct page_text *t, const struct config *c,
    struct page *p) KL_MUST_CHECK;
void page_text_put(struct page_text *t, const char *s);
const char *page_text_either(const struct page_text *t, const char *nl,
    const char *en);
/* "label: value", left out if the value is NULL or empty. */
void page_text_line(struct page_text *t, const char *nl, const char *en,
    const char *value);
/* To the minute, UTC; left out if it is 0. */
void page_text_time(struct page_text *t, const char *nl, const char *en,
    int64_t at_ms);
/* With a word that it is training, and an empty line. */
void page_text_title(struct page_text *t, const struct config *c,
    const char *nl, const char *en);
/* What names the case. */
void page_text_head(struct page_text *t, const struct engine_case *k,
    int64_t at_ms);

#endif
