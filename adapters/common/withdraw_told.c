#include "adapters/common/withdraw_told.h"

#include <string.h>

#include <kortelijn/crypto/sign.h>

#include "adapters/common/alarm.h"
#include "adapters/common/events.h"
#include "adapters/common/withdraw.h"

/* ---- rows ------------------------------------------------------------ */

/* Beside those of erasure.c. */
#define TOLD 'r'
#define PREFIX_BYTES (1 + 32)
#define KEY_BYTES (PREFIX_BYTES + KL_ID_BYTES + 16)

static struct kl_bytes
row_key(uint8_t key[KEY_BYTES], const struct kl_hash *withdrawal,
    const struct withdraw_told *w)
{
	struct kl_writer out;

	kl_writer_init(&out, key, KEY_BYTES);
	kl_put_u8(&out, TOLD);
	kl_put(&out, withdrawal->b, sizeof withdrawal->b);
	kl_put(&out, w->signer.b, sizeof w->signer.b);
	kl_put(&out, w->conv.b, sizeof w->conv.b);
	return kl_writer_bytes(&out);
}

int
withdraw_told_each(struct turn *t, const struct kl_hash *withdrawal,
    struct store_entry *at, struct withdraw_told *out)
{
	int r;

	if (at->n_key == 0) {
		at->key[0] = TOLD;
		memcpy(at->key + 1, withdrawal->b, sizeof withdrawal->b);
		at->n_key = PREFIX_BYTES;
	}
	r = store_seek(t->store, STORE_ERASURE, kl_bytes(at->key, at->n_key),
	    true, at);
	if (r != KL_OK)
		return r;
	if (at->n_key != KEY_BYTES || at->key[0] != TOLD ||
	    memcmp(at->key + 1, withdrawal->b, sizeof withdrawal->b) != 0)
		return KL_E_NOT_FOUND;
	if (at->value.n != sizeof *out)
		return KL_E_DAMAGED;
	memcpy(out, at->value.p, sizeof *out);
	return KL_OK;
}

int
withdraw_told_forget(struct turn *t, const struct kl_hash *withdrawal)
{
	struct store_entry at = { .n_key = 0 };
	struct withdraw_told w;
	int r;

	while ((r = withdraw_told_each(t, withdrawal, &at, &w)) == KL_OK)
		if ((r = store_del(t->store, STORE_ERASURE, kl_bytes(at.key,
		    at.n_key))) != KL_OK)
			return r;
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* ---- ERASE_RECEIPT --------------------------------------------------- */

/* In a child the signer is whoever the resident was referred on to; the hash
 * of our own statement is the link. */
static int
check_signer(struct turn *t, const struct kl_erase_receipt *rc,
    const struct kl_signed *s, const struct withdrawal *w)
{
	const struct directory_card *card = directory_card(t->dir,
	    &rc->signer, &rc->signer_key_id);
	struct case_row c;
	int r;

	if (card == NULL) {
		t->want_directory = true;
		return t->directory_whole ? KL_E_SIGNATURE : KL_E_AGAIN;
	}
	if (kl_verify(KL_LABEL_ERASE_RECEIPT, s->body, &card->sign_pk,
	    &s->sig) != KL_OK)
		return KL_E_SIGNATURE;
	if (memcmp(&rc->conv_id, &w->conv, sizeof w->conv) != 0)
		return KL_OK;
	r = cases_get(t, &w->conv, &c);
	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	return kl_id_equal(&c.peer, &rc->signer) ||
	    kl_id_equal(&c.peer, &card->succeeds) ? KL_OK : KL_E_SIGNATURE;
}

/* In the history of the conversation that was withdrawn. */
static int
tell(struct turn *t, const struct kl_conv_id *conv, uint32_t what)
{
	struct engine_step step;
	struct case_row c;
	int r = cases_get(t, conv, &c);

	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	memset(&step, 0, sizeof step);
	step.what = what;
	if ((r = cases_step(t, &c, &step)) != KL_OK ||
	    (r = events_add(t, ENGINE_EV_WITHDRAWAL, conv, step.n)) != KL_OK)
		return r;
	return cases_put(t, &c);
}

static int
keep(struct turn *t, const struct withdrawal *w,
    const struct kl_erase_receipt *rc)
{
	struct withdraw_told told;
	uint8_t key[KEY_BYTES];
	struct kl_bytes k, v;
	int r;

	memset(&told, 0, sizeof told);
	told.signer = rc->signer;
	told.conv = rc->conv_id;
	told.adapter_copy = rc->adapter_copy;
	told.case_system = rc->case_system;
	told.at_ms = rc->at_ms;
	told.got_ms = t->now_ms;
	k = row_key(key, &w->hash, &told);
	if ((r = store_get(t->store, STORE_ERASURE, k, &v)) != KL_E_NOT_FOUND)
		return r;
	if ((r = store_put(t->store, STORE_ERASURE, k, KL_BYTES_OF(told))) !=
	    KL_OK)
		return r;
	if ((r = alarm_close(t, ENGINE_AL_ERASE_MISSING, &w->conv)) != KL_OK)
		return r;
	return tell(t, &w->conv, ENGINE_ERASE_TOLD);
}

int
withdraw_told_take(struct turn *t, struct kl_bytes packed)
{
	struct kl_erase_receipt rc;
	struct kl_signed s;
	struct withdrawal w;
	int r;

	if (kl_signed_read(packed, t->mem, &s) != KL_C_OK ||
	    KL_STATEMENT_READ(KL_ERASE_RECEIPT, s.body, t->mem, &rc) !=
	    KL_C_OK)
		return KL_E_SIGNATURE;
	if ((r = withdraw_by_hash(t, &rc.withdrawal_hash, &w)) != KL_OK ||
	    (r = check_signer(t, &rc, &s, &w)) != KL_OK)
		return r;
	return keep(t, &w, &rc);
}

/* ---- escalation ------------------------------------------------------ */

int
withdraw_told_missing(struct turn *t, const struct kl_notice *n)
{
	struct withdrawal w;
	int r = withdraw_get(t, &n->conv_id, KL_SCOPE_FEEDBACK, &w);

	if (r != KL_OK || w.missing_ms != 0)
		return r;
	w.missing_ms = t->now_ms;
	if ((r = withdraw_put(t, &w)) != KL_OK ||
	    (r = alarm_open(t, ENGINE_AL_ERASE_MISSING, 0, &n->conv_id)) !=
	    KL_OK)
		return r;
	return tell(t, &n->conv_id, ENGINE_ERASE_MISSING);
}
