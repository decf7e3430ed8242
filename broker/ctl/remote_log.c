#include "broker/ctl/remote_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>

#include "broker/ctl/remote_say.h"
#include "proto/audit/mark.h"
#include "proto/cli/output.h"

#define TELL_MS (3 * KL_SECOND_MS)	/* for the broker to take notice */
#define PROVE_MS (40 * KL_SECOND_MS)

/* The broker is shown what it signed before: an honest one with a store that
 * was put back stops. Whether it answers does not matter. */
static void
broker_tell(struct remote *r, const char *origin)
{
	struct kl_reply_msg m;
	struct kl_note note;

	if (audit_mark_note(r->a.dir, origin, &note) != KL_OK ||
	    remote_hello(r, kl_bytes_str(note.b), TELL_MS, &m) != KL_OK)
		r->session = false;
}

static int
broken_say(const struct remote *r, const struct audit_mark *m)
{
	return output_fail(r->link.cli, CLI_FAILED, "ALARM: the log %s does "
	    "not continue what was seen of it: it was put back from a copy, "
	    "or rewritten. Both checkpoints, signed by the broker, are in %s: "
	    "keep it and call the operator", output_text(kl_bytes_str(
	    m->now.origin)).b, m->evidence);
}

static int
broken(struct remote *r, const struct audit_mark *m)
{
	broker_tell(r, m->now.origin);
	return broken_say(r, m);
}

static int
left(const struct remote *r, const struct audit_mark *m)
{
	return output_fail(r->link.cli, CLI_FAILED, "ALARM: the broker stands "
	    "on the log %s, which it left for a younger one: an old store or "
	    "an old machine came back. Both checkpoints are in %s: keep it "
	    "and call the operator", output_text(kl_bytes_str(
	    m->now.origin)).b, m->evidence);
}

static int
judge(struct remote *r, const struct audit_mark *m)
{
	switch (m->verdict) {
	case AUDIT_MARK_BROKEN:
		return broken(r, m);
	case AUDIT_MARK_LEFT:
		return left(r, m);
	case AUDIT_MARK_NEW_LOG:
		fprintf(stderr, "%s: the broker has begun a new log, %s: its "
		    "store was lost, or a standby took over; the first leaf "
		    "says why\n", r->link.cli->program->name,
		    output_text(kl_bytes_str(m->now.origin)).b);
		return CLI_OK;
	default:
		return CLI_OK;
	}
}

static int
mark_wrong(const struct remote *r, int err)
{
	if (err == KL_E_SIGNATURE || err == KL_E_FORMAT)
		return output_fail(r->link.cli, CLI_FAILED, "the checkpoint "
		    "that the broker shows is not signed with the key on its "
		    "card");
	if (err == KL_E_DAMAGED)
		return output_fail(r->link.cli, CLI_FILE, "%s/marks: what was "
		    "seen of this log is damaged or was signed by another "
		    "broker", r->a.dir);
	return output_fail_err(r->link.cli, err, r->a.dir);
}

/* From the checkpoint that is kept to that of now. */
static int
prove(struct remote *r, uint64_t from, struct audit_mark *m, bool *again)
{
	const struct kl_log_request q = { .want = KL_LOG_CONSISTENCY,
		.size = from };
	struct kl_log_reply reply;
	struct kl_reply_msg a;
	struct kl_bytes body;
	int err;

	kl_arena_reset(r->body);
	err = KL_MESSAGE_PACK_IN(KL_M_LOG, &q, r->body, &body);
	if (err == KL_OK)
		err = remote_call(r, KL_LOG, body, PROVE_MS, &a);
	*again = err == KL_E_AGAIN ||
	    (err == KL_OK && kl_code_retry(a.code) == KL_RETRY_LATER);
	if (*again)
		return err != KL_OK ? CLI_OK : audit_link_wait(r->link.cli,
		    &r->wait, a.retry_after_ms);
	if (err != KL_OK)
		return output_fail_err(r->link.cli, err, "the proof");
	if (a.code != KL_C_OK)
		return remote_say_code(r, a.code);
	if (KL_MESSAGE_READ(KL_M_LOG_REPLY, a.body, r->in, &reply) != KL_C_OK)
		return remote_say_senseless(r);
	err = audit_mark_prove(r->a.dir, &r->a.trust.sign, reply.note,
	    reply.proof, reply.n_proof, m);
	return err == KL_OK ? CLI_OK : mark_wrong(r, err);
}

int
remote_log_check(struct remote *r, struct kl_bytes note, bool *again)
{
	struct audit_mark m;
	int err;

	*again = false;
	/* A broker that has signed nothing yet shows none. */
	if (note.n == 0)
		return CLI_OK;
	err = audit_mark_take(r->a.dir, &r->a.trust.sign, note, &m);
	if (err != KL_OK)
		return mark_wrong(r, err);
	if (m.verdict == AUDIT_MARK_AHEAD &&
	    ((err = prove(r, m.size, &m, again)) != CLI_OK || *again))
		return err;
	return judge(r, &m);
}

int
remote_log_stops(struct remote *r, uint32_t code, struct kl_bytes note)
{
	struct audit_mark m;
	int err = audit_mark_take(r->a.dir, &r->a.trust.sign, note, &m);

	if (err != KL_OK)
		return mark_wrong(r, err);
	if (m.verdict == AUDIT_MARK_LEFT)
		return left(r, &m);
	if (m.verdict == AUDIT_MARK_BROKEN)
		return broken_say(r, &m);
	return remote_say_code(r, code);
}

void
remote_log_alarms(const struct remote *r)
{
	char path[AUDIT_MARK_PATH_BYTES];

	audit_mark_alarm(r->a.dir, path);
	if (path[0] != '\0')
		fprintf(stderr, "%s: an alarm was raised before; its evidence "
		    "is in %s\n", r->link.cli->program->name, path);
}
