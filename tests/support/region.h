/*
 * region.h: what a test program needs of a training region that `kortelijn
 * authority init` and `kortelijn broker init` made, and a broker of its own.
 */
#ifndef TESTS_SUPPORT_REGION_H
#define TESTS_SUPPORT_REGION_H

#include <sys/types.h>

#include <kortelijn/base/types.h>
#include <kortelijn/crypto/secret.h>

/* CONFIG_DIR/broker.card. Not verified: the test made it. */
struct region_broker {
	struct kl_curve_pk transport_pk;
	struct kl_sign_pk sign_pk;
};
int region_broker_read(const char *config_dir, struct region_broker *out)
    KL_MUST_CHECK;
/* DIR/authority.key. Free with kl_secret_free. */
int region_authority_read(const char *dir, struct kl_secret **out)
    KL_MUST_CHECK;

/* Starts PROGRAM --config=CONF; its standard error goes to `log`, or where
 * ours goes (NULL). -1: it cannot be started. */
pid_t region_start(const char *program, const char *conf, const char *log);
/* SIGTERM, and waits for its end; its exit status, -1 if a signal ended it. */
int region_stop(pid_t pid);

#endif
