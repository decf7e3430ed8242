/*
 * json_put.h: members of an object in the making. What is empty or unknown is
 * left out; what finds no memory is missing.
 */
#ifndef ADAPTERS_COMMON_JSON_PUT_H
#define ADAPTERS_COMMON_JSON_PUT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/* "" is left out. */
void json_put_text(json_t *o, const char *key, const char *text);
/* As RFC 3339 in UTC; 0 is left out. */
void json_put_time(json_t *o, const char *key, int64_t at_ms);
void json_put_number(json_t *o, const char *key, uint64_t v);
void json_put_bool(json_t *o, const char *key, bool v);

#endif
