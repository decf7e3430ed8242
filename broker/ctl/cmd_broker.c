#include "broker/ctl/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/logfile.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/conf.h>
#include <kortelijn/host/daemon.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/link.h>

#include "broker/ctl/paper.h"
#include "broker/ctl/term.h"
#include "proto/cli/output.h"
#include "proto/cli/policy.h"

/* Makes DIR/curve.key, or takes the one that is there. */
static int
transport_key(const char *dir, struct kl_curve_pk *pk)
{
	struct kl_secret *sk = NULL;
	struct paper_path path;
	int r;

	if ((r = paper_path(dir, "curve.key", &path)) != KL_OK)
		return r;
	r = kl_keyfile_read(AT_FDCWD, path.b, "transport", &sk);
	if (r == KL_OK)
		r = kl_curve_public(sk, pk);
	else if (r == KL_E_NOT_FOUND &&
	    (r = kl_curve_keypair(pk, &sk)) == KL_OK)
		r = kl_keyfile_write(AT_FDCWD, path.b, "transport", sk);
	kl_secret_free(sk);
	return r;
}

/* Where there was no key there was no log and no store: only now may the
 * broker begin with an empty one of itself. The word comes first, since with
 * a key it would never come. */
static int
log_key_begin(const char *dir, const char *path, const struct kl_secret *sk)
{
	int r = paper_new_store_write(dir, BROKER_FIRST_START);

	return r == KL_OK ?
	    kl_keyfile_write(AT_FDCWD, path, "log", sk) : r;
}

/* What the log export is sealed with; one that is there stays, or what it
 * sealed is lost. */
static int
recovery_key(const char *dir)
{
	struct kl_secret *sk = NULL;
	struct paper_path path;
	int r;

	if ((r = paper_path(dir, BROKER_RECOVERY_KEY, &path)) != KL_OK)
		return r;
	r = kl_keyfile_read(AT_FDCWD, path.b, "recovery", &sk);
	if (r == KL_E_NOT_FOUND) {
		sk = kl_secret_random(KL_LOGFILE_KEY_BYTES);
		r = sk == NULL ? KL_E_MEMORY : kl_keyfile_write(AT_FDCWD,
		    path.b, "recovery", sk);
	}
	kl_secret_free(sk);
	return r;
}

static int
log_key(const char *dir, struct kl_sign_pk *pk)
{
	struct kl_secret *sk = NULL;
	struct paper_path path;
	int r;

	if ((r = paper_path(dir, "log.key", &path)) != KL_OK)
		return r;
	r = kl_keyfile_read(AT_FDCWD, path.b, "log", &sk);
	if (r == KL_OK)
		r = kl_sign_public(sk, pk);
	else if (r == KL_E_NOT_FOUND &&
	    (r = kl_sign_keypair(pk, &sk)) == KL_OK)
		r = log_key_begin(dir, path.b, sk);
	kl_secret_free(sk);
	return r;
}

static const char conf_text[] =
    "# kortelijnd.conf: the broker. man kortelijnd explains every key;\n"
    "# an unknown key or a wrong value stops the broker with one line.\n"
    "\n"
    "[broker]\n"
    "# Keys, cards and revocations: back this directory up.\n"
    "config_dir = %s\n"
    "# The store: never back this up. What was erased must not come back.\n"
    "state_dir = %s\n"
    "listen = %s\n"
    "# control = %s/kortelijn.sock\n"
    "# Size of the store. The disk space is taken at once.\n"
    "# map_mb = 256\n"
    "# Messages that can wait at one time.\n"
    "# slots = 8192\n"
    "# best-effort: start on a file system that may keep copies of erased\n"
    "# keys (btrfs, zfs, overlay). Not for production.\n"
    "# erasure = verified\n"
    "# A secret that seals the keys of the store, outside state_dir; make\n"
    "# one with 'head -c 32 /dev/urandom'. None if not given.\n"
    "# master_key = /etc/kortelijn/master.secret\n"
    "# rewrap_at = 03:00\n"
    "# log_json = no\n"
    "# The sealed export of the log, every night: put it on another disk, and\n"
    "# keep recovery.key in other hands. It also names the last checkpoint\n"
    "# after a loss.\n"
    "# export_dir = %s/export\n"
    "\n"
    "# Of each participant.\n"
    "[limits]\n"
    "# requests_per_minute = 1200\n"
    "# bytes_per_day_mb = 64\n"
    "# open_conversations = 5000\n";

static int
conf_fill(int fd, const char *dir, const char *state, const char *endpoint)
{
	char full[PATH_MAX], text[4096];
	int n;

	if (realpath(dir, full) == NULL)
		return KL_E_IO;
	n = snprintf(text, sizeof text, conf_text, full, state, endpoint,
	    state, state);
	if (n < 0 || (size_t)n >= sizeof text)
		return KL_E_SIZE;
	if (kl_fs_pwrite(fd, text, (size_t)n, 0) != KL_OK || fsync(fd) != 0)
		return KL_E_IO;
	return KL_OK;
}

/* Never touches a file that is there: an operator has edited it. */
static int
conf_write(const char *dir, const char *state, const char *endpoint,
    bool *made)
{
	struct paper_path path;
	int fd, r;

	*made = false;
	if ((r = paper_path(dir, "kortelijnd.conf", &path)) != KL_OK)
		return r;
	fd = open(path.b, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0644);
	if (fd < 0)
		return errno == EEXIST ? KL_OK : KL_E_IO;
	r = conf_fill(fd, dir, state, endpoint);
	if (close(fd) != 0 && r == KL_OK)
		r = KL_E_IO;
	if (r != KL_OK)
		(void)unlink(path.b);
	*made = r == KL_OK;
	return r;
}

static int
directories_make(const char *dir)
{
	struct paper_path cards, revocations;
	int r;

	if ((r = paper_path(dir, "cards", &cards)) != KL_OK ||
	    (r = paper_path(dir, "revocations", &revocations)) != KL_OK)
		return r;
	if ((r = kl_daemon_mkdir(dir)) != KL_OK ||
	    (r = kl_daemon_mkdir(cards.b)) != KL_OK)
		return r;
	return kl_daemon_mkdir(revocations.b);
}

static int
policy_make(const char *dir)
{
	struct paper_path path;
	int r = paper_path(dir, BROKER_POLICY, &path);

	return r != KL_OK ? r : policy_init(path.b);
}

/* Keys, authority.pub, card and configuration, in this order: a second run
 * finishes what a first one left. */
static int
broker_make(const char *dir, struct paper *p,
    const struct paper_authority *a, const char *state, const char *endpoint,
    bool *conf_made)
{
	struct paper_path path;
	int r;

	if ((r = directories_make(dir)) != KL_OK ||
	    (r = transport_key(dir, &p->card.transport_pk)) != KL_OK ||
	    (r = log_key(dir, &p->card.sign_pk)) != KL_OK ||
	    (r = recovery_key(dir)) != KL_OK ||
	    (r = paper_authority_write(dir, a)) != KL_OK ||
	    (r = paper_card_sign(p, a)) != KL_OK ||
	    (r = paper_path(dir, BROKER_CARD, &path)) != KL_OK ||
	    (r = paper_card_write(p, path.b)) != KL_OK ||
	    (r = policy_make(dir)) != KL_OK)
		return r;
	return conf_write(dir, state, endpoint, conf_made);
}

static int
card_begin(const struct cli *c, struct paper *p,
    const struct paper_authority *a)
{
	const char *id = cli_option(c, "id"), *name = cli_option(c, "name");
	int r;

	if (id == NULL)
		return cli_missing(c, "id");
	if (name == NULL)
		return cli_missing(c, "name");
	if (kl_id_read(id, &p->card.id) != KL_OK)
		return output_fail(c, CLI_USAGE,
		    "--id=%s: wants agb:, ura:, kvk: and 8 digits, or oin: "
		    "and 20", output_text(kl_bytes_str(id)).b);
	p->card.name = kl_bytes_str(name);
	p->card.role = KL_BROKER;
	if ((r = term_set(c, p, a)) != CLI_OK)
		return r;
	return CLI_OK;
}

static int
say(const struct cli *c, const struct paper *p,
    const struct paper_authority *a, bool conf_made)
{
	return output_take(c, json_pack("{s:o,s:s,s:s,s:s,s:o,s:s}",
	    "id", output_id(&p->card.id),
	    "fingerprint", kl_fingerprint_of(&p->card.id, p->card.role,
	        &p->card.transport_pk, &p->card.sign_pk).b,
	    "authority_fingerprint", kl_fingerprint_authority(&a->pk).b,
	    "realm", kl_realm_name(a->realm),
	    "valid_until", output_time(p->card.not_after_ms),
	    "configuration", conf_made ? "written" :
	        "kortelijnd.conf was there and stays as it is"));
}

/* Nothing is made when the configuration would be refused afterwards. */
static int
places_check(const struct cli *c, const char *state, const char *endpoint)
{
	if (state != NULL && state[0] != '/')
		return output_fail(c, CLI_USAGE, "--state must begin with /");
	if (endpoint != NULL && !kl_conf_address_ok(endpoint, 0))
		return output_fail(c, CLI_USAGE, "--endpoint must be "
		    "tcp://HOST:PORT, the port at most 65535");
	return CLI_OK;
}

int
cmd_broker_init(struct cli *c)
{
	const char *dir = c->arg[0], *from = cli_option(c, "authority");
	const char *endpoint = cli_option(c, "endpoint");
	const char *state = cli_option(c, "state");
	struct paper_authority a = { 0 };
	struct paper *p = NULL;
	bool conf_made;
	int r;

	if (from == NULL)
		return cli_missing(c, "authority");
	if ((r = places_check(c, state, endpoint)) != CLI_OK)
		return r;
	if ((r = paper_authority_open(from, &a)) != KL_OK)
		return output_fail_err(c, r, from);
	if ((p = paper_new()) == NULL) {
		r = output_fail_err(c, KL_E_MEMORY, "broker init");
		goto out;
	}
	if ((r = card_begin(c, p, &a)) != CLI_OK)
		goto out;
	r = broker_make(dir, p, &a, state != NULL ? state :
	    "/var/lib/kortelijn", endpoint != NULL ? endpoint :
	    "tcp://127.0.0.1:7700", &conf_made);
	r = r == KL_OK ? say(c, p, &a, conf_made) :
	    output_fail_err(c, r, dir);
out:
	paper_authority_clear(&a);
	paper_free(p);
	return r;
}
