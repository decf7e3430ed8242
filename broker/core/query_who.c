#include "broker/core/query_who.h"

#include <string.h>

#include "broker/core/acks.h"
#include "broker/core/approvals.h"

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

/* An auditor's own, and those of the organisations of its card: those that the
 * card names, or, of one that reads all, those that have agreed. */
static int
auditor_may(struct core *c, const struct asker *who, struct find_who *out)
{
	const struct registry_reads *reads = registry_reads(&c->registry,
	    who->card->serial);
	const struct core_approval *a = approvals_of(c, who->card->serial);
	const struct kl_id *named = NULL;
	size_t n = 0;
	struct kl_id *org;

	if (reads != NULL && !reads->all) {
		named = reads->id;
		n = reads->n;
	} else if (reads != NULL && a != NULL) {
		named = a->org;
		n = a->n;
	}
	if ((org = kl_arena_alloc(c->mem, (1 + n) * sizeof *org)) == NULL)
		return KL_E_MEMORY;
	org[0] = who->by->id;
	if (n > 0)
		memcpy(org + 1, named, n * sizeof *org);
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
