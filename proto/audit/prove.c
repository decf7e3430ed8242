#include "proto/audit/prove.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <kortelijn/host/fs.h>

#include "proto/audit/filter.h"
#include "proto/audit/logask.h"
#include "proto/audit/records.h"
#include "proto/cli/output.h"

#define PATH_BYTES 512
#define EVENTS_MAX 256		/* names of events are looked for up to here */
#define LEAVES_MAX 4096		/* of one conversation; far above */

/* A record to be proved, as QUERY told it. */
struct leaf {
	uint64_t index;
	uint8_t salt[32];
	uint8_t record[KL_PROOF_RECORD_MAX];
	size_t n;
};

struct prove {
	const struct cli *cli;
	struct audit_logask ask;
	const char *dir;		/* NULL: standard output */
	bool witnessed;
	struct audit_logask_note to;	/* size 0: the newest */
	struct leaf *leaf;
	size_t n;
	json_t *written;		/* names of files */
};

/* ---- writing ------------------------------------------------------------- */

static int
file_write(struct prove *p, const char *name, const char *text, size_t n)
{
	char path[PATH_BYTES];
	int r;

	if (p->dir == NULL)
		return fwrite(text, 1, n, stdout) == n &&
		    fflush(stdout) == 0 ? CLI_OK : CLI_FAILED;
	if (mkdir(p->dir, 0700) != 0 && errno != EEXIST)
		return output_fail(p->cli, CLI_FILE, "%s: %s", p->dir,
		    strerror(errno));
	r = kl_fs_path(path, sizeof path, p->dir, name);
	if (r == KL_OK)
		r = kl_fs_replace(path, kl_bytes(text, n));
	if (r != KL_OK)
		return output_fail_err(p->cli, r, p->dir);
	(void)json_array_append_new(p->written, json_string(name));
	return CLI_OK;
}

/* What cannot be verified here is not handed out. */
static int
wrong(const struct prove *p, int r)
{
	return output_fail(p->cli, CLI_FAILED, "the log's answer proves "
	    "nothing (%s): keep what you have of it, and ask its operator",
	    kl_err_text(r));
}

static int
log_key(const struct prove *p, struct kl_vkey *out)
{
	return kl_vkey_make(p->to.c.origin, KL_NOTE_ED25519, p->ask.pk, out);
}

/* ---- inclusion ----------------------------------------------------------- */

static int
leaf_write(struct prove *p, const struct kl_proof_inclusion *proof)
{
	char text[KL_PROOF_TEXT_MAX], name[48];
	struct kl_checkpoint c;
	struct kl_vkey log;
	size_t n;
	int r;

	if ((r = log_key(p, &log)) != KL_OK ||
	    (r = kl_proof_inclusion_verify(proof, &log, &c)) != KL_OK ||
	    (r = kl_proof_inclusion_pack(proof, text, sizeof text, &n)) !=
	    KL_OK)
		return wrong(p, r);
	/* In a listing in the order of the log. */
	(void)snprintf(name, sizeof name, "leaf-%012" PRIu64 ".tlog-proof",
	    proof->index);
	return file_write(p, name, text, n);
}

static int
leaf_prove(struct prove *p, const struct leaf *l)
{
	struct kl_proof_inclusion proof = { .index = l->index,
		.record_n = l->n };
	int r;

	if (l->index >= p->to.c.size)
		return output_fail(p->cli, CLI_FAILED, "record %" PRIu64
		    " is not under a checkpoint with a witness yet: that one "
		    "has %" PRIu64 " records", l->index, p->to.c.size);
	memcpy(proof.salt, l->salt, sizeof proof.salt);
	memcpy(proof.record, l->record, l->n);
	r = audit_logask_proof(&p->ask, KL_LOG_INCLUSION, l->index, &p->to,
	    proof.hash, &proof.n);
	proof.note = p->to.note;
	return r != CLI_OK ? r : leaf_write(p, &proof);
}

static int
leaf_add(void *arg, const struct audit_record *r)
{
	struct prove *p = arg;
	struct leaf *l = &p->leaf[p->n];

	if (p->n == LEAVES_MAX || r->packed.n > sizeof l->record)
		return output_fail(p->cli, CLI_FAILED, "more records than %d: "
		    "name an --event", LEAVES_MAX);
	l->index = r->leaf;
	memcpy(l->salt, r->salt, sizeof l->salt);
	memcpy(l->record, r->packed.p, r->packed.n);
	l->n = r->packed.n;
	p->n++;
	return CLI_OK;
}

/* All are proved under one checkpoint, which covers the last of them: a
 * broker that has none yet asks to wait for it. */
static int
cover_all(struct prove *p)
{
	struct kl_hash h[KL_PROOF_HASHES];
	size_t n;

	return p->witnessed ? CLI_OK : audit_logask_proof(&p->ask,
	    KL_LOG_INCLUSION, p->leaf[p->n - 1].index, &p->to, h, &n);
}

static int
leaves_prove(struct prove *p)
{
	int r;

	if (p->n == 0)
		return output_fail(p->cli, CLI_FAILED, "no such record that "
		    "you may read: it is not in the log, or its term is over");
	if (p->n > 1 && p->dir == NULL)
		return output_fail(p->cli, CLI_USAGE, "%zu records: name a "
		    "directory with --out=DIR, or one --event", p->n);
	r = cover_all(p);
	for (size_t i = 0; i < p->n && r == CLI_OK; i++)
		r = leaf_prove(p, &p->leaf[i]);
	return r;
}

/* One page that begins at the leaf; what comes behind it is not looked at. */
static int
leaf_ask(struct prove *p, uint64_t index)
{
	const struct kl_query_what what = { .from_minute = 0 };
	struct kl_query q = { .want = KL_QUERY_RECORDS, .from = index };
	struct audit_record rec;
	struct kl_query_reply reply;
	struct kl_bytes body, answer;
	struct kl_logged l;
	int r;

	kl_arena_reset(p->ask.mem);
	if (KL_MESSAGE_PACK_IN(KL_M_QUERY_WHAT, &what, p->ask.mem, &q.what) !=
	    KL_OK || KL_MESSAGE_PACK_IN(KL_M_QUERY, &q, p->ask.mem, &body) !=
	    KL_OK)
		return output_fail_err(p->cli, KL_E_MEMORY, "the question");
	if ((r = audit_link_ask(p->ask.link, KL_QUERY, body, p->ask.mem,
	    &answer)) != CLI_OK)
		return r;
	if (KL_MESSAGE_READ(KL_M_QUERY_REPLY, answer, p->ask.mem, &reply) !=
	    KL_C_OK)
		return output_fail(p->cli, CLI_FAILED, "the answer is none");
	if (reply.n_logged == 0 || KL_MESSAGE_READ(KL_M_LOGGED,
	    reply.logged[0], p->ask.mem, &l) != KL_C_OK || l.leaf != index)
		return CLI_OK;
	memset(&rec, 0, sizeof rec);
	rec.leaf = l.leaf;
	memcpy(rec.salt, l.salt, sizeof rec.salt);
	rec.packed = l.record;
	return leaf_add(p, &rec);
}

static int
event_read(const struct cli *c, uint32_t *out)
{
	const char *given = cli_option(c, "event");

	*out = 0;
	if (given == NULL)
		return CLI_OK;
	for (uint32_t v = 1; v < EVENTS_MAX; v++)
		if (strcmp(kl_event_name(v), given) == 0) {
			*out = v;
			return CLI_OK;
		}
	return output_fail(c, CLI_USAGE, "--event is one of the list in "
	    "PROTOCOL.md 10.7: accepted, released, delivered, erased, ...");
}

/* A leaf is a number of at most 19 digits; 32 digits are an id. */
static bool
leaf_read(const char *text, uint64_t *out)
{
	*out = 0;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || p - text >= 19)
			return false;
		*out = *out * 10 + (uint64_t)(*p - '0');
	}
	return text[0] != '\0';
}

static int
inclusion(struct prove *p)
{
	struct kl_query_what what = { .from_minute = 0 };
	uint64_t leaf;
	int r;

	if (leaf_read(p->cli->arg[0], &leaf)) {
		if (cli_option(p->cli, "event") != NULL)
			return output_fail(p->cli, CLI_USAGE,
			    "--event goes with a REFERENCE");
		r = leaf_ask(p, leaf);
	} else if (!audit_filter_reference(p->cli->arg[0], &what)) {
		return output_fail(p->cli, CLI_USAGE, "a record is named by "
		    "its number, a conversation by its spoken reference or "
		    "the 32 digits of its id");
	} else if ((r = event_read(p->cli, &what.event)) == CLI_OK) {
		r = audit_records(p->ask.link, &what, leaf_add, p);
	}
	return r != CLI_OK ? r : leaves_prove(p);
}

/* ---- consistency --------------------------------------------------------- */

static int
old_read(struct prove *p, struct audit_logask_note *old)
{
	const char *file = cli_option(p->cli, "from");
	const char *size = cli_option(p->cli, "from-size");
	char *text;
	size_t n;
	int r;

	memset(old, 0, sizeof *old);
	if ((file == NULL) == (size == NULL))
		return output_fail(p->cli, CLI_USAGE, "what shall be proved? "
		    "LEAF, REFERENCE, --from-size=N or --from=CHECKPOINTFILE");
	if (size != NULL)
		return leaf_read(size, &old->c.size) ? CLI_OK :
		    output_fail(p->cli, CLI_USAGE, "--from-size is a number "
		    "of records; 0: from nothing");
	r = kl_fs_read_file(AT_FDCWD, file, sizeof old->note.b - 1, &text, &n);
	if (r != KL_OK)
		return output_fail_err(p->cli, r, file);
	if (kl_note_verify(kl_bytes(text, n), p->ask.pk, &old->c) == KL_OK)
		memcpy(old->note.b, text, n);
	else
		r = output_fail(p->cli, CLI_FILE, "%s: no checkpoint that "
		    "this broker has signed", file);
	kl_fs_read_free(text, n);
	return r;
}

/* With the earlier checkpoint in hand it is verified; with its size alone
 * nobody here can. */
static int
consistency_write(struct prove *p, const struct kl_proof_consistency *proof,
    const struct audit_logask_note *old)
{
	char text[KL_PROOF_TEXT_MAX], name[64];
	struct kl_checkpoint c;
	struct kl_vkey log;
	size_t n;
	int r = log_key(p, &log);

	if (r == KL_OK && old->note.b[0] != '\0')
		r = kl_proof_consistency_verify(proof,
		    kl_bytes_str(old->note.b), &log, &c);
	if (r == KL_OK)
		r = kl_proof_consistency_pack(proof, text, sizeof text, &n);
	if (r != KL_OK)
		return wrong(p, r);
	(void)snprintf(name, sizeof name, "from-%" PRIu64 "-to-%" PRIu64
	    ".proof", proof->old_size, p->to.c.size);
	return file_write(p, name, text, n);
}

static int
consistency(struct prove *p)
{
	struct kl_proof_consistency proof = { .n = 0 };
	struct audit_logask_note old;
	int r = old_read(p, &old);

	if (r != CLI_OK)
		return r;
	proof.old_size = old.c.size;
	if (old.c.size == 0 && !p->witnessed)
		r = audit_logask_newest(&p->ask, false, &p->to);
	else if (old.c.size > 0)
		r = audit_logask_proof(&p->ask, KL_LOG_CONSISTENCY,
		    old.c.size, &p->to, proof.hash, &proof.n);
	if (r != CLI_OK)
		return r;
	if (old.note.b[0] != '\0' && strcmp(old.c.origin, p->to.c.origin) !=
	    0)
		return output_fail(p->cli, CLI_FAILED, "that checkpoint is of "
		    "another log, %s: this one is %s", old.c.origin,
		    p->to.c.origin);
	proof.note = p->to.note;
	return consistency_write(p, &proof, &old);
}

/* ---- the command --------------------------------------------------------- */

static int
done(struct prove *p)
{
	json_t *files = json_incref(p->written);

	if (p->dir == NULL)
		return CLI_OK;
	return output_take(p->cli, json_pack("{s:s,s:o}", "dir", p->dir,
	    "files", files));
}

static int
run(struct prove *p)
{
	const struct cli *c = p->cli;
	int r = CLI_OK;

	if (c->n_args > 0 && (cli_option(c, "from") != NULL ||
	    cli_option(c, "from-size") != NULL))
		return output_fail(c, CLI_USAGE, "a record, or --from and "
		    "--from-size: one of them");
	if (c->json && p->dir == NULL)
		return output_fail(c, CLI_USAGE,
		    "a proof is a text of its own: --json goes with --out");
	if (p->witnessed)
		r = audit_logask_newest(&p->ask, true, &p->to);
	if (r == CLI_OK)
		r = c->n_args > 0 ? inclusion(p) : consistency(p);
	return r == CLI_OK ? done(p) : r;
}

int
audit_prove(const struct cli *c, struct audit_link *l,
    const struct kl_sign_pk *broker)
{
	struct prove p = { .cli = c, .dir = cli_option(c, "out"),
		.witnessed = cli_option(c, "witnessed") != NULL };
	int r = audit_logask_open(&p.ask, l, broker);

	if (r != CLI_OK)
		return r;
	p.written = json_array();
	p.leaf = calloc(LEAVES_MAX, sizeof *p.leaf);
	r = p.leaf == NULL ? output_fail_err(c, KL_E_MEMORY, "the records") :
	    run(&p);
	free(p.leaf);
	json_decref(p.written);
	audit_logask_close(&p.ask);
	return r;
}
