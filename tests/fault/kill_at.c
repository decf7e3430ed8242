/*
 * kill_at: kills a process in front of a call that changes a file, the n-th
 * of a kind, as another process says which. Loaded in front of libc:
 *
 *   KL_KILL=FILE KL_KILL_WHO=WORD LD_PRELOAD=libkillat.so kortelijnd ...
 *
 * FILE is mapped: one byte, how many calls are left until then (0: not armed),
 * three of nothing, and the name of the kind, ended by a zero:
 * "CALL:NAME", where NAME is the file's, as in "fdatasync:data.mdb"; a pwrite
 * that syncs is "pwrite-sync", renameat has no name. Only a process with WORD
 * on its command line counts. FILE is opened before main, so it works inside a
 * sandbox.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

struct shared {
	uint8_t left, unused[3];
	char kind[60];
};

static struct shared *shared;
static struct {
	ssize_t (*pwrite)(int, const void *, size_t, off_t);
	ssize_t (*writev)(int, const struct iovec *, int);
	int (*fdatasync)(int);
	int (*fsync)(int);
	int (*renameat)(int, const char *, int, const char *);
	int (*unlinkat)(int, const char *, int);
} real;

static int
is_meant(const char *word)
{
	char line[4096];
	const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? 0 : read(fd, line, sizeof line);

	if (fd >= 0)
		(void)close(fd);
	return n > 0 && memmem(line, (size_t)n, word, strlen(word)) != NULL;
}

static void *
next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static void
find_real(void)
{
	*(void **)&real.pwrite = next("pwrite");
	*(void **)&real.writev = next("writev");
	*(void **)&real.fdatasync = next("fdatasync");
	*(void **)&real.fsync = next("fsync");
	*(void **)&real.renameat = next("renameat");
	*(void **)&real.unlinkat = next("unlinkat");
}

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("KL_KILL"), *who = getenv("KL_KILL_WHO");
	void *p;
	int fd;

	find_real();
	if (path == NULL || who == NULL || !is_meant(who))
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	p = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);
	(void)close(fd);
	if (p != MAP_FAILED)
		shared = p;
}

/* The last part of what fd names. */
static void
kind_of(const char *call, int fd, char *out, size_t cap)
{
	char link[32], path[256];
	const char *name = "";
	ssize_t n;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = fd < 0 ? -1 : readlink(link, path, sizeof path - 1);
	if (n > 0) {
		path[n] = '\0';
		name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 :
		    path;
	}
	(void)snprintf(out, cap, "%.15s:%.40s", call, name);
}

static void
step(const char *call, int fd)
{
	char kind[sizeof shared->kind];

	if (shared == NULL || shared->left == 0)
		return;
	kind_of(call, fd, kind, sizeof kind);
	if (strcmp(kind, shared->kind) != 0)
		return;
	if (--shared->left == 0)
		(void)raise(SIGKILL);
}

/* ---- what LMDB and the slots change files with ---- */

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	step((fcntl(fd, F_GETFL) & O_DSYNC) != 0 ? "pwrite-sync" : "pwrite",
	    fd);
	return real.pwrite(fd, p, n, at);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	step("writev", fd);
	return real.writev(fd, v, n);
}

int
fdatasync(int fd)
{
	step("fdatasync", fd);
	return real.fdatasync(fd);
}

int
fsync(int fd)
{
	step("fsync", fd);
	return real.fsync(fd);
}

int
renameat(int from, const char *a, int to, const char *b)
{
	step("renameat", -1);
	return real.renameat(from, a, to, b);
}

int
unlinkat(int dir, const char *name, int flags)
{
	step("unlinkat", -1);
	return real.unlinkat(dir, name, flags);
}
