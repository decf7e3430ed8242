#include "proto/audit/dirlink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/domain/policy_file.h>

#include "proto/audit/dir.h"
#include "proto/cli/output.h"

/* An answer names the leaf of its question; here there is none. */
#define NO_LEAF UINT64_MAX

struct dirlink {
	struct audit_link link;		/* first */
	const char *path;
	struct audit_dir *d;
	int64_t last_minute;
};

static int
refuse(struct dirlink *d, uint32_t code)
{
	d->link.code = code;
	return d->link.quiet == code ? CLI_FAILED : output_fail(d->link.cli,
	    CLI_FAILED, "%s: %s", d->path, kl_code_text_en(code));
}

static int
told(const struct dirlink *d, int err)
{
	return err == KL_OK ? CLI_OK :
	    output_fail_err(d->link.cli, err, d->path);
}

/* Of a checkpoint what was signed: name, size and root. */
static struct kl_bytes
signed_text(const struct dirlink *d)
{
	const struct kl_bytes t = d->d->text;

	for (size_t i = 1; i < t.n && i < KL_NOTE_MAX; i++)
		if (t.p[i] == '\n' && t.p[i - 1] == '\n')
			return kl_bytes(t.p, i);
	return KL_BYTES_NONE;
}

/* ---- what is asked besides records ---- */

static int
log_answer(struct dirlink *d, struct kl_bytes body, struct kl_arena *mem,
    struct kl_bytes *reply)
{
	const struct kl_log_reply out = { .note = signed_text(d) };
	struct kl_log_request q;

	if (KL_MESSAGE_READ(KL_M_LOG, body, mem, &q) != KL_C_OK ||
	    q.want != KL_LOG_CHECKPOINT)
		return refuse(d, KL_C_NOT_SERVED);
	return told(d, KL_MESSAGE_PACK_IN(KL_M_LOG_REPLY, &out, mem, reply));
}

static int
last_take(void *arg, const struct audit_record *r)
{
	struct dirlink *d = arg;

	if (r->r.time_minute > d->last_minute)
		d->last_minute = r->r.time_minute;
	return CLI_OK;
}

static int
state_answer(struct dirlink *d, struct kl_arena *mem,
    struct kl_query_reply *out)
{
	struct kl_query_state s = { .erasure = KL_STATE_BEST_EFFORT,
		.master_key = KL_STATE_BESIDE, .clock_held = KL_NO,
		.note = signed_text(d) };
	const int r = audit_dir_records(d->link.cli, d->path, NULL, last_take,
	    d);

	s.signed_ms = d->last_minute * KL_MINUTE_MS;
	return r != CLI_OK ? r : told(d, KL_MESSAGE_PACK_IN(KL_M_QUERY_STATE,
	    &s, mem, &out->part));
}

static int
policy_answer(struct dirlink *d, const struct kl_query *q,
    struct kl_arena *mem, struct kl_query_reply *out)
{
	uint8_t *text = kl_arena_alloc(mem, KL_POLICY_FILE_MAX);
	char name[48];
	size_t n;

	if (text == NULL)
		return told(d, KL_E_MEMORY);
	(void)snprintf(name, sizeof name, "policy/%" PRIu64 ".conf", q->from);
	if (audit_dir_file(d->d, name, text, KL_POLICY_FILE_MAX, &n) !=
	    KL_OK || q->offset > n)
		return refuse(d, KL_C_POLICY_UNKNOWN);
	out->total = n;
	n -= q->offset;
	out->part = kl_bytes(text + q->offset, n < KL_QUERY_PART_MAX ? n :
	    KL_QUERY_PART_MAX);
	return CLI_OK;
}

static int
query_answer(struct dirlink *d, struct kl_bytes body, struct kl_arena *mem,
    struct kl_bytes *reply)
{
	struct kl_query_reply *out = kl_arena_alloc(mem, sizeof *out);
	struct kl_query q;
	int r;

	if (out == NULL)
		return told(d, KL_E_MEMORY);
	memset(out, 0, sizeof *out);
	out->ticket = NO_LEAF;
	if (KL_MESSAGE_READ(KL_M_QUERY, body, mem, &q) != KL_C_OK ||
	    (q.want != KL_QUERY_STATE && q.want != KL_QUERY_POLICY))
		return refuse(d, KL_C_NOT_SERVED);
	r = q.want == KL_QUERY_STATE ? state_answer(d, mem, out) :
	    policy_answer(d, &q, mem, out);
	return r != CLI_OK ? r : told(d, KL_MESSAGE_PACK_IN(KL_M_QUERY_REPLY,
	    out, mem, reply));
}

static int
dir_ask(struct audit_link *l, uint32_t request, struct kl_bytes body,
    struct kl_arena *mem, struct kl_bytes *reply)
{
	struct dirlink *d = (struct dirlink *)l;

	return request == KL_LOG ? log_answer(d, body, mem, reply) :
	    query_answer(d, body, mem, reply);
}

/* ---- the link ---- */

static int
dir_records(struct audit_link *l, const struct kl_query_what *what,
    int (*take)(void *arg, const struct audit_record *r), void *arg)
{
	return audit_dir_records(l->cli, ((struct dirlink *)l)->path, what,
	    take, arg);
}

static void
dir_close(struct audit_link *l)
{
	struct dirlink *d = (struct dirlink *)l;

	audit_dir_close(d->d);
	free(d);
}

int
audit_dirlink(const struct cli *c, const char *path, struct audit_link **out)
{
	struct dirlink *d = calloc(1, sizeof *d);
	int err = d == NULL ? KL_E_MEMORY : audit_dir_open(path, &d->d);

	*out = NULL;
	if (err != KL_OK) {
		free(d);
		return output_fail_err(c, err, path);
	}
	d->path = path;
	d->link = (struct audit_link){ .cli = c, .ask = dir_ask,
		.records = dir_records, .close = dir_close };
	*out = &d->link;
	return CLI_OK;
}
