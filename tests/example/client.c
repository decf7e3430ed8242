/*
 * client.c: who takes part in a region? A client of libkortelijn and nothing
 * else: it says HELLO, reads the directory and prints the cards in it.
 *
 *   cc -std=c17 client.c $(pkg-config --cflags --libs kortelijn) -o client
 *   ./client KEY_DIR tcp://broker.example:7700
 *
 * KEY_DIR is that of an adapter whose card the broker has taken up, and which
 * does not run: a card has one running instance.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/link.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/host/textfile.h>
#include <kortelijn/wire/request.h>

#define PATIENCE_MS 20000

struct client {
	struct kl_link *link;
	struct kl_arena *mem;		/* what the last answer points into */
	struct kl_sign_pk authority;	/* pinned: it signs every card */
	uint64_t asked;
};

/* A card that the authority signed; a broker cannot invent one. */
static int
read_card(struct client *c, struct kl_bytes packed, struct kl_card *card)
{
	struct kl_signed s;

	if (kl_signed_read(packed, c->mem, &s) != KL_C_OK ||
	    kl_verify(KL_LABEL_CARD, s.body, &c->authority, &s.sig) != KL_OK ||
	    KL_STATEMENT_READ(KL_CARD, s.body, c->mem, card) != KL_C_OK)
		return KL_E_SIGNATURE;
	return KL_OK;
}

static int
start(struct client *c, int dir, const char *endpoint)
{
	struct kl_textfile_word realm;
	struct kl_secret *own = NULL;
	struct kl_card broker;
	uint8_t file[KL_STATEMENT_MAX];
	size_t n;
	int r;

	if ((r = kl_crypto_init()) != KL_OK || (r = kl_link_init()) != KL_OK ||
	    (r = kl_textfile_read(dir, "authority.pub",
	    "kortelijn-authority-v1", &realm, c->authority.b,
	    sizeof c->authority.b, &n)) != KL_OK ||
	    (r = kl_textfile_read(dir, "broker.card", "kortelijn-card-v1",
	    NULL, file, sizeof file, &n)) != KL_OK ||
	    (r = read_card(c, kl_bytes(file, n), &broker)) != KL_OK ||
	    (r = kl_keyfile_read(dir, "transport.key", "transport", &own)) !=
	    KL_OK)
		return r;
	r = kl_link_connect(endpoint, &broker.transport_pk, own, &c->link);
	kl_secret_free(own);
	return r;
}

/* What comes while nothing was asked, or for an earlier request, is passed
 * over. KL_E_EMPTY: not yet. */
static int
take(struct client *c, struct kl_reply_msg *reply)
{
	struct pollfd p = { .events = POLLIN };
	struct kl_link_message m;
	int r;

	if ((r = kl_link_recv(c->link, &m)) == KL_E_EMPTY) {
		(void)kl_link_fds(c->link, &p.fd, 1);
		(void)poll(&p, 1, kl_link_ready(c->link) ? 0 : 50);
	}
	if (r != KL_OK)
		return r;
	kl_arena_reset(c->mem);
	if (KL_MESSAGE_READ(KL_M_REPLY, m.frame[0], c->mem, reply) != KL_C_OK)
		return KL_E_FORMAT;
	return reply->request_id == c->asked ? KL_OK : KL_E_EMPTY;
}

/* One request and its answer. */
static int
ask(struct client *c, uint32_t request, uint32_t type, const void *body,
    size_t body_size, struct kl_reply_msg *reply)
{
	const int64_t until = kl_mono_ms() + PATIENCE_MS;
	struct kl_request_msg q = { .version = KL_PROTOCOL_VERSION,
	    .request = request, .request_id = ++c->asked };
	struct kl_bytes frame;
	int r;

	kl_arena_reset(c->mem);
	if ((r = kl_message_pack_in(type, body, body_size, c->mem, &q.body)) !=
	    KL_OK || (r = KL_MESSAGE_PACK_IN(KL_M_REQUEST, &q, c->mem,
	    &frame)) != KL_OK)
		return r;
	while (kl_link_state(c->link) != KL_LINK_UP) {
		if ((r = take(c, reply)) != KL_E_EMPTY)
			return r == KL_OK ? KL_E_FORMAT : r;
		if (kl_mono_ms() > until)
			return KL_E_AGAIN;
	}
	if ((r = kl_link_send(c->link, NULL, &frame, 1)) != KL_OK)
		return r;
	while ((r = take(c, reply)) == KL_E_EMPTY)
		if (kl_mono_ms() > until)
			return KL_E_AGAIN;
	return r == KL_OK && reply->code != KL_C_OK ? KL_E_REFUSED : r;
}

/* Prints one page of the directory. *after: 0 when it was the last. */
static int
page(struct client *c, uint64_t *after)
{
	struct kl_directory want = { *after };
	struct kl_directory_reply got;
	struct kl_reply_msg reply;
	struct kl_entry e;
	struct kl_card card;
	int r;

	if ((r = ask(c, KL_DIRECTORY, KL_M_DIRECTORY, &want, sizeof want,
	    &reply)) != KL_OK)
		return r;
	if (KL_MESSAGE_READ(KL_M_DIRECTORY_REPLY, reply.body, c->mem, &got) !=
	    KL_C_OK)
		return KL_E_FORMAT;
	for (size_t i = 0; i < got.n_entry; i++) {
		if (KL_MESSAGE_READ(KL_M_ENTRY, got.entry[i], c->mem, &e) !=
		    KL_C_OK)
			return KL_E_FORMAT;
		if (e.statement != KL_CARD)
			continue;
		if ((r = read_card(c, e.content, &card)) != KL_OK)
			return r;
		printf("%-24s %-12s %.*s\n", kl_id_text(&card.id).b,
		    kl_role_name(card.role), (int)card.name.n,
		    (const char *)card.name.p);
	}
	*after = got.last < got.newest ? got.last : 0;
	return KL_OK;
}

int
main(int argc, char **argv)
{
	struct client c = { .mem = kl_arena_new(1 << 20, 4096) };
	/* An adapter draws its instance once and keeps it; see PROTOCOL.md. */
	struct kl_hello hello = { .take_over = KL_NO,
	    .schema_min = KL_SCHEMA_MIN, .schema_max = KL_SCHEMA_MAX,
	    .program = kl_bytes_str("example") };
	struct kl_reply_msg reply;
	uint64_t after = 0;
	int dir = argc == 3 ? open(argv[1], O_RDONLY) : -1, r;

	if (dir < 0 || c.mem == NULL) {
		fprintf(stderr, "usage: client KEY_DIR ENDPOINT\n");
		return 2;
	}
	hello.epoch = (uint64_t)kl_clock_now_ms(&(struct kl_clock){ 0 });
	memcpy(&hello.instance, "example's client", sizeof hello.instance);
	if ((r = start(&c, dir, argv[2])) == KL_OK)
		r = ask(&c, KL_HELLO, KL_M_HELLO, &hello, sizeof hello,
		    &reply);
	while (r == KL_OK) {
		r = page(&c, &after);
		if (after == 0)
			break;
	}
	if (r == KL_E_REFUSED)
		fprintf(stderr, "refused: %s\n", kl_code_text_en(reply.code));
	else if (r != KL_OK)
		fprintf(stderr, "client: %s\n", kl_err_text(r));
	kl_link_close(c.link);
	kl_arena_free(c.mem);
	return r == KL_OK ? 0 : 1;
}
