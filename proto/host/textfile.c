#include <kortelijn/host/textfile.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/host/fs.h>

static struct kl_bytes
without_end(struct kl_bytes text)
{
	while (text.n > 0 && (text.p[text.n - 1] == '\n' ||
	    text.p[text.n - 1] == '\r' || text.p[text.n - 1] == ' '))
		text.n--;
	return text;
}

/* Takes the bytes before the next space off the front of *text. */
static bool
take_word(struct kl_bytes *text, struct kl_bytes *word)
{
	const uint8_t *space = memchr(text->p, ' ', text->n);

	if (space == NULL)
		return false;
	*word = kl_bytes(text->p, (size_t)(space - text->p));
	*text = kl_bytes(space + 1, text->n - word->n - 1);
	return true;
}

static bool
word_fits(const uint8_t *p, size_t n)
{
	if (n == 0 || n >= KL_TEXTFILE_WORD_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (p[i] <= ' ' || p[i] > '~')
			return false;
	return true;
}

int
kl_textfile_parse(struct kl_bytes text, const char *tag,
    struct kl_textfile_word *word, uint8_t *out, size_t cap, size_t *n)
{
	struct kl_bytes rest = without_end(text), w;

	*n = 0;
	if (rest.n == 0 || !take_word(&rest, &w) ||
	    !kl_bytes_equal(w, kl_bytes_str(tag)))
		return KL_E_FORMAT;
	if (word != NULL) {
		if (rest.n == 0 || !take_word(&rest, &w) ||
		    !word_fits(w.p, w.n))
			return KL_E_FORMAT;
		memcpy(word->b, w.p, w.n);
		word->b[w.n] = '\0';
	}
	return kl_base64_read(rest, out, cap, n);
}

int
kl_textfile_print(const char *tag, const char *word, struct kl_bytes in,
    char *out, size_t cap)
{
	size_t used;
	int n, r;

	if (!word_fits((const uint8_t *)tag, strlen(tag)))
		return KL_E_VALUE;
	if (word != NULL && !word_fits((const uint8_t *)word, strlen(word)))
		return KL_E_VALUE;
	if (cap > KL_TEXTFILE_MAX)
		cap = KL_TEXTFILE_MAX;
	n = snprintf(out, cap, "%s%s%s ", tag, word != NULL ? " " : "",
	    word != NULL ? word : "");
	if (n < 0 || (size_t)n + 1 >= cap)
		return KL_E_SIZE;
	used = (size_t)n;
	if ((r = kl_base64(in, out + used, cap - used - 1)) != KL_OK)
		return r;
	memcpy(out + used + strlen(out + used), "\n", 2);
	return KL_OK;
}

static int
open_error(void)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
		return KL_E_NOT_FOUND;
	case EACCES:
	case EPERM:
	case ELOOP:
	case ENXIO:		/* a socket */
		return KL_E_DENIED;
	default:
		return KL_E_IO;
	}
}

int
kl_textfile_read(int dirfd, const char *path, const char *tag,
    struct kl_textfile_word *word, uint8_t *out, size_t cap, size_t *n)
{
	/* A pipe under that name must not make us wait: O_NONBLOCK. */
	int fd = openat(dirfd, path,
	    O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint8_t text[KL_TEXTFILE_MAX];
	struct stat st;
	int r;

	*n = 0;
	if (fd < 0)
		return open_error();
	if (fstat(fd, &st) != 0)
		r = KL_E_IO;
	else if (!S_ISREG(st.st_mode))
		r = KL_E_DENIED;
	else if (st.st_size > KL_TEXTFILE_MAX)
		r = KL_E_SIZE;
	else if (kl_fs_pread(fd, text, (size_t)st.st_size, 0) != KL_OK)
		r = KL_E_IO;
	else
		r = kl_textfile_parse(kl_bytes(text, (size_t)st.st_size), tag,
		    word, out, cap, n);
	(void)close(fd);
	return r;
}

int
kl_textfile_write(int dirfd, const char *path, const char *tag,
    const char *word, struct kl_bytes in)
{
	char line[KL_TEXTFILE_MAX];
	int r = kl_textfile_print(tag, word, in, line, sizeof line);

	return r != KL_OK ? r :
	    kl_fs_replace_at(dirfd, path, 0644, kl_bytes_str(line));
}
