#include "adapters/common/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/fs.h>

#define PATH_CAP 512

int
textfile_path(char *out, size_t cap, const char *dir, const char *name)
{
	int n = snprintf(out, cap, "%s/%s", dir, name);

	return n < 0 || (size_t)n >= cap ? KL_E_SIZE : KL_OK;
}

static int
read_fd(int fd, size_t max, char **out, size_t *n)
{
	struct stat st;
	char *text;
	int r;

	if (fstat(fd, &st) != 0)
		return KL_E_IO;
	if (!S_ISREG(st.st_mode))
		return KL_E_DENIED;
	if (st.st_size < 0 || (size_t)st.st_size > max)
		return KL_E_SIZE;
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL)
		return KL_E_MEMORY;
	r = kl_fs_pread(fd, text, (size_t)st.st_size, 0);
	if (r != KL_OK) {
		free(text);
		return KL_E_IO;
	}
	text[st.st_size] = '\0';
	*out = text;
	*n = (size_t)st.st_size;
	return KL_OK;
}

int
textfile_read(const char *path, size_t max, char **out, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int r;

	*out = NULL;
	*n = 0;
	if (fd < 0) {
		if (errno == ENOENT)
			return KL_E_NOT_FOUND;
		return errno == ELOOP ? KL_E_DENIED : KL_E_IO;
	}
	r = read_fd(fd, max, out, n);
	(void)close(fd);
	return r;
}

void
textfile_free(char *text, size_t n)
{
	if (text == NULL)
		return;
	kl_wipe(text, n);
	free(text);
}

static int
write_tmp(const char *tmp, struct kl_bytes text, enum textfile_sync sync)
{
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return errno == ENOSPC ? KL_E_FULL : KL_E_IO;
	r = kl_fs_pwrite(fd, text.p, text.n, 0);
	if (r == KL_OK && sync == TEXTFILE_SYNC && fsync(fd) != 0)
		r = KL_E_IO;
	if (close(fd) != 0 && r == KL_OK)
		r = KL_E_IO;
	return r;
}

int
textfile_write(const char *path, struct kl_bytes text,
    enum textfile_sync sync)
{
	char tmp[PATH_CAP];
	int n = snprintf(tmp, sizeof tmp, "%s.tmp", path);
	int r;

	if (n < 0 || (size_t)n >= sizeof tmp)
		return KL_E_SIZE;
	r = write_tmp(tmp, text, sync);
	if (r == KL_OK && rename(tmp, path) != 0)
		r = KL_E_IO;
	if (r != KL_OK) {
		(void)unlink(tmp);
		return r;
	}
	return sync == TEXTFILE_SYNC ? kl_fs_sync_parent(path) : KL_OK;
}

int
textfile_decode(struct kl_bytes text, const char *label, uint8_t *out,
    size_t cap, size_t *n)
{
	size_t skip = strlen(label) + 1;

	while (text.n > 0 && (text.p[text.n - 1] == '\n' ||
	    text.p[text.n - 1] == '\r'))
		text.n--;
	if (text.n <= skip || memcmp(text.p, label, skip - 1) != 0 ||
	    text.p[skip - 1] != ' ')
		return KL_E_FORMAT;
	return kl_base64_read(kl_bytes(text.p + skip, text.n - skip), out,
	    cap, n);
}
