#include <kortelijn/domain/rules.h>

#include <string.h>

#include <utf8proc.h>

/* No field is longer; what is, is refused before it is looked at. */
#define TEXT_MAX 1024
/* Compatibility forms of one character: at most 18. */
#define FORMS_MAX 32
#define SHADOW_MAX 4096

/* In a shadow: a letter and a sign that ASCII has not. */
#define OTHER_LETTER '\x01'
#define OTHER_SIGN '\x02'
#define EURO '\x03'

/*
 * The text as patterns see it: compatibility forms, accents dropped, digits
 * of any script as ASCII, every space as ' '.
 */
struct shadow {
	char b[SHADOW_MAX + 1];
	size_t n;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_letter(char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z') || c == OTHER_LETTER;
}

static bool
is_word(char c)
{
	return is_letter(c) || is_digit(c) || c == '_';
}

static char
lower(char c)
{
	return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

/* Digits stand in runs of ten that begin with zero, in every script. */
static char
digit_of(utf8proc_int32_t cp)
{
	int below = 0;

	while (below < 60 && cp > below &&
	    utf8proc_category(cp - below - 1) == UTF8PROC_CATEGORY_ND)
		below++;
	return (char)('0' + below % 10);
}

/* 0: drops out. */
static char
shadow_char(utf8proc_int32_t cp)
{
	if (cp < 0x80)
		return cp == '\t' || cp == '\n' || cp == '\r' ? ' ' :
		    (char)cp;
	if (cp == 0x20ac)
		return EURO;
	switch (utf8proc_category(cp)) {
	case UTF8PROC_CATEGORY_ND:
		return digit_of(cp);
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return ' ';
	case UTF8PROC_CATEGORY_PD:
		return '-';
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_CF:
		return '\0';
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
		return OTHER_LETTER;
	default:
		return OTHER_SIGN;
	}
}

/* Next character of `text` from *at in its compatibility forms; their number,
 * 0 if it is no character. */
static size_t
next_forms(struct kl_bytes text, size_t *at, utf8proc_int32_t forms[FORMS_MAX])
{
	utf8proc_int32_t cp;
	utf8proc_ssize_t n;
	int boundary = 0;

	n = utf8proc_iterate(text.p + *at,
	    (utf8proc_ssize_t)(text.n - *at), &cp);
	if (n <= 0)
		return 0;
	*at += (size_t)n;
	n = utf8proc_decompose_char(cp, forms, FORMS_MAX,
	    UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE, &boundary);
	return n <= 0 || n > FORMS_MAX ? 0 : (size_t)n;
}

static bool
shadow_make(struct kl_bytes text, struct shadow *s)
{
	utf8proc_int32_t forms[FORMS_MAX];
	size_t at = 0, n;
	char c;

	s->n = 0;
	while (at < text.n) {
		if ((n = next_forms(text, &at, forms)) == 0)
			return false;
		for (size_t i = 0; i < n; i++) {
			if ((c = shadow_char(forms[i])) == '\0')
				continue;
			if (s->n == SHADOW_MAX)
				return false;
			s->b[s->n++] = c;
		}
	}
	s->b[s->n] = '\0';
	return true;
}

/* Digits of groups that stand beside each other, to nine. */
struct nine {
	char digits[9];
	size_t ends[9];		/* digits in the groups kept */
	size_t groups;
	size_t n;		/* digits kept */
	size_t open;		/* digits of the group that is being read */
	char group[9];
};

static bool
elfproef(const char d[9])
{
	int sum = -(d[8] - '0');
	bool zero = d[8] == '0';

	for (int i = 0; i < 8; i++) {
		sum += (9 - i) * (d[i] - '0');
		zero = zero && d[i] == '0';
	}
	return !zero && sum % 11 == 0;
}

static void
drop_first_group(struct nine *s)
{
	size_t n = s->ends[0];

	memmove(s->digits, s->digits + n, s->n - n);
	s->n -= n;
	s->groups--;
	memmove(s->ends, s->ends + 1, s->groups * sizeof s->ends[0]);
}

/* A group ended: do it and those before it come to nine digits? */
static bool
close_group(struct nine *s)
{
	if (s->open == 0)
		return false;
	if (s->open > 9) {
		s->n = s->groups = s->open = 0;
		return false;
	}
	while (s->groups > 0 && s->n + s->open > 9)
		drop_first_group(s);
	memcpy(s->digits + s->n, s->group, s->open);
	s->ends[s->groups++] = s->open;
	s->n += s->open;
	s->open = 0;
	return s->n == 9 && elfproef(s->digits);
}

/* True as soon as nine digits pass. */
static bool
nine_take(struct nine *s, char c)
{
	bool hit;

	if (is_digit(c)) {
		if (s->open < 9)
			s->group[s->open] = c;
		s->open++;
		return false;
	}
	hit = close_group(s);
	if (c != '.' && c != '-' && c != '/' && c != ' ')
		s->n = s->groups = 0;
	return hit;
}

bool
kl_rules_has_bsn(struct kl_bytes text)
{
	utf8proc_int32_t forms[FORMS_MAX];
	struct nine s = { .n = 0 };
	bool hit = false;
	size_t at = 0, n;
	char c;

	while (at < text.n && !hit) {
		if ((n = next_forms(text, &at, forms)) == 0) {
			at++;
			forms[0] = OTHER_SIGN;
			n = 1;
		}
		for (size_t i = 0; i < n && !hit; i++)
			if ((c = shadow_char(forms[i])) != '\0')
				hit = nine_take(&s, c);
	}
	hit = hit || close_group(&s);
	explicit_bzero(&s, sizeof s);
	return hit;
}

bool
kl_rules_number_is_bsn(uint64_t number)
{
	char d[9];

	/* With eight digits a leading zero was lost. */
	if (number < 10000000 || number > 999999999)
		return false;
	for (size_t i = 9; i > 0; i--) {
		d[i - 1] = (char)('0' + number % 10);
		number /= 10;
	}
	return elfproef(d);
}

static bool
has_long_number(const struct shadow *s)
{
	size_t run = 0;

	for (size_t i = 0; i < s->n; i++) {
		char c = s->b[i];

		if (is_digit(c))
			run++;
		else if (c != '.' && c != '-' && c != '/' && c != ' ')
			run = 0;
		if (run >= 8)
			return true;
	}
	return false;
}

static bool
mod97_is_1(const char *iban, size_t n)
{
	unsigned m = 0;

	for (size_t i = 0; i < n; i++) {
		char c = iban[(i + 4) % n];
		unsigned v = is_digit(c) ? (unsigned)(c - '0') :
		    (unsigned)(lower(c) - 'a') + 10;

		m = (v < 10 ? m * 10 + v : m * 100 + v) % 97;
	}
	return m == 1;
}

/* An account number that begins at s->b[from]; spaces, dots and dashes in it
 * drop out, and it ends where a word ends. */
static bool
iban_at(const struct shadow *s, size_t from)
{
	char iban[34];
	size_t n = 0;

	for (size_t i = from; i < s->n && n < sizeof iban; i++) {
		char c = s->b[i];

		if (c == ' ' || c == '.' || c == '-')
			continue;
		if (!is_word(c) || c == '_' || c == OTHER_LETTER)
			return false;
		if ((n < 2 && !is_letter(c)) ||
		    (n >= 2 && n < 4 && !is_digit(c)))
			return false;
		iban[n++] = c;
		if (n >= 15 && !is_word(s->b[i + 1]) && mod97_is_1(iban, n))
			return true;
	}
	return false;
}

static bool
has_iban(const struct shadow *s)
{
	for (size_t i = 0; i < s->n; i++)
		if ((i == 0 || !is_word(s->b[i - 1])) && iban_at(s, i))
			return true;
	return false;
}

/* Does `mask` fit at p? 9: a digit, A: a capital; p ends in NUL. */
static bool
fits(const char *p, const char *mask)
{
	for (; *mask != '\0'; p++, mask++) {
		if (*mask == '9' ? !is_digit(*p) : *mask == 'A' ?
		    !is_upper(*p) : *p != *mask)
			return false;
	}
	return !is_word(*p);
}

static bool
has_medical_code(const struct shadow *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const char *p = s->b + i;

		if (i > 0 && is_word(p[-1]))
			continue;
		if (fits(p, "A99") || fits(p, "A99.99") ||
		    fits(p, "A99AA99"))
			return true;
	}
	return false;
}

static bool
starts_with(const char *p, const char *what)
{
	for (; *what != '\0'; p++, what++)
		if (lower(*p) != lower(*what))
			return false;
	return true;
}

static bool
has_any(const struct shadow *s, const char *const *what, size_t n)
{
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < n; k++)
			if (starts_with(s->b + i, what[k]))
				return true;
	return false;
}

static bool
between(char c)
{
	return c == ' ' || c == '.' || c == ',' || c == '-';
}

/* A digit before or after s->b[from..to), but for spaces and the like. */
static bool
beside_digit(const struct shadow *s, size_t from, size_t to)
{
	while (from > 0 && between(s->b[from - 1]))
		from--;
	while (to < s->n && between(s->b[to]))
		to++;
	return (from > 0 && is_digit(s->b[from - 1])) ||
	    (to < s->n && is_digit(s->b[to]));
}

static bool
has_amount(const struct shadow *s)
{
	for (size_t i = 0; i < s->n; i++) {
		size_t n = s->b[i] == EURO ? 1 :
		    starts_with(s->b + i, "euro") ? 4 :
		    starts_with(s->b + i, "eur") ? 3 : 0;

		if (n == 0 || !beside_digit(s, i, i + n))
			continue;
		/* "2 Europese talen" is no amount. */
		if (n == 1 || !is_letter(s->b[i + n]))
			return true;
	}
	return false;
}

static bool
has_base64(const struct shadow *s)
{
	size_t run = 0;

	for (size_t i = 0; i < s->n; i++) {
		char c = s->b[i];
		bool in = is_digit(c) || c == '+' || c == '/' ||
		    (is_letter(c) && c != OTHER_LETTER);

		run = in ? run + 1 : 0;
		if (run >= 40)
			return true;
	}
	return false;
}

static bool
has_export(const struct shadow *s)
{
	static const char *const marks[] = {
		"UNA:", "UNB+", "MSH|", "resourceType", "<ClinicalDocument",
	};

	return has_any(s, marks, sizeof marks / sizeof marks[0]) ||
	    has_base64(s);
}

/* "voorbeeld.nl" without anything before it. */
static bool
has_domain(const struct shadow *s)
{
	/* Not .de: "drs.de Vries" is a name. */
	static const char *const tops[] = { ".nl", ".com", ".org", ".net" };

	for (size_t i = 2; i < s->n; i++) {
		if (!is_word(s->b[i - 1]) || !is_word(s->b[i - 2]))
			continue;
		for (size_t k = 0; k < sizeof tops / sizeof tops[0]; k++)
			if (starts_with(s->b + i, tops[k]) &&
			    !is_word(s->b[i + strlen(tops[k])]))
				return true;
	}
	return false;
}

static bool
has_url(const struct shadow *s)
{
	static const char *const marks[] = { "://", "www.", "mailto:" };

	return has_any(s, marks, sizeof marks / sizeof marks[0]) ||
	    has_domain(s);
}

/* Marks and letters that show nothing. */
static bool
is_blank(utf8proc_int32_t cp)
{
	return cp == 0x034f || cp == 0x115f || cp == 0x1160 ||
	    cp == 0x17b4 || cp == 0x17b5 || cp == 0x2800 || cp == 0x3164 ||
	    cp == 0xffa0 || (cp >= 0xfe00 && cp <= 0xfe0f) || cp >= 0xe0000;
}

static bool
char_allowed(utf8proc_int32_t cp)
{
	if (cp < 0x80)
		return cp >= 0x20 && cp != 0x7f;
	if (is_blank(cp))
		return false;
	switch (utf8proc_category(cp)) {
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
	case UTF8PROC_CATEGORY_ZS:
		return false;
	default:
		return true;
	}
}

/* Every character allowed, and the text in form C. */
static bool
text_clean(struct kl_bytes text)
{
	utf8proc_int32_t nfc[TEXT_MAX * 4];
	utf8proc_int32_t cp;
	utf8proc_ssize_t n, k;
	size_t at = 0, i = 0;
	bool ok = true;

	k = utf8proc_decompose(text.p, (utf8proc_ssize_t)text.n, nfc,
	    TEXT_MAX * 4, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
	if (k < 0 || k > TEXT_MAX * 4)
		return false;
	k = utf8proc_normalize_utf32(nfc, k,
	    UTF8PROC_COMPOSE | UTF8PROC_STABLE);
	while (ok && at < text.n) {
		n = utf8proc_iterate(text.p + at,
		    (utf8proc_ssize_t)(text.n - at), &cp);
		ok = n > 0 && char_allowed(cp) && (utf8proc_ssize_t)i < k &&
		    nfc[i] == cp;
		at += ok ? (size_t)n : 0;
		i++;
	}
	ok = ok && (utf8proc_ssize_t)i == k;
	explicit_bzero(nfc, sizeof nfc);
	return ok;
}

static uint32_t
check_patterns(const struct shadow *s, unsigned mask)
{
	if ((mask & KL_RULE_IBAN) != 0 && has_iban(s))
		return KL_C_IBAN;
	if ((mask & KL_RULE_EXPORT) != 0 && has_export(s))
		return KL_C_PASTED_EXPORT;
	if ((mask & KL_RULE_URL) != 0 && has_url(s))
		return KL_C_URL;
	if ((mask & KL_RULE_AMOUNT) != 0 && has_amount(s))
		return KL_C_AMOUNT;
	if ((mask & KL_RULE_LONG_NUMBER) != 0 && has_long_number(s))
		return KL_C_LONG_NUMBER;
	if ((mask & KL_RULE_MEDICAL) != 0 && has_medical_code(s))
		return KL_C_MEDICAL_CODE;
	return KL_C_OK;
}

uint32_t
kl_rules_check_text(struct kl_bytes text, unsigned mask)
{
	struct shadow s;
	uint32_t c;

	if (text.n == 0)
		return KL_C_OK;
	if (text.n > TEXT_MAX)
		return KL_C_FIELD_TOO_LONG;
	if ((mask & KL_RULE_BSN) != 0 && kl_rules_has_bsn(text))
		return KL_C_BSN;
	if ((mask & KL_RULE_UTF8) != 0 && !text_clean(text))
		return KL_C_CHARACTER;
	c = shadow_make(text, &s) ? check_patterns(&s, mask) :
	    KL_C_CHARACTER;
	explicit_bzero(&s, sizeof s);
	return c;
}

bool
kl_rules_phone(const char *text)
{
	size_t n = strlen(text);

	if (n < 9 || n > 16 || text[0] != '+' || text[1] < '1')
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_digit(text[i]))
			return false;
	return true;
}
