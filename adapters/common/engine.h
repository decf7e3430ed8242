/*
 * engine.h: a running adapter as its local interfaces see it: files go in,
 * cases and events come out. Control socket, watch folder and what comes
 * later use nothing below this.
 *
 * Everything happens in turns of the loop. What a call writes is durable when
 * the turn ends: only then a listener's `committed` is called, and only then
 * an interface may answer or move a file on. After `undone` nothing of the
 * turn happened. Bytes of content are shown only after `committed` as well,
 * since the line of the access log that goes with them must be durable first.
 */
#ifndef ADAPTERS_COMMON_ENGINE_H
#define ADAPTERS_COMMON_ENGINE_H

#include <stdbool.h>

#include <kortelijn/base/time.h>
#include <kortelijn/domain/feedback.h>
#include <kortelijn/domain/policy_file.h>
#include <kortelijn/domain/referral.h>
#include <kortelijn/domain/rules.h>
#include <kortelijn/host/loop.h>

#include "adapters/common/config.h"
#include "adapters/common/json_content.h"

struct engine;
struct engine_actor;
struct policy_store;

/* Opens keys and store of `c`, which is borrowed, and adds itself to the
 * loop. *what names what was wrong: a file, or "data_dir", "slots", "store".
 * Errors of identity_load, store_open, kl_daemon_lock, kl_link_connect. */
int engine_open(const struct config *c, struct kl_loop *loop,
    struct engine **out, const char **what) KL_MUST_CHECK;
/* Accepts NULL. What was not committed is forgotten. */
void engine_free(struct engine *e);
/* Why it stopped the loop: KL_E_COMMIT, KL_E_DAMAGED; KL_OK: it did not. */
int engine_failed(const struct engine *e);

/* ---- turns ----------------------------------------------------------- */

/* Borrowed until it is removed. */
struct engine_listener {
	void (*committed)(void *arg);
	void (*undone)(void *arg);
	void *arg;
	struct engine_listener *next;	/* the engine's */
};
void engine_listen(struct engine *e, struct engine_listener *l);
void engine_unlisten(struct engine *e, struct engine_listener *l);
/* Ends the turn soon, also when nothing was written: for an answer that waits
 * for it. */
void engine_wake(struct engine *e);

int64_t engine_now_ms(const struct engine *e);
const struct config *engine_config(const struct engine *e);
/* The policy that counts now; the defaults where there is none. */
const struct kl_policy *engine_policy(const struct engine *e);
/* As it was loaded, with its approvals. */
const struct policy_store *engine_policy_loaded(const struct engine *e);
/* Another one counts from the end of the turn on. KL_E_REFUSED: *why says so;
 * KL_E_AGAIN. */
int engine_policy_load(struct engine *e, const struct engine_actor *by,
    struct kl_bytes text, struct kl_policy_error *why) KL_MUST_CHECK;

/* ---- in -------------------------------------------------------------- */

/* Whose hand it was, for the access log. Who is a person says so with a role
 * and a name of the organisation's own list of staff, where it is asked. */
enum engine_interface {
	ENGINE_SELF = 0,		/* the adapter, by itself */
	ENGINE_CONTROL = 1, ENGINE_FOLDER = 2,
	ENGINE_LINK = 3,		/* it came from the broker */
};
/* Beside those of enum kl_staff_role. */
enum engine_role { ENGINE_ROLE_FG = 32, ENGINE_ROLE_OPERATOR = 33 };
#define ENGINE_STAFF_MAX 32
struct engine_actor {
	uint32_t interface;
	uint32_t uid;
	uint32_t role;			/* 0: not said */
	char staff[ENGINE_STAFF_MAX + 1];	/* "": not said */
};

struct engine_taken {
	struct kl_conv_id conv;
	char referral_id[JSON_CLIENT_ID_MAX + 1];	/* "": not ours */
	struct kl_spoken spoken;	/* b[0] is 0 until it is accepted */
	bool sends;			/* feedback: something leaves */
	uint64_t step;			/* of the case's history */
};

/*
 * The bytes of a file of the practice, or one feedback of the desk. All rules
 * run here, before anything is stored.
 * KL_OK: taken, durable at the end of the turn.
 * KL_E_REFUSED: `why` holds code and JSON pointer; nothing is stored. After
 * duplicate_file (this very file) and conflict (another file, same id) *out
 * names the case that the first one made.
 * KL_E_AGAIN: our side failed (full, memory): the turn will be undone.
 */
int engine_refer(struct engine *e, const struct engine_actor *by,
    struct kl_bytes file, struct engine_taken *out, struct kl_finding *why)
    KL_MUST_CHECK;
int engine_correct(struct engine *e, const struct engine_actor *by,
    struct kl_bytes file, struct engine_taken *out, struct kl_finding *why)
    KL_MUST_CHECK;
int engine_feedback_file(struct engine *e, const struct engine_actor *by,
    struct kl_bytes file, struct engine_taken *out, struct kl_finding *why)
    KL_MUST_CHECK;
/* f is in full: level 0; day 0 is today. */
int engine_feedback(struct engine *e, const struct engine_actor *by,
    const struct kl_spoken *reference, const struct kl_feedback *f,
    struct engine_taken *out, struct kl_finding *why) KL_MUST_CHECK;

/*
 * A desk tried to reach the resident; day 0 is today. Kept here: only that
 * the resident was not reached may leave, after enough attempts. The same one
 * twice is one. KL_E_REFUSED: besides referral_unknown and state, field_value
 * for a day that cannot be, attempt_kind for a way that the referral does not
 * give.
 */
int engine_attempt(struct engine *e, const struct engine_actor *by,
    const struct kl_spoken *reference, const struct kl_attempt *a,
    struct engine_taken *out, struct kl_finding *why) KL_MUST_CHECK;
/* Number n of a case, from 0. KL_E_NOT_FOUND, KL_E_AGAIN. */
int engine_attempt_next(struct engine *e, const struct kl_conv_id *conv,
    uint32_t n, struct kl_attempt *out) KL_MUST_CHECK;
/* The desk's case system has the referral now. Once is enough. */
int engine_handed_over(struct engine *e, const struct engine_actor *by,
    const struct kl_spoken *reference, struct engine_taken *out,
    struct kl_finding *why) KL_MUST_CHECK;
/* A file of the desk: one of these two, or a feedback. */
int engine_desk_file(struct engine *e, const struct engine_actor *by,
    struct kl_bytes file, struct engine_taken *out, struct kl_finding *why)
    KL_MUST_CHECK;

/* For an interface that may be handed the same file twice, also over a crash:
 * that a file of this content was taken is one commit with what it did.
 * KL_E_NOT_FOUND: it was not, or long ago; KL_E_AGAIN. */
int engine_file_known(struct engine *e, struct kl_bytes file) KL_MUST_CHECK;
/* KL_E_AGAIN. */
int engine_file_taken(struct engine *e, struct kl_bytes file) KL_MUST_CHECK;
/* Forgets files that were taken long ago. KL_E_AGAIN. */
int engine_files_forget(struct engine *e) KL_MUST_CHECK;

/* ---- cases ----------------------------------------------------------- */

struct engine_case {
	uint64_t number;		/* in the order of their coming */
	struct kl_conv_id conv;
	struct kl_ref conv_ref;		/* of the broker's log; known with it */
	struct kl_spoken spoken;	/* b[0] is 0 until known */
	char referral_id[JSON_CLIENT_ID_MAX + 1];	/* practice only */
	char patient_ref[JSON_PATIENT_REF_MAX + 1];	/* practice only */
	bool mine;			/* this adapter sent the REFERRAL */
	struct kl_id peer;
	char peer_name[101];		/* of its card, "" if unknown */
	uint32_t state;			/* enum kl_state, as both know it */
	uint32_t full_state;		/* the desk's, not collapsed */
	uint32_t milestone, level;	/* enum kl_milestone, kl_level */
	bool open;			/* no end was reached */
	bool feedback_ended;		/* consent for feedback is over */
	uint32_t refused;		/* enum kl_code, 0: not */
	bool corrected;			/* the content replaced another */
	uint32_t withdrawn, cause;	/* enum kl_scope, kl_cause; 0: not */
	bool withdrawing;		/* by us, not answered yet */
	int64_t erase_by_ms;		/* the desk has to say: until; 0 */
	bool has_content;
	bool crisis;
	uint32_t waiting;		/* messages of ours, not accepted yet */
	int64_t created_ms, sent_ms, delivered_ms, changed_ms;	/* 0: not yet */
	int64_t deliver_by_ms, answer_by_ms, expire_at_ms;	/* 0: none */
	uint32_t valid_until;		/* day, of the consent */
	uint32_t alarms;		/* 1 << enum deadline, that are open */
	int64_t handed_ms;		/* desk: its case system has it */
	int64_t copy_until_ms;		/* kept here until; 0: open */
	bool mapped;			/* practice: only the map is left */
	bool has_leaf;
	uint64_t leaf;			/* of the REFERRAL, in the log */
};

/* The first case with a number above `after` (0: the first of all).
 * KL_E_NOT_FOUND: no more; KL_E_AGAIN. */
int engine_case_next(struct engine *e, uint64_t after,
    struct engine_case *out) KL_MUST_CHECK;
/* By a spoken reference (any case, dashes optional) or the practice's own
 * referral_id. KL_E_NOT_FOUND, KL_E_AGAIN. */
int engine_case_find(struct engine *e, const char *reference,
    struct engine_case *out) KL_MUST_CHECK;
int engine_case_get(struct engine *e, const struct kl_conv_id *conv,
    struct engine_case *out) KL_MUST_CHECK;

/* What the interface shows of it; the act goes into the access log.
 * KL_E_NOT_FOUND: no content here, or erased; KL_E_AGAIN. */
enum engine_act {
	ENGINE_TOOK_IN = 1, ENGINE_SAW = 2, ENGINE_PRINTED = 3,
	ENGINE_EXPORTED = 4, ENGINE_CHANGED = 5, ENGINE_WITHDREW = 6,
	ENGINE_WIPED = 7,		/* erased all that is here */
	ENGINE_FOUND = 8,		/* in a search */
	ENGINE_SEARCHED = 9,		/* for a person; of no one case */
	ENGINE_LOOKED = 10,		/* asked who looked */
	ENGINE_LISTED = 11,		/* among others; of no one case */
	ENGINE_ASKED_LOG = 12,		/* the broker's log, of a case or not */
};
int engine_content(struct engine *e, const struct engine_actor *by,
    enum engine_act act, const struct kl_conv_id *conv,
    struct kl_referral *out) KL_MUST_CHECK;

/* ---- history --------------------------------------------------------- */

enum engine_what {
	ENGINE_MADE = 1,		/* draft, durable here */
	ENGINE_SEALED = 2,
	ENGINE_ACCEPTED = 3,		/* by the broker; leaf */
	ENGINE_DELIVERED = 4,		/* receipt of the other side */
	ENGINE_REFUSED = 5,		/* by broker or other side; code */
	ENGINE_RECEIVED = 6,		/* a message of the other side; leaf */
	ENGINE_EXPIRED = 7,
	ENGINE_UNCERTAIN = 8,
	ENGINE_DEAD = 9,		/* cannot be delivered; code */
	ENGINE_LOST = 10,		/* other side lost it */
	ENGINE_SEALED_AGAIN = 11,
	ENGINE_GAP = 12,		/* some message of theirs never comes */
	ENGINE_DEADLINE = 13,		/* was missed */
	ENGINE_FEEDBACK_OVER = 14,	/* consent for feedback is over */
	ENGINE_WITHDRAWN = 15,
	ENGINE_HIDDEN = 16,		/* above the level: kept here */
	ENGINE_ERASED = 17,		/* content was erased */
	ENGINE_WITHDRAWING = 18,	/* by us; the broker has not answered */
	ENGINE_ERASE_ASKED = 19,	/* by a party; erased here */
	ENGINE_ERASE_ANSWERED = 20,	/* what became of it in our systems */
	ENGINE_ERASE_TOLD = 21,		/* the same, of the other side */
	ENGINE_ERASE_MISSING = 22,	/* somebody has not answered in time */
	/* Of the feedback only, and told as a fact: nothing is to be erased. */
	ENGINE_FEEDBACK_WITHDRAWN = 23,
	ENGINE_HANDED_OVER = 25,	/* to the desk's case system */
	ENGINE_ATTEMPT = 26,		/* of the desk to reach somebody */
};
const char *engine_what_name(uint32_t what);

struct engine_step {
	uint64_t n;			/* from 1 in each case */
	int64_t at_ms;
	uint32_t what;			/* enum engine_what */
	uint32_t kind;			/* enum kl_kind, 0: none */
	bool ours;			/* the message is this adapter's */
	uint32_t state;			/* of the case after it, as both know */
	uint32_t code;			/* enum kl_code, 0: none */
	struct kl_msg_id msg_id;
	uint64_t leaf;			/* ACCEPTED, RECEIVED */
	struct kl_feedback feedback;	/* code 0: none */
	/* CORRECTION that came: bit i for kl_field_at(i), if its value is not
	 * that of the content before. */
	uint64_t changed;
};
/* KL_E_NOT_FOUND: no more; KL_E_AGAIN. */
int engine_step_next(struct engine *e, const struct kl_conv_id *conv,
    uint64_t after, struct engine_step *out) KL_MUST_CHECK;

/* ---- events ---------------------------------------------------------- */

/* What the interfaces hand out, in order: a step of a case that somebody
 * outside should know. */
enum engine_event_kind {
	ENGINE_EV_REFERRAL = 1,		/* a referral came */
	ENGINE_EV_CORRECTION = 2,	/* its content was replaced */
	ENGINE_EV_FEEDBACK = 3,		/* a feedback came */
	ENGINE_EV_STATE = 4,		/* state changed without a message */
	ENGINE_EV_WITHDRAWAL = 5,	/* made, done, asked of us, answered */
	ENGINE_EV_ALARM = 6,		/* raised; step is the alarm's seq */
	ENGINE_EV_ALARM_CLOSED = 7,	/* the same */
};
struct engine_event {
	uint64_t seq;			/* cursor */
	uint32_t kind;			/* enum engine_event_kind */
	int64_t at_ms;
	struct kl_conv_id conv;
	uint64_t step;			/* n of the case's history */
};
/* KL_E_NOT_FOUND: no more; KL_E_AGAIN. */
int engine_event_next(struct engine *e, uint64_t after,
    struct engine_event *out) KL_MUST_CHECK;
/* What an interface handed out last; `name` is a literal of at most 16
 * letters. 0 if never put. */
int engine_cursor_get(struct engine *e, const char *name, uint64_t *seq)
    KL_MUST_CHECK;
int engine_cursor_put(struct engine *e, const char *name, uint64_t seq)
    KL_MUST_CHECK;

/* ---- state ----------------------------------------------------------- */

enum engine_alarm_kind {
	ENGINE_AL_INSTANCE_CONFLICT = 1, /* another instance runs: take-over */
	ENGINE_AL_LOG_FORK = 2,		/* the broker's log was rewritten */
	ENGINE_AL_CLOCK = 3,		/* own clock is off; above 10 min
					 * nothing is sealed */
	ENGINE_AL_REFUSED = 4,		/* a message of ours was refused */
	ENGINE_AL_EXPIRED = 5,
	ENGINE_AL_UNCERTAIN = 6,
	ENGINE_AL_DEAD = 7,
	ENGINE_AL_LOST = 8,		/* over there; cannot be sent again */
	ENGINE_AL_BAD_ITEM = 9,		/* from the broker; does not verify */
	ENGINE_AL_DIRECTORY = 10,	/* so did its directory */
	ENGINE_AL_DEADLINE = 11,
	ENGINE_AL_NO_KEY = 12,		/* receiver has no valid key: waits */
	ENGINE_AL_BROKER = 13,		/* the broker does not serve us; code */
	ENGINE_AL_CHECKPOINT = 14,	/* no new checkpoint for 15 min */
	ENGINE_AL_ERASE = 15,		/* an erase request without ground */
	ENGINE_AL_ORIGIN = 16,		/* the broker lost its store */
	ENGINE_AL_CARD = 17,		/* the own card ends in 30 days */
	/* Open until they are answered. */
	ENGINE_AL_ERASE_ASKED = 18,	/* a party asks: erase, and answer */
	ENGINE_AL_ERASE_LATE = 19,	/* it was not answered in time */
	ENGINE_AL_WITHDRAWAL = 20,	/* the broker has not taken ours */
	ENGINE_AL_ERASE_MISSING = 21,	/* the other side has not answered */
	ENGINE_AL_POLICY = 31,		/* there is none: nothing is sent */
	ENGINE_AL_LOG_LEFT = 32,	/* a broker that was left is back */
	/* Open until one was made. */
	ENGINE_AL_BACKUP = 34,		/* none could be made */
	ENGINE_AL_BACKUP_KEY = 35,	/* there is no key to seal it to */
	ENGINE_AL_LOST_HERE = 36,	/* a case that is open; until its
					 * content comes again, or its end */
	/* These and CHECKPOINT are open until what they ask has happened. */
	ENGINE_AL_NOT_COLLECTED = 22,
	ENGINE_AL_NOT_TAKEN_UP = 23,
	ENGINE_AL_NO_CONTACT = 24,
	ENGINE_AL_NO_TALK = 25,
	ENGINE_AL_NO_DECISION = 26,
	ENGINE_AL_NO_NEWS = 27,
	ENGINE_AL_COPY_ENDS = 28,	/* is erased here in 14 days */
	ENGINE_AL_DRAFT = 29,		/* never left, so it was erased */
};
const char *engine_alarm_name(uint32_t kind);

struct engine_alarm {
	uint64_t seq;
	uint32_t kind;			/* enum engine_alarm_kind */
	uint32_t code;			/* enum kl_code, 0: none */
	int64_t at_ms;
	int64_t closed_ms;		/* 0: open, or of a kind that stays */
	bool has_conv;
	struct kl_conv_id conv;
};
/* KL_E_NOT_FOUND, KL_E_AGAIN. */
int engine_alarm_get(struct engine *e, uint64_t seq,
    struct engine_alarm *out) KL_MUST_CHECK;
/* What proves it to others, as a text: the checkpoints as they were signed,
 * with an empty line between two. KL_E_NOT_FOUND: no such alarm, or nothing is
 * kept with it; KL_E_AGAIN. */
#define ENGINE_EVIDENCE_MAX 2201	/* with NUL */
int engine_alarm_evidence(struct engine *e, uint64_t seq,
    char text[ENGINE_EVIDENCE_MAX]) KL_MUST_CHECK;
/* KL_E_NOT_FOUND: no more; KL_E_AGAIN. They stay: whoever shows them keeps a
 * cursor of what was seen. */
int engine_alarm_next(struct engine *e, uint64_t after,
    struct engine_alarm *out) KL_MUST_CHECK;

enum engine_session {
	ENGINE_NO_LINK = 1,		/* no connection to the broker */
	ENGINE_GREETING = 2,		/* HELLO, reporting in, directory */
	ENGINE_READY = 3,
	ENGINE_CONFLICT = 4,		/* another instance: needs take-over */
	ENGINE_NOT_SERVED = 5,		/* the broker refuses us; code */
};
const char *engine_session_name(uint32_t session);

struct engine_status {
	const char *broker;		/* the address of now; until the next
					 * turn */
	uint32_t session;		/* enum engine_session */
	uint32_t code;			/* of NOT_SERVED */
	bool clock_known;
	int64_t clock_off_ms;		/* own minus broker's */
	bool may_seal;			/* the clock is good enough */
	uint64_t epoch;
	uint32_t waiting;		/* messages not accepted yet */
	uint32_t receipts;		/* receipts not taken yet */
	uint64_t cases, open_cases, alarms, open_alarms;
	int64_t prekeys_until_ms;	/* cover at the broker */
	uint64_t directory;		/* cards known */
	char origin[100];		/* of the last checkpoint, or "" */
	uint64_t log_size;
	int64_t checkpoint_ms;		/* when it was seen */
	uint32_t slots_free;
	unsigned int store_permille;
};
/* The first of these, up to prekeys_until_ms but for the counts: without a
 * look at the store. */
void engine_session(struct engine *e, struct engine_status *out);
/* KL_E_AGAIN. */
int engine_status(struct engine *e, struct engine_status *out) KL_MUST_CHECK;

/* Somebody looks for what the directory may bring: it is brought up to date
 * now, at most once in two seconds. */
void engine_refresh(struct engine *e);

/* Why nothing is erased by time now, "none" if it is: clock_hold_why. */
const char *engine_hold(struct engine *e);
/* The operator says that this machine's clock is right. KL_E_AGAIN. */
int engine_hold_release(struct engine *e) KL_MUST_CHECK;

/* The operator says that this is the one instance from now on. */
void engine_take_over(struct engine *e);

/* For statements of our own other than receipts (a PROFILE): packed Signed,
 * handed to the broker now and again after a loss of its store.
 * KL_E_SIZE, KL_E_AGAIN. */
int engine_publish(struct engine *e, uint32_t statement, struct kl_bytes packed)
    KL_MUST_CHECK;

struct store;
struct identity;
struct directory;
/* For profile and the like: borrowed. */
struct store *engine_store(struct engine *e);
const struct identity *engine_identity(const struct engine *e);
const struct directory *engine_directory(const struct engine *e);

#endif
