#include "adapters/common/alarm.h"

#include <string.h>

#include <kortelijn/host/log.h>

/* Behind it in the value: the evidence. */
struct alarm_row {
	uint32_t kind, code;
	int64_t at_ms;
	struct kl_conv_id conv;		/* zero: none */
};

static const char *const names[] = {
	[ENGINE_AL_INSTANCE_CONFLICT] = "instance_conflict",
	[ENGINE_AL_LOG_FORK] = "log_fork",
	[ENGINE_AL_CLOCK] = "clock",
	[ENGINE_AL_REFUSED] = "refused",
	[ENGINE_AL_EXPIRED] = "expired",
	[ENGINE_AL_UNCERTAIN] = "uncertain",
	[ENGINE_AL_DEAD] = "dead",
	[ENGINE_AL_LOST] = "lost_at_receiver",
	[ENGINE_AL_BAD_ITEM] = "bad_item",
	[ENGINE_AL_DIRECTORY] = "bad_directory_entry",
	[ENGINE_AL_DEADLINE] = "deadline",
	[ENGINE_AL_NO_KEY] = "no_receiver_key",
	[ENGINE_AL_BROKER] = "broker_refuses",
	[ENGINE_AL_CHECKPOINT] = "no_checkpoint",
	[ENGINE_AL_ERASE] = "bad_erase_request",
	[ENGINE_AL_ORIGIN] = "broker_lost_its_store",
	[ENGINE_AL_CARD] = "own_card_ends",
	[ENGINE_AL_LOG_LEFT] = "broker_was_left",
};

const char *
alarm_name(uint32_t kind)
{
	if (kind >= sizeof names / sizeof names[0] || names[kind] == NULL)
		return "?";
	return names[kind];
}

static void
say(const struct alarm_row *row)
{
	struct kl_log_field f[4] = {
		kl_log_word("kind", alarm_name(row->kind)), kl_log_end(),
		kl_log_end(), kl_log_end(),
	};
	size_t n = 1;

	if (row->code != 0)
		f[n++] = kl_log_word("code", kl_code_name(row->code));
	if (!kl_bytes_zero(KL_BYTES_OF(row->conv)))
		f[n] = kl_log_tag("conv", row->conv.b);
	kl_log(KL_LOG_WARN, "alarm", f);
}

static int
put(struct turn *t, const struct alarm_row *row, struct kl_bytes evidence)
{
	uint8_t buf[sizeof *row + ALARM_EVIDENCE_MAX];
	struct kl_writer w;

	kl_writer_init(&w, buf, sizeof buf);
	kl_put(&w, row, sizeof *row);
	kl_put_bytes(&w, evidence);
	if (w.full)
		return KL_E_SIZE;
	say(row);
	return store_append(t->store, STORE_ALARM, kl_writer_bytes(&w));
}

int
alarm_raise(struct turn *t, enum engine_alarm_kind kind, uint32_t code,
    const struct kl_conv_id *conv)
{
	struct alarm_row row;

	memset(&row, 0, sizeof row);
	row.kind = kind;
	row.code = code;
	row.at_ms = t->now_ms;
	if (conv != NULL)
		row.conv = *conv;
	return put(t, &row, KL_BYTES_NONE);
}

int
alarm_raise_evidence(struct turn *t, enum engine_alarm_kind kind,
    struct kl_bytes evidence)
{
	struct alarm_row row;

	memset(&row, 0, sizeof row);
	row.kind = kind;
	row.at_ms = t->now_ms;
	return put(t, &row, evidence);
}

int
alarm_next(struct store *s, uint64_t after, struct engine_alarm *out)
{
	struct alarm_row row;
	struct kl_bytes v;
	int r;

	memset(out, 0, sizeof *out);
	r = store_next_numbered(s, STORE_ALARM, after, &out->seq, &v);
	if (r != KL_OK)
		return r;
	if (v.n < sizeof row)
		return KL_E_DAMAGED;
	memcpy(&row, v.p, sizeof row);
	out->kind = row.kind;
	out->code = row.code;
	out->at_ms = row.at_ms;
	out->conv = row.conv;
	out->has_conv = !kl_bytes_zero(KL_BYTES_OF(row.conv));
	return KL_OK;
}

int
alarm_evidence(struct store *s, struct kl_arena *mem, uint64_t seq,
    struct kl_bytes *out)
{
	struct kl_bytes v;
	uint8_t key[8];
	int r;

	kl_be64_put(key, seq);
	if ((r = store_get(s, STORE_ALARM, KL_BYTES_OF(key), &v)) != KL_OK)
		return r;
	if (v.n < sizeof(struct alarm_row))
		return KL_E_DAMAGED;
	return kl_arena_copy(mem, kl_bytes(v.p + sizeof(struct alarm_row),
	    v.n - sizeof(struct alarm_row)), out);
}

int
alarm_count(struct store *s, uint64_t *n)
{
	return store_last(s, STORE_ALARM, n);
}
