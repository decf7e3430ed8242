#include "adapters/common/texts.h"

#include <string.h>

#include <kortelijn/base/bytes.h>

#define L TEXT_LABEL
#define T TEXT_TITLE
#define S TEXT_SENTENCES

static const struct texts_row rows[TEXT_END] = {
	/* ---- in every letter ---- */
	[TEXT_MADE_ON] = { L, TEXT_PAGE_ALL, "Gemaakt op", "Made on" },
	[TEXT_REFERENCE] = { L, TEXT_PAGE_ALL, "Kenmerk", "Reference" },
	[TEXT_OWN_REFERENCE] = { L, TEXT_PAGE_ALL, "Eigen kenmerk",
	    "Own reference" },
	[TEXT_FROM] = { L, TEXT_PAGE_ALL, "Van", "From" },
	[TEXT_TO] = { L, TEXT_PAGE_ALL, "Aan", "To" },
	[TEXT_STATE] = { L, TEXT_PAGE_ALL, "Stand", "State" },
	[TEXT_SENT_ON] = { L, TEXT_PAGE_ALL, "Verzonden op", "Sent on" },
	[TEXT_OPENED_ON] = { L, TEXT_PAGE_ALL, "Geopend op", "Opened on" },
	[TEXT_ENDED_ON] = { L, TEXT_PAGE_ALL, "Laatste verandering",
	    "Last change" },
	[TEXT_CALL] = { S, TEXT_PAGE_ALL,
	    "Heeft u vragen? Bel dan {organisation}: {phone}.",
	    "Do you have questions? Then call {organisation}: {phone}." },
	[TEXT_ASK] = { S, TEXT_PAGE_ALL,
	    "Heeft u vragen? Stel ze dan aan {organisation}.",
	    "Do you have questions? Then ask {organisation}." },
	[TEXT_NAME_REFERENCE] = { S, TEXT_PAGE_ALL,
	    "Noem daarbij het kenmerk {reference}.",
	    "Please name the reference {reference}." },
	[TEXT_COMPLAINT] = { S, TEXT_PAGE_ALL,
	    "Komt u er met ons niet uit? Dan kunt u een klacht sturen naar "
	    "de Autoriteit Persoonsgegevens.",
	    "Can we not help you? Then you may complain to the Dutch Data "
	    "Protection Authority." },
	[TEXT_YES] = { L, TEXT_PAGE_ALL, "ja", "yes" },
	[TEXT_NO] = { L, TEXT_PAGE_ALL, "nee", "no" },
	[TEXT_USER] = { L, TEXT_PAGE_ALL, "nummer", "number" },
	[TEXT_DAYS] = { L, TEXT_PAGE_ALL, "dagen", "days" },
	[TEXT_YEARS] = { L, TEXT_PAGE_ALL, "jaar", "years" },
	[TEXT_TIMES] = { L, TEXT_PAGE_ALL, "keer", "times" },

	/* ---- what is kept ---- */
	[TEXT_EXPORT_TITLE] = { T, TEXT_PAGE_EXPORT,
	    "Wat wij over u bewaren", "What we keep about you" },
	[TEXT_EXPORT_INTRO] = { S, TEXT_PAGE_EXPORT,
	    "Hier staat alles wat {organisation} in Kortelijn over u "
	    "bewaart.",
	    "This is all that {organisation} keeps about you in "
	    "Kortelijn." },
	[TEXT_EXPORT_KORTELIJN] = { S, TEXT_PAGE_EXPORT,
	    "Kortelijn brengt een verwijzing van de huisarts naar de "
	    "gemeente. Als u dat goed vindt, hoort de huisarts ook hoe het "
	    "verder gaat.",
	    "Kortelijn carries a referral from the practice to the "
	    "municipality. If you agree, the practice also hears how things "
	    "go on." },
	[TEXT_EXPORT_FILES] = { S, TEXT_PAGE_EXPORT,
	    "Uw dossier bij de huisarts staat hier niet in. Ook het dossier "
	    "van de gemeente niet. U mag daar zelf naar vragen.",
	    "Your file at the practice is not part of this, nor is the file "
	    "of the municipality. You may ask them for those." },
	[TEXT_EXPORT_NONE] = { S, TEXT_PAGE_EXPORT,
	    "Wij hebben hier niets van u gevonden.",
	    "We found nothing about you here." },
	[TEXT_EXPORT_REFERRAL] = { L, TEXT_PAGE_EXPORT, "Verwijzing",
	    "Referral" },
	[TEXT_EXPORT_CONTENT] = { L, TEXT_PAGE_EXPORT,
	    "Wat er in de verwijzing staat", "What the referral says" },
	[TEXT_EXPORT_CONTENT_GONE] = { S, TEXT_PAGE_EXPORT,
	    "Wat er in de verwijzing stond, is hier al gewist.",
	    "What the referral said has been erased here." },
	[TEXT_EXPORT_CONSENT] = { L, TEXT_PAGE_EXPORT, "Uw toestemming",
	    "Your consent" },
	[TEXT_EXPORT_CONSENT_THERE] = { S, TEXT_PAGE_EXPORT,
	    "U gaf uw toestemming bij {other}. Daar weten ze wanneer en hoe "
	    "u dat deed.",
	    "You gave your consent at {other}. They know when and how." },
	[TEXT_EXPORT_GIVEN_ON] = { L, TEXT_PAGE_EXPORT, "Gegeven op",
	    "Given on" },
	[TEXT_EXPORT_FORM] = { L, TEXT_PAGE_EXPORT, "Hoe gegeven",
	    "How given" },
	[TEXT_EXPORT_VALID_UNTIL] = { L, TEXT_PAGE_EXPORT,
	    "Geldig tot en met", "Valid until" },
	[TEXT_EXPORT_LEVEL] = { L, TEXT_PAGE_EXPORT,
	    "De huisarts hoort terug", "The practice hears back" },
	[TEXT_EXPORT_ASKED_BY] = { L, TEXT_PAGE_EXPORT, "Gevraagd door",
	    "Asked by" },
	[TEXT_EXPORT_INFO_VERSION] = { L, TEXT_PAGE_EXPORT,
	    "Uitleg, versie", "Information, version" },
	[TEXT_EXPORT_IN_FILE] = { L, TEXT_PAGE_EXPORT,
	    "Staat in het dossier", "Noted in the file" },
	[TEXT_EXPORT_ONWARD] = { L, TEXT_PAGE_EXPORT, "Mag ook naar",
	    "May also go to" },
	[TEXT_EXPORT_MESSAGES] = { L, TEXT_PAGE_EXPORT,
	    "Wat er is gebeurd", "What happened" },
	[TEXT_EXPORT_RECEIPTS] = { L, TEXT_PAGE_EXPORT,
	    "Bewijs van ontvangst", "Receipts" },
	[TEXT_EXPORT_ACCEPTED] = { L, TEXT_PAGE_EXPORT,
	    "Aangenomen door Kortelijn", "Accepted by Kortelijn" },
	[TEXT_EXPORT_TAKEN_UP] = { L, TEXT_PAGE_EXPORT,
	    "Opgepakt door een mens", "Taken up by a person" },
	[TEXT_EXPORT_WITHDRAWALS] = { L, TEXT_PAGE_EXPORT,
	    "Ingetrokken", "Withdrawn" },
	[TEXT_EXPORT_NOT_WITHDRAWN] = { S, TEXT_PAGE_EXPORT,
	    "Uw toestemming is niet ingetrokken.",
	    "Your consent was not withdrawn." },
	[TEXT_EXPORT_PATIENT_NUMBER] = { L, TEXT_PAGE_EXPORT,
	    "Uw nummer in de praktijk", "Your number at the practice" },
	[TEXT_EXPORT_TERM] = { S, TEXT_PAGE_EXPORT,
	    "Is de hulp klaar? Dan wissen wij de verwijzing hier uiterlijk "
	    "{count} later.",
	    "When the help has ended, we erase the referral here within "
	    "{count}." },
	[TEXT_EXPORT_CORRECT_HERE] = { S, TEXT_PAGE_EXPORT,
	    "Klopt er iets niet? Zeg het ons. Wij sturen dan een verbetering "
	    "aan {other}.",
	    "Is something wrong? Tell us. We then send a correction to "
	    "{other}." },
	[TEXT_EXPORT_CORRECT_THERE] = { S, TEXT_PAGE_EXPORT,
	    "Klopt er iets niet? Zeg het dan tegen {other}. Daar sturen ze "
	    "ons een verbetering.",
	    "Is something wrong? Then tell {other}. They send us a "
	    "correction." },
	[TEXT_EXPORT_CORRECT_HOW] = { S, TEXT_PAGE_EXPORT,
	    "De oude gegevens worden dan gewist. Dat kan zolang de hulp nog "
	    "loopt.",
	    "The old data are erased then. This is possible while the help "
	    "goes on." },
	[TEXT_EXPORT_WITHDRAW] = { S, TEXT_PAGE_EXPORT,
	    "U mag uw toestemming altijd intrekken. Dat kan bij uw huisarts "
	    "en bij de gemeente. U hoeft niet te zeggen waarom.",
	    "You may withdraw your consent at any time, at the practice and "
	    "at the municipality. You need not say why." },
	[TEXT_EXPORT_BEFORE] = { L, TEXT_PAGE_EXPORT,
	    "Wat er stond voor de verbetering",
	    "What it said before the correction" },
	[TEXT_EXPORT_RIGHTS] = { L, TEXT_PAGE_EXPORT, "Wat u kunt doen",
	    "What you can do" },
	[TEXT_EXPORT_ATTEMPTS] = { L, TEXT_PAGE_EXPORT,
	    "Wanneer wij u zochten", "When we tried to reach you" },
	[TEXT_EXPORT_ORAL] = { L, TEXT_PAGE_EXPORT, "in een gesprek",
	    "by word of mouth" },
	[TEXT_EXPORT_WRITTEN] = { L, TEXT_PAGE_EXPORT, "op papier",
	    "in writing" },
	[TEXT_EXPORT_LEVEL_0] = { L, TEXT_PAGE_EXPORT, "niets",
	    "nothing" },
	[TEXT_EXPORT_LEVEL_1] = { L, TEXT_PAGE_EXPORT,
	    "of u bent aangekomen en hoe het eindigt",
	    "whether you arrived and how it ends" },
	[TEXT_EXPORT_LEVEL_2] = { L, TEXT_PAGE_EXPORT,
	    "ook de stappen daartussen", "also the steps between" },
	[TEXT_EXPORT_LEVEL_3] = { L, TEXT_PAGE_EXPORT,
	    "ook wat voor hulp er loopt", "also which help goes on" },

	/* ---- who looked ---- */
	[TEXT_LOG_TITLE] = { T, TEXT_PAGE_LOG,
	    "Wie keek er naar uw gegevens", "Who looked at your data" },
	[TEXT_LOG_INTRO] = { S, TEXT_PAGE_LOG,
	    "Dit is de lijst van wie bij {organisation} iets met uw gegevens "
	    "deed.",
	    "This is the list of who did something with your data at "
	    "{organisation}." },
	[TEXT_LOG_FIRST] = { S, TEXT_PAGE_LOG,
	    "Kortelijn schrijft dit op voordat iemand iets te zien krijgt. "
	    "Niemand kan een regel weghalen.",
	    "Kortelijn writes it down before anybody is shown anything. "
	    "Nobody can take a line away." },
	[TEXT_LOG_NONE] = { S, TEXT_PAGE_LOG,
	    "Er staat niets over u in de lijst.",
	    "There is nothing about you in the list." },
	[TEXT_LOG_NUMBERS] = { S, TEXT_PAGE_LOG,
	    "Mensen staan hier met een nummer. Wilt u weten wie het was? "
	    "Vraag het aan {organisation}.",
	    "People are shown by a number. Do you want to know who it was? "
	    "Ask {organisation}." },
	[TEXT_LOG_PROGRAM] = { S, TEXT_PAGE_LOG,
	    "Soms staat er een map. Dan ging het bericht vanzelf naar een "
	    "ander programma van {organisation}.",
	    "Sometimes it says folder. Then the message went to another "
	    "program of {organisation} by itself." },
	[TEXT_LOG_TERM] = { S, TEXT_PAGE_LOG,
	    "Wij bewaren elke regel {count}. Daarna is de regel weg.",
	    "We keep each line for {count}. Then it is gone." },
	[TEXT_LOG_MORE] = { S, TEXT_PAGE_LOG,
	    "De lijst is nog langer. Vraag {organisation} om de rest.",
	    "The list is longer. Ask {organisation} for the rest." },

	/* ---- which referrals ---- */
	[TEXT_FIND_TITLE] = { T, TEXT_PAGE_FIND, "Uw verwijzingen",
	    "Your referrals" },
	[TEXT_FIND_INTRO] = { S, TEXT_PAGE_FIND,
	    "Dit zijn de verwijzingen die {organisation} van u heeft.",
	    "These are the referrals that {organisation} has of you." },
	[TEXT_FIND_NONE] = { S, TEXT_PAGE_FIND,
	    "Er is geen verwijzing van u bij {organisation}.",
	    "There is no referral of you at {organisation}." },

	/* ---- erased ---- */
	[TEXT_ERASE_TITLE] = { T, TEXT_PAGE_ERASE,
	    "Uw gegevens zijn gewist", "Your data were erased" },
	[TEXT_ERASE_BEGUN_TITLE] = { T, TEXT_PAGE_ERASE,
	    "Uw gegevens worden gewist", "Your data are being erased" },
	[TEXT_ERASE_DONE] = { S, TEXT_PAGE_ERASE,
	    "U vroeg {organisation} om uw gegevens te wissen. Dat is gedaan "
	    "op {date}.",
	    "You asked {organisation} to erase your data. This was done on "
	    "{date}." },
	[TEXT_ERASE_WHICH] = { S, TEXT_PAGE_ERASE,
	    "Het gaat om deze verwijzingen.",
	    "It is about these referrals." },
	[TEXT_ERASE_ENDED] = { S, TEXT_PAGE_ERASE,
	    "{reference}: was al klaar en is nu hier gewist.",
	    "{reference}: had ended and is now erased here." },
	[TEXT_ERASE_OPEN] = { S, TEXT_PAGE_ERASE,
	    "{reference}: liep nog. Daarom is ook uw toestemming "
	    "ingetrokken.",
	    "{reference}: was still open. Therefore your consent was "
	    "withdrawn too." },
	[TEXT_ERASE_BEFORE] = { S, TEXT_PAGE_ERASE,
	    "{reference}: was al ingetrokken. De inhoud is hier toen al "
	    "gewist.",
	    "{reference}: was withdrawn before. Its content was erased here "
	    "then." },
	[TEXT_ERASE_OTHER_SIDE] = { S, TEXT_PAGE_ERASE,
	    "Wie de verwijzing al had, krijgt de vraag om haar te wissen. U "
	    "krijgt daar nog bericht over.",
	    "Whoever had the referral is asked to erase it. You will hear "
	    "about it." },
	[TEXT_ERASE_LOG_STAYS] = { S, TEXT_PAGE_ERASE,
	    "Eén ding blijft: de lijst van wie uw gegevens zag. De laatste "
	    "regel gaat weg op {date}.",
	    "One thing stays: the list of who saw your data. Its last line "
	    "goes on {date}." },
	[TEXT_ERASE_LOG_WHY] = { S, TEXT_PAGE_ERASE,
	    "Wij moeten die lijst bewaren. Zo kunt u later nog vragen wie er "
	    "keek.",
	    "We must keep that list, so that you can still ask who "
	    "looked." },
	[TEXT_ERASE_LOG_NAMELESS] = { S, TEXT_PAGE_ERASE,
	    "Uw naam staat er niet in. Bewaar deze brief, want met het "
	    "kenmerk vinden wij de lijst terug.",
	    "Your name is not in it. Keep this letter: with the reference "
	    "we find the list again." },
	[TEXT_ERASE_FILE_PRACTICE] = { S, TEXT_PAGE_ERASE,
	    "Uw dossier bij de huisarts blijft zoals het is. Daar geldt een "
	    "andere wet voor.",
	    "Your file at the practice stays as it is: another law is about "
	    "that." },
	[TEXT_ERASE_FILE_DESK] = { S, TEXT_PAGE_ERASE,
	    "Heeft de gemeente een dossier van u? Dat blijft zoals het is. "
	    "Vraag de gemeente hoe lang zij het bewaart.",
	    "If the municipality has a file about you, it stays as it is. "
	    "Ask them how long they keep it." },
	[TEXT_ERASE_NOT_BACK] = { S, TEXT_PAGE_ERASE,
	    "Wij kunnen de gegevens niet meer terughalen. Wilt u later toch "
	    "hulp? Dan maakt de huisarts een nieuwe verwijzing.",
	    "We cannot bring the data back. Do you want help later on? Then "
	    "the practice makes a new referral." },

	/* ---- withdrawn ---- */
	[TEXT_WITHDRAWAL_TITLE] = { T, TEXT_PAGE_WITHDRAWAL,
	    "U heeft uw toestemming ingetrokken",
	    "You withdrew your consent" },
	[TEXT_WITHDRAWAL_ON] = { S, TEXT_PAGE_WITHDRAWAL,
	    "U trok uw toestemming in op {date}, bij {organisation}.",
	    "You withdrew your consent on {date}, at {organisation}." },
	[TEXT_WITHDRAWAL_ALL] = { S, TEXT_PAGE_WITHDRAWAL,
	    "De huisarts en de gemeente sturen elkaar nu niets meer over u.",
	    "The practice and the municipality now send each other nothing "
	    "more about you." },
	[TEXT_WITHDRAWAL_FEEDBACK] = { S, TEXT_PAGE_WITHDRAWAL,
	    "De gemeente vertelt uw huisarts niet meer hoe het gaat.",
	    "The municipality does not tell your practice any more how "
	    "things go." },
	[TEXT_WITHDRAWAL_HELP_GOES_ON] = { S, TEXT_PAGE_WITHDRAWAL,
	    "De hulp van de gemeente gaat gewoon door.",
	    "The help of the municipality goes on." },
	[TEXT_WITHDRAWAL_ERASED_NONE] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Er lagen geen berichten meer klaar.",
	    "No messages were waiting." },
	[TEXT_WITHDRAWAL_ERASED_ONE] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Er lag nog één bericht klaar. Dat is gewist.",
	    "One message was waiting. It was erased." },
	[TEXT_WITHDRAWAL_ERASED] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Er lagen nog {count} berichten klaar. Die zijn gewist.",
	    "{count} messages were waiting. They were erased." },
	[TEXT_WITHDRAWAL_RELEASED_ONE] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Eén bericht was al bezorgd.",
	    "One message had been delivered." },
	[TEXT_WITHDRAWAL_RELEASED] = { S, TEXT_PAGE_WITHDRAWAL,
	    "{count} berichten waren al bezorgd.",
	    "{count} messages had been delivered." },
	[TEXT_WITHDRAWAL_UNCONFIRMED_ONE] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Van één bericht weten wij niet of het is aangekomen.",
	    "Of one message we do not know whether it arrived." },
	[TEXT_WITHDRAWAL_UNCONFIRMED] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Van {count} berichten weten wij niet of ze zijn aangekomen.",
	    "Of {count} messages we do not know whether they arrived." },
	[TEXT_WITHDRAWAL_ASKED] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Wij hebben {other} gevraagd om uw gegevens te wissen. Het "
	    "antwoord moet er zijn op {date}.",
	    "We asked {other} to erase your data. The answer must be here "
	    "by {date}." },
	[TEXT_WITHDRAWAL_ERASED_THERE] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Bij {other} zijn uw gegevens gewist op {date}.",
	    "At {other} your data were erased on {date}." },
	[TEXT_WITHDRAWAL_KEPT_THERE] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Bij {other} blijft een deel bewaard, omdat dat daar moet van de "
	    "wet. U mag daar vragen waarom en hoe lang.",
	    "At {other} a part is kept, because the law asks for it there. "
	    "You may ask them why and how long." },
	[TEXT_WITHDRAWAL_NOTHING_THERE] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Bij {other} was niets meer van u.",
	    "At {other} there was nothing of you any more." },
	[TEXT_WITHDRAWAL_NO_ANSWER] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Van {other} kwam nog geen antwoord. Wij vragen het daar "
	    "opnieuw.",
	    "{other} has not answered yet. We ask them again." },
	[TEXT_WITHDRAWAL_NEVER_SENT] = { S, TEXT_PAGE_WITHDRAWAL,
	    "De verwijzing was nog niet verzonden. Zij is hier gewist.",
	    "The referral had not been sent yet. It was erased here." },
	[TEXT_WITHDRAWAL_THERE_TOO] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Bij {other} was dit al ingetrokken. Wat weg moest uit Kortelijn, "
	    "is daar gewist.",
	    "At {other} this was withdrawn already. What had to go from "
	    "Kortelijn was erased there." },
	[TEXT_WITHDRAWAL_FEEDBACK_ASKED] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Wij hebben {other} gevraagd om wat er al was verteld te wissen. "
	    "Het antwoord moet er zijn op {date}.",
	    "We asked {other} to erase what had been told. The answer must "
	    "be here by {date}." },
	[TEXT_WITHDRAWAL_FEEDBACK_THERE] = { S, TEXT_PAGE_WITHDRAWAL,
	    "{other} heeft gemeld dat wat er al was verteld daar is gewist "
	    "uit Kortelijn, op {date}. De verwijzing zelf blijft daar, want "
	    "de hulp gaat door.",
	    "{other} says that what had been told was erased from Kortelijn "
	    "there, on {date}. The referral itself stays there, because the "
	    "help goes on." },
	[TEXT_WITHDRAWAL_ONWARD] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Was u ook naar een andere organisatie verwezen? Dan stopt dat "
	    "nu ook.",
	    "Were you referred to another organisation as well? Then that "
	    "ends too." },
	[TEXT_WITHDRAWAL_PROOF] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Wij bewaren wel dat u dit vroeg, en wanneer. Zo kan niemand "
	    "later zeggen dat het anders was.",
	    "We keep that you asked for this, and when, so that nobody can "
	    "say otherwise later." },
	[TEXT_WITHDRAWAL_FILE] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Uw dossier bij de huisarts blijft zoals het is.",
	    "Your file at the practice stays as it is." },
	[TEXT_WITHDRAWAL_AGAIN] = { S, TEXT_PAGE_WITHDRAWAL,
	    "Wilt u later toch hulp? Dan maakt de huisarts een nieuwe "
	    "verwijzing, als u dat goed vindt.",
	    "Do you want help later on? Then the practice makes a new "
	    "referral, if you agree." },

	/* ---- sent in error ---- */
	[TEXT_BREACH_TITLE] = { T, TEXT_PAGE_BREACH,
	    "Verkeerde persoon: notitie voor de praktijk",
	    "Wrong person: a note for the practice" },
	[TEXT_BREACH_WHAT] = { S, TEXT_PAGE_BREACH,
	    "Deze verwijzing ging over de verkeerde persoon. {organisation} "
	    "heeft haar ingetrokken op {date}.",
	    "This referral was about the wrong person. {organisation} "
	    "withdrew it on {date}." },
	[TEXT_BREACH_BY] = { L, TEXT_PAGE_BREACH, "Geopend door",
	    "Opened by" },
	[TEXT_BREACH_FOUND_ON] = { L, TEXT_PAGE_BREACH, "Ingetrokken op",
	    "Withdrawn on" },
	[TEXT_BREACH_ERASED_ON] = { L, TEXT_PAGE_BREACH, "Gewist op",
	    "Erased on" },
	[TEXT_BREACH_NOT_OPENED] = { S, TEXT_PAGE_BREACH,
	    "Niemand heeft de verwijzing geopend. Zij is gewist voordat zij "
	    "werd opgehaald.",
	    "Nobody opened the referral. It was erased before it was "
	    "collected." },
	[TEXT_BREACH_OPENED] = { S, TEXT_PAGE_BREACH,
	    "De verwijzing is geopend door {other} op {date}.",
	    "The referral was opened by {other} on {date}." },
	[TEXT_BREACH_UNCERTAIN] = { S, TEXT_PAGE_BREACH,
	    "Het is niet zeker of {other} de verwijzing heeft geopend. Bel "
	    "om het te vragen.",
	    "It is not certain whether {other} opened the referral. Call "
	    "and ask." },
	[TEXT_BREACH_ERASED] = { S, TEXT_PAGE_BREACH,
	    "Daar is alles gewist op {date}.",
	    "All was erased there on {date}." },
	[TEXT_BREACH_NOT_ERASED] = { S, TEXT_PAGE_BREACH,
	    "Er is nog geen bericht dat daar alles is gewist. Bel {other} "
	    "als dat op {date} nog zo is.",
	    "There is no notice yet that all was erased there. Call {other} "
	    "if this is still so on {date}." },
	[TEXT_BREACH_NOTHING_THERE] = { S, TEXT_PAGE_BREACH,
	    "{other} meldde op {date} dat daar niets van de verwijzing was. "
	    "Een ontvangstbewijs is er ook niet.",
	    "{other} said on {date} that nothing of the referral was there. "
	    "There is no receipt either." },
	[TEXT_BREACH_NO_CONTACT] = { S, TEXT_PAGE_BREACH,
	    "Het meldpunt ziet dat het met niemand contact mag opnemen.",
	    "The desk is told to contact nobody." },
	[TEXT_BREACH_ASSESS] = { S, TEXT_PAGE_BREACH,
	    "Dit kan een datalek zijn. Bespreek het vandaag met wie in uw "
	    "praktijk over privacy gaat.",
	    "This may be a data breach. Discuss it today with whoever is in "
	    "charge of privacy at your practice." },
	[TEXT_BREACH_TERM] = { S, TEXT_PAGE_BREACH,
	    "Moet u het melden? Dan moet dat binnen 72 uur nadat u het "
	    "merkte, bij de Autoriteit Persoonsgegevens.",
	    "Must you report it? Then within 72 hours after you noticed, to "
	    "the Dutch Data Protection Authority." },
	[TEXT_BREACH_PERSON] = { S, TEXT_PAGE_BREACH,
	    "Kan het de persoon schaden? Vertel het dan ook aan die "
	    "persoon.",
	    "May it harm the person? Then tell the person as well." },
	[TEXT_BREACH_KEEP] = { S, TEXT_PAGE_BREACH,
	    "Bewaar deze notitie, ook als u niets meldt. In Kortelijn staat "
	    "er straks niets meer over.",
	    "Keep this note, also if you report nothing. Kortelijn will "
	    "hold nothing about it soon." },
};

const struct texts_row *
texts_row(enum text t)
{
	return t <= 0 || t >= TEXT_END || rows[t].nl == NULL ? NULL :
	    &rows[t];
}

const char *
texts_get(enum text t, enum kl_lang lang)
{
	const struct texts_row *row = texts_row(t);

	if (row == NULL)
		return "?";
	return lang == KL_EN ? row->en : row->nl;
}

/* NULL: there is none. */
static const char *
value_of(const struct texts_values *v, const char *name, size_t n)
{
	const struct { const char *name, *value; } known[] = {
		{ "reference", v->reference }, { "date", v->date },
		{ "organisation", v->organisation }, { "other", v->other },
		{ "phone", v->phone }, { "count", v->count },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strlen(known[i].name) == n &&
		    memcmp(known[i].name, name, n) == 0)
			return known[i].value;
	return NULL;
}

int
texts_fill(enum text t, enum kl_lang lang, const struct texts_values *v,
    char *out, size_t cap)
{
	const struct texts_values none = { .reference = NULL };
	const char *s = texts_get(t, lang), *value;
	struct kl_writer w;
	size_t n;

	kl_writer_init(&w, (uint8_t *)out, cap);
	for (; *s != '\0'; s += n + 1) {
		n = strcspn(s, "{");
		kl_put(&w, s, n);
		s += n;
		if (*s == '\0')
			break;
		n = strcspn(s, "}");
		value = value_of(v != NULL ? v : &none, s + 1, n - 1);
		if (value == NULL || value[0] == '\0')
			return KL_E_VALUE;
		kl_put(&w, value, strlen(value));
	}
	kl_put_u8(&w, 0);
	return w.full ? KL_E_SIZE : KL_OK;
}
