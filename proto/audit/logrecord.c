#include "proto/audit/logrecord.h"

#include <stddef.h>
#include <string.h>

#include <kortelijn/base/time.h>

/* Where a field of LogRecord stands and how long it is; fields come in the
 * order of their numbers, each once. */
enum form { NUMBER, TIME, BYTES, ID };
struct field {
	enum form form;
	size_t offset, size;
	uint64_t min, max;
};
#define N(f, lo, hi) \
	{ NUMBER, offsetof(struct kl_record, f), sizeof(uint32_t), lo, hi }
#define T(f) { TIME, offsetof(struct kl_record, f), sizeof(int64_t), 0, \
	  (uint64_t)KL_TIME_MAX_MS }
#define B(f) { BYTES, offsetof(struct kl_record, f), \
	  sizeof ((struct kl_record *)0)->f, 0, 0 }
#define I(f) { ID, offsetof(struct kl_record, f), KL_ID_BYTES, 0, 0 }

static const struct field fields[] = {
	N(version, 1, 1), N(event, 1, KL_EV_LAST), B(conv_ref), B(msg_ref),
	I(org_from), I(org_to), N(actor_role, 1, KL_BROKER),
	N(kind, 0, KL_FEEDBACK), T(time_minute), T(due_minute), B(body_hash),
	N(prev_state, 0, KL_MSG_ERASED), N(new_state, 0, KL_MSG_ERASED),
	B(actor_key_id), N(outcome, 1, 2), N(reason, 1, 65535),
	N(count, 1, UINT32_MAX), N(milestone, 0, KL_MS_RETURNED),
};
#define FIELDS (sizeof fields / sizeof fields[0])

#define WIRE_VARINT 0u
#define WIRE_BYTES 2u

/* The shortest form only. */
static uint64_t
varint(struct kl_reader *r)
{
	uint64_t v = 0;
	uint8_t b;

	for (unsigned shift = 0; shift < 63; shift += 7) {
		b = kl_get_u8(r);
		v |= (uint64_t)(b & 0x7f) << shift;
		if ((b & 0x80) == 0) {
			r->bad |= b == 0 && shift > 0;
			return v;
		}
	}
	r->bad = true;		/* above 2^63: no field holds so much */
	return 0;
}

static void
number(struct kl_reader *r, const struct field *f, void *to)
{
	const uint64_t v = varint(r);
	const uint32_t v32 = (uint32_t)v;
	const int64_t v64 = (int64_t)v;

	r->bad |= v < f->min || v > f->max;
	if (f->form == NUMBER)
		memcpy(to, &v32, sizeof v32);
	else
		memcpy(to, &v64, sizeof v64);
}

static void
bytes(struct kl_reader *r, const struct field *f, void *to)
{
	r->bad |= varint(r) != f->size;
	kl_get(r, to, f->size);
	r->bad |= f->form == ID && !kl_bytes_zero(kl_bytes(to, f->size)) &&
	    !kl_id_valid(to);
}

static bool
walk(struct kl_bytes in, struct kl_record *out)
{
	struct kl_reader r;

	kl_reader_init(&r, in);
	for (size_t i = 0; i < FIELDS && !r.bad; i++) {
		const struct field *f = &fields[i];
		const bool is_number = f->form == NUMBER || f->form == TIME;
		void *to = (char *)out + f->offset;

		r.bad |= varint(&r) != ((i + 1) << 3 |
		    (is_number ? WIRE_VARINT : WIRE_BYTES));
		if (is_number)
			number(&r, f, to);
		else
			bytes(&r, f, to);
	}
	return kl_reader_done(&r);
}

enum kl_code
audit_logrecord_read(struct kl_bytes in, struct kl_arena *mem,
    struct kl_record *out)
{
	memset(out, 0, sizeof *out);
	if (walk(in, out))
		return KL_C_OK;
	/* What exactly is wrong with it, the codec says. */
	kl_arena_reset(mem);
	return KL_STATEMENT_READ(KL_S_RECORD, in, mem, out);
}
