/*
 * shell.h: the whole of core inside a test, in a training region of its own:
 * configuration and store in a directory, and the test in the place of edge at
 * the other end of the pipe. Its clock starts at LETTERS_NOW_MS.
 */
#ifndef TESTS_SUPPORT_SHELL_H
#define TESTS_SUPPORT_SHELL_H

#include "broker/core/core.h"
#include "tests/support/letters.h"
#include "tests/support/tmpdir.h"

struct shell {
	struct tmpdir dir;
	struct broker_conf conf;
	struct kl_secret *authority;
	struct party broker, practice, desk, partner, auditor;
	struct core *core;
	int fd[2];			/* core, edge */
	uint32_t generation;
	uint64_t requests;
	uint8_t *in;			/* answers */
	struct kl_arena *mem;		/* what they unpack to */
};

/* Keys, cards of all parties but the partner's, an empty store; nobody has
 * said HELLO. */
void shell_open(struct shell *s);
void shell_close(struct shell *s);
/* Starts core, which is not there, with this clock; what boot_open and then
 * boot_settle answered (enum core_exit). */
int shell_start(struct shell *s, int64_t now_ms);
/* The operator's word that an empty store may begin; NULL: the first one. */
void shell_new_store(const struct shell *s, const char *reason);
/* Another policy.conf for the next start; NULL: the one that is shipped. */
void shell_policy(const struct shell *s, const char *text);
/* As a crash leaves it. */
void shell_stop(struct shell *s);
/* Stop and start, and edge with it; the start must succeed. */
void shell_restart(struct shell *s, int64_t now_ms);
int64_t shell_now_ms(const struct shell *s);
/* A file of the region: "config/log.key", "state/data.mdb". */
struct tmpdir_path shell_file(const struct shell *s, const char *name);

/* Papers over the control socket's way. */
enum kl_code shell_card(struct shell *s, const struct kl_card *c);
enum kl_code shell_revoke(struct shell *s, const struct party *who,
    uint32_t reason);
/* The card that a party has; takes it up. */
void shell_enrol(struct shell *s, const struct party *who);

/* A new edge: RESET, and the keys that it is told. Answers how many. */
size_t shell_edge(struct shell *s);
/* What edge was told last of this key, 0: nothing. Reads what waits. */
enum pipe_verdict shell_verdict(struct shell *s, const struct party *who);

struct shell_answer {
	struct kl_reply_msg m;
	struct kl_bytes ct[KL_FETCH_ENVELOPES_MAX];
	size_t n_ct;
	struct kl_route route;
};

/* Puts a request into the pipe, from the only connection of this party (route:
 * its number, from 0, else). */
void shell_send_from(struct shell *s, const struct party *who, uint8_t route,
    uint32_t request, struct kl_bytes body, struct kl_bytes ct);
void shell_send(struct shell *s, const struct party *who, uint32_t request,
    uint32_t type, const void *body, size_t size, struct kl_bytes ct);
#define SHELL_SEND(s, who, request, type, body)				\
	shell_send(s, who, request, type, body, sizeof *(body),		\
	    KL_BYTES_NONE)
/* One turn of core. */
void shell_turn(struct shell *s);
/* The next answer; false: none waits. Valid until the next turn. */
bool shell_take(struct shell *s, struct shell_answer *a);
/* A turn and the one answer that comes of it. */
void shell_answer(struct shell *s, struct shell_answer *a);

/* Requests with their turn; the code of the answer. */
enum kl_code shell_hello(struct shell *s, const struct party *who,
    const struct kl_hello *h);
/* HELLO of its own instance with the next epoch, and the prekey of the week. */
void shell_begin(struct shell *s, const struct party *who);
enum kl_code shell_submit(struct shell *s, const struct party *who,
    const struct letter *l);
enum kl_code shell_submit_answer(struct shell *s, const struct party *who,
    const struct letter *l, struct shell_answer *a);
/* Items of one FETCH without waiting; acknowledges up to `ack` (0: none). */
struct shell_items {
	size_t n, n_ct;
	struct kl_item item[KL_ITEMS_MAX];
	enum kl_code code;
};
struct shell_items shell_fetch(struct shell *s, const struct party *who,
    uint64_t ack);
enum kl_code shell_receipt(struct shell *s, const struct party *who,
    const struct letter *l, uint32_t outcome, uint32_t code);
/* Signs and sends a WITHDRAWAL and waits for its answer, of the next turn if
 * something is erased first. reply: NULL, or what an OK says. */
enum kl_code shell_withdraw(struct shell *s, const struct party *who,
    const struct kl_withdrawal *w, struct kl_withdraw_reply *reply);
/* Signs and sends what answers an ERASE_REQUEST. */
enum kl_code shell_erased(struct shell *s, const struct party *who,
    const struct kl_notice *request, uint32_t case_system);
/* Submitted by `from`, fetched by `to`, receipted as opened. */
void shell_deliver(struct shell *s, const struct party *from,
    const struct party *to, const struct letter *l);

/* The notice in an item, which must be one. */
struct kl_notice shell_notice(struct shell *s, const struct kl_item *i);

#endif
