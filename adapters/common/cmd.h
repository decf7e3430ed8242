/*
 * cmd.h: the commands of an adapter, one function each; the tables stand in
 * commands.c and in the main.c of each program. But for init, accept and run
 * they ask the running adapter.
 */
#ifndef ADAPTERS_COMMON_CMD_H
#define ADAPTERS_COMMON_CMD_H

#include <jansson.h>

#include "adapters/common/config.h"
#include "adapters/common/folder.h"
#include "proto/cli/cli.h"

/* Each answers an enum cli_exit. */
int cmd_init(struct cli *c);
int cmd_accept(struct cli *c);
int cmd_status(struct cli *c);
int cmd_rewrap(struct cli *c);
int cmd_take_over(struct cli *c);
int cmd_refer(struct cli *c);
int cmd_correct(struct cli *c);
int cmd_feedback(struct cli *c);
int cmd_alarms(struct cli *c);
int cmd_hold(struct cli *c);
int cmd_attempt(struct cli *c);
int cmd_handed_over(struct cli *c);
int cmd_list(struct cli *c);
int cmd_withdraw(struct cli *c);
int cmd_erased(struct cli *c);
int cmd_show(struct cli *c);
int cmd_profile(struct cli *c);
int cmd_policy_show(struct cli *c);
int cmd_policy_check(struct cli *c);
int cmd_policy_diff(struct cli *c);
int cmd_policy_load(struct cli *c);
/* The daemon itself; ends with SIGTERM or SIGINT. */
int cmd_run(struct cli *c, const struct folder_role *folder);

/* The configuration, and its language for what is said from here on. CLI_OK,
 * or CLI_FILE after it was said. */
int cmd_conf(struct cli *c, struct config *out);
/* `nl` or `en`, by the language. */
const char *cmd_words(const struct cli *c, const char *nl, const char *en);
/* As ask_take, at the socket of the configuration. wait_s: how long the
 * answer may take besides. */
int cmd_ask(struct cli *c, json_t *question, int64_t wait_s,
    json_t **answer);
/* --wait, 0 if it is not given. CLI_OK, CLI_USAGE. */
int cmd_wait(struct cli *c, int64_t *wait_s);
/* The text of FILE, or of standard input for "-", as a JSON string. CLI_OK, or
 * the code after it was said. */
int cmd_file(struct cli *c, const char *path, json_t **out);
/* Cleaned text of a member, "" if there is none. */
struct cmd_text { char b[600]; };
struct cmd_text cmd_member(const json_t *o, const char *key);
/* A text of the answer into FILE, of this user alone, or to standard output
 * for "-". CLI_OK, or the code after it was said. */
int cmd_put_member(struct cli *c, const json_t *answer, const char *key,
    const char *path);
/* One line if nothing leaves now, as the answer says. */
void cmd_say_hindrance(const struct cli *c, const json_t *answer);
/* A member that is a time: "2026-11-26 10:00" by the clocks of Amsterdam. */
struct cmd_text cmd_time(const json_t *o, const char *key);
/* Is there still an answer to be given to the referral o? */
bool cmd_answer_waits(const json_t *o);

#endif
