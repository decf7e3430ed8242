/*
 * note_text.h: lines, numbers and names as they stand in signed notes and in
 * the files of proofs. One way to write each, so that a text that is read
 * packs to the same bytes.
 */
#ifndef KORTELIJN_CRYPTO_NOTE_TEXT_H
#define KORTELIJN_CRYPTO_NOTE_TEXT_H

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>

/* No part of the library's interface. */
#pragma GCC visibility push(hidden)

/* Printable ASCII without blank and plus, of at most KL_ORIGIN_MAX with its
 * NUL: no reader then sees two names as one. */
bool kl_note_text_name(struct kl_bytes name);
/* Cuts the next line off `rest`, without its newline. False: there is none
 * that ends. */
bool kl_note_text_line(struct kl_bytes *rest, struct kl_bytes *line);
/* The same for a line that begins with `word` and a blank; *value is what
 * stands behind them. False: it does not, and nothing was cut off. */
bool kl_note_text_field(struct kl_bytes *rest, const char *word,
    struct kl_bytes *value);
/* Decimal without leading zeros. */
bool kl_note_text_number(struct kl_bytes in, uint64_t *v);
/* A hash in base64. */
bool kl_note_text_hash(struct kl_bytes in, struct kl_hash *out);

#pragma GCC visibility pop

#endif
