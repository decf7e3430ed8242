/*
 * render.h: readable text of a referral and of a feedback.
 *
 * The text of a referral is the preview that the patient sees before sending
 * and that the desk reads. The consent block carries its salted hash, so it
 * is a function of the referral and the language alone, for ever: a change to
 * it is a new content schema.
 */
#ifndef KORTELIJN_DOMAIN_RENDER_H
#define KORTELIJN_DOMAIN_RENDER_H

#include <stddef.h>

#include <kortelijn/domain/feedback.h>
#include <kortelijn/domain/referral.h>

/* The largest referral fits, in any language. */
#define KL_RENDER_MAX 4096

/*
 * Lines "Label: value" in UTF-8, each ended by \n, with NUL; wishes about
 * place, time, voicemail and letters first. KL_E_SIZE: cap is too small; then
 * *n is 0 and the text is empty.
 */
int kl_render_referral(const struct kl_referral *r, enum kl_lang lang,
    char *out, size_t cap, size_t *n) KL_MUST_CHECK;

/* What the desk acts on first, one line per wish. As above. */
int kl_render_wishes(const struct kl_referral *r, enum kl_lang lang,
    char *out, size_t cap, size_t *n) KL_MUST_CHECK;

/* Label, what it means for the practice, category, ground or what is wanted,
 * date. As above. */
int kl_render_feedback(const struct kl_feedback *f, enum kl_lang lang,
    char *out, size_t cap, size_t *n) KL_MUST_CHECK;

/* "J.P.M. van Putten", with NUL. KL_E_SIZE as above. */
int kl_render_name(const struct kl_person_name *p, char *out, size_t cap,
    size_t *n) KL_MUST_CHECK;

#endif
