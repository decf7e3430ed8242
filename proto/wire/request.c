#include <kortelijn/wire/request.h>

#include "proto/wire/check.h"
#include "proto/wire/table.h"
#include "request.pb-c.h"

#define ANY_U32 UINT32_MAX
#define ANY_U64 UINT64_MAX
#define LOGGED_MAX 512

static const struct kl_row request_rows[] = {
	KL_U32(kl_request_msg, version, 1, ANY_U32),
	KL_U32(kl_request_msg, request, 1, ANY_U32),
	KL_U64(kl_request_msg, request_id, 1, ANY_U64),
	KL_VIEW(kl_request_msg, body, 0, KL_BODY_MAX),
};
static const struct kl_row reply_rows[] = {
	KL_U32(kl_reply_msg, version, 1, ANY_U32),
	KL_U32(kl_reply_msg, request, 0, ANY_U32),
	KL_U64(kl_reply_msg, request_id, 0, ANY_U64),
	KL_U32(kl_reply_msg, code, 1, 65535),
	KL_U32(kl_reply_msg, retry_after_ms, 0, ANY_U32),
	KL_TIME(kl_reply_msg, time_ms),
	KL_VIEW(kl_reply_msg, detail, 0, 64),
	KL_VIEW(kl_reply_msg, body, 0, KL_BODY_MAX),
};
static const struct kl_row hello_rows[] = {
	KL_FIXED(kl_hello, instance),
	KL_U64(kl_hello, epoch, 1, ANY_U64),
	KL_U32(kl_hello, take_over, KL_NO, KL_YES),
	KL_U32(kl_hello, schema_min, 1, 255),
	KL_U32(kl_hello, schema_max, 1, 255),
	KL_VIEW(kl_hello, note, 0, 1023),
	KL_VIEW(kl_hello, program, 0, 64),
};
static const struct kl_row hello_reply_rows[] = {
	KL_U32(kl_hello_reply, realm, 1, KL_TRAINING),
	KL_U32(kl_hello_reply, report_in, KL_NO, KL_YES),
	KL_U32(kl_hello_reply, take_over, KL_NO, KL_YES),
	KL_TIME(kl_hello_reply, prekeys_until_ms),
	KL_U64(kl_hello_reply, directory, 0, ANY_U64),
	KL_VIEW(kl_hello_reply, note, 0, 1023),
	KL_VIEW(kl_hello_reply, previous_note, 0, 1023),
};
static const struct kl_row submit_rows[] = {
	KL_VIEW(kl_submit, envelope, 1, KL_ENVELOPE_MAX),
};
static const struct kl_row logged_rows[] = {
	KL_U64(kl_logged, leaf, 0, ANY_U64),
	KL_VIEW(kl_logged, record, 1, KL_RECORD_MAX),
	KL_FIXED(kl_logged, salt),
};
static const struct kl_row submit_reply_rows[] = {
	KL_VIEW(kl_submit_reply, logged, 1, LOGGED_MAX),
	KL_FIXED(kl_submit_reply, conv_ref),
	KL_FIXED(kl_submit_reply, spoken),
};
static const struct kl_row fetch_rows[] = {
	KL_U32(kl_fetch, wait_ms, 0, KL_FETCH_WAIT_MAX_MS),
	KL_MANY(KL_ROW_U64S, kl_fetch, ack, 8),
};
static const struct kl_row fetch_reply_rows[] = {
	KL_MANY(KL_ROW_VIEWS, kl_fetch_reply, item, KL_BODY_MAX),
};
static const struct kl_row item_rows[] = {
	KL_U64(kl_item, item, 1, ANY_U64),
	KL_U32(kl_item, sort, 1, KL_NOTICE + 1),
	KL_VIEW(kl_item, content, 1, KL_SIGNED_MAX),
	KL_VIEW(kl_item, logged, 0, LOGGED_MAX),
	KL_FIXED(kl_item, conv_ref),
	KL_FIXED(kl_item, spoken),
};
static const struct kl_row put_receipt_rows[] = {
	KL_U32(kl_put_receipt, statement, KL_RECEIPT, KL_ERASE_RECEIPT),
	KL_VIEW(kl_put_receipt, receipt, 1, KL_STATEMENT_MAX),
};
static const struct kl_row item_ack_rows[] = {
	KL_MANY(KL_ROW_U64S, kl_item_ack, item, 8),
};
static const struct kl_row withdraw_rows[] = {
	KL_VIEW(kl_withdraw, withdrawal, 1, KL_STATEMENT_MAX),
};
static const struct kl_row withdraw_reply_rows[] = {
	KL_VIEW(kl_withdraw_reply, logged, 1, LOGGED_MAX),
	KL_U32(kl_withdraw_reply, erased, 0, ANY_U32),
	KL_U32(kl_withdraw_reply, released_before, 0, ANY_U32),
	KL_U32(kl_withdraw_reply, unconfirmed, 0, ANY_U32),
};
static const struct kl_row directory_rows[] = {
	KL_U64(kl_directory, after, 0, ANY_U64),
};
static const struct kl_row directory_reply_rows[] = {
	KL_U64(kl_directory_reply, newest, 0, ANY_U64),
	KL_U64(kl_directory_reply, last, 0, ANY_U64),
	KL_MANY(KL_ROW_VIEWS, kl_directory_reply, entry, KL_BODY_MAX),
};
static const struct kl_row entry_rows[] = {
	KL_U32(kl_entry, statement, 1, KL_ENTRY_REFERRAL),
	KL_VIEW(kl_entry, content, 1, KL_SIGNED_MAX),
};
static const struct kl_row publish_rows[] = {
	KL_MANY(KL_ROW_VIEWS, kl_publish, entry, KL_BODY_MAX),
};
static const struct kl_row sync_rows[] = {
	KL_U32(kl_sync, step, KL_SYNC_LIST, KL_SYNC_DONE),
	KL_FIXED(kl_sync, after),
	KL_MANY(KL_ROW_VIEWS, kl_sync, presented, KL_STATEMENT_MAX),
};
static const struct kl_row sync_reply_rows[] = {
	KL_MANY(KL_ROW_VIEWS, kl_sync_reply, conversation, 512),
	KL_MANY(KL_ROW_U32S, kl_sync_reply, result, 4),
};
static const struct kl_row sync_conversation_rows[] = {
	KL_FIXED(kl_sync_conversation, conv_id),
	KL_FIXED(kl_sync_conversation, conv_ref),
	KL_FIXED(kl_sync_conversation, spoken),
	KL_FIXED(kl_sync_conversation, referral),
	KL_ID(kl_sync_conversation, practice),
	KL_ID(kl_sync_conversation, receiver),
	KL_U32(kl_sync_conversation, state, 1, KL_CONV_EXPIRED),
	KL_U32(kl_sync_conversation, milestone, 1, KL_MS_RETURNED),
	KL_U64(kl_sync_conversation, last_seq_sender, 0, ANY_U64),
	KL_U64(kl_sync_conversation, last_seq_receiver, 0, ANY_U64),
};
static const struct kl_row log_rows[] = {
	KL_U32(kl_log_request, want, KL_LOG_CHECKPOINT, KL_LOG_KEPT),
	KL_U64(kl_log_request, size, 0, ANY_U64),
	KL_U64(kl_log_request, at, 0, ANY_U64),
};
static const struct kl_row log_reply_rows[] = {
	KL_VIEW(kl_log_reply, note, 0, 1023),
	KL_MANY(KL_ROW_VIEWS, kl_log_reply, proof, 32),
	KL_VIEW(kl_log_reply, tile, 0, KL_TILE_LEAVES * 32),
	KL_U64(kl_log_reply, day, 0, ANY_U64),
	KL_VIEW(kl_log_reply, witnessed, 0, KL_WITNESSED_MAX),
};
static const struct kl_row query_what_rows[] = {
	KL_TIME(kl_query_what, from_minute),
	KL_TIME(kl_query_what, to_minute),
	KL_ID_OR_NONE(kl_query_what, sender),
	KL_ID_OR_NONE(kl_query_what, receiver),
	KL_U32(kl_query_what, kind, 0, KL_FEEDBACK),
	KL_U32(kl_query_what, event, 0, KL_EV_LAST),
	KL_U32(kl_query_what, role, 0, KL_BROKER),
	KL_U32(kl_query_what, outcome, 0, 2),
	KL_FIXED(kl_query_what, conv_ref),
	KL_FIXED(kl_query_what, spoken),
	KL_FIXED(kl_query_what, message),
};
static const struct kl_row query_rows[] = {
	KL_U32(kl_query, want, KL_QUERY_RECORDS, KL_QUERY_STATE),
	KL_VIEW(kl_query, what, 0, 256),
	KL_U64(kl_query, ticket, 0, ANY_U64),
	KL_U64(kl_query, from, 0, ANY_U64),
	KL_U64(kl_query, offset, 0, ANY_U64),
};
static const struct kl_row query_reply_rows[] = {
	KL_U64(kl_query_reply, ticket, 1, ANY_U64),
	KL_U64(kl_query_reply, next, 0, ANY_U64),
	KL_MANY(KL_ROW_VIEWS, kl_query_reply, logged, LOGGED_MAX),
	KL_VIEW(kl_query_reply, part, 0, KL_QUERY_PART_MAX),
	KL_U64(kl_query_reply, total, 0, ANY_U64),
};
static const struct kl_row query_state_rows[] = {
	KL_U32(kl_query_state, erasure, 1, KL_STATE_BEST_EFFORT),
	KL_U32(kl_query_state, master_key, 1, KL_STATE_BESIDE),
	KL_U32(kl_query_state, clock_held, KL_NO, KL_YES),
	KL_U64(kl_query_state, policy_leaf, 0, ANY_U64),
	KL_FIXED(kl_query_state, policy_hash),
	KL_TIME(kl_query_state, origin_ms),
	KL_TIME(kl_query_state, signed_ms),
	KL_TIME(kl_query_state, checked_ms),
	KL_U32(kl_query_state, months_lost, 0, ANY_U32),
	KL_VIEW(kl_query_state, note, 1, 1023),
	KL_VIEW(kl_query_state, witnessed, 0, KL_WITNESSED_MAX),
};

#define MESSAGE(rows, descriptor, s) \
	KL_TABLE(rows, kl__##descriptor##__descriptor, s)
#define CHECKED(name, s) \
	KL_TABLE_CHECKED(name##_rows, kl__##name##__descriptor, s, \
	    kl_check_##name)

static const struct kl_table messages[] = {
	[KL_M_REQUEST] = MESSAGE(request_rows, request, kl_request_msg),
	[KL_M_REPLY] = MESSAGE(reply_rows, reply, kl_reply_msg),
	[KL_M_HELLO] = CHECKED(hello, kl_hello),
	[KL_M_HELLO_REPLY] = MESSAGE(hello_reply_rows, hello_reply,
	    kl_hello_reply),
	[KL_M_SUBMIT] = MESSAGE(submit_rows, submit, kl_submit),
	[KL_M_LOGGED] = MESSAGE(logged_rows, logged, kl_logged),
	[KL_M_SUBMIT_REPLY] = CHECKED(submit_reply, kl_submit_reply),
	[KL_M_FETCH] = MESSAGE(fetch_rows, fetch, kl_fetch),
	[KL_M_FETCH_REPLY] = MESSAGE(fetch_reply_rows, fetch_reply,
	    kl_fetch_reply),
	[KL_M_ITEM] = CHECKED(item, kl_item),
	[KL_M_PUT_RECEIPT] = CHECKED(put_receipt, kl_put_receipt),
	[KL_M_ITEM_ACK] = MESSAGE(item_ack_rows, item_ack, kl_item_ack),
	[KL_M_WITHDRAW] = MESSAGE(withdraw_rows, withdraw, kl_withdraw),
	[KL_M_WITHDRAW_REPLY] = MESSAGE(withdraw_reply_rows, withdraw_reply,
	    kl_withdraw_reply),
	[KL_M_DIRECTORY] = MESSAGE(directory_rows, directory, kl_directory),
	[KL_M_DIRECTORY_REPLY] = MESSAGE(directory_reply_rows,
	    directory_reply, kl_directory_reply),
	[KL_M_ENTRY] = CHECKED(entry, kl_entry),
	[KL_M_PUBLISH] = MESSAGE(publish_rows, publish, kl_publish),
	[KL_M_SYNC] = MESSAGE(sync_rows, sync, kl_sync),
	[KL_M_SYNC_REPLY] = MESSAGE(sync_reply_rows, sync_reply,
	    kl_sync_reply),
	[KL_M_SYNC_CONVERSATION] = CHECKED(sync_conversation,
	    kl_sync_conversation),
	[KL_M_LOG] = CHECKED(log, kl_log_request),
	[KL_M_LOG_REPLY] = CHECKED(log_reply, kl_log_reply),
	[KL_M_QUERY_WHAT] = CHECKED(query_what, kl_query_what),
	[KL_M_QUERY] = CHECKED(query, kl_query),
	[KL_M_QUERY_REPLY] = MESSAGE(query_reply_rows, query_reply,
	    kl_query_reply),
	[KL_M_QUERY_STATE] = MESSAGE(query_state_rows, query_state,
	    kl_query_state),
};

static const struct kl_table *
table_of(uint32_t type, size_t struct_size)
{
	if (type >= sizeof messages / sizeof messages[0] ||
	    messages[type].struct_size != struct_size)
		return NULL;
	return &messages[type];
}

enum kl_code
kl_message_read(uint32_t type, struct kl_bytes in, struct kl_arena *mem,
    void *out, size_t out_size)
{
	const struct kl_table *t = table_of(type, out_size);

	if (t == NULL)
		return KL_C_VALUE_UNKNOWN;
	return kl_table_code(kl_table_read(t, in, mem, out));
}

int
kl_message_pack(uint32_t type, const void *in, size_t in_size, uint8_t *buf,
    size_t cap, size_t *n)
{
	const struct kl_table *t = table_of(type, in_size);

	*n = 0;
	return t == NULL ? KL_E_VALUE : kl_table_pack(t, in, buf, cap, n);
}

int
kl_message_pack_in(uint32_t type, const void *in, size_t in_size,
    struct kl_arena *mem, struct kl_bytes *out)
{
	uint8_t buf[KL_FRAME_MAX];
	size_t n;
	int err;

	*out = KL_BYTES_NONE;
	err = kl_message_pack(type, in, in_size, buf, sizeof buf, &n);
	if (err != KL_OK)
		return err;
	return kl_arena_copy(mem, kl_bytes(buf, n), out);
}
