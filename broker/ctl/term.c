#include "broker/ctl/term.h"

#include <stdlib.h>

#include <kortelijn/base/time.h>
#include <kortelijn/host/loop.h>

#include "proto/cli/output.h"

static int
days_read(const struct cli *c, int64_t *days)
{
	const char *text = cli_option(c, "days");
	char *end;

	*days = TERM_DAYS;
	if (text == NULL)
		return CLI_OK;
	*days = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || *days < 1 ||
	    *days > TERM_DAYS_MAX)
		return output_fail(c, CLI_USAGE, "--days is 1 to %d",
		    TERM_DAYS_MAX);
	return CLI_OK;
}

int
term_set(const struct cli *c, struct paper *p,
    const struct paper_authority *a)
{
	const int64_t now_ms = kl_clock_now_ms(&(struct kl_clock){ 0 });
	const char *from = cli_option(c, "from");
	struct kl_card *card = &p->card;
	int32_t day;
	int64_t days;
	int r;

	if ((r = days_read(c, &days)) != CLI_OK)
		return r;
	card->version = 1;
	card->realm = a->realm;
	card->reads_all = 1;
	card->issued_ms = now_ms;
	card->not_before_ms = now_ms;
	kl_random(card->serial, sizeof card->serial);
	if (from != NULL) {
		if (kl_day_read(from, &day) != KL_OK)
			return output_fail(c, CLI_USAGE,
			    "--from is a day, as 2026-11-24");
		card->not_before_ms = kl_day_start_ms(day);
	}
	card->not_after_ms = card->not_before_ms + days * KL_DAY_MS;
	return CLI_OK;
}
