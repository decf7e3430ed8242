#include "adapters/common/letter_withdrawal.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/domain/calendar.h>

#include "adapters/common/phone.h"
#include "adapters/common/subject.h"

/* What one page is about. */
struct about {
	const struct config *c;
	const struct kl_policy *policy;
	struct engine_case k;
	struct engine_withdrawal w;
	const char *other;		/* name of the other side */
	struct phone phone;		/* of its desk */
	struct letter *l;
};

/* ---- values ---------------------------------------------------------- */

static struct letter_date
day(const struct about *a, int64_t at_ms)
{
	return letter_time(at_ms, (enum kl_lang)a->c->lang);
}

static const char *
name_of(const struct engine_told *t, struct kl_id_text *buf)
{
	*buf = kl_id_text(&t->id);
	return t->name[0] != '\0' ? t->name : buf->b;
}

static void
say(const struct about *a, enum text t, const char *other, int64_t at_ms)
{
	const struct letter_date date = day(a, at_ms);
	const struct texts_values v = {
		.date = at_ms != 0 ? date.b : NULL,
		.organisation = a->c->name, .other = other,
	};

	letter_say(a->l, t, &v);
}

/* A term counts to the end of its day. */
static void
say_by(const struct about *a, enum text t, int64_t at_ms)
{
	const struct letter_date date = letter_day(kl_day_of(
	    kl_calendar_local_ms(at_ms)), (enum kl_lang)a->c->lang);
	const struct texts_values v = { .date = date.b, .other = a->other };

	letter_say(a->l, t, &v);
}

/* One, or several with their number; nothing of none. */
static void
say_count(const struct about *a, enum text one, enum text more, uint32_t n)
{
	char count[16];
	const struct texts_values v = { .count = count };

	(void)snprintf(count, sizeof count, "%u", n);
	if (n > 0)
		letter_say(a->l, n == 1 ? one : more, &v);
}

/* By when the other side must have answered. */
static int64_t
answer_by(const struct about *a)
{
	return kl_calendar_add(NULL, a->w.done_ms, kl_policy_term(a->policy,
	    KL_POL_ERASE_RECEIPT_TERM));
}

static const struct engine_told *
told_by_peer(const struct about *a)
{
	for (size_t i = 0; i < a->w.n_told; i++)
		if (kl_id_equal(&a->w.told[i].id, &a->k.peer))
			return &a->w.told[i];
	return NULL;
}

/* ---- parts of both --------------------------------------------------- */

static void
put_head(const struct about *a, enum text when)
{
	letter_say_row(a->l, TEXT_REFERENCE, a->k.spoken.b[0] != '\0' ?
	    kl_spoken_text(&a->k.spoken).b : "");
	letter_say_row(a->l, TEXT_OWN_REFERENCE, a->k.referral_id);
	letter_say_row(a->l, TEXT_FROM, a->k.mine ? a->c->name : a->other);
	letter_say_row(a->l, TEXT_TO, a->k.mine ? a->other : a->c->name);
	if (when != 0)
		letter_say_row(a->l, when, day(a, a->w.at_ms).b);
}

/* Whom to call: the desk if its number is known. */
static void
put_call(const struct about *a)
{
	const struct kl_spoken_text spoken = kl_spoken_text(&a->k.spoken);
	const struct texts_values desk = { .organisation = a->other,
		.phone = a->phone.b };
	const struct texts_values ref = { .reference = spoken.b };

	if (a->phone.b[0] != '\0')
		letter_say(a->l, TEXT_CALL, &desk);
	if (a->k.spoken.b[0] != '\0')
		letter_say(a->l, TEXT_NAME_REFERENCE, &ref);
}

/* ---- for the resident ------------------------------------------------ */

static void
put_what(const struct about *a)
{
	say(a, TEXT_WITHDRAWAL_ON, NULL, a->w.at_ms);
	if (a->w.scope == KL_SCOPE_ALL) {
		letter_say(a->l, TEXT_WITHDRAWAL_ALL, NULL);
		return;
	}
	letter_say(a->l, TEXT_WITHDRAWAL_FEEDBACK, NULL);
	letter_say(a->l, TEXT_WITHDRAWAL_HELP_GOES_ON, NULL);
}

static void
put_counts(const struct about *a)
{
	/* The broker names it when it takes it. */
	if (a->k.mine && a->k.spoken.b[0] == '\0')
		letter_say(a->l, TEXT_WITHDRAWAL_NEVER_SENT, NULL);
	else if (a->w.erased == 0)
		letter_say(a->l, TEXT_WITHDRAWAL_ERASED_NONE, NULL);
	say_count(a, TEXT_WITHDRAWAL_ERASED_ONE, TEXT_WITHDRAWAL_ERASED,
	    a->w.erased);
	say_count(a, TEXT_WITHDRAWAL_RELEASED_ONE, TEXT_WITHDRAWAL_RELEASED,
	    a->w.released_before);
	say_count(a, TEXT_WITHDRAWAL_UNCONFIRMED_ONE,
	    TEXT_WITHDRAWAL_UNCONFIRMED, a->w.unconfirmed);
}

static void
put_told(const struct about *a, const struct engine_told *t)
{
	struct kl_id_text buf;
	const char *name = name_of(t, &buf);

	if (a->w.scope == KL_SCOPE_FEEDBACK) {
		say(a, TEXT_WITHDRAWAL_FEEDBACK_THERE, name, t->at_ms);
		return;
	}
	switch (t->case_system) {
	case KL_KEPT_ON_OWN_BASIS:
		say(a, TEXT_WITHDRAWAL_KEPT_THERE, name, t->at_ms);
		break;
	case KL_ERASED:
		say(a, TEXT_WITHDRAWAL_ERASED_THERE, name, t->at_ms);
		break;
	default:
		say(a, t->adapter_copy == KL_ERASED ?
		    TEXT_WITHDRAWAL_ERASED_THERE :
		    TEXT_WITHDRAWAL_NOTHING_THERE, name, t->at_ms);
		break;
	}
}

/* Who may still have something, and what they said. */
static void
put_others(const struct about *a)
{
	for (size_t i = 0; i < a->w.n_told; i++)
		put_told(a, &a->w.told[i]);
	if (told_by_peer(a) != NULL ||
	    a->w.released_before + a->w.unconfirmed == 0)
		return;
	if (a->w.covered) {
		say(a, TEXT_WITHDRAWAL_THERE_TOO, a->other, 0);
		return;
	}
	say_by(a, a->w.scope == KL_SCOPE_FEEDBACK ?
	    TEXT_WITHDRAWAL_FEEDBACK_ASKED : TEXT_WITHDRAWAL_ASKED,
	    answer_by(a));
	if (a->w.missing_ms != 0)
		say(a, TEXT_WITHDRAWAL_NO_ANSWER, a->other, 0);
}

static void
make_confirmation(const struct about *a)
{
	const struct texts_values us = { .organisation = a->c->name };
	const bool all = a->w.scope == KL_SCOPE_ALL;

	put_head(a, 0);
	put_what(a);
	put_counts(a);
	put_others(a);
	if (all)
		letter_say(a->l, TEXT_WITHDRAWAL_ONWARD, NULL);
	letter_say(a->l, TEXT_WITHDRAWAL_PROOF, NULL);
	if (a->c->role == KL_PRACTICE)
		letter_say(a->l, TEXT_WITHDRAWAL_FILE, NULL);
	if (all)
		letter_say(a->l, TEXT_WITHDRAWAL_AGAIN, NULL);
	letter_say(a->l, TEXT_ASK, &us);
	put_call(a);
	letter_say(a->l, TEXT_COMPLAINT, NULL);
}

/* ---- for the practice ------------------------------------------------ */

/* No receipt of it came, and they say that they had nothing. */
static bool
never_there(const struct about *a, const struct engine_told *t)
{
	return t != NULL && a->k.delivered_ms == 0 &&
	    t->adapter_copy == KL_NOTHING_HELD &&
	    t->case_system == KL_NOTHING_HELD;
}

/* Was it opened, and by whom? Nothing else is known of it here. */
static void
put_opened(const struct about *a)
{
	const struct engine_told *t = told_by_peer(a);

	if (never_there(a, t)) {
		say(a, TEXT_BREACH_NOTHING_THERE, a->other, t->at_ms);
		return;
	}
	if (a->k.delivered_ms != 0) {
		say(a, TEXT_BREACH_OPENED, a->other, a->k.delivered_ms);
		letter_say(a->l, TEXT_BREACH_NO_CONTACT, NULL);
	} else if (a->w.released_before + a->w.unconfirmed > 0) {
		say(a, TEXT_BREACH_UNCERTAIN, a->other, 0);
		letter_say(a->l, TEXT_BREACH_NO_CONTACT, NULL);
	} else {
		letter_say(a->l, TEXT_BREACH_NOT_OPENED, NULL);
	}
}

static void
put_erased(const struct about *a)
{
	const struct engine_told *t = told_by_peer(a);

	if (never_there(a, t))
		return;
	if (t != NULL)
		say(a, TEXT_BREACH_ERASED, a->other, t->at_ms);
	else if (a->k.delivered_ms != 0 ||
	    a->w.released_before + a->w.unconfirmed > 0)
		say_by(a, TEXT_BREACH_NOT_ERASED, answer_by(a));
}

static void
make_note(const struct about *a)
{
	const struct engine_told *t = told_by_peer(a);

	put_head(a, TEXT_BREACH_FOUND_ON);
	if (a->k.delivered_ms != 0) {
		letter_say_row(a->l, TEXT_OPENED_ON,
		    day(a, a->k.delivered_ms).b);
		letter_say_row(a->l, TEXT_BREACH_BY, a->other);
	}
	if (t != NULL && !never_there(a, t))
		letter_say_row(a->l, TEXT_BREACH_ERASED_ON,
		    day(a, t->at_ms).b);
	say(a, TEXT_BREACH_WHAT, NULL, a->w.at_ms);
	put_opened(a);
	put_erased(a);
	letter_say(a->l, TEXT_BREACH_ASSESS, NULL);
	letter_say(a->l, TEXT_BREACH_TERM, NULL);
	letter_say(a->l, TEXT_BREACH_PERSON, NULL);
	letter_say(a->l, TEXT_BREACH_KEEP, NULL);
	if (a->phone.b[0] != '\0')
		put_call(a);
}

/* ---- the page -------------------------------------------------------- */

static int
find(struct engine *e, const struct kl_conv_id *conv, struct about *a)
{
	int r;

	memset(a, 0, sizeof *a);
	a->c = engine_config(e);
	a->policy = engine_policy(e);
	if ((r = engine_case_get(e, conv, &a->k)) != KL_OK ||
	    (r = engine_withdrawal(e, conv, &a->w)) != KL_OK)
		return r;
	if (!a->w.ours)
		return KL_E_NOT_FOUND;
	a->other = a->k.peer_name;
	a->phone = phone_of(e, &a->k.peer, false);
	return a->w.done ? KL_OK : KL_E_EMPTY;
}

int
letter_withdrawal_make(struct engine *e, const struct engine_actor *by,
    const struct kl_conv_id *conv, enum letter_form form, char **out,
    size_t *n)
{
	struct kl_id_text peer;
	struct letter_options o;
	struct about a;
	bool note;
	int r = find(e, conv, &a);

	*out = NULL;
	if (r != KL_OK || (r = subject_log(e, by, ENGINE_PRINTED, conv)) !=
	    KL_OK)
		return r;
	peer = kl_id_text(&a.k.peer);
	if (a.other[0] == '\0')
		a.other = peer.b;
	note = a.w.cause == KL_CAUSE_SENT_IN_ERROR;
	o = (struct letter_options){ form, (enum kl_lang)a.c->lang,
		a.c->realm == KL_TRAINING };
	r = letter_new(&o, texts_get(note ? TEXT_BREACH_TITLE :
	    TEXT_WITHDRAWAL_TITLE, o.lang), &a.l);
	if (r != KL_OK)
		return r;
	if (note)
		make_note(&a);
	else
		make_confirmation(&a);
	return letter_take(a.l, out, n);
}
