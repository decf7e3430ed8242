#include "tests/bench/meter.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int64_t
meter_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* A file of /proc as text; empty if it is gone. */
static void
proc_read(pid_t pid, const char *name, char *out, size_t cap)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, out, cap - 1);
		(void)close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
}

/* User and system time: the 12th and 13th word behind the name. */
static int64_t
process_cpu_us(pid_t pid)
{
	const int64_t hz = sysconf(_SC_CLK_TCK);
	uint64_t user = 0, system = 0;
	char text[1024];
	const char *p;

	proc_read(pid, "stat", text, sizeof text);
	p = strrchr(text, ')');
	if (p == NULL || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u "
	    "%*u %*u %" SCNu64 " %" SCNu64, &user, &system) != 2)
		return 0;
	return (int64_t)(user + system) * 1000000 / hz;
}

static int64_t
process_rss_bytes(pid_t pid)
{
	char text[4096];
	const char *p;

	proc_read(pid, "status", text, sizeof text);
	p = strstr(text, "RssAnon:");
	return p != NULL ? 1024 * strtoll(p + 8, NULL, 10) : 0;
}

static int64_t
cpu_us(const struct meter *m)
{
	int64_t sum = 0;

	for (size_t i = 0; i < m->n; i++)
		sum += process_cpu_us(m->pid[i]);
	return sum;
}

static const uint64_t *
counter_map(const char *path)
{
	void *p;
	int fd;

	if (path == NULL || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return NULL;
	p = mmap(NULL, sizeof(uint64_t), PROT_READ, MAP_SHARED, fd, 0);
	(void)close(fd);
	return p != MAP_FAILED ? p : NULL;
}

static int64_t
syncs(const struct meter *m)
{
	return m->counter == NULL ? -1 :
	    (int64_t)__atomic_load_n(m->counter, __ATOMIC_RELAXED);
}

void
meter_start(struct meter *m, pid_t supervisor, const char *count_file)
{
	char name[64], text[256], *p = text, *end;

	memset(m, 0, sizeof *m);
	(void)snprintf(name, sizeof name, "task/%d/children",
	    (int)supervisor);
	proc_read(supervisor, name, text, sizeof text);
	while (m->n < METER_CHILDREN) {
		long pid = strtol(p, &end, 10);

		if (end == p)
			break;
		m->pid[m->n++] = (pid_t)pid;
		p = end;
	}
	m->counter = counter_map(count_file);
	m->cpu_us = cpu_us(m);
	m->syncs = syncs(m);
	meter_look(m);
}

void
meter_look(struct meter *m)
{
	int64_t sum = 0;

	for (size_t i = 0; i < m->n; i++)
		sum += process_rss_bytes(m->pid[i]);
	if (sum > m->rss_peak_bytes)
		m->rss_peak_bytes = sum;
}

int64_t
meter_cpu_us(const struct meter *m)
{
	return cpu_us(m) - m->cpu_us;
}

int64_t
meter_syncs(const struct meter *m)
{
	return m->counter == NULL ? -1 : syncs(m) - m->syncs;
}

void
meter_time(struct meter_times *t, int64_t us)
{
	if (t->n < t->cap)
		t->us[t->n++] = us;
}

static int
compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t
meter_percentile(struct meter_times *t, unsigned int percent)
{
	if (t->n == 0)
		return 0;
	qsort(t->us, t->n, sizeof *t->us, compare);
	return t->us[(t->n - 1) * percent / 100];
}
