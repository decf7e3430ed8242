/*
 * config.h: what stands in kortelijnd.conf, and the realm that the key of the
 * authority is for.
 */
#ifndef BROKER_CONFIG_H
#define BROKER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <kortelijn/base/types.h>
#include <kortelijn/host/conf.h>
#include <kortelijn/host/slots.h>

#define BROKER_PATH_BYTES 192		/* a line of the file holds no more */
#define BROKER_CONTROL_BYTES 108	/* a Unix socket's name holds no more */

/* In config_dir: who the broker is. In state_dir: its store. */
#define BROKER_CARD "broker.card"
#define BROKER_STORE "data.mdb"
/* In config_dir: what the command line leaves for the next start of core.
 * The line in the first says why an empty store may be begun. */
#define BROKER_NEW_STORE "new-store"
#define BROKER_FIRST_START "first start"	/* none was there before */
#define BROKER_POLICY "policy.conf"
#define BROKER_APPROVALS "approvals"	/* of cards that read all, by serial */
#define BROKER_LAST_CHECKPOINT "last-checkpoint"
/* Seals the log export. */
#define BROKER_RECOVERY_KEY "recovery.key"
/* And what core leaves there: the name of the newest log that began here, so
 * that the store of an older one is known for what it is. */
#define BROKER_ORIGIN "log.origin"
/* In state_dir: the last checkpoint that was signed, and one of a younger log
 * that a participant has shown, from the machine that took over. */
#define BROKER_MARK "log.mark"
#define BROKER_SEEN "log.seen"

struct broker_conf {
	/* [broker] */
	char config_dir[BROKER_PATH_BYTES];
	char state_dir[BROKER_PATH_BYTES];
	char export_dir[BROKER_PATH_BYTES];	/* of the log; "": none */
	char listen[BROKER_PATH_BYTES];		/* "tcp://127.0.0.1:7700" */
	char control[BROKER_CONTROL_BYTES];	/* path of the control socket */
	int64_t map_mb;
	int64_t slots;
	enum kl_erasure erasure;
	char master_key[BROKER_PATH_BYTES];	/* "": none, as the next */
	char master_key_old[BROKER_PATH_BYTES];
	uint32_t rewrap_at;			/* minute of the day, local */
	int64_t clock_offset_ms;		/* 0 in production */
	bool log_json;
	char trace[BROKER_PATH_BYTES];		/* "": none, as in production */

	/* [limits], of each participant */
	int64_t requests_per_minute;
	int64_t bytes_per_day_mb;
	int64_t open_conversations;

	/* authority.pub */
	enum kl_realm realm;
	struct kl_sign_pk authority;
};

/* Defaults, then the file, then authority.pub in its config_dir. KL_E_CONFIG
 * with *error filled: a file is missing or wrong; a clock_offset or trace
 * outside the training realm. */
int broker_conf_read(const char *path, struct broker_conf *out,
    struct kl_conf_error *error) KL_MUST_CHECK;

#endif
