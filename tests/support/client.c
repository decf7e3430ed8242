#include "tests/support/client.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/crypto/seal.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/host/textfile.h>

#define PROGRAM "kortelijn-test"
#define STEP_MS 50

static int64_t
now_ms(void)
{
	return kl_clock_now_ms(&(struct kl_clock){ 0 });
}

static int
arenas_make(struct client *c)
{
	c->in = kl_arena_new(1 << 20, 4096);
	c->out = kl_arena_new(1 << 18, 1024);
	return c->in != NULL && c->out != NULL ? KL_OK : KL_E_MEMORY;
}

int
client_make(struct client *c, const char *id, uint32_t role)
{
	int r;

	memset(c, 0, sizeof *c);
	c->role = role;
	if ((r = kl_id_read(id, &c->id)) != KL_OK ||
	    (r = arenas_make(c)) != KL_OK ||
	    (r = kl_sign_keypair(&c->sign_pk, &c->sign_sk)) != KL_OK ||
	    (r = kl_curve_keypair(&c->transport_pk, &c->transport_sk)) !=
	    KL_OK ||
	    (r = kl_dh_keypair(&c->prekey, &c->prekey_sk)) != KL_OK)
		return r;
	c->key_id = kl_key_id_of(c->sign_pk.b);
	kl_random(&c->instance, sizeof c->instance);
	return KL_OK;
}

int
client_load(struct client *c, const char *key_dir)
{
	int dir, r;

	memset(c, 0, sizeof *c);
	kl_random(&c->instance, sizeof c->instance);
	if ((r = arenas_make(c)) != KL_OK)
		return r;
	dir = open(key_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return KL_E_IO;
	/* The directory closes with the program. */
	r = kl_keyfile_read(dir, "transport.key", "transport",
	    &c->transport_sk);
	return r != KL_OK ? r : kl_curve_public(c->transport_sk,
	    &c->transport_pk);
}

void
client_clear(struct client *c)
{
	kl_link_close(c->link);
	kl_secret_free(c->sign_sk);
	kl_secret_free(c->transport_sk);
	kl_secret_free(c->prekey_sk);
	kl_arena_free(c->in);
	kl_arena_free(c->out);
	memset(c, 0, sizeof *c);
}

/* ---- statements ---------------------------------------------------------- */

static int
sign_as(const struct kl_secret *sk, uint32_t statement, const void *in,
    size_t in_size, uint8_t *buf, size_t cap, size_t *n)
{
	uint8_t body[KL_STATEMENT_MAX];
	struct kl_signed s;
	size_t len;
	int r;

	r = kl_statement_pack(statement, in, in_size, body, sizeof body, &len);
	if (r != KL_OK)
		return r;
	s.body = kl_bytes(body, len);
	/* A statement's label has its number. */
	r = kl_sign((enum kl_label)statement, s.body, sk, &s.sig);
	return r != KL_OK ? r : kl_signed_pack(&s, buf, cap, n);
}

int
client_sign(const struct client *c, uint32_t statement, const void *in,
    size_t in_size, uint8_t *buf, size_t cap, size_t *n)
{
	return sign_as(c->sign_sk, statement, in, in_size, buf, cap, n);
}

static int
enrol(const struct client *c, const struct kl_secret *authority,
    const struct kl_id *reads, const char *cards)
{
	struct kl_card card = {
		.version = KL_PROTOCOL_VERSION, .role = c->role,
		.realm = KL_TRAINING, .id = c->id,
		.name = kl_bytes_str("Test participant"),
		.sign_pk = c->sign_pk, .transport_pk = c->transport_pk,
		.issued_ms = now_ms(), .reads_all = KL_NO,
	};
	uint8_t packed[KL_STATEMENT_MAX];
	char path[512], name[9];
	size_t n;
	int r;

	if (reads != NULL)
		card.reads[card.n_reads++] = *reads;
	kl_random(card.serial, sizeof card.serial);
	card.not_before_ms = card.issued_ms - KL_HOUR_MS;
	card.not_after_ms = card.issued_ms + 365 * KL_DAY_MS;
	r = sign_as(authority, KL_CARD, &card, sizeof card, packed,
	    sizeof packed, &n);
	if (r != KL_OK)
		return r;
	kl_hex(kl_bytes(card.serial, 4), name);
	if (snprintf(path, sizeof path, "%s/%s.card", cards, name) >=
	    (int)sizeof path)
		return KL_E_SIZE;
	return kl_textfile_write(AT_FDCWD, path, KL_TAG_CARD, NULL,
	    kl_bytes(packed, n));
}

int
client_enrol(const struct client *c, const struct kl_secret *authority,
    const char *cards)
{
	return enrol(c, authority, NULL, cards);
}

int
client_enrol_auditor(const struct client *c,
    const struct kl_secret *authority, const struct kl_id *reads,
    const char *cards)
{
	return enrol(c, authority, reads, cards);
}

/* ---- the link ------------------------------------------------------------ */

int
client_connect(struct client *c, const char *endpoint,
    const struct kl_curve_pk *broker)
{
	return kl_link_connect(endpoint, broker, c->transport_sk, &c->link);
}

static void
link_wait(struct client *c, int64_t ms)
{
	struct pollfd p = { .fd = -1, .events = POLLIN };

	if (kl_link_ready(c->link))
		return;
	(void)kl_link_fds(c->link, &p.fd, 1);
	(void)poll(&p, 1, (int)ms);
}

int
client_up(struct client *c, int64_t ms)
{
	const int64_t until = kl_mono_ms() + ms;
	struct kl_link_message m;

	while (kl_link_state(c->link) != KL_LINK_UP) {
		if (kl_mono_ms() >= until)
			return KL_E_AGAIN;
		link_wait(c, STEP_MS);
		/* The monitor is read here; nothing was asked yet. */
		if (kl_link_recv(c->link, &m) == KL_OK)
			return KL_E_FORMAT;
	}
	return KL_OK;
}

int
client_send(struct client *c, uint32_t request, uint32_t type,
    const void *body, size_t body_size, struct kl_bytes ct,
    uint64_t *request_id)
{
	struct kl_request_msg q = { .version = KL_PROTOCOL_VERSION,
	    .request = request, .request_id = c->requests + 1 };
	struct kl_bytes frame[2];
	int r;

	kl_arena_reset(c->out);
	r = kl_message_pack_in(type, body, body_size, c->out, &q.body);
	if (r == KL_OK)
		r = KL_MESSAGE_PACK_IN(KL_M_REQUEST, &q, c->out, &frame[0]);
	if (r != KL_OK)
		return r;
	frame[1] = ct;
	r = kl_link_send(c->link, NULL, frame, ct.n > 0 ? 2 : 1);
	if (r == KL_OK)
		*request_id = ++c->requests;
	return r;
}

int
client_take(struct client *c, struct client_answer *out)
{
	struct kl_link_message m;
	int r;

	if ((r = kl_link_recv(c->link, &m)) != KL_OK)
		return r;
	kl_arena_reset(c->in);
	out->n_ct = m.n - 1;
	if (out->n_ct > KL_FETCH_ENVELOPES_MAX)
		return KL_E_FORMAT;
	for (size_t i = 0; i < out->n_ct; i++)
		out->ct[i] = m.frame[1 + i];
	return KL_MESSAGE_READ(KL_M_REPLY, m.frame[0], c->in, &out->reply) ==
	    KL_C_OK ? KL_OK : KL_E_FORMAT;
}

int
client_wait(struct client *c, int64_t ms, struct client_answer *out)
{
	const int64_t until = kl_mono_ms() + ms;
	int r;

	while ((r = client_take(c, out)) == KL_E_EMPTY) {
		if (kl_mono_ms() >= until)
			return KL_E_AGAIN;
		link_wait(c, STEP_MS);
	}
	return r;
}

int
client_call(struct client *c, uint32_t request, uint32_t type,
    const void *body, size_t body_size, int64_t ms, struct client_answer *out)
{
	const int64_t until = kl_mono_ms() + ms;
	uint64_t id;
	int r;

	r = client_send(c, request, type, body, body_size, KL_BYTES_NONE, &id);
	while (r == KL_OK) {
		r = client_wait(c, until - kl_mono_ms(), out);
		if (r == KL_OK && out->reply.request_id == id)
			break;
	}
	return r;
}

/* ---- the beginning of a session ------------------------------------------ */

static int
answer_of(int r, const struct client_answer *a, uint32_t *code)
{
	if (r != KL_OK)
		return r;
	*code = a->reply.code;
	return *code == KL_C_OK ? KL_OK : KL_E_REFUSED;
}

static int
hello(struct client *c, int64_t ms, struct kl_hello_reply *out,
    uint32_t *code)
{
	struct kl_hello h = {
		.instance = c->instance, .epoch = ++c->epoch,
		.take_over = KL_NO, .schema_min = KL_SCHEMA_MIN,
		.schema_max = KL_SCHEMA_MAX,
		.program = kl_bytes_str(PROGRAM),
	};
	struct client_answer a;
	int r;

	r = client_call(c, KL_HELLO, KL_M_HELLO, &h, sizeof h, ms, &a);
	if ((r = answer_of(r, &a, code)) != KL_OK)
		return r;
	return KL_MESSAGE_READ(KL_M_HELLO_REPLY, a.reply.body, c->in, out) ==
	    KL_C_OK ? KL_OK : KL_E_FORMAT;
}

static int
report_in(struct client *c, int64_t ms, uint32_t *code)
{
	struct kl_sync s = { .step = KL_SYNC_DONE };
	struct client_answer a;
	int r;

	r = client_call(c, KL_SYNC, KL_M_SYNC, &s, sizeof s, ms, &a);
	return answer_of(r, &a, code);
}

static int
publish(struct client *c, int64_t ms, uint32_t *code)
{
	struct kl_prekey k = {
		.version = KL_PROTOCOL_VERSION, .owner = c->id,
		.signer_key_id = c->key_id, .pk = c->prekey,
		.not_before_ms = kl_week_start_ms(now_ms()),
		.schema_min = KL_SCHEMA_MIN, .schema_max = KL_SCHEMA_MAX,
	};
	struct kl_entry e = { .statement = KL_PREKEY };
	uint8_t packed[KL_STATEMENT_MAX], entry[KL_STATEMENT_MAX];
	struct kl_publish p = { .n_entry = 1 };
	struct client_answer a;
	size_t n;
	int r;

	k.not_after_ms = k.not_before_ms + KL_WEEK_MS;
	r = client_sign(c, KL_PREKEY, &k, sizeof k, packed, sizeof packed, &n);
	if (r != KL_OK)
		return r;
	e.content = kl_bytes(packed, n);
	r = KL_MESSAGE_PACK(KL_M_ENTRY, &e, entry, sizeof entry, &n);
	if (r != KL_OK)
		return r;
	p.entry[0] = kl_bytes(entry, n);
	r = client_call(c, KL_PUBLISH, KL_M_PUBLISH, &p, sizeof p, ms, &a);
	return answer_of(r, &a, code);
}

int
client_begin(struct client *c, int64_t ms, uint32_t *code)
{
	struct kl_hello_reply h;
	int r;

	*code = KL_C_OK;
	if ((r = hello(c, ms, &h, code)) != KL_OK)
		return r;
	if (h.report_in == KL_YES && (r = report_in(c, ms, code)) != KL_OK)
		return r;
	return c->role == KL_AUDITOR ? KL_OK : publish(c, ms, code);
}

int
client_withdraw(struct client *c, const struct kl_conv_id *conv,
    uint32_t scope, uint32_t valid_until, int64_t ms,
    struct kl_withdraw_reply *out, uint32_t *code)
{
	const struct kl_withdrawal w = {
		.version = KL_PROTOCOL_VERSION, .signer = c->id,
		.signer_key_id = c->key_id, .conv_id = *conv,
		.scope = scope, .cause = KL_CAUSE_RESIDENT,
		.route = c->role, .at_ms = now_ms(),
		.valid_until = valid_until,
	};
	uint8_t packed[KL_WITHDRAWAL_MAX];
	struct client_answer a;
	struct kl_withdraw q;
	size_t n;
	int r;

	r = client_sign(c, KL_WITHDRAWAL, &w, sizeof w, packed, sizeof packed,
	    &n);
	if (r != KL_OK)
		return r;
	q.withdrawal = kl_bytes(packed, n);
	r = client_call(c, KL_WITHDRAW, KL_M_WITHDRAW, &q, sizeof q, ms, &a);
	if ((r = answer_of(r, &a, code)) != KL_OK)
		return r;
	return KL_MESSAGE_READ(KL_M_WITHDRAW_REPLY, a.reply.body, c->in,
	    out) == KL_C_OK ? KL_OK : KL_E_FORMAT;
}

struct kl_header
client_header(const struct client *c, uint32_t kind, const struct kl_id *to,
    int64_t at_ms)
{
	struct kl_header h = {
		.version = KL_PROTOCOL_VERSION, .suite = KL_SUITE_1,
		.kind = kind, .purpose = KL_REFERRAL_WITH_CONSENT,
		.sender_role = c->role == KL_PRACTICE ? KL_STAFF_GP :
		    KL_STAFF_DESK,
		.milestone = KL_MS_NONE, .feedback_level = KL_LEVEL_2,
		.content_schema = 1, .seq = 1, .sender = c->id,
		.receiver = *to, .created_ms = at_ms,
		.deliver_by_ms = at_ms + 3 * KL_DAY_MS,
		.expire_at_ms = at_ms + 14 * KL_DAY_MS,
	};

	kl_random(&h.msg_id, sizeof h.msg_id);
	return h;
}
