/*
 * table.h: records for people at a terminal: two lines each, within 80
 * columns. Names are those that the filters take.
 */
#ifndef PROTO_AUDIT_TABLE_H
#define PROTO_AUDIT_TABLE_H

#include <stdio.h>

#include <kortelijn/domain/list.h>

#include "proto/audit/records.h"

/* Headings. Whether it could be written is in the error of `f`. */
void audit_table_begin(FILE *f, enum kl_lang lang);
/* Times by the clocks of Europe/Amsterdam. */
void audit_table_put(FILE *f, const struct audit_record *r);

#endif
