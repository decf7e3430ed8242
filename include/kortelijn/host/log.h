/*
 * log.h: what a process says to its operator: a fixed catalogue of events
 * with typed fields, one line each on standard error. There is no way to
 * print bytes of a peer.
 */
#ifndef KORTELIJN_HOST_LOG_H
#define KORTELIJN_HOST_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include <kortelijn/base/types.h>

enum kl_log_level { KL_LOG_ERROR, KL_LOG_WARN, KL_LOG_INFO, KL_LOG_DEBUG };

/* Program name as it stands in every line; level: lines above it are dropped;
 * json: JSON lines instead of text. */
void kl_log_init(const char *program, enum kl_log_level level, bool json);

/*
 * The event is a literal of [a-z_]; fields are built by the functions below
 * and end in kl_log_end(). Participants are organisations and may be named;
 * messages and conversations only as kl_log_tag, 8 hex digits under a key of
 * the day. A line has at most 1024 bytes: fields that do not fit are left out.
 */
struct kl_log_field {
	enum { KL_LOG_F_END, KL_LOG_F_NUM, KL_LOG_F_WORD, KL_LOG_F_ID,
	    KL_LOG_F_TAG } type;
	const char *name;
	int64_t num;
	const char *word;	/* static text of ours, never a peer's */
	struct kl_id id;
	uint8_t tag[16];
};
struct kl_log_field kl_log_num(const char *name, int64_t v);
struct kl_log_field kl_log_word(const char *name, const char *static_text);
struct kl_log_field kl_log_org(const char *name, const struct kl_id *id);
struct kl_log_field kl_log_tag(const char *name, const uint8_t id[16]);
struct kl_log_field kl_log_end(void);
void kl_log(enum kl_log_level level, const char *event,
    const struct kl_log_field *fields);
/* kl_logf(KL_LOG_INFO, "started", kl_log_num("pid", 1)): one field or more. */
#define kl_logf(level, event, ...)					\
	kl_log(level, event, (const struct kl_log_field[]){		\
	    __VA_ARGS__, kl_log_end() })

#endif
