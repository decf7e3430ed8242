#include "tests/support/region.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/host/textfile.h>
#include <kortelijn/wire/signed.h>

#define PATH_CAP 512

extern char **environ;

static int
card_read(const char *path, struct kl_arena *mem, struct kl_card *out)
{
	uint8_t packed[KL_STATEMENT_MAX];
	struct kl_signed s;
	size_t n;
	int r;

	r = kl_textfile_read(AT_FDCWD, path, KL_TAG_CARD, NULL,
	    packed, sizeof packed, &n);
	if (r != KL_OK)
		return r;
	if (kl_signed_read(kl_bytes(packed, n), mem, &s) != KL_C_OK ||
	    KL_STATEMENT_READ(KL_CARD, s.body, mem, out) != KL_C_OK)
		return KL_E_FORMAT;
	return KL_OK;
}

int
region_broker_read(const char *config_dir, struct region_broker *out)
{
	struct kl_arena *mem = kl_arena_new(65536, 1024);
	struct kl_card card;
	char path[PATH_CAP];
	int r;

	if (mem == NULL)
		return KL_E_MEMORY;
	(void)snprintf(path, sizeof path, "%s/broker.card", config_dir);
	r = card_read(path, mem, &card);
	if (r == KL_OK) {
		out->transport_pk = card.transport_pk;
		out->sign_pk = card.sign_pk;
	}
	kl_arena_free(mem);
	return r;
}

int
region_authority_read(const char *dir, struct kl_secret **out)
{
	char path[PATH_CAP];

	(void)snprintf(path, sizeof path, "%s/authority.key", dir);
	return kl_keyfile_read(AT_FDCWD, path, "authority", out);
}

pid_t
region_start(const char *program, const char *conf, const char *log)
{
	char option[PATH_CAP + 16];
	char *argv[] = { (char *)(uintptr_t)program, option, NULL };
	posix_spawn_file_actions_t files;
	pid_t pid = -1;

	(void)snprintf(option, sizeof option, "--config=%s", conf);
	if (posix_spawn_file_actions_init(&files) != 0)
		return -1;
	if ((log != NULL && posix_spawn_file_actions_addopen(&files, 2, log,
	    O_WRONLY | O_CREAT | O_APPEND, 0600) != 0) ||
	    posix_spawn(&pid, program, &files, NULL, argv, environ) != 0)
		pid = -1;
	(void)posix_spawn_file_actions_destroy(&files);
	return pid;
}

int
region_stop(pid_t pid)
{
	int status;

	if (kill(pid, SIGTERM) != 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
