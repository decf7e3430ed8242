/*
 * peer: says something wrong to a broker and prints what it answers.
 *
 *   peer ENDPOINT CONFIG_DIR KEY_DIR WHAT
 *
 * KEY_DIR: key_dir of an adapter whose transport key it uses, or "-" for a
 * key that no card names. It prints the name of the refusal code, or "silence"
 * when nothing came in ten seconds, or "no handshake".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/region.h"

#define PATIENCE_MS 10000

struct frames {
	uint8_t buf[KL_LINK_FRAMES_MAX][KL_LINK_MAX];
	struct kl_bytes frame[KL_LINK_FRAMES_MAX];
	size_t n;
};

static void
must(int r, const char *what)
{
	if (r == KL_OK)
		return;
	fprintf(stderr, "peer: %s: %s\n", what, kl_err_text(r));
	exit(1);
}

/* ---- what can be said ---------------------------------------------------- */

static void
add(struct frames *f, size_t n)
{
	f->frame[f->n] = kl_bytes(f->buf[f->n], n);
	f->n++;
}

/* A request that would be right. */
static void
add_request(struct frames *f, uint32_t version, uint32_t request,
    struct kl_bytes body)
{
	struct kl_request_msg q = { .version = version, .request = request,
	    .request_id = 7, .body = body };
	size_t n;

	must(KL_MESSAGE_PACK(KL_M_REQUEST, &q, f->buf[f->n],
	    sizeof f->buf[0], &n), "pack");
	add(f, n);
}

static void
add_fetch(struct frames *f)
{
	uint8_t body[64];
	struct kl_fetch q = { .wait_ms = 0 };
	size_t n;

	must(KL_MESSAGE_PACK(KL_M_FETCH, &q, body, sizeof body, &n), "pack");
	add_request(f, KL_PROTOCOL_VERSION, KL_FETCH, kl_bytes(body, n));
}

static void
say_garbage(struct frames *f)
{
	kl_random(f->buf[0], 300);
	add(f, 300);
}

static void
say_empty(struct frames *f)
{
	add(f, 0);
}

static void
say_big_frame(struct frames *f)
{
	kl_random(f->buf[0], KL_FRAME_MAX + 1);
	add(f, KL_FRAME_MAX + 1);
}

static void
say_many_frames(struct frames *f)
{
	add_fetch(f);
	while (f->n < KL_LINK_FRAMES_MAX)
		add(f, 8);
}

static void
say_truncated(struct frames *f)
{
	add_fetch(f);
	f->frame[0].n--;
}

/* A field that the protocol has not, behind the others. */
static void
say_unknown_field(struct frames *f)
{
	add_fetch(f);
	memcpy(f->buf[0] + f->frame[0].n, "\xa0\x06\x01", 3);
	f->frame[0].n += 3;
}

/* The version twice: a decoder takes the last, the bytes are not canonical. */
static void
say_non_canonical(struct frames *f)
{
	add_fetch(f);
	memcpy(f->buf[0] + f->frame[0].n, "\x08\x01", 2);
	f->frame[0].n += 2;
}

static void
say_unknown_request(struct frames *f)
{
	add_request(f, KL_PROTOCOL_VERSION, 99, KL_BYTES_NONE);
}

static void
say_version(struct frames *f)
{
	add_request(f, KL_PROTOCOL_VERSION + 1, KL_FETCH, KL_BYTES_NONE);
}

static void
say_fetch(struct frames *f)
{
	add_fetch(f);
}

static void
say_hello(struct frames *f)
{
	struct kl_hello h = { .epoch = UINT32_MAX, .take_over = KL_NO,
	    .schema_min = 1, .schema_max = 1,
	    .program = kl_bytes_str("copy") };
	uint8_t body[256];
	size_t n;

	kl_random(&h.instance, sizeof h.instance);
	must(KL_MESSAGE_PACK(KL_M_HELLO, &h, body, sizeof body, &n), "pack");
	add_request(f, KL_PROTOCOL_VERSION, KL_HELLO, kl_bytes(body, n));
}

static const struct saying {
	const char *name;
	void (*make)(struct frames *f);
} sayings[] = {
	{ "garbage", say_garbage },
	{ "empty", say_empty },
	{ "big-frame", say_big_frame },
	{ "many-frames", say_many_frames },
	{ "truncated", say_truncated },
	{ "unknown-field", say_unknown_field },
	{ "non-canonical", say_non_canonical },
	{ "unknown-request", say_unknown_request },
	{ "other-version", say_version },
	{ "fetch", say_fetch },		/* on a session that said no HELLO */
	{ "hello", say_hello },		/* as another instance */
};

static void
say(const char *what, struct frames *f)
{
	for (size_t i = 0; i < sizeof sayings / sizeof sayings[0]; i++)
		if (strcmp(sayings[i].name, what) == 0) {
			sayings[i].make(f);
			return;
		}
	must(KL_E_NOT_FOUND, what);
}

/* ---- and what comes back ------------------------------------------------- */

static const char *
ask(struct client *c, const struct frames *f)
{
	struct client_answer a;
	int r = client_up(c, PATIENCE_MS);

	if (r == KL_E_AGAIN)
		return "no handshake";
	must(r, "handshake");
	must(kl_link_send(c->link, NULL, f->frame, f->n), "send");
	if ((r = client_wait(c, PATIENCE_MS, &a)) == KL_E_AGAIN)
		return "silence";
	must(r, "answer");
	return kl_code_name(a.reply.code);
}

int
main(int argc, char **argv)
{
	static struct frames f;
	struct region_broker broker;
	struct client c;

	if (argc != 5) {
		fputs("usage: peer ENDPOINT CONFIG_DIR KEY_DIR WHAT\n",
		    stderr);
		return 2;
	}
	must(kl_crypto_init(), "libsodium");
	must(kl_link_init(), "libzmq");
	must(region_broker_read(argv[2], &broker), argv[2]);
	if (strcmp(argv[3], "-") == 0)
		must(client_make(&c, "agb:99999999", KL_PRACTICE), "keys");
	else
		must(client_load(&c, argv[3]), argv[3]);
	say(argv[4], &f);
	must(client_connect(&c, argv[1], &broker.transport_pk), argv[1]);
	puts(ask(&c, &f));
	client_clear(&c);
	return 0;
}
