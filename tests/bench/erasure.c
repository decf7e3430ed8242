/*
 * erasure: how long until what has ended is erased, while as much goes on as
 * the broker takes.
 *
 *   erasure KORTELIJND CONF CONFIG_DIR AUTHORITY_DIR ENDPOINT TRACE
 *       IN_FLIGHT LOOPS
 *
 * A loop is one REFERRAL. Every other one is fetched and receipted: measured
 * from the answer to the receipt until the broker's TRACE has its ERASED leaf,
 * which is written when the key was zeroed and the leaf committed. The others
 * wait and are withdrawn: measured from the request to its answer, which comes
 * when the keys were zeroed and read back. Prints a line of CSV: in flight,
 * loops, p50 and p99 of both, in ms.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/loop.h>

#include "tests/bench/meter.h"
#include "tests/support/client.h"
#include "tests/support/region.h"

#define GROUPS 4			/* practice, desk, desk that waits */
#define ENDS (3 * GROUPS)
#define IN_FLIGHT_MAX 256
#define PENDING 1024
#define PATIENCE_MS 20000
#define WAIT_MS 10000
#define RETRY_MS 5
#define PLAIN_BYTES 64
#define VALID_DAYS 180
#define TRACE_BYTES 65536

enum asked { ASK_SUBMIT = 1, ASK_FETCH, ASK_RECEIPT, ASK_WITHDRAW };

struct loop {
	size_t number;			/* in all; its group, its kind */
	struct kl_conv_id conv;
	struct kl_msg_id msg;
	struct kl_sealed sealed;
	int64_t since_us;		/* what is measured; 0: not yet */
	int64_t erased_us;		/* its line was there; 0: not yet */
	int64_t again_ms;
};

struct pending { enum asked what; size_t loop; };

struct end {
	struct client c;
	struct pending pending[PENDING];
	uint64_t ack[KL_FETCH_ACKS_MAX];
	size_t n_ack;
};

struct bench {
	struct end end[ENDS];
	struct loop loop[IN_FLIGHT_MAX];
	size_t in_flight, want, begun, done;
	struct meter_times receipted, withdrawn;
	struct kl_arena *mem;
	const char *trace;
	int trace_fd;			/* -1: not there yet */
	char line[TRACE_BYTES];
	size_t n_line;
	int64_t seen_ms;
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
	fprintf(stderr, "erasure: %s: %s\n", what, kl_err_text(r));
	exit(1);
}

static bool
waits(const struct loop *l)
{
	return l->number % 2 != 0;
}

static struct end *
practice_of(struct bench *b, const struct loop *l)
{
	return &b->end[l->number / 2 % GROUPS * 3];
}

static struct end *
desk_of(struct bench *b, const struct loop *l)
{
	return practice_of(b, l) + (waits(l) ? 2 : 1);
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
send_sealed(struct bench *b, size_t i)
{
	struct loop *l = &b->loop[i];
	struct kl_submit q = { kl_bytes(l->sealed.envelope,
	    l->sealed.n_envelope) };

	l->again_ms = 0;
	send_request(practice_of(b, l), ASK_SUBMIT, i, KL_SUBMIT,
	    KL_M_SUBMIT, &q, sizeof q, kl_bytes(l->sealed.ct,
	    l->sealed.n_ct));
}

static void
send_fetch(struct end *e)
{
	struct kl_fetch q = { .wait_ms = WAIT_MS, .n_ack = e->n_ack };

	memcpy(q.ack, e->ack, sizeof q.ack);
	e->n_ack = 0;
	send_request(e, ASK_FETCH, 0, KL_FETCH, KL_M_FETCH, &q, sizeof q,
	    KL_BYTES_NONE);
}

static uint32_t
valid_until(void)
{
	return (uint32_t)kl_day_of(now_ms()) + VALID_DAYS;
}

static void
begin(struct bench *b, size_t i)
{
	struct loop *l = &b->loop[i];
	struct kl_consent k = {
		.referral = 1, .feedback_level = KL_LEVEL_2, .form = KL_ORAL,
		.info_text_version = 1, .given_on = valid_until() - VALID_DAYS,
		.valid_until = valid_until(), .recorded_in_his = 1,
	};
	const struct client *c;
	struct kl_header h;
	uint8_t plain[PLAIN_BYTES];

	l->number = b->begun++;
	l->since_us = l->erased_us = 0;
	c = &practice_of(b, l)->c;
	h = client_header(c, KL_REFERRAL, &desk_of(b, l)->c.id, now_ms());
	kl_random(&k.preview_hash, sizeof k.preview_hash);
	kl_random(plain, sizeof plain);
	kl_random(&h.conv_id, sizeof h.conv_id);
	/* So that the trace and an item tell which loop it is. */
	memcpy(&h.msg_id, &i, sizeof i);
	l->conv = h.conv_id;
	l->msg = h.msg_id;
	h.answer_by_ms = h.deliver_by_ms;
	must(kl_envelope_seal(&h, &k, NULL, kl_bytes(plain, sizeof plain),
	    &desk_of(b, l)->c.prekey, &c->sign_pk, c->sign_sk, &l->sealed),
	    "seal");
	send_sealed(b, i);
}

static void
send_receipt(struct end *e, size_t i, const struct loop *l)
{
	const struct kl_receipt k = {
		.version = KL_PROTOCOL_VERSION, .signer = e->c.id,
		.signer_key_id = e->c.key_id, .msg_id = l->msg,
		.body_hash = l->sealed.body_hash, .outcome = KL_OPENED,
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
send_withdrawal(struct bench *b, size_t i)
{
	struct loop *l = &b->loop[i];
	struct end *e = practice_of(b, l);
	const struct kl_withdrawal w = {
		.version = KL_PROTOCOL_VERSION, .signer = e->c.id,
		.signer_key_id = e->c.key_id, .conv_id = l->conv,
		.scope = KL_SCOPE_ALL, .cause = KL_CAUSE_RESIDENT,
		.route = e->c.role, .at_ms = now_ms(),
		.valid_until = valid_until(),
	};
	uint8_t packed[KL_WITHDRAWAL_MAX];
	struct kl_withdraw q;
	size_t n;

	must(client_sign(&e->c, KL_WITHDRAWAL, &w, sizeof w, packed,
	    sizeof packed, &n), "sign a withdrawal");
	q.withdrawal = kl_bytes(packed, n);
	if (l->since_us == 0)
		l->since_us = meter_now_us();
	send_request(e, ASK_WITHDRAW, i, KL_WITHDRAW, KL_M_WITHDRAW, &q,
	    sizeof q, KL_BYTES_NONE);
}

/* ---- what came ----------------------------------------------------------- */

static void
done(struct bench *b, size_t i)
{
	b->done++;
	if (b->begun < b->want)
		begin(b, i);
}

/* Its receipt was answered, and its line was seen; in either order. */
static void
receipted(struct bench *b, size_t i)
{
	const struct loop *l = &b->loop[i];

	if (l->since_us == 0 || l->erased_us == 0)
		return;
	meter_time(&b->receipted, l->erased_us > l->since_us ?
	    l->erased_us - l->since_us : 0);
	done(b, i);
}

static void
take_items(struct bench *b, struct end *e, const struct client_answer *a)
{
	struct kl_fetch_reply f;
	struct kl_envelope env;
	struct kl_signed s;
	struct kl_item item;
	size_t i;

	kl_arena_reset(b->mem);
	if (KL_MESSAGE_READ(KL_M_FETCH_REPLY, a->reply.body, b->mem, &f) !=
	    KL_C_OK)
		must(KL_E_FORMAT, "the answer to FETCH");
	for (size_t k = 0; k < f.n_item; k++) {
		if (KL_MESSAGE_READ(KL_M_ITEM, f.item[k], b->mem, &item) !=
		    KL_C_OK)
			must(KL_E_FORMAT, "an item");
		if (item.sort != KL_SORT_ENVELOPE) {
			e->ack[e->n_ack++] = item.item;
			continue;
		}
		if (kl_signed_read(item.content, b->mem, &s) != KL_C_OK ||
		    kl_envelope_read(s.body, b->mem, &env) != KL_C_OK)
			must(KL_E_FORMAT, "an envelope");
		memcpy(&i, &env.header.msg_id, sizeof i);
		if (i >= b->in_flight)
			must(KL_E_NOT_FOUND, "a message that is over");
		send_receipt(e, i, &b->loop[i]);
	}
	send_fetch(e);
}

static void
take(struct bench *b, struct end *e, const struct client_answer *a)
{
	const struct pending p = e->pending[a->reply.request_id % PENDING];
	struct loop *l = &b->loop[p.loop];

	b->seen_ms = kl_mono_ms();
	if (kl_code_retry(a->reply.code) == KL_RETRY_LATER &&
	    (p.what == ASK_SUBMIT || p.what == ASK_WITHDRAW)) {
		l->again_ms = kl_mono_ms() + RETRY_MS;
		return;
	}
	if (a->reply.code != KL_C_OK) {
		fprintf(stderr, "erasure: request %d: %s\n", (int)p.what,
		    kl_code_name(a->reply.code));
		exit(1);
	}
	if (p.what == ASK_FETCH) {
		take_items(b, e, a);
	} else if (p.what == ASK_SUBMIT && waits(l)) {
		send_withdrawal(b, p.loop);
	} else if (p.what == ASK_RECEIPT) {
		l->since_us = meter_now_us();
		receipted(b, p.loop);
	} else if (p.what == ASK_WITHDRAW) {
		meter_time(&b->withdrawn, meter_now_us() - l->since_us);
		done(b, p.loop);
	}
}

/* ---- the trace ----------------------------------------------------------- */

static void
take_line(struct bench *b, const char *line)
{
	const char *msg = strstr(line, "\"msg\":\"");
	char hex[2 * sizeof(struct kl_msg_id) + 1];
	size_t i;

	if (strstr(line, "\"ev\":\"erased\"") == NULL || msg == NULL)
		return;
	for (i = 0; i < b->in_flight; i++) {
		kl_hex(KL_BYTES_OF(b->loop[i].msg), hex);
		if (strncmp(msg + 7, hex, sizeof hex - 1) == 0)
			break;
	}
	if (i == b->in_flight || waits(&b->loop[i]))
		return;
	b->loop[i].erased_us = meter_now_us();
	receipted(b, i);
}

static void
read_trace(struct bench *b)
{
	char *end, *at = b->line;
	ssize_t n;

	if (b->trace_fd < 0)
		b->trace_fd = open(b->trace, O_RDONLY | O_CLOEXEC);
	if (b->trace_fd < 0)
		return;
	n = read(b->trace_fd, b->line + b->n_line, TRACE_BYTES - b->n_line -
	    1);
	if (n <= 0)
		return;
	b->n_line += (size_t)n;
	b->line[b->n_line] = '\0';
	while ((end = strchr(at, '\n')) != NULL) {
		*end = '\0';
		take_line(b, at);
		at = end + 1;
	}
	b->n_line -= (size_t)(at - b->line);
	memmove(b->line, at, b->n_line);
}

/* ---- the run ------------------------------------------------------------- */

static bool
take_all(struct bench *b)
{
	struct client_answer a;
	bool any = false;
	int r;

	for (size_t i = 0; i < ENDS; i++) {
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
	struct pollfd p[ENDS];

	for (size_t i = 0; i < ENDS; i++) {
		p[i].events = POLLIN;
		(void)kl_link_fds(b->end[i].c.link, &p[i].fd, 1);
		if (kl_link_ready(b->end[i].c.link))
			return;
	}
	(void)poll(p, ENDS, 1);
}

static void
send_again(struct bench *b)
{
	for (size_t i = 0; i < b->in_flight; i++) {
		struct loop *l = &b->loop[i];

		if (l->again_ms == 0 || l->again_ms > kl_mono_ms())
			continue;
		l->again_ms = 0;
		if (l->since_us != 0)
			send_withdrawal(b, i);
		else
			send_sealed(b, i);
	}
}

static void
run(struct bench *b)
{
	for (size_t i = 0; i < ENDS; i++)
		if (i % 3 != 2)
			send_fetch(&b->end[i]);
	for (size_t i = 0; i < b->in_flight && b->begun < b->want; i++)
		begin(b, i);
	b->seen_ms = kl_mono_ms();
	while (b->done < b->want) {
		if (!take_all(b))
			wait_any(b);
		read_trace(b);
		send_again(b);
		if (kl_mono_ms() - b->seen_ms > PATIENCE_MS)
			must(KL_E_AGAIN, "nothing comes any more");
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
	for (size_t i = 0; i < ENDS; i++) {
		struct client *c = &b->end[i].c;
		const bool practice = i % 3 == 0;

		(void)snprintf(id, sizeof id, practice ? "agb:%08zu" :
		    "oin:%020zu", i + 1);
		must(client_make(c, id, practice ? KL_PRACTICE :
		    KL_MUNICIPALITY), id);
		must(client_enrol(c, authority, cards), cards);
	}
	kl_secret_free(authority);
}

static void
ends_begin(struct bench *b, const char *endpoint,
    const struct kl_curve_pk *broker)
{
	uint32_t code;

	for (size_t i = 0; i < ENDS; i++) {
		struct client *c = &b->end[i].c;

		must(client_connect(c, endpoint, broker), endpoint);
		must(client_up(c, 30000), "the handshake");
		must(client_begin(c, 10000, &code), "HELLO, SYNC, PUBLISH");
	}
}

static void
bench_make(struct bench *b, char **argv)
{
	b->trace = argv[6];
	b->trace_fd = -1;
	b->in_flight = (size_t)strtoul(argv[7], NULL, 10);
	b->want = (size_t)strtoul(argv[8], NULL, 10);
	if (b->in_flight < 1 || b->in_flight > IN_FLIGHT_MAX || b->want < 1)
		must(KL_E_VALUE, "IN_FLIGHT or LOOPS");
	b->receipted.us = calloc(b->want, sizeof(int64_t));
	b->withdrawn.us = calloc(b->want, sizeof(int64_t));
	b->receipted.cap = b->withdrawn.cap = b->want;
	b->mem = kl_arena_new(1 << 20, 4096);
	if (b->receipted.us == NULL || b->withdrawn.us == NULL ||
	    b->mem == NULL)
		must(KL_E_MEMORY, "start");
}

static void
print(struct bench *b, int64_t us)
{
	printf("erasure,%zu,%zu,%.1f,%.1f,%.1f,%.1f,%.1f\n", b->in_flight,
	    b->done, (double)b->done * 1e6 / (double)us,
	    (double)meter_percentile(&b->receipted, 50) / 1e3,
	    (double)meter_percentile(&b->receipted, 99) / 1e3,
	    (double)meter_percentile(&b->withdrawn, 50) / 1e3,
	    (double)meter_percentile(&b->withdrawn, 99) / 1e3);
}

int
main(int argc, char **argv)
{
	static struct bench b;
	struct region_broker broker;
	int64_t began_us;
	pid_t pid;

	if (argc != 9) {
		fputs("usage: erasure KORTELIJND CONF CONFIG_DIR "
		    "AUTHORITY_DIR ENDPOINT TRACE IN_FLIGHT LOOPS\n", stderr);
		return 2;
	}
	must(kl_crypto_init(), "libsodium");
	must(kl_link_init(), "libzmq");
	bench_make(&b, argv);
	must(region_broker_read(argv[3], &broker), argv[3]);
	ends_make(&b, argv[3], argv[4]);
	if ((pid = region_start(argv[1], argv[2], NULL)) < 0)
		must(KL_E_SYSTEM, argv[1]);
	ends_begin(&b, argv[5], &broker.transport_pk);
	began_us = meter_now_us();
	run(&b);
	print(&b, meter_now_us() - began_us);
	return region_stop(pid) == 0 ? 0 : 1;
}
