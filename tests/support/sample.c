#include "tests/support/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/code.h>
#include <kortelijn/base/time.h>
#include <kortelijn/crypto/sign.h>

static void
must(int held, const char *what)
{
	if (held)
		return;
	fprintf(stderr, "sample: %s failed\n", what);
	abort();
}

static struct kl_id
id_of(const char *text)
{
	struct kl_id id;

	must(kl_id_read(text, &id) == KL_OK, "an id");
	return id;
}

static void
record_make(struct sample_record *out, uint64_t i)
{
	struct kl_record r = { .version = 1, .event = KL_EV_ACCEPTED,
		.org_from = id_of("agb:01234567"), .org_to = id_of(
		SAMPLE_BROKER), .actor_role = KL_PRACTICE,
		.kind = KL_REFERRAL, .outcome = 1, .reason = KL_C_OK,
		.new_state = KL_MSG_ACCEPTED, .count = 1 };

	r.time_minute = SAMPLE_NOW_MS / KL_MINUTE_MS + (int64_t)i;
	kl_random(&r.conv_ref, sizeof r.conv_ref);
	kl_random(&r.msg_ref, sizeof r.msg_ref);
	kl_random(&r.body_hash, sizeof r.body_hash);
	kl_random(&r.actor_key_id, sizeof r.actor_key_id);
	kl_random(out->salt, sizeof out->salt);
	must(KL_STATEMENT_PACK(KL_S_RECORD, &r, out->b, sizeof out->b,
	    &out->n) == KL_OK, "a record");
}

void
sample_open(struct sample *s, uint64_t leaves)
{
	const struct kl_id witness = id_of(SAMPLE_WITNESS);
	struct kl_sign_pk pk;

	memset(s, 0, sizeof *s);
	(void)strcpy(s->origin, SAMPLE_ORIGIN);
	must(kl_sign_keypair(&pk, &s->sk) == KL_OK, "a key");
	must(kl_vkey_make(SAMPLE_ORIGIN, KL_NOTE_ED25519, &pk, &s->log) ==
	    KL_OK, "its name");
	must(kl_sign_keypair(&pk, &s->witness_sk) == KL_OK, "a key");
	must(kl_vkey_witness(&witness, &pk, &s->witness) == KL_OK,
	    "a witness");
	s->n = leaves;
	s->leaf = calloc(leaves, sizeof *s->leaf);
	s->record = calloc(leaves, sizeof *s->record);
	must(s->leaf != NULL && s->record != NULL, "memory");
	for (uint64_t i = 0; i < leaves; i++) {
		struct sample_record *r = &s->record[i];

		record_make(r, i);
		s->leaf[i] = kl_record_leaf_hash(r->salt,
		    kl_bytes(r->b, r->n));
	}
}

void
sample_close(struct sample *s)
{
	kl_secret_free(s->sk);
	kl_secret_free(s->witness_sk);
	free(s->leaf);
	free(s->record);
	memset(s, 0, sizeof *s);
}

struct kl_note
sample_note(const struct sample *s, uint64_t size)
{
	struct kl_checkpoint c = { .size = size };
	struct kl_note n;

	memcpy(c.origin, s->origin, sizeof c.origin);
	c.root = kl_tree_root(s->leaf, size);
	must(kl_note_sign(&c, s->sk, &n) == KL_OK, "a checkpoint");
	return n;
}

struct kl_note
sample_witnessed(const struct sample *s, uint64_t size)
{
	struct kl_note n = sample_note(s, size);

	must(kl_note_cosign(&n, s->witness.name, SAMPLE_NOW_MS /
	    KL_SECOND_MS, s->witness_sk) == KL_OK, "a witness's line");
	return n;
}

struct sample_text
sample_inclusion(const struct sample *s, uint64_t at, uint64_t size,
    const struct kl_note *note)
{
	struct kl_proof_inclusion p = { .index = at, .note = *note };
	const struct sample_record *r = &s->record[at];
	struct kl_hash h[KL_PROOF_MAX];
	struct sample_text t;

	memcpy(p.salt, r->salt, sizeof p.salt);
	memcpy(p.record, r->b, r->n);
	p.record_n = r->n;
	must(kl_prove_inclusion(s->leaf, size, at, h, &p.n) == KL_OK,
	    "a proof");
	memcpy(p.hash, h, p.n * sizeof h[0]);
	must(kl_proof_inclusion_pack(&p, t.b, sizeof t.b, &t.n) == KL_OK,
	    "its file");
	return t;
}

struct sample_text
sample_consistency(const struct sample *s, uint64_t old, uint64_t size,
    const struct kl_note *note)
{
	struct kl_proof_consistency p = { .old_size = old, .note = *note };
	struct kl_hash h[KL_PROOF_MAX];
	struct sample_text t;

	if (old > 0)
		must(kl_prove_consistency(s->leaf, size, old, h, &p.n) ==
		    KL_OK, "a proof");
	memcpy(p.hash, h, p.n * sizeof h[0]);
	must(kl_proof_consistency_pack(&p, t.b, sizeof t.b, &t.n) == KL_OK,
	    "its file");
	return t;
}
