/*
 * trees.c: what our tree says, one line each, for somebody else to say too;
 * and what somebody else says, for us to verify.
 *
 *   trees make MAX SEED     roots of all sizes to MAX, all proofs to size 8,
 *                           and some of each size from there on
 *   trees check <LINES      lines of the same form
 *
 *   root SIZE HASH
 *   inclusion SIZE INDEX HASH...
 *   consistency SIZE OLD HASH...
 *
 * Leaf i is the eight bytes of i; hashes are base64.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/merkle.h>
#include <kortelijn/crypto/secret.h>

#define MAX_LEAVES 100000
#define WHOLE 8			/* sizes of which every proof is told */
#define STEP 23			/* above it of each 23rd size some */
#define LINE_BYTES 16384

static struct kl_hash *leaf, *root;	/* root[size] */

static int
usage(void)
{
	fputs("usage: trees make MAX SEED | trees check\n", stderr);
	return 2;
}

static bool
grow(uint64_t max)
{
	struct kl_range r;
	uint8_t bytes[8];

	leaf = calloc(max, sizeof *leaf);
	root = calloc(max + 1, sizeof *root);
	if (leaf == NULL || root == NULL)
		return false;
	kl_range_init(&r);
	root[0] = kl_range_root(&r);
	for (uint64_t i = 0; i < max; i++) {
		kl_be64_put(bytes, i);
		leaf[i] = kl_leaf_hash(KL_BYTES_OF(bytes));
		kl_range_append(&r, &leaf[i]);
		root[i + 1] = kl_range_root(&r);
	}
	return true;
}

/* ---- make ---- */

static void
put(const struct kl_hash *h, size_t n)
{
	char b64[(sizeof h->b + 2) / 3 * 4 + 1];

	for (size_t i = 0; i < n; i++)
		if (kl_base64(KL_BYTES_OF(h[i].b), b64, sizeof b64) == KL_OK)
			printf(" %s", b64);
	putchar('\n');
}

static void
put_proofs(uint64_t size, uint64_t index, uint64_t old)
{
	struct kl_hash h[KL_PROOF_MAX];
	size_t n;

	if (kl_prove_inclusion(leaf, size, index, h, &n) == KL_OK) {
		printf("inclusion %" PRIu64 " %" PRIu64, size, index);
		put(h, n);
	}
	if (kl_prove_consistency(leaf, size, old, h, &n) == KL_OK) {
		printf("consistency %" PRIu64 " %" PRIu64, size, old);
		put(h, n);
	}
}

/* Enough to choose sizes by, and the same for a seed everywhere. */
static uint64_t
next(uint64_t *seed, uint64_t below)
{
	*seed = *seed * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (*seed >> 33) % below;
}

static int
make(uint64_t max, uint64_t seed)
{
	for (uint64_t size = 0; size <= max; size++) {
		printf("root %" PRIu64, size);
		put(&root[size], 1);
		if (size <= WHOLE)
			for (uint64_t i = 0; i < size; i++)
				put_proofs(size, i, i + 1);
		else if (next(&seed, STEP) == 0 || size == max)
			put_proofs(size, next(&seed, size),
			    1 + next(&seed, size));
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

/* ---- check ---- */

/* The hashes behind the numbers; false: one is none. */
static bool
hashes(char *rest, struct kl_hash *h, size_t *n)
{
	char *save = NULL, *word;
	size_t got;

	for (*n = 0; (word = strtok_r(*n == 0 ? rest : NULL, " \n",
	    &save)) != NULL; ++*n)
		if (*n == KL_PROOF_MAX || kl_base64_read(kl_bytes_str(word),
		    h[*n].b, sizeof h->b, &got) != KL_OK ||
		    got != sizeof h->b)
			return false;
	return true;
}

static bool
holds(char *line, uint64_t max)
{
	struct kl_hash h[KL_PROOF_MAX];
	uint64_t size, at;
	size_t n;
	int used = 0;

	if (sscanf(line, "root %" SCNu64 "%n", &size, &used) == 1)
		return size <= max && hashes(line + used, h, &n) && n == 1 &&
		    memcmp(h, &root[size], sizeof root[size]) == 0;
	if (sscanf(line, "inclusion %" SCNu64 " %" SCNu64 "%n", &size, &at,
	    &used) == 2)
		return size <= max && at < size &&
		    hashes(line + used, h, &n) &&
		    kl_check_inclusion(&leaf[at], at, size, h, n,
		    &root[size]) == KL_OK;
	return sscanf(line, "consistency %" SCNu64 " %" SCNu64 "%n", &size,
	    &at, &used) == 2 && size <= max && at <= size &&
	    hashes(line + used, h, &n) &&
	    kl_check_consistency(at, &root[at], size, &root[size], h, n) ==
	    KL_OK;
}

static int
check(uint64_t max)
{
	static char line[LINE_BYTES];
	uint64_t n = 0;

	while (fgets(line, sizeof line, stdin) != NULL) {
		n++;
		if (!holds(line, max)) {
			fprintf(stderr, "line %" PRIu64 " does not hold\n",
			    n);
			return 1;
		}
	}
	printf("%" PRIu64 " lines hold\n", n);
	return n > 0 && !ferror(stdin) ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const bool making = argc == 4 && strcmp(argv[1], "make") == 0;
	const uint64_t max = making ? strtoull(argv[2], NULL, 10) :
	    MAX_LEAVES;

	if (!making && (argc != 2 || strcmp(argv[1], "check") != 0))
		return usage();
	if (max == 0 || max > MAX_LEAVES || kl_crypto_init() != KL_OK ||
	    !grow(max))
		return usage();
	return making ? make(max, strtoull(argv[3], NULL, 10)) : check(max);
}
