#include "tests/support/shell.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/host/fs.h>
#include <kortelijn/host/log.h>
#include <kortelijn/host/textfile.h>

#include "broker/core/boot.h"
#include "broker/core/core_main.h"
#include "broker/core/cycle.h"
#include "broker/core/dispatch.h"
#include "broker/core/papers.h"
#include "tests/support/papers.h"

#define MAP_MB 8
#define SLOTS 512

/* ---- the region ------------------------------------------------------- */

struct tmpdir_path
shell_file(const struct shell *s, const char *name)
{
	return tmpdir_file(&s->dir, name);
}

static void
card_file(const struct shell *s, const char *name, const struct party *who)
{
	const struct tmpdir_path path = shell_file(s, name);
	struct kl_card c = party_card(who);
	struct letter_bytes b;

	LETTERS_SIGN(KL_CARD, &c, s->authority, &b);
	ck_assert_int_eq(kl_textfile_write(AT_FDCWD, path.b,
	    "kortelijn-card-v1", NULL, kl_bytes(b.b, b.n)), KL_OK);
}

static void
dir_make(const struct shell *s, const char *name)
{
	ck_assert_int_eq(mkdir(shell_file(s, name).b, 0700), 0);
}

void
shell_policy(const struct shell *s, const char *text)
{
	papers_policy_write(shell_file(s, "config/policy.conf").b, text);
}

static void
region_make(struct shell *s)
{
	dir_make(s, "config");
	dir_make(s, "config/cards");
	dir_make(s, "config/revocations");
	dir_make(s, "state");
	ck_assert_int_eq(kl_keyfile_write(AT_FDCWD,
	    shell_file(s, "config/log.key").b, "log", s->broker.sk), KL_OK);
	card_file(s, "config/broker.card", &s->broker);
	card_file(s, "config/cards/1.card", &s->practice);
	card_file(s, "config/cards/2.card", &s->desk);
	card_file(s, "config/cards/3.card", &s->auditor);
	shell_policy(s, NULL);
}

static void
conf_make(struct shell *s)
{
	struct broker_conf *c = &s->conf;

	*c = (struct broker_conf){ .map_mb = MAP_MB, .slots = SLOTS,
		.erasure = KL_ERASURE_BEST_EFFORT,
		.requests_per_minute = 1000, .bytes_per_day_mb = 64,
		.open_conversations = 100, .realm = KL_TRAINING };
	(void)snprintf(c->config_dir, sizeof c->config_dir, "%.150s/config",
	    s->dir.path);
	(void)snprintf(c->state_dir, sizeof c->state_dir, "%.150s/state",
	    s->dir.path);
	ck_assert_int_eq(kl_sign_public(s->authority, &c->authority), KL_OK);
}

void
shell_new_store(const struct shell *s, const char *reason)
{
	char line[64];

	(void)snprintf(line, sizeof line, "%s\n",
	    reason != NULL ? reason : "first start");
	ck_assert_int_eq(kl_fs_replace(shell_file(s, "config/new-store").b,
	    kl_bytes_str(line)), KL_OK);
}

void
shell_open(struct shell *s)
{
	struct kl_sign_pk pk;

	memset(s, 0, sizeof *s);
	kl_log_init("test", KL_LOG_ERROR, false);
	s->dir = tmpdir_make();
	ck_assert_int_eq(kl_sign_keypair(&pk, &s->authority), KL_OK);
	s->broker = party_make(KL_BROKER, "oin:00000001234567890000");
	s->practice = party_make(KL_PRACTICE, "agb:01234567");
	s->desk = party_make(KL_MUNICIPALITY, "oin:00000001234567890001");
	s->partner = party_make(KL_PARTNER, "kvk:12345678");
	s->auditor = party_make(KL_AUDITOR, "kvk:87654321");
	s->in = malloc(PIPE_MSG_MAX);
	s->mem = kl_arena_new(1 << 20, 8192);
	ck_assert(s->in != NULL && s->mem != NULL);
	region_make(s);
	shell_new_store(s, NULL);
	conf_make(s);
	ck_assert_int_eq(shell_start(s, LETTERS_NOW_MS), CORE_EXIT_STOPPED);
	ck_assert_uint_gt(shell_edge(s), 0);
}

void
shell_close(struct shell *s)
{
	if (s->core != NULL)
		shell_stop(s);
	party_clear(&s->broker);
	party_clear(&s->practice);
	party_clear(&s->desk);
	party_clear(&s->partner);
	party_clear(&s->auditor);
	kl_secret_free(s->authority);
	kl_arena_free(s->mem);
	free(s->in);
	tmpdir_remove(&s->dir);
}

int
shell_start(struct shell *s, int64_t now_ms)
{
	const struct kl_clock real = { 0 };
	int status;

	ck_assert_int_eq(pipe_pair(s->fd), KL_OK);
	s->core = calloc(1, sizeof *s->core);
	ck_assert_ptr_nonnull(s->core);
	s->core->conf = &s->conf;
	s->core->pipe_fd = s->fd[0];
	s->core->clock.offset_ms = now_ms - kl_clock_now_ms(&real);
	status = boot_open(s->core);
	return status != CORE_EXIT_STOPPED ? status : boot_settle(s->core);
}

void
shell_stop(struct shell *s)
{
	kl_kv_abort(&s->core->turn.txn);
	boot_close(s->core);
	free(s->core);
	s->core = NULL;
	(void)close(s->fd[0]);
	(void)close(s->fd[1]);
}

void
shell_restart(struct shell *s, int64_t now_ms)
{
	shell_stop(s);
	ck_assert_int_eq(shell_start(s, now_ms), CORE_EXIT_STOPPED);
	(void)shell_edge(s);
}

int64_t
shell_now_ms(const struct shell *s)
{
	return kl_clock_now_ms(&s->core->clock);
}

/* ---- papers ----------------------------------------------------------- */

struct paper {
	struct kl_entry e;
	enum kl_code code;
};

static int
take(struct core *c, void *arg)
{
	struct paper *p = arg;

	return papers_take(c, &p->e, &p->code);
}

static enum kl_code
paper(struct shell *s, uint32_t statement, const struct letter_bytes *b)
{
	struct paper p = { .e = { .statement = statement,
		.content = kl_bytes(b->b, b->n) } };

	/* As the control socket answers. */
	return cycle_run(s->core, take, &p) == KL_OK ? p.code :
	    KL_C_TRY_LATER;
}

enum kl_code
shell_card(struct shell *s, const struct kl_card *c)
{
	struct letter_bytes b;

	LETTERS_SIGN(KL_CARD, c, s->authority, &b);
	return paper(s, KL_CARD, &b);
}

void
shell_enrol(struct shell *s, const struct party *who)
{
	const struct kl_card c = party_card(who);

	ck_assert_int_eq(shell_card(s, &c), KL_C_OK);
}

enum kl_code
shell_revoke(struct shell *s, const struct party *who, uint32_t reason)
{
	const struct kl_revocation v = party_revocation(who, reason);
	struct letter_bytes b;

	LETTERS_SIGN(KL_REVOCATION, &v, s->authority, &b);
	return paper(s, KL_REVOCATION, &b);
}

/* ---- in the place of edge --------------------------------------------- */

size_t
shell_edge(struct shell *s)
{
	struct pipe_msg m = { .type = PIPE_RESET };
	struct pipe_key key[PIPE_KEYS_MAX];
	size_t n, all = 0;

	m.generation = ++s->generation;
	ck_assert_int_eq(pipe_send(s->fd[1], &m), KL_OK);
	dispatch_turn(s->core);
	while (pipe_recv(s->fd[1], s->in, PIPE_MSG_MAX, &m) == KL_OK &&
	    m.type != PIPE_KEYS_DONE) {
		if (m.type != PIPE_KEYS)
			continue;
		ck_assert_int_eq(pipe_keys_read(&m, key, &n), KL_OK);
		all += n;
	}
	ck_assert_int_eq(m.type, PIPE_KEYS_DONE);
	return all;
}

enum pipe_verdict
shell_verdict(struct shell *s, const struct party *who)
{
	enum pipe_verdict last = 0;
	struct pipe_key key[PIPE_KEYS_MAX];
	struct pipe_msg m;
	size_t n;

	while (pipe_recv(s->fd[1], s->in, PIPE_MSG_MAX, &m) == KL_OK) {
		if (m.type != PIPE_KEYS)
			continue;
		ck_assert_int_eq(pipe_keys_read(&m, key, &n), KL_OK);
		for (size_t i = 0; i < n; i++)
			if (memcmp(key[i].pk.b, who->transport_pk.b,
			    sizeof key[i].pk.b) == 0)
				last = key[i].verdict;
	}
	return last;
}

void
shell_send_from(struct shell *s, const struct party *who, uint8_t route,
    uint32_t request, struct kl_bytes body, struct kl_bytes ct)
{
	const struct kl_request_msg q = { .version = 1, .request = request,
		.request_id = ++s->requests, .body = body };
	uint8_t buf[KL_FRAME_MAX];
	struct pipe_msg m = { .type = PIPE_REQUEST,
		.generation = s->generation, .peer = who->transport_pk,
		.route = { .n = 5 }, .n = ct.p == NULL ? 1 : 2 };

	/* The last byte of the id tells parties apart. */
	memcpy(m.route.b, who->id.b + 4, 4);
	m.route.b[3] = (uint8_t)who->role;
	m.route.b[4] = route;
	m.frame[0].p = buf;
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_REQUEST, &q, buf, sizeof buf,
	    &m.frame[0].n), KL_OK);
	m.frame[1] = ct;
	ck_assert_int_eq(pipe_send(s->fd[1], &m), KL_OK);
}

void
shell_send(struct shell *s, const struct party *who, uint32_t request,
    uint32_t type, const void *body, size_t size, struct kl_bytes ct)
{
	uint8_t buf[KL_FRAME_MAX];
	size_t n;

	ck_assert_int_eq(kl_message_pack(type, body, size, buf, sizeof buf,
	    &n), KL_OK);
	shell_send_from(s, who, 0, request, kl_bytes(buf, n), ct);
}

void
shell_turn(struct shell *s)
{
	dispatch_turn(s->core);
}

bool
shell_take(struct shell *s, struct shell_answer *a)
{
	struct pipe_msg m;
	struct kl_bytes copy;
	int r;

	do
		r = pipe_recv(s->fd[1], s->in, PIPE_MSG_MAX, &m);
	while (r == KL_OK && m.type != PIPE_REPLY);
	if (r != KL_OK)
		return false;
	ck_assert_uint_eq(m.generation, s->generation);
	kl_arena_reset(s->mem);
	ck_assert_int_eq(kl_arena_copy(s->mem, m.frame[0], &copy), KL_OK);
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_REPLY, copy, s->mem, &a->m),
	    KL_C_OK);
	a->route = m.route;
	a->n_ct = m.n - 1;
	for (size_t i = 0; i < a->n_ct; i++)
		ck_assert_int_eq(kl_arena_copy(s->mem, m.frame[1 + i],
		    &a->ct[i]), KL_OK);
	return true;
}

void
shell_answer(struct shell *s, struct shell_answer *a)
{
	shell_turn(s);
	ck_assert(shell_take(s, a));
	ck_assert_uint_eq(a->m.request_id, s->requests);
}

/* ---- requests --------------------------------------------------------- */

enum kl_code
shell_hello(struct shell *s, const struct party *who,
    const struct kl_hello *h)
{
	struct shell_answer a;

	SHELL_SEND(s, who, KL_HELLO, KL_M_HELLO, h);
	shell_answer(s, &a);
	return (enum kl_code)a.m.code;
}

static void
publish(struct shell *s, const struct party *who)
{
	const int64_t late_ms = kl_week_start_ms(shell_now_ms(s)) -
	    kl_week_start_ms(LETTERS_NOW_MS);
	const struct kl_prekey k = party_prekey(who,
	    late_ms > 0 ? (unsigned int)(late_ms / KL_WEEK_MS) : 0);
	uint8_t buf[KL_STATEMENT_MAX];
	struct kl_publish m = { .n_entry = 1 };
	struct kl_entry e = { .statement = KL_PREKEY };
	struct shell_answer a;
	struct letter_bytes b;
	size_t n;

	LETTERS_SIGN(KL_PREKEY, &k, who->sk, &b);
	e.content = kl_bytes(b.b, b.n);
	ck_assert_int_eq(KL_MESSAGE_PACK(KL_M_ENTRY, &e, buf, sizeof buf,
	    &n), KL_OK);
	m.entry[0] = kl_bytes(buf, n);
	SHELL_SEND(s, who, KL_PUBLISH, KL_M_PUBLISH, &m);
	shell_answer(s, &a);
	ck_assert_int_eq(a.m.code, KL_C_OK);
}

void
shell_begin(struct shell *s, const struct party *who)
{
	const struct participant *p = registry_by_id(&s->core->registry,
	    &who->id);
	struct kl_hello h = { .take_over = KL_NO, .schema_min = 1,
		.schema_max = 1 };

	ck_assert_ptr_nonnull(p);
	h.epoch = p->epoch + 1;
	memcpy(h.instance.b, who->serial, sizeof h.instance.b);
	ck_assert_int_eq(shell_hello(s, who, &h), KL_C_OK);
	if (who->role != KL_AUDITOR)
		publish(s, who);
}

enum kl_code
shell_submit_answer(struct shell *s, const struct party *who,
    const struct letter *l, struct shell_answer *a)
{
	const struct kl_submit m = { .envelope = kl_bytes(l->envelope.b,
		l->envelope.n) };

	shell_send(s, who, KL_SUBMIT, KL_M_SUBMIT, &m, sizeof m,
	    kl_bytes(l->ct, l->ct_n));
	shell_answer(s, a);
	return (enum kl_code)a->m.code;
}

enum kl_code
shell_submit(struct shell *s, const struct party *who,
    const struct letter *l)
{
	struct shell_answer a;

	return shell_submit_answer(s, who, l, &a);
}

static void
items_read(struct shell *s, const struct shell_answer *a,
    struct shell_items *out)
{
	struct kl_fetch_reply r;

	out->code = (enum kl_code)a->m.code;
	out->n_ct = a->n_ct;
	if (out->code != KL_C_OK || a->m.body.n == 0)
		return;
	ck_assert_int_eq(KL_MESSAGE_READ(KL_M_FETCH_REPLY, a->m.body, s->mem,
	    &r), KL_C_OK);
	out->n = r.n_item;
	for (size_t i = 0; i < r.n_item; i++)
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_ITEM, r.item[i], s->mem,
		    &out->item[i]), KL_C_OK);
}

struct shell_items
shell_fetch(struct shell *s, const struct party *who, uint64_t ack)
{
	struct kl_fetch m = { .n_ack = ack != 0, .ack = { ack } };
	struct shell_items out = { .n = 0 };
	struct shell_answer a;

	SHELL_SEND(s, who, KL_FETCH, KL_M_FETCH, &m);
	shell_answer(s, &a);
	items_read(s, &a, &out);
	return out;
}

enum kl_code
shell_receipt(struct shell *s, const struct party *who,
    const struct letter *l, uint32_t outcome, uint32_t code)
{
	struct kl_put_receipt m = { .statement = KL_RECEIPT };
	struct shell_answer a;
	struct letter_bytes b;

	letter_receipt(l, who, outcome, code, &b);
	m.receipt = kl_bytes(b.b, b.n);
	SHELL_SEND(s, who, KL_PUT_RECEIPT, KL_M_PUT_RECEIPT, &m);
	shell_answer(s, &a);
	return (enum kl_code)a.m.code;
}

enum kl_code
shell_withdraw(struct shell *s, const struct party *who,
    const struct kl_withdrawal *w, struct kl_withdraw_reply *reply)
{
	struct kl_withdraw m;
	struct shell_answer a;
	struct letter_bytes b;
	bool there = false;

	LETTERS_SIGN(KL_WITHDRAWAL, w, who->sk, &b);
	m.withdrawal = kl_bytes(b.b, b.n);
	SHELL_SEND(s, who, KL_WITHDRAW, KL_M_WITHDRAW, &m);
	shell_turn(s);
	/* One turn more to erase, and one if that failed. */
	for (int i = 0; i < 2 && !(there = shell_take(s, &a)); i++)
		shell_turn(s);
	ck_assert(there || shell_take(s, &a));
	ck_assert_uint_eq(a.m.request, KL_WITHDRAW);
	ck_assert_uint_eq(a.m.request_id, s->requests);
	if (a.m.code == KL_C_OK && reply != NULL)
		ck_assert_int_eq(KL_MESSAGE_READ(KL_M_WITHDRAW_REPLY,
		    a.m.body, s->mem, reply), KL_C_OK);
	return (enum kl_code)a.m.code;
}

enum kl_code
shell_erased(struct shell *s, const struct party *who,
    const struct kl_notice *request, uint32_t case_system)
{
	struct kl_put_receipt m = { .statement = KL_ERASE_RECEIPT };
	struct kl_erase_receipt r = { .version = 1, .signer = who->id,
		.signer_key_id = kl_key_id_of(who->sign_pk.b),
		.conv_id = request->conv_id, .adapter_copy = KL_ERASED,
		.case_system = case_system, .at_ms = shell_now_ms(s) };
	struct shell_answer a;
	struct letter_bytes b;
	struct kl_signed v;

	ck_assert_int_eq(kl_signed_read(request->withdrawal, s->mem, &v),
	    KL_C_OK);
	r.withdrawal_hash = kl_hash_of(v.body);
	LETTERS_SIGN(KL_ERASE_RECEIPT, &r, who->sk, &b);
	m.receipt = kl_bytes(b.b, b.n);
	SHELL_SEND(s, who, KL_PUT_RECEIPT, KL_M_PUT_RECEIPT, &m);
	shell_answer(s, &a);
	return (enum kl_code)a.m.code;
}

void
shell_deliver(struct shell *s, const struct party *from,
    const struct party *to, const struct letter *l)
{
	ck_assert_int_eq(shell_submit(s, from, l), KL_C_OK);
	ck_assert_uint_gt(shell_fetch(s, to, 0).n_ct, 0);
	ck_assert_int_eq(shell_receipt(s, to, l, KL_OPENED, KL_C_OK),
	    KL_C_OK);
}

struct kl_notice
shell_notice(struct shell *s, const struct kl_item *i)
{
	struct kl_notice n;
	struct kl_signed v;

	ck_assert_uint_eq(i->sort, KL_NOTICE + 1);
	ck_assert_int_eq(kl_signed_read(i->content, s->mem, &v), KL_C_OK);
	ck_assert_int_eq(kl_verify(KL_LABEL_NOTICE, v.body,
	    &s->broker.sign_pk, &v.sig), KL_OK);
	ck_assert_int_eq(KL_STATEMENT_READ(KL_NOTICE, v.body, s->mem, &n),
	    KL_C_OK);
	return n;
}
