/*
 * history: reads what a run left behind and says what must not have happened.
 *
 *   history [--drained] [--broker=TRACE] [--log=DUMP]... NAME=TRACE...
 *
 * TRACE: lines of host/trace.h, of the broker and of each adapter; written
 * outside the store, after the commit that they tell of. DUMP: lines of
 * logdump, one file for each origin of the log in its order. --drained: the
 * run ended quietly, so nothing may still be under way. With nothing but
 * --log it judges the log alone, as an auditor would.
 *
 * The log is what counts: a process that is killed between a commit and its
 * line leaves a line out, never a leaf. Ends with 1 if anything is wrong.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define LINE_MAX_BYTES 4096
#define LOGS_MAX 8

struct history {
	bool drained;
	json_t *msgs;		/* msg -> what the traces tell of it */
	json_t *names;		/* of adapters -> times they started */
	size_t n_logs;
	struct log {
		json_t *leaves;		/* array of records */
		json_t *by_body;	/* body -> ACCEPTED records */
		json_t *by_ref;		/* msg_ref -> records in order */
	} log[LOGS_MAX];
	size_t line;		/* of all traces, counted on */
	size_t violations;
	size_t unseen;		/* delivered, but no line of its opening */
	size_t withdrawals;	/* of conversations that are in a log */
};

static void __attribute__((format(printf, 2, 3)))
violation(struct history *h, const char *form, ...)
{
	va_list ap;

	va_start(ap, form);
	printf("history: ");
	vprintf(form, ap);
	printf("\n");
	va_end(ap);
	h->violations++;
}

static void
give_up(const char *path, const char *why)
{
	fprintf(stderr, "history: %s: %s\n", path, why);
	exit(2);
}

/* ---- small things over jansson ------------------------------------------- */

static const char *
text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static json_int_t
number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static bool
has(const json_t *o, const char *key)
{
	return json_object_get(o, key) != NULL;
}

static void
add_one(json_t *o, const char *key)
{
	(void)json_object_set_new(o, key, json_integer(number(o, key) + 1));
}

static void
append(json_t *map, const char *key, json_t *borrowed)
{
	json_t *list = json_object_get(map, key);

	if (list == NULL) {
		list = json_array();
		(void)json_object_set_new(map, key, list);
	}
	(void)json_array_append(list, borrowed);
}

static bool
is(const json_t *record, const char *event)
{
	return strcmp(text(record, "event"), event) == 0;
}

/* ---- reading ------------------------------------------------------------- */

typedef void (*line_fn)(struct history *h, const char *name, json_t *line);

static void
read_lines(struct history *h, const char *path, const char *name, line_fn fn)
{
	char line[LINE_MAX_BYTES];
	FILE *f = fopen(path, "r");
	json_t *o;

	if (f == NULL)
		give_up(path, "cannot be read");
	while (fgets(line, sizeof line, f) != NULL) {
		h->line++;
		if ((o = json_loads(line, 0, NULL)) == NULL)
			violation(h, "%s: a line that is no JSON", path);
		else
			fn(h, name, o);
		json_decref(o);
	}
	(void)fclose(f);
}

static json_t *
msg_of(struct history *h, const json_t *line)
{
	const char *id = text(line, "msg");
	json_t *m;

	if (*id == '\0')
		return NULL;
	if ((m = json_object_get(h->msgs, id)) == NULL) {
		m = json_object();
		(void)json_object_set_new(h->msgs, id, m);
	}
	/* A repeat is told before its body is looked at. */
	if (strspn(text(line, "body"), "0") < strlen(text(line, "body")))
		(void)json_object_set(m, "body", json_object_get(line,
		    "body"));
	return m;
}

/* "accepted" of the broker becomes "broker_accepted". */
static void
take_broker(struct history *h, const char *name, json_t *line)
{
	json_t *m = msg_of(h, line);
	char key[64];

	(void)name;
	if (m == NULL)
		return;
	(void)snprintf(key, sizeof key, "broker_%.40s", text(line, "ev"));
	add_one(m, key);
}

static void
take_adapter(struct history *h, const char *name, json_t *line)
{
	const char *ev = text(line, "ev");
	json_t *m = msg_of(h, line), *who;

	if (strcmp(ev, "started") == 0)
		add_one(h->names, name);
	if (m == NULL)
		return;
	add_one(m, ev);
	if (*text(line, "conv") != '\0')
		(void)json_object_set(m, "conv", json_object_get(line,
		    "conv"));
	if (strcmp(ev, "sealed") == 0) {
		(void)json_object_set_new(m, "sender", json_string(name));
		(void)json_object_set(m, "sealed_ms", json_object_get(line,
		    "t"));
	}
	if (strcmp(ev, "accepted") == 0 && has(line, "leaf"))
		(void)json_object_set(m, "acked_leaf",
		    json_object_get(line, "leaf"));
	if (strcmp(ev, "opened") != 0)
		return;
	if ((who = json_object_get(m, "opened_by")) == NULL) {
		who = json_object();
		(void)json_object_set_new(m, "opened_by", who);
	}
	add_one(who, name);
	(void)json_object_set_new(m, "opened_line",
	    json_integer((json_int_t)h->line));
}

static void
take_leaf(struct history *h, const char *name, json_t *line)
{
	struct log *log = &h->log[h->n_logs];

	(void)name;
	if (number(line, "leaf") != (json_int_t)json_array_size(log->leaves))
		violation(h, "log %zu: leaf %d is missing", h->n_logs,
		    (int)json_array_size(log->leaves));
	(void)json_array_append(log->leaves, line);
	if (is(line, "accepted"))
		append(log->by_body, text(line, "body"), line);
	if (*text(line, "msg_ref") != '\0')
		append(log->by_ref, text(line, "msg_ref"), line);
}

static void
read_log(struct history *h, const char *path)
{
	struct log *log = &h->log[h->n_logs];

	if (h->n_logs == LOGS_MAX)
		give_up(path, "too many logs");
	log->leaves = json_array();
	log->by_body = json_object();
	log->by_ref = json_object();
	read_lines(h, path, NULL, take_leaf);
	h->n_logs++;
}

/* ---- what the log says of a message -------------------------------------- */

/* Its ACCEPTED record in log i, NULL: none there. */
static json_t *
accepted_in(const struct history *h, size_t i, const json_t *m)
{
	return json_array_get(json_object_get(h->log[i].by_body,
	    text(m, "body")), 0);
}

/* How many leaves of that event the message has, in all logs. */
static size_t
leaves_of(const struct history *h, const json_t *m, const char *event)
{
	const json_t *a, *r;
	size_t sum = 0, k;

	for (size_t i = 0; i < h->n_logs; i++) {
		if ((a = accepted_in(h, i, m)) == NULL)
			continue;
		json_array_foreach(json_object_get(h->log[i].by_ref,
		    text(a, "msg_ref")), k, r)
			sum += is(r, event);
	}
	return sum;
}

static bool
is_kind(const struct history *h, const json_t *m, const char *kind)
{
	for (size_t i = 0; i < h->n_logs; i++)
		if (strcmp(text(accepted_in(h, i, m), "kind"), kind) == 0)
			return true;
	return false;
}

/* It ended without being seen, and its sender was told. */
static bool
ended(const json_t *m)
{
	static const char *const how[] = { "refused", "expired", "uncertain",
	    "dead", "lost", "withdrawn", "given_up" };

	for (size_t i = 0; i < sizeof how / sizeof how[0]; i++)
		if (number(m, how[i]) > 0)
			return true;
	return false;
}

/* ---- what must not have happened ----------------------------------------- */

/* An acknowledgement is a promise that was durable before. */
static void
check_acked(struct history *h, const char *id, const json_t *m)
{
	const json_int_t leaf = number(m, "acked_leaf");
	bool found = h->n_logs == 0;

	if (number(m, "accepted") == 0)
		return;
	for (size_t i = 0; i < h->n_logs && !found; i++)
		found = *text(m, "body") != '\0' ?
		    accepted_in(h, i, m) != NULL :
		    is(json_array_get(h->log[i].leaves, (size_t)leaf),
			"accepted");
	if (!found)
		violation(h, "%s: acknowledged, but not in the log", id);
}

/* One ACCEPTED leaf in an origin. */
static void
check_one_leaf(struct history *h, const char *id, const json_t *m)
{
	for (size_t i = 0; i < h->n_logs; i++)
		if (json_array_size(json_object_get(h->log[i].by_body,
		    text(m, "body"))) > 1)
			violation(h, "%s: accepted twice in log %zu", id, i);
	if (h->n_logs > 0 && number(m, "broker_accepted") > 0 &&
	    leaves_of(h, m, "accepted") == 0)
		violation(h, "%s: accepted without a leaf", id);
}

/* What is in the log was not refused. */
static void
check_refused(struct history *h, const char *id, const json_t *m)
{
	if (leaves_of(h, m, "accepted") == 0 || leaves_of(h, m, "dead") > 0)
		return;
	if (number(m, "refused") > 0)
		violation(h, "%s: refused to its sender, but accepted", id);
	if (number(m, "given_up") > 0)
		violation(h, "%s: sealed anew, but accepted", id);
}

/* The application sees it once. */
static void
check_seen_once(struct history *h, const char *id, const json_t *m)
{
	json_t *by = json_object_get(m, "opened_by"), *times;
	const char *name;

	if (json_object_size(by) > 1)
		violation(h, "%s: seen by %zu receivers", id,
		    json_object_size(by));
	json_object_foreach(by, name, times)
		if (json_integer_value(times) > 1)
			violation(h, "%s: seen %d times by %s", id,
			    (int)json_integer_value(times), name);
}

/* What was seen had its RELEASED leaf first. After a loss a released one
 * is not released again. */
static void
check_released(struct history *h, const char *id, const json_t *m)
{
	if (h->n_logs == 0 || *text(m, "body") == '\0')
		return;
	if ((number(m, "opened") > 0 || number(m, "broker_released") > 0) &&
	    leaves_of(h, m, "released") == 0)
		violation(h, "%s: seen without a RELEASED leaf", id);
}

/* Somebody else than the sender of m sealed something in its conversation
 * later. */
static bool
answered(const struct history *h, const json_t *m)
{
	const char *conv = text(m, "conv"), *id;
	json_t *o;

	json_object_foreach(h->msgs, id, o)
		if (strcmp(text(o, "conv"), conv) == 0 && has(o, "sender") &&
		    strcmp(text(o, "sender"), text(m, "sender")) != 0 &&
		    number(o, "sealed_ms") > number(m, "sealed_ms"))
			return true;
	return false;
}

/* A receipt is of a message that was opened. What the receiver answered,
 * it had seen; else only a kill explains why the line is missing. */
static void
check_delivered(struct history *h, const char *id, const json_t *m)
{
	const bool delivered = number(m, "delivered") > 0 ||
	    leaves_of(h, m, "delivered") > 0;

	if (delivered && number(m, "opened") == 0 && !answered(h, m)) {
		if (h->drained && is_kind(h, m, "referral"))
			violation(h, "%s: delivered, but its receiver knows "
			    "nothing of it", id);
		else
			h->unseen++;
	}
	if (number(m, "delivered") > 0 && h->n_logs > 0 &&
	    *text(m, "body") != '\0' && leaves_of(h, m, "delivered") +
	    leaves_of(h, m, "presented") == 0)
		violation(h, "%s: delivered without a leaf", id);
}

/* Nothing that was taken is lost. */
static void
check_arrived(struct history *h, const char *id, const json_t *m)
{
	if (!h->drained || ended(m) || leaves_of(h, m, "withdrawn") > 0)
		return;
	if (number(m, "sealed") > 0 && number(m, "accepted") == 0 &&
	    leaves_of(h, m, "accepted") == 0)
		violation(h, "%s: sealed, but never accepted", id);
	else if (number(m, "accepted") > 0 && number(m, "opened") == 0 &&
	    leaves_of(h, m, "delivered") == 0)
		violation(h, "%s: accepted, but never seen", id);
}

static void
check_messages(struct history *h)
{
	static void (*const checks[])(struct history *, const char *,
	    const json_t *) = { check_acked, check_one_leaf, check_refused,
	    check_seen_once, check_released, check_delivered, check_arrived };
	const char *id;
	json_t *m;

	json_object_foreach(h->msgs, id, m)
		for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
			checks[i](h, id, m);
}

/* What a kill between a commit and its line hides; it is rare. */
static void
check_unseen(struct history *h)
{
	json_int_t kills = 0;
	const char *name;
	json_t *starts;

	json_object_foreach(h->names, name, starts)
		kills += json_integer_value(starts) - 1;
	if (h->unseen > (size_t)(kills > 0 ? kills : 0))
		violation(h, "%zu delivered messages were never seen",
		    h->unseen);
}

/* PROTOCOL.md 8.1. */
static bool
may_follow(const char *from, const char *to, bool after_loss)
{
	static const char *const legal[] = {
		"none>accepted", "accepted>released", "accepted>expired",
		"accepted>dead", "accepted>withdrawn", "released>delivered",
		"released>dead", "released>unconfirmed",
		"unconfirmed>delivered", "unconfirmed>dead",
		"delivered>erased", "dead>erased", "expired>erased",
		"withdrawn>erased", "unconfirmed>erased",
		"delivered>lost_at_receiver", "erased>lost_at_receiver",
		"erased>delivered", "erased>dead",
		/* only after a loss: by a receipt that was presented */
		"none>delivered", "accepted>delivered",
	};
	const size_t n = sizeof legal / sizeof legal[0] -
	    (after_loss ? 0 : 2);
	char both[64];

	(void)snprintf(both, sizeof both, "%.20s>%.20s", from, to);
	for (size_t i = 0; i < n; i++)
		if (strcmp(legal[i], both) == 0)
			return true;
	return false;
}

/* Each change of state is one leaf, and they follow one another. ERASED
 * is no state of a message that goes on: a late receipt may come after it. */
static void
check_chain(struct history *h, const char *ref, const json_t *records,
    bool after_loss)
{
	const char *at = "none";
	const json_t *r;
	size_t i;

	json_array_foreach(records, i, r) {
		const char *to = text(r, "new");

		if (*to == '\0' || strcmp(to, "none") == 0)
			continue;
		if (!may_follow(at, to, after_loss))
			violation(h, "message %.8s: leaf %d: %s after %s", ref,
			    (int)number(r, "leaf"), to, at);
		at = to;
	}
}

/* A FEEDBACK is accepted after the receipt for its REFERRAL. */
static void
check_conversations(struct history *h, const struct log *log)
{
	json_t *delivered = json_object(), *r;
	size_t i;

	json_array_foreach(log->leaves, i, r) {
		const char *conv = text(r, "conv_ref");

		if ((is(r, "delivered") || is(r, "presented")) &&
		    strcmp(text(r, "kind"), "referral") == 0)
			(void)json_object_set(delivered, conv, json_true());
		if (is(r, "accepted") &&
		    strcmp(text(r, "kind"), "feedback") == 0 &&
		    !has(delivered, conv))
			violation(h, "leaf %d: feedback before the receipt of "
			    "its referral", (int)number(r, "leaf"));
	}
	json_decref(delivered);
}

static bool
is_feedback(const json_t *record)
{
	return strcmp(text(record, "kind"), "feedback") == 0;
}

/* One leaf after the withdrawals that were seen before it. all, feedback: of
 * conversations, withdrawn; accepted: where messages were. */
static void
check_after_withdrawal(struct history *h, const json_t *r, const json_t *all,
    const json_t *feedback, const json_t *accepted)
{
	const char *conv = text(r, "conv_ref");
	const bool released = is(r, "released");

	if (!released && !is(r, "accepted"))
		return;
	if (has(all, conv))
		violation(h, "leaf %d: %s after its consent was withdrawn",
		    (int)number(r, "leaf"), text(r, "event"));
	/* At level 0 one kind of feedback is still accepted, and then goes. */
	else if (released && is_feedback(r) && has(feedback, conv) &&
	    number(accepted, text(r, "msg_ref")) < number(feedback, conv))
		violation(h, "leaf %d: feedback released after it was "
		    "withdrawn", (int)number(r, "leaf"));
}

/* Nothing is released after the CONSENT_WITHDRAWN leaf of its consent and
 * scope: the order of leaves is the order in which it was done. */
static void
check_withdrawals(struct history *h, const struct log *log)
{
	json_t *all = json_object(), *feedback = json_object();
	json_t *accepted = json_object(), *r;
	size_t i;

	json_array_foreach(log->leaves, i, r) {
		check_after_withdrawal(h, r, all, feedback, accepted);
		if (is(r, "accepted"))
			(void)json_object_set(accepted, text(r, "msg_ref"),
			    json_object_get(r, "leaf"));
		/* Without one it is of a conversation that never came. */
		if (!is(r, "consent_withdrawn") ||
		    *text(r, "conv_ref") == '\0')
			continue;
		(void)json_object_set(is_feedback(r) ? feedback : all,
		    text(r, "conv_ref"), json_object_get(r, "leaf"));
		h->withdrawals++;
	}
	json_decref(all);
	json_decref(feedback);
	json_decref(accepted);
}

/* In a conversation each side is heard in the order in which it spoke. */
static void
check_order(struct history *h, size_t i)
{
	json_t *last = json_object(), *lines = json_object(), *m, *r;
	const char *id;
	size_t k;

	json_object_foreach(h->msgs, id, m) {
		if (*text(m, "body") == '\0')
			continue;
		(void)json_object_set(lines, text(m, "body"),
		    json_object_get(m, "opened_line"));
	}
	json_array_foreach(h->log[i].leaves, k, r) {
		char key[128];
		json_int_t line;

		if (!is(r, "accepted") || !has(lines, text(r, "body")))
			continue;
		(void)snprintf(key, sizeof key, "%.40s %.40s",
		    text(r, "conv_ref"), text(r, "org_from"));
		line = number(lines, text(r, "body"));
		if (line < number(last, key))
			violation(h, "leaf %d: seen before what was accepted "
			    "earlier", (int)number(r, "leaf"));
		(void)json_object_set_new(last, key, json_integer(line));
	}
	json_decref(last);
	json_decref(lines);
}

static void
check_log(struct history *h, size_t i)
{
	const char *ref;
	json_t *records;

	json_object_foreach(h->log[i].by_ref, ref, records)
		check_chain(h, ref, records, i > 0);
	check_conversations(h, &h->log[i]);
	check_withdrawals(h, &h->log[i]);
	check_order(h, i);
}

/* ---- main ---------------------------------------------------------------- */

static size_t
count(const struct history *h, const char *key)
{
	const char *id;
	json_t *m;
	size_t n = 0;

	json_object_foreach(h->msgs, id, m)
		n += number(m, key) > 0;
	return n;
}

static void
summary(const struct history *h)
{
	size_t leaves = 0;

	for (size_t i = 0; i < h->n_logs; i++)
		leaves += json_array_size(h->log[i].leaves);
	printf("history: %zu messages, %zu acknowledged, %zu seen, %zu "
	    "delivered, %zu withdrawals, %zu leaves in %zu logs: %zu "
	    "violations\n",
	    json_object_size(h->msgs), count(h, "accepted"),
	    count(h, "opened"), count(h, "delivered"), h->withdrawals, leaves,
	    h->n_logs, h->violations);
}

static void
clear(struct history *h)
{
	json_decref(h->msgs);
	json_decref(h->names);
	for (size_t i = 0; i < h->n_logs; i++) {
		json_decref(h->log[i].leaves);
		json_decref(h->log[i].by_body);
		json_decref(h->log[i].by_ref);
	}
}

static void
take_argument(struct history *h, char *arg)
{
	char *path = strchr(arg, '=');

	if (strcmp(arg, "--drained") == 0) {
		h->drained = true;
		return;
	}
	if (path == NULL)
		give_up(arg, "not NAME=TRACE");
	*path++ = '\0';
	if (strcmp(arg, "--broker") == 0)
		read_lines(h, path, NULL, take_broker);
	else if (strcmp(arg, "--log") == 0)
		read_log(h, path);
	else
		read_lines(h, path, arg, take_adapter);
}

int
main(int argc, char **argv)
{
	struct history h = { .msgs = json_object(), .names = json_object() };

	for (int i = 1; i < argc; i++)
		take_argument(&h, argv[i]);
	check_messages(&h);
	check_unseen(&h);
	for (size_t i = 0; i < h.n_logs; i++)
		check_log(&h, i);
	summary(&h);
	clear(&h);
	return h.violations == 0 ? 0 : 1;
}
