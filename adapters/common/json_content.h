/*
 * json_content.h: the JSON of practice and municipality, to and from the
 * structs of the domain. deploy/schemas describes the same.
 *
 * Closed: a field that is not in the data set refuses the file. A possible
 * BSN anywhere in it refuses it before anything else is looked at.
 */
#ifndef ADAPTERS_COMMON_JSON_CONTENT_H
#define ADAPTERS_COMMON_JSON_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/types.h>
#include <kortelijn/domain/feedback.h>
#include <kortelijn/domain/referral.h>
#include <kortelijn/domain/rules.h>

#define JSON_CLIENT_ID_MAX 64	/* [A-Za-z0-9._-] */
#define JSON_PATIENT_REF_MAX 64
#define JSON_FILE_MAX (256 * 1024)

/* What the practice declares about the consent. */
struct json_consent {
	uint32_t feedback_level;	/* enum kl_level */
	struct kl_id onward_to[KL_ONWARD_MAX];
	size_t onward_n;
	uint32_t form;			/* enum kl_consent_form */
	int32_t given_on;		/* day */
	int32_t valid_until;		/* day; 0: as the policy has it */
	uint32_t info_text_version;
	uint32_t asked_by;		/* enum kl_staff_role */
	bool recorded_in_his;
};

struct json_referral_file {
	uint32_t schema;
	char referral_id[JSON_CLIENT_ID_MAX + 1];
	char patient_ref[JSON_PATIENT_REF_MAX + 1];	/* never sent */
	struct kl_id receiver;
	struct kl_referral referral;
	struct json_consent consent;
};

struct json_correction_file {
	uint32_t schema;
	char correction_of[JSON_CLIENT_ID_MAX + 1];
	bool is_spoken;			/* correction_of is a reference */
	struct kl_spoken spoken;
	struct kl_referral referral;
};

struct json_feedback_file {
	uint32_t schema;
	struct kl_spoken reference;
	struct kl_feedback feedback;	/* in full: level 0 */
};

/*
 * Read a file. KL_OK, or KL_E_REFUSED: `why` holds code and JSON pointer,
 * *out is wiped. Content rules are not applied here but for the BSN:
 * kl_rules_check_referral and kl_feedback_check come after.
 * Codes: json, bsn, schema, field_unknown, field_missing, field_value,
 * field_too_long, fields_disagree; of a referral also no_consent,
 * not_informed, not_in_his.
 * KL_E_MEMORY: no memory.
 */
int json_read_referral(struct kl_bytes in, struct json_referral_file *out,
    struct kl_finding *why) KL_MUST_CHECK;
int json_read_correction(struct kl_bytes in,
    struct json_correction_file *out, struct kl_finding *why) KL_MUST_CHECK;
int json_read_feedback(struct kl_bytes in, struct json_feedback_file *out,
    struct kl_finding *why) KL_MUST_CHECK;

/* Turns the path of a content rule ("name.initials") into the pointer of the
 * file ("/referral/name/initials"); leaves pointers and "" as they are. */
void json_finding_pointer(struct kl_finding *f);

/* What the desk gets beside the content. */
struct json_referral_meta {
	uint64_t seq;			/* cursor of the interface */
	struct kl_spoken reference;
	struct kl_id from;
	const char *from_name;		/* of the card */
	uint32_t state;			/* enum kl_state */
	uint32_t feedback_level;	/* enum kl_level */
	int64_t received_ms;
	int64_t answer_by_ms;		/* 0: none */
	uint32_t schema;
	bool corrected;			/* this content replaced another */
	bool training;
};

/* What the practice gets beside a feedback. */
struct json_feedback_meta {
	uint64_t seq;
	struct kl_spoken reference;
	const char *referral_id;	/* the practice's own */
	const char *patient_ref;	/* NULL or "": none */
	struct kl_id from;
	const char *from_name;
	int64_t received_ms;
	bool training;
};

/*
 * Write JSON with NUL, keys in a fixed order; *out is the caller's, to wipe
 * and free with json_text_free. KL_E_MEMORY.
 */
int json_write_referral(const struct json_referral_meta *m,
    const struct kl_referral *r, char **out) KL_MUST_CHECK;
int json_write_feedback(const struct json_feedback_meta *m,
    const struct kl_feedback *f, char **out) KL_MUST_CHECK;
void json_text_free(char *text);

#endif
