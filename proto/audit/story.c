#include "proto/audit/story.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

#include "proto/audit/filter.h"
#include "proto/audit/query.h"
#include "proto/audit/records.h"
#include "proto/audit/story_json.h"
#include "proto/audit/story_text.h"
#include "proto/audit/words.h"
#include "proto/cli/output.h"

#define GROW 64

struct asking {
	struct cli *c;
	struct audit_link *l;
	struct audit_story s;
	struct audit_fact *at;
	size_t n, cap;
	struct audit_policies policies;
	const struct audit_story_more *more;	/* NULL: none */
};

/* ---- parties ------------------------------------------------------------- */

static bool
named_before(const struct audit_story *s, size_t record, bool to,
    const struct kl_id *id)
{
	for (size_t i = 0; i <= record; i++) {
		const struct kl_record *r = &s->facts.at[i].r;

		if (r->event == KL_EV_QUERY)
			continue;
		if (i == record)
			return to && kl_id_equal(&r->org_from, id);
		if (kl_id_equal(&r->org_from, id) ||
		    kl_id_equal(&r->org_to, id))
			return true;
	}
	return false;
}

static uint32_t
role_of(const struct audit_story *s, const struct kl_id *id)
{
	for (size_t i = 0; i < s->facts.n; i++) {
		const struct kl_record *r = &s->facts.at[i].r;
		const enum audit_actor who = audit_words_actor(r);

		if ((who == AUDIT_ACTOR_FROM &&
		    kl_id_equal(&r->org_from, id)) ||
		    (who == AUDIT_ACTOR_TO && kl_id_equal(&r->org_to, id)))
			return r->actor_role;
	}
	return 0;
}

bool
audit_story_party(const struct audit_story *s, size_t i, struct kl_id *id,
    uint32_t *role)
{
	for (size_t k = 0; k < 2 * s->facts.n; k++) {
		const struct kl_record *r = &s->facts.at[k / 2].r;

		*id = k % 2 == 0 ? r->org_from : r->org_to;
		if (r->event == KL_EV_QUERY || kl_id_none(id) ||
		    named_before(s, k / 2, k % 2 == 1, id))
			continue;
		if (i-- == 0) {
			*role = role_of(s, id);
			return true;
		}
	}
	return false;
}

bool
audit_story_looser(const struct audit_story *s,
    const struct audit_story_policy *p, enum kl_policy_key key)
{
	int64_t minute = s->facts.at[0].r.time_minute;

	if (minute < p->load.minute)
		minute = p->load.minute;
	return kl_policy_file_state(&p->file, key, kl_day_of(
	    kl_calendar_local_ms(minute * KL_MINUTE_MS))) ==
	    KL_POLICY_LOOSENED;
}

/* ---- records ------------------------------------------------------------- */

static int
take(void *arg, const struct audit_record *r)
{
	struct asking *a = arg;
	struct audit_fact *more;

	if (a->n == AUDIT_STORY_MAX)
		return output_fail(a->c, CLI_FAILED, "more than %d records; "
		    "'audit query' prints them all", AUDIT_STORY_MAX);
	if (a->n == a->cap) {
		more = realloc(a->at, (a->cap + GROW) * sizeof *more);
		if (more == NULL)
			return output_fail_err(a->c, KL_E_MEMORY, "the story");
		a->at = more;
		a->cap += GROW;
	}
	a->at[a->n++] = (struct audit_fact){ .leaf = r->leaf, .r = r->r };
	return CLI_OK;
}

/* An id or a spoken reference of which there is nothing to read. */
static int
nothing(const struct asking *a)
{
	return output_fail(a->c, CLI_FAILED, a->s.tell.lang == KL_EN ?
	    "of %s nothing is to be read here. When its term is over, the "
	    "broker no longer knows a conversation by its spoken reference. "
	    "Ask the organisations on the paper: 'subject log' at their "
	    "adapters tells conv_ref, and by that id the log is asked" :
	    "van %s is hier niets te lezen. Is de termijn voorbij, dan kent "
	    "de broker een gesprek niet meer bij zijn kenmerk. Vraag het de "
	    "organisaties op het papier: 'subject log' bij hun adapter noemt "
	    "conv_ref, en met dat nummer is het logboek te bevragen",
	    a->s.reference);
}

static int
records_take(struct asking *a)
{
	struct kl_query_what what = { 0 };
	int r;

	if (!audit_filter_reference(a->s.reference, &what))
		return output_fail(a->c, CLI_USAGE, "not a reference such as "
		    "ABCD-EFGH-K with the right check letter, and no id of 32 "
		    "hex digits");
	a->s.spoken = what.spoken[0] != 0;
	a->l->quiet = KL_C_REFERRAL_UNKNOWN;
	r = audit_records(a->l, &what, take, a);
	a->l->quiet = 0;
	if ((r == CLI_FAILED && a->l->code == KL_C_REFERRAL_UNKNOWN) ||
	    (r == CLI_OK && a->n == 0))
		return nothing(a);
	a->s.facts = (struct audit_facts){ .at = a->at, .n = a->n };
	return r;
}

/* ---- what it is seen against --------------------------------------------- */

static int
state_take(struct asking *a, struct kl_bytes body, struct kl_arena *mem)
{
	struct kl_query_reply reply;
	struct kl_query_state state;

	if (KL_MESSAGE_READ(KL_M_QUERY_REPLY, body, mem, &reply) != KL_C_OK ||
	    KL_MESSAGE_READ(KL_M_QUERY_STATE, reply.part, mem, &state) !=
	    KL_C_OK)
		return output_fail(a->c, CLI_FAILED, "what %s answers is no "
		    "state", a->c->program->daemon);
	a->s.now_minute = state.signed_ms / KL_MINUTE_MS;
	if (a->s.now_minute < a->at[a->n - 1].r.time_minute)
		a->s.now_minute = a->at[a->n - 1].r.time_minute;
	return audit_query_origin(a->c, state.note, a->s.origin);
}

/* The name of the log and its time: terms are counted by the broker's clock. */
static int
now_take(struct asking *a)
{
	const struct kl_query q = { .want = KL_QUERY_STATE };
	struct kl_arena *mem = kl_arena_new(AUDIT_ANSWER_BYTES,
	    AUDIT_ANSWER_PIECES);
	struct kl_bytes body, reply;
	int r;

	if (mem == NULL ||
	    KL_MESSAGE_PACK_IN(KL_M_QUERY, &q, mem, &body) != KL_OK)
		r = output_fail_err(a->c, KL_E_MEMORY, "the question");
	else if ((r = audit_link_ask(a->l, KL_QUERY, body, mem, &reply)) ==
	    CLI_OK)
		r = state_take(a, reply, mem);
	kl_arena_free(mem);
	return r;
}

static int
origin_record(void *arg, const struct audit_record *r)
{
	struct asking *a = arg;

	a->s.earlier_log = r->leaf == 0 &&
	    !kl_bytes_zero(KL_BYTES_OF(r->r.body_hash));
	return CLI_OK;
}

/* Only where something is missing does it matter what was before this log. */
static int
earlier_take(struct asking *a)
{
	const struct kl_query_what what = { .event = KL_EV_ORIGIN };

	if (!audit_facts_no_begin(&a->s.facts) &&
	    !audit_facts_shown_again(&a->s.facts))
		return CLI_OK;
	return audit_records(a->l, &what, origin_record, a);
}

/* ---- policies ------------------------------------------------------------ */

static int
policy_add(struct asking *a, const struct audit_policy *p)
{
	struct audit_story_policy *at = &a->s.policy[a->s.n_policy];
	const int r = audit_policies_take(a->l, p, &at->file, &at->known);

	at->load = *p;
	if (r == CLI_OK)
		a->s.n_policy++;
	return r;
}

static int
policies_take(struct asking *a)
{
	const struct audit_policy *last = NULL, *p;
	int r = audit_policies_read(a->l, &a->policies);

	for (size_t i = 0; r == CLI_OK && i < a->n; i++) {
		p = audit_policies_at(&a->policies, a->at[i].leaf);
		a->s.no_policy |= p == NULL;
		if (p != NULL && p != last && a->at[i].r.event !=
		    KL_EV_QUERY && a->s.n_policy < AUDIT_STORY_POLICIES_MAX) {
			r = policy_add(a, p);
			last = p;
		}
	}
	return r;
}

/* ---- the command --------------------------------------------------------- */

static int
print(const struct asking *a)
{
	json_t *o;

	/* A reader that goes away is told as an error, as a full disk is. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (a->c->json) {
		o = audit_story_json(&a->s);
		if (o != NULL && a->more != NULL)
			(void)json_object_set(o, a->more->key,
			    a->more->json);
		return output_take(a->c, o);
	}
	audit_story_text(stdout, &a->s);
	if (a->more != NULL)
		a->more->text(stdout, a->more->json, a->s.tell.lang);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return CLI_OK;
	return output_fail(a->c, CLI_FAILED,
	    "the story is cut short: it cannot be written");
}

static int
ask(struct asking *a)
{
	int r;

	if ((r = audit_query_language(a->c, &a->s.tell.lang)) != CLI_OK ||
	    (r = records_take(a)) != CLI_OK || (r = now_take(a)) != CLI_OK ||
	    (r = earlier_take(a)) != CLI_OK ||
	    (r = policies_take(a)) != CLI_OK)
		return r;
	return print(a);
}

int
audit_story(struct cli *c, struct audit_link *l,
    const struct audit_names *names, const struct audit_story_more *more)
{
	struct asking *a = calloc(1, sizeof *a);
	int r;

	if (a == NULL || (a->s.policy = calloc(AUDIT_STORY_POLICIES_MAX,
	    sizeof *a->s.policy)) == NULL) {
		r = output_fail_err(c, KL_E_MEMORY, "the story");
	} else {
		a->c = c;
		a->l = l;
		a->s.reference = c->arg[0];
		a->s.tell.names = names;
		a->more = more;
		r = ask(a);
		audit_policies_free(&a->policies);
		free(a->at);
	}
	if (a != NULL)
		free(a->s.policy);
	free(a);
	return r;
}
