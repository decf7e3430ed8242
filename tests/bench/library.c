/*
 * library: closed loops with clients that are libkortelijn and nothing else,
 * over CURVE on loopback, against a broker that it starts itself.
 *
 *   library KORTELIJND CONF CONFIG_DIR AUTHORITY_DIR ENDPOINT IN_FLIGHT LOOPS
 *
 * A loop: REFERRAL sealed, submitted, fetched, opened, receipted; FEEDBACK
 * the same way back; done when its receipt is taken. One line of CSV on
 * standard output, see tests/bench/bench.sh.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/domain/state.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/wire/content.h>

#include "tests/bench/meter.h"
#include "tests/support/client.h"
#include "tests/support/people.h"
#include "tests/support/region.h"

#define PAIRS_MAX 8		/* practices, and as many desks */
#define IN_FLIGHT_MAX 256
#define PENDING 1024		/* requests of one client under way */
#define PATIENCE_MS 20000	/* without any progress */
#define WAIT_MS 10000		/* of a long poll */
#define RETRY_MS 5

enum asked { ASK_SUBMIT = 1, ASK_FETCH, ASK_RECEIPT };

struct loop {
	struct kl_conv_id conv;
	struct kl_hash referral;	/* of its body */
	struct kl_sealed sealed;	/* on its way, to be sent again */
	bool back;			/* the FEEDBACK is on its way */
	int64_t began_us;
	int64_t again_ms;		/* 0: not asked to come again */
};

struct pending { enum asked what; size_t loop; };

struct end {
	struct client c;
	struct kl_id peer;
	const struct client *other;
	struct pending pending[PENDING];
	uint64_t ack[KL_FETCH_ACKS_MAX];
	size_t n_ack;
	bool fetching;
};

struct bench {
	struct end end[2 * PAIRS_MAX];	/* practice, desk, practice, ... */
	size_t n_ends, in_flight, want, begun, done, again;
	struct loop *loop;
	struct meter_times accepted, feedback;
	struct kl_arena *mem;
	struct meter meter;
	int64_t seen_ms;		/* last progress */
};

static int64_t
now_ms(void)
{
	return kl_clock_now_ms(&(struct kl_clock){ 0 });
}

static void
must(int r, const char *what)
{
	if (r == KL_OK)
		return;
	fprintf(stderr, "library: %s: %s\n", what, kl_err_text(r));
	exit(1);
}

static void
refused(uint32_t code, const char *what)
{
	fprintf(stderr, "library: %s: %s\n", what, kl_code_name(code));
	exit(1);
}

/* ---- sending ------------------------------------------------------------- */

static void
send_request(struct end *e, enum asked what, size_t loop, uint32_t request,
    uint32_t type, const void *body, size_t size, struct kl_bytes ct)
{
	uint64_t id;

	must(client_send(&e->c, request, type, body, size, ct, &id), "send");
	e->pending[id % PENDING] = (struct pending){ what, loop };
}

static void
send_sealed(struct bench *b, struct end *e, size_t i)
{
	const struct kl_sealed *s = &b->loop[i].sealed;
	struct kl_submit q = { kl_bytes(s->envelope, s->n_envelope) };

	b->loop[i].again_ms = 0;
	send_request(e, ASK_SUBMIT, i, KL_SUBMIT, KL_M_SUBMIT, &q, sizeof q,
	    kl_bytes(s->ct, s->n_ct));
}

static void
send_fetch(struct end *e)
{
	struct kl_fetch q = { .wait_ms = WAIT_MS, .n_ack = e->n_ack };

	memcpy(q.ack, e->ack, sizeof q.ack);
	e->n_ack = 0;
	e->fetching = true;
	send_request(e, ASK_FETCH, 0, KL_FETCH, KL_M_FETCH, &q, sizeof q,
	    KL_BYTES_NONE);
}

/* The ends of loop i: its practice and its desk. */
static struct end *
practice_of(struct bench *b, size_t i)
{
	return &b->end[i * 2 % b->n_ends];
}

static struct end *
desk_of(struct bench *b, size_t i)
{
	return practice_of(b, i) + 1;
}

static struct kl_consent
consent_now(int64_t at_ms)
{
	const uint32_t today = (uint32_t)kl_day_of(at_ms);
	struct kl_consent k = {
		.referral = 1, .feedback_level = KL_LEVEL_2, .form = KL_ORAL,
		.info_text_version = 1, .given_on = today,
		.valid_until = today + 180, .recorded_in_his = 1,
	};

	kl_random(&k.preview_hash, sizeof k.preview_hash);
	return k;
}

/* The loop's number stands in its conversation id. */
static void
begin(struct bench *b, size_t i)
{
	struct end *e = practice_of(b, i);
	struct kl_header h = client_header(&e->c, KL_REFERRAL, &e->peer,
	    now_ms());
	struct kl_consent consent = consent_now(h.created_ms);
	struct kl_referral who = people_usual();
	struct loop *l = &b->loop[i];
	uint8_t salt[KL_SALT_BYTES], plain[KL_PLAIN_REFERRAL];
	size_t n;

	kl_random(salt, sizeof salt);
	kl_random(&l->conv, sizeof l->conv);
	memcpy(&l->conv, &i, sizeof i);
	l->back = false;
	h.conv_id = l->conv;
	h.answer_by_ms = h.deliver_by_ms;
	must(kl_content_pack_referral(&who, salt, 1, plain, sizeof plain, &n),
	    "pack a referral");
	must(kl_envelope_seal(&h, &consent, NULL, kl_bytes(plain, n),
	    &e->other->prekey, &e->c.sign_pk, e->c.sign_sk, &l->sealed),
	    "seal a referral");
	l->referral = l->sealed.body_hash;
	l->began_us = meter_now_us();
	b->begun++;
	send_sealed(b, e, i);
}

static void
answer(struct bench *b, size_t i)
{
	struct end *e = desk_of(b, i);
	struct kl_header h = client_header(&e->c, KL_FEEDBACK, &e->peer,
	    now_ms());
	struct kl_feedback f = { .code = KL_ST_COMPLETED,
	    .day = kl_day_of(h.created_ms), .level = KL_LEVEL_2 };
	struct loop *l = &b->loop[i];
	uint8_t plain[KL_PLAIN_FEEDBACK];
	size_t n;

	h.conv_id = l->conv;
	h.answers = l->referral;
	h.milestone = KL_MS_ENDED;
	l->back = true;
	must(kl_content_pack_feedback(&f, 1, plain, sizeof plain, &n),
	    "pack a feedback");
	must(kl_envelope_seal(&h, NULL, NULL, kl_bytes(plain, n),
	    &e->other->prekey, &e->c.sign_pk, e->c.sign_sk, &l->sealed),
	    "seal a feedback");
	send_sealed(b, e, i);
}

/* ---- what came ----------------------------------------------------------- */

static void
send_receipt(struct end *e, size_t i, const struct kl_envelope *env,
    const struct kl_hash *body_hash)
{
	struct kl_receipt k = {
		.version = KL_PROTOCOL_VERSION, .signer = e->c.id,
		.signer_key_id = e->c.key_id, .msg_id = env->header.msg_id,
		.body_hash = *body_hash, .outcome = KL_OPENED,
		.code = KL_C_OK, .at_ms = now_ms(),
	};
	uint8_t packed[KL_STATEMENT_MAX];
	struct kl_put_receipt q = { .statement = KL_RECEIPT };
	size_t n;

	must(client_sign(&e->c, KL_RECEIPT, &k, sizeof k, packed,
	    sizeof packed, &n), "sign a receipt");
	q.receipt = kl_bytes(packed, n);
	send_request(e, ASK_RECEIPT, i, KL_PUT_RECEIPT, KL_M_PUT_RECEIPT, &q,
	    sizeof q, KL_BYTES_NONE);
}

static void
take_envelope(struct bench *b, struct end *e, const struct kl_item *item,
    struct kl_bytes ct)
{
	uint8_t plain[KL_PLAIN_REFERRAL];
	struct kl_envelope env;
	struct kl_hash body_hash;
	struct loop *l;
	size_t i, n;
	enum kl_code code;

	code = kl_envelope_check(item->content, ct, &e->other->sign_pk, b->mem,
	    &env, &body_hash);
	if (code != KL_C_OK)
		refused(code, "envelope");
	must(kl_envelope_open(&env, ct, &e->other->sign_pk, &e->c.prekey,
	    e->c.prekey_sk, plain, &n), "open");
	memcpy(&i, &env.header.conv_id, sizeof i);
	l = &b->loop[i];
	if (i >= b->in_flight ||
	    memcmp(&l->conv, &env.header.conv_id, sizeof l->conv) != 0)
		must(KL_E_NOT_FOUND, "a conversation that is over");
	if (env.header.kind == KL_FEEDBACK)
		meter_time(&b->feedback, meter_now_us() - l->began_us);
	send_receipt(e, i, &env, &body_hash);
}

/* A receipt for what this end sent. */
static void
take_statement(struct bench *b, struct end *e, const struct kl_item *item)
{
	struct kl_signed s;

	if (item->sort == KL_RECEIPT + 1 &&
	    (kl_signed_read(item->content, b->mem, &s) != KL_C_OK ||
	    kl_verify(KL_LABEL_RECEIPT, s.body, &e->other->sign_pk, &s.sig) !=
	    KL_OK))
		must(KL_E_SIGNATURE, "receipt");
	if (e->n_ack < KL_FETCH_ACKS_MAX)
		e->ack[e->n_ack++] = item->item;
}

static void
take_items(struct bench *b, struct end *e, const struct client_answer *a)
{
	struct kl_fetch_reply f;
	struct kl_item item;
	size_t ct = 0;

	if (a->reply.code != KL_C_OK)
		refused(a->reply.code, "FETCH");
	kl_arena_reset(b->mem);
	if (KL_MESSAGE_READ(KL_M_FETCH_REPLY, a->reply.body, b->mem, &f) !=
	    KL_C_OK)
		must(KL_E_FORMAT, "the answer to FETCH");
	for (size_t i = 0; i < f.n_item; i++) {
		if (KL_MESSAGE_READ(KL_M_ITEM, f.item[i], b->mem, &item) !=
		    KL_C_OK)
			must(KL_E_FORMAT, "an item");
		if (item.sort != KL_SORT_ENVELOPE)
			take_statement(b, e, &item);
		else if (ct < a->n_ct)
			take_envelope(b, e, &item, a->ct[ct++]);
		else
			must(KL_E_FORMAT, "an envelope without ciphertext");
	}
	send_fetch(e);
}

static bool
come_again(const struct client_answer *a)
{
	return kl_code_retry(a->reply.code) == KL_RETRY_LATER;
}

static void
submitted(struct bench *b, size_t i, const struct client_answer *a)
{
	struct loop *l = &b->loop[i];

	if (come_again(a)) {
		b->again++;
		l->again_ms = kl_mono_ms() + RETRY_MS;
		return;
	}
	if (a->reply.code != KL_C_OK)
		refused(a->reply.code, l->back ? "SUBMIT a feedback" :
		    "SUBMIT a referral");
	if (!l->back)
		meter_time(&b->accepted, meter_now_us() - l->began_us);
}

static void
receipted(struct bench *b, struct end *e, size_t i,
    const struct client_answer *a)
{
	if (a->reply.code != KL_C_OK)
		refused(a->reply.code, "RECEIPT");
	if (e == desk_of(b, i)) {
		answer(b, i);
		return;
	}
	b->done++;
	if (b->begun < b->want)
		begin(b, i);
}

static void
take(struct bench *b, struct end *e, const struct client_answer *a)
{
	const struct pending p = e->pending[a->reply.request_id % PENDING];

	b->seen_ms = kl_mono_ms();
	switch (p.what) {
	case ASK_SUBMIT:
		submitted(b, p.loop, a);
		break;
	case ASK_FETCH:
		take_items(b, e, a);
		break;
	case ASK_RECEIPT:
		receipted(b, e, p.loop, a);
		break;
	default:
		must(KL_E_UNKNOWN, "an answer to nothing");
	}
}

/* ---- the run ------------------------------------------------------------- */

static void
send_again(struct bench *b)
{
	for (size_t i = 0; i < b->in_flight; i++)
		if (b->loop[i].again_ms != 0 &&
		    b->loop[i].again_ms <= kl_mono_ms())
			send_sealed(b, b->loop[i].back ? desk_of(b, i) :
			    practice_of(b, i), i);
}

static bool
take_all(struct bench *b)
{
	struct client_answer a;
	bool any = false;
	int r;

	for (size_t i = 0; i < b->n_ends; i++) {
		while ((r = client_take(&b->end[i].c, &a)) == KL_OK) {
			take(b, &b->end[i], &a);
			any = true;
		}
		if (r != KL_E_EMPTY)
			must(r, "receive");
	}
	return any;
}

static void
wait_any(struct bench *b)
{
	struct pollfd p[2 * PAIRS_MAX];

	for (size_t i = 0; i < b->n_ends; i++) {
		p[i].events = POLLIN;
		(void)kl_link_fds(b->end[i].c.link, &p[i].fd, 1);
		if (kl_link_ready(b->end[i].c.link))
			return;
	}
	(void)poll(p, (nfds_t)b->n_ends, RETRY_MS);
}

static void
run(struct bench *b)
{
	int64_t looked_ms = 0;

	for (size_t i = 0; i < b->n_ends; i++)
		send_fetch(&b->end[i]);
	for (size_t i = 0; i < b->in_flight && b->begun < b->want; i++)
		begin(b, i);
	b->seen_ms = kl_mono_ms();
	while (b->done < b->want) {
		if (!take_all(b))
			wait_any(b);
		if (b->again > 0)
			send_again(b);
		if (kl_mono_ms() - b->seen_ms > PATIENCE_MS)
			must(KL_E_AGAIN, "nothing comes any more");
		if (kl_mono_ms() - looked_ms > 100) {
			looked_ms = kl_mono_ms();
			meter_look(&b->meter);
		}
	}
}

/* ---- before and after ---------------------------------------------------- */

static void
ends_make(struct bench *b, const char *config_dir, const char *authority_dir)
{
	struct kl_secret *authority = NULL;
	char id[32], cards[512];

	must(region_authority_read(authority_dir, &authority), authority_dir);
	(void)snprintf(cards, sizeof cards, "%s/cards", config_dir);
	for (size_t i = 0; i < b->n_ends; i++) {
		struct end *e = &b->end[i];
		const bool practice = i % 2 == 0;

		(void)snprintf(id, sizeof id, practice ? "agb:%08zu" :
		    "oin:%020zu", i + 1);
		must(client_make(&e->c, id, practice ? KL_PRACTICE :
		    KL_MUNICIPALITY), id);
		must(client_enrol(&e->c, authority, cards), cards);
	}
	for (size_t i = 0; i < b->n_ends; i++) {
		b->end[i].other = &b->end[i ^ 1].c;
		b->end[i].peer = b->end[i ^ 1].c.id;
	}
	kl_secret_free(authority);
}

static void
ends_begin(struct bench *b, const char *endpoint,
    const struct kl_curve_pk *broker)
{
	uint32_t code;
	int r;

	for (size_t i = 0; i < b->n_ends; i++) {
		struct client *c = &b->end[i].c;

		must(client_connect(c, endpoint, broker), endpoint);
		must(client_up(c, 30000), "the handshake");
		if ((r = client_begin(c, 10000, &code)) == KL_E_REFUSED)
			refused(code, "HELLO, SYNC, PUBLISH");
		must(r, "HELLO, SYNC, PUBLISH");
	}
}

static void
bench_make(struct bench *b, const char *in_flight, const char *loops)
{
	b->in_flight = (size_t)strtoul(in_flight, NULL, 10);
	b->want = (size_t)strtoul(loops, NULL, 10);
	if (b->in_flight < 1 || b->in_flight > IN_FLIGHT_MAX || b->want < 1)
		must(KL_E_VALUE, "IN_FLIGHT or LOOPS");
	b->n_ends = 2 * (b->in_flight < PAIRS_MAX ? b->in_flight : PAIRS_MAX);
	b->loop = calloc(b->in_flight, sizeof *b->loop);
	b->accepted.us = calloc(b->want, sizeof(int64_t));
	b->feedback.us = calloc(b->want, sizeof(int64_t));
	b->accepted.cap = b->feedback.cap = b->want;
	b->mem = kl_arena_new(1 << 20, 4096);
	if (b->loop == NULL || b->accepted.us == NULL ||
	    b->feedback.us == NULL || b->mem == NULL)
		must(KL_E_MEMORY, "start");
}

static void
print(struct bench *b, int64_t us)
{
	const double n = (double)b->done;

	printf("library,%zu,%zu,%.1f,%.3f,%.3f,%.3f,%.3f,%.2f,%.1f,%.2f\n",
	    b->in_flight, b->done, n * 1e6 / (double)us,
	    (double)meter_percentile(&b->accepted, 50) / 1e3,
	    (double)meter_percentile(&b->accepted, 99) / 1e3,
	    (double)meter_percentile(&b->feedback, 50) / 1e3,
	    (double)meter_percentile(&b->feedback, 99) / 1e3,
	    (double)meter_cpu_us(&b->meter) / 1e6 * 10000 / n,
	    (double)b->meter.rss_peak_bytes / 1048576,
	    (double)meter_syncs(&b->meter) / n);
}

int
main(int argc, char **argv)
{
	static struct bench b;
	struct region_broker broker;
	int64_t began_us;
	pid_t pid;

	if (argc != 8) {
		fputs("usage: library KORTELIJND CONF CONFIG_DIR "
		    "AUTHORITY_DIR ENDPOINT IN_FLIGHT LOOPS\n", stderr);
		return 2;
	}
	must(kl_crypto_init(), "libsodium");
	must(kl_link_init(), "libzmq");
	bench_make(&b, argv[6], argv[7]);
	must(region_broker_read(argv[3], &broker), argv[3]);
	ends_make(&b, argv[3], argv[4]);
	if ((pid = region_start(argv[1], argv[2], NULL)) < 0)
		must(KL_E_SYSTEM, argv[1]);
	ends_begin(&b, argv[5], &broker.transport_pk);
	meter_start(&b.meter, pid, getenv("KL_SYNC_COUNT"));
	began_us = meter_now_us();
	run(&b);
	print(&b, meter_now_us() - began_us);
	return region_stop(pid) == 0 ? 0 : 1;
}
