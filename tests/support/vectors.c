#include <tests/support/vectors.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 4096

struct vectors {
	size_t n;
	struct entry {
		char *name;
		uint8_t *p;
		size_t n;
	} e[ENTRIES_MAX];
};

static _Noreturn void
fail(const char *what, const char *which)
{
	fprintf(stderr, "vectors: %s: %s\n", what, which);
	exit(1);
}

static void
take_line(struct vectors *v, char *line)
{
	char *eq = strstr(line, " =");
	struct entry *e = &v->e[v->n];
	const char *hex;

	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '#' || line[0] == '\0')
		return;
	if (eq == NULL || v->n == ENTRIES_MAX)
		fail("bad line", line);
	*eq = '\0';
	hex = eq + 2 + strspn(eq + 2, " ");
	e->n = strlen(hex) / 2;
	e->name = strdup(line);
	e->p = malloc(e->n + 1);
	if (e->name == NULL || e->p == NULL ||
	    kl_hex_read(hex, e->p, e->n) != KL_OK)
		fail("bad value", line);
	v->n++;
}

struct vectors *
vectors_open(const char *file)
{
	struct vectors *v = calloc(1, sizeof *v);
	const char *root = getenv("KL_TESTS");
	char path[1024], *line = NULL;
	size_t cap = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/vectors/%s",
	    root == NULL ? "tests" : root, file);
	if (v == NULL || (f = fopen(path, "r")) == NULL)
		fail("cannot open", path);
	while (getline(&line, &cap, f) >= 0)
		take_line(v, line);
	free(line);
	fclose(f);
	return v;
}

void
vectors_free(struct vectors *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->n; i++) {
		free(v->e[i].name);
		free(v->e[i].p);
	}
	free(v);
}

static const struct entry *
find(const struct vectors *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->e[i].name, name) == 0)
			return &v->e[i];
	return NULL;
}

bool
vectors_has(const struct vectors *v, const char *name)
{
	return find(v, name) != NULL;
}

struct kl_bytes
vectors_get(const struct vectors *v, const char *name)
{
	const struct entry *e = find(v, name);

	if (e == NULL)
		fail("no such name", name);
	return kl_bytes(e->p, e->n);
}

bool
vectors_at(const struct vectors *v, size_t i, const char **name,
    struct kl_bytes *value)
{
	if (i >= v->n)
		return false;
	*name = v->e[i].name;
	*value = kl_bytes(v->e[i].p, v->e[i].n);
	return true;
}
