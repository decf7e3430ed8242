#include "broker/ctl/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker/ctl/output.h"

/* A descriptor, or -1 with errno. */
static int
control_connect(const char *path)
{
	const struct timeval wait = { .tv_sec = CONTROL_WAIT_S };
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd, saved;

	if (strlen(path) >= sizeof to.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
	    connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

bool
control_running(const struct ctl *c)
{
	char path[BROKER_CONTROL_BYTES];
	int fd;

	if (ctl_socket(c, path) != CTL_OK)
		return false;
	if ((fd = control_connect(path)) < 0)
		/* A socket that is not ours has a broker behind it. */
		return errno == EACCES || errno == EPERM;
	(void)close(fd);
	return true;
}

static bool
send_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

/* Up to the newline; NULL: the answer is too long, late or cut short. */
static char *
line_read(int fd, size_t *n)
{
	size_t cap = 16384;
	char *buf = malloc(cap), *more;

	*n = 0;
	while (buf != NULL) {
		ssize_t got = recv(fd, buf + *n, cap - *n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		*n += (size_t)got;
		if (buf[*n - 1] == '\n')
			return buf;
		if (*n < cap)
			continue;
		if (cap >= CONTROL_REPLY_MAX)
			break;
		cap *= 2;
		if ((more = realloc(buf, cap)) == NULL)
			break;
		buf = more;
	}
	free(buf);
	return NULL;
}

static int
answer_check(const struct ctl *c, json_t *answer)
{
	const char *code = json_string_value(json_object_get(answer, "code"));
	const char *text = json_string_value(json_object_get(answer, "text"));

	if (json_is_true(json_object_get(answer, "ok")))
		return CTL_OK;
	if (code == NULL && text == NULL)
		return output_fail(c, CTL_FAILED,
		    "the broker's answer is not understood");
	return output_fail(c, CTL_FAILED, "refused: %s%s%s",
	    output_text(kl_bytes_str(code != NULL ? code : "")).b,
	    code != NULL && text != NULL ? ": " : "",
	    output_text(kl_bytes_str(text != NULL ? text : "")).b);
}

static int
exchange(const struct ctl *c, int fd, const json_t *question, json_t **answer)
{
	char *line = json_dumps(question, JSON_COMPACT), *reply = NULL;
	size_t n = 0;
	bool sent;

	*answer = NULL;
	if (line == NULL)
		return output_fail_err(c, KL_E_MEMORY, "the question");
	sent = send_all(fd, line, strlen(line)) && send_all(fd, "\n", 1);
	free(line);
	if (sent)
		reply = line_read(fd, &n);
	if (reply == NULL)
		return output_fail(c, CTL_FAILED,
		    "the broker did not answer; its log says why");
	*answer = json_loadb(reply, n, JSON_REJECT_DUPLICATES, NULL);
	free(reply);
	return answer_check(c, *answer);
}

int
control_ask(const struct ctl *c, json_t *question, json_t **answer)
{
	char path[BROKER_CONTROL_BYTES];
	int fd, r;

	*answer = NULL;
	if ((r = ctl_socket(c, path)) != CTL_OK)
		goto out;
	if ((fd = control_connect(path)) < 0) {
		if (errno == EACCES || errno == EPERM)
			r = output_fail(c, CTL_FILE, "%s: not allowed; be "
			    "root, or in the group of the socket", path);
		else
			r = output_fail(c, CTL_NOT_RUNNING,
			    "the broker is not running (%s: %s)", path,
			    strerror(errno));
		goto out;
	}
	r = exchange(c, fd, question, answer);
	(void)close(fd);
out:
	json_decref(question);
	if (r != CTL_OK) {
		json_decref(*answer);
		*answer = NULL;
	}
	return r;
}
