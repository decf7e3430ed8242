/*
 * synccount: counts how often a process asks the disk to be done, in a file
 * that another process maps. Loaded in front of libc:
 *
 *   KL_SYNC_COUNT=FILE LD_PRELOAD=libsynccount.so kortelijnd ...
 *
 * The file is opened before main, so it works inside a sandbox.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t *counter;
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);

static void *
next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("KL_SYNC_COUNT");
	void *p;
	int fd;

	*(void **)&real_fdatasync = next("fdatasync");
	*(void **)&real_fsync = next("fsync");
	if (path == NULL)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof *counter) != 0)
		return;
	p = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	(void)close(fd);
	if (p != MAP_FAILED)
		counter = p;
}

static void
count(void)
{
	if (counter != NULL)
		(void)__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

int
fdatasync(int fd)
{
	count();
	return real_fdatasync(fd);
}

int
fsync(int fd)
{
	count();
	return real_fsync(fd);
}
