#include "proto/audit/policies.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/crypto/hash.h>

#include "proto/cli/output.h"

#define GROW 16

struct taking {
	const struct cli *cli;
	struct audit_policies *out;
	size_t cap;
};

static int
take(void *arg, const struct audit_record *r)
{
	struct taking *t = arg;
	struct audit_policies *p = t->out;
	struct audit_policy *more;

	if (r->r.event != KL_EV_POLICY)
		return CLI_OK;
	if (p->n == AUDIT_POLICIES_MAX)
		return output_fail(t->cli, CLI_FAILED, "more than %d policies "
		    "were loaded; which one counted is not shown",
		    AUDIT_POLICIES_MAX);
	if (p->n == t->cap) {
		more = realloc(p->at, (t->cap + GROW) * sizeof *more);
		if (more == NULL)
			return output_fail_err(t->cli, KL_E_MEMORY,
			    "the policies");
		p->at = more;
		t->cap += GROW;
	}
	p->at[p->n++] = (struct audit_policy){ .leaf = r->leaf,
		.minute = r->r.time_minute, .hash = r->r.body_hash };
	return CLI_OK;
}

int
audit_policies_read(struct audit_link *l, struct audit_policies *out)
{
	const struct kl_query_what what = { .event = KL_EV_POLICY };
	struct taking t = { .cli = l->cli, .out = out };

	*out = (struct audit_policies){ 0 };
	return audit_records(l, &what, take, &t);
}

void
audit_policies_free(struct audit_policies *p)
{
	free(p->at);
	*p = (struct audit_policies){ 0 };
}

const struct audit_policy *
audit_policies_at(const struct audit_policies *p, uint64_t leaf)
{
	const struct audit_policy *found = NULL;

	for (size_t i = 0; i < p->n && p->at[i].leaf < leaf; i++)
		found = &p->at[i];
	return found;
}

/* ---- the file ----------------------------------------------------------- */

/* One part; *done when it was the last. */
static int
part_take(const struct cli *c, struct kl_bytes body, struct kl_arena *mem,
    uint8_t *text, size_t *n, bool *done)
{
	struct kl_query_reply p;

	if (KL_MESSAGE_READ(KL_M_QUERY_REPLY, body, mem, &p) != KL_C_OK ||
	    p.total > KL_POLICY_FILE_MAX || p.part.n > p.total - *n ||
	    (p.part.n == 0 && p.total > *n))
		return output_fail(c, CLI_FAILED, "what %s answers is no "
		    "policy", c->program->daemon);
	if (p.part.n > 0)
		memcpy(text + *n, p.part.p, p.part.n);
	*n += p.part.n;
	*done = *n == p.total;
	return CLI_OK;
}

static int
parts_take(struct audit_link *l, const struct audit_policy *policy,
    struct kl_arena *mem, uint8_t *text, size_t *n)
{
	struct kl_query q = { .want = KL_QUERY_POLICY, .from = policy->leaf };
	struct kl_bytes body, reply;
	bool done = false;
	int r = CLI_OK;

	while (r == CLI_OK && !done) {
		kl_arena_reset(mem);
		q.offset = *n;
		if (KL_MESSAGE_PACK_IN(KL_M_QUERY, &q, mem, &body) != KL_OK)
			return output_fail_err(l->cli, KL_E_MEMORY,
			    "the question");
		if ((r = audit_link_ask(l, KL_QUERY, body, mem, &reply)) ==
		    CLI_OK)
			r = part_take(l->cli, reply, mem, text, n, &done);
	}
	return r;
}

static bool
is_of(struct kl_bytes text, const struct kl_hash *hash)
{
	const struct kl_hash h = kl_sha256_parts(&text, 1);

	return kl_bytes_equal(KL_BYTES_OF(h), KL_BYTES_OF(*hash));
}

int
audit_policies_file(struct audit_link *l, const struct audit_policy *p,
    uint8_t *text, size_t *n)
{
	struct kl_arena *mem = kl_arena_new(AUDIT_ANSWER_BYTES,
	    AUDIT_ANSWER_PIECES);
	int r;

	*n = 0;
	if (mem == NULL)
		return output_fail_err(l->cli, KL_E_MEMORY, "the policy");
	l->quiet = KL_C_POLICY_UNKNOWN;
	r = parts_take(l, p, mem, text, n);
	l->quiet = 0;
	kl_arena_free(mem);
	if (r == CLI_OK && is_of(kl_bytes(text, *n), &p->hash))
		return CLI_OK;
	*n = 0;
	if (r != CLI_OK)
		return r == CLI_FAILED && l->code == KL_C_POLICY_UNKNOWN ?
		    CLI_OK : r;
	return output_fail(l->cli, CLI_FAILED, "the policy that %s shows is "
	    "not the one that the log names", l->cli->program->daemon);
}

int
audit_policies_take(struct audit_link *l, const struct audit_policy *p,
    struct kl_policy_file *out, bool *known)
{
	uint8_t *text = malloc(KL_POLICY_FILE_MAX);
	struct kl_policy_error e;
	size_t n = 0;
	int r;

	*known = false;
	if (text == NULL)
		return output_fail_err(l->cli, KL_E_MEMORY, "the policy");
	r = audit_policies_file(l, p, text, &n);
	*known = n > 0 && kl_policy_file_read(kl_bytes(text, n), out, &e) ==
	    KL_OK;
	free(text);
	return r;
}
