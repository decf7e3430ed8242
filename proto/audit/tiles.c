#include "proto/audit/tiles.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- names ---- */

/* 1234067 is x001/x234/067. */
static int
number_put(char *out, size_t cap, uint64_t number)
{
	uint32_t part[7];
	size_t n = 0, at = 0;

	do {
		part[n++] = (uint32_t)(number % 1000);
		number /= 1000;
	} while (number > 0);
	while (n-- > 0)
		at += (size_t)snprintf(out + at, cap - at, n > 0 ?
		    "x%03" PRIu32 "/" : "%03" PRIu32, part[n]);
	return (int)at;
}

static struct audit_tile_path
path_make(const char *front, uint64_t number, uint32_t width)
{
	struct audit_tile_path p;
	int n = snprintf(p.b, sizeof p.b, "%s", front);

	n += number_put(p.b + n, sizeof p.b - (size_t)n, number);
	if (width < AUDIT_TILE_HASHES)
		(void)snprintf(p.b + n, sizeof p.b - (size_t)n,
		    ".p/%" PRIu32, width);
	return p;
}

struct audit_tile_path
audit_tile_path(uint32_t level, uint64_t number, uint32_t width)
{
	char front[24];

	(void)snprintf(front, sizeof front, "tile/%" PRIu32 "/", level);
	return path_make(front, number, width);
}

struct audit_tile_path
audit_bundle_path(uint64_t number, uint32_t width)
{
	return path_make("records/", number, width);
}

/* ---- sizes ---- */

static uint64_t
hashes_at(uint64_t size, uint32_t level)
{
	return level >= AUDIT_TILE_LEVELS ? 0 : size >> (8 * level);
}

uint32_t
audit_tile_width(uint64_t size, uint32_t level, uint64_t number)
{
	const uint64_t n = hashes_at(size, level);

	if (number < n / AUDIT_TILE_HASHES)
		return AUDIT_TILE_HASHES;
	return number == n / AUDIT_TILE_HASHES ?
	    (uint32_t)(n % AUDIT_TILE_HASHES) : 0;
}

static struct kl_hash
root_of(const struct kl_hash hashes[AUDIT_TILE_HASHES])
{
	struct kl_hash h[AUDIT_TILE_HASHES / 2];

	for (size_t i = 0; i < AUDIT_TILE_HASHES / 2; i++)
		h[i] = kl_node_hash(&hashes[2 * i], &hashes[2 * i + 1]);
	for (size_t n = AUDIT_TILE_HASHES / 4; n > 0; n /= 2)
		for (size_t i = 0; i < n; i++)
			h[i] = kl_node_hash(&h[2 * i], &h[2 * i + 1]);
	return h[0];
}

/* ---- growing ---- */

void
audit_tiles_init(struct audit_tiles *t, int (*put)(void *arg, uint32_t level,
    uint64_t number, const struct kl_hash *hashes, uint32_t width), void *arg)
{
	memset(t, 0, sizeof *t);
	t->put = put;
	t->arg = arg;
}

int
audit_tiles_append(struct audit_tiles *t, const struct kl_hash *leaf)
{
	struct kl_hash h = *leaf;
	int r;

	t->size++;
	for (uint32_t level = 0; level < AUDIT_TILE_LEVELS; level++) {
		struct audit_tile_row *row = &t->row[level];

		row->h[row->n++] = h;
		if (row->n < AUDIT_TILE_HASHES)
			return 0;
		if ((r = t->put(t->arg, level, row->number, row->h,
		    row->n)) != 0)
			return r;
		h = root_of(row->h);
		row->number++;
		row->n = 0;
	}
	return 0;
}

int
audit_tiles_end(struct audit_tiles *t)
{
	int r;

	for (uint32_t level = 0; level < AUDIT_TILE_LEVELS; level++) {
		const struct audit_tile_row *row = &t->row[level];

		if (row->n > 0 && (r = t->put(t->arg, level, row->number,
		    row->h, row->n)) != 0)
			return r;
	}
	return 0;
}

/* The roots of the full subtrees among n hashes, the smallest first, each
 * joined to what stands right of it. */
static void
row_join(const struct audit_tile_row *row, struct kl_hash *right, bool *any)
{
	struct kl_hash h[AUDIT_TILE_HASHES];
	uint32_t end = row->n;

	for (uint32_t part = 1; end > 0; part *= 2) {
		if ((end & part) == 0)
			continue;
		end -= part;
		memcpy(h, row->h + end, part * sizeof h[0]);
		for (uint32_t n = part / 2; n > 0; n /= 2)
			for (uint32_t i = 0; i < n; i++)
				h[i] = kl_node_hash(&h[2 * i], &h[2 * i + 1]);
		*right = *any ? kl_node_hash(&h[0], right) : h[0];
		*any = true;
	}
}

struct kl_hash
audit_tiles_root(const struct audit_tiles *t)
{
	struct kl_hash root = kl_tree_root(NULL, 0);
	bool any = false;

	for (uint32_t level = 0; level < AUDIT_TILE_LEVELS; level++)
		row_join(&t->row[level], &root, &any);
	return root;
}
