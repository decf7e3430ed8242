#include "broker/ctl/cmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/host/fs.h>
#include <kortelijn/host/loop.h>

#include "broker/ctl/auditor.h"
#include "broker/ctl/link.h"
#include "broker/ctl/witnesses.h"
#include "proto/audit/logask.h"
#include "proto/audit/witness.h"
#include "proto/cli/output.h"

#define STATE "witness"		/* in the auditor's directory */

struct witness {
	const struct cli *cli;
	const char *dir;		/* --as */
	struct ctl_trust trust;
	struct kl_vkey key;
	struct paper_path state;
	struct kl_secret *sk;
	struct audit_witness by;	/* points to the others */
};

/* ---- who witnesses ------------------------------------------------------- */

static int
state_read(struct witness *w)
{
	const char *given = cli_option(w->cli, "state");
	int n;

	if (given == NULL)
		return paper_path(w->dir, STATE, &w->state);
	n = snprintf(w->state.b, sizeof w->state.b, "%s", given);
	return n < (int)sizeof w->state.b ? KL_OK : KL_E_SIZE;
}

static int
witness_read(struct witness *w)
{
	struct paper_authority a = { 0 };
	struct paper_path card;
	int r;

	if (w->dir == NULL)
		return cli_missing(w->cli, "as");
	if ((r = ctl_trust(w->cli, &w->trust)) != CLI_OK)
		return r;
	if ((r = paper_authority_read(w->dir, &a)) != KL_OK ||
	    (r = paper_path(w->dir, AUDITOR_CARD, &card)) != KL_OK ||
	    (r = witnesses_card(card.b, &a, &w->key)) != KL_OK)
		return output_fail_err(w->cli, r, w->dir);
	if ((r = state_read(w)) != KL_OK)
		return output_fail_err(w->cli, r, "--state");
	w->by = (struct audit_witness){ .cli = w->cli, .dir = w->state.b,
		.key = &w->key, .log = &w->trust.sign,
		.broker = &w->trust.broker };
	return CLI_OK;
}

static int
vkey_print(const struct witness *w)
{
	const struct kl_vkey_text text = kl_vkey_text(&w->key);

	if (w->cli->json)
		return output_take(w->cli, json_pack("{s:s,s:s}", "name",
		    w->key.name, "vkey", text.b));
	return puts(text.b) >= 0 && fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
}

/* ---- signing ------------------------------------------------------------- */

static int
sign(struct witness *w, struct kl_bytes text, struct kl_note *out)
{
	int r = auditor_key(w->cli, w->dir, "identity", &w->sk);

	w->by.sk = w->sk;
	return r == CLI_OK ? audit_witness_sign(&w->by, text,
	    kl_clock_now_ms(&(struct kl_clock){ 0 }), out) : r;
}

static int
put(const struct witness *w, const struct kl_note *note)
{
	const char *file = cli_option(w->cli, "out");
	int r;

	if (file == NULL)
		return fputs(note->b, stdout) >= 0 && fflush(stdout) == 0 ?
		    CLI_OK : CLI_FAILED;
	/* It travels, and nothing in it is secret. */
	r = kl_fs_replace_at(AT_FDCWD, file, 0644, kl_bytes_str(note->b));
	return r == KL_OK ? CLI_OK : output_fail_err(w->cli, r, file);
}

/* From a file: this machine needs no network. One witness at a time: what it
 * signed last is read and written. */
static int
by_file(struct witness *w, const char *file)
{
	struct kl_note note;
	char *text;
	size_t n;
	int r;

	if ((r = auditor_lock(w->cli, w->dir)) != CLI_OK)
		return r;
	r = kl_fs_read_file(AT_FDCWD, file, KL_PROOF_TEXT_MAX, &text, &n);
	if (r != KL_OK)
		return output_fail_err(w->cli, r, file);
	r = sign(w, kl_bytes(text, n), &note);
	kl_fs_read_free(text, n);
	return r == CLI_OK ? put(w, &note) : r;
}

/* ---- over the network ---------------------------------------------------- */

/* The way from what this witness signed last to the checkpoint of now. One
 * that has fewer records needs none: it will be refused. */
static int
proof_fetch(struct witness *w, struct audit_logask *a,
    struct kl_proof_consistency *p)
{
	struct audit_logask_note now;
	struct kl_checkpoint before;
	struct kl_note note;
	int r;

	memset(p, 0, sizeof *p);
	if ((r = audit_logask_newest(a, false, &now)) != CLI_OK ||
	    (r = audit_witness_last(&w->by, now.c.origin, &before, &note)) !=
	    CLI_OK)
		return r;
	p->old_size = before.size;
	p->note = now.note;
	if (before.size == 0 || before.size > now.c.size)
		return CLI_OK;
	return audit_logask_proof(a, KL_LOG_CONSISTENCY, before.size, &now,
	    p->hash, &p->n);
}

static int
by_link(struct witness *w, struct audit_link *l)
{
	struct kl_proof_consistency p;
	char text[KL_PROOF_TEXT_MAX];
	struct audit_logask a;
	struct kl_note note;
	size_t n;
	int r = audit_logask_open(&a, l, &w->trust.sign);

	if (r == CLI_OK)
		r = proof_fetch(w, &a, &p);
	audit_logask_close(&a);
	if (r != CLI_OK)
		return r;
	if ((r = kl_proof_consistency_pack(&p, text, sizeof text, &n)) !=
	    KL_OK)
		return output_fail_err(w->cli, r, "the proof");
	if ((r = sign(w, kl_bytes(text, n), &note)) != CLI_OK ||
	    (r = ctl_link_show(l, kl_bytes_str(note.b))) != CLI_OK)
		return r;
	return put(w, &note);
}

static int
online(struct witness *w)
{
	struct audit_link *l = NULL;
	int r = ctl_link_open(w->cli, &l);

	if (r == CLI_OK)
		r = by_link(w, l);
	audit_link_close(l);
	return r;
}

int
cmd_audit_witness(struct cli *c)
{
	struct witness w = { .cli = c, .dir = cli_option(c, "as") };
	int r = witness_read(&w);

	if (r != CLI_OK)
		return r;
	if (cli_option(c, "vkey") != NULL)
		return vkey_print(&w);
	r = c->n_args > 0 ? by_file(&w, c->arg[0]) : online(&w);
	kl_secret_free(w.sk);
	return r;
}
