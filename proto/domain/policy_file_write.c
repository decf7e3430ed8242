/* policy.conf as it is shipped, and what a house has changed in it. */
#include <kortelijn/domain/policy_file.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>

static void __attribute__((format(printf, 2, 3)))
put(struct kl_writer *w, const char *format, ...)
{
	char line[2 * KL_POLICY_LINE_MAX];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	if (n > 0)
		kl_put(w, line, (size_t)n < sizeof line ? (size_t)n :
		    sizeof line - 1);
}

static const char head[] =
    "# policy.conf: the rules of this house. Every row of the policy stands\n"
    "# here with its default, its unit, where it comes from and whether that\n"
    "# source was read. 'own choice' means that no number was found in law.\n"
    "#\n"
    "# Make a value stricter as you like. A looser one counts only with\n"
    "#\n"
    "#\t[override KEY]\n"
    "#\tlegal_basis = ...\n"
    "#\tapproved_by = ...\n"
    "#\tapproved_on = 2026-11-02\n"
    "#\treview_on = 2027-11-01\n"
    "#\n"
    "# at the end of this file, until review_on. Each party may be stricter;\n"
    "# at every hop the stricter value counts. Rows that are fixed stand as\n"
    "# comments: they have no setting. 'policy check FILE' reads a file,\n"
    "# 'policy diff FILE' shows what it would change, and 'policy load FILE'\n"
    "# makes it count at once.\n"
    "\n"
    "[policy]\n";

static void
put_by(struct kl_writer *w, uint32_t by)
{
	static const struct { uint32_t bit; const char *name; } who[] = {
		{ KL_BY_BROKER, "broker" }, { KL_BY_SENDER, "sender" },
		{ KL_BY_RECEIVER, "receiver" },
		{ KL_BY_OPERATOR, "operator" },
	};
	const char *between = " (";

	for (size_t i = 0; i < sizeof who / sizeof who[0]; i++)
		if ((by & who[i].bit) != 0) {
			put(w, "%s%s", between, who[i].name);
			between = ", ";
		}
	if (by != 0)
		put(w, ")");
}

/* "(AVG 5(1)(e): own choice)" */
static void
put_source(struct kl_writer *w, const struct kl_policy_row *row)
{
	const bool none = strcmp(row->source, "none") == 0;

	put(w, "(%s%s%s)\n", none ? "" : row->source, none ? "" : ": ",
	    kl_verified_label(row->verified, KL_EN));
}

static void
put_row(struct kl_writer *w, enum kl_policy_key key)
{
	const struct kl_policy_row *row = kl_policy_row(key);

	put(w, "\n# %s", row->id);
	put_by(w, row->by);
	put(w, ": %s\n", row->en);
	if (row->fixed != NULL)
		put(w, "# %s is fixed: %s\n#\t", row->key, row->fixed);
	else
		put(w, "%s = %s ; %s ", row->key,
		    kl_term_text(key, row->value).b,
		    kl_unit_label(row->value.unit, KL_EN));
	put_source(w, row);
}

void
kl_policy_file_write(struct kl_writer *w)
{
	kl_put(w, head, sizeof head - 1);
	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++)
		put_row(w, k);
}

static void
put_override(struct kl_writer *w, enum kl_policy_key key,
    const struct kl_policy_override *o)
{
	put(w, "\n[override %s]\n", kl_policy_row(key)->key);
	if (o->legal_basis[0] != '\0')
		put(w, "legal_basis = %s\n", o->legal_basis);
	if (o->approved_by[0] != '\0')
		put(w, "approved_by = %s\n", o->approved_by);
	if (o->approved_on != 0)
		put(w, "approved_on = %s\n", kl_day_text(o->approved_on).b);
	if (o->review_on != 0)
		put(w, "review_on = %s\n", kl_day_text(o->review_on).b);
}

void
kl_policy_file_write_changes(struct kl_writer *w,
    const struct kl_policy_file *f)
{
	put(w, "[policy]\n");
	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++) {
		const struct kl_term d = kl_policy_row(k)->value;

		if (f->asked[k].n != d.n || f->asked[k].unit != d.unit)
			put(w, "%s = %s\n", kl_policy_row(k)->key,
			    kl_term_text(k, f->asked[k]).b);
	}
	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++)
		if (f->override[k].given)
			put_override(w, k, &f->override[k]);
}
