/*
 * csv.h: records for a Dutch Excel: UTF-8 with its mark, semicolons, every
 * cell in quotes, lines that end in CR LF, local times. A cell that Excel
 * would take for a formula, or for a number that it would round, begins with
 * an apostrophe.
 */
#ifndef PROTO_AUDIT_CSV_H
#define PROTO_AUDIT_CSV_H

#include <stdio.h>

#include <kortelijn/domain/list.h>

#include "proto/audit/names.h"
#include "proto/audit/records.h"

/* Mark and headings. Whether it could be written is in the error of `f`. */
void audit_csv_begin(FILE *f, enum kl_lang lang);
/* names: NULL if none is known. */
void audit_csv_put(FILE *f, enum kl_lang lang, const struct audit_names *names,
    const struct audit_record *r);
/* One cell, with a semicolon before it unless it is the first of its line. */
void audit_csv_cell(FILE *f, bool first, const char *text);

#endif
