#include <kortelijn/domain/policy.h>

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/err.h>
#include <kortelijn/base/time.h>
#include <kortelijn/base/types.h>

#define COUNT(t) (sizeof (t) / sizeof (t)[0])
#define YEARS_MAX 100		/* of any term */
#define NUMBER_MAX 100000	/* of anything that is no term */
#define SAME_DAY "same_day"

struct unit {
	const char *suffix;	/* NULL: none is written */
	const char *nl, *en;
};

static const struct unit units[] = {
	[KL_UNIT_FIXED] = { NULL, "", "" },
	[KL_UNIT_H] = { "h", "uren", "hours" },
	[KL_UNIT_D] = { "d", "dagen", "days" },
	[KL_UNIT_MO] = { "mo", "maanden", "months" },
	[KL_UNIT_Y] = { "y", "jaren", "years" },
	[KL_UNIT_WD] = { "wd", "werkdagen", "working days" },
	[KL_UNIT_OH] = { "oh", "kantooruren", "office hours" },
	[KL_UNIT_COUNT] = { NULL, "aantal", "count" },
	[KL_UNIT_CHARS] = { NULL, "tekens", "characters" },
	[KL_UNIT_YES_NO] = { NULL, "ja of nee", "yes or no" },
	[KL_UNIT_SET] = { NULL, "keuze uit", "some of" },
	[KL_UNIT_PERMILLE] = { "%", "procent", "percent" },
};

struct member {
	enum kl_policy_key key;
	uint32_t value;
	const char *name;
};

static const struct member members[] = {
	{ KL_POL_CONSENT_FORMS, KL_ORAL, "oral" },
	{ KL_POL_CONSENT_FORMS, KL_WRITTEN, "written" },
	{ KL_POL_ORG_ID_SCHEMES, KL_SCHEME_AGB, "agb" },
	{ KL_POL_ORG_ID_SCHEMES, KL_SCHEME_URA, "ura" },
	{ KL_POL_ORG_ID_SCHEMES, KL_SCHEME_OIN, "oin" },
	{ KL_POL_ORG_ID_SCHEMES, KL_SCHEME_KVK, "kvk" },
};

static bool
absolute(enum kl_unit unit)
{
	return unit == KL_UNIT_H || unit == KL_UNIT_D ||
	    unit == KL_UNIT_MO || unit == KL_UNIT_Y;
}

enum kl_policy_key
kl_policy_read(const char *name)
{
	enum kl_policy_key k = 0;

	while (k < KL_POL_COUNT && strcmp(kl_policy_row(k)->key, name) != 0)
		k++;
	return k;
}

bool
kl_policy_fixed(enum kl_policy_key key)
{
	return kl_policy_row(key)->value.unit == KL_UNIT_FIXED;
}

/* ---- values ---- */

void
kl_policy_defaults(struct kl_policy *p)
{
	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++)
		p->term[k] = kl_policy_row(k)->value;
}

struct kl_term
kl_policy_term(const struct kl_policy *p, enum kl_policy_key key)
{
	assert(key < KL_POL_COUNT && !kl_policy_fixed(key));
	return p->term[key];
}

/* Years of 365.25 days, as whole days. */
static int64_t
months_days(uint32_t months)
{
	return ((int64_t)months * 36525 + 1199) / 1200;
}

int64_t
kl_term_ms(struct kl_term t)
{
	assert(absolute(t.unit));
	switch (t.unit) {
	case KL_UNIT_H: return t.n * KL_HOUR_MS;
	case KL_UNIT_MO: return months_days(t.n) * KL_DAY_MS;
	case KL_UNIT_Y: return months_days(12 * t.n) * KL_DAY_MS;
	default: return t.n * KL_DAY_MS;
	}
}

int64_t
kl_policy_ms(const struct kl_policy *p, enum kl_policy_key key)
{
	return kl_term_ms(kl_policy_term(p, key));
}

uint32_t
kl_policy_days(const struct kl_policy *p, enum kl_policy_key key)
{
	return (uint32_t)((kl_policy_ms(p, key) + KL_DAY_MS - 1) / KL_DAY_MS);
}

uint32_t
kl_policy_number(const struct kl_policy *p, enum kl_policy_key key)
{
	return kl_policy_term(p, key).n;
}

bool
kl_policy_yes(const struct kl_policy *p, enum kl_policy_key key)
{
	return kl_policy_term(p, key).n != 0;
}

bool
kl_policy_has(const struct kl_policy *p, enum kl_policy_key key,
    uint32_t value)
{
	return value < 32 && (kl_policy_term(p, key).n >> value & 1) != 0;
}

bool
kl_policy_id_allowed(const struct kl_policy *p, const struct kl_id *id)
{
	for (size_t i = 0; i < COUNT(members); i++) {
		const struct member *m = &members[i];
		const size_t n = strlen(m->name);

		if (m->key == KL_POL_ORG_ID_SCHEMES &&
		    memcmp(id->b, m->name, n) == 0 && id->b[n] == ':')
			return kl_policy_has(p, m->key, m->value);
	}
	return false;
}

/* ---- stricter, looser ---- */

/* The amount, so that two units of one kind compare. */
static int64_t
amount(struct kl_term t)
{
	return absolute(t.unit) ? kl_term_ms(t) : (int64_t)t.n;
}

static int64_t
bound(enum kl_policy_key key, uint32_t n)
{
	return amount((struct kl_term){ n, kl_policy_row(key)->value.unit });
}

static bool
within(enum kl_policy_key key, struct kl_term t)
{
	const struct kl_policy_row *row = kl_policy_row(key);

	return amount(t) >= bound(key, row->least) &&
	    (row->most == 0 || amount(t) <= bound(key, row->most));
}

bool
kl_policy_strict(enum kl_policy_key key, struct kl_term a, struct kl_term b)
{
	switch (kl_policy_row(key)->stricter) {
	case KL_STRICTER_LOWER: return amount(a) <= amount(b);
	case KL_STRICTER_HIGHER: return amount(a) >= amount(b);
	case KL_STRICTER_OFF: return a.n <= b.n;
	case KL_STRICTER_FEWER: return (a.n & ~b.n) == 0;
	case KL_STRICTER_RANGE: return within(key, a) || !within(key, b);
	default: return false;
	}
}

/* Terms of one kind may stand for each other; years that count an age may
 * not, and what is fixed has none. */
static bool
unit_fits(enum kl_policy_key key, enum kl_unit unit)
{
	const enum kl_unit own = kl_policy_row(key)->value.unit;

	return own == unit || (key != KL_POL_SUBJECT_MIN_AGE &&
	    absolute(own) && absolute(unit));
}

static bool
sane(struct kl_term t)
{
	return t.n <= NUMBER_MAX && (!absolute(t.unit) || kl_term_ms(t) <=
	    months_days(12 * YEARS_MAX) * KL_DAY_MS);
}

static uint32_t
members_of(enum kl_policy_key key)
{
	uint32_t all = 0;

	for (size_t i = 0; i < COUNT(members); i++)
		if (members[i].key == key)
			all |= 1u << members[i].value;
	return all;
}

bool
kl_policy_possible(enum kl_policy_key key, struct kl_term t)
{
	const struct kl_policy_row *row = kl_policy_row(key);

	if (row->value.unit == KL_UNIT_FIXED || !unit_fits(key, t.unit) ||
	    !sane(t))
		return false;
	switch (row->stricter) {
	case KL_STRICTER_FEWER:
		return t.n != 0 && (t.n & ~members_of(key)) == 0;
	case KL_STRICTER_OFF: return t.n <= 1;
	case KL_STRICTER_RANGE: return t.n > 0;
	default: return within(key, t);
	}
}

/* ---- as text ---- */

static struct kl_term_text
set_text(enum kl_policy_key key, uint32_t set)
{
	struct kl_term_text out = { "" };

	for (size_t i = 0; i < COUNT(members); i++) {
		const size_t n = strlen(out.b);

		if (members[i].key == key && (set >> members[i].value & 1))
			(void)snprintf(out.b + n, sizeof out.b - n, "%s%s",
			    n > 0 ? ", " : "", members[i].name);
	}
	return out;
}

struct kl_term_text
kl_term_text(enum kl_policy_key key, struct kl_term t)
{
	const char *suffix = units[t.unit].suffix;
	struct kl_term_text out = { "" };

	switch (t.unit) {
	case KL_UNIT_FIXED:
		return out;
	case KL_UNIT_SET:
		return set_text(key, t.n);
	case KL_UNIT_YES_NO:
		(void)snprintf(out.b, sizeof out.b, "%s",
		    t.n != 0 ? "yes" : "no");
		return out;
	case KL_UNIT_PERMILLE:
		(void)snprintf(out.b, sizeof out.b, "%u.%u%%",
		    (unsigned int)(t.n / 10), (unsigned int)(t.n % 10));
		return out;
	default:
		break;
	}
	if (t.unit == KL_UNIT_WD && t.n == 0)
		(void)snprintf(out.b, sizeof out.b, "%s", SAME_DAY);
	else
		(void)snprintf(out.b, sizeof out.b, "%u%s", (unsigned int)t.n,
		    suffix == NULL ? "" : suffix);
	return out;
}

/* The number at the front; *rest is what follows it. */
static int
number_read(const char *text, uint32_t *n, const char **rest)
{
	uint32_t v = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9' && p - text < 7; p++)
		v = 10 * v + (uint32_t)(*p - '0');
	if (p == text || (*text == '0' && p - text > 1))
		return KL_E_FORMAT;
	if (*p >= '0' && *p <= '9')
		return KL_E_VALUE;
	*n = v;
	*rest = p;
	return KL_OK;
}

static int
yes_read(const char *text, struct kl_term *out)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return KL_E_FORMAT;
	*out = (struct kl_term){ text[0] == 'y', KL_UNIT_YES_NO };
	return KL_OK;
}

/* "99.8%": one decimal at most. */
static int
percent_read(const char *text, struct kl_term *out)
{
	const char *rest;
	uint32_t n;
	int r = number_read(text, &n, &rest);

	if (r != KL_OK)
		return r;
	n *= 10;
	if (rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9') {
		n += (uint32_t)(rest[1] - '0');
		rest += 2;
	}
	*out = (struct kl_term){ n, KL_UNIT_PERMILLE };
	return strcmp(rest, "%") == 0 ? KL_OK : KL_E_FORMAT;
}

static int
member_read(enum kl_policy_key key, const char *p, size_t n, uint32_t *set)
{
	for (size_t i = 0; i < COUNT(members); i++) {
		const struct member *m = &members[i];

		if (m->key != key || strlen(m->name) != n ||
		    memcmp(m->name, p, n) != 0)
			continue;
		if (*set >> m->value & 1)
			return KL_E_FORMAT;
		*set |= 1u << m->value;
		return KL_OK;
	}
	return KL_E_UNKNOWN;
}

static int
set_read(enum kl_policy_key key, const char *text, struct kl_term *out)
{
	*out = (struct kl_term){ 0, KL_UNIT_SET };
	for (;;) {
		const size_t n = strcspn(text, ", ");
		int r = member_read(key, text, n, &out->n);

		if (r != KL_OK)
			return r;
		text += n;
		text += strspn(text, " ");
		if (*text == '\0')
			return KL_OK;
		if (*text++ != ',')
			return KL_E_FORMAT;
		text += strspn(text, " ");
	}
}

/* A number with the suffix of a unit that the row may have. */
static int
amount_read(enum kl_policy_key key, const char *text, struct kl_term *out)
{
	const enum kl_unit own = kl_policy_row(key)->value.unit;
	const char *rest;
	int r;

	if (own == KL_UNIT_WD && strcmp(text, SAME_DAY) == 0) {
		*out = (struct kl_term){ 0, KL_UNIT_WD };
		return KL_OK;
	}
	if ((r = number_read(text, &out->n, &rest)) != KL_OK)
		return r;
	for (enum kl_unit u = 0; u < COUNT(units); u++) {
		const char *suffix = units[u].suffix;

		if (strcmp(rest, suffix == NULL ? "" : suffix) == 0 &&
		    unit_fits(key, u)) {
			out->unit = u;
			return KL_OK;
		}
	}
	return KL_E_UNKNOWN;
}

int
kl_term_read(enum kl_policy_key key, const char *text, struct kl_term *out)
{
	int r;

	*out = (struct kl_term){ 0, KL_UNIT_FIXED };
	switch (kl_policy_row(key)->value.unit) {
	case KL_UNIT_FIXED: return KL_E_UNKNOWN;
	case KL_UNIT_YES_NO: r = yes_read(text, out); break;
	case KL_UNIT_SET: r = set_read(key, text, out); break;
	case KL_UNIT_PERMILLE: r = percent_read(text, out); break;
	default: r = amount_read(key, text, out); break;
	}
	if (r != KL_OK)
		return r;
	return kl_policy_possible(key, *out) ? KL_OK : KL_E_VALUE;
}

const char *
kl_unit_label(enum kl_unit unit, enum kl_lang lang)
{
	return lang == KL_EN ? units[unit].en : units[unit].nl;
}

const char *
kl_verified_label(enum kl_verified v, enum kl_lang lang)
{
	static const char *const labels[][2] = {
		[KL_SRC_READ] = { "bron gelezen", "source read" },
		[KL_SRC_SECOND] = { "gelezen in een tweede bron",
		    "read in a secondary source" },
		[KL_SRC_UNCHECKED] = { "niet nagezien", "not checked" },
		[KL_SRC_CHOICE] = { "eigen keuze", "own choice" },
		[KL_SRC_NOT_FOUND] = { "gezocht, niet gevonden",
		    "looked for, not found" },
	};

	return labels[v][lang == KL_EN];
}
