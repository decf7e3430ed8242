#include "broker/core/query_who.h"

#include <string.h>

#include "broker/core/acks.h"

/* A participant's own, and those of whom it has succeeded. */
static int
party_may(struct core *c, const struct participant *p, struct find_who *out)
{
	uint32_t number[ACKS_MAILBOXES_MAX];
	const size_t n = acks_mailboxes(c, p, number);
	struct kl_id *org = kl_arena_alloc(c->mem, n * sizeof *org);

	if (org == NULL)
		return KL_E_MEMORY;
	for (size_t i = 0; i < n; i++)
		org[i] = registry_by_number(&c->registry, number[i])->id;
	find_sort(org, n);
	return find_who(out, org, n, c->mem);
}

/* An auditor's own, and those of the organisations of its card. */
static int
auditor_may(struct core *c, const struct asker *who, struct find_who *out)
{
	const struct registry_reads *reads = registry_reads(&c->registry,
	    who->card->serial);
	const size_t n = reads == NULL ? 0 : reads->n;
	struct kl_id *org = kl_arena_alloc(c->mem, (1 + n) * sizeof *org);

	if (org == NULL)
		return KL_E_MEMORY;
	org[0] = who->by->id;
	if (n > 0)
		memcpy(org + 1, reads->id, n * sizeof *org);
	find_sort(org, 1 + n);
	return find_who(out, org, 1 + n, c->mem);
}

int
query_who(struct core *c, const struct asker *who, struct find_who *out)
{
	if (who->by == NULL) {
		*out = (struct find_who){ .all = true };
		return KL_OK;
	}
	return who->by->role == KL_AUDITOR ? auditor_may(c, who, out) :
	    party_may(c, who->by, out);
}
