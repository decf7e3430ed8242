#include "adapters/common/folder_sweep.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SEQ_DIGITS 10
#define SPOKEN_AT (SEQ_DIGITS + 1)
#define SPOKEN_CHARS 11			/* "ABCD-EFGH-K" */

/* As folder.c names them, with "-1" and so on behind it or not. */
static bool
name_read(const char *name, uint64_t *seq, struct kl_spoken *spoken)
{
	char text[SPOKEN_CHARS + 1];

	for (int i = 0; i < SEQ_DIGITS; i++)
		if (isdigit((unsigned char)name[i]) == 0)
			return false;
	if (name[SEQ_DIGITS] != '-' ||
	    strnlen(name + SPOKEN_AT, SPOKEN_CHARS) != SPOKEN_CHARS)
		return false;
	memcpy(text, name + SPOKEN_AT, SPOKEN_CHARS);
	text[SPOKEN_CHARS] = '\0';
	name += SPOKEN_AT + SPOKEN_CHARS;
	*seq = strtoull(name - SPOKEN_AT - SPOKEN_CHARS, NULL, 10);
	return (*name == '.' || *name == '-') && *seq > 0 &&
	    kl_spoken_read(text, spoken) == KL_OK;
}

/* Is what the event of this kind tells of the case not here any more? */
static bool
is_erased(const struct engine_case *k, uint32_t kind)
{
	switch (kind) {
	case ENGINE_EV_REFERRAL:
	case ENGINE_EV_CORRECTION:
		return k->withdrawn == KL_SCOPE_ALL ||
		    (k->handed_ms != 0 && !k->has_content);
	case ENGINE_EV_FEEDBACK:
		return k->withdrawn != 0 || k->mapped;
	default:
		return false;
	}
}

static bool
is_old(struct engine *e, int64_t at_ms)
{
	const bool practice = engine_config(e)->role == KL_PRACTICE;

	/* By a clock that is not trusted nothing ends. */
	return strcmp(engine_hold(e), "none") == 0 &&
	    at_ms + kl_policy_ms(engine_policy(e), practice ?
	    KL_POL_PRACTICE_COPY_AFTER_END : KL_POL_DESK_COPY_AFTER_END) <=
	    engine_now_ms(e);
}

bool
folder_sweep_due(struct engine *e, const char *name, int64_t at_ms)
{
	struct engine_event ev;
	struct engine_case k;
	struct kl_spoken spoken;
	uint64_t seq;
	int r;

	if (!name_read(name, &seq, &spoken))
		return false;
	r = engine_case_find(e, kl_spoken_text(&spoken).b, &k);
	if (r != KL_OK)
		return r == KL_E_NOT_FOUND && is_old(e, at_ms);
	/* Of a store before this one, it may have this number too. */
	return engine_event_next(e, seq - 1, &ev) == KL_OK &&
	    ev.seq == seq && memcmp(&ev.conv, &k.conv, sizeof k.conv) == 0 &&
	    is_erased(&k, ev.kind);
}
