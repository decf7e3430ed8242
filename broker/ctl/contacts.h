/*
 * contacts.h: whom the operator phones, in CONFIG/contacts, a line each: the
 * participant's id and a phone number. No signed paper holds a practice's
 * number, and after a loss no profile is there either.
 */
#ifndef BROKER_CTL_CONTACTS_H
#define BROKER_CTL_CONTACTS_H

#include "broker/ctl/ctl.h"

#define CONTACTS_PHONE_MAX 21		/* bytes, with NUL */

/* Digits, spaces, dashes, parentheses and a plus in front; at least three
 * digits. */
bool contacts_phone_ok(const char *phone);
/* "" if none is known. */
struct contacts_phone { char b[CONTACTS_PHONE_MAX]; };
struct contacts_phone contacts_get(const char *config_dir, const char *id);
/* Puts or replaces one; "" takes it away. KL_E_SIZE: too many; errors of the
 * file. */
int contacts_put(const char *config_dir, const char *id, const char *phone)
    KL_MUST_CHECK;

#endif
