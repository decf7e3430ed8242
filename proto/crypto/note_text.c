#include "proto/crypto/note_text.h"

#include <string.h>

#include <kortelijn/base/origin.h>

bool
kl_note_text_name(struct kl_bytes name)
{
	if (name.n == 0 || name.n >= KL_ORIGIN_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == '+')
			return false;
	return true;
}

bool
kl_note_text_line(struct kl_bytes *rest, struct kl_bytes *line)
{
	const uint8_t *end = rest->n == 0 ? NULL : memchr(rest->p, '\n',
	    rest->n);
	size_t n;

	if (end == NULL)
		return false;
	n = (size_t)(end - rest->p);
	*line = kl_bytes(rest->p, n);
	*rest = kl_bytes(rest->p + n + 1, rest->n - n - 1);
	return true;
}

bool
kl_note_text_field(struct kl_bytes *rest, const char *word,
    struct kl_bytes *value)
{
	const size_t n = strlen(word);
	struct kl_bytes after = *rest, line;

	if (!kl_note_text_line(&after, &line) || line.n <= n + 1 ||
	    memcmp(line.p, word, n) != 0 || line.p[n] != ' ')
		return false;
	*value = kl_bytes(line.p + n + 1, line.n - n - 1);
	*rest = after;
	return true;
}

bool
kl_note_text_number(struct kl_bytes in, uint64_t *v)
{
	*v = 0;
	if (in.n == 0 || in.n > 20 || (in.n > 1 && in.p[0] == '0'))
		return false;
	for (size_t i = 0; i < in.n; i++) {
		uint64_t d = (uint64_t)in.p[i] - '0';

		if (in.p[i] < '0' || in.p[i] > '9' ||
		    *v > (UINT64_MAX - d) / 10)
			return false;
		*v = *v * 10 + d;
	}
	return true;
}

bool
kl_note_text_hash(struct kl_bytes in, struct kl_hash *out)
{
	size_t n;

	return kl_base64_read(in, out->b, sizeof out->b, &n) == KL_OK &&
	    n == sizeof out->b;
}
