#include <kortelijn/domain/list.h>

#include <string.h>

#include <kortelijn/base/types.h>

#define COUNT(t) (sizeof (t) / sizeof (t)[0])
#define NONE "none"

static const struct kl_choice answers[] = {
	{ KL_ANSWER_YES, "true", "ja", "yes", NONE },
	{ KL_ANSWER_NO, "false", "nee", "no", NONE },
};

static const struct kl_choice sexes[] = {
	{ KL_SEX_MALE, "male", "man", "male", NONE },
	{ KL_SEX_FEMALE, "female", "vrouw", "female", NONE },
	{ KL_SEX_UNKNOWN, "unknown", "onbekend", "unknown", NONE },
};

static const struct kl_choice contacts[] = {
	{ KL_CONTACT_PHONE, "phone", "telefoon", "phone",
	  "EnumContactsoort Telefoon" },
	{ KL_CONTACT_SMS, "sms", "sms", "text message",
	  "EnumContactsoort SMS/Whatsapp" },
	{ KL_CONTACT_EMAIL, "email", "e-mail", "e-mail",
	  "EnumContactsoort Mail" },
	{ KL_CONTACT_LETTER, "letter", "brief", "letter",
	  "EnumContactsoort Brief" },
	{ KL_CONTACT_VIA_PRACTICE, "via_practice", "via de praktijk",
	  "through the practice", "EnumContactsoort Overige" },
};

static const struct kl_choice parts_of_day[] = {
	{ KL_MORNING, "morning", "ochtend", "morning",
	  "EnumDagdeel Ochtend" },
	{ KL_AFTERNOON, "afternoon", "middag", "afternoon",
	  "EnumDagdeel Middag" },
	{ KL_EVENING, "evening", "avond", "evening", "EnumDagdeel Avond" },
};

static const struct kl_choice places[] = {
	{ KL_PLACE_PRACTICE, "practice", "huisartsenpraktijk",
	  "GP practice", NONE },
	{ KL_PLACE_HOME, "home", "thuis", "at home", NONE },
	{ KL_PLACE_FAMILY_OR_FRIEND, "family_or_friend",
	  "bij familie of vriend", "with family or a friend", NONE },
	{ KL_PLACE_MUNICIPALITY, "municipality", "gemeente",
	  "municipality", NONE },
	{ KL_PLACE_ELSEWHERE, "elsewhere", "elders, in overleg",
	  "elsewhere, to be agreed", NONE },
};

static const struct kl_choice help_questions[] = {
	{ KL_HELP_MONEY_WORRIES, "money_worries", "geldzorgen",
	  "money worries", NONE },
	{ KL_HELP_PAYMENT_ARREARS, "payment_arrears",
	  "betalingsachterstand", "payment arrears", NONE },
	{ KL_HELP_PAPERWORK, "paperwork", "papieren en geld op orde",
	  "paperwork and money in order", NONE },
	{ KL_HELP_NOT_KNOWN, "not_known", "nog niet bekend",
	  "not known yet", NONE },
};

static const struct kl_choice crisis_kinds[] = {
	{ KL_CRISIS_EVICTION, "eviction", "woningontruiming", "eviction",
	  NONE },
	{ KL_CRISIS_UTILITY_CUTOFF, "utility_cutoff",
	  "afsluiting energie, water of warmte",
	  "cut-off of energy, water or heating", NONE },
	{ KL_CRISIS_HEALTH_INSURANCE_ENDING, "health_insurance_ending",
	  "einde zorgverzekering", "health insurance ending", NONE },
	{ KL_CRISIS_LOCAL_OTHER, "local_other", "anders volgens de gemeente",
	  "other, as the municipality has it", NONE },
};

static const struct kl_choice handovers[] = {
	{ KL_HANDOVER_THREE_WAY_TALK, "three_way_talk", "driegesprek",
	  "talk of three", "warmeOverdracht = true" },
	{ KL_HANDOVER_PHONE, "phone", "telefonisch", "by phone",
	  "warmeOverdracht = true" },
	{ KL_HANDOVER_MESSAGE_ONLY, "message_only", "alleen dit bericht",
	  "this message only", "warmeOverdracht = false" },
};

static const struct kl_choice staff_roles[] = {
	{ KL_STAFF_GP, "gp", "huisarts", "GP", NONE },
	{ KL_STAFF_NURSE_MENTAL_HEALTH, "nurse_mental_health", "POH-GGZ",
	  "mental health nurse", NONE },
	{ KL_STAFF_NURSE, "nurse", "POH", "practice nurse", NONE },
	{ KL_STAFF_ASSISTANT, "assistant", "praktijkassistente",
	  "practice assistant", NONE },
	{ KL_STAFF_SECONDED, "seconded",
	  "consulent of POH financiën in de praktijk",
	  "consultant seconded to the practice", NONE },
	{ KL_STAFF_OTHER, "other", "anders", "other", NONE },
	{ KL_STAFF_DESK, "desk", "medewerker meldpunt", "desk clerk", NONE },
	{ KL_STAFF_COUNSELLOR, "counsellor", "schuldhulpverlener",
	  "debt counsellor", NONE },
	{ KL_STAFF_PARTNER, "partner_staff", "medewerker of vrijwilliger",
	  "member of staff or volunteer", NONE },
};

static const struct kl_choice relations[] = {
	{ KL_RELATION_FAMILY, "family", "familie", "family", NONE },
	{ KL_RELATION_FRIEND, "friend", "vriend", "friend", NONE },
	{ KL_RELATION_VOLUNTEER, "volunteer", "vrijwilliger", "volunteer",
	  NONE },
	{ KL_RELATION_PROFESSIONAL, "professional", "hulpverlener",
	  "professional", NONE },
};

static const struct kl_choice extracts[] = {
	{ KL_EXTRACT_FULL, "full", "volledige verwijzing", "full referral",
	  NONE },
	{ KL_EXTRACT_CONTACT, "contact", "alleen contactgegevens",
	  "contact details only", NONE },
};

static const struct kl_choice categories[] = {
	{ KL_CAT_CREDIT_BANK, "credit_bank", "Kredietbank", "Credit bank",
	  "Verwijzing financieel" },
	{ KL_CAT_VOLUNTEERS, "volunteers", "Vrijwilligersorganisatie",
	  "Volunteer organisation", "Verwijzing niet-financieel" },
	{ KL_CAT_NEIGHBOURHOOD_TEAM, "neighbourhood_team", "Wijkteam",
	  "Neighbourhood team", "Verwijzing niet-financieel" },
	{ KL_CAT_SOCIAL_WORK, "social_work", "Maatschappelijk werk",
	  "Social work", "Verwijzing niet-financieel" },
	{ KL_CAT_OTHER_MUNICIPALITY, "other_municipality",
	  "Andere gemeente", "Other municipality",
	  "Verwijzing financieel" },
	{ KL_CAT_OTHER, "other", "Overig", "Other", NONE },
};

static const struct kl_choice grounds[] = {
	{ KL_GROUND_NOT_OUR_RESIDENT, "not_our_resident",
	  "Geen inwoner van deze gemeente",
	  "Not a resident of this municipality",
	  "EnumSignaalstatus Woont niet in gemeente" },
	{ KL_GROUND_WRONG_DESK, "wrong_desk", "Verkeerd meldpunt",
	  "Wrong desk", NONE },
	{ KL_GROUND_INCOMPLETE, "incomplete",
	  "Gegevens onvolledig of niet vindbaar",
	  "Details incomplete or person not found", NONE },
};

static const struct kl_choice wanted[] = {
	{ KL_WANTED_PHONE, "phone", "Telefoonnummer", "Phone number", NONE },
	{ KL_WANTED_ADDRESS, "address", "Adres", "Address", NONE },
	{ KL_WANTED_NAME_OR_BIRTH_DATE, "name_or_birth_date",
	  "Naam of geboortedatum", "Name or birth date", NONE },
};

static const struct kl_choice help_offered[] = {
	{ KL_OFFER_INFORMATION_ADVICE, "information_advice",
	  "Informatie en advies", "Information and advice",
	  "informatieEnAdvies" },
	{ KL_OFFER_PAPERWORK_HELP, "paperwork_help", "Hulp bij papieren",
	  "Help with paperwork", NONE },
	{ KL_OFFER_BUDGET_COACHING, "budget_coaching", "Budgetcoaching",
	  "Budget coaching", "begeleiding" },
	{ KL_OFFER_BUDGET_MANAGEMENT, "budget_management", "Budgetbeheer",
	  "Budget management", "begeleiding" },
	{ KL_OFFER_STABILISATION, "stabilisation", "Stabilisatie",
	  "Stabilisation", "stabilisatie" },
	{ KL_OFFER_DEBT_SETTLEMENT, "debt_settlement", "Schuldregeling",
	  "Debt settlement", "schuldregeling" },
	{ KL_OFFER_CRISIS_INTERVENTION, "crisis_intervention",
	  "Crisisinterventie", "Crisis intervention", NONE },
	{ KL_OFFER_VOLUNTEER_BUDDY, "volunteer_buddy",
	  "Vrijwilliger of maatje", "Volunteer or buddy", NONE },
	{ KL_OFFER_INTRODUCTORY_TALK, "introductory_talk",
	  "Vrijblijvend gesprek", "Talk without obligation", NONE },
};

static const struct kl_choice weekdays[] = {
	{ KL_MONDAY, "monday", "maandag", "Monday", NONE },
	{ KL_TUESDAY, "tuesday", "dinsdag", "Tuesday", NONE },
	{ KL_WEDNESDAY, "wednesday", "woensdag", "Wednesday", NONE },
	{ KL_THURSDAY, "thursday", "donderdag", "Thursday", NONE },
	{ KL_FRIDAY, "friday", "vrijdag", "Friday", NONE },
	{ KL_SATURDAY, "saturday", "zaterdag", "Saturday", NONE },
	{ KL_SUNDAY, "sunday", "zondag", "Sunday", NONE },
};

#define LIST(t) { t, COUNT(t) }
static const struct list {
	const struct kl_choice *items;
	size_t n;
} lists[KL_LIST_COUNT] = {
	[KL_LIST_ANSWER] = LIST(answers),
	[KL_LIST_SEX] = LIST(sexes),
	[KL_LIST_CONTACT] = LIST(contacts),
	[KL_LIST_PART_OF_DAY] = LIST(parts_of_day),
	[KL_LIST_PLACE] = LIST(places),
	[KL_LIST_HELP_QUESTION] = LIST(help_questions),
	[KL_LIST_CRISIS_KIND] = LIST(crisis_kinds),
	[KL_LIST_HANDOVER] = LIST(handovers),
	[KL_LIST_STAFF_ROLE] = LIST(staff_roles),
	[KL_LIST_RELATION] = LIST(relations),
	[KL_LIST_EXTRACT] = LIST(extracts),
	[KL_LIST_CATEGORY] = LIST(categories),
	[KL_LIST_GROUND] = LIST(grounds),
	[KL_LIST_WANTED] = LIST(wanted),
	[KL_LIST_HELP_OFFERED] = LIST(help_offered),
	[KL_LIST_WEEKDAY] = LIST(weekdays),
};

const struct kl_choice *
kl_list_at(enum kl_list list, size_t i)
{
	return list < KL_LIST_COUNT && i < lists[list].n ?
	    &lists[list].items[i] : NULL;
}

const struct kl_choice *
kl_list_item(enum kl_list list, uint32_t value)
{
	const struct kl_choice *it;

	for (size_t i = 0; (it = kl_list_at(list, i)) != NULL; i++)
		if (it->value == value)
			return it;
	return NULL;
}

uint32_t
kl_list_read(enum kl_list list, const char *name)
{
	const struct kl_choice *it;

	for (size_t i = 0; (it = kl_list_at(list, i)) != NULL; i++)
		if (strcmp(it->name, name) == 0)
			return it->value;
	return 0;
}

const char *
kl_list_name(enum kl_list list, uint32_t value)
{
	const struct kl_choice *it = kl_list_item(list, value);

	return it == NULL ? "?" : it->name;
}

const char *
kl_list_label(enum kl_list list, uint32_t value, enum kl_lang lang)
{
	const struct kl_choice *it = kl_list_item(list, value);

	if (it == NULL)
		return "?";
	return lang == KL_EN ? it->en : it->nl;
}
