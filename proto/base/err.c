#include <kortelijn/base/err.h>

const char *
kl_err_text(int err)
{
	switch (err) {
	case KL_OK: return "no error";
	case KL_E_FORMAT: return "the bytes are not in the expected format";
	case KL_E_VALUE: return "a value is outside its range";
	case KL_E_UNKNOWN: return "unknown field or code";
	case KL_E_SIZE: return "larger than its limit";
	case KL_E_SIGNATURE: return "the signature does not hold";
	case KL_E_NOT_FOUND: return "not found";
	case KL_E_EXISTS: return "exists already, with other content";
	case KL_E_DENIED: return "not allowed (its owner, mode or kind)";
	case KL_E_EMPTY: return "nothing waits";
	case KL_E_REFUSED: return "refused";
	case KL_E_CONFIG: return "the configuration is missing or wrong";
	case KL_E_MEMORY: return "out of memory, or above the cap";
	case KL_E_FULL: return "the store, or the disk it is on, is full";
	case KL_E_IO: return "reading, writing or syncing failed";
	case KL_E_AGAIN: return "not now, try again";
	case KL_E_SYSTEM: return "a system call failed";
	case KL_E_COMMIT: return "a commit failed, its outcome is unknown";
	case KL_E_DAMAGED: return "stored data is damaged";
	default: return "unknown error";
	}
}
