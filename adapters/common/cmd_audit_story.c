#include <string.h>

#include <kortelijn/domain/calendar.h>

#include "adapters/common/cmd.h"
#include "adapters/common/cmd_audit.h"
#include "proto/audit/names.h"
#include "proto/audit/story.h"

/* ---- who looked here ------------------------------------------------- */

/* Member "KEY_nl" or "KEY_en". */
static struct cmd_text
word(const json_t *o, const char *key, enum kl_lang lang)
{
	char name[32];

	(void)snprintf(name, sizeof name, "%s_%s", key, lang == KL_EN ?
	    "en" : "nl");
	return cmd_member(o, name);
}

/* "  2026-11-25 10:00  fg-1, functionaris voor privacy (FG): ...". */
static void
put_line(FILE *f, const json_t *o, enum kl_lang lang)
{
	const struct cmd_text staff = cmd_member(o, "staff");
	const struct cmd_text role = word(o, "role", lang);

	fprintf(f, "  %s  ", cmd_time(o, "at").b);
	if (staff.b[0] != '\0' || role.b[0] != '\0')
		fprintf(f, "%s%s%s:\n                    ", staff.b,
		    staff.b[0] != '\0' && role.b[0] != '\0' ? ", " : "",
		    role.b);
	fprintf(f, "%s (%s)\n", word(o, "act", lang).b,
	    word(o, "interface", lang).b);
}

/* The end of the page. */
static void
put_looks(FILE *f, const json_t *looks, enum kl_lang lang)
{
	const bool en = lang == KL_EN;
	const json_t *lines = json_object_get(looks, "lines");
	const json_t *o;
	size_t i;

	fprintf(f, "\n%s %s\n", en ? "In the access log of" :
	    "In het toegangslogboek van", cmd_member(looks, "organisation").b);
	json_array_foreach(lines, i, o)
		put_line(f, o, lang);
	if (json_array_size(lines) == 0)
		fputs(en ? "  Nothing is known of this case.\n" :
		    "  Van deze verwijzing is niets bekend.\n", f);
	if (json_is_true(json_object_get(looks, "more")))
		fputs(en ? "  There are more: 'subject log' with --since.\n" :
		    "  Er zijn er meer: 'subject log' met --since.\n", f);
}

/* The lines of the access log about the one case of that name; the question
 * is the last of them. What is no case here has none. */
static int
looks_ask(struct cli *c, json_t **out)
{
	static const char *const members[] = { "lines", "more" };
	json_t *answer, *k;
	int r = cmd_ask(c, json_pack("{s:s,s:s}", "cmd", "subject_log",
	    "who", c->arg[0]), 0, &answer);

	*out = NULL;
	if (r != CLI_OK)
		return r;
	k = json_array_get(json_object_get(answer, "referrals"), 0);
	*out = json_object();
	(void)json_object_set(*out, "organisation", json_object_get(answer,
	    "organisation"));
	for (size_t i = 0; k != NULL && i < 2; i++)
		(void)json_object_set(*out, members[i], json_object_get(k,
		    members[i]));
	json_decref(answer);
	return CLI_OK;
}

/* ---- the story ------------------------------------------------------- */

int
cmd_audit_story(struct cli *c)
{
	struct audit_story_more more = { .key = "access", .text = put_looks };
	struct audit_names *names = NULL;
	struct audit_link *l = NULL;
	int r;

	if ((r = cmd_audit_link(c, &l)) == CLI_OK &&
	    (r = cmd_audit_names(c, &names)) == CLI_OK &&
	    (r = looks_ask(c, &more.json)) == CLI_OK)
		r = audit_story(c, l, names, &more);
	json_decref(more.json);
	audit_names_free(names);
	audit_link_close(l);
	return r;
}
