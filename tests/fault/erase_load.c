/*
 * erase_load: two participants that are libkortelijn and nothing else, and
 * every byte of theirs that a broker sees, as markers to look for afterwards.
 *
 *   erase_load CONFIG_DIR AUTHORITY_DIR ENDPOINT MARKERS
 *
 * It writes both cards into CONFIG_DIR/cards, says "ok enrolled", and then
 * does what the lines on its standard input say, each answered by a line
 * "ok WORD N". A broker that dies is waited for, and asked again:
 *
 *   begin               both report in
 *   refer N SECONDS     N referrals, that long to live (0: two weeks)
 *   look                the desk gets what waits, without a receipt; N of them
 *                       are byte for byte what was sent
 *   take                the desk gets and receipts all that waits
 *   collect             the practice does
 *   correct FROM N      the referrals from number FROM on
 *   answer FROM N       the desk's feedback to them
 *   withdraw FROM N     their consents are withdrawn
 *
 * MARKERS: lines "WORD HEX", 16 bytes each: ids, and parts of signed bodies,
 * signatures and ciphertext.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/domain/state.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/wire/content.h>

#include "tests/support/client.h"
#include "tests/support/people.h"
#include "tests/support/region.h"

#define CONVS_MAX 2000
#define MARKER 16
#define ANSWER_MS 1500		/* then the broker counts as dead */
#define BACK_MS 90000		/* until it is there again */

struct conv {
	struct kl_conv_id id;
	struct kl_hash referral;	/* of its body */
	uint32_t valid_until;
	struct kl_sealed sealed;	/* what was sent last */
};

struct load {
	struct client practice, desk;
	struct conv *conv;
	size_t n;
	FILE *markers;
	struct kl_arena *mem;
};

static void
must(int r, const char *what)
{
	if (r == KL_OK)
		return;
	fprintf(stderr, "erase_load: %s: %s\n", what, kl_err_text(r));
	exit(1);
}

static void
must_code(uint32_t code, const char *what)
{
	if (code == KL_C_OK)
		return;
	fprintf(stderr, "erase_load: %s: %s\n", what, kl_code_name(code));
	exit(1);
}

static int64_t
now_ms(void)
{
	return kl_clock_now_ms(&(struct kl_clock){ 0 });
}

/* ---- markers ------------------------------------------------------------- */

static void
mark(struct load *l, const char *word, const uint8_t *at)
{
	char hex[2 * MARKER + 1];

	kl_hex(kl_bytes(at, MARKER), hex);
	fprintf(l->markers, "%s %s\n", word, hex);
}

/* The signature ends the packed Signed; a sealed message has some of each. */
static void
mark_sealed(struct load *l, const struct kl_header *h,
    const struct kl_sealed *s)
{
	mark(l, "msg", h->msg_id.b);
	mark(l, "body", s->envelope + s->n_envelope / 2);
	mark(l, "hash", s->body_hash.b);
	mark(l, "signature", s->envelope + s->n_envelope - MARKER);
	mark(l, "ciphertext", s->ct);
	mark(l, "ciphertext", s->ct + s->n_ct / 2);
	(void)fflush(l->markers);
}

/* ---- asking a broker that may die ---------------------------------------- */

static void
begin(struct client *c)
{
	const int64_t until = kl_mono_ms() + BACK_MS;
	uint32_t code = KL_C_OK;
	int r;

	do {
		if ((r = client_up(c, ANSWER_MS)) == KL_OK)
			r = client_begin(c, ANSWER_MS, &code);
		if (r == KL_E_REFUSED && kl_code_retry(code) == KL_RETRY_LATER)
			r = KL_E_AGAIN;
	} while (r == KL_E_AGAIN && kl_mono_ms() < until);
	must_code(code, "HELLO, SYNC, PUBLISH");
	must(r, "HELLO, SYNC, PUBLISH");
}

static int
ask_once(struct client *c, uint32_t request, uint32_t type, const void *body,
    size_t size, struct kl_bytes ct, struct client_answer *out)
{
	const int64_t until = kl_mono_ms() + ANSWER_MS;
	uint64_t id;
	int r;

	r = client_send(c, request, type, body, size, ct, &id);
	do {
		if (r == KL_OK)
			r = client_wait(c, until - kl_mono_ms(), out);
	} while (r == KL_OK && out->reply.request_id != id);
	if (r == KL_OK && out->reply.code != KL_C_OK &&
	    kl_code_retry(out->reply.code) == KL_RETRY_LATER)
		return KL_E_AGAIN;
	return r;
}

static void
ask(struct client *c, uint32_t request, uint32_t type, const void *body,
    size_t size, struct kl_bytes ct, struct client_answer *out)
{
	const int64_t until = kl_mono_ms() + BACK_MS;
	int r;

	while ((r = ask_once(c, request, type, body, size, ct, out)) ==
	    KL_E_AGAIN && kl_mono_ms() < until)
		begin(c);
	must(r, "no answer");
	must_code(out->reply.code, "refused");
}

/* ---- sending ------------------------------------------------------------- */

static void
submit(struct load *l, struct client *c, const struct kl_header *h,
    const struct kl_sealed *s)
{
	struct kl_submit q = { kl_bytes(s->envelope, s->n_envelope) };
	struct client_answer a;

	mark_sealed(l, h, s);
	ask(c, KL_SUBMIT, KL_M_SUBMIT, &q, sizeof q, kl_bytes(s->ct, s->n_ct),
	    &a);
}

static struct kl_header
header(const struct client *c, uint32_t kind, const struct client *to,
    const struct conv *conv)
{
	struct kl_header h = client_header(c, kind, &to->id, now_ms());

	h.conv_id = conv->id;
	if (kind != KL_REFERRAL)
		h.answers = conv->referral;
	return h;
}

static size_t
content(uint8_t plain[KL_PLAIN_REFERRAL])
{
	struct kl_referral who = people_usual();
	uint8_t salt[KL_SALT_BYTES];
	size_t n;

	kl_random(salt, sizeof salt);
	must(kl_content_pack_referral(&who, salt, 1, plain, KL_PLAIN_REFERRAL,
	    &n), "pack");
	return n;
}

static void
refer(struct load *l, struct conv *v, int64_t live_ms)
{
	struct kl_consent k = { .referral = 1, .feedback_level = KL_LEVEL_2,
	    .form = KL_ORAL, .info_text_version = 1, .recorded_in_his = 1 };
	uint8_t plain[KL_PLAIN_REFERRAL];
	struct kl_header h;
	size_t n;

	kl_random(&v->id, sizeof v->id);
	h = header(&l->practice, KL_REFERRAL, &l->desk, v);
	if (live_ms > 0)
		h.deliver_by_ms = h.expire_at_ms = h.created_ms + live_ms;
	h.answer_by_ms = h.deliver_by_ms;
	k.given_on = (uint32_t)kl_day_of(h.created_ms);
	v->valid_until = k.valid_until = k.given_on + 180;
	kl_random(&k.preview_hash, sizeof k.preview_hash);
	n = content(plain);
	must(kl_envelope_seal(&h, &k, NULL, kl_bytes(plain, n),
	    &l->desk.prekey, &l->practice.sign_pk, l->practice.sign_sk,
	    &v->sealed), "seal a referral");
	v->referral = v->sealed.body_hash;
	mark(l, "conv", v->id.b);
	mark(l, "consent", k.preview_hash.b);
	submit(l, &l->practice, &h, &v->sealed);
}

static void
correct(struct load *l, struct conv *v)
{
	struct kl_header h = header(&l->practice, KL_CORRECTION, &l->desk, v);
	uint8_t plain[KL_PLAIN_REFERRAL];
	struct kl_hash preview;
	size_t n = content(plain);

	h.seq = 2;
	h.feedback_level = KL_LEVEL_0;
	kl_random(&preview, sizeof preview);
	must(kl_envelope_seal(&h, NULL, &preview, kl_bytes(plain, n),
	    &l->desk.prekey, &l->practice.sign_pk, l->practice.sign_sk,
	    &v->sealed), "seal a correction");
	mark(l, "consent", preview.b);
	submit(l, &l->practice, &h, &v->sealed);
}

static void
answer(struct load *l, struct conv *v)
{
	struct kl_header h = header(&l->desk, KL_FEEDBACK, &l->practice, v);
	struct kl_feedback f = { .code = KL_ST_COMPLETED,
	    .day = kl_day_of(h.created_ms), .level = KL_LEVEL_2 };
	uint8_t plain[KL_PLAIN_FEEDBACK];
	size_t n;

	h.milestone = KL_MS_ENDED;
	must(kl_content_pack_feedback(&f, 1, plain, sizeof plain, &n),
	    "pack a feedback");
	must(kl_envelope_seal(&h, NULL, NULL, kl_bytes(plain, n),
	    &l->practice.prekey, &l->desk.sign_pk, l->desk.sign_sk,
	    &v->sealed), "seal a feedback");
	submit(l, &l->desk, &h, &v->sealed);
}

static void
withdraw(struct load *l, struct conv *v)
{
	const struct kl_withdrawal w = {
		.version = KL_PROTOCOL_VERSION, .signer = l->practice.id,
		.signer_key_id = l->practice.key_id, .conv_id = v->id,
		.scope = KL_SCOPE_ALL, .cause = KL_CAUSE_RESIDENT,
		.route = KL_PRACTICE, .at_ms = now_ms(),
		.valid_until = v->valid_until,
	};
	uint8_t packed[KL_WITHDRAWAL_MAX];
	struct client_answer a;
	struct kl_withdraw q;
	size_t n;

	must(client_sign(&l->practice, KL_WITHDRAWAL, &w, sizeof w, packed,
	    sizeof packed, &n), "sign a withdrawal");
	q.withdrawal = kl_bytes(packed, n);
	ask(&l->practice, KL_WITHDRAW, KL_M_WITHDRAW, &q, sizeof q,
	    KL_BYTES_NONE, &a);
}

/* ---- receiving ----------------------------------------------------------- */

static void
receipt(struct load *l, struct client *c, const struct client *from,
    const struct kl_item *item, struct kl_bytes ct)
{
	struct kl_receipt k = { .version = KL_PROTOCOL_VERSION,
	    .signer = c->id, .signer_key_id = c->key_id,
	    .outcome = KL_OPENED, .code = KL_C_OK, .at_ms = now_ms() };
	struct kl_put_receipt q = { .statement = KL_RECEIPT };
	uint8_t packed[KL_STATEMENT_MAX];
	struct client_answer a;
	struct kl_envelope e;
	size_t n;

	must_code(kl_envelope_check(item->content, ct, &from->sign_pk, l->mem,
	    &e, &k.body_hash), "envelope");
	k.msg_id = e.header.msg_id;
	must(client_sign(c, KL_RECEIPT, &k, sizeof k, packed, sizeof packed,
	    &n), "sign a receipt");
	q.receipt = kl_bytes(packed, n);
	ask(c, KL_PUT_RECEIPT, KL_M_PUT_RECEIPT, &q, sizeof q, KL_BYTES_NONE,
	    &a);
}

static bool
is_as_sent(const struct load *l, const struct kl_item *item,
    struct kl_bytes ct)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct kl_sealed *s = &l->conv[i].sealed;

		if (kl_bytes_equal(item->content, kl_bytes(s->envelope,
			s->n_envelope)))
			return kl_bytes_equal(ct, kl_bytes(s->ct, s->n_ct));
	}
	return false;
}

struct batch {
	struct kl_bytes content[KL_ITEMS_MAX], ct[KL_ITEMS_MAX];
	uint64_t ack[KL_FETCH_ACKS_MAX];
	size_t n, n_ack;
};

/* What an answer holds, in memory that outlives the next one. */
static void
fetch(struct load *l, struct client *c, struct batch *b)
{
	struct kl_fetch q = { .wait_ms = 0, .n_ack = b->n_ack };
	struct kl_fetch_reply f;
	struct client_answer a;
	struct kl_item item;
	size_t ct = 0;

	memcpy(q.ack, b->ack, sizeof q.ack);
	ask(c, KL_FETCH, KL_M_FETCH, &q, sizeof q, KL_BYTES_NONE, &a);
	kl_arena_reset(l->mem);
	*b = (struct batch){ 0 };
	if (KL_MESSAGE_READ(KL_M_FETCH_REPLY, a.reply.body, l->mem, &f) !=
	    KL_C_OK)
		must(KL_E_FORMAT, "the answer to FETCH");
	for (size_t i = 0; i < f.n_item; i++) {
		if (KL_MESSAGE_READ(KL_M_ITEM, f.item[i], l->mem, &item) !=
		    KL_C_OK)
			must(KL_E_FORMAT, "an item");
		if (item.sort != KL_SORT_ENVELOPE) {
			b->ack[b->n_ack++] = item.item;
			continue;
		}
		if (ct >= a.n_ct)
			must(KL_E_FORMAT, "an envelope without ciphertext");
		must(kl_arena_copy(l->mem, item.content, &b->content[b->n]),
		    "memory");
		must(kl_arena_copy(l->mem, a.ct[ct++], &b->ct[b->n++]),
		    "memory");
	}
}

static size_t
take(struct load *l, struct client *c, const struct client *from)
{
	struct batch b = { 0 };
	size_t n = 0;

	do {
		fetch(l, c, &b);
		for (size_t i = 0; i < b.n; i++)
			receipt(l, c, from, &(struct kl_item){
			    .content = b.content[i] }, b.ct[i]);
		n += b.n;
	} while (b.n > 0 || b.n_ack > 0);
	return n;
}

static size_t
look(struct load *l)
{
	struct batch b = { 0 };
	size_t same = 0;

	fetch(l, &l->desk, &b);
	for (size_t i = 0; i < b.n; i++)
		same += is_as_sent(l, &(struct kl_item){
		    .content = b.content[i] }, b.ct[i]);
	if (same != b.n)
		must(KL_E_DAMAGED, "what waits is not what was sent");
	return same;
}

/* ---- lines --------------------------------------------------------------- */

static size_t
each(struct load *l, size_t from, size_t n,
    void (*f)(struct load *, struct conv *))
{
	for (size_t i = from; i < from + n; i++) {
		if (i >= l->n)
			must(KL_E_VALUE, "no such referral");
		f(l, &l->conv[i]);
	}
	return n;
}

static size_t
refer_all(struct load *l, size_t n, size_t seconds)
{
	for (size_t i = 0; i < n; i++) {
		if (l->n == CONVS_MAX)
			must(KL_E_FULL, "referrals");
		refer(l, &l->conv[l->n++], (int64_t)seconds * 1000);
	}
	return l->n;
}

static size_t
obey(struct load *l, const char *word, size_t a, size_t b)
{
	if (strcmp(word, "begin") == 0) {
		begin(&l->practice);
		begin(&l->desk);
		return 0;
	}
	if (strcmp(word, "refer") == 0)
		return refer_all(l, a, b);
	if (strcmp(word, "look") == 0)
		return look(l);
	if (strcmp(word, "take") == 0)
		return take(l, &l->desk, &l->practice);
	if (strcmp(word, "collect") == 0)
		return take(l, &l->practice, &l->desk);
	if (strcmp(word, "correct") == 0)
		return each(l, a, b, correct);
	if (strcmp(word, "answer") == 0)
		return each(l, a, b, answer);
	if (strcmp(word, "withdraw") == 0)
		return each(l, a, b, withdraw);
	must(KL_E_UNKNOWN, word);
	return 0;
}

static void
make(struct load *l, char **argv)
{
	struct kl_secret *authority = NULL;
	struct region_broker broker;
	char cards[512];

	must(region_broker_read(argv[1], &broker), argv[1]);
	must(region_authority_read(argv[2], &authority), argv[2]);
	if ((l->markers = fopen(argv[4], "a")) == NULL ||
	    (l->conv = calloc(CONVS_MAX, sizeof *l->conv)) == NULL ||
	    (l->mem = kl_arena_new(1 << 20, 4096)) == NULL)
		must(KL_E_SYSTEM, argv[4]);
	must(client_make(&l->practice, "agb:09000001", KL_PRACTICE), "keys");
	must(client_make(&l->desk, "oin:00000009000000000901",
	    KL_MUNICIPALITY), "keys");
	(void)snprintf(cards, sizeof cards, "%s/cards", argv[1]);
	must(client_enrol(&l->practice, authority, cards), cards);
	must(client_enrol(&l->desk, authority, cards), cards);
	kl_secret_free(authority);
	must(client_connect(&l->practice, argv[3], &broker.transport_pk),
	    argv[3]);
	must(client_connect(&l->desk, argv[3], &broker.transport_pk),
	    argv[3]);
}

int
main(int argc, char **argv)
{
	static struct load l;
	char line[128], word[32];
	size_t a, b;

	if (argc != 5) {
		fputs("usage: erase_load CONFIG_DIR AUTHORITY_DIR ENDPOINT "
		    "MARKERS\n", stderr);
		return 2;
	}
	must(kl_crypto_init(), "libsodium");
	must(kl_link_init(), "libzmq");
	make(&l, argv);
	puts("ok enrolled 0");
	(void)fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL) {
		a = b = 0;
		if (sscanf(line, "%31s %zu %zu", word, &a, &b) < 1)
			continue;
		printf("ok %s %zu\n", word, obey(&l, word, a, b));
		(void)fflush(stdout);
	}
	client_clear(&l.practice);
	client_clear(&l.desk);
	return fclose(l.markers) == 0 ? 0 : 1;
}
