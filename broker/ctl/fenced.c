#include "broker/ctl/fenced.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/crypto/note.h>
#include <kortelijn/host/fs.h>

#include "broker/ctl/exports.h"
#include "broker/ctl/paper.h"

/* False: not there, or not signed by this broker. */
static bool
note_look(const struct broker_conf *conf, const char *name,
    const struct kl_sign_pk *pk, struct kl_checkpoint *out)
{
	struct paper_path path;
	char *text = NULL;
	size_t n = 0;
	bool is;

	if (paper_path(conf->state_dir, name, &path) != KL_OK ||
	    kl_fs_read_file(AT_FDCWD, path.b, KL_NOTE_MAX - 1, &text, &n) !=
	    KL_OK)
		return false;
	is = kl_note_verify(kl_bytes(text, n), pk, out) == KL_OK;
	kl_fs_read_free(text, n);
	return is;
}

void
fenced_say(const struct cli *c, const struct broker_conf *conf)
{
	struct kl_checkpoint mark, seen;
	struct kl_sign_pk pk;

	if (exports_key(c, &pk) != CLI_OK ||
	    !note_look(conf, BROKER_MARK, &pk, &mark) ||
	    !note_look(conf, BROKER_SEEN, &pk, &seen) ||
	    !kl_checkpoint_further(&seen, &mark))
		return;
	fprintf(stderr, "It stays down on this store: a participant has shown "
	    "a checkpoint of %" PRIu64 " leaves\nof %s,\nand the store has "
	    "%" PRIu64 " of %s.\n%s and %s in %s are the two, both signed by "
	    "this\nbroker. See EXIT STATUS in kortelijnd(8).\n", seen.size,
	    seen.origin, mark.size, strcmp(mark.origin, seen.origin) == 0 ?
	    "the same log" : mark.origin, BROKER_SEEN, BROKER_MARK,
	    conf->state_dir);
}
