/*
 * mutations.c: checkpoints and proofs that were changed, as many as are asked
 * for: none may be taken for what it is not.
 *
 *   mutations COUNT SEED
 *
 * What still says the same is not counted: all before the signature lines and
 * the lines of the log and of the witness are as they were, or the witness's
 * is gone, and what else was changed are lines of keys that nobody knows. Then
 * it may be taken, and proves no more than those lines. Whether it is so is
 * judged here by comparing bytes, not by the verifier under test.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/sign.h>

#include "proto/audit/verdict.h"
#include "tests/fault/mutate.h"
#include "tests/support/sample.h"

#define LEAVES 300
#define ORIGINALS 64
#define DASH "\xe2\x80\x94 "

/* A right file, and what its proof needs besides. */
struct original {
	struct mutate_text text;
	struct kl_note old;		/* "": none */
	size_t note_at;			/* where the note begins */
	size_t lines_at;		/* its signature lines */
	struct kl_bytes own, seen;	/* lines of the log and the witness */
	char line[KL_NOTE_MAX];		/* seen */
	bool has_seen;
};

struct campaign {
	struct sample s, stranger;
	struct audit_trust trust;
	struct kl_arena *mem;
	struct original one[ORIGINALS];
	size_t n;
	struct mutate_random random;
	uint64_t counted, same_bytes, same_meaning, unknown_taken, accepted;
	uint64_t of_way[32];
};

static void
die(const char *why)
{
	fprintf(stderr, "mutations: %s\n", why);
	exit(2);
}

/* ---- right ones ---------------------------------------------------------- */

static size_t
find(const struct mutate_text *t, size_t from, const char *what)
{
	const uint8_t *at = memmem(t->b + from, t->n - from, what,
	    strlen(what));

	return at == NULL ? t->n : (size_t)(at - t->b);
}

/* seen: the same checkpoint with the witness's line, which may stand under it
 * or not. */
static void
original_add(struct campaign *c, const char *text, size_t n,
    const struct kl_note *seen, const struct kl_note *old)
{
	struct original *o = &c->one[c->n++];
	const char *empty = "\n\n", *last;
	size_t end;

	if (c->n > ORIGINALS || n > sizeof o->text.b)
		die("too many right files");
	memcpy(o->text.b, text, n);
	o->text.n = n;
	if (old != NULL)
		o->old = *old;
	o->note_at = kl_proof_sort(kl_bytes(text, n)) == KL_PROOF_CHECKPOINT ?
	    0 : find(&o->text, 0, empty) + 2;
	o->lines_at = find(&o->text, o->note_at, empty) + 2;
	end = find(&o->text, o->lines_at, "\n") + 1;
	o->own = kl_bytes(o->text.b + o->lines_at, end - o->lines_at);
	(void)snprintf(o->line, sizeof o->line, "%s",
	    (last = strstr(seen->b, DASH "kvk-")) != NULL ? last : "");
	o->seen = kl_bytes_str(o->line);
	o->has_seen = end < n;
}

static void
originals_make(struct campaign *c)
{
	static const uint64_t size[] = { 1, 2, 7, 64, 100, 173, 255, 300 };
	const size_t n = sizeof size / sizeof size[0];

	for (size_t i = 0; i < n; i++) {
		const struct kl_note plain = sample_note(&c->s, size[i]);
		const struct kl_note seen = sample_witnessed(&c->s, size[i]);
		const struct kl_note old = sample_note(&c->s, size[i / 2]);
		const uint64_t last = size[i] - 1;
		struct sample_text t;

		original_add(c, plain.b, strlen(plain.b), &seen, NULL);
		original_add(c, seen.b, strlen(seen.b), &seen, NULL);
		t = sample_inclusion(&c->s, last / 3, size[i], &plain);
		original_add(c, t.b, t.n, &seen, NULL);
		t = sample_inclusion(&c->s, last, size[i], &seen);
		original_add(c, t.b, t.n, &seen, NULL);
		t = sample_consistency(&c->s, size[i / 2], size[i], &seen);
		original_add(c, t.b, t.n, &seen, &old);
		t = sample_consistency(&c->s, 0, size[i], &plain);
		original_add(c, t.b, t.n, &seen, NULL);
	}
}

/* ---- keys and records of others ------------------------------------------ */

/* Signed by another key under the same name. */
static void
other_key(struct mutate_text *t, struct campaign *c)
{
	struct kl_note n = sample_note(&c->stranger, 1 + mutate_random(
	    &c->random, LEAVES));

	memcpy(t->b, n.b, strlen(n.b));
	t->n = strlen(n.b);
}

/* Signed by the log's key under another name, with records of this log. */
static void
other_log(struct mutate_text *t, struct campaign *c)
{
	struct kl_note n;

	c->s.origin[strlen(c->s.origin) - 1] ^= 1;
	n = sample_note(&c->s, 1 + mutate_random(&c->random, LEAVES));
	memcpy(c->s.origin, c->s.log.name, sizeof c->s.origin);
	memcpy(t->b, n.b, strlen(n.b));
	t->n = strlen(n.b);
}

/* A record that the log has elsewhere, or has not. */
static void
other_record(struct mutate_text *t, struct campaign *c)
{
	const struct sample *from = mutate_random(&c->random, 2) == 0 ?
	    &c->s : &c->stranger;
	const struct sample_record *rec = &from->record[mutate_random(
	    &c->random, LEAVES)];
	struct kl_proof_inclusion p;
	struct sample_text out;

	if (kl_proof_inclusion_read(kl_bytes(t->b, t->n), &p) != KL_OK)
		return;
	memcpy(p.salt, rec->salt, sizeof p.salt);
	memcpy(p.record, rec->b, rec->n);
	p.record_n = rec->n;
	if (kl_proof_inclusion_pack(&p, out.b, sizeof out.b, &out.n) !=
	    KL_OK)
		return;
	memcpy(t->b, out.b, out.n);
	t->n = out.n;
}

static const struct {
	const char *name;
	void (*run)(struct mutate_text *t, struct campaign *c);
} of_others[] = {
	{ "other key", other_key }, { "other log", other_log },
	{ "other record", other_record },
};
#define WAYS (mutate_n + sizeof of_others / sizeof of_others[0])

static void
mutate(struct campaign *c, struct mutate_text *t, uint64_t way)
{
	const struct mutate_text *other = &c->one[mutate_random(&c->random,
	    c->n)].text;

	if (way < mutate_n)
		mutate_ways[way].run(t, other, &c->random);
	else
		of_others[way - mutate_n].run(t, c);
}

static const char *
way_name(uint64_t way)
{
	return way < mutate_n ? mutate_ways[way].name :
	    of_others[way - mutate_n].name;
}

/* ---- does it still say the same? ----------------------------------------- */

/* A signature line, taken apart without the reader under test. */
struct line {
	char name[KL_ORIGIN_MAX];
	uint8_t key[4];
};

static bool
line_read(struct kl_bytes in, struct line *out)
{
	const size_t dash = sizeof DASH - 1;
	const uint8_t *blank;
	uint8_t sig[256];
	size_t n, got;

	memset(out, 0, sizeof *out);
	if (in.n <= dash + 1 || in.p[in.n - 1] != '\n' ||
	    memcmp(in.p, DASH, dash) != 0 ||
	    (blank = memchr(in.p + dash, ' ', in.n - dash)) == NULL)
		return false;
	n = (size_t)(blank - in.p) - dash;
	if (n == 0 || n >= sizeof out->name)
		return false;
	memcpy(out->name, in.p + dash, n);
	for (size_t i = 0; i < n; i++)
		if (out->name[i] <= ' ' || out->name[i] > '~' ||
		    out->name[i] == '+')
			return false;
	if (kl_base64_read(kl_bytes(blank + 1, in.n - dash - n - 2), sig,
	    sizeof sig, &got) != KL_OK || got <= sizeof out->key)
		return false;
	memcpy(out->key, sig, sizeof out->key);
	return true;
}

static bool
line_is_of(const struct line *l, const struct kl_vkey *v)
{
	const struct kl_hash h = kl_note_key_hash(kl_bytes_str(v->name),
	    v->type, &v->pk);

	return strcmp(l->name, v->name) == 0 &&
	    memcmp(l->key, h.b, sizeof l->key) == 0;
}

/* Among the lines are those of the log and of the witness at most as they
 * were, and nothing that is no line. *seen: of the witness. */
static bool
lines_same(const struct campaign *c, struct kl_bytes rest,
    const struct original *o, size_t *seen)
{
	size_t own = 0;

	*seen = 0;
	while (rest.n > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p) + 1;
		const struct kl_bytes in = kl_bytes(rest.p, n);
		struct line l;

		if (!line_read(in, &l))
			return false;
		if (line_is_of(&l, &c->s.log)) {
			if (!kl_bytes_equal(in, o->own) || own++ > 0)
				return false;
		} else if (line_is_of(&l, &c->s.witness)) {
			if (!kl_bytes_equal(in, o->seen) || (*seen)++ > 0)
				return false;
		}
		rest = kl_bytes(rest.p + n, rest.n - n);
	}
	return own == 1;
}

/* Of any right file: parts of two may make a third. With the same earlier
 * checkpoint, where there is one. *seen: lines of the witness. */
static bool
says_the_same(const struct campaign *c, const struct mutate_text *t,
    const struct original *from, size_t *seen)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct original *o = &c->one[i];

		if (t->n > o->lines_at &&
		    memcmp(t->b, o->text.b, o->lines_at) == 0 &&
		    lines_same(c, kl_bytes(t->b + o->lines_at,
		    t->n - o->lines_at), o, seen) &&
		    (o->old.b[0] == '\0' || strcmp(o->old.b, from->old.b) ==
		    0))
			return true;
	}
	return false;
}

static void
accepted(struct campaign *c, uint64_t way, const struct mutate_text *t)
{
	if (c->accepted++ < 3)
		fprintf(stderr, "mutations: accepted: %s\n%.*s---\n",
		    way_name(way), (int)t->n, (const char *)t->b);
}

static void
judge(struct campaign *c, const struct original *from,
    const struct mutate_text *t, uint64_t way)
{
	struct audit_verdict v;
	size_t seen;
	const bool same = says_the_same(c, t, from, &seen);

	kl_arena_reset(c->mem);
	audit_verdict(&c->trust, kl_bytes(t->b, t->n),
	    kl_bytes_str(from->old.b), c->mem, &v);
	if (!same) {
		c->counted++;
		c->of_way[way]++;
		if (v.err == KL_OK)
			accepted(c, way, t);
		return;
	}
	c->same_meaning++;
	c->unknown_taken += v.err == KL_OK;
	if (v.err == KL_OK && v.n_lines != seen)
		accepted(c, way, t);
}

static void
one(struct campaign *c)
{
	const struct original *from = &c->one[mutate_random(&c->random,
	    c->n)];
	const uint64_t way = mutate_random(&c->random, WAYS);
	struct mutate_text t = from->text;

	mutate(c, &t, way);
	if (t.n == from->text.n && memcmp(t.b, from->text.b, t.n) == 0)
		c->same_bytes++;
	else
		judge(c, from, &t, way);
}

/* ---- the campaign -------------------------------------------------------- */

static void
begin(struct campaign *c, uint64_t seed)
{
	struct audit_verdict v;

	c->random.state = seed;
	sample_open(&c->s, LEAVES);
	sample_open(&c->stranger, LEAVES);
	c->trust.pk = c->s.log.pk;
	memcpy(c->trust.origin, c->s.origin, sizeof c->trust.origin);
	if (audit_trust_witness(&c->trust, &c->s.witness) != KL_OK ||
	    (c->mem = kl_arena_new(4096, 64)) == NULL)
		die("no memory");
	originals_make(c);
	for (size_t i = 0; i < c->n; i++) {
		const struct original *o = &c->one[i];

		kl_arena_reset(c->mem);
		audit_verdict(&c->trust, kl_bytes(o->text.b, o->text.n),
		    kl_bytes_str(o->old.b), c->mem, &v);
		if (v.err != KL_OK || v.n_lines != o->has_seen)
			die("a right file is refused");
	}
}

static int
report(const struct campaign *c)
{
	for (uint64_t i = 0; i < WAYS; i++) {
		printf("%-16s %" PRIu64 "\n", way_name(i), c->of_way[i]);
		if (c->of_way[i] == 0 && c->counted > 10000 &&
		    strcmp(way_name(i), "unknown line") != 0) {
			fprintf(stderr, "mutations: none of this way\n");
			return 1;
		}
	}
	printf("%" PRIu64 " mutated, %" PRIu64 " accepted; besides: %" PRIu64
	    " were as before, %" PRIu64 " said the same, of which %" PRIu64
	    " with lines of unknown keys were taken\n", c->counted,
	    c->accepted, c->same_bytes, c->same_meaning, c->unknown_taken);
	return c->accepted == 0 && c->unknown_taken > 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct campaign *c = calloc(1, sizeof *c);
	uint64_t count;
	int r;

	if (argc != 3 || (count = strtoull(argv[1], NULL, 10)) == 0) {
		fputs("usage: mutations COUNT SEED\n", stderr);
		free(c);
		return 2;
	}
	if (c == NULL || kl_crypto_init() != KL_OK)
		die("no memory");
	begin(c, strtoull(argv[2], NULL, 10));
	while (c->counted < count)
		one(c);
	r = report(c);
	sample_close(&c->s);
	sample_close(&c->stranger);
	kl_arena_free(c->mem);
	free(c);
	return r;
}
