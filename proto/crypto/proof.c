#include <kortelijn/crypto/proof.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/crypto/note_text.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1\n"
#define EXTRA_MAX (32 + KL_PROOF_RECORD_MAX)
#define BASE64_BYTES(n) (((n) + 2) / 3 * 4 + 1)

static bool
begins(struct kl_bytes text, const char *with)
{
	const size_t n = strlen(with);

	return text.n >= n && memcmp(text.p, with, n) == 0;
}

enum kl_proof_sort
kl_proof_sort(struct kl_bytes text)
{
	if (begins(text, FIRST_LINE))
		return KL_PROOF_INCLUSION;
	return begins(text, "old ") ? KL_PROOF_CONSISTENCY :
	    KL_PROOF_CHECKPOINT;
}

/* ---- writing ------------------------------------------------------------- */

static void
put_text(struct kl_writer *w, const char *text)
{
	kl_put_bytes(w, kl_bytes_str(text));
}

static void
put_number(struct kl_writer *w, const char *word, uint64_t v)
{
	char line[40];

	(void)snprintf(line, sizeof line, "%s %" PRIu64 "\n", word, v);
	put_text(w, line);
}

static void
put_base64(struct kl_writer *w, struct kl_bytes in)
{
	char line[BASE64_BYTES(EXTRA_MAX)];

	if (kl_base64(in, line, sizeof line) != KL_OK)
		w->full = true;
	else
		put_text(w, line);
	put_text(w, "\n");
}

static void
put_hashes(struct kl_writer *w, const struct kl_hash *h, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_base64(w, KL_BYTES_OF(h[i].b));
}

/* The empty line and the note end both files. */
static int
put_end(struct kl_writer *w, const struct kl_note *note, size_t *n)
{
	put_text(w, "\n");
	kl_put(w, note->b, strnlen(note->b, sizeof note->b));
	kl_put_u8(w, '\0');
	if (w->full)
		return KL_E_SIZE;
	*n = w->n - 1;
	return KL_OK;
}

int
kl_proof_inclusion_pack(const struct kl_proof_inclusion *p, char *out,
    size_t cap, size_t *n)
{
	uint8_t extra[EXTRA_MAX];
	struct kl_writer w;

	*n = 0;
	if (p->record_n == 0 || p->record_n > sizeof p->record ||
	    p->n > KL_PROOF_HASHES)
		return KL_E_VALUE;
	memcpy(extra, p->salt, sizeof p->salt);
	memcpy(extra + sizeof p->salt, p->record, p->record_n);
	kl_writer_init(&w, out, cap);
	put_text(&w, FIRST_LINE "extra ");
	put_base64(&w, kl_bytes(extra, sizeof p->salt + p->record_n));
	put_number(&w, "index", p->index);
	put_hashes(&w, p->hash, p->n);
	return put_end(&w, &p->note, n);
}

int
kl_proof_consistency_pack(const struct kl_proof_consistency *p, char *out,
    size_t cap, size_t *n)
{
	struct kl_writer w;

	*n = 0;
	if (p->n > KL_PROOF_HASHES)
		return KL_E_VALUE;
	kl_writer_init(&w, out, cap);
	put_number(&w, "old", p->old_size);
	put_hashes(&w, p->hash, p->n);
	return put_end(&w, &p->note, n);
}

/* ---- reading ------------------------------------------------------------- */

/* Hashes to the empty line, and behind it the note, which ends the file. */
static int
end_read(struct kl_bytes rest, struct kl_hash *h, size_t *n,
    struct kl_note *note)
{
	struct kl_bytes line;

	for (*n = 0; kl_note_text_line(&rest, &line); ++*n) {
		if (line.n == 0)
			break;
		if (*n == KL_PROOF_HASHES || !kl_note_text_hash(line, &h[*n]))
			return KL_E_FORMAT;
	}
	/* A NUL would hide what stands behind it. */
	if (rest.n == 0 || rest.n >= sizeof note->b || line.n != 0 ||
	    memchr(rest.p, '\0', rest.n) != NULL)
		return KL_E_FORMAT;
	memcpy(note->b, rest.p, rest.n);
	return KL_OK;
}

static int
number_read(struct kl_bytes *rest, const char *word, uint64_t *v)
{
	struct kl_bytes value;

	return kl_note_text_field(rest, word, &value) &&
	    kl_note_text_number(value, v) ? KL_OK : KL_E_FORMAT;
}

static int
extra_read(struct kl_bytes *rest, struct kl_proof_inclusion *out)
{
	uint8_t extra[EXTRA_MAX];
	struct kl_bytes value;
	size_t n;

	if (!kl_note_text_field(rest, "extra", &value) ||
	    kl_base64_read(value, extra, sizeof extra, &n) != KL_OK ||
	    n <= sizeof out->salt)
		return KL_E_FORMAT;
	memcpy(out->salt, extra, sizeof out->salt);
	out->record_n = n - sizeof out->salt;
	memcpy(out->record, extra + sizeof out->salt, out->record_n);
	return KL_OK;
}

int
kl_proof_inclusion_read(struct kl_bytes text, struct kl_proof_inclusion *out)
{
	const size_t n = strlen(FIRST_LINE);
	struct kl_bytes rest;
	int r = KL_E_FORMAT;

	memset(out, 0, sizeof *out);
	if (text.n >= KL_PROOF_TEXT_MAX || !begins(text, FIRST_LINE))
		return r;
	rest = kl_bytes(text.p + n, text.n - n);
	if ((r = extra_read(&rest, out)) != KL_OK ||
	    (r = number_read(&rest, "index", &out->index)) != KL_OK ||
	    (r = end_read(rest, out->hash, &out->n, &out->note)) != KL_OK)
		memset(out, 0, sizeof *out);
	return r;
}

int
kl_proof_consistency_read(struct kl_bytes text,
    struct kl_proof_consistency *out)
{
	struct kl_bytes rest = text;
	int r = KL_E_FORMAT;

	memset(out, 0, sizeof *out);
	if (text.n >= KL_PROOF_TEXT_MAX)
		return r;
	if ((r = number_read(&rest, "old", &out->old_size)) != KL_OK ||
	    (r = end_read(rest, out->hash, &out->n, &out->note)) != KL_OK)
		memset(out, 0, sizeof *out);
	return r;
}

/* ---- verifying ----------------------------------------------------------- */

static struct kl_bytes
note_bytes(const struct kl_note *note)
{
	return kl_bytes(note->b, strnlen(note->b, sizeof note->b));
}

static int
answer(int r, struct kl_checkpoint *c)
{
	if (r != KL_OK)
		memset(c, 0, sizeof *c);
	return r;
}

/* What the tree says of a proof that is not right. */
static int
tree_answer(int r, struct kl_checkpoint *c)
{
	return answer(r == KL_E_SIGNATURE ? KL_E_NOT_FOUND : r, c);
}

int
kl_proof_inclusion_verify(const struct kl_proof_inclusion *p,
    const struct kl_vkey *log, struct kl_checkpoint *out)
{
	struct kl_hash leaf;
	int r = kl_vkey_checkpoint(log, note_bytes(&p->note), out);

	if (r != KL_OK)
		return r;
	if (p->record_n == 0 || p->record_n > sizeof p->record ||
	    p->n > KL_PROOF_HASHES)
		return answer(KL_E_VALUE, out);
	leaf = kl_record_leaf_hash(p->salt, kl_bytes(p->record, p->record_n));
	return tree_answer(kl_check_inclusion(&leaf, p->index, out->size,
	    p->hash, p->n, &out->root), out);
}

int
kl_proof_consistency_verify(const struct kl_proof_consistency *p,
    struct kl_bytes old, const struct kl_vkey *log, struct kl_checkpoint *out)
{
	struct kl_checkpoint before;
	int r = kl_vkey_checkpoint(log, note_bytes(&p->note), out);

	if (r != KL_OK)
		return r;
	if (p->old_size == 0)
		return answer(p->n == 0 && old.n == 0 ? KL_OK : KL_E_VALUE,
		    out);
	if ((r = kl_vkey_checkpoint(log, old, &before)) != KL_OK)
		return answer(r, out);
	if (before.size != p->old_size || p->n > KL_PROOF_HASHES)
		return answer(KL_E_VALUE, out);
	return tree_answer(kl_check_consistency(before.size, &before.root,
	    out->size, &out->root, p->hash, p->n), out);
}
