/*
 * query: what a question of a long log costs, and what it costs the others.
 *
 *   query KORTELIJND CONF CONFIG_DIR AUTHORITY_DIR ENDPOINT LOGFILL RECORDS
 *       ANSWERS
 *
 * Fills the log of a broker with RECORDS records, among which ANSWERS fit, and
 * asks for them over CURVE as an auditor, QUERIES times, while a practice
 * submits as fast as it is answered. Prints: records, answers, pages, ms of a
 * query (p50, largest), MiB by which RssAnon of core grew, submits a second
 * and p99 of an acceptance in ms without and beside the queries.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/note.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/wire/content.h>

#include "tests/bench/meter.h"
#include "tests/support/client.h"
#include "tests/support/people.h"
#include "tests/support/region.h"

#define PATIENCE_MS 60000
#define SIGN_MS 600000		/* until a long log was read once */
#define QUERIES 20		/* new ones; fewer than a minute allows */
#define QUIET_MS 4000
#define TIMES_MAX 200000
#define ASKED_ORG "agb:00099999"

enum phase { WAIT, QUIET, BESIDE, END };

/* Between this process and the one that submits. */
struct shared {
	atomic_int phase;
	atomic_long n[END];
	int64_t us[END][TIMES_MAX];
};

struct bench {
	char **argv;
	struct client practice, desk, auditor;
	struct region_broker broker;
	struct shared *shared;
	struct meter meter;
	struct kl_arena *mem;
	uint8_t plain[KL_PLAIN_REFERRAL];
	size_t n_plain;
	uint64_t records, answers;
	uint64_t found, pages;
};

static void
must(int r, const char *what)
{
	if (r == KL_OK)
		return;
	fprintf(stderr, "query: %s: %s\n", what, kl_err_text(r));
	exit(1);
}

static void
refused(const char *what, uint32_t code)
{
	if (code == KL_C_OK)
		return;
	fprintf(stderr, "query: %s: %s\n", what, kl_code_name(code));
	exit(1);
}

static int64_t
now_ms(void)
{
	return kl_clock_now_ms(&(struct kl_clock){ 0 });
}

static void
begin(struct client *c, const struct bench *b)
{
	uint32_t code = KL_C_OK;

	kl_link_close(c->link);
	c->link = NULL;
	must(client_connect(c, b->argv[5], &b->broker.transport_pk),
	    "connect");
	must(client_up(c, PATIENCE_MS), "handshake");
	must(client_begin(c, PATIENCE_MS, &code), kl_code_name(code));
}

/* ---- the practice that goes on ------------------------------------------ */

static void
seal(struct bench *b, struct kl_sealed *out)
{
	const struct client *c = &b->practice;
	struct kl_header h = client_header(c, KL_REFERRAL, &b->desk.id,
	    now_ms());
	const uint32_t today = (uint32_t)kl_day_of(h.created_ms);
	struct kl_consent k = {
		.referral = 1, .feedback_level = KL_LEVEL_2, .form = KL_ORAL,
		.info_text_version = 1, .given_on = today,
		.valid_until = today + 180, .recorded_in_his = 1,
	};

	kl_random(&k.preview_hash, sizeof k.preview_hash);
	kl_random(&h.conv_id, sizeof h.conv_id);
	h.answer_by_ms = h.deliver_by_ms;
	must(kl_envelope_seal(&h, &k, NULL, kl_bytes(b->plain, b->n_plain),
	    &b->desk.prekey, &c->sign_pk, c->sign_sk, out), "seal");
}

static void
submit(struct bench *b)
{
	const int phase = atomic_load(&b->shared->phase);
	struct kl_sealed e;
	struct client_answer a;
	struct kl_submit q;
	int64_t from_us;
	long n;

	seal(b, &e);
	q.envelope = kl_bytes(e.envelope, e.n_envelope);
	from_us = meter_now_us();
	do {
		struct kl_bytes ct = kl_bytes(e.ct, e.n_ct);
		uint64_t id;

		must(client_send(&b->practice, KL_SUBMIT, KL_M_SUBMIT, &q,
		    sizeof q, ct, &id), "send");
		must(client_wait(&b->practice, PATIENCE_MS, &a), "wait");
	} while (kl_code_retry(a.reply.code) == KL_RETRY_LATER);
	refused("SUBMIT", a.reply.code);
	n = atomic_load(&b->shared->n[phase]);
	if (n < TIMES_MAX)
		b->shared->us[phase][n] = meter_now_us() - from_us;
	atomic_store(&b->shared->n[phase], n + 1);
}

static pid_t
submitter_start(struct bench *b)
{
	const pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	must(kl_link_init(), "libzmq");
	begin(&b->practice, b);
	while (atomic_load(&b->shared->phase) != END)
		submit(b);
	_exit(0);
}

/* Without submits that went on to the end the numbers say nothing. */
static bool
submitter_end(pid_t submitter)
{
	int status = 0;

	(void)waitpid(submitter, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	fputs("query: the practice that submits stopped too early\n", stderr);
	return false;
}

/* ---- the auditor who asks ----------------------------------------------- */

static uint32_t
ask(struct bench *b, const struct kl_query *q, struct kl_query_reply *r)
{
	struct client_answer a;

	for (;;) {
		must(client_call(&b->auditor, KL_QUERY, KL_M_QUERY, q,
		    sizeof *q, PATIENCE_MS, &a), "QUERY");
		if (a.reply.code != KL_C_TRY_LATER)
			break;
		(void)usleep(1000 * a.reply.retry_after_ms);
	}
	if (a.reply.code != KL_C_OK)
		return a.reply.code;
	kl_arena_reset(b->mem);
	return KL_MESSAGE_READ(KL_M_QUERY_REPLY, a.reply.body, b->mem, r);
}

/* One question, to its end. */
static void
query(struct bench *b)
{
	struct kl_query_what w = { .event = KL_EV_ACCEPTED };
	struct kl_query q = { .want = KL_QUERY_RECORDS };
	struct kl_query_reply r;
	uint8_t what[256];
	size_t n;

	must(kl_id_read(ASKED_ORG, &w.sender), ASKED_ORG);
	must(KL_MESSAGE_PACK(KL_M_QUERY_WHAT, &w, what, sizeof what, &n),
	    "pack");
	q.what = kl_bytes(what, n);
	b->found = b->pages = 0;
	do {
		refused("QUERY", ask(b, &q, &r));
		b->found += r.n_logged;
		b->pages++;
		q.ticket = r.ticket;
		q.from = r.next;
		meter_look(&b->meter);
	} while (r.next != 0);
	if (b->found != b->answers)
		must(KL_E_VALUE, "the number of answers");
}

/* Until the log was read as a whole, and a checkpoint covers it. */
static void
wait_signed(struct bench *b)
{
	const struct kl_log_request q = { .want = KL_LOG_CHECKPOINT };
	const int64_t until_ms = kl_mono_ms() + SIGN_MS;
	struct kl_checkpoint c = { .size = 0 };
	struct client_answer a;
	struct kl_log_reply r;

	while (c.size < b->records && kl_mono_ms() < until_ms) {
		(void)usleep(100000);
		must(client_call(&b->auditor, KL_LOG, KL_M_LOG, &q, sizeof q,
		    PATIENCE_MS, &a), "LOG");
		kl_arena_reset(b->mem);
		refused("LOG", KL_MESSAGE_READ(KL_M_LOG_REPLY, a.reply.body,
		    b->mem, &r));
		must(kl_note_verify(r.note, &b->broker.sign_pk, &c), "note");
	}
	if (c.size < b->records)
		must(KL_E_AGAIN, "no checkpoint covers the log");
}

/* ---- before and after --------------------------------------------------- */

static void
make(struct bench *b)
{
	struct kl_secret *authority = NULL;
	struct kl_referral who = people_usual();
	uint8_t salt[KL_SALT_BYTES];
	struct kl_id asked;
	char cards[512];

	(void)snprintf(cards, sizeof cards, "%s/cards", b->argv[3]);
	must(region_broker_read(b->argv[3], &b->broker), b->argv[3]);
	must(region_authority_read(b->argv[4], &authority), b->argv[4]);
	must(client_make(&b->practice, "agb:00000001", KL_PRACTICE), "keys");
	must(client_make(&b->desk, "oin:00000000000000000002",
	    KL_MUNICIPALITY), "keys");
	must(client_make(&b->auditor, "kvk:00000003", KL_AUDITOR), "keys");
	must(client_enrol(&b->practice, authority, cards), cards);
	must(client_enrol(&b->desk, authority, cards), cards);
	must(kl_id_read(ASKED_ORG, &asked), ASKED_ORG);
	must(client_enrol_auditor(&b->auditor, authority, &asked, cards),
	    cards);
	kl_secret_free(authority);
	kl_random(salt, sizeof salt);
	must(kl_content_pack_referral(&who, salt, 1, b->plain,
	    sizeof b->plain, &b->n_plain), "pack");
	b->mem = kl_arena_new(1 << 20, 4096);
	b->shared = mmap(NULL, sizeof *b->shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (b->mem == NULL || b->shared == MAP_FAILED)
		must(KL_E_MEMORY, "start");
}

static pid_t
start(struct bench *b)
{
	const pid_t pid = region_start(b->argv[1], b->argv[2], NULL);

	if (pid < 0)
		must(KL_E_SYSTEM, b->argv[1]);
	return pid;
}

static void
fill(struct bench *b)
{
	const pid_t pid = fork();
	int status = 1;

	if (pid == 0) {
		(void)dup2(STDERR_FILENO, STDOUT_FILENO);
		(void)execl(b->argv[6], b->argv[6], b->argv[2], b->argv[7],
		    ASKED_ORG, b->argv[8], (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		must(KL_E_SYSTEM, b->argv[6]);
}

/* Of the core alone: the process that the store is mapped into. */
static void
meter_core(struct bench *b, pid_t supervisor)
{
	meter_start(&b->meter, supervisor, NULL);
	for (size_t i = 0; i < b->meter.n; i++) {
		char path[64], target[4096];
		FILE *f;
		bool core = false;

		(void)snprintf(path, sizeof path, "/proc/%d/maps",
		    (int)b->meter.pid[i]);
		f = fopen(path, "re");
		while (f != NULL && fgets(target, sizeof target, f) != NULL)
			core = core || strstr(target, "data.mdb") != NULL;
		if (f != NULL)
			(void)fclose(f);
		if (!core)
			continue;
		b->meter.pid[0] = b->meter.pid[i];
		b->meter.n = 1;
		b->meter.rss_peak_bytes = 0;
		meter_look(&b->meter);
		return;
	}
	must(KL_E_NOT_FOUND, "the core");
}

static double
submits_a_second(struct bench *b, enum phase p, int64_t us)
{
	return (double)atomic_load(&b->shared->n[p]) * 1e6 / (double)us;
}

static double
p99_ms(struct bench *b, enum phase p)
{
	struct meter_times t = { .us = b->shared->us[p], .cap = TIMES_MAX };

	t.n = (size_t)atomic_load(&b->shared->n[p]);
	if (t.n > t.cap)
		t.n = t.cap;
	return (double)meter_percentile(&t, 99) / 1e3;
}

static void
run(struct bench *b)
{
	int64_t us[QUERIES], quiet_us, beside_us, before;
	struct meter_times times = { .us = us, .cap = QUERIES };

	atomic_store(&b->shared->phase, QUIET);
	quiet_us = meter_now_us();
	(void)usleep(QUIET_MS * 1000);
	atomic_store(&b->shared->phase, BESIDE);
	quiet_us = meter_now_us() - quiet_us;
	b->meter.rss_peak_bytes = 0;
	meter_look(&b->meter);
	before = b->meter.rss_peak_bytes;
	beside_us = meter_now_us();
	for (int i = 0; i < QUERIES; i++) {
		const int64_t from_us = meter_now_us();

		query(b);
		meter_time(&times, meter_now_us() - from_us);
	}
	beside_us = meter_now_us() - beside_us;
	atomic_store(&b->shared->phase, END);
	printf("query,%llu,%llu,%llu,%.0f,%.0f,%.1f,%.0f,%.0f,%.1f,%.1f\n",
	    (unsigned long long)b->records, (unsigned long long)b->found,
	    (unsigned long long)b->pages,
	    (double)meter_percentile(&times, 50) / 1e3,
	    (double)meter_percentile(&times, 100) / 1e3,
	    (double)(b->meter.rss_peak_bytes - before) / 1048576,
	    submits_a_second(b, QUIET, quiet_us),
	    submits_a_second(b, BESIDE, beside_us), p99_ms(b, QUIET),
	    p99_ms(b, BESIDE));
}

int
main(int argc, char **argv)
{
	static struct bench b;
	pid_t pid, submitter;

	if (argc != 9) {
		fputs("usage: query KORTELIJND CONF CONFIG_DIR AUTHORITY_DIR "
		    "ENDPOINT LOGFILL RECORDS ANSWERS\n", stderr);
		return 2;
	}
	b.argv = argv;
	b.records = strtoull(argv[7], NULL, 10);
	b.answers = strtoull(argv[8], NULL, 10);
	must(kl_crypto_init(), "libsodium");
	make(&b);
	/* The month has its key from the first start. */
	pid = start(&b);
	(void)sleep(1);
	if (region_stop(pid) != 0)
		must(KL_E_SYSTEM, "the broker's end");
	fill(&b);
	pid = start(&b);
	submitter = submitter_start(&b);
	must(kl_link_init(), "libzmq");
	begin(&b.desk, &b);
	begin(&b.auditor, &b);
	wait_signed(&b);
	meter_core(&b, pid);
	run(&b);
	return submitter_end(submitter) && region_stop(pid) == 0 ? 0 : 1;
}
