#include <kortelijn/domain/render.h>

#include <string.h>

#include <kortelijn/base/bytes.h>
#include <kortelijn/base/time.h>

static void
put_str(struct kl_writer *w, const char *s)
{
	kl_put(w, s, strlen(s));
}

static void
put_number(struct kl_writer *w, uint32_t v)
{
	char digits[10];
	size_t n = sizeof digits;

	do {
		digits[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	kl_put(w, digits + n, sizeof digits - n);
}

/* Ends with NUL, or empties what did not fit. */
static int
done(struct kl_writer *w, char *out, size_t cap, size_t *n)
{
	*n = 0;
	kl_put_u8(w, 0);
	if (w->full) {
		if (cap > 0)
			out[0] = '\0';
		return KL_E_SIZE;
	}
	*n = w->n - 1;
	return KL_OK;
}

static void
put_label(struct kl_writer *w, const char *nl, const char *en,
    enum kl_lang lang)
{
	put_str(w, lang == KL_EN ? en : nl);
	put_str(w, ": ");
}

static void
put_name(struct kl_writer *w, const struct kl_person_name *p)
{
	const char *parts[] = { p->initials, p->prefix, p->family_name };
	bool first = true;

	for (size_t i = 0; i < 3; i++) {
		if (parts[i][0] == '\0')
			continue;
		if (!first)
			put_str(w, " ");
		put_str(w, parts[i]);
		first = false;
	}
}

static void
put_value(struct kl_writer *w, const struct kl_field *f,
    const struct kl_referral *r, enum kl_lang lang)
{
	struct kl_birth_text birth;

	switch (f->kind) {
	case KL_FIELD_BIRTH_DATE:
		birth = kl_birth_text(r->birth_date);
		put_str(w, birth.b);
		break;
	case KL_FIELD_NUMBER:
		put_number(w, kl_field_number(f, r));
		break;
	case KL_FIELD_ANSWER:
	case KL_FIELD_LIST:
		put_str(w, kl_list_label(f->list, kl_field_number(f, r),
		    lang));
		break;
	default:
		put_str(w, kl_field_text(f, r));
	}
}

static void
put_lines(struct kl_writer *w, const struct kl_referral *r,
    enum kl_lang lang, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct kl_field *f = kl_field_find(paths[i]);

		if (f == NULL || !kl_field_present(f, r))
			continue;
		put_label(w, f->nl, f->en, lang);
		put_value(w, f, r, lang);
		put_str(w, "\n");
	}
}

/* What the desk must know before it picks up the phone. */
static const char *const wishes[] = {
	"crisis", "crisis_kind", "crisis_local", "contact_preference",
	"voicemail_ok", "letter_ok", "part_of_day", "preferred_place",
	"introductory_talk_first", "buddy_wanted", "language",
	"interpreter_needed", "practical_note",
};

static const char *const person[] = {
	"birth_date", "sex", "no_fixed_address", "postcode", "house_number",
	"house_number_suffix", "phone", "email", "help_question",
	"handover_form", "contact_person.name", "contact_person.relation",
	"contact_person.phone", "contact_person.informed",
	"referrer.role", "referrer.name", "referrer.phone",
};

#define PUT_LINES(w, r, lang, paths) \
	put_lines(w, r, lang, paths, sizeof (paths) / sizeof (paths)[0])

int
kl_render_referral(const struct kl_referral *r, enum kl_lang lang, char *out,
    size_t cap, size_t *n)
{
	struct kl_writer w;

	kl_writer_init(&w, out, cap);
	if (r->extract == KL_EXTRACT_CONTACT) {
		put_str(&w, kl_list_label(KL_LIST_EXTRACT, r->extract, lang));
		put_str(&w, "\n");
	}
	PUT_LINES(&w, r, lang, wishes);
	put_label(&w, "Naam", "Name", lang);
	put_name(&w, &r->name);
	put_str(&w, "\n");
	PUT_LINES(&w, r, lang, person);
	return done(&w, out, cap, n);
}

int
kl_render_wishes(const struct kl_referral *r, enum kl_lang lang, char *out,
    size_t cap, size_t *n)
{
	struct kl_writer w;

	kl_writer_init(&w, out, cap);
	PUT_LINES(&w, r, lang, wishes);
	return done(&w, out, cap, n);
}

static void
put_item(struct kl_writer *w, const char *nl, const char *en,
    enum kl_list list, uint32_t value, enum kl_lang lang)
{
	if (value == 0)
		return;
	put_label(w, nl, en, lang);
	put_str(w, kl_list_label(list, value, lang));
	put_str(w, "\n");
}

static void
put_day(struct kl_writer *w, int32_t day, enum kl_lang lang)
{
	struct kl_day_text t = kl_day_text(day);

	put_label(w, "Datum", "Date", lang);
	put_str(w, t.b);
	put_str(w, "\n");
}

int
kl_render_feedback(const struct kl_feedback *f, enum kl_lang lang, char *out,
    size_t cap, size_t *n)
{
	const struct kl_state_row *row = kl_state_row(f->code);
	struct kl_writer w;

	kl_writer_init(&w, out, cap);
	put_str(&w, row == NULL ? "?" : lang == KL_EN ? row->en : row->nl);
	put_str(&w, "\n");
	if (row != NULL && lang != KL_EN) {
		put_str(&w, row->gp_nl);
		put_str(&w, "\n");
	}
	put_item(&w, "Soort organisatie", "Kind of organisation",
	    KL_LIST_CATEGORY, f->category, lang);
	put_item(&w, "Reden", "Ground", KL_LIST_GROUND, f->ground, lang);
	put_item(&w, "Gevraagd", "Wanted", KL_LIST_WANTED, f->wanted, lang);
	put_day(&w, f->day, lang);
	return done(&w, out, cap, n);
}

int
kl_render_name(const struct kl_person_name *p, char *out, size_t cap,
    size_t *n)
{
	struct kl_writer w;

	kl_writer_init(&w, out, cap);
	put_name(&w, p);
	return done(&w, out, cap, n);
}
