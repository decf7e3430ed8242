/*
 * people.h: referrals of invented people for tests.
 */
#ifndef TESTS_SUPPORT_PEOPLE_H
#define TESTS_SUPPORT_PEOPLE_H

#include <kortelijn/domain/referral.h>

/* 2026-11-24 */
#define PEOPLE_TODAY 20781

/* A full referral that keeps all rules, with the fields most people have. */
struct kl_referral people_usual(void);
/* Every field of the data set at its largest, practical_note included. It is
 * right in form, but crisis and address say more than one person can. */
struct kl_referral people_largest(void);

#endif
