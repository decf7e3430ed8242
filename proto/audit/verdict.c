#include "proto/audit/verdict.h"

#include <string.h>

/* The note begins behind the first empty line of a proof, and is all of a
 * checkpoint. */
struct kl_bytes
audit_verdict_note(struct kl_bytes text)
{
	if (text.n == 0 || kl_proof_sort(text) == KL_PROOF_CHECKPOINT)
		return text;
	for (size_t i = 1; i < text.n; i++)
		if (text.p[i] == '\n' && text.p[i - 1] == '\n')
			return kl_bytes(text.p + i + 1, text.n - i - 1);
	return KL_BYTES_NONE;
}

/* ---- the three sorts ----------------------------------------------------- */

/* The name of the log that is trusted; of any that its key has signed, the one
 * that the note names. */
static int
log_key(const struct audit_trust *t, struct kl_bytes note,
    struct kl_vkey *out)
{
	struct kl_checkpoint c;
	int r = audit_trust_checkpoint(t, note, &c);

	return r != KL_OK ? r : kl_vkey_make(c.origin, KL_NOTE_ED25519,
	    &t->pk, out);
}

static int
inclusion(const struct audit_trust *t, struct kl_bytes text,
    struct kl_arena *mem, struct audit_verdict *v)
{
	struct kl_vkey log;
	int r;

	if ((r = kl_proof_inclusion_read(text, &v->proof)) != KL_OK ||
	    (r = log_key(t, kl_bytes_str(v->proof.note.b), &log)) != KL_OK ||
	    (r = kl_proof_inclusion_verify(&v->proof, &log,
	    &v->checkpoint)) != KL_OK)
		return r;
	v->record.leaf = v->proof.index;
	memcpy(v->record.salt, v->proof.salt, sizeof v->record.salt);
	v->record.packed = kl_bytes(v->proof.record, v->proof.record_n);
	switch (KL_STATEMENT_READ(KL_S_RECORD, v->record.packed, mem,
	    &v->record.r)) {
	case KL_C_OK: return KL_OK;
	case KL_C_TRY_LATER: return KL_E_MEMORY;
	default: return KL_E_FORMAT;
	}
}

static int
consistency(const struct audit_trust *t, struct kl_bytes text,
    struct kl_bytes old, struct audit_verdict *v)
{
	struct kl_proof_consistency p;
	struct kl_vkey log;
	int r;

	if ((r = kl_proof_consistency_read(text, &p)) != KL_OK ||
	    (r = log_key(t, kl_bytes_str(p.note.b), &log)) != KL_OK)
		return r;
	v->old_size = p.old_size;
	if (p.old_size == 0)
		old = KL_BYTES_NONE;
	else if (old.n == 0)
		return KL_E_EMPTY;
	return kl_proof_consistency_verify(&p, old, &log, &v->checkpoint);
}

static int
verify(const struct audit_trust *t, struct kl_bytes text,
    struct kl_bytes old, struct kl_arena *mem, struct audit_verdict *v)
{
	int r;

	switch (v->sort) {
	case KL_PROOF_INCLUSION:
		r = inclusion(t, text, mem, v);
		break;
	case KL_PROOF_CONSISTENCY:
		r = consistency(t, text, old, v);
		break;
	default:
		r = audit_trust_checkpoint(t, text, &v->checkpoint);
		break;
	}
	if (r == KL_OK && audit_trust_lines(t, audit_verdict_note(text),
	    v->line, &v->n_lines) != KL_OK)
		r = KL_E_DENIED;
	return r;
}

void
audit_verdict(const struct audit_trust *t, struct kl_bytes text,
    struct kl_bytes old, struct kl_arena *mem, struct audit_verdict *out)
{
	uint64_t old_size;
	int r;

	memset(out, 0, sizeof *out);
	out->sort = kl_proof_sort(text);
	r = verify(t, text, old, mem, out);
	if (r == KL_OK)
		return;
	old_size = out->old_size;
	*out = (struct audit_verdict){ .sort = out->sort, .err = r,
		.old_size = old_size };
}

/* ---- words --------------------------------------------------------------- */

static const struct {
	int err;
	const char *nl, *en;
} words[] = {
	{ KL_E_FORMAT, "geen checkpoint, bewijs of export, of niet precies zo "
	  "geschreven: afgekapt, gewijzigd of met andere regeleinden",
	  "no checkpoint, proof or export, or not written exactly so: cut "
	  "short, changed, or with other line ends" },
	{ KL_E_UNKNOWN, "van een ander logboek dan het logboek dat u "
	  "vertrouwt", "of another log than the one you trust" },
	{ KL_E_SIGNATURE, "niet ondertekend met de sleutel die u vertrouwt, of "
	  "gewijzigd", "not signed by the key you trust, or changed" },
	{ KL_E_VALUE, "het past niet bij het checkpoint: een regel of grootte "
	  "die daar niet in zit", "it does not fit its checkpoint: a leaf or "
	  "size that is not in it" },
	{ KL_E_NOT_FOUND, "het checkpoint klopt, maar hiervan leidt geen weg "
	  "ernaartoe: gewijzigd, van een andere plaats, of het logboek is "
	  "herschreven", "the checkpoint holds, but nothing leads from this "
	  "to it: changed, of another place, or the log was rewritten" },
	{ KL_E_DENIED, "de regel van een getuige eronder klopt niet: "
	  "gewijzigd", "the line of a witness under it does not hold: "
	  "changed" },
	{ KL_E_EMPTY, "dit bewijs verbindt twee checkpoints: geef ook het "
	  "oudere", "this proof joins two checkpoints: give the earlier one "
	  "as well" },
};

const char *
audit_verdict_why(int err, enum kl_lang lang)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (words[i].err == err)
			return lang == KL_EN ? words[i].en : words[i].nl;
	return kl_err_text(err);
}
