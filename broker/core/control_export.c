/* The log export, asked for now, and how it stands. */
#include "broker/core/control_priv.h"

#include "broker/core/exporter.h"

static json_t *
export_json(const struct core *c)
{
	const char *off = exporter_off(c);
	const struct export *e = &c->export;
	json_t *o = json_pack("{s:s,s:I,s:b,s:b}",
	    "dir", c->conf->export_dir,
	    "last_ms", (json_int_t)e->last_ms,
	    "overdue", exporter_overdue(c, kl_clock_now_ms(&c->clock)),
	    "running", exporter_running(c));

	if (off != NULL)
		(void)json_object_set_new(o, "off", json_string(off));
	if (e->err != KL_OK)
		(void)json_object_set_new(o, "failed",
		    json_string(kl_err_text(e->err)));
	return o;
}

void
control_export_status(const struct core *c, json_t *o)
{
	(void)json_object_set_new(o, "export", export_json(c));
}

json_t *
control_export(struct core *c, const json_t *question)
{
	(void)question;
	if (exporter_ask(c) != KL_OK)
		return json_pack("{s:b,s:s}", "ok", 0, "text",
		    exporter_off(c));
	return json_pack("{s:b,s:o}", "ok", 1, "export", export_json(c));
}

json_t *
control_export_state(struct core *c, const json_t *question)
{
	(void)question;
	return json_pack("{s:b,s:o}", "ok", 1, "export", export_json(c));
}
