#!/bin/bash
# The broker's store is gone while loops are open: once before the receiver's
# receipt and once after it. Every loop closes, nothing is seen twice, and the
# new log names the old one.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

# The log of the broker that stands still, for the history checker.
dump_log()
{
	"$B/tests/support/logdump" "$KORTELIJN_CONFIG" >"$R/log.$1" ||
	    die "logdump"
}

# lose_store N FILE...: what it was goes into a dump, then the files go.
lose_store()
{
	kortelijn audit checkpoint >"$R/checkpoint.$1" || die "checkpoint"
	stop broker
	dump_log "$1"
	shift
	rm -rf "$@"
}

does_not_start()
{
	start broker "$B/kortelijnd" --config="$KORTELIJN_CONFIG"
	wait_for "$PATIENCE" "the broker to give up" not_running broker
	stop broker
	[ "$STATUS" -eq 3 ] && grep -q store_lost "$R/broker.log"
}

not_running()
{
	! running "$1"
}

new_store()
{
	kortelijn origin new --reason="test" --yes "$@" >/dev/null || return 1
	broker_start
	adapter_ready practice-1 municipality
}

all_are()
{
	local ref

	for ref in "${REFS[@]}"; do
		state_is "$1" "$ref" "$2" || return 1
	done
}

close_loops()
{
	local ref

	wait_for "$PATIENCE" "receipts" all_are practice-1 delivered
	for ref in "${REFS[@]}"; do
		desk "$ref" taken_up contact_made intake_started completed
	done
	wait_for "$PATIENCE" "the ends" all_are practice-1 "$1"
}

refer_all()
{
	local who

	REFS=()
	for who in van-putten el-amrani; do
		REFS+=("$(refer practice-1 "practice-1/$who" \
		    ".referral_id += \"-$1\" | .consent.feedback_level = 3" |
		    jq -r .reference)")
	done
}

# names_checkpoint N FILE: leaf 0 of log N holds the hash of that note.
names_checkpoint()
{
	local want

	read -r want _ < <(b2sum -l 256 "$2")
	[ "$(jq -r 'select(.event == "origin").body' "$R/log.$1")" = "$want" ]
}

history_holds()
{
	"$B/tests/support/history" --drained "--broker=$R/broker.trace" \
	    "--log=$R/log.1" "--log=$R/log.2" "--log=$R/log.3" \
	    "practice-1=$R/practice-1.trace" \
	    "municipality=$R/municipality.trace"
}

region_begin
region_small

# Before the receipt: the desk is off.
stop municipality
refer_all first
S=$R/broker-state
lose_store 1 "$S/data.mdb" "$S/data.mdb-lock" "$S/slots" "$S/master"
cp "$S/log.mark" "$R/mark.1" || die "log.mark"
ok starts_on_no_empty_store_by_itself does_not_start
adapter_start municipality
ok begins_anew_on_command new_store
ok loops_close_after_loss_before_receipt close_loops completed

# After the receipt.
refer_all second
wait_for "$PATIENCE" "receipts" all_are practice-1 delivered
lose_store 2 "$S"
ok begins_anew_again new_store "--checkpoint=$R/checkpoint.2"
ok loops_close_after_loss_after_receipt close_loops completed

stop practice-1
stop municipality
stop broker
dump_log 3
ok second_log_names_the_mark_of_the_first names_checkpoint 2 "$R/mark.1"
ok third_log_names_the_checkpoint_that_was_kept names_checkpoint 3 \
    "$R/checkpoint.2"
ok nothing_is_lost_or_seen_twice history_holds
exit "$FAILED"
