#include <kortelijn/domain/rules.h>

#include <string.h>

#include <utf8proc.h>

#include <kortelijn/base/time.h>

/* Older than anyone was: a slip of the keyboard. */
#define AGE_MAX 125

void
kl_finding_set(struct kl_finding *f, uint32_t code, const char *field)
{
	size_t n = strlen(field);

	memset(f, 0, sizeof *f);
	f->code = code;
	if (n > KL_FINDING_FIELD_MAX)
		n = KL_FINDING_FIELD_MAX;
	memcpy(f->field, field, n);
}

/* ---- the form of one value ---- */

static bool
ascii_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

static bool
name_char(utf8proc_int32_t cp)
{
	if (cp == ' ' || cp == '-' || cp == '\'' || cp == '.')
		return true;
	switch (utf8proc_category(cp)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
		return true;
	default:
		return false;
	}
}

static bool
name_form(const char *text)
{
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)text;
	utf8proc_int32_t cp;
	bool letter = false;

	while (*p != '\0') {
		utf8proc_ssize_t n = utf8proc_iterate(p, -1, &cp);

		if (n <= 0 || !name_char(cp))
			return false;
		letter = letter || cp >= 0x80 || ascii_alnum((char)cp);
		p += n;
	}
	return letter;
}

static bool
postcode_form(const char *t)
{
	if (strlen(t) != 6 || t[0] < '1' || t[0] > '9')
		return false;
	for (size_t i = 1; i < 4; i++)
		if (t[i] < '0' || t[i] > '9')
			return false;
	return t[4] >= 'A' && t[4] <= 'Z' && t[5] >= 'A' && t[5] <= 'Z';
}

static bool
suffix_form(const char *t)
{
	for (; *t != '\0'; t++)
		if (!ascii_alnum(*t))
			return false;
	return true;
}

/* Labels of letters, digits and dashes with dots between; at least two. */
static bool
host_form(const char *t)
{
	size_t label = 0, labels = 1;

	for (; *t != '\0'; t++) {
		if (*t == '.') {
			if (label == 0 || t[-1] == '-')
				return false;
			labels++;
			label = 0;
		} else if (ascii_alnum(*t) || (*t == '-' && label > 0)) {
			label++;
		} else {
			return false;
		}
	}
	return labels >= 2 && label >= 2 && t[-1] != '-';
}

static bool
email_form(const char *t)
{
	const char *at = strchr(t, '@');

	if (at == NULL || at == t || at - t > 64 || at[-1] == '.' ||
	    t[0] == '.')
		return false;
	for (const char *p = t; p < at; p++) {
		if (!ascii_alnum(*p) && strchr(".!#$%&'*+/=?^_`{|}~-",
		    *p) == NULL)
			return false;
		if (p[0] == '.' && p[1] == '.')
			return false;
	}
	return host_form(at + 1);
}

/* BCP-47 as far as people need it: subtags of letters and digits. */
static bool
language_form(const char *t)
{
	size_t first = strcspn(t, "-"), n;

	if (first < 2 || first > 3)
		return false;
	for (size_t i = 0; i < first; i++)
		if (!ascii_alnum(t[i]) || t[i] <= '9')
			return false;
	for (t += first; *t == '-'; t += n) {
		t++;
		n = strcspn(t, "-");
		if (n < 2 || n > 8)
			return false;
		for (size_t i = 0; i < n; i++)
			if (!ascii_alnum(t[i]))
				return false;
	}
	return *t == '\0';
}

static bool
text_form(const struct kl_field *f, const char *text)
{
	switch (f->kind) {
	case KL_FIELD_NAME: return name_form(text);
	case KL_FIELD_POSTCODE: return postcode_form(text);
	case KL_FIELD_SUFFIX: return suffix_form(text);
	case KL_FIELD_PHONE: return kl_rules_phone(text);
	case KL_FIELD_EMAIL: return email_form(text);
	case KL_FIELD_LANGUAGE: return language_form(text);
	default: return true;
	}
}

static unsigned
rules_of(const struct kl_field *f)
{
	switch (f->kind) {
	case KL_FIELD_NAME: return KL_RULES_NAME;
	case KL_FIELD_TEXT: return KL_RULES_NOTE;
	case KL_FIELD_EMAIL: return KL_RULES_EMAIL;
	case KL_FIELD_PHONE: return KL_RULES_NUMBER;
	default: return KL_RULES_TYPED;
	}
}

static uint32_t
check_text_field(const struct kl_field *f, const char *text, size_t chars_max)
{
	uint32_t c = kl_rules_check_text(kl_bytes_str(text), rules_of(f));

	if (c != KL_C_OK)
		return c;
	if (kl_utf8_chars(kl_bytes_str(text)) > chars_max)
		return KL_C_FIELD_TOO_LONG;
	return text_form(f, text) ? KL_C_OK : KL_C_FIELD_VALUE;
}

static int32_t
earliest_birth(struct kl_birth_date b)
{
	return kl_day_make(b.year, b.month == 0 ? 1 : b.month,
	    b.day == 0 ? 1 : b.day);
}

static bool
birth_form(struct kl_birth_date b)
{
	struct kl_birth_text t = kl_birth_text(b);
	struct kl_birth_date again;

	if (b.year > 9999 || (b.month == 0 && b.day != 0))
		return false;
	return kl_birth_read(t.b, &again) == KL_OK && again.year == b.year &&
	    again.month == b.month && again.day == b.day;
}

static uint32_t
check_birth(struct kl_birth_date b, const struct kl_rules_options *o)
{
	uint32_t min = o->min_age == 0 ? KL_MIN_AGE : o->min_age;
	int age;

	if (!birth_form(b) || earliest_birth(b) > o->today)
		return KL_C_FIELD_VALUE;
	age = kl_birth_age(b, o->today);
	if (age < (int)min)
		return KL_C_UNDER_AGE;
	return age > AGE_MAX ? KL_C_FIELD_VALUE : KL_C_OK;
}

static uint32_t
check_note(const struct kl_field *f, const struct kl_referral *r,
    const struct kl_rules_options *o)
{
	size_t max = o->note_chars_max == 0 ? KL_NOTE_CHARS_MAX :
	    o->note_chars_max;

	if (!o->practical_note)
		return KL_C_FREE_TEXT;
	return check_text_field(f, r->practical_note, max);
}

static uint32_t
check_value(const struct kl_field *f, const struct kl_referral *r,
    const struct kl_rules_options *o)
{
	uint32_t v;

	switch (f->kind) {
	case KL_FIELD_BIRTH_DATE:
		return check_birth(r->birth_date, o);
	case KL_FIELD_NUMBER:
		v = kl_field_number(f, r);
		return v < f->min || v > f->max ? KL_C_FIELD_VALUE : KL_C_OK;
	case KL_FIELD_ANSWER:
	case KL_FIELD_LIST:
		v = kl_field_number(f, r);
		return kl_list_item(f->list, v) == NULL ? KL_C_FIELD_VALUE :
		    KL_C_OK;
	case KL_FIELD_TEXT:
		return check_note(f, r, o);
	default:
		return check_text_field(f, kl_field_text(f, r), f->chars);
	}
}

/* ---- what must and may be there, and fit together ---- */

static uint32_t
check_presence(const struct kl_field *f, const struct kl_referral *r)
{
	bool here = kl_field_present(f, r);
	bool contact = r->extract == KL_EXTRACT_CONTACT;

	if (here && contact && !f->in_contact)
		return KL_C_FIELDS_DISAGREE;
	if (!here && f->required && (f->in_contact || !contact))
		return KL_C_FIELD_MISSING;
	return KL_C_OK;
}

struct trouble {
	uint32_t code;
	const char *field;
};

#define NO_TROUBLE ((struct trouble){ KL_C_OK, "" })

static struct trouble
check_address(const struct kl_referral *r)
{
	bool any = r->postcode[0] != '\0' || r->house_number != 0 ||
	    r->house_number_suffix[0] != '\0';

	if (r->extract == KL_EXTRACT_CONTACT)
		return NO_TROUBLE;
	if (r->no_fixed_address == KL_ANSWER_YES)
		return any ? (struct trouble){
			KL_C_FIELDS_DISAGREE, "no_fixed_address" } :
		    NO_TROUBLE;
	if (r->postcode[0] == '\0')
		return (struct trouble){ KL_C_FIELD_MISSING, "postcode" };
	if (r->house_number == 0)
		return (struct trouble){ KL_C_FIELD_MISSING, "house_number" };
	return NO_TROUBLE;
}

static bool
preference_fits(const struct kl_referral *r)
{
	switch (r->contact_preference) {
	case KL_CONTACT_PHONE:
	case KL_CONTACT_SMS:
		return r->phone[0] != '\0';
	case KL_CONTACT_EMAIL:
		return r->email[0] != '\0';
	case KL_CONTACT_LETTER:
		return r->letter_ok == KL_ANSWER_YES && r->postcode[0] != '\0';
	case KL_CONTACT_VIA_PRACTICE:
		return r->extract == KL_EXTRACT_FULL;
	default:
		return false;
	}
}

static struct trouble
check_contact(const struct kl_referral *r)
{
	if (r->phone[0] == '\0' && r->email[0] == '\0' &&
	    r->contact_preference != KL_CONTACT_VIA_PRACTICE)
		return (struct trouble){ KL_C_FIELD_MISSING, "phone" };
	if (!preference_fits(r))
		return (struct trouble){ KL_C_FIELDS_DISAGREE,
			"contact_preference" };
	return NO_TROUBLE;
}

static struct trouble
check_no_crisis(const struct kl_referral *r)
{
	if (r->crisis_kind != 0)
		return (struct trouble){ KL_C_FIELDS_DISAGREE,
			"crisis_kind" };
	if (r->crisis_local != 0)
		return (struct trouble){ KL_C_FIELDS_DISAGREE,
			"crisis_local" };
	return NO_TROUBLE;
}

static struct trouble
check_crisis(const struct kl_referral *r, const struct kl_rules_options *o)
{
	bool local = r->crisis_kind == KL_CRISIS_LOCAL_OTHER;

	if (r->crisis != KL_ANSWER_YES)
		return check_no_crisis(r);
	if (r->crisis_kind == 0)
		return (struct trouble){ KL_C_FIELD_MISSING, "crisis_kind" };
	if (r->handover_form == KL_HANDOVER_MESSAGE_ONLY)
		return (struct trouble){ KL_C_FIELDS_DISAGREE,
			"handover_form" };
	if (!local && r->crisis_local != 0)
		return (struct trouble){ KL_C_FIELDS_DISAGREE,
			"crisis_local" };
	if (local && r->crisis_local == 0)
		return (struct trouble){ KL_C_FIELD_MISSING, "crisis_local" };
	if (local && r->crisis_local > o->local_crisis_kinds)
		return (struct trouble){ KL_C_FIELD_VALUE, "crisis_local" };
	return NO_TROUBLE;
}

static struct trouble
check_contact_person(const struct kl_referral *r)
{
	const struct kl_contact_person *p = &r->contact_person;

	if (!kl_referral_has_contact_person(r))
		return NO_TROUBLE;
	if (p->name[0] == '\0')
		return (struct trouble){ KL_C_FIELD_MISSING,
			"contact_person.name" };
	if (p->phone[0] == '\0')
		return (struct trouble){ KL_C_FIELD_MISSING,
			"contact_person.phone" };
	if (p->relation == 0)
		return (struct trouble){ KL_C_FIELD_MISSING,
			"contact_person.relation" };
	if (p->informed != KL_ANSWER_YES)
		return (struct trouble){ p->informed == 0 ?
			KL_C_FIELD_MISSING : KL_C_FIELD_VALUE,
			"contact_person.informed" };
	return NO_TROUBLE;
}

static struct trouble
check_fields(const struct kl_referral *r, const struct kl_rules_options *o)
{
	const struct kl_field *f;
	uint32_t c;

	/* Values first: what may not be said counts more than what lacks. */
	for (size_t i = 0; (f = kl_field_at(i)) != NULL; i++) {
		c = kl_field_present(f, r) ? check_value(f, r, o) : KL_C_OK;
		if (c != KL_C_OK)
			return (struct trouble){ c, f->path };
	}
	for (size_t i = 0; (f = kl_field_at(i)) != NULL; i++)
		if ((c = check_presence(f, r)) != KL_C_OK)
			return (struct trouble){ c, f->path };
	return NO_TROUBLE;
}

static struct trouble
check_all(const struct kl_referral *r, const struct kl_rules_options *o)
{
	struct trouble t;

	if (kl_list_item(KL_LIST_EXTRACT, r->extract) == NULL)
		return (struct trouble){ KL_C_FIELD_VALUE, "extract" };
	if ((t = check_fields(r, o)).code != KL_C_OK ||
	    (t = check_address(r)).code != KL_C_OK ||
	    (t = check_contact(r)).code != KL_C_OK ||
	    (t = check_crisis(r, o)).code != KL_C_OK)
		return t;
	return check_contact_person(r);
}

int
kl_rules_check_referral(const struct kl_referral *r,
    const struct kl_rules_options *o, struct kl_finding *out)
{
	struct trouble t = check_all(r, o);

	kl_finding_set(out, t.code, t.field);
	return t.code == KL_C_OK ? KL_OK : KL_E_REFUSED;
}
