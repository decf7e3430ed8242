#include <kortelijn/host/log.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/loop.h>

#define LINE_MAX_BYTES 1024
#define LINE_END_BYTES 2	/* brace and newline, always fit */
#define WORD_MAX_BYTES 120
#define TAG_SHOWN_BYTES 4

static struct {
	const char *program;
	enum kl_log_level level;
	bool json;
	struct kl_secret *day_key;	/* of tags; NULL before the first */
	int32_t day;			/* of day_key */
} state = { .program = "kortelijn", .level = KL_LOG_INFO };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

void
kl_log_init(const char *program, enum kl_log_level level, bool json)
{
	state.program = program;
	state.level = level;
	state.json = json;
}

struct kl_log_field
kl_log_num(const char *name, int64_t v)
{
	return (struct kl_log_field){ .type = KL_LOG_F_NUM, .name = name,
		.num = v };
}

struct kl_log_field
kl_log_word(const char *name, const char *static_text)
{
	return (struct kl_log_field){ .type = KL_LOG_F_WORD, .name = name,
		.word = static_text };
}

struct kl_log_field
kl_log_org(const char *name, const struct kl_id *id)
{
	return (struct kl_log_field){ .type = KL_LOG_F_ID, .name = name,
		.id = *id };
}

struct kl_log_field
kl_log_tag(const char *name, const uint8_t id[16])
{
	struct kl_log_field f = { .type = KL_LOG_F_TAG, .name = name };

	memcpy(f.tag, id, sizeof f.tag);
	return f;
}

struct kl_log_field
kl_log_end(void)
{
	return (struct kl_log_field){ .type = KL_LOG_F_END };
}

static void
put_str(struct kl_writer *w, const char *s)
{
	kl_put_bytes(w, kl_bytes_str(s));
}

/* What would break a line or a JSON string becomes a question mark: the words
 * are ours, this is the second lock. */
static void
put_quoted(struct kl_writer *w, const char *s, size_t max)
{
	kl_put_u8(w, '"');
	for (size_t i = 0; s[i] != '\0' && i < max; i++)
		kl_put_u8(w, s[i] < ' ' || s[i] > '~' || s[i] == '"' ||
		    s[i] == '\\' ? '?' : (uint8_t)s[i]);
	kl_put_u8(w, '"');
}

/* The same id has the same tag for one day only. */
static void
put_tag(struct kl_writer *w, const uint8_t id[16], int32_t day)
{
	const struct kl_bytes part = kl_bytes(id, 16);
	char hex[2 * TAG_SHOWN_BYTES + 1];
	struct kl_tag tag;

	if (state.day_key == NULL || state.day != day) {
		kl_secret_free(state.day_key);
		state.day_key = kl_secret_random(32);
		state.day = day;
	}
	if (state.day_key == NULL) {
		put_quoted(w, "none", WORD_MAX_BYTES);
		return;
	}
	tag = kl_tag_keyed(kl_secret_bytes(state.day_key), &part, 1);
	kl_hex(kl_bytes(tag.b, TAG_SHOWN_BYTES), hex);
	put_quoted(w, hex, WORD_MAX_BYTES);
}

static void
put_value(struct kl_writer *w, const struct kl_log_field *f, int32_t day)
{
	char num[24];

	switch (f->type) {
	case KL_LOG_F_NUM:
		(void)snprintf(num, sizeof num, "%lld", (long long)f->num);
		put_str(w, num);
		break;
	case KL_LOG_F_WORD:
		put_quoted(w, f->word, WORD_MAX_BYTES);
		break;
	case KL_LOG_F_ID:
		put_quoted(w, kl_id_valid(&f->id) ? kl_id_text(&f->id).b :
		    "none", WORD_MAX_BYTES);
		break;
	case KL_LOG_F_TAG:
		put_tag(w, f->tag, day);
		break;
	case KL_LOG_F_END:
		break;
	}
}

/* Fields that do not fit any more are left out whole. */
static void
put_fields(struct kl_writer *w, const struct kl_log_field *f, int32_t day)
{
	for (; f->type != KL_LOG_F_END; f++) {
		const size_t before = w->n;

		put_str(w, state.json ? ",\"" : " ");
		put_str(w, f->name);
		put_str(w, state.json ? "\":" : "=");
		put_value(w, f, day);
		if (w->full) {
			w->n = before;
			w->full = false;
			return;
		}
	}
}

static void
put_head(struct kl_writer *w, enum kl_log_level level, const char *event,
    int64_t now_ms)
{
	const struct kl_time_text time = kl_time_text(now_ms);
	const char *const words[] = { time.b, state.program,
		level_names[level], event };
	static const char *const names[] = { "{\"time\":", ",\"program\":",
		",\"level\":", ",\"event\":" };

	for (size_t i = 0; i < 4; i++) {
		if (state.json) {
			put_str(w, names[i]);
			put_quoted(w, words[i], WORD_MAX_BYTES);
		} else {
			put_str(w, i == 0 ? "" : " ");
			put_str(w, words[i]);
		}
	}
}

void
kl_log(enum kl_log_level level, const char *event,
    const struct kl_log_field *fields)
{
	const struct kl_clock clock = { 0 };
	const int64_t now_ms = kl_clock_now_ms(&clock);
	uint8_t line[LINE_MAX_BYTES];
	struct kl_writer w;
	ssize_t n;

	if (level > state.level)
		return;
	kl_writer_init(&w, line, sizeof line - LINE_END_BYTES);
	put_head(&w, level, event, now_ms);
	put_fields(&w, fields, kl_day_of(now_ms));
	w.cap = sizeof line;
	put_str(&w, state.json ? "}\n" : "\n");
	/* One write: lines of two processes do not mix. Nobody could be told
	 * of a failure. */
	do
		n = write(STDERR_FILENO, line, w.n);
	while (n < 0 && errno == EINTR);
}
