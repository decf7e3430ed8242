#!/bin/bash
# limit: 600
# What runs does not believe every clock: it jumps by an hour, by 400 days, a
# day back, it stands still; the nights at which summer time begins and ends,
# Easter and King's Day. Broker and adapters run under faketime, whose file
# says how far the wall clock is off: it is read anew at each look, also inside
# the sandboxes, so clocks jump under a running process. The clock since boot
# stays true. What nobody can wait for here (the hour after which a clock that
# stands still is held) is in test_hold.
# shellcheck source=tests/integration/lib.sh
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"

NAMES=(broker practice-1 municipality)
FAKETIME=
OFF=0				# seconds that the clocks of now are off

faketime_find()
{
	local f

	for f in /usr/lib/*/faketime/libfaketime.so.1 \
	    /usr/lib*/faketime/libfaketime.so.1; do
		[ -e "$f" ] && FAKETIME=$f && return
	done
	skip "no libfaketime (package faketime)"
}

# Each process reads a file inside its own sandbox.
clock_file()
{
	case $1 in
	broker)	echo "$R/broker-state/clock" ;;
	*)	echo "$R/$1/data/clock" ;;
	esac
}

# clock WHAT: a clock of faketime(1) for all of them. Whole or not at all:
# it is read at any moment.
clock()
{
	local name f

	for name in "${NAMES[@]}"; do
		f=$(clock_file "$name")
		echo "$1" >"$f.new" && mv "$f.new" "$f"
	done
}

# clock_by SECONDS: all of them are off by so much.
clock_by()
{
	OFF=$1
	clock "$(printf '%+d' "$1")"
}

# fake NAME: what stands before its program. A sanitizer wants to be the first
# library otherwise.
fake()
{
	FAKE=(env "LD_PRELOAD=$FAKETIME" FAKETIME_NO_CACHE=1
	    "FAKETIME_TIMESTAMP_FILE=$(clock_file "$1")" NO_FAKE_STAT=1
	    FAKETIME_DONT_FAKE_MONOTONIC=1
	    "ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0")
}

run_all()
{
	local name

	fake broker
	start broker "${FAKE[@]}" "$B/kortelijnd" --config="$KORTELIJN_CONFIG"
	wait_for "$PATIENCE" "the broker" kortelijn status
	wait_for "$PATIENCE" "the broker's port" port_answers
	for name in practice-1 municipality; do
		[ "$name" != "${ABSENT:-}" ] || continue
		fake "$name"
		adapter_start "$name" "${FAKE[@]}"
		adapter_ready "$name"
	done
}

stop_all()
{
	local name

	for name in practice-1 municipality broker; do
		stop "$name"
	done
}

# at TIME: they were off, and are started at that time (UTC).
at()
{
	stop_all
	clock_by $(($(date -u -d "$1" +%s) - $(date +%s)))
	run_all
}

# shared memory of a process that was killed.
faketime_clear()
{
	local f

	for f in /dev/shm/faketime_shm_* /dev/shm/sem.faketime_sem_*; do
		[ -e "$f" ] && [ ! -e "/proc/${f##*_}" ] && rm -f "$f"
	done
	return 0
}

# ---- what they say -----------------------------------------------------------

hold()
{
	kortelijn hold --json | jq -r ".$1"
}

held_is()
{
	[ "$(broker_status .clock_held)" = "$1" ]
}

adapter_hold_is()
{
	[ "$(adapter "$1" status --json | jq -r .hold)" = "$2" ]
}

# sees WHOLE_SECONDS: the broker's clock is that far off, give or take two
# minutes, and it has had a turn since.
sees()
{
	local off

	off=$(($(hold now_ms) / 1000 - $(date +%s) - $1))
	[ "$off" -lt 120 ] && [ "$off" -gt -120 ]
}

DAYS=0
send()
{
	DAYS=$((OFF / 86400))
	refer practice-1 practice-1/van-putten ".referral_id = \"$1\" |
	    .consent.valid_until =
	    \"$(date -u -d "$((DAYS + 150)) days" +%F)\"" | jq -r .reference
}

# A loop as far as it goes in a moment.
loop_goes_on()
{
	local ref

	ref=$(send "$1") && wait_state practice-1 "$ref" delivered &&
	    desk "$ref" taken_up && wait_state practice-1 "$ref" taken_up
}

slot_of()
{
	kortelijn erase verify "$1" --json | jq -r '.messages[0].slot'
}

waits()
{
	[ "$(slot_of "$1")" = "in use" ]
}

all_release()
{
	local name

	kortelijn hold release >/dev/null || return 1
	for name in practice-1 municipality; do
		[ "$name" = "${ABSENT:-}" ] ||
		    adapter "$name" hold release >/dev/null || return 1
	done
}

# ---- jumps under what runs ---------------------------------------------------

hour_is_held()
{
	loop_goes_on hour || return 1
	clock_by $((OFF + 3720))
	wait_for "$PATIENCE" "the hold" held_is true
	wait_for "$PATIENCE" "the practice's" adapter_hold_is practice-1 jump
	wait_for "$PATIENCE" "the desk's" adapter_hold_is municipality jump
	[ "$(hold why)" = jump ] &&
	    grep -q 'clock_not_trusted.*why="jump"' "$R/broker.log" &&
	    kortelijn hold | grep -q "jumped by more than an hour" &&
	    kortelijn status | grep -q '^clock held: *yes'
}

# Held is only what erases by time.
loop_goes_on_while_held()
{
	loop_goes_on held && held_is true
}

operator_releases_it()
{
	all_release && held_is false && adapter_hold_is practice-1 none &&
	    grep -q clock_trusted "$R/broker.log"
}

# Two leaves: held, and trusted again.
hold_is_in_the_log()
{
	local n

	stop_all
	n=$("$B/tests/support/logdump" "$KORTELIJN_CONFIG" |
	    grep -c '"event":"hold"')
	run_all
	[ "$n" -ge 2 ]
}

less_than_an_hour_is_believed()
{
	clock_by $((OFF + 3300))
	wait_for "$PATIENCE" "the broker to see it" sees "$OFF"
	loop_goes_on less && held_is false && adapter_hold_is practice-1 none
}

# The desk is off, and a referral waits for it, for two weeks.
years_are_held()
{
	ABSENT=municipality
	stop municipality
	LATE=$(send late) || return 1
	wait_for "$PATIENCE" "it to be accepted" waits "$LATE"
	BEFORE=$OFF
	clock_by $((OFF + 400 * 86400))
	wait_for "$PATIENCE" "the hold" held_is true
	wait_for "$PATIENCE" "the broker to see it" sees "$OFF"
	kortelijn audit checkpoint >/dev/null
	waits "$LATE" && [ "$(hold why)" = jump ]
}

# Also over a start, at which no clock has jumped.
stays_held_over_a_start()
{
	stop_all
	run_all
	held_is true && waits "$LATE"
}

# Set right, and confirmed: what was not due waits still.
right_again_is_released()
{
	clock_by "$BEFORE"
	wait_for "$PATIENCE" "the broker to see it" sees "$OFF"
	held_is true || return 1
	all_release && held_is false && waits "$LATE"
}

day_back_is_held()
{
	clock_by $((OFF - 86400))
	wait_for "$PATIENCE" "the hold" held_is true
	wait_for "$PATIENCE" "the practice's" adapter_hold_is practice-1 jump
	stop_all
	run_all
	held_is true && waits "$LATE" || return 1
	clock_by "$BEFORE"
	wait_for "$PATIENCE" "the broker to see it" sees "$OFF"
	all_release && held_is false
}

# The clock was right before it was off: nothing jumped under a process, and
# what is there was made later than now.
started_a_day_back_is_behind()
{
	stop_all
	clock_by $((OFF - 86400))
	run_all
	held_is true && [ "$(hold why)" = behind ] && waits "$LATE" || return 1
	stop_all
	clock_by "$BEFORE"
	run_all
	held_is false
}

# Nothing is told twice, nothing ends, and loops close.
stopped_clock_does_no_harm()
{
	local first leaves

	ABSENT=
	fake municipality
	adapter_start municipality "${FAKE[@]}"
	adapter_ready municipality
	wait_state practice-1 "$LATE" delivered
	# Without a sign: a clock that stands.
	clock "$(date -u -d "$((OFF + 60)) seconds" '+%F %T')"
	wait_for "$PATIENCE" "the clock to stand" stands
	first=$(hold now_ms)
	loop_goes_on still || return 1
	leaves=$(broker_status .leaves)
	[ "$(hold now_ms)" = "$first" ] && held_is false &&
	    [ "$(broker_status .leaves)" = "$leaves" ] || return 1
	clock_by "$OFF"
	wait_for "$PATIENCE" "the clock to go" eval '! stands'
	loop_goes_on again && held_is false
}

stands()
{
	local a

	a=$(hold now_ms)
	sleep 0.2
	[ "$a" = "$(hold now_ms)" ]
}

# Fifteen days later, and no time server says so either.
small_store_is_swept()
{
	local last

	ABSENT=municipality
	stop_all
	# A broker that does not wait for the answer of a desk that has gone.
	run_all
	last=$(send last) || return 1
	wait_for "$PATIENCE" "it to be accepted" waits "$last"
	stop_all
	clock_by $((OFF + 15 * 86400))
	run_all
	ABSENT=
	wait_state practice-1 "$last" expired
	held_is false && ! waits "$last"
}

# ---- the night of a change of clocks -----------------------------------------

rewrapped()
{
	date -u -d "@$(($(broker_status .rewrapped_ms) / 1000))" '+%F %H:%M'
}

# rewrapped_at BEGIN: the last one was at a time that begins so.
rewrapped_at()
{
	rewrapped | grep -q "^$1"
}

# step_to TIME: at most an hour on, under what runs.
step_to()
{
	clock_by $(($(date -u -d "$1" +%s) - $(date +%s)))
	wait_for "$PATIENCE" "the broker to see it" sees "$OFF"
	# A turn, and what is due at it.
	kortelijn audit checkpoint >/dev/null
}

# The clocks leap over 02:30: what is due at it is due at 03:30, 01:30 UTC.
night_without_half_past_two()
{
	local before

	stop_all
	conf_set "$KORTELIJN_CONFIG" broker rewrap_at 02:30
	at '2027-03-28 00:40'
	wait_for "$PATIENCE" "the night before" rewrapped_at '2027-03-28 00:4'
	before=$(rewrapped)
	step_to '2027-03-28 01:20'
	[ "$(rewrapped)" = "$before" ] || return 1
	step_to '2027-03-28 01:40'
	wait_for "$PATIENCE" "the rewrap" rewrapped_at '2027-03-28 01:4'
	held_is false
}

# 02:30 comes twice, at 00:30 and at 01:30 UTC: it is done at the first.
night_with_it_twice()
{
	local done_at

	at '2027-10-31 00:20'
	wait_for "$PATIENCE" "the night before" rewrapped_at '2027-10-31 00:2'
	step_to '2027-10-31 00:40'
	wait_for "$PATIENCE" "the rewrap" rewrapped_at '2027-10-31 00:4'
	done_at=$(rewrapped)
	step_to '2027-10-31 01:25'
	step_to '2027-10-31 01:40'
	loop_goes_on october || return 1
	[ "$(rewrapped)" = "$done_at" ] && held_is false
}

# ---- working days ------------------------------------------------------------

# alarms NAME ALARM: how many were raised for REF.
alarms()
{
	adapter "$1" alarms --all --json | jq "[.alarms[] |
	    select(.alarm == \"$2\" and .reference == \"$REF\")] | length"
}

alarms_are()
{
	[ "$(alarms "$1" "$2")" -eq "$3" ]
}

# Delivered at TIME; who asks the desk for it would have collected it.
delivered_at()
{
	at "$1"
	REF=$(send "wd-${1%% *}") || die "refer at $1"
	wait_state practice-1 "$REF" delivered
}

# It is not collected one working day later, which is TIME: not before it, and
# then at once.
working_day_ends()
{
	at "$1 5 minutes ago"
	alarms_are municipality not_collected 0 || return 1
	at "$1 5 minutes"
	wait_for "$PATIENCE" "the alarm of the desk" \
	    alarms_are municipality not_collected 1
}

faketime_find
region_begin
region_small
for NAME in practice-1 municipality broker; do
	stop "$NAME"
done
# A day back, the cards of today must count already.
clock_by $((3 * 86400))
run_all
adapter municipality profile "$ROOT/tests/data/municipality/profile.json" \
    >/dev/null || die "profile"

ok jump_of_an_hour_is_held hour_is_held
ok loops_close_while_it_is_held loop_goes_on_while_held
ok operator_releases_it operator_releases_it
ok hold_and_release_are_in_the_log hold_is_in_the_log
ok less_than_an_hour_is_believed less_than_an_hour_is_believed
ok jump_of_400_days_ends_nothing years_are_held
ok it_stays_held_over_a_start stays_held_over_a_start
ok clock_that_is_right_again_is_released right_again_is_released
ok jump_of_a_day_back_is_held day_back_is_held
ok start_a_day_back_is_held_as_behind started_a_day_back_is_behind
ok stopped_clock_does_no_harm stopped_clock_does_no_harm
ok small_store_is_swept_and_not_held small_store_is_swept
# Thursday to Tuesday: Good Friday, Easter, whose night changes the clocks.
delivered_at '2027-03-25 14:00'
ok night_without_half_past_two night_without_half_past_two
ok working_day_leaps_over_easter_and_summer_time \
    working_day_ends '2027-03-30 13:00'
# Monday to Wednesday: King's Day.
delivered_at '2027-04-26 13:00'
ok working_day_leaps_over_kings_day working_day_ends '2027-04-28 13:00'
# Friday to Monday.
delivered_at '2027-10-29 13:00'
ok night_with_half_past_two_twice night_with_it_twice
ok working_day_ends_in_winter_time working_day_ends '2027-11-01 14:00'
stop_all
faketime_clear
exit "$FAILED"
