#include "adapters/common/access.h"

#include <string.h>

#include <kortelijn/crypto/secret.h>
#include <kortelijn/domain/person.h>
#include <kortelijn/host/slots.h>

#include "adapters/common/cases.h"
#include "adapters/common/timers.h"

#define SEQ "access_seq"

/* The row of a month: sealed, as all that follows, under its slot. */
struct month {
	uint8_t key[32];		/* of its tags */
	uint32_t slot;
	uint32_t number;
};

/* ---- keys ------------------------------------------------------------ */

#define MONTH_BYTES 4
#define TAG_BYTES sizeof(struct kl_tag)
#define LINE_BYTES (MONTH_BYTES + TAG_BYTES + 8)
#define NAME_BYTES (MONTH_BYTES + 2 * TAG_BYTES)

/* Months since 1970, UTC. */
static uint32_t
month_of(int64_t at_ms)
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

static void
month_key(uint8_t key[MONTH_BYTES], uint32_t month)
{
	struct kl_writer w;

	kl_writer_init(&w, key, MONTH_BYTES);
	kl_put_u32(&w, month);
}

static struct kl_tag
tag_of(const struct month *m, uint8_t what, struct kl_bytes value)
{
	const struct kl_bytes parts[] = { kl_bytes(&what, 1), value };

	return kl_tag_keyed(KL_BYTES_OF(m->key), parts, 2);
}

static struct kl_tag
conv_tag(const struct month *m, const struct kl_conv_id *conv)
{
	return tag_of(m, 0, KL_BYTES_OF(*conv));
}

static void
line_key(uint8_t key[LINE_BYTES], const struct month *m,
    const struct kl_conv_id *conv, uint64_t seq)
{
	const struct kl_tag tag = conv_tag(m, conv);

	month_key(key, m->number);
	memcpy(key + MONTH_BYTES, &tag, TAG_BYTES);
	kl_be64_put(key + MONTH_BYTES + TAG_BYTES, seq);
}

/* ---- months ---------------------------------------------------------- */

static int
month_get(struct turn *t, uint32_t number, struct month *out)
{
	uint8_t key[MONTH_BYTES];

	month_key(key, number);
	return store_get_sealed_row(t->store, STORE_MONTH, KL_BYTES_OF(key),
	    t->mem, out, sizeof *out);
}

int64_t
access_until_ms(const struct turn *t)
{
	return month_end_ms(month_of(t->now_ms)) +
	    kl_policy_ms(t->policy, KL_POL_LOG_RETENTION);
}

static int
month_make(struct turn *t, uint32_t number, struct month *out)
{
	uint8_t key[MONTH_BYTES], id[16] = { 0 };
	int r;

	memset(out, 0, sizeof *out);
	kl_random(out->key, sizeof out->key);
	out->number = number;
	month_key(key, number);
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
month_now(struct turn *t, struct month *out)
{
	const uint32_t number = month_of(t->now_ms);
	int r = month_get(t, number, out);

	return r == KL_E_NOT_FOUND ? month_make(t, number, out) : r;
}

/* The first month with a number of at least `from` that can be read. */
static int
month_from(struct turn *t, uint32_t from, struct month *out)
{
	uint8_t key[MONTH_BYTES];
	struct store_entry e;
	struct kl_reader reader;
	int r;

	for (;;) {
		month_key(key, from);
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
put_line(struct turn *t, const struct month *m,
    const struct access_line *line)
{
	uint8_t key[LINE_BYTES];
	uint64_t seq = 0;
	int r = store_meta_get(t->store, SEQ, &seq, sizeof seq);

	if (r != KL_OK && r != KL_E_NOT_FOUND)
		return r;
	seq++;
	if ((r = store_meta_put(t->store, SEQ, &seq, sizeof seq)) != KL_OK)
		return r;
	line_key(key, m, &line->conv, seq);
	return store_put_sealed(t->store, STORE_ACCESS, KL_BYTES_OF(key),
	    m->slot, kl_bytes(line, sizeof *line));
}

/* Once in a month for each value of each case. */
static int
put_way(struct turn *t, const struct month *m, const struct case_row *c,
    enum access_way way, struct kl_bytes value)
{
	const struct kl_tag tag = tag_of(m, (uint8_t)way, value);
	const struct kl_tag conv = conv_tag(m, &c->conv);
	struct access_found found;
	uint8_t key[NAME_BYTES];
	struct kl_bytes there;
	int r;

	if (value.n == 0)
		return KL_OK;
	month_key(key, m->number);
	memcpy(key + MONTH_BYTES, &tag, TAG_BYTES);
	memcpy(key + MONTH_BYTES + TAG_BYTES, &conv, TAG_BYTES);
	r = store_get(t->store, STORE_PERSON, KL_BYTES_OF(key), &there);
	if (r != KL_E_NOT_FOUND)
		return r;
	memset(&found, 0, sizeof found);
	found.conv = c->conv;
	found.number = c->number;
	return store_put_sealed(t->store, STORE_PERSON, KL_BYTES_OF(key),
	    m->slot, KL_BYTES_OF(found));
}

/* A word of a name with a birth date, as it is looked for. */
struct person_value { char b[KL_PERSON_WORD_MAX + 12]; };

static struct kl_bytes
person_value(struct person_value *v, const char *word,
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
put_person(struct turn *t, const struct month *m, const struct case_row *c)
{
	struct kl_person_words words = { .n = 0 };
	struct person_value v;
	struct kl_referral content;
	int r = cases_content(t, c, &content);

	if (r == KL_OK && kl_person_words(content.name.family_name,
	    &words) == KL_E_MEMORY)
		r = KL_E_MEMORY;
	for (size_t i = 0; r == KL_OK && i < words.n; i++)
		r = put_way(t, m, c, ACCESS_PERSON, person_value(&v,
		    words.b[i], content.birth_date));
	kl_wipe(&content, sizeof content);
	kl_wipe(&words, sizeof words);
	kl_wipe(&v, sizeof v);
	/* Without content the months before know the name. */
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
put_ways(struct turn *t, const struct month *m, const struct case_row *c)
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
	struct month m;
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
	struct month m;
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

/* ---- finding --------------------------------------------------------- */

void
access_add(struct access_list *out, const struct access_found *f)
{
	for (size_t i = 0; i < out->n; i++)
		if (memcmp(&out->at[i].conv, &f->conv, sizeof f->conv) == 0)
			return;
	if (out->n == ACCESS_FOUND_MAX)
		out->more = true;
	else
		out->at[out->n++] = *f;
}

static int
find_in(struct turn *t, const struct month *m, enum access_way way,
    struct kl_bytes value, struct access_list *out)
{
	const struct kl_tag tag = tag_of(m, (uint8_t)way, value);
	struct access_found found;
	uint8_t from[NAME_BYTES] = { 0 };
	struct store_entry e;
	int r;

	month_key(from, m->number);
	memcpy(from + MONTH_BYTES, &tag, TAG_BYTES);
	r = store_seek(t->store, STORE_PERSON, KL_BYTES_OF(from), false, &e);
	while (r == KL_OK && !out->more && e.n_key == NAME_BYTES &&
	    memcmp(e.key, from, MONTH_BYTES + TAG_BYTES) == 0) {
		r = store_get_sealed_row(t->store, STORE_PERSON,
		    kl_bytes(e.key, e.n_key), t->mem, &found, sizeof found);
		if (r != KL_OK)
			break;
		access_add(out, &found);
		r = store_seek(t->store, STORE_PERSON, kl_bytes(e.key,
		    e.n_key), true, &e);
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
access_find(struct turn *t, enum access_way way, struct kl_bytes value,
    struct access_list *out)
{
	const size_t mark = kl_arena_mark(t->mem);
	struct month m = { .number = 0 };
	int r;

	while ((r = month_from(t, m.number, &m)) == KL_OK) {
		if ((r = find_in(t, &m, way, value, out)) != KL_OK)
			break;
		kl_arena_release(t->mem, mark);
		m.number++;
	}
	kl_wipe(&m, sizeof m);
	kl_arena_release(t->mem, mark);
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

int
access_find_person(struct turn *t, const char *family_name,
    struct kl_birth_date birth, struct access_list *out)
{
	/* As it may have been known then: to the day, month, year. */
	const struct kl_birth_date dates[] = {
		birth, { birth.year, birth.month, 0 }, { birth.year, 0, 0 },
	};
	struct kl_person_words words;
	struct person_value v;
	int r = kl_person_words(family_name, &words);

	for (size_t i = 0; r == KL_OK && i < words.n; i++)
		for (size_t d = 0; r == KL_OK && d < 3; d++)
			r = access_find(t, ACCESS_PERSON, person_value(&v,
			    words.b[i], dates[d]), out);
	kl_wipe(&words, sizeof words);
	kl_wipe(&v, sizeof v);
	return r;
}

/* ---- reading --------------------------------------------------------- */

struct access_at
access_since(int64_t since_ms)
{
	return (struct access_at){ month_of(since_ms < 0 ? 0 : since_ms), 0 };
}

/* The next line in this month. */
static int
next_in(struct turn *t, const struct month *m, const struct kl_conv_id *conv,
    uint64_t after, uint64_t *seq, struct access_line *out)
{
	uint8_t from[LINE_BYTES];
	struct store_entry e;
	int r;

	line_key(from, m, conv, after);
	r = store_seek(t->store, STORE_ACCESS, KL_BYTES_OF(from), true, &e);
	if (r != KL_OK)
		return r;
	if (e.n_key != LINE_BYTES ||
	    memcmp(e.key, from, MONTH_BYTES + TAG_BYTES) != 0)
		return KL_E_NOT_FOUND;
	*seq = kl_be64(e.key + MONTH_BYTES + TAG_BYTES);
	return store_get_sealed_row(t->store, STORE_ACCESS,
	    kl_bytes(e.key, e.n_key), t->mem, out, sizeof *out);
}

int
access_next(struct turn *t, const struct kl_conv_id *conv,
    struct access_at *at, struct access_line *out)
{
	const size_t mark = kl_arena_mark(t->mem);
	struct month m;
	int r;

	while ((r = month_from(t, at->month, &m)) == KL_OK) {
		if (m.number != at->month)
			at->seq = 0;
		at->month = m.number;
		r = next_in(t, &m, conv, at->seq, &at->seq, out);
		kl_arena_release(t->mem, mark);
		if (r != KL_E_NOT_FOUND)
			break;
		at->month++;
		at->seq = 0;
	}
	kl_wipe(&m, sizeof m);
	kl_arena_release(t->mem, mark);
	return r;
}

/* ---- the end of a month ---------------------------------------------- */

/* Rows of a table that begin with the month, at most *left. */
static int
take_away(struct turn *t, char table, const uint8_t key[MONTH_BYTES],
    size_t *left)
{
	struct store_entry e;
	int r;

	while ((r = store_seek(t->store, table, kl_bytes(key, MONTH_BYTES),
	    false, &e)) == KL_OK && e.n_key >= MONTH_BYTES &&
	    memcmp(e.key, key, MONTH_BYTES) == 0) {
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
	uint8_t key[MONTH_BYTES];
	struct month m;
	int r = month_get(t, month, &m);

	*more = false;
	month_key(key, month);
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
