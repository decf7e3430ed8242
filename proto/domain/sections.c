#include "proto/domain/sections.h"

#include <stdio.h>
#include <string.h>

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* In place: without white space at both ends. */
static char *
trim(char *s)
{
	size_t n;

	while (blank(*s))
		s++;
	n = strlen(s);
	while (n > 0 && blank(s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}

static void
comment_cut(char *s)
{
	for (; *s != '\0'; s++)
		if (blank(s[0]) && s[1] == ';') {
			*s = '\0';
			return;
		}
}

static int
line_take(const struct kl_sections *r, char *text)
{
	char *s = trim(text), *eq;

	if (*s == '\0' || *s == '#' || *s == ';')
		return KL_OK;
	comment_cut(s);
	s = trim(s);
	if (*s == '[' && s[strlen(s) - 1] == ']') {
		s[strlen(s) - 1] = '\0';
		return r->section(r->arg, s + 1);
	}
	if ((eq = strchr(s, '=')) == NULL)
		return r->wrong(r->arg, KL_E_FORMAT, "neither a [section] "
		    "nor a key = value");
	*eq = '\0';
	return r->key(r->arg, trim(s), trim(eq + 1));
}

/* Text that people read again: no control characters but the tab. */
static int
line_copy(const struct kl_sections *r, struct kl_bytes line,
    char text[KL_SECTIONS_LINE_MAX + 1])
{
	char why[48];

	(void)snprintf(why, sizeof why, "a line has at most %d bytes",
	    KL_SECTIONS_LINE_MAX);
	if (line.n > KL_SECTIONS_LINE_MAX)
		return r->wrong(r->arg, KL_E_SIZE, why);
	for (size_t i = 0; i < line.n; i++) {
		const uint8_t c = line.p[i];

		if ((c < ' ' && c != '\t' && !(c == '\r' && i + 1 ==
		    line.n)) || c == 0x7f)
			return r->wrong(r->arg, KL_E_FORMAT, "a control "
			    "character");
	}
	memcpy(text, line.p, line.n);
	text[line.n] = '\0';
	return KL_OK;
}

int
kl_sections_read(const struct kl_sections *s, struct kl_bytes text)
{
	char line[KL_SECTIONS_LINE_MAX + 1];
	int err;

	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		const size_t n = end == NULL ? text.n :
		    (size_t)(end - text.p);

		++*s->line;
		if ((err = line_copy(s, kl_bytes(text.p, n), line)) !=
		    KL_OK || (err = line_take(s, line)) != KL_OK)
			return err;
		if (end == NULL)
			break;
		text = kl_bytes(text.p + n + 1, text.n - n - 1);
	}
	return KL_OK;
}
