#include <tests/support/starve.h>

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool starving;

void *sodium_malloc(size_t n);

/* Stands before the library's own. */
void *
sodium_malloc(size_t n)
{
	void *(*real)(size_t) = NULL;
	void *at = dlsym(RTLD_NEXT, "sodium_malloc");

	if (starving || at == NULL)
		return NULL;
	memcpy(&real, &at, sizeof real);
	return real(n);
}

int
starve_run(int (*fn)(void *), void *arg)
{
	int r;

	starving = true;
	r = fn(arg);
	starving = false;
	return r;
}
