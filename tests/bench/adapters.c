/*
 * adapters: closed loops through the real adapters with their durable stores,
 * driven over their control sockets.
 *
 *   adapters BROKER_PID TEMPLATE IN_FLIGHT LOOPS PAIR...
 *
 * TEMPLATE: a referral file. A PAIR is PRACTICE,DESK,ID,PTRACE,DTRACE: two
 * control sockets, the id of the desk, and the traces of both, which show what
 * arrived. Each loop in flight is a thread that asks and waits, as so many
 * clerks would. A loop: refer, until the broker accepted; feedback
 * `completed`, as soon as the desk has the referral; done when the practice
 * opened the feedback. One thread reads the traces and wakes who waits for a
 * line, so that waiting costs the adapters nothing.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include <kortelijn/host/control.h>

#include "tests/bench/meter.h"

#define PAIRS_MAX 8
#define PATIENCE_MS 60000
#define STEP_US 1000
#define LINE_MAX_BYTES 1024

/* What a trace has shown: keys, each with when it was seen (us) or what. */
struct trace {
	FILE *lines;
	json_t *conv_of;	/* leaf of an accepted message -> conv */
	json_t *opened;		/* conv -> us */
};

struct pair {
	char *practice, *desk, *id;
	struct trace at_practice, at_desk;
};

/* A thread that waits until `table` has `key`. */
struct waiter {
	struct waiter *next;
	const json_t *table;
	const char *key;
	pthread_cond_t there;
};

struct bench {
	struct pair pair[PAIRS_MAX];
	size_t n_pairs, in_flight, want;
	json_t *template;
	pthread_mutex_t lock;	/* of all below, and of the pairs */
	size_t begun, done;
	struct waiter *waiters;
	struct meter_times accepted, feedback;
	int64_t began_us;
};

static void __attribute__((noreturn))
give_up(const char *what, const char *why)
{
	fprintf(stderr, "adapters: %s: %s\n", what, why);
	exit(1);
}

static void
nap(void)
{
	(void)nanosleep(&(struct timespec){ .tv_nsec = STEP_US * 1000 }, NULL);
}

/* ---- asking an adapter --------------------------------------------------- */

/* Takes the question; the answer is the caller's. */
static json_t *
ask_take(const char *socket, json_t *question)
{
	char *text = json_dumps(question, JSON_COMPACT), *line = NULL;
	json_t *answer;
	size_t n;
	int r;

	json_decref(question);
	if (text == NULL)
		give_up(socket, "no memory");
	/* All places are taken: the next clerk waits. */
	while ((r = kl_control_ask(socket, kl_bytes_str(text), PATIENCE_MS,
	    &line, &n)) == KL_E_IO)
		nap();
	if (r != KL_OK)
		give_up(socket, kl_err_text(r));
	answer = json_loads(line, 0, NULL);
	free(text);
	free(line);
	if (answer == NULL)
		give_up(socket, "no JSON");
	return answer;
}

static bool
ok(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "ok"));
}

static const char *
text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "?";
}

/* ---- traces -------------------------------------------------------------- */

static void
show_take(struct bench *b, json_t *table, const char *key, json_t *value)
{
	(void)json_object_set_new(table, key, value);
	for (struct waiter *w = b->waiters; w != NULL; w = w->next)
		if (w->table == table && strcmp(w->key, key) == 0)
			(void)pthread_cond_signal(&w->there);
}

static void
trace_line(struct bench *b, struct trace *t, const char *line)
{
	json_t *o = json_loads(line, 0, NULL);
	const char *ev = text(o, "ev");
	char leaf[32];

	if (strcmp(ev, "accepted") == 0) {
		(void)snprintf(leaf, sizeof leaf, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(json_object_get(o, "leaf")));
		show_take(b, t->conv_of, leaf,
		    json_incref(json_object_get(o, "conv")));
	} else if (strcmp(ev, "opened") == 0) {
		show_take(b, t->opened, text(o, "conv"),
		    json_integer(meter_now_us()));
	}
	json_decref(o);
}

/* All whole lines that are new. */
static void
trace_read(struct bench *b, struct trace *t)
{
	char line[LINE_MAX_BYTES];
	long at = ftell(t->lines);

	clearerr(t->lines);
	while (fgets(line, sizeof line, t->lines) != NULL) {
		if (strchr(line, '\n') == NULL) {
			(void)fseek(t->lines, at, SEEK_SET);
			return;
		}
		trace_line(b, t, line);
		at = ftell(t->lines);
	}
}

static void *
trace_thread(void *arg)
{
	struct bench *b = arg;

	while (true) {
		(void)pthread_mutex_lock(&b->lock);
		for (size_t i = 0; i < b->n_pairs; i++) {
			trace_read(b, &b->pair[i].at_practice);
			trace_read(b, &b->pair[i].at_desk);
		}
		(void)pthread_mutex_unlock(&b->lock);
		nap();
	}
	return NULL;
}

/* The value of `key`, borrowed, once a trace has shown it. */
static const json_t *
trace_wait(struct bench *b, const json_t *table, const char *key)
{
	struct waiter w = { .table = table, .key = key,
		.there = PTHREAD_COND_INITIALIZER };
	struct waiter **at = &b->waiters;
	const json_t *value;
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_MS / 1000;
	(void)pthread_mutex_lock(&b->lock);
	w.next = b->waiters;
	b->waiters = &w;
	while ((value = json_object_get(table, key)) == NULL)
		if (pthread_cond_timedwait(&w.there, &b->lock, &until) != 0)
			give_up("a trace", "the line never came");
	while (*at != &w)
		at = &(*at)->next;
	*at = w.next;
	(void)pthread_mutex_unlock(&b->lock);
	return value;
}

/* ---- a loop -------------------------------------------------------------- */

/* Letters for digits: nine digits in a file may be a BSN. */
static void
id_make(char *id, size_t cap, size_t n)
{
	(void)snprintf(id, cap, "bench-%d-%zu", (int)getpid(), n);
	for (; *id != '\0'; id++)
		if (*id >= '0' && *id <= '9')
			*id = (char)(*id - '0' + 'a');
}

static json_t *
refer(struct bench *b, struct pair *p, size_t n)
{
	json_t *file = json_deep_copy(b->template);
	char id[64], *text_of;
	json_t *q;

	id_make(id, sizeof id, n);
	(void)json_object_set_new(file, "referral_id", json_string(id));
	(void)json_object_set_new(file, "receiver", json_string(p->id));
	text_of = json_dumps(file, JSON_COMPACT);
	q = json_pack("{s:s,s:s,s:i}", "cmd", "refer", "file", text_of,
	    "wait", PATIENCE_MS / 1000);
	free(text_of);
	json_decref(file);
	return ask_take(p->practice, q);
}

static void
report(struct pair *p, const char *reference)
{
	json_t *a = ask_take(p->desk, json_pack("{s:s,s:s,s:s}", "cmd",
	    "feedback", "reference", reference, "code", "completed"));

	if (!ok(a))
		give_up("feedback", text(a, "code"));
	json_decref(a);
}

static void
loop(struct bench *b, struct pair *p, size_t n)
{
	const int64_t began = meter_now_us();
	int64_t accepted, seen;
	json_t *a = refer(b, p, n);
	char leaf[32];
	const char *conv;

	if (!ok(a) || !json_is_integer(json_object_get(a, "leaf")))
		give_up("refer", text(a, "code"));
	accepted = meter_now_us();
	(void)snprintf(leaf, sizeof leaf, "%" JSON_INTEGER_FORMAT,
	    json_integer_value(json_object_get(a, "leaf")));
	conv = json_string_value(trace_wait(b, p->at_practice.conv_of, leaf));
	(void)trace_wait(b, p->at_desk.opened, conv);
	report(p, text(a, "reference"));
	json_decref(a);
	seen = json_integer_value(trace_wait(b, p->at_practice.opened, conv));
	(void)pthread_mutex_lock(&b->lock);
	meter_time(&b->accepted, accepted - began);
	meter_time(&b->feedback, seen - began);
	b->done++;
	(void)pthread_mutex_unlock(&b->lock);
}

static void *
loop_thread(void *arg)
{
	struct bench *b = arg;
	size_t n;

	while (true) {
		(void)pthread_mutex_lock(&b->lock);
		n = b->begun < b->want ? ++b->begun : 0;
		(void)pthread_mutex_unlock(&b->lock);
		if (n == 0)
			return NULL;
		loop(b, &b->pair[n % b->n_pairs], n);
	}
}

/* ---- main ---------------------------------------------------------------- */

static void
trace_open(struct trace *t, const char *path)
{
	if (path == NULL || (t->lines = fopen(path, "r")) == NULL)
		give_up("PAIR", "no trace there");
	(void)fseek(t->lines, 0, SEEK_END);
	t->conv_of = json_object();
	t->opened = json_object();
}

static void
pair_take(struct bench *b, char *arg)
{
	struct pair *p = &b->pair[b->n_pairs++];

	p->practice = strtok(arg, ",");
	p->desk = strtok(NULL, ",");
	p->id = strtok(NULL, ",");
	trace_open(&p->at_practice, strtok(NULL, ","));
	trace_open(&p->at_desk, strtok(NULL, ","));
}

static void
run(struct bench *b, struct meter *meter, pid_t broker)
{
	pthread_t thread[256], reader;

	meter_start(meter, broker, getenv("KL_SYNC_COUNT"));
	b->began_us = meter_now_us();
	if (pthread_create(&reader, NULL, trace_thread, b) != 0)
		give_up("threads", "cannot be made");
	for (size_t i = 0; i < b->in_flight; i++)
		if (pthread_create(&thread[i], NULL, loop_thread, b) != 0)
			give_up("threads", "cannot be made");
	while (b->done < b->want) {
		meter_look(meter);
		(void)nanosleep(&(struct timespec){ .tv_nsec = 50000000 },
		    NULL);
	}
	for (size_t i = 0; i < b->in_flight; i++)
		(void)pthread_join(thread[i], NULL);
}

static void
print(struct bench *b, struct meter *m, int64_t us)
{
	const double n = (double)b->done;

	printf("adapters,%zu,%zu,%.1f,%.3f,%.3f,%.3f,%.3f,%.2f,%.1f,%.2f\n",
	    b->in_flight, b->done, n * 1e6 / (double)us,
	    (double)meter_percentile(&b->accepted, 50) / 1e3,
	    (double)meter_percentile(&b->accepted, 99) / 1e3,
	    (double)meter_percentile(&b->feedback, 50) / 1e3,
	    (double)meter_percentile(&b->feedback, 99) / 1e3,
	    (double)meter_cpu_us(m) / 1e6 * 10000 / n,
	    (double)m->rss_peak_bytes / 1048576,
	    (double)meter_syncs(m) / n);
}

int
main(int argc, char **argv)
{
	static struct bench b = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct meter meter;

	if (argc < 6 || argc > 5 + PAIRS_MAX) {
		fputs("usage: adapters BROKER_PID TEMPLATE IN_FLIGHT LOOPS "
		    "PRACTICE,DESK,ID,PTRACE,DTRACE...\n", stderr);
		return 2;
	}
	b.template = json_load_file(argv[2], 0, NULL);
	b.in_flight = (size_t)strtoul(argv[3], NULL, 10);
	b.want = (size_t)strtoul(argv[4], NULL, 10);
	if (b.template == NULL || b.in_flight < 1 || b.in_flight > 256)
		give_up(argv[2], "no template, or IN_FLIGHT");
	for (int i = 5; i < argc; i++)
		pair_take(&b, argv[i]);
	b.accepted.us = calloc(b.want, sizeof(int64_t));
	b.feedback.us = calloc(b.want, sizeof(int64_t));
	b.accepted.cap = b.feedback.cap = b.want;
	if (b.accepted.us == NULL || b.feedback.us == NULL)
		give_up("start", "no memory");
	run(&b, &meter, (pid_t)strtol(argv[1], NULL, 10));
	print(&b, &meter, meter_now_us() - b.began_us);
	return 0;
}
