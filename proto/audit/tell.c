#include "proto/audit/tell.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

#include "proto/audit/words.h"

/*
 * In a sentence %A is org_from, %B org_to, %m "de verwijzing" and the like,
 * %M the same at its beginning, %d the term, %r why, %s the new state.
 */
struct sentence { const char *nl, *en; };

/* ---- who, what and when -------------------------------------------------- */

struct audit_tell_text
audit_tell_minute(int64_t minute)
{
	struct audit_tell_text out;

	(void)snprintf(out.b, sizeof out.b, "%s",
	    kl_calendar_text(minute * KL_MINUTE_MS).b);
	return out;
}

struct audit_tell_text
audit_tell_who(const struct audit_tell *t, const struct kl_id *id)
{
	const char *name = audit_names_of(t->names, id);
	struct audit_tell_text out;

	(void)snprintf(out.b, sizeof out.b, "%s", kl_id_none(id) ?
	    (t->lang == KL_EN ? "somebody" : "iemand") :
	    name != NULL ? name : kl_id_text(id).b);
	return out;
}

static const char *
message(const struct audit_tell *t, uint32_t kind, bool begins)
{
	static const struct sentence of[][2] = {
		{ { "het bericht", "the message" },
		  { "Het bericht", "The message" } },
		{ { "de verwijzing", "the referral" },
		  { "De verwijzing", "The referral" } },
		{ { "de correctie", "the correction" },
		  { "De correctie", "The correction" } },
		{ { "de terugkoppeling", "the feedback" },
		  { "De terugkoppeling", "The feedback" } },
	};
	const struct sentence *s = &of[kind <= KL_FEEDBACK ? kind : 0][begins];

	return t->lang == KL_EN ? s->en : s->nl;
}

/* Appends at most what fits. */
static void
add(struct audit_tell_text *out, size_t *n, const char *text, size_t len)
{
	if (len > sizeof out->b - 1 - *n)
		len = sizeof out->b - 1 - *n;
	memcpy(out->b + *n, text, len);
	*n += len;
	out->b[*n] = '\0';
}

static void
add_place(const struct audit_tell *t, const struct kl_record *r, char place,
    struct audit_tell_text *out, size_t *n)
{
	struct audit_tell_text text = { "" };
	const char *said = text.b;

	switch (place) {
	case 'A':
		text = audit_tell_who(t, &r->org_from);
		break;
	case 'B':
		text = audit_tell_who(t, &r->org_to);
		break;
	case 'd':
		text = audit_tell_minute(r->due_minute);
		break;
	case 'm':
	case 'M':
		said = message(t, r->kind, place == 'M');
		break;
	case 'r':
		said = audit_words_reason(r->reason, t->lang);
		break;
	default:
		said = audit_words_state(r->new_state, t->lang);
		break;
	}
	add(out, n, said, strlen(said));
}

static struct audit_tell_text
fill(const struct audit_tell *t, const struct sentence *s,
    const struct kl_record *r)
{
	const char *at = t->lang == KL_EN ? s->en : s->nl;
	struct audit_tell_text out = { "" };
	size_t n = 0, len;

	while (*at != '\0') {
		len = strcspn(at, "%");
		add(&out, &n, at, len);
		at += len;
		if (*at == '%') {
			add_place(t, r, at[1], &out, &n);
			at += 2;
		}
	}
	return out;
}

/* ---- what happened ------------------------------------------------------- */

static const struct sentence sent = {
	"%A verstuurde een verwijzing aan %B; de broker nam die aan.",
	"%A sent a referral to %B; the broker accepted it.",
};
static const struct sentence corrected = {
	"%A verstuurde een correctie van de verwijzing aan %B.",
	"%A sent a correction of the referral to %B.",
};
static const struct sentence withdrawn_all = {
	"%A gaf door dat de toestemming is ingetrokken, voor alles.",
	"%A passed on that the consent was withdrawn, for all of it.",
};
static const struct sentence withdrawn_feedback = {
	"%A gaf door dat de toestemming voor terugkoppeling is ingetrokken; "
	"de verwijzing zelf gaat door.",
	"%A passed on that the consent to feedback was withdrawn; the "
	"referral itself goes on.",
};
static const struct sentence answer_missed = {
	"Op %d was er nog geen antwoord. Beide partijen kregen bericht.",
	"No answer came by %d. Both parties were told.",
};
static const struct sentence shown_message = {
	"Na een verlies van de opslag van de broker is %m opnieuw getoond. "
	"Toestand: %s.",
	"After a loss of the broker's store %m was shown again. State: %s.",
};
static const struct sentence shown_unknown = {
	"Na een verlies van de opslag van de broker is %m opnieuw getoond.",
	"After a loss of the broker's store %m was shown again.",
};
static const struct sentence shown_paper = {
	"Na een verlies van de opslag van de broker is een stuk van dit "
	"gesprek opnieuw getoond.",
	"After a loss of the broker's store a paper of this conversation was "
	"shown again.",
};

static const struct sentence never_came = {
	"De verwijzing van %A kwam na dat verlies niet opnieuw, en verliep.",
	"The referral of %A did not come again after that loss, and "
	"expired.",
};

static const struct sentence steps[] = {	/* by milestone */
	[0] = { "%A stuurde een terugkoppeling aan %B.",
	  "%A sent feedback to %B." },
	[KL_MS_TAKEN_UP] = { "%A meldde aan %B dat de verwijzing is opgepakt.",
	  "%A told %B that the referral was taken up." },
	[KL_MS_IN_PROGRESS] = { "%A meldde aan %B dat de hulp loopt.",
	  "%A told %B that the help is in progress." },
	[KL_MS_ENDED] = { "%A meldde aan %B dat de hulp is beëindigd.",
	  "%A told %B that the help has ended." },
	[KL_MS_RETURNED] = { "%A gaf de verwijzing aan %B terug.",
	  "%A returned the referral to %B." },
};

static const struct sentence events[] = {
	[KL_EV_RELEASED] = { "De broker gaf %m af aan %B.",
	  "The broker released %m to %B." },
	[KL_EV_DELIVERED] = { "%B opende %m en tekende voor ontvangst.",
	  "%B opened %m and signed for its receipt." },
	[KL_EV_DEAD] = { "%M kon niet worden afgeleverd. %r",
	  "%M could not be delivered. %r" },
	[KL_EV_EXPIRED] = { "%M verliep: %B haalde die niet op tijd op.",
	  "%M expired: %B did not collect it in time." },
	[KL_EV_UNCONFIRMED] = { "%M was afgegeven maar niet bevestigd; of %B "
	  "de inhoud heeft, is niet zeker.",
	  "%M was released but not confirmed; whether %B has its content is "
	  "not certain." },
	[KL_EV_WITHDRAWN] = { "%M wachtte nog en wordt niet meer afgegeven.",
	  "%M was still waiting and will not be released any more." },
	[KL_EV_ERASED] = { "De broker wiste de sleutel van %m; de inhoud is "
	  "daar onleesbaar.",
	  "The broker erased the key of %m; its content is illegible "
	  "there." },
	[KL_EV_LOST] = { "%B had %m niet meer, want een andere installatie "
	  "nam het over.",
	  "%B no longer had %m, since another installation took over." },
	[KL_EV_DEADLINE] = { "%M was op %d nog niet geopend. Beide partijen "
	  "kregen bericht.",
	  "%M was not opened by %d. Both parties were told." },
	[KL_EV_ERASE_ASKED] = { "De broker vroeg %A om te wissen en dat te "
	  "bevestigen, uiterlijk %d.",
	  "The broker asked %A to erase and to confirm that by %d." },
	[KL_EV_ERASE_RECEIPT] = { "%A tekende het wisbewijs.",
	  "%A signed the receipt of erasure." },
	[KL_EV_ESCALATED] = { "Het wisbewijs van %A was er niet op %d. Beide "
	  "partijen kregen bericht.",
	  "The receipt of erasure of %A was missing at %d. Both parties were "
	  "told." },
	[KL_EV_QUERY] = { "%A bekeek dit gesprek in het logboek.",
	  "%A looked at this conversation in the log." },
	[KL_EV_CONSENT_ENDED] = { "De toestemming voor terugkoppeling liep "
	  "af.", "The consent to feedback came to its end." },
};
static const struct sentence looked = {
	"De beheerder van de broker bekeek dit gesprek in het logboek.",
	"The operator of the broker looked at this conversation in the log.",
};

static const struct sentence *
accepted(const struct kl_record *r)
{
	if (r->kind == KL_REFERRAL)
		return &sent;
	if (r->kind == KL_CORRECTION)
		return &corrected;
	return r->milestone <= KL_MS_RETURNED &&
	    steps[r->milestone].nl != NULL ? &steps[r->milestone] : &steps[0];
}

static const struct sentence *
sentence_of(const struct kl_record *r)
{
	switch (r->event) {
	case KL_EV_ACCEPTED:
		return accepted(r);
	case KL_EV_CONSENT_WITHDRAWN:
		return r->kind == KL_FEEDBACK ? &withdrawn_feedback :
		    &withdrawn_all;
	case KL_EV_PRESENTED:
		return r->kind == 0 ? &shown_paper : r->new_state == 0 ?
		    &shown_unknown : &shown_message;
	case KL_EV_EXPIRED:
		if (kl_bytes_zero(KL_BYTES_OF(r->msg_ref)))
			return &never_came;
		break;
	case KL_EV_DEADLINE:
		if (kl_bytes_zero(KL_BYTES_OF(r->msg_ref)))
			return &answer_missed;
		break;
	case KL_EV_QUERY:
		if (kl_id_none(&r->org_from))
			return &looked;
		break;
	default:
		break;
	}
	return r->event < sizeof events / sizeof events[0] &&
	    events[r->event].nl != NULL ? &events[r->event] : NULL;
}

struct audit_tell_text
audit_tell_record(const struct audit_tell *t, const struct kl_record *r)
{
	const struct sentence *s = sentence_of(r);
	const struct sentence other = { audit_words_event(r->event, KL_NL),
		audit_words_event(r->event, KL_EN) };

	return fill(t, s != NULL ? s : &other, r);
}

/* ---- terms --------------------------------------------------------------- */

static const struct sentence terms[] = {
	[AUDIT_TERM_DELIVER] = { "%M te openen, uiterlijk %d",
	  "%M to be opened by %d" },
	[AUDIT_TERM_ANSWER] = { "De verwijzing te beantwoorden, uiterlijk %d",
	  "The referral to be answered by %d" },
	[AUDIT_TERM_ERASE] = { "Wisbewijs van %A, uiterlijk %d",
	  "Receipt of erasure of %A by %d" },
};

static const struct sentence ends[] = {
	[AUDIT_END_RUNS] = { ": loopt nog.", ": still runs." },
	[AUDIT_END_KEPT] = { ": gehaald op %d.", ": kept, on %d." },
	[AUDIT_END_TOLD] = { ": gemist; gemeld op %d.",
	  ": missed; told on %d." },
	[AUDIT_END_UNTOLD] = { ": gemist; een melding staat niet in het "
	  "logboek.", ": missed; the log has no notice of it." },
	[AUDIT_END_OVER] = { ": verviel, want het eindigde eerder of anders.",
	  ": void, since it ended before or otherwise." },
};

struct audit_tell_text
audit_tell_due(const struct audit_tell *t, const struct audit_facts *f,
    const struct audit_facts_due *d)
{
	static const struct sentence late = { " Het gebeurde alsnog op %d.",
		" It happened after all, on %d." };
	const size_t when = d->end == AUDIT_END_TOLD ? d->told : d->met;
	struct audit_tell_text out = fill(t, &terms[d->term],
	    &f->at[d->begun].r), end;
	struct kl_record at = { .due_minute = 0 };
	size_t n = strlen(out.b);

	if (when != AUDIT_FACTS_NONE)
		at.due_minute = f->at[when].r.time_minute;
	end = fill(t, &ends[d->end], &at);
	add(&out, &n, end.b, strlen(end.b));
	if ((d->end != AUDIT_END_TOLD && d->end != AUDIT_END_UNTOLD) ||
	    d->met == AUDIT_FACTS_NONE)
		return out;
	at.due_minute = f->at[d->met].r.time_minute;
	end = fill(t, &late, &at);
	add(&out, &n, end.b, strlen(end.b));
	return out;
}

/* ---- what is open -------------------------------------------------------- */

static const struct sentence opens[] = {
	[AUDIT_OPEN_NOTHING] = { "", "" },
	[AUDIT_OPEN_WAITS] = { "%M wacht tot %B die ophaalt.",
	  "%M waits until %B collects it." },
	[AUDIT_OPEN_UNSURE] = { "%M is afgegeven; %B heeft die nog niet "
	  "geopend.", "%M was released; %B has not opened it yet." },
	[AUDIT_OPEN_KEY] = { "De broker moet de sleutel van %m nog wissen.",
	  "The broker has still to erase the key of %m." },
	[AUDIT_OPEN_ERASE] = { "Het wisbewijs van %A is er nog niet.",
	  "The receipt of erasure of %A is not there yet." },
	[AUDIT_OPEN_ANSWER] = { "%B heeft nog niet gemeld dat de verwijzing "
	  "is opgepakt.",
	  "%B has not yet told that the referral was taken up." },
	[AUDIT_OPEN_HELP] = { "De hulp bij %A loopt; een einde is nog niet "
	  "gemeld.",
	  "The help at %A is under way; no end was told yet." },
	[AUDIT_OPEN_SILENT] = { "%B heeft niet gemeld dat de verwijzing is "
	  "opgepakt. Er liep geen termijn voor: zonder toestemming voor "
	  "terugkoppeling wordt niets gemeld, of de termijn was al voorbij bij "
	  "het openen.",
	  "%B has not told that the referral was taken up. No term ran for "
	  "it: without consent to feedback nothing is told, or the term was "
	  "past when it was opened." },
	[AUDIT_OPEN_UNTOLD] = { "Hoe het verder gaat, wordt niet gemeld: de "
	  "toestemming voor terugkoppeling is ingetrokken.",
	  "How it goes on is not told: the consent to feedback was "
	  "withdrawn." },
};

struct audit_tell_text
audit_tell_open(const struct audit_tell *t, const struct kl_record *r,
    enum audit_facts_open open)
{
	return fill(t, &opens[open], r);
}
