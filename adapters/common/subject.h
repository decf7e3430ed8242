/*
 * subject.h: what a resident may ask of this adapter (AVG 15 to 17): which
 * cases are theirs, all that is here of them, who looked, and erasure.
 *
 * Errors and turns as in engine.h: what is answered counts when the turn is
 * committed.
 */
#ifndef ADAPTERS_COMMON_SUBJECT_H
#define ADAPTERS_COMMON_SUBJECT_H

#include <kortelijn/wire/signed.h>

#include "adapters/common/access.h"

/* Lines of the access log for interfaces: about a case, or about a list of
 * the cases with numbers first to last (0: to the newest). KL_E_AGAIN. */
int subject_log(struct engine *e, const struct engine_actor *by,
    enum engine_act act, const struct kl_conv_id *conv) KL_MUST_CHECK;
int subject_log_list(struct engine *e, const struct engine_actor *by,
    uint64_t first, uint64_t last) KL_MUST_CHECK;

/* Who is asked after, in one of two ways. */
struct subject_who {
	/* spoken reference, the practice's referral_id or its patient_ref */
	const char *reference;
	/* or a family name with the day of birth */
	const char *name;
	struct kl_birth_date birth;
};

/* The cases that fit, in the order of their coming, erased ones that the
 * access log still knows among them. A search by name has a line.
 * KL_E_FORMAT: no name; KL_E_AGAIN. */
int subject_find(struct engine *e, const struct engine_actor *by,
    const struct subject_who *who, struct access_list *out) KL_MUST_CHECK;

/* What the adapter holds of a case besides its row and its steps. */
struct subject_held {
	bool has_content, has_before, has_consent;
	struct kl_referral content;	/* what counts */
	struct kl_referral before;	/* sender: what a correction replaced */
	struct kl_consent consent;	/* of the signed referral */
	uint32_t asked_by;		/* sender: enum kl_staff_role; 0 */
	uint8_t receipt[800];		/* packed, of the other side */
	size_t n_receipt;		/* 0: none */
};
/* For an answer that has its line already. Wipe it. KL_E_NOT_FOUND: no such
 * case; KL_E_AGAIN. */
int subject_held(struct engine *e, const struct kl_conv_id *conv,
    struct subject_held *out) KL_MUST_CHECK;

#define SUBJECT_LINES_MAX 10000
#define SUBJECT_LISTS_MAX 100000	/* lines of lists looked at */

/* The lines about a case and the lists that it stood in, from since_ms on,
 * oldest first; the caller's to free with subject_lines_clear. */
struct subject_lines {
	struct access_line *at;
	size_t n, room;
	bool more;			/* than the limits allow */
};
/* KL_E_MEMORY, KL_E_AGAIN. */
int subject_lines(struct engine *e, const struct access_found *of,
    int64_t since_ms, struct subject_lines *out) KL_MUST_CHECK;
void subject_lines_clear(struct subject_lines *l);

enum subject_erased {
	SUBJECT_WIPED = 1,	/* it had ended: nothing of it is here */
	SUBJECT_WITHDRAWN = 2,	/* it was open: see engine_withdraw.h */
	SUBJECT_BEFORE = 3,	/* withdrawn, and so erased, before */
};
/*
 * Erases what is here of an ended case, but for the access log; withdraws the
 * consent of an open one on the resident's behalf. Gone when the turn is
 * committed; its keys are zeroed and read back right after it, see
 * subject_zeroed. KL_E_REFUSED with `why`, as engine_withdraw; KL_E_NOT_FOUND;
 * KL_E_AGAIN.
 */
int subject_erase(struct engine *e, const struct engine_actor *by,
    const struct kl_conv_id *conv, enum subject_erased *how,
    struct kl_finding *why) KL_MUST_CHECK;
/* When the last line about anything of now ends. */
int64_t subject_log_until_ms(struct engine *e);
/* The keys of all that was erased here are zeroed. */
bool subject_zeroed(struct engine *e);

#endif
