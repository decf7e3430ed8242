#include <kortelijn/base/bytes.h>

#include <string.h>

struct kl_bytes
kl_bytes(const void *p, size_t n)
{
	return (struct kl_bytes){ p, n };
}

struct kl_bytes
kl_bytes_str(const char *s)
{
	return kl_bytes(s, strlen(s));
}

bool
kl_bytes_equal(struct kl_bytes a, struct kl_bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
kl_bytes_zero(struct kl_bytes a)
{
	uint8_t any = 0;

	for (size_t i = 0; i < a.n; i++)
		any |= a.p[i];
	return any == 0;
}

size_t
kl_utf8_chars(struct kl_bytes text)
{
	size_t chars = 0;

	for (size_t i = 0; i < text.n; i++)
		chars += (text.p[i] & 0xc0) != 0x80;
	return chars;
}

void
kl_writer_init(struct kl_writer *w, void *buf, size_t cap)
{
	*w = (struct kl_writer){ .p = buf, .cap = cap };
}

void
kl_put(struct kl_writer *w, const void *p, size_t n)
{
	if (w->full || n > w->cap - w->n) {
		w->full = true;
		return;
	}
	if (n > 0)
		memcpy(w->p + w->n, p, n);
	w->n += n;
}

void
kl_put_bytes(struct kl_writer *w, struct kl_bytes b)
{
	kl_put(w, b.p, b.n);
}

void
kl_put_u8(struct kl_writer *w, uint8_t v)
{
	kl_put(w, &v, 1);
}

void
kl_put_u16(struct kl_writer *w, uint16_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	kl_put(w, b, sizeof b);
}

void
kl_put_u32(struct kl_writer *w, uint32_t v)
{
	kl_put_u16(w, (uint16_t)(v >> 16));
	kl_put_u16(w, (uint16_t)v);
}

void
kl_put_u64(struct kl_writer *w, uint64_t v)
{
	uint8_t b[8];

	kl_be64_put(b, v);
	kl_put(w, b, sizeof b);
}

void
kl_put_i64(struct kl_writer *w, int64_t v)
{
	kl_put_u64(w, (uint64_t)v);
}

struct kl_bytes
kl_writer_bytes(const struct kl_writer *w)
{
	return kl_bytes(w->p, w->n);
}

void
kl_reader_init(struct kl_reader *r, struct kl_bytes in)
{
	*r = (struct kl_reader){ .p = in.p, .n = in.n };
}

struct kl_bytes
kl_get_bytes(struct kl_reader *r, size_t n)
{
	struct kl_bytes b = KL_BYTES_NONE;

	if (r->bad || n > r->n) {
		r->bad = true;
		return b;
	}
	b = kl_bytes(r->p, n);
	r->p += n;
	r->n -= n;
	return b;
}

void
kl_get(struct kl_reader *r, void *out, size_t n)
{
	struct kl_bytes b = kl_get_bytes(r, n);

	if (r->bad)
		memset(out, 0, n);
	else if (n > 0)
		memcpy(out, b.p, n);
}

uint8_t
kl_get_u8(struct kl_reader *r)
{
	uint8_t v;

	kl_get(r, &v, 1);
	return v;
}

uint16_t
kl_get_u16(struct kl_reader *r)
{
	uint8_t b[2];

	kl_get(r, b, sizeof b);
	return (uint16_t)(b[0] << 8 | b[1]);
}

uint32_t
kl_get_u32(struct kl_reader *r)
{
	uint32_t hi = kl_get_u16(r);

	return hi << 16 | kl_get_u16(r);
}

uint64_t
kl_get_u64(struct kl_reader *r)
{
	uint8_t b[8];

	kl_get(r, b, sizeof b);
	return kl_be64(b);
}

int64_t
kl_get_i64(struct kl_reader *r)
{
	return (int64_t)kl_get_u64(r);
}

bool
kl_reader_done(const struct kl_reader *r)
{
	return !r->bad && r->n == 0;
}

uint64_t
kl_be64(const uint8_t p[8])
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

void
kl_be64_put(uint8_t p[8], uint64_t v)
{
	for (int i = 7; i >= 0; i--) {
		p[i] = (uint8_t)v;
		v >>= 8;
	}
}

void
kl_hex(struct kl_bytes in, char *out)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < in.n; i++) {
		out[2 * i] = digit[in.p[i] >> 4];
		out[2 * i + 1] = digit[in.p[i] & 15];
	}
	out[2 * in.n] = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
kl_hex_read(const char *hex, uint8_t *out, size_t n)
{
	if (strlen(hex) != 2 * n)
		return KL_E_FORMAT;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(hex[2 * i]);
		int lo = hex_digit(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return KL_E_FORMAT;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return KL_OK;
}

static const char b64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int
kl_base64(struct kl_bytes in, char *out, size_t cap)
{
	size_t o = 0;

	if (cap == 0 || (in.n + 2) / 3 > (cap - 1) / 4)
		return KL_E_SIZE;
	for (size_t i = 0; i < in.n; i += 3) {
		size_t left = in.n - i;
		uint32_t v = (uint32_t)in.p[i] << 16;

		if (left > 1)
			v |= (uint32_t)in.p[i + 1] << 8;
		if (left > 2)
			v |= in.p[i + 2];
		out[o++] = b64[v >> 18];
		out[o++] = b64[v >> 12 & 63];
		out[o++] = left > 1 ? b64[v >> 6 & 63] : '=';
		out[o++] = left > 2 ? b64[v & 63] : '=';
	}
	out[o] = '\0';
	return KL_OK;
}

static int
b64_value(uint8_t c)
{
	const char *at = c == '\0' ? NULL : strchr(b64, c);

	return at == NULL ? -1 : (int)(at - b64);
}

int
kl_base64_read(struct kl_bytes in, uint8_t *out, size_t cap, size_t *n)
{
	size_t o = 0;

	*n = 0;
	if (in.n % 4 != 0)
		return KL_E_FORMAT;
	for (size_t i = 0; i < in.n; i += 4) {
		bool last = i + 4 == in.n;
		size_t pad = 0;
		uint32_t v = 0;

		if (last && in.p[i + 3] == '=')
			pad = in.p[i + 2] == '=' ? 2 : 1;
		for (size_t j = 0; j < 4; j++) {
			int d = j >= 4 - pad ? 0 : b64_value(in.p[i + j]);

			if (d < 0)
				return KL_E_FORMAT;
			v = v << 6 | (uint32_t)d;
		}
		if ((pad == 1 && (v & 0xff) != 0) ||
		    (pad == 2 && (v & 0xffff) != 0))
			return KL_E_FORMAT;
		if (3 - pad > cap - o)
			return KL_E_SIZE;
		for (size_t j = 0; j < 3 - pad; j++)
			out[o++] = (uint8_t)(v >> (16 - 8 * j));
	}
	*n = o;
	return KL_OK;
}
