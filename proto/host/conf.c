#include <kortelijn/host/conf.h>

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>

struct conf {
	const char *path;
	const struct kl_conf_key *keys;
	size_t n;
	bool *seen;		/* n */
	FILE *file;
	unsigned int line;	/* that was read last */
	struct kl_conf_error *error;
	bool failed;		/* error is filled: the first one counts */
};

static void __attribute__((format(printf, 2, 3)))
fail(struct conf *c, const char *format, ...)
{
	char *to = c->error->b;
	size_t cap = sizeof c->error->b;
	va_list ap;
	int n;

	if (c->failed)
		return;
	c->failed = true;
	n = c->line > 0 ? snprintf(to, cap, "%s:%u: ", c->path, c->line) :
	    snprintf(to, cap, "%s: ", c->path);
	if (n < 0 || (size_t)n >= cap)
		return;
	va_start(ap, format);
	(void)vsnprintf(to + n, cap - (size_t)n, format, ap);
	va_end(ap);
}

static bool
is_secret(const char *name)
{
	return strstr(name, "secret") != NULL ||
	    strstr(name, "password") != NULL;
}

static bool
fail_value(struct conf *c, const struct kl_conf_key *k, const char *value,
    const char *want)
{
	if (is_secret(k->name))
		fail(c, "%s: %s", k->name, want);
	else
		fail(c, "%s: %s, not \"%.80s\"", k->name, want, value);
	return false;
}

static bool
text_set(struct conf *c, const struct kl_conf_key *k, const char *value)
{
	const size_t n = strlen(value);

	if (n >= k->size) {
		fail(c, "%s: longer than %zu bytes", k->name, k->size - 1);
		return false;
	}
	memcpy(k->out, value, n + 1);
	return true;
}

static bool
path_set(struct conf *c, const struct kl_conf_key *k, const char *value)
{
	if (value[0] != '/')
		return fail_value(c, k, value, "must begin with /");
	return text_set(c, k, value);
}

/* A port from min on, and nothing after it. */
static bool
port_right(const char *s, int64_t min)
{
	int64_t v = 0;
	size_t n = 0;

	for (; s[n] >= '0' && s[n] <= '9' && n < 5; n++)
		v = 10 * v + (s[n] - '0');
	return n > 0 && s[n] == '\0' && v >= min && v <= UINT16_MAX;
}

/* Names and numbers, "*", and IPv6 in brackets; the last colon ends it. */
bool
kl_conf_address_ok(const char *value, int64_t least)
{
	static const char scheme[] = "tcp://", letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789.-_*[]:%";
	const char *host = value + sizeof scheme - 1;
	const char *colon = strrchr(value, ':');

	return strncmp(value, scheme, sizeof scheme - 1) == 0 &&
	    colon > host && strspn(host, letters) == strlen(host) &&
	    port_right(colon + 1, least);
}

static bool
address_set(struct conf *c, const struct kl_conf_key *k, const char *value)
{
	if (!kl_conf_address_ok(value, k->min))
		return fail_value(c, k, value,
		    "must be tcp://HOST:PORT, the port at most 65535");
	return text_set(c, k, value);
}

static bool
list_add(struct conf *c, const struct kl_conf_key *k, const char *value,
    bool first)
{
	char *out = k->out;
	const size_t used = first ? 0 : strlen(out);
	const size_t n = strlen(value);

	if (first)
		return text_set(c, k, value);
	if (used + 1 + n >= k->size) {
		fail(c, "%s: together longer than %zu bytes", k->name,
		    k->size - 1);
		return false;
	}
	out[used] = '\n';
	memcpy(out + used + 1, value, n + 1);
	return true;
}

static bool
address_add(struct conf *c, const struct kl_conf_key *k, const char *value,
    bool first)
{
	if (!kl_conf_address_ok(value, k->min))
		return fail_value(c, k, value,
		    "must be tcp://HOST:PORT, the port at most 65535");
	return list_add(c, k, value, first);
}

static bool
int_set(struct conf *c, const struct kl_conf_key *k, const char *value)
{
	char want[80], *end;
	long long v;

	errno = 0;
	v = strtoll(value, &end, 10);
	if (errno != 0 || *end != '\0' || v < k->min || v > k->max) {
		(void)snprintf(want, sizeof want,
		    "must be a whole number from %lld to %lld",
		    (long long)k->min, (long long)k->max);
		return fail_value(c, k, value, want);
	}
	*(int64_t *)k->out = v;
	return true;
}

static bool
bool_set(struct conf *c, const struct kl_conf_key *k, const char *value)
{
	const bool yes = strcmp(value, "yes") == 0;

	if (!yes && strcmp(value, "no") != 0)
		return fail_value(c, k, value, "must be yes or no");
	*(bool *)k->out = yes;
	return true;
}

static bool
duration_set(struct conf *c, const struct kl_conf_key *k, const char *value)
{
	char want[80];
	int64_t ms;

	if (kl_duration_read(value, &ms) != KL_OK)
		return fail_value(c, k, value,
		    "must be a time such as 90s, 15m, 12h or 30d");
	if (ms < k->min || ms > k->max) {
		(void)snprintf(want, sizeof want,
		    "must be from %llds to %llds",
		    (long long)(k->min / KL_SECOND_MS),
		    (long long)(k->max / KL_SECOND_MS));
		return fail_value(c, k, value, want);
	}
	*(int64_t *)k->out = ms;
	return true;
}

/* "must be a, b or c" */
static void
choices_say(const struct kl_conf_choice *at, char *to, size_t cap)
{
	const char *between = "must be ";
	size_t n = 0;

	for (; at->name != NULL && n < cap; at++) {
		n += (size_t)snprintf(to + n, cap - n, "%s%s", between,
		    at->name);
		between = at[1].name != NULL && at[2].name == NULL ? " or " :
		    ", ";
	}
}

static bool
choice_set(struct conf *c, const struct kl_conf_key *k, const char *value)
{
	const struct kl_conf_choice *at = k->choice;
	char want[120];

	while (at->name != NULL && strcmp(at->name, value) != 0)
		at++;
	if (at->name == NULL) {
		choices_say(k->choice, want, sizeof want);
		return fail_value(c, k, value, want);
	}
	*(uint32_t *)k->out = at->value;
	return true;
}

static bool
value_set(struct conf *c, const struct kl_conf_key *k, const char *value,
    bool first)
{
	if (value[0] == '\0') {
		fail(c, "%s: has no value", k->name);
		return false;
	}
	switch (k->type) {
	case KL_CONF_TEXT: return text_set(c, k, value);
	case KL_CONF_INT: return int_set(c, k, value);
	case KL_CONF_BOOL: return bool_set(c, k, value);
	case KL_CONF_DURATION: return duration_set(c, k, value);
	case KL_CONF_CHOICE: return choice_set(c, k, value);
	case KL_CONF_LIST: return list_add(c, k, value, first);
	case KL_CONF_PATH: return path_set(c, k, value);
	case KL_CONF_ADDRESS: return address_set(c, k, value);
	case KL_CONF_ADDRESSES: return address_add(c, k, value, first);
	}
	return false;
}

/* inih calls this for every "name = value"; 0 means an error. */
static int
on_value(void *user, const char *section, const char *name, const char *value)
{
	struct conf *c = user;

	if (c->failed)
		return 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct kl_conf_key *k = &c->keys[i];
		const bool first = !c->seen[i];

		if (strcmp(k->section, section) != 0 ||
		    strcmp(k->name, name) != 0)
			continue;
		c->seen[i] = true;
		if (!first && k->type != KL_CONF_LIST &&
		    k->type != KL_CONF_ADDRESSES) {
			fail(c, "%s: given twice", name);
			return 0;
		}
		return value_set(c, k, value, first) ? 1 : 0;
	}
	fail(c, "unknown key %.50s in section [%.50s]", name, section);
	return 0;
}

/* inih would split a line that is too long and stop at a NUL: neither may
 * change the meaning of a file silently. */
static char *
read_line(char *to, int cap, void *user)
{
	struct conf *c = user;
	int n = 0, ch;

	if (c->failed || (ch = getc(c->file)) == EOF)
		return NULL;
	c->line++;
	for (; ch != EOF && ch != '\n'; ch = getc(c->file)) {
		if (n >= cap - 2) {
			fail(c, "line longer than %d bytes", cap - 2);
			return NULL;
		}
		if ((ch < ' ' && ch != '\t' && ch != '\r') || ch == 0x7f) {
			fail(c, "control character");
			return NULL;
		}
		to[n++] = (char)ch;
	}
	to[n++] = '\n';
	to[n] = '\0';
	return to;
}

static void
check_required(struct conf *c)
{
	c->line = 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->keys[i].required && !c->seen[i])
			fail(c, "%s is missing in section [%s]",
			    c->keys[i].name, c->keys[i].section);
}

static void
parse(struct conf *c)
{
	int r = ini_parse_stream(read_line, c, on_value, c);

	/* inih goes on after a line it cannot read; the first one counts. */
	if (r > 0 && (!c->failed || (unsigned int)r < c->line)) {
		c->failed = false;
		c->line = (unsigned int)r;
		fail(c, "neither [section] nor key = value");
	}
	if (ferror(c->file))
		fail(c, "cannot be read");
	if (r < 0)
		fail(c, "no memory");
	check_required(c);
}

int
kl_conf_read(const char *path, const struct kl_conf_key *keys, size_t n,
    struct kl_conf_error *error)
{
	struct conf c = { .path = path, .keys = keys, .n = n, .error = error };

	error->b[0] = '\0';
	if ((c.seen = calloc(n + 1, sizeof c.seen[0])) == NULL) {
		fail(&c, "no memory");
		return KL_E_CONFIG;
	}
	if ((c.file = fopen(path, "re")) == NULL) {
		fail(&c, "%s", strerror(errno));
	} else {
		parse(&c);
		(void)fclose(c.file);
	}
	free(c.seen);
	return c.failed ? KL_E_CONFIG : KL_OK;
}
