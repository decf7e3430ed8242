#include "proto/audit/query.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "proto/audit/format.h"
#include "proto/audit/ldv.h"
#include "proto/cli/output.h"

int
audit_query_language(const struct cli *c, enum kl_lang *out)
{
	const char *given = cli_option(c, "language");

	if (given == NULL) {
		*out = c->english ? KL_EN : KL_NL;
		return CLI_OK;
	}
	*out = strcmp(given, "en") == 0 ? KL_EN : KL_NL;
	if (*out == KL_EN || strcmp(given, "nl") == 0)
		return CLI_OK;
	return output_fail(c, CLI_USAGE, "--language is nl or en");
}

/* ---- what the forms need besides ----------------------------------------- */

int
audit_query_origin(const struct cli *c, struct kl_bytes note,
    char out[KL_ORIGIN_MAX])
{
	const uint8_t *end = note.n == 0 ? NULL : memchr(note.p, '\n', note.n);
	const size_t n = end == NULL ? 0 : (size_t)(end - note.p);

	if (n == 0 || n >= KL_ORIGIN_MAX)
		return output_fail(c, CLI_FAILED, "%s does not say the name "
		    "of its log", c->program->daemon);
	memcpy(out, note.p, n);
	out[n] = '\0';
	return CLI_OK;
}

static int
origin_take(const struct cli *c, struct kl_bytes body, struct kl_arena *mem,
    char out[KL_ORIGIN_MAX])
{
	struct kl_log_reply reply;

	if (KL_MESSAGE_READ(KL_M_LOG_REPLY, body, mem, &reply) != KL_C_OK)
		reply.note = KL_BYTES_NONE;
	return audit_query_origin(c, reply.note, out);
}

/* Of the log behind the link. */
static int
origin_ask(struct audit_link *l, char out[KL_ORIGIN_MAX])
{
	const struct kl_log_request q = { .want = KL_LOG_CHECKPOINT };
	struct kl_arena *mem = kl_arena_new(AUDIT_ANSWER_BYTES,
	    AUDIT_ANSWER_PIECES);
	struct kl_bytes body, reply;
	int r;

	if (mem == NULL || KL_MESSAGE_PACK_IN(KL_M_LOG, &q, mem, &body) !=
	    KL_OK)
		r = output_fail_err(l->cli, KL_E_MEMORY, "the question");
	else if ((r = audit_link_ask(l, KL_LOG, body, mem, &reply)) == CLI_OK)
		r = origin_take(l->cli, reply, mem, out);
	kl_arena_free(mem);
	return r;
}

/* Only LDV has a place for it. */
static int
activity_option(const struct cli *c, struct audit_format_to *to)
{
	to->activity = cli_option(c, "activity");
	if (to->activity == NULL)
		return CLI_OK;
	if (to->format != AUDIT_FORMAT_LDV)
		return output_fail(c, CLI_USAGE,
		    "--activity is for --format=ldv");
	if (audit_ldv_activity_valid(to->activity))
		return CLI_OK;
	return output_fail(c, CLI_USAGE, "--activity is an absolute URI, such "
	    "as https://register.example/42");
}

static int
prepare(struct audit_link *l, struct audit_format_to *to,
    char origin[KL_ORIGIN_MAX])
{
	const bool nen = to->format == AUDIT_FORMAT_NEN7513;
	int r = CLI_OK;

	to->origin = origin;
	if (nen || to->format == AUDIT_FORMAT_LDV)
		r = origin_ask(l, origin);
	if (r == CLI_OK && nen)
		r = audit_policies_read(l, &to->policies);
	return r;
}

/* ---- the command --------------------------------------------------------- */

static void
say_count(const struct audit_format_to *to)
{
	fprintf(stderr, "%" PRIu64 " record%s\n", to->n, to->n == 1 ? "" :
	    "s");
	if (to->format == AUDIT_FORMAT_LDV && to->activity == NULL)
		fprintf(stderr, "without dpl.core.processing_activity_id: "
		    "--activity=URI gives it\n");
}

int
audit_query(struct cli *c, struct audit_link *l,
    const struct audit_names *names)
{
	struct audit_format_to to = { .cli = c, .f = stdout, .names = names };
	char origin[KL_ORIGIN_MAX] = "";
	struct kl_query_what what;
	int r;

	if ((r = audit_filter_read(c, &what)) != CLI_OK ||
	    (r = audit_format_option(c, &to.format)) != CLI_OK ||
	    (r = audit_query_language(c, &to.lang)) != CLI_OK ||
	    (r = activity_option(c, &to)) != CLI_OK)
		return r;
	/* A reader that goes away is told as an error, as a full disk is. */
	(void)signal(SIGPIPE, SIG_IGN);
	if ((r = prepare(l, &to, origin)) == CLI_OK &&
	    (r = audit_records(l, &what, audit_format_put, &to)) == CLI_OK)
		r = audit_format_end(&to);
	audit_policies_free(&to.policies);
	if (r == CLI_OK)
		say_count(&to);
	return r;
}
