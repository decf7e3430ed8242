#include "proto/cli/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <kortelijn/host/fs.h>

#include "proto/cli/output.h"

#define OPTION "passphrase-file"
#define TERMINAL "/dev/tty"
/* Keys of a terminal that gives us each of them at once. */
#define KEY_CANCEL 0x03		/* ^C */
#define KEY_END 0x04		/* ^D */
#define KEY_BACK 0x08
#define KEY_RUBOUT 0x7f
#define KEY_KILL 0x15		/* ^U */

/* ---- a terminal --------------------------------------------------------- */

struct terminal {
	int fd;
	struct termios before;
	sigset_t signals;
};

/* Without echo, each key at once, and ^C is a key: so that no way out leaves a
 * terminal behind that does not show what is typed. */
static int
terminal_open(struct terminal *t)
{
	sigset_t block;
	struct termios raw;

	if ((t->fd = open(TERMINAL, O_RDWR | O_CLOEXEC | O_NOCTTY)) < 0)
		return KL_E_NOT_FOUND;
	if (tcgetattr(t->fd, &t->before) != 0) {
		(void)close(t->fd);
		return KL_E_NOT_FOUND;
	}
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &block, &t->signals);
	raw = t->before;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	(void)tcsetattr(t->fd, TCSAFLUSH, &raw);
	return KL_OK;
}

static void
terminal_close(struct terminal *t)
{
	(void)tcsetattr(t->fd, TCSAFLUSH, &t->before);
	(void)close(t->fd);
	(void)sigprocmask(SIG_SETMASK, &t->signals, NULL);
}

static void
terminal_say(const struct terminal *t, const char *text)
{
	/* What cannot be shown need not be. */
	if (write(t->fd, text, strlen(text)) < 0)
		return;
}

/* Takes one character back, all bytes of it. */
static void
rub_out(struct passphrase *p)
{
	while (p->n > 0 && ((unsigned char)p->b[--p->n] & 0xc0) == 0x80)
		continue;
}

/* Until the end of the line. KL_E_EMPTY: given up; KL_E_SIZE. */
static int
keys_read(const struct terminal *t, struct passphrase *p)
{
	ssize_t n;
	char key;

	p->n = 0;
	while ((n = read(t->fd, &key, 1)) == 1 || (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		if (key == '\n' || key == '\r')
			return KL_OK;
		if (key == KEY_CANCEL || (key == KEY_END && p->n == 0))
			return KL_E_EMPTY;
		if (key == KEY_BACK || key == KEY_RUBOUT)
			rub_out(p);
		else if (key == KEY_KILL)
			p->n = 0;
		else if (p->n == KL_PASSPHRASE_MAX)
			return KL_E_SIZE;
		else if ((unsigned char)key >= ' ')
			p->b[p->n++] = key;
	}
	return KL_E_EMPTY;
}

static int
terminal_ask(const struct cli *c, const char *question, const char *what,
    struct passphrase *out)
{
	struct terminal t;
	int r;

	if (terminal_open(&t) != KL_OK)
		return output_fail(c, CLI_USAGE, "%s needs a passphrase: run "
		    "it on a terminal, or give --" OPTION "=FILE", what);
	terminal_say(&t, question);
	terminal_say(&t, what);
	terminal_say(&t, ": ");
	r = keys_read(&t, out);
	terminal_say(&t, "\n");
	terminal_close(&t);
	if (r == KL_OK)
		return CLI_OK;
	passphrase_wipe(out);
	return r == KL_E_SIZE ? output_fail(c, CLI_USAGE, "a passphrase has "
	    "at most %d bytes", KL_PASSPHRASE_MAX) :
	    output_fail(c, CLI_FAILED, "no passphrase was given");
}

/* ---- a file ------------------------------------------------------------- */

static int
line_take(const char *text, size_t n, struct passphrase *out)
{
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if (n == 0 || n > KL_PASSPHRASE_MAX || memchr(text, '\n', n) != NULL ||
	    memchr(text, '\0', n) != NULL)
		return KL_E_FORMAT;
	memcpy(out->b, text, n);
	out->n = n;
	return KL_OK;
}

/* All of it; more than there may be: KL_E_SIZE. */
static int
text_read(int fd, char *text, size_t cap, size_t *n)
{
	ssize_t got = 1;
	size_t at = 0;

	while (at < cap && got != 0) {
		got = read(fd, text + at, cap - at);
		if (got < 0 && errno != EINTR)
			return KL_E_IO;
		at += got > 0 ? (size_t)got : 0;
	}
	*n = at;
	return at < cap ? KL_OK : KL_E_SIZE;
}

static int
file_read(const char *path, struct passphrase *out)
{
	/* A pipe under that name must not make us wait. */
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
	    O_NONBLOCK | O_NOCTTY);
	char text[KL_PASSPHRASE_MAX + 2];
	size_t n = 0;
	int r;

	if (fd < 0)
		return errno == ENOENT ? KL_E_NOT_FOUND : KL_E_DENIED;
	if ((r = kl_fs_check_private(fd)) == KL_OK)
		r = text_read(fd, text, sizeof text, &n);
	if (r == KL_OK)
		r = line_take(text, n, out);
	(void)close(fd);
	kl_wipe(text, sizeof text);
	return r;
}

static int
from_file(const struct cli *c, const char *path, struct passphrase *out)
{
	const int r = file_read(path, out);

	if (r == KL_E_DENIED)
		return output_fail(c, CLI_FILE, "%s: a file with a passphrase "
		    "is a plain one of yours that nobody else may read: "
		    "chmod 600", path);
	if (r == KL_E_FORMAT || r == KL_E_SIZE)
		return output_fail(c, CLI_FILE, "%s: one line of at most %d "
		    "bytes is wanted", path, KL_PASSPHRASE_MAX);
	return r == KL_OK ? CLI_OK : output_fail_err(c, r, path);
}

/* ---- both --------------------------------------------------------------- */

int
passphrase_get(const struct cli *c, const char *what, struct passphrase *out)
{
	const char *file = cli_option(c, OPTION);

	memset(out, 0, sizeof *out);
	return file != NULL ? from_file(c, file, out) :
	    terminal_ask(c, "Passphrase of ", what, out);
}

static int
ask_twice(const struct cli *c, const char *what, struct passphrase *out)
{
	struct passphrase again = { 0 };
	int r;

	if ((r = terminal_ask(c, "New passphrase of ", what, out)) != CLI_OK)
		return r;
	if ((r = terminal_ask(c, "The same once more, of ", what, &again)) ==
	    CLI_OK && !kl_bytes_equal(passphrase_bytes(out),
	    passphrase_bytes(&again)))
		r = output_fail(c, CLI_USAGE, "the two are not the same");
	passphrase_wipe(&again);
	return r;
}

int
passphrase_new(const struct cli *c, const char *what, struct passphrase *out)
{
	const char *file = cli_option(c, OPTION);
	int r;

	memset(out, 0, sizeof *out);
	r = file != NULL ? from_file(c, file, out) : ask_twice(c, what, out);
	if (r == CLI_OK && out->n < KL_PASSPHRASE_MIN)
		r = output_fail(c, CLI_USAGE, "a passphrase has at least %d "
		    "bytes: four words that have nothing to do with each "
		    "other are good", KL_PASSPHRASE_MIN);
	if (r != CLI_OK)
		passphrase_wipe(out);
	return r;
}

struct kl_bytes
passphrase_bytes(const struct passphrase *p)
{
	return kl_bytes(p->b, p->n);
}

void
passphrase_wipe(struct passphrase *p)
{
	kl_wipe(p, sizeof *p);
}
