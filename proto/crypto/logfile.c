#include <kortelijn/crypto/logfile.h>

#include <assert.h>
#include <string.h>

#include <kortelijn/crypto/aead.h>
#include <kortelijn/crypto/hash.h>
#include <kortelijn/crypto/secret.h>

static const char magic[] = "kortelijn-log-export";	/* then the version */
#define VERSION 1

static const char label[] = "kortelijn/v1/logfile";	/* with its NUL */

enum chunk_type { BEGIN = 1, LEAVES = 2, END = 3 };

/* ---- head ---- */

int
kl_logfile_head_pack(const struct kl_logfile_head *h, uint8_t *buf,
    size_t cap, size_t *n)
{
	const size_t note_n = strlen(h->note.b);
	struct kl_writer w;

	kl_writer_init(&w, buf, cap);
	kl_put(&w, magic, sizeof magic - 1);
	kl_put_u8(&w, VERSION);
	kl_put_u32(&w, h->month);
	kl_put(&w, h->id, sizeof h->id);
	kl_put_u16(&w, (uint16_t)note_n);
	kl_put(&w, h->note.b, note_n);
	*n = w.n;
	return w.full ? KL_E_SIZE : KL_OK;
}

int
kl_logfile_head_read(struct kl_bytes in, struct kl_logfile_head *out,
    size_t *n)
{
	struct kl_bytes begin, note;
	struct kl_reader r;

	memset(out, 0, sizeof *out);
	kl_reader_init(&r, in);
	begin = kl_get_bytes(&r, sizeof magic - 1);
	if (r.bad || memcmp(begin.p, magic, begin.n) != 0)
		return KL_E_FORMAT;
	if (kl_get_u8(&r) != VERSION)
		return r.bad ? KL_E_FORMAT : KL_E_UNKNOWN;
	out->month = kl_get_u32(&r);
	kl_get(&r, out->id, sizeof out->id);
	note = kl_get_bytes(&r, kl_get_u16(&r));
	if (r.bad || note.n >= sizeof out->note.b ||
	    memchr(note.p, '\0', note.n) != NULL)
		return KL_E_FORMAT;
	memcpy(out->note.b, note.p, note.n);
	*n = in.n - r.n;
	return KL_OK;
}

/* ---- chunks ---- */

#define AD_BYTES (sizeof label + sizeof(struct kl_hash) + 8 + 1)

static struct kl_bytes
ad_make(uint8_t buf[AD_BYTES], const struct kl_hash *head, uint64_t chunk,
    bool last)
{
	struct kl_writer w;

	kl_writer_init(&w, buf, AD_BYTES);
	kl_put(&w, label, sizeof label);
	kl_put(&w, head->b, sizeof head->b);
	kl_put_u64(&w, chunk);
	kl_put_u8(&w, last ? 1 : 0);
	return kl_writer_bytes(&w);
}

/* What was put into w, sealed behind its length. */
static void
seal(struct kl_logfile_writer *f, bool last, uint8_t *out, size_t *n)
{
	const struct kl_bytes plain = kl_writer_bytes(&f->w);
	uint8_t ad[AD_BYTES];
	struct kl_writer w;

	/* Counted below: all that is put fits. */
	assert(!f->w.full);
	kl_writer_init(&w, out, KL_LOGFILE_CHUNK_MAX);
	kl_put_u32(&w, (uint32_t)(plain.n + KL_AEAD_EXTRA));
	kl_aead_seal(f->key, ad_make(ad, &f->head, f->chunk, last), plain,
	    out + w.n);
	*n = w.n + plain.n + KL_AEAD_EXTRA;
	f->chunk++;
	f->n = 0;
	kl_wipe(f->plain, plain.n);
	kl_writer_init(&f->w, f->plain, sizeof f->plain);
}

void
kl_logfile_begin(struct kl_logfile_writer *f, struct kl_bytes key,
    struct kl_bytes head)
{
	assert(key.n == KL_LOGFILE_KEY_BYTES);
	memset(f, 0, sizeof *f);
	f->key = key;
	f->head = kl_hash_of(head);
	kl_writer_init(&f->w, f->plain, sizeof f->plain);
}

void
kl_logfile_put_begin(struct kl_logfile_writer *f,
    const struct kl_range *before, uint64_t end, uint8_t *out, size_t *n)
{
	kl_put_u8(&f->w, BEGIN);
	kl_put_u64(&f->w, before->size);
	kl_put_u64(&f->w, end);
	kl_put(&f->w, before->h, before->n * sizeof before->h[0]);
	seal(f, false, out, n);
}

int
kl_logfile_put_leaf(struct kl_logfile_writer *f,
    const struct kl_logfile_leaf *leaf)
{
	const size_t n = leaf->record.n;

	if (n > KL_LOGFILE_RECORD_MAX)
		return KL_E_SIZE;
	if (f->n == KL_LOGFILE_LEAVES_MAX)
		return KL_E_FULL;
	if (f->n == 0)
		kl_put_u8(&f->w, LEAVES);
	kl_put(&f->w, leaf->hash.b, sizeof leaf->hash.b);
	kl_put_u16(&f->w, (uint16_t)n);
	if (n > 0) {
		kl_put(&f->w, leaf->salt, sizeof leaf->salt);
		kl_put_bytes(&f->w, leaf->record);
	}
	f->n++;
	return KL_OK;
}

void
kl_logfile_flush(struct kl_logfile_writer *f, uint8_t *out, size_t *n)
{
	*n = 0;
	if (f->n > 0)
		seal(f, false, out, n);
}

int
kl_logfile_put_end(struct kl_logfile_writer *f,
    const struct kl_hash *proof, size_t n_proof, uint8_t *out, size_t *n)
{
	*n = 0;
	if (n_proof > KL_PROOF_MAX)
		return KL_E_SIZE;
	assert(f->n == 0);
	kl_put_u8(&f->w, END);
	kl_put(&f->w, proof, n_proof * sizeof proof[0]);
	seal(f, true, out, n);
	return KL_OK;
}

/* ---- reading ---- */

int
kl_logfile_open(struct kl_logfile_reader *f, struct kl_bytes key,
    const struct kl_sign_pk *pk, struct kl_bytes in,
    struct kl_logfile_head *head, size_t *n)
{
	int r;

	memset(f, 0, sizeof *f);
	if (key.n != KL_LOGFILE_KEY_BYTES)
		return KL_E_VALUE;
	if ((r = kl_logfile_head_read(in, head, n)) != KL_OK)
		return r;
	if (kl_note_verify(kl_bytes_str(head->note.b), pk, &f->checkpoint) !=
	    KL_OK)
		return KL_E_SIGNATURE;
	f->key = key;
	f->head = kl_hash_of(kl_bytes(in.p, *n));
	return KL_OK;
}

int
kl_logfile_length(const uint8_t p[4], size_t *n)
{
	struct kl_reader r;

	kl_reader_init(&r, kl_bytes(p, 4));
	*n = kl_get_u32(&r);
	return *n > KL_LOGFILE_CHUNK_MAX - 4 || *n <= KL_AEAD_EXTRA ?
	    KL_E_FORMAT : KL_OK;
}

static int
take_begin(struct kl_logfile_reader *f, struct kl_reader *r)
{
	if (f->begun)
		return KL_E_FORMAT;
	f->begun = true;
	f->first = kl_get_u64(r);
	f->end = kl_get_u64(r);
	kl_range_init(&f->range);
	f->range.size = f->first;
	f->range.n = (uint32_t)__builtin_popcountll(f->first);
	kl_get(r, f->range.h, f->range.n * sizeof f->range.h[0]);
	if (f->first >= f->end || f->end > f->checkpoint.size)
		return KL_E_FORMAT;
	return kl_reader_done(r) ? KL_OK : KL_E_FORMAT;
}

static int
take_end(struct kl_logfile_reader *f, struct kl_reader *r)
{
	const size_t n = r->n / sizeof(struct kl_hash);
	struct kl_hash proof[KL_PROOF_MAX], root;

	if (n > KL_PROOF_MAX)
		return KL_E_FORMAT;
	kl_get(r, proof, n * sizeof proof[0]);
	if (!kl_reader_done(r))
		return KL_E_FORMAT;
	if (f->range.size != f->end)
		return KL_E_SIGNATURE;
	root = kl_range_root(&f->range);
	if (kl_check_consistency(f->end, &root, f->checkpoint.size,
	    &f->checkpoint.root, proof, n) != KL_OK)
		return KL_E_SIGNATURE;
	f->done = true;
	return KL_OK;
}

static int
take_plain(struct kl_logfile_reader *f, struct kl_bytes plain, bool last)
{
	struct kl_reader r;
	uint8_t type;

	kl_reader_init(&r, plain);
	type = kl_get_u8(&r);
	if (last != (type == END) || f->begun == (type == BEGIN))
		return KL_E_FORMAT;
	switch (type) {
	case BEGIN: return take_begin(f, &r);
	case LEAVES: f->leaves = r; return KL_OK;
	case END: return take_end(f, &r);
	default: return KL_E_FORMAT;
	}
}

int
kl_logfile_take(struct kl_logfile_reader *f, struct kl_bytes chunk)
{
	const size_t n = chunk.n - KL_AEAD_EXTRA;
	uint8_t ad[AD_BYTES];
	bool last = false;
	int r;

	if (chunk.n <= KL_AEAD_EXTRA || n > sizeof f->plain)
		return KL_E_FORMAT;
	if (f->done || f->leaves.n > 0)
		return KL_E_FORMAT;
	r = kl_aead_open(f->key, ad_make(ad, &f->head, f->chunk, false),
	    chunk, f->plain);
	if (r != KL_OK) {
		last = true;
		r = kl_aead_open(f->key, ad_make(ad, &f->head, f->chunk,
		    true), chunk, f->plain);
	}
	if (r != KL_OK)
		return KL_E_SIGNATURE;
	f->chunk++;
	return take_plain(f, kl_bytes(f->plain, n), last);
}

int
kl_logfile_leaf(struct kl_logfile_reader *f, struct kl_logfile_leaf *out)
{
	struct kl_reader *r = &f->leaves;
	struct kl_hash hash;
	size_t n;

	memset(out, 0, sizeof *out);
	if (r->n == 0)
		return KL_E_EMPTY;
	out->index = f->range.size;
	kl_get(r, out->hash.b, sizeof out->hash.b);
	if ((n = kl_get_u16(r)) > 0) {
		kl_get(r, out->salt, sizeof out->salt);
		out->record = kl_get_bytes(r, n);
	}
	if (r->bad || n > KL_LOGFILE_RECORD_MAX || out->index >= f->end)
		return KL_E_FORMAT;
	if (n > 0) {
		hash = kl_record_leaf_hash(out->salt, out->record);
		if (!kl_bytes_equal(KL_BYTES_OF(hash),
		    KL_BYTES_OF(out->hash)))
			return KL_E_SIGNATURE;
	}
	kl_range_append(&f->range, &out->hash);
	return KL_OK;
}

bool
kl_logfile_whole(const struct kl_logfile_reader *f)
{
	return f->done;
}
