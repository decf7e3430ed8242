#!/bin/bash
# The first machine is killed with referrals in each state. A second one with
# the same configuration takes over by the drill; the adapters find it by
# themselves, every loop closes, and the first one is fenced off when it comes
# back. Prints how long it took; machines differ, so it asserts no time.
# shellcheck source=tests/integration/lib.sh
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"

# standby_make: what the operator keeps on the second machine, with a place,
# a port and a store of its own. The exports lie on a disk that both can reach.
standby_make()
{
	cp -a "$R/broker" "$R/standby" || die "standby"
	port_take
	SECOND=tcp://127.0.0.1:$PORT
	conf_set "$R/standby/kortelijnd.conf" broker config_dir "$R/standby"
	conf_set "$R/standby/kortelijnd.conf" broker state_dir \
	    "$R/standby-state"
	conf_set "$R/standby/kortelijnd.conf" broker listen "$SECOND"
	conf_set "$R/standby/kortelijnd.conf" broker trace "$R/standby.trace"
}

# Both addresses; lib.sh writes the first one.
knows_both()
{
	sed -i "/^broker = /a broker = $SECOND" "$R/$1/$1.conf"
}

on_standby()
{
	"$B/kortelijn" "$@" "--config=$R/standby/kortelijnd.conf"
}

standby_status()
{
	on_standby status --json | jq -r "$1"
}

# All three processes at once, as when the machine loses its power.
first_is_killed()
{
	local core edge

	core=$(broker_child core) && edge=$(broker_child edge) || return 1
	KILLED=$EPOCHREALTIME
	kill -KILL "${PID[broker]}" "$core" "$edge"
	wait "${PID[broker]}" 2>/dev/null
	unset "PID[broker]"
	"$B/tests/support/logdump" "$KORTELIJN_CONFIG" >"$R/log.1"
}

starts_on_no_empty_store_by_itself()
{
	"$B/kortelijnd" "--config=$R/standby/kortelijnd.conf" \
	    >"$R/refused.log" 2>&1
	[ $? -eq 3 ] && grep -q "kortelijn origin new" "$R/refused.log"
}

# Nothing of the first machine but its exports is here.
drill_finds_the_last_checkpoint_in_the_export()
{
	on_standby origin new --reason="first machine gone" --yes --json \
	    >"$R/drill.json" &&
	    jq -e '.ok and .found.log_mark == null and
		.found.export.leaves > 1 and
		.after == .found.export.log' "$R/drill.json" >/dev/null
}

begins()
{
	start standby "$B/kortelijnd" "--config=$R/standby/kortelijnd.conf"
	wait_for "$PATIENCE" "the standby" on_standby status
	standby_status .origin >"$R/second.origin"
	[ "$(jq -r .after "$R/drill.json")" != "$(cat "$R/second.origin")" ]
}

# Who is off is named with the number to call, and what waits for it.
status_says_who_is_missing()
{
	local row

	wait_for "$PATIENCE" "two to report in" reported 2
	row=$(standby_status '.loss | [.asked, .reported_in, .previous_log,
	    (.participants[] | select(.reported_in | not) |
	    .id, .phone, .conversations_wait)] | join(" ")')
	[ "$row" = "3 2 $(jq -r .after "$R/drill.json") agb:01000002 \
+31 53 123 45 67 1" ] || {
		say "$row"
		return 1
	}
	on_standby status | grep -q "agb:01000002 .*missing .*1 .*+31 53" &&
	    on_standby status | grep -q "released before its practice"
}

reported()
{
	[ "$(standby_status .loss.reported_in)" -ge "$1" ]
}

watch_ends_when_all_have_reported_in()
{
	adapter_start practice-2
	timeout "$PATIENCE" "$B/kortelijn" status --watch --json \
	    "--config=$R/standby/kortelijnd.conf" >"$R/watch.json" &&
	    jq -s -e '.[-1].loss | .reported_in == .asked and
		(.unknown | startswith("nothing")) and
		all(.participants[]; .reported_in_ms > 0)' \
		"$R/watch.json" >/dev/null
}

all_are()
{
	local ref

	for ref in "${OPEN[@]}"; do
		state_is practice-1 "$ref" "$1" || return 1
	done
}

every_loop_closes()
{
	local ref

	wait_for "$PATIENCE" "what was in the outbox" \
	    state_is practice-1 "$AFTER" delivered
	wait_for "$PATIENCE" "what the desk had not seen" \
	    state_is practice-1 "$WAITING" delivered
	SERVED=$EPOCHREALTIME
	# It had no reference as long as no broker had accepted it.
	AFTER=$(adapter practice-1 show "$AFTER" --json | jq -r .reference)
	desk "$TAKEN" contact_made intake_started completed
	for ref in "$OPENED" "$WAITING" "$AFTER"; do
		desk "$ref" taken_up contact_made intake_started completed
	done
	OPEN=("$TAKEN" "$OPENED" "$WAITING" "$AFTER")
	wait_for "$PATIENCE" "the ends" all_are completed
	wait_state practice-1 "$CLOSED" completed
}

# The practice alone knew of them, while there was no broker: what the desk had
# is erased there, and what it had not seen never comes.
withdrawals_come_first()
{
	wait_state municipality "$REGRETTED" consent_withdrawn
	wait_state practice-1 "$REGRETTED" consent_withdrawn
	wait_state practice-1 "$UNSEEN" consent_withdrawn
	! adapter municipality list --json | grep -q "$UNSEEN"
}

# It knows nothing of it yet, and serves whoever comes first.
first_is_fenced_off_by_an_adapter_that_has_moved_on()
{
	start broker "$B/kortelijnd" "--config=$KORTELIJN_CONFIG"
	wait_for "$PATIENCE" "the first machine" kortelijn status
	adapter practice-1 status >/dev/null || return 1
	stop practice-1
	adapter_start practice-1
	wait_for "$PATIENCE" "the first machine to stop" not_running broker
	stop broker
	[ "$STATUS" -eq 3 ] &&
	    grep -q "fenced_off.*younger_log=\"$(cat "$R/second.origin")" \
		"$R/broker.log" &&
	    adapter_ready practice-1 &&
	    [ "$(adapter practice-1 status --json | jq -r .broker)" = \
		"$SECOND" ]
}

not_running()
{
	! running "$1"
}

first_stays_off()
{
	"$B/kortelijnd" "--config=$KORTELIJN_CONFIG" >"$R/again.log" 2>&1
	[ $? -eq 3 ] && grep -q "kortelijn origin new" "$R/again.log"
}

# A well-meant copy of the old store, put where the new one was.
old_store_copied_to_the_standby_is_refused()
{
	stop standby
	"$B/tests/support/logdump" "$R/standby/kortelijnd.conf" >"$R/log.2" ||
	    return 1
	mv "$R/standby-state" "$R/kept-state"
	cp -a "$R/broker-state" "$R/standby-state"
	rm -f "$R/standby-state/log.seen"
	"$B/kortelijnd" "--config=$R/standby/kortelijnd.conf" \
	    >"$R/old.log" 2>&1
	[ $? -eq 3 ] && grep -q fenced_off "$R/old.log"
}

history_holds()
{
	cat "$R/broker.trace" "$R/standby.trace" >"$R/both.trace"
	"$B/tests/support/history" --drained "--broker=$R/both.trace" \
	    "--log=$R/log.1" "--log=$R/log.2" \
	    "practice-1=$R/practice-1.trace" \
	    "practice-2=$R/practice-2.trace" \
	    "municipality=$R/municipality.trace"
}

one()
{
	refer "$1" practice-1/van-putten \
	    ".referral_id += \"-$2\" | .consent.feedback_level = 3" |
	    jq -r .reference
}

seconds()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", b - a }'
}

region_begin
broker_make
conf_set "$R/broker/kortelijnd.conf" broker export_dir "$R/export"
broker_start
adapter_make practice-1 practice agb:01000001 "Praktijk De Linde"
adapter_make practice-2 practice agb:01000002 "Praktijk Het Veer"
adapter_make municipality municipality oin:00000001000000000001 \
    "Meldpunt Twentestad"
for name in practice-1 practice-2 municipality; do
	adapter_enrol "$name"
done
standby_make
for name in practice-1 practice-2 municipality; do
	knows_both "$name"
	adapter_start "$name"
done
adapter_ready practice-1 practice-2 municipality
on_standby participant contact agb:01000002 "+31 53 123 45 67" >/dev/null ||
    die "participant contact"

# Ended; taken up; opened; and of a practice that will be off.
CLOSED=$(one practice-1 closed)
TAKEN=$(one practice-1 taken)
OPENED=$(one practice-1 opened)
REGRETTED=$(one practice-1 regretted)
OTHER=$(one practice-2 other)
for ref in "$CLOSED" "$TAKEN" "$OPENED" "$REGRETTED"; do
	wait_state practice-1 "$ref" delivered
done
wait_state practice-2 "$OTHER" delivered
desk "$CLOSED" taken_up contact_made intake_started completed
desk "$TAKEN" taken_up
wait_state practice-1 "$CLOSED" completed
wait_state practice-1 "$TAKEN" taken_up
kortelijn export now >/dev/null || die "export now"
# Accepted and not fetched.
stop municipality
stop practice-2
WAITING=$(one practice-1 waiting)
UNSEEN=$(one practice-1 unseen)

ok first_is_killed first_is_killed
# In the outbox only.
person practice-1/van-putten '.referral_id += "-after" |
    .consent.feedback_level = 3' >"$R/practice-1/refer.json"
AFTER=$(adapter practice-1 refer "$R/practice-1/refer.json" --json |
    jq -r '.reference // .referral_id')
for ref in "$REGRETTED" "$UNSEEN"; do
	adapter practice-1 withdraw "$ref" >/dev/null || die "withdraw"
done
adapter_start municipality
ok starts_on_no_empty_store_by_itself starts_on_no_empty_store_by_itself
ok drill_finds_the_last_checkpoint_in_the_export \
    drill_finds_the_last_checkpoint_in_the_export
ok begins begins
STARTED=$EPOCHREALTIME
adapter_ready practice-1 municipality
READY=$EPOCHREALTIME
ok status_says_who_is_missing status_says_who_is_missing
ok withdrawals_come_first withdrawals_come_first
ok every_loop_closes every_loop_closes
ok watch_ends_when_all_have_reported_in watch_ends_when_all_have_reported_in
ok first_is_fenced_off_by_an_adapter_that_has_moved_on \
    first_is_fenced_off_by_an_adapter_that_has_moved_on
ok first_stays_off first_stays_off
for name in practice-1 practice-2 municipality; do
	stop "$name"
done
ok old_store_copied_to_the_standby_is_refused \
    old_store_copied_to_the_standby_is_refused
ok nothing_is_lost_or_seen_twice history_holds
say "after the kill: $(seconds "$KILLED" "$STARTED") s the drill," \
    "$(seconds "$KILLED" "$READY") s adapters served," \
    "$(seconds "$KILLED" "$SERVED") s what waited delivered"
exit "$FAILED"
