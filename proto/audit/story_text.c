#include "proto/audit/story_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include <kortelijn/base/time.h>

#include "proto/audit/words.h"

#define COLUMNS 80
#define INDENT 2
#define TIMES 20		/* columns of an indent and a time */
#define HASH_SHOWN 8		/* bytes of a policy's hash */

struct page {
	FILE *f;
	const struct audit_story *s;
	bool english;
};

/* ---- lines --------------------------------------------------------------- */

/* Bytes of the next line of at most `width` characters, which breaks at a
 * blank where it can. */
static size_t
line_fits(const char *text, size_t width)
{
	size_t n = 0, chars = 0, blank = 0;

	for (; text[n] != '\0'; n++) {
		if (((unsigned char)text[n] & 0xc0) != 0x80 &&
		    chars++ == width)
			return blank > 0 ? blank : n;
		if (text[n] == ' ')
			blank = n;
	}
	return n;
}

/* `first` stands before the first line, blanks before the others. */
static void
put(const struct page *p, const char *first, int indent, const char *text)
{
	const size_t width = COLUMNS - (size_t)indent;
	size_t n;

	fprintf(p->f, "%-*s", indent, first);
	while (text[n = line_fits(text, width)] != '\0') {
		fprintf(p->f, "%.*s\n%*s", (int)n, text, indent, "");
		text += n + strspn(text + n, " ");
	}
	fprintf(p->f, "%s\n", text);
}

static const char *
either(const struct page *p, const char *nl, const char *en)
{
	return p->english ? en : nl;
}

static void
head(const struct page *p, const char *nl, const char *en)
{
	fprintf(p->f, "\n%s\n", either(p, nl, en));
}

static const char *
said(const struct audit_story *s, const char *nl, const char *en)
{
	return s->tell.lang == KL_EN ? en : nl;
}

/* ---- sentences that are not of one record -------------------------------- */

const char *
audit_story_text_begin_gone(const struct audit_story *s)
{
	if (s->earlier_log)
		return said(s, "Het begin staat niet in dit logboek. Er was "
		    "een logboek voor; wat daarin stond, staat in de export "
		    "ervan en bij de partijen.",
		    "Its beginning is not in this log. There was a log "
		    "before; what it held stands in its export and with the "
		    "parties.");
	return said(s, "Het begin staat niet meer in het logboek: die regels "
	    "zijn na hun termijn gewist, of niet voor deze vrager.",
	    "Its beginning is not in the log any more: those records were "
	    "erased after their term, or are not for this reader.");
}

const char *
audit_story_text_shown_again(const struct audit_story *s)
{
	return said(s, "De opslag van de broker ging tussentijds verloren. Wat "
	    "er toen gebeurde, staat in het logboek van daarvoor.",
	    "The broker's store was lost in between. What happened before "
	    "stands in the log before this one.");
}

const char *
audit_story_text_loose(const struct audit_story *s)
{
	return said(s, "Van sommige berichten is alleen het vervolg er nog: "
	    "hoe ze kwamen, staat er niet meer.",
	    "Of some messages only what followed is left: how they came is "
	    "not there any more.");
}

static const char *
staff(const struct audit_story *s)
{
	return said(s, "Wie het bij een organisatie deed, staat niet in dit "
	    "logboek maar in dat van de organisatie zelf, onder hetzelfde "
	    "kenmerk:",
	    "Who did it at an organisation does not stand in this log but in "
	    "the organisation's own, under the same reference:");
}

struct audit_tell_text
audit_story_text_ask(const struct audit_story *s, uint32_t role)
{
	struct audit_tell_text out;

	(void)snprintf(out.b, sizeof out.b, "kortelijn-%s subject log %s",
	    role == KL_PRACTICE ? "practice" : "municipality",
	    s->spoken ? s->reference : said(s, "KENMERK", "REFERENCE"));
	return out;
}

struct audit_tell_text
audit_story_text_looser(const struct audit_story *s,
    const struct audit_story_policy *p, enum kl_policy_key key)
{
	const struct kl_policy_row *row = kl_policy_row(key);
	const struct kl_policy_override *o = &p->file.override[key];
	struct audit_tell_text out;

	(void)snprintf(out.b, sizeof out.b, "%s = %s (%s %s), %s %s, %s",
	    row->key, kl_term_text(key, p->file.asked[key]).b,
	    said(s, "standaard", "default"), kl_term_text(key, row->value).b,
	    said(s, "akkoord van", "approved by"), o->approved_by,
	    kl_day_text(o->approved_on).b);
	return out;
}

/* ---- sections ------------------------------------------------------------ */

static void
put_parties(const struct page *p)
{
	struct audit_tell_text who;
	char text[200];
	struct kl_id id;
	uint32_t role;

	head(p, "Partijen", "Parties");
	for (size_t i = 0; audit_story_party(p->s, i, &id, &role); i++) {
		who = audit_tell_who(&p->s->tell, &id);
		(void)snprintf(text, sizeof text, "%.110s%s%s%s%s", who.b,
		    strcmp(who.b, kl_id_text(&id).b) == 0 ? "" : ", ",
		    strcmp(who.b, kl_id_text(&id).b) == 0 ? "" :
		    kl_id_text(&id).b, role != 0 ? ", " : "",
		    audit_words_role(role, p->s->tell.lang));
		put(p, "", INDENT, text);
	}
}

static void
put_consent(const struct page *p)
{
	const size_t i = audit_facts_referral(&p->s->facts);
	const struct kl_record *r = &p->s->facts.at[i == AUDIT_FACTS_NONE ?
	    0 : i].r;
	char text[65];

	head(p, "Toestemming", "Consent");
	kl_hex(KL_BYTES_OF(r->conv_ref), text);
	put(p, "", INDENT, either(p, "Gesprek en toestemming hebben in het "
	    "logboek het nummer", "Conversation and consent have in the log "
	    "the number"));
	put(p, "", 2 * INDENT, text);
	if (i == AUDIT_FACTS_NONE)
		return;
	kl_hex(KL_BYTES_OF(r->body_hash), text);
	put(p, "", INDENT, either(p, "De ondertekende verwijzing die de "
	    "toestemming draagt heeft de hash",
	    "The signed referral that carries the consent has the hash"));
	put(p, "", 2 * INDENT, text);
}

/* With where it stands, for who wants to prove it. */
static void
put_record(const struct page *p, const struct audit_fact *at)
{
	struct audit_tell_text text = audit_tell_record(&p->s->tell, &at->r);
	char first[TIMES + 1];
	size_t n = strlen(text.b);

	(void)snprintf(first, sizeof first, "%*s%.16s", INDENT, "",
	    audit_tell_minute(at->r.time_minute).b);
	(void)snprintf(text.b + n, sizeof text.b - n, " [%" PRIu64 "]",
	    at->leaf);
	put(p, first, TIMES, text.b);
}

/* Those that are questions to the log, or the others. */
static size_t
put_records(const struct page *p, bool queries)
{
	size_t n = 0;

	for (size_t i = 0; i < p->s->facts.n; i++) {
		const struct audit_fact *at = &p->s->facts.at[i];

		if ((at->r.event == KL_EV_QUERY) == queries) {
			put_record(p, at);
			n++;
		}
	}
	return n;
}

static void
put_looser(const struct page *p, const struct audit_story_policy *policy)
{
	bool any = false;

	if (!policy->known) {
		put(p, "", 2 * INDENT, either(p, "Wat erin stond, houdt de "
		    "broker niet meer.", "What it said the broker does not "
		    "hold any more."));
		return;
	}
	for (int key = 0; key < KL_POL_COUNT; key++)
		if (audit_story_looser(p->s, policy,
		    (enum kl_policy_key)key)) {
			if (!any)
				put(p, "", 2 * INDENT, either(p, "Ruimer dan "
				    "de standaard:",
				    "Looser than the default:"));
			any = true;
			put(p, "", 3 * INDENT, audit_story_text_looser(p->s,
			    policy, (enum kl_policy_key)key).b);
		}
	if (!any)
		put(p, "", 2 * INDENT, either(p, "Niets was ruimer dan de "
		    "standaard.", "Nothing was looser than the default."));
}

static void
put_policies(const struct page *p)
{
	char text[160], hash[2 * HASH_SHOWN + 1];

	head(p, "Beleid dat gold", "Policy in force");
	for (size_t i = 0; i < p->s->n_policy; i++) {
		const struct audit_policy *load = &p->s->policy[i].load;

		kl_hex(kl_bytes(load->hash.b, HASH_SHOWN), hash);
		(void)snprintf(text, sizeof text, "%s... %s %.16s [%" PRIu64
		    "]", hash, either(p, "geladen op", "loaded on"),
		    audit_tell_minute(load->minute).b, load->leaf);
		put(p, "", INDENT, text);
		put_looser(p, &p->s->policy[i]);
	}
	if (p->s->no_policy)
		put(p, "", INDENT, either(p, "Welk beleid gold bij een deel "
		    "hiervan, staat niet in het logboek.",
		    "Which policy was in force for some of it does not stand "
		    "in the log."));
}

static void
put_dues(const struct page *p)
{
	struct audit_facts_due d;
	size_t at = 0, n = 0;

	head(p, "Termijnen", "Terms");
	while (audit_facts_next_due(&p->s->facts, p->s->now_minute, &at, &d)) {
		put(p, "", INDENT, audit_tell_due(&p->s->tell, &p->s->facts,
		    &d).b);
		n++;
	}
	if (n == 0)
		put(p, "", INDENT, either(p, "Geen.", "None."));
}

static void
put_open(const struct page *p)
{
	struct audit_tell_text text;
	size_t n = 0;

	head(p, "Nog open", "Still open");
	for (size_t i = 0; i < p->s->facts.n; i++) {
		text = audit_tell_open(&p->s->tell, &p->s->facts.at[i].r,
		    audit_facts_open(&p->s->facts, i));
		if (text.b[0] == '\0')
			continue;
		put(p, "", INDENT, text.b);
		n++;
	}
	if (n == 0)
		put(p, "", INDENT, either(p, "Niets.", "Nothing."));
}

static void
put_gaps(const struct page *p)
{
	const bool begin = audit_facts_no_begin(&p->s->facts);
	const bool again = audit_facts_shown_again(&p->s->facts);
	bool loose = false;

	for (size_t i = 0; i < p->s->facts.n; i++)
		loose |= audit_facts_loose(&p->s->facts, i);
	if (!begin && !again && !loose)
		return;
	head(p, "Wat ontbreekt", "What is missing");
	if (begin)
		put(p, "", INDENT, audit_story_text_begin_gone(p->s));
	if (again)
		put(p, "", INDENT, audit_story_text_shown_again(p->s));
	if (loose)
		put(p, "", INDENT, audit_story_text_loose(p->s));
}

static void
put_staff(const struct page *p)
{
	struct kl_id id;
	uint32_t role;

	head(p, "Wie het deed", "Who did it");
	put(p, "", INDENT, staff(p->s));
	for (size_t i = 0; audit_story_party(p->s, i, &id, &role); i++) {
		put(p, "", 2 * INDENT, audit_story_text_ask(p->s, role).b);
		put(p, "", 3 * INDENT, audit_tell_who(&p->s->tell, &id).b);
	}
	put(p, "", INDENT, either(p, "De inhoud kent de broker niet. Of een "
	    "intrekking van de inwoner kwam of een verkeerde verzending "
	    "herstelt, staat niet in het logboek.",
	    "The broker does not know the content. Whether a withdrawal came "
	    "from the resident or repairs a wrong sending does not stand in "
	    "the log."));
}

void
audit_story_text(FILE *f, const struct audit_story *s)
{
	const struct page p = { .f = f, .s = s,
		.english = s->tell.lang == KL_EN };

	fprintf(f, "%s %s\n", either(&p, "Het verhaal van", "The story of"),
	    s->reference);
	put(&p, "", 0, either(&p, "Uit het logboek van de broker; tijden in "
	    "Nederland, [nummer van de regel].",
	    "From the broker's log; times in the Netherlands, [number of the "
	    "leaf]."));
	put(&p, "", 0, s->origin);
	put_parties(&p);
	put_consent(&p);
	head(&p, "Wat er gebeurde", "What happened");
	if (put_records(&p, false) == 0)
		put(&p, "", INDENT, either(&p, "Niets.", "Nothing."));
	put_dues(&p);
	put_open(&p);
	put_gaps(&p);
	put_policies(&p);
	head(&p, "Wie in het logboek keek", "Who looked in the log");
	if (put_records(&p, true) == 0)
		put(&p, "", INDENT, either(&p, "Niemand voor deze vraag.",
		    "Nobody before this question."));
	put(&p, "", INDENT, either(&p, "Vragen over meer dan dit gesprek, en "
	    "van wie deze vrager niet mag lezen, staan er niet bij.",
	    "Questions about more than this conversation, and of whom this "
	    "reader may not read, are not among them."));
	put_staff(&p);
}
