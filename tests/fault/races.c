/*
 * races: withdrawals against deliveries, see race.h, against a broker that it
 * starts itself and kills in between.
 *
 *   races KORTELIJND CONF CONFIG_DIR AUTHORITY_DIR ENDPOINT RACES KILLS SEED
 *       HELD
 *
 * HELD: where it writes what the participants hold in the end. Ends with 1 if
 * the broker gave an answer that nothing explains.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/loop.h>

#include "tests/fault/race.h"
#include "tests/support/region.h"

#define IN_FLIGHT 12
#define PATIENCE_MS 30000	/* without any progress */
#define ANSWER_US 3000		/* before one was measured */
#define KILL_WITHIN_US 30000	/* of the beginning of its race */

int64_t
race_now_ms(void)
{
	return kl_clock_now_ms(&(struct kl_clock){ 0 });
}

int64_t
race_now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void
race_must(int r, const char *what)
{
	if (r == KL_OK)
		return;
	fprintf(stderr, "races: %s: %s\n", what, kl_err_text(r));
	exit(2);
}

/* ---- the run ------------------------------------------------------------- */

static void
begin(struct races *s)
{
	struct race *r = &s->race[s->begun];

	race_plan(s, s->begun);
	r->began_us = r->send_us = race_now_us();
	if (r->after == RACE_BEFORE)
		r->send_us += s->answer_us * r->wait_permille / 1000;
	while (s->kills < s->n_kill && s->kill_us == 0 &&
	    s->kill_at[s->kills] <= s->begun)
		s->kill_us = r->began_us + 1 +
		    (int64_t)race_below(&s->random, KILL_WITHIN_US);
	s->begun++;
	race_moves(s, r);
}

static void
fetch_when_due(struct races *s)
{
	const int64_t now_us = race_now_us();

	for (size_t i = 0; i < RACE_ENDS; i++)
		if (!s->end[i].fetching && s->end[i].fetch_us <= now_us)
			race_send_fetch(s, &s->end[i]);
}

static void
kill_when_due(struct races *s)
{
	if (s->kill_us == 0 || s->kill_us > race_now_us())
		return;
	race_kill(s);
	s->kill_us = 0;
}

static void
wait_any(struct races *s)
{
	struct pollfd p[RACE_ENDS];

	for (size_t i = 0; i < RACE_ENDS; i++) {
		p[i].events = POLLIN;
		(void)kl_link_fds(s->end[i].c.link, &p[i].fd, 1);
		if (kl_link_ready(s->end[i].c.link))
			return;
	}
	(void)poll(p, RACE_ENDS, 1);
}

static void
run(struct races *s)
{
	s->seen_ms = kl_mono_ms();
	while (s->over < s->n) {
		while (s->begun < s->n && s->begun - s->over < s->in_flight)
			begin(s);
		fetch_when_due(s);
		kill_when_due(s);
		if (!race_take_all(s))
			wait_any(s);
		for (size_t i = 0; i < s->begun; i++)
			if (s->race[i].active)
				race_moves(s, &s->race[i]);
		if (kl_mono_ms() - s->seen_ms > PATIENCE_MS)
			race_must(KL_E_AGAIN, "nothing comes any more");
	}
}

/* ---- before and after ---------------------------------------------------- */

static void
ends_make(struct races *s, const char *config_dir, const char *authority_dir)
{
	static const uint32_t role[3] = { KL_PRACTICE, KL_MUNICIPALITY,
	    KL_PARTNER };
	struct kl_secret *authority = NULL;
	char id[32], cards[512];

	race_must(region_authority_read(authority_dir, &authority),
	    authority_dir);
	(void)snprintf(cards, sizeof cards, "%s/cards", config_dir);
	for (size_t i = 0; i < RACE_ENDS; i++) {
		struct client *c = &s->end[i].c;

		(void)snprintf(id, sizeof id, i % 3 == 0 ? "agb:%08zu" :
		    i % 3 == 1 ? "oin:%020zu" : "kvk:%08zu", i + 1);
		race_must(client_make(c, id, role[i % 3]), id);
		race_must(client_enrol(c, authority, cards), cards);
	}
	kl_secret_free(authority);
}

static size_t
count_of(const char *text, size_t most, const char *what)
{
	const size_t n = (size_t)strtoul(text, NULL, 10);

	if (n > most)
		race_must(KL_E_VALUE, what);
	return n;
}

static void
races_make(struct races *s, char **argv)
{
	struct region_broker broker;

	s->n = count_of(argv[6], 1000000, "RACES");
	s->n_kill = count_of(argv[7], s->n, "KILLS");
	s->seed = strtoull(argv[8], NULL, 10);
	s->random = ~s->seed;
	s->in_flight = IN_FLIGHT;
	s->answer_us = ANSWER_US;
	s->race = calloc(s->n + 1, sizeof *s->race);
	s->kill_at = calloc(s->n_kill + 1, sizeof *s->kill_at);
	s->mem = kl_arena_new(1 << 20, 4096);
	if (s->race == NULL || s->kill_at == NULL || s->mem == NULL)
		race_must(KL_E_MEMORY, "start");
	race_must(region_broker_read(argv[3], &broker), argv[3]);
	s->broker = (struct race_broker){ .program = argv[1],
	    .conf = argv[2], .endpoint = argv[5],
	    .transport_pk = broker.transport_pk };
	race_kills_plan(s);
}

static void
held_write(const struct races *s, const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		race_must(KL_E_IO, path);
	race_tell(s, f);
	if (fclose(f) != 0)
		race_must(KL_E_IO, path);
}

static void
races_clear(struct races *s)
{
	for (size_t i = 0; i < RACE_ENDS; i++)
		client_clear(&s->end[i].c);
	free(s->race);
	free(s->kill_at);
	kl_arena_free(s->mem);
}

int
main(int argc, char **argv)
{
	static struct races s;
	int status;

	if (argc != 10) {
		fputs("usage: races KORTELIJND CONF CONFIG_DIR AUTHORITY_DIR "
		    "ENDPOINT RACES KILLS SEED HELD\n", stderr);
		return 2;
	}
	race_must(kl_crypto_init(), "libsodium");
	race_must(kl_link_init(), "libzmq");
	races_make(&s, argv);
	ends_make(&s, argv[3], argv[4]);
	s.broker.pid = region_start(s.broker.program, s.broker.conf, NULL);
	if (s.broker.pid < 0)
		race_must(KL_E_SYSTEM, s.broker.program);
	race_connect(&s);
	run(&s);
	held_write(&s, argv[9]);
	printf("races: %zu races, %zu kills (edge %zu, core %zu, supervisor "
	    "%zu) with %zu withdrawals under way, %zu strange answers\n",
	    s.over, s.kills, s.killed[0], s.killed[1], s.killed[2], s.cut,
	    s.errors);
	status = region_stop(s.broker.pid) == 0 && s.errors == 0 ? 0 : 1;
	races_clear(&s);
	return status;
}
