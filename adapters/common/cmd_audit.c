#include "adapters/common/cmd_audit.h"

#include <kortelijn/host/control.h>
#include <kortelijn/host/fs.h>

#include "adapters/common/cmd.h"
#include "adapters/common/control.h"
#include "adapters/common/identity.h"
#include "proto/audit/checkpoint.h"
#include "proto/audit/export.h"
#include "proto/audit/names.h"
#include "proto/audit/prove.h"
#include "proto/audit/query.h"
#include "proto/audit/verify.h"
#include "proto/cli/output.h"

int
cmd_audit_link(struct cli *c, struct audit_link **out)
{
	char path[KL_CONTROL_PATH_MAX + 1];
	struct config conf;
	int r = cmd_conf(c, &conf);

	*out = NULL;
	if (r != CLI_OK)
		return r;
	if (kl_fs_path(path, sizeof path, conf.data_dir, CONTROL_SOCKET) !=
	    KL_OK)
		return output_fail(c, CLI_FILE, "%s: data_dir is too long for "
		    "a socket", c->conf_path);
	return audit_link_socket(c, path, out);
}

int
cmd_audit_names(struct cli *c, struct audit_names **out)
{
	json_t *answer;
	const json_t *o;
	size_t i;
	int r = cmd_ask(c, json_pack("{s:s}", "cmd", "names"), 0, &answer);

	*out = NULL;
	if (r != CLI_OK)
		return r;
	json_array_foreach(json_object_get(answer, "names"), i, o) {
		const char *id = json_string_value(json_object_get(o, "id"));
		const char *name = json_string_value(json_object_get(o,
		    "name"));
		struct kl_id of;

		/* One name less is no reason to tell nothing. */
		if (id != NULL && name != NULL &&
		    kl_id_read(id, &of) == KL_OK &&
		    audit_names_add(out, &of, name) != KL_OK)
			break;
	}
	json_decref(answer);
	return CLI_OK;
}

/* Public keys only, from key_dir. */
static int
keys_read(struct cli *c, struct kl_sign_pk *authority,
    struct kl_sign_pk *broker)
{
	struct config conf;
	const char *what = "";
	int e, r = cmd_conf(c, &conf);

	if (r != CLI_OK)
		return r;
	e = identity_broker(&conf, authority, broker, &what);
	return e == KL_OK ? CLI_OK : output_fail_err(c, e, what);
}

int
cmd_audit_query(struct cli *c)
{
	struct audit_names *names = NULL;
	struct audit_link *l = NULL;
	int r;

	if ((r = cmd_audit_link(c, &l)) == CLI_OK &&
	    (r = cmd_audit_names(c, &names)) == CLI_OK)
		r = audit_query(c, l, names);
	audit_names_free(names);
	audit_link_close(l);
	return r;
}

/* What needs the key of the log's checkpoints. */
static int
with_key(struct cli *c, int (*run)(const struct cli *, struct audit_link *,
    const struct kl_sign_pk *))
{
	struct kl_sign_pk authority, broker;
	struct audit_link *l = NULL;
	int r;

	if ((r = cmd_audit_link(c, &l)) == CLI_OK &&
	    (r = keys_read(c, &authority, &broker)) == CLI_OK)
		r = run(c, l, &broker);
	audit_link_close(l);
	return r;
}

int
cmd_audit_checkpoint(struct cli *c)
{
	return with_key(c, audit_checkpoint);
}

int
cmd_audit_prove(struct cli *c)
{
	return with_key(c, audit_prove);
}

/* What this organisation may read, with the proof of it. The cards are the
 * broker's; its page calls organisations as they are known here. */
int
cmd_audit_export(struct cli *c)
{
	struct kl_sign_pk authority, broker;
	struct audit_names *names = NULL;
	struct audit_link *l = NULL;
	struct kl_id_text reader;
	struct config conf;
	int r;

	if ((r = cmd_conf(c, &conf)) == CLI_OK &&
	    (r = cmd_audit_link(c, &l)) == CLI_OK &&
	    (r = keys_read(c, &authority, &broker)) == CLI_OK &&
	    (r = cmd_audit_names(c, &names)) == CLI_OK) {
		reader = kl_id_text(&conf.id);
		r = audit_export(c, l, &(struct audit_export){ .pk = &broker,
		    .names = names, .reader = reader.b });
	}
	audit_names_free(names);
	audit_link_close(l);
	return r;
}

int
cmd_audit_verify(struct cli *c)
{
	struct audit_trust t = { .n = 0 };
	struct kl_sign_pk authority;
	bool has_key;
	int r = audit_trust_options(c, &t, &has_key);

	/* With the key given nothing else of this machine is needed. */
	if (r == CLI_OK && !has_key)
		r = keys_read(c, &authority, &t.pk);
	return r == CLI_OK ? audit_verify(c, &t, NULL) : r;
}
