/*
 * textfile.h: public bytes in a file of one line, "<tag> <base64>" or
 * "<tag> <word> <base64>": cards, revocations, requests to enrol. Knows
 * nothing of what is in them. Secrets live in crypto/keyfile.h.
 */
#ifndef KORTELIJN_HOST_TEXTFILE_H
#define KORTELIJN_HOST_TEXTFILE_H

#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/err.h>

/* Tags of the papers of a region; the authority's has a word, the realm. */
#define KL_TAG_AUTHORITY "kortelijn-authority-v1"
#define KL_TAG_REQUEST "kortelijn-request-v1"
#define KL_TAG_CARD "kortelijn-card-v1"
#define KL_TAG_REVOCATION "kortelijn-revocation-v1"
#define KL_TAG_WITHDRAWAL "kortelijn-withdrawal-v1"

#define KL_TEXTFILE_MAX 24576		/* bytes of a file */
#define KL_TEXTFILE_WORD_MAX 64		/* of a word, with NUL */

/* word: NULL if none stands in such a file. White space at the end of the
 * line is ignored: these files travel by mail. */
struct kl_textfile_word { char b[KL_TEXTFILE_WORD_MAX]; };

/* From the text of such a file, at most cap bytes. KL_E_FORMAT: no such line,
 * other tag, a word too many or too few; KL_E_SIZE: more bytes than cap. */
int kl_textfile_parse(struct kl_bytes text, const char *tag,
    struct kl_textfile_word *word, uint8_t *out, size_t cap, size_t *n)
    KL_MUST_CHECK;
/* The line with newline and NUL. KL_E_SIZE: more than cap or
 * KL_TEXTFILE_MAX; KL_E_VALUE: tag or word are empty, too long or hold what
 * is not printable ASCII, or a space. */
int kl_textfile_print(const char *tag, const char *word, struct kl_bytes in,
    char *out, size_t cap) KL_MUST_CHECK;

/* dirfd: AT_FDCWD or an open directory. As kl_textfile_parse, and
 * KL_E_NOT_FOUND; KL_E_DENIED: not readable, or no regular file;
 * KL_E_SIZE: larger than KL_TEXTFILE_MAX; KL_E_IO. */
int kl_textfile_read(int dirfd, const char *path, const char *tag,
    struct kl_textfile_word *word, uint8_t *out, size_t cap, size_t *n)
    KL_MUST_CHECK;
/* Replaces the file as a whole or not at all, mode 0644, synced with its
 * directory. As kl_textfile_print, and KL_E_DENIED, KL_E_FULL, KL_E_IO. */
int kl_textfile_write(int dirfd, const char *path, const char *tag,
    const char *word, struct kl_bytes in) KL_MUST_CHECK;

#endif
