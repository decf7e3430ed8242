#include "proto/audit/words.h"

#include <string.h>

#include <kortelijn/base/code.h>

struct word {
	uint32_t value;
	const char *nl, *en;
};

static const struct word events[] = {
	{ KL_EV_ORIGIN, "begin van het logboek", "log begun" },
	{ KL_EV_CARD, "kaart opgenomen", "card taken up" },
	{ KL_EV_REVOCATION, "kaart ingetrokken", "card revoked" },
	{ KL_EV_POLICY, "beleid geladen", "policy loaded" },
	{ KL_EV_ACCEPTED, "aangenomen", "accepted" },
	{ KL_EV_RELEASED, "afgegeven", "released" },
	{ KL_EV_DELIVERED, "geopend", "opened" },
	{ KL_EV_DEAD, "niet af te leveren", "not deliverable" },
	{ KL_EV_EXPIRED, "verlopen", "expired" },
	{ KL_EV_UNCONFIRMED, "onbevestigd", "unconfirmed" },
	{ KL_EV_CONSENT_WITHDRAWN, "toestemming ingetrokken",
	  "consent withdrawn" },
	{ KL_EV_WITHDRAWN, "teruggehouden", "held back" },
	{ KL_EV_ERASED, "gewist", "erased" },
	{ KL_EV_LOST, "bij ontvanger verloren", "lost at the receiver" },
	{ KL_EV_PRESENTED, "opnieuw getoond", "shown again" },
	{ KL_EV_TAKE_OVER, "installatie overgenomen",
	  "installation taken over" },
	{ KL_EV_REFUSED, "geweigerd", "refused" },
	{ KL_EV_CONFLICT, "tegenstrijdig", "conflict" },
	{ KL_EV_DEADLINE, "termijn verstreken", "deadline missed" },
	{ KL_EV_ERASE_RECEIPT, "wisbewijs", "receipt of erasure" },
	{ KL_EV_BLOCKED, "deelnemer geblokkeerd", "participant blocked" },
	{ KL_EV_HOLD, "wissen op termijn stilgezet",
	  "erasure by term on hold" },
	{ KL_EV_QUERY, "logboek ingezien", "log read" },
	{ KL_EV_REPORTED_IN, "weer gemeld", "reported in again" },
	{ KL_EV_CONSENT_ENDED, "toestemming afgelopen", "consent ended" },
	{ KL_EV_ESCALATED, "wisbewijs ontbreekt",
	  "receipt of erasure missing" },
	{ KL_EV_READS_ALL, "goedkeuring om alles te lezen",
	  "approval to read all" },
	{ KL_EV_ERASE_ASKED, "om wissen gevraagd", "erasure asked for" },
	{ KL_EV_MONTH_LOST, "maand van het logboek verloren",
	  "month of the log lost" },
};

static const struct word kinds[] = {
	{ KL_REFERRAL, "verwijzing", "referral" },
	{ KL_CORRECTION, "correctie", "correction" },
	{ KL_FEEDBACK, "terugkoppeling", "feedback" },
};

static const struct word roles[] = {
	{ KL_PRACTICE, "praktijk", "practice" },
	{ KL_MUNICIPALITY, "gemeente", "municipality" },
	{ KL_PARTNER, "partner", "partner" },
	{ KL_AUDITOR, "auditor", "auditor" },
	{ KL_BROKER, "broker", "broker" },
};

static const struct word states[] = {
	{ KL_MSG_ACCEPTED, "aangenomen", "accepted" },
	{ KL_MSG_RELEASED, "afgegeven", "released" },
	{ KL_MSG_DELIVERED, "geopend", "opened" },
	{ KL_MSG_DEAD, "niet af te leveren", "not deliverable" },
	{ KL_MSG_EXPIRED, "verlopen", "expired" },
	{ KL_MSG_WITHDRAWN, "teruggehouden", "held back" },
	{ KL_MSG_UNCONFIRMED, "onbevestigd", "unconfirmed" },
	{ KL_MSG_LOST, "bij ontvanger verloren", "lost at the receiver" },
	{ KL_MSG_ERASED, "gewist", "erased" },
};

static const struct word milestones[] = {
	{ KL_MS_NONE, "geen stap", "no step" },
	{ KL_MS_TAKEN_UP, "opgepakt", "taken up" },
	{ KL_MS_IN_PROGRESS, "loopt", "in progress" },
	{ KL_MS_ENDED, "beëindigd", "ended" },
	{ KL_MS_RETURNED, "teruggegeven", "returned" },
};

#define DONE 1
#define REFUSED 2

static const struct word outcomes[] = {
	{ DONE, "gelukt", "done" },
	{ REFUSED, "geweigerd", "refused" },
};

#define COUNT(table) (sizeof (table) / sizeof (table)[0])

static const char *
find(const struct word *table, size_t n, uint32_t v, enum kl_lang lang)
{
	if (v == 0)
		return "";
	for (size_t i = 0; i < n; i++)
		if (table[i].value == v)
			return lang == KL_EN ? table[i].en : table[i].nl;
	return "?";
}

const char *
audit_words_event(uint32_t v, enum kl_lang lang)
{
	return find(events, COUNT(events), v, lang);
}

const char *
audit_words_kind(uint32_t v, enum kl_lang lang)
{
	return find(kinds, COUNT(kinds), v, lang);
}

const char *
audit_words_role(uint32_t v, enum kl_lang lang)
{
	return find(roles, COUNT(roles), v, lang);
}

const char *
audit_words_state(uint32_t v, enum kl_lang lang)
{
	return find(states, COUNT(states), v, lang);
}

const char *
audit_words_milestone(uint32_t v, enum kl_lang lang)
{
	return find(milestones, COUNT(milestones), v, lang);
}

const char *
audit_words_outcome(uint32_t v, enum kl_lang lang)
{
	return find(outcomes, COUNT(outcomes), v, lang);
}

const char *
audit_words_reason(uint32_t v, enum kl_lang lang)
{
	if (v == KL_C_OK || v == 0)
		return "";
	if (!kl_code_known(v))
		return "?";
	return lang == KL_EN ? kl_code_text_en(v) : kl_code_text_nl(v);
}

const char *
audit_words_outcome_name(uint32_t v)
{
	return audit_words_outcome(v, KL_EN);
}

enum audit_actor
audit_words_actor(const struct kl_record *r)
{
	switch (r->event) {
	case KL_EV_QUERY:
		return kl_id_none(&r->org_from) ? AUDIT_ACTOR_OPERATOR :
		    AUDIT_ACTOR_FROM;
	case KL_EV_ACCEPTED:
	case KL_EV_CONSENT_WITHDRAWN:
	case KL_EV_TAKE_OVER:
	case KL_EV_REFUSED:
	case KL_EV_CONFLICT:
	case KL_EV_ERASE_RECEIPT:
	case KL_EV_REPORTED_IN:
		return AUDIT_ACTOR_FROM;
	/* Who fetches is who gets it, and who gets it opens it. */
	case KL_EV_RELEASED:
	case KL_EV_DELIVERED:
		return AUDIT_ACTOR_TO;
	case KL_EV_DEAD:
		return r->actor_role == KL_BROKER ? AUDIT_ACTOR_BROKER :
		    AUDIT_ACTOR_TO;
	default:
		if (r->actor_role == KL_BROKER)
			return AUDIT_ACTOR_BROKER;
		/* A paper of its own, shown again after a loss. */
		return kl_id_equal(&r->org_from, &r->org_to) ?
		    AUDIT_ACTOR_FROM : AUDIT_ACTOR_UNKNOWN;
	}
}
