/*
 * report_words.h: days, months and organisations as a report says them.
 */
#ifndef PROTO_AUDIT_REPORT_WORDS_H
#define PROTO_AUDIT_REPORT_WORDS_H

#include <stdint.h>

#include <kortelijn/domain/policy.h>

#include "proto/audit/names.h"

/* With NUL. */
struct audit_report_words { char b[200]; };

/* "1 juli 2026"; a local day. */
struct audit_report_words audit_report_words_day(int32_t day,
    enum kl_lang lang);
/* "1 juli 2026, 14:05"; an instant. */
struct audit_report_words audit_report_words_time(int64_t time_ms,
    enum kl_lang lang);
/* "juli 2026" and "jul 26", of 12 * year + month - 1. */
struct audit_report_words audit_report_words_month(int32_t month,
    enum kl_lang lang);
struct audit_report_words audit_report_words_month_short(int32_t month,
    enum kl_lang lang);
/* "3e kwartaal 2026" and "3e kw. 2026", of 4 * year + quarter - 1. */
struct audit_report_words audit_report_words_quarter(int32_t quarter,
    enum kl_lang lang);
struct audit_report_words audit_report_words_quarter_short(int32_t quarter,
    enum kl_lang lang);
/* "3 werkdagen"; what is no time as it stands in a policy. */
struct audit_report_words audit_report_words_term(enum kl_policy_key key,
    struct kl_term t, enum kl_lang lang);
/* "Gemeente Losser (oin:...)", or the id alone. names: NULL if none. */
struct audit_report_words audit_report_words_org(
    const struct audit_names *names, const struct kl_id *id);

#endif
