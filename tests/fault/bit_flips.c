/*
 * Bit flips: a store with a log of two months is made by the real core. Then,
 * as often as asked, one bit of a copy is flipped - of the store, of the file
 * of its keys, or of what a running core has just committed - and the core
 * goes on with it in a process of its own. What it signs must be what was
 * written: if a record or a leaf is another one, no checkpoint may follow.
 *
 *	bit_flips [--flips=N] [--seed=N] [--jobs=N] [--leaves=N]
 *
 * Ends with 0 if nothing else was signed, 1 if something was, 2 if the test
 * itself failed. LMDB may fault on what it reads: that is a stop.
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/log.h>

#include "broker/core/core_main.h"
#include "broker/core/dispatch.h"
#include "tests/fault/flip_dump.h"
#include "tests/fault/flip_store.h"

#define DEADLINE_S 60		/* of one core; damage may lead in circles */
#define TURNS_MAX 500
#define NEW_LEAVES 40
#define JOBS_MAX 16
#define KEYS_BYTES (24 * 512)	/* of the slot file: those in use, and some */

/* ---- what is counted ---------------------------------------------------- */

enum where { IN_STORE, IN_SLOTS, WHILE_OPEN, WHERES };
static const char *const where_names[] = { "in the store, at a start",
	"in the keys, at a start", "between commit and signing" };

struct count {
	size_t flips;
	size_t touched;		/* records or leaves read differently */
	size_t stopped;		/* of them; nothing was signed */
	size_t lost;		/* of them; told as a lost month */
	size_t at_night;	/* of them; found by the reading of a night */
	size_t other;		/* stopped, though the log is as it was */
	size_t signed_right;	/* went on, and all is as it was */
	size_t missed;
};
struct worker {
	struct count count[WHERES];
	char first[160];	/* what was missed first */
	bool failed;		/* the test itself */
	/* of one flip */
	struct flip_dump was, is;
	size_t byte;		/* that was flipped */
	uint64_t signed_size;	/* while open: what was signed before */
};
static struct worker *workers;	/* in memory that all share */

static struct options {
	uint64_t seed;
	unsigned int flips, jobs, leaves;
} opt = { .flips = 1000, .jobs = 2, .leaves = 600 };

static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* ---- one core, in a process to lose ------------------------------------- */

struct flip {
	struct shell *s;
	const struct flip_files *files;
	struct worker *w;
	enum where where;
	unsigned int bit;
	uint64_t pick;
	uint64_t leaves;		/* of the store */
	char after[192];		/* while open: the files when signed */
};

/* Until a checkpoint was signed, or it stops. */
static bool
turns(struct core *c)
{
	const size_t before = c->journal.checked.size;
	int left = TURNS_MAX;

	c->journal.note_ms = 0;
	while (c->exit == CORE_EXIT_STOPPED && left-- > 0 &&
	    (!c->journal.whole || c->journal.checked.size == before ||
	    c->journal.note_ms == 0)) {
		dispatch_turn(c);
		if (c->journal.note_ms != 0)
			break;
	}
	return c->exit == CORE_EXIT_STOPPED;
}

static void
night(struct core *c)
{
	int left = TURNS_MAX;

	c->scrubber.done_ms = 1;
	do
		dispatch_turn(c);
	while (c->exit == CORE_EXIT_STOPPED && c->scrubber.running &&
	    left-- > 0);
}

/* At a start: does it come to a checkpoint, of one more leaf? */
static int
start(struct flip *f)
{
	if (shell_start(f->s, FLIP_NOW_MS + KL_MINUTE_MS) !=
	    CORE_EXIT_STOPPED)
		return 1;
	flip_store_grow(f->s->core, 1);
	return turns(f->s->core) ? 0 : 1;
}

/* It runs, commits leaves, and signs them a second later. */
static int
open_and_sign(struct flip *f)
{
	const char *dir = f->s->conf.state_dir;
	struct flip_files *files;
	struct core *c;

	if (shell_start(f->s, FLIP_NOW_MS + KL_MINUTE_MS) !=
	    CORE_EXIT_STOPPED || !turns(f->s->core))
		return 2;
	c = f->s->core;
	f->w->signed_size = c->journal.checked.size;
	files = flip_files_read(dir);
	flip_store_grow(c, NEW_LEAVES);
	flip_dump_core(c, c->journal.committed.size, &f->w->was);
	f->w->byte = flip_changed(files, dir, FLIP_DATA, f->pick);
	flip_bit(dir, FLIP_DATA, f->w->byte, f->bit);
	(void)turns(c);
	if (!flip_signed(files, dir))
		return 1;
	/* As it is when it is signed: what is damaged in the list of free
	 * pages lets a later commit write over others. */
	flip_files_free(files);
	files = flip_files_read(dir);
	flip_files_write(files, f->after);
	night(c);
	return c->exit == CORE_EXIT_STOPPED ? 0 : 3;
}

/* Ends with what `work` answers; -1: it died, or came to no end. */
static int
apart(int (*work)(struct flip *f), struct flip *f)
{
	pid_t pid = fork();
	int status, null;

	if (pid == 0) {
		(void)alarm(DEADLINE_S);
		null = open("/dev/null", O_WRONLY);
		if (null < 0 || dup2(null, STDERR_FILENO) < 0 ||
		    dup2(null, STDOUT_FILENO) < 0)
			_exit(2);
		_exit(work(f));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
dump(struct flip *f)
{
	flip_dump_files(&f->s->conf, f->leaves, &f->w->is);
	return 0;
}

static int
dump_after(struct flip *f)
{
	struct broker_conf conf = f->s->conf;

	memcpy(conf.state_dir, f->after, sizeof f->after);
	flip_dump_files(&conf, f->leaves, &f->w->is);
	return 0;
}

static enum flip_same
dump_and_compare(struct flip *f, int (*dump)(struct flip *f), uint64_t from,
    uint64_t *at)
{
	memset(&f->w->is, 0, sizeof f->w->is);
	(void)apart(dump, f);
	return flip_dump_compare(&f->w->was, &f->w->is, from, at);
}

/* ---- verdicts ----------------------------------------------------------- */

static void
missed(struct flip *f, uint64_t leaf)
{
	struct worker *w = f->w;

	if (w->count[f->where].missed++ == 0 && w->first[0] == '\0')
		(void)snprintf(w->first, sizeof w->first,
		    "signed over: %s, byte %zu, bit %u: leaf %" PRIu64 "",
		    where_names[f->where], w->byte, f->bit, leaf);
}

static void
at_start(struct flip *f, const struct flip_dump *original)
{
	struct count *n = &f->w->count[f->where];
	const char *dir = f->s->conf.state_dir;
	enum flip_same before, after;
	uint64_t at;

	flip_files_write(f->files, dir);
	f->w->byte = f->pick % flip_files_used(f->files,
	    f->where == IN_STORE ? FLIP_DATA : FLIP_SLOTS);
	if (f->where == IN_SLOTS)
		f->w->byte %= KEYS_BYTES;
	flip_bit(dir, f->where == IN_STORE ? FLIP_DATA : FLIP_SLOTS, f->w->byte,
	    f->bit);
	memcpy(&f->w->was, original, sizeof f->w->was);
	before = dump_and_compare(f, dump, 0, &at);
	n->touched += before != FLIP_SAME;
	(void)apart(start, f);
	if (!flip_signed(f->files, dir)) {
		n->stopped += before != FLIP_SAME;
		n->other += before == FLIP_SAME;
		return;
	}
	after = dump_and_compare(f, dump, 0, &at);
	if (after == FLIP_DIFFERS ||
	    (after == FLIP_LOST && f->where == IN_STORE))
		missed(f, at);
	else if (after == FLIP_LOST)
		n->lost++;
	else
		n->signed_right++;
}

/* What is new must be right when it is signed, all of it after a night. */
static void
while_open(struct flip *f)
{
	struct count *n = &f->w->count[f->where];
	uint64_t at, leaves = f->leaves;
	enum flip_same fresh, all;
	int r;

	flip_files_write(f->files, f->s->conf.state_dir);
	memset(&f->w->was, 0, sizeof f->w->was);
	r = apart(open_and_sign, f);
	if (!f->w->was.done || r == 2) {
		f->w->failed = true;
		return;
	}
	f->leaves = f->w->was.n;
	all = dump_and_compare(f, dump, 0, &at);
	n->touched += all != FLIP_SAME;
	if (r == 1 || r == -1 || r == KL_KV_EXIT_DAMAGED) {
		n->stopped += all != FLIP_SAME;
		n->other += all == FLIP_SAME;
	} else {
		fresh = dump_and_compare(f, dump_after, f->w->signed_size,
		    &at);
		if (fresh != FLIP_SAME || (r == 0 && all != FLIP_SAME))
			missed(f, at);
		else if (r == 3)
			n->at_night++;
		else
			n->signed_right++;
	}
	f->leaves = leaves;
}

/* ---- workers ------------------------------------------------------------ */

static struct tmpdir copies;

static void
work(const struct shell *region, const struct flip_files *files,
    const struct flip_dump *original, unsigned int job)
{
	struct shell s = *region;
	struct flip f = { .s = &s, .files = files, .w = &workers[job],
		.leaves = original->n };

	(void)snprintf(s.conf.state_dir, sizeof s.conf.state_dir,
	    "%.150s/state-%u", copies.path, job);
	(void)snprintf(f.after, sizeof f.after, "%.150s/after-%u",
	    copies.path, job);
	if (mkdir(s.conf.state_dir, 0700) != 0 || mkdir(f.after, 0700) != 0)
		_exit(2);
	for (unsigned int i = job; i < opt.flips; i += opt.jobs) {
		uint64_t state = opt.seed * UINT64_C(1000003) + i;

		f.where = i % 10 < 7 ? IN_STORE : i % 10 == 7 ? IN_SLOTS :
		    WHILE_OPEN;
		f.pick = draw(&state);
		f.bit = (unsigned int)(draw(&state) % 8);
		f.w->count[f.where].flips++;
		if (f.where == WHILE_OPEN)
			while_open(&f);
		else
			at_start(&f, original);
	}
	_exit(0);
}

static bool
workers_run(const struct shell *region, const struct flip_files *files,
    const struct flip_dump *original)
{
	bool ok = true;
	int status;

	fflush(NULL);
	for (unsigned int i = 0; i < opt.jobs; i++) {
		const pid_t pid = fork();

		if (pid == 0)
			work(region, files, original, i);
		ok = ok && pid > 0;
	}
	for (unsigned int i = 0; i < opt.jobs; i++)
		ok = wait(&status) > 0 && WIFEXITED(status) &&
		    WEXITSTATUS(status) == 0 && ok;
	return ok;
}

static void
add(struct count *all, const struct count *one)
{
	all->flips += one->flips;
	all->touched += one->touched;
	all->stopped += one->stopped;
	all->lost += one->lost;
	all->at_night += one->at_night;
	all->other += one->other;
	all->signed_right += one->signed_right;
	all->missed += one->missed;
}

static void
count_print(const char *name, const struct count *n)
{
	printf("%s: %zu flips, %zu touched a record or a leaf: %zu stopped "
	    "it, %zu told as a lost month, %zu found at night; %zu stopped "
	    "it besides, %zu signed what was written; %zu missed\n", name,
	    n->flips, n->touched, n->stopped, n->lost, n->at_night, n->other,
	    n->signed_right, n->missed);
}

/* What was missed; SIZE_MAX: the test failed. */
static size_t
report(void)
{
	struct count all = { .flips = 0 };
	bool failed = false;

	for (int w = 0; w < WHERES; w++) {
		struct count sum = { .flips = 0 };

		for (unsigned int i = 0; i < opt.jobs; i++)
			add(&sum, &workers[i].count[w]);
		count_print(where_names[w], &sum);
		add(&all, &sum);
	}
	for (unsigned int i = 0; i < opt.jobs; i++) {
		failed = failed || workers[i].failed;
		if (workers[i].first[0] != '\0')
			printf("flips: %s\n", workers[i].first);
	}
	count_print("all", &all);
	return failed ? SIZE_MAX : all.missed;
}

/* ---- start -------------------------------------------------------------- */

static unsigned int
number(const char *text, unsigned int most)
{
	const unsigned long n = strtoul(text, NULL, 10);

	if (n == 0 || n > most)
		exit(2);
	return (unsigned int)n;
}

static void
options_read(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "flips", required_argument, NULL, 'f' },
		{ "seed", required_argument, NULL, 's' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "leaves", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		switch (o) {
		case 'f':
			opt.flips = number(optarg, 100000000);
			break;
		case 's':
			opt.seed = strtoull(optarg, NULL, 10);
			break;
		case 'j':
			opt.jobs = number(optarg, JOBS_MAX);
			break;
		case 'l':
			opt.leaves = number(optarg, FLIP_LEAVES_MAX / 2);
			break;
		default:
			exit(2);
		}
}

/* In memory, where there is such a directory. */
static void
copies_make(void)
{
	if (access("/dev/shm", W_OK) == 0 &&
	    setenv("TMPDIR", "/dev/shm", 1) != 0)
		exit(2);
	copies = tmpdir_make();
}

int
main(int argc, char **argv)
{
	static struct flip_dump original;
	struct flip_files *files;
	struct shell region;
	size_t missed_all;
	bool ok;

	options_read(argc, argv);
	workers = mmap(NULL, opt.jobs * sizeof *workers,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (workers == MAP_FAILED || kl_crypto_init() != KL_OK)
		return 2;
	copies_make();
	flip_store_make(&region, opt.leaves);
	files = flip_files_read(region.conf.state_dir);
	flip_dump_files(&region.conf, FLIP_LEAVES_MAX, &original);
	while (original.n > 0 &&
	    original.leaf[original.n - 1].state == FLIP_NONE)
		original.n--;
	ok = original.done && original.n >= opt.leaves &&
	    workers_run(&region, files, &original);
	missed_all = report();
	flip_files_free(files);
	tmpdir_remove(&copies);
	shell_close(&region);
	if (!ok || missed_all == SIZE_MAX)
		return 2;
	return missed_all > 0 ? 1 : 0;
}
