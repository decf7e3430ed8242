/*
 * story.h: `audit story`: what happened in one conversation, from the log
 * alone, for who has to account for it. The same wherever the log is.
 */
#ifndef PROTO_AUDIT_STORY_H
#define PROTO_AUDIT_STORY_H

#include <stdio.h>

#include <jansson.h>

#include <kortelijn/base/origin.h>

#include "proto/audit/facts.h"
#include "proto/audit/link.h"
#include "proto/audit/names.h"
#include "proto/audit/policies.h"
#include "proto/audit/tell.h"

/* For the row of a table of commands; the reference is its one argument. */
#define AUDIT_STORY_ARGS "REFERENCE [--language=nl|en]"
#define AUDIT_STORY_SUMMARY "tell one conversation from the delivery log"
#define AUDIT_STORY_HELP						\
	"REFERENCE is the spoken reference on every page, or the id of\n" \
	"the conversation, its own or the one in the log. Tells in order\n" \
	"who sent what to whom under which consent and policy, what came\n" \
	"of it, which terms ran and how they ended, who looked at it, what\n" \
	"is open, and what of it the log does not have any more. In Dutch\n" \
	"unless --language=en says otherwise. The question itself becomes\n" \
	"a record."
#define AUDIT_STORY_OPTIONS "language="

/* What stands elsewhere and belongs to it: a member of the JSON object, and
 * the end of the page. */
struct audit_story_more {
	const char *key;
	json_t *json;			/* borrowed */
	void (*text)(FILE *f, const json_t *json, enum kl_lang lang);
};

/* Asks and prints on standard output, as a page or as one JSON object. names:
 * NULL if none is known; more: NULL if there is none. CLI_OK; CLI_FAILED:
 * nothing is known of it, and it was said where to ask; CLI_USAGE; or what the
 * link answers. */
int audit_story(struct cli *c, struct audit_link *l,
    const struct audit_names *names, const struct audit_story_more *more);

/* ---- what is told -------------------------------------------------------- */

#define AUDIT_STORY_MAX 4096		/* records of a conversation */
#define AUDIT_STORY_POLICIES_MAX 16	/* of which the file is asked for */

/* A policy that was in force while it ran. */
struct audit_story_policy {
	struct audit_policy load;
	bool known;			/* its file was shown, and is right */
	struct kl_policy_file file;
};

struct audit_story {
	const char *reference;		/* as it was asked for */
	bool spoken;			/* such a one */
	char origin[KL_ORIGIN_MAX];
	int64_t now_minute;		/* by the broker's clock */
	struct audit_tell tell;
	struct audit_facts facts;
	struct audit_story_policy *policy;
	size_t n_policy;
	bool no_policy;			/* some records have none before them */
	bool earlier_log;		/* leaf 0 names a log before this one */
};

/* An organisation that takes part, each once: the i-th, by the first record
 * that names it. Its role, 0 if it did nothing. False: no more. */
bool audit_story_party(const struct audit_story *s, size_t i,
    struct kl_id *id, uint32_t *role);
/* Did that row of a known policy count, looser than the table, when it first
 * held for this conversation? */
bool audit_story_looser(const struct audit_story *s,
    const struct audit_story_policy *p, enum kl_policy_key key);

#endif
