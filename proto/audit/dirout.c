#include "proto/audit/dirout.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/host/fs.h>

#define PART ".part"
#define WALK_FDS 16

struct audit_dirout {
	char path[AUDIT_DIR_PATH_MAX];
	char part[AUDIT_DIR_PATH_MAX + sizeof PART];
	int fd;				/* of part */
	struct audit_tiles tiles;
	bool tiles_ended;
	uint64_t read;			/* tile in `back`, plus 1 */
	struct kl_hash back[AUDIT_TILE_HASHES];
	uint64_t records;		/* entries in bundles so far */
	struct kl_writer w;		/* of the bundle that grows */
	uint8_t bundle[AUDIT_BUNDLE_MAX];
};

static int
err_of(int e)
{
	switch (e) {
	case ENOENT:
	case ENOTDIR: return KL_E_NOT_FOUND;
	case EEXIST:
	case ENOTEMPTY:
	case EWOULDBLOCK: return KL_E_EXISTS;
	case EACCES:
	case EPERM:
	case EROFS: return KL_E_DENIED;
	case ENOSPC:
	case EDQUOT: return KL_E_FULL;
	case ENAMETOOLONG: return KL_E_SIZE;
	default: return KL_E_IO;
	}
}

/* ---- its place ---- */

static int
remove_one(const char *path, const struct stat *st, int type,
    struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

/* Held as long as it is open: nobody else writes there, or takes it away. */
static int
part_lock(const char *part, int *fd)
{
	*fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return err_of(errno);
	return flock(*fd, LOCK_EX | LOCK_NB) == 0 ? KL_OK : err_of(errno);
}

/* Of an export that was cut, and that nobody writes any more. */
static int
part_remove(const char *part)
{
	int fd, r = part_lock(part, &fd);

	if (r == KL_OK && nftw(part, remove_one, WALK_FDS, FTW_DEPTH |
	    FTW_PHYS) != 0)
		r = err_of(errno);
	if (fd >= 0)
		(void)close(fd);
	return r;
}

/* Whatever else a directory of that name may be, it is left alone. */
static int
part_clear(const char *part)
{
	char mark[AUDIT_DIR_PATH_MAX + 32];
	struct stat st;

	if (lstat(part, &st) != 0)
		return errno == ENOENT ? KL_OK : err_of(errno);
	(void)snprintf(mark, sizeof mark, "%s/" AUDIT_DIR_MARK, part);
	if (!S_ISDIR(st.st_mode) || lstat(mark, &st) != 0 ||
	    !S_ISREG(st.st_mode))
		return KL_E_EXISTS;
	return part_remove(part);
}

static int
part_make(struct audit_dirout *o)
{
	static const char mark[] = "kortelijn audit export 1\n";
	struct stat st;
	int r;

	if (lstat(o->path, &st) == 0)
		return KL_E_EXISTS;
	if ((r = part_clear(o->part)) != KL_OK)
		return r;
	if (mkdir(o->part, 0700) != 0)
		return err_of(errno);
	if ((r = part_lock(o->part, &o->fd)) != KL_OK)
		return r;
	return audit_dirout_file(o, AUDIT_DIR_MARK,
	    kl_bytes_str(mark));
}

static int
tile_put(void *arg, uint32_t level, uint64_t number,
    const struct kl_hash *hashes, uint32_t width)
{
	const struct audit_tile_path path = audit_tile_path(level, number,
	    width);

	return audit_dirout_file(arg, path.b,
	    kl_bytes(hashes, width * sizeof *hashes));
}

int
audit_dirout_begin(const char *path, struct audit_dirout **out)
{
	struct audit_dirout *o = calloc(1, sizeof *o);
	size_t n = strlen(path);
	int r;

	*out = NULL;
	if (o == NULL)
		return KL_E_MEMORY;
	while (n > 1 && path[n - 1] == '/')
		n--;
	o->fd = -1;
	kl_writer_init(&o->w, o->bundle, sizeof o->bundle);
	audit_tiles_init(&o->tiles, tile_put, o);
	if (n == 0 || n >= sizeof o->path) {
		free(o);
		return n == 0 ? KL_E_NOT_FOUND : KL_E_SIZE;
	}
	memcpy(o->path, path, n);
	(void)snprintf(o->part, sizeof o->part, "%s" PART, o->path);
	if ((r = part_make(o)) != KL_OK) {
		audit_dirout_free(o);
		return r;
	}
	*out = o;
	return KL_OK;
}

void
audit_dirout_free(struct audit_dirout *o)
{
	if (o == NULL)
		return;
	if (o->fd >= 0)
		(void)close(o->fd);
	free(o);
}

/* ---- files ---- */

static int
parents_make(int fd, const char *name)
{
	char path[AUDIT_DIR_PATH_MAX];

	for (const char *s = strchr(name, '/'); s != NULL;
	    s = strchr(s + 1, '/')) {
		(void)snprintf(path, sizeof path, "%.*s", (int)(s - name),
		    name);
		if (mkdirat(fd, path, 0700) != 0 && errno != EEXIST)
			return err_of(errno);
	}
	return KL_OK;
}

static int
file_open(struct audit_dirout *o, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW;
	int fd = openat(o->fd, name, flags, 0600), r;

	if (fd >= 0 || errno != ENOENT)
		return fd >= 0 ? fd : err_of(errno);
	if ((r = parents_make(o->fd, name)) != KL_OK)
		return r;
	fd = openat(o->fd, name, flags, 0600);
	return fd >= 0 ? fd : err_of(errno);
}

int
audit_dirout_file(struct audit_dirout *o, const char *name,
    struct kl_bytes content)
{
	int fd, r;

	if (strlen(name) >= AUDIT_DIR_PATH_MAX)
		return KL_E_SIZE;
	if ((fd = file_open(o, name)) < 0)
		return fd;
	r = kl_fs_pwrite(fd, content.p, content.n, 0);
	return close(fd) == 0 || r != KL_OK ? r : err_of(errno);
}

int
audit_dirout_stream(struct audit_dirout *o, const char *name, FILE **f)
{
	const int fd = file_open(o, name);

	*f = NULL;
	if (fd < 0)
		return fd;
	if ((*f = fdopen(fd, "w")) != NULL)
		return KL_OK;
	(void)close(fd);
	return KL_E_MEMORY;
}

/* ---- leaves and records ---- */

int
audit_dirout_leaf(struct audit_dirout *o, const struct kl_hash *leaf)
{
	return o->tiles_ended ? KL_E_VALUE :
	    audit_tiles_append(&o->tiles, leaf);
}

/* The bundle of the entries so far, of which it has `width`. */
static int
bundle_flush(struct audit_dirout *o, uint32_t width)
{
	const struct audit_tile_path path = audit_bundle_path(
	    (o->records - 1) / AUDIT_TILE_HASHES, width);
	int r = audit_dirout_file(o, path.b, kl_writer_bytes(&o->w));

	kl_writer_init(&o->w, o->bundle, sizeof o->bundle);
	return r;
}

static int
entry_put(struct audit_dirout *o, const uint8_t *salt, struct kl_bytes record)
{
	audit_bundle_put(&o->w, salt, record);
	o->records++;
	return o->records % AUDIT_TILE_HASHES == 0 ?
	    bundle_flush(o, AUDIT_TILE_HASHES) : KL_OK;
}

static int
none_until(struct audit_dirout *o, uint64_t leaf)
{
	int r = KL_OK;

	while (o->records < leaf && r == KL_OK)
		r = entry_put(o, NULL, KL_BYTES_NONE);
	return r;
}

int
audit_dirout_record(struct audit_dirout *o, uint64_t leaf,
    const uint8_t salt[AUDIT_SALT_BYTES], struct kl_bytes record)
{
	int r;

	if (leaf < o->records)
		return KL_E_VALUE;
	if (record.n > KL_RECORD_MAX)
		return KL_E_SIZE;
	if ((r = none_until(o, leaf)) != KL_OK)
		return r;
	return entry_put(o, salt, record);
}

/* Written hashes are read again rather than kept. */
static int
tile_read(struct audit_dirout *o, uint64_t number)
{
	const uint32_t width = audit_tile_width(o->tiles.size, 0, number);
	const struct audit_tile_path path = audit_tile_path(0, number, width);
	int fd, r;

	if ((fd = openat(o->fd, path.b, O_RDONLY | O_CLOEXEC)) < 0)
		return err_of(errno);
	r = kl_fs_pread(fd, o->back, width * sizeof o->back[0], 0);
	(void)close(fd);
	o->read = r == KL_OK ? number + 1 : 0;
	return r == KL_OK ? KL_OK : KL_E_IO;
}

int
audit_dirout_hash(struct audit_dirout *o, uint64_t leaf, struct kl_hash *out)
{
	const uint64_t number = leaf / AUDIT_TILE_HASHES;
	int r;

	if (leaf >= o->tiles.size || !o->tiles_ended)
		return KL_E_VALUE;
	if (o->read != number + 1 && (r = tile_read(o, number)) != KL_OK)
		return r;
	*out = o->back[leaf % AUDIT_TILE_HASHES];
	return KL_OK;
}

struct kl_hash
audit_dirout_root(const struct audit_dirout *o)
{
	return audit_tiles_root(&o->tiles);
}

uint64_t
audit_dirout_size(const struct audit_dirout *o)
{
	return o->tiles.size;
}

/* ---- the end ---- */

int
audit_dirout_leaves_end(struct audit_dirout *o)
{
	if (o->tiles_ended)
		return KL_OK;
	o->tiles_ended = true;
	return audit_tiles_end(&o->tiles);
}

int
audit_dirout_end(struct audit_dirout *o)
{
	uint32_t width;
	int r;

	if (o->records > o->tiles.size)
		return KL_E_VALUE;
	if ((r = none_until(o, o->tiles.size)) != KL_OK)
		return r;
	width = (uint32_t)(o->records % AUDIT_TILE_HASHES);
	if (width > 0 && (r = bundle_flush(o, width)) != KL_OK)
		return r;
	return audit_dirout_leaves_end(o);
}

int
audit_dirout_place(struct audit_dirout *o)
{
	if (syncfs(o->fd) != 0)
		return err_of(errno);
	if (renameat2(AT_FDCWD, o->part, AT_FDCWD, o->path,
	    RENAME_NOREPLACE) != 0)
		return err_of(errno);
	return kl_fs_sync_parent(o->path);
}
