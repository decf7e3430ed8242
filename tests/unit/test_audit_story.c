#include "proto/audit/story.h"

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/wire/request.h>

#include "tests/support/said.h"

#define ORIGIN "oin-00000009000000000001/log/20261124T234512Z-7K3MQ9VD"
#define ORG_A "agb:01234567"
#define ORG_B "oin:00000001000000000001"
#define CONV "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
#define NOON (INT64_C(1795536000) / 60)	/* 2026-11-24 17:00 local */
#define HOUR 60
#define DAY (24 * HOUR)
#define LOG_MAX 64

/* ---- a log --------------------------------------------------------------- */

/* What the broker holds, and what it was asked. */
static struct {
	struct audit_fact at[LOG_MAX];
	size_t n;
	const char *policy;		/* NULL: not held any more */
	bool forgotten;			/* the spoken reference */
	int64_t now_minute;
	size_t queries;
} log_;

static struct said said;

static struct kl_id
id(const char *text)
{
	struct kl_id out;

	ck_assert_int_eq(kl_id_read(text, &out), KL_OK);
	return out;
}

static void
setup(void)
{
	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	memset(&log_, 0, sizeof log_);
	log_.policy = "[policy]\n";
	log_.now_minute = NOON + DAY / 2;
}

/* The next record; leaf numbers leave room between them. */
static struct kl_record *
add(uint32_t event, int64_t minute)
{
	struct audit_fact *f = &log_.at[log_.n++];

	ck_assert_uint_lt(log_.n, LOG_MAX);
	memset(f, 0, sizeof *f);
	f->leaf = 10 * log_.n;
	f->r = (struct kl_record){ .version = 1, .event = event,
		.time_minute = minute, .actor_role = KL_BROKER,
		.outcome = 1, .reason = KL_C_OK, .count = 1 };
	return &f->r;
}

static struct kl_record *
add_in(uint32_t event, int64_t minute, const char *from, const char *to)
{
	struct kl_record *r = add(event, minute);

	for (size_t i = 0; i < sizeof r->conv_ref.b; i++)
		r->conv_ref.b[i] = (uint8_t)(0xc0 + i);
	r->org_from = id(from);
	r->org_to = id(to);
	return r;
}

static struct kl_record *
message(uint32_t event, int64_t minute, uint8_t msg, uint32_t kind,
    uint32_t state)
{
	const bool back = kind == KL_FEEDBACK;
	struct kl_record *r = add_in(event, minute, back ? ORG_B : ORG_A,
	    back ? ORG_A : ORG_B);

	r->msg_ref.b[0] = msg;
	r->kind = kind;
	r->new_state = state;
	memset(r->body_hash.b, msg, sizeof r->body_hash.b);
	if (event == KL_EV_ACCEPTED)
		r->actor_role = back ? KL_MUNICIPALITY : KL_PRACTICE;
	if (event == KL_EV_RELEASED || event == KL_EV_DELIVERED)
		r->actor_role = back ? KL_PRACTICE : KL_MUNICIPALITY;
	return r;
}

/* Sent at NOON, to be opened within two days. */
static void
sent(void)
{
	message(KL_EV_ACCEPTED, NOON, 1, KL_REFERRAL,
	    KL_MSG_ACCEPTED)->due_minute = NOON + 2 * DAY;
}

/* Opened an hour later, to be answered within a week. */
static void
opened(void)
{
	message(KL_EV_RELEASED, NOON + HOUR, 1, KL_REFERRAL,
	    KL_MSG_RELEASED);
	message(KL_EV_DELIVERED, NOON + HOUR, 1, KL_REFERRAL,
	    KL_MSG_DELIVERED)->due_minute = NOON + 7 * DAY;
	message(KL_EV_ERASED, NOON + HOUR, 1, KL_REFERRAL, KL_MSG_ERASED);
}

static void
feedback(int64_t minute, uint8_t msg, uint32_t milestone)
{
	message(KL_EV_ACCEPTED, minute, msg, KL_FEEDBACK,
	    KL_MSG_ACCEPTED)->milestone = milestone;
	message(KL_EV_RELEASED, minute, msg, KL_FEEDBACK,
	    KL_MSG_RELEASED)->milestone = milestone;
	message(KL_EV_DELIVERED, minute, msg, KL_FEEDBACK,
	    KL_MSG_DELIVERED)->milestone = milestone;
	message(KL_EV_ERASED, minute, msg, KL_FEEDBACK,
	    KL_MSG_ERASED)->milestone = milestone;
}

static struct audit_facts
facts(void)
{
	return (struct audit_facts){ .at = log_.at, .n = log_.n };
}

/* The i-th term. */
static struct audit_facts_due
due(size_t i, int64_t now_minute)
{
	const struct audit_facts f = facts();
	struct audit_facts_due d;
	size_t at = 0;

	do
		ck_assert(audit_facts_next_due(&f, now_minute, &at, &d));
	while (i-- > 0);
	return d;
}

/* What is open first, and that it is all. */
static enum audit_facts_open
open_only(void)
{
	const struct audit_facts f = facts();
	enum audit_facts_open found = AUDIT_OPEN_NOTHING, o;

	for (size_t i = 0; i < f.n; i++)
		if ((o = audit_facts_open(&f, i)) != AUDIT_OPEN_NOTHING) {
			ck_assert_int_eq(found, AUDIT_OPEN_NOTHING);
			found = o;
		}
	return found;
}

/* ---- terms --------------------------------------------------------------- */

START_TEST(term_runs_until_it_is_kept)
{
	sent();
	ck_assert_int_eq(due(0, NOON).end, AUDIT_END_RUNS);
	ck_assert_int_eq(due(0, NOON).term, AUDIT_TERM_DELIVER);
	opened();
	ck_assert_int_eq(due(0, NOON).end, AUDIT_END_KEPT);
	ck_assert_uint_eq(due(0, NOON).met, 2);
	ck_assert_int_eq(due(1, NOON).term, AUDIT_TERM_ANSWER);
	ck_assert_int_eq(due(1, NOON).end, AUDIT_END_RUNS);
	feedback(NOON + 2 * DAY, 2, KL_MS_TAKEN_UP);
	ck_assert_int_eq(due(1, NOON).end, AUDIT_END_KEPT);
}
END_TEST

START_TEST(missed_term_has_its_notice)
{
	struct kl_record *r;

	sent();
	r = message(KL_EV_DEADLINE, NOON + 2 * DAY, 1, KL_REFERRAL, 0);
	r->due_minute = NOON + 2 * DAY;
	ck_assert_int_eq(due(0, NOON + 3 * DAY).end, AUDIT_END_TOLD);
	ck_assert_uint_eq(due(0, NOON + 3 * DAY).told, 1);
	ck_assert_uint_eq(due(0, NOON + 3 * DAY).met, AUDIT_FACTS_NONE);
	message(KL_EV_DELIVERED, NOON + 3 * DAY, 1, KL_REFERRAL,
	    KL_MSG_DELIVERED);
	ck_assert_int_eq(due(0, NOON + 3 * DAY).end, AUDIT_END_TOLD);
	ck_assert_uint_eq(due(0, NOON + 3 * DAY).met, 2);
}
END_TEST

START_TEST(missed_term_without_notice_shows)
{
	sent();
	ck_assert_int_eq(due(0, NOON + 2 * DAY + 10).end, AUDIT_END_RUNS);
	ck_assert_int_eq(due(0, NOON + 2 * DAY + 11).end, AUDIT_END_UNTOLD);
	message(KL_EV_DELIVERED, NOON + 3 * DAY, 1, KL_REFERRAL,
	    KL_MSG_DELIVERED);
	ck_assert_int_eq(due(0, NOON + 3 * DAY).end, AUDIT_END_UNTOLD);
}
END_TEST

START_TEST(notice_of_another_message_is_none_of_this)
{
	struct kl_record *r;

	sent();
	r = message(KL_EV_DEADLINE, NOON + 2 * DAY, 9, KL_REFERRAL, 0);
	r->due_minute = NOON + 2 * DAY;
	ck_assert_int_eq(due(0, NOON + 3 * DAY).end, AUDIT_END_UNTOLD);
}
END_TEST

START_TEST(answer_that_is_missed_is_told_without_a_message)
{
	struct kl_record *r;

	sent();
	opened();
	r = add_in(KL_EV_DEADLINE, NOON + 7 * DAY, ORG_A, ORG_B);
	r->due_minute = NOON + 7 * DAY;
	r->kind = KL_REFERRAL;
	ck_assert_int_eq(due(1, NOON + 8 * DAY).end, AUDIT_END_TOLD);
}
END_TEST

START_TEST(term_of_what_ended_is_void)
{
	sent();
	message(KL_EV_WITHDRAWN, NOON + HOUR, 1, KL_REFERRAL,
	    KL_MSG_WITHDRAWN);
	ck_assert_int_eq(due(0, NOON + 9 * DAY).end, AUDIT_END_OVER);
}
END_TEST

START_TEST(expiry_says_more_than_a_notice)
{
	sent();
	message(KL_EV_EXPIRED, NOON + 3 * DAY, 1, KL_REFERRAL,
	    KL_MSG_EXPIRED);
	ck_assert_int_eq(due(0, NOON + 9 * DAY).end, AUDIT_END_OVER);
}
END_TEST

START_TEST(referral_that_is_sealed_again_has_a_term_of_its_own)
{
	sent();
	opened();
	message(KL_EV_LOST, NOON + 2 * HOUR, 1, KL_REFERRAL, KL_MSG_LOST);
	message(KL_EV_ACCEPTED, NOON + 3 * HOUR, 2, KL_REFERRAL,
	    KL_MSG_ACCEPTED);
	message(KL_EV_DELIVERED, NOON + 4 * HOUR, 2, KL_REFERRAL,
	    KL_MSG_DELIVERED)->due_minute = NOON + 8 * DAY;
	ck_assert_int_eq(due(1, NOON + 7 * DAY + HOUR).end, AUDIT_END_OVER);
	ck_assert_int_eq(due(2, NOON + 7 * DAY).end, AUDIT_END_RUNS);
}
END_TEST

static void
withdrawn(void)
{
	struct kl_record *r = add_in(KL_EV_CONSENT_WITHDRAWN, NOON + 2 * HOUR,
	    ORG_A, ORG_B);

	r->actor_role = KL_PRACTICE;
	r = add_in(KL_EV_ERASE_ASKED, NOON + 2 * HOUR, ORG_B, ORG_A);
	r->due_minute = NOON + 5 * DAY;
}

START_TEST(receipt_of_erasure_has_its_term)
{
	struct kl_record *r;

	sent();
	opened();
	withdrawn();
	ck_assert_int_eq(due(1, NOON + 9 * DAY).end, AUDIT_END_OVER);
	ck_assert_int_eq(due(2, NOON).end, AUDIT_END_RUNS);
	ck_assert_int_eq(open_only(), AUDIT_OPEN_ERASE);
	r = add_in(KL_EV_ESCALATED, NOON + 5 * DAY, ORG_B, ORG_A);
	r->due_minute = NOON + 5 * DAY;
	ck_assert_int_eq(due(2, NOON + 6 * DAY).end, AUDIT_END_TOLD);
	ck_assert_int_eq(open_only(), AUDIT_OPEN_ERASE);
	r = add_in(KL_EV_ERASE_RECEIPT, NOON + 6 * DAY, ORG_B, ORG_A);
	r->due_minute = NOON + 5 * DAY;
	ck_assert_uint_eq(due(2, NOON + 6 * DAY).met, log_.n - 1);
	ck_assert_int_eq(open_only(), AUDIT_OPEN_NOTHING);
}
END_TEST

/* ---- what is open -------------------------------------------------------- */

START_TEST(what_is_open_follows_the_case)
{
	sent();
	ck_assert_int_eq(open_only(), AUDIT_OPEN_WAITS);
	message(KL_EV_RELEASED, NOON + HOUR, 1, KL_REFERRAL,
	    KL_MSG_RELEASED);
	ck_assert_int_eq(open_only(), AUDIT_OPEN_UNSURE);
	log_.n--;
	opened();
	ck_assert_int_eq(open_only(), AUDIT_OPEN_ANSWER);
	feedback(NOON + DAY, 2, KL_MS_TAKEN_UP);
	ck_assert_int_eq(open_only(), AUDIT_OPEN_HELP);
	feedback(NOON + 2 * DAY, 3, KL_MS_IN_PROGRESS);
	ck_assert_int_eq(open_only(), AUDIT_OPEN_HELP);
	feedback(NOON + 3 * DAY, 4, KL_MS_ENDED);
	ck_assert_int_eq(open_only(), AUDIT_OPEN_NOTHING);
}
END_TEST

/* Without consent to feedback there is no term, and nothing to wait for; what
 * was opened late has none either, and is still to be taken up. */
START_TEST(what_has_no_term_for_an_answer_is_said)
{
	sent();
	message(KL_EV_DELIVERED, NOON + HOUR, 1, KL_REFERRAL,
	    KL_MSG_DELIVERED);
	message(KL_EV_ERASED, NOON + HOUR, 1, KL_REFERRAL, KL_MSG_ERASED);
	ck_assert_int_eq(open_only(), AUDIT_OPEN_SILENT);
	log_.n = 0;
	sent();
	message(KL_EV_DELIVERED, NOON + 3 * DAY, 1, KL_REFERRAL,
	    KL_MSG_DELIVERED);
	message(KL_EV_ERASED, NOON + 3 * DAY, 1, KL_REFERRAL, KL_MSG_ERASED);
	ck_assert_int_eq(open_only(), AUDIT_OPEN_ANSWER);
}
END_TEST

/* Nobody owes news that the resident no longer wants told. */
START_TEST(what_is_not_told_any_more_is_said)
{
	sent();
	opened();
	add_in(KL_EV_CONSENT_WITHDRAWN, NOON + 2 * HOUR, ORG_A,
	    ORG_B)->kind = KL_FEEDBACK;
	ck_assert_int_eq(open_only(), AUDIT_OPEN_UNTOLD);
	log_.n--;
	feedback(NOON + DAY, 2, KL_MS_TAKEN_UP);
	add_in(KL_EV_CONSENT_WITHDRAWN, NOON + DAY, ORG_A,
	    ORG_B)->kind = KL_FEEDBACK;
	ck_assert_int_eq(open_only(), AUDIT_OPEN_UNTOLD);
	add_in(KL_EV_CONSENT_WITHDRAWN, NOON + 2 * DAY, ORG_A, ORG_B);
	ck_assert_int_eq(open_only(), AUDIT_OPEN_NOTHING);
}
END_TEST

START_TEST(key_that_is_not_wiped_is_open)
{
	sent();
	message(KL_EV_EXPIRED, NOON + 3 * DAY, 1, KL_REFERRAL,
	    KL_MSG_EXPIRED);
	ck_assert_int_eq(open_only(), AUDIT_OPEN_KEY);
	message(KL_EV_ERASED, NOON + 3 * DAY, 1, KL_REFERRAL, KL_MSG_ERASED);
	ck_assert_int_eq(open_only(), AUDIT_OPEN_NOTHING);
}
END_TEST

/* ---- what is missing ----------------------------------------------------- */

START_TEST(missing_beginning_shows)
{
	struct audit_facts f;

	opened();
	f = facts();
	ck_assert(audit_facts_no_begin(&f));
	ck_assert(audit_facts_loose(&f, 0));
	ck_assert(!audit_facts_loose(&f, 1));
	ck_assert(!audit_facts_shown_again(&f));
	ck_assert_uint_eq(audit_facts_referral(&f), AUDIT_FACTS_NONE);
	message(KL_EV_PRESENTED, NOON + DAY, 2, KL_REFERRAL,
	    KL_MSG_DELIVERED);
	f = facts();
	ck_assert(audit_facts_no_begin(&f));
	ck_assert(audit_facts_shown_again(&f));
	sent();
	f.n = log_.n;
	f.at = log_.at + 4;
	f.n = 1;
	ck_assert(!audit_facts_no_begin(&f));
}
END_TEST

/* ---- the command --------------------------------------------------------- */

static uint8_t answer[1 << 16];

static bool
fits(const struct kl_query_what *what, const struct kl_record *r)
{
	return (what->event == 0 || what->event == r->event) &&
	    ((kl_bytes_zero(KL_BYTES_OF(what->conv_ref)) &&
	    what->spoken[0] == 0) ||
	    !kl_bytes_zero(KL_BYTES_OF(r->conv_ref)));
}

/* One page of all that fits. */
static int
answer_records(struct kl_bytes packed, struct kl_arena *mem,
    struct kl_query_reply *out)
{
	static uint8_t record[LOG_MAX][KL_RECORD_MAX];
	static uint8_t logged[LOG_MAX][KL_RECORD_MAX + 64];
	struct kl_query_what what;
	struct kl_logged l = { 0 };
	size_t n;

	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_QUERY_WHAT, packed, mem, &what),
	    KL_C_OK);
	if (log_.forgotten && what.spoken[0] != 0)
		return KL_C_REFERRAL_UNKNOWN;
	for (size_t i = 0; i < log_.n; i++) {
		if (!fits(&what, &log_.at[i].r))
			continue;
		ck_assert_int_eq(KL_STATEMENT_PACK(KL_S_RECORD,
		    &log_.at[i].r, record[i], sizeof record[i], &n), KL_OK);
		l.leaf = log_.at[i].leaf;
		l.record = kl_bytes(record[i], n);
		ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_LOGGED, &l, logged[i],
		    sizeof logged[i], &n), KL_OK);
		out->logged[out->n_logged++] = kl_bytes(logged[i], n);
	}
	return KL_C_OK;
}

static void
answer_state(struct kl_query_reply *out)
{
	static uint8_t state[4096];
	const struct kl_query_state s = { .erasure = KL_STATE_VERIFIED,
		.master_key = KL_STATE_SEALED, .clock_held = KL_NO,
		.signed_ms = log_.now_minute * KL_MINUTE_MS,
		.note = kl_bytes_str(ORIGIN "\n7\nAAAA\n\n- x\n") };
	size_t n;

	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_QUERY_STATE, &s, state,
	    sizeof state, &n), KL_OK);
	out->part = kl_bytes(state, n);
	out->total = n;
}

static int
answer_query(struct kl_bytes body, struct kl_arena *mem)
{
	struct kl_query_reply reply = { .ticket = 1000 + log_.queries++ };
	struct kl_query q;
	int code = KL_C_OK;
	size_t n;

	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_QUERY, body, mem, &q), KL_C_OK);
	if (q.want == KL_QUERY_RECORDS)
		code = answer_records(q.what, mem, &reply);
	else if (q.want == KL_QUERY_STATE)
		answer_state(&reply);
	else if (log_.policy == NULL)
		code = KL_C_POLICY_UNKNOWN;
	else
		reply.part = kl_bytes(log_.policy,
		    reply.total = strlen(log_.policy));
	if (code != KL_C_OK)
		return -code;
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_QUERY_REPLY, &reply, answer,
	    sizeof answer, &n), KL_OK);
	return (int)n;
}

static int
log_ask(struct audit_link *l, uint32_t request, struct kl_bytes body,
    struct kl_arena *mem, struct kl_bytes *reply)
{
	const int n = answer_query(body, mem);

	ck_assert_uint_eq(request, KL_QUERY);
	l->code = n < 0 ? (uint32_t)-n : KL_C_OK;
	if (n < 0) {
		ck_assert_uint_eq(l->quiet, l->code);
		return CLI_FAILED;
	}
	*reply = kl_bytes(answer, (size_t)n);
	return CLI_OK;
}

static int
tell(const char *reference, const char *option)
{
	static const struct cli_program program = { .name = "kortelijn",
		.daemon = "the broker" };
	char *words[] = { (char *)(uintptr_t)reference,
		(char *)(uintptr_t)option };
	struct cli c = { .program = &program, .words = words,
		.n_words = option != NULL ? 2 : 1, .arg = { reference },
		.n_args = 1, .json = option != NULL &&
		strcmp(option, "--json") == 0 };
	struct audit_link l = { .cli = &c, .ask = log_ask };
	int r;

	said_begin(&said);
	r = audit_story(&c, &l, NULL, NULL);
	said_end(&said);
	return r;
}

/* On one line, so that a sentence is found wherever it breaks. */
static bool
says(const char *text)
{
	static char flat[sizeof said.out];
	size_t n = 0;

	for (const char *at = said.out; *at != '\0'; at++) {
		const bool blank = *at == ' ' || *at == '\n';

		if (!blank || (n > 0 && flat[n - 1] != ' '))
			flat[n++] = blank ? ' ' : *at;
	}
	flat[n] = '\0';
	return strstr(flat, text) != NULL;
}

static void
policy_loaded(void)
{
	const struct kl_bytes text = kl_bytes_str(log_.policy != NULL ?
	    log_.policy : "x");

	add(KL_EV_POLICY, NOON - DAY)->body_hash = kl_sha256_parts(&text, 1);
}

START_TEST(story_is_told_in_dutch)
{
	size_t n;

	policy_loaded();
	sent();
	opened();
	feedback(NOON + 2 * HOUR, 2, KL_MS_TAKEN_UP);
	withdrawn();
	add_in(KL_EV_QUERY, NOON + 3 * HOUR, "kvk:12345678",
	    ORG_B)->org_to = (struct kl_id){ { 0 } };
	ck_assert_int_eq(tell(CONV, NULL), CLI_OK);
	ck_assert(says("Het verhaal van " CONV));
	ck_assert(says(ORIGIN));
	ck_assert(says(ORG_A ", praktijk"));
	ck_assert(says(ORG_B ", gemeente"));
	ck_assert(says("2026-11-24 17:00 " ORG_A " verstuurde een verwijzing "
	    "aan " ORG_B "; de broker nam die aan. [20]"));
	ck_assert(says(ORG_B " opende de verwijzing en tekende voor"));
	ck_assert(says(ORG_B " meldde aan " ORG_A
	    " dat de verwijzing is opgepakt."));
	ck_assert(says("de toestemming is ingetrokken, voor alles."));
	ck_assert(says("De verwijzing te openen, uiterlijk 2026-11-26 17:00: "
	    "gehaald op 2026-11-24 18:00."));
	ck_assert(says("Het wisbewijs van " ORG_B " is er nog niet."));
	ck_assert(says("Niets was ruimer dan de standaard."));
	ck_assert(says("kvk:12345678 bekeek dit gesprek in het logboek."));
	ck_assert(says("kortelijn-practice subject log KENMERK"));
	ck_assert(!says("Wat ontbreekt"));
	for (const char *at = said.out; *at != '\0'; at += n + 1) {
		n = strcspn(at, "\n");
		ck_assert_uint_le(kl_utf8_chars(kl_bytes(at, n)), 80);
	}
}
END_TEST

START_TEST(story_is_told_in_english_when_asked)
{
	policy_loaded();
	sent();
	ck_assert_int_eq(tell(CONV, "--language=en"), CLI_OK);
	ck_assert(says("The story of " CONV));
	ck_assert(says(ORG_A " sent a referral to " ORG_B
	    "; the broker accepted it. [20]"));
	ck_assert(says("The referral waits until " ORG_B " collects it."));
	ck_assert(!says("verwijzing"));
	ck_assert_int_eq(tell(CONV, "--language=de"), CLI_USAGE);
}
END_TEST

START_TEST(referral_that_never_came_again_is_told)
{
	struct kl_record *r;

	policy_loaded();
	add_in(KL_EV_PRESENTED, NOON, ORG_A, ORG_B)->kind = KL_REFERRAL;
	r = add_in(KL_EV_EXPIRED, NOON + DAY, ORG_A, ORG_B);
	r->kind = KL_REFERRAL;
	r->reason = KL_C_EXPIRED;
	ck_assert_int_eq(tell(CONV, NULL), CLI_OK);
	ck_assert(says("De verwijzing van " ORG_A " kwam na dat verlies "));
	ck_assert(!says("haalde die niet"));
	ck_assert_int_eq(tell(CONV, "--language=en"), CLI_OK);
	ck_assert(says("The referral of " ORG_A " did not come again"));
}
END_TEST

START_TEST(looser_policy_is_named)
{
	log_.policy = "[policy]\nconsent_max_age_at_send = 60d\n"
	    "[override consent_max_age_at_send]\nlegal_basis = x\n"
	    "approved_by = FG Twente\n"
	    "approved_on = 2026-11-02\nreview_on = 2027-11-01\n";
	policy_loaded();
	sent();
	ck_assert_int_eq(tell(CONV, NULL), CLI_OK);
	ck_assert_msg(says("consent_max_age_at_send = 60d (standaard "),
	    "%s%s", said.out, said.err);
	ck_assert(says("akkoord van FG Twente, 2026-11-02"));
}
END_TEST

START_TEST(policy_that_is_not_held_is_said)
{
	log_.policy = NULL;
	policy_loaded();
	sent();
	ck_assert_int_eq(tell(CONV, NULL), CLI_OK);
	ck_assert(says("Wat erin stond, houdt de broker niet meer."));
	log_.n = 0;
	sent();
	ck_assert_int_eq(tell(CONV, NULL), CLI_OK);
	ck_assert(says("Welk beleid gold bij een deel hiervan, staat niet"));
}
END_TEST

START_TEST(gaps_are_said)
{
	struct kl_record *r = add(KL_EV_ORIGIN, NOON - DAY);

	log_.at[0].leaf = 0;
	memset(r->body_hash.b, 7, sizeof r->body_hash.b);
	message(KL_EV_PRESENTED, NOON, 1, KL_REFERRAL, KL_MSG_DELIVERED);
	feedback(NOON + HOUR, 2, KL_MS_ENDED);
	ck_assert_int_eq(tell(CONV, NULL), CLI_OK);
	ck_assert(says("Wat ontbreekt"));
	ck_assert(says("Er was een logboek voor"));
	ck_assert(says("De opslag van de broker ging tussentijds verloren."));

	log_.n = 0;
	opened();
	ck_assert_int_eq(tell(CONV, NULL), CLI_OK);
	ck_assert(says("Het begin staat niet meer in het logboek"));
	ck_assert(says("Van sommige berichten is alleen het volgend") ||
	    says("Van sommige berichten is alleen het vervolg er nog"));
}
END_TEST

/* What a participant shows again need not say how far it was. */
START_TEST(sentences_have_no_hole)
{
	message(KL_EV_PRESENTED, NOON, 1, KL_REFERRAL, 0);
	ck_assert_int_eq(tell(CONV, NULL), CLI_OK);
	ck_assert(says("is de verwijzing opnieuw getoond. [10]"));
	log_.n = 0;
	sent();
	message(KL_EV_DELIVERED, NOON + HOUR, 1, KL_REFERRAL,
	    KL_MSG_DELIVERED);
	ck_assert_int_eq(tell(CONV, NULL), CLI_OK);
	ck_assert(says("Er liep geen termijn voor: zonder toestemming"));
}
END_TEST

START_TEST(forgotten_reference_says_where_to_ask)
{
	const struct kl_spoken s = kl_spoken_make((uint8_t[]){ 1, 2, 3, 4,
	    5 });

	sent();
	log_.forgotten = true;
	ck_assert_int_eq(tell(kl_spoken_text(&s).b, NULL), CLI_FAILED);
	ck_assert_str_eq(said.out, "");
	ck_assert_ptr_nonnull(strstr(said.err, "subject log"));
	log_.n = 0;
	ck_assert_int_eq(tell(CONV, NULL), CLI_FAILED);
	ck_assert_ptr_nonnull(strstr(said.err, "conv_ref"));
	ck_assert_int_eq(tell("ABCD", NULL), CLI_USAGE);
}
END_TEST

START_TEST(json_is_one_object_with_the_same)
{
	json_t *o;

	policy_loaded();
	sent();
	opened();
	ck_assert_int_eq(tell(CONV, "--json"), CLI_OK);
	ck_assert_ptr_nonnull(o = json_loads(said.out, 0, NULL));
	ck_assert_uint_eq(json_array_size(json_object_get(o, "events")), 4);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "parties")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "terms")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "open")), 1);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "missing")), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "policies")), 1);
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(o,
	    "consent"), "conv_ref")), CONV);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(
	    json_object_get(o, "terms"), 1), "end")), "runs");
	json_decref(o);
}
END_TEST

static void
add_facts(TCase *t)
{
	tcase_add_test(t, term_runs_until_it_is_kept);
	tcase_add_test(t, missed_term_has_its_notice);
	tcase_add_test(t, missed_term_without_notice_shows);
	tcase_add_test(t, notice_of_another_message_is_none_of_this);
	tcase_add_test(t, answer_that_is_missed_is_told_without_a_message);
	tcase_add_test(t, term_of_what_ended_is_void);
	tcase_add_test(t, expiry_says_more_than_a_notice);
	tcase_add_test(t, referral_that_is_sealed_again_has_a_term_of_its_own);
	tcase_add_test(t, receipt_of_erasure_has_its_term);
	tcase_add_test(t, what_is_open_follows_the_case);
	tcase_add_test(t, what_has_no_term_for_an_answer_is_said);
	tcase_add_test(t, what_is_not_told_any_more_is_said);
	tcase_add_test(t, key_that_is_not_wiped_is_open);
	tcase_add_test(t, missing_beginning_shows);
}

int
main(void)
{
	Suite *s = suite_create("audit_story");
	TCase *t = tcase_create("audit_story");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	add_facts(t);
	tcase_add_test(t, story_is_told_in_dutch);
	tcase_add_test(t, story_is_told_in_english_when_asked);
	tcase_add_test(t, referral_that_never_came_again_is_told);
	tcase_add_test(t, looser_policy_is_named);
	tcase_add_test(t, policy_that_is_not_held_is_said);
	tcase_add_test(t, gaps_are_said);
	tcase_add_test(t, sentences_have_no_hole);
	tcase_add_test(t, forgotten_reference_says_where_to_ask);
	tcase_add_test(t, json_is_one_object_with_the_same);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
