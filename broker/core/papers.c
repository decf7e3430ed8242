#include "broker/core/papers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/crypto/sign.h>
#include <kortelijn/host/log.h>
#include <kortelijn/host/textfile.h>

#define TAG_CARD "kortelijn-card-v1"
#define TAG_REVOCATION "kortelijn-revocation-v1"

/* ---- taking one up ---- */

/* Whom it is about; it was verified a moment ago. */
static int
subject(struct core *c, const struct kl_entry *e, struct kl_id *id,
    struct kl_hash *body_hash)
{
	struct kl_revocation v;
	struct kl_signed s;
	struct kl_card k;

	if (kl_signed_read(e->content, c->mem, &s) != KL_C_OK)
		return KL_E_MEMORY;
	*body_hash = kl_hash_of(s.body);
	if (e->statement == KL_CARD) {
		if (KL_STATEMENT_READ(KL_CARD, s.body, c->mem, &k) != KL_C_OK)
			return KL_E_MEMORY;
		*id = k.id;
		return KL_OK;
	}
	if (KL_STATEMENT_READ(KL_REVOCATION, s.body, c->mem, &v) != KL_C_OK)
		return KL_E_MEMORY;
	*id = v.id;
	return KL_OK;
}

static int
paper_log(struct core *c, const struct kl_entry *e)
{
	struct kl_record rec = { .event = e->statement == KL_CARD ?
		KL_EV_CARD : KL_EV_REVOCATION };
	struct journal_leaf leaf;
	int r = subject(c, e, &rec.org_from, &rec.body_hash);

	return r != KL_OK ? r : journal_append(&c->journal, c->turn.txn,
	    c->turn.now_ms, &rec, c->mem, &leaf);
}

/* A card under a number that the policy does not take. What is no card at all
 * the registry refuses. */
static bool
barred(struct core *c, const struct kl_entry *e)
{
	struct kl_signed s;
	struct kl_card k;

	return e->statement == KL_CARD &&
	    kl_signed_read(e->content, c->mem, &s) == KL_C_OK &&
	    KL_STATEMENT_READ(KL_CARD, s.body, c->mem, &k) == KL_C_OK &&
	    k.role != KL_BROKER && !kl_policy_id_allowed(&c->policy, &k.id);
}

int
papers_take(struct core *c, const struct kl_entry *e, enum kl_code *code)
{
	uint64_t number;
	int err;

	*code = KL_C_VALUE_UNKNOWN;
	if (barred(c, e))
		return KL_OK;
	c->registry_changed = true;
	*code = registry_put(&c->registry, c->turn.txn, e, NULL,
	    c->turn.now_ms, c->mem, &number, &err);
	if (err != KL_OK)
		return err;
	if (*code != KL_C_OK || number == 0)
		return KL_OK;
	c->keys_changed = true;
	if (e->statement == KL_REVOCATION)
		retain_sweep(&c->retain);
	return paper_log(c, e);
}

/* ---- files ---- */

static int
paper_read(const char *path, const char *tag, uint8_t *buf, size_t cap,
    struct kl_bytes *out)
{
	size_t n;
	int r = kl_textfile_read(AT_FDCWD, path, tag, NULL, buf, cap, &n);

	if (r == KL_OK)
		*out = kl_bytes(buf, n);
	return r;
}

static int
file_take(struct core *c, const char *path, const char *tag,
    uint32_t statement)
{
	uint8_t buf[KL_STATEMENT_MAX];
	struct kl_entry e = { .statement = statement };
	enum kl_code code = KL_C_OK;
	int r;

	kl_arena_reset(c->mem);
	r = paper_read(path, tag, buf, sizeof buf, &e.content);
	if (r != KL_OK) {
		kl_logf(KL_LOG_ERROR, "paper_unreadable",
		    kl_log_word("kind", kl_statement_name(statement)),
		    kl_log_word("why", kl_err_text(r)));
		return KL_OK;
	}
	if ((r = papers_take(c, &e, &code)) != KL_OK)
		return r;
	if (code != KL_C_OK)
		kl_logf(KL_LOG_ERROR, "paper_refused",
		    kl_log_word("kind", kl_statement_name(statement)),
		    kl_log_word("code", kl_code_name(code)));
	return KL_OK;
}

static bool
ends_in(const char *name, const char *ending)
{
	const size_t n = strlen(name), m = strlen(ending);

	return n > m && strcmp(name + n - m, ending) == 0;
}

static int
dir_take(struct core *c, const char *name, const char *ending,
    const char *tag, uint32_t statement)
{
	char path[2 * CORE_PATH_BYTES + 256];
	char dir[CORE_PATH_BYTES];
	const struct dirent *e;
	int r = KL_OK;
	DIR *d;

	(void)snprintf(dir, sizeof dir, "%s/%s", c->conf->config_dir, name);
	if ((d = opendir(dir)) == NULL && errno == ENOENT) {
		/* After a loss of the store, what was revoked would count. */
		kl_logf(KL_LOG_ERROR, "directory_missing", kl_log_word("of",
		    name), kl_log_word("so", "nothing in it is known"));
		return KL_OK;
	}
	if (d == NULL)
		return KL_E_IO;
	while (r == KL_OK && (e = readdir(d)) != NULL) {
		if (!ends_in(e->d_name, ending))
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		r = file_take(c, path, tag, statement);
	}
	(void)closedir(d);
	return r;
}

int
papers_load(struct core *c)
{
	char path[CORE_PATH_BYTES];
	int r;

	(void)snprintf(path, sizeof path, "%s/" BROKER_CARD,
	    c->conf->config_dir);
	if ((r = file_take(c, path, TAG_CARD, KL_CARD)) != KL_OK ||
	    (r = dir_take(c, "cards", ".card", TAG_CARD, KL_CARD)) != KL_OK)
		return r;
	return dir_take(c, "revocations", ".rev", TAG_REVOCATION,
	    KL_REVOCATION);
}

/* ---- who we are ---- */

static int
broker_card_read(struct core *c, struct kl_card *card)
{
	uint8_t buf[KL_STATEMENT_MAX];
	char path[CORE_PATH_BYTES];
	struct kl_bytes packed;
	struct kl_signed s;
	int r;

	(void)snprintf(path, sizeof path, "%s/" BROKER_CARD,
	    c->conf->config_dir);
	r = paper_read(path, TAG_CARD, buf, sizeof buf, &packed);
	if (r != KL_OK)
		return r;
	if (kl_signed_read(packed, c->mem, &s) != KL_C_OK ||
	    KL_STATEMENT_READ(KL_CARD, s.body, c->mem, card) != KL_C_OK)
		return KL_E_FORMAT;
	return kl_verify(KL_LABEL_CARD, s.body, &c->conf->authority, &s.sig);
}

int
papers_broker(struct core *c)
{
	struct kl_card card;
	int r = broker_card_read(c, &card);

	if (r == KL_OK && (card.role != KL_BROKER ||
	    card.realm != c->conf->realm || !kl_bytes_equal(
	    KL_BYTES_OF(card.sign_pk), KL_BYTES_OF(c->journal.pk))))
		r = KL_E_VALUE;
	if (r != KL_OK) {
		kl_logf(KL_LOG_ERROR, "broker_card_unusable",
		    kl_log_word("why", r == KL_E_VALUE ?
		    "not of this realm and log.key" : kl_err_text(r)));
		return r;
	}
	c->journal.broker = card.id;
	c->journal.key_id = kl_key_id_of(card.sign_pk.b);
	return KL_OK;
}
