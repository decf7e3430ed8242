/*
 * words.h: the closed lists of a log record as people read them, in Dutch and
 * in English. The names in PROTOCOL.md's lists are those of filters and JSON.
 */
#ifndef PROTO_AUDIT_WORDS_H
#define PROTO_AUDIT_WORDS_H

#include <stdint.h>

#include <kortelijn/domain/list.h>
#include <kortelijn/wire/signed.h>

/* Enough for a name of a list of the log, with NUL. */
#define AUDIT_WORD_MAX 32

/* Each answers "" for 0, which is none, and "?" for what is in no list. */
const char *audit_words_event(uint32_t v, enum kl_lang lang);
const char *audit_words_kind(uint32_t v, enum kl_lang lang);
const char *audit_words_role(uint32_t v, enum kl_lang lang);
const char *audit_words_state(uint32_t v, enum kl_lang lang);
const char *audit_words_milestone(uint32_t v, enum kl_lang lang);
const char *audit_words_outcome(uint32_t v, enum kl_lang lang);
/* Why it was refused, as a sentence; "" for KL_C_OK. */
const char *audit_words_reason(uint32_t v, enum kl_lang lang);

/* "done" and "refused", as in JSON and in a filter. */
const char *audit_words_outcome_name(uint32_t v);

/* Of the two organisations in a record, or neither, who did it. */
enum audit_actor {
	AUDIT_ACTOR_UNKNOWN,
	AUDIT_ACTOR_FROM,	/* org_from */
	AUDIT_ACTOR_TO,
	AUDIT_ACTOR_BROKER,
	AUDIT_ACTOR_OPERATOR,	/* of the broker, on its own machine */
};
enum audit_actor audit_words_actor(const struct kl_record *r);

#endif
