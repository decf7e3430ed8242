/*
 * texts.h: every sentence of ours that a resident gets to read, by name, in
 * Dutch and English.
 *
 * Plain words and short sentences: tests/unit/test_texts measures the Dutch.
 * What differs from letter to letter stands open as {date} and is filled in.
 */
#ifndef ADAPTERS_COMMON_TEXTS_H
#define ADAPTERS_COMMON_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

#include <kortelijn/base/err.h>
#include <kortelijn/domain/list.h>

enum text {
	/* in every letter */
	TEXT_MADE_ON = 1, TEXT_REFERENCE, TEXT_OWN_REFERENCE, TEXT_FROM,
	TEXT_TO, TEXT_STATE, TEXT_SENT_ON, TEXT_OPENED_ON, TEXT_ENDED_ON,
	TEXT_CALL, TEXT_ASK, TEXT_NAME_REFERENCE, TEXT_COMPLAINT,

	/* "Wat wij over u bewaren": AVG 15 */
	TEXT_EXPORT_TITLE, TEXT_EXPORT_INTRO, TEXT_EXPORT_KORTELIJN,
	TEXT_EXPORT_FILES, TEXT_EXPORT_NONE, TEXT_EXPORT_REFERRAL,
	TEXT_EXPORT_CONTENT, TEXT_EXPORT_CONTENT_GONE, TEXT_EXPORT_CONSENT,
	TEXT_EXPORT_CONSENT_THERE, TEXT_EXPORT_GIVEN_ON, TEXT_EXPORT_FORM,
	TEXT_EXPORT_VALID_UNTIL, TEXT_EXPORT_LEVEL, TEXT_EXPORT_ASKED_BY,
	TEXT_EXPORT_INFO_VERSION, TEXT_EXPORT_IN_FILE, TEXT_EXPORT_ONWARD,
	TEXT_EXPORT_MESSAGES, TEXT_EXPORT_RECEIPTS, TEXT_EXPORT_ACCEPTED,
	TEXT_EXPORT_TAKEN_UP, TEXT_EXPORT_WITHDRAWALS,
	TEXT_EXPORT_NOT_WITHDRAWN, TEXT_EXPORT_PATIENT_NUMBER,
	TEXT_EXPORT_TERM, TEXT_EXPORT_CORRECT_HERE,
	TEXT_EXPORT_CORRECT_THERE, TEXT_EXPORT_CORRECT_HOW,
	TEXT_EXPORT_WITHDRAW,

	/* "Wie keek er naar uw gegevens" */
	TEXT_LOG_TITLE, TEXT_LOG_INTRO, TEXT_LOG_FIRST, TEXT_LOG_NONE,
	TEXT_LOG_NUMBERS, TEXT_LOG_PROGRAM, TEXT_LOG_TERM,

	/* "Uw verwijzingen" */
	TEXT_FIND_TITLE, TEXT_FIND_INTRO, TEXT_FIND_NONE,

	/* "Uw gegevens zijn gewist": AVG 17 */
	TEXT_ERASE_TITLE, TEXT_ERASE_BEGUN_TITLE, TEXT_ERASE_DONE,
	TEXT_ERASE_WHICH, TEXT_ERASE_ENDED, TEXT_ERASE_OPEN,
	TEXT_ERASE_OTHER_SIDE, TEXT_ERASE_LOG_STAYS, TEXT_ERASE_LOG_WHY,
	TEXT_ERASE_LOG_NAMELESS, TEXT_ERASE_FILE_PRACTICE,
	TEXT_ERASE_FILE_DESK, TEXT_ERASE_NOT_BACK,

	/* "U heeft uw toestemming ingetrokken": AVG 7(3), 19 */
	TEXT_WITHDRAWAL_TITLE, TEXT_WITHDRAWAL_ON, TEXT_WITHDRAWAL_ALL,
	TEXT_WITHDRAWAL_FEEDBACK, TEXT_WITHDRAWAL_HELP_GOES_ON,
	TEXT_WITHDRAWAL_ERASED_NONE, TEXT_WITHDRAWAL_ERASED_ONE,
	TEXT_WITHDRAWAL_ERASED, TEXT_WITHDRAWAL_RELEASED_ONE,
	TEXT_WITHDRAWAL_RELEASED, TEXT_WITHDRAWAL_UNCONFIRMED_ONE,
	TEXT_WITHDRAWAL_UNCONFIRMED, TEXT_WITHDRAWAL_ASKED,
	TEXT_WITHDRAWAL_ERASED_THERE, TEXT_WITHDRAWAL_KEPT_THERE,
	TEXT_WITHDRAWAL_NOTHING_THERE, TEXT_WITHDRAWAL_NO_ANSWER,
	TEXT_WITHDRAWAL_ONWARD, TEXT_WITHDRAWAL_PROOF, TEXT_WITHDRAWAL_FILE,
	TEXT_WITHDRAWAL_AGAIN,

	/* wrong patient: a note for the practice's own assessment, AVG 33 */
	TEXT_BREACH_TITLE, TEXT_BREACH_WHAT, TEXT_BREACH_BY,
	TEXT_BREACH_FOUND_ON, TEXT_BREACH_ERASED_ON, TEXT_BREACH_NOT_OPENED,
	TEXT_BREACH_OPENED, TEXT_BREACH_UNCERTAIN, TEXT_BREACH_ERASED,
	TEXT_BREACH_NOT_ERASED, TEXT_BREACH_NO_CONTACT, TEXT_BREACH_ASSESS,
	TEXT_BREACH_TERM, TEXT_BREACH_PERSON, TEXT_BREACH_KEEP,
	TEXT_END
};

enum text_kind { TEXT_LABEL = 1, TEXT_TITLE = 2, TEXT_SENTENCES = 3 };
/* The page that a text stands on: what is measured together. */
enum text_page {
	TEXT_PAGE_ALL = 1, TEXT_PAGE_EXPORT, TEXT_PAGE_LOG, TEXT_PAGE_FIND,
	TEXT_PAGE_ERASE, TEXT_PAGE_WITHDRAWAL, TEXT_PAGE_BREACH,
	TEXT_PAGE_END
};

struct texts_row {
	enum text_kind kind;
	enum text_page page;
	const char *nl, *en;
};

/* What a text may leave open; NULL: not known. Borrowed. */
struct texts_values {
	const char *reference;		/* {reference} */
	const char *date;		/* {date} */
	const char *organisation;	/* {organisation}: who writes */
	const char *other;		/* {other}: the other side */
	const char *phone;		/* {phone} */
	const char *count;		/* {count} */
};

/* NULL for a number that is no text. */
const struct texts_row *texts_row(enum text t);
const char *texts_get(enum text t, enum kl_lang lang);
/* With NUL. KL_E_VALUE: it leaves open what v (may be NULL) does not have;
 * KL_E_SIZE. */
int texts_fill(enum text t, enum kl_lang lang, const struct texts_values *v,
    char *out, size_t cap) KL_MUST_CHECK;

#endif
