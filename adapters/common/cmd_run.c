#include "adapters/common/cmd.h"

#include <string.h>

#include <kortelijn/host/daemon.h>
#include <kortelijn/host/log.h>

#include "adapters/common/control.h"
#include "proto/cli/output.h"

/* What runs; closed in mirror order. */
struct running {
	struct kl_loop *loop;
	struct engine *engine;
	struct folder *folder;
	struct control *control;
};

static void
stop(struct running *p)
{
	control_close(p->control);
	folder_close(p->folder);
	engine_free(p->engine);
	kl_loop_free(p->loop);
}

static int
engine_wrong(struct cli *c, int err, const char *what)
{
	switch (err) {
	case KL_E_EXISTS:
		return output_fail(c, CLI_FAILED, "%s: another process works "
		    "with it already", what);
	case KL_E_SIGNATURE:
		return output_fail(c, CLI_FILE, "%s: not signed by this "
		    "authority", what);
	case KL_E_NOT_FOUND:
		return output_fail(c, CLI_FILE, "%s: not found; 'init' makes "
		    "the keys, 'accept' takes up the card", what);
	case KL_E_VALUE:
		return output_fail(c, CLI_FILE, "%s: of another participant, "
		    "role, realm or key than the configuration and the keys "
		    "here", what);
	case KL_E_CONFIG:
		return output_fail(c, CLI_FILE, "%s: the secret that seals "
		    "the keys in data_dir is missing or another one; the line "
		    "before says what to do", what);
	case KL_E_UNKNOWN:
		return output_fail(c, CLI_FAILED, "%s: made by another version "
		    "of this program; start that one again, or put it aside "
		    "and see 'help take-over'", what);
	case KL_E_DAMAGED:
		return output_fail(c, CLI_FAILED, "%s: damaged, or a part is "
		    "missing; put it aside and see 'help take-over'", what);
	default:
		return output_fail_err(c, err, what);
	}
}

static int
open_all(struct cli *c, const struct config *conf,
    const struct folder_role *folder, struct running *p)
{
	struct watch_error error = { "" };
	const char *what = conf->data_dir;
	int r;

	if ((p->loop = kl_loop_new()) == NULL)
		return output_fail_err(c, KL_E_MEMORY, "the loop");
	if ((r = kl_loop_catch_signals(p->loop)) != KL_OK)
		return output_fail_err(c, r, "signals");
	if ((r = kl_daemon_mkdir(conf->data_dir)) != KL_OK ||
	    (r = engine_open(conf, p->loop, &p->engine, &what)) != KL_OK)
		return engine_wrong(c, r, what);
	r = folder_open(p->engine, p->loop, folder, &p->folder, &error);
	if (r == KL_E_CONFIG)
		return output_fail(c, CLI_FILE, "%s", error.b);
	if (r != KL_OK)
		return output_fail_err(c, r, conf->folder_dir);
	r = control_open(p->engine, p->loop, p->folder, &p->control, &what);
	return r == KL_OK ? CLI_OK : output_fail_err(c, r, what);
}

int
cmd_run(struct cli *c, const struct folder_role *folder)
{
	struct running p = { .loop = NULL };
	struct config conf;
	int r = cmd_conf(c, &conf);

	if (r != CLI_OK)
		return r;
	kl_log_init(c->program->name, KL_LOG_INFO, conf.log_json);
	if (kl_daemon_harden() != KL_OK)
		return output_fail(c, CLI_FAILED, "the process could not be "
		    "hardened");
	if ((r = open_all(c, &conf, folder, &p)) == CLI_OK) {
		kl_daemon_notify("READY=1");
		kl_logf(KL_LOG_INFO, "started", kl_log_org("id", &conf.id));
		r = kl_loop_run(p.loop) == KL_OK &&
		    engine_failed(p.engine) == KL_OK ? CLI_OK : CLI_FAILED;
		kl_daemon_notify("STOPPING=1");
		kl_logf(KL_LOG_INFO, "stopped", kl_log_num("code", r));
	}
	stop(&p);
	return r;
}
