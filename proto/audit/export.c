#include "proto/audit/export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/host/fs.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/host/textfile.h>

#include "proto/audit/export_priv.h"
#include "proto/audit/filter.h"
#include "proto/audit/query.h"
#include "proto/cli/output.h"

#define TELL_MS 2000

int
audit_export_fail(const struct exporting *x, int err, const char *file)
{
	if (err == KL_E_EXISTS && file == NULL)
		return output_fail(x->cli, CLI_FILE, "%s or %s.part is there "
		    "already, or is being written: nothing is written over "
		    "it", x->cli->arg[0], x->cli->arg[0]);
	if (err == KL_E_FULL)
		return output_fail(x->cli, CLI_FAILED, "the disk of %s is "
		    "full; what was written so far is in %s.part, and the next "
		    "export to the same place takes that away first",
		    x->cli->arg[0], x->cli->arg[0]);
	return output_fail_err(x->cli, err, file != NULL ? file :
	    x->cli->arg[0]);
}

int
audit_export_ask(struct exporting *x, uint32_t request, uint32_t type,
    const void *body, size_t size, struct kl_bytes *reply)
{
	struct kl_bytes packed;
	int err;

	kl_arena_reset(x->mem);
	err = kl_message_pack_in(type, body, size, x->mem, &packed);
	if (err != KL_OK)
		return output_fail_err(x->cli, err, "the question");
	return audit_link_ask(x->link, request, packed, x->mem, reply);
}

void
audit_export_tell(struct exporting *x, const char *what, uint64_t done,
    uint64_t of)
{
	const int64_t now_ms = kl_mono_ms();

	if (now_ms - x->told_ms < TELL_MS || isatty(STDERR_FILENO) == 0)
		return;
	x->told_ms = now_ms;
	fprintf(stderr, "%s: %s %" PRIu64 " of %" PRIu64 "\n",
	    x->cli->program->name, what, done, of);
}

/* ---- cards ---- */

static bool
ends_with(const char *name, const char *end)
{
	const size_t n = strlen(name), e = strlen(end);

	return n > e && strcmp(name + n - e, end) == 0;
}

/* What of a directory of cards is public and small: cards and revocations, in
 * the form of their files. Whoever reads them verifies them. */
static int
card_copy(struct exporting *x, int dir, const char *name)
{
	const char *tag = ends_with(name, ".card") ? KL_TAG_CARD :
	    ends_with(name, ".revocation") ? KL_TAG_REVOCATION : NULL;
	uint8_t bytes[KL_SIGNED_MAX];
	char to[300], *text;
	size_t n;
	int err;

	if (tag == NULL || name[0] == '.' || strlen(name) > 255 ||
	    kl_textfile_read(dir, name, tag, NULL, bytes, sizeof bytes, &n) !=
	    KL_OK)
		return KL_OK;
	if ((err = kl_fs_read_file(dir, name, KL_TEXTFILE_MAX, &text, &n)) !=
	    KL_OK)
		return err;
	(void)snprintf(to, sizeof to, "cards/%s", name);
	err = audit_dirout_file(x->out, to, kl_bytes(text, n));
	kl_fs_read_free(text, n);
	x->cards++;
	return err;
}

static int
cards(struct exporting *x)
{
	const struct dirent *e;
	int err = KL_OK;
	DIR *d;

	if (x->of->cards == NULL || (d = opendir(x->of->cards)) == NULL)
		return CLI_OK;
	while (err == KL_OK && (e = readdir(d)) != NULL)
		err = card_copy(x, dirfd(d), e->d_name);
	(void)closedir(d);
	return err == KL_OK ? CLI_OK : audit_export_fail(x, err,
	    x->of->cards);
}

/* ---- all of it ---- */

static int
write_all(struct exporting *x)
{
	int r, err;

	if ((r = audit_export_state(x)) != CLI_OK ||
	    (r = audit_export_log(x)) != CLI_OK ||
	    (r = audit_export_records(x)) != CLI_OK ||
	    (r = cards(x)) != CLI_OK ||
	    (r = audit_export_text(x)) != CLI_OK ||
	    (r = audit_export_page(x)) != CLI_OK)
		return r;
	if ((err = audit_dirout_end(x->out)) == KL_OK)
		err = audit_dirout_place(x->out);
	return err == KL_OK ? CLI_OK : audit_export_fail(x, err, NULL);
}

static int
said(const struct exporting *x)
{
	return output_take(x->cli, json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I}",
	    "directory", x->cli->arg[0], "log", x->head.origin,
	    "leaves", (json_int_t)x->head.size,
	    "records", (json_int_t)x->records,
	    "absent", (json_int_t)(x->head.size - x->records),
	    "checkpoints", (json_int_t)x->n_kept + 1,
	    "witnessed", (json_int_t)x->witnessed));
}

static int
options(struct exporting *x)
{
	int r = audit_query_language(x->cli, &x->lang);

	return r != CLI_OK ? r : audit_filter_span(x->cli, &x->from_minute,
	    &x->to_minute);
}

static void
clear(struct exporting *x)
{
	if (x->csv != NULL)
		(void)fclose(x->csv);
	audit_policies_free(&x->policies);
	audit_dirout_free(x->out);
	kl_arena_free(x->mem);
	free(x->kept);
	free(x);
}

int
audit_export(struct cli *c, struct audit_link *l, const struct audit_export *e)
{
	struct exporting *x = calloc(1, sizeof *x);
	int r, err;

	if (x == NULL)
		return output_fail_err(c, KL_E_MEMORY, c->arg[0]);
	x->cli = c;
	x->link = l;
	x->of = e;
	x->now_ms = kl_clock_now_ms(&(struct kl_clock){ 0 });
	x->mem = kl_arena_new(AUDIT_ANSWER_BYTES, AUDIT_ANSWER_PIECES);
	(void)signal(SIGPIPE, SIG_IGN);
	if (x->mem == NULL)
		r = output_fail_err(c, KL_E_MEMORY, c->arg[0]);
	else if ((r = options(x)) == CLI_OK &&
	    (err = audit_dirout_begin(c->arg[0], &x->out)) != KL_OK)
		r = audit_export_fail(x, err, NULL);
	if (r == CLI_OK && (r = write_all(x)) == CLI_OK)
		r = said(x);
	clear(x);
	return r;
}
