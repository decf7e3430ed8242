/*
 * alarm_text.h: what an alarm says to the people at an adapter, and what they
 * can do. A term is an agreement on service ("afspraak"): none of these words
 * claims that a law sets it.
 */
#ifndef ADAPTERS_COMMON_ALARM_TEXT_H
#define ADAPTERS_COMMON_ALARM_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct alarm_text {
	uint32_t kind;			/* enum engine_alarm_kind */
	const char *nl, *en;		/* what is the matter */
	const char *do_nl, *do_en;	/* what to do */
	bool agreed;			/* an agreement was missed */
	bool phone;			/* a call may help: show the number */
};

/* For who got a referral (desk) or for who sent it; one that says little for a
 * kind that is not in the list. */
const struct alarm_text *alarm_text(uint32_t kind, bool desk);
/* Is it open until what it asks has happened? */
bool alarm_text_open_kind(uint32_t kind);

#endif
