#include "proto/audit/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/host/fs.h>

#include "proto/cli/output.h"

#define NAME_BYTES 16		/* of the hash of an origin, in file names */

struct path { char b[AUDIT_WITNESS_PATH_BYTES]; };

/* An origin is no name for a file: it has slashes. */
static int
path_of(const struct audit_witness *w, const char *origin,
    const char *ending, struct path *out)
{
	struct kl_hash h = kl_hash_of(kl_bytes_str(origin));
	char name[2 * NAME_BYTES + 32], hex[2 * NAME_BYTES + 1];

	kl_hex(kl_bytes(h.b, NAME_BYTES), hex);
	(void)snprintf(name, sizeof name, "%s%s", hex, ending);
	return kl_fs_path(out->b, sizeof out->b, w->dir, name);
}

/* ---- what it signed last ------------------------------------------------- */

int
audit_witness_last(const struct audit_witness *w, const char *origin,
    struct kl_checkpoint *c, struct kl_note *note)
{
	struct path path;
	char *text;
	size_t n;
	int r = path_of(w, origin, ".checkpoint", &path);

	memset(c, 0, sizeof *c);
	memset(note, 0, sizeof *note);
	if (r == KL_OK)
		r = kl_fs_read_file(AT_FDCWD, path.b, sizeof note->b - 1,
		    &text, &n);
	if (r == KL_E_NOT_FOUND)
		return CLI_OK;
	if (r != KL_OK)
		return output_fail_err(w->cli, r, path.b);
	r = kl_note_verify(kl_bytes(text, n), w->log, c);
	if (r == KL_OK && strcmp(c->origin, origin) == 0)
		memcpy(note->b, text, n);
	else
		r = output_fail(w->cli, CLI_FILE, "%s: it is not what this "
		    "witness has kept of %s: put it back from a copy, or it "
		    "can witness no more", path.b, origin);
	kl_fs_read_free(text, n);
	return r == KL_OK ? CLI_OK : r;
}

static int
keep(const struct audit_witness *w, const char *origin,
    const struct kl_note *note)
{
	struct path path;
	int r = path_of(w, origin, ".checkpoint", &path);

	if (r == KL_OK && mkdir(w->dir, 0700) != 0 && errno != EEXIST)
		r = errno == EACCES ? KL_E_DENIED : KL_E_IO;
	if (r == KL_OK)
		r = kl_fs_replace(path.b, kl_bytes_str(note->b));
	return r == KL_OK ? CLI_OK : output_fail_err(w->cli, r, w->dir);
}

/* ---- what does not continue it ------------------------------------------- */

/* Both are signed by the log's key: whoever has them needs nobody's word. */
static int
evidence(const struct audit_witness *w, const struct kl_checkpoint *c,
    const struct kl_note *before, const struct kl_note *now, const char *what)
{
	char text[2 * KL_NOTE_MAX + 8], ending[40];
	struct path path;
	int r;

	(void)snprintf(ending, sizeof ending, ".evidence-%" PRIu64, c->size);
	(void)snprintf(text, sizeof text, "%s\n%s", before->b, now->b);
	r = path_of(w, c->origin, ending, &path);
	if (r == KL_OK)
		r = kl_fs_replace(path.b, kl_bytes_str(text));
	if (r != KL_OK)
		(void)output_fail_err(w->cli, r, w->dir);
	return output_fail(w->cli, CLI_FAILED, "NOT SIGNED: %s. %s%s", what,
	    r == KL_OK ? "Both signed checkpoints are in " :
	    "Keep the file that you have", r == KL_OK ? path.b : "");
}

static int
backwards(const struct audit_witness *w, const struct kl_checkpoint *now,
    const struct kl_note *now_note, const struct kl_checkpoint *before,
    const struct kl_note *before_note)
{
	char what[240];

	(void)snprintf(what, sizeof what, "this checkpoint has %" PRIu64
	    " records, and this witness has signed one of %" PRIu64
	    " of the same log: this is an old one, or the broker stands on a "
	    "store that was put back", now->size, before->size);
	return evidence(w, now, before_note, now_note, what);
}

/* What was signed of this log before, and whether the proof joins the two. */
static int
continues(const struct audit_witness *w, const struct kl_proof_consistency *p,
    const struct kl_vkey *log, const struct kl_checkpoint *now)
{
	struct kl_checkpoint before, c;
	struct kl_note before_note;
	int r = audit_witness_last(w, now->origin, &before, &before_note);

	if (r != CLI_OK || before.size == 0)
		return r;
	if (now->size < before.size)
		return backwards(w, now, &p->note, &before, &before_note);
	if (now->size == before.size)
		return memcmp(now->root.b, before.root.b,
		    sizeof now->root.b) == 0 ? CLI_OK : evidence(w, now,
		    &before_note, &p->note, "the broker has signed two "
		    "different logs of this size");
	if (p->old_size != before.size)
		return output_fail(w->cli, CLI_FAILED, "the proof begins at %"
		    PRIu64 " records, and this witness is at %" PRIu64
		    ": 'audit prove --from-size=%" PRIu64 "' makes the one "
		    "it needs", p->old_size, before.size, before.size);
	if (kl_proof_consistency_verify(p, kl_bytes_str(before_note.b), log,
	    &c) == KL_OK)
		return CLI_OK;
	return evidence(w, now, &before_note, &p->note, "the proof does not "
	    "lead from what this witness has signed to this checkpoint: the "
	    "file was changed, or the log was rewritten");
}

/* ---- one log after the other --------------------------------------------- */

static int
youngest_path(const struct audit_witness *w, struct path *out)
{
	return kl_fs_path(out->b, sizeof out->b, w->dir, "origin");
}

/* The youngest log of this broker that it has signed; "": none. */
static int
youngest_read(const struct audit_witness *w, struct kl_origin *out)
{
	struct path path;
	char *text;
	size_t n;
	int r = youngest_path(w, &path);

	memset(out, 0, sizeof *out);
	if (r == KL_OK)
		r = kl_fs_read_file(AT_FDCWD, path.b, sizeof out->b - 1,
		    &text, &n);
	if (r == KL_E_NOT_FOUND)
		return CLI_OK;
	if (r != KL_OK)
		return output_fail_err(w->cli, r, path.b);
	memcpy(out->b, text, n);
	kl_fs_read_free(text, n);
	return CLI_OK;
}

/* After a loss the broker begins a new log, and goes back to none. */
static int
not_left(const struct audit_witness *w, const struct kl_checkpoint *now,
    const struct kl_note *now_note)
{
	struct kl_checkpoint c;
	struct kl_origin kept;
	struct kl_note note;
	int r = youngest_read(w, &kept);

	if (r != CLI_OK || !kl_origin_older(now->origin, kept.b))
		return r;
	if ((r = audit_witness_last(w, kept.b, &c, &note)) != CLI_OK)
		return r;
	return evidence(w, now, &note, now_note, "this log was left: this "
	    "witness has signed the one that came after it");
}

static int
youngest_keep(const struct audit_witness *w, const char *origin)
{
	struct kl_origin kept;
	struct path path;
	int r = youngest_read(w, &kept);

	if (r != CLI_OK || strcmp(kept.b, origin) == 0)
		return r;
	if (kept.b[0] != '\0')
		fprintf(stderr, "a new log of this broker: %s\nfollows %s\n",
		    origin, kept.b);
	r = youngest_path(w, &path);
	if (r == KL_OK)
		r = kl_fs_replace(path.b, kl_bytes_str(origin));
	return r == KL_OK ? CLI_OK : output_fail_err(w->cli, r, w->dir);
}

/* ---- signing ------------------------------------------------------------- */

/* A log of this broker: its id, a dash for the colon, and "/log/". */
static bool
origin_ours(const struct audit_witness *w, const char *origin)
{
	char begin[KL_ID_BYTES + 8], *colon;

	(void)snprintf(begin, sizeof begin, "%s/log/",
	    kl_id_text(w->broker).b);
	if ((colon = strchr(begin, ':')) != NULL)
		*colon = '-';
	return strncmp(origin, begin, strlen(begin)) == 0;
}

static int
text_read(const struct audit_witness *w, struct kl_bytes text,
    struct kl_proof_consistency *p, struct kl_checkpoint *c,
    struct kl_vkey *log)
{
	int r = kl_proof_consistency_read(text, p);

	if (r != KL_OK)
		return output_fail(w->cli, CLI_FILE, "it is not what 'audit "
		    "prove --from-size=N' writes: cut short, changed, or with "
		    "other line ends");
	r = kl_note_verify(kl_bytes_str(p->note.b), w->log, c);
	if (r != KL_OK || !origin_ours(w, c->origin))
		return output_fail(w->cli, CLI_FILE, "its checkpoint is not "
		    "signed by the broker whose card is pinned here");
	return kl_vkey_make(c->origin, KL_NOTE_ED25519, w->log, log) == KL_OK ?
	    CLI_OK : output_fail_err(w->cli, KL_E_FORMAT, "the origin");
}

int
audit_witness_sign(const struct audit_witness *w, struct kl_bytes text,
    int64_t now_ms, struct kl_note *out)
{
	struct kl_proof_consistency p;
	struct kl_checkpoint c;
	struct kl_vkey log;
	struct kl_note bare;
	int r;

	memset(out, 0, sizeof *out);
	if ((r = text_read(w, text, &p, &c, &log)) != CLI_OK ||
	    (r = not_left(w, &c, &p.note)) != CLI_OK ||
	    (r = continues(w, &p, &log, &c)) != CLI_OK)
		return r;
	/* Lines of others are theirs to bring. */
	if ((r = kl_note_bare(kl_bytes_str(p.note.b), w->log, &bare)) !=
	    KL_OK)
		return output_fail_err(w->cli, r, "the checkpoint");
	if ((r = keep(w, c.origin, &bare)) != CLI_OK ||
	    (r = youngest_keep(w, c.origin)) != CLI_OK)
		return r;
	r = kl_note_cosign(&bare, w->key->name, now_ms / KL_SECOND_MS, w->sk);
	if (r != KL_OK)
		return output_fail_err(w->cli, r, "the witness's key");
	*out = bare;
	return CLI_OK;
}
