/*
 * control.h: the Unix socket over which the commands of a program ask its
 * running process: one line each way, then the connection ends. What is in
 * the lines is the caller's.
 */
#ifndef KORTELIJN_HOST_CONTROL_H
#define KORTELIJN_HOST_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/host/loop.h>

#define KL_CONTROL_ASKERS 32		/* at the same time */
#define KL_CONTROL_PATH_MAX 107		/* bytes, of sockaddr_un */
#define KL_CONTROL_ANSWER_MAX (8 << 20)	/* bytes */

struct kl_control;

struct kl_control_options {
	size_t question_max;	/* bytes; a longer one ends its connection */
	int64_t idle_ms;	/* to send the question or take the answer */
	/* Whom the mode of the file lets in, 0660, may ask. Otherwise it is
	 * 0600, and only root and our own user may. */
	bool group;
	/* One question without its newline, borrowed. Its answer is given with
	 * kl_control_answer, now or later. */
	void (*ask)(void *arg, uint64_t ticket, struct kl_bytes question);
	/* Who asked went away before the answer. May be NULL. */
	void (*gone)(void *arg, uint64_t ticket);
	void *arg;
};

/* Listens at path, in the loop; a socket that a dead process left there is
 * replaced. The callbacks may answer, but not close. KL_E_SIZE: path is too
 * long for a socket; KL_E_EXISTS: something else stands there; KL_E_DENIED;
 * KL_E_IO; KL_E_MEMORY; KL_E_FULL: the loop. */
int kl_control_open(struct kl_loop *l, const char *path,
    const struct kl_control_options *o, struct kl_control **out)
    KL_MUST_CHECK;
/* Ends all connections and removes the socket. Accepts NULL. */
void kl_control_close(struct kl_control *c);
/* Who asked: valid until the answer. (uid_t)-1: gone, or not known. */
uid_t kl_control_uid(const struct kl_control *c, uint64_t ticket);
/* A line, without newline; copied. A ticket that is gone is ignored. Without
 * memory, or if the text is too long, the connection ends unanswered. */
void kl_control_answer(struct kl_control *c, uint64_t ticket,
    struct kl_bytes text);

/* The other side, which waits: asks, and reads the line of the answer, without
 * newline and with NUL; free it with free(3). KL_E_NOT_FOUND: nobody listens;
 * KL_E_DENIED; KL_E_SIZE: path or answer are too long; KL_E_AGAIN: no answer
 * within wait_ms; KL_E_IO: it was cut short; KL_E_MEMORY. */
int kl_control_ask(const char *path, struct kl_bytes question,
    int64_t wait_ms, char **answer, size_t *n) KL_MUST_CHECK;
/* Does somebody listen there? Also true if it is not ours to ask. */
bool kl_control_listens(const char *path);

#endif
