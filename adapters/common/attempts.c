#include "adapters/common/attempts.h"

#include <string.h>

#define KEY_BYTES (16 + 8)

static struct kl_bytes
key_of(uint8_t key[KEY_BYTES], const struct case_row *c, uint32_t n)
{
	memcpy(key, c->conv.b, 16);
	kl_be64_put(key + 16, n);
	return kl_bytes(key, KEY_BYTES);
}

uint32_t
attempts_permitted(const struct kl_referral *r)
{
	uint32_t kinds = 0;

	if (r->phone[0] != '\0')
		kinds |= 1u << KL_CONTACT_PHONE | 1u << KL_CONTACT_SMS;
	if (r->email[0] != '\0')
		kinds |= 1u << KL_CONTACT_EMAIL;
	if (r->letter_ok == KL_ANSWER_YES && r->postcode[0] != '\0')
		kinds |= 1u << KL_CONTACT_LETTER;
	if (r->contact_preference == KL_CONTACT_VIA_PRACTICE)
		kinds |= 1u << KL_CONTACT_VIA_PRACTICE;
	return kinds;
}

int
attempts_get(struct turn *t, const struct case_row *c, uint32_t n,
    struct kl_attempt *out)
{
	uint8_t key[KEY_BYTES];

	return n >= c->attempts ? KL_E_NOT_FOUND :
	    store_get_sealed_row(t->store, STORE_ATTEMPT, key_of(key, c, n),
	    t->mem, out, sizeof *out);
}

static int
known(struct turn *t, const struct case_row *c, const struct kl_attempt *a,
    bool *yes)
{
	struct kl_attempt other;
	int r = KL_OK;

	*yes = false;
	for (uint32_t i = c->attempts_from; i < c->attempts && !*yes; i++) {
		if ((r = attempts_get(t, c, i, &other)) != KL_OK)
			return r;
		*yes = other.day == a->day && other.kind == a->kind &&
		    other.part_of_day == a->part_of_day;
	}
	return r;
}

int
attempts_add(struct turn *t, struct case_row *c, const struct kl_attempt *a)
{
	uint8_t key[KEY_BYTES];
	bool yes;
	int r = known(t, c, a, &yes);

	if (r != KL_OK || yes)
		return r;
	if (c->attempts >= ATTEMPTS_MAX)
		return KL_E_FULL;
	return store_put_sealed(t->store, STORE_ATTEMPT,
	    key_of(key, c, c->attempts++), c->slot, kl_bytes(a, sizeof *a));
}

static size_t
kinds_of(struct turn *t, const struct case_row *c)
{
	struct kl_referral r;
	size_t n = 0;
	uint32_t kinds;

	/* Erased already: nobody can try another way any more. */
	if (cases_content(t, c, &r) != KL_OK)
		return 1;
	kinds = attempts_permitted(&r);
	kl_wipe(&r, sizeof r);
	for (; kinds != 0; kinds &= kinds - 1)
		n++;
	return n;
}

int
attempts_enough(struct turn *t, const struct case_row *c, bool *yes)
{
	const struct kl_attempt_limits limits = {
		.attempts = kl_policy_number(t->policy,
		    KL_POL_NOT_REACHED_ATTEMPTS),
		.dayparts = kl_policy_number(t->policy,
		    KL_POL_NOT_REACHED_DAYPARTS),
		.kinds = kl_policy_number(t->policy,
		    KL_POL_NOT_REACHED_KINDS),
	};
	struct kl_attempt a[ATTEMPTS_MAX];
	size_t n = 0;
	int r;

	*yes = false;
	for (uint32_t i = c->attempts_from; i < c->attempts; i++)
		if ((r = attempts_get(t, c, i, &a[n++])) != KL_OK)
			return r;
	*yes = kl_attempts_enough(a, n, &limits, kinds_of(t, c));
	return KL_OK;
}
