#include "adapters/common/subject.h"

#include <stdlib.h>
#include <string.h>

#include <kortelijn/crypto/secret.h>

#include "adapters/common/backup_void.h"
#include "adapters/common/cases.h"
#include "adapters/common/engine_priv.h"
#include "adapters/common/engine_withdraw.h"
#include "adapters/common/outbox_time.h"

/* ---- lines ----------------------------------------------------------- */

int
subject_log(struct engine *e, const struct engine_actor *by,
    enum engine_act act, const struct kl_conv_id *conv)
{
	return engine_result(e, access_log(engine_turn(e), by, act, conv));
}

int
subject_log_list(struct engine *e, const struct engine_actor *by,
    uint64_t first, uint64_t last)
{
	int r = last == 0 ? store_last(e->store, STORE_ORDER, &last) : KL_OK;

	if (r == KL_OK)
		r = access_log_many(engine_turn(e), by, ENGINE_LISTED, first,
		    last);
	return engine_result(e, r);
}

/* ---- finding --------------------------------------------------------- */

/* A case by what it is called now, whether or not a line knows that yet. */
static int
add_case(int r, const struct case_row *c, struct access_list *out)
{
	struct access_found found = { .number = 0 };

	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	found.conv = c->conv;
	found.number = c->number;
	access_add(out, &found);
	return KL_OK;
}

static int
find_reference(struct turn *t, const char *reference,
    struct access_list *out)
{
	const struct kl_bytes text = kl_bytes_str(reference);
	struct kl_spoken spoken;
	struct case_row c;
	int r = KL_OK;

	if (kl_spoken_read(reference, &spoken) == KL_OK) {
		r = add_case(cases_by_spoken(t, &spoken, &c), &c, out);
		if (r == KL_OK)
			r = access_find(t, ACCESS_SPOKEN, kl_bytes(spoken.b,
			    9), out);
	}
	if (r == KL_OK)
		r = add_case(cases_by_client(t, reference, &c), &c, out);
	if (r == KL_OK)
		r = access_find(t, ACCESS_CLIENT, text, out);
	return r != KL_OK ? r : access_find(t, ACCESS_PATIENT, text, out);
}

static int
by_number(const void *a, const void *b)
{
	const struct access_found *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

int
subject_find(struct engine *e, const struct engine_actor *by,
    const struct subject_who *who, struct access_list *out)
{
	const size_t mark = kl_arena_mark(e->mem);
	struct turn *t = engine_turn(e);
	int r;

	memset(out, 0, sizeof *out);
	if (who->reference != NULL)
		r = find_reference(t, who->reference, out);
	else if ((r = access_find_person(t, who->name, who->birth, out)) ==
	    KL_OK)
		r = access_log_many(t, by, ENGINE_SEARCHED, 0, 0);
	qsort(out->at, out->n, sizeof out->at[0], by_number);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

/* ---- what is held ---------------------------------------------------- */

static int
read_content(struct turn *t, const struct case_row *c,
    enum cases_content which, struct kl_referral *out, bool *has)
{
	uint8_t salt[KL_SALT_BYTES];
	struct kl_bytes packed;
	uint32_t schema;
	int r = cases_content_packed(t, c, which, &packed);

	if (r == KL_OK)
		r = kl_content_read_referral(packed, t->mem, out, salt,
		    &schema);
	*has = r == KL_OK;
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* The block that the practice signed; a sender has its own copy. */
static int
read_consent(struct turn *t, const struct case_row *c,
    struct subject_held *out)
{
	struct kl_envelope envelope;
	struct kl_signed s;
	struct kl_bytes bytes;
	int r;

	if (c->mine != 0) {
		out->consent = c->consent;
		out->asked_by = c->staff_role;
		out->has_consent = true;
		return KL_OK;
	}
	r = store_get_sealed(t->store, STORE_SIGNED,
	    KL_BYTES_OF(c->referral_msg), t->mem, &bytes);
	if (r != KL_OK)
		return r == KL_E_NOT_FOUND ? KL_OK : r;
	if (kl_signed_read(bytes, t->mem, &s) == KL_C_OK &&
	    kl_envelope_read(s.body, t->mem, &envelope) == KL_C_OK) {
		out->consent = envelope.consent;
		out->has_consent = true;
	}
	return KL_OK;
}

static int
read_receipt(struct turn *t, const struct case_row *c,
    struct subject_held *out)
{
	struct kl_bytes bytes;
	int r = store_get_sealed(t->store, STORE_GOT, KL_BYTES_OF(c->conv),
	    t->mem, &bytes);

	if (r == KL_OK && bytes.n <= sizeof out->receipt) {
		memcpy(out->receipt, bytes.p, bytes.n);
		out->n_receipt = bytes.n;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
read_held(struct turn *t, const struct kl_conv_id *conv,
    struct subject_held *out)
{
	struct case_row c;
	int r;

	if ((r = cases_get(t, conv, &c)) != KL_OK ||
	    (r = read_content(t, &c, CASES_CORRECTION, &out->content,
	    &out->has_content)) != KL_OK ||
	    (r = read_content(t, &c, CASES_REFERRAL, out->has_content ?
	    &out->before : &out->content, out->has_content ?
	    &out->has_before : &out->has_content)) != KL_OK ||
	    (r = read_consent(t, &c, out)) != KL_OK)
		return r;
	return read_receipt(t, &c, out);
}

int
subject_held(struct engine *e, const struct kl_conv_id *conv,
    struct subject_held *out)
{
	const size_t mark = kl_arena_mark(e->mem);
	int r;

	memset(out, 0, sizeof *out);
	r = read_held(engine_turn(e), conv, out);
	if (r != KL_OK)
		kl_wipe(out, sizeof *out);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

/* ---- who looked ------------------------------------------------------ */

static int
lines_add(struct subject_lines *l, const struct access_line *line)
{
	const size_t room = l->room == 0 ? 64 : 2 * l->room;
	struct access_line *at;

	if (l->n == SUBJECT_LINES_MAX) {
		l->more = true;
		return KL_OK;
	}
	if (l->n == l->room) {
		at = realloc(l->at, room * sizeof *at);
		if (at == NULL)
			return KL_E_MEMORY;
		l->at = at;
		l->room = room;
	}
	l->at[l->n++] = *line;
	return KL_OK;
}

static int
add_own(struct turn *t, const struct access_found *of, int64_t since_ms,
    struct subject_lines *out)
{
	struct access_at at = { 0, 0 };
	struct access_line line;
	int r;

	while ((r = access_next(t, &of->conv, &at, &line)) == KL_OK &&
	    !out->more)
		if (line.at_ms >= since_ms &&
		    (r = lines_add(out, &line)) != KL_OK)
			return r;
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
add_lists(struct turn *t, const struct access_found *of, int64_t since_ms,
    struct subject_lines *out)
{
	const struct kl_conv_id none = { { 0 } };
	struct access_at at = access_since(since_ms);
	struct access_line line;
	size_t looked = 0;
	int r;

	while ((r = access_next(t, &none, &at, &line)) == KL_OK &&
	    !out->more) {
		if (++looked > SUBJECT_LISTS_MAX)
			out->more = true;
		if (line.act != ENGINE_LISTED || line.at_ms < since_ms ||
		    of->number < line.first || of->number > line.last)
			continue;
		if ((r = lines_add(out, &line)) != KL_OK)
			return r;
	}
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

static int
by_time(const void *a, const void *b)
{
	const struct access_line *x = a, *y = b;

	return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

int
subject_lines(struct engine *e, const struct access_found *of,
    int64_t since_ms, struct subject_lines *out)
{
	struct turn *t = engine_turn(e);
	int r;

	memset(out, 0, sizeof *out);
	if ((r = add_own(t, of, since_ms, out)) == KL_OK)
		r = add_lists(t, of, since_ms, out);
	if (r != KL_OK)
		subject_lines_clear(out);
	else if (out->n > 0)
		qsort(out->at, out->n, sizeof out->at[0], by_time);
	return r == KL_E_MEMORY ? r : engine_result(e, r);
}

void
subject_lines_clear(struct subject_lines *l)
{
	free(l->at);
	memset(l, 0, sizeof *l);
}

/* ---- erasing --------------------------------------------------------- */

/* What is open is withdrawn by who may: then what it covers goes here at once,
 * and the case stays until all have answered and its term is over. */
static int
withdraw(struct engine *e, const struct engine_actor *by,
    const struct case_row *c, struct kl_finding *why)
{
	const struct engine_withdraw_want want = { .scope = KL_SCOPE_ALL,
		.cause = KL_CAUSE_RESIDENT };
	struct kl_conv_id conv;

	return engine_withdraw(e, by, c->spoken.b[0] != '\0' ?
	    kl_spoken_text(&c->spoken).b : c->referral_id, &want, &conv,
	    why);
}

static int
wipe(struct engine *e, const struct engine_actor *by, struct case_row *c)
{
	struct turn *t = engine_turn(e);
	int r;

	store_read_back(e->store);
	/* First, while the log can see what the case is called. */
	if ((r = access_log(t, by, ENGINE_WIPED, &c->conv)) != KL_OK ||
	    (r = backup_void_note(t)) != KL_OK ||
	    (r = outbox_time_forget(e->outbox, t, c)) != KL_OK)
		return r;
	return cases_forget(t, c);
}

int
subject_erase(struct engine *e, const struct engine_actor *by,
    const struct kl_conv_id *conv, enum subject_erased *how,
    struct kl_finding *why)
{
	const size_t mark = kl_arena_mark(e->mem);
	struct case_row c;
	int r = e->broken ? KL_E_AGAIN : cases_get(engine_turn(e), conv, &c);

	memset(why, 0, sizeof *why);
	*how = 0;
	if (r == KL_OK) {
		*how = c.withdrawn == KL_SCOPE_ALL ? SUBJECT_BEFORE :
		    cases_open(&c) ? SUBJECT_WITHDRAWN : SUBJECT_WIPED;
		if (*how == SUBJECT_WITHDRAWN)
			r = withdraw(e, by, &c, why);
		else if (*how == SUBJECT_WIPED)
			r = wipe(e, by, &c);
	}
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

int64_t
subject_log_until_ms(struct engine *e)
{
	return access_until_ms(engine_turn(e));
}

bool
subject_zeroed(struct engine *e)
{
	return store_erased(e->store);
}
