/*
 * master.h: the secret that seals the master key of the slots. It lies where
 * a thief of the disk with the slots has not got it: a credential that the
 * service manager hands over, or a key file elsewhere.
 */
#ifndef KORTELIJN_HOST_MASTER_H
#define KORTELIJN_HOST_MASTER_H

#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/conf.h>

#define KL_MASTER_MIN 32	/* bytes of such a file */
#define KL_MASTER_MAX 4096

/* In $CREDENTIALS_DIRECTORY. */
#define KL_MASTER_CREDENTIAL "kortelijn-master"
#define KL_MASTER_CREDENTIAL_OLD "kortelijn-master-old"

struct kl_master_files {
	const char *file;	/* "": none, as all of these */
	const char *old;	/* what the key was sealed under before */
	const char *state_dir;	/* in which neither may lie */
};

/* NULL: none. */
struct kl_master {
	struct kl_secret *secret, *before;
};

/* Reads the credentials and the files; all bytes of one count, also a newline
 * at its end. KL_E_CONFIG with *error filled, which says what to do: a file is
 * missing, not private to this user, too short or too long, in state_dir, or
 * credential and file are both there; KL_E_MEMORY. *out is empty then. */
int kl_master_read(const struct kl_master_files *f, struct kl_master *out,
    struct kl_conf_error *error) KL_MUST_CHECK;
void kl_master_clear(struct kl_master *m);

/* What to do about KL_E_NOT_FOUND and KL_E_SIGNATURE of kl_slots_open_with;
 * NULL for other errors. */
const char *kl_master_advice(int err);

#endif
