#include <kortelijn/host/control.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16
#define FIRST_CAP 1024

enum asker_state {
	ASKER_FREE,
	ASKER_READING,
	ASKER_WAITING,		/* for our answer */
	ASKER_WRITING,
};

struct asker {
	struct kl_source src;
	struct kl_control *control;
	enum asker_state state;
	uint64_t ticket;
	uid_t uid;
	int64_t until_ms;	/* mono; reading and writing */
	char *buf;
	size_t n, done, cap;
};

struct kl_control {
	struct kl_loop *loop;
	struct kl_control_options o;
	struct kl_source listener;
	bool listening;		/* is among the sources */
	char path[KL_CONTROL_PATH_MAX + 1];
	uint64_t last_ticket;
	struct asker asker[KL_CONTROL_ASKERS];
};

static int
address_of(const char *path, struct sockaddr_un *out)
{
	size_t n = strlen(path);

	memset(out, 0, sizeof *out);
	out->sun_family = AF_UNIX;
	if (n == 0 || n > KL_CONTROL_PATH_MAX)
		return KL_E_SIZE;
	memcpy(out->sun_path, path, n);
	return KL_OK;
}

/* ---- the side that answers ---- */

static void
buffer_drop(struct asker *a)
{
	/* Questions and answers may hold content. */
	if (a->buf != NULL)
		explicit_bzero(a->buf, a->cap);
	free(a->buf);
	a->buf = NULL;
	a->n = a->done = a->cap = 0;
}

static void
asker_end(struct asker *a)
{
	struct kl_control *c = a->control;
	const bool was_waiting = a->state == ASKER_WAITING;

	kl_loop_remove(c->loop, &a->src);
	(void)close(a->src.fd);
	buffer_drop(a);
	a->state = ASKER_FREE;
	if (was_waiting && c->o.gone != NULL)
		c->o.gone(c->o.arg, a->ticket);
	if (!c->listening)
		c->listening = kl_loop_add(c->loop, &c->listener) == KL_OK;
}

/* Room for at least one byte more. */
static bool
buffer_grow(struct asker *a)
{
	const size_t max = a->control->o.question_max + 1;
	size_t cap = a->cap == 0 ? FIRST_CAP : a->cap * 2;
	char *more;

	if (a->n < a->cap)
		return true;
	if (cap > max)
		cap = max;
	if (a->n >= cap || (more = malloc(cap)) == NULL)
		return false;
	if (a->n > 0)
		memcpy(more, a->buf, a->n);
	if (a->buf != NULL)
		explicit_bzero(a->buf, a->cap);
	free(a->buf);
	a->buf = more;
	a->cap = cap;
	return true;
}

static void
asker_write(struct asker *a)
{
	while (a->done < a->n) {
		ssize_t n = send(a->src.fd, a->buf + a->done, a->n - a->done,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0)
			break;
		a->done += (size_t)n;
	}
	asker_end(a);
}

/* Takes the question out, so that the answer may take its place. */
static void
asker_ask(struct asker *a, size_t line)
{
	struct kl_control *c = a->control;
	char *question = a->buf;
	const size_t cap = a->cap;

	a->buf = NULL;
	a->n = a->done = a->cap = 0;
	a->state = ASKER_WAITING;
	a->src.events = 0;		/* a hang-up is told all the same */
	a->ticket = ++c->last_ticket;
	c->o.ask(c->o.arg, a->ticket, kl_bytes(question, line));
	explicit_bzero(question, cap);
	free(question);
}

static void
asker_read(struct asker *a)
{
	for (;;) {
		const char *end;
		ssize_t n;

		if (!buffer_grow(a)) {
			asker_end(a);
			return;
		}
		n = recv(a->src.fd, a->buf + a->n, a->cap - a->n,
		    MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0) {
			asker_end(a);
			return;
		}
		end = memchr(a->buf + a->n, '\n', (size_t)n);
		a->n += (size_t)n;
		if (end != NULL) {
			asker_ask(a, (size_t)(end - a->buf));
			return;
		}
	}
}

static int64_t
asker_prepare(void *arg)
{
	const struct asker *a = arg;
	int64_t left_ms;

	if (a->state == ASKER_WAITING)
		return -1;
	left_ms = a->until_ms - kl_mono_ms();
	return left_ms < 0 ? 0 : left_ms;
}

static void
asker_dispatch(void *arg, short revents)
{
	struct asker *a = arg;

	if (a->state == ASKER_WAITING) {
		if ((revents & (POLLHUP | POLLERR)) != 0)
			asker_end(a);
	} else if (revents == 0) {
		/* Too slow: others need its place. */
		asker_end(a);
	} else if (a->state == ASKER_READING) {
		asker_read(a);
	} else {
		asker_write(a);
	}
}

/* Its place among the askers; KL_CONTROL_ASKERS: gone. */
static size_t
waiting(const struct kl_control *c, uint64_t ticket)
{
	size_t i = 0;

	while (i < KL_CONTROL_ASKERS &&
	    (c->asker[i].state != ASKER_WAITING ||
	    c->asker[i].ticket != ticket))
		i++;
	return i;
}

uid_t
kl_control_uid(const struct kl_control *c, uint64_t ticket)
{
	size_t i = waiting(c, ticket);

	return i == KL_CONTROL_ASKERS ? (uid_t)-1 : c->asker[i].uid;
}

void
kl_control_answer(struct kl_control *c, uint64_t ticket, struct kl_bytes text)
{
	size_t i = waiting(c, ticket);
	struct asker *a = &c->asker[i];

	if (i == KL_CONTROL_ASKERS)
		return;
	a->state = ASKER_WRITING;
	a->until_ms = kl_mono_ms() + c->o.idle_ms;
	a->src.events = POLLOUT;
	if (text.n >= KL_CONTROL_ANSWER_MAX ||
	    (a->buf = malloc(text.n + 1)) == NULL) {
		asker_end(a);
		return;
	}
	a->cap = a->n = text.n + 1;
	if (text.n > 0)
		memcpy(a->buf, text.p, text.n);
	a->buf[text.n] = '\n';
}

static bool
peer_allowed(const struct kl_control *c, int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t n = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) != 0)
		return false;
	*uid = peer.uid;
	return c->o.group || peer.uid == 0 || peer.uid == geteuid();
}

static struct asker *
asker_free(struct kl_control *c)
{
	for (size_t i = 0; i < KL_CONTROL_ASKERS; i++)
		if (c->asker[i].state == ASKER_FREE)
			return &c->asker[i];
	return NULL;
}

/* Without a free place the queue of the socket waits. */
static void
listener_pause(struct kl_control *c)
{
	kl_loop_remove(c->loop, &c->listener);
	c->listening = false;
}

static void
listener_dispatch(void *arg, short revents)
{
	struct kl_control *c = arg;
	struct asker *a = asker_free(c);
	uid_t uid;
	int fd;

	(void)revents;
	if (a == NULL) {
		listener_pause(c);
		return;
	}
	fd = accept4(c->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (!peer_allowed(c, fd, &uid)) {
		(void)close(fd);
		return;
	}
	memset(a, 0, sizeof *a);
	a->control = c;
	a->uid = uid;
	a->src = (struct kl_source){ fd, POLLIN, asker_prepare,
	    asker_dispatch, a };
	a->until_ms = kl_mono_ms() + c->o.idle_ms;
	if (kl_loop_add(c->loop, &a->src) != KL_OK) {
		(void)close(fd);
		return;
	}
	a->state = ASKER_READING;
}

/* A socket is what a process left that did not end well. */
static int
make_way(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? KL_OK : KL_E_IO;
	if (!S_ISSOCK(st.st_mode))
		return KL_E_EXISTS;
	return unlink(path) == 0 ? KL_OK : KL_E_DENIED;
}

static int
listen_at(const char *path, bool group, int *out)
{
	struct sockaddr_un at;
	mode_t before;
	int fd, r;

	if ((r = address_of(path, &at)) != KL_OK ||
	    (r = make_way(path)) != KL_OK)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return KL_E_IO;
	before = umask(group ? 0117 : 0177);
	r = bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 ? KL_OK :
	    errno == EACCES || errno == EPERM ? KL_E_DENIED : KL_E_IO;
	(void)umask(before);
	if (r == KL_OK && listen(fd, BACKLOG) != 0)
		r = KL_E_IO;
	if (r != KL_OK) {
		(void)close(fd);
		return r;
	}
	*out = fd;
	return KL_OK;
}

int
kl_control_open(struct kl_loop *l, const char *path,
    const struct kl_control_options *o, struct kl_control **out)
{
	struct kl_control *c;
	int fd, r;

	*out = NULL;
	if ((r = listen_at(path, o->group, &fd)) != KL_OK)
		return r;
	if ((c = calloc(1, sizeof *c)) == NULL) {
		(void)close(fd);
		return KL_E_MEMORY;
	}
	c->loop = l;
	c->o = *o;
	memcpy(c->path, path, strlen(path));
	c->listener = (struct kl_source){ fd, POLLIN, NULL, listener_dispatch,
	    c };
	if ((r = kl_loop_add(l, &c->listener)) != KL_OK) {
		kl_control_close(c);
		return r;
	}
	c->listening = true;
	*out = c;
	return KL_OK;
}

void
kl_control_close(struct kl_control *c)
{
	if (c == NULL)
		return;
	/* What they wait for does not come any more: nobody is told. */
	c->o.gone = NULL;
	for (size_t i = 0; i < KL_CONTROL_ASKERS; i++)
		if (c->asker[i].state != ASKER_FREE)
			asker_end(&c->asker[i]);
	if (c->listening)
		kl_loop_remove(c->loop, &c->listener);
	(void)close(c->listener.fd);
	(void)unlink(c->path);
	free(c);
}

/* ---- the side that asks ---- */

/* As long as the queue is full nobody is let in: the system waits for the
 * time that sending may take. 0 would be for ever. */
static int
connect_wait(int fd, const struct sockaddr_un *to, int64_t until_ms)
{
	for (;;) {
		int64_t left_ms = until_ms - kl_mono_ms();
		const struct timeval wait = {
			.tv_sec = left_ms > 0 ? left_ms / 1000 : 0,
			.tv_usec = left_ms > 0 ? left_ms % 1000 * 1000 : 1,
		};

		if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait,
		    sizeof wait) != 0)
			return KL_E_IO;
		if (connect(fd, (const struct sockaddr *)to, sizeof *to) == 0)
			return KL_OK;
		if (errno != EINTR)
			break;
	}
	switch (errno) {
	case EAGAIN:
		return KL_E_AGAIN;
	case EACCES:
	case EPERM:
		return KL_E_DENIED;
	default:
		return KL_E_NOT_FOUND;
	}
}

static int
connect_to(const char *path, int64_t until_ms, int *out)
{
	struct sockaddr_un to;
	int fd, r;

	if ((r = address_of(path, &to)) != KL_OK)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return KL_E_IO;
	if ((r = connect_wait(fd, &to, until_ms)) != KL_OK) {
		(void)close(fd);
		return r;
	}
	*out = fd;
	return KL_OK;
}

bool
kl_control_listens(const char *path)
{
	int fd, r = connect_to(path, kl_mono_ms(), &fd);

	if (r == KL_OK)
		(void)close(fd);
	return r == KL_OK || r == KL_E_DENIED || r == KL_E_AGAIN;
}

static int
wait_for(int fd, short events, int64_t until_ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int64_t left_ms = until_ms - kl_mono_ms();
		int n;

		if (left_ms <= 0)
			return KL_E_AGAIN;
		n = poll(&p, 1, left_ms > INT32_MAX ? INT32_MAX :
		    (int)left_ms);
		if (n > 0)
			return KL_OK;
		if (n < 0 && errno != EINTR)
			return KL_E_IO;
	}
}

static int
send_all(int fd, struct kl_bytes b, int64_t until_ms)
{
	while (b.n > 0) {
		int r = wait_for(fd, POLLOUT, until_ms);
		ssize_t n;

		if (r != KL_OK)
			return r;
		n = send(fd, b.p, b.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return KL_E_IO;
		b = kl_bytes(b.p + n, b.n - (size_t)n);
	}
	return KL_OK;
}

/* Room for one byte more and the NUL. */
static int
reply_grow(char **buf, size_t n, size_t *cap)
{
	char *more;

	if (n + 1 < *cap)
		return KL_OK;
	if (*cap >= KL_CONTROL_ANSWER_MAX)
		return KL_E_SIZE;
	more = realloc(*buf, *cap == 0 ? 16384 : *cap * 2);
	if (more == NULL)
		return KL_E_MEMORY;
	*cap = *cap == 0 ? 16384 : *cap * 2;
	*buf = more;
	return KL_OK;
}

static int
line_read(int fd, int64_t until_ms, char **buf, size_t *n)
{
	size_t cap = 0;
	int r;

	for (;;) {
		ssize_t got;

		if ((r = reply_grow(buf, *n, &cap)) != KL_OK ||
		    (r = wait_for(fd, POLLIN, until_ms)) != KL_OK)
			return r;
		got = recv(fd, *buf + *n, cap - *n - 1, MSG_DONTWAIT);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return KL_E_IO;
		*n += (size_t)got;
		if ((*buf)[*n - 1] == '\n') {
			(*buf)[--*n] = '\0';
			return KL_OK;
		}
	}
}

int
kl_control_ask(const char *path, struct kl_bytes question, int64_t wait_ms,
    char **answer, size_t *n)
{
	const int64_t until_ms = kl_mono_ms() + wait_ms;
	char *buf = NULL;
	int fd, r;

	*answer = NULL;
	*n = 0;
	if ((r = connect_to(path, until_ms, &fd)) != KL_OK)
		return r;
	if ((r = send_all(fd, question, until_ms)) == KL_OK &&
	    (r = send_all(fd, kl_bytes("\n", 1), until_ms)) == KL_OK)
		r = line_read(fd, until_ms, &buf, n);
	(void)close(fd);
	if (r != KL_OK) {
		free(buf);
		*n = 0;
		return r;
	}
	*answer = buf;
	return KL_OK;
}
