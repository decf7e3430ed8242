/*
 * jget.h: strict reading of JSON that people or other programs write: closed
 * objects, one type for each value, the first finding kept with its place.
 *
 * A possible BSN anywhere in the text refuses it before anything else is
 * looked at. What is answered after a refusal is a zero; a finding never
 * holds the value.
 */
#ifndef ADAPTERS_COMMON_JGET_H
#define ADAPTERS_COMMON_JGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>
#include <kortelijn/domain/list.h>
#include <kortelijn/domain/rules.h>

/* Where in the file, from the inside out. */
struct jget_place {
	const struct jget_place *up;
	const char *key;
};

struct jget {
	struct kl_finding *why;
	bool refused;
};

/* The first finding stays. key: NULL for the place itself. */
void jget_refuse(struct jget *r, uint32_t code, const struct jget_place *up,
    const char *key);

/* KL_OK: *root is an object without a BSN in it, for jget_finish to free.
 * KL_E_REFUSED: not JSON, larger than JSON_FILE_MAX, a BSN; KL_E_MEMORY. */
int jget_load(struct jget *r, struct kl_bytes in, json_t **root)
    KL_MUST_CHECK;
/* Frees root; wipes the n bytes of `out` unless all went well. Answers e, or
 * KL_E_REFUSED. */
int jget_finish(const struct jget *r, json_t *root, int e, void *out,
    size_t n) KL_MUST_CHECK;

/* Is `o` an object, and are all its keys in `keys`? */
bool jget_closed(struct jget *r, json_t *o, const struct jget_place *at,
    const char *const *keys, size_t n);
#define JGET_CLOSED(r, o, at, keys) \
	jget_closed(r, o, at, keys, sizeof (keys) / sizeof (keys)[0])

/* The member, refused if it is missing. The others accept NULL (which is no
 * finding of theirs) and name `key` in their findings. */
json_t *jget(struct jget *r, json_t *o, const struct jget_place *up,
    const char *key);
/* Not empty, at most cap - 1 bytes. */
void jget_text(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, char *out, size_t cap);
uint32_t jget_number(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, uint32_t min, uint32_t max);
/* enum kl_answer. */
uint32_t jget_answer(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key);
/* Borrowed from v. */
const char *jget_string(struct jget *r, json_t *v,
    const struct jget_place *up, const char *key);
/* A value of the list. */
uint32_t jget_item(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, enum kl_list list);
int32_t jget_day(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key);
void jget_id(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, struct kl_id *out);
/* A spoken reference, as people write it. */
void jget_spoken(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, struct kl_spoken *out);
/* [A-Za-z0-9._-], at most JSON_CLIENT_ID_MAX. */
void jget_client_id(struct jget *r, json_t *v, const struct jget_place *up,
    const char *key, char *out);
/* The member "schema": a content schema that is read here. */
uint32_t jget_schema(struct jget *r, json_t *root);

#endif
