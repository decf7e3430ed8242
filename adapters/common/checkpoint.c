#include "adapters/common/checkpoint.h"

#include <string.h>

#include <kortelijn/crypto/merkle.h>

#include "adapters/common/alarm.h"

#define LEFT_TOLD "left_told"	/* the last log that an alarm was about */
#define FORK_TOLD "fork_told"	/* root that was kept when there was one */

int
checkpoint_get(struct turn *t, struct checkpoint *out)
{
	int r;

	memset(out, 0, sizeof *out);
	r = store_meta_get(t->store, "checkpoint", out, sizeof *out);
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
checkpoint_origin(struct store *s, uint32_t *out)
{
	int r;

	*out = 0;
	r = store_meta_get(s, "origin", out, sizeof *out);
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
keep(struct turn *t, const struct kl_checkpoint *c, struct kl_bytes note)
{
	struct checkpoint row;

	memset(&row, 0, sizeof row);
	memcpy(row.origin, c->origin, sizeof row.origin);
	row.size = c->size;
	row.root = c->root;
	row.seen_ms = t->now_ms;
	/* A note that verified is shorter. */
	memcpy(row.note, note.p, note.n < sizeof row.note ? note.n :
	    sizeof row.note - 1);
	return store_meta_put(t->store, "checkpoint", &row, sizeof row);
}

/* Both notes, one after the other: anyone can verify them. */
static int
raise_both(struct turn *t, enum engine_alarm_kind kind,
    const struct checkpoint *kept, struct kl_bytes note)
{
	uint8_t both[2 * KL_NOTE_MAX];
	struct kl_writer w;

	kl_writer_init(&w, both, sizeof both);
	kl_put_bytes(&w, kl_bytes_str(kept->note));
	kl_put_u8(&w, '\n');
	kl_put_bytes(&w, note);
	return alarm_raise_evidence(t, kind, kl_writer_bytes(&w));
}

/* What is kept stays so: one alarm for it, however often the other history is
 * shown. */
static int
fork_found(struct turn *t, const struct checkpoint *kept,
    struct kl_bytes note, enum checkpoint_verdict *out)
{
	struct kl_hash told;
	int r = store_meta_get(t->store, FORK_TOLD, &told, sizeof told);

	*out = CHECKPOINT_FORK;
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	if (r == KL_OK && memcmp(&told, &kept->root, sizeof told) == 0)
		return KL_OK;
	if ((r = store_meta_put(t->store, FORK_TOLD, &kept->root,
	    sizeof kept->root)) != KL_OK)
		return r;
	return raise_both(t, ENGINE_AL_LOG_FORK, kept, note);
}

/* It is tried again and again: one alarm for each such log. */
static int
left_found(struct turn *t, const struct checkpoint *kept,
    const struct kl_checkpoint *c, struct kl_bytes note,
    enum checkpoint_verdict *out)
{
	struct kl_origin told = { "" };
	int r = store_meta_get(t->store, LEFT_TOLD, &told, sizeof told);

	*out = CHECKPOINT_LEFT;
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	if (strcmp(told.b, c->origin) == 0)
		return KL_OK;
	memset(&told, 0, sizeof told);
	memcpy(told.b, c->origin, strlen(c->origin));
	if ((r = store_meta_put(t->store, LEFT_TOLD, &told, sizeof told)) !=
	    KL_OK)
		return r;
	return raise_both(t, ENGINE_AL_LOG_LEFT, kept, note);
}

static int
new_origin(struct turn *t, const struct checkpoint *kept,
    const struct kl_checkpoint *c, struct kl_bytes note,
    enum checkpoint_verdict *out)
{
	int r;

	t->origin++;
	*out = kept->origin[0] == '\0' ? CHECKPOINT_KEPT :
	    CHECKPOINT_NEW_ORIGIN;
	r = store_meta_put(t->store, "origin", &t->origin, sizeof t->origin);
	if (r == KL_OK && *out == CHECKPOINT_NEW_ORIGIN)
		r = alarm_raise_evidence(t, ENGINE_AL_ORIGIN,
		    kl_bytes_str(kept->note));
	return r != KL_OK ? r : keep(t, c, note);
}

int
checkpoint_take(struct turn *t, struct kl_bytes note,
    enum checkpoint_verdict *out)
{
	struct kl_checkpoint c;
	struct checkpoint kept;
	int r;

	*out = CHECKPOINT_KEPT;
	if (note.n == 0)
		return KL_OK;
	if (kl_note_verify(note, &t->id->broker_sign, &c) != KL_OK) {
		*out = CHECKPOINT_BAD;
		return alarm_raise(t, ENGINE_AL_BAD_ITEM, KL_C_SIGNATURE,
		    NULL);
	}
	if ((r = checkpoint_get(t, &kept)) != KL_OK)
		return r;
	if (kl_origin_older(c.origin, kept.origin))
		return left_found(t, &kept, &c, note, out);
	if (strcmp(kept.origin, c.origin) != 0)
		return new_origin(t, &kept, &c, note, out);
	if (c.size < kept.size || (c.size == kept.size &&
	    memcmp(&c.root, &kept.root, sizeof c.root) != 0))
		return fork_found(t, &kept, note, out);
	if (c.size > kept.size) {
		*out = CHECKPOINT_AHEAD;
		return KL_OK;
	}
	return keep(t, &c, note);
}

int
checkpoint_prove(struct turn *t, const struct kl_log_reply *reply,
    enum checkpoint_verdict *out)
{
	struct kl_hash proof[KL_PAGE_MAX];
	struct kl_checkpoint c;
	struct checkpoint kept;
	int r;

	if ((r = checkpoint_take(t, reply->note, out)) != KL_OK ||
	    *out != CHECKPOINT_AHEAD)
		return r;
	if ((r = checkpoint_get(t, &kept)) != KL_OK)
		return r;
	if (kl_note_verify(reply->note, &t->id->broker_sign, &c) != KL_OK)
		return KL_E_FORMAT;
	for (size_t i = 0; i < reply->n_proof; i++)
		memcpy(proof[i].b, reply->proof[i].p, sizeof proof[i].b);
	if (kl_check_consistency(kept.size, &kept.root, c.size, &c.root,
	    proof, reply->n_proof) != KL_OK)
		return fork_found(t, &kept, reply->note, out);
	*out = CHECKPOINT_KEPT;
	return keep(t, &c, reply->note);
}
