#!/bin/bash
# A receiver that was off for five weeks gets what has not expired; of the
# rest its sender is told. A practice gets all feedback of that time.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

# weeks N: everything that runs stands N weeks from now. Referrals are dated
# then.
weeks()
{
	local name

	for name in "${!PID[@]}"; do
		RUNS[$name]=1
		stop "$name"
	done
	DAYS=$((7 * $1))
	conf_set "$KORTELIJN_CONFIG" broker clock_offset "${DAYS}d"
	for name in practice-1 municipality; do
		conf_set "$R/$name/$name.conf" adapter clock_offset \
		    "${DAYS}d"
	done
	broker_start
	for name in "${!RUNS[@]}"; do
		[ "$name" = broker ] && continue
		adapter_start "$name"
		adapter_ready "$name"
	done
}
declare -A RUNS=()

off()
{
	stop "$1"
	unset "RUNS[$1]"
}

on()
{
	adapter_start "$1"
	adapter_ready "$1"
}

# Referrals live 14 days: of the weeks 1 to 5 those of the last two are left.
desk_was_off()
{
	local week

	for week in 1 2 3 4 5; do
		weeks "$week"
		SENT[week]=$(refer practice-1 practice-1/van-putten \
		    ".referral_id = \"week-$week\"" | jq -r .reference)
	done
	on municipality
}
declare -a SENT=()

delivered_rest()
{
	wait_state practice-1 "${SENT[4]}" delivered
	wait_state practice-1 "${SENT[5]}" delivered
}

told_of_expired()
{
	wait_state practice-1 "${SENT[1]}" expired
	wait_state practice-1 "${SENT[2]}" expired
	wait_state practice-1 "${SENT[3]}" expired
}

# Feedback lives 42 days.
practice_was_off()
{
	local code week=5

	off practice-1
	for code in taken_up contact_made intake_started plan_ready completed
	do
		week=$((week + 1))
		weeks "$week"
		desk "${SENT[5]}" "$code"
	done
	on practice-1
}

all_feedback()
{
	local codes

	wait_state practice-1 "${SENT[5]}" completed
	codes=$(adapter practice-1 show "${SENT[5]}" --json |
	    jq '[.history[] | select(.kind == "feedback" and
	    .what == "received")] | length')
	[ "$codes" -eq 5 ]
}

region_begin
region_small
RUNS[practice-1]=1
off municipality
ok refers_for_five_weeks desk_was_off
ok receiver_gets_what_has_not_expired delivered_rest
ok sender_is_told_of_the_rest told_of_expired
RUNS[municipality]=1
ok reports_for_five_weeks practice_was_off
ok practice_gets_all_feedback all_feedback
exit "$FAILED"
