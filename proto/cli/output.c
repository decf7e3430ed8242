#include "proto/cli/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>

#define LABEL_COLUMNS 24
#define VALUE_COLUMNS (80 - LABEL_COLUMNS - 1)
#define DEPTH_MAX 3

/* Length of the run of bytes at p that must not reach a terminal; 0: none. */
static size_t
unsafe_run(const uint8_t *p, size_t n)
{
	if (p[0] < 0x20 || p[0] == 0x7f)
		return 1;
	if (n >= 2 && p[0] == 0xc2 && p[1] < 0xa0)	/* C1 */
		return 2;
	if (n >= 3 && p[0] == 0xe2 && p[1] == 0x80 &&
	    (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae)))
		return 3;
	if (n >= 3 && p[0] == 0xe2 && p[1] == 0x81 &&
	    p[2] >= 0xa6 && p[2] <= 0xa9)
		return 3;
	return 0;
}

static bool
utf8_valid(struct kl_bytes in)
{
	json_t *j = json_stringn((const char *)in.p, in.n);
	bool valid = j != NULL;

	json_decref(j);
	return valid;
}

struct output_text
output_text(struct kl_bytes in)
{
	struct output_text t;
	bool valid = utf8_valid(in);
	size_t i = 0, n = 0;

	while (i < in.n && n + 1 < sizeof t.b) {
		size_t run = unsafe_run(in.p + i, in.n - i);

		if (run > 0 || (!valid && in.p[i] >= 0x80)) {
			t.b[n++] = '?';
			i += run > 0 ? run : 1;
		} else {
			t.b[n++] = (char)in.p[i++];
		}
	}
	/* Cut between characters. */
	if (valid && i < in.n && (in.p[i] & 0xc0) == 0x80) {
		while (n > 0 && (t.b[n - 1] & 0xc0) == 0x80)
			n--;
		if (n > 0)
			n--;
	}
	t.b[n] = '\0';
	return t;
}

json_t *
output_time(int64_t time_ms)
{
	return json_string(kl_time_text(time_ms).b);
}

json_t *
output_id(const struct kl_id *id)
{
	return json_string(kl_id_text(id).b);
}

json_t *
output_hex(struct kl_bytes b)
{
	char text[2 * OUTPUT_HEX_MAX + 1] = "";

	if (b.n <= OUTPUT_HEX_MAX)
		kl_hex(b, text);
	return json_string(text);
}

static bool
ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* An instant, as all JSON of ours has it. */
static bool
is_time(const char *key, const json_t *v)
{
	return json_is_integer(v) && ends_in(key, "_ms") &&
	    json_integer_value(v) > KL_DAY_MS * 365 &&
	    json_integer_value(v) <= KL_TIME_MAX_MS;
}

/* A scalar as people read it; "" for what is none. */
static struct output_text
scalar(const char *key, const json_t *v)
{
	struct output_text t = { "" };

	if (json_is_string(v))
		return output_text(kl_bytes(json_string_value(v),
		    json_string_length(v)));
	if (json_is_boolean(v))
		return output_text(kl_bytes_str(json_is_true(v) ?
		    "yes" : "no"));
	if (is_time(key, v))
		return output_text(kl_bytes_str(
		    kl_time_text(json_integer_value(v)).b));
	if (json_is_number(v))
		(void)snprintf(t.b, sizeof t.b, "%.15g",
		    json_number_value(v));
	return t;
}

/* "open_conversations" reads better as "open conversations", and a time that
 * is written out is in no unit. */
static void
label_print(const char *key, const json_t *v, int indent)
{
	size_t length = strlen(key) - (is_time(key, v) ? strlen("_ms") : 0);
	int n = indent + (int)length;

	printf("%*s", indent, "");
	for (size_t i = 0; i < length; i++)
		(void)putchar(key[i] == '_' ? ' ' : key[i]);
	(void)putchar(':');
	printf("%*s", n < LABEL_COLUMNS ? LABEL_COLUMNS - n : 1, "");
}

/* Bytes of at most `width` characters. */
static size_t
fitting(const char *text, int width)
{
	size_t i = 0;

	for (int n = 0; text[i] != '\0'; i++)
		if (((unsigned char)text[i] & 0xc0) != 0x80 && n++ == width)
			break;
	return i;
}

/* In lines that break at spaces; a longer word stays whole, so that a path can
 * be copied. */
static void
value_print(const char *text)
{
	size_t n;

	while (text[n = fitting(text, VALUE_COLUMNS)] != '\0') {
		while (n > 0 && text[n] != ' ')
			n--;
		if (n == 0 || text[n + strspn(text + n, " ")] == '\0')
			break;
		printf("%.*s\n%*s", (int)n, text, LABEL_COLUMNS + 1, "");
		text += n + 1;
	}
	printf("%s\n", text);
}

/* One a line; what holds no texts is counted. */
static void
array_print(const char *key, const json_t *v)
{
	const json_t *one;
	size_t i;

	if (!json_is_string(json_array_get(v, 0))) {
		printf("%zu\n", json_array_size(v));
		return;
	}
	json_array_foreach(v, i, one) {
		if (i > 0)
			printf("%*s", LABEL_COLUMNS + 1, "");
		value_print(scalar(key, one).b);
	}
}

/* At most DEPTH_MAX levels: a loop over a stack of its own, no recursion. */
static void
members_print(json_t *o)
{
	struct { json_t *o; void *at; } level[DEPTH_MAX];
	int depth = 0;

	level[0].o = o;
	level[0].at = json_object_iter(o);
	while (depth >= 0) {
		void *at = level[depth].at;
		const char *key;
		json_t *v;

		if (at == NULL) {
			depth--;
			continue;
		}
		key = json_object_iter_key(at);
		v = json_object_iter_value(at);
		level[depth].at = json_object_iter_next(level[depth].o, at);
		if (depth == 0 && strcmp(key, "ok") == 0)
			continue;
		label_print(key, v, 2 * depth);
		if (json_is_object(v) && json_object_size(v) == 0) {
			puts("none");
		} else if (json_is_object(v) && depth + 1 < DEPTH_MAX) {
			(void)putchar('\n');
			depth++;
			level[depth].o = v;
			level[depth].at = json_object_iter(v);
		} else if (json_is_array(v)) {
			array_print(key, v);
		} else {
			value_print(scalar(key, v).b);
		}
	}
}

static int
json_print(json_t *o)
{
	int r = json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));

	(void)putchar('\n');
	return r == 0 ? CLI_OK : CLI_FAILED;
}

/* Output that did not reach its reader is a failure too. */
static int
flushed(int r)
{
	return fflush(stdout) == 0 && !ferror(stdout) ? r : CLI_FAILED;
}

int
output_take(const struct cli *c, json_t *o)
{
	int r = CLI_OK;

	if (o == NULL)
		return output_fail_err(c, KL_E_MEMORY, "the answer");
	if (c->json) {
		if (json_object_get(o, "ok") == NULL)
			(void)json_object_set_new(o, "ok", json_true());
		r = json_print(o);
	} else {
		members_print(o);
	}
	json_decref(o);
	return flushed(r);
}

/* Prints at most `width` characters of the text and fills up with spaces. */
static void
cell_print(const char *text, int width, bool last)
{
	int n = 0;

	for (; *text != '\0'; text++) {
		if (((unsigned char)*text & 0xc0) != 0x80 && n++ == width)
			break;
		(void)putchar(*text);
	}
	if (n > width)
		n = width;
	if (!last)
		printf("%*s", width - n + 1, "");
}

static void
row_print(const json_t *row, const struct output_column *columns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct output_column *k = &columns[i];
		struct output_text t = { "" };

		if (row != NULL)
			t = scalar(k->key, json_object_get(row, k->key));
		if (row != NULL && t.b[0] == '\0')
			memcpy(t.b, "-", 2);
		cell_print(row == NULL ? k->title : t.b, k->width, i + 1 == n);
	}
	(void)putchar('\n');
}

int
output_take_table(const struct cli *c, json_t *o, const char *key,
    const struct output_column *columns, size_t n)
{
	const json_t *rows, *row;
	size_t i;

	if (o == NULL || c->json)
		return output_take(c, o);
	rows = json_object_get(o, key);
	row_print(NULL, columns, n);
	json_array_foreach(rows, i, row)
		row_print(row, columns, n);
	json_decref(o);
	return flushed(CLI_OK);
}

int
output_fail(const struct cli *c, enum cli_exit code, const char *format, ...)
{
	char text[512];
	va_list ap;
	json_t *o;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	fprintf(stderr, "%s: %s\n", c->program->name, text);
	if (c->json) {
		o = json_pack("{s:b,s:i,s:s}", "ok", 0, "exit", (int)code,
		    "text", output_text(kl_bytes_str(text)).b);
		(void)json_print(o);
		json_decref(o);
	}
	return (int)code;
}

int
output_fail_err(const struct cli *c, int err, const char *what)
{
	enum cli_exit code = CLI_FAILED;

	if (err == KL_E_NOT_FOUND || err == KL_E_DENIED ||
	    err == KL_E_FORMAT || err == KL_E_SIZE || err == KL_E_IO ||
	    err == KL_E_CONFIG || err == KL_E_UNKNOWN || err == KL_E_VALUE)
		code = CLI_FILE;
	return output_fail(c, code, "%s: %s", what, kl_err_text(err));
}

/* Cleaned text of a member, "" if it is none. */
static struct output_text
member(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_string(v))
		return (struct output_text){ "" };
	return output_text(kl_bytes(json_string_value(v),
	    json_string_length(v)));
}

/* What would have been possible, if the daemon says so. */
static void
possible_print(const json_t *answer)
{
	const json_t *a = json_object_get(answer, "possible"), *v;
	size_t i, at = 13;	/* columns of what is before */

	if (json_array_size(a) == 0)
		return;
	fputs("possible now:", stderr);
	json_array_foreach(a, i, v) {
		const struct output_text name = output_text(kl_bytes(
		    json_string_value(v), json_string_length(v)));
		const size_t n = strlen(name.b) + 1;

		if (at + n > 80) {
			fputs("\n ", stderr);
			at = 1;
		}
		fprintf(stderr, " %s", name.b);
		at += n;
	}
	fputs("\n", stderr);
}

int
output_refused(const struct cli *c, json_t *answer)
{
	const char *const sentences[] = {
		c->english ? "en" : "nl", c->english ? "nl" : "en", "text",
	};
	const struct output_text code = member(answer, "code");
	const struct output_text field = member(answer, "field");
	const struct output_text reference = member(answer, "reference");
	struct output_text text = { "" };

	if (c->json) {
		(void)json_print(answer);
		return flushed(CLI_FAILED);
	}
	for (size_t i = 0; i < 3 && text.b[0] == '\0'; i++)
		text = member(answer, sentences[i]);
	fprintf(stderr, "%s: %s: %s%s%s%s%s%s%s\n", c->program->name,
	    strcmp(code.b, "try_later") == 0 ? "not yet" : "refused",
	    code.b[0] != '\0' ? code.b : "not possible now",
	    field.b[0] != '\0' ? " at " : "", field.b,
	    reference.b[0] != '\0' ? ", " : "", reference.b,
	    text.b[0] != '\0' ? ": " : "", text.b);
	text = member(answer, c->english ? "hindrance_en" : "hindrance_nl");
	if (text.b[0] != '\0')
		fprintf(stderr, "%s.\n", text.b);
	possible_print(answer);
	return CLI_FAILED;
}
