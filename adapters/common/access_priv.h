/*
 * access_priv.h: the access log as its own files see it: access.c (months and
 * lines), access_find.c (whose lines they are, and reading them).
 */
#ifndef ADAPTERS_COMMON_ACCESS_PRIV_H
#define ADAPTERS_COMMON_ACCESS_PRIV_H

#include <kortelijn/domain/person.h>

#include "adapters/common/access.h"

/* The row of a month: sealed, as all that follows, under its slot. */
struct access_month {
	uint8_t key[32];		/* of its tags */
	uint32_t slot;
	uint32_t number;		/* months since 1970, UTC */
};

#define ACCESS_MONTH_BYTES 4
#define ACCESS_TAG_BYTES sizeof(struct kl_tag)
/* month, tag of the case, number of the line */
#define ACCESS_LINE_BYTES (ACCESS_MONTH_BYTES + ACCESS_TAG_BYTES + 8)
/* month, tag of what is looked for, tag of the case */
#define ACCESS_NAME_BYTES (ACCESS_MONTH_BYTES + 2 * ACCESS_TAG_BYTES)

uint32_t access_month_of(int64_t at_ms);
void access_month_key(uint8_t key[ACCESS_MONTH_BYTES], uint32_t month);
struct kl_tag access_tag(const struct access_month *m, uint8_t what,
    struct kl_bytes value);
void access_line_key(uint8_t key[ACCESS_LINE_BYTES],
    const struct access_month *m, const struct kl_conv_id *conv,
    uint64_t seq);
/* The first month with a number of at least `from` that can be read.
 * KL_E_NOT_FOUND; errors of the store. */
int access_month_from(struct turn *t, uint32_t from,
    struct access_month *out) KL_MUST_CHECK;

/* A word of a name with a birth date, as it is looked for. */
struct access_person { char b[KL_PERSON_WORD_MAX + 12]; };
struct kl_bytes access_person(struct access_person *v, const char *word,
    struct kl_birth_date birth);

#endif
