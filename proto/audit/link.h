/*
 * link.h: how an auditing command reaches a log, whoever keeps the log: one
 * packed request, one packed answer. Over a control socket here; over the
 * network where a program has keys of its own.
 */
#ifndef PROTO_AUDIT_LINK_H
#define PROTO_AUDIT_LINK_H

#include <stdint.h>

#include <kortelijn/base/arena.h>
#include <kortelijn/base/bytes.h>

#include "proto/cli/cli.h"

/* What `mem` of an answer must have room for, in bytes and pieces: the largest
 * answer there is, and what its reader makes of it. */
#define AUDIT_ANSWER_BYTES (1 << 18)
#define AUDIT_ANSWER_PIECES 8192

struct audit_record;
struct kl_query_what;

/* A way to ask; who opens one embeds it as its first member. */
struct audit_link {
	const struct cli *cli;	/* says errors, and "--json" */
	uint32_t code;		/* enum kl_code of the last answer; 0: none */
	/* A refusal that the asker tells itself: nothing is said of it.
	 * 0: every refusal is said. */
	uint32_t quiet;
	/* See audit_link_ask and audit_link_close. */
	int (*ask)(struct audit_link *l, uint32_t request,
	    struct kl_bytes body, struct kl_arena *mem,
	    struct kl_bytes *reply);
	/* See audit_records. NULL: they are asked for, page by page. */
	int (*records)(struct audit_link *l, const struct kl_query_what *what,
	    int (*take)(void *arg, const struct audit_record *r), void *arg);
	void (*close)(struct audit_link *l);
};

/*
 * Asks KL_QUERY or KL_LOG (enum kl_request) with its packed body and waits for
 * the answer; "not now" is asked again after the time that it names, which is
 * told on standard error when it takes long. *reply is the packed body of the
 * answer, in mem. CLI_OK; otherwise the reason was said: CLI_FAILED: refused,
 * with the code in l->code, or nothing came in time; CLI_NOT_RUNNING;
 * CLI_FILE: the socket is not ours. PROTOCOL.md 7.10, 7.11.
 */
int audit_link_ask(struct audit_link *l, uint32_t request,
    struct kl_bytes body, struct kl_arena *mem, struct kl_bytes *reply);
/* Accepts NULL. */
void audit_link_close(struct audit_link *l);

/*
 * Over a control socket, the broker's or an adapter's, which is asked
 * {"cmd":"log_ask","request":"query"|"log","body":BASE64} and answers
 * {"ok":true,"body":BASE64}, or {"ok":false,"code":...,"text":...} and perhaps
 * "retry_after_ms". Copies path, borrows c until close; asks nothing yet.
 * CLI_OK, CLI_FAILED.
 */
int audit_link_socket(const struct cli *c, const char *path,
    struct audit_link **out);

/* How long an asker is patient with "not now". All zero to begin. */
struct audit_wait { int64_t since_ms, told_ms; };
/* Waits as long as an answer of "not now" asks, and says so on standard error
 * every ten seconds. CLI_OK: ask again; CLI_FAILED, said: ten minutes are
 * over. */
int audit_link_wait(const struct cli *c, struct audit_wait *w,
    uint32_t retry_after_ms);

#endif
