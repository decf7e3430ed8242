/*
 * fuzz.c: whatever a peer, a captured edge, a file or a person can hand over,
 * to the readers that meet it first. The first byte of an input names the
 * reader. `make fuzz` runs it for a while (SECONDS=60).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <kortelijn/crypto/logfile.h>
#include <kortelijn/crypto/note.h>
#include <kortelijn/crypto/proof.h>
#include <kortelijn/crypto/secret.h>
#include <kortelijn/domain/approval.h>
#include <kortelijn/domain/policy_file.h>
#include <kortelijn/host/conf.h>
#include <kortelijn/wire/content.h>
#include <kortelijn/wire/request.h>

#include "adapters/common/json_content.h"
#include "adapters/common/profile.h"
#include "broker/pipe.h"
#include "proto/audit/bundle.h"
#include "proto/audit/logrecord.h"

#define ARENA_BYTES (1u << 20)
#define ARENA_ALLOCS 4096
#define OUT_BYTES (64u << 10)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What does not hold ends the run with the input kept. */
static void
must(int held)
{
	if (!held)
		abort();
}

/* ---- messages and statements -------------------------------------------- */

static const size_t message_size[] = {
	[KL_M_REQUEST] = sizeof(struct kl_request_msg),
	[KL_M_REPLY] = sizeof(struct kl_reply_msg),
	[KL_M_HELLO] = sizeof(struct kl_hello),
	[KL_M_HELLO_REPLY] = sizeof(struct kl_hello_reply),
	[KL_M_SUBMIT] = sizeof(struct kl_submit),
	[KL_M_LOGGED] = sizeof(struct kl_logged),
	[KL_M_SUBMIT_REPLY] = sizeof(struct kl_submit_reply),
	[KL_M_FETCH] = sizeof(struct kl_fetch),
	[KL_M_FETCH_REPLY] = sizeof(struct kl_fetch_reply),
	[KL_M_ITEM] = sizeof(struct kl_item),
	[KL_M_PUT_RECEIPT] = sizeof(struct kl_put_receipt),
	[KL_M_ITEM_ACK] = sizeof(struct kl_item_ack),
	[KL_M_WITHDRAW] = sizeof(struct kl_withdraw),
	[KL_M_WITHDRAW_REPLY] = sizeof(struct kl_withdraw_reply),
	[KL_M_DIRECTORY] = sizeof(struct kl_directory),
	[KL_M_DIRECTORY_REPLY] = sizeof(struct kl_directory_reply),
	[KL_M_ENTRY] = sizeof(struct kl_entry),
	[KL_M_PUBLISH] = sizeof(struct kl_publish),
	[KL_M_SYNC] = sizeof(struct kl_sync),
	[KL_M_SYNC_REPLY] = sizeof(struct kl_sync_reply),
	[KL_M_SYNC_CONVERSATION] = sizeof(struct kl_sync_conversation),
	[KL_M_LOG] = sizeof(struct kl_log_request),
	[KL_M_LOG_REPLY] = sizeof(struct kl_log_reply),
	[KL_M_QUERY_WHAT] = sizeof(struct kl_query_what),
	[KL_M_QUERY] = sizeof(struct kl_query),
	[KL_M_QUERY_REPLY] = sizeof(struct kl_query_reply),
	[KL_M_QUERY_STATE] = sizeof(struct kl_query_state),
};

static const size_t statement_size[] = {
	[KL_CARD] = sizeof(struct kl_card),
	[KL_REVOCATION] = sizeof(struct kl_revocation),
	[KL_PREKEY] = sizeof(struct kl_prekey),
	[KL_PROFILE] = sizeof(struct kl_profile),
	[KL_RECEIPT] = sizeof(struct kl_receipt),
	[KL_WITHDRAWAL] = sizeof(struct kl_withdrawal),
	[KL_ERASE_RECEIPT] = sizeof(struct kl_erase_receipt),
	[KL_NOTICE] = sizeof(struct kl_notice),
	[KL_S_ENROL] = sizeof(struct kl_enrol_request),
	[KL_S_RECORD] = sizeof(struct kl_record),
	[KL_S_PROFILE_DETAILS] = sizeof(struct kl_profile_details),
};

/* What is taken has no other bytes. */
static void
message(struct kl_bytes in, struct kl_arena *mem)
{
	static _Alignas(max_align_t) uint8_t out[OUT_BYTES];
	static uint8_t again[OUT_BYTES];
	const uint32_t type = in.n > 0 ? in.p[0] : 0;
	size_t n;

	if (type >= sizeof message_size / sizeof message_size[0] ||
	    message_size[type] == 0)
		return;
	in = kl_bytes(in.p + 1, in.n - 1);
	if (kl_message_read(type, in, mem, out, message_size[type]) !=
	    KL_C_OK)
		return;
	must(kl_message_pack(type, out, message_size[type], again,
	    sizeof again, &n) == KL_OK);
	must(kl_bytes_equal(in, kl_bytes(again, n)));
}

static void
statement(struct kl_bytes in, struct kl_arena *mem)
{
	static _Alignas(max_align_t) uint8_t out[OUT_BYTES];
	static uint8_t again[OUT_BYTES];
	const uint32_t type = in.n > 0 ? in.p[0] : 0;
	size_t n;

	if (type >= sizeof statement_size / sizeof statement_size[0] ||
	    statement_size[type] == 0)
		return;
	in = kl_bytes(in.p + 1, in.n - 1);
	if (kl_statement_read(type, in, mem, out, statement_size[type]) !=
	    KL_C_OK)
		return;
	must(kl_statement_pack(type, out, statement_size[type], again,
	    sizeof again, &n) == KL_OK);
	must(kl_bytes_equal(in, kl_bytes(again, n)));
}

static void
envelope(struct kl_bytes in, struct kl_arena *mem)
{
	struct kl_envelope e;
	struct kl_signed s;

	if (kl_signed_read(in, mem, &s) == KL_C_OK)
		(void)kl_envelope_read(s.body, mem, &e);
	(void)kl_envelope_read(in, mem, &e);
}

static void
content(struct kl_bytes in, struct kl_arena *mem)
{
	uint8_t salt[KL_SALT_BYTES];
	struct kl_referral r;
	struct kl_feedback f;
	uint32_t schema;

	(void)kl_content_read_referral(in, mem, &r, salt, &schema);
	(void)kl_content_read_feedback(in, mem, &f, &schema);
}

static void
note(struct kl_bytes in, struct kl_arena *mem)
{
	static const struct kl_sign_pk pk = { { 1 } };
	struct kl_checkpoint c;
	int64_t time_s;

	(void)mem;
	(void)kl_note_verify(in, &pk, &c);
	(void)kl_note_verify_cosigned(in, "witness.example", &pk, &time_s);
}

/* ---- the pipe ----------------------------------------------------------- */

static void
pipe_message(struct kl_bytes in, struct kl_arena *mem)
{
	static uint8_t buf[PIPE_MSG_MAX];
	struct pipe_key key[PIPE_KEYS_MAX];
	struct pipe_msg m;
	size_t n;
	int fd[2];

	(void)mem;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd) != 0)
		return;
	if (send(fd[1], in.p, in.n, MSG_DONTWAIT) == (ssize_t)in.n &&
	    pipe_recv(fd[0], buf, sizeof buf, &m) == KL_OK) {
		must(m.n <= KL_LINK_FRAMES_MAX);
		(void)pipe_keys_read(&m, key, &n);
	}
	(void)close(fd[0]);
	(void)close(fd[1]);
}

/* ---- files --------------------------------------------------------------- */

static void
json(struct kl_bytes in, struct kl_arena *mem)
{
	struct json_referral_file r;
	struct json_correction_file c;
	struct json_feedback_file f;
	struct kl_profile_details d;
	struct kl_profile p;
	struct kl_finding why;

	(void)json_read_referral(in, &r, &why);
	(void)json_read_correction(in, &c, &why);
	(void)json_read_feedback(in, &f, &why);
	(void)profile_read(in, mem, &p, &d, &why);
}

static void
conf(struct kl_bytes in, struct kl_arena *mem)
{
	char text[32] = "", path[64], address[64] = "";
	int64_t number = 0, duration = 0;
	bool yes = false;
	const struct kl_conf_key keys[] = {
		{ .section = "a", .name = "text", .type = KL_CONF_TEXT,
		    .out = text, .size = sizeof text },
		{ .section = "a", .name = "number", .type = KL_CONF_INT,
		    .out = &number, .min = 1, .max = 9 },
		{ .section = "b", .name = "yes", .type = KL_CONF_BOOL,
		    .out = &yes },
		{ .section = "b", .name = "term", .type = KL_CONF_DURATION,
		    .out = &duration, .min = 0, .max = INT64_MAX },
		{ .section = "b", .name = "address",
		    .type = KL_CONF_ADDRESS, .out = address,
		    .size = sizeof address },
	};
	struct kl_conf_error error;
	int fd = memfd_create("conf", MFD_CLOEXEC);

	(void)mem;
	if (fd < 0)
		return;
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (write(fd, in.p, in.n) == (ssize_t)in.n)
		(void)kl_conf_read(path, keys, sizeof keys / sizeof keys[0],
		    &error);
	(void)close(fd);
}

/* What differs from the defaults says all of it. */
static void
policy(struct kl_bytes in, struct kl_arena *mem)
{
	static uint8_t changes[KL_POLICY_FILE_MAX];
	static struct kl_policy_file f, again;
	struct kl_policy_error e;
	struct kl_writer w;

	(void)mem;
	if (kl_policy_file_read(in, &f, &e) != KL_OK)
		return;
	kl_writer_init(&w, changes, sizeof changes);
	kl_policy_file_write_changes(&w, &f);
	must(!w.full);
	must(kl_policy_file_read(kl_writer_bytes(&w), &again, &e) == KL_OK);
	must(memcmp(f.asked, again.asked, sizeof f.asked) == 0);
	must(memcmp(f.override, again.override, sizeof f.override) == 0);
}

/* Nothing of the file is said again. */
static void
approval(struct kl_bytes in, struct kl_arena *mem)
{
	static struct kl_approval a;
	struct kl_approval_error e;

	(void)mem;
	if (kl_approval_read(in, &a, &e) != KL_OK) {
		must(e.b[0] != '\0' && strlen(e.b) < sizeof e.b);
		return;
	}
	must(a.n > 0 && a.n <= KL_APPROVAL_ORGS_MAX && a.last_on > 0);
	for (size_t i = 0; i < a.n; i++)
		must(kl_id_valid(&a.org[i]));
}

/* A head, and chunks that somebody with the key has sealed: parts of the input,
 * each behind its length. */
static void
logfile(struct kl_bytes in, struct kl_arena *mem)
{
	static const uint8_t key[KL_LOGFILE_KEY_BYTES] = { 1 };
	static uint8_t chunk[KL_LOGFILE_CHUNK_MAX];
	static struct kl_logfile_writer w;
	static struct kl_logfile_reader f;
	struct kl_logfile_head head;
	struct kl_logfile_leaf leaf;
	struct kl_reader r;
	struct kl_bytes part;
	size_t n;

	(void)mem;
	if (kl_logfile_head_read(in, &head, &n) == KL_OK)
		must(n <= in.n && strlen(head.note.b) < sizeof head.note.b);
	kl_logfile_begin(&w, KL_BYTES_OF(key), KL_BYTES_NONE);
	memset(&f, 0, sizeof f);
	f.key = KL_BYTES_OF(key);
	f.head = w.head;
	f.checkpoint.size = UINT64_MAX / 2;
	kl_reader_init(&r, in);
	while (r.n > 0) {
		part = kl_get_bytes(&r, kl_get_u16(&r));
		if (r.bad || part.n > KL_LOGFILE_PLAIN_MAX)
			return;
		kl_put_bytes(&w.w, part);
		w.n = 1;
		kl_logfile_flush(&w, chunk, &n);
		if (kl_logfile_take(&f, kl_bytes(chunk + 4, n - 4)) != KL_OK)
			return;
		while (kl_logfile_leaf(&f, &leaf) == KL_OK)
			must(leaf.record.n <= KL_LOGFILE_RECORD_MAX &&
			    leaf.index < f.end);
		must(!kl_logfile_whole(&f));
	}
}

/* Whatever is read packs to the same bytes. */
static void
proof(struct kl_bytes in, struct kl_arena *mem)
{
	static const struct kl_vkey log = { .name = "b/log/1",
		.type = KL_NOTE_ED25519 };
	char again[KL_PROOF_TEXT_MAX];
	struct kl_proof_consistency c;
	struct kl_proof_inclusion p;
	struct kl_checkpoint at;
	size_t n;

	(void)mem;
	(void)kl_vkey_checkpoint(&log, in, &at);
	if (kl_proof_inclusion_read(in, &p) == KL_OK) {
		must(kl_proof_inclusion_pack(&p, again, sizeof again, &n) ==
		    KL_OK && kl_bytes_equal(in, kl_bytes(again, n)));
		must(kl_proof_inclusion_verify(&p, &log, &at) != KL_OK);
	}
	if (kl_proof_consistency_read(in, &c) == KL_OK) {
		must(kl_proof_consistency_pack(&c, again, sizeof again, &n) ==
		    KL_OK && kl_bytes_equal(in, kl_bytes(again, n)));
		must(kl_proof_consistency_verify(&c, in, &log, &at) != KL_OK);
	}
}

static void
vkey(struct kl_bytes in, struct kl_arena *mem)
{
	struct kl_vkey v;

	(void)mem;
	if (kl_vkey_read(in, &v) == KL_OK)
		must(kl_bytes_equal(in, kl_bytes_str(kl_vkey_text(&v).b)));
}

/* Records that somebody hands out: read fast to the same verdict. */
static void
bundle(struct kl_bytes in, struct kl_arena *mem)
{
	struct kl_record fast = { 0 }, slow;
	struct kl_bytes record;
	const uint8_t *salt;
	struct kl_reader r;
	enum kl_code code;

	kl_reader_init(&r, in);
	while (r.n > 0 && audit_bundle_next(&r, &salt, &record) == KL_OK) {
		must(record.n <= KL_RECORD_MAX);
		if (record.n == 0)
			continue;
		code = audit_logrecord_read(record, mem, &fast);
		must(code == KL_STATEMENT_READ(KL_S_RECORD, record, mem,
		    &slow));
		must(code != KL_C_OK || (fast.event == slow.event &&
		    fast.time_minute == slow.time_minute &&
		    kl_bytes_equal(KL_BYTES_OF(fast.msg_ref),
		    KL_BYTES_OF(slow.msg_ref))));
	}
}

/* ---- all of them --------------------------------------------------------- */

static void (*const readers[])(struct kl_bytes in, struct kl_arena *mem) = {
	message, statement, envelope, content, note, pipe_message, json, conf,
	policy, logfile, proof, vkey, approval, bundle,
};

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	must(kl_crypto_init() == KL_OK);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct kl_arena *mem;

	if (n == 0 || p[0] >= sizeof readers / sizeof readers[0])
		return 0;
	if ((mem = kl_arena_new(ARENA_BYTES, ARENA_ALLOCS)) == NULL)
		return 0;
	readers[p[0]](kl_bytes(p + 1, n - 1), mem);
	kl_arena_free(mem);
	return 0;
}
