#include "proto/audit/verify.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/calendar.h>
#include <kortelijn/host/fs.h>

#include "proto/audit/dirverify.h"
#include "proto/audit/json.h"
#include "proto/audit/query.h"
#include "proto/audit/verdict.h"
#include "proto/audit/words.h"
#include "proto/cli/output.h"

#define RECORD_BYTES 4096	/* what reading one takes */
#define RECORD_PIECES 64

struct file {
	const char *path;
	int part;			/* of evidence: 1, 2; 0: all of it */
	char *text;			/* of the file, or part 1 of it */
	struct kl_bytes bytes;
	const struct file *forked;	/* of one size, another root */
	struct audit_verdict v;
};

struct verify {
	const struct cli *cli;
	const struct audit_trust *trust;
	const struct audit_names *names;
	enum kl_lang lang;
	struct kl_arena *mem;
	struct file *file;
	size_t n;
};

/* ---- verifying ----------------------------------------------------------- */

/* Behind the first empty line at or after `from`; 0: there is none. */
static size_t
behind_empty_line(struct kl_bytes text, size_t from)
{
	for (size_t i = from; i + 1 < text.n; i++)
		if (text.p[i] == '\n' && text.p[i + 1] == '\n')
			return i + 2;
	return 0;
}

/* Evidence is two checkpoints with an empty line between them, and each has
 * one before its signatures. It becomes two files. */
static void
evidence_split(struct verify *v)
{
	struct file *f = &v->file[v->n - 1], *second = f + 1;
	size_t n = 0;

	if (kl_proof_sort(f->bytes) == KL_PROOF_CHECKPOINT &&
	    (n = behind_empty_line(f->bytes, 0)) != 0)
		n = behind_empty_line(f->bytes, n);
	if (n == 0 || n == f->bytes.n)
		return;
	n--;
	*second = (struct file){ .path = f->path, .part = 2,
		.bytes = kl_bytes(f->bytes.p + n + 1, f->bytes.n - n - 1) };
	f->part = 1;
	f->bytes.n = n;
	v->n++;
}

static int
files_read(struct verify *v)
{
	int r;

	for (size_t i = 0; i < v->cli->n_args; i++) {
		struct file *f = &v->file[v->n];

		f->path = v->cli->arg[i];
		/* What is longer is none of ours, and is read so far. */
		r = kl_fs_read_file(AT_FDCWD, f->path, KL_PROOF_TEXT_MAX,
		    &f->text, &f->bytes.n);
		if (r == KL_E_SIZE)
			return output_fail(v->cli, CLI_FILE, "%s: larger than "
			    "any checkpoint or proof", f->path);
		if (r != KL_OK)
			return output_fail_err(v->cli, r, f->path);
		f->bytes.p = (const uint8_t *)f->text;
		v->n++;
		evidence_split(v);
	}
	return CLI_OK;
}

/* The earlier checkpoint that a proof begins at, among the other files. */
static struct kl_bytes
old_find(const struct verify *v, const struct file *f, uint64_t size)
{
	struct kl_checkpoint c;
	struct kl_bytes note;

	for (size_t i = 0; i < v->n; i++) {
		note = audit_verdict_note(v->file[i].bytes);
		if (&v->file[i] != f &&
		    audit_trust_checkpoint(v->trust, note, &c) == KL_OK &&
		    c.size == size)
			return note;
	}
	return KL_BYTES_NONE;
}

static void
file_judge(struct verify *v, struct file *f)
{
	struct kl_bytes old;

	kl_arena_reset(v->mem);
	audit_verdict(v->trust, f->bytes, KL_BYTES_NONE, v->mem, &f->v);
	if (f->v.err != KL_E_EMPTY)
		return;
	old = old_find(v, f, f->v.old_size);
	kl_arena_reset(v->mem);
	audit_verdict(v->trust, f->bytes, old, v->mem, &f->v);
}

/* Two checkpoints of one size with two roots: the log's key has signed two
 * histories, and both files show it. */
static bool
forks(const struct file *a, const struct file *b)
{
	const struct kl_checkpoint *x = &a->v.checkpoint;
	const struct kl_checkpoint *y = &b->v.checkpoint;

	return a->v.err == KL_OK && b->v.err == KL_OK &&
	    x->size == y->size && strcmp(x->origin, y->origin) == 0 &&
	    memcmp(x->root.b, y->root.b, sizeof x->root.b) != 0;
}

static void
forks_find(struct verify *v)
{
	for (size_t i = 0; i < v->n; i++)
		for (size_t j = 0; j < v->n; j++)
			if (forks(&v->file[i], &v->file[j]))
				v->file[i].forked = &v->file[j];
}

static bool
proved(const struct file *f)
{
	return f->v.err == KL_OK && f->forked == NULL;
}

/* ---- in words ------------------------------------------------------------ */

struct name { char b[sizeof(struct output_text) + 8]; };

static struct name
name_of(const struct file *f)
{
	const struct output_text path = output_text(kl_bytes_str(f->path));
	struct name n;

	(void)snprintf(n.b, sizeof n.b, f->part == 0 ? "%s" : "%s (%d)",
	    path.b, f->part);
	return n;
}

static const char *
either(const struct verify *v, const char *nl, const char *en)
{
	return v->lang == KL_EN ? en : nl;
}

static void
org_print(const struct verify *v, const char *label, const struct kl_id *id)
{
	const char *name = audit_names_of(v->names, id);

	if (kl_id_none(id))
		return;
	printf("  %-7s %s", label, kl_id_text(id).b);
	if (name != NULL)
		printf(" (%s)", name);
	putchar('\n');
}

static void
record_print(const struct verify *v, const struct audit_record *r)
{
	const struct kl_record *k = &r->r;
	const char *kind = audit_words_kind(k->kind, v->lang);

	printf("  %s %" PRIu64 ": %s%s%s, %s\n",
	    either(v, "regel", "record"), r->leaf,
	    audit_words_event(k->event, v->lang), kind[0] != '\0' ? ", " : "",
	    kind, kl_calendar_text(k->time_minute * KL_MINUTE_MS).b);
	org_print(v, either(v, "van", "from"), &k->org_from);
	org_print(v, either(v, "aan", "to"), &k->org_to);
	printf("  %-7s %s, %s\n", either(v, "door", "by"),
	    audit_words_role(k->actor_role, v->lang),
	    audit_words_outcome(k->outcome, v->lang));
	if (k->outcome != 1)
		printf("          %s\n", audit_words_reason(k->reason,
		    v->lang));
}

static void
lines_print(const struct verify *v, const struct audit_verdict *d)
{
	for (size_t i = 0; i < d->n_lines; i++)
		printf(either(v, "  betuigd door %s, %s\n",
		    "  witnessed by %s, %s\n"), d->line[i].by->name,
		    kl_calendar_text(d->line[i].at_s * KL_SECOND_MS).b);
	if (d->n_lines == 0)
		puts(either(v, "  betuigd door niemand die u vertrouwt",
		    "  witnessed by nobody whom you trust"));
}

static void
verdict_print(const struct verify *v, const struct audit_verdict *d)
{
	if (d->sort == KL_PROOF_INCLUSION)
		record_print(v, &d->record);
	if (d->sort == KL_PROOF_CONSISTENCY && d->old_size > 0)
		printf(either(v, "  de eerste %" PRIu64 " regels zijn "
		    "onveranderd gebleven\n", "  the first %" PRIu64
		    " records have stayed as they were\n"), d->old_size);
	printf("  %s %s\n", either(v, "logboek", "log"),
	    d->checkpoint.origin);
	printf(either(v, "  checkpoint van %" PRIu64 " regels, ondertekend "
	    "door de broker\n", "  checkpoint of %" PRIu64 " records, signed "
	    "by the broker\n"), d->checkpoint.size);
	lines_print(v, d);
}

static void
file_print(const struct verify *v, const struct file *f)
{
	const struct name path = name_of(f);

	if (f->forked != NULL) {
		printf(either(v, "%s: NIET BEWEZEN\n  de broker heeft twee "
		    "verschillende logboeken van %" PRIu64 " regels\n  "
		    "ondertekend: dit en %s; bewaar beide bestanden\n",
		    "%s: NOT PROVED\n  the broker has signed two different "
		    "logs of %" PRIu64 " records:\n  this one and %s; keep "
		    "both files\n"), path.b, f->v.checkpoint.size,
		    name_of(f->forked).b);
		return;
	}
	printf("%s: %s\n", path.b, proved(f) ?
	    either(v, "bewezen", "proved") :
	    either(v, "NIET BEWEZEN", "NOT PROVED"));
	if (proved(f))
		verdict_print(v, &f->v);
	else
		printf("  %s\n", audit_verdict_why(f->v.err, v->lang));
}

/* ---- in JSON ------------------------------------------------------------- */

static const char *
sort_name(enum kl_proof_sort sort)
{
	switch (sort) {
	case KL_PROOF_INCLUSION: return "inclusion";
	case KL_PROOF_CONSISTENCY: return "consistency";
	default: return "checkpoint";
	}
}

static void
verdict_put(json_t *o, const struct audit_verdict *d)
{
	char root[2 * sizeof d->checkpoint.root.b + 1];
	json_t *lines = json_array();

	kl_hex(KL_BYTES_OF(d->checkpoint.root.b), root);
	for (size_t i = 0; i < d->n_lines; i++)
		(void)json_array_append_new(lines, json_pack("{s:s,s:o}",
		    "name", d->line[i].by->name,
		    "time", output_time(d->line[i].at_s * KL_SECOND_MS)));
	(void)json_object_set_new(o, "checkpoint", json_pack("{s:s,s:I,s:s}",
	    "origin", d->checkpoint.origin,
	    "size", (json_int_t)d->checkpoint.size, "root", root));
	(void)json_object_set_new(o, "witnesses", lines);
	if (d->sort == KL_PROOF_INCLUSION)
		(void)json_object_set_new(o, "record",
		    audit_json_record(&d->record));
	if (d->sort == KL_PROOF_CONSISTENCY)
		(void)json_object_set_new(o, "old_size",
		    json_integer((json_int_t)d->old_size));
}

static json_t *
file_json(const struct file *f)
{
	json_t *o = json_pack("{s:s,s:s,s:b}",
	    "file", name_of(f).b,
	    "sort", sort_name(f->v.sort), "proved", proved(f));

	if (f->forked != NULL)
		(void)json_object_set_new(o, "forked_with", json_string(
		    name_of(f->forked).b));
	if (f->v.err == KL_OK)
		verdict_put(o, &f->v);
	else
		(void)json_object_set_new(o, "wrong", json_string(
		    audit_verdict_why(f->v.err, KL_EN)));
	return o;
}

static int
json_print_all(const struct verify *v, bool all)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->n; i++)
		(void)json_array_append_new(list, file_json(&v->file[i]));
	return output_take(v->cli, json_pack("{s:b,s:o}", "ok", all, "files",
	    list));
}

/* ---- the command --------------------------------------------------------- */

static int
judge(struct verify *v)
{
	bool all = true;
	int r = CLI_OK;

	for (size_t i = 0; i < v->n; i++)
		file_judge(v, &v->file[i]);
	forks_find(v);
	for (size_t i = 0; i < v->n; i++)
		all = all && proved(&v->file[i]);
	if (v->cli->json)
		r = json_print_all(v, all);
	else
		for (size_t i = 0; i < v->n; i++)
			file_print(v, &v->file[i]);
	if (r == CLI_OK && fflush(stdout) != 0)
		r = CLI_FAILED;
	return r == CLI_OK && !all ? CLI_FAILED : r;
}

static bool
is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int
audit_verify(const struct cli *c, const struct audit_trust *t,
    const struct audit_names *names)
{
	struct verify v = { .cli = c, .trust = t, .names = names };
	int r = audit_query_language(c, &v.lang);

	if (r != CLI_OK)
		return r;
	if (c->n_args == 1 && is_directory(c->arg[0]))
		return audit_dir_verify(c, c->arg[0], t, v.lang);
	/* Each may be evidence. */
	v.file = calloc(2 * c->n_args + 1, sizeof *v.file);
	v.mem = kl_arena_new(RECORD_BYTES, RECORD_PIECES);
	if (v.file == NULL || v.mem == NULL)
		r = output_fail_err(c, KL_E_MEMORY, "the files");
	else if ((r = files_read(&v)) == CLI_OK)
		r = judge(&v);
	for (size_t i = 0; v.file != NULL && i < v.n; i++)
		kl_fs_read_free(v.file[i].text, v.file[i].bytes.n);
	kl_arena_free(v.mem);
	free(v.file);
	return r;
}
