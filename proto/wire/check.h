/*
 * check.h: rules between the fields of one message, beside the rows of its
 * table. KL_OK or KL_E_VALUE. PROTOCOL.md 5 to 7.
 *
 * Private to proto/wire.
 */
#ifndef KORTELIJN_WIRE_CHECK_H
#define KORTELIJN_WIRE_CHECK_H

#include <kortelijn/base/err.h>

int kl_check_consent(const void *consent) KL_MUST_CHECK;
int kl_check_card(const void *card) KL_MUST_CHECK;
int kl_check_prekey(const void *prekey) KL_MUST_CHECK;
int kl_check_profile(const void *profile) KL_MUST_CHECK;
int kl_check_details(const void *details) KL_MUST_CHECK;
int kl_check_receipt(const void *receipt) KL_MUST_CHECK;
int kl_check_withdrawal(const void *withdrawal) KL_MUST_CHECK;
int kl_check_erase_receipt(const void *erase_receipt) KL_MUST_CHECK;
int kl_check_notice(const void *notice) KL_MUST_CHECK;
int kl_check_enrol(const void *enrol_request) KL_MUST_CHECK;

int kl_check_hello(const void *hello) KL_MUST_CHECK;
int kl_check_submit_reply(const void *submit_reply) KL_MUST_CHECK;
int kl_check_item(const void *item) KL_MUST_CHECK;
int kl_check_put_receipt(const void *put_receipt) KL_MUST_CHECK;
int kl_check_entry(const void *entry) KL_MUST_CHECK;
int kl_check_sync_conversation(const void *c) KL_MUST_CHECK;
int kl_check_log(const void *log) KL_MUST_CHECK;
int kl_check_log_reply(const void *log_reply) KL_MUST_CHECK;
int kl_check_query_what(const void *query_what) KL_MUST_CHECK;
int kl_check_query(const void *query) KL_MUST_CHECK;

#endif
