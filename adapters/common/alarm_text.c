#include "adapters/common/alarm_text.h"

#include <stddef.h>

#include "adapters/common/engine.h"

static const struct alarm_text practice[] = {
	{ ENGINE_AL_NOT_COLLECTED,
	  "Nog niet opgehaald door het meldpunt",
	  "Not collected by the desk yet",
	  "Bel het meldpunt: daar is de verwijzing nog niet aangekomen.",
	  "Phone the desk: the referral has not arrived there.", true, true },
	{ ENGINE_AL_NOT_TAKEN_UP, "Nog niet opgepakt door het meldpunt",
	  "Not taken up by the desk yet",
	  "Bel het meldpunt en vraag wie de verwijzing oppakt.",
	  "Phone the desk and ask who takes the referral up.", true, true },
	{ ENGINE_AL_NO_CONTACT, "Nog geen eerste contact",
	  "No first contact yet",
	  "Vraag het meldpunt hoe het staat.",
	  "Ask the desk how things are.", true, true },
	{ ENGINE_AL_NO_NEWS, "Al lang geen bericht van het meldpunt",
	  "No news from the desk for long",
	  "Vraag het meldpunt hoe het staat.",
	  "Ask the desk how things are.", true, true },
	{ ENGINE_AL_DRAFT, "Nooit verzonden, en nu gewist",
	  "Never sent, and erased now",
	  "Maak de verwijzing opnieuw, of bel het meldpunt.",
	  "Make the referral again, or phone the desk.", false, true },
	{ ENGINE_AL_EXPIRED, "Niet opgehaald, verlopen",
	  "Not collected, expired",
	  "Bel het meldpunt en verwijs zo nodig opnieuw.",
	  "Phone the desk and refer again if need be.", false, true },
	{ ENGINE_AL_LOST_HERE, "Van deze verwijzing is hier niets meer",
	  "Nothing of this referral is here any more",
	  "Zoek de referentie in uw eigen dossiers.",
	  "Look for the reference in your own records.", false, true },
	{ ENGINE_AL_UNCERTAIN, "Aankomst onzeker", "Arrival uncertain",
	  "Bel het meldpunt en vraag of het de verwijzing heeft.",
	  "Phone the desk and ask whether it has the referral.", false,
	  true },
};

static const struct alarm_text desk[] = {
	{ ENGINE_AL_NOT_COLLECTED, "Nog door niemand bekeken",
	  "Nobody has looked at it yet",
	  "Open de verwijzing en pak haar op.",
	  "Open the referral and take it up.", true, false },
	{ ENGINE_AL_NOT_TAKEN_UP, "Nog niet opgepakt", "Not taken up yet",
	  "Pak de verwijzing op en meld dat terug.",
	  "Take the referral up and report it.", true, false },
	{ ENGINE_AL_NO_CONTACT, "Nog geen eerste contact",
	  "No first contact yet",
	  "Neem contact op met de inwoner en leg het vast.",
	  "Make contact with the resident and note it.", true, false },
	{ ENGINE_AL_NO_TALK, "Nog geen eerste gesprek",
	  "No first talk yet",
	  "Voer het eerste gesprek en leg het vast.",
	  "Have the first talk and note it.", true, false },
	{ ENGINE_AL_NO_DECISION, "Nog geen besluit na het eerste gesprek",
	  "No decision since the first talk",
	  "Besluit over de hulp en leg het vast.",
	  "Decide on the help and note it.", true, false },
	{ ENGINE_AL_NO_NEWS, "Al lang niets vastgelegd",
	  "Nothing was noted for long",
	  "Leg vast hoe het staat, of sluit de verwijzing af.",
	  "Note how things are, or close the referral.", true, false },
	{ ENGINE_AL_LOST_HERE, "De inhoud is hier niet meer",
	  "Its content is not here any more",
	  "Komt die niet vanzelf terug, bel dan de verwijzer en noem de "
	  "referentie.",
	  "If it does not come back by itself, phone who referred and say "
	  "the reference.", true, true },
	{ ENGINE_AL_COPY_ENDS, "Wordt hier over 14 dagen gewist",
	  "Is erased here in 14 days",
	  "Zorg dat het zaaksysteem heeft wat het nodig heeft.",
	  "See that the case system has what it needs.", false, false },
};

static const struct alarm_text both[] = {
	{ ENGINE_AL_INSTANCE_CONFLICT, "Er draait nog een koppeling",
	  "Another adapter runs on this card",
	  "Stop de andere, of neem over met 'take-over'.",
	  "Stop the other one, or use 'take-over'.", false, false },
	{ ENGINE_AL_LOG_FORK, "Het logboek van de broker klopt niet",
	  "The broker's log was rewritten",
	  "Waarschuw de beheerder van de broker en de FG. 'alarms "
	  "--evidence=NUMMER' geeft het bewijs.",
	  "Tell the broker's operator and the data protection officer. "
	  "'alarms --evidence=NUMBER' prints the proof.",
	  false, false },
	{ ENGINE_AL_CLOCK, "De klok loopt niet gelijk",
	  "The clock is wrong",
	  "Zet de klok van deze computer goed.",
	  "Set this machine's clock right.", false, false },
	{ ENGINE_AL_REFUSED, "Een bericht is geweigerd",
	  "A message was refused",
	  "Kijk bij de verwijzing wat er mis is.",
	  "See at the referral what is wrong.", false, true },
	{ ENGINE_AL_EXPIRED, "Een bericht is verlopen",
	  "A message has expired", "Bel de andere kant.",
	  "Phone the other side.", false, false },
	{ ENGINE_AL_UNCERTAIN, "Aankomst van een bericht onzeker",
	  "Arrival of a message uncertain", "Bel de andere kant.",
	  "Phone the other side.", false, false },
	{ ENGINE_AL_DEAD, "Een bericht is onbestelbaar",
	  "A message cannot be delivered",
	  "Kijk bij de verwijzing wat er mis is, en bel.",
	  "See at the referral what is wrong, and phone.", false, true },
	{ ENGINE_AL_LOST, "Zoekgeraakt bij de ontvanger",
	  "Lost at the receiver",
	  "Bel de ontvanger; hier is de inhoud niet meer.",
	  "Phone the receiver; the content is no longer here.", false,
	  true },
	{ ENGINE_AL_BAD_ITEM, "De broker stuurde iets dat niet klopt",
	  "The broker sent what does not verify",
	  "Waarschuw de beheerder van de broker.",
	  "Tell the broker's operator.", false, false },
	{ ENGINE_AL_DIRECTORY, "Een kaart in de lijst klopt niet",
	  "An entry of the directory does not verify",
	  "Waarschuw de beheerder van de broker.",
	  "Tell the broker's operator.", false, false },
	{ ENGINE_AL_DEADLINE, "Een afgesproken termijn is voorbij",
	  "An agreed term has passed",
	  "Bel de andere kant en vraag hoe het staat.",
	  "Phone the other side and ask how things are.", true, true },
	{ ENGINE_AL_NO_KEY, "De ontvanger heeft geen geldige sleutel",
	  "The receiver has no valid key",
	  "Het bericht wacht. Bel de ontvanger.",
	  "The message waits. Phone the receiver.", false, true },
	{ ENGINE_AL_BROKER, "De broker bedient deze koppeling niet",
	  "The broker does not serve this adapter",
	  "Bel de beheerder van de broker.",
	  "Phone the broker's operator.", false, false },
	{ ENGINE_AL_CHECKPOINT, "De broker laat niets meer van zich horen",
	  "The broker is silent",
	  "Berichten wachten hier. Bel de meldpunten van open verwijzingen "
	  "als het haast heeft, en de beheerder van de broker.",
	  "Messages wait here. Phone the desks of open referrals if it is "
	  "urgent, and the broker's operator.", false, true },
	{ ENGINE_AL_ERASE, "Een verzoek tot wissen zonder grond",
	  "An erase request without ground",
	  "Er is niets gewist. Waarschuw de beheerder van de broker.",
	  "Nothing was erased. Tell the broker's operator.", false, false },
	{ ENGINE_AL_ORIGIN, "De broker verloor zijn opslag",
	  "The broker lost its store",
	  "Deze koppeling meldt zich vanzelf opnieuw.",
	  "This adapter reports in again by itself.", false, false },
	{ ENGINE_AL_CARD, "De kaart van deze koppeling loopt af",
	  "This adapter's card ends",
	  "Vraag de beheerder van de broker om een nieuwe kaart.",
	  "Ask the broker's operator for a new card.", false, false },
	{ ENGINE_AL_ERASE_ASKED, "Er moet iets worden gewist",
	  "Something must be erased",
	  "Wis de verwijzing ook in eigen systemen en meld het met 'erased'.",
	  "Erase the referral in your own systems too; say so by 'erased'.",
	  false, false },
	{ ENGINE_AL_ERASE_LATE, "Een verzoek tot wissen is niet beantwoord",
	  "An erase request was not answered",
	  "Wis wat gevraagd is en meld het met 'erased'.",
	  "Erase what was asked and say so by 'erased'.", false, false },
	{ ENGINE_AL_WITHDRAWAL, "Een intrekking wacht nog op de broker",
	  "A withdrawal still waits for the broker",
	  "Bel het meldpunt: stop met deze verwijzing.",
	  "Phone the desk: stop with this referral.", false, true },
	{ ENGINE_AL_ERASE_MISSING, "De andere kant bevestigde het wissen niet",
	  "The other side has not confirmed erasure",
	  "Bel de andere kant.", "Phone the other side.", false, true },
	{ ENGINE_AL_POLICY, "Er is geen leesbaar beleid",
	  "There is no policy that can be read",
	  "Er wordt niets verzonden. Laad het beleid met 'policy load'.",
	  "Nothing is sent. Load the policy with 'policy load'.", false,
	  false },
	{ ENGINE_AL_LOG_LEFT, "Een verlaten broker meldt zich",
	  "A broker that was left is back",
	  "Waarschuw de beheerder van de broker. 'alarms --evidence=NUMMER' "
	  "geeft het bewijs.",
	  "Tell the broker's operator. 'alarms --evidence=NUMBER' prints the "
	  "proof.", false, false },
	{ ENGINE_AL_BACKUP, "Er kon geen reservekopie worden gemaakt",
	  "No backup could be made",
	  "Kijk naar backup_dir: plaats en rechten. 'backup now' probeert het.",
	  "See backup_dir: room and rights. 'backup now' tries again.", false,
	  false },
	{ ENGINE_AL_BACKUP_KEY, "Er is geen sleutel voor de reservekopie",
	  "There is no key for backups",
	  "Maak er een met 'backup key' en bewaar die op papier.",
	  "Make one with 'backup key' and keep it on paper.", false, false },
};

static const struct alarm_text other = {
	0, "Er is iets aan de hand", "Something is the matter",
	"Waarschuw de beheerder.", "Tell the operator.", false, false,
};

static const struct alarm_text *
find(const struct alarm_text *table, size_t n, uint32_t kind)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].kind == kind)
			return &table[i];
	return NULL;
}

#define FIND(table, kind) \
	find(table, sizeof (table) / sizeof (table)[0], kind)

const struct alarm_text *
alarm_text(uint32_t kind, bool at_desk)
{
	const struct alarm_text *a = at_desk ? FIND(desk, kind) :
	    FIND(practice, kind);

	if (a == NULL)
		a = FIND(both, kind);
	return a != NULL ? a : &other;
}

bool
alarm_text_open_kind(uint32_t kind)
{
	return kind == ENGINE_AL_CHECKPOINT ||
	    (kind >= ENGINE_AL_BACKUP && kind <= ENGINE_AL_LOST_HERE) ||
	    (kind >= ENGINE_AL_ERASE_ASKED &&
	    kind <= ENGINE_AL_ERASE_MISSING) ||
	    (kind >= ENGINE_AL_NOT_COLLECTED &&
	    kind <= ENGINE_AL_COPY_ENDS);
}
