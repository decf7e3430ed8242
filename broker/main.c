#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/host/daemon.h>
#include <kortelijn/host/log.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/host/textfile.h>

#include "broker/config.h"
#include "broker/core/core_main.h"
#include "broker/edge/edge_main.h"
#include "broker/supervisor.h"

#define CONF_PATH "/etc/kortelijn/kortelijnd.conf"
#define EXIT_USAGE 2
#define LOCK_WAIT_MS 10000
#define LOCK_STEP_MS 20

static const char usage[] =
    "kortelijnd: carries sealed referrals and feedback between participants\n"
    "\n"
    "usage: kortelijnd [-c FILE] [--check]\n"
    "\n"
    "  -c, --config FILE  configuration (" CONF_PATH ")\n"
    "      --check        read configuration and keys, say what is wrong\n"
    "  -h, --help         this text\n"
    "      --version      version\n"
    "\n"
    "ends with 0 when stopped, 2 for wrong usage, 3 when an operator must\n"
    "mend something first, 1 else\n";

/* ---- as a child ---- */

/* The core of a broker that was killed may still be dying. */
static int
state_lock(const char *dir)
{
	const struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };
	const int64_t until_ms = kl_mono_ms() + LOCK_WAIT_MS;
	int r = kl_daemon_mkdir(dir);

	if (r != KL_OK)
		return r;
	while ((r = kl_daemon_lock(dir)) == KL_E_EXISTS &&
	    kl_mono_ms() < until_ms)
		(void)nanosleep(&step, NULL);
	return r;
}

static int
core_run(const struct broker_conf *conf, const struct supervisor_fds *fds)
{
	const int r = state_lock(conf->state_dir);

	if (r == KL_OK)
		return core_main(conf, fds->pipe, fds->ready);
	kl_logf(KL_LOG_ERROR, "state_dir_unusable", kl_log_word("why",
	    r == KL_E_EXISTS ? "another kortelijnd holds it" :
	    kl_err_text(r)), kl_log_num("errno", errno));
	return CORE_EXIT_OPERATOR;
}

static int
child_run(const char *option, const char *value)
{
	const bool edge = strcmp(option, SUPERVISOR_EDGE) == 0;
	struct supervisor_fds fds;
	struct broker_conf conf;

	if (sscanf(value, SUPERVISOR_FDS, &fds.pipe, &fds.ready, &fds.conf) !=
	    3 || supervisor_conf_read(fds.conf, &conf) != KL_OK) {
		fputs("kortelijnd: started by the supervisor only\n", stderr);
		return EXIT_USAGE;
	}
	kl_log_init(edge ? "kortelijnd-edge" : "kortelijnd-core", KL_LOG_INFO,
	    conf.log_json);
	if (kl_daemon_harden() != KL_OK) {
		kl_logf(KL_LOG_ERROR, "cannot_harden",
		    kl_log_num("errno", errno));
		return EXIT_FAILURE;
	}
	return edge ? edge_main(&conf, fds.pipe, fds.ready) :
	    core_run(&conf, &fds);
}

/* ---- as the program that an operator starts ---- */

static int
key_check(const struct broker_conf *conf, const char *name,
    const char *purpose)
{
	char path[BROKER_PATH_BYTES + 16];
	struct kl_secret *sk = NULL;
	int r;

	(void)snprintf(path, sizeof path, "%s/%s", conf->config_dir, name);
	r = kl_keyfile_read(AT_FDCWD, path, purpose, &sk);
	kl_secret_free(sk);
	if (r != KL_OK)
		fprintf(stderr, "kortelijnd: %s: %s\n", path, kl_err_text(r));
	return r;
}

/* Without it the broker does not start; whose it is, core looks at. */
static int
card_check(const struct broker_conf *conf)
{
	char path[BROKER_PATH_BYTES + 16];
	uint8_t card[2048];
	size_t n;
	int r;

	(void)snprintf(path, sizeof path, "%s/" BROKER_CARD, conf->config_dir);
	r = kl_textfile_read(AT_FDCWD, path, KL_TAG_CARD, NULL, card,
	    sizeof card, &n);
	if (r != KL_OK)
		fprintf(stderr, "kortelijnd: %s: %s\n", path, kl_err_text(r));
	return r;
}

static int
check(const struct broker_conf *conf)
{
	int transport, log, card;

	if (kl_crypto_init() != KL_OK) {
		fputs("kortelijnd: no memory can be locked\n", stderr);
		return EXIT_FAILURE;
	}
	transport = key_check(conf, "curve.key", "transport");
	log = key_check(conf, "log.key", "log");
	card = card_check(conf);
	if (transport != KL_OK || log != KL_OK || card != KL_OK)
		return CORE_EXIT_OPERATOR;
	printf("configuration is right, realm %s\n",
	    kl_realm_name(conf->realm));
	return EXIT_SUCCESS;
}

static int
daemon_run(const char *path, bool only_check)
{
	struct kl_conf_error error;
	struct broker_conf conf;

	if (broker_conf_read(path, &conf, &error) != KL_OK) {
		fprintf(stderr, "kortelijnd: %s\n", error.b);
		return CORE_EXIT_OPERATOR;
	}
	if (only_check)
		return check(&conf);
	kl_log_init("kortelijnd", KL_LOG_INFO, conf.log_json);
	if (kl_daemon_harden() != KL_OK) {
		kl_logf(KL_LOG_ERROR, "cannot_harden",
		    kl_log_num("errno", errno));
		return EXIT_FAILURE;
	}
	return supervisor_run(&conf);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = CONF_PATH;
	bool only_check = false;
	int c;

	if (argc == 3 && (strcmp(argv[1], SUPERVISOR_EDGE) == 0 ||
	    strcmp(argv[1], SUPERVISOR_CORE) == 0))
		return child_run(argv[1], argv[2]);
	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'k':
			only_check = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'v':
			puts("kortelijnd " KL_VERSION);
			return EXIT_SUCCESS;
		default:
			return EXIT_USAGE;
		}
	if (optind < argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return daemon_run(path, only_check);
}
