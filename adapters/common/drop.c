#include "adapters/common/drop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/host/fs.h>

#define SUFFIX_MAX 999

bool
drop_ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcasecmp(name + n - m, end) == 0;
}

static bool
name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool
drop_name_fine(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > DROP_NAME_MAX || name[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!name_char(name[i]))
			return false;
	return true;
}

/* The name in work/: as it is, or as near to it as the rules allow; with a
 * number before ".json" unless `number` is 0. */
static void
name_make(const char *name, unsigned number, char out[DROP_NAME_CAP])
{
	size_t n = strlen(name) - strlen(".json");

	if (n > DROP_NAME_MAX - 10)
		n = DROP_NAME_MAX - 10;
	for (size_t i = 0; i < n; i++)
		out[i] = name_char(name[i]) ? name[i] : '_';
	if (number == 0)
		(void)snprintf(out + n, DROP_NAME_CAP - n, ".json");
	else
		(void)snprintf(out + n, DROP_NAME_CAP - n, "-%u.json", number);
	if (out[0] == '.')
		out[0] = '_';
}

/* As renameat, but EEXIST if something has the name already. */
static int
rename_new(int from, const char *name, int there, const char *to)
{
	if (renameat2(from, name, there, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file share that cannot: look first. */
	if (faccessat(there, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(from, name, there, to);
}

int
drop_move(int from, const char *name, int there, char to[DROP_NAME_CAP])
{
	for (unsigned i = 0; i <= SUFFIX_MAX; i++) {
		name_make(name, i, to);
		if (rename_new(from, name, there, to) == 0)
			return KL_OK;
		if (errno != EEXIST)
			break;
	}
	return KL_E_IO;
}

int
drop_error(void)
{
	switch (errno) {
	case ENOSPC:
	case EDQUOT:
		return KL_E_FULL;
	case EEXIST:
		return KL_E_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS:
		return KL_E_DENIED;
	default:
		return KL_E_IO;
	}
}

static int
fill(int fd, struct kl_bytes content, mode_t mode)
{
	int r = kl_fs_pwrite(fd, content.p, content.n, 0);

	if (r == KL_OK && fsync(fd) != 0)
		r = drop_error();
	/* Past the file mask of a daemon. Some file shares have no modes. */
	(void)fchmod(fd, mode);
	return r;
}

static int
put(int dir, const char *name, struct kl_bytes content, mode_t mode,
    bool replace)
{
	char fresh[DROP_NAME_CAP + 8];
	int fd, r;

	(void)snprintf(fresh, sizeof fresh, ".%.*s.tmp", DROP_NAME_CAP - 1,
	    name);
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return drop_error();
	r = fill(fd, content, mode);
	if (close(fd) != 0 && r == KL_OK)
		r = KL_E_IO;
	if (r == KL_OK && (replace ? renameat(dir, fresh, dir, name) :
	    rename_new(dir, fresh, dir, name)) != 0)
		r = drop_error();
	if (r == KL_OK && fsync(dir) != 0)
		r = KL_E_IO;
	if (r != KL_OK)
		(void)unlinkat(dir, fresh, 0);
	return r;
}

int
drop_put(int dir, const char *name, struct kl_bytes content, mode_t mode)
{
	return put(dir, name, content, mode, true);
}

/* ---- what replaces nothing ---- */

static void
part_name(const char *stem, unsigned number, const char *ending,
    char out[DROP_NAME_CAP])
{
	if (number == 0)
		(void)snprintf(out, DROP_NAME_CAP, "%s.%s", stem, ending);
	else
		(void)snprintf(out, DROP_NAME_CAP, "%s-%u.%s", stem, number,
		    ending);
}

/* KL_OK: it has these bytes already; KL_E_NOT_FOUND: it is free;
 * KL_E_EXISTS. */
static int
compare(int dir, const char *name, struct kl_bytes content)
{
	char *text;
	size_t n;
	int r = kl_fs_read_file(dir, name, content.n, &text, &n);

	if (r == KL_E_NOT_FOUND || r == KL_E_MEMORY)
		return r;
	if (r != KL_OK)
		return KL_E_EXISTS;
	r = kl_bytes_equal(kl_bytes(text, n), content) ? KL_OK : KL_E_EXISTS;
	kl_fs_read_free(text, n);
	return r;
}

/* KL_E_EXISTS: one of the names with this number is another file's. */
static int
put_parts(int dir, const char *stem, unsigned number,
    const struct drop_part *part, size_t n, mode_t mode)
{
	char name[DROP_NAME_CAP];
	int r = KL_OK;

	for (size_t i = 0; i < n; i++) {
		part_name(stem, number, part[i].ending, name);
		r = compare(dir, name, part[i].content);
		if (r != KL_OK && r != KL_E_NOT_FOUND)
			return r;
	}
	for (size_t i = 0; i < n; i++) {
		part_name(stem, number, part[i].ending, name);
		r = compare(dir, name, part[i].content);
		if (r == KL_E_NOT_FOUND)
			r = put(dir, name, part[i].content, mode, false);
		if (r != KL_OK)
			return r;
	}
	return r;
}

int
drop_put_new(int dir, const char *stem, const struct drop_part *part,
    size_t n, mode_t mode)
{
	int r = KL_E_EXISTS;

	for (unsigned i = 0; r == KL_E_EXISTS && i <= SUFFIX_MAX; i++)
		r = put_parts(dir, stem, i, part, n, mode);
	return r;
}
