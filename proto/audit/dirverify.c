#include "proto/audit/dirverify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "proto/audit/dircheck.h"
#include "proto/audit/words.h"
#include "proto/cli/output.h"

#define LISTED_MAX 10000u	/* in one JSON object; more are counted */

struct telling {
	const struct cli *cli;
	const char *dir;
	enum kl_lang lang;
	json_t *files, *findings;	/* with --json */
};

static void
list_add(json_t *list, json_t *o)
{
	if (o != NULL && json_array_size(list) < LISTED_MAX)
		(void)json_array_append_new(list, o);
	else
		json_decref(o);
}

static const char *
either(const struct telling *t, const char *nl, const char *en)
{
	return t->lang == KL_EN ? en : nl;
}

/* ---- files ---- */

/* What is said of files, but for what the library says. */
static const char *
wrong_text(const struct telling *t, const char *en)
{
	static const struct {
		const char *en, *nl;
	} texts[] = {
		{ "its hashes do not follow from the tiles below",
		  "zijn hashes volgen niet uit de tegels eronder" },
		{ "not the policy that was loaded",
		  "niet het beleid dat is geladen" },
		{ "not the record that was logged",
		  "niet het record dat is vastgelegd" },
		{ "logged, and no record of this protocol",
		  "vastgelegd, maar geen record van dit protocol" },
		{ "cut short, or no record", "afgebroken, of geen record" },
		{ "longer than its records", "langer dan zijn records" },
		{ "too long or too short", "te lang of te kort" },
		{ "not the key of this log",
		  "niet de sleutel van dit logboek" },
		{ "the line of a witness does not hold",
		  "de regel van een getuige klopt niet" },
		{ "not signed by the key of this log",
		  "niet ondertekend met de sleutel van dit logboek" },
		{ "no checkpoint", "geen controlepunt" },
		{ "cannot be read", "niet te lezen" },
		{ "its name is too long", "zijn naam is te lang" },
		{ "its first line is not that of an export",
		  "zijn eerste regel is niet die van een uitvoer" },
		{ "a line without a record", "een rij zonder record" },
		{ "its line is not there", "zijn rij ontbreekt" },
		{ "its line is not what was logged",
		  "zijn rij is niet wat is vastgelegd" },
		{ "of another log", "van een ander logboek" },
		{ "of more leaves than the export has",
		  "van meer regels dan de uitvoer heeft" },
		{ "the leaves do not lead to its root",
		  "de regels leiden niet tot zijn wortel" },
	};

	for (size_t i = 0; t->lang != KL_EN && i < sizeof texts /
	    sizeof texts[0]; i++)
		if (strcmp(texts[i].en, en) == 0)
			return texts[i].nl;
	return en;
}

static void
wrong(void *arg, const char *file, uint64_t leaf, const char *text)
{
	struct telling *t = arg;
	const struct output_text name = output_text(kl_bytes_str(file));
	json_t *o;

	if (!t->cli->json) {
		printf("%s", name.b);
		if (leaf != AUDIT_NO_LEAF)
			printf(", %s %" PRIu64, either(t, "regel", "leaf"),
			    leaf);
		printf(": %s\n", wrong_text(t, text));
		return;
	}
	o = json_pack("{s:s,s:s}", "file", name.b, "text", text);
	if (o != NULL && leaf != AUDIT_NO_LEAF)
		(void)json_object_set_new(o, "leaf",
		    json_integer((json_int_t)leaf));
	list_add(t->files, o);
}

/* ---- records ---- */

struct ref_text { char b[33]; };

static struct ref_text
ref_text(const struct kl_ref *ref)
{
	struct ref_text t = { "" };

	if (!kl_bytes_zero(KL_BYTES_OF(ref->b)))
		kl_hex(KL_BYTES_OF(ref->b), t.b);
	return t;
}

static void
broken_print(const struct telling *t, const struct audit_finding *f)
{
	const struct ref_text conv = ref_text(&f->conv_ref);

	printf("%s %" PRIu64 ", %s", either(t, "regel", "leaf"), f->leaf,
	    t->lang == KL_EN ? kl_event_name(f->event) :
	    audit_words_event(f->event, t->lang));
	if (conv.b[0] != '\0')
		printf(", %s %s", either(t, "gesprek", "conversation"),
		    conv.b);
	printf(": %s", either(t, f->dutch, f->text));
	if (f->other != AUDIT_NO_LEAF)
		printf("; %s %" PRIu64, either(t, "zie regel", "see leaf"),
		    f->other);
	printf(" (%s %s, PROTOCOL.md %s)\n", either(t, "spelregel", "rule"),
	    audit_rule_name(f->rule), audit_rule_clause(f->rule));
}

static void
broken(void *arg, const struct audit_finding *f)
{
	struct telling *t = arg;
	json_t *o;

	if (!t->cli->json) {
		broken_print(t, f);
		return;
	}
	o = json_pack("{s:s,s:s,s:I,s:s,s:s,s:s,s:s}",
	    "rule", audit_rule_name(f->rule),
	    "clause", audit_rule_clause(f->rule),
	    "leaf", (json_int_t)f->leaf, "event", kl_event_name(f->event),
	    "conv_ref", ref_text(&f->conv_ref).b,
	    "msg_ref", ref_text(&f->msg_ref).b, "text", f->text);
	if (o != NULL && f->other != AUDIT_NO_LEAF)
		(void)json_object_set_new(o, "other",
		    json_integer((json_int_t)f->other));
	list_add(t->findings, o);
}

/* ---- the whole ---- */

static bool
right(const struct audit_dircheck_sum *s)
{
	return s->wrong == 0 && s->rules.broken == 0;
}

static void
sum_checkpoints(const struct telling *t, const struct audit_dircheck_sum *s)
{
	printf(either(t, "controlepunten: %" PRIu64 " van dit logboek, elk het "
	    "begin van de volgende\n", "checkpoints: %" PRIu64 " of this log, "
	    "each the beginning of the ones after it\n"), s->checkpoints);
	if (s->forked)
		printf("%s\n", either(t, "gevorkt: de sleutel van het logboek "
		    "heeft twee verledens ondertekend. Bewaar 'checkpoint' en "
		    "dat hierboven: zij bewijzen het", "forked: the key of the "
		    "log has signed two pasts. Keep 'checkpoint' and the one "
		    "named above: they prove it"));
	if (s->witnesses > 0)
		printf(either(t, "getuigen: %" PRIu32 ", tot en met regel %"
		    PRIu64 "\n", "witnesses: %" PRIu32 ", up to leaf %" PRIu64
		    "\n"), s->witnesses, s->witnessed - 1);
}

static void
sum_rules(const struct telling *t, const struct audit_rules_counts *n)
{
	printf(either(t, "records: %" PRIu64 " van %" PRIu64 " berichten in %"
	    PRIu64 " gesprekken; van %" PRIu64 " regels is het record hier "
	    "niet\n", "records: %" PRIu64 " of %" PRIu64 " messages in %"
	    PRIu64 " conversations; %" PRIu64 " leaves have no record "
	    "here\n"), n->records, n->messages, n->conversations, n->absent);
	if (n->open > 0)
		printf(either(t, "opengelaten: %" PRIu64 " keer wordt een "
		    "record gemist dat er een kan zijn die hier niet is\n",
		    "left open: %" PRIu64 " times a record is missed that may "
		    "be one that is not here\n"), n->open);
	if (n->clock_back > 0)
		printf(either(t, "klok: %" PRIu64 " keer teruggelopen\n",
		    "clock: %" PRIu64 " times it ran back\n"),
		    n->clock_back);
	if (n->broken == 0)
		printf("%s\n", either(t, "spelregels: alle kloppen",
		    "rules: all hold"));
	else
		printf(either(t, "spelregels: %" PRIu64 " keer gebroken\n",
		    "rules: broken %" PRIu64 " times\n"), n->broken);
}

static void
sum_print(const struct telling *t, const struct audit_dircheck_sum *s)
{
	printf(either(t, "logboek: %s, %" PRIu64 " regels\n",
	    "log: %s, %" PRIu64 " leaves\n"), s->newest.origin, s->leaves);
	if (s->wrong == 0)
		printf("%s\n", either(t, "hashes: alle records en tegels "
		    "leiden tot wat is ondertekend", "hashes: all records and "
		    "tiles lead to what was signed"));
	else
		printf(either(t, "hashes: %" PRIu64 " bestanden of regels zijn "
		    "niet wat is ondertekend\n", "hashes: %" PRIu64 " files "
		    "or leaves are not what was signed\n"), s->wrong);
	sum_checkpoints(t, s);
	sum_rules(t, &s->rules);
	printf("%s: %zu KiB\n", either(t, "geheugen", "memory"),
	    s->bytes / 1024);
	printf("%s: %s\n", t->dir, right(s) ? either(t, "klopt", "verified") :
	    either(t, "klopt NIET", "NOT verified"));
}

static int
sum_json(struct telling *t, const struct audit_dircheck_sum *s)
{
	json_t *o = json_pack("{s:b,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:i,s:I,"
	    "s:I,s:I,s:I,s:I,s:I}",
	    "ok", right(s), "log", s->newest.origin,
	    "leaves", (json_int_t)s->leaves,
	    "records", (json_int_t)s->rules.records,
	    "absent", (json_int_t)s->rules.absent,
	    "open", (json_int_t)s->rules.open,
	    "checkpoints", (json_int_t)s->checkpoints,
	    "pairs", (json_int_t)s->pairs, "forked", s->forked,
	    "witnesses", (int)s->witnesses,
	    "witnessed", (json_int_t)s->witnessed,
	    "wrong", (json_int_t)s->wrong,
	    "broken", (json_int_t)s->rules.broken,
	    "messages", (json_int_t)s->rules.messages,
	    "conversations", (json_int_t)s->rules.conversations,
	    "memory_bytes", (json_int_t)s->bytes);
	int r;

	if (o == NULL)
		return output_fail_err(t->cli, KL_E_MEMORY, t->dir);
	(void)json_object_set(o, "files", t->files);
	(void)json_object_set(o, "findings", t->findings);
	r = json_dumpf(o, stdout, JSON_INDENT(2)) == 0 &&
	    putchar('\n') != EOF ? CLI_OK : CLI_FAILED;
	json_decref(o);
	return r;
}

static int
unread(const struct telling *t, int err)
{
	if (err == KL_E_SIGNATURE)
		return output_fail(t->cli, CLI_FILE, "%s: its checkpoint is "
		    "not signed by the key of this log, so nothing in it says "
		    "anything", t->dir);
	if (err == KL_E_UNKNOWN)
		return output_fail(t->cli, CLI_FILE, "%s: an export of "
		    "another log", t->dir);
	return output_fail_err(t->cli, err, t->dir);
}

int
audit_dir_verify(const struct cli *c, const char *dir,
    const struct audit_trust *t, enum kl_lang lang)
{
	const struct audit_dircheck_keys keys = { .log = &t->pk,
		.origin = t->origin, .witness = t->witness,
		.n_witness = t->n };
	struct telling to = { .cli = c, .dir = dir, .lang = lang,
		.files = json_array(), .findings = json_array() };
	const struct audit_dircheck_told told = { wrong, broken, &to };
	struct audit_dircheck_sum sum;
	int err = audit_dircheck(dir, &keys, &told, &sum), r;

	if (err != KL_OK) {
		r = unread(&to, err);
	} else if (c->json) {
		r = sum_json(&to, &sum);
	} else {
		sum_print(&to, &sum);
		r = CLI_OK;
	}
	json_decref(to.files);
	json_decref(to.findings);
	return r != CLI_OK ? r : right(&sum) ? CLI_OK : CLI_FAILED;
}
