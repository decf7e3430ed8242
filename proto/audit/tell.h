/*
 * tell.h: one record of a conversation as a sentence, in Dutch or English.
 */
#ifndef PROTO_AUDIT_TELL_H
#define PROTO_AUDIT_TELL_H

#include <kortelijn/domain/list.h>

#include "proto/audit/facts.h"
#include "proto/audit/names.h"

struct audit_tell {
	enum kl_lang lang;
	const struct audit_names *names;	/* NULL: none known */
};

/* The longest sentence fits, with two names. */
struct audit_tell_text { char b[800]; };

/* What happened, by whom. */
struct audit_tell_text audit_tell_record(const struct audit_tell *t,
    const struct kl_record *r);
/* The organisation's name, or its id. */
struct audit_tell_text audit_tell_who(const struct audit_tell *t,
    const struct kl_id *id);
/* How a term that began with `f->at[d->begun]` went. */
struct audit_tell_text audit_tell_due(const struct audit_tell *t,
    const struct audit_facts *f, const struct audit_facts_due *d);
/* What is open because of a record; "" for nothing. */
struct audit_tell_text audit_tell_open(const struct audit_tell *t,
    const struct kl_record *r, enum audit_facts_open open);
/* "2026-11-24 17:00", local. */
struct audit_tell_text audit_tell_minute(int64_t minute);

#endif
