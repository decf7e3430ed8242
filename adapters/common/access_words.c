/* The words of access.h: roles, acts, interfaces. */
#include <string.h>

#include "adapters/common/access.h"

struct word {
	uint32_t value;
	const char *name, *nl, *en;
};

static const struct word roles[] = {
	{ ENGINE_ROLE_FG, "fg", "functionaris voor privacy (FG)",
	  "data protection officer" },
	{ ENGINE_ROLE_OPERATOR, "operator", "beheerder", "operator" },
};

static const struct word acts[] = {
	{ ENGINE_TOOK_IN, "took_in", "nam de verwijzing aan",
	  "took in the referral" },
	{ ENGINE_SAW, "saw", "bekeek de verwijzing", "saw the referral" },
	{ ENGINE_PRINTED, "printed", "drukte de verwijzing af",
	  "printed the referral" },
	{ ENGINE_EXPORTED, "exported", "gaf gegevens door of op papier",
	  "exported data" },
	{ ENGINE_CHANGED, "changed", "veranderde iets of koppelde terug",
	  "changed something or reported back" },
	{ ENGINE_WITHDREW, "withdrew", "trok de toestemming in",
	  "withdrew the consent" },
	{ ENGINE_WIPED, "erased", "wiste de gegevens",
	  "erased the data" },
	{ ENGINE_FOUND, "found", "vond de verwijzing bij het zoeken",
	  "found the referral in a search" },
	{ ENGINE_SEARCHED, "searched", "zocht naar een inwoner",
	  "searched for a resident" },
	{ ENGINE_LOOKED, "looked", "vroeg wie er keek", "asked who looked" },
	{ ENGINE_LISTED, "listed", "zag de verwijzing in een lijst",
	  "saw the referral in a list" },
	{ ENGINE_ASKED_LOG, "asked_log", "raadpleegde het bezorglogboek",
	  "asked the delivery log" },
};

static const struct word interfaces[] = {
	{ ENGINE_SELF, "self", "vanzelf, na de termijn",
	  "by itself, after its term" },
	{ ENGINE_CONTROL, "command", "opdracht", "command" },
	{ ENGINE_FOLDER, "folder", "map", "folder" },
	{ ENGINE_LINK, "link", "bezorgd door Kortelijn",
	  "delivered by Kortelijn" },
};

#define FIND(words, value) \
	find(words, sizeof (words) / sizeof (words)[0], value)

static const struct word *
find(const struct word *words, size_t n, uint32_t value)
{
	for (size_t i = 0; i < n; i++)
		if (words[i].value == value)
			return &words[i];
	return NULL;
}

static const char *
label(const struct word *w, enum kl_lang lang)
{
	if (w == NULL)
		return "?";
	return lang == KL_EN ? w->en : w->nl;
}

static const char *
name(const struct word *w)
{
	return w == NULL ? "?" : w->name;
}

const char *
access_role_name(uint32_t role)
{
	const struct word *w = FIND(roles, role);

	if (w != NULL)
		return w->name;
	return kl_list_item(KL_LIST_STAFF_ROLE, role) == NULL ? NULL :
	    kl_staff_role_name(role);
}

const char *
access_role_label(uint32_t role, enum kl_lang lang)
{
	const struct word *w = FIND(roles, role);

	if (w != NULL)
		return label(w, lang);
	return kl_list_item(KL_LIST_STAFF_ROLE, role) == NULL ? NULL :
	    kl_list_label(KL_LIST_STAFF_ROLE, role, lang);
}

uint32_t
access_role_read(const char *role)
{
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		if (strcmp(roles[i].name, role) == 0)
			return roles[i].value;
	return kl_staff_role_read(role);
}

const char *
access_act_name(uint32_t act)
{
	return name(FIND(acts, act));
}

const char *
access_act_label(uint32_t act, enum kl_lang lang)
{
	return label(FIND(acts, act), lang);
}

const char *
access_interface_name(uint32_t interface)
{
	return name(FIND(interfaces, interface));
}

const char *
access_interface_label(uint32_t interface, enum kl_lang lang)
{
	return label(FIND(interfaces, interface), lang);
}

bool
access_staff_valid(const char *staff)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789._@-";
	const size_t n = strspn(staff, letters);

	return n > 0 && n <= ENGINE_STAFF_MAX && staff[n] == '\0';
}
