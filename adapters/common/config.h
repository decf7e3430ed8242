/*
 * config.h: the configuration of an adapter: one INI file.
 */
#ifndef ADAPTERS_COMMON_CONFIG_H
#define ADAPTERS_COMMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <kortelijn/base/types.h>
#include <kortelijn/domain/list.h>
#include <kortelijn/host/conf.h>

#define CONFIG_TEXT_MAX 200
#define CONFIG_BROKER_MAX 800

struct config {
	/* [adapter] */
	uint32_t role;			/* enum kl_role */
	struct kl_id id;
	char name[101];
	char data_dir[CONFIG_TEXT_MAX];
	char key_dir[CONFIG_TEXT_MAX];
	char policy[CONFIG_TEXT_MAX + 16];	/* KEY_DIR/policy.conf */
	char broker[CONFIG_BROKER_MAX];	/* endpoints, one a line */
	uint32_t realm;			/* enum kl_realm */
	uint32_t lang;			/* enum kl_lang */
	uint32_t erasure;		/* enum kl_erasure */
	int64_t clock_offset_ms;	/* training only */
	int64_t slots;
	int64_t map_mb;
	char master_key[CONFIG_TEXT_MAX];	/* "": none, as the next */
	char master_key_old[CONFIG_TEXT_MAX];
	uint32_t rewrap_at;		/* minute of the day, local */
	uint32_t backup_at;		/* the same */
	char backup_dir[CONFIG_TEXT_MAX + 16];	/* DATA_DIR/backup */
	bool log_json;
	char trace[CONFIG_TEXT_MAX];	/* training only; "": none */
	/* [folder] */
	bool folder;
	char folder_dir[CONFIG_TEXT_MAX];
	int64_t folder_owner;		/* uid; -1: our own */
	bool keep_done;			/* files that were taken */
};

/* Reads the file. KL_E_CONFIG with *error filled: what kl_conf_read says, a
 * participant's id of the wrong form, too many addresses of the broker, a role
 * that is no adapter's, a clock offset outside the training realm, a folder
 * without its directory. */
int config_read(const char *path, struct config *out,
    struct kl_conf_error *error) KL_MUST_CHECK;

#endif
