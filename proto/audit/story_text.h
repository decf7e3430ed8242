/*
 * story_text.h: the story of a conversation as a page of at most 80 columns.
 */
#ifndef PROTO_AUDIT_STORY_TEXT_H
#define PROTO_AUDIT_STORY_TEXT_H

#include <stdio.h>

#include "proto/audit/story.h"

/* Whether it could be written is in the error of `f`. */
void audit_story_text(FILE *f, const struct audit_story *s);

/* Sentences of the page that JSON has as well; in both languages. */
const char *audit_story_text_begin_gone(const struct audit_story *s);
const char *audit_story_text_shown_again(const struct audit_story *s);
const char *audit_story_text_loose(const struct audit_story *s);
/* How that organisation looks up its own staff. */
struct audit_tell_text audit_story_text_ask(const struct audit_story *s,
    uint32_t role);
/* "consent_max_age_at_send = 60d (standaard 30d), akkoord van ..." */
struct audit_tell_text audit_story_text_looser(const struct audit_story *s,
    const struct audit_story_policy *p, enum kl_policy_key key);

#endif
