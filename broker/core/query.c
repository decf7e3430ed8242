#include "broker/core/query.h"

#include <string.h>

#include <kortelijn/base/origin.h>
#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>

#include "broker/core/find.h"
#include "broker/core/month_gone.h"
#include "broker/core/policy.h"
#include "broker/core/query_who.h"
#include "broker/core/witness.h"

#define NEW_MAX 60		/* of a participant in a minute */
#define TICKET_MS (24 * KL_HOUR_MS)
#define PAGE_ROWS 512		/* looked at for one answer */
#define PAGE_BYTES (KL_BODY_MAX - 256)	/* of it, around: the rest */
#define LOGGED_AROUND 4		/* bytes in a page around each record */
#define BUSY_MS 50		/* so many have asked in this turn */

struct query {
	struct core *c;
	const struct asker *who;
	struct kl_query m;
	struct kl_query_what asked;
	struct kl_query_reply reply;

	/* of RECORDS */
	struct find_who may;
	struct find_what what;
	uint64_t born;			/* no leaf before it fits */
	uint8_t *page;
	size_t n_page;			/* bytes */
};

/* ---- what is meant ------------------------------------------------------ */

static bool
may_see(const struct query *q, const struct kl_id *a, const struct kl_id *b)
{
	return find_may(&q->may, a) || find_may(&q->may, b);
}

/* KL_OK, KL_E_NOT_FOUND: nothing that this asker may read, or why not. */
static int
conversation_take(struct query *q, const struct conversation *v, int err)
{
	struct kl_ref *ref = &q->what.conv_ref;

	if (err != KL_OK)
		return err;
	if (!may_see(q, &v->sender, &v->receiver) ||
	    (!kl_bytes_zero(KL_BYTES_OF(*ref)) &&
	    memcmp(ref, &v->ref, sizeof *ref) != 0))
		return KL_E_NOT_FOUND;
	*ref = v->ref;
	q->born = v->born_leaf;
	return KL_OK;
}

static int
spoken_resolve(struct query *q)
{
	struct kl_spoken spoken = { { 0 } };
	struct conversation v;

	if (kl_bytes_zero(KL_BYTES_OF(q->asked.spoken)))
		return KL_OK;
	memcpy(spoken.b, q->asked.spoken, sizeof q->asked.spoken);
	return conversation_take(q, &v, conversation_by_spoken(&q->c->turn,
	    &spoken, &v));
}

/* A conv_id where a reference of the log may stand as well. */
static int
conv_id_resolve(struct query *q, const uint8_t id[16])
{
	struct conversation v;
	struct kl_conv_id conv;

	memcpy(conv.b, id, sizeof conv.b);
	return conversation_take(q, &v, conversation_by_id(&q->c->turn, &conv,
	    &v));
}

static int
conv_resolve(struct query *q)
{
	const struct kl_ref asked = q->asked.conv_ref;
	int r;

	if (kl_bytes_zero(KL_BYTES_OF(asked)))
		return KL_OK;
	if ((r = conv_id_resolve(q, asked.b)) != KL_E_NOT_FOUND)
		return r;
	q->what.conv_ref = asked;
	return KL_OK;
}

static int
msg_id_resolve(struct query *q, const uint8_t id[16])
{
	struct conversation v;
	struct kl_msg_id msg;
	struct message m;
	int r;

	memcpy(msg.b, id, sizeof msg.b);
	if ((r = message_find(&q->c->turn, &msg, &m)) != KL_OK ||
	    (r = conversation_get(&q->c->turn, &m.conv, &v)) != KL_OK ||
	    (r = message_get(&q->c->turn, &m.tag, &v, &m)) != KL_OK)
		return r;
	if (!may_see(q, &m.from, &m.to))
		return KL_E_NOT_FOUND;
	q->what.msg_ref = m.ref;
	q->born = v.born_leaf;
	return KL_OK;
}

/* What is no id that this asker may know of is taken for a reference of the
 * log: whether it is one, the records say. */
static int
message_resolve(struct query *q)
{
	int r;

	if (kl_bytes_zero(KL_BYTES_OF(q->asked.message)))
		return KL_OK;
	r = msg_id_resolve(q, q->asked.message);
	if (r == KL_E_NOT_FOUND)
		r = conv_id_resolve(q, q->asked.message);
	if (r != KL_E_NOT_FOUND)
		return r;
	memcpy(q->what.msg_ref.b, q->asked.message,
	    sizeof q->what.msg_ref.b);
	return KL_OK;
}

/* KL_E_NOT_FOUND: a spoken reference that is not known, or not to him. */
static int
resolve(struct query *q)
{
	const struct kl_query_what *w = &q->asked;
	int r;

	q->what = (struct find_what){ .from_minute = w->from_minute,
		.to_minute = w->to_minute, .sender = w->sender,
		.receiver = w->receiver, .kind = w->kind, .event = w->event,
		.role = w->role, .outcome = w->outcome };
	if ((r = conv_resolve(q)) != KL_OK ||
	    (r = spoken_resolve(q)) != KL_OK)
		return r;
	return message_resolve(q);
}

/* ---- leaf and ticket ---------------------------------------------------- */

static struct kl_hash
what_hash(const struct query *q)
{
	static const struct kl_hash none;

	return q->m.want == KL_QUERY_RECORDS ? kl_hash_of(q->m.what) : none;
}

/* How long to wait until one more may be asked; 0: it may now. */
static int64_t
minute_wait_ms(struct session *s)
{
	const int64_t now_ms = kl_mono_ms();

	if (s->queries == 0 || now_ms - s->query_ms >= KL_MINUTE_MS) {
		s->queries = 0;
		s->query_ms = now_ms;
	}
	if (s->queries == NEW_MAX)
		return s->query_ms + KL_MINUTE_MS - now_ms;
	s->queries++;
	return 0;
}

static int
leaf_write(struct query *q)
{
	const struct asker *who = q->who;
	struct kl_record rec = { .event = KL_EV_QUERY,
		.conv_ref = q->what.conv_ref, .body_hash = what_hash(q) };
	struct journal_leaf leaf;
	int r;

	if (who->by != NULL) {
		rec.org_from = who->by->id;
		rec.actor_role = who->by->role;
		rec.actor_key_id = who->card->key_id;
	}
	r = journal_append(&q->c->journal, q->c->turn.txn,
	    q->c->turn.now_ms, &rec, q->c->mem, &leaf);
	q->reply.ticket = leaf.index;
	return r;
}

static bool
ticket_is(const struct query *q, const struct kl_record *r)
{
	static const struct kl_id operator;
	const struct kl_hash hash = what_hash(q);
	const int64_t age_ms = q->c->turn.now_ms -
	    r->time_minute * KL_MINUTE_MS;

	return r->event == KL_EV_QUERY && age_ms <= TICKET_MS &&
	    kl_id_equal(&r->org_from, q->who->by == NULL ? &operator :
	    &q->who->by->id) &&
	    memcmp(&r->body_hash, &hash, sizeof hash) == 0;
}

/* KL_E_NOT_FOUND: it is none of this asker and question, or too old. */
static int
ticket_check(struct query *q)
{
	struct core *c = q->c;
	struct journal_leaf l;
	struct kl_record rec;
	int r;

	r = journal_record(&c->journal, c->turn.txn, q->m.ticket, c->mem, &l);
	if (r != KL_OK)
		return r;
	if (KL_STATEMENT_READ(KL_S_RECORD, l.record, c->mem, &rec) != KL_C_OK)
		return KL_E_DAMAGED;
	q->reply.ticket = q->m.ticket;
	return ticket_is(q, &rec) ? KL_OK : KL_E_NOT_FOUND;
}

/* ---- RECORDS ------------------------------------------------------------ */

static int
record_take(void *arg, const struct journal_leaf *l,
    const struct kl_record *r)
{
	struct query *q = arg;
	struct kl_logged logged = { .leaf = l->index, .record = l->record };
	uint8_t *to = q->page + q->n_page;
	size_t n;
	int err;

	(void)r;
	if (q->reply.n_logged == KL_QUERY_ANSWERS_MAX)
		return KL_E_FULL;
	memcpy(logged.salt, l->salt, sizeof logged.salt);
	err = KL_MESSAGE_PACK(KL_M_LOGGED, &logged, to,
	    PAGE_BYTES - q->n_page, &n);
	if (err == KL_E_SIZE || n + LOGGED_AROUND > PAGE_BYTES - q->n_page)
		return KL_E_FULL;
	if (err != KL_OK)
		return err;
	q->reply.logged[q->reply.n_logged++] = kl_bytes(to, n);
	q->n_page += n + LOGGED_AROUND;
	return KL_OK;
}

static int
records(struct query *q)
{
	struct core *c = q->c;
	struct find f = { .who = &q->may, .what = &q->what,
		.next = q->m.from > q->born ? q->m.from : q->born,
		.end = q->reply.ticket,
		.left = c->query_rows < PAGE_ROWS ? c->query_rows :
		    PAGE_ROWS };
	const size_t rows = f.left;
	int r;

	if ((q->page = kl_arena_alloc(c->mem, PAGE_BYTES)) == NULL)
		return KL_E_MEMORY;
	r = find_piece(&f, &c->journal, c->turn.txn, c->mem, record_take, q);
	c->query_rows -= rows - f.left;
	q->reply.next = f.next < f.end ? f.next : 0;
	return r;
}

/* ---- POLICY and STATE --------------------------------------------------- */

static int
policy_part(struct query *q)
{
	const uint64_t leaf = q->m.from != 0 ? q->m.from : q->c->loaded.leaf;
	struct kl_bytes text;
	size_t n;
	int r = policy_text(q->c, leaf, &text);

	if (r != KL_OK)
		return r;
	if (q->m.offset > text.n)
		return KL_E_NOT_FOUND;
	n = text.n - q->m.offset;
	if (n > KL_QUERY_PART_MAX)
		n = KL_QUERY_PART_MAX;
	q->reply.part = kl_bytes(text.p + q->m.offset, n);
	q->reply.total = text.n;
	q->reply.next = q->m.offset + n < text.n ? q->m.offset + n : 0;
	return KL_OK;
}

/* The newest note with lines of witnesses, or none. */
static int
witnessed(struct query *q, struct kl_bytes *out)
{
	struct core *c = q->c;
	struct witness_seen seen;
	int r = witness_newest(c->turn.txn, &c->journal, &c->registry,
	    &seen);

	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	return kl_arena_copy(c->mem, kl_bytes_str(seen.note.b), out);
}

static uint32_t
months_lost(struct query *q)
{
	uint32_t month = 0, n = 0;

	while (month_gone_next(q->c->turn.txn, MONTH_LOST, &month) == KL_OK)
		n++;
	return n;
}

static int
state_part(struct query *q)
{
	const struct core *c = q->c;
	int r;
	struct kl_query_state s = {
		.erasure = c->conf->erasure == KL_ERASURE_VERIFIED ?
		    KL_STATE_VERIFIED : KL_STATE_BEST_EFFORT,
		.master_key = kl_slots_sealed(c->vault.slots) ?
		    KL_STATE_SEALED : KL_STATE_BESIDE,
		.clock_held = c->turn.untrusted ? KL_YES : KL_NO,
		.policy_leaf = c->loaded.leaf,
		.policy_hash = c->loaded.hash,
		.signed_ms = c->journal.note_ms,
		.checked_ms = c->scrubber.done_ms,
		.months_lost = months_lost(q),
		.note = kl_bytes_str(c->journal.note.b),
	};

	/* One without a time is of no version that made this store. */
	if (kl_origin_began(c->journal.origin, &s.origin_ms) != KL_OK)
		s.origin_ms = 0;
	/* Only until the first one is signed, in a second. */
	if (s.note.n == 0)
		return KL_E_AGAIN;
	r = witnessed(q, &s.witnessed);
	return r != KL_OK ? r : KL_MESSAGE_PACK_IN(KL_M_QUERY_STATE, &s,
	    c->mem, &q->reply.part);
}

/* ---- one request -------------------------------------------------------- */

static enum kl_code
read_body(struct query *q, struct kl_bytes body)
{
	enum kl_code code = KL_MESSAGE_READ(KL_M_QUERY, body, q->c->in_mem,
	    &q->m);

	return code != KL_C_OK || q->m.want != KL_QUERY_RECORDS ? code :
	    KL_MESSAGE_READ(KL_M_QUERY_WHAT, q->m.what, q->c->in_mem,
	    &q->asked);
}

/* A new one is counted before it is looked at: whoever guesses references is
 * slowed down too. The last of the store is for withdrawals and erasure, and
 * for the operator, who must see why it is full. */
static bool
may_begin(struct query *q, struct answer *a, int *r)
{
	const bool counts = q->m.ticket == 0 && q->who->by != NULL;
	int64_t wait_ms = 0;

	if (q->m.want == KL_QUERY_RECORDS && q->c->query_rows < PAGE_ROWS / 4)
		*r = answer_refuse_for(a, KL_C_TRY_LATER, BUSY_MS);
	else if (counts && (wait_ms = minute_wait_ms(q->who->session)) > 0)
		*r = answer_refuse_for(a, KL_C_QUOTA_REQUESTS, wait_ms);
	else if (counts && q->c->full)
		*r = answer_refuse_for(a, KL_C_STORE_FULL, KL_MINUTE_MS);
	else
		return true;
	return false;
}

/* A leaf, or the one that was shown. */
static int
begin(struct query *q, uint32_t *code)
{
	if (q->m.ticket == 0)
		return leaf_write(q);
	*code = KL_C_TICKET;
	return ticket_check(q);
}

/* KL_E_NOT_FOUND: *code says what was not, and nothing is written. */
static int
answer_records(struct query *q, uint32_t *code)
{
	int r;

	*code = KL_C_REFERRAL_UNKNOWN;
	if ((r = query_who(q->c, q->who, &q->may)) != KL_OK ||
	    (r = resolve(q)) != KL_OK || (r = begin(q, code)) != KL_OK)
		return r;
	return records(q);
}

static int
answer_part(struct query *q, uint32_t *code)
{
	int r;

	*code = KL_C_POLICY_UNKNOWN;
	r = q->m.want == KL_QUERY_POLICY ? policy_part(q) : state_part(q);
	return r != KL_OK ? r : begin(q, code);
}

int
query_answer(struct core *c, const struct asker *who, struct kl_bytes body,
    struct answer *a)
{
	struct query q = { .c = c, .who = who };
	uint32_t code = read_body(&q, body);
	int r = KL_OK;

	if (code != KL_C_OK)
		return answer_refuse(a, (enum kl_code)code);
	if (!may_begin(&q, a, &r))
		return r;
	r = q.m.want == KL_QUERY_RECORDS ? answer_records(&q, &code) :
	    answer_part(&q, &code);
	if (r == KL_E_NOT_FOUND)
		return answer_refuse(a, (enum kl_code)code);
	if (r == KL_E_AGAIN)
		return answer_refuse_for(a, KL_C_TRY_LATER, KL_SECOND_MS);
	return r != KL_OK ? r : KL_MESSAGE_PACK_IN(KL_M_QUERY_REPLY,
	    &q.reply, c->mem, &a->body);
}
