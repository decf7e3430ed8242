/*
 * kortelijn: the operator's program. A table of commands; each lives in its
 * cmd_*.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/link.h>

#include "broker/ctl/cmd.h"
#include "broker/ctl/output.h"

static const struct command commands[] = {
	{ "authority init", "DIR --realm=production|training",
	  "make the key of a region's authority",
	  "Makes DIR with authority.key and authority.pub. The key signs the\n"
	  "cards of all participants: keep DIR offline, on two encrypted\n"
	  "sticks, and bring it out to issue or revoke a card. A key that is\n"
	  "there stays as it is. Every adapter pins the fingerprint.",
	  1, 1, { "realm=" }, cmd_authority_init },
	{ "authority fingerprint", "DIR",
	  "print the authority's fingerprint",
	  "DIR holds authority.pub: the authority's directory, the broker's\n"
	  "configuration or an adapter's.",
	  1, 1, { NULL }, cmd_authority_fingerprint },
	{ "broker init", "CONFIG_DIR --id=ID --name=NAME --authority=DIR "
	  "[--endpoint=ADDRESS] [--state=DIR] [--days=N] [--from=DAY]",
	  "make keys, card and configuration of a broker",
	  "Makes curve.key, log.key, authority.pub, broker.card, cards/,\n"
	  "revocations/ and a commented kortelijnd.conf in CONFIG_DIR. Keys and\n"
	  "a configuration that are there stay; the card is renewed. Run it as\n"
	  "the user that runs kortelijnd. --endpoint is where the broker\n"
	  "listens, tcp://127.0.0.1:7700 if it is not given.",
	  1, 1, { "id=", "name=", "authority=", "endpoint=", "state=",
	    "days=", "from=" }, cmd_broker_init },
	{ "enrol show", "REQUESTFILE",
	  "show who asks for a card",
	  "Verifies the request and prints who asks, and the fingerprint that\n"
	  "the organisation reads over the phone.",
	  1, 1, { NULL }, cmd_enrol_show },
	{ "enrol issue", "REQUESTFILE --authority=DIR [--days=730] "
	  "[--from=DAY] [--out=FILE] [--succeeds=ID] [--reads=ID,...] "
	  "[--reads-all] [--fingerprint=F]",
	  "sign a card for a request",
	  "Asks for the end of the fingerprint, as the organisation reads it\n"
	  "over the phone, unless --fingerprint gives the whole of it. Writes\n"
	  "the card to --out, or to a file named after id and serial.\n"
	  "--succeeds names the organisation that this one takes over from.\n"
	  "--reads and --reads-all are for auditors.",
	  1, 1, { "authority=", "days=", "from=", "out=", "succeeds=",
	    "reads=", "reads-all", "fingerprint=" }, cmd_enrol_issue },
	{ "enrol accept", "CARDFILE",
	  "let the broker take up a card",
	  "Hands the card to the running broker, which takes it up at once, and\n"
	  "keeps it in CONFIG/cards. If the broker does not run, it takes the\n"
	  "card up at its next start.",
	  1, 1, { NULL }, cmd_enrol_accept },
	{ "participant list", "",
	  "list the cards that the broker knows",
	  "", 0, 0, { NULL }, cmd_participant_list },
	{ "participant show", "ID",
	  "show what the broker knows of a participant",
	  "", 1, 1, { NULL }, cmd_participant_show },
	{ "participant revoke", "ID --reason=replaced|left|compromise "
	  "--authority=DIR",
	  "end a participant's cards",
	  "Signs a revocation for every card of ID in CONFIG/cards, keeps it in\n"
	  "CONFIG/revocations and hands it to the running broker, where it\n"
	  "counts from the next request. After 'compromise' nothing that this\n"
	  "participant sent and that still waits is released.",
	  1, 1, { "reason=", "authority=" }, cmd_participant_revoke },
	{ "status", "",
	  "say how the running broker fares",
	  "", 0, 0, { NULL }, cmd_status },
	{ "checkpoint", "",
	  "print the signed head of the delivery log",
	  "The text can be kept anywhere and later proves that the log was not\n"
	  "rewritten.",
	  0, 0, { NULL }, cmd_checkpoint },
	{ "store new", "--reason=TEXT [--yes]",
	  "allow an empty store after a loss",
	  "The broker does not start when its store is gone. This lets it begin\n"
	  "with an empty one at its next start; the adapters then present what\n"
	  "is open. Explains this and asks, unless --yes is given.",
	  0, 0, { "reason=", "yes" }, cmd_store_new },
	{ "help", "[COMMAND]",
	  "explain a command, or list all",
	  "", 0, 2, { NULL }, cmd_help },
};
#define N_COMMANDS (sizeof commands / sizeof commands[0])

/* Options of every command. */
static const char *const common_options[] = {
	"config=", "socket=", "json", "help", NULL
};

static const char common_help[] =
    "Options of every command:\n"
    "  --config=FILE   instead of " CTL_CONF_DEFAULT "\n"
    "  --socket=PATH   control socket, instead of the one in FILE\n"
    "  --json          answer in JSON\n"
    "Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 the broker does\n"
    "not run; 4 a file is missing, wrong or not permitted.\n";

static bool
name_is(const char *option, const char *name, size_t n)
{
	return strncmp(option, name, n) == 0 &&
	    (option[n] == '\0' || strcmp(option + n, "=") == 0);
}

/* Is the word an option of the list, with a value if it takes one? */
static bool
listed(const char *word, const char *const *options)
{
	const size_t n = strcspn(word, "=");

	for (; *options != NULL; options++)
		if (name_is(*options, word, n))
			return ((*options)[n] == '=') == (word[n] == '=');
	return false;
}

const char *
ctl_option(const struct ctl *c, const char *name)
{
	const size_t n = strlen(name);

	for (size_t i = 0; i < c->n_words; i++) {
		const char *w = c->words[i];

		if (strncmp(w, "--", 2) != 0 || strncmp(w + 2, name, n) != 0)
			continue;
		if (w[2 + n] == '=')
			return w + 3 + n;
		if (w[2 + n] == '\0')
			return "";
	}
	return NULL;
}

int
ctl_missing(const struct ctl *c, const char *name)
{
	return output_fail(c, CTL_USAGE, "%s needs --%s; see 'kortelijn help "
	    "%s'", c->command->name, name, c->command->name);
}

int
ctl_conf(const struct ctl *c, struct broker_conf *out)
{
	struct kl_conf_error error = { "" };

	if (broker_conf_read(c->conf_path, out, &error) == KL_OK)
		return CTL_OK;
	return output_fail(c, CTL_FILE, "%s", error.b);
}

int
ctl_socket(const struct ctl *c, char path[BROKER_CONTROL_BYTES])
{
	struct broker_conf conf;
	int n, r;

	if (c->socket == NULL && (r = ctl_conf(c, &conf)) != CTL_OK)
		return r;
	n = snprintf(path, BROKER_CONTROL_BYTES, "%s",
	    c->socket != NULL ? c->socket : conf.control);
	if (n >= BROKER_CONTROL_BYTES)
		return output_fail(c, CTL_USAGE, "--socket is too long");
	return CTL_OK;
}

bool
ctl_ask(const char *question, char *answer, size_t cap)
{
	fputs(question, stderr);
	(void)fflush(stderr);
	if (fgets(answer, (int)cap, stdin) == NULL)
		return false;
	answer[strcspn(answer, "\r\n")] = '\0';
	return true;
}

static void
help_list(void)
{
	puts("usage: kortelijn COMMAND [ARGUMENTS] [--OPTION=VALUE]\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		printf("  %-22s %s\n", commands[i].name, commands[i].summary);
	printf("\n%s", common_help);
}

/* Breaks the line of arguments before an option. */
static void
help_command(const struct command *k)
{
	const size_t indent = strlen("usage: kortelijn ") + strlen(k->name);
	const char *p = k->args;
	size_t at = indent;

	printf("usage: kortelijn %s", k->name);
	while (*p != '\0') {
		size_t n = strcspn(p, " ");

		if (at + 1 + n > 78) {
			printf("\n%*s", (int)indent, "");
			at = indent;
		}
		printf(" %.*s", (int)n, p);
		at += 1 + n;
		p += n + (p[n] == ' ');
	}
	printf("\n\n%s.\n", k->summary);
	if (k->help[0] != '\0')
		printf("\n%s\n", k->help);
	printf("\n%s", common_help);
}

/* The row whose name is the first word, or the first two. */
static const struct command *
find(const char *first, const char *second, size_t *words)
{
	char both[64];

	(void)snprintf(both, sizeof both, "%s %s", first,
	    second != NULL ? second : "");
	for (size_t i = 0; i < N_COMMANDS; i++) {
		*words = strchr(commands[i].name, ' ') != NULL ? 2 : 1;
		if (strcmp(commands[i].name, *words == 2 ? both : first) == 0)
			return &commands[i];
	}
	return NULL;
}

int
cmd_help(struct ctl *c)
{
	const struct command *k;
	size_t words;

	if (c->n_args == 0) {
		help_list();
		return CTL_OK;
	}
	k = find(c->arg[0], c->n_args > 1 ? c->arg[1] : NULL, &words);
	if (k == NULL)
		return output_fail(c, CTL_USAGE, "no such command");
	help_command(k);
	return CTL_OK;
}

/* Splits what follows the command into arguments and options. */
static int
words_take(struct ctl *c)
{
	for (size_t i = 0; i < c->n_words; i++) {
		const char *w = c->words[i];

		if (strncmp(w, "--", 2) == 0) {
			if (!listed(w + 2, c->command->options) &&
			    !listed(w + 2, common_options))
				return output_fail(c, CTL_USAGE,
				    "%s: no such option, or its value is "
				    "missing; see 'kortelijn help %s'", w,
				    c->command->name);
		} else if (c->n_args == c->command->args_max) {
			return output_fail(c, CTL_USAGE, "%s: one too many",
			    w);
		} else {
			c->arg[c->n_args++] = w;
		}
	}
	if (c->n_args < c->command->args_min)
		return output_fail(c, CTL_USAGE, "usage: kortelijn %s %s",
		    c->command->name, c->command->args);
	return CTL_OK;
}

static int
run(struct ctl *c)
{
	const char *conf = ctl_option(c, "config");
	int r;

	c->json = ctl_option(c, "json") != NULL;
	if (ctl_option(c, "help") != NULL) {
		help_command(c->command);
		return CTL_OK;
	}
	if ((r = words_take(c)) != CTL_OK)
		return r;
	c->conf_path = conf != NULL ? conf : CTL_CONF_DEFAULT;
	c->socket = ctl_option(c, "socket");
	if (kl_crypto_init() != KL_OK || kl_link_init() != KL_OK)
		return output_fail(c, CTL_FAILED,
		    "libsodium or libzmq did not start");
	return c->command->run(c);
}

int
main(int argc, char **argv)
{
	struct ctl c = { .words = NULL };
	size_t words;

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		help_list();
		return argc < 2 ? CTL_USAGE : CTL_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("kortelijn " KL_VERSION);
		return CTL_OK;
	}
	c.command = find(argv[1], argc > 2 ? argv[2] : NULL, &words);
	if (c.command == NULL) {
		fprintf(stderr, "kortelijn: no command '%s'; see 'kortelijn "
		    "help'\n", output_text(kl_bytes_str(argv[1])).b);
		return CTL_USAGE;
	}
	c.words = argv + 1 + words;
	c.n_words = (size_t)argc - 1 - words;
	return run(&c);
}
