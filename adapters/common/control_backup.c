#include "adapters/common/control_backup.h"

#include "adapters/common/backup.h"
#include "adapters/common/view.h"

int
control_backup_run(struct control_cmd *c)
{
	struct backup_status s;
	json_t *o;

	if (json_is_true(json_object_get(c->question, "start"))) {
		backup_ask(c->engine);
		engine_wake(c->engine);
	}
	s = backup_status(c->engine);
	o = json_pack("{s:b}", "running", s.running);
	view_put_backup(c->engine, o);
	if (s.failed != KL_OK)
		(void)json_object_set_new(o, "failed",
		    json_string(kl_err_text(s.failed)));
	return control_cmd_answer(c, o);
}
