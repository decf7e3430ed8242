/*
 * subject_page.h: what the broker holds on one referral as a page that can be
 * added to an answer under article 15 of the AVG.
 */
#ifndef BROKER_CTL_SUBJECT_PAGE_H
#define BROKER_CTL_SUBJECT_PAGE_H

#include <stdbool.h>

#include <jansson.h>

#include "proto/cli/output.h"

/* `all` is the broker's answer with the whole of the log; on standard output,
 * in Dutch or in English. false: it cannot be written. */
bool subject_page_print(const json_t *all, bool english);
/* A row of the policy that is looser than the table, as a report says it:
 * what it asks, whether that counts, who approved it and on which basis. */
struct output_text subject_page_looser(const json_t *row, bool english);

#endif
