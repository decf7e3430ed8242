/*
 * access.h: the adapter's own log of who took in, saw, printed, exported or
 * changed what, in which role, through which interface. A line is committed
 * before what it tells of is shown: NEN 7513 asks who looked into a file.
 *
 * It outlives the case: a resident may ask who looked after all else is
 * erased. So that no person stands in it in clear, and so that it really ends,
 * the lines of a month lie under a slot of their own, which dies at the end of
 * log_retention (P37) after the month. Under it lies also a key of the month,
 * and under that key the ways to find a case again: spoken reference, the
 * practice's own numbers, and the words of a name with the birth date, as
 * keyed tags that tell nothing without what was looked for.
 */
#ifndef ADAPTERS_COMMON_ACCESS_H
#define ADAPTERS_COMMON_ACCESS_H

#include "adapters/common/engine.h"
#include "adapters/common/turn.h"

#define ACCESS_SWEEP_MAX 500	/* rows of one step */

struct access_line {
	int64_t at_ms;
	uint32_t act;			/* enum engine_act */
	struct engine_actor by;
	struct kl_conv_id conv;		/* zero: of no one case */
	struct kl_spoken spoken;	/* b[0] is 0: not known then */
	uint64_t first, last;		/* LISTED: numbers of the cases */
};

/* How a role is named in JSON, in Dutch and English; NULL for one that is not
 * in the list. access_role_read: 0 for a name that is not. */
const char *access_role_name(uint32_t role);
const char *access_role_label(uint32_t role, enum kl_lang lang);
uint32_t access_role_read(const char *name);
const char *access_act_name(uint32_t act);
const char *access_act_label(uint32_t act, enum kl_lang lang);
const char *access_interface_name(uint32_t interface);
const char *access_interface_label(uint32_t interface, enum kl_lang lang);
/* A name in the organisation's own list of staff: [A-Za-z0-9._@-], at most
 * ENGINE_STAFF_MAX. */
bool access_staff_valid(const char *staff);

/* A line about a case, findable by what the case is known by now. KL_E_FULL:
 * no slot; errors of the store. */
int access_log(struct turn *t, const struct engine_actor *by,
    enum engine_act act, const struct kl_conv_id *conv) KL_MUST_CHECK;
/* A line about no one case: a search, or a list of the cases with these
 * numbers. As above. */
int access_log_many(struct turn *t, const struct engine_actor *by,
    enum engine_act act, uint64_t first, uint64_t last) KL_MUST_CHECK;

/* What a case is found by. */
enum access_way {
	ACCESS_SPOKEN = 1,		/* 9 letters */
	ACCESS_CLIENT = 2,		/* the practice's referral_id */
	ACCESS_PATIENT = 3,		/* the practice's patient_ref */
	ACCESS_PERSON = 4,		/* see access_find_person */
};

/* A case that lines tell of, whether or not it is still there. */
struct access_found {
	struct kl_conv_id conv;
	uint64_t number;		/* of the case */
	struct kl_ref ref;		/* of the broker's log; zero: not known
					 * when the line was written */
};
#define ACCESS_FOUND_MAX 64
struct access_list {
	struct access_found at[ACCESS_FOUND_MAX];
	size_t n;
	bool more;			/* than there is room for */
};

/* Once, if there is room, under the ref that came last. */
void access_add(struct access_list *out, const struct access_found *f);
/* Adds those known by this value; each once. KL_OK also if there is none. */
int access_find(struct turn *t, enum access_way way, struct kl_bytes value,
    struct access_list *out) KL_MUST_CHECK;
/* The same for any word of a family name with that birth date: month and day
 * may have been unknown when the case came. KL_E_FORMAT: no name. */
int access_find_person(struct turn *t, const char *family_name,
    struct kl_birth_date birth, struct access_list *out) KL_MUST_CHECK;

/* Where a walk over lines stands; zero: at the first. */
struct access_at {
	uint32_t month;
	uint64_t seq;
};
/* At the first line of the month of that time. */
struct access_at access_since(int64_t since_ms);
/* The line after *at that tells of conv (zero: of no one case), oldest first.
 * KL_E_NOT_FOUND: no more. */
int access_next(struct turn *t, const struct kl_conv_id *conv,
    struct access_at *at, struct access_line *out) KL_MUST_CHECK;

/* When a line that is written now ends, at the latest. */
int64_t access_until_ms(const struct turn *t);
/* After another policy: months end earlier if it says so, never later. Errors
 * of the store. */
int access_review(struct turn *t) KL_MUST_CHECK;
/* A step of ending a month that is over; TIMER_ACCESS calls it. The first one
 * destroys the key; the others take away what cannot be read any more. *more:
 * there is more to take away. */
int access_end_month(struct turn *t, uint32_t month, bool *more)
    KL_MUST_CHECK;

#endif
