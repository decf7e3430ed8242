/*
 * control_priv.h: the commands of the control socket, for control.c and its
 * control_*.c; each answers with one object.
 */
#ifndef CORE_CONTROL_PRIV_H
#define CORE_CONTROL_PRIV_H

#include <jansson.h>

#include "broker/core/core.h"

/* {"ok":false} with code and text. */
json_t *control_refused(uint32_t code);
/* Malformed, of a file that was given: `why`, with its line if not 0. */
json_t *control_refused_file(unsigned int line, const char *why);

json_t *control_status(struct core *c, const json_t *question);
json_t *control_participants(struct core *c, const json_t *question);
json_t *control_card(struct core *c, const json_t *question);
json_t *control_revocation(struct core *c, const json_t *question);
json_t *control_hold(struct core *c, const json_t *question);
json_t *control_hold_release(struct core *c, const json_t *question);
json_t *control_export(struct core *c, const json_t *question);
json_t *control_export_state(struct core *c, const json_t *question);
json_t *control_subject(struct core *c, const json_t *question);
json_t *control_left(struct core *c, const json_t *question);
json_t *control_query(struct core *c, const json_t *question);
json_t *control_policy(struct core *c, const json_t *question);
json_t *control_policy_load(struct core *c, const json_t *question);
json_t *control_withdraw(struct core *c, const json_t *question);
json_t *control_approval(struct core *c, const json_t *question);
/* Which cards read all, and what they lack; nothing if there is none. */
void control_approval_status(struct core *c, json_t *o);
/* Its part of the status; NULL: no memory. */
void control_policy_status(const struct core *c, json_t *o);
/* What every report says of the policy: "policy", the load that counts and
 * each row that asks for more than the table, with its approval. `o` may be
 * NULL. */
void control_policy_put(const struct core *c, json_t *o);
json_t *control_rewrap(struct core *c, const json_t *question);

/* What every report says of erasure: "erasure", "master_key", when the slot
 * file was last written anew and whether that is overdue. `o` may be NULL. */
void control_put_erasure(const struct core *c, json_t *o);
void control_loss_status(struct core *c, json_t *o);
void control_export_status(const struct core *c, json_t *o);
void control_log_status(struct core *c, json_t *o);
json_t *control_cosign(struct core *c, const json_t *question);
void control_witness_status(struct core *c, json_t *o);

#endif
