#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/merkle.h>

#include "proto/audit/export_priv.h"
#include "proto/cli/output.h"

#define KEPT_MAX 36525		/* days of a hundred years */

/* What does not fit itself is handed out to nobody. */
static int
senseless(const struct exporting *x, const char *what)
{
	return output_fail(x->cli, CLI_FAILED, "%s: %s; keep what you have of "
	    "this log and tell who audits it", x->cli->program->daemon, what);
}

static int
ask(struct exporting *x, uint32_t want, uint64_t size,
    struct kl_log_reply *out)
{
	const struct kl_log_request q = { .want = want, .size = size };
	struct kl_bytes reply;
	int r = audit_export_ask(x, KL_LOG, KL_M_LOG, &q, sizeof q, &reply);

	if (r == CLI_OK && KL_MESSAGE_READ(KL_M_LOG_REPLY, reply, x->mem,
	    out) != KL_C_OK)
		r = senseless(x, "its answer is not understood");
	return r;
}

/* ---- checkpoints ---- */

static bool
is_own(const struct exporting *x, struct kl_bytes text,
    struct kl_checkpoint *c)
{
	return kl_note_verify(text, x->of->pk, c) == KL_OK &&
	    (x->head.origin[0] == '\0' ||
	    strcmp(c->origin, x->head.origin) == 0);
}

/* Lines of signatures, but the log's own. */
static unsigned int
lines_of_others(struct kl_bytes text)
{
	const char dash[] = "\n\xe2\x80\x94 ";
	const uint8_t *at = text.p;
	unsigned int n = 0;

	while ((at = memmem(at, text.n - (size_t)(at - text.p), dash,
	    sizeof dash - 1)) != NULL) {
		at++;
		n++;
	}
	return n > 0 ? n - 1 : 0;
}

static int
put(struct exporting *x, const char *name, struct kl_bytes text)
{
	const int err = audit_dirout_file(x->out, name, text);

	return err == KL_OK ? CLI_OK : audit_export_fail(x, err, name);
}

static int
kept_add(struct exporting *x, const struct export_kept *k)
{
	const size_t cap = x->kept_cap == 0 ? 64 : 2 * x->kept_cap;
	struct export_kept *more;

	if (x->n_kept == x->kept_cap) {
		more = realloc(x->kept, cap * sizeof *more);
		if (more == NULL)
			return audit_export_fail(x, KL_E_MEMORY, NULL);
		x->kept = more;
		x->kept_cap = cap;
	}
	x->kept[x->n_kept++] = *k;
	return CLI_OK;
}

/* Under a name of size and day; with the lines of witnesses where it has. */
static int
kept_put(struct exporting *x, struct kl_bytes text, int64_t day,
    const char *what)
{
	struct export_kept k = { .day = day,
		.witnesses = lines_of_others(text) };
	struct kl_checkpoint c;
	char name[80];
	int r;

	if (!is_own(x, text, &c))
		return senseless(x, "a checkpoint that it kept is not one of "
		    "its log");
	/* What was signed since is not covered by the tiles here. */
	if (c.size > x->head.size)
		return CLI_OK;
	k.size = c.size;
	(void)snprintf(name, sizeof name, "checkpoints/%012" PRIu64 "-%s",
	    c.size, what);
	if ((r = put(x, name, text)) != CLI_OK)
		return r;
	if (k.witnesses > 0 && c.size >= x->witnessed) {
		x->witnessed = c.size;
		x->witnesses = k.witnesses;
	}
	return kept_add(x, &k);
}

/* One of a day, and so many at most: so it ends, whatever it answers. Which day
 * it is now this machine need not know. */
static int
kept(struct exporting *x)
{
	struct kl_log_reply p;
	struct kl_bytes text;
	uint64_t day = 0;
	size_t n = 0;
	int r;

	while ((r = ask(x, KL_LOG_KEPT, day, &p)) == CLI_OK && p.note.n > 0) {
		if (p.day < day || p.day > INT32_MAX || n++ == KEPT_MAX)
			return senseless(x, "its days are not in order");
		text = p.witnessed.n > 0 ? p.witnessed : p.note;
		if ((r = kept_put(x, text, (int64_t)p.day, kl_day_text(
		    (int32_t)p.day).b)) != CLI_OK)
			return r;
		day = p.day + 1;
	}
	return r;
}

/* One that covers what had happened when the command was given: a leaf is
 * under a checkpoint within a second, and until then it is asked again. */
static int
newest(struct exporting *x)
{
	struct kl_log_reply p;
	int r = ask(x, KL_LOG_INCLUSION, x->began, &p);

	if (r == CLI_OK)
		r = ask(x, KL_LOG_CHECKPOINT, 0, &p);
	if (r != CLI_OK)
		return r;
	if (!is_own(x, p.note, &x->head) || p.note.n >= sizeof x->note.b)
		return senseless(x, "its checkpoint is not signed by its "
		    "key");
	memcpy(x->note.b, p.note.p, p.note.n);
	if ((r = put(x, "checkpoint", p.note)) != CLI_OK)
		return r;
	return p.witnessed.n == 0 ? CLI_OK : kept_put(x, p.witnessed, 0,
	    "witnessed");
}

/* ---- tiles ---- */

static int
tile(struct exporting *x, uint64_t number, uint32_t width)
{
	struct kl_log_reply p;
	struct kl_hash leaf;
	int err, r = ask(x, KL_LOG_TILE, number, &p);

	if (r != CLI_OK)
		return r;
	if (p.tile.n < width * sizeof leaf)
		return senseless(x, "it has fewer leaves than it signed");
	for (uint32_t i = 0; i < width; i++) {
		memcpy(leaf.b, p.tile.p + i * sizeof leaf, sizeof leaf);
		if ((err = audit_dirout_leaf(x->out, &leaf)) != KL_OK)
			return audit_export_fail(x, err, "tile");
	}
	return CLI_OK;
}

static int
tiles(struct exporting *x)
{
	struct kl_hash root;
	uint32_t width;
	int err, r;

	for (uint64_t n = 0; (width = audit_tile_width(x->head.size, 0, n)) >
	    0; n++) {
		audit_export_tell(x, "hashes", audit_dirout_size(x->out),
		    x->head.size);
		if ((r = tile(x, n, width)) != CLI_OK)
			return r;
	}
	if ((err = audit_dirout_leaves_end(x->out)) != KL_OK)
		return audit_export_fail(x, err, "tile");
	root = audit_dirout_root(x->out);
	return memcmp(&root, &x->head.root, sizeof root) == 0 ? CLI_OK :
	    senseless(x, "its leaves do not lead to its checkpoint");
}

int
audit_export_log(struct exporting *x)
{
	int r;

	if ((r = newest(x)) != CLI_OK || (r = tiles(x)) != CLI_OK)
		return r;
	return kept(x);
}
