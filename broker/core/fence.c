#include "broker/core/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/host/fs.h>
#include <kortelijn/host/log.h>

#include "broker/core/cycle.h"
#include "broker/core/core_main.h"
#include "broker/core/tree.h"

struct path { char b[CORE_PATH_BYTES]; };

static struct path
in_dir(const char *dir, const char *name)
{
	struct path p;

	(void)snprintf(p.b, sizeof p.b, "%s/%s", dir, name);
	return p;
}

/* An origin is signed by our own key: printable, and of nobody else. */
static void
tell(const struct core *c, const char *younger)
{
	kl_logf(KL_LOG_ERROR, "fenced_off",
	    kl_log_word("log", c->journal.origin),
	    kl_log_word("younger_log", younger),
	    kl_log_word("why", "another machine, or a newer store, has taken "
	    "over this broker: leave this one off"),
	    kl_log_word("else", "to serve from here again stop the other, "
	    "move state_dir away, then 'kortelijn origin new'"));
}

/* Both checkpoints are signed by our own key, and lie in state_dir as evidence:
 * log.mark is this store's, log.seen the other. */
static void
tell_back(const struct core *c, const struct kl_checkpoint *seen)
{
	kl_logf(KL_LOG_ERROR, "store_behind_checkpoint",
	    kl_log_word("log", c->journal.origin),
	    kl_log_num("leaves", (int64_t)c->journal.committed.size),
	    kl_log_num("leaves_shown", (int64_t)seen->size),
	    kl_log_word("why", "a participant has seen a checkpoint of this "
	    "log that does not fit this store: it is a copy of before, or "
	    "was changed"),
	    kl_log_word("evidence", BROKER_MARK " and " BROKER_SEEN
	    " in state_dir, both signed by this broker"),
	    kl_log_word("else", "put the newest store back, or move state_dir "
	    "away, then 'kortelijn origin new'"));
}

/* For the next start, which has nobody to show it. */
static void
keep(const struct core *c, struct kl_bytes note)
{
	const struct path path = in_dir(c->conf->state_dir, BROKER_SEEN);

	/* If it does not stay, the next participant shows it again. */
	if (kl_fs_replace(path.b, note) != KL_OK)
		kl_logf(KL_LOG_ERROR, "fence_not_kept",
		    kl_log_num("errno", errno));
}

/* Our own root at an older size; what cannot be read is no root of ours. */
static bool
root_was(struct core *c, const struct kl_checkpoint *seen)
{
	struct kl_range then = c->journal.committed;
	struct kl_hash root;

	if (seen->size != then.size &&
	    tree_range(c->turn.txn, seen->size, &then) != KL_OK)
		return false;
	root = kl_range_root(&then);
	return kl_bytes_equal(KL_BYTES_OF(seen->root), KL_BYTES_OF(root));
}

/* A checkpoint of this log that is ahead of our tree, or beside it: this store
 * went back, and nobody may go on with it, also if it has grown past it
 * since. */
static bool
store_went_back(struct core *c, const struct kl_checkpoint *seen)
{
	return strcmp(seen->origin, c->journal.origin) == 0 &&
	    (seen->size > c->journal.committed.size || !root_was(c, seen));
}

bool
fence_is_ours(const struct core *c, struct kl_bytes note)
{
	struct kl_checkpoint seen;

	return kl_note_verify(note, &c->journal.pk, &seen) == KL_OK &&
	    strcmp(seen.origin, c->journal.origin) == 0;
}

bool
fence_must_stop(struct core *c, struct kl_bytes note)
{
	struct kl_checkpoint seen;

	if (note.n == 0 || kl_note_verify(note, &c->journal.pk, &seen) !=
	    KL_OK)
		return false;
	if (kl_origin_older(c->journal.origin, seen.origin)) {
		c->fenced = KL_C_LOG_LEFT;
		tell(c, seen.origin);
	} else if (store_went_back(c, &seen)) {
		c->fenced = KL_C_LOG_BEHIND;
		tell_back(c, &seen);
	} else {
		return false;
	}
	keep(c, note);
	core_end(c, CORE_EXIT_OPERATOR);
	return true;
}

int
fence_answer(const struct core *c, struct kl_arena *mem, struct answer *out)
{
	const struct kl_hello_reply r = {
		.realm = c->registry.realm, .report_in = KL_NO,
		.take_over = KL_NO, .note = kl_bytes_str(c->journal.note.b),
	};

	if (c->fenced == 0)
		return KL_E_NOT_FOUND;
	*out = (struct answer){ .code = c->fenced };
	return KL_MESSAGE_PACK_IN(KL_M_HELLO_REPLY, &r, mem, &out->body);
}

/* Trailing white space is the line's end. "": there is none. */
static struct kl_origin
name_kept(const struct core *c)
{
	const struct path path = in_dir(c->conf->config_dir, BROKER_ORIGIN);
	struct kl_origin o = { "" };
	char *text;
	size_t n;

	if (kl_fs_read_file(AT_FDCWD, path.b, sizeof o.b - 1, &text, &n) !=
	    KL_OK)
		return o;
	memcpy(o.b, text, n);
	o.b[strcspn(o.b, " \r\n")] = '\0';
	kl_fs_read_free(text, n);
	return o;
}

static bool
note_read(const struct core *c, const char *dir, const char *name,
    struct kl_note *note, struct kl_checkpoint *out)
{
	const struct path path = in_dir(dir, name);

	return journal_mark_read(path.b, &c->journal.pk, note, out) == KL_OK;
}

bool
fence_closed(struct core *c)
{
	const struct kl_origin kept = name_kept(c);
	struct kl_checkpoint seen;
	struct kl_note note;
	const char *younger = NULL;
	const bool shown = note_read(c, c->conf->state_dir, BROKER_SEEN,
	    &note, &seen);

	if (shown && store_went_back(c, &seen)) {
		tell_back(c, &seen);
		return true;
	}
	if (shown && kl_origin_older(c->journal.origin, seen.origin))
		younger = seen.origin;
	else if (kl_origin_older(c->journal.origin, kept.b))
		younger = kept.b;
	if (younger != NULL)
		tell(c, younger);
	return younger != NULL;
}

void
fence_keep_name(const struct core *c)
{
	const struct path path = in_dir(c->conf->config_dir, BROKER_ORIGIN);
	const struct kl_origin kept = name_kept(c);
	char line[KL_ORIGIN_MAX + 1];

	if (strcmp(kept.b, c->journal.origin) == 0)
		return;
	(void)snprintf(line, sizeof line, "%s\n", c->journal.origin);
	if (kl_fs_replace(path.b, kl_bytes_str(line)) != KL_OK)
		kl_logf(KL_LOG_WARN, "log_name_not_kept",
		    kl_log_word("why", "log.origin in config_dir cannot be "
		    "written: an old store may be taken for this one"),
		    kl_log_num("errno", errno));
}

void
fence_begin_after(struct core *c)
{
	const struct kl_origin kept = name_kept(c);

	memcpy(c->journal.after, kept.b, sizeof c->journal.after);
}

struct kl_note
fence_last_note(const struct core *c)
{
	const struct { const char *dir, *name; } from[] = {
		{ c->conf->state_dir, BROKER_MARK },
		{ c->conf->state_dir, BROKER_SEEN },
		{ c->conf->config_dir, BROKER_LAST_CHECKPOINT },
	};
	struct kl_note last = { "" }, note;
	struct kl_checkpoint at, best;

	for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
		if (!note_read(c, from[i].dir, from[i].name, &note, &at) ||
		    (last.b[0] != '\0' &&
		    !kl_checkpoint_further(&at, &best)))
			continue;
		last = note;
		best = at;
	}
	return last;
}
