#include "adapters/common/control_cmd.h"

#include <string.h>

#include <kortelijn/domain/render.h>

#include "adapters/common/directory.h"
#include "adapters/common/profile.h"
#include "adapters/common/view.h"

#define MEMBERS_MAX 8
/* Cases in one answer, at most some 2 KiB each. */
#define LIST_MAX 1000
#define ARENA_BYTES (512 * 1024)
#define ARENA_ALLOCS 8192

static const char *
text_of(const struct control_cmd *c, const char *member)
{
	return json_string_value(json_object_get(c->question, member));
}

static struct kl_bytes
file_of(const struct control_cmd *c)
{
	const json_t *v = json_object_get(c->question, "file");

	return kl_bytes(json_string_value(v), json_string_length(v));
}

static int
refuse(struct control_cmd *c, uint32_t code, const char *field)
{
	struct kl_finding why;

	kl_finding_set(&why, code, field);
	c->answer = view_refusal(&why);
	return KL_E_REFUSED;
}

json_t *
control_cmd_refusal(uint32_t code)
{
	struct kl_finding why;

	kl_finding_set(&why, code, "");
	return view_refusal(&why);
}

/* Members of `more`, which it takes, into the answer. */
static int
answer_take(struct control_cmd *c, json_t *more)
{
	if (more == NULL)
		return KL_E_MEMORY;
	if (json_object_set_new(more, "ok", json_true()) != 0) {
		json_decref(more);
		return KL_E_MEMORY;
	}
	c->answer = more;
	return KL_OK;
}

/* ---- what goes in ---- */

/* Why nothing leaves now, "" if it does or may soon: what is kept would wait
 * without anybody knowing. */
static const char *
hindrance(const struct engine_status *s, bool dutch)
{
	if (s->session == ENGINE_CONFLICT)
		return dutch ? "een andere installatie gebruikt deze kaart" :
		    "another installation holds this card";
	if (s->session == ENGINE_NOT_SERVED)
		return dutch ? "de broker bedient deze koppeling niet" :
		    "the broker does not serve this adapter";
	if (s->session == ENGINE_NO_LINK)
		return dutch ? "geen verbinding met de broker" :
		    "no connection to the broker";
	if (!s->may_seal)
		return dutch ? "de klok van deze computer loopt niet gelijk" :
		    "the clock of this computer is wrong";
	return "";
}

static void
put_hindrance(struct engine *e, json_t *o)
{
	struct engine_status s;

	engine_session(e, &s);
	if (hindrance(&s, true)[0] == '\0')
		return;
	(void)json_object_set_new(o, "hindrance_en",
	    json_string(hindrance(&s, false)));
	(void)json_object_set_new(o, "hindrance_nl",
	    json_string(hindrance(&s, true)));
}

/* The phone number of the other side, for when somebody must call. */
static void
put_phone(struct engine *e, const struct engine_case *k, json_t *o)
{
	struct kl_arena *mem = kl_arena_new(ARENA_BYTES, ARENA_ALLOCS);
	struct kl_profile_details details;
	struct kl_bytes phone = KL_BYTES_NONE;
	struct kl_profile p;

	if (mem != NULL && directory_profile(engine_store(e), mem, &k->peer,
	    &p, &details) == KL_OK)
		phone = k->crisis && p.crisis_phone.n > 0 ? p.crisis_phone :
		    p.phone;
	if (phone.n > 0)
		(void)json_object_set_new(o, "peer_phone",
		    json_stringn((const char *)phone.p, phone.n));
	kl_arena_free(mem);
}

/* What a practice wants to know of a case right after a file. */
static json_t *
case_answer(struct engine *e, const struct kl_conv_id *conv)
{
	struct engine_case k;
	json_t *o = NULL;

	if (engine_case_get(e, conv, &k) == KL_OK)
		o = view_case(engine_config(e), &k);
	if (o != NULL) {
		(void)json_object_set_new(o, "ok", json_true());
		(void)json_object_set_new(o, "accepted",
		    json_boolean(k.has_leaf));
		if (k.waiting > 0)
			put_hindrance(e, o);
		if (k.crisis)
			put_phone(e, &k, o);
	}
	return o;
}

/* After duplicate_file and conflict: which case the first one made. */
static void
put_first(struct control_cmd *c, const struct engine_taken *t)
{
	if (t->spoken.b[0] != '\0')
		(void)json_object_set_new(c->answer, "reference",
		    json_string(kl_spoken_text(&t->spoken).b));
	(void)json_object_set_new(c->answer, "referral_id",
	    json_string(t->referral_id));
}

static int
taken(struct control_cmd *c, int r, const struct engine_taken *t,
    const struct kl_finding *why)
{
	if (r == KL_E_REFUSED) {
		c->answer = view_refusal(why);
		if (why->code == KL_C_DUPLICATE_FILE ||
		    why->code == KL_C_CONFLICT)
			put_first(c, t);
		return r;
	}
	if (r != KL_OK)
		return r;
	c->conv = t->conv;
	if ((c->answer = case_answer(c->engine, &t->conv)) == NULL)
		return KL_E_MEMORY;
	(void)json_object_set_new(c->answer, "sends",
	    json_boolean(t->sends));
	return KL_OK;
}

static int
run_refer(struct control_cmd *c)
{
	struct engine_taken t = { .referral_id = "" };
	struct kl_finding why = { .code = KL_C_OK };

	c->wait = CONTROL_ACCEPTED;
	return taken(c, engine_refer(c->engine, &c->by, file_of(c), &t, &why),
	    &t, &why);
}

static int
run_correct(struct control_cmd *c)
{
	struct engine_taken t = { .referral_id = "" };
	struct kl_finding why = { .code = KL_C_OK };

	return taken(c, engine_correct(c->engine, &c->by, file_of(c), &t,
	    &why), &t, &why);
}

/* A value of a closed list, 0 if it is not given. */
static int
item_of(struct control_cmd *c, const char *pointer, enum kl_list list,
    uint32_t *out)
{
	const char *name = text_of(c, pointer + 1);

	*out = name == NULL ? 0 : kl_list_read(list, name);
	return name != NULL && *out == 0 ?
	    refuse(c, KL_C_FIELD_VALUE, pointer) : KL_OK;
}

static int
feedback_of(struct control_cmd *c, struct kl_feedback *f)
{
	const char *code = text_of(c, "code"), *date = text_of(c, "date");
	int r;

	memset(f, 0, sizeof *f);
	if (code == NULL)
		return refuse(c, KL_C_FIELD_MISSING, "/code");
	f->code = kl_state_read(code);
	if (!kl_state_sendable(f->code))
		return refuse(c, KL_C_FIELD_VALUE, "/code");
	if ((r = item_of(c, "/category", KL_LIST_CATEGORY, &f->category)) !=
	    KL_OK ||
	    (r = item_of(c, "/ground", KL_LIST_GROUND, &f->ground)) != KL_OK ||
	    (r = item_of(c, "/wanted", KL_LIST_WANTED, &f->wanted)) != KL_OK)
		return r;
	if (date != NULL && kl_day_read(date, &f->day) != KL_OK)
		return refuse(c, KL_C_FIELD_VALUE, "/date");
	return KL_OK;
}

/* What may follow now, for who mistyped: close to what the engine checks. */
static void
put_next(struct control_cmd *c, const struct kl_spoken *spoken)
{
	const struct kl_state_row *row;
	struct kl_step step = { .milestone = KL_MS_NONE };
	struct engine_case k;
	json_t *a;

	if (engine_case_find(c->engine, kl_spoken_text(spoken).b, &k) !=
	    KL_OK || (a = json_array()) == NULL)
		return;
	step.milestone = (enum kl_milestone)k.milestone;
	step.corrected = k.corrected;
	for (size_t i = 0; (row = kl_state_at(i)) != NULL; i++)
		if (kl_state_sendable(row->code) && kl_state_may_follow(
		    k.full_state, row->code, &step))
			(void)json_array_append_new(a,
			    json_string(row->name));
	(void)json_object_set_new(c->answer, "possible", a);
}

static int
run_feedback(struct control_cmd *c)
{
	const char *reference = text_of(c, "reference");
	struct engine_taken t = { .referral_id = "" };
	struct kl_finding why = { .code = KL_C_OK };
	struct kl_feedback f;
	struct kl_spoken spoken;
	int r;

	if (text_of(c, "file") != NULL)
		return taken(c, engine_feedback_file(c->engine, &c->by,
		    file_of(c), &t, &why), &t, &why);
	if (reference == NULL)
		return refuse(c, KL_C_FIELD_MISSING, "/reference");
	if (kl_spoken_read(reference, &spoken) != KL_OK)
		return refuse(c, KL_C_FIELD_VALUE, "/reference");
	if ((r = feedback_of(c, &f)) == KL_OK)
		r = taken(c, engine_feedback(c->engine, &c->by, &spoken, &f,
		    &t, &why), &t, &why);
	if (r == KL_E_REFUSED && (f.code == 0 || why.code == KL_C_STATE))
		put_next(c, &spoken);
	return r;
}

/* ---- what is shown ---- */

/* A number of 0 to max; `out` keeps its value if it is not given. */
static int
number_of(struct control_cmd *c, const char *pointer, uint64_t max,
    uint64_t *out)
{
	const json_t *v = json_object_get(c->question, pointer + 1);
	const json_int_t n = json_integer_value(v);

	if (v == NULL)
		return KL_OK;
	if (!json_is_integer(v) || n < 0 || (uint64_t)n > max)
		return refuse(c, KL_C_FIELD_VALUE, pointer);
	*out = (uint64_t)n;
	return KL_OK;
}

/* One page; "next" in it is the "after" of the next one. */
static int
run_list(struct control_cmd *c)
{
	uint64_t after = 0, max = LIST_MAX;
	json_t *rows;
	int r;

	if ((r = number_of(c, "/after", INT64_MAX, &after)) != KL_OK ||
	    (r = number_of(c, "/max", LIST_MAX, &max)) != KL_OK ||
	    (r = view_cases(c->engine, &after, max, &rows)) != KL_OK)
		return r;
	r = answer_take(c, json_pack("{s:o}", "referrals", rows));
	if (r == KL_OK && after != 0 && json_object_set_new(c->answer, "next",
	    json_integer((json_int_t)after)) != 0)
		r = KL_E_MEMORY;
	return r;
}

/* The content as text, of a case that came to us; the access log names who
 * saw it. */
static int
put_content(struct control_cmd *c, const struct engine_case *k)
{
	const struct config *conf = engine_config(c->engine);
	char text[KL_RENDER_MAX];
	struct kl_referral content;
	size_t n;
	int r;

	if (k->mine || !k->has_content)
		return KL_OK;
	r = engine_content(c->engine, &c->by, ENGINE_SAW, &k->conv,
	    &content);
	if (r == KL_E_NOT_FOUND)
		return KL_OK;
	if (r == KL_OK)
		r = kl_render_referral(&content, (enum kl_lang)conf->lang,
		    text, sizeof text, &n);
	if (r == KL_OK && json_object_set_new(c->answer, "text",
	    json_string(text)) != 0)
		r = KL_E_MEMORY;
	explicit_bzero(&content, sizeof content);
	explicit_bzero(text, sizeof text);
	return r;
}

static void
put_explanation(struct control_cmd *c, const struct engine_case *k)
{
	const bool desk = engine_config(c->engine)->role != KL_PRACTICE;
	const struct kl_state_row *row = kl_state_row(desk ? k->full_state :
	    k->state);

	if (row != NULL)
		(void)json_object_set_new(c->answer, "explanation_nl",
		    json_string(desk ? row->desk_nl : row->gp_nl));
}

static int
run_show(struct control_cmd *c)
{
	const char *reference = text_of(c, "reference");
	json_t *history = NULL;
	struct engine_case k;
	int r;

	if (reference == NULL)
		return refuse(c, KL_C_FIELD_MISSING, "/reference");
	r = engine_case_find(c->engine, reference, &k);
	if (r == KL_E_NOT_FOUND)
		return refuse(c, KL_C_REFERRAL_UNKNOWN, "");
	if (r != KL_OK ||
	    (r = view_history(c->engine, &k, &history)) != KL_OK)
		return r;
	r = answer_take(c, view_case(engine_config(c->engine), &k));
	if (r != KL_OK) {
		json_decref(history);
		return r;
	}
	put_explanation(c, &k);
	put_phone(c->engine, &k, c->answer);
	(void)json_object_set_new(c->answer, "receipts",
	    view_receipts(history));
	(void)json_object_set_new(c->answer, "history", history);
	return put_content(c, &k);
}

static int
status_answer(struct engine *e, const struct folder *folder, json_t **out)
{
	const struct config *c = engine_config(e);
	int r = view_status(e, out);

	if (r != KL_OK)
		return r;
	(void)json_object_set_new(*out, "ok", json_true());
	(void)json_object_set_new(*out, "folder", json_string(!c->folder ?
	    "off" : folder_blocked_ms(folder) != 0 ?
	    "out_not_writable" : "on"));
	return KL_OK;
}

static int
run_status(struct control_cmd *c)
{
	c->wait = CONTROL_READY;
	return status_answer(c->engine, c->folder, &c->answer);
}

static int
run_take_over(struct control_cmd *c)
{
	engine_take_over(c->engine);
	return answer_take(c, json_object());
}

/* ---- profiles ---- */

static int
profile_set(struct control_cmd *c, struct kl_arena *mem)
{
	struct kl_finding why = { .code = KL_C_OK };
	struct kl_profile_details details;
	struct kl_profile p;
	struct kl_bytes packed;
	int r = profile_read(file_of(c), mem, &p, &details, &why);

	if (r == KL_E_REFUSED) {
		c->answer = view_refusal(&why);
		return r;
	}
	if (r == KL_OK)
		r = profile_sign(engine_identity(c->engine), &p, &details,
		    mem, &packed);
	if (r == KL_E_SIZE || r == KL_E_VALUE)
		return refuse(c, KL_C_FIELD_TOO_LONG, "");
	if (r == KL_OK)
		r = engine_publish(c->engine, KL_PROFILE, packed);
	return r != KL_OK ? r : answer_take(c, json_object());
}

static int
profile_show(struct control_cmd *c, struct kl_arena *mem,
    const struct kl_id *id)
{
	const struct config *conf = engine_config(c->engine);
	struct kl_profile_details details;
	struct kl_profile p;
	char *text;
	size_t n;
	int r = directory_profile(engine_store(c->engine), mem, id, &p,
	    &details);

	if (r == KL_E_NOT_FOUND)
		return refuse(c, KL_C_RECEIVER_UNKNOWN, "");
	if (r != KL_OK)
		return r;
	if ((text = kl_arena_alloc(mem, PROFILE_TEXT_MAX)) == NULL)
		return KL_E_MEMORY;
	r = profile_text(&p, &details, (enum kl_lang)conf->lang, text,
	    PROFILE_TEXT_MAX, &n);
	return r != KL_OK ? r : answer_take(c, json_pack("{s:s,s:s}", "id",
	    kl_id_text(id).b, "text", text));
}

/* Desks that could be referred to. */
static int
profile_list(struct control_cmd *c)
{
	const struct directory *d = engine_directory(c->engine);
	const int64_t now_ms = engine_now_ms(c->engine);
	json_t *a = json_array();

	for (size_t i = 0; i < directory_cards(d); i++) {
		const struct directory_card *k = directory_at(d, i);

		if ((k->role == KL_MUNICIPALITY || k->role == KL_PARTNER) &&
		    directory_card_valid(k, now_ms))
			(void)json_array_append_new(a, json_pack(
			    "{s:s,s:s,s:s}", "id", kl_id_text(&k->id).b,
			    "role", kl_role_name(k->role), "name", k->name));
	}
	return answer_take(c, json_pack("{s:o}", "receivers", a));
}

static int
run_profile(struct control_cmd *c)
{
	const struct config *conf = engine_config(c->engine);
	struct kl_arena *mem = kl_arena_new(ARENA_BYTES, ARENA_ALLOCS);
	const char *text = text_of(c, "id");
	struct kl_id id = conf->id;
	int r = KL_E_MEMORY;

	if (mem == NULL)
		return r;
	engine_refresh(c->engine);
	if (text_of(c, "file") != NULL && conf->role != KL_PRACTICE)
		r = profile_set(c, mem);
	else if (text != NULL && kl_id_read(text, &id) != KL_OK)
		r = refuse(c, KL_C_FIELD_VALUE, "/id");
	else if (text == NULL && conf->role == KL_PRACTICE)
		r = profile_list(c);
	else
		r = profile_show(c, mem, &id);
	kl_arena_free(mem);
	return r;
}

/* ---- the table ---- */

#define ROLE(r) (1u << (r))
#define ANY (~0u)
#define DESK (ROLE(KL_MUNICIPALITY) | ROLE(KL_PARTNER))

static const struct row {
	const char *name;
	unsigned roles;
	const char *members[MEMBERS_MAX];	/* NULL-terminated */
	int (*run)(struct control_cmd *c);
} rows[] = {
	{ "status", ANY, { "wait" }, run_status },
	{ "list", ANY, { "after", "max" }, run_list },
	{ "show", ANY, { "reference" }, run_show },
	{ "refer", ROLE(KL_PRACTICE), { "file", "wait" }, run_refer },
	{ "correct", ROLE(KL_PRACTICE), { "file" }, run_correct },
	{ "feedback", DESK, { "file", "reference", "code", "category",
	    "ground", "wanted", "date" }, run_feedback },
	{ "profile", ANY, { "file", "id" }, run_profile },
	{ "take_over", ANY, { NULL }, run_take_over },
};

static bool
known(const struct row *row, const char *key)
{
	if (strcmp(key, "cmd") == 0)
		return true;
	for (size_t i = 0; row->members[i] != NULL; i++)
		if (strcmp(row->members[i], key) == 0)
			return true;
	return false;
}

static const struct row *
find(const struct control_cmd *c)
{
	const unsigned role = ROLE(engine_config(c->engine)->role);
	const char *name = text_of(c, "cmd");

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (name != NULL && strcmp(rows[i].name, name) == 0 &&
		    (rows[i].roles & role) != 0)
			return &rows[i];
	return NULL;
}

int
control_cmd_run(struct control_cmd *c)
{
	const struct row *row = find(c);
	const char *key;
	json_t *v;

	c->answer = NULL;
	c->wait = CONTROL_NOW;
	if (row == NULL)
		return refuse(c, KL_C_VALUE_UNKNOWN, "/cmd");
	json_object_foreach((json_t *)c->question, key, v)
		if (!known(row, key))
			return refuse(c, KL_C_FIELD_UNKNOWN, "");
	return row->run(c);
}

/* ---- what is waited for ---- */

static int
poll_accepted(struct engine *e, const struct kl_conv_id *conv,
    json_t **answer)
{
	struct engine_case k;
	int r = engine_case_get(e, conv, &k);

	if (r != KL_OK)
		return r;
	if (k.refused != 0)
		*answer = control_cmd_refusal(k.refused);
	else if (!k.has_leaf)
		return KL_E_EMPTY;
	else
		*answer = case_answer(e, conv);
	return *answer != NULL ? KL_OK : KL_E_MEMORY;
}

int
control_cmd_poll(struct engine *e, const struct folder *folder,
    enum control_wait wait, const struct kl_conv_id *conv, json_t **answer)
{
	struct engine_status s;
	int r;

	*answer = NULL;
	if (wait == CONTROL_ACCEPTED)
		return poll_accepted(e, conv, answer);
	if ((r = engine_status(e, &s)) != KL_OK)
		return r;
	if (s.session != ENGINE_READY)
		return KL_E_EMPTY;
	return status_answer(e, folder, answer);
}

json_t *
control_cmd_late(struct engine *e, enum control_wait wait,
    const struct kl_conv_id *conv)
{
	struct engine_status s;
	struct engine_case k;
	const char *session = "";
	json_t *o = control_cmd_refusal(KL_C_TRY_LATER);

	if (engine_status(e, &s) == KL_OK)
		session = engine_session_name(s.session);
	(void)json_object_set_new(o, "session", json_string(session));
	if (wait == CONTROL_READY) {
		(void)json_object_set_new(o, "en", json_string(
		    "the broker does not serve this adapter yet"));
		(void)json_object_set_new(o, "nl", json_string(
		    "de broker bedient deze koppeling nog niet"));
		return o;
	}
	/* Not refused: whoever sends it again under a new id sends it twice. */
	(void)json_object_set_new(o, "kept", json_true());
	put_hindrance(e, o);
	(void)json_object_set_new(o, "en", json_string("it is kept here and "
	    "is sent as soon as possible, but was not accepted yet"));
	(void)json_object_set_new(o, "nl", json_string("de verwijzing ligt "
	    "hier veilig en gaat zo spoedig mogelijk weg, maar is nog niet "
	    "aangenomen"));
	if (engine_case_get(e, conv, &k) == KL_OK)
		(void)json_object_set_new(o, "referral_id",
		    json_string(k.referral_id));
	return o;
}
