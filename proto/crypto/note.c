#include <kortelijn/crypto/note.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/sign.h>

#include "proto/crypto/note_text.h"

/* C2SP signed-note: every signature line begins with an em dash and a space,
 * and names the key by four bytes of a hash over name, type and key. */
#define DASH "\xe2\x80\x94 "
#define DASH_BYTES (sizeof DASH - 1)
#define KEY_HASH_BYTES 4
#define PLAIN_BYTES (KEY_HASH_BYTES + sizeof(struct kl_sig))
#define COSIGNED_BYTES (KEY_HASH_BYTES + 8 + sizeof(struct kl_sig))
/* "cosignature/v1\ntime 18446744073709551615\n" before the note's text */
#define COSIGNED_MAX (64 + KL_NOTE_MAX)

struct kl_hash
kl_note_key_hash(struct kl_bytes name, uint8_t type,
    const struct kl_sign_pk *pk)
{
	const uint8_t mid[2] = { '\n', type };
	const struct kl_bytes parts[] = {
		name, KL_BYTES_OF(mid), KL_BYTES_OF(pk->b),
	};

	return kl_sha256_parts(parts, 3);
}

static void
key_hash(struct kl_bytes name, uint8_t type, const struct kl_sign_pk *pk,
    uint8_t out[KEY_HASH_BYTES])
{
	struct kl_hash h = kl_note_key_hash(name, type, pk);

	memcpy(out, h.b, KEY_HASH_BYTES);
}

/* ---- lines ------------------------------------------------------------- */

/* One signature line: a name, and what stands behind it in base64. */
struct line {
	struct kl_bytes raw;	/* all of it, without its newline */
	struct kl_bytes name;
	uint8_t b[KL_NOTE_MAX];
	size_t n;
};

static int
line_read(struct kl_bytes in, struct line *out)
{
	const uint8_t *space;

	if (in.n <= DASH_BYTES || memcmp(in.p, DASH, DASH_BYTES) != 0)
		return KL_E_FORMAT;
	out->raw = in;
	in = kl_bytes(in.p + DASH_BYTES, in.n - DASH_BYTES);
	if ((space = memchr(in.p, ' ', in.n)) == NULL)
		return KL_E_FORMAT;
	out->name = kl_bytes(in.p, (size_t)(space - in.p));
	if (!kl_note_text_name(out->name))
		return KL_E_FORMAT;
	if (kl_base64_read(kl_bytes(space + 1, in.n - out->name.n - 1),
	    out->b, sizeof out->b, &out->n) != KL_OK)
		return KL_E_FORMAT;
	return out->n > KEY_HASH_BYTES ? KL_OK : KL_E_FORMAT;
}

static bool
line_is_of(const struct line *l, struct kl_bytes name, uint8_t type,
    const struct kl_sign_pk *pk)
{
	uint8_t want[KEY_HASH_BYTES];

	key_hash(name, type, pk, want);
	return kl_bytes_equal(l->name, name) &&
	    memcmp(l->b, want, sizeof want) == 0;
}

/* ---- the parts of a note ----------------------------------------------- */

/* `text` is what is signed, to the newline before the empty line; `lines` are
 * the signature lines behind it. */
struct parts {
	struct kl_bytes text;
	struct kl_bytes lines;
};

static int
text_read(struct kl_bytes note, struct kl_checkpoint *c, struct parts *out)
{
	struct kl_bytes rest = note, origin, size, root, empty;

	memset(c, 0, sizeof *c);
	if (note.n == 0 || note.n >= KL_NOTE_MAX)
		return KL_E_FORMAT;
	if (!kl_note_text_line(&rest, &origin) ||
	    !kl_note_text_line(&rest, &size) ||
	    !kl_note_text_line(&rest, &root) ||
	    !kl_note_text_line(&rest, &empty))
		return KL_E_FORMAT;
	if (!kl_note_text_name(origin) ||
	    !kl_note_text_number(size, &c->size) ||
	    !kl_note_text_hash(root, &c->root) || empty.n != 0 || rest.n == 0)
		return KL_E_FORMAT;
	memcpy(c->origin, origin.p, origin.n);
	out->text = kl_bytes(note.p, (size_t)(empty.p - note.p));
	out->lines = rest;
	return KL_OK;
}

/* The one line of this key. KL_E_FORMAT: a line is malformed, or the key has
 * two; KL_E_SIGNATURE: it has none. */
static int
line_find(struct kl_bytes lines, struct kl_bytes name, uint8_t type,
    const struct kl_sign_pk *pk, struct line *out)
{
	struct kl_bytes in;
	struct line l;
	size_t found = 0;

	while (kl_note_text_line(&lines, &in)) {
		if (line_read(in, &l) != KL_OK)
			return KL_E_FORMAT;
		if (!line_is_of(&l, name, type, pk))
			continue;
		*out = l;
		found++;
	}
	if (lines.n > 0 || found > 1)
		return KL_E_FORMAT;
	return found == 1 ? KL_OK : KL_E_SIGNATURE;
}

/* ---- the log's own signature ------------------------------------------- */

/* Appends a signature line to the NUL-ended text of a note. KL_E_SIZE. */
static int
line_append(struct kl_note *note, struct kl_bytes name, struct kl_bytes sig)
{
	size_t used = strlen(note->b), left = sizeof note->b - used;
	char b64[(COSIGNED_BYTES + 2) / 3 * 4 + 1];
	int n;

	if (kl_base64(sig, b64, sizeof b64) != KL_OK)
		return KL_E_SIZE;
	n = snprintf(note->b + used, left, DASH "%.*s %s\n", (int)name.n,
	    (const char *)name.p, b64);
	if (n > 0 && (size_t)n < left)
		return KL_OK;
	note->b[used] = '\0';
	return KL_E_SIZE;
}

int
kl_note_sign(const struct kl_checkpoint *c, const struct kl_secret *sk,
    struct kl_note *out)
{
	struct kl_bytes name = kl_bytes(c->origin,
	    strnlen(c->origin, sizeof c->origin));
	char root[(sizeof c->root.b + 2) / 3 * 4 + 1];
	struct kl_sign_pk pk;
	struct kl_sig sig;
	uint8_t line[PLAIN_BYTES];
	int r, n;

	memset(out, 0, sizeof *out);
	if (!kl_note_text_name(name))
		return KL_E_VALUE;
	if ((r = kl_sign_public(sk, &pk)) != KL_OK ||
	    (r = kl_base64(KL_BYTES_OF(c->root.b), root, sizeof root)) !=
	    KL_OK)
		return r;
	n = snprintf(out->b, sizeof out->b, "%s\n%" PRIu64 "\n%s\n",
	    c->origin, c->size, root);
	if ((r = kl_sign_note(kl_bytes(out->b, (size_t)n), sk, &sig)) != KL_OK)
		return r;
	out->b[n] = '\n';
	key_hash(name, KL_NOTE_ED25519, &pk, line);
	memcpy(line + KEY_HASH_BYTES, sig.b, sizeof sig.b);
	return line_append(out, name, KL_BYTES_OF(line));
}

int
kl_note_verify(struct kl_bytes text, const struct kl_sign_pk *pk,
    struct kl_checkpoint *out)
{
	struct parts parts;
	struct line line;
	struct kl_sig sig;
	int r;

	if ((r = text_read(text, out, &parts)) != KL_OK ||
	    (r = line_find(parts.lines, kl_bytes_str(out->origin),
	    KL_NOTE_ED25519, pk, &line)) != KL_OK)
		goto out;
	r = KL_E_FORMAT;
	if (line.n != PLAIN_BYTES)
		goto out;
	memcpy(sig.b, line.b + KEY_HASH_BYTES, sizeof sig.b);
	r = kl_verify_note(parts.text, pk, &sig);
out:
	if (r != KL_OK)
		memset(out, 0, sizeof *out);
	return r;
}

/* ---- witnesses ----------------------------------------------------------- */

/* What a witness signs: C2SP tlog-cosignature. */
static struct kl_bytes
cosigned_text(struct kl_bytes text, uint64_t time_s, char buf[COSIGNED_MAX])
{
	int n = snprintf(buf, COSIGNED_MAX, "cosignature/v1\ntime %" PRIu64
	    "\n%.*s", time_s, (int)text.n, (const char *)text.p);

	return kl_bytes(buf, (size_t)n);
}

int
kl_note_cosign(struct kl_note *note, const char *name, int64_t time_s,
    const struct kl_secret *sk)
{
	char buf[COSIGNED_MAX];
	struct kl_checkpoint c;
	struct parts parts;
	struct line old;
	struct kl_sign_pk pk;
	struct kl_sig sig;
	uint8_t line[COSIGNED_BYTES];
	int r;

	if (!kl_note_text_name(kl_bytes_str(name)) || time_s <= 0)
		return KL_E_VALUE;
	if ((r = kl_sign_public(sk, &pk)) != KL_OK ||
	    (r = text_read(kl_bytes(note->b, strnlen(note->b, sizeof note->b)),
	    &c, &parts)) != KL_OK)
		return r;
	r = line_find(parts.lines, kl_bytes_str(name), KL_NOTE_COSIGNATURE, &pk,
	    &old);
	if (r != KL_E_SIGNATURE)
		return r == KL_OK ? KL_E_EXISTS : r;
	if ((r = kl_sign_note(cosigned_text(parts.text, (uint64_t)time_s, buf),
	    sk, &sig)) != KL_OK)
		return r;
	key_hash(kl_bytes_str(name), KL_NOTE_COSIGNATURE, &pk, line);
	kl_be64_put(line + KEY_HASH_BYTES, (uint64_t)time_s);
	memcpy(line + KEY_HASH_BYTES + 8, sig.b, sizeof sig.b);
	return line_append(note, kl_bytes_str(name), KL_BYTES_OF(line));
}

int
kl_note_cosigned_line(struct kl_bytes text, const char *name,
    const struct kl_sign_pk *pk, int64_t *time_s, struct kl_bytes *out)
{
	char buf[COSIGNED_MAX];
	struct kl_checkpoint c;
	struct parts parts;
	struct line line;
	struct kl_sig sig;
	uint64_t t;
	int r;

	*time_s = 0;
	*out = KL_BYTES_NONE;
	if ((r = text_read(text, &c, &parts)) != KL_OK ||
	    (r = line_find(parts.lines, kl_bytes_str(name), KL_NOTE_COSIGNATURE,
	    pk, &line)) != KL_OK)
		return r;
	if (line.n != COSIGNED_BYTES)
		return KL_E_FORMAT;
	t = kl_be64(line.b + KEY_HASH_BYTES);
	if (t > INT64_MAX)
		return KL_E_FORMAT;
	memcpy(sig.b, line.b + KEY_HASH_BYTES + 8, sizeof sig.b);
	r = kl_verify_note(cosigned_text(parts.text, t, buf), pk, &sig);
	if (r != KL_OK)
		return r;
	*time_s = (int64_t)t;
	*out = kl_bytes(line.raw.p, line.raw.n + 1);
	return KL_OK;
}

int
kl_note_has_line(struct kl_bytes text, const char *name, uint8_t type,
    const struct kl_sign_pk *pk, bool *has)
{
	struct kl_checkpoint c;
	struct parts parts;
	struct line line;
	int r;

	*has = false;
	if ((r = text_read(text, &c, &parts)) != KL_OK)
		return r;
	r = line_find(parts.lines, kl_bytes_str(name), type, pk, &line);
	*has = r == KL_OK;
	return r == KL_E_SIGNATURE ? KL_OK : r;
}

int
kl_note_verify_cosigned(struct kl_bytes text, const char *name,
    const struct kl_sign_pk *pk, int64_t *time_s)
{
	struct kl_bytes line;

	return kl_note_cosigned_line(text, name, pk, time_s, &line);
}

/* ---- taking apart and putting together ----------------------------------- */

int
kl_note_bare(struct kl_bytes text, const struct kl_sign_pk *pk,
    struct kl_note *out)
{
	struct kl_checkpoint c;
	struct kl_writer w;
	struct parts parts;
	struct line line;
	int r;

	memset(out, 0, sizeof *out);
	if ((r = kl_note_verify(text, pk, &c)) != KL_OK ||
	    (r = text_read(text, &c, &parts)) != KL_OK ||
	    (r = line_find(parts.lines, kl_bytes_str(c.origin),
	    KL_NOTE_ED25519, pk, &line)) != KL_OK)
		return r;
	/* It is a part of what was read, and so is shorter than a note. */
	kl_writer_init(&w, out->b, sizeof out->b - 1);
	kl_put_bytes(&w, parts.text);
	kl_put_u8(&w, '\n');
	kl_put_bytes(&w, line.raw);
	kl_put_u8(&w, '\n');
	return KL_OK;
}

/* Has a line of the same key, as far as its name and four bytes say. */
static int
line_known(struct kl_bytes lines, const struct line *of)
{
	struct kl_bytes in;
	struct line l;

	while (kl_note_text_line(&lines, &in)) {
		if (line_read(in, &l) != KL_OK)
			return KL_E_FORMAT;
		if (kl_bytes_equal(l.name, of->name) &&
		    memcmp(l.b, of->b, KEY_HASH_BYTES) == 0)
			return KL_E_EXISTS;
	}
	return lines.n == 0 ? KL_OK : KL_E_FORMAT;
}

int
kl_note_add(struct kl_note *note, struct kl_bytes line)
{
	const size_t used = strnlen(note->b, sizeof note->b);
	struct kl_bytes rest = line, one;
	struct kl_checkpoint c;
	struct parts parts;
	struct line l;
	int r;

	if (!kl_note_text_line(&rest, &one) || rest.n > 0 ||
	    line_read(one, &l) != KL_OK)
		return KL_E_FORMAT;
	if ((r = text_read(kl_bytes(note->b, used), &c, &parts)) != KL_OK ||
	    (r = line_known(parts.lines, &l)) != KL_OK)
		return r;
	if (line.n >= sizeof note->b - used)
		return KL_E_SIZE;
	memcpy(note->b + used, line.p, line.n);
	note->b[used + line.n] = '\0';
	return KL_OK;
}

bool
kl_checkpoint_further(const struct kl_checkpoint *a,
    const struct kl_checkpoint *b)
{
	return kl_origin_older(b->origin, a->origin) ||
	    (strcmp(a->origin, b->origin) == 0 && a->size > b->size);
}
