#include "adapters/common/control_subject.h"

#include <string.h>

#include "adapters/common/control_desk.h"
#include "adapters/common/json_put.h"
#include "adapters/common/phone.h"
#include "adapters/common/view.h"
#include "adapters/common/view_subject.h"

/* ---- who is meant ---- */

static int
read_who(struct control_cmd *c, struct subject_who *who)
{
	const char *birth = control_cmd_text(c, "birth_date");

	memset(who, 0, sizeof *who);
	who->reference = control_cmd_text(c, "who");
	who->name = control_cmd_text(c, "name");
	if (who->reference != NULL)
		return who->name == NULL && birth == NULL ? KL_OK :
		    control_cmd_refuse(c, KL_C_FIELDS_DISAGREE, "/who");
	if (who->name == NULL)
		return control_cmd_refuse(c, KL_C_FIELD_MISSING, "/name");
	if (birth == NULL)
		return control_cmd_refuse(c, KL_C_FIELD_MISSING,
		    "/birth_date");
	if (kl_birth_read(birth, &who->birth) != KL_OK ||
	    who->birth.day == 0)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE,
		    "/birth_date");
	return KL_OK;
}

static bool
all_meant(const struct control_cmd *c)
{
	return json_is_true(json_object_get(c->question, "all"));
}

/* By name it may be several persons, where all must be meant; a reference and
 * a number are of one. */
static int
find(struct control_cmd *c, bool several, struct access_list *out)
{
	struct subject_who who;
	int r = read_who(c, &who);

	if (r != KL_OK)
		return r;
	r = subject_find(c->engine, &c->by, &who, out);
	if (r == KL_E_FORMAT)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/name");
	if (r == KL_OK && !several && who.name != NULL && out->n > 1)
		return control_cmd_refuse(c, KL_C_SEVERAL_FOUND, "/name");
	return r;
}

/* ---- what every answer says ---- */

/* A desk's own number is in its profile. */
static void
put_phone(struct control_cmd *c, json_t *o)
{
	json_put_text(o, "phone", phone_of(c->engine,
	    &engine_config(c->engine)->id, false).b);
}

/* The array of cases, which it takes, and what a letter needs besides. */
static int
answer_take(struct control_cmd *c, json_t *cases, bool more)
{
	const struct config *conf = engine_config(c->engine);
	const struct kl_policy *p = engine_policy(c->engine);
	const bool practice = conf->role == KL_PRACTICE;
	int r = control_cmd_answer(c, json_pack("{s:o,s:b,s:s,s:s,s:s,s:I,"
	    "s:I}", "referrals", cases, "more", more, "organisation",
	    conf->name, "role", kl_role_name(conf->role), "made_at",
	    kl_time_text(engine_now_ms(c->engine)).b, "keep_days",
	    (json_int_t)kl_policy_days(p, practice ?
	    KL_POL_PRACTICE_COPY_AFTER_END : KL_POL_DESK_COPY_AFTER_END),
	    "log_days", (json_int_t)kl_policy_days(p,
	    KL_POL_LOG_RETENTION)));

	if (r == KL_OK) {
		put_phone(c, c->answer);
		view_put_erasure(c->engine, c->answer);
	}
	return r;
}

/* Each case that was found as `view` shows it, with its line. */
static int
cases_of(struct control_cmd *c, const struct access_list *found,
    enum engine_act act, int (*view)(struct engine *,
    const struct engine_case *, json_t **), json_t *cases)
{
	struct engine_case k;
	json_t *o;
	int r;

	for (size_t i = 0; i < found->n; i++) {
		r = engine_case_get(c->engine, &found->at[i].conv, &k);
		if (r == KL_E_NOT_FOUND)
			continue;
		if (r != KL_OK ||
		    (r = subject_log(c->engine, &c->by, act, &k.conv)) !=
		    KL_OK || (r = view(c->engine, &k, &o)) != KL_OK)
			return r;
		if (json_array_append_new(cases, o) != 0)
			return KL_E_MEMORY;
	}
	return KL_OK;
}

/* ---- find ---- */

int
control_subject_find(struct control_cmd *c)
{
	struct access_list found;
	json_t *cases;
	int r = find(c, true, &found);

	if (r != KL_OK)
		return r;
	if ((cases = json_array()) == NULL)
		return KL_E_MEMORY;
	r = cases_of(c, &found, ENGINE_FOUND, view_subject_hit, cases);
	if (r != KL_OK) {
		json_decref(cases);
		return r;
	}
	return answer_take(c, cases, found.more);
}

/* ---- log ---- */

static int
read_since(struct control_cmd *c, int64_t *since_ms)
{
	const char *since = control_cmd_text(c, "since");
	int32_t day;

	*since_ms = 0;
	if (since == NULL)
		return KL_OK;
	if (kl_day_read(since, &day) != KL_OK)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/since");
	*since_ms = kl_day_start_ms(day);
	return KL_OK;
}

/* What the broker's log calls the case: a story asks for that, since the broker
 * forgets the spoken reference before its log ends. */
static void
put_ref(json_t *o, const struct kl_ref *ref)
{
	static const struct kl_ref none;
	char hex[2 * sizeof ref->b + 1];

	if (memcmp(ref, &none, sizeof none) == 0)
		return;
	kl_hex(KL_BYTES_OF(*ref), hex);
	(void)json_object_set_new(o, "conv_ref", json_string(hex));
}

/* The lines of one case, whether or not it is still here. */
static int
log_of(struct control_cmd *c, const struct access_found *of,
    int64_t since_ms, json_t *cases)
{
	struct engine_case k;
	json_t *o;
	int r, held = engine_case_get(c->engine, &of->conv, &k);

	if (held != KL_OK && held != KL_E_NOT_FOUND)
		return held;
	if ((r = subject_log(c->engine, &c->by, ENGINE_LOOKED, &of->conv)) !=
	    KL_OK ||
	    (r = view_subject_lines(c->engine, of, since_ms, &o)) != KL_OK)
		return r;
	(void)json_object_set_new(o, "held", json_boolean(held == KL_OK));
	put_ref(o, held == KL_OK ? &k.conv_ref : &of->ref);
	if (held == KL_OK && k.referral_id[0] != '\0')
		(void)json_object_set_new(o, "referral_id",
		    json_string(k.referral_id));
	if (held == KL_OK && k.spoken.b[0] != '\0')
		(void)json_object_set_new(o, "reference",
		    json_string(kl_spoken_text(&k.spoken).b));
	return json_array_append_new(cases, o) != 0 ? KL_E_MEMORY : KL_OK;
}

int
control_subject_log(struct control_cmd *c)
{
	struct access_list found;
	int64_t since_ms;
	json_t *cases;
	int r;

	if ((r = read_since(c, &since_ms)) != KL_OK ||
	    (r = find(c, all_meant(c), &found)) != KL_OK)
		return r;
	if ((cases = json_array()) == NULL)
		return KL_E_MEMORY;
	for (size_t i = 0; r == KL_OK && i < found.n; i++)
		r = log_of(c, &found.at[i], since_ms, cases);
	if (r != KL_OK) {
		json_decref(cases);
		return r;
	}
	return answer_take(c, cases, found.more);
}

/* ---- export ---- */

/* At a desk with its attempts to make contact. */
static int
view_whole(struct engine *e, const struct engine_case *k, json_t **out)
{
	int r = view_subject_case(e, k, out);

	if (r == KL_OK && !k->mine)
		(void)json_object_set_new(*out, "attempts",
		    control_desk_attempts(e, &k->conv));
	return r;
}

int
control_subject_export(struct control_cmd *c)
{
	struct access_list found;
	json_t *cases;
	int r = find(c, all_meant(c), &found);

	if (r != KL_OK)
		return r;
	if ((cases = json_array()) == NULL)
		return KL_E_MEMORY;
	r = cases_of(c, &found, ENGINE_EXPORTED, view_whole, cases);
	if (r != KL_OK) {
		json_decref(cases);
		return r;
	}
	return answer_take(c, cases, found.more);
}

/* ---- erase ---- */

/* The case with the i-th of the numbers. KL_E_NOT_FOUND: none, or it is
 * erased by now. */
static int
numbered(struct control_cmd *c, size_t i, struct engine_case *k)
{
	const json_t *v = json_array_get(json_object_get(c->question,
	    "numbers"), i);
	const json_int_t n = json_integer_value(v);
	int r;

	if (n < 1)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/numbers");
	r = engine_case_next(c->engine, (uint64_t)n - 1, k);
	return r == KL_OK && k->number != (uint64_t)n ? KL_E_NOT_FOUND : r;
}

/* All may be erased, or none is: a partner does not withdraw. */
static int
check_numbers(struct control_cmd *c, size_t *n)
{
	const struct config *conf = engine_config(c->engine);
	const json_t *numbers = json_object_get(c->question, "numbers");
	struct engine_case k;
	int r = KL_OK;

	*n = json_array_size(numbers);
	if (*n == 0 || *n > ACCESS_FOUND_MAX)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/numbers");
	for (size_t i = 0; i < *n && r == KL_OK; i++) {
		r = numbered(c, i, &k);
		if (r == KL_E_NOT_FOUND)
			return control_cmd_refuse(c, KL_C_REFERRAL_UNKNOWN,
			    "/numbers");
		if (r == KL_OK && k.open && conf->role == KL_PARTNER)
			return control_cmd_refuse(c, KL_C_ROLE, "/numbers");
	}
	return r;
}

static int
erase_one(struct control_cmd *c, const struct engine_case *k, json_t *cases)
{
	enum subject_erased how;
	struct kl_finding why;
	json_t *o;
	int r = subject_erase(c->engine, &c->by, &k->conv, &how, &why);

	if (r == KL_E_REFUSED)
		return control_cmd_refuse(c, why.code, "/numbers");
	if (r != KL_OK)
		return r;
	o = json_pack("{s:s}", "done", how == SUBJECT_WIPED ? "erased" :
	    how == SUBJECT_BEFORE ? "withdrawn_before" : "withdrawn");
	if (k->spoken.b[0] != '\0')
		(void)json_object_set_new(o, "reference",
		    json_string(kl_spoken_text(&k->spoken).b));
	if (k->referral_id[0] != '\0')
		(void)json_object_set_new(o, "referral_id",
		    json_string(k->referral_id));
	return json_array_append_new(cases, o) != 0 ? KL_E_MEMORY : KL_OK;
}

int
control_subject_erase(struct control_cmd *c)
{
	struct engine_case k;
	json_t *cases;
	size_t n;
	int r = check_numbers(c, &n);

	if (r != KL_OK)
		return r;
	if ((cases = json_array()) == NULL)
		return KL_E_MEMORY;
	for (size_t i = 0; i < n && r == KL_OK; i++)
		if ((r = numbered(c, i, &k)) == KL_OK)
			r = erase_one(c, &k, cases);
	if (r != KL_OK) {
		json_decref(cases);
		return r;
	}
	c->wait = CONTROL_ERASED;
	if ((r = answer_take(c, cases, false)) == KL_OK)
		(void)json_object_set_new(c->answer, "log_until",
		    json_string(kl_day_text(kl_day_of(subject_log_until_ms(
		    c->engine))).b));
	return r;
}
