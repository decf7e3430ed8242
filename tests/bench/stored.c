/*
 * stored: how a broker starts that has many messages waiting.
 *
 *   stored KORTELIJND CONF CONFIG_DIR AUTHORITY_DIR ENDPOINT MESSAGES
 *
 * One practice submits MESSAGES referrals that nobody fetches; then the broker
 * is stopped and started again. Prints: messages, ms from its start to the
 * first HELLO answered, MiB of RssAnon of edge and core.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/loop.h>
#include <kortelijn/wire/content.h>

#include "tests/bench/meter.h"
#include "tests/support/client.h"
#include "tests/support/people.h"
#include "tests/support/region.h"

#define WINDOW 64
#define PATIENCE_MS 30000

struct stored {
	struct client practice, desk;
	uint8_t plain[KL_PLAIN_REFERRAL];
	size_t n_plain;
	struct kl_sealed sealed[WINDOW];
	size_t slot_of[WINDOW];		/* by request id */
};

static void
must(int r, const char *what)
{
	if (r == KL_OK)
		return;
	fprintf(stderr, "stored: %s: %s\n", what, kl_err_text(r));
	exit(1);
}

static int64_t
now_ms(void)
{
	return kl_clock_now_ms(&(struct kl_clock){ 0 });
}

static void
seal(struct stored *s, size_t slot)
{
	const struct client *c = &s->practice;
	struct kl_header h = client_header(c, KL_REFERRAL, &s->desk.id,
	    now_ms());
	const uint32_t today = (uint32_t)kl_day_of(h.created_ms);
	struct kl_consent k = {
		.referral = 1, .feedback_level = KL_LEVEL_2, .form = KL_ORAL,
		.info_text_version = 1, .given_on = today,
		.valid_until = today + 180, .recorded_in_his = 1,
	};

	kl_random(&k.preview_hash, sizeof k.preview_hash);
	kl_random(&h.conv_id, sizeof h.conv_id);
	h.answer_by_ms = h.deliver_by_ms;
	must(kl_envelope_seal(&h, &k, NULL, kl_bytes(s->plain, s->n_plain),
	    &s->desk.prekey, &c->sign_pk, c->sign_sk, &s->sealed[slot]),
	    "seal");
}

static void
submit(struct stored *s, size_t slot)
{
	const struct kl_sealed *e = &s->sealed[slot];
	struct kl_submit q = { kl_bytes(e->envelope, e->n_envelope) };
	uint64_t id;

	must(client_send(&s->practice, KL_SUBMIT, KL_M_SUBMIT, &q, sizeof q,
	    kl_bytes(e->ct, e->n_ct), &id), "send");
	s->slot_of[id % WINDOW] = slot;
}

/* Takes one answer; true: that message is stored, its slot is free. */
static bool
answered(struct stored *s, size_t *slot)
{
	struct client_answer a;

	must(client_wait(&s->practice, PATIENCE_MS, &a), "wait");
	*slot = s->slot_of[a.reply.request_id % WINDOW];
	if (a.reply.code == KL_C_OK)
		return true;
	if (kl_code_retry(a.reply.code) != KL_RETRY_LATER) {
		fprintf(stderr, "stored: SUBMIT: %s\n",
		    kl_code_name(a.reply.code));
		exit(1);
	}
	submit(s, *slot);
	return false;
}

static void
fill(struct stored *s, size_t want)
{
	size_t begun = 0, done = 0, slot;

	while (begun < WINDOW && begun < want) {
		seal(s, begun);
		submit(s, begun++);
	}
	while (done < want) {
		if (!answered(s, &slot))
			continue;
		done++;
		if (begun < want) {
			seal(s, slot);
			submit(s, slot);
			begun++;
		}
	}
}

static void
begin(struct client *c, const char *endpoint, const struct kl_curve_pk *broker)
{
	uint32_t code;

	kl_link_close(c->link);
	c->link = NULL;
	must(client_connect(c, endpoint, broker), endpoint);
	must(client_up(c, PATIENCE_MS), "handshake");
	must(client_begin(c, PATIENCE_MS, &code), kl_code_name(code));
}

static pid_t
start(char **argv)
{
	pid_t pid = region_start(argv[1], argv[2], NULL);

	if (pid < 0)
		must(KL_E_SYSTEM, argv[1]);
	return pid;
}

static void
make(struct stored *s, char **argv)
{
	struct kl_secret *authority = NULL;
	struct kl_referral who = people_usual();
	uint8_t salt[KL_SALT_BYTES];
	char cards[512];

	(void)snprintf(cards, sizeof cards, "%s/cards", argv[3]);
	must(region_authority_read(argv[4], &authority), argv[4]);
	must(client_make(&s->practice, "agb:00000001", KL_PRACTICE), "keys");
	must(client_make(&s->desk, "oin:00000000000000000002",
	    KL_MUNICIPALITY), "keys");
	must(client_enrol(&s->practice, authority, cards), cards);
	must(client_enrol(&s->desk, authority, cards), cards);
	kl_secret_free(authority);
	kl_random(salt, sizeof salt);
	must(kl_content_pack_referral(&who, salt, 1, s->plain,
	    sizeof s->plain, &s->n_plain), "pack");
}

int
main(int argc, char **argv)
{
	static struct stored s;
	struct region_broker broker;
	struct meter meter;
	int64_t began_us, us;
	size_t want;
	pid_t pid;

	if (argc != 7) {
		fputs("usage: stored KORTELIJND CONF CONFIG_DIR AUTHORITY_DIR "
		    "ENDPOINT MESSAGES\n", stderr);
		return 2;
	}
	must(kl_crypto_init(), "libsodium");
	must(kl_link_init(), "libzmq");
	want = (size_t)strtoul(argv[6], NULL, 10);
	must(region_broker_read(argv[3], &broker), argv[3]);
	make(&s, argv);
	pid = start(argv);
	begin(&s.desk, argv[5], &broker.transport_pk);
	begin(&s.practice, argv[5], &broker.transport_pk);
	fill(&s, want);
	if (region_stop(pid) != 0)
		must(KL_E_SYSTEM, "the broker's end");
	began_us = meter_now_us();
	pid = start(argv);
	begin(&s.practice, argv[5], &broker.transport_pk);
	us = meter_now_us() - began_us;
	meter_start(&meter, pid, NULL);
	printf("stored,%zu,%.0f,%.1f\n", want, (double)us / 1e3,
	    (double)meter.rss_peak_bytes / 1048576);
	return region_stop(pid) == 0 ? 0 : 1;
}
