#include <kortelijn/domain/state.h>

#include <string.h>

#define COUNT(t) (sizeof (t) / sizeof (t)[0])

#define NONE "none"

/* A level hides what a resident need not share with the practice.
 * Non-compliance, death, removal and grounds for rejection all leave as
 * closed. */
static const struct kl_state_row rows[] = {
	{ KL_ST_DRAFT, "draft", "Concept", "Draft",
	  "De verwijzing is nog niet verzonden.",
	  "Niet zichtbaar voor het meldpunt.",
	  NONE, NONE, 0, 0, 0, KL_MS_NONE, true, 1, 0 },
	{ KL_ST_SENT, "sent", "Verzonden", "Sent",
	  "De verwijzing is verzonden; het meldpunt heeft haar nog niet "
	  "opgehaald.",
	  "De verwijzing is onderweg.",
	  NONE, "requested", 1, KL_LEVEL_0, 0, KL_MS_NONE, true, 1, 0 },
	{ KL_ST_UNCERTAIN, "uncertain", "Onzeker: bel het meldpunt",
	  "Uncertain: phone the desk",
	  "Of het meldpunt de verwijzing heeft, is niet bevestigd: bel het "
	  "meldpunt.",
	  "De praktijk heeft geen ontvangstbewijs gekregen en kan bellen.",
	  NONE, "requested", 1, KL_LEVEL_0, 0, KL_MS_NONE, true, 1, 0 },
	{ KL_ST_DELIVERED, "delivered", "Afgeleverd", "Delivered",
	  "De verwijzing is bij het meldpunt binnen; nog niemand heeft haar "
	  "opgepakt.",
	  "De verwijzing is binnen en wacht op iemand die haar oppakt.",
	  "Signaalstatus \"Nog niet opgepakt\"", "requested",
	  2, KL_LEVEL_0, 0, KL_MS_NONE, true, 1, 0 },
	{ KL_ST_TAKEN_UP, "taken_up", "Opgepakt door meldpunt",
	  "Taken up by the desk",
	  "Een medewerker van het meldpunt is ermee bezig.",
	  "U hebt de verwijzing in behandeling; zoek nu contact.",
	  "Vroegsignaalzaak.datum_opgepakt", "accepted",
	  3, KL_LEVEL_1, 0, KL_MS_TAKEN_UP, false, 1, 0 },
	{ KL_ST_CONTACT_DETAILS_WANTED, "contact_details_wanted",
	  "Contactgegevens gevraagd", "Contact details wanted",
	  "Het meldpunt vraagt u een gegeven na te kijken en een verbetering "
	  "te sturen.",
	  "U vraagt de praktijk om een verbeterd gegeven; het werk ligt "
	  "intussen niet stil.",
	  NONE, "as before", 4, KL_LEVEL_1, 0, KL_MS_AS_BEFORE, false, 1, 0 },
	{ KL_ST_CONTACT_ATTEMPTED, "contact_attempted",
	  "Contact wordt gezocht", "Contact attempted",
	  "Het meldpunt probeert uw patiënt te bereiken.",
	  "U hebt een poging gedaan de inwoner te bereiken.",
	  "Contactpoging, bereikt = false", "in-progress",
	  4, KL_LEVEL_2, KL_ST_TAKEN_UP, KL_MS_IN_PROGRESS, false, 1, 0 },
	{ KL_ST_CONTACT_MADE, "contact_made", "Contact gelegd",
	  "Contact made",
	  "Het meldpunt heeft uw patiënt gesproken.",
	  "U hebt de inwoner gesproken.",
	  "Contactpoging, bereikt = true; aanmelding.startdatum",
	  "in-progress",
	  5, KL_LEVEL_2, KL_ST_TAKEN_UP, KL_MS_IN_PROGRESS, false, 1, 0 },
	{ KL_ST_MEETING_PLANNED, "meeting_planned", "Gesprek gepland",
	  "Meeting planned",
	  "Er is een gesprek afgesproken.",
	  "Er is een gesprek afgesproken; dag en plaats gaan niet mee.",
	  NONE, "in-progress",
	  6, KL_LEVEL_2, KL_ST_TAKEN_UP, KL_MS_IN_PROGRESS, false, 1, 0 },
	{ KL_ST_INTAKE_STARTED, "intake_started", "Intake gestart",
	  "Intake started",
	  "Het eerste gesprek over de hulpvraag is begonnen.",
	  "De intake is begonnen.",
	  "intake.startdatum", "in-progress",
	  7, KL_LEVEL_2, KL_ST_TAKEN_UP, KL_MS_IN_PROGRESS, false, 1, 0 },
	{ KL_ST_HELP_STARTED, "help_started", "Hulp gestart", "Help started",
	  "Uw patiënt krijgt hulp van de gemeente.",
	  "De hulp is begonnen: advies, begeleiding of een traject.",
	  "intake.beschikkingssoort = Toelatingsbeschikking; "
	  "informatieEnAdvies.startdatum, begeleiding.startdatum",
	  "in-progress",
	  8, KL_LEVEL_2, KL_ST_TAKEN_UP, KL_MS_IN_PROGRESS, false, 1, 0 },
	{ KL_ST_WAITING_WITH_SUPPORT, "waiting_with_support",
	  "Nog niet direct mogelijk, wel ondersteuning",
	  "Not possible at once, support meanwhile",
	  "Een oplossing kan nog niet, maar uw patiënt wordt wel ondersteund.",
	  "Een traject kan nog niet beginnen; de inwoner krijgt ondersteuning.",
	  "begeleiding.startdatum", "on-hold",
	  8, KL_LEVEL_2, KL_ST_TAKEN_UP, KL_MS_IN_PROGRESS, false, 1, 0 },
	{ KL_ST_REFERRED_ON_KEEPING_LEAD, "referred_on_keeping_lead",
	  "Doorverwezen, gemeente houdt regie",
	  "Referred on, municipality keeps the lead",
	  "Een andere organisatie helpt; de gemeente blijft uw aanspreekpunt.",
	  "U hebt doorverwezen en houdt de regie.",
	  "\"Vervolghulp en/of verwijzing (niet) financieel\"", "in-progress",
	  8, KL_LEVEL_2, KL_ST_TAKEN_UP, KL_MS_IN_PROGRESS, false, 1, 0 },
#if KL_SCHEMA_MAX >= 2
	{ KL_ST_BUDGET_COURSE, "budget_course", "Budgetcursus",
	  "Budget course",
	  "Uw patiënt volgt een budgetcursus.",
	  "De inwoner volgt een budgetcursus.",
	  NONE, "in-progress", 8, KL_LEVEL_3, KL_ST_HELP_STARTED,
	  KL_MS_IN_PROGRESS, false, 2, KL_ST_HELP_STARTED },
#endif
	{ KL_ST_PLAN_READY, "plan_ready", "Plan van aanpak gereed",
	  "Plan ready",
	  "Het plan van aanpak is klaar.",
	  "Het plan van aanpak is met de inwoner vastgesteld.",
	  "planVanAanpak.datumAfronding", "in-progress",
	  9, KL_LEVEL_3, KL_ST_HELP_STARTED, KL_MS_IN_PROGRESS, false, 1, 0 },
	{ KL_ST_STABILISATION, "stabilisation", "Stabilisatie",
	  "Stabilisation",
	  "Inkomsten en uitgaven worden in evenwicht gebracht.",
	  "De stabilisatie is begonnen.",
	  "stabilisatie.startdatum", "in-progress",
	  10, KL_LEVEL_3, KL_ST_HELP_STARTED, KL_MS_IN_PROGRESS, false, 1,
	  0 },
	{ KL_ST_SETTLEMENT, "settlement", "Schuldregeling loopt",
	  "Settlement under way",
	  "Er loopt een schuldregeling.",
	  "De schuldregeling loopt; de soort gaat niet mee.",
	  "schuldregeling.datum, oplossing.startdatum", "in-progress",
	  11, KL_LEVEL_3, KL_ST_HELP_STARTED, KL_MS_IN_PROGRESS, false, 1,
	  0 },
	{ KL_ST_AFTERCARE, "aftercare", "Nazorg", "Aftercare",
	  "De hulp is bijna klaar; er is nog nazorg.",
	  "De nazorg is begonnen.",
	  "nazorg.startdatum", "in-progress",
	  12, KL_LEVEL_3, KL_ST_HELP_STARTED, KL_MS_IN_PROGRESS, false, 1,
	  0 },
	{ KL_ST_COMPLETED, "completed", "Afgerond", "Completed",
	  "De hulp is afgerond.",
	  "De hulp is afgerond.",
	  "uitstroom Afgerond; \"(Budget)advies en/of quick fix\"",
	  "completed",
	  KL_RANK_END, KL_LEVEL_1, 0, KL_MS_ENDED, false, 1, 0 },
	{ KL_ST_REFERRED_ON, "referred_on", "Doorverwezen", "Referred on",
	  "Een andere organisatie heeft de hulp overgenomen.",
	  "U hebt doorverwezen zonder de regie te houden.",
	  "\"Verwijzing financieel\", \"Verwijzing niet-financieel\"",
	  "completed",
	  KL_RANK_END, KL_LEVEL_1, 0, KL_MS_ENDED, false, 1, 0 },
	{ KL_ST_NO_HELP_NEEDED, "no_help_needed",
	  "Inwoner wil of hoeft geen hulp", "Resident wants or needs no help",
	  "Uw patiënt heeft laten weten geen hulp te willen of nodig te "
	  "hebben.",
	  "De inwoner wil of hoeft geen hulp.",
	  "\"Inwoner wil geen hulp\", \"Inwoner heeft betaald/"
	  "betalingsregeling getroffen voor oppakken melding\"; "
	  "uitstroom Zelf", "completed",
	  KL_RANK_END, KL_LEVEL_2, KL_ST_CLOSED, KL_MS_ENDED, false, 1, 0 },
	{ KL_ST_NOT_REACHED, "not_reached", "Niet bereikt", "Not reached",
	  "Het meldpunt kreeg geen contact; spreekt u uw patiënt, stuur dan "
	  "nieuwe contactgegevens.",
	  "U kreeg na de afgesproken pogingen geen contact; een verbetering "
	  "van de praktijk heropent de zaak.",
	  "\"Geen contact (meer) kunnen krijgen\"; uitstroom Nietverschenen",
	  "failed",
	  KL_RANK_END, KL_LEVEL_1, 0, KL_MS_ENDED, false, 1, 0 },
	{ KL_ST_WITHDRAWN_BY_RESIDENT, "withdrawn_by_resident",
	  "Teruggetrokken door inwoner", "Withdrawn by the resident",
	  "Uw patiënt heeft de hulp zelf gestopt.",
	  "De inwoner heeft zich teruggetrokken.",
	  "uitstroom Ingetrokken", "cancelled",
	  KL_RANK_END, KL_LEVEL_2, KL_ST_CLOSED, KL_MS_ENDED, false, 1, 0 },
	{ KL_ST_NOT_ADMITTED, "not_admitted",
	  "Geen toegang tot schuldhulpverlening",
	  "Not admitted to debt counselling",
	  "De gemeente heeft geen toegang tot schuldhulpverlening gegeven.",
	  "Er is een afwijzing; de grond gaat nooit mee.",
	  "intake.beschikkingssoort = Afwijzingsbeschikking", "completed",
	  KL_RANK_END, KL_LEVEL_3, KL_ST_CLOSED, KL_MS_ENDED, false, 1, 0 },
	{ KL_ST_NOT_TAKEN_ON, "not_taken_on", "Niet in behandeling genomen",
	  "Not taken on",
	  "Het meldpunt neemt deze verwijzing niet aan; niemand is ermee "
	  "bezig.",
	  "U geeft de verwijzing terug; de praktijk hoort dat niemand ermee "
	  "bezig is.",
	  "Signaalstatus \"Woont niet in gemeente\"", "rejected",
	  KL_RANK_END, KL_LEVEL_0, 0, KL_MS_RETURNED, false, 1, 0 },
	{ KL_ST_CONSENT_WITHDRAWN, "consent_withdrawn",
	  "Toestemming ingetrokken", "Consent withdrawn",
	  "De toestemming voor deze verwijzing is ingetrokken.",
	  "De toestemming is ingetrokken; wis wat u op grond daarvan hebt.",
	  NONE, "cancelled",
	  KL_RANK_END, KL_LEVEL_0, 0, KL_MS_NONE, true, 1, 0 },
	{ KL_ST_SENT_IN_ERROR, "sent_in_error", "Ten onrechte verzonden",
	  "Sent in error",
	  "U hebt deze verwijzing als vergissing teruggehaald.",
	  "De praktijk heeft deze verwijzing als vergissing teruggehaald; "
	  "wis haar.",
	  NONE, "entered-in-error",
	  KL_RANK_END, KL_LEVEL_0, 0, KL_MS_NONE, true, 1, 0 },
	{ KL_ST_EXPIRED, "expired", "Niet opgehaald, verlopen",
	  "Not collected, expired",
	  "Het meldpunt heeft de verwijzing niet opgehaald: bel het meldpunt.",
	  "De verwijzing is niet opgehaald en bestaat niet meer.",
	  NONE, "failed",
	  KL_RANK_END, KL_LEVEL_0, 0, KL_MS_NONE, true, 1, 0 },
	{ KL_ST_CLOSED, "closed", "Afgesloten", "Closed",
	  "Het meldpunt heeft de verwijzing afgesloten.",
	  "U hebt de zaak afgesloten; de reden gaat niet mee.",
	  "uitstroom Voldoet niet, Verhuisd, Overleden, Niet passend, Overig; "
	  "\"Niet opgepakt\", \"Inwoner al bekend bij schuldhulpverlening\", "
	  "\"Inwoner heeft al ander lopend traject\"", "completed",
	  KL_RANK_END, KL_LEVEL_1, 0, KL_MS_ENDED, false, 1, 0 },
};

/* What may follow an open state that the desk has: any open state of at least
 * this rank, some others by name, every end, and where `may_return` stands
 * not_taken_on. */
static const struct way {
	uint32_t from;
	int rank_min;
	bool may_return;
	uint32_t also[2];
} ways[] = {
	{ KL_ST_DELIVERED, 3, true, { 0, 0 } },
	{ KL_ST_TAKEN_UP, 4, true, { 0, 0 } },
	{ KL_ST_CONTACT_DETAILS_WANTED, 4, true, { KL_ST_TAKEN_UP, 0 } },
	{ KL_ST_CONTACT_ATTEMPTED, 5, false,
	  { KL_ST_CONTACT_DETAILS_WANTED, 0 } },
	{ KL_ST_CONTACT_MADE, 6, false,
	  { KL_ST_CONTACT_ATTEMPTED, KL_ST_CONTACT_DETAILS_WANTED } },
	{ KL_ST_MEETING_PLANNED, 7, false,
	  { KL_ST_CONTACT_ATTEMPTED, KL_ST_CONTACT_DETAILS_WANTED } },
	{ KL_ST_INTAKE_STARTED, 8, false, { 0, 0 } },
	/* These three (and in schema 2 a fourth) also follow each other. */
	{ KL_ST_HELP_STARTED, 8, false, { 0, 0 } },
	{ KL_ST_WAITING_WITH_SUPPORT, 8, false, { 0, 0 } },
	{ KL_ST_REFERRED_ON_KEEPING_LEAD, 8, false, { 0, 0 } },
#if KL_SCHEMA_MAX >= 2
	{ KL_ST_BUDGET_COURSE, 8, false, { 0, 0 } },
#endif
	{ KL_ST_PLAN_READY, 10, false,
	  { KL_ST_WAITING_WITH_SUPPORT, KL_ST_REFERRED_ON_KEEPING_LEAD } },
	{ KL_ST_STABILISATION, 11, false,
	  { KL_ST_WAITING_WITH_SUPPORT, KL_ST_REFERRED_ON_KEEPING_LEAD } },
	{ KL_ST_SETTLEMENT, 12, false,
	  { KL_ST_WAITING_WITH_SUPPORT, KL_ST_REFERRED_ON_KEEPING_LEAD } },
	{ KL_ST_AFTERCARE, 13, false,
	  { KL_ST_WAITING_WITH_SUPPORT, KL_ST_REFERRED_ON_KEEPING_LEAD } },
};

const struct kl_state_row *
kl_state_row(uint32_t code)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

const struct kl_state_row *
kl_state_at(size_t i)
{
	return i < COUNT(rows) ? &rows[i] : NULL;
}

uint32_t
kl_state_read(const char *name)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].code;
	return 0;
}

const char *
kl_state_name(uint32_t code)
{
	const struct kl_state_row *r = kl_state_row(code);

	return r == NULL ? "?" : r->name;
}

bool
kl_state_end(uint32_t code)
{
	const struct kl_state_row *r = kl_state_row(code);

	return r != NULL && r->rank == KL_RANK_END;
}

bool
kl_state_sendable(uint32_t code)
{
	const struct kl_state_row *r = kl_state_row(code);

	return r != NULL && !r->system;
}

uint32_t
kl_state_since(uint32_t code)
{
	const struct kl_state_row *r = kl_state_row(code);

	return r == NULL ? 0 : r->since;
}

enum kl_milestone
kl_state_milestone(uint32_t code, enum kl_milestone before)
{
	const struct kl_state_row *r = kl_state_row(code);

	if (r == NULL)
		return before;
	if (r->milestone != KL_MS_AS_BEFORE)
		return r->milestone;
	return before <= KL_MS_NONE ? KL_MS_TAKEN_UP : before;
}

bool
kl_milestone_may_follow(enum kl_milestone before, enum kl_milestone after)
{
	if (before == KL_MS_ENDED || before == KL_MS_RETURNED)
		return false;
	if (after == KL_MS_RETURNED)
		return before <= KL_MS_TAKEN_UP;
	return after >= before;
}

uint32_t
kl_state_collapse(uint32_t code, uint32_t level, uint32_t schema)
{
	const struct kl_state_row *r = kl_state_row(code);

	/* Every target has a lower level or an older schema, so this ends. */
	while (r != NULL) {
		if (r->since > schema)
			r = kl_state_row(r->collapse_schema);
		else if (r->level == 0 || r->level > level)
			r = kl_state_row(r->collapse);
		else
			return r->code;
	}
	return 0;
}

static bool
is_withdrawal(uint32_t code)
{
	return code == KL_ST_CONSENT_WITHDRAWN || code == KL_ST_SENT_IN_ERROR;
}

/* Before the desk has it. */
static bool
early_in_table(uint32_t from, uint32_t to)
{
	if (from == KL_ST_DRAFT)
		return to == KL_ST_SENT;
	if (to == KL_ST_DELIVERED || to == KL_ST_NOT_TAKEN_ON ||
	    is_withdrawal(to))
		return true;
	return from == KL_ST_SENT &&
	    (to == KL_ST_UNCERTAIN || to == KL_ST_EXPIRED);
}

/* not_reached opens once, when the person is found after all. */
static bool
reopens(uint32_t to, const struct kl_step *s)
{
	if (s->reopened)
		return false;
	if (to == KL_ST_DELIVERED)
		return s->corrected;
	if (to == KL_ST_CONTACT_MADE)
		return true;
	return to == KL_ST_TAKEN_UP && s->level == KL_LEVEL_1;
}

static bool
open_in_table(const struct way *w, const struct kl_state_row *to,
    const struct kl_step *s)
{
	if (to->code == KL_ST_NOT_TAKEN_ON)
		return w->may_return;
	if (to->code == KL_ST_EXPIRED)
		return false;
	if (to->rank == KL_RANK_END)
		return true;
	if (to->code == w->from)
		return to->code == KL_ST_CONTACT_DETAILS_WANTED &&
		    (s->other_wanted || s->corrected);
	return to->rank >= w->rank_min || to->code == w->also[0] ||
	    to->code == w->also[1];
}

bool
kl_state_in_table(uint32_t from, uint32_t to, const struct kl_step *s)
{
	const struct kl_state_row *row = kl_state_row(to);

	if (row == NULL)
		return false;
	if (from == KL_ST_DRAFT || from == KL_ST_SENT ||
	    from == KL_ST_UNCERTAIN)
		return early_in_table(from, to);
	if (from == KL_ST_NOT_REACHED)
		return reopens(to, s);
	for (size_t i = 0; i < COUNT(ways); i++)
		if (ways[i].from == from)
			return open_in_table(&ways[i], row, s);
	return false;
}

bool
kl_state_may_follow(uint32_t from, uint32_t to, const struct kl_step *s)
{
	const struct kl_state_row *row = kl_state_row(to);

	if (row == NULL || !kl_state_in_table(from, to, s))
		return false;
	/* A reopening starts the milestones anew; what broker and receipts
	 * make is beside them. */
	if (from == KL_ST_NOT_REACHED || row->system)
		return true;
	return kl_milestone_may_follow(s->milestone,
	    kl_state_milestone(to, s->milestone));
}
