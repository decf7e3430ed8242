#!/bin/bash
# The broker's store is put back from a copy of before, its mark with it, so
# that it looks whole. A witness refuses to sign, an adapter raises an alarm,
# and each holds the two checkpoints that one key has signed; the broker stops
# as soon as anybody shows it the later one, and stays down on that store.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

K=$B/kortelijn
S=

# A checkpoint covers all that is logged so far, and the adapter has it.
kept_by_adapter()
{
	local size

	log_covered
	size=$(kortelijn audit checkpoint --json | jq .size)
	stop practice-1
	adapter_start practice-1
	adapter_ready practice-1
	wait_for "$PATIENCE" "the adapter to keep a checkpoint" \
	    adapter_has "$size"
}

adapter_has()
{
	[ "$(adapter practice-1 status --json | jq .log_size)" -ge "$1" ]
}

# Without a network: the file is carried to the auditor and back.
witness()
{
	"$K" audit witness "$1" "--as=$R/auditor" \
	    "--passphrase-file=$R/words" "--out=$R/cosigned"
}

witness_signs_the_later_checkpoint()
{
	log_covered
	kortelijn audit prove --from-size=0 >"$R/to-auditor" &&
	    works witness "$R/to-auditor" &&
	    WITNESSED=$(sed -n 2p "$R/cosigned")
}

stop_all()
{
	stop practice-1
	stop municipality
	stop broker
}

# put NAME: that copy is the store from here on.
put()
{
	rm -rf "$S" && cp -a "$R/$1" "$S"
}

starts_on_the_copy_since_nobody_shows_more()
{
	put copy && broker_start &&
	    [ "$(broker_status .leaves)" -lt "$WITNESSED" ]
}

# ---- evidence ------------------------------------------------------------

# The public key as OpenSSL reads it: 12 bytes before the 32 of the vkey.
pem_make()
{
	{
		printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'
		cut -d + -f 3- <<<"$VKEY" | openssl base64 -d -A |
		    tail -c 32
	} | openssl pkey -pubin -inform DER -out "$R/log.pem"
}

# openssl_verifies FILE: one signed note.
openssl_verifies()
{
	sed '/^$/,$d' "$1" >"$1.text"
	grep -a -m 1 "^— " "$1" | awk '{ print $3 }' |
	    openssl base64 -d -A | tail -c 64 >"$1.sig"
	openssl pkeyutl -verify -pubin -inkey "$R/log.pem" -rawin \
	    -in "$1.text" -sigfile "$1.sig" >/dev/null 2>&1
}

# evidence_holds FILE: two different checkpoints of one log, the earlier one
# with more leaves, both signed by one key, says kortelijn and says OpenSSL.
evidence_holds()
{
	local a=$1.a b=$1.b

	awk -v a="$a" -v b="$b" '/^$/ && ++n == 2 { next }
	    { print >(n < 2 ? a : b) }' "$1"
	[ "$(sed -n 1p "$a")" = "$(sed -n 1p "$b")" ] &&
	    [ "$(sed -n 2p "$a")" -gt "$(sed -n 2p "$b")" ] &&
	    openssl_verifies "$a" && openssl_verifies "$b" &&
	    works "$K" audit verify "$1" "--vkey=$VKEY" --json &&
	    jq -e '.ok and (.files | length) == 2' <<<"$OUT" >/dev/null
}

witness_refuses_with_both_notes()
{
	log_covered
	kortelijn audit prove --from-size=0 >"$R/put-back" || return 1
	! OUT=$(witness "$R/put-back" 2>&1) && grep -q "NOT SIGNED" \
	    <<<"$OUT" &&
	    EVIDENCE=$(sed -n 's/.*Both signed checkpoints are in //p' \
		<<<"$OUT") && cp "$EVIDENCE" "$R/witness.evidence" &&
	    evidence_holds "$R/witness.evidence"
}

# alarm_of KIND: its number.
alarm_of()
{
	adapter practice-1 alarms --all --json | jq -e --arg kind "$1" \
	    '[.alarms[] | select(.alarm == $kind)][0].number'
}

adapter_alarms_with_both_notes()
{
	local n

	wait_for "$PATIENCE" "the alarm" alarm_of log_fork
	n=$(alarm_of log_fork)
	adapter practice-1 alarms "--evidence=$n" \
	    "--out=$R/adapter.evidence" && evidence_holds \
	    "$R/adapter.evidence"
}

alarm_outlives_the_process()
{
	stop practice-1
	adapter_start practice-1
	wait_for "$PATIENCE" "the adapter" adapter practice-1 status
	adapter practice-1 alarms "--evidence=$(alarm_of log_fork)" |
	    cmp - "$R/adapter.evidence"
}

# ---- the broker ----------------------------------------------------------

not_running()
{
	! running broker
}

# It is to be caught by the others all the same.
goes_on()
{
	local i=0

	while running broker && [ $i -lt 100 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	running broker
}

# It grows another history past the checkpoint that was witnessed.
witness_refuses_the_other_history()
{
	while [ "$(broker_status .leaves)" -le "$WITNESSED" ]; do
		kortelijn audit query >/dev/null 2>&1
	done
	log_covered
	kortelijn audit prove "--from-size=$WITNESSED" >"$R/forked" &&
	    ! OUT=$(witness "$R/forked" 2>&1) &&
	    grep -q "Both signed checkpoints are in" <<<"$OUT"
}

caught_by_the_others()
{
	adapter_alarms_with_both_notes && witness_refuses_the_other_history &&
	    say "put-back: caught by the adapter and by the witness," \
		"each with both notes"
	die "the broker goes on with a store that was put back"
}

broker_stops_and_says_why()
{
	stop broker
	[ "$STATUS" -eq 3 ] &&
	    grep -q 'store_behind_checkpoint.*log.seen' "$R/broker.log" &&
	    ! grep -q 'fenced_off\|turn_undone' "$R/broker.log"
}

broker_keeps_both_notes()
{
	{
		cat "$S/log.seen"
		echo
		cat "$S/log.mark"
	} >"$R/broker.evidence"
	evidence_holds "$R/broker.evidence"
}

stays_down_on_that_store()
{
	start broker "$B/kortelijnd" --config="$KORTELIJN_CONFIG"
	wait_for "$PATIENCE" "the broker to give up" not_running
	stop broker
	[ "$STATUS" -eq 3 ]
}

status_says_why_it_is_down()
{
	local status

	status=$(kortelijn status 2>&1)
	[ $? -eq 3 ] && [[ $status == *"stays down on this store"*log.seen* ]]
}

goes_on_with_the_newest_store()
{
	put newest && broker_start && adapter_ready practice-1 &&
	    adapter_start municipality && adapter_ready municipality &&
	    wait_state practice-1 "$AFTER" delivered
}

region_begin
region_small
S=$R/broker-state
ok auditor_is_enrolled auditor_enrol auditor kvk:90000007 \
    --reads=agb:01000001
VKEY=$(kortelijn audit checkpoint --vkey) || die "the log's key"
pem_make || die "the log's key for OpenSSL"
BEFORE=$(refer practice-1 practice-1/el-amrani | jq -r .reference)
wait_state practice-1 "$BEFORE" delivered
stop broker
cp -a "$S" "$R/copy" || die "copy"
broker_start
adapter_ready practice-1 municipality

AFTER=$(refer practice-1 practice-1/van-putten | jq -r .reference)
wait_state practice-1 "$AFTER" delivered
ok witness_signs_the_later_checkpoint witness_signs_the_later_checkpoint
kept_by_adapter
stop_all
cp -a "$S" "$R/newest" || die "newest"

ok starts_on_the_copy_since_nobody_shows_more \
    starts_on_the_copy_since_nobody_shows_more
ok witness_refuses_with_both_notes witness_refuses_with_both_notes
adapter_start practice-1
goes_on && caught_by_the_others
ok broker_stops_and_says_why broker_stops_and_says_why
ok broker_keeps_both_notes broker_keeps_both_notes
ok adapter_alarms_with_both_notes adapter_alarms_with_both_notes
ok alarm_outlives_the_process alarm_outlives_the_process
ok stays_down_on_that_store stays_down_on_that_store
ok status_says_why_it_is_down status_says_why_it_is_down
ok goes_on_with_the_newest_store goes_on_with_the_newest_store
exit "$FAILED"
