/*
 * client.c: says HELLO and prints the head of the region's log, verified.
 *
 *   cc -std=c17 client.c $(pkg-config --cflags --libs kortelijn) -o client
 *   ./client KEY_DIR tcp://broker.example:7700
 *
 * KEY_DIR is that of an adapter whose card the broker took up and which does
 * not run: a card has one running instance.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/crypto/keyfile.h>
#include <kortelijn/crypto/note.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/link.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/host/textfile.h>
#include <kortelijn/wire/request.h>

#define PATIENCE_MS 20000

/* The broker's card: the authority signed it, whose key is pinned. */
static int
read_papers(int dir, struct kl_arena *mem, struct kl_card *broker)
{
	struct kl_textfile_word realm;
	struct kl_sign_pk authority;
	struct kl_signed s;
	uint8_t file[KL_STATEMENT_MAX];
	struct kl_bytes packed;
	size_t n;
	int r;

	if ((r = kl_textfile_read(dir, "authority.pub", KL_TAG_AUTHORITY,
	    &realm, authority.b, sizeof authority.b, &n)) != KL_OK ||
	    (r = kl_textfile_read(dir, "broker.card", KL_TAG_CARD, NULL, file,
	    sizeof file, &n)) != KL_OK ||
	    (r = kl_arena_copy(mem, kl_bytes(file, n), &packed)) != KL_OK)
		return r;
	if (kl_signed_read(packed, mem, &s) != KL_C_OK ||
	    kl_verify(KL_LABEL_CARD, s.body, &authority, &s.sig) != KL_OK ||
	    KL_STATEMENT_READ(KL_CARD, s.body, mem, broker) != KL_C_OK)
		return KL_E_SIGNATURE;
	return KL_OK;
}

/* Sends the request once the link is up, and waits for its answer. */
static int
ask(struct kl_link *link, struct kl_bytes request, struct kl_link_message *m)
{
	const int64_t until = kl_mono_ms() + PATIENCE_MS;
	struct pollfd p = { .events = POLLIN };
	int r = KL_E_AGAIN;

	(void)kl_link_fds(link, &p.fd, 1);
	while (kl_mono_ms() < until) {
		if (r == KL_E_AGAIN)
			r = kl_link_send(link, NULL, &request, 1);
		if (r != KL_OK && r != KL_E_AGAIN)
			return r;
		if (kl_link_recv(link, m) == KL_OK)
			return KL_OK;
		(void)poll(&p, 1, kl_link_ready(link) ? 0 : 50);
	}
	return KL_E_AGAIN;
}

/* The note that HELLO brings, under the key on the broker's card. */
static int
hello(struct kl_link *link, struct kl_arena *mem, const struct kl_card *broker)
{
	/* An adapter draws its instance once, keeps it and counts epochs. */
	struct kl_hello h = { .instance = { "example client" },
	    .epoch = (uint64_t)kl_clock_now_ms(&(struct kl_clock){ 0 }),
	    .take_over = KL_NO, .schema_min = KL_SCHEMA_MIN,
	    .schema_max = KL_SCHEMA_MAX, .program = kl_bytes_str("example") };
	struct kl_request_msg q = { .version = KL_PROTOCOL_VERSION,
	    .request = KL_HELLO, .request_id = 1 };
	struct kl_checkpoint head;
	struct kl_link_message m;
	struct kl_reply_msg reply;
	struct kl_hello_reply got;
	struct kl_bytes frame;
	int r;

	if ((r = KL_MESSAGE_PACK_IN(KL_M_HELLO, &h, mem, &q.body)) != KL_OK ||
	    (r = KL_MESSAGE_PACK_IN(KL_M_REQUEST, &q, mem, &frame)) != KL_OK ||
	    (r = ask(link, frame, &m)) != KL_OK)
		return r;
	if (KL_MESSAGE_READ(KL_M_REPLY, m.frame[0], mem, &reply) != KL_C_OK)
		return KL_E_FORMAT;
	if (reply.code != KL_C_OK)
		fprintf(stderr, "refused: %s\n", kl_code_text_en(reply.code));
	if (reply.code != KL_C_OK || KL_MESSAGE_READ(KL_M_HELLO_REPLY,
	    reply.body, mem, &got) != KL_C_OK)
		return KL_E_REFUSED;
	if ((r = kl_note_verify(got.note, &broker->sign_pk, &head)) == KL_OK)
		printf("%s %llu\n", head.origin,
		    (unsigned long long)head.size);
	return r;
}

int
main(int argc, char **argv)
{
	struct kl_arena *mem = kl_arena_new(1 << 20, 4096);
	struct kl_secret *own = NULL;
	struct kl_link *link = NULL;
	struct kl_card broker;
	int dir = argc == 3 ? open(argv[1], O_RDONLY) : -1, r;

	if (dir < 0 || mem == NULL) {
		fprintf(stderr, "usage: client KEY_DIR ENDPOINT\n");
		return 2;
	}
	if ((r = kl_crypto_init()) == KL_OK && (r = kl_link_init()) == KL_OK &&
	    (r = read_papers(dir, mem, &broker)) == KL_OK &&
	    (r = kl_keyfile_read(dir, "transport.key", "transport", &own)) ==
	    KL_OK && (r = kl_link_connect(argv[2], &broker.transport_pk, own,
	    &link)) == KL_OK)
		r = hello(link, mem, &broker);
	if (r != KL_OK)
		fprintf(stderr, "client: %s\n", kl_err_text(r));
	kl_link_close(link);
	kl_secret_free(own);
	kl_arena_free(mem);
	return r == KL_OK ? 0 : 1;
}
