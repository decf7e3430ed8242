/*
 * story_json.h: the story of a conversation as one JSON object.
 */
#ifndef PROTO_AUDIT_STORY_JSON_H
#define PROTO_AUDIT_STORY_JSON_H

#include <jansson.h>

#include "proto/audit/story.h"

/* NULL: no memory. The caller owns it. */
json_t *audit_story_json(const struct audit_story *s);

#endif
