/*
 * table.h: a message as a table: for each field of a generated message, in
 * the order of its numbers, where it stands in our checked struct and which
 * values it may hold. One walk reads, one packs.
 *
 * Private to proto/wire.
 */
#ifndef KORTELIJN_WIRE_TABLE_H
#define KORTELIJN_WIRE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include <kortelijn/base/arena.h>
#include <kortelijn/base/bytes.h>
#include <kortelijn/base/code.h>

enum kl_row_type {
	KL_ROW_U32,		/* uint32_t within min..max */
	KL_ROW_U64,		/* uint64_t within min..max */
	KL_ROW_TIME,		/* int64_t, 0..KL_TIME_MAX_MS */
	KL_ROW_FIXED,		/* exactly `size` bytes */
	KL_ROW_ID,		/* participant; min 0: may be none */
	KL_ROW_VIEW,		/* struct kl_bytes of min..max bytes */
	KL_ROW_U32S,		/* uint32_t[max], count at `count` */
	KL_ROW_U64S,		/* uint64_t[max] */
	KL_ROW_IDS,		/* struct kl_id[max], each valid */
	KL_ROW_VIEWS,		/* struct kl_bytes[max], each to `size` */
};

struct kl_row {
	enum kl_row_type type;
	size_t offset;		/* in our struct */
	size_t size;
	size_t count;		/* offset of a size_t */
	uint64_t min, max;
};

struct kl_table {
	const ProtobufCMessageDescriptor *pb;
	const struct kl_row *rows;
	size_t n_rows;
	size_t struct_size;
	/* Rules between fields, on our struct; NULL: none. KL_E_VALUE. */
	int (*check)(const void *in);
};

#define KL_U32(s, f, lo, hi) \
	{ KL_ROW_U32, offsetof(struct s, f), 0, 0, lo, hi }
#define KL_U64(s, f, lo, hi) \
	{ KL_ROW_U64, offsetof(struct s, f), 0, 0, lo, hi }
#define KL_TIME(s, f) { KL_ROW_TIME, offsetof(struct s, f), 0, 0, 0, 0 }
#define KL_FIXED(s, f) \
	{ KL_ROW_FIXED, offsetof(struct s, f), \
	  sizeof ((struct s *)0)->f, 0, 0, 0 }
#define KL_ID(s, f) { KL_ROW_ID, offsetof(struct s, f), 0, 0, 1, 0 }
#define KL_ID_OR_NONE(s, f) { KL_ROW_ID, offsetof(struct s, f), 0, 0, 0, 0 }
#define KL_VIEW(s, f, lo, hi) \
	{ KL_ROW_VIEW, offsetof(struct s, f), 0, 0, lo, hi }
#define KL_MANY(type, s, f, size) \
	{ type, offsetof(struct s, f), size, offsetof(struct s, n_##f), 0, \
	  sizeof ((struct s *)0)->f / sizeof ((struct s *)0)->f[0] }
#define KL_TABLE_CHECKED(name, descriptor, s, check) \
	{ &descriptor, name, sizeof name / sizeof name[0], \
	  sizeof (struct s), check }
#define KL_TABLE(name, descriptor, s) \
	KL_TABLE_CHECKED(name, descriptor, s, NULL)

/* KL_E_FORMAT, KL_E_UNKNOWN, KL_E_MEMORY: see canon.h. KL_E_VALUE: a length
 * or number outside its row, or the check. `out` is all zero on failure. */
int kl_table_read(const struct kl_table *t, struct kl_bytes in,
    struct kl_arena *mem, void *out) KL_MUST_CHECK;
/* KL_E_VALUE: the struct breaks its rows. KL_E_SIZE: cap is too small. */
int kl_table_pack(const struct kl_table *t, const void *in, uint8_t *buf,
    size_t cap, size_t *n) KL_MUST_CHECK;
/* What the writer of bytes that could not be read is told. */
enum kl_code kl_table_code(int err);

#endif
