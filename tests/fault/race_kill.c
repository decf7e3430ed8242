#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <kortelijn/host/loop.h>

#include "tests/fault/race.h"
#include "tests/support/region.h"

#define SERVE_MS 60000		/* until the broker serves again */
#define BEGIN_MS 2000		/* of one try */
#define STEP_MS 5

enum victim { EDGE, CORE, SUPERVISOR };

/* ---- when ---------------------------------------------------------------- */

static int
by_number(const void *a, const void *b)
{
	const size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

void
race_kills_plan(struct races *s)
{
	uint64_t x = s->seed;

	for (size_t i = 0; i < s->n_kill; i++)
		s->kill_at[i] = race_below(&x, s->n);
	qsort(s->kill_at, s->n_kill, sizeof *s->kill_at, by_number);
}

/* ---- whom ---------------------------------------------------------------- */

static void
step(void)
{
	const struct timespec t = { .tv_nsec = STEP_MS * 1000000L };

	(void)nanosleep(&t, NULL);
}

static bool
runs_as(long pid, const char *option)
{
	char path[64], line[1024];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
	if ((f = fopen(path, "r")) == NULL)
		return false;
	n = fread(line, 1, sizeof line - 1, f);
	(void)fclose(f);
	line[n] = '\0';
	for (size_t i = 0; i < n; i += strlen(line + i) + 1)
		if (strcmp(line + i, option) == 0)
			return true;
	return false;
}

/* A child of the supervisor, 0: it is not there. */
static long
child_of(pid_t supervisor, const char *option)
{
	char path[64];
	long pid, found = 0;
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children",
	    (long)supervisor, (long)supervisor);
	if ((f = fopen(path, "r")) == NULL)
		return 0;
	while (found == 0 && fscanf(f, "%ld", &pid) == 1)
		if (runs_as(pid, option))
			found = pid;
	(void)fclose(f);
	return found;
}

static void
kill_child(struct races *s, const char *option)
{
	const int64_t until = kl_mono_ms() + SERVE_MS;
	long pid;

	while ((pid = child_of(s->broker.pid, option)) == 0) {
		if (kl_mono_ms() >= until)
			race_must(KL_E_NOT_FOUND, option);
		step();
	}
	(void)kill((pid_t)pid, SIGKILL);
}

static void
kill_supervisor(struct races *s)
{
	(void)kill(s->broker.pid, SIGKILL);
	(void)waitpid(s->broker.pid, NULL, 0);
	s->broker.pid = region_start(s->broker.program, s->broker.conf, NULL);
	if (s->broker.pid < 0)
		race_must(KL_E_SYSTEM, s->broker.program);
}

/* ---- and after it -------------------------------------------------------- */

static bool
end_begin(struct races *s, struct race_end *e)
{
	uint32_t code;

	kl_link_close(e->c.link);
	e->c.link = NULL;
	race_must(client_connect(&e->c, s->broker.endpoint,
	    &s->broker.transport_pk), s->broker.endpoint);
	/* What is refused now, since a start takes a moment, is asked anew. */
	return client_up(&e->c, BEGIN_MS) == KL_OK &&
	    client_begin(&e->c, BEGIN_MS, &code) == KL_OK;
}

void
race_connect(struct races *s)
{
	const int64_t until = kl_mono_ms() + SERVE_MS;

	for (size_t i = 0; i < RACE_ENDS; i++) {
		struct race_end *e = &s->end[i];

		while (!end_begin(s, e)) {
			if (kl_mono_ms() >= until)
				race_must(KL_E_AGAIN, "the broker serves");
			step();
		}
		memset(e->pending, 0, sizeof e->pending);
		e->n_ack = 0;
		e->fetching = false;
		e->fetch_us = 0;
	}
}

static void
send_anew(struct races *s, struct race *r)
{
	for (size_t i = 0; i < RACE_KINDS; i++) {
		if (r->msg[i].state == RACE_SENT)
			race_send_message(s, r, (enum race_kind)i);
		if (r->msg[i].receipt_sent && !r->msg[i].receipt_taken)
			race_send_receipt(s, r, (enum race_kind)i);
	}
	for (size_t i = 0; i < 2; i++) {
		if (r->w[i].state != RACE_SENT)
			continue;
		s->cut++;
		race_send_withdrawal(s, r, i);
	}
}

void
race_kill(struct races *s)
{
	const uint64_t dice = race_below(&s->random, 20);
	const enum victim who = dice < 8 ? EDGE : dice < 17 ? CORE :
	    SUPERVISOR;

	if (who == SUPERVISOR)
		kill_supervisor(s);
	else
		kill_child(s, who == EDGE ? "--edge" : "--core");
	s->killed[who]++;
	s->kills++;
	race_connect(s);
	for (size_t i = 0; i < s->begun; i++)
		send_anew(s, &s->race[i]);
	s->seen_ms = kl_mono_ms();
}
