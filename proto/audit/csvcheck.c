#include "proto/audit/csvcheck.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/audit/csv.h"
#include "proto/audit/rules.h"

#define NAME "records.csv"
#define LINE_MAX_BYTES 4096	/* of a record, names and all, are fewer */
#define NAME_FROM 6		/* columns that are not compared */
#define NAME_TO 8

struct audit_csvcheck {
	audit_csvcheck_fn *wrong;
	void *arg;
	FILE *f;
	enum kl_lang lang;
	char line[LINE_MAX_BYTES];	/* the next one, with NUL; "": none */
	FILE *out;			/* what it should be */
	char *want;
	size_t n_want;
};

static void
say(const struct audit_csvcheck *c, uint64_t leaf, const char *text)
{
	c->wrong(c->arg, NAME, leaf, text);
}

static void
next(struct audit_csvcheck *c)
{
	if (fgets(c->line, sizeof c->line, c->f) == NULL)
		c->line[0] = '\0';
}

/* The leaf at the beginning of a line. */
static bool
leaf_of(const char *line, uint64_t *out)
{
	char *end;

	if (line[0] != '"' || line[1] < '0' || line[1] > '9')
		return false;
	errno = 0;
	*out = strtoull(line + 1, &end, 10);
	return errno == 0 && *end == '"';
}

/* ---- what a line should be ---------------------------------------------- */

static bool
want_end(struct audit_csvcheck *c)
{
	return fflush(c->out) == 0 && c->want != NULL;
}

static bool
heading_is(struct audit_csvcheck *c, enum kl_lang lang)
{
	rewind(c->out);
	audit_csv_begin(c->out, lang);
	return want_end(c) && strlen(c->line) == c->n_want &&
	    memcmp(c->line, c->want, c->n_want) == 0;
}

/* Behind the cell that begins at `at`; NULL: there is none. */
static const char *
cell_end(const char *at, const char *end)
{
	if (at == end || *at != '"')
		return NULL;
	for (at++; at < end; at++) {
		if (*at != '"')
			continue;
		if (at + 1 == end || at[1] != '"')
			return at + 1;
		at++;
	}
	return NULL;
}

/* The same cells, but for names. */
static bool
same(const char *a, const char *a_end, const char *b, const char *b_end)
{
	for (size_t column = 0;; column++) {
		const char *x = cell_end(a, a_end), *y = cell_end(b, b_end);

		if (x == NULL || y == NULL)
			return false;
		if (column != NAME_FROM && column != NAME_TO &&
		    (x - a != y - b || memcmp(a, b, (size_t)(x - a)) != 0))
			return false;
		if (x == a_end || y == b_end || *x != *y)
			return false;
		if (*x != ';')
			return a_end - x == b_end - y &&
			    memcmp(x, y, (size_t)(a_end - x)) == 0;
		a = x + 1;
		b = y + 1;
	}
}

static bool
line_is(struct audit_csvcheck *c, const struct audit_record *r)
{
	rewind(c->out);
	audit_csv_put(c->out, c->lang, NULL, r);
	return want_end(c) && same(c->line, c->line + strlen(c->line),
	    c->want, c->want + c->n_want);
}

/* ---- from beginning to end ----------------------------------------------- */

static int
begin(struct audit_csvcheck *c, const struct audit_dir *d)
{
	const int err = audit_dir_stream(d, NAME, &c->f);

	if (err != KL_OK)
		return err;
	if ((c->out = open_memstream(&c->want, &c->n_want)) == NULL)
		return KL_E_MEMORY;
	next(c);
	c->lang = heading_is(c, KL_EN) ? KL_EN : KL_NL;
	if (c->lang == KL_NL && !heading_is(c, KL_NL))
		say(c, AUDIT_NO_LEAF,
		    "its first line is not that of an export");
	next(c);
	return KL_OK;
}

int
audit_csvcheck_open(const struct audit_dir *d, audit_csvcheck_fn *wrong,
    void *arg, struct audit_csvcheck **out)
{
	struct audit_csvcheck *c = calloc(1, sizeof *c);
	int err;

	*out = NULL;
	if (c == NULL)
		return KL_E_MEMORY;
	c->wrong = wrong;
	c->arg = arg;
	if ((err = begin(c, d)) == KL_OK) {
		*out = c;
		return KL_OK;
	}
	audit_csvcheck_free(c);
	return err == KL_E_NOT_FOUND ? KL_OK : err;
}

void
audit_csvcheck_take(struct audit_csvcheck *c, const struct audit_record *r)
{
	uint64_t leaf = 0;
	bool is;

	if (c == NULL)
		return;
	while (c->line[0] != '\0' && (!(is = leaf_of(c->line, &leaf)) ||
	    leaf < r->leaf)) {
		say(c, is ? leaf : AUDIT_NO_LEAF, "a line without a record");
		next(c);
	}
	if (c->line[0] == '\0' || leaf != r->leaf) {
		say(c, r->leaf, "its line is not there");
		return;
	}
	if (!line_is(c, r))
		say(c, leaf, "its line is not what was logged");
	next(c);
}

void
audit_csvcheck_end(struct audit_csvcheck *c)
{
	uint64_t leaf;

	for (; c != NULL && c->line[0] != '\0'; next(c))
		say(c, leaf_of(c->line, &leaf) ? leaf : AUDIT_NO_LEAF,
		    "a line without a record");
	if (c != NULL && ferror(c->f) != 0)
		say(c, AUDIT_NO_LEAF, kl_err_text(KL_E_IO));
}

void
audit_csvcheck_free(struct audit_csvcheck *c)
{
	if (c == NULL)
		return;
	if (c->f != NULL)
		(void)fclose(c->f);
	if (c->out != NULL)
		(void)fclose(c->out);
	free(c->want);
	free(c);
}
