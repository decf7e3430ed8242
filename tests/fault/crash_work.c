#include "tests/fault/crash_work.h"

#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/fs.h>

#include "broker/core/core_main.h"
#include "broker/core/rewrap.h"
#include "broker/core/tables.h"
#include "tests/fault/crash_check.h"
#include "tests/fault/crash_record.h"

#define MAP_MB 2
#define SLOTS 600		/* two slices of a rewrap */
#define LETTERS 256

static struct work_options opt;

static const char *const bug_names[] = {
	[BUG_NOSYNC] = "nosync", [BUG_LATE_SLOTS] = "late-slots",
	[BUG_EARLY_ZERO] = "early-zero",
	[BUG_RENAME_UNSYNCED] = "rename-unsynced",
	[BUG_MASTER_UNSYNCED] = "master-unsynced",
};
#define BUGS (sizeof bug_names / sizeof bug_names[0])

const char *
work_bug_name(enum bug bug)
{
	return bug_names[bug];
}

enum bug
work_bug_named(const char *name)
{
	for (size_t i = 1; i < BUGS; i++)
		if (strcmp(bug_names[i], name) == 0)
			return (enum bug)i;
	return BUG_NONE;
}

/* ---- chance ------------------------------------------------------------ */

static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint32_t
work_draw(uint64_t *state, uint32_t below)
{
	return (uint32_t)(draw(state) % below);
}

/* All keys, ids and nonces come from here: the same seed, the same run. */
static uint64_t bytes_state;
void randombytes_buf(void *p, size_t n);

void
randombytes_buf(void *p, size_t n)
{
	uint8_t *to = p;

	while (n > 0) {
		uint64_t z = draw(&bytes_state);
		size_t some = n < sizeof z ? n : sizeof z;

		memcpy(to, &z, some);
		to += some;
		n -= some;
	}
}

/* The shell's assertions, outside of a test of check. */
void
_ck_assert_failed(const char *file, int line, const char *expr,
    const char *msg, ...)
{
	(void)msg;
	fprintf(stderr, "%s:%d: %s\n", file, line, expr);
	_Exit(2);
}

void
_mark_point(const char *file, int line)
{
	(void)file;
	(void)line;
}

/* ---- calls that are wrapped --------------------------------------------- */

int __real_kl_kv_commit(struct kl_kv_txn **txn);
int __wrap_kl_kv_commit(struct kl_kv_txn **txn);
int __real_kl_kv_put(struct kl_kv_txn *txn, char table, struct kl_bytes key,
    struct kl_bytes value);
int __wrap_kl_kv_put(struct kl_kv_txn *txn, char table, struct kl_bytes key,
    struct kl_bytes value);
int __real_kl_slots_sync(struct kl_slots *s);
int __wrap_kl_slots_sync(struct kl_slots *s);
int mdb_env_open(void *env, const char *path, unsigned int flags,
    mode_t mode);

static struct shell s;		/* the broker that works */
static bool recording;
static struct kl_slots *sync_late;

int
__wrap_kl_kv_commit(struct kl_kv_txn **txn)
{
	int r = __real_kl_kv_commit(txn);

	if (!recording || r != KL_OK)
		return r;
	record_note(check_commit(s.core));
	if (sync_late != NULL)
		r = __real_kl_slots_sync(sync_late);
	sync_late = NULL;
	return r;
}

int
__wrap_kl_kv_put(struct kl_kv_txn *txn, char table, struct kl_bytes key,
    struct kl_bytes value)
{
	int r = __real_kl_kv_put(txn, table, key, value);
	struct kl_reader in;

	if (r != KL_OK || !recording || opt.bug != BUG_EARLY_ZERO ||
	    table != T_ERASING)
		return r;
	kl_reader_init(&in, key);
	r = kl_slots_zero(s.core->vault.slots, kl_get_u32(&in));
	return r == KL_OK ? __real_kl_slots_sync(s.core->vault.slots) : r;
}

int
__wrap_kl_slots_sync(struct kl_slots *slots)
{
	if (!recording || opt.bug != BUG_LATE_SLOTS)
		return __real_kl_slots_sync(slots);
	sync_late = slots;
	return KL_OK;
}

#define MDB_NOSYNC 0x10000u

int
mdb_env_open(void *env, const char *path, unsigned int flags, mode_t mode)
{
	int (*real)(void *, const char *, unsigned int, mode_t);
	void *at = dlsym(RTLD_NEXT, "mdb_env_open");

	memcpy(&real, &at, sizeof real);
	if (recording && opt.bug == BUG_NOSYNC)
		flags |= MDB_NOSYNC;
	return real(env, path, flags, mode);
}

/* ---- the broker at work -------------------------------------------------- */

/* What has become of a letter, as far as its parties know. */
enum place { NOWHERE, SENT, FETCHED, OPENED, OVER };

static struct {
	struct letter l;
	const struct party *from, *to;
	enum place place;
	bool answered;		/* with feedback; or is feedback itself */
} mail[LETTERS];
static size_t n_mail;
static uint64_t work_state;

static void
told(void)
{
	size_t n = check_told(s.core);

	if (n > 0)
		record_note(WORK_TOLD | n);
}

static void
begin_all(void)
{
	shell_begin(&s, &s.practice);
	shell_begin(&s, &s.desk);
}

static void
post(size_t i)
{
	if (shell_submit(&s, mail[i].from, &mail[i].l) != KL_C_OK) {
		mail[i].place = OVER;
		return;
	}
	check_acked(&mail[i].l);
	mail[i].place = SENT;
}

static void
do_refer(void)
{
	size_t i = n_mail;

	if (n_mail == LETTERS)
		return;
	n_mail++;
	mail[i].from = &s.practice;
	mail[i].to = &s.desk;
	letter_referral(&mail[i].l, &s.practice, &s.desk);
	post(i);
}

/* One of those that are there, or none. */
static size_t
pick(enum place place, bool referral)
{
	size_t n = 0, found[LETTERS];

	for (size_t i = 0; i < n_mail; i++)
		if (mail[i].place == place &&
		    (!referral || (mail[i].from == &s.practice &&
		    !mail[i].answered)))
			found[n++] = i;
	return n == 0 ? SIZE_MAX : found[work_draw(&work_state,
	    (uint32_t)n)];
}

static void
fetch(const struct party *who)
{
	struct shell_items got = shell_fetch(&s, who, 0);
	uint64_t last = 0;

	for (size_t i = 0; i < got.n; i++)
		for (size_t m = 0; m < n_mail; m++)
			if (mail[m].place == SENT && kl_bytes_equal(
			    got.item[i].content, kl_bytes(
			    mail[m].l.envelope.b, mail[m].l.envelope.n)))
				mail[m].place = FETCHED;
	for (size_t i = 0; i < got.n; i++)
		if (got.item[i].sort == KL_NOTICE + 1 ||
		    got.item[i].sort == KL_RECEIPT + 1)
			last = got.item[i].item;
	if (last > 0)
		(void)shell_fetch(&s, who, last);
}

static void
do_fetch(void)
{
	fetch(work_draw(&work_state, 3) > 0 ? &s.desk : &s.practice);
}

static void
do_open(void)
{
	size_t i = pick(FETCHED, false);

	if (i == SIZE_MAX)
		return;
	(void)shell_receipt(&s, mail[i].to, &mail[i].l, KL_OPENED, KL_C_OK);
	mail[i].place = OPENED;
}

static void
do_answer(void)
{
	size_t of = pick(OPENED, true), i = n_mail;

	if (of == SIZE_MAX || n_mail == LETTERS)
		return;
	n_mail++;
	mail[of].answered = mail[i].answered = true;
	mail[i].from = &s.desk;
	mail[i].to = &s.practice;
	letter_feedback(&mail[i].l, &mail[of].l, &s.desk, &s.practice,
	    KL_MS_TAKEN_UP);
	post(i);
}

static void
withdraw_one(enum place place)
{
	size_t i = pick(place, true);
	struct kl_withdrawal wd;

	if (i == SIZE_MAX)
		return;
	wd = letter_withdrawal(&mail[i].l, work_draw(&work_state, 2) > 0 ?
	    &s.desk : &s.practice, KL_SCOPE_ALL, KL_CAUSE_RESIDENT);
	(void)shell_withdraw(&s, kl_id_equal(&wd.signer, &s.desk.id) ?
	    &s.desk : &s.practice, &wd, NULL);
	mail[i].place = OVER;
}

static void
do_withdraw(void)
{
	withdraw_one((enum place)(SENT + work_draw(&work_state, 3)));
}

static void
do_turn(void)
{
	s.core->clock.offset_ms += 1100;	/* a checkpoint is due */
	shell_turn(&s);
}

static void
do_rewrap(void)
{
	rewrap_ask(s.core);
	shell_turn(&s);
}

static void
do_restart(void)
{
	shell_restart(&s, kl_clock_now_ms(&s.core->clock));
	begin_all();
}

static void (*const works[])(void) = {
	do_refer, do_refer, do_refer, do_fetch, do_fetch, do_open, do_open,
	do_answer, do_withdraw, do_turn, do_turn, do_rewrap, do_restart,
};
#define WORKS (sizeof works / sizeof works[0])

/* Nothing of it may have stayed undone. */
static void
work_check(void)
{
	static const struct { uint32_t event; const char *name; } must[] = {
		{ KL_EV_ACCEPTED, "accepted" }, { KL_EV_RELEASED, "released" },
		{ KL_EV_DELIVERED, "delivered" }, { KL_EV_EXPIRED, "expired" },
		{ KL_EV_WITHDRAWN, "withdrawn" }, { KL_EV_ERASED, "erased" },
		{ KL_EV_UNCONFIRMED, "unconfirmed" },
	};

	for (size_t i = 0; i < sizeof must / sizeof must[0]; i++) {
		unsigned int n = check_events(s.core, must[i].event);

		printf("%s%u %s", i > 0 ? ", " : "work: ", n, must[i].name);
		if (n == 0) {
			printf("\nnothing %s: another seed\n", must[i].name);
			exit(2);
		}
	}
	printf("; %zu commits\n", check_commits());
}

/* The first start that is recorded seals the master key. */
static void
secret_make(void)
{
	ck_assert_int_eq(kl_fs_replace(shell_file(&s, "config/secret").b,
	    kl_bytes_str("32 bytes, and nobody else's secret")), KL_OK);
	(void)snprintf(s.conf.master_key, sizeof s.conf.master_key,
	    "%.150s/config/secret", s.dir.path);
}

static void
region_open(void)
{
	shell_open(&s);
	shell_stop(&s);
	/* The same again, but small. */
	ck_assert_int_eq(unlink(shell_file(&s, "state/data.mdb").b), 0);
	ck_assert_int_eq(unlink(shell_file(&s, "state/log.mark").b), 0);
	s.conf.map_mb = MAP_MB;
	s.conf.slots = SLOTS;
	shell_new_store(&s, NULL);
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS), CORE_EXIT_STOPPED);
	/* What is there before the first commit that is recorded. */
	(void)check_commit(s.core);
	shell_stop(&s);
	secret_make();
}

/* Once each of what must not be left to chance. */
static void
work_first(void)
{
	do_refer();
	fetch(&s.desk);
	do_open();
	do_answer();
	fetch(&s.practice);
	do_open();
	do_refer();
	withdraw_one(SENT);
	do_refer();
	fetch(&s.desk);
	rewrap_ask(s.core);
	shell_turn(&s);
	withdraw_one(FETCHED);
	do_turn();
	told();
}

/* What is released and what is not, when its term is over. */
static void
work_last(void)
{
	do_refer();
	fetch(&s.desk);
	do_refer();
	shell_restart(&s, LETTERS_NOW_MS + 15 * KL_DAY_MS);
	do_turn();
	do_turn();
	told();
}

void
work_run(const struct work_options *o, struct shell **out)
{
	opt = *o;
	bytes_state = opt.seed;
	work_state = ~opt.seed;
	region_open();
	record_begin(s.conf.state_dir);
	record_note(0);
	recording = true;
	if (opt.bug == BUG_RENAME_UNSYNCED)
		record_break_sync("slots.new");
	if (opt.bug == BUG_MASTER_UNSYNCED)
		record_break_sync("master");
	ck_assert_int_eq(shell_start(&s, LETTERS_NOW_MS), CORE_EXIT_STOPPED);
	(void)shell_edge(&s);
	begin_all();
	work_first();
	for (unsigned int i = 0; i < opt.steps; i++) {
		works[work_draw(&work_state, WORKS)]();
		told();
	}
	work_last();
	recording = false;
	record_end();
	work_check();
	shell_stop(&s);
	*out = &s;
}
