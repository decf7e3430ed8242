#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/merkle.h>
#include <kortelijn/domain/calendar.h>

#include "proto/audit/csv.h"
#include "proto/audit/export_priv.h"
#include "proto/cli/output.h"

#define POLICY_GROW 16
#define POLICY_NAME 48

/* ---- counts ---- */

static struct export_month *
month_of(struct exporting *x, int64_t minute)
{
	struct kl_local_text at = kl_calendar_text(minute * KL_MINUTE_MS);
	size_t i;

	at.b[7] = '\0';
	for (i = x->n_months; i > 0; i--)
		if (strcmp(x->month[i - 1].name, at.b) == 0)
			return &x->month[i - 1];
	if (x->n_months == EXPORT_MONTHS_MAX)
		return NULL;
	/* In their order, also when the clock ran back. */
	for (i = x->n_months++; i > 0 && strcmp(x->month[i - 1].name, at.b) >
	    0; i--)
		x->month[i] = x->month[i - 1];
	x->month[i] = (struct export_month){ .n = { 0 } };
	memcpy(x->month[i].name, at.b, sizeof x->month[i].name);
	return &x->month[i];
}

static void
count(struct exporting *x, const struct kl_record *r)
{
	struct export_month *m = month_of(x, r->time_minute);

	if (x->records++ == 0 || r->time_minute < x->first_minute)
		x->first_minute = r->time_minute;
	if (r->time_minute > x->last_minute)
		x->last_minute = r->time_minute;
	if (m != NULL)
		m->n[r->event]++;
}

/* ---- records ---- */

static int
policy_note(struct exporting *x, const struct audit_record *r)
{
	struct audit_policies *p = &x->policies;
	struct audit_policy *more;

	if (p->n == AUDIT_POLICIES_MAX)
		return CLI_OK;
	if (p->n == x->policies_cap) {
		more = realloc(p->at, (p->n + POLICY_GROW) * sizeof *more);
		if (more == NULL)
			return audit_export_fail(x, KL_E_MEMORY, NULL);
		p->at = more;
		x->policies_cap += POLICY_GROW;
	}
	p->at[p->n++] = (struct audit_policy){ .leaf = r->leaf,
		.minute = r->r.time_minute, .hash = r->r.body_hash };
	return CLI_OK;
}

/* What does not hash to its leaf is not what was logged. */
static int
take(void *arg, const struct audit_record *r)
{
	const struct kl_hash is = kl_record_leaf_hash(r->salt, r->packed);
	struct exporting *x = arg;
	struct kl_hash logged;
	int err;

	if (r->leaf >= x->head.size)
		return CLI_OK;
	if ((err = audit_dirout_hash(x->out, r->leaf, &logged)) != KL_OK)
		return audit_export_fail(x, err, "tile");
	if (memcmp(&is, &logged, sizeof is) != 0)
		return output_fail(x->cli, CLI_FAILED, "the record that %s "
		    "gives for leaf %" PRIu64 " is not the one that was "
		    "logged", x->cli->program->daemon, r->leaf);
	if ((err = audit_dirout_record(x->out, r->leaf, r->salt,
	    r->packed)) != KL_OK)
		return audit_export_fail(x, err, "records");
	audit_csv_put(x->csv, x->lang, x->of->names, r);
	if (x->records == 0)
		x->first_leaf = r->leaf;
	count(x, &r->r);
	return r->r.event == KL_EV_POLICY ? policy_note(x, r) : CLI_OK;
}

static int
records(struct exporting *x)
{
	const struct kl_query_what what = { .from_minute = x->from_minute,
		.to_minute = x->to_minute };
	int r, err = audit_dirout_stream(x->out, "records.csv", &x->csv);

	if (err != KL_OK)
		return audit_export_fail(x, err, "records.csv");
	audit_csv_begin(x->csv, x->lang);
	if ((r = audit_records(x->link, &what, take, x)) != CLI_OK)
		return r;
	err = ferror(x->csv) != 0 ? KL_E_IO : KL_OK;
	if (fclose(x->csv) != 0)
		err = KL_E_IO;
	x->csv = NULL;
	return err == KL_OK ? CLI_OK : audit_export_fail(x, err,
	    "records.csv");
}

/* ---- policies ---- */

static int
policies(struct exporting *x)
{
	uint8_t *text = malloc(KL_POLICY_FILE_MAX);
	char name[POLICY_NAME];
	int err = KL_OK, r = CLI_OK;
	size_t n;

	if (text == NULL)
		return audit_export_fail(x, KL_E_MEMORY, NULL);
	for (size_t i = 0; i < x->policies.n && r == CLI_OK && err == KL_OK;
	    i++) {
		const struct audit_policy *p = &x->policies.at[i];

		r = audit_policies_file(x->link, p, text, &n);
		if (r != CLI_OK || n == 0)
			continue;
		(void)snprintf(name, sizeof name, "policy/%" PRIu64 ".conf",
		    p->leaf);
		err = audit_dirout_file(x->out, name, kl_bytes(text, n));
		x->policies_held++;
	}
	free(text);
	return err == KL_OK ? r : audit_export_fail(x, err, "policy");
}

int
audit_export_records(struct exporting *x)
{
	int r;

	if ((r = records(x)) != CLI_OK)
		return r;
	return policies(x);
}
