#include <tests/support/starve.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The stack can not grow either, so what fn needs of it is touched before. Not
 * inlined: fn must come to lie on the same pages. */
static __attribute__((noinline)) void
touch_stack(void)
{
	volatile char room[256 * 1024];

	for (size_t i = 0; i < sizeof room; i += 1024)
		room[i] = 0;
}

int
starve_run(int (*fn)(void *), void *arg)
{
	const struct rlimit none = { 1, 1 };
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		touch_stack();
		if (setrlimit(RLIMIT_AS, &none) != 0)
			_exit(101);
		_exit(-fn(arg));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid ||
	    !WIFEXITED(status) || WEXITSTATUS(status) > 100) {
		fprintf(stderr, "starve: no answer, status %#x\n",
		    (unsigned)status);
		exit(2);
	}
	return -WEXITSTATUS(status);
}
