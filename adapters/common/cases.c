#include "adapters/common/cases.h"

#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/slots.h>

#include "adapters/common/alarm.h"
#include "adapters/common/deadlines.h"
#include "adapters/common/retention.h"

/* ---- keys ------------------------------------------------------------ */

static struct kl_bytes
order_key(uint8_t key[8], uint64_t number)
{
	kl_be64_put(key, number);
	return kl_bytes(key, 8);
}

#define NUMBERED_KEY_BYTES (16 + 8)

static struct kl_bytes
numbered_key(uint8_t key[NUMBERED_KEY_BYTES], const struct kl_conv_id *conv,
    uint64_t n)
{
	memcpy(key, conv->b, 16);
	kl_be64_put(key + 16, n);
	return kl_bytes(key, NUMBERED_KEY_BYTES);
}

#define CONTENT_KEY_BYTES (16 + 1)

static struct kl_bytes
content_key(uint8_t key[CONTENT_KEY_BYTES], const struct kl_conv_id *conv,
    enum cases_content which)
{
	memcpy(key, conv->b, 16);
	key[16] = (uint8_t)which;
	return kl_bytes(key, CONTENT_KEY_BYTES);
}

static struct kl_tag
spoken_tag(const struct turn *t, const struct kl_spoken *s)
{
	return store_tag(t->store, "spoken", kl_bytes(s->b, 9));
}

static struct kl_tag
client_tag(const struct turn *t, const char *referral_id)
{
	return store_tag(t->store, "client", kl_bytes_str(referral_id));
}

/* ---- rows ------------------------------------------------------------ */

int
cases_make(struct turn *t, struct case_row *c)
{
	uint8_t key[8];
	int r;

	c->created_ms = c->changed_ms = t->now_ms;
	c->slot_content = KL_SLOT_NONE;
	if ((r = store_last(t->store, STORE_ORDER, &c->number)) != KL_OK)
		return r;
	c->number++;
	if ((r = store_slot_take(t->store, &c->slot)) != KL_OK)
		return r;
	r = store_put(t->store, STORE_ORDER, order_key(key, c->number),
	    KL_BYTES_OF(c->conv));
	return r != KL_OK ? r : cases_put(t, c);
}

int
cases_get(struct turn *t, const struct kl_conv_id *conv, struct case_row *out)
{
	return store_get_sealed_row(t->store, STORE_CASE, KL_BYTES_OF(*conv),
	    t->mem, out, sizeof *out);
}

int
cases_put(struct turn *t, const struct case_row *c)
{
	return store_put_sealed(t->store, STORE_CASE, KL_BYTES_OF(c->conv),
	    c->slot, kl_bytes(c, sizeof *c));
}

int
cases_next(struct turn *t, uint64_t after, struct case_row *out)
{
	struct kl_conv_id conv;
	struct kl_bytes row;
	int r;

	for (;;) {
		r = store_next_numbered(t->store, STORE_ORDER, after, &after,
		    &row);
		if (r != KL_OK)
			return r;
		if (row.n != sizeof conv)
			return KL_E_DAMAGED;
		memcpy(&conv, row.p, sizeof conv);
		/* A key that broke loses one case, not the list. */
		if ((r = cases_get(t, &conv, out)) != KL_E_NOT_FOUND)
			return r;
	}
}

static int
by_tag(struct turn *t, char table, const struct kl_tag *tag,
    struct case_row *out)
{
	struct kl_conv_id conv;
	int r = store_get_row(t->store, table, KL_BYTES_OF(*tag), &conv,
	    sizeof conv);

	return r != KL_OK ? r : cases_get(t, &conv, out);
}

int
cases_by_spoken(struct turn *t, const struct kl_spoken *spoken,
    struct case_row *out)
{
	struct kl_tag tag = spoken_tag(t, spoken);

	return by_tag(t, STORE_SPOKEN, &tag, out);
}

int
cases_by_client(struct turn *t, const char *referral_id, struct case_row *out)
{
	struct kl_tag tag = client_tag(t, referral_id);

	return by_tag(t, STORE_CLIENT, &tag, out);
}

int
cases_put_client(struct turn *t, const struct case_row *c)
{
	struct kl_tag tag = client_tag(t, c->referral_id);

	return store_put(t->store, STORE_CLIENT, KL_BYTES_OF(tag),
	    KL_BYTES_OF(c->conv));
}

static int
put_spoken(struct turn *t, const struct case_row *c,
    const struct kl_spoken *spoken)
{
	struct kl_tag tag = spoken_tag(t, spoken);

	return store_put(t->store, STORE_SPOKEN, KL_BYTES_OF(tag),
	    KL_BYTES_OF(c->conv));
}

int
cases_take_names(struct turn *t, struct case_row *c,
    const struct kl_ref *ref, const uint8_t spoken[9])
{
	struct kl_spoken s = { { 0 } };
	bool known = c->spoken.b[0] != '\0';

	if (spoken[0] == 0)
		return KL_OK;
	memcpy(s.b, spoken, 9);
	if (known && c->origin == t->origin)
		return memcmp(c->spoken.b, s.b, 9) == 0 &&
		    memcmp(&c->ref, ref, sizeof *ref) == 0 ? KL_OK :
		    KL_E_VALUE;
	c->ref = *ref;
	c->origin = t->origin;
	if (!known)
		c->spoken = s;
	return put_spoken(t, c, &s);
}

/* ---- history --------------------------------------------------------- */

int
cases_step(struct turn *t, struct case_row *c, struct engine_step *s)
{
	s->n = ++c->steps;
	s->at_ms = t->now_ms;
	s->state = c->sent.code;
	c->changed_ms = t->now_ms;
	return cases_step_rewrite(t, c, s);
}

int
cases_step_next(struct turn *t, const struct case_row *c, uint64_t after,
    struct engine_step *out)
{
	uint8_t key[NUMBERED_KEY_BYTES];

	if (after >= c->steps)
		return KL_E_NOT_FOUND;
	return store_get_sealed_row(t->store, STORE_STEP,
	    numbered_key(key, &c->conv, after + 1), t->mem, out, sizeof *out);
}

int
cases_step_rewrite(struct turn *t, const struct case_row *c,
    const struct engine_step *s)
{
	uint8_t key[NUMBERED_KEY_BYTES];

	return store_put_sealed(t->store, STORE_STEP,
	    numbered_key(key, &c->conv, s->n), c->slot, KL_BYTES_OF(*s));
}

int
cases_keep_logged(struct turn *t, const struct case_row *c,
    const struct kl_logged *l)
{
	uint8_t key[NUMBERED_KEY_BYTES], buf[4 + 32 + KL_RECORD_MAX];
	struct kl_writer w;

	kl_writer_init(&w, buf, sizeof buf);
	kl_put_u32(&w, t->origin);
	kl_put(&w, l->salt, sizeof l->salt);
	kl_put_bytes(&w, l->record);
	if (w.full)
		return KL_E_SIZE;
	return store_put(t->store, STORE_LOGGED,
	    numbered_key(key, &c->conv, l->leaf), kl_writer_bytes(&w));
}

/* ---- content --------------------------------------------------------- */

int
cases_content_put(struct turn *t, struct case_row *c,
    enum cases_content which, struct kl_bytes packed)
{
	uint8_t key[CONTENT_KEY_BYTES];
	int r;

	if (c->slot_content == KL_SLOT_NONE &&
	    (r = store_slot_take(t->store, &c->slot_content)) != KL_OK)
		return r;
	return store_put_sealed(t->store, STORE_CONTENT,
	    content_key(key, &c->conv, which), c->slot_content, packed);
}

int
cases_content_packed(struct turn *t, const struct case_row *c,
    enum cases_content which, struct kl_bytes *out)
{
	uint8_t key[CONTENT_KEY_BYTES];

	if (c->slot_content == KL_SLOT_NONE)
		return KL_E_NOT_FOUND;
	return store_get_sealed(t->store, STORE_CONTENT,
	    content_key(key, &c->conv, which), t->mem, out);
}

int
cases_content(struct turn *t, const struct case_row *c,
    struct kl_referral *out)
{
	uint8_t salt[KL_SALT_BYTES];
	struct kl_bytes packed;
	uint32_t schema;
	int r;

	r = cases_content_packed(t, c, CASES_CORRECTION, &packed);
	if (r == KL_E_NOT_FOUND)
		r = cases_content_packed(t, c, CASES_REFERRAL, &packed);
	if (r == KL_OK)
		r = kl_content_read_referral(packed, t->mem, out, salt,
		    &schema);
	return r;
}

int
cases_content_erase(struct turn *t, struct case_row *c)
{
	uint8_t key[CONTENT_KEY_BYTES];
	int r;

	if (c->slot_content == KL_SLOT_NONE)
		return KL_OK;
	if ((r = store_slot_drop(t->store, c->slot_content)) != KL_OK)
		return r;
	c->slot_content = KL_SLOT_NONE;
	r = store_del(t->store, STORE_CONTENT,
	    content_key(key, &c->conv, CASES_REFERRAL));
	if (r == KL_OK)
		r = store_del(t->store, STORE_CONTENT,
		    content_key(key, &c->conv, CASES_CORRECTION));
	return r;
}

int
cases_content_spent(struct turn *t, struct case_row *c)
{
	return c->pending == 0 ? cases_content_erase(t, c) : KL_OK;
}

void
cases_take_seq_out(struct case_row *c, uint64_t last)
{
	if (last < UINT32_MAX)
		c->seq_out = last;
}

void
cases_settle(struct case_row *c, uint32_t kind)
{
	if (kind != KL_FEEDBACK && c->pending > 0)
		c->pending--;
}

/* All rows of a table whose key begins with the conversation. */
static int
del_all(struct turn *t, char table, const struct kl_conv_id *conv)
{
	uint8_t from[NUMBERED_KEY_BYTES];
	struct store_entry e;
	int r;

	numbered_key(from, conv, 0);
	while ((r = store_seek(t->store, table, KL_BYTES_OF(from), false,
	    &e)) == KL_OK && memcmp(e.key, conv->b, 16) == 0)
		if ((r = store_del(t->store, table, kl_bytes(e.key,
		    e.n_key))) != KL_OK)
			return r;
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* All but the names, which lead to the row. */
static int
del_copy(struct turn *t, struct case_row *c)
{
	int r;

	if ((r = cases_content_erase(t, c)) != KL_OK ||
	    (r = store_slot_drop(t->store, c->slot)) != KL_OK ||
	    (r = del_all(t, STORE_STEP, &c->conv)) != KL_OK ||
	    (r = del_all(t, STORE_ATTEMPT, &c->conv)) != KL_OK ||
	    (r = store_del(t->store, STORE_GOT, KL_BYTES_OF(c->conv))) !=
	    KL_OK)
		return r;
	return store_del(t->store, STORE_SIGNED,
	    KL_BYTES_OF(c->referral_msg));
}

int
cases_reduce(struct turn *t, struct case_row *c)
{
	const struct case_row was = *c;
	int r = del_copy(t, c);

	memset(c, 0, sizeof *c);
	c->number = was.number;
	c->conv = was.conv;
	c->ref = was.ref;
	c->origin = was.origin;
	c->spoken = was.spoken;
	c->peer = was.peer;
	c->mine = was.mine;
	c->valid_until = was.valid_until;
	c->withdrawn = was.withdrawn;
	c->cause = was.cause;
	c->created_ms = was.created_ms;
	c->changed_ms = t->now_ms;
	memcpy(c->referral_id, was.referral_id, sizeof c->referral_id);
	memcpy(c->patient_ref, was.patient_ref, sizeof c->patient_ref);
	c->ended_ms = was.ended_ms;
	c->kept_from_ms = was.kept_from_ms;
	c->copy_until_ms = was.copy_until_ms;
	c->map_until_ms = was.map_until_ms;
	c->mapped = c->closed = 1;
	c->slot_content = KL_SLOT_NONE;
	/* How it ended is part of what was erased. */
	c->sent.code = c->full.code = KL_ST_CLOSED;
	return r != KL_OK ? r : store_slot_take(t->store, &c->slot);
}

int
cases_forget(struct turn *t, struct case_row *c)
{
	struct kl_tag spoken = spoken_tag(t, &c->spoken);
	struct kl_tag client = client_tag(t, c->referral_id);
	uint8_t key[8];
	int r;

	if ((r = alarm_close_all(t, &c->conv)) != KL_OK ||
	    (r = del_copy(t, c)) != KL_OK ||
	    (r = store_del(t->store, STORE_ORDER, order_key(key,
	    c->number))) != KL_OK ||
	    (r = store_del(t->store, STORE_CASE, KL_BYTES_OF(c->conv))) !=
	    KL_OK)
		return r;
	r = store_del(t->store, STORE_SPOKEN, KL_BYTES_OF(spoken));
	if (r == KL_OK && c->referral_id[0] != '\0')
		r = store_del(t->store, STORE_CLIENT, KL_BYTES_OF(client));
	return r;
}

/* ---- state ----------------------------------------------------------- */

/* At the desk a hidden end (above the level) is an end all the same. */
static uint32_t
own_state(const struct case_row *c)
{
	return c->mine ? c->sent.code : c->full.code;
}

bool
cases_open(const struct case_row *c)
{
	return c->refused == 0 && c->withdrawn != KL_SCOPE_ALL &&
	    !kl_state_end(own_state(c));
}

uint32_t
cases_may(const struct case_row *c, uint32_t kind, uint32_t level)
{
	if (c->withdrawn == KL_SCOPE_ALL)
		return KL_C_CONVERSATION_ENDED;
	/* As at level 0: a letter that is returned may go. */
	if (c->withdrawn == KL_SCOPE_FEEDBACK && kind == KL_FEEDBACK &&
	    level > KL_LEVEL_0)
		return KL_C_NO_FEEDBACK_CONSENT;
	return KL_C_OK;
}

/* An end that was reached stays, but for a wrong patient behind a resident
 * who withdrew. */
static void
end_at(struct kl_progress *p, uint32_t end)
{
	if (p->code == KL_ST_CONSENT_WITHDRAWN)
		p->code = end;
	else
		(void)kl_progress_event(p, end);
}

void
cases_withdraw(struct case_row *c, uint32_t scope, uint32_t cause)
{
	const uint32_t end = cause == KL_CAUSE_SENT_IN_ERROR ?
	    KL_ST_SENT_IN_ERROR : KL_ST_CONSENT_WITHDRAWN;

	if (c->withdrawn == KL_SCOPE_ALL && cause <= c->cause)
		return;
	c->withdrawn = c->withdrawn == KL_SCOPE_ALL ? KL_SCOPE_ALL : scope;
	c->cause = cause;
	c->feedback_ended = 1;
	if (scope != KL_SCOPE_ALL)
		return;
	/* What never left ends as what did: people see one word for it. */
	(void)kl_progress_event(&c->sent, KL_ST_SENT);
	end_at(&c->sent, end);
	end_at(&c->full, end);
}

int
cases_note_end(struct turn *t, struct case_row *c)
{
	int r = deadlines_review(t, c);

	c->closed = cases_open(c) ? 0 : 1;
	if (r == KL_OK && c->closed != 0)
		r = alarm_close(t, ENGINE_AL_LOST_HERE, &c->conv);
	return r != KL_OK ? r : retention_review(t, c);
}

void
cases_view(const struct turn *t, const struct case_row *c,
    struct engine_case *out)
{
	const struct directory_card *card = directory_any(t->dir, &c->peer);

	memset(out, 0, sizeof *out);
	out->number = c->number;
	out->conv = c->conv;
	out->conv_ref = c->ref;
	out->spoken = c->spoken;
	memcpy(out->referral_id, c->referral_id, sizeof out->referral_id);
	memcpy(out->patient_ref, c->patient_ref, sizeof out->patient_ref);
	out->mine = c->mine != 0;
	out->peer = c->peer;
	if (card != NULL)
		memcpy(out->peer_name, card->name, sizeof out->peer_name);
	out->state = c->sent.code;
	out->full_state = own_state(c);
	out->milestone = c->sent.milestone;
	out->level = c->level;
	out->open = cases_open(c);
	out->feedback_ended = c->feedback_ended != 0;
	out->refused = c->refused;
	out->withdrawn = c->withdrawn;
	out->cause = c->cause;
	out->corrected = c->corrected != 0;
	out->has_content = c->slot_content != KL_SLOT_NONE;
	out->crisis = c->crisis != 0;
	out->created_ms = c->created_ms;
	out->sent_ms = c->sent_ms;
	out->delivered_ms = c->delivered_ms;
	out->changed_ms = c->changed_ms;
	out->deliver_by_ms = c->deliver_by_ms;
	out->answer_by_ms = c->answer_by_ms;
	out->expire_at_ms = c->expire_at_ms;
	out->valid_until = c->valid_until;
	out->alarms = c->raised;
	out->handed_ms = c->handed_ms;
	out->copy_until_ms = c->ended_ms != 0 ? c->copy_until_ms : 0;
	out->mapped = c->mapped != 0;
	out->has_leaf = c->has_leaf != 0;
	out->leaf = c->leaf;
}
