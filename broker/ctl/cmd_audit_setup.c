#include "broker/ctl/cmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/host/fs.h>
#include <kortelijn/host/link.h>
#include <kortelijn/host/loop.h>

#include "broker/ctl/auditor.h"
#include "proto/cli/output.h"

/* All that is checked before anything is kept. */
struct given {
	const char *dir, *card, *broker_card, *authority, *brokers;
	struct paper_authority a;
	struct paper *own, *broker, *request;
	char endpoints[AUDITOR_ENDPOINTS_BYTES];
};

/* ---- where it comes from ------------------------------------------------- */

/* What was given, or else what an earlier setup left in the directory: NULL
 * when there is none. */
static const char *
given_or_kept(const struct given *g, const char *given, const char *name,
    struct paper_path *path)
{
	if (given != NULL)
		return given;
	if (paper_path(g->dir, name, path) != KL_OK ||
	    access(path->b, F_OK) != 0)
		return NULL;
	return path->b;
}

static void
missing_add(char *list, size_t cap, const char *what)
{
	const size_t n = strlen(list);

	(void)snprintf(list + n, cap - n, "%s%s", n > 0 ? ", " : "", what);
}

/* Says all that is missing at once. */
static int
missing_say(const struct cli *c, const struct given *g)
{
	char list[128] = "";

	if (g->authority == NULL)
		missing_add(list, sizeof list, "--authority");
	if (g->broker_card == NULL)
		missing_add(list, sizeof list, "--broker-card");
	if (g->card == NULL)
		missing_add(list, sizeof list, "--card");
	if (g->brokers == NULL && g->endpoints[0] == '\0')
		missing_add(list, sizeof list, "--broker");
	if (list[0] == '\0')
		return CLI_OK;
	return output_fail(c, CLI_USAGE, "%s: still missing: %s. The operator "
	    "of the broker sends the card, %s of the broker, authority.pub "
	    "and the address", g->dir, list, AUDITOR_BROKER_CARD);
}

/* ---- checks -------------------------------------------------------------- */

static int
wrong(const struct cli *c, int err, const char *what)
{
	if (err == KL_E_SIGNATURE)
		return output_fail(c, CLI_FILE, "%s: not signed by this "
		    "authority", what);
	return output_fail_err(c, err, what);
}

/* An authority that is pinned stays: whoever could change it could name
 * another broker. */
static int
authority_take(const struct cli *c, struct given *g)
{
	struct paper_authority pinned;
	struct paper_path path;
	int r;

	if ((r = paper_authority_read(g->authority, &g->a)) != KL_OK)
		return wrong(c, r, g->authority);
	if ((r = paper_path(g->dir, "authority.pub", &path)) != KL_OK)
		return wrong(c, r, g->dir);
	r = paper_authority_read(path.b, &pinned);
	if (r == KL_E_NOT_FOUND)
		return CLI_OK;
	if (r != KL_OK)
		return wrong(c, r, path.b);
	if (pinned.realm != g->a.realm || !kl_bytes_equal(
	    KL_BYTES_OF(pinned.pk), KL_BYTES_OF(g->a.pk)))
		return output_fail(c, CLI_FILE, "%s: another authority is "
		    "pinned in %s; for another region, make another "
		    "directory", g->authority, g->dir);
	return CLI_OK;
}

static int
broker_take(const struct cli *c, struct given *g)
{
	int r = paper_card_read(g->broker, g->broker_card, &g->a);

	if (r != KL_OK)
		return wrong(c, r, g->broker_card);
	if (g->broker->card.role != KL_BROKER ||
	    g->broker->card.realm != g->a.realm)
		return output_fail(c, CLI_FILE, "%s: not the card of a broker "
		    "of the realm %s", g->broker_card,
		    kl_realm_name(g->a.realm));
	return CLI_OK;
}

/* The keys of the request that this directory made, where it still lies: the
 * identity key may be on another machine. */
static int
request_fits(const struct cli *c, struct given *g)
{
	const struct kl_card *card = &g->own->card;
	struct paper_path path;

	if (paper_path(g->dir, "request", &path) != KL_OK ||
	    paper_request_read(g->request, path.b) != KL_OK)
		return CLI_OK;
	if (!kl_bytes_equal(KL_BYTES_OF(card->sign_pk),
	    KL_BYTES_OF(g->request->request.sign_pk)))
		return output_fail(c, CLI_FILE, "%s: for another identity.key "
		    "than that of the request in %s", g->card, g->dir);
	return CLI_OK;
}

/* Opens the key that queries need: better now than on the day itself. */
static int
transport_fits(const struct cli *c, struct given *g)
{
	struct kl_curve_pk pk;
	struct kl_secret *sk;
	int r;

	if ((r = auditor_key(c, g->dir, "transport", &sk)) != CLI_OK)
		return r;
	r = kl_curve_public(sk, &pk);
	kl_secret_free(sk);
	if (r != KL_OK)
		return wrong(c, r, g->dir);
	if (!kl_bytes_equal(KL_BYTES_OF(pk),
	    KL_BYTES_OF(g->own->card.transport_pk)))
		return output_fail(c, CLI_FILE, "%s: for another "
		    "transport.key than the one in %s", g->card, g->dir);
	return CLI_OK;
}

static int
own_take(const struct cli *c, struct given *g)
{
	int r = paper_card_read(g->own, g->card, &g->a);

	if (r != KL_OK)
		return wrong(c, r, g->card);
	if (g->own->card.role != KL_AUDITOR ||
	    g->own->card.realm != g->a.realm)
		return output_fail(c, CLI_FILE, "%s: not the card of an "
		    "auditor of the realm %s", g->card,
		    kl_realm_name(g->a.realm));
	if ((r = request_fits(c, g)) != CLI_OK)
		return r;
	return transport_fits(c, g);
}

/* "tcp://host:port" */
static bool
endpoint_ok(const char *text, size_t n)
{
	static const char tcp[] = "tcp://";
	const size_t front = sizeof tcp - 1;
	size_t colon = n;

	if (n <= front || memcmp(text, tcp, front) != 0)
		return false;
	for (size_t i = front; i < n; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return false;
		if (text[i] == ':')
			colon = i;
	}
	if (colon == front || colon + 1 >= n || n - colon > 6)
		return false;
	for (size_t i = colon + 1; i < n; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* ADDRESS[,ADDRESS] as lines. */
static int
brokers_take(const struct cli *c, struct given *g)
{
	const char *at = g->brokers;
	size_t n, count = 0, len = 0;

	if (at == NULL)
		return CLI_OK;
	do {
		n = strcspn(at, ",");
		if (!endpoint_ok(at, n) || ++count > KL_LINK_ENDPOINTS_MAX ||
		    len + n + 2 > sizeof g->endpoints)
			return output_fail(c, CLI_USAGE, "--broker is at most "
			    "%d addresses as tcp://HOST:PORT, with a comma "
			    "between them", KL_LINK_ENDPOINTS_MAX);
		len += (size_t)snprintf(g->endpoints + len,
		    sizeof g->endpoints - len, "%.*s\n", (int)n, at);
		at += n;
	} while (*at++ == ',');
	return CLI_OK;
}

/* ---- what is kept -------------------------------------------------------- */

static int
text_keep(const struct given *g, const char *name, const char *text)
{
	struct paper_path path;
	int r = paper_path(g->dir, name, &path);

	return r != KL_OK ? r : kl_fs_replace_at(AT_FDCWD, path.b, 0644,
	    kl_bytes_str(text));
}

static int
card_keep(const struct given *g, const char *name, const struct paper *p)
{
	struct paper_path path;
	int r = paper_path(g->dir, name, &path);

	return r != KL_OK ? r : paper_card_write(p, path.b);
}

/* The own card last: without it nothing begins. */
static int
all_keep(const struct given *g)
{
	int r;

	if ((r = paper_authority_write(g->dir, &g->a)) != KL_OK ||
	    (r = card_keep(g, AUDITOR_BROKER_CARD, g->broker)) != KL_OK ||
	    (g->brokers != NULL && (r = text_keep(g, AUDITOR_BROKERS,
	    g->endpoints)) != KL_OK))
		return r;
	return card_keep(g, AUDITOR_CARD, g->own);
}

static json_t *
reads_of(const struct kl_card *k)
{
	json_t *list;

	if (k->reads_all == 2)
		return json_string("those that the controllers' approval "
		    "names");
	list = json_array();
	for (size_t i = 0; i < k->n_reads; i++)
		(void)json_array_append_new(list, output_id(&k->reads[i]));
	return list;
}

static int
done_say(const struct cli *c, const struct given *g)
{
	const struct kl_card *k = &g->own->card, *b = &g->broker->card;
	const int64_t now_ms = kl_clock_now_ms(&(struct kl_clock){ 0 });
	const char *next = "compare the authority's fingerprint over the "
	    "phone; then ask: kortelijn audit query --as=DIR";

	if (now_ms < k->not_before_ms)
		next = "the card is not valid yet: wait, or look at the "
		    "clock";
	else if (now_ms >= k->not_after_ms)
		next = "the card has ended: ask for a new one, or look at "
		    "the clock";
	else if (k->reads_all != 2 && k->n_reads == 0)
		next = "the card names no organisation: it reads only what "
		    "concerns none. Ask for one with --reads";
	return output_take(c, json_pack("{s:o,s:s,s:s,s:s,s:s,s:o,s:o,s:o,"
	    "s:o,s:s}",
	    "id", output_id(&k->id), "name", output_text(k->name).b,
	    "realm", kl_realm_name(k->realm),
	    "authority", kl_fingerprint_authority(&g->a.pk).b,
	    "card", kl_fingerprint_of(&k->id, k->role, &k->transport_pk,
	    &k->sign_pk).b,
	    "broker", output_id(&b->id), "reads", reads_of(k),
	    "valid_from", output_time(k->not_before_ms),
	    "valid_until", output_time(k->not_after_ms), "next_step", next));
}

/* ---- the command --------------------------------------------------------- */

static int
setup(const struct cli *c, struct given *g)
{
	struct paper_path kept[4];
	int r;

	g->authority = given_or_kept(g, cli_option(c, "authority"),
	    "authority.pub", &kept[0]);
	g->broker_card = given_or_kept(g, cli_option(c, "broker-card"),
	    AUDITOR_BROKER_CARD, &kept[1]);
	g->card = given_or_kept(g, cli_option(c, "card"), AUDITOR_CARD,
	    &kept[2]);
	g->brokers = cli_option(c, "broker");
	if (g->brokers == NULL && given_or_kept(g, NULL, AUDITOR_BROKERS,
	    &kept[3]) != NULL)
		(void)snprintf(g->endpoints, sizeof g->endpoints, "kept");
	if ((r = missing_say(c, g)) != CLI_OK ||
	    (r = brokers_take(c, g)) != CLI_OK ||
	    (r = authority_take(c, g)) != CLI_OK ||
	    (r = broker_take(c, g)) != CLI_OK ||
	    (r = own_take(c, g)) != CLI_OK)
		return r;
	if ((r = all_keep(g)) != KL_OK || (cli_option(c, "take-over") !=
	    NULL && (r = auditor_take_over(g->dir)) != KL_OK))
		return output_fail_err(c, r, g->dir);
	return done_say(c, g);
}

int
cmd_audit_setup(struct cli *c)
{
	struct given g = { .dir = c->arg[0], .own = paper_new(),
		.broker = paper_new(), .request = paper_new() };
	int r;

	if (g.own == NULL || g.broker == NULL || g.request == NULL)
		r = output_fail_err(c, KL_E_MEMORY, g.dir);
	else if ((r = auditor_lock(c, g.dir)) == CLI_OK)
		r = setup(c, &g);
	paper_free(g.own);
	paper_free(g.broker);
	paper_free(g.request);
	return r;
}
