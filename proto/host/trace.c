#include <kortelijn/host/trace.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 320
#define LINES_MAX 4096		/* of one turn */

struct kl_trace {
	int fd;
	char (*line)[LINE_BYTES];
	size_t n, cap;
};

int
kl_trace_open(const char *path, struct kl_trace **out)
{
	struct kl_trace *t = calloc(1, sizeof *t);

	*out = NULL;
	if (t == NULL)
		return KL_E_MEMORY;
	t->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (t->fd < 0) {
		free(t);
		return KL_E_IO;
	}
	*out = t;
	return KL_OK;
}

void
kl_trace_close(struct kl_trace *t)
{
	if (t == NULL)
		return;
	(void)close(t->fd);
	free(t->line);
	free(t);
}

static char *
next_line(struct kl_trace *t)
{
	if (t->n == t->cap) {
		size_t cap = t->cap == 0 ? 64 : t->cap * 2;
		void *p;

		if (cap > LINES_MAX ||
		    (p = realloc(t->line, cap * LINE_BYTES)) == NULL)
			return NULL;
		t->line = p;
		t->cap = cap;
	}
	return t->line[t->n++];
}

/* Behind what is there; every line fits, see LINE_BYTES. */
static void
append_id(char *line, const char *name, struct kl_bytes id)
{
	size_t n = strlen(line);
	int put = snprintf(line + n, LINE_BYTES - n, ",\"%s\":\"", name);

	n += (size_t)put;
	kl_hex(id, line + n);
	n += 2 * id.n;
	memcpy(line + n, "\"", 2);
}

void
kl_trace(struct kl_trace *t, const struct kl_trace_line *l)
{
	char *line;
	size_t n;

	if (t == NULL || (line = next_line(t)) == NULL)
		return;
	(void)snprintf(line, LINE_BYTES, "{\"t\":%" PRId64 ",\"ev\":\"%.32s\"",
	    l->at_ms, l->event);
	if (l->msg != NULL)
		append_id(line, "msg", KL_BYTES_OF(*l->msg));
	if (l->conv != NULL)
		append_id(line, "conv", KL_BYTES_OF(*l->conv));
	n = strlen(line);
	if (l->has_leaf)
		(void)snprintf(line + n, LINE_BYTES - n, ",\"leaf\":%" PRIu64,
		    l->leaf);
	if (l->body != NULL)
		append_id(line, "body", KL_BYTES_OF(*l->body));
	n = strlen(line);
	memcpy(line + n, "}\n", 3);
}

void
kl_trace_flush(struct kl_trace *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n; i++) {
		size_t n = strlen(t->line[i]);

		/* Nothing hangs on it: a full disk stops no message. */
		if (write(t->fd, t->line[i], n) != (ssize_t)n)
			break;
	}
	t->n = 0;
}

void
kl_trace_drop(struct kl_trace *t)
{
	if (t != NULL)
		t->n = 0;
}
