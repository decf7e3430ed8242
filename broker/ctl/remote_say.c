#include "broker/ctl/remote_say.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/host/loop.h>

#include "proto/cli/output.h"

static int64_t
now_ms(void)
{
	return kl_clock_now_ms(&(struct kl_clock){ 0 });
}

/* What the card says of itself, by the clock here; "" when it is valid. */
static const char *
card_now(const struct remote *r)
{
	if (now_ms() < r->a.from_ms)
		return ". By the clock here the card is not valid yet: look "
		    "at both";
	if (now_ms() >= r->a.until_ms)
		return ". By the clock here the card has ended: ask for a new "
		    "one, or look at the clock";
	return "";
}

int
remote_say_refused(const struct remote *r)
{
	return output_fail(r->link.cli, CLI_FAILED, "the broker refuses this "
	    "key: its card was revoked. The operator knows why and can issue "
	    "another");
}

/* The first address, of which there may be several. */
static int
first_of(const struct remote *r)
{
	return (int)strcspn(r->a.endpoints, "\n");
}

int
remote_say_no_link(const struct remote *r, bool silent)
{
	const char *more = strchr(r->a.endpoints, '\n') != NULL ?
	    " and the other addresses" : "";

	if (!silent)
		return output_fail(r->link.cli, CLI_NOT_RUNNING, "%.*s%s: "
		    "nobody answers. Is the address right, the network up, "
		    "and does a firewall let this machine through? 'kortelijn "
		    "audit setup %s --broker=ADDRESS' sets another",
		    first_of(r), r->a.endpoints, more, r->a.dir);
	return output_fail(r->link.cli, CLI_FAILED, "%.*s%s: the broker does "
	    "not take this key. Its operator takes the card up with "
	    "'kortelijn enrol accept'; and " AUDITOR_BROKER_CARD " in %s must "
	    "be of this broker%s", first_of(r), r->a.endpoints, more,
	    r->a.dir, card_now(r));
}

int
remote_say_no_answer(const struct remote *r)
{
	return output_fail(r->link.cli, CLI_NOT_RUNNING, "the broker does not "
	    "answer; its operator sees why in its log");
}

int
remote_say_senseless(const struct remote *r)
{
	return output_fail(r->link.cli, CLI_FAILED, "what the broker answers "
	    "is not understood");
}

int
remote_say_realm(const struct remote *r, uint32_t realm)
{
	return output_fail(r->link.cli, CLI_FAILED, "the broker is of the "
	    "realm %s, this card of %s: they never mix", kl_realm_name(realm),
	    kl_realm_name(r->a.trust.realm));
}

/* Codes of a card and of a session, for which there is something to do. */
static const struct advice {
	uint32_t code;
	const char *text;
} advices[] = {
	{ KL_C_CARD_UNKNOWN, "the broker does not know this card: its "
	  "operator takes it up with 'kortelijn enrol accept'" },
	{ KL_C_CARD_EXPIRED, "the card has ended: ask for a new one" },
	{ KL_C_CARD_NOT_YET, "the card is not valid yet" },
	{ KL_C_CARD_REVOKED, "the card was revoked. The operator knows why "
	  "and can issue another" },
	{ KL_C_INSTANCE_CONFLICT, "another copy of this directory is in use, "
	  "or this one was put back from a copy. If this one is to go on: "
	  "'kortelijn audit setup DIR --take-over'" },
	{ KL_C_SESSION_REPLACED, "another program began a session with this "
	  "card" },
	{ KL_C_NOT_SERVED, "this broker is too old: it answers no questions "
	  "about its log" },
};

int
remote_say_code(const struct remote *r, uint32_t code)
{
	const struct cli *c = r->link.cli;
	json_t *o;

	for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
		if (advices[i].code == code)
			return output_fail(c, CLI_FAILED, "%s%s",
			    advices[i].text, code == KL_C_CARD_EXPIRED ||
			    code == KL_C_CARD_NOT_YET ? card_now(r) : "");
	o = json_pack("{s:b,s:s,s:s}", "ok", 0, "code", kl_code_name(code),
	    "text", kl_code_text_en(code));
	(void)output_refused(c, o);
	json_decref(o);
	return CLI_FAILED;
}

void
remote_say_lost(struct remote *r)
{
	if (!r->lost_told)
		fprintf(stderr, "%s: the connection was lost; trying again\n",
		    r->link.cli->program->name);
	r->lost_told = true;
}

void
remote_say_clock(struct remote *r, int64_t time_ms)
{
	const int64_t off_ms = now_ms() - time_ms;

	if (r->clock_told || (off_ms < KL_MINUTE_MS &&
	    off_ms > -KL_MINUTE_MS))
		return;
	r->clock_told = true;
	fprintf(stderr, "%s: the clock here is %lld s %s that of the broker; "
	    "times in answers are the broker's\n", r->link.cli->program->name,
	    (long long)(off_ms < 0 ? -off_ms : off_ms) / KL_SECOND_MS,
	    off_ms < 0 ? "behind" : "ahead of");
}
