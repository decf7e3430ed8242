#!/bin/bash
# The first machine does not end, it falls silent: its connections stand and
# nothing is answered, as after a loss of power or behind a cut line. The
# adapters leave it by themselves for the one that stands in, and it is fenced
# off when it goes on where it stood. Prints how long that took.
# shellcheck source=tests/integration/lib.sh
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"

all_of_broker()
{
	local core edge

	core=$(broker_child core) && edge=$(broker_child edge) || return 1
	kill "-$1" "${PID[broker]}" "$core" "$edge"
}

on_standby()
{
	"$B/kortelijn" "$@" "--config=$R/standby/kortelijnd.conf"
}

stands_in()
{
	on_standby origin new --reason="silent" --yes >/dev/null || return 1
	start standby "$B/kortelijnd" "--config=$R/standby/kortelijnd.conf"
	wait_for "$PATIENCE" "the standby" on_standby status
}

at_the_other()
{
	[ "$(adapter "$1" status --json | jq -r '.broker + " " + .session')" = \
	    "$SECOND ready" ]
}

adapters_leave_who_is_silent()
{
	wait_for "$PATIENCE" "practice-1 to leave" at_the_other practice-1
	wait_for "$PATIENCE" "municipality to leave" at_the_other municipality
	LEFT=$EPOCHREALTIME
	wait_state practice-1 "$REF" delivered
	desk "$REF" taken_up
	wait_state practice-1 "$REF" taken_up
}

# It asks the first address first, but passes it by while an edge starts there:
# the supervisor ends one that was silent.
meets_the_first()
{
	not_running broker && return
	stop practice-1
	adapter_start practice-1
	adapter_ready practice-1
	not_running broker
}

# What it had accepted before is known; what it would accept now nobody sees.
silent_one_is_fenced_off_when_it_goes_on()
{
	all_of_broker CONT
	wait_for "$PATIENCE" "the first machine to stop" meets_the_first
	stop broker
	[ "$STATUS" -eq 3 ] && grep -q fenced_off "$R/broker.log" &&
	    wait_for "$PATIENCE" "practice-1 to go back" \
		at_the_other practice-1
}

not_running()
{
	! running "$1"
}

PATIENCE=$((PATIENCE + 60))
region_begin
region_small
cp -a "$R/broker" "$R/standby" || die "standby"
port_take
SECOND=tcp://127.0.0.1:$PORT
conf_set "$R/standby/kortelijnd.conf" broker config_dir "$R/standby"
conf_set "$R/standby/kortelijnd.conf" broker state_dir "$R/standby-state"
conf_set "$R/standby/kortelijnd.conf" broker listen "$SECOND"
conf_set "$R/standby/kortelijnd.conf" broker trace "$R/standby.trace"
for name in practice-1 municipality; do
	stop "$name"
	sed -i "/^broker = /a broker = $SECOND" "$R/$name/$name.conf"
	adapter_start "$name"
done
adapter_ready practice-1 municipality
REF=$(refer practice-1 practice-1/van-putten \
    '.consent.feedback_level = 3' | jq -r .reference)
wait_state practice-1 "$REF" delivered
SILENT=$EPOCHREALTIME
all_of_broker STOP || die "SIGSTOP"
ok stands_in stands_in
ok adapters_leave_who_is_silent adapters_leave_who_is_silent
ok silent_one_is_fenced_off_when_it_goes_on \
    silent_one_is_fenced_off_when_it_goes_on
say "silent for" "$(awk -v a="$SILENT" -v b="$LEFT" \
    'BEGIN { printf "%.1f", b - a }') s until both were served elsewhere"
exit "$FAILED"
