#include "proto/audit/measure.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>

/* ---- a log by hand ---- */

static struct audit_measure m;
static uint64_t leaf;

/* "2026-11-24 17:00" by the clock on the wall, in minutes. */
static int64_t
at(const char *text)
{
	char day_text[11] = { 0 };
	int32_t day;

	memcpy(day_text, text, 10);
	ck_assert_int_eq(kl_day_read(day_text, &day), KL_OK);
	return kl_calendar_instant_ms(kl_day_start_ms(day) +
	    atoi(text + 11) * KL_HOUR_MS + atoi(text + 14) * KL_MINUTE_MS) /
	    KL_MINUTE_MS;
}

static struct kl_id
org(const char *text)
{
	struct kl_id id = { { 0 } };

	if (text != NULL)
		ck_assert_int_eq(kl_id_read(text, &id), KL_OK);
	return id;
}

#define GP "agb:01000001"
#define DESK "oin:00000001003214345000"

static void
begin(const char *from, const char *to)
{
	leaf = 0;
	ck_assert_int_eq(audit_measure_begin(&m, at(from), at(to)), KL_OK);
}

static void
done(const char *now)
{
	ck_assert_int_eq(audit_measure_end(&m, at(now)), KL_OK);
}

static void
take(struct kl_record r, const char *when)
{
	r.version = 1;
	r.time_minute = at(when);
	r.outcome = r.outcome == 0 ? 1 : r.outcome;
	r.reason = r.reason == 0 ? KL_C_OK : r.reason;
	r.count = r.count == 0 ? 1 : r.count;
	ck_assert_int_eq(audit_measure_take(&m, leaf++, &r), KL_OK);
}

/* A record of conversation `conv`; a referral's message has number 0. */
static struct kl_record
of(uint32_t event, uint8_t conv, uint8_t msg, uint32_t kind)
{
	return (struct kl_record){ .event = event,
		.conv_ref = { { conv } }, .msg_ref = { { conv, 1, msg } },
		.org_from = org(kind == KL_FEEDBACK ? DESK : GP),
		.org_to = org(kind == KL_FEEDBACK ? GP : DESK),
		.kind = kind };
}

static void
accepted(uint8_t conv, const char *when, const char *due)
{
	struct kl_record r = of(KL_EV_ACCEPTED, conv, 0, KL_REFERRAL);

	r.actor_role = KL_PRACTICE;
	r.due_minute = at(due);
	take(r, when);
}

static void
delivered(uint8_t conv, const char *when, const char *due)
{
	struct kl_record r = of(KL_EV_DELIVERED, conv, 0, KL_REFERRAL);

	r.actor_role = KL_MUNICIPALITY;
	r.due_minute = due == NULL ? 0 : at(due);
	take(r, when);
}

static void
told(uint8_t conv, uint8_t msg, uint32_t milestone, const char *when)
{
	struct kl_record r = of(KL_EV_ACCEPTED, conv, msg, KL_FEEDBACK);

	r.actor_role = KL_MUNICIPALITY;
	r.milestone = milestone;
	take(r, when);
}

static void
simple(uint32_t event, uint8_t conv, const char *when)
{
	take(of(event, conv, 0, KL_REFERRAL), when);
}

/* The desk, as the log has seen it. */
static const struct audit_of *
desk(void)
{
	const struct kl_id id = org(DESK);

	for (uint32_t i = 0; i < m.orgs.n; i++)
		if (kl_id_equal(&m.orgs.ids[i], &id))
			return &m.of[i];
	ck_abort_msg("the desk is not there");
	return NULL;
}

static uint32_t
minutes(enum audit_step step)
{
	uint32_t v;

	ck_assert(audit_spread_within(&m.all.minutes[step], 500, &v));
	return v;
}

#define DUE(d, k, l, mi, r, la) do {					\
	ck_assert_uint_eq((d).kept, k);					\
	ck_assert_uint_eq((d).late, l);					\
	ck_assert_uint_eq((d).missed, mi);				\
	ck_assert_uint_eq((d).running, r);				\
	ck_assert_uint_eq((d).lapsed, la);				\
} while (0)

/* ---- tests ---- */

START_TEST(an_empty_log_has_nothing_and_no_medians)
{
	uint32_t v;

	begin("2026-10-01 00:00", "2026-11-01 00:00");
	done("2026-11-01 00:00");
	ck_assert_uint_eq(m.records, 0);
	ck_assert_uint_eq(m.n_months, 0);
	ck_assert(!audit_spread_within(&m.all.minutes[0], 500, &v));
	audit_measure_clear(&m);
}
END_TEST

START_TEST(a_referral_is_measured_from_its_acceptance)
{
	begin("2026-10-01 00:00", "2026-11-01 00:00");
	accepted(1, "2026-10-02 16:30", "2026-10-06 16:30");
	delivered(1, "2026-10-05 09:00", "2026-10-07 09:00");
	told(1, 1, KL_MS_TAKEN_UP, "2026-10-06 10:00");
	told(1, 2, KL_MS_IN_PROGRESS, "2026-10-08 10:00");
	told(1, 3, KL_MS_IN_PROGRESS, "2026-10-20 10:00");
	told(1, 4, KL_MS_ENDED, "2026-12-01 10:00");
	done("2026-12-24 00:00");
	ck_assert_uint_eq(m.all.referrals, 1);
	ck_assert_uint_eq(minutes(AUDIT_COLLECTED), 64 * 60 + 30);
	ck_assert_uint_eq(m.all.days[AUDIT_COLLECTED].v[0], 1);
	ck_assert_uint_eq(m.all.days[AUDIT_TAKEN_UP].v[0], 2);
	ck_assert_uint_eq(m.all.minutes[AUDIT_IN_PROGRESS].n, 1);
	ck_assert_uint_eq(m.all.minutes[AUDIT_ENDED].n, 1);
	DUE(m.all.deliver, 1, 0, 0, 0, 0);
	DUE(m.all.answer, 1, 0, 0, 0, 0);
	ck_assert_uint_eq(desk()->referrals, 1);
	ck_assert_uint_eq(desk()->minutes[AUDIT_ENDED].n, 1);
	audit_measure_clear(&m);
}
END_TEST

START_TEST(what_comes_after_the_period_is_followed_and_not_counted)
{
	begin("2026-10-01 00:00", "2026-11-01 00:00");
	accepted(9, "2026-09-30 23:59", "2026-10-05 00:00");
	accepted(1, "2026-10-31 12:00", "2026-11-03 12:00");
	accepted(2, "2026-11-01 00:00", "2026-11-03 12:00");
	delivered(1, "2026-11-02 12:00", NULL);
	delivered(9, "2026-10-01 00:00", NULL);
	done("2026-11-02 13:00");
	ck_assert_uint_eq(m.all.received[KL_REFERRAL], 1);
	ck_assert_uint_eq(m.records, 2);
	ck_assert_uint_eq(m.events[KL_EV_DELIVERED], 1);
	ck_assert_uint_eq(m.all.minutes[AUDIT_COLLECTED].n, 1);
	audit_measure_clear(&m);
}
END_TEST

START_TEST(a_step_that_was_passed_over_was_taken_with_the_next)
{
	begin("2026-10-01 00:00", "2026-11-01 00:00");
	accepted(1, "2026-10-05 09:00", "2026-10-07 09:00");
	delivered(1, "2026-10-05 09:05", "2026-10-07 09:05");
	told(1, 1, KL_MS_ENDED, "2026-10-08 09:00");
	done("2026-11-01 00:00");
	ck_assert_uint_eq(minutes(AUDIT_TAKEN_UP), 3 * 24 * 60);
	ck_assert_uint_eq(m.all.minutes[AUDIT_IN_PROGRESS].gone, 1);
	DUE(m.all.answer, 0, 1, 0, 0, 0);
	audit_measure_clear(&m);
}
END_TEST

START_TEST(what_still_waits_counts_in_the_half)
{
	struct audit_spread *s = &m.all.minutes[AUDIT_COLLECTED];
	uint32_t v;

	begin("2026-10-01 00:00", "2026-11-01 00:00");
	for (uint8_t i = 1; i <= 4; i++)
		accepted(i, "2026-10-05 09:00", "2026-10-07 09:00");
	delivered(1, "2026-10-05 10:00", "2026-10-07 10:00");
	delivered(2, "2026-10-07 10:00", "2026-10-09 10:00");
	done("2026-10-08 00:00");
	ck_assert_uint_eq(s->open, 2);
	ck_assert(audit_spread_within(s, 500, &v));
	ck_assert_uint_eq(v, 49 * 60);
	ck_assert(!audit_spread_within(s, 900, &v));
	DUE(m.all.deliver, 1, 1, 2, 0, 0);
	DUE(m.all.answer, 0, 0, 1, 1, 0);
	audit_measure_clear(&m);
}
END_TEST

START_TEST(without_a_term_for_the_answer_nobody_waits_for_one)
{
	begin("2026-10-01 00:00", "2026-11-01 00:00");
	accepted(1, "2026-10-05 09:00", "2026-10-07 09:00");
	delivered(1, "2026-10-05 10:00", NULL);
	done("2026-11-01 00:00");
	ck_assert_uint_eq(m.all.no_answer_due, 1);
	ck_assert_uint_eq(m.all.minutes[AUDIT_TAKEN_UP].open, 0);
	ck_assert_uint_eq(m.all.minutes[AUDIT_TAKEN_UP].gone, 1);
	DUE(m.all.answer, 0, 0, 0, 0, 0);
	audit_measure_clear(&m);
}
END_TEST

/* Else the most overdue would be those that nobody counts. */
START_TEST(what_was_collected_late_still_waits)
{
	begin("2026-10-01 00:00", "2026-11-01 00:00");
	accepted(1, "2026-10-05 09:00", "2026-10-07 09:00");
	delivered(1, "2026-10-09 10:00", NULL);
	done("2026-11-01 00:00");
	DUE(m.all.deliver, 0, 1, 0, 0, 0);
	ck_assert_uint_eq(m.all.no_answer_due, 1);
	ck_assert_uint_eq(m.all.minutes[AUDIT_TAKEN_UP].open, 1);
	ck_assert_uint_eq(m.all.minutes[AUDIT_TAKEN_UP].gone, 0);
	audit_measure_clear(&m);
}
END_TEST

START_TEST(steps_after_feedback_was_withdrawn_are_not_waited_for)
{
	struct kl_record r = of(KL_EV_CONSENT_WITHDRAWN, 1, 0, KL_FEEDBACK);

	begin("2026-10-01 00:00", "2026-11-01 00:00");
	accepted(1, "2026-10-05 09:00", "2026-10-07 09:00");
	delivered(1, "2026-10-05 10:00", "2026-10-07 10:00");
	told(1, 1, KL_MS_TAKEN_UP, "2026-10-06 10:00");
	take(r, "2026-10-07 10:00");
	done("2026-11-01 00:00");
	ck_assert_uint_eq(m.all.minutes[AUDIT_TAKEN_UP].n, 1);
	ck_assert_uint_eq(m.all.minutes[AUDIT_IN_PROGRESS].open, 0);
	ck_assert_uint_eq(m.all.minutes[AUDIT_IN_PROGRESS].gone, 1);
	ck_assert_uint_eq(m.all.minutes[AUDIT_ENDED].gone, 1);
	audit_measure_clear(&m);
}
END_TEST

START_TEST(what_falls_away_takes_its_terms_with_it)
{
	begin("2026-10-01 00:00", "2026-11-01 00:00");
	accepted(1, "2026-10-05 09:00", "2026-10-07 09:00");
	simple(KL_EV_EXPIRED, 1, "2026-10-19 09:00");
	accepted(2, "2026-10-05 09:00", "2026-10-07 09:00");
	simple(KL_EV_DEAD, 2, "2026-10-05 09:01");
	accepted(3, "2026-10-05 09:00", "2026-10-07 09:00");
	delivered(3, "2026-10-05 10:00", "2026-10-07 10:00");
	told(3, 1, KL_MS_RETURNED, "2026-10-06 10:00");
	done("2026-11-01 00:00");
	ck_assert_uint_eq(m.all.expired, 1);
	ck_assert_uint_eq(m.all.dead, 1);
	ck_assert_uint_eq(m.all.returned, 1);
	ck_assert_uint_eq(m.dead[KL_C_OK], 1);
	ck_assert_uint_eq(m.all.minutes[AUDIT_COLLECTED].gone, 2);
	ck_assert_uint_eq(m.all.minutes[AUDIT_COLLECTED].open, 0);
	DUE(m.all.deliver, 1, 0, 0, 0, 2);
	DUE(m.all.answer, 1, 0, 0, 0, 0);
	audit_measure_clear(&m);
}
END_TEST

START_TEST(a_withdrawal_is_measured_to_its_last_erasure)
{
	struct kl_record r;

	begin("2026-10-01 00:00", "2026-11-01 00:00");
	accepted(1, "2026-10-05 09:00", "2026-10-07 09:00");
	r = of(KL_EV_CONSENT_WITHDRAWN, 1, 0, 0);
	r.actor_role = KL_PRACTICE;
	take(r, "2026-10-05 12:00");
	simple(KL_EV_WITHDRAWN, 1, "2026-10-05 12:00");
	r = of(KL_EV_ERASED, 1, 0, KL_REFERRAL);
	r.prev_state = KL_MSG_WITHDRAWN;
	take(r, "2026-10-05 12:00");
	r.prev_state = KL_MSG_UNCONFIRMED;
	take(r, "2026-10-05 12:03");
	r = of(KL_EV_CONSENT_WITHDRAWN, 2, 0, KL_FEEDBACK);
	r.actor_role = KL_MUNICIPALITY;
	take(r, "2026-10-06 12:00");
	done("2026-11-01 00:00");
	ck_assert_uint_eq(m.erasing.all, 1);
	ck_assert_uint_eq(m.erasing.feedback_only, 1);
	ck_assert_uint_eq(m.erasing.by_practice, 1);
	ck_assert_uint_eq(m.erasing.by_municipality, 1);
	ck_assert_uint_eq(m.erasing.erased.n, 1);
	ck_assert_uint_eq(m.erasing.erased.v[0], 3);
	ck_assert_uint_eq(m.erasing.nothing_held, 1);
	ck_assert_uint_eq(desk()->withdrawn, 1);
	DUE(m.all.deliver, 0, 0, 0, 0, 1);
	audit_measure_clear(&m);
}
END_TEST

/* After a loss of the store participants show what they had withdrawn, and each
 * becomes a leaf again, for its conversation once more. */
START_TEST(a_withdrawal_that_is_shown_again_is_not_one_of_now)
{
	struct kl_record r = { .event = KL_EV_PRESENTED,
		.org_from = org(GP), .org_to = org(GP),
		.actor_role = KL_PRACTICE, .body_hash = { { 7 } } };

	begin("2026-10-01 00:00", "2026-11-01 00:00");
	take(r, "2026-10-05 12:00");
	r = of(KL_EV_CONSENT_WITHDRAWN, 0, 0, 0);
	r.actor_role = KL_PRACTICE;
	r.conv_ref = (struct kl_ref){ { 0 } };
	r.body_hash.b[0] = 7;
	take(r, "2026-10-05 12:00");
	r.conv_ref.b[0] = 1;
	take(r, "2026-10-05 12:00");
	/* Two that the broker never saw a referral of. */
	r.conv_ref.b[0] = 0;
	r.body_hash.b[0] = 8;
	take(r, "2026-10-06 12:00");
	r.body_hash.b[0] = 9;
	take(r, "2026-10-06 12:00");
	done("2026-11-01 00:00");
	ck_assert_uint_eq(m.erasing.shown_again, 2);
	ck_assert_uint_eq(m.erasing.all, 2);
	ck_assert_uint_eq(m.erasing.by_practice, 2);
	ck_assert_uint_eq(m.erasing.nothing_held, 2);
	ck_assert_uint_eq(m.months[0].withdrawn, 2);
	audit_measure_clear(&m);
}
END_TEST

START_TEST(an_erase_receipt_is_measured_from_the_asking)
{
	struct kl_record r = of(KL_EV_ERASE_ASKED, 1, 0, 0);

	begin("2026-10-01 00:00", "2026-11-01 00:00");
	r.org_from = org(DESK);
	r.org_to = org(GP);
	r.due_minute = at("2026-10-12 12:00");
	take(r, "2026-10-05 12:00");
	r.conv_ref.b[0] = 2;
	take(r, "2026-10-05 12:00");
	r.conv_ref.b[0] = 3;
	take(r, "2026-10-05 12:00");
	r.event = KL_EV_ERASE_RECEIPT;
	take(r, "2026-10-13 12:00");
	r.conv_ref.b[0] = 1;
	take(r, "2026-10-05 12:10");
	r.conv_ref.b[0] = 2;
	r.event = KL_EV_ESCALATED;
	take(r, "2026-10-12 12:01");
	done("2026-10-14 00:00");
	DUE(m.erasing.due, 1, 1, 1, 0, 0);
	ck_assert_uint_eq(m.erasing.receipt.n, 2);
	ck_assert_uint_eq(m.erasing.receipt.open, 1);
	ck_assert_uint_eq(m.erasing.escalated, 1);
	audit_measure_clear(&m);
}
END_TEST

START_TEST(refusals_are_counted_by_reason_with_their_count)
{
	struct kl_record r = { .event = KL_EV_REFUSED, .outcome = 2,
		.org_from = org(GP), .reason = KL_C_QUOTA_REQUESTS,
		.count = 40 };

	begin("2026-10-01 00:00", "2026-11-01 00:00");
	take(r, "2026-10-05 12:00");
	take(r, "2026-10-05 12:01");
	r.event = KL_EV_CONFLICT;
	r.reason = KL_C_CONFLICT;
	r.count = 1;
	take(r, "2026-10-05 12:01");
	done("2026-11-01 00:00");
	ck_assert_uint_eq(m.refused[KL_C_QUOTA_REQUESTS], 80);
	ck_assert_uint_eq(m.refused[KL_C_CONFLICT], 1);
	ck_assert_uint_eq(m.all.refused, 81);
	ck_assert_uint_eq(m.months[0].refused, 81);
	audit_measure_clear(&m);
}
END_TEST

START_TEST(loads_holds_and_told_deadlines_are_listed)
{
	struct kl_record r = { .event = KL_EV_POLICY };

	begin("2026-10-01 00:00", "2026-11-01 00:00");
	take(r, "2026-09-01 00:00");
	take(r, "2026-10-09 00:00");
	r.event = KL_EV_HOLD;
	r.reason = KL_C_OWN_CLOCK;
	r.count = 60;
	take(r, "2026-10-10 00:00");
	simple(KL_EV_DEADLINE, 1, "2026-10-11 00:00");
	r = of(KL_EV_DEADLINE, 1, 0, KL_REFERRAL);
	r.msg_ref = (struct kl_ref){ { 0 } };
	take(r, "2026-10-12 00:00");
	done("2026-11-01 00:00");
	ck_assert(m.policy_before_known);
	ck_assert_uint_eq(m.policy_before.leaf, 0);
	ck_assert_uint_eq(m.policies.n, 1);
	ck_assert_uint_eq(m.policies.m[0].leaf, 1);
	ck_assert_uint_eq(m.holds.n, 1);
	ck_assert_uint_eq(m.holds.m[0].count, 60);
	ck_assert_uint_eq(m.told_deliver, 1);
	ck_assert_uint_eq(m.told_answer, 1);
	audit_measure_clear(&m);
}
END_TEST

START_TEST(months_are_those_of_the_clock_on_the_wall)
{
	begin("2026-10-01 00:00", "2027-01-01 00:00");
	accepted(1, "2026-10-31 23:59", "2026-11-03 00:00");
	accepted(2, "2026-11-01 00:00", "2026-11-03 00:00");
	told(2, 1, KL_MS_TAKEN_UP, "2026-11-01 00:00");
	done("2027-01-01 00:00");
	ck_assert_uint_eq(m.n_months, 2);
	ck_assert_int_eq(m.months[0].month, 2026 * 12 + 9);
	ck_assert_uint_eq(m.months[0].n[KL_REFERRAL], 1);
	ck_assert_uint_eq(m.months[1].n[KL_REFERRAL], 1);
	ck_assert_uint_eq(m.months[1].n[KL_FEEDBACK], 1);
	ck_assert_uint_eq(m.n_pairs, 2);
	audit_measure_clear(&m);
}
END_TEST

START_TEST(roles_are_those_under_which_they_acted)
{
	begin("2026-10-01 00:00", "2026-11-01 00:00");
	accepted(1, "2026-10-05 09:00", "2026-10-07 09:00");
	delivered(1, "2026-10-05 10:00", NULL);
	done("2026-11-01 00:00");
	ck_assert_uint_eq(m.orgs.n, 2);
	ck_assert_uint_eq(m.orgs.roles[0], KL_PRACTICE);
	ck_assert_uint_eq(m.orgs.roles[1], KL_MUNICIPALITY);
	audit_measure_clear(&m);
}
END_TEST

/* ---- spreads and their words ---- */

START_TEST(working_days_leave_out_the_weekend_and_the_day_itself)
{
	ck_assert_uint_eq(audit_spread_working_days(at("2026-10-02 17:00") *
	    KL_MINUTE_MS, at("2026-10-05 08:00") * KL_MINUTE_MS), 1);
	ck_assert_uint_eq(audit_spread_working_days(at("2026-10-05 00:10") *
	    KL_MINUTE_MS, at("2026-10-05 23:50") * KL_MINUTE_MS), 0);
	ck_assert_uint_eq(audit_spread_working_days(at("2026-10-05 00:10") *
	    KL_MINUTE_MS, at("2026-10-01 23:50") * KL_MINUTE_MS), 0);
}
END_TEST

START_TEST(durations_read_as_people_say_them)
{
	ck_assert_str_eq(audit_spread_text(0, KL_NL).b, "een minuut");
	ck_assert_str_eq(audit_spread_text(1, KL_NL).b, "1 minuut");
	ck_assert_str_eq(audit_spread_text(90, KL_EN).b, "90 minutes");
	ck_assert_str_eq(audit_spread_text(91, KL_NL).b, "2 uur");
	ck_assert_str_eq(audit_spread_text(2879, KL_NL).b, "48 uur");
	ck_assert_str_eq(audit_spread_text(2880, KL_NL).b, "2 dagen");
	ck_assert_str_eq(audit_spread_days_text(0, KL_NL).b, "dezelfde dag");
	ck_assert_str_eq(audit_spread_days_text(1, KL_NL).b, "1 werkdag");
	ck_assert_str_eq(audit_spread_days_text(3, KL_EN).b,
	    "3 working days");
}
END_TEST

START_TEST(more_organisations_than_a_region_has_are_refused)
{
	struct audit_orgs o;
	struct kl_id id = org("kvk:00000000");
	uint32_t n = 0, i;
	int err = KL_OK;

	ck_assert_int_eq(audit_orgs_init(&o), KL_OK);
	for (; err == KL_OK && n <= AUDIT_ORGS_MAX; n++) {
		id.b[8] = (char)('0' + n / 1000 % 10);
		id.b[9] = (char)('0' + n / 100 % 10);
		id.b[10] = (char)('0' + n / 10 % 10);
		id.b[11] = (char)('0' + n % 10);
		err = audit_orgs_put(&o, &id, &i);
	}
	ck_assert_int_eq(err, KL_E_FULL);
	ck_assert_uint_eq(o.n, AUDIT_ORGS_MAX);
	audit_orgs_clear(&o);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("audit_measure");
	TCase *t = tcase_create("audit_measure");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_test(t, an_empty_log_has_nothing_and_no_medians);
	tcase_add_test(t, a_referral_is_measured_from_its_acceptance);
	tcase_add_test(t,
	    what_comes_after_the_period_is_followed_and_not_counted);
	tcase_add_test(t, a_step_that_was_passed_over_was_taken_with_the_next);
	tcase_add_test(t, what_still_waits_counts_in_the_half);
	tcase_add_test(t,
	    without_a_term_for_the_answer_nobody_waits_for_one);
	tcase_add_test(t, what_was_collected_late_still_waits);
	tcase_add_test(t,
	    steps_after_feedback_was_withdrawn_are_not_waited_for);
	tcase_add_test(t, what_falls_away_takes_its_terms_with_it);
	tcase_add_test(t, a_withdrawal_is_measured_to_its_last_erasure);
	tcase_add_test(t, a_withdrawal_that_is_shown_again_is_not_one_of_now);
	tcase_add_test(t, an_erase_receipt_is_measured_from_the_asking);
	tcase_add_test(t, refusals_are_counted_by_reason_with_their_count);
	tcase_add_test(t, loads_holds_and_told_deadlines_are_listed);
	tcase_add_test(t, months_are_those_of_the_clock_on_the_wall);
	tcase_add_test(t, roles_are_those_under_which_they_acted);
	tcase_add_test(t,
	    working_days_leave_out_the_weekend_and_the_day_itself);
	tcase_add_test(t, durations_read_as_people_say_them);
	tcase_add_test(t, more_organisations_than_a_region_has_are_refused);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
