#include "adapters/common/control_withdraw.h"

#include <string.h>

#include <kortelijn/host/textfile.h>

#include "adapters/common/control_case.h"
#include "adapters/common/json_withdrawal.h"
#include "adapters/common/letter_withdrawal.h"
#include "adapters/common/subject.h"
#include "adapters/common/view.h"

/* ---- answers --------------------------------------------------------- */

void
control_withdraw_put(struct engine *e, const struct kl_conv_id *conv,
    json_t *o)
{
	struct engine_withdrawal w;

	if (engine_withdrawal(e, conv, &w) == KL_OK)
		(void)json_object_set_new(o, "withdrawal",
		    json_withdrawal(&w));
}

/* The case with its withdrawal. NULL: no such, or no memory. */
static json_t *
case_answer(struct engine *e, const struct kl_conv_id *conv)
{
	json_t *o = control_case_answer(e, conv);
	struct engine_case k;

	if (o == NULL)
		return NULL;
	control_withdraw_put(e, conv, o);
	if (engine_case_get(e, conv, &k) == KL_OK) {
		if (k.withdrawing)
			control_case_hindrance(e, o);
		control_case_phone(e, &k, o);
	}
	return o;
}

int
control_withdraw_poll(struct engine *e, const struct kl_conv_id *conv,
    json_t **answer)
{
	struct engine_withdrawal w;
	int r = engine_withdrawal(e, conv, &w);

	if (r != KL_OK)
		return r;
	if (w.ours && !w.done)
		return KL_E_EMPTY;
	*answer = case_answer(e, conv);
	return *answer != NULL ? KL_OK : KL_E_MEMORY;
}

/* ---- withdraw -------------------------------------------------------- */

static int
read_want(struct control_cmd *c, struct engine_withdraw_want *want)
{
	const char *scope = control_cmd_text(c, "scope");
	const char *cause = control_cmd_text(c, "cause");

	*want = (struct engine_withdraw_want){ KL_SCOPE_ALL,
		KL_CAUSE_RESIDENT,
		json_is_true(json_object_get(c->question, "again")) };
	if (scope != NULL && strcmp(scope, "feedback") == 0)
		want->scope = KL_SCOPE_FEEDBACK;
	else if (scope != NULL && strcmp(scope, "all") != 0)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/scope");
	if (cause != NULL && strcmp(cause, "sent-in-error") == 0)
		want->cause = KL_CAUSE_SENT_IN_ERROR;
	else if (cause != NULL && strcmp(cause, "resident") != 0)
		return control_cmd_refuse(c, KL_C_FIELD_VALUE, "/cause");
	return KL_OK;
}

int
control_withdraw_run(struct control_cmd *c)
{
	const char *reference = control_cmd_text(c, "reference");
	struct engine_withdraw_want want;
	struct kl_finding why = { .code = KL_C_OK };
	int r;

	if (reference == NULL)
		return control_cmd_refuse(c, KL_C_FIELD_MISSING,
		    "/reference");
	if ((r = read_want(c, &want)) != KL_OK)
		return r;
	r = engine_withdraw(c->engine, &c->by, reference, &want, &c->conv,
	    &why);
	if (r == KL_E_REFUSED)
		c->answer = view_refusal(&why);
	if (r != KL_OK)
		return r;
	c->wait = CONTROL_WITHDRAWN;
	c->answer = case_answer(c->engine, &c->conv);
	return c->answer != NULL ? KL_OK : KL_E_MEMORY;
}

/* ---- withdrawal ------------------------------------------------------ */

/* The signed statement as the line of a file, for the broker's operator. */
static int
put_statement(struct control_cmd *c)
{
	struct engine_withdrawal w;
	char line[KL_WITHDRAWAL_MAX * 2];
	int r = engine_withdrawal(c->engine, &c->conv, &w);

	if (r == KL_E_NOT_FOUND || (r == KL_OK && !w.ours)) {
		json_decref(c->answer);
		return control_cmd_refuse(c, KL_C_REFERRAL_UNKNOWN,
		    "/reference");
	}
	if (r == KL_OK)
		r = kl_textfile_print(KL_TAG_WITHDRAWAL, NULL,
		    kl_bytes(w.statement, w.n_statement), line, sizeof line);
	if (r == KL_OK && json_object_set_new(c->answer, "statement",
	    json_string(line)) != 0)
		r = KL_E_MEMORY;
	return r;
}

static int
put_letter(struct control_cmd *c, enum letter_form form)
{
	char *text = NULL;
	size_t n;
	int r = letter_withdrawal_make(c->engine, &c->by, &c->conv, form, &text,
	    &n);

	if (r == KL_E_NOT_FOUND || r == KL_E_EMPTY) {
		json_decref(c->answer);
		return control_cmd_refuse(c, r == KL_E_EMPTY ?
		    KL_C_TRY_LATER : KL_C_REFERRAL_UNKNOWN, "/reference");
	}
	if (r == KL_OK && json_object_set_new(c->answer, "letter",
	    json_stringn(text, strlen(text))) != 0)
		r = KL_E_MEMORY;
	letter_text_free(text);
	return r;
}

static int
put_wanted(struct control_cmd *c)
{
	const char *letter = control_cmd_text(c, "letter");
	int r = KL_OK;

	if (json_is_true(json_object_get(c->question, "statement")))
		r = put_statement(c);
	if (r != KL_OK || letter == NULL)
		return r;
	return put_letter(c, strcmp(letter, "html") == 0 ? LETTER_HTML :
	    LETTER_TEXT);
}

int
control_withdraw_show(struct control_cmd *c)
{
	const char *reference = control_cmd_text(c, "reference");
	struct engine_case k;
	int r;

	if (reference == NULL)
		return control_cmd_refuse(c, KL_C_FIELD_MISSING,
		    "/reference");
	r = engine_case_find(c->engine, reference, &k);
	if (r == KL_E_NOT_FOUND)
		return control_cmd_refuse(c, KL_C_REFERRAL_UNKNOWN,
		    "/reference");
	if (r != KL_OK || (r = subject_log(c->engine, &c->by, ENGINE_SAW,
	    &k.conv)) != KL_OK)
		return r;
	c->conv = k.conv;
	c->answer = case_answer(c->engine, &k.conv);
	return c->answer != NULL ? put_wanted(c) : KL_E_MEMORY;
}

/* ---- erased ---------------------------------------------------------- */

int
control_withdraw_erased(struct control_cmd *c)
{
	const char *reference = control_cmd_text(c, "reference");
	const char *word = control_cmd_text(c, "case_system");
	const uint32_t outcome = word == NULL ? 0 :
	    json_withdrawal_outcome_read(word);
	struct kl_finding why = { .code = KL_C_OK };
	int r;

	if (reference == NULL)
		return control_cmd_refuse(c, KL_C_FIELD_MISSING,
		    "/reference");
	if (outcome == 0)
		return control_cmd_refuse(c, word == NULL ?
		    KL_C_FIELD_MISSING : KL_C_FIELD_VALUE, "/case_system");
	r = engine_erased(c->engine, &c->by, reference, outcome, &c->conv,
	    &why);
	if (r == KL_E_REFUSED)
		c->answer = view_refusal(&why);
	if (r != KL_OK)
		return r;
	c->answer = case_answer(c->engine, &c->conv);
	return c->answer != NULL ? KL_OK : KL_E_MEMORY;
}
