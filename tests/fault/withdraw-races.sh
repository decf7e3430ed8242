#!/bin/bash
# limit: 1200
# Withdrawals race against deliveries while edge, core and supervisor are
# killed; then the order of leaves must show that nothing was released after
# its consent was withdrawn.
#
# From outside: RACES (1000), KILLS (one for 25 races), SEED (drawn and
# printed), LEAST (percent of the races that either side must win).
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"

RACES=${RACES:-1000}
KILLS=${KILLS:-$(((RACES + 24) / 25))}
SEED=${SEED:-$((SRANDOM % 1000000))}
LEAST=${LEAST:-10}

races_run()
{
	"$B/tests/fault/races" "$B/kortelijnd" "$KORTELIJN_CONFIG" \
	    "$R/broker" "$R/authority" "$ENDPOINT" "$RACES" "$KILLS" \
	    "$SEED" "$R/held" 2>>"$R/broker.log"
}

# As an auditor would, who has nothing but the log.
log_holds()
{
	"$B/tests/support/history" "--log=$R/log"
}

order_holds()
{
	"$B/tests/fault/race_check" "$R/log" "$R/held" "$LEAST"
}

say "seed $SEED, $RACES races, $KILLS kills"
region_begin
broker_make
conf_set "$KORTELIJN_CONFIG" limits requests_per_minute 10000000
conf_set "$KORTELIJN_CONFIG" limits open_conversations 1000000
conf_set "$KORTELIJN_CONFIG" limits bytes_per_day_mb 1048576
ok every_answer_is_explained races_run
[ -s "$R/held" ] || exit 1
"$B/tests/support/logdump" "$KORTELIJN_CONFIG" >"$R/log" || die "logdump"
ok log_breaks_no_rule log_breaks_no_rule "$KORTELIJN_CONFIG"
ok log_alone_shows_no_release_after_withdrawal log_holds
ok participants_and_log_agree order_holds
exit "$FAILED"
