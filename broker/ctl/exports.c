#include "broker/ctl/exports.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/ctl/paper.h"
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

static int
card_key(const struct cli *c, const char *card,
    const struct paper_authority *a, struct kl_sign_pk *out)
{
	struct paper *p = paper_new();
	int r = p == NULL ? KL_E_MEMORY : paper_card_read(p, card, a);

	if (r == KL_OK && p->card.role != KL_BROKER)
		r = KL_E_VALUE;
	if (r == KL_OK)
		*out = p->card.sign_pk;
	paper_free(p);
	return r == KL_OK ? CLI_OK : output_fail_err(c, r, card);
}

int
exports_key(const struct cli *c, struct kl_sign_pk *out)
{
	const char *card = cli_option(c, "card");
	const char *from = cli_option(c, "authority");
	struct paper_authority a = { 0 };
	struct broker_conf conf;
	struct paper_path path;
	int r;

	if (card != NULL && from == NULL)
		return cli_missing(c, "authority");
	if (card != NULL) {
		if ((r = paper_authority_read(from, &a)) != KL_OK)
			return output_fail_err(c, r, from);
		return card_key(c, card, &a, out);
	}
	if ((r = ctl_conf(c, &conf)) != CLI_OK)
		return r;
	a.pk = conf.authority;
	a.realm = conf.realm;
	if (paper_path(conf.config_dir, BROKER_CARD, &path) != KL_OK)
		return output_fail_err(c, KL_E_SIZE, conf.config_dir);
	return card_key(c, path.b, &a, out);
}
