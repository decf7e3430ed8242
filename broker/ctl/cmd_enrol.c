#include "broker/ctl/cmd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/loop.h>

#include "broker/ctl/control.h"
#include "broker/ctl/paper.h"
#include "broker/ctl/term.h"
#include "proto/cli/enrol.h"
#include "proto/cli/output.h"
#include "proto/cli/passphrase.h"

#define GROUP_BYTES 6		/* the last group and the check letter */

static struct kl_fingerprint
request_fingerprint(const struct kl_enrol_request *q)
{
	return kl_fingerprint_of(&q->id, q->role, &q->transport_pk,
	    &q->sign_pk);
}

int
cmd_enrol_show(struct cli *c)
{
	struct paper *p = paper_new();
	const struct kl_enrol_request *q;
	int r;

	if (p == NULL)
		return output_fail_err(c, KL_E_MEMORY, c->arg[0]);
	if ((r = paper_request_read(p, c->arg[0])) != KL_OK) {
		r = output_fail_err(c, r, c->arg[0]);
		goto out;
	}
	q = &p->request;
	r = output_take(c, json_pack("{s:o,s:s,s:s,s:s,s:o,s:s}",
	    "id", output_id(&q->id),
	    "name", output_text(q->name).b,
	    "role", kl_role_name(q->role),
	    "realm", kl_realm_name(q->realm),
	    "made", output_time(q->at_ms),
	    "fingerprint", request_fingerprint(q).b));
out:
	paper_free(p);
	return r;
}

/* --id, --name, --role and --realm of who asks. */
static int
who_read(const struct cli *c, struct enrol_who *who)
{
	const char *id = cli_option(c, "id"), *role = cli_option(c, "role");
	const char *realm = cli_option(c, "realm");

	if ((who->name = cli_option(c, "name")) == NULL)
		return cli_missing(c, "name");
	if (id == NULL)
		return cli_missing(c, "id");
	if (role == NULL)
		return cli_missing(c, "role");
	if (realm == NULL)
		return cli_missing(c, "realm");
	if (kl_id_read(id, &who->id) != KL_OK)
		return output_fail(c, CLI_USAGE, "not an id: %s",
		    output_text(kl_bytes_str(id)).b);
	who->role = kl_role_read(role);
	if (who->role == 0 || who->role == KL_BROKER)
		return output_fail(c, CLI_USAGE, "--role is practice, "
		    "municipality, partner or auditor; a broker gets its card "
		    "from 'broker init'");
	if ((who->realm = kl_realm_read(realm)) == 0)
		return output_fail(c, CLI_USAGE,
		    "--realm is production or training");
	return CLI_OK;
}

/* An auditor's keys are carried about: they open with a passphrase only. One
 * that is there has to be typed once, a new one twice. */
static int
keys_seal(const struct cli *c, struct enrol_who *who, struct passphrase *p)
{
	struct paper_path path;
	int r;

	if (who->role != KL_AUDITOR)
		return CLI_OK;
	if ((r = paper_path(c->arg[0], "identity.key", &path)) != KL_OK)
		return output_fail_err(c, r, c->arg[0]);
	r = access(path.b, F_OK) == 0 ? passphrase_get(c, c->arg[0], p) :
	    passphrase_new(c, c->arg[0], p);
	who->passphrase = passphrase_bytes(p);
	return r;
}

static int
request_wrong(const struct cli *c, int err, const char *path)
{
	switch (err) {
	case KL_E_VALUE:
		return output_fail(c, CLI_USAGE, "--name is 1 to 100 bytes "
		    "without control characters");
	case KL_E_SIGNATURE:
		return output_fail(c, CLI_FAILED, "%s: wrong passphrase, or "
		    "its keys were changed", path);
	case KL_E_EXISTS:
		return output_fail(c, CLI_FILE, "%s: has keys without a "
		    "passphrase, which an auditor's have; take another "
		    "directory", path);
	default:
		return output_fail_err(c, err, path);
	}
}

int
cmd_enrol_request(struct cli *c)
{
	const char *out = cli_option(c, "out");
	struct passphrase words = { 0 };
	char line[ENROL_REQUEST_MAX];
	struct kl_fingerprint fp;
	struct paper_path path;
	struct enrol_who who = { 0 };
	int r;

	if ((r = who_read(c, &who)) != CLI_OK ||
	    (r = keys_seal(c, &who, &words)) != CLI_OK)
		return r;
	r = enrol_request(c->arg[0], &who,
	    kl_clock_now_ms(&(struct kl_clock){ 0 }), line, &fp);
	passphrase_wipe(&words);
	if (r == KL_OK && out == NULL) {
		r = paper_path(c->arg[0], "request", &path);
		out = path.b;
	}
	if (r == KL_OK)
		r = enrol_write(out, line);
	if (r != KL_OK)
		return request_wrong(c, r, c->arg[0]);
	return output_take(c, json_pack("{s:o,s:s,s:s,s:s}",
	    "id", output_id(&who.id), "request", out, "fingerprint", fp.b,
	    "next_step", "send the request to the operator and read the "
	    "fingerprint over the phone"));
}

/* "abcd efgh" and "ABCD-EFGH" are the same letters. */
static void
letters_only(const char *text, char *out, size_t cap)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < cap; text++) {
		if (*text == '-' || *text == ' ')
			continue;
		out[n++] = *text >= 'a' && *text <= 'z' ?
		    (char)(*text - 'a' + 'A') : *text;
	}
	out[n] = '\0';
}

static bool
letters_equal(const char *a, const char *b)
{
	char x[64], y[64];

	letters_only(a, x, sizeof x);
	letters_only(b, y, sizeof y);
	return strcmp(x, y) == 0;
}

/* The last group is not shown: whoever types it has heard it. */
static int
confirm_by_phone(const struct cli *c, const struct kl_enrol_request *q,
    const struct kl_fingerprint *f)
{
	const size_t shown = strlen(f->b) - GROUP_BYTES;
	char answer[64];

	fprintf(stderr, "%s asks for a card as %s.\n"
	    "  %s\n"
	    "Call the organisation at a number that you know already, and let "
	    "them read\ntheir fingerprint to you. It begins with\n"
	    "  %.*s\n",
	    kl_id_text(&q->id).b, kl_role_name(q->role),
	    output_text(q->name).b, (int)shown, f->b);
	if (!cli_ask("Type the last five letters as you hear them: ", answer,
	    sizeof answer) || !letters_equal(answer, f->b + shown))
		return output_fail(c, CLI_FAILED,
		    "the fingerprint was not confirmed; no card was made");
	return CLI_OK;
}

static int
confirm(const struct cli *c, const struct kl_enrol_request *q)
{
	const struct kl_fingerprint f = request_fingerprint(q);
	const char *given = cli_option(c, "fingerprint");

	if (given == NULL)
		return confirm_by_phone(c, q, &f);
	if (!letters_equal(given, f.b))
		return output_fail(c, CLI_FAILED, "the request has another "
		    "fingerprint: %s; no card was made", f.b);
	return CLI_OK;
}

/* --succeeds=ID, --reads=ID,ID and --reads-all. */
static int
card_extras(const struct cli *c, struct kl_card *card)
{
	const char *succeeds = cli_option(c, "succeeds");
	const char *reads = cli_option(c, "reads");
	char one[KL_ID_BYTES + 1];

	if (succeeds != NULL) {
		if (kl_id_read(succeeds, &card->succeeds) != KL_OK ||
		    kl_id_equal(&card->succeeds, &card->id))
			return output_fail(c, CLI_USAGE,
			    "--succeeds is the id of another organisation");
		card->succeeds_from_ms = card->not_before_ms;
	}
	if (cli_option(c, "reads-all") != NULL)
		card->reads_all = 2;
	if ((reads != NULL || card->reads_all == 2) &&
	    card->role != KL_AUDITOR)
		return output_fail(c, CLI_USAGE,
		    "only an auditor reads the log of others");
	while (reads != NULL && *reads != '\0') {
		size_t n = strcspn(reads, ",");

		if (n >= sizeof one || card->n_reads == KL_READS_MAX)
			return output_fail(c, CLI_USAGE,
			    "--reads is at most %d ids", KL_READS_MAX);
		memcpy(one, reads, n);
		one[n] = '\0';
		if (kl_id_read(one, &card->reads[card->n_reads++]) != KL_OK)
			return output_fail(c, CLI_USAGE,
			    "--reads: not an id: %s",
			    output_text(kl_bytes_str(one)).b);
		reads += n + (reads[n] == ',');
	}
	return CLI_OK;
}

static int
card_of_request(const struct cli *c, const struct kl_enrol_request *q,
    const struct paper_authority *a, struct paper *p)
{
	struct kl_card *card = &p->card;
	int r;

	if (q->realm != a->realm)
		return output_fail(c, CLI_FAILED, "the request is for the "
		    "realm %s, the authority is of %s: they never mix",
		    kl_realm_name(q->realm), kl_realm_name(a->realm));
	if (q->role == KL_BROKER)
		return output_fail(c, CLI_FAILED,
		    "a broker gets its card by 'kortelijn broker init'");
	card->id = q->id;
	card->name = q->name;
	card->role = q->role;
	card->sign_pk = q->sign_pk;
	card->transport_pk = q->transport_pk;
	if ((r = term_set(c, p, a)) != CLI_OK)
		return r;
	return card_extras(c, card);
}

static int
issue(struct cli *c, const struct paper_authority *a, struct paper *request,
    struct paper *p)
{
	const char *out = cli_option(c, "out");
	struct paper_name name;
	char serial[33];
	int r;

	if ((r = paper_request_read(request, c->arg[0])) != KL_OK)
		return output_fail_err(c, r, c->arg[0]);
	if ((r = card_of_request(c, &request->request, a, p)) != CLI_OK ||
	    (r = confirm(c, &request->request)) != CLI_OK)
		return r;
	name = paper_name(&p->card.id, p->card.serial, "card");
	if (out == NULL)
		out = name.b;
	if ((r = paper_card_sign(p, a)) != KL_OK ||
	    (r = paper_card_write(p, out)) != KL_OK)
		return output_fail_err(c, r, out);
	kl_hex(KL_BYTES_OF(p->card.serial), serial);
	return output_take(c, json_pack("{s:s,s:o,s:s,s:s,s:o,s:o}",
	    "card", out,
	    "id", output_id(&p->card.id),
	    "serial", serial,
	    "role", kl_role_name(p->card.role),
	    "valid_from", output_time(p->card.not_before_ms),
	    "valid_until", output_time(p->card.not_after_ms)));
}

int
cmd_enrol_issue(struct cli *c)
{
	const char *from = cli_option(c, "authority");
	struct paper *request = paper_new(), *p = paper_new();
	struct paper_authority a = { 0 };
	int r;

	if (from == NULL)
		r = cli_missing(c, "authority");
	else if (request == NULL || p == NULL)
		r = output_fail_err(c, KL_E_MEMORY, c->arg[0]);
	else if ((r = paper_authority_open(from, &a)) != KL_OK)
		r = output_fail_err(c, r, from);
	else
		r = issue(c, &a, request, p);
	paper_authority_clear(&a);
	paper_free(request);
	paper_free(p);
	return r;
}
