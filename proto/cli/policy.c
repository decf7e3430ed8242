#include "proto/cli/policy.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/domain/policy_file.h>
#include <kortelijn/host/control.h>
#include <kortelijn/host/fs.h>

#include "proto/cli/ask.h"
#include "proto/cli/output.h"

#define COLUMNS 80
#define INDENT 5
#define BASE64_MAX (KL_POLICY_FILE_MAX / 3 * 4 + 8)

/* A file and what was read of it. */
struct policy {
	char *text;
	size_t n;
	char sha256[65];
	struct kl_policy_file file;
	struct kl_policy now;		/* what of it counts today */
	int32_t today;
};

static void
policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	kl_fs_read_free(p->text, p->n);
	free(p);
}

static const char *
words(const struct policy_place *p, const char *nl, const char *en)
{
	return p->lang == KL_EN ? en : nl;
}

static int
read_wrong(const struct cli *c, const char *path,
    const struct kl_policy_error *e)
{
	if (e->line > 0)
		return output_fail(c, CLI_FILE, "%s:%u: %s", path, e->line,
		    e->b);
	return output_fail(c, CLI_FILE, "%s: %s", path, e->b);
}

/* CLI_OK: *out is the caller's. Else what was wrong was said. */
static int
policy_read(const struct cli *c, const char *path, int64_t now_ms,
    struct policy **out)
{
	struct policy *p = calloc(1, sizeof *p);
	struct kl_policy_error e;
	struct kl_bytes in;
	struct kl_hash hash;
	int r;

	*out = NULL;
	if (p == NULL)
		return output_fail_err(c, KL_E_MEMORY, path);
	r = kl_fs_read_file(AT_FDCWD, path, KL_POLICY_FILE_MAX, &p->text,
	    &p->n);
	if (r != KL_OK) {
		policy_free(p);
		return r == KL_E_NOT_FOUND ? output_fail(c, CLI_FILE, "%s: not "
		    "found; without a policy %s sends nothing on, and 'policy "
		    "load FILE' puts one in place", path,
		    c->program->daemon) : output_fail_err(c, r, path);
	}
	in = kl_bytes(p->text, p->n);
	if (kl_policy_file_read(in, &p->file, &e) != KL_OK) {
		policy_free(p);
		return read_wrong(c, path, &e);
	}
	hash = kl_sha256_parts(&in, 1);
	kl_hex(KL_BYTES_OF(hash), p->sha256);
	p->today = kl_day_of(now_ms);
	kl_policy_file_at(&p->file, p->today, &p->now);
	*out = p;
	return CLI_OK;
}

/* ---- rows ---- */

static enum kl_policy_state
state_of(const struct policy *p, enum kl_policy_key key)
{
	return kl_policy_file_state(&p->file, key, p->today);
}

static bool
asks_more(enum kl_policy_state s)
{
	return s == KL_POLICY_LOOSENED || s == KL_POLICY_UNAPPROVED ||
	    s == KL_POLICY_OVERDUE;
}

static json_t *
by_json(uint32_t by)
{
	static const char *const names[] = { "broker", "sender", "receiver",
		"operator" };
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((by >> i & 1) != 0)
			(void)json_array_append_new(list,
			    json_string(names[i]));
	return list;
}

static json_t *
approval_json(const struct kl_policy_override *o)
{
	if (!o->given)
		return json_null();
	return json_pack("{s:s,s:s,s:s,s:s}",
	    "legal_basis", o->legal_basis, "approved_by", o->approved_by,
	    "approved_on", o->approved_on == 0 ? "" :
	        kl_day_text(o->approved_on).b,
	    "review_on", o->review_on == 0 ? "" :
	        kl_day_text(o->review_on).b);
}

static json_t *
row_json(const struct policy *p, enum kl_policy_key key, enum kl_lang lang)
{
	const struct kl_policy_row *row = kl_policy_row(key);
	const bool fixed = row->fixed != NULL;

	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:s,s:s,s:o}",
	    "id", row->id, "key", row->key,
	    "value", fixed ? row->fixed :
	        kl_term_text(key, p->now.term[key]).b,
	    "default", fixed ? row->fixed :
	        kl_term_text(key, row->value).b,
	    "asked", fixed ? "" : kl_term_text(key, p->file.asked[key]).b,
	    "unit", kl_unit_label(row->value.unit, lang),
	    "status", kl_policy_file_state_name(state_of(p, key)),
	    "by", by_json(row->by),
	    "meaning", lang == KL_EN ? row->en : row->nl,
	    "source", row->source,
	    "verified", kl_verified_label(row->verified, lang),
	    "approval", approval_json(&p->file.override[key]));
}

static json_t *
rows_json(const struct policy *p, enum kl_lang lang)
{
	json_t *list = json_array();

	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++)
		(void)json_array_append_new(list, row_json(p, k, lang));
	return list;
}

/* Bytes of at most `width` characters. */
static size_t
fitting(const char *text, size_t width)
{
	size_t i = 0, n = 0;

	for (; text[i] != '\0'; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80 && n++ == width)
			break;
	return i;
}

/* In lines of 80 columns that break at spaces, all but the first indented. */
static void __attribute__((format(printf, 2, 3)))
say(bool first, const char *format, ...)
{
	char line[1024], *text = line;
	size_t width = first ? COLUMNS : COLUMNS - INDENT, n;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	printf("%*s", first ? 0 : INDENT, "");
	while (text[n = fitting(text, width)] != '\0') {
		while (n > 0 && text[n] != ' ')
			n--;
		if (n == 0)
			break;
		printf("%.*s\n%*s", (int)n, text, INDENT, "");
		text += n + 1;
		width = COLUMNS - INDENT;
	}
	puts(text);
}

static void
approval_print(const struct policy *p, enum kl_policy_key key,
    const struct policy_place *at)
{
	const struct kl_policy_override *o = &p->file.override[key];
	const char *asked = words(at, "gevraagd", "asked");
	const struct kl_term_text value = kl_term_text(key,
	    p->file.asked[key]);

	if (state_of(p, key) == KL_POLICY_UNAPPROVED) {
		say(false, "%s %s; %s: %s", asked, value.b,
		    words(at, "ontbreekt", "missing"),
		    kl_policy_file_lacks(&p->file, key, p->today));
		return;
	}
	say(false, "%s %s, %s %s, %s %s, %s %s", asked, value.b,
	    words(at, "goedgekeurd door", "approved by"),
	    output_text(kl_bytes_str(o->approved_by)).b,
	    words(at, "op", "on"), kl_day_text(o->approved_on).b,
	    words(at, "tot en met", "until"), kl_day_text(o->review_on).b);
	say(false, "%s: %s", words(at, "grondslag", "legal basis"),
	    output_text(kl_bytes_str(o->legal_basis)).b);
}

static void
row_print(const struct policy *p, enum kl_policy_key key,
    const struct policy_place *at)
{
	const struct kl_policy_row *row = kl_policy_row(key);
	const char *label = kl_policy_file_state_label(state_of(p, key),
	    at->lang);
	const bool none = strcmp(row->source, "none") == 0;

	if (row->fixed != NULL)
		say(true, "%s  %s: %s [%s]", row->id, row->key, row->fixed,
		    label);
	else
		say(true, "%s  %s = %s (%s %s) [%s]", row->id, row->key,
		    kl_term_text(key, p->now.term[key]).b,
		    words(at, "standaard", "default"),
		    kl_term_text(key, row->value).b, label);
	say(false, "%s; %s%s%s", at->lang == KL_EN ? row->en : row->nl,
	    none ? "" : row->source, none ? "" : ": ",
	    kl_verified_label(row->verified, at->lang));
	if (asks_more(state_of(p, key)))
		approval_print(p, key, at);
}

/* ---- show ---- */

/* What the daemon says of its policy; NULL: it does not run. */
static int
daemon_ask(const struct cli *c, const struct policy_place *at,
    json_t **policy)
{
	json_t *answer;
	int r;

	*policy = NULL;
	if (!kl_control_listens(at->socket))
		return CLI_OK;
	r = ask_take(c, at->socket, json_pack("{s:s}", "cmd", "policy"),
	    ASK_WAIT_MS, &answer);
	if (r != CLI_OK)
		return r;
	*policy = json_incref(json_object_get(answer, "policy"));
	json_decref(answer);
	return CLI_OK;
}

static bool
has_loaded(const struct policy *p, const json_t *running)
{
	const char *hash = json_string_value(json_object_get(running,
	    "sha256"));

	return hash != NULL && strcmp(hash, p->sha256) == 0 &&
	    !json_is_true(json_object_get(running, "draining"));
}

static const char *
running_words(const struct policy *p, const json_t *running,
    const struct policy_place *at)
{
	if (running == NULL)
		return words(at, "draait niet", "does not run");
	if (json_is_true(json_object_get(running, "draining")))
		return words(at, "heeft geen beleid: niets wordt verzonden",
		    "has no policy: nothing is sent");
	return has_loaded(p, running) ?
	    words(at, "heeft dit bestand geladen", "has loaded this file") :
	    words(at, "heeft een ander bestand geladen; zie 'policy load'",
	    "has loaded another file; see 'policy load'");
}

/* What counted before, and what of it was looser. */
static void
loads_print(const json_t *running, const struct policy_place *at)
{
	json_t *loads = json_object_get(running, "loads"), *l, *row;
	size_t i, k;

	if (json_array_size(loads) > 0)
		printf("\n%s\n", words(at, "geladen, het nieuwste onderaan:",
		    "loaded, the newest last:"));
	json_array_foreach(loads, i, l) {
		json_t *when = output_time(json_integer_value(
		    json_object_get(l, "loaded_ms")));

		printf("%s  leaf %" JSON_INTEGER_FORMAT "  %.16s\n",
		    json_string_value(when), json_integer_value(
		    json_object_get(l, "leaf")), json_string_value(
		    json_object_get(l, "sha256")));
		json_decref(when);
		json_array_foreach(json_object_get(l, "looser"), k, row)
			say(false, "%s", output_text(kl_bytes_str(
			    json_string_value(row))).b);
	}
}

static int
show_print(const struct policy *p, const json_t *running,
    const struct cli *c, const struct policy_place *at)
{
	printf("%s: %s\n%s: %s\n\n", words(at, "bestand", "file"), at->file,
	    c->program->daemon, running_words(p, running, at));
	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++)
		row_print(p, k, at);
	loads_print(running, at);
	return fflush(stdout) == 0 && !ferror(stdout) ? CLI_OK : CLI_FAILED;
}

int
policy_show(struct cli *c, const struct policy_place *at)
{
	json_t *running = NULL;
	struct policy *p = NULL;
	int r = policy_read(c, at->file, at->now_ms, &p);

	if (r == CLI_OK)
		r = daemon_ask(c, at, &running);
	if (r == CLI_OK && c->json)
		r = output_take(c, json_pack("{s:s,s:s,s:b,s:O?,s:o}",
		    "file", at->file, "sha256", p->sha256,
		    "loaded", has_loaded(p, running), "running", running,
		    "rows", rows_json(p, at->lang)));
	else if (r == CLI_OK)
		r = show_print(p, running, c, at);
	json_decref(running);
	policy_free(p);
	return r;
}

/* ---- check ---- */

/* CLI_OK: all of it may count today. */
static int
approved(const struct cli *c, const struct policy *p, const char *path)
{
	struct kl_policy_error e;

	return kl_policy_file_check(&p->file, p->today, &e) == KL_OK ?
	    CLI_OK : output_fail(c, CLI_FAILED, "%s: %s", path, e.b);
}

int
policy_check(struct cli *c, const struct policy_place *at)
{
	struct policy *p;
	int r = policy_read(c, c->arg[0], at->now_ms, &p);

	if (r == CLI_OK)
		r = approved(c, p, c->arg[0]);
	if (r == CLI_OK)
		r = output_take(c, json_pack("{s:s,s:s,s:I,s:I}",
		    "file", c->arg[0], "sha256", p->sha256,
		    "stricter", (json_int_t)kl_policy_file_count(&p->file,
		        KL_POLICY_STRICTER, p->today),
		    "loosened", (json_int_t)kl_policy_file_count(&p->file,
		        KL_POLICY_LOOSENED, p->today)));
	policy_free(p);
	return r;
}

/* ---- diff ---- */

static bool
same_term(struct kl_term a, struct kl_term b)
{
	return a.n == b.n && a.unit == b.unit;
}

static bool
same_approval(const struct kl_policy_override *a,
    const struct kl_policy_override *b)
{
	return a->given == b->given && a->approved_on == b->approved_on &&
	    a->review_on == b->review_on &&
	    strcmp(a->legal_basis, b->legal_basis) == 0 &&
	    strcmp(a->approved_by, b->approved_by) == 0;
}

static const char *
effect_of(enum kl_policy_key k, struct kl_term from, struct kl_term to)
{
	if (same_term(from, to))
		return "approval";
	return kl_policy_strict(k, to, from) ? "stricter" : "looser";
}

static json_t *
changes_json(const struct policy *from, const struct policy *to)
{
	json_t *list = json_array();

	for (enum kl_policy_key k = 0; k < KL_POL_COUNT; k++) {
		if (same_term(from->now.term[k], to->now.term[k]) &&
		    same_term(from->file.asked[k], to->file.asked[k]) &&
		    same_approval(&from->file.override[k],
		    &to->file.override[k]))
			continue;
		(void)json_array_append_new(list, json_pack(
		    "{s:s,s:s,s:s,s:s,s:s,s:s}",
		    "id", kl_policy_row(k)->id,
		    "key", kl_policy_row(k)->key,
		    "from", kl_term_text(k, from->now.term[k]).b,
		    "to", kl_term_text(k, to->now.term[k]).b,
		    "effect", effect_of(k, from->now.term[k],
		        to->now.term[k]),
		    "status", kl_policy_file_state_name(state_of(to, k))));
	}
	return list;
}

int
policy_diff(struct cli *c, const struct policy_place *at)
{
	static const struct output_column columns[] = {
		{ "id", "", 4 }, { "key", "key", 28 }, { "from", "from", 10 },
		{ "to", "to", 10 }, { "effect", "effect", 9 },
		{ "status", "status", 10 },
	};
	struct policy *from = NULL, *to = NULL;
	int r = policy_read(c, c->arg[0], at->now_ms, &to);

	if (r == CLI_OK)
		r = policy_read(c, at->file, at->now_ms, &from);
	if (r == CLI_OK)
		r = output_take_table(c, json_pack("{s:s,s:s,s:o}",
		    "file", at->file, "with", c->arg[0],
		    "changes", changes_json(from, to)), "changes", columns,
		    sizeof columns / sizeof columns[0]);
	policy_free(from);
	policy_free(to);
	return r;
}

/* ---- load ---- */

static json_t *
question(const struct policy *p)
{
	char *text = malloc(BASE64_MAX);
	json_t *q = NULL;

	if (text != NULL && kl_base64(kl_bytes(p->text, p->n), text,
	    BASE64_MAX) == KL_OK)
		q = json_pack("{s:s,s:s}", "cmd", "policy_load", "policy",
		    text);
	free(text);
	return q;
}

/* Before the file is put in place: what the daemon refuses stays out. */
static int
hand_over(const struct cli *c, const struct policy *p,
    const struct policy_place *at, bool *running)
{
	json_t *q, *answer;
	int r;

	*running = kl_control_listens(at->socket);
	if (!*running)
		return CLI_OK;
	if ((q = question(p)) == NULL)
		return output_fail_err(c, KL_E_MEMORY, at->socket);
	r = ask_take(c, at->socket, q, ASK_WAIT_MS, &answer);
	json_decref(answer);
	return r;
}

static int
put_in_place(const struct cli *c, const struct policy *p,
    const struct policy_place *at, bool running)
{
	int r = kl_fs_replace_at(AT_FDCWD, at->file, 0644,
	    kl_bytes(p->text, p->n));

	if (r == KL_OK)
		return CLI_OK;
	return output_fail(c, CLI_FILE, "%s: %s%s", at->file, kl_err_text(r),
	    running ? "; it counts now, but not after the next start" : "");
}

int
policy_load(struct cli *c, const struct policy_place *at)
{
	struct policy *p;
	bool running = false;
	int r = policy_read(c, c->arg[0], at->now_ms, &p);

	if (r == CLI_OK)
		r = approved(c, p, c->arg[0]);
	if (r == CLI_OK)
		r = hand_over(c, p, at, &running);
	if (r == CLI_OK)
		r = put_in_place(c, p, at, running);
	if (r == CLI_OK)
		r = output_take(c, json_pack("{s:s,s:s,s:b,s:s}",
		    "file", at->file, "sha256", p->sha256,
		    "counts_now", running, "next_step", running ?
		    words(at, "geen: het geldt vanaf nu", "none: it counts "
		    "from now on") : words(at, "geldt bij de volgende start",
		    "it counts at the next start")));
	policy_free(p);
	return r;
}

int
policy_init(const char *file)
{
	char *text;
	struct kl_writer w;
	int r;

	if (access(file, F_OK) == 0)
		return KL_OK;
	if ((text = malloc(KL_POLICY_FILE_MAX)) == NULL)
		return KL_E_MEMORY;
	kl_writer_init(&w, text, KL_POLICY_FILE_MAX);
	kl_policy_file_write(&w);
	r = kl_fs_replace_at(AT_FDCWD, file, 0644, kl_writer_bytes(&w));
	free(text);
	return r;
}
