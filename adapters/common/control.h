/*
 * control.h: the commands that a running adapter answers over its control
 * socket, DATA_DIR/control.sock: {"cmd": "refer", ...} in one line, and
 * {"ok": true, ...} or {"ok": false, "code", "field", "en", "nl"} back.
 *
 * An answer leaves when what it tells is durable.
 */
#ifndef ADAPTERS_COMMON_CONTROL_H
#define ADAPTERS_COMMON_CONTROL_H

#include "adapters/common/folder.h"

#define CONTROL_SOCKET "control.sock"
#define CONTROL_WAIT_MAX_S 3600

struct control;

/* folder, which may be NULL, is asked for its state. *what names what is
 * wrong. KL_E_SIZE: the path is too long for a socket; errors of
 * kl_control_open. */
int control_open(struct engine *e, struct kl_loop *l,
    const struct folder *folder, struct control **out, const char **what)
    KL_MUST_CHECK;
/* Accepts NULL. */
void control_close(struct control *c);

#endif
