#include "adapters/common/access.h"

#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/host/slots.h>

#include "adapters/common/access_priv.h"
#include "adapters/common/cases.h"
#include "adapters/common/timers.h"

#define SEQ "access_seq"

/* ---- keys ------------------------------------------------------------ */

uint32_t
access_month_of(int64_t at_ms)
{
	int year, month, day;

	kl_day_split(kl_day_of(at_ms), &year, &month, &day);
	return (uint32_t)((year - 1970) * 12 + month - 1);
}

static int64_t
month_end_ms(uint32_t month)
{
	const int next = (int)month + 1;

	return kl_day_start_ms(kl_day_make(1970 + next / 12, next % 12 + 1,
	    1));
}

void
access_month_key(uint8_t key[ACCESS_MONTH_BYTES], uint32_t month)
{
	struct kl_writer w;

	kl_writer_init(&w, key, ACCESS_MONTH_BYTES);
	kl_put_u32(&w, month);
}

struct kl_tag
access_tag(const struct access_month *m, uint8_t what, struct kl_bytes value)
{
	const struct kl_bytes parts[] = { kl_bytes(&what, 1), value };

	return kl_tag_keyed(KL_BYTES_OF(m->key), parts, 2);
}

static struct kl_tag
conv_tag(const struct access_month *m, const struct kl_conv_id *conv)
{
	return access_tag(m, 0, KL_BYTES_OF(*conv));
}

void
access_line_key(uint8_t key[ACCESS_LINE_BYTES], const struct access_month *m,
    const struct kl_conv_id *conv, uint64_t seq)
{
	const struct kl_tag tag = conv_tag(m, conv);

	access_month_key(key, m->number);
	memcpy(key + ACCESS_MONTH_BYTES, &tag, ACCESS_TAG_BYTES);
	kl_be64_put(key + ACCESS_MONTH_BYTES + ACCESS_TAG_BYTES, seq);
}

/* ---- months ---------------------------------------------------------- */

static int
month_get(struct turn *t, uint32_t number, struct access_month *out)
{
	uint8_t key[ACCESS_MONTH_BYTES];

	access_month_key(key, number);
	return store_get_sealed_row(t->store, STORE_MONTH, KL_BYTES_OF(key),
	    t->mem, out, sizeof *out);
}

int64_t
access_until_ms(const struct turn *t)
{
	return month_end_ms(access_month_of(t->now_ms)) +
	    kl_policy_ms(t->policy, KL_POL_LOG_RETENTION);
}

static int
month_make(struct turn *t, uint32_t number, struct access_month *out)
{
	uint8_t key[ACCESS_MONTH_BYTES], id[16] = { 0 };
	int r;

	memset(out, 0, sizeof *out);
	kl_random(out->key, sizeof out->key);
	out->number = number;
	access_month_key(key, number);
	memcpy(id, key, sizeof key);
	if ((r = store_slot_take(t->store, &out->slot)) != KL_OK ||
	    (r = timers_put(t->store, access_until_ms(t), TIMER_ACCESS,
	    id)) != KL_OK)
		return r;
	return store_put_sealed(t->store, STORE_MONTH, KL_BYTES_OF(key),
	    out->slot, kl_bytes(out, sizeof *out));
}

/* The month of now. */
static int
month_now(struct turn *t, struct access_month *out)
{
	const uint32_t number = access_month_of(t->now_ms);
	int r = month_get(t, number, out);

	return r == KL_E_NOT_FOUND ? month_make(t, number, out) : r;
}

/* The first month with a number of at least `from` that can be read. */
int
access_month_from(struct turn *t, uint32_t from, struct access_month *out)
{
	uint8_t key[ACCESS_MONTH_BYTES];
	struct store_entry e;
	struct kl_reader reader;
	int r;

	for (;;) {
		access_month_key(key, from);
		r = store_seek(t->store, STORE_MONTH, KL_BYTES_OF(key), false,
		    &e);
		if (r != KL_OK)
			return r;
		kl_reader_init(&reader, kl_bytes(e.key, e.n_key));
		from = kl_get_u32(&reader);
		if (!kl_reader_done(&reader))
			return KL_E_DAMAGED;
		/* One whose key broke loses its own lines only. */
		if ((r = month_get(t, from, out)) != KL_E_NOT_FOUND)
			return r;
		from++;
	}
}

/* ---- writing --------------------------------------------------------- */

static int
put_line(struct turn *t, const struct access_month *m,
    const struct access_line *line)
{
	uint8_t key[ACCESS_LINE_BYTES];
	uint64_t seq = 0;
	int r = store_meta_get(t->store, SEQ, &seq, sizeof seq);

	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	seq++;
	if ((r = store_meta_put(t->store, SEQ, &seq, sizeof seq)) != KL_OK)
		return r;
	access_line_key(key, m, &line->conv, seq);
	return store_put_sealed(t->store, STORE_ACCESS, KL_BYTES_OF(key),
	    m->slot, kl_bytes(line, sizeof *line));
}

/* The row is there: does it know what the broker's log calls the case now?
 * After a loss at the broker that is another name. */
static int
way_is_true(struct turn *t, const uint8_t key[ACCESS_NAME_BYTES],
    const struct case_row *c)
{
	struct access_found found;
	int r = store_get_sealed_row(t->store, STORE_PERSON,
	    kl_bytes(key, ACCESS_NAME_BYTES), t->mem, &found, sizeof found);

	if (r != KL_OK)
		return r;
	return memcmp(&found.ref, &c->ref, sizeof found.ref) == 0 ? KL_OK :
	    KL_E_NOT_FOUND;
}

/* Once in a month for each value of each case. */
static int
put_way(struct turn *t, const struct access_month *m, const struct case_row *c,
    enum access_way way, struct kl_bytes value)
{
	const struct kl_tag tag = access_tag(m, (uint8_t)way, value);
	const struct kl_tag conv = conv_tag(m, &c->conv);
	struct access_found found;
	uint8_t key[ACCESS_NAME_BYTES];
	struct kl_bytes there;
	int r;

	if (value.n == 0)
		return KL_OK;
	access_month_key(key, m->number);
	memcpy(key + ACCESS_MONTH_BYTES, &tag, ACCESS_TAG_BYTES);
	memcpy(key + ACCESS_MONTH_BYTES + ACCESS_TAG_BYTES, &conv,
	    ACCESS_TAG_BYTES);
	r = store_get(t->store, STORE_PERSON, KL_BYTES_OF(key), &there);
	if (r == KL_OK && way == ACCESS_SPOKEN)
		r = way_is_true(t, key, c);
	if (r != KL_E_NOT_FOUND)
		return r;
	memset(&found, 0, sizeof found);
	found.conv = c->conv;
	found.number = c->number;
	found.ref = c->ref;
	return store_put_sealed(t->store, STORE_PERSON, KL_BYTES_OF(key),
	    m->slot, KL_BYTES_OF(found));
}

struct kl_bytes
access_person(struct access_person *v, const char *word,
    struct kl_birth_date birth)
{
	const struct kl_birth_text date = kl_birth_text(birth);
	struct kl_writer w;

	kl_writer_init(&w, v->b, sizeof v->b);
	kl_put(&w, word, strlen(word) + 1);
	kl_put(&w, date.b, strlen(date.b));
	return kl_writer_bytes(&w);
}

static int
put_person(struct turn *t, const struct access_month *m,
    const struct case_row *c)
{
	struct kl_person_words words = { .n = 0 };
	struct access_person v;
	struct kl_referral content;
	int r = cases_content(t, c, &content);

	if (r == KL_OK && kl_person_words(content.name.family_name,
	    &words) == KL_E_MEMORY)
		r = KL_E_MEMORY;
	for (size_t i = 0; r == KL_OK && i < words.n; i++)
		r = put_way(t, m, c, ACCESS_PERSON, access_person(&v,
		    words.b[i], content.birth_date));
	kl_wipe(&content, sizeof content);
	kl_wipe(&words, sizeof words);
	kl_wipe(&v, sizeof v);
	/* Without content the months before know the name. */
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
put_ways(struct turn *t, const struct access_month *m, const struct case_row *c)
{
	const struct kl_bytes spoken = c->spoken.b[0] == '\0' ?
	    KL_BYTES_NONE : kl_bytes(c->spoken.b, 9);
	int r;

	if ((r = put_way(t, m, c, ACCESS_SPOKEN, spoken)) != KL_OK ||
	    (r = put_way(t, m, c, ACCESS_CLIENT,
	    kl_bytes_str(c->referral_id))) != KL_OK ||
	    (r = put_way(t, m, c, ACCESS_PATIENT,
	    kl_bytes_str(c->patient_ref))) != KL_OK)
		return r;
	return put_person(t, m, c);
}

static void
line_init(struct access_line *line, const struct turn *t,
    const struct engine_actor *by, enum engine_act act)
{
	memset(line, 0, sizeof *line);
	line->at_ms = t->now_ms;
	line->act = act;
	line->by = *by;
}

int
access_log(struct turn *t, const struct engine_actor *by, enum engine_act act,
    const struct kl_conv_id *conv)
{
	const size_t mark = kl_arena_mark(t->mem);
	struct access_line line;
	struct case_row c;
	struct access_month m;
	int r;

	line_init(&line, t, by, act);
	line.conv = *conv;
	if ((r = month_now(t, &m)) != KL_OK)
		return r;
	/* Of a case that is erased the months before know the names. */
	if ((r = cases_get(t, conv, &c)) == KL_OK) {
		line.spoken = c.spoken;
		r = put_ways(t, &m, &c);
	}
	if (r == KL_OK || r == KL_E_NOT_FOUND)
		r = put_line(t, &m, &line);
	kl_wipe(&m, sizeof m);
	kl_arena_release(t->mem, mark);
	return r;
}

int
access_log_many(struct turn *t, const struct engine_actor *by,
    enum engine_act act, uint64_t first, uint64_t last)
{
	const size_t mark = kl_arena_mark(t->mem);
	struct access_line line;
	struct access_month m;
	int r;

	line_init(&line, t, by, act);
	line.first = first;
	line.last = last;
	if ((r = month_now(t, &m)) == KL_OK)
		r = put_line(t, &m, &line);
	kl_wipe(&m, sizeof m);
	kl_arena_release(t->mem, mark);
	return r;
}

/* ---- the end of a month ---------------------------------------------- */

/* Rows of a table that begin with the month, at most *left. */
static int
take_away(struct turn *t, char table, const uint8_t key[ACCESS_MONTH_BYTES],
    size_t *left)
{
	struct store_entry e;
	int r;

	while ((r = store_seek(t->store, table, kl_bytes(key,
	    ACCESS_MONTH_BYTES), false, &e)) == KL_OK &&
	    e.n_key >= ACCESS_MONTH_BYTES &&
	    memcmp(e.key, key, ACCESS_MONTH_BYTES) == 0) {
		if (*left == 0)
			return KL_OK;
		--*left;
		if ((r = store_del(t->store, table, kl_bytes(e.key,
		    e.n_key))) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
access_end_month(struct turn *t, uint32_t month, bool *more)
{
	size_t left = ACCESS_SWEEP_MAX;
	uint8_t key[ACCESS_MONTH_BYTES];
	struct access_month m;
	int r = month_get(t, month, &m);

	*more = false;
	access_month_key(key, month);
	if (r == KL_OK)
		r = store_slot_drop(t->store, m.slot);
	kl_wipe(&m, sizeof m);
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	if ((r = store_del(t->store, STORE_MONTH, KL_BYTES_OF(key))) !=
	    KL_OK ||
	    (r = take_away(t, STORE_ACCESS, key, &left)) != KL_OK ||
	    (r = take_away(t, STORE_PERSON, key, &left)) != KL_OK)
		return r;
	*more = left == 0;
	return KL_OK;
}

int
access_review(struct turn *t)
{
	struct access_month m = { .number = 0 };
	uint8_t id[16] = { 0 };
	int r;

	while ((r = access_month_from(t, m.number, &m)) == KL_OK) {
		access_month_key(id, m.number);
		if ((r = timers_put(t->store, month_end_ms(m.number) +
		    kl_policy_ms(t->policy, KL_POL_LOG_RETENTION),
		    TIMER_ACCESS, id)) != KL_OK)
			break;
		m.number++;
	}
	kl_wipe(&m, sizeof m);
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}
