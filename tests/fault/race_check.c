/*
 * race_check: what must not have happened in the races of tests/fault/races,
 * from the log and from what the participants hold.
 *
 *   race_check LOG HELD [LEAST]
 *
 * LOG: lines of logdump. HELD: lines of races. It never asks the broker: the
 * order of leaves is the order in which it was done (PROTOCOL.md 8.9.7), and
 * the participants know which conversation stands under which. LEAST: percent
 * of the races in which a message must have left before its withdrawal, and in
 * which it must have been withdrawn in time; else they raced nothing. Ends with
 * 1 if anything is wrong.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define LINE_MAX_BYTES 4096
#define NEVER ((json_int_t)1 << 60)

enum kind { REFERRAL, CORRECTION, FEEDBACK, CHILD, KINDS };

struct race {
	const json_t *msg[KINDS];	/* borrowed lines of HELD, or NULL */
	const json_t *w[2];
	size_t n_w;
};

struct check {
	json_t *leaves;			/* records in order */
	json_t *accepted;		/* body -> ACCEPTED record */
	json_t *by_ref;			/* msg_ref -> records in order */
	json_t *all, *feedback;		/* conv_ref -> CONSENT_WITHDRAWN */
	json_t *held;			/* lines */
	struct race *race;
	size_t n;

	size_t violations;
	/* of the first message that each race was about */
	size_t delivered, unconfirmed, in_time, refused, none;
	size_t children, frames;
};

static void __attribute__((format(printf, 3, 4)))
violation(struct check *c, size_t race, const char *form, ...)
{
	va_list ap;

	va_start(ap, form);
	printf("races: race %zu: ", race);
	vprintf(form, ap);
	printf("\n");
	va_end(ap);
	c->violations++;
}

static void
give_up(const char *path, const char *why)
{
	fprintf(stderr, "race_check: %s: %s\n", path, why);
	exit(2);
}

static const char *
text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static json_int_t
number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static bool
yes(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

static bool
is(const json_t *record, const char *event)
{
	return strcmp(text(record, "event"), event) == 0;
}

/* ---- reading ------------------------------------------------------------- */

static json_t *
read_lines(const char *path)
{
	char line[LINE_MAX_BYTES];
	json_t *lines = json_array(), *o;
	FILE *f = fopen(path, "r");

	if (f == NULL)
		give_up(path, "cannot be read");
	while (fgets(line, sizeof line, f) != NULL) {
		if ((o = json_loads(line, 0, NULL)) == NULL)
			give_up(path, "has a line that is no JSON");
		(void)json_array_append_new(lines, o);
	}
	(void)fclose(f);
	return lines;
}

static void
append(json_t *map, const char *key, json_t *borrowed)
{
	json_t *list = json_object_get(map, key);

	if (list == NULL) {
		list = json_array();
		(void)json_object_set_new(map, key, list);
	}
	(void)json_array_append(list, borrowed);
}

/* A leaf that says the same of the same conversation twice is one too many. */
static void
take_withdrawn(struct check *c, json_t *r)
{
	json_t *map = strcmp(text(r, "kind"), "feedback") == 0 ?
	    c->feedback : c->all;
	const char *conv = text(r, "conv_ref");

	if (*conv == '\0')
		return;
	if (json_object_get(map, conv) != NULL) {
		printf("races: leaf %d: a consent that was withdrawn is "
		    "withdrawn again\n", (int)number(r, "leaf"));
		c->violations++;
	} else {
		(void)json_object_set(map, conv, r);
	}
}

static void
take_log(struct check *c)
{
	json_t *r;
	size_t i;

	json_array_foreach(c->leaves, i, r) {
		if (is(r, "accepted"))
			(void)json_object_set(c->accepted, text(r, "body"), r);
		if (is(r, "consent_withdrawn"))
			take_withdrawn(c, r);
		if (*text(r, "msg_ref") != '\0')
			append(c->by_ref, text(r, "msg_ref"), r);
	}
}

static void
take_held(struct check *c)
{
	static const char *const kinds[KINDS] = { "referral", "correction",
	    "feedback", "child" };
	json_t *o;
	size_t i;

	json_array_foreach(c->held, i, o)
		if ((size_t)number(o, "race") >= c->n)
			c->n = (size_t)number(o, "race") + 1;
	if ((c->race = calloc(c->n + 1, sizeof *c->race)) == NULL)
		give_up("races", "no memory");
	json_array_foreach(c->held, i, o) {
		struct race *r = &c->race[number(o, "race")];

		for (size_t k = 0; k < KINDS; k++)
			if (strcmp(text(o, "what"), kinds[k]) == 0)
				r->msg[k] = o;
		if (strcmp(text(o, "what"), "withdrawal") == 0 && r->n_w < 2)
			r->w[r->n_w++] = o;
	}
}

/* ---- what the log says --------------------------------------------------- */

/* NULL: the broker never took it. */
static const json_t *
accepted(const struct check *c, const json_t *m)
{
	return m == NULL ? NULL :
	    json_object_get(c->accepted, text(m, "body"));
}

static json_int_t
leaf(const json_t *record)
{
	return record == NULL ? NEVER : number(record, "leaf");
}

/* The leaf of the consent under which m was sent, that ends it; NULL: none. */
static const json_t *
withdrawn(const struct check *c, const struct race *r, enum kind k)
{
	const json_t *parent = accepted(c, r->msg[REFERRAL]);
	const char *conv = text(parent, "conv_ref");
	const json_t *all = json_object_get(c->all, conv);
	const json_t *feedback = json_object_get(c->feedback, conv);

	return k == FEEDBACK && leaf(feedback) < leaf(all) ? feedback : all;
}

/* The first leaf of that event which the message has; *n: how many. */
static json_int_t
find(const struct check *c, const json_t *m, const char *event, size_t *n)
{
	const json_t *a = accepted(c, m), *r;
	json_int_t first = NEVER;
	size_t i, all = 0;

	json_array_foreach(json_object_get(c->by_ref, text(a, "msg_ref")), i,
	    r)
		if (is(r, event) && all++ == 0)
			first = leaf(r);
	if (n != NULL)
		*n = all;
	return first;
}

/* ---- what must not have happened ----------------------------------------- */

/* Each change of state is one leaf, and what ended is erased. */
static void
check_once(struct check *c, size_t i, const json_t *m)
{
	static const char *const events[] = { "accepted", "released",
	    "delivered", "withdrawn", "unconfirmed", "erased" };
	size_t n;
	json_int_t end;

	for (size_t e = 0; e < sizeof events / sizeof events[0]; e++) {
		(void)find(c, m, events[e], &n);
		if (n > 1)
			violation(c, i, "the %s has %zu leaves %s",
			    text(m, "what"), n, events[e]);
	}
	end = find(c, m, "withdrawn", NULL);
	if (end == NEVER)
		end = find(c, m, "unconfirmed", NULL);
	if (end == NEVER)
		return;
	if (find(c, m, "erased", NULL) == NEVER)
		violation(c, i, "the %s ended and was not erased",
		    text(m, "what"));
	else if (find(c, m, "erased", NULL) < end)
		violation(c, i, "the %s was erased before it ended",
		    text(m, "what"));
}

/* What the participants were told is in the log. */
static void
check_held(struct check *c, size_t i, const json_t *m)
{
	const json_t *a = accepted(c, m);

	if (yes(m, "taken") && leaf(a) != number(m, "leaf"))
		violation(c, i, "the %s was acknowledged without its leaf",
		    text(m, "what"));
	if (number(m, "frames") > 0 && find(c, m, "released", NULL) == NEVER)
		violation(c, i, "the %s came without a leaf RELEASED",
		    text(m, "what"));
	if (number(m, "late") > 0)
		violation(c, i, "the %s came to one who asked after the "
		    "withdrawal was acknowledged", text(m, "what"));
	c->frames += (size_t)number(m, "frames");
}

/* Nothing is accepted or released after the leaf that ends its consent. */
static void
check_order(struct check *c, size_t i, const struct race *r, enum kind k)
{
	const json_t *m = r->msg[k], *a = accepted(c, m);
	const json_int_t end = leaf(withdrawn(c, r, k));
	const char *what = k == CHILD ? "child outlives its parent: it" :
	    text(m, "what");

	if (a == NULL || end == NEVER)
		return;
	if (leaf(a) > end)
		violation(c, i, "%s was accepted after the consent was "
		    "withdrawn", what);
	if (find(c, m, "released", NULL) != NEVER &&
	    find(c, m, "released", NULL) > end)
		violation(c, i, "%s was released after the consent was "
		    "withdrawn", what);
	if (find(c, m, "withdrawn", NULL) == NEVER &&
	    find(c, m, "unconfirmed", NULL) == NEVER &&
	    find(c, m, "delivered", NULL) == NEVER)
		violation(c, i, "%s still waits after the consent was "
		    "withdrawn", what);
	if (k == CHILD && json_object_get(c->all, text(a, "conv_ref")) ==
	    NULL)
		violation(c, i, "the child outlives its parent: it has no "
		    "leaf CONSENT_WITHDRAWN");
}

/* An acknowledged withdrawal has its leaf, and where its conversation came
 * there too. */
static void
check_withdrawal(struct check *c, size_t i, const struct race *r,
    const json_t *w)
{
	const json_t *at = json_array_get(c->leaves, (size_t)number(w,
	    "leaf"));
	const bool feedback = yes(w, "feedback");
	const bool named = *text(at, "conv_ref") != '\0';
	const json_t *a = accepted(c, r->msg[REFERRAL]);

	if (!is(at, "consent_withdrawn") || (!feedback &&
	    strcmp(text(at, "kind"), "feedback") == 0) || (named &&
	    strcmp(text(at, "conv_ref"), text(a, "conv_ref")) != 0) ||
	    (strcmp(text(at, "body"), text(r->w[0], "body")) != 0 &&
	    (r->n_w < 2 || strcmp(text(at, "body"), text(r->w[1], "body")) !=
	    0)))
		violation(c, i, "a withdrawal was acknowledged without its "
		    "leaf");
	if (a != NULL && withdrawn(c, r, feedback ? FEEDBACK : REFERRAL) ==
	    NULL)
		violation(c, i, "a withdrawal was acknowledged, and its "
		    "conversation goes on");
}

/* What a message was when the leaf `end` came. */
static void
count_at(const struct check *c, const json_t *m, json_int_t end,
    json_int_t n[3])
{
	if (leaf(accepted(c, m)) > end)
		return;
	if (find(c, m, "delivered", NULL) < end)
		n[1]++;
	else if (find(c, m, "released", NULL) < end)
		n[2]++;
	else
		n[0]++;
}

/* The one who withdrew was told what the log says. */
static void
check_counts(struct check *c, size_t i, const struct race *r,
    const json_t *w)
{
	const json_int_t end = number(w, "leaf");
	const bool named = *text(json_array_get(c->leaves, (size_t)end),
	    "conv_ref") != '\0';
	json_int_t n[3] = { 0 };

	/* Two of them count what the other one ended as well. */
	if (r->n_w != 1)
		return;
	for (size_t k = 0; k < KINDS && named; k++)
		if (!yes(w, "feedback") || k == FEEDBACK)
			count_at(c, r->msg[k], end, n);
	if (n[0] != number(w, "erased") ||
	    n[1] != number(w, "released_before") ||
	    n[2] != number(w, "unconfirmed"))
		violation(c, i, "counts told %d %d %d, in the log %d %d %d",
		    (int)number(w, "erased"),
		    (int)number(w, "released_before"),
		    (int)number(w, "unconfirmed"), (int)n[0], (int)n[1],
		    (int)n[2]);
}

/* Who won: of the REFERRAL, or of the FEEDBACK if only that was withdrawn. */
static void
outcome(struct check *c, const struct race *r)
{
	bool feedback = true;
	const json_t *m;
	json_int_t end;

	for (size_t i = 0; i < r->n_w; i++)
		feedback &= yes(r->w[i], "feedback");
	m = r->msg[feedback ? FEEDBACK : REFERRAL];
	end = leaf(withdrawn(c, r, feedback ? FEEDBACK : REFERRAL));
	if (m == NULL)
		c->none++;
	else if (accepted(c, m) == NULL)
		c->refused++;
	else if (find(c, m, "delivered", NULL) < end)
		c->delivered++;
	else if (find(c, m, "unconfirmed", NULL) != NEVER)
		c->unconfirmed++;
	else if (find(c, m, "withdrawn", NULL) != NEVER)
		c->in_time++;
	c->children += accepted(c, r->msg[CHILD]) != NULL;
}

static void
check_race(struct check *c, size_t i)
{
	const struct race *r = &c->race[i];

	if (r->n_w == 0)
		violation(c, i, "no withdrawal was acknowledged");
	for (size_t k = 0; k < KINDS; k++) {
		if (r->msg[k] == NULL)
			continue;
		check_once(c, i, r->msg[k]);
		check_held(c, i, r->msg[k]);
		check_order(c, i, r, (enum kind)k);
	}
	for (size_t k = 0; k < r->n_w; k++) {
		check_withdrawal(c, i, r, r->w[k]);
		check_counts(c, i, r, r->w[k]);
	}
	outcome(c, r);
}

/* ---- main ---------------------------------------------------------------- */

static void
check_raced(struct check *c, size_t least)
{
	const size_t left = c->delivered + c->unconfirmed;

	if (left * 100 >= least * c->n && c->in_time * 100 >= least * c->n)
		return;
	printf("races: %zu left before and %zu were withdrawn in time: less "
	    "than %zu %% of %zu\n", left, c->in_time, least, c->n);
	c->violations++;
}

static void
clear(struct check *c)
{
	json_decref(c->leaves);
	json_decref(c->held);
	json_decref(c->accepted);
	json_decref(c->by_ref);
	json_decref(c->all);
	json_decref(c->feedback);
	free(c->race);
}

int
main(int argc, char **argv)
{
	struct check c = { .accepted = json_object(),
		.by_ref = json_object(), .all = json_object(),
		.feedback = json_object() };

	if (argc != 3 && argc != 4)
		give_up("usage", "race_check LOG HELD [LEAST]");
	c.leaves = read_lines(argv[1]);
	c.held = read_lines(argv[2]);
	take_log(&c);
	take_held(&c);
	for (size_t i = 0; i < c.n; i++)
		check_race(&c, i);
	if (argc == 4)
		check_raced(&c, (size_t)strtoul(argv[3], NULL, 10));
	printf("races: %zu raced: %zu delivered before, %zu released and "
	    "unconfirmed, %zu withdrawn in time, %zu refused, %zu never sent; "
	    "%zu children, %zu frames, %zu leaves: %zu violations\n", c.n,
	    c.delivered, c.unconfirmed, c.in_time, c.refused, c.none,
	    c.children, c.frames, json_array_size(c.leaves), c.violations);
	clear(&c);
	return c.violations == 0 ? 0 : 1;
}
