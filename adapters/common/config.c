#include "adapters/common/config.h"

#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/nightly.h>
#include <kortelijn/host/link.h>
#include <kortelijn/host/slots.h>

#define SLOTS_DEFAULT 16384
#define MAP_DEFAULT 256		/* MiB */

static const struct kl_conf_choice roles[] = {
	{ "practice", KL_PRACTICE }, { "municipality", KL_MUNICIPALITY },
	{ "partner", KL_PARTNER }, { NULL, 0 },
};
static const struct kl_conf_choice realms[] = {
	{ "production", KL_PRODUCTION }, { "training", KL_TRAINING },
	{ NULL, 0 },
};
static const struct kl_conf_choice langs[] = {
	{ "nl", KL_NL }, { "en", KL_EN }, { NULL, 0 },
};
static const struct kl_conf_choice erasures[] = {
	{ "verified", KL_ERASURE_VERIFIED },
	{ "best-effort", KL_ERASURE_BEST_EFFORT },
	{ NULL, 0 },
};

static int
refuse(struct kl_conf_error *error, const char *path, const char *what)
{
	(void)snprintf(error->b, sizeof error->b, "%.200s: %s", path, what);
	return KL_E_CONFIG;
}

static size_t
lines(const char *s)
{
	size_t n = 1;

	while (*s != '\0')
		n += *s++ == '\n';
	return n;
}

static int
check(const struct config *c, const char *path,
    struct kl_conf_error *error)
{
	if (lines(c->broker) > KL_LINK_ENDPOINTS_MAX)
		return refuse(error, path, "[adapter] broker is given more "
		    "than four times");
	if (kl_id_none(&c->id))
		return refuse(error, path, "[adapter] id is no participant's "
		    "id, such as agb:01234567");
	if (c->clock_offset_ms != 0 && c->realm != KL_TRAINING)
		return refuse(error, path, "[adapter] clock_offset is for the "
		    "training realm only");
	if (c->trace[0] != '\0' && c->realm != KL_TRAINING)
		return refuse(error, path, "[adapter] trace is for the "
		    "training realm only");
	if (c->folder && c->folder_dir[0] == '\0')
		return refuse(error, path, "[folder] dir is missing");
	return KL_OK;
}

int
config_read(const char *path, struct config *out, struct kl_conf_error *error)
{
	char id[40] = "", rewrap_at[KL_NIGHTLY_TEXT] = "03:00",
	    backup_at[KL_NIGHTLY_TEXT] = "02:30";
	const int64_t years = 20 * 365 * KL_DAY_MS;
	const struct kl_conf_key keys[] = {
		{ "adapter", "role", KL_CONF_CHOICE, &out->role, 0, 0, 0,
		  roles, true },
		{ "adapter", "id", KL_CONF_TEXT, id, sizeof id, 0, 0, NULL,
		  true },
		{ "adapter", "name", KL_CONF_TEXT, out->name,
		  sizeof out->name, 0, 0, NULL, true },
		{ "adapter", "data_dir", KL_CONF_PATH, out->data_dir,
		  sizeof out->data_dir, 0, 0, NULL, true },
		{ "adapter", "key_dir", KL_CONF_PATH, out->key_dir,
		  sizeof out->key_dir, 0, 0, NULL, true },
		{ "adapter", "policy", KL_CONF_PATH, out->policy,
		  sizeof out->policy, 0, 0, NULL, false },
		{ "adapter", "broker", KL_CONF_ADDRESSES, out->broker,
		  sizeof out->broker, 1, 0, NULL, true },
		{ "adapter", "realm", KL_CONF_CHOICE, &out->realm, 0, 0, 0,
		  realms, true },
		{ "adapter", "language", KL_CONF_CHOICE, &out->lang, 0, 0, 0,
		  langs, false },
		{ "adapter", "erasure", KL_CONF_CHOICE, &out->erasure, 0, 0,
		  0, erasures, false },
		{ "adapter", "clock_offset", KL_CONF_DURATION,
		  &out->clock_offset_ms, 0, -years, years, NULL, false },
		{ "adapter", "slots", KL_CONF_INT, &out->slots, 0, 64,
		  1 << 20, NULL, false },
		{ "adapter", "map_mb", KL_CONF_INT, &out->map_mb, 0, 16,
		  65536, NULL, false },
		{ "adapter", "master_key", KL_CONF_PATH, out->master_key,
		  sizeof out->master_key, 0, 0, NULL, false },
		{ "adapter", "master_key_old", KL_CONF_PATH,
		  out->master_key_old, sizeof out->master_key_old, 0, 0, NULL,
		  false },
		{ "adapter", "rewrap_at", KL_CONF_TEXT, rewrap_at,
		  sizeof rewrap_at, 0, 0, NULL, false },
		{ "adapter", "backup_at", KL_CONF_TEXT, backup_at,
		  sizeof backup_at, 0, 0, NULL, false },
		{ "adapter", "backup_dir", KL_CONF_PATH, out->backup_dir,
		  sizeof out->backup_dir, 0, 0, NULL, false },
		{ "adapter", "log_json", KL_CONF_BOOL, &out->log_json, 0, 0,
		  0, NULL, false },
		{ "adapter", "trace", KL_CONF_PATH, out->trace,
		  sizeof out->trace, 0, 0, NULL, false },
		{ "folder", "enabled", KL_CONF_BOOL, &out->folder, 0, 0, 0,
		  NULL, false },
		{ "folder", "dir", KL_CONF_PATH, out->folder_dir,
		  sizeof out->folder_dir, 0, 0, NULL, false },
		{ "folder", "owner", KL_CONF_INT, &out->folder_owner, 0, 0,
		  INT32_MAX, NULL, false },
		{ "folder", "keep_done", KL_CONF_BOOL, &out->keep_done, 0, 0,
		  0, NULL, false },
	};
	int r;

	memset(out, 0, sizeof *out);
	out->lang = KL_NL;
	out->erasure = KL_ERASURE_VERIFIED;
	out->slots = SLOTS_DEFAULT;
	out->map_mb = MAP_DEFAULT;
	out->folder_owner = -1;
	r = kl_conf_read(path, keys, sizeof keys / sizeof keys[0], error);
	if (r != KL_OK)
		return r;
	if (kl_nightly_read(rewrap_at, &out->rewrap_at) != KL_OK)
		return refuse(error, path, "[adapter] rewrap_at is a time of "
		    "day such as 03:00");
	if (kl_nightly_read(backup_at, &out->backup_at) != KL_OK)
		return refuse(error, path, "[adapter] backup_at is a time of "
		    "day such as 02:30");
	if (out->backup_dir[0] == '\0')
		(void)snprintf(out->backup_dir, sizeof out->backup_dir,
		    "%s/backup", out->data_dir);
	if (out->policy[0] == '\0')
		(void)snprintf(out->policy, sizeof out->policy,
		    "%s/policy.conf", out->key_dir);
	if (kl_id_read(id, &out->id) != KL_OK)
		memset(&out->id, 0, sizeof out->id);
	return check(out, path, error);
}
