/* A card into the broker, with the controllers' approval if it reads all. */
#include "broker/ctl/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/approval.h>
#include <kortelijn/host/daemon.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/wire/request.h>

#include "broker/ctl/control.h"
#include "broker/ctl/paper.h"
#include "proto/cli/output.h"

/* What --approval names, checked for this card; text NULL: not given. */
struct approval_file {
	char *text;
	size_t n;
	size_t organisations;
};

/* What is wrong with it, and where. */
static int
approval_wrong(const struct cli *c, const char *path,
    const struct kl_approval_error *e)
{
	return e->line == 0 ? output_fail(c, CLI_FAILED, "%s: %s; no card was "
	    "taken up", path, e->b) : output_fail(c, CLI_FAILED,
	    "%s: line %u: %s; no card was taken up", path, e->line, e->b);
}

static int
approval_check(const struct cli *c, const struct paper *p, const char *path,
    struct approval_file *f)
{
	const int64_t now_ms = kl_clock_now_ms(&(struct kl_clock){ 0 });
	struct kl_approval *a = malloc(sizeof *a);
	struct kl_approval_error e;
	int r;

	if (a == NULL)
		return output_fail_err(c, KL_E_MEMORY, path);
	if (kl_approval_read(kl_bytes(f->text, f->n), a, &e) != KL_OK ||
	    kl_approval_check(a, &p->card.id, p->card.serial,
	    kl_day_of(now_ms), &e) != KL_OK)
		r = approval_wrong(c, path, &e);
	else if (p->card.reads_all != KL_YES)
		r = output_fail(c, CLI_FAILED, "%s: this card does not read "
		    "all: it needs no approval", c->arg[0]);
	else
		r = CLI_OK;
	f->organisations = a->n;
	free(a);
	return r;
}

static int
approval_read(const struct cli *c, const struct paper *p,
    struct approval_file *f)
{
	const char *path = cli_option(c, "approval");
	int r;

	*f = (struct approval_file){ .text = NULL };
	if (path == NULL)
		return CLI_OK;
	r = kl_fs_read_file(AT_FDCWD, path, KL_APPROVAL_MAX, &f->text, &f->n);
	return r != KL_OK ? output_fail_err(c, r, path) :
	    approval_check(c, p, path, f);
}

static int
approval_hand_over(const struct cli *c, const struct approval_file *f)
{
	const size_t cap = f->n / 3 * 4 + 8;
	char *base64 = malloc(cap);
	json_t *answer = NULL;
	int r;

	if (base64 == NULL || kl_base64(kl_bytes(f->text, f->n), base64,
	    cap) != KL_OK) {
		free(base64);
		return output_fail_err(c, KL_E_MEMORY, "--approval");
	}
	r = control_ask(c, json_pack("{s:s,s:s}", "cmd", "approval",
	    "approval", base64), &answer);
	json_decref(answer);
	free(base64);
	return r;
}

/* CONFIG/NAME/FILE, with the directory. */
static int
place_make(const struct cli *c, const struct broker_conf *conf,
    const char *name, const char *file, struct paper_path *path)
{
	struct paper_path dir;

	if (paper_path(conf->config_dir, name, &dir) != KL_OK ||
	    paper_path(dir.b, file, path) != KL_OK)
		return output_fail_err(c, KL_E_SIZE, conf->config_dir);
	if (kl_daemon_mkdir(dir.b) != KL_OK)
		return output_fail(c, CLI_FILE, "%s: %s", dir.b,
		    strerror(errno));
	return CLI_OK;
}

/* The broker first: what it refuses must not lie there at its next start. */
static int
approval_accept(const struct cli *c, const struct paper *p,
    const struct broker_conf *conf, const struct approval_file *f)
{
	struct paper_path path;
	char serial[33];
	int r;

	if (control_running(c) && (r = approval_hand_over(c, f)) != CLI_OK)
		return r;
	kl_hex(KL_BYTES_OF(p->card.serial), serial);
	if ((r = place_make(c, conf, BROKER_APPROVALS, serial, &path)) !=
	    CLI_OK)
		return r;
	r = kl_fs_replace_at(AT_FDCWD, path.b, 0644, kl_bytes(f->text, f->n));
	return r == KL_OK ? CLI_OK : output_fail_err(c, r, path.b);
}

static int
accepted(const struct cli *c, const struct paper *p, const char *kept_as,
    bool taken, const struct approval_file *f)
{
	char serial[33];
	json_t *o;

	kl_hex(KL_BYTES_OF(p->card.serial), serial);
	o = json_pack("{s:o,s:s,s:s,s:s,s:s,s:s}",
	    "id", output_id(&p->card.id), "serial", serial,
	    "name", output_text(p->card.name).b,
	    "fingerprint", kl_fingerprint_of(&p->card.id, p->card.role,
	    &p->card.transport_pk, &p->card.sign_pk).b,
	    "kept_as", kept_as,
	    "effective", taken ? "now" : "when the broker starts");

	if (f->text != NULL)
		(void)json_object_set_new(o, "reads",
		    json_integer((json_int_t)f->organisations));
	else if (p->card.reads_all == KL_YES)
		(void)json_object_set_new(o, "next_step", json_string(
		    "it reads nothing of others until the controllers have "
		    "agreed: the same with --approval=FILE"));
	return output_take(c, o);
}

static int
accept_card(const struct cli *c, const struct paper *p,
    const struct broker_conf *conf, const struct approval_file *f)
{
	struct paper_name name = paper_name(&p->card.id, p->card.serial,
	    "card");
	const bool taken = control_running(c);
	struct paper_path path;
	int r;

	if (taken && (r = control_hand_over(c, "card", p)) != CLI_OK)
		return r;
	if ((r = place_make(c, conf, "cards", name.b, &path)) != CLI_OK)
		return r;
	if ((r = paper_card_write(p, path.b)) != KL_OK)
		return output_fail_err(c, r, path.b);
	if (f->text != NULL &&
	    (r = approval_accept(c, p, conf, f)) != CLI_OK)
		return r;
	return accepted(c, p, path.b, taken, f);
}

/* The card of the file, of this broker's region. */
static int
card_read(const struct cli *c, const struct broker_conf *conf,
    struct paper *p)
{
	const struct paper_authority a = { .pk = conf->authority,
		.realm = (uint32_t)conf->realm };
	const int r = paper_card_read(p, c->arg[0], &a);

	/* The other realm has another authority: that is why it fails. */
	if ((r == KL_OK || r == KL_E_SIGNATURE) && p->card.realm != a.realm)
		return output_fail(c, CLI_FAILED,
		    "%s: a card of the realm %s, the broker is of %s",
		    c->arg[0], kl_realm_name(p->card.realm),
		    kl_realm_name(a.realm));
	return r == KL_OK ? CLI_OK : output_fail_err(c, r, c->arg[0]);
}

int
cmd_enrol_accept(struct cli *c)
{
	struct approval_file f = { .text = NULL };
	struct paper *p = paper_new();
	struct broker_conf conf;
	int r;

	if (p == NULL)
		return output_fail_err(c, KL_E_MEMORY, c->arg[0]);
	if ((r = ctl_conf(c, &conf)) == CLI_OK &&
	    (r = card_read(c, &conf, p)) == CLI_OK &&
	    (r = approval_read(c, p, &f)) == CLI_OK)
		r = accept_card(c, p, &conf, &f);
	kl_fs_read_free(f.text, f.n);
	paper_free(p);
	return r;
}
