/*
 * conf.h: configuration files ("key = value" in [sections]). An unknown key,
 * a key given twice or a value out of range stops the program with one clear
 * line that names file and line. A comment starts with "#" or ";" at the start
 * of a line, or with " ;" after a value; a line has at most 198 bytes; an
 * empty value is refused.
 */
#ifndef KORTELIJN_HOST_CONF_H
#define KORTELIJN_HOST_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/err.h>

enum kl_conf_type {
	KL_CONF_TEXT,		/* char[size], NUL-terminated */
	KL_CONF_INT,		/* int64_t within min..max */
	KL_CONF_BOOL,		/* bool: yes, no */
	KL_CONF_DURATION,	/* int64_t ms: "30d", "12h" */
	KL_CONF_CHOICE,		/* uint32_t: value by a name of `choice` */
	KL_CONF_LIST,		/* as TEXT, given again: joined with newlines */
	KL_CONF_PATH,		/* as TEXT: from the root, since a program may
				 * be started from anywhere */
	KL_CONF_ADDRESS,	/* as TEXT: tcp://HOST:PORT, min 0 or 1 for the
				 * port; libzmq would take 65537 for 1 */
	KL_CONF_ADDRESSES,	/* as ADDRESS, given again: as LIST */
};

struct kl_conf_choice {
	const char *name;	/* NULL: the list is at its end */
	uint32_t value;
};

struct kl_conf_key {
	const char *section;
	const char *name;
	enum kl_conf_type type;
	void *out;
	size_t size;		/* of the buffer, where out is text */
	int64_t min, max;	/* INT, DURATION (ms); ADDRESS, -ES: min only */
	const struct kl_conf_choice *choice;	/* CHOICE */
	bool required;
};

struct kl_conf_error { char b[400]; };	/* one line without newline */

/* Reads the file into the outs (which hold their defaults before).
 * KL_E_CONFIG with *error filled; values are never quoted in it for keys whose
 * name holds "secret" or "password". */
int kl_conf_read(const char *path, const struct kl_conf_key *keys, size_t n,
    struct kl_conf_error *error) KL_MUST_CHECK;

/* What ADDRESS takes: tcp://HOST:PORT, the port from least on. */
bool kl_conf_address_ok(const char *value, int64_t least);

#endif
