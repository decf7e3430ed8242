#include "tests/support/said.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
listen_to(struct said *s, int i, FILE *f)
{
	char path[] = "/tmp/kl-said-XXXXXX";

	ck_assert_int_eq(fflush(f), 0);
	ck_assert_int_ge(s->file[i] = mkstemp(path), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_ge(s->saved[i] = dup(fileno(f)), 0);
	ck_assert_int_ge(dup2(s->file[i], fileno(f)), 0);
}

static size_t
heard(struct said *s, int i, FILE *f, char *text, size_t cap)
{
	ssize_t n;

	(void)fflush(f);
	clearerr(f);
	ck_assert_int_ge(dup2(s->saved[i], fileno(f)), 0);
	(void)close(s->saved[i]);
	n = pread(s->file[i], text, cap - 1, 0);
	(void)close(s->file[i]);
	ck_assert_int_ge(n, 0);
	ck_assert_msg((size_t)n < cap - 1, "more was said than fits");
	text[n] = '\0';
	return (size_t)n;
}

void
said_begin(struct said *s)
{
	listen_to(s, 0, stdout);
	listen_to(s, 1, stderr);
}

void
said_end(struct said *s)
{
	s->n_out = heard(s, 0, stdout, s->out, sizeof s->out);
	(void)heard(s, 1, stderr, s->err, sizeof s->err);
}
