#include <kortelijn/host/master.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/host/fs.h>

static int
refuse(struct kl_conf_error *error, const char *path, const char *why)
{
	(void)snprintf(error->b, sizeof error->b, "%s: %.200s", why, path);
	return KL_E_CONFIG;
}

/* Any length of at least 32 bytes becomes a key. */
static int
secret_of(struct kl_bytes content, struct kl_secret **out)
{
	const struct kl_bytes parts[] = {
		kl_bytes_str("kortelijn/v1/master-secret"), content,
	};
	struct kl_hash h = kl_hash_parts(parts, 2);

	*out = kl_secret_copy(KL_BYTES_OF(h));
	kl_wipe(&h, sizeof h);
	return *out != NULL ? KL_OK : KL_E_MEMORY;
}

/* The owner of a credential is for the service manager to say. */
static int
private_check(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int r;

	if (fd < 0)
		return errno == ENOENT ? KL_E_NOT_FOUND : KL_E_DENIED;
	r = kl_fs_check_private(fd);
	(void)close(fd);
	return r;
}

static int
read_one(const char *path, bool credential, struct kl_secret **out,
    struct kl_conf_error *error)
{
	char *text = NULL;
	size_t n = 0;
	int r = credential ? KL_OK : private_check(path);

	if (r == KL_OK)
		r = kl_fs_read_file(AT_FDCWD, path, KL_MASTER_MAX, &text, &n);
	if (r == KL_OK)
		r = n < KL_MASTER_MIN ? KL_E_SIZE :
		    secret_of(kl_bytes(text, n), out);
	kl_fs_read_free(text, n);
	switch (r) {
	case KL_OK:
	case KL_E_MEMORY:
		return r;
	case KL_E_NOT_FOUND:
		return refuse(error, path, "the secret of the master key is "
		    "not there; put it back");
	case KL_E_DENIED:
		return refuse(error, path, "the secret of the master key "
		    "must be a file of this user alone; chmod 600");
	case KL_E_SIZE:
		return refuse(error, path, "the secret of the master key "
		    "has 32 to 4096 bytes");
	default:
		return refuse(error, path, kl_err_text(r));
	}
}

/* Beside the slots it would seal nothing. */
static bool
lies_in(const char *path, const char *dir)
{
	char real[PATH_MAX], parent[PATH_MAX];
	size_t n;

	if (realpath(path, real) == NULL || realpath(dir, parent) == NULL)
		return false;
	n = strlen(parent);
	return strncmp(real, parent, n) == 0 && real[n] == '/';
}

static bool
credential_path(const char *name, char out[PATH_MAX])
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	return dir != NULL && dir[0] == '/' &&
	    kl_fs_path(out, PATH_MAX, dir, name) == KL_OK &&
	    access(out, F_OK) == 0;
}

static int
read_either(const char *credential, const char *file, const char *state_dir,
    struct kl_secret **out, struct kl_conf_error *error)
{
	char path[PATH_MAX];

	if (credential_path(credential, path)) {
		if (file[0] != '\0')
			return refuse(error, file, "there is a credential too; "
			    "give one, or one as master_key_old");
		return read_one(path, true, out, error);
	}
	if (file[0] == '\0')
		return KL_OK;
	if (lies_in(file, state_dir))
		return refuse(error, file, "the secret of the master key lies "
		    "beside the slots; move it elsewhere");
	return read_one(file, false, out, error);
}

int
kl_master_read(const struct kl_master_files *f, struct kl_master *out,
    struct kl_conf_error *error)
{
	int r;

	*out = (struct kl_master){ .secret = NULL };
	if ((r = read_either(KL_MASTER_CREDENTIAL, f->file, f->state_dir,
	    &out->secret, error)) != KL_OK ||
	    (r = read_either(KL_MASTER_CREDENTIAL_OLD, f->old, f->state_dir,
	    &out->before, error)) != KL_OK)
		kl_master_clear(out);
	return r;
}

void
kl_master_clear(struct kl_master *m)
{
	kl_secret_free(m->secret);
	kl_secret_free(m->before);
	*m = (struct kl_master){ .secret = NULL };
}

const char *
kl_master_advice(int err)
{
	switch (err) {
	case KL_E_NOT_FOUND:
		return "the master key is sealed: give credential "
		    KL_MASTER_CREDENTIAL " or master_key again; nothing was "
		    "changed";
	case KL_E_SIGNATURE:
		return "the master key is sealed under another secret: give "
		    "that one, or add it as master_key_old; nothing was "
		    "changed";
	default:
		return NULL;
	}
}
