/* Making and opening the two files behind slots.h. */
#include "proto/host/slots_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/host/fs.h>

#define NAME_MASTER_NEW "master.new"

int
kl_slots_file_error(void)
{
	return errno == ENOSPC || errno == EDQUOT ? KL_E_FULL : KL_E_IO;
}

/* ---- making both files ---- */

int
kl_slots_file_new(const struct kl_slots *s, const char *name, int *fd)
{
	if (unlinkat(s->dir_fd, name, 0) != 0 && errno != ENOENT)
		return KL_E_IO;
	*fd = openat(s->dir_fd, name,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return *fd >= 0 ? KL_OK : kl_slots_file_error();
}

static int
file_finish(int fd, int r)
{
	if (r == KL_OK && fsync(fd) != 0)
		r = kl_slots_file_error();
	if (close(fd) != 0 && r == KL_OK)
		r = KL_E_IO;
	return r;
}

static int
slots_write(const struct slot_file *f, uint32_t count)
{
	enum { BATCH = 32 };
	struct slot_sector batch[BATCH];
	struct kl_slot_key key;
	uint32_t done = 0;
	int r;

	kl_slot_head_fill(f, count, &batch[0]);
	r = kl_fs_pwrite(f->fd, &batch[0], SLOTS_SECTOR, 0);
	while (r == KL_OK && done < count) {
		uint32_t n = count - done < BATCH ? count - done : BATCH;

		for (uint32_t i = 0; i < n; i++) {
			kl_random(&key, sizeof key);
			kl_slot_sector_fill(f, done + i, &key, &batch[i]);
		}
		r = kl_fs_pwrite(f->fd, batch, (size_t)n * SLOTS_SECTOR,
		    kl_slot_sector_offset(done));
		done += n;
	}
	kl_wipe(&key, sizeof key);
	return r;
}

static int
make_slots(const struct kl_slots *s, const struct kl_secret *master,
    const struct kl_slots_options *o)
{
	struct slot_file f = { .fd = -1, .direct_fd = -1, .generation = 1,
		.made_ms = o->now_ms };
	int r;

	if ((r = kl_slot_file_keys(&f, kl_secret_bytes(master))) == KL_OK &&
	    (r = kl_slots_file_new(s, SLOTS_NAME_NEW, &f.fd)) == KL_OK) {
		r = file_finish(f.fd, slots_write(&f, o->count));
		f.fd = -1;
	}
	kl_slot_file_clear(&f);
	return r;
}

static int
make_master(const struct kl_slots *s, const struct kl_secret *master)
{
	struct slot_sector sector[2];
	int fd, r;

	if ((r = kl_slots_file_new(s, NAME_MASTER_NEW, &fd)) != KL_OK)
		return r;
	kl_slots_master_fill(1, kl_secret_bytes(master), s->secret, sector);
	r = kl_fs_pwrite(fd, sector, sizeof sector, 0);
	kl_wipe(sector, sizeof sector);
	return file_finish(fd, r);
}

static int
rename_synced(const struct kl_slots *s, const char *from, const char *to)
{
	return renameat(s->dir_fd, from, s->dir_fd, to) == 0 &&
	    fsync(s->dir_fd) == 0 ? KL_OK : KL_E_IO;
}

/* Both are whole and synced before either gets its name; the master first, so
 * that a crash between the two leaves the case files_settle finishes. */
static int
files_make(const struct kl_slots *s, const struct kl_slots_options *o)
{
	struct kl_secret *master = kl_secret_random(SLOTS_MASTER_BYTES);
	int r;

	if (master == NULL)
		return KL_E_MEMORY;
	if ((r = make_slots(s, master, o)) == KL_OK &&
	    (r = make_master(s, master)) == KL_OK &&
	    (r = rename_synced(s, NAME_MASTER_NEW, SLOTS_NAME_MASTER)) ==
	    KL_OK)
		r = rename_synced(s, SLOTS_NAME_NEW, SLOTS_NAME);
	kl_secret_free(master);
	return r;
}

static bool
there(const struct kl_slots *s, const char *name)
{
	return faccessat(s->dir_fd, name, F_OK, 0) == 0;
}

/* Makes what is not there, ends what a crash interrupted: a new slot file
 * beside one that is there was not committed. */
static int
files_settle(const struct kl_slots *s, const struct kl_slots_options *o)
{
	const bool slots = there(s, SLOTS_NAME);
	const bool master = there(s, SLOTS_NAME_MASTER);

	if (!slots && !master)
		return files_make(s, o);
	if (!slots && there(s, SLOTS_NAME_NEW))
		return rename_synced(s, SLOTS_NAME_NEW, SLOTS_NAME);
	if (!slots || !master)
		return KL_E_DAMAGED;
	if (there(s, SLOTS_NAME_NEW) &&
	    unlinkat(s->dir_fd, SLOTS_NAME_NEW, 0) != 0)
		return KL_E_IO;
	return KL_OK;
}

/* ---- opening ---- */

static int
file_open(const struct kl_slots *s, const char *name, int *fd)
{
	int r;

	*fd = openat(s->dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return errno == EACCES || errno == ELOOP ?
		    KL_E_DENIED : KL_E_IO;
	if ((r = kl_fs_check_private(*fd)) != KL_OK)
		return r;
	return s->erasure == KL_ERASURE_VERIFIED ?
	    kl_fs_check_in_place(*fd) : KL_OK;
}

/* The keys are not known yet: they hang on the generation that stands here,
 * and the MAC is checked under them afterwards. */
static int
head_read(struct kl_slots *s, struct slot_sector *head)
{
	struct stat st;
	int r;

	if ((r = kl_fs_pread(s->file.fd, head, SLOTS_SECTOR, 0)) != KL_OK ||
	    (r = kl_slot_head_read(head, &s->file, &s->count)) != KL_OK)
		return r;
	if (fstat(s->file.fd, &st) != 0)
		return KL_E_IO;
	return st.st_size == kl_slot_sector_offset(s->count) ?
	    KL_OK : KL_E_DAMAGED;
}

static int
files_open(struct kl_slots *s, const struct kl_slots_options *o)
{
	struct slot_sector head;
	int r;

	if ((r = file_open(s, SLOTS_NAME, &s->file.fd)) != KL_OK ||
	    (r = file_open(s, SLOTS_NAME_MASTER, &s->master_fd)) != KL_OK ||
	    (r = head_read(s, &head)) != KL_OK ||
	    (r = kl_slots_master_load(s, o->secret_before)) != KL_OK)
		return r;
	if (!kl_slot_head_holds(&s->file, &head))
		return KL_E_DAMAGED;
	/* Opened now: later no path may be opened any more. */
	s->file.direct_fd = openat(s->dir_fd, SLOTS_NAME,
	    O_RDONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW);
	return KL_OK;
}

/* Asked of the directory before keys are written into it. */
static int
dir_open(struct kl_slots *s, const char *dir)
{
	enum kl_fs_kind kind;
	int r;

	s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		return errno == EACCES ? KL_E_DENIED : KL_E_IO;
	if ((r = kl_fs_kind(s->dir_fd, &kind)) != KL_OK)
		return r;
	return s->erasure == KL_ERASURE_VERIFIED && kind != KL_FS_IN_PLACE ?
	    KL_E_DENIED : KL_OK;
}

int
kl_slots_file_open(struct kl_slots *s, const char *dir,
    const struct kl_slots_options *o)
{
	int r;

	s->erasure = o->erasure;
	if (o->secret != NULL &&
	    (s->secret = kl_secret_copy(kl_secret_bytes(o->secret))) == NULL)
		return KL_E_MEMORY;
	if ((r = dir_open(s, dir)) != KL_OK ||
	    (r = files_settle(s, o)) != KL_OK)
		return r;
	return files_open(s, o);
}
