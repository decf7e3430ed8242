#include "tests/support/exportdir.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kortelijn/base/time.h>
#include <kortelijn/crypto/hash.h>

#include "proto/audit/csv.h"
#include "proto/audit/dirout.h"

/* Leaves of one conversation: a REFERRAL and one FEEDBACK. */
#define STEPS 8
#define FRONT 4			/* origin, two cards, a policy */
#define PER_MINUTE 40

struct making {
	const struct exportdir *e;
	struct audit_dirout *out;
	FILE *csv;
	struct kl_id practice, desk;
	int64_t minute;
	struct kl_ref conv, msg[2];
	struct kl_hash body[2];
};

static void
must(int err, const char *what)
{
	if (err == KL_OK)
		return;
	fprintf(stderr, "exportdir: %s: %s\n", what, kl_err_text(err));
	exit(2);
}

/* What looks random, the same in each run. */
static struct kl_hash
made(uint64_t leaf, char sort)
{
	const struct kl_bytes parts[] = { KL_BYTES_OF(leaf),
		KL_BYTES_OF(sort) };

	return kl_hash_parts(parts, 2);
}

static struct kl_ref
made_ref(uint64_t leaf, char sort)
{
	const struct kl_hash h = made(leaf, sort);
	struct kl_ref ref;

	memcpy(ref.b, h.b, sizeof ref.b);
	return ref;
}

static const char policy[] = "# made up\n";

static struct kl_record
front(struct making *m, uint64_t leaf)
{
	static const uint32_t events[FRONT] = { KL_EV_ORIGIN, KL_EV_CARD,
		KL_EV_CARD, KL_EV_POLICY };
	const struct kl_bytes file = kl_bytes_str(policy);
	struct kl_record r = { .event = events[leaf] };

	if (leaf == 1 || leaf == 2) {
		r.org_from = leaf == 1 ? m->practice : m->desk;
		r.body_hash = made(leaf, 'b');
	} else if (leaf == 3) {
		r.body_hash = kl_sha256_parts(&file, 1);
	}
	return r;
}

static struct kl_record
step(struct making *m, uint64_t leaf)
{
	static const struct {
		uint32_t event, prev, new;
	} steps[STEPS / 2] = {
		{ KL_EV_ACCEPTED, 0, KL_MSG_ACCEPTED },
		{ KL_EV_RELEASED, KL_MSG_ACCEPTED, KL_MSG_RELEASED },
		{ KL_EV_DELIVERED, KL_MSG_RELEASED, KL_MSG_DELIVERED },
		{ KL_EV_ERASED, KL_MSG_DELIVERED, KL_MSG_ERASED },
	};
	const size_t at = (leaf - FRONT) % STEPS, half = at / (STEPS / 2);
	struct kl_record r = { 0 };

	if (at == 0) {
		m->conv = made_ref(leaf, 'c');
		for (char i = 0; i < 2; i++) {
			m->msg[(int)i] = made_ref(leaf, (char)('m' + i));
			m->body[(int)i] = made(leaf, (char)('h' + i));
		}
	}
	r.event = steps[at % (STEPS / 2)].event;
	r.prev_state = steps[at % (STEPS / 2)].prev;
	r.new_state = steps[at % (STEPS / 2)].new;
	r.conv_ref = m->conv;
	r.msg_ref = m->msg[half];
	r.body_hash = m->body[half];
	r.kind = half == 0 ? KL_REFERRAL : KL_FEEDBACK;
	r.milestone = half == 0 ? 0 : KL_MS_TAKEN_UP;
	r.org_from = half == 0 ? m->practice : m->desk;
	r.org_to = half == 0 ? m->desk : m->practice;
	return r;
}

static void
record_put(struct making *m, uint64_t leaf)
{
	struct kl_record r = leaf < FRONT ? front(m, leaf) : step(m, leaf);
	const struct kl_hash salt = made(leaf, 's');
	uint8_t packed[KL_RECORD_MAX];
	struct kl_hash hash;
	size_t n;

	r.version = 1;
	r.time_minute = m->minute + (int64_t)(leaf / PER_MINUTE);
	r.actor_role = KL_BROKER;
	r.outcome = r.reason = r.count = 1;
	if (m->e->change != NULL)
		m->e->change(m->e->arg, leaf, &r);
	must(KL_STATEMENT_PACK(KL_S_RECORD, &r, packed, sizeof packed, &n),
	    "record");
	hash = kl_record_leaf_hash(salt.b, kl_bytes(packed, n));
	must(audit_dirout_leaf(m->out, &hash), "tile");
	if (leaf < m->e->erased)
		return;
	must(audit_dirout_record(m->out, leaf, salt.b, kl_bytes(packed, n)),
	    "record");
	if (m->csv != NULL)
		audit_csv_put(m->csv, KL_NL, NULL, &(struct audit_record){
		    .leaf = leaf, .r = r });
}

static void
csv_begin(struct making *m)
{
	if (!m->e->csv)
		return;
	must(audit_dirout_stream(m->out, "records.csv", &m->csv), "csv");
	audit_csv_begin(m->csv, KL_NL);
}

static void
note_put(struct making *m, const char *name)
{
	struct kl_checkpoint c = { .size = audit_dirout_size(m->out),
		.root = audit_dirout_root(m->out) };
	struct kl_note note;

	memcpy(c.origin, EXPORTDIR_ORIGIN, sizeof EXPORTDIR_ORIGIN);
	must(kl_note_sign(&c, m->e->sk, &note), "checkpoint");
	must(audit_dirout_file(m->out, name, kl_bytes_str(note.b)), name);
}

void
exportdir_make(const struct exportdir *e)
{
	struct making m = { .e = e, .minute = kl_day_start_ms(20000) /
		KL_MINUTE_MS };
	char name[40];

	must(kl_id_read("agb:01234567", &m.practice), "id");
	must(kl_id_read("oin:00000001234567890000", &m.desk), "id");
	must(audit_dirout_begin(e->path, &m.out), e->path);
	csv_begin(&m);
	for (uint64_t leaf = 0; leaf < e->leaves; leaf++) {
		record_put(&m, leaf);
		if (e->checkpoint_every == 0 ||
		    (leaf + 1) % e->checkpoint_every != 0)
			continue;
		(void)snprintf(name, sizeof name, "checkpoints/%012" PRIu64,
		    leaf + 1);
		note_put(&m, name);
	}
	if (m.csv != NULL && fclose(m.csv) != 0)
		must(KL_E_IO, "csv");
	note_put(&m, "checkpoint");
	must(audit_dirout_file(m.out, "policy/3.conf", kl_bytes_str(policy)),
	    "policy");
	must(audit_dirout_end(m.out), "end");
	must(audit_dirout_place(m.out), e->path);
	audit_dirout_free(m.out);
}
