#include <kortelijn/base/code.h>

static const struct row {
	uint32_t code;
	enum kl_retry retry;
	const char *name;
	const char *en;
	const char *nl;
} rows[] = {
	{ KL_C_OK, KL_RETRY_NEVER, "ok", "Done.", "Gelukt." },

	{ KL_C_MALFORMED, KL_RETRY_NEVER, "malformed",
	  "The message is truncated, not canonical or not a message.",
	  "Het bericht is afgebroken, niet canoniek of geen bericht." },
	{ KL_C_FRAME_TOO_LARGE, KL_RETRY_NEVER, "frame_too_large",
	  "A frame is larger than the protocol allows.",
	  "Een deel van het bericht is groter dan het protocol toestaat." },
	{ KL_C_FRAME_COUNT, KL_RETRY_NEVER, "frame_count",
	  "The request has the wrong number of frames.",
	  "Het verzoek heeft het verkeerde aantal delen." },
	{ KL_C_VERSION, KL_RETRY_NEVER, "version",
	  "This protocol version is not supported: update the program.",
	  "Deze protocolversie wordt niet ondersteund: werk het programma "
	  "bij." },
	{ KL_C_SUITE, KL_RETRY_NEVER, "suite",
	  "This cryptographic suite is not supported.",
	  "Deze versleutelwijze wordt niet ondersteund." },
	{ KL_C_VALUE_UNKNOWN, KL_RETRY_NEVER, "value_unknown",
	  "A field holds a value outside its list or range.",
	  "Een veld bevat een waarde buiten de lijst of het bereik." },
	{ KL_C_NOT_SERVED, KL_RETRY_NEVER, "not_served",
	  "This broker does not serve this request.",
	  "Deze broker bedient dit verzoek niet." },
	{ KL_C_HELLO_FIRST, KL_RETRY_LATER, "hello_first",
	  "The session is not open: say HELLO first.",
	  "De sessie is niet geopend: begin met HELLO." },
	{ KL_C_SESSION_REPLACED, KL_RETRY_LATER, "session_replaced",
	  "A newer session of this card has taken over.",
	  "Een nieuwere sessie van deze kaart heeft het overgenomen." },
	{ KL_C_INSTANCE_CONFLICT, KL_RETRY_REPAIR, "instance_conflict",
	  "Another installation holds this card. If this one must go on, "
	  "run take-over here.",
	  "Een andere installatie gebruikt deze kaart. Moet deze verder, "
	  "voer dan hier take-over uit." },
	{ KL_C_NOT_REPORTED_IN, KL_RETRY_LATER, "not_reported_in",
	  "The broker started anew and the practice of this conversation "
	  "has not reported in yet.",
	  "De broker is opnieuw begonnen en de praktijk van dit gesprek "
	  "heeft zich nog niet gemeld." },
	{ KL_C_TRY_LATER, KL_RETRY_LATER, "try_later",
	  "The broker cannot take this now; nothing was stored.",
	  "De broker kan dit nu niet aannemen; er is niets bewaard." },
	{ KL_C_STORE_FULL, KL_RETRY_LATER, "store_full",
	  "The broker's store is nearly full: only receipts, withdrawals "
	  "and erasure go on. Warn its operator.",
	  "De opslag van de broker is bijna vol: alleen ontvangst, "
	  "intrekking en wissen gaan door. Waarschuw de beheerder." },
	{ KL_C_DRAINING, KL_RETRY_LATER, "draining",
	  "The broker runs in drain mode: only receipts, withdrawals and "
	  "erasure go on. Warn its operator.",
	  "De broker staat in leegloopstand: alleen ontvangst, intrekking "
	  "en wissen gaan door. Waarschuw de beheerder." },
	{ KL_C_QUOTA_REQUESTS, KL_RETRY_LATER, "quota_requests",
	  "Too many requests in a minute.",
	  "Te veel verzoeken in een minuut." },
	{ KL_C_QUOTA_BYTES, KL_RETRY_LATER, "quota_bytes",
	  "The number of bytes for this day is used up.",
	  "Het aantal bytes voor vandaag is op." },
	{ KL_C_QUOTA_CONVERSATIONS, KL_RETRY_LATER, "quota_conversations",
	  "Too many open conversations for this participant.",
	  "Te veel open gesprekken voor deze deelnemer." },

	{ KL_C_CARD_UNKNOWN, KL_RETRY_REPAIR, "card_unknown",
	  "No card of the region authority is known for this key.",
	  "Voor deze sleutel is geen kaart van de regio bekend." },
	{ KL_C_CARD_EXPIRED, KL_RETRY_REPAIR, "card_expired",
	  "The card has expired: ask the operator for a new one.",
	  "De kaart is verlopen: vraag de beheerder een nieuwe." },
	{ KL_C_CARD_NOT_YET, KL_RETRY_LATER, "card_not_yet",
	  "The card is not valid yet.", "De kaart is nog niet geldig." },
	{ KL_C_CARD_REVOKED, KL_RETRY_REPAIR, "card_revoked",
	  "The card was revoked.", "De kaart is ingetrokken." },
	{ KL_C_REALM, KL_RETRY_NEVER, "realm",
	  "Training and production never mix.",
	  "Oefening en productie gaan nooit samen." },
	{ KL_C_NOT_YOUR_KEY, KL_RETRY_NEVER, "not_your_key",
	  "The sender is not the owner of this connection's key.",
	  "De afzender is niet de eigenaar van de sleutel van deze "
	  "verbinding." },
	{ KL_C_SIGNATURE, KL_RETRY_NEVER, "signature",
	  "A signature does not hold.", "Een handtekening klopt niet." },
	{ KL_C_ROLE, KL_RETRY_NEVER, "role",
	  "This role may not send this to that role.",
	  "Deze rol mag dit niet aan die rol sturen." },
	{ KL_C_RECEIVER_UNKNOWN, KL_RETRY_REPAIR, "receiver_unknown",
	  "The receiver is not a participant of this region.",
	  "De ontvanger is geen deelnemer in deze regio." },
	{ KL_C_RECEIVER_SUCCEEDED, KL_RETRY_NEVER, "receiver_succeeded",
	  "The receiver was succeeded by another organisation: write to it.",
	  "De ontvanger is opgevolgd door een andere organisatie: schrijf "
	  "die aan." },
	{ KL_C_PREKEY, KL_RETRY_NEVER, "prekey",
	  "The message is sealed to a key that the receiver does not offer: "
	  "seal it again.",
	  "Het bericht is verzegeld met een sleutel die de ontvanger niet "
	  "aanbiedt: verzegel het opnieuw." },
	{ KL_C_BLOCKED, KL_RETRY_REPAIR, "blocked",
	  "The operator has blocked this participant.",
	  "De beheerder heeft deze deelnemer geblokkeerd." },

	{ KL_C_CLOCK_AHEAD, KL_RETRY_LATER, "clock_ahead",
	  "The sender's clock is ahead of the broker's.",
	  "De klok van de afzender loopt voor op die van de broker." },
	{ KL_C_TIMES, KL_RETRY_NEVER, "times",
	  "The times in the header do not fit each other or the terms.",
	  "De tijden in de kop passen niet bij elkaar of bij de termijnen." },
	{ KL_C_EXPIRED, KL_RETRY_NEVER, "expired",
	  "The message had expired before it arrived.",
	  "Het bericht was al verlopen voor het aankwam." },
	{ KL_C_CONFLICT, KL_RETRY_NEVER, "conflict",
	  "This id was used before for another message.",
	  "Dit kenmerk is al eens voor een ander bericht gebruikt." },
	{ KL_C_SEQ, KL_RETRY_NEVER, "seq",
	  "The sequence number does not follow the last one.",
	  "Het volgnummer sluit niet aan op het vorige." },
	{ KL_C_REPLACES, KL_RETRY_NEVER, "replaces",
	  "The message that this one would replace may not be replaced.",
	  "Het bericht dat dit zou vervangen mag niet vervangen worden." },
	{ KL_C_ANSWERS, KL_RETRY_NEVER, "answers",
	  "The message does not answer a referral of this conversation.",
	  "Het bericht hoort niet bij een verwijzing van dit gesprek." },
	{ KL_C_NO_CONSENT, KL_RETRY_NEVER, "no_consent",
	  "There is no consent for this referral.",
	  "Voor deze verwijzing is geen toestemming." },
	{ KL_C_CONSENT_DATE, KL_RETRY_NEVER, "consent_date",
	  "The consent is too old, not valid yet or past its date.",
	  "De toestemming is te oud, nog niet geldig of verlopen." },
	{ KL_C_CONSENT_RECEIVER, KL_RETRY_NEVER, "consent_receiver",
	  "The consent names another receiver.",
	  "De toestemming noemt een andere ontvanger." },
	{ KL_C_CONSENT_PARENT, KL_RETRY_NEVER, "consent_parent",
	  "The referral under which this one stands does not allow it.",
	  "De verwijzing waaronder deze valt staat dit niet toe." },
	{ KL_C_CONVERSATION_ENDED, KL_RETRY_NEVER, "conversation_ended",
	  "The conversation is unknown or has ended.",
	  "Het gesprek is onbekend of beëindigd." },
	{ KL_C_NO_FEEDBACK_CONSENT, KL_RETRY_NEVER, "no_feedback_consent",
	  "The patient has not agreed to feedback.",
	  "De patiënt heeft geen toestemming voor terugkoppeling gegeven." },
	{ KL_C_LEVEL, KL_RETRY_NEVER, "level",
	  "The feedback is above the level that the patient agreed to.",
	  "De terugkoppeling gaat verder dan de patiënt heeft toegestaan." },
	{ KL_C_MILESTONE, KL_RETRY_NEVER, "milestone",
	  "This step cannot follow the one before.",
	  "Deze stap kan niet op de vorige volgen." },
	{ KL_C_BEFORE_RECEIPT, KL_RETRY_NEVER, "before_receipt",
	  "Feedback cannot precede the receipt of the referral.",
	  "Terugkoppeling kan niet voor de ontvangst van de verwijzing "
	  "komen." },
	{ KL_C_NOT_A_PARTY, KL_RETRY_NEVER, "not_a_party",
	  "The sender is not a party to this conversation.",
	  "De afzender is geen partij in dit gesprek." },
	{ KL_C_MESSAGE_UNKNOWN, KL_RETRY_NEVER, "message_unknown",
	  "No such message was released to this receiver.",
	  "Zo'n bericht is niet aan deze ontvanger afgegeven." },
	{ KL_C_ITEM_UNKNOWN, KL_RETRY_NEVER, "item_unknown",
	  "There is no such item in this mailbox, or it cannot be "
	  "acknowledged this way.",
	  "Dit stuk ligt niet in deze postbus of kan zo niet worden "
	  "afgevinkt." },
	{ KL_C_QUOTA_WITHDRAWALS, KL_RETRY_LATER, "quota_withdrawals",
	  "Too many withdrawals for this day of referrals that the broker "
	  "does not know.",
	  "Te veel intrekkingen voor vandaag van verwijzingen die de broker "
	  "niet kent." },
	{ KL_C_MUST_ERASE, KL_RETRY_NEVER, "must_erase",
	  "The referral was sent in error: nothing of it may be kept.",
	  "De verwijzing is ten onrechte verzonden: er mag niets van "
	  "bewaard blijven." },
	{ KL_C_BROKER_DAMAGE, KL_RETRY_NEVER, "broker_damage",
	  "A disk of the broker has lost this message: it is sealed again.",
	  "Een schijf van de broker heeft dit bericht verloren: het wordt "
	  "opnieuw verzegeld." },
	{ KL_C_TICKET, KL_RETRY_NEVER, "ticket",
	  "This question is over or is another one: ask it anew.",
	  "Deze vraag is voorbij of is een andere: stel haar opnieuw." },
	{ KL_C_POLICY_UNKNOWN, KL_RETRY_NEVER, "policy_unknown",
	  "The bytes of this policy are not held here.",
	  "De bytes van dit beleid zijn hier niet bewaard." },

	{ KL_C_JSON, KL_RETRY_NEVER, "json",
	  "The file is not valid JSON of this kind.",
	  "Het bestand is geen geldige JSON van deze soort." },
	{ KL_C_FIELD_UNKNOWN, KL_RETRY_NEVER, "field_unknown",
	  "There is a field that is not in the data set.",
	  "Er staat een veld in dat niet in de gegevensset hoort." },
	{ KL_C_FIELD_MISSING, KL_RETRY_NEVER, "field_missing",
	  "A required field is missing.", "Een verplicht veld ontbreekt." },
	{ KL_C_FIELD_VALUE, KL_RETRY_NEVER, "field_value",
	  "A field holds a value that is not allowed.",
	  "Een veld bevat een waarde die niet is toegestaan." },
	{ KL_C_FIELD_TOO_LONG, KL_RETRY_NEVER, "field_too_long",
	  "A field is too long.", "Een veld is te lang." },
	{ KL_C_FIELDS_DISAGREE, KL_RETRY_NEVER, "fields_disagree",
	  "Two fields do not fit each other.",
	  "Twee velden passen niet bij elkaar." },
	{ KL_C_SCHEMA, KL_RETRY_NEVER, "schema",
	  "This content schema version is not read here.",
	  "Deze versie van de gegevensset wordt hier niet gelezen." },
	{ KL_C_BSN, KL_RETRY_NEVER, "bsn",
	  "A field holds a number that may be a BSN. A BSN is never sent.",
	  "Een veld bevat een getal dat een BSN kan zijn. Een BSN gaat "
	  "nooit mee." },
	{ KL_C_LONG_NUMBER, KL_RETRY_NEVER, "long_number",
	  "A field holds a number of eight digits or more.",
	  "Een veld bevat een getal van acht of meer cijfers." },
	{ KL_C_IBAN, KL_RETRY_NEVER, "iban",
	  "A field holds an account number. Those are never sent.",
	  "Een veld bevat een rekeningnummer. Dat gaat nooit mee." },
	{ KL_C_MEDICAL_CODE, KL_RETRY_NEVER, "medical_code",
	  "A field holds what may be a diagnosis or medication code.",
	  "Een veld bevat wat een diagnose- of medicatiecode kan zijn." },
	{ KL_C_AMOUNT, KL_RETRY_NEVER, "amount",
	  "A field holds an amount of money.",
	  "Een veld bevat een geldbedrag." },
	{ KL_C_PASTED_EXPORT, KL_RETRY_NEVER, "pasted_export",
	  "A field holds a pasted export of another system.",
	  "Een veld bevat een geplakte export uit een ander systeem." },
	{ KL_C_URL, KL_RETRY_NEVER, "url",
	  "A field holds a web address.", "Een veld bevat een webadres." },
	{ KL_C_CHARACTER, KL_RETRY_NEVER, "character",
	  "A field holds a character that is not allowed.",
	  "Een veld bevat een teken dat niet is toegestaan." },
	{ KL_C_FREE_TEXT, KL_RETRY_NEVER, "free_text",
	  "Free text is switched off here (policy practical_note).",
	  "Vrije tekst staat hier uit (beleid practical_note)." },
	{ KL_C_UNDER_AGE, KL_RETRY_NEVER, "under_age",
	  "The person may be under age: phone instead.",
	  "De persoon kan minderjarig zijn: bel in plaats hiervan." },
	{ KL_C_PREVIEW, KL_RETRY_NEVER, "preview",
	  "The content is not what the patient was shown.",
	  "De inhoud is niet wat de patiënt heeft gezien." },
	{ KL_C_STATE, KL_RETRY_NEVER, "state",
	  "This step is not possible in the present state.",
	  "Deze stap kan niet in de huidige toestand." },
	{ KL_C_NOT_IN_HIS, KL_RETRY_NEVER, "not_in_his",
	  "The note in the patient's record has not been confirmed.",
	  "De aantekening in het dossier is niet bevestigd." },
	{ KL_C_NOT_INFORMED, KL_RETRY_NEVER, "not_informed",
	  "The patient must be told purpose, content and consequences.",
	  "De patiënt moet doel, inhoud en gevolgen hebben gehoord." },

	{ KL_C_DUPLICATE_FILE, KL_RETRY_NEVER, "duplicate_file",
	  "This file was taken in before.",
	  "Dit bestand is al eerder ingelezen." },
	{ KL_C_REFERRAL_UNKNOWN, KL_RETRY_NEVER, "referral_unknown",
	  "No referral with this reference is known here.",
	  "Een verwijzing met dit kenmerk is hier niet bekend." },
	{ KL_C_FILE_NAME, KL_RETRY_NEVER, "file_name",
	  "The file name may hold only letters, digits, dot, dash and "
	  "underscore, at most 200.",
	  "De bestandsnaam mag alleen letters, cijfers, punt, streepje en "
	  "liggend streepje bevatten, hoogstens 200." },
	{ KL_C_FILE_SIZE, KL_RETRY_NEVER, "file_size",
	  "The file is empty or larger than 256 KiB.",
	  "Het bestand is leeg of groter dan 256 KiB." },
	{ KL_C_FILE_OWNER, KL_RETRY_NEVER, "file_owner",
	  "The file belongs to another user than configured.",
	  "Het bestand is van een andere gebruiker dan is ingesteld." },
	{ KL_C_NO_RECEIVER_KEY, KL_RETRY_LATER, "no_receiver_key",
	  "No sealing key of the receiver is known yet.",
	  "Er is nog geen verzegelsleutel van de ontvanger bekend." },
	{ KL_C_OWN_CLOCK, KL_RETRY_REPAIR, "own_clock",
	  "This machine's clock differs more than 10 minutes from the "
	  "broker's: set it right first.",
	  "De klok van deze machine wijkt meer dan 10 minuten af van die "
	  "van de broker: zet hem eerst goed." },
	{ KL_C_NO_POLICY, KL_RETRY_REPAIR, "no_policy",
	  "This adapter has no policy that can be read, and sends nothing: "
	  "see 'policy load'.",
	  "Deze adapter heeft geen leesbaar beleid en verstuurt niets: zie "
	  "'policy load'." },
	{ KL_C_NO_ERASE_REQUEST, KL_RETRY_NEVER, "no_erase_request",
	  "Nobody waits for this answer: no erasure is asked for here, or it "
	  "was answered.",
	  "Hier wacht niemand op: er is geen verzoek tot wissen, of het is "
	  "al beantwoord." },
	{ KL_C_KEPT_IN_ERROR, KL_RETRY_NEVER, "kept_in_error",
	  "It was sent in error: nothing of it may be kept, also not on a "
	  "basis of your own.",
	  "Het was ten onrechte verzonden: er mag niets van bewaard blijven, "
	  "ook niet op een eigen grond." },
	{ KL_C_WITHDRAWN, KL_RETRY_NEVER, "withdrawn",
	  "The consent was withdrawn: nothing is sent under it any more.",
	  "De toestemming is ingetrokken: er gaat niets meer weg." },
	{ KL_C_ATTEMPTS, KL_RETRY_NEVER, "attempts",
	  "Not enough attempts to make contact are noted for this step.",
	  "Voor deze stap zijn nog te weinig pogingen om contact te krijgen "
	  "vastgelegd." },
	{ KL_C_ATTEMPT_KIND, KL_RETRY_NEVER, "attempt_kind",
	  "The referral does not allow contact in this way.",
	  "De verwijzing staat contact op deze manier niet toe." },
	{ KL_C_SEVERAL_FOUND, KL_RETRY_NEVER, "several_found",
	  "Several referrals fit, perhaps of several persons: name one by "
	  "its reference, or say that all are meant.",
	  "Er passen meer verwijzingen, misschien van meer personen: noem er "
	  "een bij het kenmerk, of zeg dat alle bedoeld zijn." },
	{ KL_C_NO_SESSION, KL_RETRY_LATER, "no_session",
	  "The broker does not serve this adapter now, so its log cannot be "
	  "asked: see 'status'.",
	  "De broker bedient deze koppeling nu niet, dus zijn logboek is niet "
	  "te raadplegen: zie 'status'." },
	{ KL_C_LOG_BUSY, KL_RETRY_LATER, "log_busy",
	  "Others are asking the log through this adapter: ask again in a "
	  "moment.",
	  "Anderen raadplegen het logboek al via deze koppeling: vraag het "
	  "zo dadelijk opnieuw." },
	{ KL_C_LOG_BEHIND, KL_RETRY_REPAIR, "log_behind",
	  "This broker stands on an older or another log than it has signed "
	  "before: its store was put back. It stops.",
	  "Deze broker staat op een ouder of ander logboek dan hij eerder "
	  "ondertekende: zijn opslag is teruggezet. Hij stopt." },
	{ KL_C_NO_EVIDENCE, KL_RETRY_NEVER, "no_evidence",
	  "There is no alarm of this number, or nothing is kept with it that "
	  "proves it.",
	  "Er is geen alarm met dit nummer, of er is geen bewijs bij "
	  "bewaard." },
	{ KL_C_LOG_LEFT, KL_RETRY_REPAIR, "log_left",
	  "This broker stands on a log that was left: another machine has "
	  "taken over. Nothing is sent to it.",
	  "Deze broker staat op een verlaten logboek: een andere machine "
	  "heeft het overgenomen. Er wordt niets naartoe gestuurd." },
	{ KL_C_NOT_WITNESSED, KL_RETRY_NEVER, "not_witnessed",
	  "There is no line of an auditor under it whose card counts now.",
	  "Er staat geen regel onder van een auditor met een geldige kaart." },
	{ KL_C_OTHER_LOG, KL_RETRY_NEVER, "other_log",
	  "This is no checkpoint that the broker has signed of this log.",
	  "Dit is geen checkpoint dat de broker van dit logboek heeft "
	  "ondertekend." },
};

static const struct row *
row_of(uint32_t code)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

const char *
kl_code_name(uint32_t code)
{
	const struct row *r = row_of(code);

	return r == NULL ? "unknown_code" : r->name;
}

const char *
kl_code_text_en(uint32_t code)
{
	const struct row *r = row_of(code);

	return r == NULL ? "Unknown code." : r->en;
}

const char *
kl_code_text_nl(uint32_t code)
{
	const struct row *r = row_of(code);

	return r == NULL ? "Onbekende code." : r->nl;
}

enum kl_retry
kl_code_retry(uint32_t code)
{
	const struct row *r = row_of(code);

	return r == NULL ? KL_RETRY_NEVER : r->retry;
}

bool
kl_code_known(uint32_t code)
{
	return row_of(code) != NULL;
}

uint32_t
kl_code_at(size_t i)
{
	return i < sizeof rows / sizeof rows[0] ? rows[i].code : 0;
}
