#include <kortelijn/host/daemon.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int
kl_daemon_harden(void)
{
	const struct rlimit none = { 0, 0 };
	struct sigaction sa = { .sa_handler = SIG_IGN };

	(void)sigemptyset(&sa.sa_mask);
	(void)umask(077);
	if (setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    sigaction(SIGPIPE, &sa, NULL) != 0)
		return KL_E_SYSTEM;
	return KL_OK;
}

int
kl_daemon_lock(const char *dir)
{
	char path[PATH_MAX];
	int fd, r;

	if ((size_t)snprintf(path, sizeof path, "%s/lock", dir) >= sizeof path)
		return KL_E_IO;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == EACCES || errno == EPERM || errno == ELOOP ?
		    KL_E_DENIED : KL_E_IO;
	/* The descriptor stays open: it is the lock. */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return KL_OK;
	r = errno == EWOULDBLOCK ? KL_E_EXISTS : KL_E_IO;
	(void)close(fd);
	return r;
}

int
kl_daemon_mkdir(const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0700) == 0)
		return KL_OK;
	if (errno == EEXIST && stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
		return KL_OK;
	return KL_E_IO;
}

void
kl_daemon_notify(const char *message)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	socklen_t n;
	int fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof to.sun_path)
		return;
	memcpy(to.sun_path, path, strlen(path));
	n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	/* "@" stands for the NUL of an abstract name. */
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return;
	(void)sendto(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
	    (const struct sockaddr *)&to, n);
	(void)close(fd);
}
