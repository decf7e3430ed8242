/*
 * control_subject.h: what core holds on one referral, as JSON: for whoever
 * asks what is stored about them, and whether it is gone. All in a
 * transaction of c->turn.
 */
#ifndef CORE_CONTROL_SUBJECT_H
#define CORE_CONTROL_SUBJECT_H

#include <jansson.h>

#include "broker/core/core.h"

/* By its spoken reference, or by conv_id in 32 hex digits. KL_E_FORMAT: it is
 * neither; KL_E_NOT_FOUND: none of it is here, and *marker says whether one of
 * that conv_id is known to have ended. */
int control_subject_find(struct core *c, const char *text,
    struct conversation *out, bool *marker) KL_MUST_CHECK;

/* NULL: no memory; what cannot be read says so with its error in "unread". */
json_t *control_subject_conversation(struct core *c,
    const struct conversation *v);
/* Of the signed REFERRAL, if it is here: consent, and its bytes as base64. */
json_t *control_subject_consent(struct core *c,
    const struct conversation *v);
json_t *control_subject_messages(struct core *c,
    const struct conversation *v);
/* Statements that wait in anybody's mailbox. */
json_t *control_subject_waiting(struct core *c,
    const struct conversation *v);
json_t *control_subject_withdrawals(struct core *c, const struct kl_tag *tag);
/* Who was asked to erase, and what they said. */
json_t *control_subject_asked(struct core *c, const struct conversation *v);

/* Records of it from leaf `from` on, of a slice of the log. *next: where the
 * next slice begins; 0: that was all. *out is the caller's, also on failure.
 * As find_piece. */
int control_subject_log(struct core *c, const struct conversation *v,
    uint64_t from, json_t **out, uint64_t *next) KL_MUST_CHECK;

/* "ABCD-EFGH-K". */
json_t *control_subject_spoken(const struct conversation *v);
/* Lower-case hex of fixed bytes. */
json_t *control_subject_hex(struct kl_bytes b);
#define CONTROL_HEX(x) control_subject_hex(KL_BYTES_OF(x))

#endif
