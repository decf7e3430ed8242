/*
 * recovery.h: the pair of keys that backups are sealed to. The public half
 * lies where they are made; the secret half is on paper, as letters that
 * people can copy: 13 groups of four and a check letter. PROTOCOL.md 3.7.
 */
#ifndef KORTELIJN_END_RECOVERY_H
#define KORTELIJN_END_RECOVERY_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>
#include <kortelijn/crypto/secret.h>

#define KL_RECOVERY_LETTERS 52		/* 260 bits; the last four are 0 */

/* "ABCD-EFGH-... ...-K", with NUL: seven groups, a blank, the rest. Wipe after
 * use. */
struct kl_recovery_text { char b[KL_RECOVERY_LETTERS / 4 * 5 + 2]; };

/* A new pair; *sk is the caller's. KL_E_MEMORY. */
int kl_recovery_make(struct kl_dh_pk *pk, struct kl_secret **sk)
    KL_MUST_CHECK;
/* sk: 32 bytes. */
struct kl_recovery_text kl_recovery_text(const struct kl_secret *sk);
/* From what somebody typed: any case, with or without dashes and white space.
 * KL_E_FORMAT: another letter, or too many or too few; KL_E_VALUE: the check
 * letter says that one of them is wrong; KL_E_MEMORY. *sk is the caller's,
 * NULL on failure. */
int kl_recovery_read(struct kl_bytes text, struct kl_secret **sk)
    KL_MUST_CHECK;

#endif
