/* Papers that the operator hands in. */
#include "broker/core/control_priv.h"

#include "broker/core/cycle.h"
#include "broker/core/papers.h"

struct paper {
	struct kl_entry e;
	enum kl_code code;
};

static int
paper_in_turn(struct core *c, void *arg)
{
	struct paper *p = arg;

	return papers_take(c, &p->e, &p->code);
}

static json_t *
paper_take(struct core *c, const json_t *question, const char *member,
    uint32_t statement)
{
	struct paper p = { .e = { .statement = statement } };
	const char *text = json_string_value(json_object_get(question,
	    member));
	uint8_t buf[KL_STATEMENT_MAX];
	size_t n;
	int r;

	if (text == NULL || kl_base64_read(kl_bytes_str(text), buf,
	    sizeof buf, &n) != KL_OK)
		return control_refused(KL_C_MALFORMED);
	p.e.content = kl_bytes(buf, n);
	r = cycle_run(c, paper_in_turn, &p);
	if (r != KL_OK)
		return control_refused(KL_C_TRY_LATER);
	return p.code != KL_C_OK ? control_refused(p.code) :
	    json_pack("{s:b}", "ok", 1);
}

json_t *
control_card(struct core *c, const json_t *question)
{
	return paper_take(c, question, "card", KL_CARD);
}

json_t *
control_revocation(struct core *c, const json_t *question)
{
	return paper_take(c, question, "revocation", KL_REVOCATION);
}
