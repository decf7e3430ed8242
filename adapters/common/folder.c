#include "adapters/common/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kortelijn/host/log.h>

#include "adapters/common/folder_sweep.h"

#define CURSOR "folder"
#define SWEEP_MS KL_HOUR_MS		/* between two looks through out/ */
#define EVENTS_MAX 64			/* passed over in one go */
#define LINE_MAX_NL (KL_FINDING_FIELD_MAX + 32)

/* A page on its way out. */
enum page_state {
	PAGE_NONE,
	PAGE_HELD,		/* its line in the access log is not durable */
	PAGE_WRITE,
};

struct folder {
	struct engine *engine;
	struct kl_loop *loop;
	struct folder_role role;
	struct watch *watch;
	struct kl_source src;
	struct engine_listener listener;
	struct engine_actor by;

	int64_t scan_ms;	/* mono, of the next scan */
	bool broken;		/* this turn will be undone */
	bool look;		/* there may be an event */

	enum page_state state;
	struct page page;
	uint64_t seq;		/* of the page's event */
	bool ends;		/* which tells that something was erased */
	int64_t sweep_ms;	/* mono, of the next look through out/ */
	int64_t write_ms;	/* mono, of the next attempt */
	int64_t blocked_ms;
};

/* ---- in ---- */

static const char *
retry_nl(uint32_t code)
{
	/* Who "mends" one of these sends a patient twice. */
	if (code == KL_C_DUPLICATE_FILE)
		return "nee";
	if (code == KL_C_CONFLICT)
		return "nee; wijzig een verwijzing met een correctie";
	switch (kl_code_retry(code)) {
	case KL_RETRY_LATER:
		return "ja, later";
	case KL_RETRY_REPAIR:
		return "ja, als de beheerder de oorzaak heeft verholpen";
	default:
		return "nee, eerst herstellen";
	}
}

/* A line of the note, or nothing when there is no value. */
static void
line_make(char line[LINE_MAX_NL], const char *label, const char *value)
{
	line[0] = '\0';
	if (value[0] != '\0')
		(void)snprintf(line, LINE_MAX_NL, "%s: %s\n", label, value);
}

/* Code, place and sentence, and the reference of the referral that `first`
 * names; never a value of the file. */
static void
note_make(const struct kl_finding *why, const struct engine_taken *first,
    char *note)
{
	char place[LINE_MAX_NL], earlier[LINE_MAX_NL];

	line_make(place, "Plaats", why->field);
	line_make(earlier, "Eerdere verwijzing", first->spoken.b[0] != '\0' ?
	    kl_spoken_text(&first->spoken).b : "");
	(void)snprintf(note, WATCH_NOTE_MAX,
	    "Dit bestand is niet aangenomen.\n\n"
	    "Code: %s\n%s"
	    "Reden: %s\n%s"
	    "Opnieuw aanbieden: %s\n",
	    kl_code_name(why->code), place, kl_code_text_nl(why->code),
	    earlier, retry_nl(why->code));
}

static enum watch_verdict
refuse(const struct kl_finding *why, const struct engine_taken *first,
    char *note)
{
	note_make(why, first, note);
	kl_logf(KL_LOG_WARN, "file_refused", kl_log_word("code",
	    kl_code_name(why->code)));
	return WATCH_REFUSED;
}

static enum watch_verdict
refuse_code(uint32_t code, char *note)
{
	const struct kl_finding why = { .code = code };
	const struct engine_taken none = { .step = 0 };

	return refuse(&why, &none, note);
}

/* A file that lies in work/ after a crash and is known was taken. */
static enum watch_verdict
take_content(struct folder *f, const struct watch_file *file, char *note)
{
	struct engine_taken taken = { .step = 0 };
	struct kl_finding why = { .code = KL_C_OK };
	int r = engine_file_known(f->engine, file->content);

	if (r == KL_OK)
		return file->again ? WATCH_GONE :
		    refuse_code(KL_C_DUPLICATE_FILE, note);
	if (r == KL_E_NOT_FOUND)
		r = f->role.take(f->engine, &f->by, file->content, &taken,
		    &why);
	if (r == KL_E_REFUSED)
		return refuse(&why, &taken, note);
	if (r == KL_OK)
		r = engine_file_taken(f->engine, file->content);
	if (r == KL_OK)
		return WATCH_TAKEN;
	f->broken = true;
	return WATCH_LATER;
}

static enum watch_verdict
take(void *arg, const struct watch_file *file, char *note)
{
	struct folder *f = arg;

	if (f->broken)
		return WATCH_LATER;
	if (file->form == WATCH_BAD_NAME)
		return refuse_code(KL_C_FILE_NAME, note);
	if (file->form == WATCH_TOO_LARGE)
		return refuse_code(KL_C_FILE_SIZE, note);
	return take_content(f, file, note);
}

static void
scan(struct folder *f)
{
	const struct watch_judge j = { take, f };
	bool all;

	f->broken = false;
	all = watch_scan(f->watch, kl_mono_ms(), &j);
	f->scan_ms = kl_mono_ms() + (all || f->broken ? WATCH_POLL_MS : 0);
}

/* ---- out ---- */

/* "0000000012-ABCD-EFGH-K": the same for the same event, no personal data. A
 * store that begins anew begins at 1 again, so others may have it too. */
static void
stem_make(const struct folder *f, char out[64])
{
	const bool known = f->page.spoken.b[0] != '\0';

	(void)snprintf(out, 64, "%010llu%s%s", (unsigned long long)f->seq,
	    known ? "-" : "", known ? kl_spoken_text(&f->page.spoken).b : "");
}

/* Text first: who waits for the JSON finds both. */
static int
put(struct folder *f)
{
	struct drop_part part[2];
	char stem[64];
	size_t n = 0;

	part[n++] = (struct drop_part){ "txt", kl_bytes_str(f->page.text) };
	if (f->page.json != NULL)
		part[n++] = (struct drop_part){ "json",
		    kl_bytes_str(f->page.json) };
	stem_make(f, stem);
	return watch_put(f->watch, stem, part, n);
}

static void
write_page(struct folder *f)
{
	const int r = put(f);

	if (r != KL_OK) {
		if (f->blocked_ms == 0) {
			f->blocked_ms = engine_now_ms(f->engine);
			kl_logf(KL_LOG_ERROR, "folder_not_writable",
			    kl_log_word("why", kl_err_text(r)));
		}
		f->write_ms = kl_mono_ms() + WATCH_POLL_MS;
		return;
	}
	if (f->blocked_ms != 0)
		kl_logf(KL_LOG_INFO, "folder_writable",
		    kl_log_num("since_ms", f->blocked_ms));
	f->blocked_ms = 0;
	page_clear(&f->page);
	f->state = PAGE_NONE;
	/* Not put: the same page is made and written once more. */
	if (engine_cursor_put(f->engine, CURSOR, f->seq) == KL_OK)
		f->look = true;
	if (f->ends)
		f->sweep_ms = 0;
}

/* ---- what nobody took ---- */

static bool
sweep_due(void *arg, const char *name, int64_t at_ms)
{
	struct folder *f = arg;

	return folder_sweep_due(f->engine, name, at_ms);
}

static void
sweep(struct folder *f)
{
	const struct watch_sweep s = { sweep_due, f };
	const int r = watch_sweep(f->watch, &s);

	if (r != KL_OK)
		kl_logf(KL_LOG_ERROR, "folder_not_swept",
		    kl_log_word("why", kl_err_text(r)));
	f->sweep_ms = kl_mono_ms() + SWEEP_MS;
}

/* ---- the next page ---- */

/* Makes the next page there is; it is written when its turn is durable. */
static void
next_page(struct folder *f)
{
	struct engine_event ev = { .seq = 0 };
	int r = engine_cursor_get(f->engine, CURSOR, &ev.seq);

	f->look = false;
	for (int i = 0; r == KL_OK && i < EVENTS_MAX; i++) {
		r = engine_event_next(f->engine, ev.seq, &ev);
		if (r != KL_OK)
			break;
		f->seq = ev.seq;
		r = f->role.page(f->engine, &f->by, &ev, &f->page);
		if (r == KL_OK) {
			f->state = PAGE_HELD;
			f->ends = ev.kind == ENGINE_EV_WITHDRAWAL;
			f->write_ms = 0;
			engine_wake(f->engine);
			break;
		}
		if (r != KL_E_NOT_FOUND)
			break;
		r = engine_cursor_put(f->engine, CURSOR, ev.seq);
		f->look = true;
	}
	/* What failed on our side is tried again. */
	if (r != KL_OK && r != KL_E_NOT_FOUND)
		f->scan_ms = kl_mono_ms() + WATCH_POLL_MS;
}

/* ---- the loop ---- */

static int64_t
folder_prepare(void *arg)
{
	const struct folder *f = arg;
	const int64_t now_ms = kl_mono_ms();
	int64_t due_ms = f->scan_ms;

	if (f->state == PAGE_NONE && f->look)
		return 0;
	if (f->state == PAGE_WRITE && f->write_ms < due_ms)
		due_ms = f->write_ms;
	return due_ms <= now_ms ? 0 : due_ms - now_ms;
}

static void
folder_dispatch(void *arg, short revents)
{
	struct folder *f = arg;
	const int64_t now_ms = kl_mono_ms();

	if ((revents & POLLIN) != 0 || now_ms >= f->scan_ms) {
		f->look = true;
		scan(f);
	}
	if (f->state == PAGE_WRITE && now_ms >= f->write_ms)
		write_page(f);
	if (f->state == PAGE_NONE && now_ms >= f->sweep_ms && !f->broken)
		sweep(f);
	if (f->state == PAGE_NONE && f->look && !f->broken)
		next_page(f);
}

static void
folder_committed(void *arg)
{
	struct folder *f = arg;

	watch_committed(f->watch);
	f->broken = false;
	f->look = true;
	if (f->state == PAGE_HELD)
		f->state = PAGE_WRITE;
}

static void
folder_undone(void *arg)
{
	struct folder *f = arg;

	watch_undone(f->watch);
	f->broken = false;
	if (f->state == PAGE_HELD) {
		page_clear(&f->page);
		f->state = PAGE_NONE;
	}
	f->scan_ms = kl_mono_ms() + WATCH_POLL_MS;
}

static uid_t
owner_of(const struct config *c)
{
	return c->folder_owner < 0 ? geteuid() : (uid_t)c->folder_owner;
}

int
folder_open(struct engine *e, struct kl_loop *l,
    const struct folder_role *role, struct folder **out,
    struct watch_error *error)
{
	const struct config *c = engine_config(e);
	const struct watch_options o = {
		.dir = c->folder_dir, .owner = owner_of(c),
		.keep_done = c->keep_done,
		.share = owner_of(c) != geteuid(),
		.file_max = WATCH_FILE_MAX,
	};
	struct folder *f;
	int r;

	*out = NULL;
	if (!c->folder)
		return KL_OK;
	if ((f = calloc(1, sizeof *f)) == NULL)
		return KL_E_MEMORY;
	f->engine = e;
	f->loop = l;
	f->role = *role;
	f->by = (struct engine_actor){ .interface = ENGINE_FOLDER,
	    .uid = (uint32_t)o.owner };
	f->look = true;
	if ((r = watch_open(&o, &f->watch, error)) != KL_OK)
		goto out;
	f->src = (struct kl_source){ watch_fd(f->watch), POLLIN,
	    folder_prepare, folder_dispatch, f };
	f->listener = (struct engine_listener){ folder_committed,
	    folder_undone, f, NULL };
	if ((r = engine_files_forget(e)) != KL_OK ||
	    (r = kl_loop_add(l, &f->src)) != KL_OK)
		goto out;
	engine_listen(e, &f->listener);
	*out = f;
	return KL_OK;
out:
	watch_free(f->watch);
	free(f);
	return r;
}

void
folder_close(struct folder *f)
{
	if (f == NULL)
		return;
	engine_unlisten(f->engine, &f->listener);
	kl_loop_remove(f->loop, &f->src);
	page_clear(&f->page);
	watch_free(f->watch);
	free(f);
}

int64_t
folder_blocked_ms(const struct folder *f)
{
	return f == NULL ? 0 : f->blocked_ms;
}
