#include "broker/core/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/log.h>
#include <kortelijn/host/master.h>

#include "broker/core/approvals.h"
#include "broker/core/core_main.h"
#include "broker/core/cycle.h"
#include "broker/core/erase.h"
#include "broker/core/fence.h"
#include "broker/core/exporter.h"
#include "broker/core/papers.h"
#include "broker/core/repair.h"
#include "broker/core/policy.h"
#include "broker/core/tables.h"

#define MEM_BYTES (4u << 20)	/* of one request, or of one turn's erasing */
#define MEM_ALLOCS 65536
#define IN_BYTES (256u << 10)	/* what one request may unpack to */
#define IN_ALLOCS 512
#define OUT_BYTES (4u << 20)	/* answers of one turn */
#define OUT_ALLOCS 4096
#define QUEUE_BYTES (8u << 20)	/* answers that edge has not taken yet */
#define EVENTS_MAX 4096		/* of one turn, for the trace */

/* Slots of their own, from the first start on. */
#define SLOT_INDEX_KEY 0
#define SLOT_MAC_KEY 1

static const char meta_must_report[] = "must_report";
static const char meta_marked[] = "marked";
static const char meta_format[] = "format";

/* Grows when a program of before would not find its way in the store, or this
 * one would miss something in one of before: rows that it goes by and that
 * were not written then. */
#define STORE_FORMAT 3

struct path { char b[CORE_PATH_BYTES]; };

static struct path
in_dir(const char *dir, const char *name)
{
	struct path p;

	(void)snprintf(p.b, sizeof p.b, "%s/%s", dir, name);
	return p;
}

static bool
there(const struct path *p)
{
	return access(p->b, F_OK) == 0;
}

/* Only an operator can mend it. */
static int
needs_operator(const char *event, const char *why)
{
	kl_logf(KL_LOG_ERROR, event, kl_log_word("why", why),
	    kl_log_num("errno", errno));
	return CORE_EXIT_OPERATOR;
}

/* ---- memory and keys ---- */

static int
memory_open(struct core *c)
{
	c->mem = kl_arena_new(MEM_BYTES, MEM_ALLOCS);
	c->in_mem = kl_arena_new(IN_BYTES, IN_ALLOCS);
	c->out_mem = kl_arena_new(OUT_BYTES, OUT_ALLOCS);
	c->session = calloc(REGISTRY_PARTICIPANTS_MAX, sizeof *c->session);
	c->in = malloc(PIPE_MSG_MAX);
	c->out = pipe_out_new(c->pipe_fd, QUEUE_BYTES);
	c->fetch_due_ms = INT64_MAX;
	c->turn = (struct turn){ .mem = c->mem, .vault = &c->vault,
		.journal = &c->journal, .box = &c->box,
		.policy = &c->policy };
	kl_policy_defaults(&c->policy);
	return c->mem != NULL && c->in_mem != NULL && c->out_mem != NULL &&
	    c->session != NULL && c->in != NULL && c->out != NULL ?
	    CORE_EXIT_STOPPED : needs_operator("cannot_start", "no memory");
}

static int
keys_open(struct core *c)
{
	const struct path key = in_dir(c->conf->config_dir, "log.key");
	int r = kl_keyfile_read(AT_FDCWD, key.b, "log", &c->log_sk);

	if (r == KL_OK)
		r = kl_sign_public(c->log_sk, &c->journal.pk);
	if (r != KL_OK)
		return needs_operator("log_key_unusable", kl_err_text(r));
	c->journal.vault = &c->vault;
	c->journal.sk = c->log_sk;
	c->registry.authority = c->conf->authority;
	c->registry.realm = (uint32_t)c->conf->realm;
	return papers_broker(c) == KL_OK ? CORE_EXIT_STOPPED :
	    CORE_EXIT_OPERATOR;
}

/* ---- the store ---- */

/* An empty store is begun only on the word of `kortelijn broker init` or
 * `kortelijn origin new`, which is used up by it: a store that is gone must
 * never pass for one that was never there. */
struct found {
	bool store, mark;
	bool allowed, first;		/* by that word; for the first time */
	struct path store_path, allowed_path;
};

static const char first_start[] = BROKER_FIRST_START "\n";

static bool
says_first_start(const struct path *p)
{
	char text[sizeof first_start];
	int fd = open(p->b, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof text);
	(void)close(fd);
	return n == (ssize_t)sizeof first_start - 1 &&
	    memcmp(text, first_start, (size_t)n) == 0;
}

static struct found
look(const struct core *c)
{
	const struct path mark = in_dir(c->conf->state_dir, BROKER_MARK);
	struct found f = {
		.store_path = in_dir(c->conf->state_dir, BROKER_STORE),
		.allowed_path = in_dir(c->conf->config_dir, BROKER_NEW_STORE),
	};

	f.store = there(&f.store_path);
	f.mark = there(&mark);
	f.allowed = there(&f.allowed_path);
	f.first = f.allowed && !f.mark && says_first_start(&f.allowed_path);
	return f;
}

/* Keys of a store that is gone open nothing any more. */
static void
old_keys_drop(const struct core *c)
{
	static const char *const names[] = { "slots", "master", "slots.new",
		"master.new" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct path p = in_dir(c->conf->state_dir, names[i]);

		(void)unlink(p.b);
	}
}

/* The first two slots, whoever else is there. */
static int
fixed_key(struct core *c, uint32_t slot, struct kl_slot_key *out)
{
	int r = kl_slots_mark_used(c->vault.slots, slot);

	return r != KL_OK ? r : kl_slots_key(c->vault.slots, slot, out);
}

/* What is damaged stays so: nothing mends it, and nothing is lost by it. */
static const char *
store_words(int err)
{
	return err == KL_E_DAMAGED ? "damaged, or a part is missing. Move "
	    "state_dir away, then 'kortelijn origin new'; the adapters send "
	    "again what is open" : kl_err_text(err);
}

static int
slots_wrong(int err)
{
	if (err == KL_E_DENIED)
		return needs_operator("slots_unusable", "this file system "
		    "may keep copies of erased keys, or the file can be read "
		    "by others; see erasure in kortelijnd.conf");
	return needs_operator("slots_unusable", kl_master_advice(err) != NULL ?
	    kl_master_advice(err) : store_words(err));
}

static int
slots_open(struct core *c)
{
	const struct kl_master_files files = { c->conf->master_key,
		c->conf->master_key_old, c->conf->state_dir };
	struct kl_slots_options o = { .count = (uint32_t)c->conf->slots,
		.erasure = c->conf->erasure,
		.now_ms = kl_clock_now_ms(&c->clock) };
	struct kl_conf_error error = { "" };
	struct kl_master m;
	int r;

	if ((r = kl_master_read(&files, &m, &error)) != KL_OK)
		return needs_operator("master_key_unusable",
		    error.b[0] != '\0' ? error.b : kl_err_text(r));
	o.secret = m.secret;
	o.secret_before = m.before;
	r = kl_slots_open_with(c->conf->state_dir, &o, &c->vault.slots);
	kl_master_clear(&m);
	if (r != KL_OK)
		return slots_wrong(r);
	if (!kl_slots_sealed(c->vault.slots))
		kl_logf(KL_LOG_WARN, "master_key_beside_slots", kl_log_word(
		    "so", "who gets the disk gets the keys; see master_key in "
		    "kortelijnd.conf(5)"));
	return CORE_EXIT_STOPPED;
}

static int
files_open(struct core *c)
{
	const struct path store = in_dir(c->conf->state_dir, BROKER_STORE);
	struct kl_slot_key mac;
	int r;

	if ((r = slots_open(c)) != CORE_EXIT_STOPPED)
		return r;
	if ((r = fixed_key(c, SLOT_INDEX_KEY, &c->vault.index_key)) !=
	    KL_OK || (r = fixed_key(c, SLOT_MAC_KEY, &mac)) != KL_OK)
		return needs_operator("slots_unusable", store_words(r));
	r = kl_kv_open(store.b, (size_t)c->conf->map_mb << 20,
	    KL_BYTES_OF(mac), &c->kv);
	kl_wipe(&mac, sizeof mac);
	return r == KL_OK ? CORE_EXIT_STOPPED :
	    needs_operator("store_unusable", store_words(r));
}

/* In a turn. `arg` is a struct found. */
static int
origin_make(struct core *c, void *arg)
{
	static const uint8_t format[1] = { STORE_FORMAT };
	const struct found *f = arg;
	const struct kl_note before = fence_last_note(c);
	uint8_t at[8];
	int r;

	fence_begin_after(c);
	r = journal_create(&c->journal, c->turn.txn, c->turn.now_ms, &before,
	    c->mem);
	if (r == KL_OK)
		r = kl_kv_put(c->turn.txn, T_META, kl_bytes_str(meta_format),
		    KL_BYTES_OF(format));
	if (r != KL_OK || f->first)
		return r;
	c->registry.must_report = true;
	c->registry.lost_ms = c->turn.now_ms;
	kl_be64_put(at, (uint64_t)c->turn.now_ms);
	return kl_kv_put(c->turn.txn, T_META, kl_bytes_str(meta_must_report),
	    KL_BYTES_OF(at));
}

static int
store_lost(void)
{
	return needs_operator("store_lost", "the store is gone; 'kortelijn "
	    "origin new' lets a new one begin");
}

static int
store_new(struct core *c, struct found *f)
{
	if (!f->allowed)
		return store_lost();
	/* A crash in the middle of this finds data.mdb without an origin. */
	if (cycle_run(c, origin_make, f) != KL_OK)
		return CORE_EXIT_COMMIT;
	kl_logf(KL_LOG_WARN, "store_new", kl_log_word("reason",
	    f->first ? BROKER_FIRST_START : "the operator allowed it"));
	return CORE_EXIT_STOPPED;
}

static bool
meta_there(struct kl_kv_txn *txn, const char *name)
{
	struct kl_bytes v;

	return kl_kv_get(txn, T_META, kl_bytes_str(name), &v) == KL_OK;
}

/* Did this origin begin after a loss, and when? */
static int
loss_load(struct core *c, struct kl_kv_txn *txn)
{
	struct kl_bytes v;
	int r = kl_kv_get(txn, T_META, kl_bytes_str(meta_must_report), &v);

	c->registry.must_report = r == KL_OK;
	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	if (v.n != 8)
		return KL_E_DAMAGED;
	c->registry.lost_ms = (int64_t)kl_be64(v.p);
	return KL_OK;
}

static bool
format_is_ours(struct kl_kv_txn *txn)
{
	struct kl_bytes v;

	return kl_kv_get(txn, T_META, kl_bytes_str(meta_format), &v) ==
	    KL_OK && v.n == 1 && v.p[0] == STORE_FORMAT;
}

static int
format_wrong(void)
{
	/* A word of the log has 120 bytes. */
	return needs_operator("store_format", "made by another version. "
	    "Start that one, or move state_dir away, then 'kortelijn origin "
	    "new'; adapters send again");
}

static int
parts_load(struct core *c, struct kl_kv_txn *txn)
{
	int r;

	c->turn.txn = txn;
	if ((r = loss_load(c, txn)) != KL_OK ||
	    (r = journal_load(&c->journal, txn)) != KL_OK ||
	    (r = registry_load(&c->registry, txn, c->mem)) != KL_OK ||
	    (r = mailbox_load(&c->box, txn)) != KL_OK ||
	    (r = retain_load(&c->retain, txn)) != KL_OK ||
	    (r = export_load(&c->export, txn)) != KL_OK ||
	    (r = daily_load(&c->daily, txn)) != KL_OK)
		return r;
	return erase_mark_slots(&c->turn);
}

/* The log may only go on from what anyone has seen of it. A new origin that
 * crashed before its first checkpoint finds the mark of the one before. */
static int
mark_check(struct core *c, struct kl_kv_txn *txn, const struct found *f)
{
	struct kl_checkpoint last;
	struct kl_note note;

	if (!f->mark)
		return meta_there(txn, meta_marked) ? KL_E_DAMAGED : KL_OK;
	if (!meta_there(txn, meta_marked) && journal_mark_read(c->mark_path,
	    &c->journal.pk, &note, &last) == KL_OK &&
	    kl_origin_older(last.origin, c->journal.origin))
		return KL_OK;
	return journal_resume(&c->journal, txn, c->mark_path);
}

/* Whoever moves a store away because a disk or memory failed for a moment
 * loses it for nothing. */
static int
mark_wrong(int err, bool there)
{
	if (err <= KL_E_MEMORY && err != KL_E_DAMAGED)
		return needs_operator("mark_unreadable", kl_err_text(err));
	if (!there)
		return needs_operator("mark_missing", BROKER_MARK " is gone "
		    "from state_dir: put it back, or "
		    "move state_dir away, then 'kortelijn origin new'");
	return needs_operator("store_behind_log", "this store is not the one "
	    "that was signed last; it will not be used. Move it away, then "
	    "'kortelijn origin new'");
}

static int
store_load(struct core *c, const struct found *f)
{
	struct kl_kv_txn *txn;
	int r = kl_kv_begin_read(c->kv, &txn);

	if (r != KL_OK)
		return needs_operator("store_unusable", store_words(r));
	if (!format_is_ours(txn))
		r = format_wrong();
	else if ((r = parts_load(c, txn)) != KL_OK)
		(void)needs_operator("store_damaged", store_words(r));
	else if ((r = mark_check(c, txn, f)) != KL_OK)
		(void)mark_wrong(r, f->mark);
	else if (fence_closed(c))
		r = KL_E_DENIED;
	kl_kv_abort(&txn);
	c->turn.txn = NULL;
	kl_arena_reset(c->mem);
	return r == KL_OK ? CORE_EXIT_STOPPED : CORE_EXIT_OPERATOR;
}

static bool
has_origin(struct core *c)
{
	struct kl_kv_txn *txn;
	bool yes = true;

	if (kl_kv_begin_read(c->kv, &txn) == KL_OK) {
		yes = meta_there(txn, "origin");
		kl_kv_abort(&txn);
	}
	return yes;
}

static int
store_open(struct core *c)
{
	const struct path kept = in_dir(c->conf->config_dir,
	    BROKER_LAST_CHECKPOINT);
	struct found f = look(c);
	int status;

	(void)snprintf(c->mark_path, sizeof c->mark_path, "%s/" BROKER_MARK,
	    c->conf->state_dir);
	if (!f.store && !f.allowed)
		return store_lost();
	if (!f.store)
		old_keys_drop(c);
	if ((status = files_open(c)) != CORE_EXIT_STOPPED)
		return status;
	if (!has_origin(c) &&
	    (status = store_new(c, &f)) != CORE_EXIT_STOPPED)
		return status;
	if ((status = store_load(c, &f)) != CORE_EXIT_STOPPED)
		return status;
	fence_keep_name(c);
	/* Used up: the next loss is another decision. */
	(void)unlink(kept.b);
	if (f.allowed && unlink(f.allowed_path.b) != 0)
		return needs_operator("new_store_stays", "the file new-store "
		    "in the configuration cannot be removed");
	return CORE_EXIT_STOPPED;
}

static int
trace_open(struct core *c)
{
	int r;

	if (c->conf->trace[0] == '\0')
		return CORE_EXIT_STOPPED;
	c->turn.events = calloc(EVENTS_MAX, sizeof *c->turn.events);
	if (c->turn.events == NULL)
		return needs_operator("cannot_start", "no memory");
	c->turn.events_cap = EVENTS_MAX;
	r = kl_trace_open(c->conf->trace, &c->trace);
	if (r != KL_OK)
		return needs_operator("trace_unusable", kl_err_text(r));
	kl_trace(c->trace, &(struct kl_trace_line){
	    .at_ms = kl_clock_now_ms(&c->clock), .event = "origin" });
	kl_trace_flush(c->trace);
	return CORE_EXIT_STOPPED;
}

int
boot_open(struct core *c)
{
	int status;

	if ((status = memory_open(c)) != CORE_EXIT_STOPPED ||
	    (status = keys_open(c)) != CORE_EXIT_STOPPED ||
	    (status = store_open(c)) != CORE_EXIT_STOPPED)
		return status;
	exporter_open(c);
	return trace_open(c);
}

/* ---- before the first request ---- */

static int
papers_in_turn(struct core *c, void *arg)
{
	(void)arg;
	return papers_load(c);
}

static int
marked_put(struct core *c, void *arg)
{
	(void)arg;
	return kl_kv_put(c->turn.txn, T_META, kl_bytes_str(meta_marked),
	    KL_BYTES_NONE);
}

/* In a transaction without a leaf: nothing can be logged under a key that is
 * broken. */
static int
months_repair(struct core *c, struct repair *n)
{
	int r = kl_kv_begin(c->kv, &c->turn.txn);

	if (r == KL_OK && (r = repair_months(&c->turn, n)) == KL_OK)
		return kl_kv_commit(&c->turn.txn);
	kl_kv_abort(&c->turn.txn);
	return r;
}

static int
months_tell(struct core *c, void *arg)
{
	(void)arg;
	return repair_tell(&c->turn);
}

static int
rest_repair(struct core *c, void *arg)
{
	return repair_rest(&c->turn, &c->registry, arg);
}

/* One bad sector must not stop everybody. */
static int
slots_repair(struct core *c)
{
	struct repair n = { .messages = 0 };
	int r;

	if (c->vault.broken == 0)
		return KL_OK;
	if ((r = months_repair(c, &n)) != KL_OK ||
	    (r = cycle_run(c, rest_repair, &n)) != KL_OK)
		return r;
	kl_logf(KL_LOG_ERROR, "slots_broken",
	    kl_log_num("messages_ended", n.messages),
	    kl_log_num("conversations_lost", n.conversations),
	    kl_log_num("withdrawals_lost", n.withdrawals),
	    kl_log_num("log_months_lost", n.months),
	    kl_log_word("so", "look at the disk; senders seal again"));
	return KL_OK;
}

int
boot_settle(struct core *c)
{
	if (slots_repair(c) != KL_OK ||
	    cycle_run(c, months_tell, NULL) != KL_OK)
		return CORE_EXIT_COMMIT;
	do {
		if (cycle_run(c, NULL, NULL) != KL_OK)
			return CORE_EXIT_COMMIT;
	} while (c->erase_due_ms != 0);
	if (policy_start(c) != KL_OK ||
	    cycle_run(c, papers_in_turn, NULL) != KL_OK ||
	    approvals_start(c) != KL_OK)
		return CORE_EXIT_COMMIT;
	/* It has served nobody yet: its log is that of a start. */
	if (c->journal.note.b[0] == '\0')
		scrubber_finish(c);
	cycle_sign(c);
	if (c->exit != CORE_EXIT_STOPPED)
		return c->exit;
	/* Only what was signed can be missed at the next start. */
	if (c->journal.note.b[0] == '\0')
		return CORE_EXIT_STOPPED;
	return cycle_run(c, marked_put, NULL) == KL_OK ? CORE_EXIT_STOPPED :
	    CORE_EXIT_COMMIT;
}

void
boot_close(struct core *c)
{
	kl_trace_close(c->trace);
	free(c->turn.events);
	exporter_close(c);
	approvals_clear(c);
	registry_clear(&c->registry);
	kl_kv_close(c->kv);
	vault_clear(&c->vault);
	kl_secret_free(c->log_sk);
	pipe_out_free(c->out);
	free(c->in);
	free(c->session);
	kl_arena_free(c->out_mem);
	kl_arena_free(c->in_mem);
	kl_arena_free(c->mem);
}
