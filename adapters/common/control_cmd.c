#include "adapters/common/control_cmd.h"

#include <string.h>

#include "adapters/common/access.h"
#include "adapters/common/control_alarm.h"
#include "adapters/common/control_audit.h"
#include "adapters/common/control_backup.h"
#include "adapters/common/control_case.h"
#include "adapters/common/control_desk.h"
#include "adapters/common/control_policy.h"
#include "adapters/common/control_profile.h"
#include "adapters/common/control_rewrap.h"
#include "adapters/common/control_show.h"
#include "adapters/common/control_subject.h"
#include "adapters/common/control_withdraw.h"
#include "adapters/common/view.h"

#define MEMBERS_MAX 8

const char *
control_cmd_text(const struct control_cmd *c, const char *member)
{
	return json_string_value(json_object_get(c->question, member));
}

struct kl_bytes
control_cmd_file(const struct control_cmd *c)
{
	const json_t *v = json_object_get(c->question, "file");

	return kl_bytes(json_string_value(v), json_string_length(v));
}

int
control_cmd_refuse(struct control_cmd *c, uint32_t code, const char *field)
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

int
control_cmd_answer(struct control_cmd *c, json_t *more)
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

int
control_cmd_number(struct control_cmd *c, const char *pointer, uint64_t max,
    uint64_t *out)
{
	const json_t *v = json_object_get(c->question, pointer + 1);
	const json_int_t n = json_integer_value(v);

	if (v == NULL)
		return KL_OK;
	if (!json_is_integer(v) || n < 0 || (uint64_t)n > max)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, pointer);
	*out = (uint64_t)n;
	return KL_OK;
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
	{ "status", ANY, { "wait" }, control_show_status },
	{ "rewrap", ANY, { "start" }, control_rewrap_run },
	{ "backup", ANY, { "start" }, control_backup_run },
	{ "list", ANY, { "after", "max" }, control_show_list },
	{ "show", ANY, { "reference" }, control_show_case },
	{ "refer", ROLE(KL_PRACTICE), { "file", "wait" }, control_case_refer },
	{ "correct", ROLE(KL_PRACTICE), { "file" }, control_case_correct },
	{ "feedback", DESK, { "file", "reference", "code", "category",
	    "ground", "wanted", "date" }, control_case_feedback },
	{ "alarms", ANY, { "after", "seen", "all" }, control_alarm_list },
	{ "evidence", ANY, { "number" }, control_alarm_evidence },
	{ "hold", ANY, { "release" }, control_alarm_hold },
	{ "attempt", DESK, { "reference", "kind", "part_of_day", "date" },
	    control_desk_attempt },
	{ "handed_over", DESK, { "reference" }, control_desk_handed_over },
	{ "profile", ANY, { "file", "id" }, control_profile_run },
	{ "policy", ANY, { NULL }, control_policy_show },
	{ "policy_load", ANY, { "policy" }, control_policy_load },
	{ "withdraw", ANY, { "reference", "scope", "cause", "again",
	    "wait" }, control_withdraw_run },
	{ "withdrawal", ANY, { "reference", "statement", "letter" },
	    control_withdraw_show },
	{ "erased", DESK, { "reference", "case_system" },
	    control_withdraw_erased },
	{ "subject_find", ANY, { "who", "name", "birth_date" },
	    control_subject_find },
	{ "subject_export", ANY, { "who", "name", "birth_date", "all" },
	    control_subject_export },
	{ "subject_log", ANY, { "who", "name", "birth_date", "all",
	    "since" }, control_subject_log },
	{ "subject_erase", ANY, { "numbers" }, control_subject_erase },
	{ "log_ask", ANY, { "request", "body" }, control_audit_ask },
	{ "names", ANY, { NULL }, control_audit_names },
	{ "take_over", ANY, { NULL }, control_show_take_over },
};

static bool
known(const struct row *row, const char *key)
{
	if (strcmp(key, "cmd") == 0 || strcmp(key, "staff") == 0 ||
	    strcmp(key, "role") == 0)
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
	const char *name = control_cmd_text(c, "cmd");

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (name != NULL && strcmp(rows[i].name, name) == 0 &&
		    (rows[i].roles & role) != 0)
			return &rows[i];
	return NULL;
}

/* Who asks, as far as they say: a name of their own list of staff, a role. */
static int
read_actor(struct control_cmd *c)
{
	const char *staff = control_cmd_text(c, "staff");
	const char *role = control_cmd_text(c, "role");

	if (staff != NULL && !access_staff_valid(staff))
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/staff");
	if (staff != NULL)
		memcpy(c->by.staff, staff, strlen(staff) + 1);
	if (role != NULL && (c->by.role = access_role_read(role)) == 0)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/role");
	return KL_OK;
}

int
control_cmd_run(struct control_cmd *c)
{
	const struct row *row = find(c);
	const char *key;
	json_t *v;
	int r;

	c->answer = NULL;
	c->wait = CONTROL_NOW;
	if (row == NULL)
		return control_cmd_refuse(c, KL_C_VALUE_UNKNOWN, "/cmd");
	json_object_foreach((json_t *)c->question, key, v)
		if (!known(row, key))
			return control_cmd_refuse(c, KL_C_FIELD_UNKNOWN, "");
	return (r = read_actor(c)) != KL_OK ? r : row->run(c);
}
