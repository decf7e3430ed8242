/*
 * Crash enumeration: a broker works, everything that it
 * does to its files is recorded, and for every moment the images that a power
 * cut may leave of store, slots, master key and mark together are made and
 * started by the real recovery.
 *
 *	crash_images [--seed=N] [--steps=N] [--jobs=N] [--bug=NAME]
 *
 * --bug seeds one on purpose, by a call that is wrapped: then images must be
 * found that break an invariant. Ends with 0 if none was found, 1 if some
 * were, 2 if the test itself failed.
 */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/core/core_main.h"
#include "tests/fault/crash_check.h"
#include "tests/fault/crash_replay.h"
#include "tests/fault/crash_work.h"

#define SUBSETS 256		/* of what is not synced, above 2^8 */
#define TORN 3
#define JOBS_MAX 16

static struct work_options opt = { .steps = 30 };
static unsigned int jobs = 2;

/* ---- a start ------------------------------------------------------------ */

int __real_kl_kv_begin(struct kl_kv *kv, struct kl_kv_txn **out);
int __wrap_kl_kv_begin(struct kl_kv *kv, struct kl_kv_txn **out);

/* The one that is started on an image. */
static struct shell w;
static struct check_image image;
static bool looking;		/* not yet at its first write */
static int look_result;
static char why[CHECK_WHY];

int
__wrap_kl_kv_begin(struct kl_kv *kv, struct kl_kv_txn **out)
{
	if (looking) {
		looking = false;
		look_result = check_found(w.core, &image, why);
	}
	return __real_kl_kv_begin(kv, out);
}

/* ---- images ------------------------------------------------------------ */

/* Of all workers, in memory that they share. */
struct shared {
	struct result {
		size_t images, violations, points;
		size_t event, number;	/* the one it is at */
		char first[CHECK_WHY + 64];
	} of[JOBS_MAX];
};
static struct shared *shared;
/* In memory, where there is such a directory: what is written there need not
 * last. */
static struct tmpdir images_dir;

struct images {
	struct replay *replay;
	struct result *out;
	unsigned int job;
	size_t skip;		/* numbers that are done */
	size_t commits, told;
	int store;		/* the file of data.mdb */
	char dir[512];
};

static void
found_one(struct images *m, const char *what)
{
	if (m->out->violations++ == 0)
		(void)snprintf(m->out->first, sizeof m->out->first,
		    "event %zu, image %zu: %s", m->replay->at,
		    m->out->number, what);
}

/* A rewrap was finished or undone: one master key, one slot file. */
static bool
one_master(const struct images *m)
{
	uint8_t sector[2][512];
	char path[600];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path, "%s/slots.new", m->dir);
	if (access(path, F_OK) == 0)
		return false;
	(void)snprintf(path, sizeof path, "%s/master", m->dir);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	n = read(fd, sector, sizeof sector);
	(void)close(fd);
	return n == sizeof sector && kl_bytes_zero(KL_BYTES_OF(sector[0])) !=
	    kl_bytes_zero(KL_BYTES_OF(sector[1]));
}

/* Starts a core on what lies in the directory. */
static void
start_image(struct images *m)
{
	int status;

	why[0] = '\0';
	look_result = KL_E_DAMAGED;
	looking = true;
	status = shell_start(&w, check_time_ms(image.most));
	if (status != CORE_EXIT_STOPPED)
		found_one(m, why[0] != '\0' ? why : "I11: it does not start");
	else if (look_result != KL_OK ||
	    check_settled(w.core, &image, why) != KL_OK)
		found_one(m, why);
	else if (!one_master(m))
		found_one(m, "I8: a master key or slot file of before is "
		    "there");
	shell_stop(&w);
}

static void
one_image(struct images *m, const bool *chosen, size_t torn)
{
	m->out->number++;
	/* A bug is found once. */
	if (opt.bug != BUG_NONE && m->out->violations > 0)
		return;
	if (m->out->number % jobs != m->job || m->out->number <= m->skip)
		return;
	m->out->event = m->replay->at;
	m->out->images++;
	image = (struct check_image){ .least = m->commits - 1,
		.most = m->commits, .told = m->told,
		.log_too = m->out->images % 16 == 0 };
	replay_write(m->replay, chosen, torn, m->dir);
	start_image(m);
}

/* Of any number: none, all, and by chance; in the order of writing or not. */
static void
choose(const struct replay *r, uint64_t *state, size_t number, bool *chosen)
{
	const uint32_t of_8 = number == 0 ? 0 : number == 1 ? 8 :
	    (uint32_t[]){ 1, 4, 7 }[number % 3];
	const size_t cut = number % 8 == 7 ? work_draw(state,
	    (uint32_t)r->n_pending + 1) : SIZE_MAX;

	for (size_t i = 0; i < r->n_pending; i++)
		chosen[i] = cut != SIZE_MAX ? i < cut :
		    work_draw(state, 8) < of_8;
}

static void
torn_images(struct images *m, uint64_t *state)
{
	const struct replay *r = m->replay;
	bool chosen[REPLAY_PENDING];
	size_t n = r->n_pending == 0 ? 0 : r->pending[r->n_pending - 1].n;

	if (n <= 512 || r->pending[r->n_pending - 1].event !=
	    &r->events[r->at - 1])
		return;
	for (size_t i = 0; i < TORN; i++) {
		choose(r, state, i, chosen);
		chosen[r->n_pending - 1] = true;
		one_image(m, chosen, 512 * (1 + work_draw(state,
		    (uint32_t)(n - 1) / 512)));
	}
}

/* All subsets of what is not synced now, or so many of them. */
static void
images_here(struct images *m)
{
	const struct replay *r = m->replay;
	uint64_t state = opt.seed ^ (r->at * UINT64_C(0x9e3779b97f4a7c15));
	const bool all = r->n_pending <= 8;
	const size_t n = all ? (size_t)1 << r->n_pending : SUBSETS;
	bool chosen[REPLAY_PENDING];

	m->out->points++;
	for (size_t j = 0; j < n; j++) {
		if (all)
			for (size_t i = 0; i < r->n_pending; i++)
				chosen[i] = (j >> i & 1) != 0;
		else
			choose(r, &state, j, chosen);
		if (replay_differs(r, chosen))
			one_image(m, chosen, 0);
	}
	torn_images(m, &state);
}

static bool
changes(const struct record_event *e)
{
	return e->kind != RECORD_NOTE && e->kind != RECORD_SENT;
}

/* I10: nothing leaves while the store has what a power cut could lose. */
static void
sent_check(struct images *m)
{
	const struct replay *r = m->replay;

	for (size_t i = 0; m->job == 0 && i < r->n_pending; i++)
		if (r->pending[i].file == m->store)
			found_one(m, "I10: something was sent, and the store "
			    "is not synced");
}

/* Images are made of what is there before the next change: everything that
 * was said by then must be true. */
static void
images_all(struct images *m)
{
	const struct record_event *e;
	bool due = false;

	while ((e = replay_step(m->replay)) != NULL) {
		const struct replay *r = m->replay;

		if (e->kind == RECORD_NOTE && (e->number & WORK_TOLD) != 0)
			m->told = (size_t)(e->number & ~WORK_TOLD);
		else if (e->kind == RECORD_NOTE)
			m->commits = (size_t)e->number + 1;
		if (e->kind == RECORD_SENT)
			sent_check(m);
		due = due || changes(e);
		if (due && m->commits > 0 && (r->at == r->n_events ||
		    changes(&r->events[r->at]))) {
			images_here(m);
			due = false;
		}
	}
}

static void
worker(const struct shell *region, unsigned int job)
{
	struct images m = { .job = job, .out = &shared->of[job],
		.replay = replay_new() };

	if (m.replay == NULL)
		_Exit(2);
	/* What refuses to start is counted; its log lines are many. */
	if (opt.bug != BUG_NONE && freopen("/dev/null", "w", stderr) == NULL)
		_Exit(2);
	for (size_t i = 0; i < m.replay->n_names; i++)
		if (strcmp(m.replay->name[i].name, "data.mdb") == 0)
			m.store = m.replay->name[i].file;
	m.skip = m.out->number;
	m.out->number = m.out->points = 0;
	w = *region;
	(void)snprintf(m.dir, sizeof m.dir, "%.200s/image-%u",
	    images_dir.path, job);
	(void)snprintf(w.conf.state_dir, sizeof w.conf.state_dir, "%.180s",
	    m.dir);
	(void)mkdir(m.dir, 0700);
	images_all(&m);
	replay_free(m.replay);
	_Exit(0);
}

static pid_t
worker_start(const struct shell *region, unsigned int job)
{
	pid_t pid = fork();

	if (pid == 0)
		worker(region, job);
	return pid;
}

/* A core that dies of an image is found out too; the next worker goes on
 * behind it. */
static void
workers_run(const struct shell *region)
{
	pid_t pid[JOBS_MAX];
	unsigned int left = jobs;

	fflush(NULL);
	for (unsigned int i = 0; i < jobs; i++)
		pid[i] = worker_start(region, i);
	while (left > 0) {
		int status;
		pid_t ended = waitpid(-1, &status, 0);
		unsigned int i = 0;

		while (i < jobs && pid[i] != ended)
			i++;
		if (i == jobs)
			exit(2);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
			exit(2);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
			left--;
			continue;
		}
		if (shared->of[i].violations++ == 0)
			(void)snprintf(shared->of[i].first,
			    sizeof shared->of[i].first, "event %zu, image "
			    "%zu: I11: the start dies (status %d)",
			    shared->of[i].event, shared->of[i].number,
			    status);
		pid[i] = worker_start(region, i);
	}
}

static size_t
report(void)
{
	size_t images = 0, violations = 0;

	for (unsigned int i = 0; i < jobs; i++) {
		const struct result *r = &shared->of[i];

		images += r->images;
		violations += r->violations;
		if (r->violations > 0)
			printf("  %s\n", r->first);
	}
	printf("%zu images at %zu moments, %zu violations (seed %llu%s%s)\n",
	    images, shared->of[0].points, violations,
	    (unsigned long long)opt.seed, opt.bug != BUG_NONE ? ", bug " : "",
	    opt.bug != BUG_NONE ? work_bug_name(opt.bug) : "");
	return violations;
}

/* ---- start ------------------------------------------------------------- */

static void
options_read(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "steps", required_argument, NULL, 'n' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "bug", required_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		switch (o) {
		case 's':
			opt.seed = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			opt.steps = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'j':
			jobs = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'b':
			opt.bug = work_bug_named(optarg);
			if (opt.bug == BUG_NONE)
				exit(2);
			break;
		default:
			exit(2);
		}
	if (jobs == 0 || jobs > JOBS_MAX)
		exit(2);
}

int
main(int argc, char **argv)
{
	struct shell *region;
	size_t violations;

	options_read(argc, argv);
	if (kl_crypto_init() != KL_OK)
		return 2;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	work_run(&opt, &region);
	if (access("/dev/shm", W_OK) == 0 &&
	    setenv("TMPDIR", "/dev/shm", 1) != 0)
		return 2;
	images_dir = tmpdir_make();
	workers_run(region);
	violations = report();
	tmpdir_remove(&images_dir);
	shell_close(region);
	return violations > 0 ? 1 : 0;
}
