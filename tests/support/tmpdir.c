#include "tests/support/tmpdir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

struct tmpdir
tmpdir_make(void)
{
	const char *base = getenv("TMPDIR");
	struct tmpdir d;

	(void)snprintf(d.path, sizeof d.path, "%s/kortelijn-test-XXXXXX",
	    base != NULL && base[0] == '/' ? base : "/tmp");
	if (mkdtemp(d.path) == NULL) {
		perror(d.path);
		exit(2);
	}
	return d;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
tmpdir_remove(const struct tmpdir *d)
{
	if (nftw(d->path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0) {
		perror(d->path);
		exit(2);
	}
}

struct tmpdir_path
tmpdir_file(const struct tmpdir *d, const char *name)
{
	struct tmpdir_path p;

	(void)snprintf(p.b, sizeof p.b, "%s/%s", d->path, name);
	return p;
}
