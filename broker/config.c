#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/nightly.h>
#include <kortelijn/host/textfile.h>

#define OFFSET_MAX_MS (20 * 365 * KL_DAY_MS)	/* as at the adapters */

static const struct broker_conf defaults = {
	.config_dir = "/etc/kortelijn",
	.state_dir = "/var/lib/kortelijn",
	.listen = "tcp://127.0.0.1:7700",
	.map_mb = 256,
	.slots = 8192,
	.erasure = KL_ERASURE_VERIFIED,
	.requests_per_minute = 1200,
	.bytes_per_day_mb = 64,
	.open_conversations = 5000,
};

static const struct kl_conf_choice erasures[] = {
	{ "verified", KL_ERASURE_VERIFIED },
	{ "best-effort", KL_ERASURE_BEST_EFFORT }, { NULL, 0 },
};

static int
fail(struct kl_conf_error *error, const char *path, const char *why)
{
	(void)snprintf(error->b, sizeof error->b, "%.256s: %s", path, why);
	return KL_E_CONFIG;
}

static int
file_read(const char *path, struct broker_conf *c, struct kl_conf_error *error)
{
	uint32_t erasure = (uint32_t)c->erasure;
	char rewrap_at[KL_NIGHTLY_TEXT] = "03:00";
	const struct kl_conf_key keys[] = {
		{ .section = "broker", .name = "config_dir",
		    .type = KL_CONF_PATH, .out = c->config_dir,
		    .size = sizeof c->config_dir },
		{ .section = "broker", .name = "state_dir",
		    .type = KL_CONF_PATH, .out = c->state_dir,
		    .size = sizeof c->state_dir },
		{ .section = "broker", .name = "export_dir",
		    .type = KL_CONF_PATH, .out = c->export_dir,
		    .size = sizeof c->export_dir },
		{ .section = "broker", .name = "listen",
		    .type = KL_CONF_ADDRESS, .out = c->listen,
		    .size = sizeof c->listen },
		{ .section = "broker", .name = "control",
		    .type = KL_CONF_PATH, .out = c->control,
		    .size = sizeof c->control },
		{ .section = "broker", .name = "map_mb", .type = KL_CONF_INT,
		    .out = &c->map_mb, .min = 1, .max = 1 << 20 },
		{ .section = "broker", .name = "slots", .type = KL_CONF_INT,
		    .out = &c->slots, .min = 16, .max = 1 << 24 },
		{ .section = "broker", .name = "erasure",
		    .type = KL_CONF_CHOICE, .out = &erasure,
		    .choice = erasures },
		{ .section = "broker", .name = "master_key",
		    .type = KL_CONF_PATH, .out = c->master_key,
		    .size = sizeof c->master_key },
		{ .section = "broker", .name = "master_key_old",
		    .type = KL_CONF_PATH, .out = c->master_key_old,
		    .size = sizeof c->master_key_old },
		{ .section = "broker", .name = "rewrap_at",
		    .type = KL_CONF_TEXT, .out = rewrap_at,
		    .size = sizeof rewrap_at },
		{ .section = "broker", .name = "clock_offset",
		    .type = KL_CONF_DURATION, .out = &c->clock_offset_ms,
		    .min = -OFFSET_MAX_MS, .max = OFFSET_MAX_MS },
		{ .section = "broker", .name = "log_json",
		    .type = KL_CONF_BOOL, .out = &c->log_json },
		{ .section = "broker", .name = "trace", .type = KL_CONF_PATH,
		    .out = c->trace, .size = sizeof c->trace },
		{ .section = "limits", .name = "requests_per_minute",
		    .type = KL_CONF_INT, .out = &c->requests_per_minute,
		    .min = 10, .max = 10000000 },
		{ .section = "limits", .name = "bytes_per_day_mb",
		    .type = KL_CONF_INT, .out = &c->bytes_per_day_mb,
		    .min = 1, .max = 1 << 20 },
		{ .section = "limits", .name = "open_conversations",
		    .type = KL_CONF_INT, .out = &c->open_conversations,
		    .min = 1, .max = 10000000 },
	};
	int r = kl_conf_read(path, keys, sizeof keys / sizeof keys[0], error);

	if (r != KL_OK)
		return r;
	c->erasure = (enum kl_erasure)erasure;
	return kl_nightly_read(rewrap_at, &c->rewrap_at) == KL_OK ? KL_OK :
	    fail(error, path, "rewrap_at: a time of day such as 03:00");
}

static int
authority_read(struct broker_conf *c, struct kl_conf_error *error)
{
	struct kl_textfile_word realm;
	char path[BROKER_PATH_BYTES + 16];
	size_t n;
	int r;

	(void)snprintf(path, sizeof path, "%s/authority.pub", c->config_dir);
	r = kl_textfile_read(AT_FDCWD, path, KL_TAG_AUTHORITY, &realm,
	    c->authority.b, sizeof c->authority.b, &n);
	if (r != KL_OK)
		return fail(error, path, kl_err_text(r));
	c->realm = (enum kl_realm)kl_realm_read(realm.b);
	if (c->realm == 0)
		return fail(error, path, "unknown realm");
	if (n != sizeof c->authority.b)
		return fail(error, path, "no key of an authority");
	return KL_OK;
}

static int
control_default(struct broker_conf *c, const char *path,
    struct kl_conf_error *error)
{
	if (c->control[0] != '\0')
		return KL_OK;
	if ((size_t)snprintf(c->control, sizeof c->control, "%s/%s",
	    c->state_dir, "kortelijn.sock") >= sizeof c->control)
		return fail(error, path,
		    "state_dir is too long for a socket in it: set control");
	return KL_OK;
}

static int
export_default(struct broker_conf *c, const char *path,
    struct kl_conf_error *error)
{
	if (c->export_dir[0] != '\0')
		return KL_OK;
	if ((size_t)snprintf(c->export_dir, sizeof c->export_dir, "%s/export",
	    c->state_dir) >= sizeof c->export_dir)
		return fail(error, path, "state_dir is too long for an export "
		    "in it: set export_dir");
	return KL_OK;
}

int
broker_conf_read(const char *path, struct broker_conf *out,
    struct kl_conf_error *error)
{
	int r;

	*out = defaults;
	if ((r = file_read(path, out, error)) != KL_OK ||
	    (r = control_default(out, path, error)) != KL_OK ||
	    (r = export_default(out, path, error)) != KL_OK ||
	    (r = authority_read(out, error)) != KL_OK)
		return r;
	if (out->clock_offset_ms != 0 && out->realm != KL_TRAINING)
		return fail(error, path,
		    "clock_offset: only in the training realm");
	if (out->trace[0] != '\0' && out->realm != KL_TRAINING)
		return fail(error, path, "trace: only in the training realm");
	return KL_OK;
}
