#!/bin/bash
# Five years on: the records of the log go month by month, and what was signed
# and proved before still verifies, with nothing but public keys.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

KEPT_DAYS=1827		# log_retention = 5y

# The first day of the month after this one, and so many months later.
month_begin()
{
	date -u -d "$(date -u +%Y-%m-01) +$1 month" +%F
}

# at DATE: the broker runs on that day, about noon.
at()
{
	local days

	days=$((($(date -u -d "$1" +%s) - $(date -u -d "$(date -u +%F)" \
	    +%s)) / 86400))
	stop broker
	conf_set "$KORTELIJN_CONFIG" broker clock_offset "${days}d"
	broker_start
	[ "$(kortelijn hold --json | jq -r .held)" = false ] ||
	    kortelijn hold release >/dev/null
	wait_for "$PATIENCE" "the log to be read" \
	    log_is .read_since_start
}

log_is()
{
	broker_status .log | jq -e "$1" >/dev/null
}

signed_all()
{
	log_covered
	kortelijn audit checkpoint >"$1"
}

# proved FILE...: offline, every one of them.
proved()
{
	"$B/kortelijn" audit verify "$@" "--vkey=$VKEY" --json >"$R/said" \
	    2>>"$R/err" && jq -e '.ok and all(.files[]; .proved)' "$R/said" \
	    >/dev/null
}

# records: the numbers of those that are still there.
records()
{
	kortelijn audit query --json | jq .leaf
}

first_month_is_proved()
{
	signed_all "$R/one" && VKEY=$(kortelijn audit checkpoint --vkey) &&
	    kortelijn audit prove "$REF" --out="$R/case" >/dev/null &&
	    proved "$R/one" "$R"/case/*.tlog-proof || return 1
	LAST=$(records | tail -n 1)
	grep -qx 0 <<<"$(records)"
}

# A question is a record of the month in which it is asked.
second_month_is_proved()
{
	at "$(month_begin 1)" && records >/dev/null && signed_all "$R/two" ||
	    return 1
	SECOND=$(records | tail -n 1)
	[ "$SECOND" -gt "$LAST" ] &&
	    kortelijn audit prove "$SECOND" >"$R/second.tlog-proof" &&
	    proved "$R/second.tlog-proof"
}

nothing_has_gone_a_day_before()
{
	at "$(date -u -d "$(month_begin 1) +$((KEPT_DAYS - 1)) days" +%F)" &&
	    grep -qx 0 <<<"$(records)" &&
	    kortelijn audit prove "$LAST" >/dev/null
}

first_month_is_gone()
{
	! kortelijn audit prove "$LAST" >/dev/null 2>>"$R/err" &&
	    ! grep -qx 0 <<<"$(records)"
}

first_month_goes_on_its_day()
{
	at "$(date -u -d "$(month_begin 1) +$KEPT_DAYS days" +%F)" || return 1
	wait_for "$PATIENCE" "the end of the first month" first_month_is_gone
	grep -qx "$SECOND" <<<"$(records)" &&
	    kortelijn audit prove "$SECOND" >"$R/again.tlog-proof" &&
	    proved "$R/again.tlog-proof"
}

second_month_is_gone()
{
	! kortelijn audit prove "$SECOND" >/dev/null 2>>"$R/err"
}

second_month_goes_a_month_later()
{
	at "$(date -u -d "$(month_begin 2) +$KEPT_DAYS days" +%F)" || return 1
	wait_for "$PATIENCE" "the end of the second month" second_month_is_gone
	! grep -qx "$SECOND" <<<"$(records)"
}

# What was handed out, and that the log of now goes on from it.
all_that_was_proved_still_is()
{
	signed_all "$R/three" &&
	    kortelijn audit prove --from="$R/one" >"$R/growth" &&
	    proved "$R/one" "$R/two" "$R/three" "$R/growth" \
		"$R"/case/*.tlog-proof "$R/second.tlog-proof" \
		"$R/again.tlog-proof"
}

# After a start, over hashes whose records are no more; none of it was lost.
log_without_records_is_whole()
{
	stop broker
	broker_start
	wait_for "$PATIENCE" "the log to be read" log_is .read_since_start
	log_is '.months_lost == []' && grep -q "log_read .*erased=[1-9]" \
	    "$R/broker.log"
}

region_begin
region_small
REF=$(refer practice-1 practice-1/van-putten . | jq -r .reference)
wait_state practice-1 "$REF" delivered
stop practice-1
stop municipality
ok first_month_is_proved first_month_is_proved
ok second_month_is_proved second_month_is_proved
ok nothing_has_gone_a_day_before nothing_has_gone_a_day_before
ok first_month_goes_on_its_day first_month_goes_on_its_day
ok second_month_goes_a_month_later second_month_goes_a_month_later
ok all_that_was_proved_still_is all_that_was_proved_still_is
ok log_without_records_is_whole log_without_records_is_whole
exit "$FAILED"
