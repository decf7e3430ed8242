/*
 * enrol.h: how an organisation asks for a card: keys of its own in a
 * directory, and one line that carries their public halves, signed by the
 * identity key. PROTOCOL.md 5.11.
 */
#ifndef PROTO_CLI_ENROL_H
#define PROTO_CLI_ENROL_H

#include <kortelijn/crypto/keyfile.h>

#define ENROL_REQUEST_MAX 2048	/* bytes of the line, with NUL */

/* Makes DIR/NAME for a purpose of keyfile.h; a key that is there stays.
 * Errors of kl_keyfile_read and kl_keyfile_write, KL_E_SIZE, KL_E_MEMORY. */
int enrol_key(const char *dir, const char *name, const char *purpose)
    KL_MUST_CHECK;

struct enrol_who {
	struct kl_id id;
	const char *name;
	uint32_t role, realm;
	struct kl_bytes passphrase;	/* seals the keys; none: plain */
};
/* Makes DIR, identity.key and transport.key where they are missing, and the
 * line: ENROL_REQUEST_MAX of room. As above; KL_E_VALUE: a name of no or too
 * many bytes, or with control characters; with a passphrase also
 * KL_E_SIGNATURE: it is another than that of the keys that are there, and
 * KL_E_EXISTS: those lie there without one. */
int enrol_request(const char *dir, const struct enrol_who *who,
    int64_t now_ms, char *line, struct kl_fingerprint *fingerprint)
    KL_MUST_CHECK;
/* The line as a file that may be read by all: it travels by mail. KL_E_IO,
 * KL_E_FULL. */
int enrol_write(const char *path, const char *line) KL_MUST_CHECK;

#endif
