/*
 * guard.h: the content rules at the border, the same on both sides: before
 * sealing and after opening. Decides only; stores nothing. PROTOCOL.md 11.
 */
#ifndef ADAPTERS_COMMON_GUARD_H
#define ADAPTERS_COMMON_GUARD_H

#include <kortelijn/domain/rules.h>
#include <kortelijn/wire/content.h>

#include "adapters/common/json_content.h"
#include "adapters/common/turn.h"

/*
 * A referral as its own practice wants to send it to `receiver`, whose local
 * crisis labels count. KL_E_REFUSED: `why` with the path of the content;
 * KL_E_MEMORY; errors of the store.
 */
int guard_referral(struct turn *t, const struct kl_id *receiver,
    const struct kl_referral *r, struct kl_finding *why) KL_MUST_CHECK;

/* What the practice declares, as the block that is signed; preview_hash is
 * left zero. KL_E_REFUSED: `why` with the pointer of the file. */
int guard_consent(const struct turn *t, const struct json_consent *in,
    struct kl_consent *out, struct kl_finding *why) KL_MUST_CHECK;

/* Hash of what the patient saw under `salt`. PROTOCOL.md 11.4. */
struct kl_hash guard_preview(const struct kl_referral *r,
    const uint8_t salt[KL_SALT_BYTES]);

/*
 * Opened bytes of a REFERRAL or CORRECTION from e's sender: form, schema,
 * rules, preview. KL_C_OK, the refusal for the receipt, or KL_C_TRY_LATER when
 * memory is spent.
 */
uint32_t guard_opened_referral(struct turn *t, const struct kl_envelope *e,
    struct kl_bytes plain, struct kl_referral *out);
/* The same of a FEEDBACK: level and milestone agree with its header. The
 * table of transitions is the case's. */
uint32_t guard_opened_feedback(struct turn *t, const struct kl_envelope *e,
    struct kl_bytes plain, struct kl_feedback *out);

#endif
