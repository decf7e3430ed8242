/*
 * verify: what it costs to verify an export.
 *
 *   verify DIR LEAVES
 *
 * Makes DIR, the export of a log of whole conversations, and verifies it as
 * 'kortelijn audit verify' does: every record, tile and checkpoint, and the
 * rules. Prints one line; ends with 1 if anything was found wrong.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/crypto/sign.h>

#include "proto/audit/dircheck.h"
#include "tests/support/exportdir.h"

#define CHECKPOINTS 1000	/* of a log; a day apart they are 3 years */

static void
wrong(void *arg, const char *file, uint64_t leaf, const char *text)
{
	(void)arg;
	(void)leaf;
	fprintf(stderr, "verify: %s: %s\n", file, text);
}

static void
broken(void *arg, const struct audit_finding *f)
{
	(void)arg;
	fprintf(stderr, "verify: leaf %" PRIu64 ": %s\n", f->leaf, f->text);
}

static double
seconds(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
measure(const char *dir, const struct kl_sign_pk *pk)
{
	const struct audit_dircheck_keys keys = { .log = pk,
		.origin = EXPORTDIR_ORIGIN };
	const struct audit_dircheck_told told = { wrong, broken, NULL };
	const double wall = seconds(CLOCK_MONOTONIC);
	const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	struct audit_dircheck_sum s;
	int err = audit_dircheck(dir, &keys, &told, &s);

	if (err != KL_OK) {
		fprintf(stderr, "verify: %s\n", kl_err_text(err));
		return 1;
	}
	printf("%" PRIu64 " leaves, %" PRIu64 " records, %" PRIu64
	    " checkpoints: %.2f s, of which %.2f s CPU; %zu MiB held\n",
	    s.leaves, s.rules.records, s.checkpoints,
	    seconds(CLOCK_MONOTONIC) - wall,
	    seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, s.bytes >> 20);
	return s.wrong > 0 || s.rules.broken > 0 || s.rules.records !=
	    s.leaves;
}

int
main(int argc, char **argv)
{
	struct kl_secret *sk;
	struct kl_sign_pk pk;
	struct exportdir e = { 0 };
	int r;

	if (argc != 3 || kl_crypto_init() != KL_OK ||
	    kl_sign_keypair(&pk, &sk) != KL_OK) {
		fputs("usage: verify DIR LEAVES\n", stderr);
		return 2;
	}
	e.path = argv[1];
	e.leaves = strtoull(argv[2], NULL, 10);
	e.checkpoint_every = e.leaves / CHECKPOINTS + 1;
	e.csv = true;
	e.sk = sk;
	exportdir_make(&e);
	r = measure(argv[1], &pk);
	kl_secret_free(sk);
	return r;
}
