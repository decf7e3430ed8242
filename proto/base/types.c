#include <kortelijn/base/types.h>

#include <stddef.h>
#include <string.h>

static const struct scheme {
	const char *prefix;
	size_t digits;
} schemes[] = {
	{ "agb:", 8 }, { "ura:", 8 }, { "kvk:", 8 }, { "oin:", 20 },
};

static bool
id_text_valid(const char *text, size_t n)
{
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		const struct scheme *s = &schemes[i];

		if (n != 4 + s->digits || memcmp(text, s->prefix, 4) != 0)
			continue;
		for (size_t j = 4; j < n; j++)
			if (text[j] < '0' || text[j] > '9')
				return false;
		return true;
	}
	return false;
}

int
kl_id_read(const char *text, struct kl_id *out)
{
	size_t n = strlen(text);

	memset(out, 0, sizeof *out);
	if (!id_text_valid(text, n))
		return KL_E_FORMAT;
	memcpy(out->b, text, n);
	return KL_OK;
}

bool
kl_id_valid(const struct kl_id *id)
{
	size_t n = strnlen(id->b, sizeof id->b);

	return id_text_valid(id->b, n) &&
	    kl_bytes_zero(kl_bytes(id->b + n, sizeof id->b - n));
}

bool
kl_id_equal(const struct kl_id *a, const struct kl_id *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool
kl_id_none(const struct kl_id *id)
{
	return kl_bytes_zero(KL_BYTES_OF(id->b));
}

struct kl_id_text
kl_id_text(const struct kl_id *id)
{
	struct kl_id_text t;

	memcpy(t.b, id->b, sizeof id->b);
	t.b[sizeof id->b] = '\0';
	return t;
}

static const char *const kind_names[] = {
	[KL_REFERRAL] = "referral", [KL_CORRECTION] = "correction",
	[KL_FEEDBACK] = "feedback",
};
static const char *const statement_names[] = {
	[KL_CARD] = "card", [KL_REVOCATION] = "revocation",
	[KL_PREKEY] = "prekey", [KL_PROFILE] = "profile",
	[KL_RECEIPT] = "receipt", [KL_WITHDRAWAL] = "withdrawal",
	[KL_ERASE_RECEIPT] = "erase_receipt", [KL_NOTICE] = "notice",
};
static const char *const request_names[] = {
	[KL_HELLO] = "hello", [KL_SUBMIT] = "submit", [KL_FETCH] = "fetch",
	[KL_PUT_RECEIPT] = "receipt", [KL_ITEM_ACK] = "item_ack",
	[KL_WITHDRAW] = "withdraw", [KL_DIRECTORY] = "directory",
	[KL_PUBLISH] = "publish", [KL_SYNC] = "sync", [KL_LOG] = "log",
	[KL_QUERY] = "query",
};
static const char *const role_names[] = {
	[KL_PRACTICE] = "practice", [KL_MUNICIPALITY] = "municipality",
	[KL_PARTNER] = "partner", [KL_AUDITOR] = "auditor",
	[KL_BROKER] = "broker",
};
static const char *const realm_names[] = {
	[KL_PRODUCTION] = "production", [KL_TRAINING] = "training",
};
static const char *const staff_role_names[] = {
	[KL_STAFF_GP] = "gp",
	[KL_STAFF_NURSE_MENTAL_HEALTH] = "nurse_mental_health",
	[KL_STAFF_NURSE] = "nurse", [KL_STAFF_ASSISTANT] = "assistant",
	[KL_STAFF_SECONDED] = "seconded", [KL_STAFF_OTHER] = "other",
	[KL_STAFF_DESK] = "desk", [KL_STAFF_COUNSELLOR] = "counsellor",
	[KL_STAFF_PARTNER] = "partner_staff",
};
static const char *const milestone_names[] = {
	[KL_MS_NONE] = "none", [KL_MS_TAKEN_UP] = "taken_up",
	[KL_MS_IN_PROGRESS] = "in_progress", [KL_MS_ENDED] = "ended",
	[KL_MS_RETURNED] = "returned",
};
static const char *const form_names[] = {
	[KL_ORAL] = "oral", [KL_WRITTEN] = "written",
};
static const char *const outcome_names[] = {
	[KL_OPENED] = "opened", [KL_UNDECRYPTABLE] = "undecryptable",
	[KL_REFUSED] = "refused",
};
static const char *const scope_names[] = {
	[KL_SCOPE_ALL] = "all", [KL_SCOPE_FEEDBACK] = "feedback",
};
static const char *const cause_names[] = {
	[KL_CAUSE_RESIDENT] = "resident",
	[KL_CAUSE_SENT_IN_ERROR] = "sent_in_error",
};
static const char *const revoke_reason_names[] = {
	[KL_REVOKE_REPLACED] = "replaced", [KL_REVOKE_LEFT] = "left",
	[KL_REVOKE_COMPROMISE] = "compromise",
};

#define COUNT(t) (sizeof (t) / sizeof (t)[0])

static const char *
name_of(const char *const *names, size_t n, uint32_t v)
{
	return v < n && names[v] != NULL ? names[v] : "?";
}

static uint32_t
number_of(const char *const *names, size_t n, const char *name)
{
	for (uint32_t v = 1; v < n; v++)
		if (names[v] != NULL && strcmp(names[v], name) == 0)
			return v;
	return 0;
}

#define NAMES(fn, table)						\
	const char *							\
	kl_##fn##_name(uint32_t v)					\
	{								\
		return name_of(table, COUNT(table), v);			\
	}
#define READER(fn, table)						\
	uint32_t							\
	kl_##fn##_read(const char *name)				\
	{								\
		return number_of(table, COUNT(table), name);		\
	}

NAMES(kind, kind_names)
NAMES(statement, statement_names)
NAMES(request, request_names)
NAMES(role, role_names)
NAMES(realm, realm_names)
NAMES(staff_role, staff_role_names)
NAMES(milestone, milestone_names)
NAMES(form, form_names)
NAMES(outcome, outcome_names)
NAMES(scope, scope_names)
NAMES(cause, cause_names)
NAMES(revoke_reason, revoke_reason_names)
READER(role, role_names)
READER(realm, realm_names)
READER(staff_role, staff_role_names)
READER(form, form_names)
READER(revoke_reason, revoke_reason_names)

const char kl_letters[33] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static int
letter_value(char c)
{
	const char *at;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	at = c == '\0' ? NULL : strchr(kl_letters, c);
	return at == NULL ? -1 : (int)(at - kl_letters);
}

/* Times x in GF(32), x^5 = x^2 + 1: runs through all 31 values above zero. */
static unsigned
times_x(unsigned v)
{
	return (v << 1 & 31) ^ ((v & 16) != 0 ? 5 : 0);
}

char
kl_check_letter(const char *letters, size_t n)
{
	unsigned sum = 0;

	/* Horner's rule: the letter that stands i from the end weighs x^i. */
	for (size_t i = 0; i < n; i++)
		sum = times_x(sum ^ (unsigned)letter_value(letters[i]));
	return kl_letters[sum & 31];
}

struct kl_spoken
kl_spoken_make(const uint8_t bits[5])
{
	struct kl_spoken s = { { 0 } };
	uint64_t v = 0;

	for (int i = 0; i < 5; i++)
		v = v << 8 | bits[i];
	for (int i = 7; i >= 0; i--) {
		s.b[i] = kl_letters[v & 31];
		v >>= 5;
	}
	s.b[8] = kl_check_letter(s.b, 8);
	return s;
}

int
kl_spoken_read(const char *text, struct kl_spoken *out)
{
	size_t n = 0;

	memset(out, 0, sizeof *out);
	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == ' ')
			continue;
		if (n == 9 || letter_value(*text) < 0)
			return KL_E_FORMAT;
		out->b[n++] = kl_letters[letter_value(*text)];
	}
	if (n != 9 || out->b[8] != kl_check_letter(out->b, 8))
		return KL_E_FORMAT;
	return KL_OK;
}

struct kl_spoken_text
kl_spoken_text(const struct kl_spoken *s)
{
	struct kl_spoken_text t = { "....-....-." };

	memcpy(t.b, s->b, 4);
	memcpy(t.b + 5, s->b + 4, 4);
	t.b[10] = s->b[8];
	return t;
}
