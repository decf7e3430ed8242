/*
 * adapter.h: two adapters in one test, without link and without broker: what
 * one seals is handed to the other with the leaf that a broker would have
 * made.
 */
#ifndef TESTS_SUPPORT_ADAPTER_H
#define TESTS_SUPPORT_ADAPTER_H

#include "adapters/common/erasure.h"
#include "adapters/common/inbox.h"
#include "adapters/common/outbox.h"
#include "adapters/common/receipts.h"
#include "tests/support/papers.h"
#include "tests/support/tmpdir.h"

/* 2026-11-24 09:00, a Tuesday; PEOPLE_TODAY. */
#define ADAPTER_NOW_MS INT64_C(1795510800000)

struct adapter {
	struct tmpdir dir;
	struct config config;
	struct kl_policy policy;	/* the defaults */
	struct identity id;
	struct store *store;
	struct directory *directory;
	struct kl_arena *mem;
	struct outbox *outbox;
	struct receipts *receipts;
	struct repeats *withdrawals;
	struct erasures *erasures;
	struct turn t;
	int64_t mono_ms;
};

/* The region: authority and broker's key. */
struct adapter_region {
	struct papers_key authority, broker;
	uint64_t leaf;
};

/* Every function ends the test when something fails. */
void adapter_region_make(struct adapter_region *r);
void adapter_region_clear(struct adapter_region *r);
/* With keys, store, own prekeys. */
void adapter_make(struct adapter *a, const struct adapter_region *r,
    uint32_t role, const char *id);
void adapter_clear(struct adapter *a);
/* a gets to know b: its card, from `from_ms`, and its prekeys. */
void adapter_meet_card(struct adapter *a, const struct adapter_region *r,
    const struct adapter *b, int64_t from_ms);
void adapter_meet_keys(struct adapter *a, struct adapter *b);
void adapter_meet(struct adapter *a, const struct adapter_region *r,
    struct adapter *b);
/* Ends the turn. */
void adapter_commit(struct adapter *a);
/* The turn is undone, and memory as after a start. */
void adapter_restart(struct adapter *a);

/* A case with people_usual() as its content, and its message as a draft. */
void adapter_refer(struct adapter *a, const struct adapter *to,
    uint32_t level, struct case_row *c);
void adapter_correct(struct adapter *a, struct case_row *c,
    const struct kl_referral *r);
/* Collapsed already: code and level. */
void adapter_feedback(struct adapter *a, struct case_row *c, uint32_t code);

/* The time is at_ms: what is due of terms and retention is done, one turn for
 * each timer. */
void adapter_time(struct adapter *a, int64_t at_ms);
/* Alarms of a kind that were raised, and how many of them are open: may be
 * NULL. */
unsigned adapter_alarms(struct adapter *a, uint32_t kind, unsigned *open);

/* One message on its way. */
struct adapter_mail {
	struct kl_item item;
	struct kl_msg_id id;
	uint8_t envelope[KL_ENVELOPE_MAX], ct[KL_CT_MAX], logged[700];
	size_t n_ct;
	uint8_t reply[800];		/* packed kl_submit_reply */
	size_t n_reply;
};
/* Seals and takes the next one that is due. False: none is. */
bool adapter_send(struct adapter *a, struct adapter_region *r,
    struct adapter_mail *m);
/* The broker accepted it. */
void adapter_accepted(struct adapter *a, const struct adapter_mail *m);
enum inbox_verdict adapter_receive(struct adapter *b,
    const struct adapter_mail *m);
/* The next receipt that b sends, as bytes for a. KL_E_EMPTY: none. */
struct adapter_receipt {
	uint8_t b[RECEIPTS_BYTES_MAX];
	size_t n;
	struct kl_msg_id id;
	struct kl_receipt r;
};
bool adapter_receipt(struct adapter *b, struct adapter_receipt *out);
/* All of it: sealed, accepted, opened, receipt handed back. The receipt's
 * outcome. */
uint32_t adapter_carry(struct adapter *a, struct adapter *b,
    struct adapter_region *r);

/* The case as a has it now. */
struct case_row adapter_case(struct adapter *a,
    const struct kl_conv_id *conv);
/* What a withdraws of c, done and committed; as it was signed, until the next
 * turn of a. */
struct kl_bytes adapter_withdraw(struct adapter *a, struct case_row *c,
    uint32_t scope, uint32_t cause);
/* The broker's answer to it: a packed kl_withdraw_reply. */
struct adapter_reply { uint8_t b[800]; size_t n; };
void adapter_withdraw_reply(struct adapter_region *r,
    const struct adapter *a, const struct adapter *other,
    struct adapter_reply *out);

/* A NOTICE, as the broker's key signed it. */
struct kl_notice adapter_notice(uint32_t notice, const struct kl_conv_id *conv,
    const struct kl_msg_id *msg, uint32_t code);

#endif
