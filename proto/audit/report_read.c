#include "proto/audit/report_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>

#include "proto/audit/dir.h"
#include "proto/audit/policies.h"
#include "proto/cli/output.h"

/* ---- records ------------------------------------------------------------- */

static int
take_one(void *arg, const struct audit_record *a)
{
	struct audit_report_read *t = arg;
	int err;

	t->gaps |= t->next != 0 && a->leaf != t->next;
	t->next = a->leaf + 1;
	t->last = a->r.time_minute;
	err = t->take(t->arg, a->leaf, &a->r);
	if (err == KL_E_FULL)
		return output_fail(t->cli, CLI_FAILED, "more is open at one "
		    "time than a report has room for; choose a shorter "
		    "period");
	return err == KL_OK ? CLI_OK : output_fail_err(t->cli, err,
	    "the report");
}

int
audit_report_read_link(const struct audit_report *r, int64_t from,
    struct audit_report_read *to)
{
	const struct kl_query_what what = { .from_minute = from };

	to->cli = r->cli;
	to->next = 0;
	return audit_records(r->link, &what, take_one, to);
}

int
audit_report_read_dir(const struct audit_report *r, const char *dir,
    struct audit_report_read *to)
{
	to->cli = r->cli;
	to->next = 0;
	return audit_dir_records(r->cli, dir, NULL, take_one, to);
}

/* ---- what the log says of itself ----------------------------------------- */

static int
not_signed(const struct audit_report *r, const char *what)
{
	return output_fail(r->cli, CLI_FAILED, "the checkpoint of %s is not "
	    "one of this log, signed by its broker", what);
}

/* The lines of witnesses whose keys are known here, under a checkpoint that
 * verified. */
static int
witnesses(const struct audit_report *r, struct kl_bytes text, uint64_t size,
    struct audit_report_head *head)
{
	struct audit_trust_line lines[AUDIT_WITNESSES_MAX];
	size_t n;

	if (audit_trust_lines(r->trust, text, lines, &n) != KL_OK)
		return KL_E_SIGNATURE;
	if (n == 0)
		return KL_OK;
	head->witnessed = size;
	for (size_t i = 0; i < n && i < AUDIT_REPORT_WITNESSES_MAX; i++) {
		(void)snprintf(head->witness[i], sizeof head->witness[i],
		    "%s", lines[i].by->name);
		head->witness_ms[i] = lines[i].at_s * KL_SECOND_MS;
		head->n_witnesses = i + 1;
	}
	return KL_OK;
}

static int
state_ask(const struct audit_report *r, struct kl_arena *mem,
    struct kl_query_state *state)
{
	const struct kl_query q = { .want = KL_QUERY_STATE };
	struct kl_query_reply reply;
	struct kl_bytes body, answer;
	int ret;

	if (KL_MESSAGE_PACK_IN(KL_M_QUERY, &q, mem, &body) != KL_OK)
		return output_fail_err(r->cli, KL_E_MEMORY, "the question");
	if ((ret = audit_link_ask(r->link, KL_QUERY, body, mem, &answer)) !=
	    CLI_OK)
		return ret;
	if (KL_MESSAGE_READ(KL_M_QUERY_REPLY, answer, mem, &reply) !=
	    KL_C_OK || KL_MESSAGE_READ(KL_M_QUERY_STATE, reply.part, mem,
	    state) != KL_C_OK)
		return output_fail(r->cli, CLI_FAILED, "what %s answers is no "
		    "state of a log", r->cli->program->daemon);
	return CLI_OK;
}

int
audit_report_read_state(const struct audit_report *r, struct kl_arena *mem,
    struct kl_query_state *state, struct audit_report_head *head)
{
	struct kl_checkpoint seen = { .size = 0 };
	int ret = state_ask(r, mem, state);

	*head = (struct audit_report_head){ .n_witnesses = 0 };
	if (ret != CLI_OK)
		return ret;
	/* Of a broker that has not read its log as a whole yet. */
	if (state->note.n == 0)
		return CLI_OK;
	if (audit_trust_checkpoint(r->trust, state->note, &head->newest) !=
	    KL_OK || (state->witnessed.n > 0 &&
	    (audit_trust_checkpoint(r->trust, state->witnessed, &seen) !=
	    KL_OK || witnesses(r, state->witnessed, seen.size, head) !=
	    KL_OK)))
		return not_signed(r, r->cli->program->daemon);
	head->signed_ms = state->signed_ms;
	return CLI_OK;
}

/* A region may have several logs, and a broker several, one after a loss of the
 * other: of the broker that is trusted, whichever, or of one of the --vkey. */
static int
verified(const struct audit_report *r, struct kl_bytes text,
    struct kl_checkpoint *out)
{
	static const char name[] = "--vkey=";
	struct audit_trust any = *r->trust;
	struct kl_vkey v;

	any.origin[0] = '\0';
	if (audit_trust_checkpoint(&any, text, out) == KL_OK)
		return KL_OK;
	for (size_t i = 0; i < r->cli->n_words; i++)
		if (strncmp(r->cli->words[i], name, sizeof name - 1) == 0 &&
		    kl_vkey_read(kl_bytes_str(r->cli->words[i] + sizeof name -
		    1), &v) == KL_OK &&
		    kl_vkey_checkpoint(&v, text, out) == KL_OK)
			return KL_OK;
	return KL_E_SIGNATURE;
}

int
audit_report_read_head(const struct audit_report *r, const char *dir,
    struct audit_report_head *head)
{
	struct audit_dir *d;
	int err = audit_dir_open(dir, &d);

	*head = (struct audit_report_head){ .n_witnesses = 0 };
	if (err != KL_OK)
		return output_fail_err(r->cli, err, dir);
	if (verified(r, d->text, &head->newest) != KL_OK ||
	    witnesses(r, d->text, head->newest.size, head) != KL_OK)
		err = KL_E_SIGNATURE;
	audit_dir_close(d);
	return err == KL_OK ? CLI_OK : not_signed(r, dir);
}

/* ---- policies ------------------------------------------------------------ */

/* That of `dir`, if it is there and is the one of the log. */
static void
load_of_dir(const char *dir, struct audit_report_load *l)
{
	struct kl_policy_error why;
	struct audit_dir *d;
	struct kl_bytes text;
	struct kl_hash hash;
	uint8_t *b = malloc(KL_POLICY_FILE_MAX);
	char name[48];
	size_t n;

	(void)snprintf(name, sizeof name, "policy/%" PRIu64 ".conf", l->leaf);
	if (b == NULL || audit_dir_open(dir, &d) != KL_OK) {
		free(b);
		return;
	}
	if (audit_dir_file(d, name, b, KL_POLICY_FILE_MAX, &n) == KL_OK) {
		text = kl_bytes(b, n);
		hash = kl_sha256_parts(&text, 1);
		l->held = kl_bytes_equal(KL_BYTES_OF(hash),
		    KL_BYTES_OF(l->hash)) && kl_policy_file_read(text,
		    &l->file, &why) == KL_OK;
	}
	audit_dir_close(d);
	free(b);
}

static int
loads_room(const struct audit_report *r, size_t n,
    struct audit_report_loads *out)
{
	out->v = calloc(n == 0 ? 1 : n, sizeof *out->v);
	return out->v != NULL ? CLI_OK : output_fail_err(r->cli, KL_E_MEMORY,
	    "the policies");
}

static void
load_add(struct audit_report_loads *out, uint64_t leaf, int64_t minute,
    const struct kl_hash *hash)
{
	out->v[out->n++] = (struct audit_report_load){ .leaf = leaf,
		.minute = minute, .hash = *hash };
}

static int
loads_of_dir(const struct audit_report *r, const struct audit_measure *m,
    const char *dir, struct audit_report_loads *out)
{
	const struct audit_moments *p = &m->policies;
	const struct audit_moment *before = &m->policy_before;
	int ret = loads_room(r, AUDIT_MEASURE_LISTED_MAX + 1, out);

	if (ret != CLI_OK)
		return ret;
	if (m->policy_before_known)
		load_add(out, before->leaf, before->minute, &before->hash);
	for (size_t i = 0; i < p->n && i < AUDIT_MEASURE_LISTED_MAX; i++)
		load_add(out, p->m[i].leaf, p->m[i].minute, &p->m[i].hash);
	for (size_t i = 0; i < out->n; i++)
		load_of_dir(dir, &out->v[i]);
	return CLI_OK;
}

/* Of those in order: did this one count at any time of the period? */
static bool
counted(const struct audit_policies *all, size_t i,
    const struct audit_measure *m)
{
	return all->at[i].minute < m->to && (i + 1 == all->n ||
	    all->at[i + 1].minute > m->from);
}

static int
loads_of_link(const struct audit_report *r, const struct audit_policies *all,
    const struct audit_measure *m, struct audit_report_loads *out)
{
	int ret = loads_room(r, all->n, out);

	for (size_t i = 0; ret == CLI_OK && i < all->n; i++) {
		if (!counted(all, i, m))
			continue;
		load_add(out, all->at[i].leaf, all->at[i].minute,
		    &all->at[i].hash);
		ret = audit_policies_take(r->link, &all->at[i],
		    &out->v[out->n - 1].file, &out->v[out->n - 1].held);
	}
	return ret;
}

int
audit_report_read_policies(const struct audit_report *r,
    const struct audit_measure *m, const char *dir,
    struct audit_report_loads *out)
{
	struct audit_policies all;
	int ret;

	*out = (struct audit_report_loads){ NULL, 0 };
	if (r->link == NULL)
		return loads_of_dir(r, m, dir, out);
	ret = audit_policies_read(r->link, &all);
	if (ret == CLI_OK)
		ret = loads_of_link(r, &all, m, out);
	audit_policies_free(&all);
	return ret;
}
