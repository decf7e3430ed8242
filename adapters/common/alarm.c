#include "adapters/common/alarm.h"

#include <string.h>

#include <kortelijn/host/log.h>

#include "adapters/common/events.h"

/* Behind it in the value: the evidence. */
struct alarm_row {
	uint32_t kind, code;
	int64_t at_ms;
	int64_t closed_ms;		/* 0: open, or of a kind that stays */
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
	[ENGINE_AL_ERASE_ASKED] = "erase_asked",
	[ENGINE_AL_ERASE_LATE] = "erase_answer_late",
	[ENGINE_AL_WITHDRAWAL] = "withdrawal_waits",
	[ENGINE_AL_ERASE_MISSING] = "erase_receipt_missing",
	[ENGINE_AL_POLICY] = "no_policy",
	[ENGINE_AL_LOG_LEFT] = "broker_was_left",
	[ENGINE_AL_BACKUP] = "no_backup",
	[ENGINE_AL_BACKUP_KEY] = "no_recovery_key",
	[ENGINE_AL_LOST_HERE] = "lost_here",
	[ENGINE_AL_NOT_COLLECTED] = "not_collected",
	[ENGINE_AL_NOT_TAKEN_UP] = "not_taken_up",
	[ENGINE_AL_NO_CONTACT] = "no_first_contact",
	[ENGINE_AL_NO_TALK] = "no_first_talk",
	[ENGINE_AL_NO_DECISION] = "no_decision",
	[ENGINE_AL_NO_NEWS] = "no_news",
	[ENGINE_AL_COPY_ENDS] = "copy_ends",
	[ENGINE_AL_DRAFT] = "draft_erased",
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

/* ---- open and closed ------------------------------------------------- */

#define OPEN_KEY_BYTES (16 + 8)

static struct kl_bytes
open_key(uint8_t key[OPEN_KEY_BYTES], uint32_t kind,
    const struct kl_conv_id *conv)
{
	memset(key, 0, OPEN_KEY_BYTES);
	if (conv != NULL)
		memcpy(key, conv->b, 16);
	kl_be64_put(key + 16, kind);
	return kl_bytes(key, OPEN_KEY_BYTES);
}

/* Raises it and tells; *seq is its number. */
static int
tell(struct turn *t, enum engine_alarm_kind kind, uint32_t code,
    const struct kl_conv_id *conv, uint64_t *seq)
{
	static const struct kl_conv_id none;
	int r = alarm_raise(t, kind, code, conv);

	if (r == KL_OK)
		r = store_last(t->store, STORE_ALARM, seq);
	return r != KL_OK ? r : events_add(t, ENGINE_EV_ALARM,
	    conv != NULL ? conv : &none, *seq);
}

int
alarm_tell(struct turn *t, enum engine_alarm_kind kind, uint32_t code,
    const struct kl_conv_id *conv)
{
	uint64_t seq;

	return tell(t, kind, code, conv, &seq);
}

int
alarm_open(struct turn *t, enum engine_alarm_kind kind, uint32_t code,
    const struct kl_conv_id *conv)
{
	uint8_t buf[OPEN_KEY_BYTES];
	const struct kl_bytes key = open_key(buf, kind, conv);
	uint64_t seq;
	int r = store_get_row(t->store, STORE_ALARM_OPEN, key, &seq,
	    sizeof seq);

	if (r != KL_E_NOT_FOUND)
		return r;
	r = tell(t, kind, code, conv, &seq);
	return r != KL_OK ? r : store_put(t->store, STORE_ALARM_OPEN, key,
	    KL_BYTES_OF(seq));
}

static int
close_row(struct turn *t, uint64_t seq)
{
	struct alarm_row row;
	uint8_t key[8];
	int r;

	kl_be64_put(key, seq);
	r = store_get_row(t->store, STORE_ALARM, KL_BYTES_OF(key), &row,
	    sizeof row);
	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	row.closed_ms = t->now_ms;
	if ((r = store_put(t->store, STORE_ALARM, KL_BYTES_OF(key),
	    KL_BYTES_OF(row))) != KL_OK)
		return r;
	kl_logf(KL_LOG_INFO, "alarm_closed", kl_log_word("kind",
	    alarm_name(row.kind)));
	return events_add(t, ENGINE_EV_ALARM_CLOSED, &row.conv, seq);
}

int
alarm_close(struct turn *t, enum engine_alarm_kind kind,
    const struct kl_conv_id *conv)
{
	uint8_t buf[OPEN_KEY_BYTES];
	const struct kl_bytes key = open_key(buf, kind, conv);
	uint64_t seq;
	int r = store_get_row(t->store, STORE_ALARM_OPEN, key, &seq,
	    sizeof seq);

	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	r = store_del(t->store, STORE_ALARM_OPEN, key);
	return r != KL_OK ? r : close_row(t, seq);
}

int
alarm_close_all(struct turn *t, const struct kl_conv_id *conv)
{
	struct store_entry e;
	uint8_t buf[OPEN_KEY_BYTES];
	const struct kl_bytes from = open_key(buf, 0, conv);
	int r;

	while ((r = store_seek(t->store, STORE_ALARM_OPEN, from, false,
	    &e)) == KL_OK && e.n_key == OPEN_KEY_BYTES &&
	    memcmp(e.key, conv->b, 16) == 0) {
		r = alarm_close(t, (enum engine_alarm_kind)kl_be64(e.key +
		    16), conv);
		if (r != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
alarm_count_open(struct store *s, uint64_t *n)
{
	struct store_entry at = { .n_key = 0 };
	uint64_t seq;
	int r;

	*n = 0;
	while ((r = store_next_row(s, STORE_ALARM_OPEN, &at, &seq,
	    sizeof seq)) == KL_OK)
		++*n;
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* ---- reading --------------------------------------------------------- */

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
	out->closed_ms = row.closed_ms;
	out->conv = row.conv;
	out->has_conv = !kl_bytes_zero(KL_BYTES_OF(row.conv));
	return KL_OK;
}

int
alarm_get(struct store *s, uint64_t seq, struct engine_alarm *out)
{
	int r = seq == 0 ? KL_E_NOT_FOUND : alarm_next(s, seq - 1, out);

	return r == KL_OK && out->seq != seq ? KL_E_NOT_FOUND : r;
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
