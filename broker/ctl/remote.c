#include "broker/ctl/remote.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/host/link.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/wire/request.h>

#include "broker/ctl/auditor.h"
#include "broker/ctl/remote_log.h"
#include "broker/ctl/remote_say.h"
#include "proto/cli/output.h"

#define STEP_MS 250
/* The first connection: each address has 5 s, and a handshake that fails tells
 * so after as long. */
#define CONNECT_MS (15 * KL_SECOND_MS)
/* One that was there: a broker that starts again with a large store. */
#define RECONNECT_MS (90 * KL_SECOND_MS)
#define ANSWER_MS (40 * KL_SECOND_MS)	/* PROTOCOL.md 6.1.3 */
#define TRIES_MAX 5			/* without one answer between */
#define FRAME_BYTES (1 << 16)

/* ---- the connection ------------------------------------------------------ */

/* Whatever the link has: a message, news of the handshake, or nothing within
 * the time. KL_E_EMPTY. */
static int
link_step(struct remote *r, int64_t ms, struct kl_link_message *m)
{
	struct pollfd p = { .fd = -1, .events = POLLIN };
	int64_t wait;
	int err = kl_link_recv(r->l, m);

	if (err != KL_E_EMPTY)
		return err;
	wait = kl_link_wait_ms(r->l);
	if (wait < 0 || wait > ms)
		wait = ms;
	(void)kl_link_fds(r->l, &p.fd, 1);
	(void)poll(&p, 1, (int)wait);
	return kl_link_recv(r->l, m);
}

/* Waits for a handshake that holds. */
static int
link_up(struct remote *r)
{
	const int64_t until_ms = kl_mono_ms() + (r->sessions > 0 ?
	    RECONNECT_MS : CONNECT_MS);
	struct kl_link_message m;
	enum kl_link_state s;
	bool silent = false;

	while ((s = kl_link_state(r->l)) != KL_LINK_UP) {
		if (s == KL_LINK_REFUSED)
			return remote_say_refused(r);
		silent = silent || s == KL_LINK_SILENT;
		if (kl_mono_ms() >= until_ms)
			return remote_say_no_link(r, silent);
		/* An answer to what was asked before is nobody's any more. */
		(void)link_step(r, STEP_MS, &m);
	}
	return CLI_OK;
}

/* Is it the connection that the session is on? */
static bool
link_same(const struct remote *r)
{
	return kl_link_state(r->l) == KL_LINK_UP &&
	    kl_link_counts(r->l).connected == r->connected;
}

/* ---- one request --------------------------------------------------------- */

static int
send_request(struct remote *r, uint32_t request, struct kl_bytes body)
{
	const struct kl_request_msg q = { .version = KL_PROTOCOL_VERSION,
		.request = request, .request_id = ++r->requests,
		.body = body };
	struct kl_bytes frame;
	int err;

	kl_arena_reset(r->out);
	err = KL_MESSAGE_PACK_IN(KL_M_REQUEST, &q, r->out, &frame);
	return err != KL_OK ? err : kl_link_send(r->l, NULL, &frame, 1);
}

/* KL_E_AGAIN: the connection went, or nothing came in time. */
static int
wait_reply(struct remote *r, int64_t ms, struct kl_reply_msg *out)
{
	const int64_t until_ms = kl_mono_ms() + ms;
	struct kl_link_message m;

	for (;;) {
		int err = link_step(r, STEP_MS, &m);

		if (err == KL_OK) {
			kl_arena_reset(r->in);
			if (KL_MESSAGE_READ(KL_M_REPLY, m.frame[0], r->in,
			    out) == KL_C_OK && out->request_id == r->requests)
				return KL_OK;
			continue;
		}
		if (err != KL_E_EMPTY)
			return err;
		if (!link_same(r) || kl_mono_ms() >= until_ms)
			return KL_E_AGAIN;
	}
}

int
remote_call(struct remote *r, uint32_t request, struct kl_bytes body,
    int64_t ms, struct kl_reply_msg *out)
{
	int err = send_request(r, request, body);

	if (err == KL_OK)
		err = wait_reply(r, ms, out);
	if (err == KL_OK)
		remote_say_clock(r, out->time_ms);
	return err;
}

/* ---- the session --------------------------------------------------------- */

static int
hello_pack(struct remote *r, struct kl_bytes note, bool *take_over,
    struct kl_bytes *body)
{
	struct kl_hello h = {
		.schema_min = KL_SCHEMA_MIN, .schema_max = KL_SCHEMA_MAX,
		.program = kl_bytes_str("kortelijn " KL_VERSION),
		.note = note,
	};
	int err = auditor_epoch(r->a.dir, &h.instance, &h.epoch, take_over);

	if (err != KL_OK)
		return err;
	h.take_over = *take_over ? KL_YES : KL_NO;
	kl_arena_reset(r->body);
	return KL_MESSAGE_PACK_IN(KL_M_HELLO, &h, r->body, body);
}

int
remote_hello(struct remote *r, struct kl_bytes note, int64_t ms,
    struct kl_reply_msg *out)
{
	struct kl_bytes body;
	bool take_over = false;
	int err = hello_pack(r, note, &take_over, &body);

	r->connected = kl_link_counts(r->l).connected;
	if (err == KL_OK)
		err = remote_call(r, KL_HELLO, body, ms, out);
	if (err == KL_OK && out->code == KL_C_OK && take_over)
		err = auditor_taken_over(r->a.dir);
	return err;
}

/* What the answer to HELLO says; *again: it is to be said again. */
static int
hello_take(struct remote *r, const struct kl_reply_msg *m, bool *again)
{
	struct kl_hello_reply h;
	bool stops = m->code == KL_C_LOG_BEHIND || m->code == KL_C_LOG_LEFT;

	r->link.code = m->code;
	if (m->code == KL_C_TRY_LATER || m->code == KL_C_QUOTA_REQUESTS) {
		*again = true;
		return audit_link_wait(r->link.cli, &r->wait,
		    m->retry_after_ms);
	}
	if (m->code != KL_C_OK && !stops)
		return remote_say_code(r, m->code);
	if (KL_MESSAGE_READ(KL_M_HELLO_REPLY, m->body, r->in, &h) != KL_C_OK)
		return remote_say_senseless(r);
	if (stops)
		return remote_log_stops(r, m->code, h.note);
	if (h.realm != r->a.trust.realm)
		return remote_say_realm(r, h.realm);
	r->session = true;
	r->sessions++;
	return remote_log_check(r, h.note, again);
}

/* HELLO on a connection that is up. CLI_OK; *again: the connection went. */
static int
session_begin(struct remote *r, struct kl_bytes note, bool *again)
{
	struct kl_reply_msg m;
	int err = remote_hello(r, note, ANSWER_MS, &m);

	*again = err == KL_E_AGAIN;
	if (*again)
		return CLI_OK;
	return err == KL_OK ? hello_take(r, &m, again) :
	    output_fail_err(r->link.cli, err, r->a.dir);
}

/* A session on a connection, however long it takes to get one; begun with this
 * note, or none. */
static int
session_have(struct remote *r, struct kl_bytes note)
{
	bool again = false;
	int err = CLI_OK;

	for (int i = 0; i < TRIES_MAX && err == CLI_OK; i++) {
		if (r->session && link_same(r))
			return CLI_OK;
		r->session = again = false;
		if ((err = link_up(r)) == CLI_OK)
			err = session_begin(r, note, &again);
		if (again)
			r->session = false;
	}
	if (err == CLI_OK && r->session)
		return CLI_OK;
	return err != CLI_OK ? err : remote_say_no_answer(r);
}

/* ---- a link of audit_link ------------------------------------------------ */

enum verdict { TAKEN, ONCE_MORE, ENDED };

/* What becomes of an answer; *ret: what the command ends in. */
static enum verdict
answer_take(struct remote *r, const struct kl_reply_msg *m,
    struct kl_arena *mem, struct kl_bytes *reply, int *ret)
{
	const struct cli *c = r->link.cli;

	r->link.code = m->code;
	switch (m->code) {
	case KL_C_OK:
		if (kl_arena_copy(mem, m->body, reply) == KL_OK)
			return TAKEN;
		*ret = output_fail_err(c, KL_E_MEMORY, "the answer");
		return ENDED;
	case KL_C_HELLO_FIRST:
		r->session = false;
		return ONCE_MORE;
	case KL_C_TRY_LATER:
	case KL_C_QUOTA_REQUESTS:
		*ret = audit_link_wait(c, &r->wait, m->retry_after_ms);
		return *ret == CLI_OK ? ONCE_MORE : ENDED;
	default:
		*ret = m->code == r->link.quiet ? CLI_FAILED :
		    remote_say_code(r, m->code);
		return ENDED;
	}
}

static int
remote_ask(struct audit_link *l, uint32_t request, struct kl_bytes body,
    struct kl_arena *mem, struct kl_bytes *reply)
{
	struct remote *r = (struct remote *)l;
	struct kl_reply_msg m;
	int silent = 0, ret = CLI_OK;

	memset(&r->wait, 0, sizeof r->wait);
	while (silent < TRIES_MAX &&
	    (ret = session_have(r, KL_BYTES_NONE)) == CLI_OK) {
		int err = remote_call(r, request, body, ANSWER_MS, &m);
		enum verdict v;

		if (err == KL_E_AGAIN || err == KL_E_NOT_FOUND) {
			silent++;
			remote_say_lost(r);
			if (link_same(r))
				kl_link_leave(r->l);
			r->session = false;
			continue;
		}
		if (err != KL_OK)
			return output_fail_err(l->cli, err, "the question");
		if ((v = answer_take(r, &m, mem, reply, &ret)) == TAKEN)
			return CLI_OK;
		if (v == ENDED)
			return ret;
		/* A broker that only ever wants another HELLO is silent. */
		silent = r->session ? 0 : silent + 1;
	}
	return ret != CLI_OK ? ret : remote_say_no_answer(r);
}

bool
remote_is(const struct audit_link *l)
{
	return l->ask == remote_ask;
}

int
remote_show(struct audit_link *l, struct kl_bytes note)
{
	struct remote *r = (struct remote *)l;

	memset(&r->wait, 0, sizeof r->wait);
	r->session = false;
	return session_have(r, note);
}

static void
remote_close(struct audit_link *l)
{
	struct remote *r = (struct remote *)l;

	kl_link_close(r->l);
	kl_arena_free(r->in);
	kl_arena_free(r->out);
	kl_arena_free(r->body);
	free(r);
}

/* The key is wiped again before anything is asked: the link has its own. */
static int
connect_as(struct remote *r)
{
	const struct cli *c = r->link.cli;
	struct kl_secret *sk;
	struct kl_curve_pk pk;
	int err;

	if ((err = auditor_key(c, r->a.dir, "transport", &sk)) != CLI_OK)
		return err;
	err = kl_curve_public(sk, &pk);
	if (err == KL_OK && !kl_bytes_equal(KL_BYTES_OF(pk),
	    KL_BYTES_OF(r->a.transport_pk))) {
		kl_secret_free(sk);
		return output_fail(c, CLI_FILE, "%s: transport.key is not the "
		    "key on " AUDITOR_CARD, r->a.dir);
	}
	if (err == KL_OK)
		err = kl_link_connect(r->a.endpoints, &r->a.trust.transport,
		    sk, &r->l);
	kl_secret_free(sk);
	if (err == KL_E_VALUE)
		return output_fail(c, CLI_FILE, "%s/" AUDITOR_BROKERS ": not "
		    "the address of a broker", r->a.dir);
	return err == KL_OK ? CLI_OK : output_fail_err(c, err, r->a.dir);
}

int
remote_open(const struct cli *c, const char *dir, struct audit_link **out)
{
	struct remote *r = calloc(1, sizeof *r);
	int ret;

	*out = NULL;
	if (r == NULL)
		return output_fail_err(c, KL_E_MEMORY, dir);
	r->link = (struct audit_link){ .cli = c, .ask = remote_ask,
		.close = remote_close };
	r->in = kl_arena_new(AUDIT_ANSWER_BYTES, AUDIT_ANSWER_PIECES);
	r->out = kl_arena_new(FRAME_BYTES, 256);
	r->body = kl_arena_new(FRAME_BYTES, 256);
	if (r->in == NULL || r->out == NULL || r->body == NULL) {
		ret = output_fail_err(c, KL_E_MEMORY, dir);
	} else if ((ret = auditor_open(c, dir, &r->a)) == CLI_OK) {
		remote_log_alarms(r);
		if ((ret = connect_as(r)) == CLI_OK)
			ret = session_have(r, KL_BYTES_NONE);
	}
	if (ret != CLI_OK) {
		remote_close(&r->link);
		return ret;
	}
	*out = &r->link;
	return CLI_OK;
}
