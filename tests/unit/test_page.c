/*
 * What is handed out of a case, and the folder's out/, over two stores whose
 * messages are carried by hand.
 */
#include "adapters/common/folder.h"

#include <check.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/common/engine_priv.h"
#include "adapters/common/view.h"
#include "adapters/municipality/folder.h"
#include "adapters/practice/folder.h"
#include "tests/support/adapter.h"
#include "tests/support/people.h"

#define OK(x) ck_assert_int_eq((x), KL_OK)

static struct adapter_region region;
static struct adapter gp, desk;
static struct engine gp_engine, desk_engine;
static struct case_row c;
static struct page page;
static const struct engine_actor by = { .interface = ENGINE_FOLDER,
	.uid = 1000 };

/* As much of an engine as shows what a store holds. */
static void
engine_make(struct engine *e, struct adapter *a)
{
	memset(e, 0, sizeof *e);
	a->config.lang = KL_NL;
	e->config = &a->config;
	e->store = a->store;
	e->dir = a->directory;
	e->mem = a->mem;
	e->outbox = a->outbox;
	e->receipts = a->receipts;
	e->turn = a->t;
	e->clock.offset_ms = ADAPTER_NOW_MS -
	    kl_clock_now_ms(&(struct kl_clock){ 0 });
}

static void
setup(void)
{
	adapter_region_make(&region);
	adapter_make(&gp, &region, KL_PRACTICE, "agb:01234567");
	adapter_make(&desk, &region, KL_MUNICIPALITY,
	    "oin:00000001000000000001");
	adapter_meet(&gp, &region, &desk);
	adapter_refer(&gp, &desk, KL_LEVEL_2, &c);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	engine_make(&gp_engine, &gp);
	engine_make(&desk_engine, &desk);
	memset(&page, 0, sizeof page);
}

static void
teardown(void)
{
	page_clear(&page);
	adapter_clear(&gp);
	adapter_clear(&desk);
	adapter_region_clear(&region);
}

/* The first event of that kind. */
static struct engine_event
event(struct engine *e, uint32_t kind)
{
	struct engine_event ev = { .seq = 0 };

	do {
		OK(engine_event_next(e, ev.seq, &ev));
	} while (ev.kind != kind);
	return ev;
}

static void
says(const char *text, const char *what)
{
	ck_assert_msg(strstr(text, what) != NULL, "'%s' in:\n%s", what,
	    text);
}

static void
says_not(const char *text, const char *what)
{
	ck_assert_msg(strstr(text, what) == NULL, "'%s' in:\n%s", what,
	    text);
}

static void
feed_back(uint32_t code)
{
	struct case_row d = adapter_case(&desk, &c.conv);

	adapter_feedback(&desk, &d, code);
	ck_assert_uint_eq(adapter_carry(&desk, &gp, &region), KL_OPENED);
}

START_TEST(referral_is_json_and_readable_dutch)
{
	const struct engine_event ev = event(&desk_engine,
	    ENGINE_EV_REFERRAL);
	const struct kl_referral usual = people_usual();
	json_t *o;

	OK(page_referral(&desk_engine, &by, &ev, &page));
	says(page.text, "VERWIJZING (oefening, geen echte gegevens)\n");
	says(page.text, kl_spoken_text(&page.spoken).b);
	says(page.text, "Terugkoppeling op niveau: 2\n");
	says(page.text, usual.name.family_name);
	says_not(page.text, "CORRECTIE");
	says_not(page.text, "Gewijzigd");
	ck_assert_ptr_nonnull(o = json_loads(page.json, 0, NULL));
	ck_assert_int_eq(json_integer_value(json_object_get(o, "seq")),
	    (json_int_t)ev.seq);
	ck_assert(json_is_false(json_object_get(o, "corrected")));
	json_decref(o);
	/* Who got it stands in the access log, with this turn. */
	ck_assert(store_dirty(desk.store));
}
END_TEST

START_TEST(correction_says_what_changed)
{
	struct kl_referral r = people_usual();
	struct engine_event ev;

	memcpy(r.phone, "+31612345699", 13);
	adapter_correct(&gp, &c, &r);
	ck_assert_uint_eq(adapter_carry(&gp, &desk, &region), KL_OPENED);
	ev = event(&desk_engine, ENGINE_EV_CORRECTION);
	OK(page_referral(&desk_engine, &by, &ev, &page));
	says(page.text, "CORRECTIE: vervangt de eerdere verwijzing");
	says(page.text, "Gewijzigd: Telefoon\n");
	says(page.text, "Telefoon: +31612345699\n");
	says(page.json, "\"corrected\": true");
}
END_TEST

START_TEST(erased_content_gives_no_page)
{
	const struct engine_event ev = event(&desk_engine,
	    ENGINE_EV_REFERRAL);
	struct case_row d = adapter_case(&desk, &c.conv);

	OK(cases_content_erase(&desk.t, &d));
	OK(cases_put(&desk.t, &d));
	adapter_commit(&desk);
	ck_assert_int_eq(page_referral(&desk_engine, &by, &ev, &page),
	    KL_E_NOT_FOUND);
	ck_assert_ptr_null(page.text);
	ck_assert_ptr_null(page.json);
}
END_TEST

START_TEST(feedback_is_json_and_readable_dutch)
{
	struct engine_event ev;

	feed_back(KL_ST_TAKEN_UP);
	ev = event(&gp_engine, ENGINE_EV_FEEDBACK);
	OK(page_step(&gp_engine, &by, &ev, &page));
	says(page.text, "TERUGKOPPELING");
	says(page.text, "Opgepakt door meldpunt");
	says(page.text, kl_state_row(KL_ST_TAKEN_UP)->gp_nl);
	says(page.json, "\"code\": \"taken_up\"");
	/* Neither names the patient. */
	says_not(page.text, people_usual().name.family_name);
	says_not(page.json, people_usual().name.family_name);
}
END_TEST

START_TEST(english_is_english)
{
	struct engine_event ev;

	gp.config.lang = KL_EN;
	feed_back(KL_ST_TAKEN_UP);
	ev = event(&gp_engine, ENGINE_EV_FEEDBACK);
	OK(page_step(&gp_engine, &by, &ev, &page));
	says(page.text, "FEEDBACK (training, no real data)\n");
	says(page.text, "Receiver: ");
}
END_TEST

START_TEST(step_that_is_not_there_is_not_found)
{
	struct engine_event ev = event(&desk_engine, ENGINE_EV_REFERRAL);

	ev.step = 99;
	ck_assert_int_eq(page_step(&desk_engine, &by, &ev, &page),
	    KL_E_NOT_FOUND);
}
END_TEST

START_TEST(history_shows_three_levels_of_receipt)
{
	json_t *history, *receipts, *o;
	struct engine_case k;

	feed_back(KL_ST_TAKEN_UP);
	OK(engine_case_get(&gp_engine, &c.conv, &k));
	OK(view_history(&gp_engine, &k, &history));
	receipts = view_receipts(history);
	ck_assert_uint_eq(json_array_size(receipts), 3);
	o = json_array_get(receipts, 0);
	ck_assert_str_eq(json_string_value(json_object_get(o, "level")),
	    "accepted");
	ck_assert(json_is_integer(json_object_get(o, "leaf")));
	o = json_array_get(receipts, 2);
	ck_assert_str_eq(json_string_value(json_object_get(o, "level")),
	    "taken_up");
	json_decref(receipts);
	json_decref(history);
	o = view_case(&gp.config, &k);
	ck_assert_str_eq(json_string_value(json_object_get(o, "state_nl")),
	    "Opgepakt door meldpunt");
	json_decref(o);
}
END_TEST

/* ---- out/ ---- */

static struct kl_loop *loop;
static struct folder *folder;
static struct watch_error error;

static void
folder_start(struct engine *e, struct adapter *a, bool practice)
{
	const struct folder_role role = practice ? folder_role_practice() :
	    folder_role_municipality();

	a->config.folder = true;
	a->config.folder_owner = -1;
	ck_assert_uint_lt(strlen(a->dir.path), sizeof a->config.folder_dir);
	memcpy(a->config.folder_dir, a->dir.path, strlen(a->dir.path) + 1);
	ck_assert_ptr_nonnull(loop = kl_loop_new());
	ck_assert_msg(folder_open(e, loop, &role, &folder, &error) == KL_OK,
	    "%s", error.b);
}

static void
folder_stop(void)
{
	folder_close(folder);
	kl_loop_free(loop);
}

static int64_t
stop_prepare(void *arg)
{
	(void)arg;
	kl_loop_stop(loop);
	return 0;
}

static void
stop_dispatch(void *arg, short revents)
{
	(void)arg;
	(void)revents;
}

static void
half_turn(void)
{
	struct kl_source s = { -1, 0, stop_prepare, stop_dispatch, NULL };

	OK(kl_loop_add(loop, &s));
	OK(kl_loop_run(loop));
	kl_loop_remove(loop, &s);
}

static void
turn(struct engine *e, struct adapter *a)
{
	half_turn();
	adapter_commit(a);
	for (struct engine_listener *l = e->listeners; l != NULL; l = l->next)
		l->committed(l->arg);
}

/* Files in out/ that end so. */
static int
files(const struct adapter *a, const char *end)
{
	DIR *d = opendir(tmpdir_file(&a->dir, "out").b);
	const struct dirent *e;
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);

		if (len > strlen(end) &&
		    strcmp(e->d_name + len - strlen(end), end) == 0)
			n++;
		says_not(e->d_name, people_usual().name.family_name);
	}
	closedir(d);
	return n;
}

/* Takes all files out of out/, as the case system does. */
static void
collect(const struct adapter *a)
{
	DIR *d = opendir(tmpdir_file(&a->dir, "out").b);
	const struct dirent *e;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			ck_assert_int_eq(unlinkat(dirfd(d), e->d_name, 0), 0);
	closedir(d);
}

START_TEST(referral_lands_in_out_after_its_commit)
{
	folder_start(&desk_engine, &desk, false);
	ck_assert_int_eq(files(&desk, ".json"), 0);
	for (int i = 0; i < 5; i++)
		turn(&desk_engine, &desk);
	ck_assert_int_eq(files(&desk, ".json"), 1);
	ck_assert_int_eq(files(&desk, ".txt"), 1);
	folder_stop();
}
END_TEST

START_TEST(page_of_a_turn_that_was_undone_is_not_shown)
{
	folder_start(&desk_engine, &desk, false);
	half_turn();
	adapter_restart(&desk);
	desk_engine.listeners->undone(desk_engine.listeners->arg);
	ck_assert_int_eq(files(&desk, ".json"), 0);
	for (int i = 0; i < 5; i++)
		turn(&desk_engine, &desk);
	ck_assert_int_eq(files(&desk, ".json"), 1);
	folder_stop();
}
END_TEST

START_TEST(crash_before_the_cursor_makes_the_same_file_again)
{
	folder_start(&desk_engine, &desk, false);
	turn(&desk_engine, &desk);
	/* Written in the next turn, which is never committed. */
	half_turn();
	ck_assert_int_eq(files(&desk, ".json"), 1);
	folder_stop();
	adapter_restart(&desk);
	desk_engine.listeners = NULL;
	folder_start(&desk_engine, &desk, false);
	for (int i = 0; i < 5; i++)
		turn(&desk_engine, &desk);
	ck_assert_int_eq(files(&desk, ".json"), 1);
	ck_assert_int_eq(files(&desk, ".txt"), 1);
	folder_stop();
}
END_TEST

START_TEST(what_was_collected_is_not_made_again)
{
	folder_start(&desk_engine, &desk, false);
	for (int i = 0; i < 5; i++)
		turn(&desk_engine, &desk);
	folder_stop();
	desk_engine.listeners = NULL;
	collect(&desk);
	folder_start(&desk_engine, &desk, false);
	for (int i = 0; i < 5; i++)
		turn(&desk_engine, &desk);
	ck_assert_int_eq(files(&desk, ".json"), 0);
	folder_stop();
}
END_TEST

START_TEST(practice_gets_feedback_but_not_what_it_expects)
{
	feed_back(KL_ST_TAKEN_UP);
	feed_back(KL_ST_CONTACT_MADE);
	folder_start(&gp_engine, &gp, true);
	for (int i = 0; i < 10; i++)
		turn(&gp_engine, &gp);
	/* Sent and delivered are no news. */
	ck_assert_int_eq(files(&gp, ".json"), 2);
	ck_assert_int_eq(files(&gp, ".txt"), 2);
	folder_stop();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("page");
	TCase *t = tcase_create("page");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, referral_is_json_and_readable_dutch);
	tcase_add_test(t, correction_says_what_changed);
	tcase_add_test(t, erased_content_gives_no_page);
	tcase_add_test(t, feedback_is_json_and_readable_dutch);
	tcase_add_test(t, english_is_english);
	tcase_add_test(t, step_that_is_not_there_is_not_found);
	tcase_add_test(t, history_shows_three_levels_of_receipt);
	tcase_add_test(t, referral_lands_in_out_after_its_commit);
	tcase_add_test(t, page_of_a_turn_that_was_undone_is_not_shown);
	tcase_add_test(t, crash_before_the_cursor_makes_the_same_file_again);
	tcase_add_test(t, what_was_collected_is_not_made_again);
	tcase_add_test(t, practice_gets_feedback_but_not_what_it_expects);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
