#include "adapters/common/control_profile.h"

#include "adapters/common/directory.h"
#include "adapters/common/profile.h"
#include "adapters/common/view.h"

#define ARENA_BYTES (512 * 1024)
#define ARENA_ALLOCS 8192

static int
profile_set(struct control_cmd *c, struct kl_arena *mem)
{
	struct kl_finding why = { .code = KL_C_OK };
	struct kl_profile_details details;
	struct kl_profile p;
	struct kl_bytes packed;
	int r = profile_read(control_cmd_file(c), mem, &p, &details, &why);

	if (r == KL_E_REFUSED) {
		c->answer = view_refusal(&why);
		return r;
	}
	if (r == KL_OK)
		r = profile_sign(engine_identity(c->engine), &p, &details,
		    mem, &packed);
	if (r == KL_E_SIZE || r == KL_E_VALUE)
		return control_cmd_refuse(c, KL_C_FIELD_TOO_LONG, "");
	if (r == KL_OK)
		r = engine_publish(c->engine, KL_PROFILE, packed);
	return r != KL_OK ? r : control_cmd_answer(c, json_object());
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
		return control_cmd_refuse(c, KL_C_RECEIVER_UNKNOWN, "");
	if (r != KL_OK)
		return r;
	if ((text = kl_arena_alloc(mem, PROFILE_TEXT_MAX)) == NULL)
		return KL_E_MEMORY;
	r = profile_text(&p, &details, (enum kl_lang)conf->lang, text,
	    PROFILE_TEXT_MAX, &n);
	return r != KL_OK ? r : control_cmd_answer(c,
	    json_pack("{s:s,s:s}", "id", kl_id_text(id).b, "text", text));
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
	return control_cmd_answer(c, json_pack("{s:o}", "receivers", a));
}

int
control_profile_run(struct control_cmd *c)
{
	const struct config *conf = engine_config(c->engine);
	struct kl_arena *mem = kl_arena_new(ARENA_BYTES, ARENA_ALLOCS);
	const char *text = control_cmd_text(c, "id");
	struct kl_id id = conf->id;
	int r = KL_E_MEMORY;

	if (mem == NULL)
		return r;
	engine_refresh(c->engine);
	if (control_cmd_text(c, "file") != NULL && conf->role != KL_PRACTICE)
		r = profile_set(c, mem);
	else if (text != NULL && kl_id_read(text, &id) != KL_OK)
		r = control_cmd_refuse(c, KL_C_FIELD_VALUE, "/id");
	else if (text == NULL && conf->role == KL_PRACTICE)
		r = profile_list(c);
	else
		r = profile_show(c, mem, &id);
	kl_arena_free(mem);
	return r;
}
