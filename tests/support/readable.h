/*
 * readable.h: how hard a Dutch text is to read: length of its sentences,
 * Flesch-Douma, words that only officials use.
 */
#ifndef TESTS_SUPPORT_READABLE_H
#define TESTS_SUPPORT_READABLE_H

#include <stddef.h>

struct readable {
	size_t sentences, words, syllables;
	size_t longest;			/* words of the longest sentence */
};

/* Of one word in UTF-8. A number counts two. */
size_t readable_syllables(const char *word, size_t n);
/* Adds what `text` has. A sentence ends with . ? ! or the text. */
void readable_add(struct readable *r, const char *text);
/* Words a sentence. */
double readable_mean(const struct readable *r);
/* 206.84 - 77 syllables a word - 0.93 words a sentence; 0 of no words. */
double readable_flesch_douma(const struct readable *r);
/* The first word or phrase of the list that stands in it, NULL if none. */
const char *readable_officialese(const char *text);
size_t readable_officialese_words(void);

#endif
