#include "proto/audit/report.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/fs.h>

#include "proto/audit/filter.h"
#include "proto/audit/query.h"
#include "proto/audit/region_data.h"
#include "proto/audit/report_data.h"
#include "proto/audit/report_read.h"
#include "proto/audit/suppress.h"
#include "proto/cli/output.h"

#define QUARTERS_DEFAULT 4

const char *
audit_report_dir(const struct cli *c, size_t i)
{
	static const char name[] = "--dir=";

	for (size_t k = 0; k < c->n_words; k++)
		if (strncmp(c->words[k], name, sizeof name - 1) == 0 &&
		    i-- == 0)
			return c->words[k] + sizeof name - 1;
	return NULL;
}

/* ---- writing ------------------------------------------------------------- */

static int
file_write(const struct cli *c, struct audit_page *p, int err, mode_t mode)
{
	const char *path = cli_option(c, "html");

	if (err == KL_OK)
		err = kl_fs_replace_at(AT_FDCWD, path, mode,
		    kl_bytes(p->b, p->n));
	audit_page_clear(p);
	if (err == KL_E_FULL)
		return output_fail(c, CLI_FILE, "%s: no room for the report",
		    path);
	return err == KL_OK ? output_take(c, json_pack("{s:s}", "written",
	    path)) : output_fail_err(c, err, path);
}

/* One of them, and nothing else. */
static int
form_check(const struct cli *c, bool csv)
{
	const char *html = cli_option(c, "html");
	const int n = (html != NULL) + (cli_option(c, "csv") != NULL) +
	    c->json;

	if (n != 1 || (html != NULL && html[0] == '\0'))
		return output_fail(c, CLI_USAGE, csv ?
		    "one of --html=FILE, --csv and --json" :
		    "either --html=FILE or --json");
	return CLI_OK;
}

/* ---- for auditors -------------------------------------------------------- */

struct auditing {
	const struct audit_report *r;
	struct audit_measure m;
	struct audit_report_audit out;
	struct audit_report_loads loads;
	struct kl_query_state state;
	struct kl_arena *mem;
};

static int
measure_take(void *arg, uint64_t leaf, const struct kl_record *r)
{
	return audit_measure_take(arg, leaf, r);
}

/* Now is what the log's own clock says, not the reader's. */
static int
audit_read(struct auditing *a)
{
	const struct audit_report *r = a->r;
	const char *dir = audit_report_dir(r->cli, 0);
	struct audit_report_read to = { .take = measure_take, .arg = &a->m };
	int ret = r->link != NULL ?
	    audit_report_read_state(r, a->mem, &a->state, &a->out.head) :
	    audit_report_read_head(r, dir, &a->out.head);

	if (ret == CLI_OK)
		ret = r->link != NULL ?
		    audit_report_read_link(r, a->m.from, &to) :
		    audit_report_read_dir(r, dir, &to);
	if (ret == CLI_OK)
		ret = audit_report_read_policies(r, &a->m, dir, &a->loads);
	if (ret != CLI_OK)
		return ret;
	a->out.made_ms = a->out.head.signed_ms > to.last * KL_MINUTE_MS ?
	    a->out.head.signed_ms : to.last * KL_MINUTE_MS;
	a->out.partial = to.gaps;
	return audit_measure_end(&a->m, a->out.made_ms / KL_MINUTE_MS) ==
	    KL_OK ? CLI_OK : output_fail_err(r->cli, KL_E_MEMORY,
	    "the report");
}

static int
audit_write(struct auditing *a)
{
	struct audit_page p;
	json_t *json;
	int err;

	a->out.m = &a->m;
	a->out.names = a->r->names;
	a->out.loads = a->loads.v;
	a->out.n_loads = a->loads.n;
	a->out.state = a->r->link != NULL ? &a->state : NULL;
	if (!a->r->cli->json) {
		err = audit_report_audit_html(&a->out, &p);
		return file_write(a->r->cli, &p, err, 0600);
	}
	json = audit_report_data_json(&a->out);
	return output_take(a->r->cli, json);
}

int
audit_report_for_audit(const struct audit_report *r)
{
	struct auditing *a;
	int64_t from, to;
	int ret;

	if ((ret = form_check(r->cli, false)) != CLI_OK ||
	    (ret = audit_filter_span(r->cli, &from, &to)) != CLI_OK)
		return ret;
	if ((a = calloc(1, sizeof *a)) == NULL)
		return output_fail_err(r->cli, KL_E_MEMORY, "the report");
	a->r = r;
	a->mem = kl_arena_new(AUDIT_ANSWER_BYTES, AUDIT_ANSWER_PIECES);
	if (audit_measure_begin(&a->m, from, to) != KL_OK || a->mem == NULL)
		ret = output_fail_err(r->cli, KL_E_MEMORY, "the report");
	if (ret == CLI_OK)
		ret = audit_query_language(r->cli, &a->out.lang);
	if (ret == CLI_OK)
		ret = audit_read(a);
	if (ret == CLI_OK)
		ret = audit_write(a);
	audit_measure_clear(&a->m);
	kl_arena_free(a->mem);
	free(a->loads.v);
	free(a);
	return ret;
}

/* ---- for the region ------------------------------------------------------ */

/* "2026-Q3". */
static int
quarter_option(const struct cli *c, const char *name, int32_t *out)
{
	const char *text = cli_option(c, name);
	int year, quarter, end = 0;

	if (text == NULL)
		return CLI_OK;
	if (sscanf(text, "%4d-Q%1d%n", &year, &quarter, &end) != 2 ||
	    text[end] != '\0' || year < 2000 || quarter < 1 || quarter > 4)
		return output_fail(c, CLI_USAGE, "--%s is a quarter, such as "
		    "2026-Q3", name);
	*out = 4 * year + quarter - 1;
	return CLI_OK;
}

static int
region_take(void *arg, uint64_t leaf, const struct kl_record *r)
{
	return audit_region_take(arg, leaf, r);
}

static uint32_t
below_of(const struct audit_report_loads *l)
{
	struct kl_policy policy;

	kl_policy_defaults(&policy);
	if (l->n > 0 && l->v[l->n - 1].held)
		kl_policy_file_at(&l->v[l->n - 1].file, INT32_MAX, &policy);
	return kl_policy_number(&policy, KL_POL_SMALL_NUMBERS_BELOW);
}

/* The strictest of what the logs' newest policies say. What an approval
 * loosens does not count here. */
static int
below_read(const struct audit_report *r, const char *dir,
    const struct audit_measure *policies, uint32_t *below)
{
	struct audit_report_loads loads;
	int ret = audit_report_read_policies(r, policies, dir, &loads);

	if (ret == CLI_OK && below_of(&loads) > *below)
		*below = below_of(&loads);
	free(loads.v);
	return ret;
}

struct regional {
	const struct audit_report *r;
	struct audit_region region;
	struct audit_measure *policies;	/* loads only */
	struct audit_report_region out;
};

/* The newest load, for a directory, whose reader hands out no state. */
static int
region_and_policy(void *arg, uint64_t leaf, const struct kl_record *r)
{
	struct regional *g = arg;

	if (r->event == KL_EV_POLICY)
		g->policies->policy_before = (struct audit_moment){
			.leaf = leaf, .minute = r->time_minute,
			.hash = r->body_hash };
	g->policies->policy_before_known |= r->event == KL_EV_POLICY;
	return region_take(&g->region, leaf, r);
}

static int
region_dir(struct regional *g, const char *dir)
{
	struct audit_report_read to = { .take = region_and_policy, .arg = g };
	struct audit_report_head head;
	int ret = audit_report_read_head(g->r, dir, &head);

	g->policies->policy_before_known = false;
	if (ret == CLI_OK)
		ret = audit_report_read_dir(g->r, dir, &to);
	if (ret == CLI_OK)
		ret = below_read(g->r, dir, g->policies, &g->out.below);
	audit_region_log_end(&g->region, 0);
	g->out.partial |= to.gaps;
	if (to.last * KL_MINUTE_MS > g->out.made_ms)
		g->out.made_ms = to.last * KL_MINUTE_MS;
	return ret;
}

static int
region_link(struct regional *g, struct kl_arena *mem)
{
	struct audit_report_read to = { .take = region_and_policy, .arg = g };
	struct audit_report_head head;
	struct kl_query_state state;
	int ret = audit_report_read_state(g->r, mem, &state, &head);

	if (ret == CLI_OK)
		ret = audit_report_read_link(g->r, 0, &to);
	if (ret == CLI_OK) {
		g->policies->from = to.last;
		g->policies->to = INT64_MAX;
		ret = below_read(g->r, NULL, g->policies, &g->out.below);
	}
	g->out.made_ms = head.signed_ms > to.last * KL_MINUTE_MS ?
	    head.signed_ms : to.last * KL_MINUTE_MS;
	audit_region_log_end(&g->region, g->out.made_ms / KL_MINUTE_MS);
	g->out.partial |= to.gaps;
	return ret;
}

static int
region_read(struct regional *g)
{
	struct kl_arena *mem;
	const char *dir;
	int ret = CLI_OK;

	if (g->r->link != NULL) {
		mem = kl_arena_new(AUDIT_ANSWER_BYTES, AUDIT_ANSWER_PIECES);
		ret = mem == NULL ? output_fail_err(g->r->cli, KL_E_MEMORY,
		    "the report") : region_link(g, mem);
		kl_arena_free(mem);
		return ret;
	}
	for (size_t i = 0; ret == CLI_OK &&
	    (dir = audit_report_dir(g->r->cli, i)) != NULL; i++)
		ret = region_dir(g, dir);
	return ret;
}

static int
region_print(const struct regional *g)
{
	struct audit_page p;
	int err;

	if (g->r->cli->json)
		return output_take(g->r->cli,
		    audit_region_data_json(&g->out));
	if (cli_option(g->r->cli, "csv") == NULL) {
		err = audit_report_region_html(&g->out, &p);
		return file_write(g->r->cli, &p, err, 0644);
	}
	audit_region_data_csv(&g->out, stdout);
	return fflush(stdout) == 0 && !ferror(stdout) ? CLI_OK : CLI_FAILED;
}

static int
region_write(struct regional *g)
{
	int ret, err;

	g->out.region = &g->region;
	g->out.names = g->r->names;
	g->out.to = g->region.to;
	g->out.from = 0;
	if ((ret = quarter_option(g->r->cli, "from", &g->out.from)) !=
	    CLI_OK || (ret = quarter_option(g->r->cli, "to", &g->out.to)) !=
	    CLI_OK)
		return ret;
	if (cli_option(g->r->cli, "to") != NULL)
		g->out.to++;
	if (g->out.from == 0)
		g->out.from = (g->out.to < g->region.to ? g->out.to :
		    g->region.to) - QUARTERS_DEFAULT;
	err = audit_report_region_begin(&g->out);
	ret = err == KL_OK ? region_print(g) :
	    output_fail_err(g->r->cli, err, "the report");
	audit_report_region_clear(&g->out);
	return ret;
}

int
audit_report_for_region(const struct audit_report *r)
{
	struct regional *g;
	int ret;

	if ((ret = form_check(r->cli, true)) != CLI_OK)
		return ret;
	if ((g = calloc(1, sizeof *g)) == NULL)
		return output_fail_err(r->cli, KL_E_MEMORY, "the report");
	g->r = r;
	g->out.below = AUDIT_SUPPRESS_LEAST;
	g->policies = calloc(1, sizeof *g->policies);
	if (audit_region_begin(&g->region) != KL_OK || g->policies == NULL)
		ret = output_fail_err(r->cli, KL_E_MEMORY, "the report");
	if (ret == CLI_OK)
		ret = audit_query_language(r->cli, &g->out.lang);
	if (ret == CLI_OK)
		ret = region_read(g);
	if (ret == CLI_OK)
		ret = region_write(g);
	audit_region_clear(&g->region);
	free(g->policies);
	free(g);
	return ret;
}
