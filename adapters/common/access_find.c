#include <string.h>

#include <kortelijn/crypto/secret.h>

#include "adapters/common/access_priv.h"

/* ---- finding --------------------------------------------------------- */

void
access_add(struct access_list *out, const struct access_found *f)
{
	static const struct kl_ref none;
	size_t i = 0;

	while (i < out->n && memcmp(&out->at[i].conv, &f->conv,
	    sizeof f->conv) != 0)
		i++;
	if (i < out->n && memcmp(&f->ref, &none, sizeof none) != 0)
		out->at[i].ref = f->ref;
	if (i < out->n)
		return;
	if (out->n == ACCESS_FOUND_MAX)
		out->more = true;
	else
		out->at[out->n++] = *f;
}

static int
find_in(struct turn *t, const struct access_month *m, enum access_way way,
    struct kl_bytes value, struct access_list *out)
{
	const struct kl_tag tag = access_tag(m, (uint8_t)way, value);
	struct access_found found;
	uint8_t from[ACCESS_NAME_BYTES] = { 0 };
	struct store_entry e;
	int r;

	access_month_key(from, m->number);
	memcpy(from + ACCESS_MONTH_BYTES, &tag, ACCESS_TAG_BYTES);
	r = store_seek(t->store, STORE_PERSON, KL_BYTES_OF(from), false, &e);
	while (r == KL_OK && !out->more && e.n_key == ACCESS_NAME_BYTES &&
	    memcmp(e.key, from, ACCESS_MONTH_BYTES + ACCESS_TAG_BYTES) == 0) {
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
	struct access_month m = { .number = 0 };
	int r;

	while ((r = access_month_from(t, m.number, &m)) == KL_OK) {
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
	struct access_person v;
	int r = kl_person_words(family_name, &words);

	for (size_t i = 0; r == KL_OK && i < words.n; i++)
		for (size_t d = 0; r == KL_OK && d < 3; d++)
			r = access_find(t, ACCESS_PERSON, access_person(&v,
			    words.b[i], dates[d]), out);
	kl_wipe(&words, sizeof words);
	kl_wipe(&v, sizeof v);
	return r;
}

/* ---- reading --------------------------------------------------------- */

struct access_at
access_since(int64_t since_ms)
{
	return (struct access_at){ access_month_of(since_ms < 0 ? 0 : since_ms),
		0 };
}

/* The next line in this month. */
static int
next_in(struct turn *t, const struct access_month *m,
    const struct kl_conv_id *conv, uint64_t after, uint64_t *seq,
    struct access_line *out)
{
	uint8_t from[ACCESS_LINE_BYTES];
	struct store_entry e;
	int r;

	access_line_key(from, m, conv, after);
	r = store_seek(t->store, STORE_ACCESS, KL_BYTES_OF(from), true, &e);
	if (r != KL_OK)
		return r;
	if (e.n_key != ACCESS_LINE_BYTES ||
	    memcmp(e.key, from, ACCESS_MONTH_BYTES + ACCESS_TAG_BYTES) != 0)
		return KL_E_NOT_FOUND;
	*seq = kl_be64(e.key + ACCESS_MONTH_BYTES + ACCESS_TAG_BYTES);
	return store_get_sealed_row(t->store, STORE_ACCESS,
	    kl_bytes(e.key, e.n_key), t->mem, out, sizeof *out);
}

int
access_next(struct turn *t, const struct kl_conv_id *conv,
    struct access_at *at, struct access_line *out)
{
	const size_t mark = kl_arena_mark(t->mem);
	struct access_month m;
	int r;

	while ((r = access_month_from(t, at->month, &m)) == KL_OK) {
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
