#include "proto/audit/names.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/arena.h>
#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/textfile.h>
#include <kortelijn/wire/signed.h>

#include "proto/cli/output.h"

#define ENDING ".card"

struct name {
	struct kl_id id;
	int64_t issued_ms;
	char text[AUDIT_NAME_BYTES];
};

struct audit_names {
	struct name *at;
	size_t n, cap;
};

static struct name *
find(const struct audit_names *n, const struct kl_id *id)
{
	for (size_t i = 0; n != NULL && i < n->n; i++)
		if (kl_id_equal(&n->at[i].id, id))
			return &n->at[i];
	return NULL;
}

const char *
audit_names_of(const struct audit_names *n, const struct kl_id *id)
{
	const struct name *found = find(n, id);

	return found == NULL || found->text[0] == '\0' ? NULL : found->text;
}

void
audit_names_free(struct audit_names *n)
{
	if (n == NULL)
		return;
	free(n->at);
	free(n);
}

/* ---- cards -------------------------------------------------------------- */

static struct name *
room(struct audit_names *n)
{
	struct name *more;

	if (n->n == n->cap) {
		more = realloc(n->at, (n->cap + 64) * sizeof *more);
		if (more == NULL)
			return NULL;
		n->at = more;
		n->cap += 64;
	}
	return &n->at[n->n++];
}

static void
name_set(struct name *at, struct kl_bytes name)
{
	const struct output_text text = output_text(name);

	/* Made safe it is never longer than on the card. */
	memcpy(at->text, text.b, sizeof at->text - 1);
	at->text[sizeof at->text - 1] = '\0';
}

int
audit_names_add(struct audit_names **n, const struct kl_id *id,
    const char *name)
{
	struct name *at;

	if (*n == NULL && (*n = calloc(1, sizeof **n)) == NULL)
		return KL_E_MEMORY;
	if (find(*n, id) != NULL)
		return KL_OK;
	if ((*n)->n == AUDIT_NAMES_MAX)
		return KL_E_FULL;
	if ((at = room(*n)) == NULL)
		return KL_E_MEMORY;
	*at = (struct name){ .id = *id };
	name_set(at, kl_bytes_str(name));
	return KL_OK;
}

static int
take(struct audit_names *n, const struct kl_card *card)
{
	struct name *at = find(n, &card->id);

	if (at != NULL && at->issued_ms >= card->issued_ms)
		return KL_OK;
	if (at == NULL) {
		if (n->n == AUDIT_NAMES_MAX)
			return KL_OK;
		if ((at = room(n)) == NULL)
			return KL_E_MEMORY;
	}
	at->id = card->id;
	at->issued_ms = card->issued_ms;
	name_set(at, card->name);
	return KL_OK;
}

/* False: no card of this region. */
static bool
card_read(int dir, const char *file, const struct kl_sign_pk *authority,
    uint8_t packed[KL_STATEMENT_MAX], struct kl_arena *mem,
    struct kl_card *card)
{
	struct kl_signed s;
	size_t n;

	kl_arena_reset(mem);
	return kl_textfile_read(dir, file, KL_TAG_CARD, NULL, packed,
	    KL_STATEMENT_MAX, &n) == KL_OK &&
	    kl_signed_read(kl_bytes(packed, n), mem, &s) == KL_C_OK &&
	    kl_verify(KL_LABEL_CARD, s.body, authority, &s.sig) == KL_OK &&
	    KL_STATEMENT_READ(KL_CARD, s.body, mem, card) == KL_C_OK;
}

static bool
is_card(const char *file)
{
	const size_t n = strlen(file);

	return file[0] != '.' && n >= sizeof ENDING &&
	    strcmp(file + n - (sizeof ENDING - 1), ENDING) == 0;
}

static int
cards_take(struct audit_names *n, DIR *d, const struct kl_sign_pk *authority)
{
	struct kl_arena *mem = kl_arena_new(65536, 1024);
	uint8_t packed[KL_STATEMENT_MAX];
	const struct dirent *e;
	struct kl_card card;
	int r = mem == NULL ? KL_E_MEMORY : KL_OK;

	while (r == KL_OK && (e = readdir(d)) != NULL)
		if (is_card(e->d_name) && card_read(dirfd(d), e->d_name,
		    authority, packed, mem, &card))
			r = take(n, &card);
	kl_arena_free(mem);
	return r;
}

int
audit_names_read(const char *dir, const struct kl_sign_pk *authority,
    struct audit_names **out)
{
	struct audit_names *n;
	DIR *d;
	int r;

	*out = NULL;
	if ((d = opendir(dir)) == NULL)
		return errno == ENOENT ? KL_E_NOT_FOUND :
		    errno == EACCES ? KL_E_DENIED : KL_E_IO;
	if ((n = calloc(1, sizeof *n)) == NULL)
		r = KL_E_MEMORY;
	else
		r = cards_take(n, d, authority);
	(void)closedir(d);
	if (r != KL_OK) {
		audit_names_free(n);
		return r;
	}
	*out = n;
	return KL_OK;
}
