#include "broker/ctl/auditor.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/host/daemon.h>
#include <kortelijn/host/fs.h>

#include "proto/cli/output.h"
#include "proto/cli/passphrase.h"

#define EPOCH_FILE "epoch"
#define EPOCH_MAGIC "kortelijn-epoch-v1"
#define EPOCH_MAX 128		/* bytes of the file */
#define SETUP "'kortelijn audit setup'"

/* ---- keys --------------------------------------------------------------- */

static int
key_read(const struct cli *c, const char *path, const char *name,
    struct kl_secret **out)
{
	struct passphrase words;
	bool sealed;
	int r;

	if ((r = kl_keyfile_sealed(AT_FDCWD, path, &sealed)) != KL_OK)
		return output_fail_err(c, r, path);
	if (!sealed) {
		r = kl_keyfile_read(AT_FDCWD, path, name, out);
		return r == KL_OK ? CLI_OK : output_fail_err(c, r, path);
	}
	if ((r = passphrase_get(c, path, &words)) != CLI_OK)
		return r;
	r = kl_keyfile_sealed_read(AT_FDCWD, path, name,
	    passphrase_bytes(&words), out);
	passphrase_wipe(&words);
	if (r == KL_E_SIGNATURE)
		return output_fail(c, CLI_FAILED, "%s: wrong passphrase, or "
		    "the file was changed", path);
	return r == KL_OK ? CLI_OK : output_fail_err(c, r, path);
}

int
auditor_key(const struct cli *c, const char *dir, const char *name,
    struct kl_secret **out)
{
	struct paper_path path;
	char file[32];
	int r;

	*out = NULL;
	(void)snprintf(file, sizeof file, "%s.key", name);
	if ((r = paper_path(dir, file, &path)) != KL_OK)
		return output_fail_err(c, r, dir);
	return key_read(c, path.b, name, out);
}

/* ---- papers ------------------------------------------------------------- */

static int
paper_wrong(const struct cli *c, int err, const char *path)
{
	if (err == KL_E_NOT_FOUND)
		return output_fail(c, CLI_FILE, "%s: is missing; " SETUP
		    " puts it there", path);
	if (err == KL_E_SIGNATURE)
		return output_fail(c, CLI_FILE, "%s: not signed by the "
		    "authority in this directory", path);
	if (err == KL_E_VALUE)
		return output_fail(c, CLI_FILE, "%s: of another role or "
		    "realm", path);
	return output_fail_err(c, err, path);
}

static int
card_read(const char *path, struct auditor *a)
{
	const struct paper_authority au = { .realm = a->trust.realm,
		.pk = a->trust.authority };
	struct paper *p = paper_new();
	int r = p == NULL ? KL_E_MEMORY : paper_card_read(p, path, &au);

	if (r == KL_OK && (p->card.role != KL_AUDITOR ||
	    p->card.realm != au.realm))
		r = KL_E_VALUE;
	if (r == KL_OK) {
		a->id = p->card.id;
		a->sign_pk = p->card.sign_pk;
		a->transport_pk = p->card.transport_pk;
		a->from_ms = p->card.not_before_ms;
		a->until_ms = p->card.not_after_ms;
	}
	paper_free(p);
	return r;
}

static int
endpoints_read(const char *path, struct auditor *a)
{
	char *text;
	size_t n;
	int r = kl_fs_read_file(AT_FDCWD, path, sizeof a->endpoints - 1, &text,
	    &n);

	if (r != KL_OK)
		return r;
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (n == 0 || memchr(text, '\0', n) != NULL)
		r = KL_E_FORMAT;
	else
		memcpy(a->endpoints, text, n);
	kl_fs_read_free(text, n);
	return r;
}

static int
papers_read(const struct cli *c, struct auditor *a)
{
	struct paper_authority au;
	struct paper_path path;
	int r;

	if ((r = paper_path(a->dir, "authority.pub", &path)) != KL_OK ||
	    (r = paper_authority_read(path.b, &au)) != KL_OK ||
	    (r = paper_path(a->dir, AUDITOR_BROKER_CARD, &path)) != KL_OK ||
	    (r = ctl_trust_read(&au, path.b, &a->trust)) != KL_OK ||
	    (r = paper_path(a->dir, AUDITOR_BROKERS, &path)) != KL_OK ||
	    (r = endpoints_read(path.b, a)) != KL_OK ||
	    (r = paper_path(a->dir, AUDITOR_CARD, &path)) != KL_OK ||
	    (r = card_read(path.b, a)) != KL_OK)
		return paper_wrong(c, r, r == KL_E_SIZE ? a->dir : path.b);
	return CLI_OK;
}

int
auditor_lock(const struct cli *c, const char *dir)
{
	const int r = kl_daemon_lock(dir);

	if (r == KL_E_EXISTS)
		return output_fail(c, CLI_FAILED, "%s: another command works "
		    "with it; wait until that has ended", dir);
	if (r == KL_E_IO)
		return output_fail(c, CLI_FILE, "%s: no such directory, or it "
		    "cannot be written to", dir);
	return r == KL_OK ? CLI_OK : output_fail_err(c, r, dir);
}

int
auditor_open(const struct cli *c, const char *dir, struct auditor *out)
{
	int n, r;

	memset(out, 0, sizeof *out);
	n = snprintf(out->dir, sizeof out->dir, "%s", dir);
	if (n < 0 || (size_t)n >= sizeof out->dir)
		return output_fail_err(c, KL_E_SIZE, dir);
	if ((r = auditor_lock(c, dir)) != CLI_OK)
		return r;
	return papers_read(c, out);
}

/* ---- instance and epoch ------------------------------------------------- */

struct epoch {
	struct kl_instance instance;
	uint64_t n;
	bool take_over;
};

/* "kortelijn-epoch-v1 INSTANCE NUMBER kept|new" */
static int
epoch_parse(const char *text, struct epoch *out)
{
	char hex[33], word[8], again[EPOCH_MAX];
	uint64_t n;

	if (sscanf(text, EPOCH_MAGIC " %32s %" SCNu64 " %7s", hex, &n,
	    word) != 3 || kl_hex_read(hex, out->instance.b,
	    sizeof out->instance.b) != KL_OK)
		return KL_E_FORMAT;
	out->n = n;
	out->take_over = strcmp(word, "new") == 0;
	/* Only what is written here: nothing before, between, behind. */
	(void)snprintf(again, sizeof again, EPOCH_MAGIC " %s %" PRIu64 " %s\n",
	    hex, n, out->take_over ? "new" : "kept");
	return n < UINT64_MAX && strcmp(again, text) == 0 ? KL_OK :
	    KL_E_FORMAT;
}

static int
epoch_read(const char *dir, struct epoch *out)
{
	struct paper_path path;
	char *text;
	size_t n;
	int r;

	memset(out, 0, sizeof *out);
	if ((r = paper_path(dir, EPOCH_FILE, &path)) != KL_OK)
		return r;
	r = kl_fs_read_file(AT_FDCWD, path.b, EPOCH_MAX - 1, &text, &n);
	if (r == KL_E_NOT_FOUND) {
		kl_random(out->instance.b, sizeof out->instance.b);
		return KL_OK;
	}
	if (r == KL_OK)
		r = epoch_parse(text, out);
	kl_fs_read_free(text, n);
	return r;
}

static int
epoch_write(const char *dir, const struct epoch *e)
{
	struct paper_path path;
	char hex[33], line[EPOCH_MAX];
	int r;

	if ((r = paper_path(dir, EPOCH_FILE, &path)) != KL_OK)
		return r;
	kl_hex(KL_BYTES_OF(e->instance), hex);
	(void)snprintf(line, sizeof line, EPOCH_MAGIC " %s %" PRIu64 " %s\n",
	    hex, e->n, e->take_over ? "new" : "kept");
	return kl_fs_replace(path.b, kl_bytes_str(line));
}

int
auditor_epoch(const char *dir, struct kl_instance *instance, uint64_t *epoch,
    bool *take_over)
{
	struct epoch e;
	int r;

	if ((r = epoch_read(dir, &e)) != KL_OK)
		return r;
	e.n++;
	*instance = e.instance;
	*epoch = e.n;
	*take_over = e.take_over;
	return epoch_write(dir, &e);
}

int
auditor_taken_over(const char *dir)
{
	struct epoch e;
	int r;

	if ((r = epoch_read(dir, &e)) != KL_OK || !e.take_over)
		return r;
	e.take_over = false;
	return epoch_write(dir, &e);
}

int
auditor_take_over(const char *dir)
{
	struct epoch e = { .take_over = true };

	kl_random(e.instance.b, sizeof e.instance.b);
	return epoch_write(dir, &e);
}
