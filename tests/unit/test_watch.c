#include "adapters/common/watch.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/common/json_content.h"
#include "tests/support/people.h"
#include "tests/support/tmpdir.h"

static struct tmpdir dir;
static struct watch *watch;
static struct watch_options o;
static struct watch_error error;
static int64_t now_ms;

/* What the taking side does and saw. */
static struct {
	enum watch_verdict say;
	bool content;		/* judge by the rules instead */
	int calls, again;
	char last[4096];
	int form;
	uint32_t code;
} seen;

static enum watch_verdict
judge_content(struct kl_bytes file, char *note)
{
	static struct json_referral_file ref;
	const struct kl_rules_options rules = { .today = PEOPLE_TODAY };
	struct kl_finding why;
	int r = json_read_referral(file, &ref, &why);

	if (r == KL_OK)
		r = kl_rules_check_referral(&ref.referral, &rules, &why);
	seen.code = why.code;
	if (r == KL_OK)
		return WATCH_TAKEN;
	(void)snprintf(note, WATCH_NOTE_MAX, "code: %s\n",
	    kl_code_name(why.code));
	return WATCH_REFUSED;
}

static enum watch_verdict
take(void *arg, const struct watch_file *f, char *note)
{
	ck_assert_ptr_eq(arg, &seen);
	seen.calls++;
	seen.again += f->again ? 1 : 0;
	seen.form = (int)f->form;
	ck_assert_uint_lt(f->content.n, sizeof seen.last);
	if (f->content.n > 0)
		memcpy(seen.last, f->content.p, f->content.n);
	seen.last[f->content.n] = '\0';
	if (f->form != WATCH_FINE) {
		ck_assert_uint_eq(f->content.n, 0);
		(void)snprintf(note, WATCH_NOTE_MAX, "code: form\n");
		return WATCH_REFUSED;
	}
	if (seen.content)
		return judge_content(f->content, note);
	(void)snprintf(note, WATCH_NOTE_MAX, "code: bsn\n");
	return seen.say;
}

static bool
scan(void)
{
	return watch_scan(watch, now_ms, &(struct watch_judge){ take, &seen });
}

static void
open_watch(void)
{
	ck_assert_msg(watch_open(&o, &watch, &error) == KL_OK, "%s", error.b);
}

static void
setup(void)
{
	memset(&seen, 0, sizeof seen);
	seen.say = WATCH_TAKEN;
	now_ms = 1000;
	dir = tmpdir_make();
	o = (struct watch_options){ .dir = dir.path, .owner = geteuid(),
	    .file_max = 4000 };
	open_watch();
}

static void
teardown(void)
{
	watch_free(watch);
	tmpdir_remove(&dir);
}

/* As after a crash: what was not committed is forgotten. */
static void
restart(void)
{
	watch_free(watch);
	open_watch();
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(tmpdir_file(&dir, name).b, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* Written under another name and renamed, as it should be. */
static void
hand_in(const char *name, const char *text)
{
	char path[300];

	(void)snprintf(path, sizeof path, "in/%s", name);
	put("in/x.tmp", text);
	ck_assert_int_eq(rename(tmpdir_file(&dir, "in/x.tmp").b,
	    tmpdir_file(&dir, path).b), 0);
}

static bool
there(const char *name)
{
	struct stat st;

	return lstat(tmpdir_file(&dir, name).b, &st) == 0;
}

static void
holds(const char *name, const char *text)
{
	FILE *f = fopen(tmpdir_file(&dir, name).b, "r");
	char buf[400] = "";

	ck_assert_msg(f != NULL, "%s", name);
	ck_assert_uint_eq(fread(buf, 1, sizeof buf - 1, f), strlen(text));
	ck_assert_str_eq(buf, text);
	fclose(f);
}

START_TEST(missing_directories_are_made)
{
	const char *const names[] = { "in", "work", "done", "error", "out" };
	struct stat st;

	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(stat(tmpdir_file(&dir, names[i]).b, &st), 0);
		ck_assert(S_ISDIR(st.st_mode));
		ck_assert_uint_eq(st.st_mode & 0777, 0700);
	}
}
END_TEST

START_TEST(taken_file_is_gone_after_the_commit)
{
	hand_in("a.json", "one");
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 1);
	ck_assert_str_eq(seen.last, "one");
	ck_assert(!there("in/a.json"));
	ck_assert(there("work/a.json"));
	watch_committed(watch);
	ck_assert(!there("work/a.json"));
	ck_assert(!there("done/a.json"));
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 1);
}
END_TEST

START_TEST(taken_file_is_kept_if_wanted)
{
	o.keep_done = true;
	restart();
	for (int i = 0; i < 2; i++) {
		hand_in("a.json", i == 0 ? "one" : "two");
		ck_assert(scan());
		watch_committed(watch);
	}
	holds("done/a.json", "one");
	holds("done/a-1.json", "two");
}
END_TEST

START_TEST(refused_file_lies_in_error_with_its_note)
{
	seen.say = WATCH_REFUSED;
	hand_in("a.json", "one");
	ck_assert(scan());
	ck_assert(!there("in/a.json"));
	ck_assert(!there("work/a.json"));
	holds("error/a.json", "one");
	holds("error/a.json.error.txt", "code: bsn\n");
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 1);
}
END_TEST

START_TEST(refused_file_overwrites_no_other)
{
	seen.say = WATCH_REFUSED;
	hand_in("a.json", "one");
	ck_assert(scan());
	hand_in("a.json", "two");
	ck_assert(scan());
	holds("error/a.json", "one");
	holds("error/a-1.json", "two");
	ck_assert(there("error/a-1.json.error.txt"));
}
END_TEST

START_TEST(one_bad_file_does_not_stop_the_rest)
{
	seen.content = true;
	hand_in("a.json", "{");
	hand_in("b.json", "[]");
	hand_in("c.json", "");
	put("in/c.ok", "");
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 3);
	ck_assert(there("error/a.json") && there("error/b.json") &&
	    there("error/c.json"));
}
END_TEST

START_TEST(undone_file_is_offered_again)
{
	hand_in("a.json", "one");
	ck_assert(scan());
	watch_undone(watch);
	ck_assert(there("work/a.json"));
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 2);
	ck_assert_int_eq(seen.again, 0);
	watch_committed(watch);
	ck_assert(!there("work/a.json"));
}
END_TEST

START_TEST(file_that_must_wait_stays_in_work)
{
	seen.say = WATCH_LATER;
	hand_in("a.json", "one");
	ck_assert(scan());
	watch_committed(watch);
	ck_assert(there("work/a.json"));
	seen.say = WATCH_TAKEN;
	ck_assert(scan());
	watch_committed(watch);
	ck_assert(!there("work/a.json"));
}
END_TEST

START_TEST(file_in_work_is_finished_after_a_crash)
{
	hand_in("a.json", "one");
	ck_assert(scan());
	restart();
	seen.say = WATCH_GONE;
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 2);
	ck_assert_int_eq(seen.again, 1);
	ck_assert(!there("work/a.json"));
	ck_assert(!there("in/a.json"));
}
END_TEST

START_TEST(half_written_file_waits)
{
	put("in/a.json", "half");
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 0);
	now_ms += WATCH_STABLE_MS - 1;
	put("in/a.json", "half and more");
	ck_assert(scan());
	now_ms += WATCH_STABLE_MS - 1;
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 0);
	now_ms += 1;
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 1);
	ck_assert_str_eq(seen.last, "half and more");
}
END_TEST

START_TEST(ok_file_says_that_it_is_whole)
{
	put("in/a.json", "one");
	put("in/b.json", "two");
	put("in/a.ok", "");
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 1);
	ck_assert_str_eq(seen.last, "one");
	ck_assert(!there("in/a.ok"));
	ck_assert(there("in/b.json"));
}
END_TEST

START_TEST(second_file_of_a_name_is_judged_by_itself)
{
	hand_in("a.json", "one");
	ck_assert(scan());
	watch_committed(watch);
	/* Not renamed this time: it may be half. */
	put("in/a.json", "tw");
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 1);
	ck_assert(there("in/a.json"));
}
END_TEST

START_TEST(what_is_not_for_us_is_left_alone)
{
	put("in/a.json.tmp", "x");
	put("in/.b.json", "x");
	put("in/readme.txt", "x");
	put("in/c.ok", "");
	put("elsewhere", "x");
	ck_assert_int_eq(mkdir(tmpdir_file(&dir, "in/d.json").b, 0700), 0);
	ck_assert_int_eq(symlink("../elsewhere",
	    tmpdir_file(&dir, "in/e.json").b), 0);
	ck_assert_int_eq(link(tmpdir_file(&dir, "elsewhere").b,
	    tmpdir_file(&dir, "in/f.json").b), 0);
	ck_assert_int_eq(mkfifo(tmpdir_file(&dir, "in/g.json").b, 0600), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert(scan());
		now_ms += WATCH_STABLE_MS;
	}
	ck_assert_int_eq(seen.calls, 0);
	ck_assert(there("in/a.json.tmp") && there("in/.b.json") &&
	    there("in/readme.txt") && there("in/c.ok") &&
	    there("in/d.json") && there("in/e.json") && there("in/f.json") &&
	    there("in/g.json"));
}
END_TEST

START_TEST(file_of_another_user_is_left_alone)
{
	o.owner = geteuid() + 1;
	restart();
	hand_in("a.json", "one");
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 0);
	ck_assert(there("in/a.json"));
}
END_TEST

START_TEST(name_outside_the_rules_is_refused)
{
	char name[250], path[260];

	hand_in("Jansen, Piet.json", "one");
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 1);
	ck_assert_int_eq(seen.form, WATCH_BAD_NAME);
	ck_assert(there("error/Jansen__Piet.json"));
	memset(name, 'a', sizeof name);
	memcpy(name + 196, ".json", 6);
	hand_in(name, "one");
	ck_assert(scan());
	ck_assert_int_eq(seen.calls, 2);
	ck_assert_int_eq(seen.form, WATCH_BAD_NAME);
	memcpy(name + 190, ".json", 6);
	(void)snprintf(path, sizeof path, "error/%s", name);
	ck_assert(there(path));
	memset(name, 'a', sizeof name);
	memcpy(name + 195, ".json", 6);
	hand_in(name, "one");
	ck_assert(scan());
	ck_assert_int_eq(seen.form, WATCH_FINE);
}
END_TEST

START_TEST(file_above_the_limit_is_refused)
{
	char big[4003];

	memset(big, 'x', sizeof big);
	big[4001] = '\0';
	hand_in("a.json", big);
	ck_assert(scan());
	ck_assert_int_eq(seen.form, WATCH_TOO_LARGE);
	ck_assert(there("error/a.json"));
	big[4000] = '\0';
	hand_in("b.json", big);
	ck_assert(scan());
	ck_assert_int_eq(seen.form, WATCH_FINE);
}
END_TEST

START_TEST(one_scan_takes_a_limited_number)
{
	char name[40];
	int scans = 1;

	for (int i = 0; i < 2 * WATCH_TURN_MAX + 1; i++) {
		(void)snprintf(name, sizeof name, "f%d.json", i);
		hand_in(name, "one");
	}
	while (!scan())
		scans++;
	ck_assert_int_eq(scans, 3);
	ck_assert_int_eq(seen.calls, 2 * WATCH_TURN_MAX + 1);
}
END_TEST

START_TEST(renamed_file_wakes_the_loop)
{
	struct pollfd p = { .fd = watch_fd(watch), .events = POLLIN };

	ck_assert_int_ge(p.fd, 0);
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	hand_in("a.json", "one");
	ck_assert_int_eq(poll(&p, 1, 0), 1);
	ck_assert(scan());
	ck_assert_int_eq(poll(&p, 1, 0), 0);
}
END_TEST

START_TEST(folder_that_is_gone_does_not_keep_the_loop_awake)
{
	struct pollfd p = { .fd = watch_fd(watch), .events = POLLIN };

	ck_assert_int_eq(rmdir(tmpdir_file(&dir, "work").b), 0);
	ck_assert_int_eq(rmdir(tmpdir_file(&dir, "in").b), 0);
	ck_assert_int_eq(poll(&p, 1, 0), 1);
	ck_assert(scan());
	ck_assert_int_eq(poll(&p, 1, 0), 0);
}
END_TEST

static int
put_out(const char *stem, const char *txt, const char *json)
{
	const struct drop_part part[] = {
		{ "txt", kl_bytes_str(txt) }, { "json", kl_bytes_str(json) },
	};

	return watch_put(watch, stem, part, 2);
}

static bool
due_if_named(void *arg, const char *name, int64_t at_ms)
{
	ck_assert_int_gt(at_ms, 1000000000000);
	return strcmp(name, arg) == 0;
}

START_TEST(output_that_is_due_goes_and_nothing_else)
{
	char gone[] = "1.json", outside[] = "2.json";
	const struct watch_sweep s = { due_if_named, gone };
	const struct watch_sweep link = { due_if_named, outside };

	ck_assert_int_eq(put_out("1", "a", "one"), KL_OK);
	ck_assert_int_eq(watch_sweep(watch, &s), KL_OK);
	ck_assert(there("out/1.txt"));
	ck_assert(!there("out/1.json"));
	/* A link is nobody's page. */
	ck_assert_int_eq(symlink("1.txt", tmpdir_file(&dir,
	    "out/2.json").b), 0);
	ck_assert_int_eq(watch_sweep(watch, &link), KL_OK);
	ck_assert(there("out/2.json"));
}
END_TEST

START_TEST(output_replaces_nothing)
{
	ck_assert_int_eq(put_out("1", "a", "one"), KL_OK);
	/* After a crash: the same once more, or what of it was missing. */
	ck_assert_int_eq(put_out("1", "a", "one"), KL_OK);
	ck_assert_int_eq(unlink(tmpdir_file(&dir, "out/1.json").b), 0);
	ck_assert_int_eq(put_out("1", "a", "one"), KL_OK);
	ck_assert(!there("out/1-1.txt"));
	/* Another store began at 1 again; the text is that of a colleague. */
	ck_assert_int_eq(put_out("1", "a", "two"), KL_OK);
	ck_assert_int_eq(put_out("1", "longer", "one"), KL_OK);
	holds("out/1.txt", "a");
	holds("out/1.json", "one");
	holds("out/1-1.txt", "a");
	holds("out/1-1.json", "two");
	holds("out/1-2.txt", "longer");
	holds("out/1-2.json", "one");
	/* Nor what is no file of ours. */
	ck_assert_int_eq(mkdir(tmpdir_file(&dir, "out/2.json").b, 0700), 0);
	ck_assert_int_eq(put_out("2", "a", "b"), KL_OK);
	ck_assert(!there("out/2.txt"));
	holds("out/2-1.json", "b");
}
END_TEST

START_TEST(output_is_for_who_hands_in)
{
	struct stat st;

	ck_assert_int_eq(put_out("1", "x", "x"), KL_OK);
	ck_assert_int_eq(stat(tmpdir_file(&dir, "out/1.json").b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	o.share = true;
	restart();
	ck_assert_int_eq(put_out("2", "x", "x"), KL_OK);
	ck_assert_int_eq(stat(tmpdir_file(&dir, "out/2.json").b, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	ck_assert_int_eq(put_out("../x", "x", "x"), KL_E_VALUE);
	ck_assert_int_eq(put_out(".x", "x", "x"), KL_E_VALUE);
}
END_TEST

START_TEST(folder_that_vanishes_comes_back)
{
	ck_assert_int_eq(rmdir(tmpdir_file(&dir, "out").b), 0);
	put("out", "");
	ck_assert_int_eq(put_out("1", "x", "x"), KL_E_IO);
	ck_assert_int_eq(unlink(tmpdir_file(&dir, "out").b), 0);
	ck_assert_int_eq(mkdir(tmpdir_file(&dir, "out").b, 0700), 0);
	ck_assert_int_eq(put_out("1", "x", "x"), KL_OK);
	seen.say = WATCH_REFUSED;
	ck_assert_int_eq(rmdir(tmpdir_file(&dir, "error").b), 0);
	hand_in("a.json", "one");
	ck_assert(scan());
	ck_assert(there("work/a.json"));
	ck_assert_int_eq(mkdir(tmpdir_file(&dir, "error").b, 0700), 0);
	ck_assert(scan());
	ck_assert(there("error/a.json"));
	ck_assert_int_eq(rmdir(tmpdir_file(&dir, "in").b), 0);
	ck_assert(scan());
	ck_assert_int_eq(mkdir(tmpdir_file(&dir, "in").b, 0700), 0);
	ck_assert(scan());
	hand_in("b.json", "two");
	ck_assert(scan());
	ck_assert(there("error/b.json"));
}
END_TEST

static void
does_not_open(const char *says)
{
	struct watch *w;

	memset(&error, 0, sizeof error);
	ck_assert_int_eq(watch_open(&o, &w, &error), KL_E_CONFIG);
	ck_assert_ptr_null(w);
	ck_assert_msg(strstr(error.b, says) != NULL, "%s", error.b);
}

START_TEST(folder_that_is_not_there_stops_the_start)
{
	const struct tmpdir_path none = tmpdir_file(&dir, "none");

	o.dir = none.b;
	does_not_open(none.b);
}
END_TEST

START_TEST(part_that_is_no_directory_stops_the_start)
{
	ck_assert_int_eq(rmdir(tmpdir_file(&dir, "error").b), 0);
	put("error", "");
	does_not_open("/error: ");
}
END_TEST

START_TEST(part_that_is_not_writable_stops_the_start)
{
	if (geteuid() == 0)
		return;		/* root may write everywhere */
	ck_assert_int_eq(chmod(tmpdir_file(&dir, "out").b, 0500), 0);
	does_not_open("/out: is not writable");
	ck_assert_int_eq(put_out("1", "x", "x"), KL_E_DENIED);
	ck_assert_int_eq(chmod(tmpdir_file(&dir, "out").b, 0700), 0);
}
END_TEST

/* ---- what is in the files ---- */

static char text[8192];

/* A file of the test data with `what` replaced. */
static void
person(const char *name, const char *what, const char *with)
{
	FILE *f = fopen(name, "r");
	size_t n, a = strlen(what), b = strlen(with);
	char *at;

	ck_assert_msg(f != NULL, "%s", name);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	fclose(f);
	if (a == 0)
		return;
	ck_assert_ptr_nonnull(at = strstr(text, what));
	ck_assert_uint_lt(n + b, sizeof text);
	memmove(at + b, at + a, strlen(at + a) + 1);
	memcpy(at, with, b);
}

#define AMRANI "tests/data/practice-1/el-amrani.json"

static const struct {
	const char *file, *what, *with;
	uint32_t code;		/* KL_C_OK: taken */
} contents[] = {
	{ AMRANI, "", "", KL_C_OK },
	{ "tests/data/practice-1/jansen-with-bsn.json", "", "", KL_C_BSN },
	{ AMRANI, "\"sms\"", "\"sms\", \"diagnosis\": \"P03\"",
	  KL_C_FIELD_UNKNOWN },
	{ AMRANI, "\"consent\": {\n\t\t\"referral\": true,",
	  "\"consent\": {\n\t\t\"referral\": false,", KL_C_NO_CONSENT },
	{ AMRANI, "K. Oude Luttikhuis", "NL91ABNA0417164300", KL_C_IBAN },
	{ AMRANI, "Amrani", "Amrani P76", KL_C_MEDICAL_CODE },
	{ AMRANI, "1987-03", "2015-03-01", KL_C_UNDER_AGE },
	{ AMRANI, "\"sms\"", "\"sms\", \"practical_note\": \"belt liever\"",
	  KL_C_FREE_TEXT },
	{ AMRANI, "\"schema\": 1", "\"schema\": 99", KL_C_SCHEMA },
	{ AMRANI, "{\n\t\"schema\": 1,", "{\n\t\"schema\": 1, ,", KL_C_JSON },
};

START_TEST(content_is_judged_and_refused_with_its_code)
{
	char note[100];

	seen.content = true;
	person(contents[_i].file, contents[_i].what, contents[_i].with);
	hand_in("a.json", text);
	ck_assert(scan());
	ck_assert_msg(seen.code == contents[_i].code, "%s instead of %s",
	    kl_code_name(seen.code), kl_code_name(contents[_i].code));
	if (contents[_i].code == KL_C_OK) {
		ck_assert(there("work/a.json"));
		return;
	}
	(void)snprintf(note, sizeof note, "code: %s\n",
	    kl_code_name(contents[_i].code));
	holds("error/a.json.error.txt", note);
	ck_assert(!there("work/a.json"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("watch");
	TCase *t = tcase_create("watch");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, missing_directories_are_made);
	tcase_add_test(t, taken_file_is_gone_after_the_commit);
	tcase_add_test(t, taken_file_is_kept_if_wanted);
	tcase_add_test(t, refused_file_lies_in_error_with_its_note);
	tcase_add_test(t, refused_file_overwrites_no_other);
	tcase_add_test(t, one_bad_file_does_not_stop_the_rest);
	tcase_add_test(t, undone_file_is_offered_again);
	tcase_add_test(t, file_that_must_wait_stays_in_work);
	tcase_add_test(t, file_in_work_is_finished_after_a_crash);
	tcase_add_test(t, half_written_file_waits);
	tcase_add_test(t, ok_file_says_that_it_is_whole);
	tcase_add_test(t, second_file_of_a_name_is_judged_by_itself);
	tcase_add_test(t, what_is_not_for_us_is_left_alone);
	tcase_add_test(t, file_of_another_user_is_left_alone);
	tcase_add_test(t, name_outside_the_rules_is_refused);
	tcase_add_test(t, file_above_the_limit_is_refused);
	tcase_add_test(t, one_scan_takes_a_limited_number);
	tcase_add_test(t, renamed_file_wakes_the_loop);
	tcase_add_test(t, output_replaces_nothing);
	tcase_add_test(t, output_is_for_who_hands_in);
	tcase_add_test(t, folder_that_vanishes_comes_back);
	tcase_add_test(t,
	    folder_that_is_gone_does_not_keep_the_loop_awake);
	tcase_add_test(t, output_that_is_due_goes_and_nothing_else);
	tcase_add_test(t, folder_that_is_not_there_stops_the_start);
	tcase_add_test(t, part_that_is_no_directory_stops_the_start);
	tcase_add_test(t, part_that_is_not_writable_stops_the_start);
	tcase_add_loop_test(t, content_is_judged_and_refused_with_its_code, 0,
	    sizeof contents / sizeof contents[0]);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
