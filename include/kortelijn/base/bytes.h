/*
 * bytes.h: bounded views of bytes, and a writer that cannot overrun.
 *
 * A view borrows: it is valid as long as what it points into.
 */
#ifndef KORTELIJN_BASE_BYTES_H
#define KORTELIJN_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/err.h>

struct kl_bytes {
	const uint8_t *p;
	size_t n;
};

/* View of n bytes at p; of a string without its NUL; of nothing. */
struct kl_bytes kl_bytes(const void *p, size_t n);
struct kl_bytes kl_bytes_str(const char *s);
#define KL_BYTES_NONE ((struct kl_bytes){ NULL, 0 })
/* View of a whole object of fixed size. */
#define KL_BYTES_OF(obj) kl_bytes(&(obj), sizeof (obj))

/* Not for secrets: returns at the first difference. */
bool kl_bytes_equal(struct kl_bytes a, struct kl_bytes b);
bool kl_bytes_zero(struct kl_bytes a);
/* Characters of UTF-8, each of which takes one column. */
size_t kl_utf8_chars(struct kl_bytes text);

/* A buffer of fixed size that is filled from the front; the first put that
 * does not fit sets `full`, and every later one fails too. */
struct kl_writer {
	uint8_t *p;
	size_t n;		/* filled, bytes */
	size_t cap;		/* bytes */
	bool full;
};

void kl_writer_init(struct kl_writer *w, void *buf, size_t cap);
void kl_put(struct kl_writer *w, const void *p, size_t n);
void kl_put_bytes(struct kl_writer *w, struct kl_bytes b);
void kl_put_u8(struct kl_writer *w, uint8_t v);
/* Big-endian, so that keys sort by value. */
void kl_put_u16(struct kl_writer *w, uint16_t v);
void kl_put_u32(struct kl_writer *w, uint32_t v);
void kl_put_u64(struct kl_writer *w, uint64_t v);
void kl_put_i64(struct kl_writer *w, int64_t v);
struct kl_bytes kl_writer_bytes(const struct kl_writer *w);

/* Reads from the front; the first get that does not fit sets `bad`, and it
 * and every later one answers zero. */
struct kl_reader {
	const uint8_t *p;
	size_t n;		/* left, bytes */
	bool bad;
};

void kl_reader_init(struct kl_reader *r, struct kl_bytes in);
void kl_get(struct kl_reader *r, void *out, size_t n);
/* View of the next n bytes, or none. */
struct kl_bytes kl_get_bytes(struct kl_reader *r, size_t n);
uint8_t kl_get_u8(struct kl_reader *r);
uint16_t kl_get_u16(struct kl_reader *r);
uint32_t kl_get_u32(struct kl_reader *r);
uint64_t kl_get_u64(struct kl_reader *r);
int64_t kl_get_i64(struct kl_reader *r);
/* True when all was read and nothing is left. */
bool kl_reader_done(const struct kl_reader *r);

uint64_t kl_be64(const uint8_t p[8]);
void kl_be64_put(uint8_t p[8], uint64_t v);

/* Lower-case hex with NUL: out has 2 * in.n + 1 bytes. */
void kl_hex(struct kl_bytes in, char *out);
/* Exactly n bytes from 2 * n hex digits. KL_E_FORMAT otherwise. */
int kl_hex_read(const char *hex, uint8_t *out, size_t n) KL_MUST_CHECK;
/* Standard base64 with padding and NUL; cap counts the NUL. KL_E_SIZE. */
int kl_base64(struct kl_bytes in, char *out, size_t cap) KL_MUST_CHECK;
/* Strict: padding needed, no white space, no trailing bits.
 * KL_E_FORMAT, KL_E_SIZE. */
int kl_base64_read(struct kl_bytes in, uint8_t *out, size_t cap, size_t *n)
    KL_MUST_CHECK;

#endif
