#include "broker/ctl/subject_page.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

#include "proto/cli/output.h"

#define LABEL_COLUMNS 26

/* Keys and values of the answer, in Dutch. The English ones are as they stand,
 * with spaces. */
static const struct {
	const char *word, *nl;
} words[] = {
	/* keys */
	{ "reference", "kenmerk" },
	{ "conv_id", "nummer van het gesprek" },
	{ "conv_ref", "nummer in het logboek" },
	{ "sender", "verwijzer" },
	{ "receiver", "ontvanger" },
	{ "state", "toestand" },
	{ "milestone", "stap" },
	{ "delivered", "afgeleverd" },
	{ "reopened", "opnieuw geopend" },
	{ "feedback_level", "niveau terugkoppeling" },
	{ "seq_sender", "berichten van verwijzer" },
	{ "seq_receiver", "berichten van ontvanger" },
	{ "referral_hash", "kenmerk van de verwijzing" },
	{ "consent_hash", "kenmerk van de toestemming" },
	{ "under", "valt onder" },
	{ "begun_ms", "gemaakt op" },
	{ "quiet_ms", "telt als beëindigd vanaf" },
	{ "ended_ms", "beëindigd op" },
	{ "kept_until_ms", "bewaard tot" },
	{ "kept_until", "bewaard tot" },
	{ "marker_until", "eindmerk bewaard tot" },
	{ "held", "hoe aanwezig" },
	{ "form", "vorm" },
	{ "info_text_version", "versie van de uitleg" },
	{ "given_on", "gegeven op" },
	{ "valid_until", "geldig tot en met" },
	{ "recorded_in_his", "aangetekend in het HIS" },
	{ "preview_hash", "kenmerk van wat getoond is" },
	{ "onward_to", "mag verder naar" },
	{ "msg_id", "nummer van het bericht" },
	{ "msg_ref", "nummer in het logboek" },
	{ "kind", "soort" },
	{ "from", "van" },
	{ "to", "aan" },
	{ "seq", "volgnummer" },
	{ "accepted_leaf", "regel van aanname" },
	{ "body_hash", "kenmerk" },
	{ "outcome", "uitkomst" },
	{ "leaf", "regel" },
	{ "expire_at_ms", "vervalt op" },
	{ "ciphertext", "verzegelde inhoud" },
	{ "sender_role", "functie van de afzender" },
	{ "content_schema", "versie van de gegevens" },
	{ "purpose", "doel" },
	{ "staff_ref", "medewerker (nummer)" },
	{ "replaces", "vervangt" },
	{ "sender_key_id", "sleutel van de afzender" },
	{ "prekey_id", "sleutel van de ontvanger" },
	{ "created_ms", "opgesteld op" },
	{ "deliver_by_ms", "af te leveren voor" },
	{ "answer_by_ms", "op te pakken voor" },
	{ "for", "voor" },
	{ "item", "nummer in de postbus" },
	{ "statement", "soort" },
	{ "notice", "melding" },
	{ "code", "reden" },
	{ "reason", "reden" },
	{ "at_ms", "op" },
	{ "due_ms", "termijn" },
	{ "scope", "omvang" },
	{ "cause", "aanleiding" },
	{ "erased", "gewist" },
	{ "released_before", "eerder afgegeven" },
	{ "unconfirmed", "onbevestigd" },
	{ "asked", "gevraagd aan" },
	{ "withdrawal", "intrekking" },
	{ "event", "gebeurtenis" },
	{ "erasure", "wissen" },
	{ "master_key", "hoofdsleutel" },
	/* values */
	{ "open", "open" }, { "ended", "beëindigd" },
	{ "withdrawn", "ingetrokken" }, { "expired", "verlopen" },
	{ "none", "geen" }, { "taken_up", "opgepakt" },
	{ "in_progress", "loopt" }, { "returned", "teruggegeven" },
	{ "oral", "mondeling" }, { "written", "schriftelijk" },
	{ "referral_with_consent", "verwijzing met toestemming" },
	{ "signed", "ondertekend" }, { "taken over", "overgenomen" },
	{ "referral", "verwijzing" }, { "correction", "correctie" },
	{ "feedback", "terugkoppeling" }, { "receipt", "ontvangstbewijs" },
	{ "erase_receipt", "wisbewijs" },
	{ "accepted", "aangenomen" }, { "released", "afgegeven" },
	{ "dead", "niet af te leveren" },
	{ "lost_at_receiver", "bij ontvanger verloren" },
	{ "opened", "geopend" }, { "undecryptable", "niet te openen" },
	{ "refused", "geweigerd" },
	{ "uncertain", "onzeker" }, { "gap", "blijft uit" },
	{ "erase_request", "wisverzoek" },
	{ "erase_asked", "om wissen gevraagd" },
	{ "month_lost", "maand van het logboek verloren" },
	{ "consent_ended", "toestemming voorbij" },
	{ "consent_withdrawn", "toestemming ingetrokken" },
	{ "deadline", "termijn verstreken" },
	{ "escalation", "wisbewijs ontbreekt" }, { "late", "alsnog" },
	{ "presented", "opnieuw getoond" }, { "query", "ingezien" },
	{ "conflict", "tegenstrijdig" }, { "escalated", "geëscaleerd" },
	{ "answered", "beantwoord" }, { "all", "alles" },
	{ "resident", "inwoner" }, { "sent_in_error", "ten onrechte" },
	{ "gp", "huisarts" }, { "nurse_mental_health", "POH-GGZ" },
	{ "nurse", "praktijkondersteuner" }, { "assistant", "assistent" },
	{ "seconded", "gedetacheerde" }, { "other", "anders" },
	{ "desk", "meldpunt" }, { "counsellor", "hulpverlener" },
	{ "partner_staff", "medewerker van partner" },
	{ "ok", "geen" }, { "verified", "aangetoond" },
	{ "best-effort", "zo goed als dit bestandssysteem kan" },
	{ "sealed", "verzegeld" },
	{ "beside the slots", "naast de sleutels" },
};

struct page {
	bool english;
	bool failed;
};

static void
say(struct page *p, const char *text)
{
	p->failed = p->failed || fputs(text, stdout) < 0;
}

/* As it stands there, or in Dutch. */
static struct output_text
word(const struct page *p, const char *text)
{
	struct output_text t;

	for (size_t i = 0; !p->english &&
	    i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].word, text) == 0)
			return output_text(kl_bytes_str(words[i].nl));
	t = output_text(kl_bytes_str(text));
	return t;
}

static bool
ends_in(const char *s, const char *end)
{
	const size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static struct output_text
label(const struct page *p, const char *key)
{
	struct output_text t = word(p, key);
	const size_t n = strlen(t.b);

	if (!p->english)
		return t;
	if (ends_in(t.b, "_ms"))
		t.b[n - 3] = '\0';
	for (char *c = t.b; *c != '\0'; c++)
		if (*c == '_')
			*c = ' ';
	return t;
}

static struct output_text
value(const struct page *p, const char *key, const json_t *v)
{
	struct output_text t = { "" };

	if (json_is_string(v))
		return word(p, json_string_value(v));
	if (json_is_boolean(v))
		return output_text(kl_bytes_str(json_is_true(v) ?
		    (p->english ? "yes" : "ja") :
		    (p->english ? "no" : "nee")));
	if (json_is_integer(v) && ends_in(key, "_ms"))
		return output_text(kl_bytes_str(kl_calendar_text(
		    json_integer_value(v)).b));
	if (json_is_integer(v))
		(void)snprintf(t.b, sizeof t.b, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(v));
	return t;
}

/* The half of a hash of 64 letters, which goes on in the next line. */
#define HASH_COLUMNS 32

static bool
is_hash(const char *text)
{
	return strlen(text) == (size_t)2 * HASH_COLUMNS &&
	    strspn(text, "0123456789abcdef") == strlen(text);
}

static void
row(struct page *p, const char *key, const char *text)
{
	const struct output_text name = label(p, key);
	const int pad = LABEL_COLUMNS -
	    (int)kl_utf8_chars(kl_bytes_str(name.b));

	p->failed = p->failed || printf("  %s:%*s ", name.b,
	    pad > 0 ? pad : 0, "") < 0;
	if (is_hash(text)) {
		p->failed = p->failed || printf("%.*s\n%*s", HASH_COLUMNS,
		    text, LABEL_COLUMNS + 4, "") < 0;
		text += HASH_COLUMNS;
	}
	p->failed = p->failed || printf("%s\n", text) < 0;
}

/* What is signed is for programs: --json has it. */
static bool
for_programs(const char *key)
{
	return strcmp(key, "signed") == 0 ||
	    strcmp(key, "signed_referral") == 0 ||
	    strcmp(key, "signed_envelope") == 0;
}

static void
list_rows(struct page *p, const char *key, const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		row(p, key, value(p, key, one).b);
}

/* Scalars of an object; one level of objects in it. */
static void
rows(struct page *p, json_t *o, int depth)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v) {
		if (for_programs(key) || json_is_null(v) ||
		    (json_is_string(v) && *json_string_value(v) == '\0'))
			continue;
		if (json_is_array(v))
			list_rows(p, key, v);
		else if (!json_is_object(v))
			row(p, key, value(p, key, v).b);
		else if (depth == 0)
			rows(p, v, 1);
	}
}

static void
heading(struct page *p, const char *nl, const char *en)
{
	say(p, "\n");
	say(p, p->english ? en : nl);
	say(p, "\n");
}

static void
section(struct page *p, const json_t *all, const char *key, const char *nl,
    const char *en)
{
	json_t *v = json_object_get(all, key), *one;
	size_t i;

	heading(p, nl, en);
	if (json_is_object(v))
		rows(p, v, 0);
	json_array_foreach(v, i, one) {
		if (i > 0)
			say(p, "\n");
		rows(p, one, 0);
	}
	if (json_is_array(v) && json_array_size(v) == 0)
		say(p, p->english ? "  nothing\n" : "  niets\n");
}

static const char head_nl[] =
	"Wat deze broker over één verwijzing bewaart\n"
	"===========================================\n\n"
	"Dit overzicht hoort bij een verzoek om inzage (AVG, artikel 15). De\n"
	"broker kent de inwoner niet. Naam, adres en hulpvraag zitten in de\n"
	"verzegelde inhoud. Die kan alleen de ontvanger openen.\n";
static const char head_en[] =
	"What this broker holds on one referral\n"
	"======================================\n\n"
	"This page belongs to a request for access (GDPR, article 15). The\n"
	"broker does not know the resident. Name, address and question are\n"
	"inside the sealed content, which only the receiver can open.\n";

static const char *
member(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

struct output_text
subject_page_looser(const json_t *row, bool english)
{
	const bool counts = strcmp(member(row, "state"), "loosened") == 0;
	char t[sizeof(struct output_text)];

	if (!counts)
		(void)snprintf(t, sizeof t, english ?
		    "%s = %s: asked %s, not approved" :
		    "%s = %s: gevraagd %s, niet goedgekeurd",
		    member(row, "key"), member(row, "value"),
		    member(row, "asked"));
	else
		(void)snprintf(t, sizeof t, english ?
		    "%s = %s, approved by %s on %s until %s: %s" :
		    "%s = %s, goedgekeurd door %s op %s tot en met %s: %s",
		    member(row, "key"), member(row, "value"),
		    member(row, "approved_by"), member(row, "approved_on"),
		    member(row, "review_on"), member(row, "legal_basis"));
	return output_text(kl_bytes_str(t));
}

static void
policy_print(struct page *p, const json_t *all)
{
	json_t *looser = json_object_get(json_object_get(all, "policy"),
	    "looser"), *one;
	size_t i;

	heading(p, "Regels die ruimer zijn dan de standaard",
	    "Rules that are looser than the default");
	json_array_foreach(looser, i, one)
		p->failed = p->failed || printf("  - %s\n",
		    subject_page_looser(one, p->english).b) < 0;
	if (i == 0)
		say(p, p->english ? "  none\n" : "  geen\n");
}

static void
traces_print(struct page *p, const json_t *all)
{
	const bool marker = json_is_true(json_object_get(all, "marker"));

	if (marker)
		say(p, p->english ?
		    "\nThe broker holds nothing of it but a mark that it has "
		    "ended.\n" :
		    "\nDe broker bewaart er niets meer van dan een merk dat "
		    "het beëindigd is.\n");
	else
		say(p, p->english ?
		    "\nThe referral is not here. It was withdrawn before it "
		    "came.\n" :
		    "\nDe verwijzing is hier niet. Zij is ingetrokken voor "
		    "zij kwam.\n");
	section(p, all, "withdrawals", "Intrekkingen", "Withdrawals");
	policy_print(p, all);
}

bool
subject_page_print(const json_t *all, bool english)
{
	struct page p = { .english = english };

	say(&p, english ? head_en : head_nl);
	if (json_object_get(all, "marker") != NULL) {
		traces_print(&p, all);
		return !p.failed && fflush(stdout) == 0;
	}
	section(&p, all, "conversation", "Het gesprek", "The conversation");
	section(&p, all, "consent", "De toestemming", "The consent");
	section(&p, all, "messages", "Berichten", "Messages");
	section(&p, all, "waiting", "Meldingen die nog wachten",
	    "Statements that wait");
	section(&p, all, "withdrawals", "Intrekkingen", "Withdrawals");
	section(&p, all, "erase_requests", "Wisverzoeken", "Erase requests");
	section(&p, all, "log", "Het logboek", "The log");
	heading(&p, "Hoe er gewist wordt", "How it is erased");
	row(&p, "erasure", value(&p, "erasure", json_object_get(all,
	    "erasure")).b);
	row(&p, "master_key", value(&p, "master_key", json_object_get(all,
	    "master_key")).b);
	policy_print(&p, all);
	return !p.failed && fflush(stdout) == 0;
}
