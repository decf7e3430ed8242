#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>

#include "adapters/common/access.h"
#include "adapters/common/attempts.h"
#include "adapters/common/cases.h"
#include "adapters/common/engine_priv.h"
#include "adapters/common/guard.h"
#include "adapters/common/outbox_draft.h"

#define DIRECTORY_FRESH_MS 2000

static int
refuse(struct kl_finding *why, uint32_t code, const char *field)
{
	kl_finding_set(why, code, field);
	return KL_E_REFUSED;
}

void
engine_in_taken(struct engine_taken *out, const struct case_row *c)
{
	memset(out, 0, sizeof *out);
	out->conv = c->conv;
	memcpy(out->referral_id, c->referral_id, sizeof out->referral_id);
	out->spoken = c->spoken;
	out->step = c->steps;
}

/* KL_E_NOT_FOUND is an answer here. */
static int
none_is_fine(int r)
{
	return r == KL_E_NOT_FOUND ? KL_OK : r;
}

/* ---- content --------------------------------------------------------- */

/* Packs it under a fresh salt and puts it into the case. */
static int
put_content(struct turn *t, struct case_row *c, enum cases_content which,
    const struct kl_referral *r, struct kl_finding *why)
{
	uint8_t salt[KL_SALT_BYTES], packed[KL_PLAIN_REFERRAL];
	size_t n;
	int err;

	kl_random(salt, sizeof salt);
	err = kl_content_pack_referral(r, salt, KL_SCHEMA_MAX, packed,
	    sizeof packed - 1, &n);
	if (err == KL_E_SIZE)
		err = refuse(why, KL_C_FIELD_TOO_LONG, "");
	if (err == KL_OK)
		err = cases_content_put(t, c, which, kl_bytes(packed, n));
	kl_wipe(packed, sizeof packed);
	return err;
}

static int
check_content(struct turn *t, const struct kl_id *receiver,
    const struct kl_referral *r, struct kl_finding *why)
{
	int err = guard_referral(t, receiver, r, why);

	if (err == KL_E_REFUSED)
		json_finding_pointer(why);
	return err;
}

/* ---- refer ----------------------------------------------------------- */

/* An id that is the reference of another referral would let a correction of
 * the one reach the other. */
static int
check_no_reference(struct turn *t, const char *referral_id,
    struct engine_taken *out, struct kl_finding *why)
{
	struct kl_spoken spoken;
	struct case_row other;
	int r;

	if (kl_spoken_read(referral_id, &spoken) != KL_OK)
		return KL_OK;
	if ((r = cases_by_spoken(t, &spoken, &other)) != KL_OK)
		return none_is_fine(r);
	engine_in_taken(out, &other);
	return refuse(why, KL_C_CONFLICT, "/referral_id");
}

/* The same file was taken in before, or another one under the same id: who
 * mended a name in it must not believe that the new one went out. */
static int
check_new(struct turn *t, const struct json_referral_file *f,
    struct kl_bytes file, struct engine_taken *out, struct kl_finding *why)
{
	const struct kl_hash now = kl_hash_of(file);
	struct case_row before;
	int r = cases_by_client(t, f->referral_id, &before);

	if (r == KL_E_NOT_FOUND)
		return check_no_reference(t, f->referral_id, out, why);
	if (r != KL_OK)
		return r;
	engine_in_taken(out, &before);
	return refuse(why, memcmp(&now, &before.file, sizeof now) == 0 ?
	    KL_C_DUPLICATE_FILE : KL_C_CONFLICT, "/referral_id");
}

/* A receiver that is not known may have got its card a moment ago: unless the
 * directory was read just now, the referral waits until it was. */
static int
check_receiver(struct turn *t, const struct kl_id *id, struct kl_finding *why)
{
	const struct directory_card *c = directory_valid(t->dir, id,
	    t->now_ms);

	if (c != NULL)
		return c->role == KL_MUNICIPALITY ? KL_OK :
		    refuse(why, KL_C_ROLE, "/receiver");
	t->want_directory = true;
	return t->now_ms - t->directory_ms < DIRECTORY_FRESH_MS ?
	    refuse(why, KL_C_RECEIVER_UNKNOWN, "/receiver") : KL_OK;
}

static int
check_referral(struct turn *t, const struct json_referral_file *f,
    struct case_row *c, struct kl_finding *why)
{
	int r;

	if (t->id->role != KL_PRACTICE)
		return refuse(why, KL_C_ROLE, "");
	if ((r = guard_consent(t, &f->consent, &c->consent, why)) != KL_OK)
		return r;
	if ((r = check_receiver(t, &f->receiver, why)) != KL_OK)
		return r;
	return check_content(t, &f->receiver, &f->referral, why);
}

static void
fill_case(struct case_row *c, const struct json_referral_file *f,
    struct kl_bytes file)
{
	kl_random(c->conv.b, sizeof c->conv.b);
	c->peer = f->receiver;
	c->mine = 1;
	c->crisis = f->referral.crisis == KL_ANSWER_YES;
	c->level = f->consent.feedback_level;
	c->valid_until = c->consent.valid_until;
	c->staff_role = f->consent.asked_by;
	c->file = kl_hash_of(file);
	memcpy(c->referral_id, f->referral_id, sizeof c->referral_id);
	memcpy(c->patient_ref, f->patient_ref, sizeof c->patient_ref);
	kl_progress_init(&c->sent, KL_ST_DRAFT, c->level);
}

static int
store_referral(struct engine *e, struct turn *t, struct case_row *c,
    const struct json_referral_file *f, struct kl_finding *why)
{
	int r;

	if ((r = cases_make(t, c)) != KL_OK ||
	    (r = cases_put_client(t, c)) != KL_OK ||
	    (r = put_content(t, c, CASES_REFERRAL, &f->referral, why)) !=
	    KL_OK || (r = outbox_draft_add(e->outbox, t, c, KL_REFERRAL, NULL,
	    KL_MS_NONE)) != KL_OK || (r = cases_note_end(t, c)) != KL_OK)
		return r;
	return cases_put(t, c);
}

static int
refer(struct engine *e, const struct engine_actor *by, struct kl_bytes file,
    struct json_referral_file *f, struct engine_taken *out,
    struct kl_finding *why)
{
	struct turn *t = engine_turn(e);
	struct case_row c;
	int r;

	memset(&c, 0, sizeof c);
	if ((r = json_read_referral(file, f, why)) != KL_OK ||
	    (r = check_new(t, f, file, out, why)) != KL_OK ||
	    (r = check_referral(t, f, &c, why)) != KL_OK)
		return r;
	fill_case(&c, f, file);
	if ((r = store_referral(e, t, &c, f, why)) != KL_OK)
		return r;
	engine_in_taken(out, &c);
	return access_log(t, by, ENGINE_TOOK_IN, &c.conv);
}

int
engine_refer(struct engine *e, const struct engine_actor *by,
    struct kl_bytes file, struct engine_taken *out, struct kl_finding *why)
{
	size_t mark = kl_arena_mark(e->mem);
	struct json_referral_file f;
	int r;

	memset(out, 0, sizeof *out);
	memset(why, 0, sizeof *why);
	memset(&f, 0, sizeof f);
	if (e->turn.no_policy)
		return refuse(why, KL_C_NO_POLICY, "");
	r = e->broken ? KL_E_AGAIN : refer(e, by, file, &f, out, why);
	kl_wipe(&f, sizeof f);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

/* ---- correct --------------------------------------------------------- */

static int
find_to_correct(struct turn *t, const struct json_correction_file *f,
    struct case_row *c, struct kl_finding *why)
{
	int r = KL_E_NOT_FOUND;

	if (f->is_spoken)
		r = cases_by_spoken(t, &f->spoken, c);
	/* An id of the practice may look like a reference too. */
	if (r == KL_E_NOT_FOUND)
		r = cases_by_client(t, f->correction_of, c);
	if (r == KL_E_NOT_FOUND || (r == KL_OK && c->mine == 0))
		return refuse(why, KL_C_REFERRAL_UNKNOWN, "/correction_of");
	return r;
}

static int
check_correction(struct turn *t, struct case_row *c, struct kl_finding *why)
{
	if (c->withdrawn == KL_SCOPE_ALL)
		return refuse(why, KL_C_WITHDRAWN, "/correction_of");
	if (c->refused != 0)
		return refuse(why, KL_C_STATE, "/correction_of");
	if (c->valid_until < (uint32_t)kl_day_of(t->now_ms))
		return refuse(why, KL_C_CONSENT_DATE, "/correction_of");
	/* A draft has not left, but its successor may follow it at once. */
	if (c->sent.code == KL_ST_DRAFT)
		return KL_OK;
	return kl_progress_correct(&c->sent) == KL_C_OK ? KL_OK :
	    refuse(why, KL_C_STATE, "/correction_of");
}

static int
correct(struct engine *e, const struct engine_actor *by, struct kl_bytes file,
    struct json_correction_file *f, struct engine_taken *out,
    struct kl_finding *why)
{
	struct turn *t = engine_turn(e);
	struct case_row c;
	int r;

	if ((r = json_read_correction(file, f, why)) != KL_OK ||
	    (r = find_to_correct(t, f, &c, why)) != KL_OK ||
	    (r = check_correction(t, &c, why)) != KL_OK ||
	    (r = check_content(t, &c.peer, &f->referral, why)) != KL_OK)
		return r;
	c.corrected = 1;
	if ((r = put_content(t, &c, CASES_CORRECTION, &f->referral, why)) !=
	    KL_OK || (r = outbox_draft_add(e->outbox, t, &c, KL_CORRECTION,
	    NULL, KL_MS_NONE)) != KL_OK || (r = cases_put(t, &c)) != KL_OK)
		return r;
	engine_in_taken(out, &c);
	return access_log(t, by, ENGINE_CHANGED, &c.conv);
}

int
engine_correct(struct engine *e, const struct engine_actor *by,
    struct kl_bytes file, struct engine_taken *out, struct kl_finding *why)
{
	size_t mark = kl_arena_mark(e->mem);
	struct json_correction_file f;
	int r;

	memset(out, 0, sizeof *out);
	memset(why, 0, sizeof *why);
	memset(&f, 0, sizeof f);
	if (e->turn.no_policy)
		return refuse(why, KL_C_NO_POLICY, "");
	r = e->broken ? KL_E_AGAIN : correct(e, by, file, &f, out, why);
	kl_wipe(&f, sizeof f);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

/* ---- feedback -------------------------------------------------------- */

int
engine_in_answers(struct turn *t, const struct kl_spoken *reference,
    struct case_row *c, struct kl_finding *why)
{
	int r = cases_by_spoken(t, reference, c);

	if (r == KL_E_NOT_FOUND || (r == KL_OK && (c->mine != 0 ||
	    c->husk != 0)))
		return refuse(why, KL_C_REFERRAL_UNKNOWN, "/reference");
	if (r == KL_OK && c->withdrawn == KL_SCOPE_ALL)
		return refuse(why, KL_C_WITHDRAWN, "/reference");
	return r;
}

/* Code and field of what the domain refuses. */
static int
refuse_feedback(const struct kl_feedback *f, uint32_t code,
    struct kl_finding *why)
{
	const char *field = "code";
	char pointer[32] = "/";

	if (kl_feedback_check(f, KL_SCHEMA_MAX, &field) == KL_C_OK)
		field = "code";
	memcpy(pointer + 1, field, strlen(field) + 1);
	return refuse(why, code, pointer);
}

/* The schema that the other side opens, as far as is known now. */
static uint32_t
peer_schema(const struct turn *t, const struct kl_id *peer)
{
	const struct directory_prekey *k = directory_prekey(t->dir, peer,
	    t->now_ms);

	uint32_t s = k == NULL ? 0 : kl_content_schema(k->schema_min,
	    k->schema_max);

	return s != 0 ? s : KL_SCHEMA_MIN;
}

/* What the practice hears of it: nothing, or a step that its table allows. */
static int
collapse(struct turn *t, struct case_row *c, const struct kl_feedback *full,
    struct kl_feedback *shown, bool *sends, struct kl_finding *why)
{
	uint32_t level = c->feedback_ended != 0 ? KL_LEVEL_0 : c->level;
	uint32_t code;

	/* After its consent only a returned letter goes, without ground. */
	if (c->valid_until < (uint32_t)kl_day_of(t->now_ms))
		level = KL_LEVEL_0;
	*sends = kl_feedback_collapse(full, level, peer_schema(t, &c->peer),
	    shown) && !kl_feedback_same(&c->sent.last, shown,
	    c->sent.corrected);
	if (!*sends)
		return KL_OK;
	code = kl_progress_step(&c->sent, shown);
	return code == KL_C_OK ? KL_OK : refuse_feedback(full, code, why);
}

static int
keep_hidden(struct turn *t, struct case_row *c, const struct kl_feedback *f)
{
	struct engine_step step;

	memset(&step, 0, sizeof step);
	step.what = ENGINE_HIDDEN;
	step.kind = KL_FEEDBACK;
	step.ours = true;
	step.feedback = *f;
	return cases_step(t, c, &step);
}

/* P33. What was tried before an earlier end does not count again. */
static int
check_attempts(struct turn *t, struct case_row *c, struct kl_finding *why)
{
	bool enough;
	int r = attempts_enough(t, c, &enough);

	if (r != KL_OK)
		return r;
	if (!enough)
		return refuse(why, KL_C_ATTEMPTS, "/code");
	c->attempts_from = c->attempts;
	return KL_OK;
}

static int
feedback(struct engine *e, const struct engine_actor *by,
    const struct kl_spoken *reference, struct kl_feedback *f,
    struct engine_taken *out, struct kl_finding *why)
{
	struct turn *t = engine_turn(e);
	struct kl_feedback shown;
	struct case_row c;
	uint32_t code;
	bool sends;
	int r;

	if ((r = engine_in_answers(t, reference, &c, why)) != KL_OK)
		return r;
	if (f->day == 0)
		f->day = kl_day_of(t->now_ms);
	f->level = 0;
	if ((code = kl_progress_step(&c.full, f)) != KL_C_OK)
		return refuse_feedback(f, code, why);
	if (f->code == KL_ST_NOT_REACHED &&
	    (r = check_attempts(t, &c, why)) != KL_OK)
		return r;
	if ((r = collapse(t, &c, f, &shown, &sends, why)) != KL_OK)
		return r;
	r = sends ? outbox_draft_add(e->outbox, t, &c, KL_FEEDBACK, &shown,
	    c.sent.milestone) : keep_hidden(t, &c, f);
	if (r != KL_OK || (r = cases_note_end(t, &c)) != KL_OK ||
	    (r = cases_put(t, &c)) != KL_OK)
		return r;
	engine_in_taken(out, &c);
	out->sends = sends;
	return access_log(t, by, ENGINE_CHANGED, &c.conv);
}

int
engine_feedback(struct engine *e, const struct engine_actor *by,
    const struct kl_spoken *reference, const struct kl_feedback *f,
    struct engine_taken *out, struct kl_finding *why)
{
	size_t mark = kl_arena_mark(e->mem);
	struct kl_feedback full = *f;
	int r;

	memset(out, 0, sizeof *out);
	memset(why, 0, sizeof *why);
	if (e->turn.no_policy)
		return refuse(why, KL_C_NO_POLICY, "");
	r = e->broken ? KL_E_AGAIN :
	    feedback(e, by, reference, &full, out, why);
	kl_arena_release(e->mem, mark);
	return engine_result(e, r);
}

int
engine_feedback_file(struct engine *e, const struct engine_actor *by,
    struct kl_bytes file, struct engine_taken *out, struct kl_finding *why)
{
	struct json_feedback_file f;
	int r;

	memset(out, 0, sizeof *out);
	memset(why, 0, sizeof *why);
	memset(&f, 0, sizeof f);
	if ((r = json_read_feedback(file, &f, why)) != KL_OK)
		return engine_result(e, r);
	return engine_feedback(e, by, &f.reference, &f.feedback, out, why);
}
