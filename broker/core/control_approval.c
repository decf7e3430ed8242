/* The controllers' approval of a card that reads all. */
#include "broker/core/control_priv.h"

#include <stdlib.h>
#include <string.h>

#include "broker/core/approvals.h"

json_t *
control_approval(struct core *c, const json_t *question)
{
	const char *in = json_string_value(json_object_get(question,
	    "approval"));
	uint8_t *buf = malloc(KL_APPROVAL_MAX);
	struct kl_approval_error e = { .line = 0 };
	json_t *o = NULL;
	size_t n = 0;
	int r;

	if (buf == NULL || in == NULL || kl_base64_read(kl_bytes_str(in), buf,
	    KL_APPROVAL_MAX, &n) != KL_OK)
		o = control_refused(buf == NULL ? KL_C_TRY_LATER :
		    KL_C_MALFORMED);
	else if ((r = approvals_take(c, kl_bytes(buf, n), &e)) == KL_OK)
		o = json_pack("{s:b}", "ok", 1);
	else
		o = r == KL_E_REFUSED ? control_refused_file(e.line, e.b) :
		    control_refused(KL_C_TRY_LATER);
	free(buf);
	return o;
}

/* ---- status ------------------------------------------------------------- */

static bool
valid_now(struct core *c, const struct registry_reads *r)
{
	const struct participant *p = registry_by_id(&c->registry, &r->who);
	const int64_t now_ms = kl_clock_now_ms(&c->clock);

	for (size_t i = 0; p != NULL && i < p->n_cards; i++)
		if (memcmp(p->card[i].serial, r->serial,
		    sizeof r->serial) == 0)
			return registry_card_valid(&p->card[i], now_ms) ==
			    KL_C_OK;
	return false;
}

/* One line: whose records it reads, or what it lacks. */
static json_t *
reader_words(const struct core *c, const struct registry_reads *r)
{
	const struct core_approval *a = approvals_of(c, r->serial);
	char serial[33];

	kl_hex(KL_BYTES_OF(r->serial), serial);
	if (a == NULL)
		return json_sprintf("%s, card %s: reads nothing of others; "
		    "the controllers' approval is missing: 'kortelijn enrol "
		    "accept CARD --approval=FILE'", kl_id_text(&r->who).b,
		    serial);
	return json_sprintf("%s, card %s: reads the records of %zu "
	    "organisations that have agreed, see record %llu",
	    kl_id_text(&r->who).b, serial, a->n, (unsigned long long)a->leaf);
}

void
control_approval_status(struct core *c, json_t *o)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->registry.n_reads; i++) {
		const struct registry_reads *r = &c->registry.reads[i];

		if (r->all && valid_now(c, r))
			(void)json_array_append_new(list, reader_words(c, r));
	}
	if (json_array_size(list) == 0)
		json_decref(list);
	else
		(void)json_object_set_new(o, "reads_all", list);
}
