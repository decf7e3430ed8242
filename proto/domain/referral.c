#include <kortelijn/domain/referral.h>

#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>

#define COUNT(t) (sizeof (t) / sizeof (t)[0])
#define AT(member) offsetof(struct kl_referral, member)
#define NONE "none"

/* In the order of PROTOCOL.md 11.2. */
static const struct kl_field fields[] = {
	{ "name.initials", KL_FIELD_NAME, KL_LIST_NONE, AT(name.initials),
	  10, KL_INITIALS_MAX, 0, 0, false, true, "Voorletters", "Initials",
	  NONE, "Nodig om de persoon te vinden en aan te spreken." },
	{ "name.prefix", KL_FIELD_NAME, KL_LIST_NONE, AT(name.prefix),
	  10, KL_PREFIX_MAX, 0, 0, false, true, "Tussenvoegsel", "Prefix",
	  NONE, "Nodig om de persoon te vinden en aan te spreken." },
	{ "name.family_name", KL_FIELD_NAME, KL_LIST_NONE,
	  AT(name.family_name), 80, KL_NAME_MAX, 0, 0, true, true,
	  "Achternaam", "Family name",
	  NONE, "Nodig om de persoon te vinden en aan te spreken." },
	{ "birth_date", KL_FIELD_BIRTH_DATE, KL_LIST_NONE, AT(birth_date),
	  10, 10, 0, 0, true, false, "Geboortedatum", "Date of birth",
	  "DDAS client.Geboortedatum",
	  "Nodig om de persoon zonder BSN te vinden; soms is de dag niet "
	  "bekend." },
	{ "postcode", KL_FIELD_POSTCODE, KL_LIST_NONE, AT(postcode),
	  6, KL_POSTCODE_MAX, 0, 0, false, false, "Postcode", "Postcode",
	  "DDAS client.Postcode",
	  "Nodig om de persoon te vinden en te zien of het een inwoner is." },
	{ "house_number", KL_FIELD_NUMBER, KL_LIST_NONE, AT(house_number),
	  0, 0, 1, 99999, false, false, "Huisnummer", "House number",
	  "DDAS client.Huisnummer",
	  "Nodig om de persoon te vinden en te zien of het een inwoner is." },
	{ "house_number_suffix", KL_FIELD_SUFFIX, KL_LIST_NONE,
	  AT(house_number_suffix), 4, KL_SUFFIX_MAX, 0, 0, false, false,
	  "Toevoeging", "House number suffix",
	  "DDAS client.Huisnummertoevoeging",
	  "Nodig om de persoon te vinden en te zien of het een inwoner is." },
	{ "no_fixed_address", KL_FIELD_ANSWER, KL_LIST_ANSWER,
	  AT(no_fixed_address), 0, 0, 0, 0, false, false,
	  "Geen vast adres", "No fixed address", NONE,
	  "Vervangt het adres; anders kan een dakloze niet verwezen worden." },
	{ "sex", KL_FIELD_LIST, KL_LIST_SEX, AT(sex), 0, 0, 0, 0, false,
	  false, "Geslacht", "Sex", "DDAS client.geslacht",
	  "Alleen om twee personen die op elkaar lijken te onderscheiden." },
	{ "phone", KL_FIELD_PHONE, KL_LIST_NONE, AT(phone),
	  16, KL_PHONE_MAX, 0, 0, false, true, "Telefoon", "Phone", NONE,
	  "Nodig om contact op te nemen." },
	{ "email", KL_FIELD_EMAIL, KL_LIST_NONE, AT(email),
	  120, KL_EMAIL_MAX, 0, 0, false, true, "E-mail", "E-mail", NONE,
	  "Nodig om contact op te nemen." },
	{ "voicemail_ok", KL_FIELD_ANSWER, KL_LIST_ANSWER, AT(voicemail_ok),
	  0, 0, 0, 0, true, true, "Voicemail inspreken mag",
	  "Voicemail may be left", NONE,
	  "Veiligheid: anderen kunnen meeluisteren." },
	{ "letter_ok", KL_FIELD_ANSWER, KL_LIST_ANSWER, AT(letter_ok),
	  0, 0, 0, 0, true, true, "Brief sturen mag",
	  "Letter may be sent", NONE,
	  "Veiligheid: anderen kunnen meelezen." },
	{ "contact_preference", KL_FIELD_LIST, KL_LIST_CONTACT,
	  AT(contact_preference), 0, 0, 0, 0, true, true,
	  "Liefst bereikbaar via", "Best reached by",
	  "GGM Contactsoort; DDAS contactpoging.soort",
	  "De inwoner kiest hoe hij benaderd wordt." },
	{ "part_of_day", KL_FIELD_LIST, KL_LIST_PART_OF_DAY, AT(part_of_day),
	  0, 0, 0, 0, false, true, "Dagdeel", "Part of the day",
	  "GGM Dagdeel; DDAS contactpoging.dagdeel",
	  "De inwoner kiest wanneer hij benaderd wordt." },
	{ "preferred_place", KL_FIELD_LIST, KL_LIST_PLACE,
	  AT(preferred_place), 0, 0, 0, 0, false, true,
	  "Liefst afspreken", "Preferred place to meet", NONE,
	  "De inwoner kiest de plaats; er gaat geen adres mee." },
	{ "introductory_talk_first", KL_FIELD_ANSWER, KL_LIST_ANSWER,
	  AT(introductory_talk_first), 0, 0, 0, 0, false, false,
	  "Eerst een vrijblijvend gesprek", "Introductory talk first", NONE,
	  "De inwoner kiest zijn eigen tempo." },
	{ "buddy_wanted", KL_FIELD_ANSWER, KL_LIST_ANSWER, AT(buddy_wanted),
	  0, 0, 0, 0, false, true, "Graag hulp van een vrijwilliger of maatje",
	  "Wants a volunteer or buddy", NONE,
	  "Steun van een vrijwilliger of maatje." },
	{ "language", KL_FIELD_LANGUAGE, KL_LIST_NONE, AT(language),
	  12, KL_LANGUAGE_MAX, 0, 0, false, true, "Taal", "Language", NONE,
	  "Praktisch, om elkaar te verstaan; zegt niets over herkomst." },
	{ "interpreter_needed", KL_FIELD_ANSWER, KL_LIST_ANSWER,
	  AT(interpreter_needed), 0, 0, 0, 0, false, true,
	  "Tolk nodig", "Interpreter needed", NONE,
	  "Praktisch, om elkaar te verstaan; zegt niets over herkomst." },
	{ "help_question", KL_FIELD_LIST, KL_LIST_HELP_QUESTION,
	  AT(help_question), 0, 0, 0, 0, true, false, "Hulpvraag",
	  "Request for help", NONE,
	  "Richting van de vraag, zonder bedragen." },
	{ "crisis", KL_FIELD_ANSWER, KL_LIST_ANSWER, AT(crisis),
	  0, 0, 0, 0, true, false, "Crisis (bedreigende situatie)",
	  "Crisis (threatening situation)", "DDAS vroegsignaal.crisissignaal",
	  "Bij een bedreigende situatie gelden kortere termijnen." },
	{ "crisis_kind", KL_FIELD_LIST, KL_LIST_CRISIS_KIND,
	  AT(crisis_kind), 0, 0, 0, 0, false, false, "Soort crisis",
	  "Kind of crisis", NONE,
	  "De soorten van artikel 4 lid 2 Wgs en die van de gemeente." },
	{ "crisis_local", KL_FIELD_NUMBER, KL_LIST_NONE, AT(crisis_local),
	  0, 0, 1, KL_LOCAL_CRISIS_MAX, false, false,
	  "Nummer van de soort volgens de gemeente",
	  "Number of the municipality's own kind", NONE,
	  "Een gemeente mag zelf soorten toevoegen." },
	{ "handover_form", KL_FIELD_LIST, KL_LIST_HANDOVER,
	  AT(handover_form), 0, 0, 0, 0, true, false, "Warme overdracht",
	  "Warm handover", "GGM/DDAS vroegsignaal.warmeOverdracht",
	  "Alleen doorverwijzen mislukt meestal." },
	{ "referrer.role", KL_FIELD_LIST, KL_LIST_STAFF_ROLE,
	  AT(referrer.role), 0, 0, 0, 0, true, true, "Verwijzer: functie",
	  "Referrer: function", NONE,
	  "Een warme overdracht vraagt iemand om te bellen." },
	{ "referrer.name", KL_FIELD_NAME, KL_LIST_NONE, AT(referrer.name),
	  80, KL_NAME_MAX, 0, 0, true, true, "Verwijzer: naam",
	  "Referrer: name", NONE,
	  "Een warme overdracht vraagt iemand om te bellen; zakelijk "
	  "gegeven." },
	{ "referrer.phone", KL_FIELD_PHONE, KL_LIST_NONE, AT(referrer.phone),
	  16, KL_PHONE_MAX, 0, 0, true, true, "Verwijzer: telefoon",
	  "Referrer: phone", NONE,
	  "Een warme overdracht vraagt iemand om te bellen; zakelijk "
	  "gegeven." },
	{ "contact_person.name", KL_FIELD_NAME, KL_LIST_NONE,
	  AT(contact_person.name), 80, KL_NAME_MAX, 0, 0, false, false,
	  "Contactpersoon: naam", "Contact person: name", NONE,
	  "Een derde die het contact vergemakkelijkt en ervan weet." },
	{ "contact_person.phone", KL_FIELD_PHONE, KL_LIST_NONE,
	  AT(contact_person.phone), 16, KL_PHONE_MAX, 0, 0, false, false,
	  "Contactpersoon: telefoon", "Contact person: phone", NONE,
	  "Een derde die het contact vergemakkelijkt en ervan weet." },
	{ "contact_person.relation", KL_FIELD_LIST, KL_LIST_RELATION,
	  AT(contact_person.relation), 0, 0, 0, 0, false, false,
	  "Contactpersoon: relatie", "Contact person: relation", NONE,
	  "Een derde die het contact vergemakkelijkt en ervan weet." },
	{ "contact_person.informed", KL_FIELD_ANSWER, KL_LIST_ANSWER,
	  AT(contact_person.informed), 0, 0, 0, 0, false, false,
	  "Contactpersoon weet hiervan", "Contact person knows of this",
	  NONE, "Een derde moet weten dat zijn gegevens meegaan." },
	{ "practical_note", KL_FIELD_TEXT, KL_LIST_NONE, AT(practical_note),
	  280, KL_PRACTICAL_NOTE_MAX, 0, 0, false, false,
	  "Praktische bijzonderheid voor het contact",
	  "Practical remark for the contact", NONE,
	  "Alleen als het beleid het toestaat; staat standaard uit." },
};

const struct kl_field *
kl_field_at(size_t i)
{
	return i < COUNT(fields) ? &fields[i] : NULL;
}

const struct kl_field *
kl_field_find(const char *path)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (strcmp(fields[i].path, path) == 0)
			return &fields[i];
	return NULL;
}

const char *
kl_field_text(const struct kl_field *f, const struct kl_referral *r)
{
	return (const char *)r + f->offset;
}

uint32_t
kl_field_number(const struct kl_field *f, const struct kl_referral *r)
{
	uint32_t v;

	memcpy(&v, (const char *)r + f->offset, sizeof v);
	return v;
}

bool
kl_field_present(const struct kl_field *f, const struct kl_referral *r)
{
	switch (f->kind) {
	case KL_FIELD_BIRTH_DATE:
		return r->birth_date.year != 0;
	case KL_FIELD_NUMBER:
	case KL_FIELD_ANSWER:
	case KL_FIELD_LIST:
		return kl_field_number(f, r) != 0;
	default:
		return kl_field_text(f, r)[0] != '\0';
	}
}

bool
kl_referral_has_contact_person(const struct kl_referral *r)
{
	const struct kl_contact_person *p = &r->contact_person;

	return p->name[0] != '\0' || p->phone[0] != '\0' ||
	    p->relation != 0 || p->informed != 0;
}

size_t
kl_referral_contact_kinds(const struct kl_referral *r)
{
	size_t n = 0;

	n += r->phone[0] != '\0';
	n += r->email[0] != '\0';
	n += r->letter_ok == KL_ANSWER_YES && r->house_number != 0;
	n += r->contact_preference == KL_CONTACT_VIA_PRACTICE;
	return n;
}

/* snprintf would warn of years that cannot occur. */
static char *
put_digits(char *p, unsigned v, unsigned n)
{
	for (unsigned i = n; i > 0; i--) {
		p[i - 1] = (char)('0' + v % 10);
		v /= 10;
	}
	return p + n;
}

struct kl_birth_text
kl_birth_text(struct kl_birth_date b)
{
	struct kl_birth_text t = { "" };
	char *p = t.b;

	if (b.year == 0)
		return t;
	p = put_digits(p, b.year, 4);
	if (b.month == 0)
		return t;
	*p++ = '-';
	p = put_digits(p, b.month, 2);
	if (b.day == 0)
		return t;
	*p++ = '-';
	(void)put_digits(p, b.day, 2);
	return t;
}

int
kl_birth_read(const char *text, struct kl_birth_date *out)
{
	char full[] = "0000-01-01";
	size_t n = strlen(text);
	int year, month, mday;
	int32_t day;

	memset(out, 0, sizeof *out);
	if (n != 4 && n != 7 && n != 10)
		return KL_E_FORMAT;
	memcpy(full, text, n);
	if (kl_day_read(full, &day) != KL_OK)
		return KL_E_FORMAT;
	kl_day_split(day, &year, &month, &mday);
	out->year = (uint16_t)year;
	out->month = n >= 7 ? (uint8_t)month : 0;
	out->day = n == 10 ? (uint8_t)mday : 0;
	return KL_OK;
}

/* A month or day that is not known may be the last one. */
static void
latest_birthday(struct kl_birth_date b, int *month, int *mday)
{
	int year, next;

	*month = b.month == 0 ? 12 : b.month;
	if (b.day != 0) {
		*mday = b.day;
		return;
	}
	next = *month == 12 ? kl_day_make(b.year + 1, 1, 1) :
	    kl_day_make(b.year, *month + 1, 1);
	kl_day_split(next - 1, &year, month, mday);
}

int
kl_birth_age(struct kl_birth_date b, int32_t today)
{
	int year, month, mday, bmonth, bday;

	latest_birthday(b, &bmonth, &bday);
	kl_day_split(today, &year, &month, &mday);
	return year - b.year -
	    (month < bmonth || (month == bmonth && mday < bday) ? 1 : 0);
}

static bool
reachable_directly(const struct kl_referral *r)
{
	return (r->phone[0] != '\0' || r->email[0] != '\0') &&
	    r->contact_preference != KL_CONTACT_LETTER &&
	    r->contact_preference != KL_CONTACT_VIA_PRACTICE;
}

static void
copy_contact(const struct kl_referral *in, struct kl_referral *out)
{
	out->name = in->name;
	memcpy(out->phone, in->phone, sizeof out->phone);
	memcpy(out->email, in->email, sizeof out->email);
	out->voicemail_ok = in->voicemail_ok;
	out->letter_ok = in->letter_ok;
	out->contact_preference = in->contact_preference;
	out->part_of_day = in->part_of_day;
	out->preferred_place = in->preferred_place;
	out->buddy_wanted = in->buddy_wanted;
	memcpy(out->language, in->language, sizeof out->language);
	out->interpreter_needed = in->interpreter_needed;
}

int
kl_referral_extract(const struct kl_referral *in, enum kl_extract which,
    const struct kl_referrer *desk, struct kl_referral *out)
{
	memset(out, 0, sizeof *out);
	if (which == KL_EXTRACT_CONTACT) {
		if (!reachable_directly(in))
			return KL_E_VALUE;
		copy_contact(in, out);
	} else {
		*out = *in;
	}
	out->extract = which;
	out->referrer = *desk;
	return KL_OK;
}
