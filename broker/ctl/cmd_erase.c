#include "broker/ctl/cmd.h"

#include <stdio.h>
#include <string.h>

#include "broker/ctl/control.h"
#include "broker/ctl/subject_page.h"
#include "proto/cli/output.h"

/* What the state of its slot means. */
static const struct {
	const char *slot, *text;
} meanings[] = {
	{ "in use", "its key is there: the message waits and can be "
	    "released" },
	{ "to be zeroed", "it has ended; its key is zeroed by the next turn" },
	{ "zeroed", "its key was destroyed; the sector was read back from the "
	    "device and is all zeros" },
	{ "overwritten", "its key was destroyed, and its sector holds another "
	    "key since; see the leaf of the erasure" },
	{ "never here", "after a loss of the store only its receipt came: no "
	    "ciphertext of it was ever in this store" },
};

static const char *
meaning(const char *slot)
{
	for (size_t i = 0; slot != NULL &&
	    i < sizeof meanings / sizeof meanings[0]; i++)
		if (strcmp(meanings[i].slot, slot) == 0)
			return meanings[i].text;
	return slot;
}

static json_t *
kept(const json_t *m, const char *key)
{
	const json_t *v = json_object_get(m, key);

	return json_is_integer(v) ? output_time(json_integer_value(v)) :
	    json_is_string(v) ? json_string(json_string_value(v)) :
	    json_string("nothing");
}

static json_t *
for_people(const json_t *m)
{
	const char *id = json_string_value(json_object_get(m, "msg_id"));
	const json_t *leaf = json_object_get(m, "erased_leaf");
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o}",
	    "message", id != NULL ? id : "its conversation is forgotten",
	    "state", json_string_value(json_object_get(m, "state")),
	    "key", meaning(json_string_value(json_object_get(m, "slot"))),
	    "ciphertext", json_is_true(json_object_get(m, "ciphertext")) ?
	        "held" : "gone",
	    "ids_until", kept(m, "row_until_ms"),
	    "conversation_until", kept(m, "conversation_until_ms"),
	    "log_until", kept(m, "log_until"));

	if (o != NULL && json_is_integer(leaf))
		(void)json_object_set_new(o, "erased_in_leaf",
		    json_integer(json_integer_value(leaf)));
	return o;
}

/* An audit asks under which rules it was kept. */
static json_t *
looser(const json_t *answer)
{
	json_t *rows = json_object_get(json_object_get(answer, "policy"),
	    "looser"), *out = json_array(), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const struct output_text line = subject_page_looser(row,
		    true);

		(void)json_array_append_new(out, json_string(line.b));
	}
	return out;
}

static int
all_for_people(const struct cli *c, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "messages"), *m;
	int r = CLI_OK;
	size_t i;

	json_array_foreach(list, i, m) {
		if (i > 0)
			printf("\n");
		if ((r = output_take(c, for_people(m))) != CLI_OK)
			return r;
	}
	if (i == 0)
		printf(json_is_true(json_object_get(answer, "marker")) ?
		    "Nothing is left of it but the mark that it has ended.\n" :
		    "No message of it is remembered any more.\n");
	else
		printf("\n");
	return output_take(c, json_pack("{s:O,s:O,s:o}",
	    "erasure", json_object_get(answer, "erasure"),
	    "master_key", json_object_get(answer, "master_key"),
	    "looser_policy", looser(answer)));
}

int
cmd_erase_verify(struct cli *c)
{
	json_t *answer;
	int r = control_reference_check(c, c->arg[0]);

	if (r != CLI_OK)
		return r;
	r = control_ask(c, json_pack("{s:s,s:s}", "cmd", "left", "what",
	    c->arg[0]), &answer);

	if (r != CLI_OK || c->json)
		return r != CLI_OK ? r : output_take(c, answer);
	r = all_for_people(c, answer);
	json_decref(answer);
	return r;
}
