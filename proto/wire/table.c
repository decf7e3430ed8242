#include "proto/wire/table.h"

#include <assert.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/base/types.h>

#include "proto/wire/canon.h"

#define MESSAGE_MAX 512		/* bytes of the largest generated struct */
#define REPEATED_MAX 64

enum kl_code
kl_table_code(int err)
{
	switch (err) {
	case KL_OK: return KL_C_OK;
	case KL_E_VALUE: return KL_C_VALUE_UNKNOWN;
	case KL_E_MEMORY: return KL_C_TRY_LATER;
	default: return KL_C_MALFORMED;
	}
}

static int
check_id(const struct kl_row *r, const struct kl_id *id)
{
	if (r->min == 0 && kl_id_none(id))
		return KL_OK;
	return kl_id_valid(id) ? KL_OK : KL_E_VALUE;
}

static int
check_number(const struct kl_row *r, uint64_t v)
{
	return v >= r->min && v <= r->max ? KL_OK : KL_E_VALUE;
}

static int
check_time(int64_t v)
{
	return v >= 0 && v <= KL_TIME_MAX_MS ? KL_OK : KL_E_VALUE;
}

/* The rules of a single-valued row, on our struct: both ways use it. */
static int
check_row(const struct kl_row *r, const uint8_t *base)
{
	const void *at = base + r->offset;
	struct kl_bytes view;
	struct kl_id id;
	uint32_t u32;
	uint64_t u64;
	int64_t i64;

	switch (r->type) {
	case KL_ROW_U32:
		memcpy(&u32, at, sizeof u32);
		return check_number(r, u32);
	case KL_ROW_U64:
		memcpy(&u64, at, sizeof u64);
		return check_number(r, u64);
	case KL_ROW_TIME:
		memcpy(&i64, at, sizeof i64);
		return check_time(i64);
	case KL_ROW_ID:
		memcpy(&id, at, sizeof id);
		return check_id(r, &id);
	case KL_ROW_VIEW:
		memcpy(&view, at, sizeof view);
		return check_number(r, view.n);
	default:
		return KL_OK;
	}
}

static size_t
fixed_size(const struct kl_row *r)
{
	return r->type == KL_ROW_FIXED ? r->size : sizeof (struct kl_id);
}

static int
read_single(const struct kl_row *r, const uint8_t *from, uint8_t *to)
{
	ProtobufCBinaryData data;
	struct kl_bytes view;

	switch (r->type) {
	case KL_ROW_U32:
		memcpy(to, from, sizeof (uint32_t));
		return KL_OK;
	case KL_ROW_U64:
	case KL_ROW_TIME:
		memcpy(to, from, sizeof (uint64_t));
		return KL_OK;
	case KL_ROW_VIEW:
		memcpy(&data, from, sizeof data);
		view = kl_bytes(data.data, data.len);
		memcpy(to, &view, sizeof view);
		return KL_OK;
	default:
		memcpy(&data, from, sizeof data);
		return kl_canon_fixed(data, to, fixed_size(r));
	}
}

static int
read_view(const struct kl_row *r, ProtobufCBinaryData d, uint8_t *to,
    size_t i)
{
	struct kl_bytes view = kl_bytes(d.data, d.len);
	struct kl_id id;

	if (r->type == KL_ROW_VIEWS) {
		memcpy(to + i * sizeof view, &view, sizeof view);
		return d.len <= r->size ? KL_OK : KL_E_VALUE;
	}
	if (kl_canon_fixed(d, &id, sizeof id) != KL_OK || !kl_id_valid(&id))
		return KL_E_VALUE;
	memcpy(to + i * sizeof id, &id, sizeof id);
	return KL_OK;
}

static int
read_repeated(const struct kl_row *r, const uint8_t *from, size_t n,
    uint8_t *base)
{
	const ProtobufCBinaryData *data;
	const uint8_t *numbers;
	int err;

	if (n > r->max)
		return KL_E_VALUE;
	memcpy(base + r->count, &n, sizeof n);
	if (n == 0)
		return KL_OK;
	memcpy(&numbers, from, sizeof numbers);
	if (r->type == KL_ROW_U32S || r->type == KL_ROW_U64S) {
		memcpy(base + r->offset, numbers, n * r->size);
		return KL_OK;
	}
	memcpy(&data, from, sizeof data);
	for (size_t i = 0; i < n; i++)
		if ((err = read_view(r, data[i], base + r->offset, i)) != KL_OK)
			return err;
	return KL_OK;
}

static int
read_rows(const struct kl_table *t, const ProtobufCMessage *m, uint8_t *out)
{
	const uint8_t *from = (const uint8_t *)m;
	int err;

	for (size_t i = 0; i < t->n_rows; i++) {
		const ProtobufCFieldDescriptor *f = &t->pb->fields[i];
		const struct kl_row *r = &t->rows[i];
		size_t n;

		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			memcpy(&n, from + f->quantifier_offset, sizeof n);
			err = read_repeated(r, from + f->offset, n, out);
		} else {
			err = read_single(r, from + f->offset,
			    out + r->offset);
			if (err == KL_OK)
				err = check_row(r, out);
		}
		if (err != KL_OK)
			return err;
	}
	return KL_OK;
}

int
kl_table_read(const struct kl_table *t, struct kl_bytes in,
    struct kl_arena *mem, void *out)
{
	ProtobufCMessage *m;
	int err;

	assert(t->n_rows == t->pb->n_fields);
	memset(out, 0, t->struct_size);
	if ((err = kl_canon_unpack(t->pb, in, mem, &m)) != KL_OK)
		return err;
	err = read_rows(t, m, out);
	if (err == KL_OK && t->check != NULL)
		err = t->check(out);
	if (err != KL_OK)
		memset(out, 0, t->struct_size);
	return err;
}

/* Arrays of one message, while it is packed. */
struct scratch {
	ProtobufCBinaryData views[8 * REPEATED_MAX];
	size_t n;
};

static int
pack_repeated(const struct kl_row *r, const uint8_t *base, uint8_t *to,
    uint8_t *quantifier, struct scratch *s)
{
	const uint8_t *at = base + r->offset;
	union {
		const void *in;
		void *out;
	} numbers = { .in = at };
	ProtobufCBinaryData *first = s->views + s->n;
	struct kl_bytes view;
	struct kl_id id;
	size_t n;

	memcpy(&n, base + r->count, sizeof n);
	if (n > r->max || n > sizeof s->views / sizeof s->views[0] - s->n)
		return KL_E_VALUE;
	memcpy(quantifier, &n, sizeof n);
	if (r->type == KL_ROW_U32S || r->type == KL_ROW_U64S) {
		memcpy(to, &numbers.out, sizeof numbers.out);
		return KL_OK;
	}
	for (size_t i = 0; i < n; i++, s->n++) {
		if (r->type == KL_ROW_IDS) {
			memcpy(&id, at + i * sizeof id, sizeof id);
			if (!kl_id_valid(&id))
				return KL_E_VALUE;
			s->views[s->n] = kl_canon_view(at + i * sizeof id,
			    sizeof id);
			continue;
		}
		memcpy(&view, at + i * sizeof view, sizeof view);
		if (view.n > r->size)
			return KL_E_VALUE;
		s->views[s->n] = kl_canon_view(view.p, view.n);
	}
	memcpy(to, &first, sizeof first);
	return KL_OK;
}

static void
pack_single(const struct kl_row *r, const uint8_t *from, uint8_t *to)
{
	ProtobufCBinaryData data;
	struct kl_bytes view;

	switch (r->type) {
	case KL_ROW_U32:
		memcpy(to, from, sizeof (uint32_t));
		return;
	case KL_ROW_U64:
	case KL_ROW_TIME:
		memcpy(to, from, sizeof (uint64_t));
		return;
	case KL_ROW_VIEW:
		memcpy(&view, from, sizeof view);
		data = kl_canon_view(view.p, view.n);
		break;
	default:
		data = kl_canon_view(from, fixed_size(r));
		break;
	}
	memcpy(to, &data, sizeof data);
}

int
kl_table_pack(const struct kl_table *t, const void *in, uint8_t *buf,
    size_t cap, size_t *n)
{
	union {
		ProtobufCMessage m;
		uint8_t b[MESSAGE_MAX];
		int64_t aligned;
		void *pointer;
	} u;
	struct scratch scratch = { .n = 0 };
	const uint8_t *base = in;
	int err;

	*n = 0;
	assert(t->n_rows == t->pb->n_fields);
	assert(t->pb->sizeof_message <= sizeof u);
	protobuf_c_message_init(t->pb, &u);
	for (size_t i = 0; i < t->n_rows; i++) {
		const ProtobufCFieldDescriptor *f = &t->pb->fields[i];
		const struct kl_row *r = &t->rows[i];

		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			err = pack_repeated(r, base, u.b + f->offset,
			    u.b + f->quantifier_offset, &scratch);
		} else if ((err = check_row(r, base)) == KL_OK) {
			pack_single(r, base + r->offset, u.b + f->offset);
		}
		if (err != KL_OK)
			return err;
	}
	if (t->check != NULL && (err = t->check(in)) != KL_OK)
		return err;
	return kl_canon_pack(&u.m, buf, cap, n);
}
