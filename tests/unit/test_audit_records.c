#include "proto/audit/records.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/code.h>
#include <kortelijn/crypto/secret.h>

#define PAGES_MAX 4

static const struct cli_program program = { .name = "prog",
	.daemon = "the daemon" };
static const struct cli cli = { .program = &program };

/* A log that answers from a list, and what it was asked. */
struct fake {
	struct audit_link link;
	struct kl_query_reply page[PAGES_MAX];
	size_t n_page, asked;
	struct kl_query q[PAGES_MAX];
	struct kl_query_what what[PAGES_MAX];
	bool garbage;
	unsigned int flips;	/* bytes of each answer that are another */
};

static struct fake fake;
static uint8_t leaf_bytes[KL_QUERY_ANSWERS_MAX][512];
static size_t leaves_made;

/* What was taken. */
static uint64_t taken[KL_QUERY_ANSWERS_MAX];
static size_t n_taken, stop_after;
static bool any;		/* they need not be what the test made */

static int
fake_ask(struct audit_link *l, uint32_t request, struct kl_bytes body,
    struct kl_arena *mem, struct kl_bytes *reply)
{
	static uint8_t packed[16384];
	size_t n;

	(void)l;
	ck_assert_uint_eq(request, KL_QUERY);
	if (fake.flips > 0 && fake.asked == fake.n_page)
		return CLI_FAILED;
	ck_assert_uint_lt(fake.asked, fake.n_page);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_QUERY, body, mem,
	    &fake.q[fake.asked]), KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_QUERY_WHAT,
	    fake.q[fake.asked].what, mem, &fake.what[fake.asked]), KL_C_OK);
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_QUERY_REPLY,
	    &fake.page[fake.asked++], packed, sizeof packed, &n), KL_OK);
	for (unsigned int i = 0; i < fake.flips; i++)
		packed[kl_random_below((uint32_t)n)] =
		    (uint8_t)kl_random_below(256);
	*reply = kl_bytes(packed, fake.garbage ? n - 1 : n);
	return CLI_OK;
}

static int
fake_none(struct audit_link *l, uint32_t request, struct kl_bytes body,
    struct kl_arena *mem, struct kl_bytes *reply)
{
	(void)request;
	(void)body;
	(void)mem;
	(void)reply;
	l->code = KL_C_TICKET;
	return CLI_FAILED;
}

/* A packed Logged of a hold at that leaf. */
static struct kl_bytes
leaf_make(uint64_t index)
{
	struct kl_record r = { .version = KL_PROTOCOL_VERSION,
		.event = KL_EV_HOLD, .time_minute = 29000000,
		.actor_role = KL_BROKER, .outcome = 1,
		.reason = KL_C_OWN_CLOCK, .count = (uint32_t)index };
	struct kl_logged l = { .leaf = index };
	uint8_t record[KL_RECORD_MAX];
	size_t n;

	ck_assert_uint_lt(leaves_made, KL_QUERY_ANSWERS_MAX);
	ck_assert_int_eq(KL_STATEMENT_PACK(KL_S_RECORD, &r, record,
	    sizeof record, &n), KL_OK);
	l.record = kl_bytes(record, n);
	memset(l.salt, (int)index, sizeof l.salt);
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_LOGGED, &l,
	    leaf_bytes[leaves_made], sizeof leaf_bytes[0], &n), KL_OK);
	return kl_bytes(leaf_bytes[leaves_made++], n);
}

/* A page of these leaves, -1 at the end. */
static void
page_add(uint64_t ticket, uint64_t next, const int *leaves)
{
	struct kl_query_reply *p = &fake.page[fake.n_page++];

	p->ticket = ticket;
	p->next = next;
	for (; *leaves >= 0; leaves++)
		p->logged[p->n_logged++] = leaf_make((uint64_t)*leaves);
}
#define PAGE(ticket, next, ...)						\
	page_add(ticket, next, (const int[]){ __VA_ARGS__ })

static int
take(void *arg, const struct audit_record *r)
{
	ck_assert_ptr_eq(arg, &fake);
	ck_assert_uint_gt(r->packed.n, 0);
	if (!any) {
		ck_assert_uint_eq(r->r.count, r->leaf);
		ck_assert_uint_eq(r->salt[31], r->leaf);
	}
	taken[n_taken++] = r->leaf;
	return n_taken == stop_after ? CLI_FILE : CLI_OK;
}

static int
ask(void)
{
	const struct kl_query_what what = { .event = KL_EV_HOLD };

	return audit_records(&fake.link, &what, take, &fake);
}

static void
setup(void)
{
	memset(&fake, 0, sizeof fake);
	fake.link = (struct audit_link){ .cli = &cli, .ask = fake_ask };
	leaves_made = n_taken = stop_after = 0;
	any = false;
	/* What it says is looked at elsewhere. */
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
}

START_TEST(all_pages_come_in_the_order_of_the_log)
{
	PAGE(90, 20, 3, 7, -1);
	PAGE(90, 60, -1);
	PAGE(90, 0, 60, 89, -1);
	ck_assert_int_eq(ask(), CLI_OK);
	ck_assert_uint_eq(n_taken, 4);
	ck_assert_uint_eq(taken[3], 89);
	ck_assert_uint_eq(fake.q[0].ticket, 0);
	ck_assert_uint_eq(fake.q[0].from, 0);
	ck_assert_uint_eq(fake.q[2].ticket, 90);
	ck_assert_uint_eq(fake.q[2].from, 60);
	ck_assert_uint_eq(fake.what[0].event, KL_EV_HOLD);
	ck_assert_uint_eq(fake.what[2].event, KL_EV_HOLD);
}
END_TEST

START_TEST(who_takes_may_end_it)
{
	PAGE(90, 20, 3, 7, -1);
	stop_after = 1;
	ck_assert_int_eq(ask(), CLI_FILE);
	ck_assert_uint_eq(n_taken, 1);
	ck_assert_uint_eq(fake.asked, 1);
}
END_TEST

START_TEST(refusal_ends_it)
{
	fake.link.ask = fake_none;
	ck_assert_int_eq(ask(), CLI_FAILED);
	ck_assert_uint_eq(fake.link.code, KL_C_TICKET);
}
END_TEST

static void
in_order(void)
{
	for (size_t i = 1; i < n_taken; i++)
		ck_assert_uint_gt(taken[i], taken[i - 1]);
}

/* A page that must not be taken; the leaf 3 was. */
static void
refuses(void)
{
	ck_assert_int_eq(ask(), CLI_FAILED);
	in_order();
}

START_TEST(records_out_of_order_are_refused)
{
	PAGE(90, 0, 3, 3, -1);
	refuses();
	setup();
	PAGE(90, 10, 3, -1);
	PAGE(90, 0, 2, -1);
	refuses();
}
END_TEST

START_TEST(query_is_not_led_in_a_circle)
{
	PAGE(90, 10, -1);
	PAGE(90, 10, -1);
	refuses();
	ck_assert_uint_eq(fake.asked, 2);
	setup();
	PAGE(90, 3, 3, 4, -1);
	refuses();
}
END_TEST

START_TEST(no_page_follows_behind_the_ticket)
{
	PAGE(9, 9, -1);
	refuses();
	ck_assert_uint_eq(fake.asked, 1);
}
END_TEST

START_TEST(ticket_stays_the_same_and_ends_the_answers)
{
	PAGE(90, 10, 3, -1);
	PAGE(91, 0, 4, -1);
	refuses();
	setup();
	PAGE(90, 0, 90, -1);
	refuses();
}
END_TEST

START_TEST(bytes_that_are_no_answer_are_refused)
{
	fake.garbage = true;
	PAGE(90, 0, 3, -1);
	refuses();
	ck_assert_uint_eq(n_taken, 0);
	/* A record that is none. */
	setup();
	PAGE(90, 0, 3, -1);
	leaf_bytes[0][fake.page[0].logged[0].n - 1] ^= 0xff;
	fake.page[0].logged[0].n--;
	refuses();
	ck_assert_uint_eq(n_taken, 0);
}
END_TEST

/* Whoever answers may answer anything: what is taken is in order and below the
 * ticket, or nothing more is taken. */
START_TEST(made_up_answers_end_it_or_are_records)
{
	static const int first[] = { 3, 7, -1 }, second[] = { 12, 40, -1 };
	int r;

	ck_assert_int_eq(kl_crypto_init(), KL_OK);
	for (int i = 0; i < 5000; i++) {
		memset(&fake, 0, sizeof fake);
		fake.link = (struct audit_link){ .cli = &cli,
			.ask = fake_ask };
		fake.flips = 1 + kl_random_below(4);
		leaves_made = n_taken = 0;
		page_add(90, 10, first);
		page_add(90, 0, second);
		/* For answers that want more of them. */
		page_add(90, 0, second + 2);
		page_add(90, 0, second + 2);
		any = true;
		r = ask();
		ck_assert(r == CLI_OK || r == CLI_FAILED);
		in_order();
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("audit_records");
	TCase *t = tcase_create("audit_records");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, all_pages_come_in_the_order_of_the_log);
	tcase_add_test(t, who_takes_may_end_it);
	tcase_add_test(t, refusal_ends_it);
	tcase_add_test(t, records_out_of_order_are_refused);
	tcase_add_test(t, query_is_not_led_in_a_circle);
	tcase_add_test(t, no_page_follows_behind_the_ticket);
	tcase_add_test(t, ticket_stays_the_same_and_ends_the_answers);
	tcase_add_test(t, bytes_that_are_no_answer_are_refused);
	tcase_add_test(t, made_up_answers_end_it_or_are_records);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
