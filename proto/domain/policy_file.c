#include <kortelijn/domain/policy_file.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/domain/rules.h>

#include "proto/domain/sections.h"

_Static_assert(KL_POLICY_LINE_MAX == KL_SECTIONS_LINE_MAX, "of a policy");

#define SHOWN_MAX 60		/* of what a message quotes */

enum place { NOWHERE, IN_POLICY, IN_OVERRIDE };

struct reader {
	struct kl_policy_file *out;
	struct kl_policy_error *e;
	enum place place;
	enum kl_policy_key key;		/* of IN_OVERRIDE */
	unsigned int line;
	bool policy_seen;
};

static int __attribute__((format(printf, 3, 4)))
fail(struct reader *r, int err, const char *format, ...)
{
	va_list ap;

	r->e->line = r->line;
	va_start(ap, format);
	(void)vsnprintf(r->e->b, sizeof r->e->b, format, ap);
	va_end(ap);
	return err;
}

/* What stands in the file, as far as it can be shown. */
struct shown { char b[SHOWN_MAX + 1]; };
static struct shown
shown(const char *text)
{
	struct shown out;
	size_t n = 0;

	for (; text[n] != '\0' && n < SHOWN_MAX; n++)
		out.b[n] = text[n] >= ' ' && text[n] <= '~' ? text[n] : '?';
	out.b[n] = '\0';
	return out;
}

/* ---- one value ---- */

static int
fail_fixed(struct reader *r, enum kl_policy_key key)
{
	const struct kl_policy_row *row = kl_policy_row(key);

	return fail(r, KL_E_DENIED, "%s is fixed (%s: %s): it has no setting",
	    row->key, row->id, row->fixed);
}

static int
fail_key(struct reader *r, const char *name)
{
	return fail(r, KL_E_UNKNOWN, "%s: no such key; 'policy show' lists "
	    "them", shown(name).b);
}

static int
fail_value(struct reader *r, int err, enum kl_policy_key key,
    const char *value)
{
	const struct kl_policy_row *row = kl_policy_row(key);
	const struct kl_term_text want = kl_term_text(key, row->value);

	if (err == KL_E_VALUE)
		return fail(r, err, "%s = %s is not possible; the default is "
		    "%s", row->key, shown(value).b, want.b);
	return fail(r, err, "%s = %s: wants %s, as in %s", row->key,
	    shown(value).b, kl_unit_label(row->value.unit, KL_EN), want.b);
}

static int
policy_set(struct reader *r, const char *name, const char *value)
{
	const enum kl_policy_key key = kl_policy_read(name);
	int err;

	if (key == KL_POL_COUNT)
		return fail_key(r, name);
	if (kl_policy_fixed(key))
		return fail_fixed(r, key);
	if (r->out->given[key])
		return fail(r, KL_E_EXISTS, "%s is given twice", name);
	if ((err = kl_term_read(key, value, &r->out->asked[key])) != KL_OK)
		return fail_value(r, err, key, value);
	r->out->given[key] = true;
	return KL_OK;
}

static int
text_set(struct reader *r, char out[KL_POLICY_TEXT_MAX], const char *name,
    const char *value)
{
	const size_t n = strlen(value);

	if (out[0] != '\0')
		return fail(r, KL_E_EXISTS, "%s is given twice", name);
	if (n == 0 || n >= KL_POLICY_TEXT_MAX)
		return fail(r, KL_E_VALUE, "%s wants 1 to %d bytes", name,
		    KL_POLICY_TEXT_MAX - 1);
	if (kl_rules_check_text(kl_bytes(value, n), KL_RULE_UTF8) != KL_C_OK)
		return fail(r, KL_E_VALUE, "%s is not text that can be shown",
		    name);
	memcpy(out, value, n + 1);
	return KL_OK;
}

static int
day_set(struct reader *r, int32_t *out, const char *name, const char *value)
{
	if (*out != 0)
		return fail(r, KL_E_EXISTS, "%s is given twice", name);
	if (kl_day_read(value, out) != KL_OK || *out <= 0)
		return fail(r, KL_E_FORMAT, "%s wants a day such as "
		    "2026-11-24, not %s", name, shown(value).b);
	return KL_OK;
}

static int
override_set(struct reader *r, const char *name, const char *value)
{
	struct kl_policy_override *o = &r->out->override[r->key];

	if (strcmp(name, "legal_basis") == 0)
		return text_set(r, o->legal_basis, name, value);
	if (strcmp(name, "approved_by") == 0)
		return text_set(r, o->approved_by, name, value);
	if (strcmp(name, "approved_on") == 0)
		return day_set(r, &o->approved_on, name, value);
	if (strcmp(name, "review_on") == 0)
		return day_set(r, &o->review_on, name, value);
	return fail(r, KL_E_UNKNOWN, "%s: an override has legal_basis, "
	    "approved_by, approved_on and review_on", shown(name).b);
}

/* ---- lines ---- */

/* "[policy]" or "[override KEY]", without the brackets. */
static int
section_take(void *arg, const char *name)
{
	static const char override[] = "override ";
	struct reader *r = arg;

	if (strcmp(name, "policy") == 0) {
		if (r->policy_seen)
			return fail(r, KL_E_EXISTS, "[policy] is given "
			    "twice");
		r->policy_seen = true;
		r->place = IN_POLICY;
		return KL_OK;
	}
	if (strncmp(name, override, sizeof override - 1) != 0)
		return fail(r, KL_E_UNKNOWN, "[%s]: a policy has [policy] and "
		    "[override KEY]", shown(name).b);
	name += sizeof override - 1;
	if ((r->key = kl_policy_read(name)) == KL_POL_COUNT)
		return fail_key(r, name);
	if (kl_policy_fixed(r->key))
		return fail_fixed(r, r->key);
	if (r->out->override[r->key].given)
		return fail(r, KL_E_EXISTS, "[override %s] is given twice",
		    name);
	r->out->override[r->key].given = true;
	r->place = IN_OVERRIDE;
	return KL_OK;
}

static int
key_take(void *arg, const char *name, const char *value)
{
	struct reader *r = arg;

	switch (r->place) {
	case IN_POLICY: return policy_set(r, name, value);
	case IN_OVERRIDE: return override_set(r, name, value);
	default:
		return fail(r, KL_E_FORMAT, "%s stands before any [section]",
		    shown(name).b);
	}
}

static int
wrong(void *arg, int err, const char *why)
{
	return fail(arg, err, "%s", why);
}

/* What lines agree on only together. */
static int
whole_check(struct reader *r)
{
	r->line = 0;
	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++) {
		const struct kl_policy_override *o = &r->out->override[k];

		if (o->review_on != 0 && o->review_on < o->approved_on)
			return fail(r, KL_E_VALUE, "[override %s] review_on "
			    "is before approved_on", kl_policy_row(k)->key);
	}
	return KL_OK;
}

void
kl_policy_file_empty(struct kl_policy_file *out)
{
	struct kl_policy p;

	memset(out, 0, sizeof *out);
	kl_policy_defaults(&p);
	memcpy(out->asked, p.term, sizeof out->asked);
}

int
kl_policy_file_read(struct kl_bytes text, struct kl_policy_file *out,
    struct kl_policy_error *e)
{
	struct reader r = { .out = out, .e = e };
	const struct kl_sections lines = { .section = section_take,
		.key = key_take, .wrong = wrong, .arg = &r, .line = &r.line };
	int err;

	kl_policy_file_empty(out);
	memset(e, 0, sizeof *e);
	if (text.n > KL_POLICY_FILE_MAX)
		return fail(&r, KL_E_SIZE, "a policy has at most %d bytes",
		    KL_POLICY_FILE_MAX);
	if ((err = kl_sections_read(&lines, text)) != KL_OK)
		return err;
	/* An empty or cut file is no policy: the defaults are said, not
	 * implied. */
	if (!r.policy_seen) {
		r.line = 0;
		return fail(&r, KL_E_FORMAT, "no [policy] in it");
	}
	return whole_check(&r);
}

/* ---- what counts ---- */

static bool
looser(const struct kl_policy_file *f, enum kl_policy_key key)
{
	return !kl_policy_strict(key, f->asked[key],
	    kl_policy_row(key)->value);
}

const char *
kl_policy_file_lacks(const struct kl_policy_file *f, enum kl_policy_key key,
    int32_t today)
{
	const struct kl_policy_override *o = &f->override[key];

	if (kl_policy_fixed(key) || !looser(f, key))
		return NULL;
	if (!o->given)
		return "an [override] section";
	if (o->legal_basis[0] == '\0')
		return "legal_basis";
	if (o->approved_by[0] == '\0')
		return "approved_by";
	if (o->approved_on == 0)
		return "approved_on";
	if (o->review_on == 0)
		return "review_on";
	return o->approved_on > today ? "an approved_on that has come" : NULL;
}

enum kl_policy_state
kl_policy_file_state(const struct kl_policy_file *f, enum kl_policy_key key,
    int32_t today)
{
	const struct kl_policy_row *row = kl_policy_row(key);

	if (kl_policy_fixed(key))
		return KL_POLICY_FIXED;
	if (looser(f, key))
		return kl_policy_file_lacks(f, key, today) != NULL ?
		    KL_POLICY_UNAPPROVED : today > f->override[key].review_on ?
		    KL_POLICY_OVERDUE : KL_POLICY_LOOSENED;
	return f->asked[key].n == row->value.n &&
	    f->asked[key].unit == row->value.unit ? KL_POLICY_DEFAULT :
	    KL_POLICY_STRICTER;
}

const char *
kl_policy_file_state_name(enum kl_policy_state state)
{
	static const char *const names[] = {
		[KL_POLICY_FIXED] = "fixed",
		[KL_POLICY_DEFAULT] = "default",
		[KL_POLICY_STRICTER] = "stricter",
		[KL_POLICY_LOOSENED] = "loosened",
		[KL_POLICY_UNAPPROVED] = "unapproved",
		[KL_POLICY_OVERDUE] = "overdue",
	};

	return names[state];
}

const char *
kl_policy_file_state_label(enum kl_policy_state state, enum kl_lang lang)
{
	static const char *const nl[] = {
		[KL_POLICY_FIXED] = "vast",
		[KL_POLICY_DEFAULT] = "standaard",
		[KL_POLICY_STRICTER] = "strenger",
		[KL_POLICY_LOOSENED] = "verruimd",
		[KL_POLICY_UNAPPROVED] = "niet goedgekeurd: standaard geldt",
		[KL_POLICY_OVERDUE] = "herziening verlopen: standaard geldt",
	};
	static const char *const en[] = {
		[KL_POLICY_FIXED] = "fixed",
		[KL_POLICY_DEFAULT] = "default",
		[KL_POLICY_STRICTER] = "stricter",
		[KL_POLICY_LOOSENED] = "loosened",
		[KL_POLICY_UNAPPROVED] = "not approved: default counts",
		[KL_POLICY_OVERDUE] = "review overdue: default counts",
	};

	return lang == KL_EN ? en[state] : nl[state];
}

size_t
kl_policy_file_count(const struct kl_policy_file *f,
    enum kl_policy_state state, int32_t today)
{
	size_t n = 0;

	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++)
		n += kl_policy_file_state(f, k, today) == state;
	return n;
}

static int
deny(const struct kl_policy_file *f, enum kl_policy_key k, int32_t today,
    struct kl_policy_error *e)
{
	const char *key = kl_policy_row(k)->key;
	const struct kl_term_text asked = kl_term_text(k, f->asked[k]);
	const struct kl_term_text usual = kl_term_text(k,
	    kl_policy_row(k)->value);
	const char *lacks = kl_policy_file_lacks(f, k, today);

	e->line = 0;
	if (lacks != NULL)
		(void)snprintf(e->b, sizeof e->b, "%s = %s is looser than %s "
		    "and lacks %s in [override %s]", key, asked.b, usual.b,
		    lacks, key);
	else
		(void)snprintf(e->b, sizeof e->b, "%s = %s was to be reviewed "
		    "on %s: %s counts again", key, asked.b,
		    kl_day_text(f->override[k].review_on).b, usual.b);
	return KL_E_DENIED;
}

int
kl_policy_file_check(const struct kl_policy_file *f, int32_t today,
    struct kl_policy_error *e)
{
	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++) {
		const enum kl_policy_state s = kl_policy_file_state(f, k,
		    today);

		if (s == KL_POLICY_UNAPPROVED || s == KL_POLICY_OVERDUE)
			return deny(f, k, today, e);
	}
	return KL_OK;
}

void
kl_policy_file_keep_strict(struct kl_policy_file *f, int32_t today)
{
	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++)
		if (kl_policy_file_state(f, k, today) != KL_POLICY_STRICTER)
			f->asked[k] = kl_policy_row(k)->value;
}

void
kl_policy_file_at(const struct kl_policy_file *f, int32_t today,
    struct kl_policy *out)
{
	kl_policy_defaults(out);
	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++) {
		const enum kl_policy_state s = kl_policy_file_state(f, k,
		    today);

		if (s == KL_POLICY_STRICTER || s == KL_POLICY_LOOSENED)
			out->term[k] = f->asked[k];
	}
}
