#include "adapters/common/log_question.h"

#include <string.h>

#include <kortelijn/wire/request.h>

#include "adapters/common/access.h"
#include "adapters/common/cases.h"

/* The case that a spoken reference names, also one that ended and was erased
 * here. KL_E_NOT_FOUND. */
static int
find_case(struct turn *t, const struct kl_spoken *s,
    struct access_found *out)
{
	struct access_list list = { .n = 0 };
	struct case_row c;
	int r = cases_by_spoken(t, s, &c);

	memset(out, 0, sizeof *out);
	out->conv = c.conv;
	out->ref = c.ref;
	if (r != KL_E_NOT_FOUND)
		return r;
	r = access_find(t, ACCESS_SPOKEN, kl_bytes(s->b, 9), &list);
	if (r == KL_OK && list.n == 0)
		r = KL_E_NOT_FOUND;
	if (r == KL_OK)
		*out = list.at[0];
	return r;
}

/* The broker forgets a spoken reference before its log ends; this adapter
 * knows its own cases by both names, and asks by the one that stays. Every
 * page is asked in the same words, as its ticket demands. */
static int
ask_by_ref(struct turn *t, struct kl_query *q, struct kl_query_what *what,
    const struct kl_ref *ref, struct kl_bytes *body)
{
	int r;

	if (kl_bytes_zero(KL_BYTES_OF(*ref)))
		return KL_OK;
	what->conv_ref = *ref;
	memset(what->spoken, 0, sizeof what->spoken);
	r = KL_MESSAGE_PACK_IN(KL_M_QUERY_WHAT, what, t->mem, &q->what);
	return r != KL_OK ? r : KL_MESSAGE_PACK_IN(KL_M_QUERY, q, t->mem,
	    body);
}

int
log_question_take(struct turn *t, const struct engine_actor *by,
    struct kl_bytes *body, uint32_t *code)
{
	struct access_found found = { .number = 0 };
	struct kl_spoken spoken = { { 0 } };
	struct kl_query_what what;
	struct kl_query q;
	int r = KL_E_NOT_FOUND;

	*code = KL_MESSAGE_READ(KL_M_QUERY, *body, t->mem, &q);
	if (*code != KL_C_OK || q.want != KL_QUERY_RECORDS)
		return KL_OK;
	*code = KL_MESSAGE_READ(KL_M_QUERY_WHAT, q.what, t->mem, &what);
	if (*code != KL_C_OK)
		return KL_OK;
	if (!kl_bytes_zero(KL_BYTES_OF(what.spoken))) {
		memcpy(spoken.b, what.spoken, sizeof what.spoken);
		r = find_case(t, &spoken, &found);
	}
	if (r == KL_OK)
		r = ask_by_ref(t, &q, &what, &found.ref, body);
	if ((r != KL_OK && r != KL_E_NOT_FOUND) || q.ticket != 0)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	return r == KL_OK ?
	    access_log(t, by, ENGINE_ASKED_LOG, &found.conv) :
	    access_log_many(t, by, ENGINE_ASKED_LOG, 0, 0);
}
