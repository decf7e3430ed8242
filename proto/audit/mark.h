/*
 * mark.h: the last checkpoint of each log that an auditor has seen, and the
 * alarm when a log does not continue what it showed before. PROTOCOL.md 7.1.2.
 *
 * DIR/marks has one signed note for each log. DIR/alarms has the evidence: the
 * note that was kept, an empty line, and the one that does not continue it,
 * both signed by the broker, so that anyone can verify them.
 */
#ifndef PROTO_AUDIT_MARK_H
#define PROTO_AUDIT_MARK_H

#include <kortelijn/crypto/note.h>

#define AUDIT_MARK_PATH_BYTES 768

enum audit_mark_verdict {
	AUDIT_MARK_KEPT = 1,	/* the first of all, or the same */
	AUDIT_MARK_NEW_LOG,	/* the first of a log that is younger; kept */
	AUDIT_MARK_AHEAD,	/* kept only once the proof from size holds */
	AUDIT_MARK_BROKEN,	/* went back, or is another: see evidence */
	AUDIT_MARK_LEFT,	/* of a log that was left: see evidence */
};

struct audit_mark {
	enum audit_mark_verdict verdict;
	uint64_t size;		/* AHEAD: leaves of the one that is kept */
	struct kl_checkpoint now;	/* what the note says */
	char evidence[AUDIT_MARK_PATH_BYTES];	/* of this alarm, or "" */
};

/* A note as it came; pk: the broker's. KL_E_SIGNATURE, KL_E_FORMAT: it is not
 * one of this broker; KL_E_DAMAGED: what is kept is not; KL_E_FULL, KL_E_IO,
 * KL_E_SIZE, KL_E_DENIED, KL_E_MEMORY. */
int audit_mark_take(const char *dir, const struct kl_sign_pk *pk,
    struct kl_bytes note, struct audit_mark *out) KL_MUST_CHECK;
/* After AHEAD: the proof of n hashes that note continues the one kept. KEPT or
 * BROKEN, or what audit_mark_take says of it. */
int audit_mark_prove(const char *dir, const struct kl_sign_pk *pk,
    struct kl_bytes note, const struct kl_bytes *proof, size_t n,
    struct audit_mark *out) KL_MUST_CHECK;
/* The note that is kept of a log. KL_E_NOT_FOUND; KL_E_SIZE, KL_E_IO. */
int audit_mark_note(const char *dir, const char *origin, struct kl_note *out)
    KL_MUST_CHECK;
/* The last checkpoint of the youngest log that was seen of this broker: the one
 * that it stands on, as far as is known. KL_E_NOT_FOUND: none was. */
int audit_mark_youngest(const char *dir, const struct kl_sign_pk *pk,
    struct kl_checkpoint *out) KL_MUST_CHECK;
/* Is there evidence from before? *path names a file of it, or is "". */
void audit_mark_alarm(const char *dir, char path[AUDIT_MARK_PATH_BYTES]);

#endif
