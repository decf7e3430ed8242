#include "adapters/common/control_rewrap.h"

#include "adapters/common/rewrap.h"
#include "adapters/common/view.h"

int
control_rewrap_run(struct control_cmd *c)
{
	struct rewrap_status s;
	json_t *o;

	if (json_is_true(json_object_get(c->question, "start")))
		rewrap_ask(c->engine);
	s = rewrap_status(c->engine);
	o = json_pack("{s:b,s:i,s:i}", "rewrapping", s.running,
	    "done", (int)s.done, "slots", (int)s.slots);
	view_put_erasure(c->engine, o);
	if (s.failed != KL_OK)
		(void)json_object_set_new(o, "failed",
		    json_string(kl_err_text(s.failed)));
	return control_cmd_answer(c, o);
}
