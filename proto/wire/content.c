#include <kortelijn/wire/content.h>

#include <string.h>

#include "content.pb-c.h"
#include "proto/wire/canon.h"

/* ---- writing: an empty text and a zero are absent fields ---- */

#define SET_TEXT(m, field, text)					\
	do {								\
		(m)->has_##field = (text)[0] != '\0';			\
		(m)->field = kl_canon_view_str(text);			\
	} while (0)

#define SET_NUMBER(m, field, value)					\
	do {								\
		(m)->has_##field = (value) != 0;			\
		(m)->field = (value);					\
	} while (0)

static uint32_t
birth_number(struct kl_birth_date b)
{
	return (uint32_t)b.year * 10000 + (uint32_t)b.month * 100 + b.day;
}

static void
set_person(Kl__ReferralContent *m, const struct kl_referral *r)
{
	SET_NUMBER(m, birth_date, birth_number(r->birth_date));
	SET_TEXT(m, postcode, r->postcode);
	SET_NUMBER(m, house_number, r->house_number);
	SET_TEXT(m, house_number_suffix, r->house_number_suffix);
	SET_NUMBER(m, no_fixed_address, r->no_fixed_address);
	SET_NUMBER(m, sex, r->sex);
	SET_TEXT(m, phone, r->phone);
	SET_TEXT(m, email, r->email);
}

static void
set_wishes(Kl__ReferralContent *m, const struct kl_referral *r)
{
	m->voicemail_ok = r->voicemail_ok;
	m->letter_ok = r->letter_ok;
	m->contact_preference = r->contact_preference;
	SET_NUMBER(m, part_of_day, r->part_of_day);
	SET_NUMBER(m, preferred_place, r->preferred_place);
	SET_NUMBER(m, introductory_talk_first, r->introductory_talk_first);
	SET_NUMBER(m, buddy_wanted, r->buddy_wanted);
	SET_TEXT(m, language, r->language);
	SET_NUMBER(m, interpreter_needed, r->interpreter_needed);
	SET_TEXT(m, practical_note, r->practical_note);
}

static void
set_question(Kl__ReferralContent *m, const struct kl_referral *r)
{
	SET_NUMBER(m, help_question, r->help_question);
	SET_NUMBER(m, crisis, r->crisis);
	SET_NUMBER(m, crisis_kind, r->crisis_kind);
	SET_NUMBER(m, crisis_local, r->crisis_local);
	SET_NUMBER(m, handover_form, r->handover_form);
}

static bool
schema_served(uint32_t schema)
{
	return schema >= KL_SCHEMA_MIN && schema <= KL_SCHEMA_MAX;
}

uint32_t
kl_content_schema(uint32_t schema_min, uint32_t schema_max)
{
	uint32_t v = schema_max < KL_SCHEMA_MAX ? schema_max : KL_SCHEMA_MAX;

	return v >= schema_min && schema_served(v) ? v : 0;
}

int
kl_content_pack_referral(const struct kl_referral *r,
    const uint8_t salt[KL_SALT_BYTES], uint32_t schema, uint8_t *buf,
    size_t cap, size_t *n)
{
	Kl__ReferralContent m = KL__REFERRAL_CONTENT__INIT;
	Kl__PersonName name = KL__PERSON_NAME__INIT;
	Kl__Referrer referrer = KL__REFERRER__INIT;
	Kl__ContactPerson person = KL__CONTACT_PERSON__INIT;

	*n = 0;
	if (!schema_served(schema))
		return KL_E_VALUE;
	m.schema = schema;
	m.salt = kl_canon_view(salt, KL_SALT_BYTES);
	m.extract = r->extract;
	SET_TEXT(&name, initials, r->name.initials);
	SET_TEXT(&name, prefix, r->name.prefix);
	name.family_name = kl_canon_view_str(r->name.family_name);
	m.name = &name;
	set_person(&m, r);
	set_wishes(&m, r);
	set_question(&m, r);
	referrer.role = r->referrer.role;
	referrer.name = kl_canon_view_str(r->referrer.name);
	referrer.phone = kl_canon_view_str(r->referrer.phone);
	m.referrer = &referrer;
	if (kl_referral_has_contact_person(r)) {
		person.name = kl_canon_view_str(r->contact_person.name);
		person.phone = kl_canon_view_str(r->contact_person.phone);
		person.relation = r->contact_person.relation;
		person.informed = r->contact_person.informed;
		m.contact_person = &person;
	}
	return kl_canon_pack(&m.base, buf, cap, n);
}

/* ---- reading: the first error sticks ---- */

struct take {
	int err;
};

static void
take_text(struct take *t, bool has, ProtobufCBinaryData in, char *out,
    size_t cap)
{
	if (has && t->err == KL_OK)
		t->err = kl_canon_text(in, out, cap);
}

#define TAKE_TEXT(t, m, field, out) \
	take_text(t, (m)->has_##field, (m)->field, out, sizeof (out))
#define TAKE_DUE_TEXT(t, m, field, out) \
	take_text(t, true, (m)->field, out, sizeof (out))

static void
take_item(struct take *t, bool has, uint32_t v, enum kl_list list,
    uint32_t *out)
{
	if (!has || t->err != KL_OK)
		return;
	if (kl_list_item(list, v) == NULL)
		t->err = KL_E_VALUE;
	else
		*out = v;
}

#define TAKE_ITEM(t, m, field, list, out) \
	take_item(t, (m)->has_##field, (m)->field, list, out)

static void
take_range(struct take *t, bool has, uint32_t v, uint32_t max, uint32_t *out)
{
	if (!has || t->err != KL_OK)
		return;
	if (v < 1 || v > max)
		t->err = KL_E_VALUE;
	else
		*out = v;
}

static void
take_birth(struct take *t, const Kl__ReferralContent *m,
    struct kl_birth_date *out)
{
	struct kl_birth_text text;
	struct kl_birth_date b, again;

	if (!m->has_birth_date || t->err != KL_OK)
		return;
	b.year = (uint16_t)(m->birth_date / 10000);
	b.month = (uint8_t)(m->birth_date / 100 % 100);
	b.day = (uint8_t)(m->birth_date % 100);
	text = kl_birth_text(b);
	if (m->birth_date > 99991231 || (b.month == 0 && b.day != 0) ||
	    kl_birth_read(text.b, &again) != KL_OK) {
		t->err = KL_E_VALUE;
		return;
	}
	*out = again;
}

static void
take_names(struct take *t, const Kl__ReferralContent *m,
    struct kl_referral *r)
{
	const Kl__ContactPerson *p = m->contact_person;

	TAKE_TEXT(t, m->name, initials, r->name.initials);
	TAKE_TEXT(t, m->name, prefix, r->name.prefix);
	TAKE_DUE_TEXT(t, m->name, family_name, r->name.family_name);
	take_item(t, true, m->referrer->role, KL_LIST_STAFF_ROLE,
	    &r->referrer.role);
	TAKE_DUE_TEXT(t, m->referrer, name, r->referrer.name);
	TAKE_DUE_TEXT(t, m->referrer, phone, r->referrer.phone);
	if (p == NULL)
		return;
	TAKE_DUE_TEXT(t, p, name, r->contact_person.name);
	TAKE_DUE_TEXT(t, p, phone, r->contact_person.phone);
	take_item(t, true, p->relation, KL_LIST_RELATION,
	    &r->contact_person.relation);
	take_item(t, true, p->informed, KL_LIST_ANSWER,
	    &r->contact_person.informed);
}

static void
take_person(struct take *t, const Kl__ReferralContent *m,
    struct kl_referral *r)
{
	take_birth(t, m, &r->birth_date);
	TAKE_TEXT(t, m, postcode, r->postcode);
	take_range(t, m->has_house_number, m->house_number, 99999,
	    &r->house_number);
	TAKE_TEXT(t, m, house_number_suffix, r->house_number_suffix);
	TAKE_ITEM(t, m, no_fixed_address, KL_LIST_ANSWER,
	    &r->no_fixed_address);
	TAKE_ITEM(t, m, sex, KL_LIST_SEX, &r->sex);
	TAKE_TEXT(t, m, phone, r->phone);
	TAKE_TEXT(t, m, email, r->email);
}

static void
take_wishes(struct take *t, const Kl__ReferralContent *m,
    struct kl_referral *r)
{
	take_item(t, true, m->voicemail_ok, KL_LIST_ANSWER, &r->voicemail_ok);
	take_item(t, true, m->letter_ok, KL_LIST_ANSWER, &r->letter_ok);
	take_item(t, true, m->contact_preference, KL_LIST_CONTACT,
	    &r->contact_preference);
	TAKE_ITEM(t, m, part_of_day, KL_LIST_PART_OF_DAY, &r->part_of_day);
	TAKE_ITEM(t, m, preferred_place, KL_LIST_PLACE, &r->preferred_place);
	TAKE_ITEM(t, m, introductory_talk_first, KL_LIST_ANSWER,
	    &r->introductory_talk_first);
	TAKE_ITEM(t, m, buddy_wanted, KL_LIST_ANSWER, &r->buddy_wanted);
	TAKE_TEXT(t, m, language, r->language);
	TAKE_ITEM(t, m, interpreter_needed, KL_LIST_ANSWER,
	    &r->interpreter_needed);
	TAKE_TEXT(t, m, practical_note, r->practical_note);
}

static void
take_question(struct take *t, const Kl__ReferralContent *m,
    struct kl_referral *r)
{
	TAKE_ITEM(t, m, help_question, KL_LIST_HELP_QUESTION,
	    &r->help_question);
	TAKE_ITEM(t, m, crisis, KL_LIST_ANSWER, &r->crisis);
	TAKE_ITEM(t, m, crisis_kind, KL_LIST_CRISIS_KIND, &r->crisis_kind);
	take_range(t, m->has_crisis_local, m->crisis_local,
	    KL_LOCAL_CRISIS_MAX, &r->crisis_local);
	TAKE_ITEM(t, m, handover_form, KL_LIST_HANDOVER, &r->handover_form);
}

int
kl_content_read_referral(struct kl_bytes plain, struct kl_arena *mem,
    struct kl_referral *out, uint8_t salt[KL_SALT_BYTES], uint32_t *schema)
{
	const Kl__ReferralContent *m;
	ProtobufCMessage *raw;
	struct take t = { KL_OK };
	int r;

	memset(out, 0, sizeof *out);
	memset(salt, 0, KL_SALT_BYTES);
	*schema = 0;
	if (plain.n > KL_CONTENT_REFERRAL_BYTES)
		return KL_E_SIZE;
	r = kl_canon_unpack(&kl__referral_content__descriptor, plain, mem,
	    &raw);
	if (r != KL_OK)
		return r;
	m = (const Kl__ReferralContent *)raw;
	if (!schema_served(m->schema))
		return KL_E_UNKNOWN;
	t.err = kl_canon_fixed(m->salt, salt, KL_SALT_BYTES);
	take_item(&t, true, m->extract, KL_LIST_EXTRACT, &out->extract);
	take_names(&t, m, out);
	take_person(&t, m, out);
	take_wishes(&t, m, out);
	take_question(&t, m, out);
	if (t.err != KL_OK) {
		explicit_bzero(out, sizeof *out);
		explicit_bzero(salt, KL_SALT_BYTES);
		return t.err;
	}
	*schema = m->schema;
	return KL_OK;
}

/* ---- feedback ---- */

int
kl_content_pack_feedback(const struct kl_feedback *f, uint32_t schema,
    uint8_t *buf, size_t cap, size_t *n)
{
	Kl__FeedbackContent m = KL__FEEDBACK_CONTENT__INIT;

	*n = 0;
	if (!schema_served(schema) || f->day < 0 ||
	    kl_state_since(f->code) > schema)
		return KL_E_VALUE;
	m.schema = schema;
	m.code = f->code;
	SET_NUMBER(&m, category, f->category);
	SET_NUMBER(&m, ground, f->ground);
	SET_NUMBER(&m, wanted, f->wanted);
	m.day = (uint32_t)f->day;
	m.level = f->level;
	return kl_canon_pack(&m.base, buf, cap, n);
}

static void
take_feedback(struct take *t, const Kl__FeedbackContent *m,
    struct kl_feedback *f)
{
	const struct kl_state_row *row = kl_state_row(m->code);

	if (row == NULL || row->system || row->since > m->schema)
		t->err = KL_E_VALUE;
	TAKE_ITEM(t, m, category, KL_LIST_CATEGORY, &f->category);
	TAKE_ITEM(t, m, ground, KL_LIST_GROUND, &f->ground);
	TAKE_ITEM(t, m, wanted, KL_LIST_WANTED, &f->wanted);
	take_range(t, true, m->level, KL_LEVEL_3, &f->level);
	if (m->day > INT32_MAX)
		t->err = KL_E_VALUE;
	f->code = m->code;
	f->day = (int32_t)(m->day & INT32_MAX);
}

int
kl_content_read_feedback(struct kl_bytes plain, struct kl_arena *mem,
    struct kl_feedback *out, uint32_t *schema)
{
	const Kl__FeedbackContent *m;
	ProtobufCMessage *raw;
	struct take t = { KL_OK };
	int r;

	memset(out, 0, sizeof *out);
	*schema = 0;
	if (plain.n > KL_CONTENT_FEEDBACK_BYTES)
		return KL_E_SIZE;
	r = kl_canon_unpack(&kl__feedback_content__descriptor, plain, mem,
	    &raw);
	if (r != KL_OK)
		return r;
	m = (const Kl__FeedbackContent *)raw;
	if (!schema_served(m->schema))
		return KL_E_UNKNOWN;
	take_feedback(&t, m, out);
	if (t.err != KL_OK) {
		memset(out, 0, sizeof *out);
		return t.err;
	}
	*schema = m->schema;
	return KL_OK;
}
