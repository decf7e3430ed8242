#include <kortelijn/host/fs.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Not in every version of <linux/magic.h>. */
#define FS_FUSE 0x65735546
#define FS_CIFS 0xff534d42
#define FS_SMB2 0xfe534d42
#define FS_CEPH 0x00c36400
#define FS_9P 0x01021997
#define FS_XFS 0x58465342

static const struct {
	uint32_t magic;
	enum kl_fs_kind kind;
} fs_kinds[] = {
	{ EXT4_SUPER_MAGIC, KL_FS_IN_PLACE },	/* ext2 and ext3 too */
	{ FS_XFS, KL_FS_IN_PLACE },
	{ TMPFS_MAGIC, KL_FS_IN_PLACE },
	{ RAMFS_MAGIC, KL_FS_IN_PLACE },
	{ NFS_SUPER_MAGIC, KL_FS_REMOTE },
	{ SMB_SUPER_MAGIC, KL_FS_REMOTE },
	{ FS_FUSE, KL_FS_REMOTE },
	{ FS_CIFS, KL_FS_REMOTE },
	{ FS_SMB2, KL_FS_REMOTE },
	{ FS_CEPH, KL_FS_REMOTE },
	{ FS_9P, KL_FS_REMOTE },
	{ AFS_SUPER_MAGIC, KL_FS_REMOTE },
	{ CODA_SUPER_MAGIC, KL_FS_REMOTE },
};

int
kl_fs_kind(int fd, enum kl_fs_kind *out)
{
	struct statfs st;

	*out = KL_FS_COPIES;
	if (fstatfs(fd, &st) != 0)
		return KL_E_IO;
	for (size_t i = 0; i < sizeof fs_kinds / sizeof fs_kinds[0]; i++)
		if (fs_kinds[i].magic == (uint32_t)st.f_type)
			*out = fs_kinds[i].kind;
	return KL_OK;
}

/* Is `option` one of the comma-separated ones of the line's last field? */
static bool
line_has_option(const char *line, size_t n, const char *option)
{
	const size_t len = strlen(option);
	size_t start = n;

	while (start > 0 && line[start - 1] != ' ')
		start--;
	while (start < n) {
		size_t end = start;

		while (end < n && line[end] != ',')
			end++;
		if (end - start == len &&
		    memcmp(line + start, option, len) == 0)
			return true;
		start = end + 1;
	}
	return false;
}

enum kl_fs_data
kl_fs_data_mode(const char *mountinfo, dev_t dev)
{
	enum kl_fs_data found = KL_FS_DATA_UNKNOWN;
	const char *line = mountinfo;

	while (*line != '\0') {
		size_t n = strcspn(line, "\n");
		unsigned int maj, min;

		if (sscanf(line, "%*u %*u %u:%u ", &maj, &min) == 2 &&
		    maj == major(dev) && min == minor(dev)) {
			if (line_has_option(line, n, "data=journal"))
				return KL_FS_DATA_JOURNAL;
			found = KL_FS_DATA_PLAIN;
		}
		line += n;
		if (*line == '\n')
			line++;
	}
	return found;
}

/* The whole of a file under /proc, which tells no size beforehand. */
static char *
read_proc(const char *path)
{
	const size_t max = 1 << 20;
	char *text = malloc(max + 1);
	size_t n = 0;
	ssize_t got = -1;
	int fd;

	if (text == NULL)
		return NULL;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
		while (n < max && (got = read(fd, text + n, max - n)) > 0)
			n += (size_t)got;
		(void)close(fd);
	}
	if (got != 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

static int
check_journal(int fd, dev_t dev)
{
	char *text;
	enum kl_fs_data mode;
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 &&
	    (flags & FS_JOURNAL_DATA_FL) != 0)
		return KL_E_DENIED;
	if ((text = read_proc("/proc/self/mountinfo")) == NULL)
		return KL_E_IO;
	mode = kl_fs_data_mode(text, dev);
	free(text);
	return mode == KL_FS_DATA_PLAIN ? KL_OK : KL_E_DENIED;
}

/* A block shared with another file is copied when it is overwritten. */
static int
check_shared(int fd)
{
	enum { BATCH = 32 };
	union {
		struct fiemap head;
		uint8_t room[sizeof(struct fiemap) +
		    BATCH * sizeof(struct fiemap_extent)];
	} map;
	const struct fiemap_extent *last = NULL;
	uint64_t at = 0;

	for (;;) {
		memset(&map, 0, sizeof map);
		map.head.fm_start = at;
		map.head.fm_length = FIEMAP_MAX_OFFSET - at;
		map.head.fm_extent_count = BATCH;
		if (ioctl(fd, FS_IOC_FIEMAP, &map.head) != 0)
			return errno == EOPNOTSUPP || errno == ENOTTY ?
			    KL_OK : KL_E_IO;
		if (map.head.fm_mapped_extents == 0)
			return KL_OK;
		for (uint32_t i = 0; i < map.head.fm_mapped_extents; i++) {
			last = &map.head.fm_extents[i];
			if ((last->fe_flags & FIEMAP_EXTENT_SHARED) != 0)
				return KL_E_DENIED;
		}
		if ((last->fe_flags & FIEMAP_EXTENT_LAST) != 0)
			return KL_OK;
		at = last->fe_logical + last->fe_length;
	}
}

int
kl_fs_check_in_place(int fd)
{
	enum kl_fs_kind kind;
	struct statfs fs;
	struct stat st;
	int r;

	if ((r = kl_fs_kind(fd, &kind)) != KL_OK)
		return r;
	if (kind != KL_FS_IN_PLACE)
		return KL_E_DENIED;
	if (fstatfs(fd, &fs) != 0 || fstat(fd, &st) != 0)
		return KL_E_IO;
	if (fs.f_type == EXT4_SUPER_MAGIC &&
	    (r = check_journal(fd, st.st_dev)) != KL_OK)
		return r;
	return check_shared(fd);
}

int
kl_fs_check_private(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return KL_E_IO;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 077) != 0)
		return KL_E_DENIED;
	return KL_OK;
}

int
kl_fs_pwrite(int fd, const void *p, size_t n, off_t at)
{
	const uint8_t *from = p;

	while (n > 0) {
		ssize_t done = pwrite(fd, from, n, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return errno == ENOSPC || errno == EDQUOT ?
			    KL_E_FULL : KL_E_IO;
		from += done;
		n -= (size_t)done;
		at += done;
	}
	return KL_OK;
}

int
kl_fs_pread(int fd, void *p, size_t n, off_t at)
{
	uint8_t *to = p;

	while (n > 0) {
		ssize_t done = pread(fd, to, n, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return KL_E_IO;
		if (done == 0)
			return KL_E_DAMAGED;
		to += done;
		n -= (size_t)done;
		at += done;
	}
	return KL_OK;
}

/* A new name is durable only when its directory is. */
static int
sync_parent_at(int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	char dir[PATH_MAX] = ".";
	int fd, r;

	if (n >= sizeof dir)
		return KL_E_IO;
	if (n > 0) {
		memcpy(dir, path, n);
		dir[n] = '\0';
	}
	fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return KL_E_IO;
	r = fsync(fd) == 0 ? KL_OK : KL_E_IO;
	if (close(fd) != 0)
		r = KL_E_IO;
	return r;
}

int
kl_fs_sync_parent(const char *path)
{
	return sync_parent_at(AT_FDCWD, path);
}

static int
make_error(void)
{
	switch (errno) {
	case EACCES:
	case EPERM:
	case EROFS:
		return KL_E_DENIED;
	case ENOSPC:
	case EDQUOT:
		return KL_E_FULL;
	default:
		return KL_E_IO;
	}
}

static int
fill(int fd, mode_t mode, struct kl_bytes content)
{
	int r = kl_fs_pwrite(fd, content.p, content.n, 0);

	if (r == KL_OK && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
		r = KL_E_IO;
	if (close(fd) != 0 && r == KL_OK)
		r = KL_E_IO;
	return r;
}

int
kl_fs_replace(const char *path, struct kl_bytes content)
{
	return kl_fs_replace_at(AT_FDCWD, path, 0600, content);
}

int
kl_fs_replace_at(int dirfd, const char *path, mode_t mode,
    struct kl_bytes content)
{
	char fresh[PATH_MAX];
	int fd, n, r;

	n = snprintf(fresh, sizeof fresh, "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof fresh)
		return KL_E_IO;
	/* What a crash left behind must not stand in the way. */
	(void)unlinkat(dirfd, fresh, 0);
	fd = openat(dirfd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd < 0)
		return make_error();
	r = fill(fd, mode, content);
	if (r == KL_OK && renameat(dirfd, fresh, dirfd, path) != 0)
		r = KL_E_IO;
	if (r != KL_OK) {
		(void)unlinkat(dirfd, fresh, 0);
		return r;
	}
	return sync_parent_at(dirfd, path);
}

int
kl_fs_path(char *out, size_t cap, const char *dir, const char *name)
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
	if (st.st_size < 0 || (uint64_t)st.st_size > max)
		return KL_E_SIZE;
	*n = (size_t)st.st_size;
	if ((text = malloc(*n + 1)) == NULL)
		return KL_E_MEMORY;
	r = kl_fs_pread(fd, text, *n, 0);
	text[*n] = '\0';
	if (r != KL_OK) {
		kl_fs_read_free(text, *n);
		return KL_E_IO;
	}
	*out = text;
	return KL_OK;
}

int
kl_fs_read_file(int dirfd, const char *path, size_t max, char **out, size_t *n)
{
	/* A pipe under that name must not make us wait: O_NONBLOCK. */
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY);
	int r;

	*out = NULL;
	*n = 0;
	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return KL_E_NOT_FOUND;
		return errno == ELOOP || errno == EACCES || errno == ENXIO ?
		    KL_E_DENIED : KL_E_IO;
	}
	r = read_fd(fd, max, out, n);
	(void)close(fd);
	if (r != KL_OK)
		*n = 0;
	return r;
}

void
kl_fs_read_free(char *text, size_t n)
{
	if (text == NULL)
		return;
	explicit_bzero(text, n);
	free(text);
}
