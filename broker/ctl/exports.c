#include "broker/ctl/exports.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/ctl/trust.h"
#include "proto/cli/output.h"

#define ENDING ".klog"

bool
exports_name_ok(const char *name)
{
	const size_t n = strlen(name);

	return n >= sizeof ENDING && name[0] != '.' &&
	    strcmp(name + n - (sizeof ENDING - 1), ENDING) == 0;
}

int
exports_head(const char *path, struct kl_logfile_head *out, size_t *n)
{
	uint8_t buf[KL_LOGFILE_HEAD_MAX];
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t got;

	*n = 0;
	memset(out, 0, sizeof *out);
	if (fd < 0)
		return errno == ENOENT ? KL_E_NOT_FOUND :
		    errno == EACCES ? KL_E_DENIED : KL_E_IO;
	got = read(fd, buf, sizeof buf);
	(void)close(fd);
	return got < 0 ? KL_E_IO : kl_logfile_head_read(kl_bytes(buf,
	    (size_t)got), out, n);
}

/* One file: is it better than what there is? */
static void
look(const char *dir, const char *name, const struct kl_sign_pk *pk,
    struct kl_note *note, struct kl_checkpoint *best)
{
	struct kl_logfile_head h;
	struct kl_checkpoint c;
	struct paper_path path;
	size_t n;

	if (paper_path(dir, name, &path) != KL_OK ||
	    exports_head(path.b, &h, &n) != KL_OK ||
	    kl_note_verify(kl_bytes_str(h.note.b), pk, &c) != KL_OK ||
	    (note->b[0] != '\0' && !kl_checkpoint_further(&c, best)))
		return;
	*note = h.note;
	*best = c;
}

int
exports_newest(const char *dir, const struct kl_sign_pk *pk,
    struct kl_note *note, struct kl_checkpoint *c)
{
	const struct dirent *e;
	DIR *d = opendir(dir);

	note->b[0] = '\0';
	while (d != NULL && (e = readdir(d)) != NULL)
		if (exports_name_ok(e->d_name))
			look(dir, e->d_name, pk, note, c);
	if (d != NULL)
		(void)closedir(d);
	return note->b[0] != '\0' ? KL_OK : KL_E_NOT_FOUND;
}

int
exports_key(const struct cli *c, struct kl_sign_pk *out)
{
	struct ctl_trust t;
	const int r = ctl_trust(c, &t);

	*out = t.sign;
	return r;
}
