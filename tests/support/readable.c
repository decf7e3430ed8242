#include "tests/support/readable.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* ---- syllables ---- */

#define WORD_MAX 100

/* What one sound is written with; the longer ones first. */
static const char *const sounds[] = {
	"aai", "ooi", "oei", "eeu", "ieu", "aa", "ee", "oo", "uu", "ie", "oe",
	"eu", "ui", "ei", "ij", "au", "ou", "ai", "oi",
};

/* A letter of the word in lower case: of accented ones the plain one, in
 * upper case where a trema begins a new syllable. 0: no letter of ours. */
static char
letter_of(const unsigned char *p, size_t left, size_t *n)
{
	static const char plain[] =
	    "aaaaAaaceeeEiiiIdnoooo" "O\0ouuuUyt\0";

	*n = 1;
	if (p[0] < 0x80)
		return (char)tolower(p[0]);
	if (p[0] != 0xc3 || left < 2) {
		while (*n < left && (p[*n] & 0xc0) == 0x80)
			++*n;
		return 0;
	}
	*n = 2;
	return plain[(p[1] - 0x80) % 0x20];
}

static size_t
plain_of(const char *word, size_t n, char out[WORD_MAX])
{
	size_t k = 0;

	for (size_t i = 0, step; i < n && k + 1 < WORD_MAX; i += step) {
		const char c = letter_of((const unsigned char *)word + i,
		    n - i, &step);

		if (c != 0)
			out[k++] = c;
	}
	out[k] = '\0';
	return k;
}

static bool
is_vowel(char c)
{
	return c != '\0' && strchr("aeiouAEIOU", c) != NULL;
}

/* Letters of the sound that begins here. */
static size_t
sound_at(const char *p)
{
	for (size_t i = 0; i < sizeof sounds / sizeof sounds[0]; i++)
		if (strncmp(p, sounds[i], strlen(sounds[i])) == 0)
			return strlen(sounds[i]);
	return 1;
}

size_t
readable_syllables(const char *word, size_t n)
{
	char w[WORD_MAX];
	size_t k = plain_of(word, n, w), count = 0, i = 0;
	bool digits = false;

	while (i < k) {
		if (is_vowel(w[i])) {
			count++;
			i += sound_at(w + i);
			continue;
		}
		if (w[i] == 'y' && !is_vowel(w[i + 1]))
			count++;
		digits = digits || isdigit((unsigned char)w[i]);
		i++;
	}
	if (count > 0)
		return count;
	return digits ? 2 : 1;
}

/* ---- words and sentences ---- */

static bool
in_word(unsigned char c)
{
	return isalnum(c) || c >= 0x80 || c == '\'' || c == '-';
}

/* Bytes of the word that begins here. */
static size_t
word_at(const char *p)
{
	size_t n = 0;

	while (in_word((unsigned char)p[n]))
		n++;
	return n;
}

static void
end_sentence(struct readable *r, size_t *words)
{
	if (*words == 0)
		return;
	r->sentences++;
	if (*words > r->longest)
		r->longest = *words;
	*words = 0;
}

void
readable_add(struct readable *r, const char *text)
{
	size_t words = 0, n;

	while (*text != '\0') {
		if ((n = word_at(text)) > 0) {
			r->words++;
			words++;
			r->syllables += readable_syllables(text, n);
			text += n;
			continue;
		}
		if (strchr(".?!\n", *text) != NULL)
			end_sentence(r, &words);
		text++;
	}
	end_sentence(r, &words);
}

double
readable_mean(const struct readable *r)
{
	return r->sentences == 0 ? 0 :
	    (double)r->words / (double)r->sentences;
}

double
readable_flesch_douma(const struct readable *r)
{
	return r->words == 0 ? 0 : 206.84 - 77 * (double)r->syllables /
	    (double)r->words - 0.93 * readable_mean(r);
}

/* ---- words of officials ---- */

static const char *const officialese[] = {
	"aangaande", "abusievelijk", "alsmede", "alsook", "alvorens",
	"behelst", "behoudens", "benevens", "betreffende", "bewerkstelligen",
	"bovengenoemd", "bovengenoemde", "bovenstaand", "bovenstaande",
	"casu quo", "conform", "daaromtrent", "daartoe", "derhalve",
	"desalniettemin", "desbetreffende", "desgewenst", "dientengevolge",
	"dienaangaande", "diens", "doch", "doorgaans", "draagt zorg",
	"echter", "eerstgenoemde", "effectueren", "eveneens", "evenwel",
	"geenszins", "geschiedt", "gelieve", "gezien het feit",
	"hetgeen", "hieromtrent", "hiertoe", "hierbij doe ik",
	"in casu", "in het kader van", "indien", "ingevolge", "inzake",
	"jegens", "krachtens", "laatstgenoemde", "mede", "met betrekking tot",
	"met inachtneming", "middels", "mits", "mitsdien", "naar aanleiding",
	"navolgende", "niettegenstaande", "niettemin", "nochtans", "omtrent",
	"onderhavig", "onderhavige", "ondergetekende", "ongeacht",
	"onverminderd", "onverwijld", "op grond van", "opdat",
	"overeenkomstig", "reeds", "respectievelijk", "schrijven van",
	"te allen tijde", "ten aanzien van", "ten behoeve van",
	"ten gevolge van", "ten einde", "teneinde", "ter zake", "terzake",
	"tevens", "thans", "tot op heden", "uit hoofde van", "uwerzijds",
	"vanwege het feit", "verstrekken", "vigerend", "vigerende",
	"voornemens", "voornoemd", "voornoemde", "voorts", "waarborgen",
	"wederom", "welke", "woonachtig", "zorgdragen", "zodoende", "zulks",
};

size_t
readable_officialese_words(void)
{
	return sizeof officialese / sizeof officialese[0];
}

const char *
readable_officialese(const char *text)
{
	for (size_t i = 0; i < readable_officialese_words(); i++) {
		const char *p = text, *w = officialese[i];
		const size_t n = strlen(w);

		for (; (p = strcasestr(p, w)) != NULL; p += n)
			if ((p == text || !in_word((unsigned char)p[-1])) &&
			    !in_word((unsigned char)p[n]))
				return w;
	}
	return NULL;
}
