#include "broker/ctl/cmd.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/host/daemon.h>
#include <kortelijn/host/loop.h>

#include "broker/ctl/contacts.h"
#include "broker/ctl/control.h"
#include "broker/ctl/paper.h"
#include "proto/cli/output.h"

int
cmd_participant_list(struct cli *c)
{
	static const struct output_column columns[] = {
		{ "id", "id", 24 }, { "role", "role", 12 },
		{ "state", "state", 8 }, { "not_after_ms", "until", 10 },
		{ "name", "name", 22 },
	};
	json_t *answer;
	int r;

	r = control_ask(c, json_pack("{s:s}", "cmd", "participants"), &answer);
	if (r != CLI_OK)
		return r;
	return output_take_table(c, answer, "participants", columns,
	    sizeof columns / sizeof columns[0]);
}

int
cmd_participant_show(struct cli *c)
{
	const char *id = c->arg[0];
	json_t *answer, *row, *found;
	size_t i, n = 0;
	int r;

	r = control_ask(c, json_pack("{s:s}", "cmd", "participants"), &answer);
	if (r != CLI_OK)
		return r;
	found = json_object();
	json_array_foreach(json_object_get(answer, "participants"), i, row) {
		const char *is = json_string_value(json_object_get(row, "id"));
		char key[32];

		if (is == NULL || strcmp(is, id) != 0)
			continue;
		(void)snprintf(key, sizeof key, "card_%zu", ++n);
		(void)json_object_set(found, key, row);
	}
	json_decref(answer);
	if (n > 0)
		return output_take(c, found);
	json_decref(found);
	return output_fail(c, CLI_FAILED, "no card of that id; 'kortelijn "
	    "participant list' has all");
}

int
cmd_participant_contact(struct cli *c)
{
	const char *phone = c->n_args > 1 ? c->arg[1] : "";
	struct broker_conf conf;
	struct kl_id id;
	int r;

	if (kl_id_read(c->arg[0], &id) != KL_OK)
		return output_fail(c, CLI_USAGE, "that is no participant's "
		    "id such as agb:01000001");
	if (phone[0] != '\0' && !contacts_phone_ok(phone))
		return output_fail(c, CLI_USAGE, "that is no phone number "
		    "such as +31 53 123 45 67");
	if ((r = ctl_conf(c, &conf)) != CLI_OK)
		return r;
	r = contacts_put(conf.config_dir, kl_id_text(&id).b, phone);
	if (r != KL_OK)
		return output_fail_err(c, r, conf.config_dir);
	return output_take(c, json_pack("{s:s,s:s}", "id",
	    kl_id_text(&id).b, "phone", phone[0] != '\0' ? phone : "none"));
}

/* Where a revocation goes and why. */
struct revoking {
	const struct cli *c;
	const struct paper_authority *a;
	struct kl_id id;
	uint32_t reason;
	struct paper_path cards, revocations;
	bool running;
	bool failed;
	int exit;		/* of the failure */
	size_t done;
};

/* The file first: a revocation must survive whatever comes next. */
static int
revoke_card(struct revoking *v, struct paper *p)
{
	struct kl_revocation *w = &p->revocation;
	struct paper_name name;
	struct paper_path path;
	int r;

	memset(w, 0, sizeof *w);
	w->version = 1;
	w->realm = v->a->realm;
	memcpy(w->serial, p->card.serial, sizeof w->serial);
	w->id = p->card.id;
	w->reason = v->reason;
	w->at_ms = kl_clock_now_ms(&(struct kl_clock){ 0 });
	name = paper_name(&w->id, w->serial, "rev");
	if ((r = paper_path(v->revocations.b, name.b, &path)) != KL_OK ||
	    (r = paper_revocation_sign(p, v->a)) != KL_OK ||
	    (r = paper_revocation_write(p, path.b)) != KL_OK)
		return output_fail_err(v->c, r, name.b);
	return v->running ? control_hand_over(v->c, "revocation", p) : CLI_OK;
}

static bool
is_card_file(const char *name)
{
	const size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".card") == 0;
}

/* Cards of others, and what is no card, are passed over. */
static void
revoke_file(struct revoking *v, struct paper *p, const char *name)
{
	struct paper_path path;
	int r;

	if (!is_card_file(name) ||
	    paper_path(v->cards.b, name, &path) != KL_OK ||
	    paper_card_read(p, path.b, v->a) != KL_OK ||
	    !kl_id_equal(&p->card.id, &v->id))
		return;
	if ((r = revoke_card(v, p)) != CLI_OK) {
		v->failed = true;
		v->exit = r;
	} else {
		v->done++;
	}
}

static int
revoke_all(struct revoking *v)
{
	struct paper *p = paper_new();
	DIR *dir = opendir(v->cards.b);
	const struct dirent *e;
	int r = CLI_OK;

	if (p == NULL || dir == NULL)
		r = output_fail(v->c, CLI_FILE, "%s: %s", v->cards.b,
		    strerror(errno));
	while (r == CLI_OK && (e = readdir(dir)) != NULL)
		revoke_file(v, p, e->d_name);
	if (dir != NULL)
		(void)closedir(dir);
	paper_free(p);
	if (r != CLI_OK)
		return r;
	if (v->failed)
		return v->exit;
	if (v->done == 0)
		return output_fail(v->c, CLI_FAILED, "%s: no card of that id "
		    "in %s", kl_id_text(&v->id).b, v->cards.b);
	return output_take(v->c, json_pack("{s:o,s:I,s:s,s:s}",
	    "id", output_id(&v->id), "cards_revoked", (json_int_t)v->done,
	    "reason", kl_revoke_reason_name(v->reason),
	    "effective", v->running ? "now" : "when the broker starts"));
}

static int
revoking_begin(struct cli *c, struct revoking *v)
{
	const char *reason = cli_option(c, "reason");
	struct broker_conf conf;
	int r;

	v->c = c;
	if (reason == NULL)
		return cli_missing(c, "reason");
	if ((v->reason = kl_revoke_reason_read(reason)) == 0)
		return output_fail(c, CLI_USAGE,
		    "--reason is replaced, left or compromise");
	if (kl_id_read(c->arg[0], &v->id) != KL_OK)
		return output_fail(c, CLI_USAGE, "not an id: %s",
		    output_text(kl_bytes_str(c->arg[0])).b);
	if ((r = ctl_conf(c, &conf)) != CLI_OK)
		return r;
	if (paper_path(conf.config_dir, "cards", &v->cards) != KL_OK ||
	    paper_path(conf.config_dir, "revocations", &v->revocations) !=
	    KL_OK)
		return output_fail_err(c, KL_E_SIZE, conf.config_dir);
	if (kl_daemon_mkdir(v->revocations.b) != KL_OK)
		return output_fail(c, CLI_FILE, "%s: %s", v->revocations.b,
		    strerror(errno));
	v->running = control_running(c);
	return CLI_OK;
}

int
cmd_participant_revoke(struct cli *c)
{
	const char *from = cli_option(c, "authority");
	struct paper_authority a = { 0 };
	struct revoking v = { .a = &a };
	int r;

	if (from == NULL)
		return cli_missing(c, "authority");
	if ((r = revoking_begin(c, &v)) != CLI_OK)
		return r;
	if ((r = paper_authority_open(from, &a)) != KL_OK)
		return output_fail_err(c, r, from);
	r = revoke_all(&v);
	paper_authority_clear(&a);
	return r;
}
