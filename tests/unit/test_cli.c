#include "proto/cli/cli.h"

#include <check.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/cli/ask.h"
#include "proto/cli/output.h"
#include "tests/support/tmpdir.h"

#define SAID_MAX 8192

static struct tmpdir dir;
static char out[SAID_MAX], err[SAID_MAX];

/* What the command under test got, in one line. */
static char got[512];

static void
setup(void)
{
	dir = tmpdir_make();
	got[0] = '\0';
}

static void
teardown(void)
{
	tmpdir_remove(&dir);
}

/* ---- what is said -------------------------------------------------------- */

static int saved[2];

static void
listen_to(int i, FILE *f, const char *name)
{
	int fd = open(tmpdir_file(&dir, name).b, O_RDWR | O_CREAT | O_TRUNC,
	    0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fflush(f), 0);
	saved[i] = dup(fileno(f));
	ck_assert_int_ge(dup2(fd, fileno(f)), 0);
	ck_assert_int_eq(close(fd), 0);
}

static void
heard(int i, FILE *f, char *text)
{
	ssize_t n;

	ck_assert_int_eq(fflush(f), 0);
	n = pread(fileno(f), text, SAID_MAX - 1, 0);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	ck_assert_int_ge(dup2(saved[i], fileno(f)), 0);
	ck_assert_int_eq(close(saved[i]), 0);
}

static void
quiet(void)
{
	listen_to(0, stdout, "out");
	listen_to(1, stderr, "err");
}

static void
loud(void)
{
	heard(0, stdout, out);
	heard(1, stderr, err);
}

/* ---- a program ----------------------------------------------------------- */

static int
run_show(struct cli *c)
{
	const char *days = cli_option(c, "days");

	(void)snprintf(got, sizeof got, "%s %s %s %s %s",
	    c->n_args > 0 ? c->arg[0] : "-", c->n_args > 1 ? c->arg[1] : "-",
	    days != NULL ? days : "none",
	    cli_option(c, "yes") != NULL ? "yes" : "no", c->conf_path);
	return CLI_OK;
}

static int
run_needy(struct cli *c)
{
	return cli_option(c, "days") == NULL ? cli_missing(c, "days") : CLI_OK;
}

static const struct cli_command commands[] = {
	{ "show", "ID [FILE] [--days=N] [--yes] [--a-very-long-option=VALUE] "
	  "[--another-long-option=VALUE]", "show a thing", "Shows it.",
	  1, 2, { "days=", "yes" }, run_show },
	{ "thing make", "--days=N", "make a thing", "", 0, 0, { "days=" },
	  run_needy },
};
/* What it shares with another program. */
static const struct cli_command shared[] = {
	{ "show all", "--days=N", "show all things", "", 0, 0, { "days=" },
	  run_needy },
	{ "help", "[COMMAND]", "explain", "", 0, 2, { NULL }, cli_help },
};
static const struct cli_table tables[] = {
	{ commands, sizeof commands / sizeof commands[0] },
	{ NULL, 0 },
	{ shared, sizeof shared / sizeof shared[0] },
};
static const char *const options[] = { "socket=", NULL };
static const struct cli_program program = {
	.name = "prog", .conf_default = "/etc/prog.conf",
	.tables = tables, .n = sizeof tables / sizeof tables[0],
	.options = options, .help = "  --socket=PATH   socket\n",
	.daemon = "the daemon",
};

#define SAY(...)							\
	say((char *[]){ (char[]){ "prog" }, __VA_ARGS__, NULL })
#define W(text) ((char[]){ text })

static int
say(char **argv)
{
	int argc = 0, r;

	while (argv[argc] != NULL)
		argc++;
	quiet();
	r = cli_main(&program, argc, argv);
	loud();
	return r;
}

START_TEST(options_stand_before_or_after_the_command)
{
	ck_assert_int_eq(SAY(W("show"), W("a"), W("--days=3"), W("--yes")),
	    CLI_OK);
	ck_assert_str_eq(got, "a - 3 yes /etc/prog.conf");
	ck_assert_int_eq(SAY(W("--config=x"), W("show"), W("--days="), W("a"),
	    W("b")), CLI_OK);
	ck_assert_str_eq(got, "a b  no x");
	ck_assert_int_eq(SAY(W("--socket=s"), W("show"), W("-")), CLI_OK);
	ck_assert_str_eq(got, "- - none no /etc/prog.conf");
}
END_TEST

START_TEST(unknown_option_is_wrong_usage)
{
	ck_assert_int_eq(SAY(W("show"), W("a"), W("--dais=3")), CLI_USAGE);
	ck_assert_ptr_nonnull(strstr(err, "--dais: no such option"));
	ck_assert_int_eq(SAY(W("show"), W("a"), W("--day=3")), CLI_USAGE);
	ck_assert_int_eq(SAY(W("help"), W("--days=3")), CLI_USAGE);
	ck_assert_str_eq(got, "");
}
END_TEST

START_TEST(option_without_its_value_is_wrong_usage)
{
	ck_assert_int_eq(SAY(W("show"), W("a"), W("--days")), CLI_USAGE);
	ck_assert_int_eq(SAY(W("show"), W("a"), W("--yes=1")), CLI_USAGE);
	ck_assert_str_eq(got, "");
}
END_TEST

START_TEST(too_few_or_too_many_arguments_are_wrong_usage)
{
	ck_assert_int_eq(SAY(W("show")), CLI_USAGE);
	ck_assert_ptr_nonnull(strstr(err, "usage: prog show ID"));
	ck_assert_int_eq(SAY(W("show"), W("a"), W("b"), W("c")), CLI_USAGE);
	ck_assert_ptr_nonnull(strstr(err, "one argument too many"));
	ck_assert_str_eq(got, "");
}
END_TEST

START_TEST(command_of_two_words_wants_both)
{
	ck_assert_int_eq(SAY(W("thing"), W("make"), W("--days=1")), CLI_OK);
	ck_assert_int_eq(SAY(W("thing")), CLI_USAGE);
	ck_assert_ptr_nonnull(strstr(err, "no such command"));
	ck_assert_int_eq(SAY(W("thing"), W("mak")), CLI_USAGE);
}
END_TEST

START_TEST(command_of_two_words_goes_before_one_of_one)
{
	ck_assert_int_eq(SAY(W("show"), W("all")), CLI_USAGE);
	ck_assert_ptr_nonnull(strstr(err, "--days"));
	ck_assert_int_eq(SAY(W("help"), W("show"), W("all")), CLI_OK);
	ck_assert_ptr_nonnull(strstr(out, "usage: prog show all"));
	ck_assert_int_eq(SAY(W("show"), W("al")), CLI_OK);
}
END_TEST

START_TEST(missing_option_is_named)
{
	ck_assert_int_eq(SAY(W("thing"), W("make")), CLI_USAGE);
	ck_assert_ptr_nonnull(strstr(err, "thing make needs --days"));
}
END_TEST

START_TEST(no_command_prints_the_list)
{
	ck_assert_int_eq(say((char *[]){ W("prog"), NULL }), CLI_USAGE);
	ck_assert_ptr_nonnull(strstr(out, "thing make"));
	ck_assert_int_eq(SAY(W("--help")), CLI_OK);
	ck_assert_ptr_nonnull(strstr(out, "--socket=PATH"));
	ck_assert_ptr_nonnull(strstr(out, "Exit codes"));
	ck_assert_int_eq(SAY(W("--version")), CLI_OK);
	ck_assert_str_eq(out, "prog " KL_VERSION "\n");
}
END_TEST

START_TEST(help_explains_a_command_in_80_columns)
{
	ck_assert_int_eq(SAY(W("help"), W("show")), CLI_OK);
	ck_assert_ptr_nonnull(strstr(out, "usage: prog show ID [FILE]"));
	for (char *line = strtok(out, "\n"); line != NULL;
	    line = strtok(NULL, "\n"))
		ck_assert_uint_le(strlen(line), 80);
	ck_assert_int_eq(SAY(W("show"), W("--help")), CLI_OK);
	ck_assert_str_eq(got, "");
	ck_assert_int_eq(SAY(W("help"), W("thing"), W("make")), CLI_OK);
	ck_assert_ptr_nonnull(strstr(out, "usage: prog thing make"));
	ck_assert_int_eq(SAY(W("help"), W("nothing")), CLI_USAGE);
}
END_TEST

START_TEST(help_of_a_group_lists_its_commands)
{
	ck_assert_int_eq(SAY(W("help"), W("thing")), CLI_OK);
	ck_assert_ptr_nonnull(strstr(out, "usage: prog thing COMMAND"));
	ck_assert_ptr_nonnull(strstr(out, "  thing make"));
	ck_assert_ptr_null(strstr(out, "  show"));
	ck_assert_int_eq(SAY(W("help"), W("thin")), CLI_USAGE);
	ck_assert_int_eq(SAY(W("help"), W("thing"), W("make")), CLI_OK);
	ck_assert_ptr_nonnull(strstr(out, "usage: prog thing make"));
}
END_TEST

/* The names of what help lists in JSON. */
static void
helps(char **words, size_t n, const char *first)
{
	json_t *o, *list, *k;

	ck_assert_int_eq(say(words), CLI_OK);
	ck_assert_ptr_nonnull(o = json_loads(out, 0, NULL));
	ck_assert(json_is_true(json_object_get(o, "ok")));
	list = json_object_get(o, "commands");
	ck_assert_uint_eq(json_array_size(list), n);
	k = json_array_get(list, 0);
	ck_assert_str_eq(json_string_value(json_object_get(k, "name")), first);
	ck_assert(json_is_string(json_object_get(k, "summary")));
	json_decref(o);
}

START_TEST(help_comes_in_json_too)
{
	helps((char *[]){ W("prog"), W("help"), W("thing"), W("--json"),
	    NULL }, 1, "thing make");
	helps((char *[]){ W("prog"), W("help"), W("show"), W("--json"),
	    NULL }, 1, "show");
	helps((char *[]){ W("prog"), W("show"), W("--help"), W("--json"),
	    NULL }, 1, "show");
}
END_TEST

START_TEST(error_in_json_says_so_on_standard_output_too)
{
	json_t *o;

	ck_assert_int_eq(SAY(W("show"), W("--json")), CLI_USAGE);
	o = json_loads(out, 0, NULL);
	ck_assert(json_is_false(json_object_get(o, "ok")));
	ck_assert_int_eq(json_integer_value(json_object_get(o, "exit")),
	    CLI_USAGE);
	json_decref(o);
	ck_assert_ptr_nonnull(strstr(err, "prog: usage"));
}
END_TEST

START_TEST(answer_to_a_question_is_cut_at_its_line)
{
	char answer[16];
	int in[2];

	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(write(in[1], "yes\r\n", 5), 5);
	ck_assert_int_eq(close(in[1]), 0);
	ck_assert_int_ge(dup2(in[0], STDIN_FILENO), 0);
	quiet();
	ck_assert(cli_ask("sure? ", answer, sizeof answer));
	ck_assert(!cli_ask("sure? ", answer, sizeof answer));
	loud();
	ck_assert_str_eq(answer, "yes");
	ck_assert_str_eq(err, "sure? sure? ");
}
END_TEST

/* ---- output -------------------------------------------------------------- */

static const struct cli plain = { .program = &program };
static const struct cli in_json = { .program = &program, .json = true };
static const struct cli english = { .program = &program, .english = true };

static struct output_text
cleaned(const char *text)
{
	return output_text(kl_bytes_str(text));
}

START_TEST(text_of_others_cannot_steer_the_terminal)
{
	ck_assert_str_eq(cleaned("a\x1b[2Jb\n\x7f").b, "a?[2Jb??");
	ck_assert_str_eq(cleaned("a\302\205b").b, "a?b");
	ck_assert_str_eq(cleaned("a\342\200\256b\342\201\246").b, "a?b?");
	ck_assert_str_eq(cleaned("\303\226lc").b, "\303\226lc");
	ck_assert_str_eq(cleaned("\303(").b, "?(");
}
END_TEST

START_TEST(long_text_is_cut_between_characters)
{
	char text[600] = "a";
	struct output_text t;

	for (size_t i = 1; i + 2 < sizeof text; i += 2)
		memcpy(text + i, "\303\226", 3);
	t = cleaned(text);
	ck_assert_uint_lt(strlen(t.b), sizeof t.b);
	ck_assert_uint_gt(strlen(t.b), 200);
	ck_assert_str_eq(output_text(kl_bytes_str(t.b)).b, t.b);
}
END_TEST

START_TEST(object_is_printed_as_lines_or_as_json)
{
	const char *s = "{\"ok\":true,\"open_cases\":3,\"name\":\"x\\u001b\","
	    "\"at_ms\":1700000000000,\"yes\":true,\"list\":[1,2],"
	    "\"deep\":{\"er\":{\"most\":1,\"gone\":{\"a\":1}}}}";
	json_t *o;

	quiet();
	ck_assert_int_eq(output_take(&plain, json_loads(s, 0, NULL)),
	    CLI_OK);
	loud();
	ck_assert_ptr_nonnull(strstr(out, "open cases:              3\n"));
	ck_assert_ptr_nonnull(strstr(out, "x?\n"));
	ck_assert_ptr_nonnull(strstr(out, "2023-11-14T22:13:20.000Z\n"));
	ck_assert_ptr_nonnull(strstr(out, "    most:"));
	ck_assert_ptr_null(strstr(out, "ok:"));
	quiet();
	ck_assert_int_eq(output_take(&in_json, json_pack("{s:i}", "a", 1)),
	    CLI_OK);
	loud();
	o = json_loads(out, 0, NULL);
	ck_assert(json_is_true(json_object_get(o, "ok")));
	json_decref(o);
}
END_TEST

START_TEST(no_memory_for_an_answer_is_a_failure)
{
	quiet();
	ck_assert_int_eq(output_take(&plain, NULL), CLI_FAILED);
	ck_assert_int_eq(output_take_table(&in_json, NULL, "x", NULL, 0),
	    CLI_FAILED);
	loud();
	ck_assert_ptr_nonnull(strstr(err, "prog: the answer"));
}
END_TEST

START_TEST(output_that_reaches_nobody_is_a_failure)
{
	int r, full = open("/dev/full", O_WRONLY);

	ck_assert_int_ge(full, 0);
	quiet();
	ck_assert_int_ge(dup2(full, STDOUT_FILENO), 0);
	r = output_take(&plain, json_pack("{s:i}", "a", 1));
	clearerr(stdout);
	ck_assert_int_ge(dup2(saved[0], STDOUT_FILENO), 0);
	ck_assert_int_eq(r, CLI_FAILED);
}
END_TEST

START_TEST(table_cuts_long_cells_and_marks_empty_ones)
{
	static const struct output_column columns[] = {
		{ "id", "Id", 4 }, { "name", "Name", 3 }, { "n", "N", 5 },
	};
	json_t *o = json_pack("{s:[{s:s,s:s,s:i},{s:s}]}", "rows",
	    "id", "abcdefg", "name", "\303\226\303\226", "n", 7, "id", "x");

	quiet();
	ck_assert_int_eq(output_take_table(&plain, o, "rows", columns, 3),
	    CLI_OK);
	loud();
	ck_assert_str_eq(out, "Id   Nam N\nabcd \303\226\303\226  7\n"
	    "x    -   -\n");
}
END_TEST

START_TEST(what_is_possible_fits_eighty_columns)
{
	json_t *o = json_pack("{s:b,s:s}", "ok", 0, "code", "state");
	json_t *a = json_array();

	for (int i = 0; i < 20; i++)
		(void)json_array_append_new(a, json_string("intake_started"));
	(void)json_object_set_new(o, "possible", a);
	quiet();
	ck_assert_int_eq(output_refused(&plain, o), CLI_FAILED);
	loud();
	json_decref(o);
	ck_assert_ptr_nonnull(strstr(err, "possible now: intake_started "));
	for (char *line = strtok(err, "\n"); line != NULL;
	    line = strtok(NULL, "\n"))
		ck_assert_uint_le(strlen(line), 80);
}
END_TEST

/* What is kept and goes later was not refused. */
START_TEST(later_is_not_called_refused)
{
	json_t *o = json_pack("{s:b,s:s,s:s,s:s}", "ok", 0, "code",
	    "try_later", "nl", "Straks.", "hindrance_nl", "geen lijn");

	quiet();
	ck_assert_int_eq(output_refused(&plain, o), CLI_FAILED);
	loud();
	json_decref(o);
	ck_assert_str_eq(err, "prog: not yet: try_later: Straks.\n"
	    "geen lijn.\n");
}
END_TEST

START_TEST(refusal_is_said_in_the_language_that_was_asked)
{
	json_t *o = json_pack("{s:b,s:s,s:s,s:s,s:s}", "ok", 0, "code", "bsn",
	    "field", "/a", "en", "English.", "nl", "Nederlands.");

	quiet();
	ck_assert_int_eq(output_refused(&plain, o), CLI_FAILED);
	ck_assert_int_eq(output_refused(&english, o), CLI_FAILED);
	ck_assert_int_eq(output_refused(&in_json, o), CLI_FAILED);
	loud();
	json_decref(o);
	ck_assert_str_eq(err, "prog: refused: bsn at /a: Nederlands.\n"
	    "prog: refused: bsn at /a: English.\n");
	ck_assert_ptr_nonnull(strstr(out, "\"code\": \"bsn\""));
}
END_TEST

START_TEST(errors_about_files_have_their_exit_code)
{
	quiet();
	ck_assert_int_eq(output_fail_err(&plain, KL_E_NOT_FOUND, "f"),
	    CLI_FILE);
	ck_assert_int_eq(output_fail_err(&plain, KL_E_DENIED, "f"), CLI_FILE);
	ck_assert_int_eq(output_fail_err(&plain, KL_E_FORMAT, "f"), CLI_FILE);
	ck_assert_int_eq(output_fail_err(&plain, KL_E_MEMORY, "f"),
	    CLI_FAILED);
	loud();
}
END_TEST

START_TEST(values_become_json)
{
	struct kl_id id;
	json_t *v;

	ck_assert_int_eq(kl_id_read("agb:01000001", &id), KL_OK);
	v = output_id(&id);
	ck_assert_str_eq(json_string_value(v), "agb:01000001");
	json_decref(v);
	v = output_time(0);
	ck_assert_str_eq(json_string_value(v), "1970-01-01T00:00:00.000Z");
	json_decref(v);
}
END_TEST

/* ---- ask ----------------------------------------------------------------- */

/* A daemon that says one thing: answers its pid. */
static pid_t
serve(const char *path, const char *reply)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c;
	char byte = '\0';
	pid_t pid;

	ck_assert_uint_lt(strlen(path), sizeof a.sun_path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	ck_assert_int_eq(bind(s, (struct sockaddr *)&a, sizeof a), 0);
	ck_assert_int_eq(listen(s, 1), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid > 0) {
		ck_assert_int_eq(close(s), 0);
		return pid;
	}
	c = accept(s, NULL, NULL);
	while (byte != '\n' && read(c, &byte, 1) == 1)
		continue;
	_exit(write(c, reply, strlen(reply)) == (ssize_t)strlen(reply) ?
	    0 : 1);
}

static int
question(const char *reply, json_t **answer)
{
	struct tmpdir_path path = tmpdir_file(&dir, "s");
	pid_t pid = reply != NULL ? serve(path.b, reply) : 0;
	int r;

	quiet();
	r = ask_take(&plain, path.b, json_pack("{s:s}", "cmd", "status"),
	    ASK_WAIT_MS, answer);
	loud();
	if (pid > 0) {
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		ck_assert_int_eq(unlink(path.b), 0);
	}
	return r;
}

START_TEST(nobody_listens_is_not_running)
{
	json_t *answer;

	ck_assert_int_eq(question(NULL, &answer), CLI_NOT_RUNNING);
	ck_assert_ptr_null(answer);
	ck_assert_ptr_nonnull(strstr(err, "the daemon is not running"));
}
END_TEST

START_TEST(answer_is_handed_over)
{
	json_t *answer;

	ck_assert_int_eq(question("{\"ok\":true,\"n\":1}\n", &answer), CLI_OK);
	ck_assert_int_eq(json_integer_value(json_object_get(answer, "n")), 1);
	json_decref(answer);
}
END_TEST

START_TEST(refusal_and_nonsense_are_failures)
{
	json_t *answer;

	ck_assert_int_eq(question("{\"ok\":false,\"code\":\"level\"}\n",
	    &answer), CLI_FAILED);
	ck_assert_ptr_nonnull(strstr(err, "refused: level"));
	ck_assert_int_eq(question("[1]\n", &answer), CLI_FAILED);
	ck_assert_ptr_nonnull(strstr(err, "not understood"));
	ck_assert_int_eq(question("{\"ok\":true", &answer), CLI_FAILED);
	ck_assert_ptr_nonnull(strstr(err, "did not answer"));
	ck_assert_ptr_null(answer);
}
END_TEST

START_TEST(options_of_every_command_are_told_from_others)
{
	const struct cli c = { .program = &program };

	ck_assert(cli_has(&c, "socket="));
	ck_assert(!cli_has(&c, "socket"));
	ck_assert(!cli_has(&c, "days="));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli");
	TCase *tc = tcase_create("cli");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, options_stand_before_or_after_the_command);
	tcase_add_test(tc, unknown_option_is_wrong_usage);
	tcase_add_test(tc, option_without_its_value_is_wrong_usage);
	tcase_add_test(tc, too_few_or_too_many_arguments_are_wrong_usage);
	tcase_add_test(tc, command_of_two_words_wants_both);
	tcase_add_test(tc,
	    command_of_two_words_goes_before_one_of_one);
	tcase_add_test(tc, missing_option_is_named);
	tcase_add_test(tc, no_command_prints_the_list);
	tcase_add_test(tc, help_explains_a_command_in_80_columns);
	tcase_add_test(tc, help_of_a_group_lists_its_commands);
	tcase_add_test(tc, help_comes_in_json_too);
	tcase_add_test(tc, error_in_json_says_so_on_standard_output_too);
	tcase_add_test(tc, answer_to_a_question_is_cut_at_its_line);
	tcase_add_test(tc, text_of_others_cannot_steer_the_terminal);
	tcase_add_test(tc, long_text_is_cut_between_characters);
	tcase_add_test(tc, object_is_printed_as_lines_or_as_json);
	tcase_add_test(tc, no_memory_for_an_answer_is_a_failure);
	tcase_add_test(tc, output_that_reaches_nobody_is_a_failure);
	tcase_add_test(tc, table_cuts_long_cells_and_marks_empty_ones);
	tcase_add_test(tc, what_is_possible_fits_eighty_columns);
	tcase_add_test(tc, later_is_not_called_refused);
	tcase_add_test(tc, refusal_is_said_in_the_language_that_was_asked);
	tcase_add_test(tc, errors_about_files_have_their_exit_code);
	tcase_add_test(tc, values_become_json);
	tcase_add_test(tc, nobody_listens_is_not_running);
	tcase_add_test(tc, answer_is_handed_over);
	tcase_add_test(tc, refusal_and_nonsense_are_failures);
	tcase_add_test(tc, options_of_every_command_are_told_from_others);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
