/*
 * meter.h: what a broker costs, seen from outside: CPU time and memory of
 * edge and core from /proc, syncs from synccount.c, and latencies.
 */
#ifndef TESTS_BENCH_METER_H
#define TESTS_BENCH_METER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int64_t meter_now_us(void);

#define METER_CHILDREN 4
struct meter {
	pid_t pid[METER_CHILDREN];	/* edge and core */
	size_t n;
	int64_t cpu_us;			/* at the start */
	int64_t syncs;
	int64_t rss_peak_bytes;		/* RssAnon of all, largest seen */
	const uint64_t *counter;	/* mapped, or NULL: not counted */
};

/* The children of the supervisor. count_file: that of synccount.c, or NULL. */
void meter_start(struct meter *m, pid_t supervisor, const char *count_file);
/* Looks at the memory; call it often. */
void meter_look(struct meter *m);
/* Since the start. */
int64_t meter_cpu_us(const struct meter *m);
int64_t meter_syncs(const struct meter *m);	/* -1: not counted */

/* Latencies, in microseconds. */
struct meter_times {
	int64_t *us;
	size_t n, cap;
};
void meter_time(struct meter_times *t, int64_t us);
/* Sorts; 0 if there are none. */
int64_t meter_percentile(struct meter_times *t, unsigned int percent);

#endif
