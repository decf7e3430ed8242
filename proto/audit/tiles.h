/*
 * tiles.h: the hashes of a log as C2SP tlog-tiles: files of 256 hashes, of
 * leaves at level 0 and of whole tiles of the level below above it, and the
 * partial ones at the right edge. PROTOCOL.md 10.12.
 */
#ifndef PROTO_AUDIT_TILES_H
#define PROTO_AUDIT_TILES_H

#include <kortelijn/crypto/merkle.h>

#define AUDIT_TILE_HASHES 256u
#define AUDIT_TILE_LEVELS 8u		/* 256^8 leaves: all there can be */
#define AUDIT_TILE_PATH_MAX 64

struct audit_tile_path { char b[AUDIT_TILE_PATH_MAX]; };

/* "tile/0/x001/234", with ".p/W" behind it if width is less than 256; and
 * "records/x001/234", which are numbered like the tiles of level 0. */
struct audit_tile_path audit_tile_path(uint32_t level, uint64_t number,
    uint32_t width);
struct audit_tile_path audit_bundle_path(uint64_t number, uint32_t width);

/* Of how many hashes tile `number` of a level is, in a tree of `size` leaves: 0
 * to 256. */
uint32_t audit_tile_width(uint64_t size, uint32_t level, uint64_t number);

/*
 * Grows with the leaves and hands out each tile when it is full, the ones at
 * the edge at the end.
 */
struct audit_tiles {
	int (*put)(void *arg, uint32_t level, uint64_t number,
	    const struct kl_hash *hashes, uint32_t width);
	void *arg;
	uint64_t size;			/* leaves */
	struct audit_tile_row {
		uint64_t number;	/* of the tile that grows */
		uint32_t n;
		struct kl_hash h[AUDIT_TILE_HASHES];
	} row[AUDIT_TILE_LEVELS];
};

/* put answers 0, or what these answer then. It borrows the hashes. */
void audit_tiles_init(struct audit_tiles *t, int (*put)(void *arg,
    uint32_t level, uint64_t number, const struct kl_hash *hashes,
    uint32_t width), void *arg);
int audit_tiles_append(struct audit_tiles *t, const struct kl_hash *leaf)
    KL_MUST_CHECK;
/* Hands out the partial tiles. Nothing is appended after it. */
int audit_tiles_end(struct audit_tiles *t) KL_MUST_CHECK;
/* Of what was appended; also before the end. */
struct kl_hash audit_tiles_root(const struct audit_tiles *t);

#endif
