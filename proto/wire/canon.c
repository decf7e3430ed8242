#include "proto/wire/canon.h"

#include <string.h>

struct pool {
	struct kl_arena *mem;
	bool spent;
};

static void *
pool_alloc(void *data, size_t n)
{
	struct pool *p = data;
	void *m = kl_arena_alloc(p->mem, n);

	if (m == NULL)
		p->spent = true;
	return m;
}

/* The arena gives everything back at once, at the end of the turn. */
static void
pool_free(void *data, void *p)
{
	(void)data;
	(void)p;
}

static bool all_known(const ProtobufCMessage *m);

static bool
field_known(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
	const uint8_t *base = (const uint8_t *)m;
	const ProtobufCMessage *one;
	ProtobufCMessage *const *many;
	size_t n;

	if (f->type != PROTOBUF_C_TYPE_MESSAGE)
		return true;
	if (f->label != PROTOBUF_C_LABEL_REPEATED) {
		memcpy(&one, base + f->offset, sizeof one);
		return one == NULL || all_known(one);
	}
	memcpy(&n, base + f->quantifier_offset, sizeof n);
	memcpy(&many, base + f->offset, sizeof many);
	for (size_t i = 0; i < n; i++)
		if (!all_known(many[i]))
			return false;
	return true;
}

/* Packing again writes unknown fields back, so equality cannot show them.
 * The depth is that of the schema, which is not recursive. */
static bool
all_known(const ProtobufCMessage *m)
{
	if (m->n_unknown_fields != 0)
		return false;
	for (unsigned i = 0; i < m->descriptor->n_fields; i++)
		if (!field_known(m, &m->descriptor->fields[i]))
			return false;
	return true;
}

static int
same_again(const ProtobufCMessage *m, struct kl_bytes in,
    struct kl_arena *mem)
{
	size_t mark = kl_arena_mark(mem);
	size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *again;
	int r = KL_E_FORMAT;

	if (n != in.n)
		return KL_E_FORMAT;
	again = kl_arena_alloc(mem, n);
	if (again == NULL)
		return KL_E_MEMORY;
	(void)protobuf_c_message_pack(m, again);
	if (kl_bytes_equal(kl_bytes(again, n), in))
		r = KL_OK;
	kl_arena_release(mem, mark);
	return r;
}

int
kl_canon_unpack(const ProtobufCMessageDescriptor *type, struct kl_bytes in,
    struct kl_arena *mem, ProtobufCMessage **out)
{
	struct pool pool = { .mem = mem };
	ProtobufCAllocator alloc = {
		.alloc = pool_alloc, .free = pool_free, .allocator_data = &pool,
	};
	static const uint8_t nothing[1];
	ProtobufCMessage *m;
	int r;

	*out = NULL;
	m = protobuf_c_message_unpack(type, &alloc, in.n,
	    in.n > 0 ? in.p : nothing);
	if (pool.spent)
		return KL_E_MEMORY;
	if (m == NULL)
		return KL_E_FORMAT;
	if (!all_known(m))
		return KL_E_UNKNOWN;
	if ((r = same_again(m, in, mem)) != KL_OK)
		return r;
	*out = m;
	return KL_OK;
}

int
kl_canon_pack(const ProtobufCMessage *m, uint8_t *buf, size_t cap, size_t *n)
{
	size_t need = protobuf_c_message_get_packed_size(m);

	*n = 0;
	if (need > cap)
		return KL_E_SIZE;
	*n = protobuf_c_message_pack(m, buf);
	return KL_OK;
}

int
kl_canon_fixed(ProtobufCBinaryData in, void *out, size_t n)
{
	if (in.len != n)
		return KL_E_VALUE;
	if (n > 0)
		memcpy(out, in.data, n);
	return KL_OK;
}

int
kl_canon_text(ProtobufCBinaryData in, char *out, size_t cap)
{
	if (in.len >= cap)
		return KL_E_SIZE;
	if (in.len == 0 || memchr(in.data, '\0', in.len) != NULL)
		return KL_E_VALUE;
	memcpy(out, in.data, in.len);
	out[in.len] = '\0';
	return KL_OK;
}

ProtobufCBinaryData
kl_canon_view(const void *p, size_t n)
{
	/* The generated structs have no const; packing does not write. */
	union {
		const void *in;
		uint8_t *out;
	} u = { .in = p };

	return (ProtobufCBinaryData){ .len = n, .data = u.out };
}

ProtobufCBinaryData
kl_canon_view_str(const char *s)
{
	return kl_canon_view(s, strlen(s));
}
