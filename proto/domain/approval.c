#include <kortelijn/domain/approval.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/domain/rules.h>

#include "proto/domain/sections.h"

_Static_assert(KL_APPROVAL_LINE_MAX == KL_SECTIONS_LINE_MAX, "of an approval");

enum place { NOWHERE, IN_CARD, IN_ORG };

struct reader {
	struct kl_approval *out;
	struct kl_approval_error *e;
	enum place place;
	unsigned int line;
	bool auditor, serial;		/* of [card] were given */
	bool by, on;			/* of the organisation */
};

/* Nothing of the file is quoted: it may be another one, and this is logged. */
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

/* ---- one value ---------------------------------------------------------- */

static int
fail_twice(struct reader *r, const char *name)
{
	return fail(r, KL_E_EXISTS, "%s is given twice", name);
}

static int
card_set(struct reader *r, const char *name, const char *value)
{
	if (strcmp(name, "auditor") == 0) {
		if (r->auditor)
			return fail_twice(r, name);
		r->auditor = true;
		return kl_id_read(value, &r->out->auditor) == KL_OK ? KL_OK :
		    fail(r, KL_E_FORMAT, "auditor wants an id such as "
		    "kvk:12345678");
	}
	if (strcmp(name, "serial") == 0) {
		if (r->serial)
			return fail_twice(r, name);
		r->serial = true;
		return strlen(value) == 2 * sizeof r->out->serial &&
		    kl_hex_read(value, r->out->serial,
		    sizeof r->out->serial) == KL_OK ? KL_OK :
		    fail(r, KL_E_FORMAT, "serial wants the 32 hexadecimal "
		    "digits of the card");
	}
	return fail(r, KL_E_UNKNOWN, "[card] has auditor and serial, and no "
	    "other key");
}

static int
day_set(struct reader *r, const char *value)
{
	int32_t day;

	if (kl_day_read(value, &day) != KL_OK || day <= 0)
		return fail(r, KL_E_FORMAT, "approved_on wants a day such as "
		    "2026-11-24");
	if (day > r->out->last_on)
		r->out->last_on = day;
	return KL_OK;
}

static int
org_set(struct reader *r, const char *name, const char *value)
{
	const size_t n = strlen(value);

	if (strcmp(name, "approved_on") == 0) {
		if (r->on)
			return fail_twice(r, name);
		r->on = true;
		return day_set(r, value);
	}
	if (strcmp(name, "approved_by") != 0)
		return fail(r, KL_E_UNKNOWN, "an organisation has approved_by "
		    "and approved_on, and no other key");
	if (r->by)
		return fail_twice(r, name);
	r->by = true;
	if (n == 0 || n > KL_APPROVAL_TEXT_MAX || kl_rules_check_text(
	    kl_bytes(value, n), KL_RULE_UTF8) != KL_C_OK)
		return fail(r, KL_E_FORMAT, "approved_by wants 1 to %d bytes "
		    "of text", KL_APPROVAL_TEXT_MAX);
	return KL_OK;
}

/* ---- lines -------------------------------------------------------------- */

/* What the section that ends here must have had. */
static int
section_end(struct reader *r)
{
	const char *missing = NULL;

	if (r->place == IN_CARD)
		missing = !r->auditor ? "auditor" : !r->serial ? "serial" :
		    NULL;
	else if (r->place == IN_ORG)
		missing = !r->by ? "approved_by" : !r->on ? "approved_on" :
		    NULL;
	return missing == NULL ? KL_OK : fail(r, KL_E_VALUE, "%s is missing "
	    "in the section above", missing);
}

static int
org_begin(struct reader *r, const char *name)
{
	struct kl_approval *a = r->out;
	struct kl_id id;

	if (kl_id_read(name, &id) != KL_OK)
		return fail(r, KL_E_FORMAT, "an approval has [card] and [ID] "
		    "for each organisation, and no other section");
	for (size_t i = 0; i < a->n; i++)
		if (kl_id_equal(&a->org[i], &id))
			return fail(r, KL_E_EXISTS, "[%s] is given twice",
			    name);
	if (a->n == KL_APPROVAL_ORGS_MAX)
		return fail(r, KL_E_SIZE, "an approval has at most %d "
		    "organisations", KL_APPROVAL_ORGS_MAX);
	a->org[a->n++] = id;
	r->place = IN_ORG;
	r->by = r->on = false;
	return KL_OK;
}

static int
section_take(void *arg, const char *name)
{
	struct reader *r = arg;
	int err = section_end(r);

	if (err != KL_OK)
		return err;
	if (strcmp(name, "card") != 0)
		return org_begin(r, name);
	if (r->auditor || r->serial || r->place == IN_CARD)
		return fail(r, KL_E_EXISTS, "[card] is given twice");
	r->place = IN_CARD;
	return KL_OK;
}

static int
key_take(void *arg, const char *name, const char *value)
{
	struct reader *r = arg;

	switch (r->place) {
	case IN_CARD: return card_set(r, name, value);
	case IN_ORG: return org_set(r, name, value);
	default:
		return fail(r, KL_E_FORMAT, "a key stands before any "
		    "[section]");
	}
}

static int
wrong(void *arg, int err, const char *why)
{
	return fail(arg, err, "%s", why);
}

int
kl_approval_read(struct kl_bytes text, struct kl_approval *out,
    struct kl_approval_error *e)
{
	struct reader r = { .out = out, .e = e };
	const struct kl_sections lines = { .section = section_take,
		.key = key_take, .wrong = wrong, .arg = &r, .line = &r.line };
	int err;

	memset(out, 0, sizeof *out);
	memset(e, 0, sizeof *e);
	if (text.n > KL_APPROVAL_MAX)
		return fail(&r, KL_E_SIZE, "an approval has at most %d bytes",
		    KL_APPROVAL_MAX);
	if ((err = kl_sections_read(&lines, text)) != KL_OK ||
	    (err = section_end(&r)) != KL_OK)
		return err;
	r.line = 0;
	if (!r.auditor)
		return fail(&r, KL_E_VALUE, "it has no [card]");
	return out->n > 0 ? KL_OK : fail(&r, KL_E_VALUE, "it names no "
	    "organisation");
}

int
kl_approval_check(const struct kl_approval *a, const struct kl_id *auditor,
    const uint8_t serial[16], int32_t today, struct kl_approval_error *e)
{
	struct reader r = { .e = e };

	memset(e, 0, sizeof *e);
	if (!kl_id_equal(&a->auditor, auditor) ||
	    memcmp(a->serial, serial, sizeof a->serial) != 0)
		return fail(&r, KL_E_DENIED, "it is for another card");
	if (a->last_on > today)
		return fail(&r, KL_E_DENIED, "an approved_on lies ahead");
	return KL_OK;
}
