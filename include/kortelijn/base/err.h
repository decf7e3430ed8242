/*
 * err.h: what a function of libkortelijn can answer.
 *
 * These are errors of the program interface. What one party answers another
 * on the wire is a refusal code: see code.h.
 */
#ifndef KORTELIJN_BASE_ERR_H
#define KORTELIJN_BASE_ERR_H

#define KL_MUST_CHECK __attribute__((warn_unused_result))

enum kl_err {
	KL_OK = 0,

	/* The peer's, file's or user's fault: answer it and go on. */
	KL_E_FORMAT = -1,	/* not the bytes the format asks for */
	KL_E_VALUE = -2,	/* well formed, but a value outside its range */
	KL_E_UNKNOWN = -3,	/* a field or code that this version has not */
	KL_E_SIZE = -4,		/* larger than its limit */
	KL_E_SIGNATURE = -5,	/* signature, MAC or commitment does not hold */
	KL_E_NOT_FOUND = -6,	/* no such thing */
	KL_E_EXISTS = -7,	/* there already, with other content */
	KL_E_DENIED = -8,	/* not allowed to this caller or file mode */
	KL_E_EMPTY = -9,	/* nothing waits */
	KL_E_REFUSED = -10,	/* refused with a code, which stands beside */
	KL_E_CONFIG = -11,	/* configuration is missing or wrong */

	/* Our side failed before a commit: undo the turn, say "try later". */
	KL_E_MEMORY = -20,	/* no memory, or the arena's cap is reached */
	KL_E_FULL = -21,	/* store, table or slot pool is full */
	KL_E_IO = -22,		/* a read, write or sync failed; see errno */
	KL_E_AGAIN = -23,	/* not now; nothing was done */
	KL_E_SYSTEM = -24,	/* another system call failed; see errno */

	/* Outcome unknown or data lost: the process must end. */
	KL_E_COMMIT = -30,	/* a commit or its sync: outcome unknown */
	KL_E_DAMAGED = -31,	/* stored data does not verify */
};

/* One English sentence without a full stop; static, never NULL. */
const char *kl_err_text(int err);

#endif
