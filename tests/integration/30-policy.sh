#!/bin/bash
# The policy: shown, checked, loaded while all runs, and what happens without
# one.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

today()
{
	date -u -d "$1" +%F
}

# policy FILE LINE...: a policy of these lines.
policy()
{
	local file=$R/$1

	shift
	{ echo "[policy]"; printf '%s\n' "$@"; } >"$file"
}

# loose FILE [REVIEW [APPROVED]]: metadata for 120 days, approved by the FG.
loose()
{
	policy "$1" "metadata_after_end = 120d" \
	    "[override metadata_after_end]" \
	    "legal_basis = AVG 6(1)(e), besluit 2026-31" \
	    "approved_by = FG Twentestad" \
	    "approved_on = ${3:-$(today yesterday)}" \
	    "review_on = ${2:-$(today '30 days')}"
}

row()
{
	kortelijn policy show --json |
	    jq -r --arg k "$1" ".rows[] | select(.key == \$k) | $2"
}

leaves()
{
	broker_status .leaves
}

refused()
{
	local says=$1

	shift
	! "$@" >"$R/refused.txt" 2>&1 && grep -q -- "$says" "$R/refused.txt"
}

shows_every_row()
{
	kortelijn policy show >"$R/show.txt" &&
	    grep -q '^P05  consent_max_age_at_send = 30d (default 30d)' \
	        "$R/show.txt" &&
	    grep -q 'AVG 5(1)(a): own choice' "$R/show.txt" &&
	    grep -q '^P14  refuse_bsn: yes.*\[fixed\]' "$R/show.txt" &&
	    grep -q 'has loaded this file' "$R/show.txt" &&
	    [ "$(kortelijn policy show --json |
	        jq '[.rows[].id] | unique | length')" = 58 ] &&
	    [ "$(kortelijn policy show --json | jq .loaded)" = true ]
}

stricter_is_free()
{
	local before

	before=$(leaves)
	policy strict "consent_max_age_at_send = 14d"
	kortelijn policy check "$R/strict" >/dev/null &&
	    [ "$(kortelijn policy diff "$R/strict" --json |
	        jq -r '.changes[] | "\(.key) \(.from) \(.to) \(.effect)"')" = \
	        "consent_max_age_at_send 30d 14d stricter" ] &&
	    [ "$(leaves)" = "$before" ] &&
	    kortelijn policy load "$R/strict" >/dev/null &&
	    [ "$(row consent_max_age_at_send .value)" = 14d ] &&
	    [ "$(leaves)" = $((before + 1)) ] &&
	    [ "$(broker_status .policy.leaf)" = "$before" ] &&
	    cmp -s "$R/strict" "$R/broker/policy.conf" &&
	    [ "$(kortelijn policy show --json | jq -r .running.sha256)" = \
	        "$(sha256sum <"$R/strict" | cut -c1-64)" ]
}

looser_needs_all_four()
{
	local before what

	before=$(leaves)
	for what in legal_basis approved_by approved_on review_on; do
		loose half
		sed -i "/^$what/d" "$R/half"
		refused "lacks $what" kortelijn policy check "$R/half" &&
		    refused "lacks $what" kortelijn policy load "$R/half" ||
		    return 1
	done
	loose late "$(today yesterday)" "$(today '9 days ago')"
	refused "was to be reviewed" kortelijn policy load "$R/late" &&
	    [ "$(leaves)" = "$before" ] &&
	    [ "$(row metadata_after_end .value)" = 90d ]
}

wrong_is_refused_with_its_line()
{
	policy wrong "" "ttl_max = 30d" "ttl = 30d"
	refused "wrong:4: ttl: no such key" kortelijn policy check \
	    "$R/wrong" || return 1
	policy wrong "refuse_bsn = no"
	refused "wrong:2: refuse_bsn is fixed (P14" kortelijn policy load \
	    "$R/wrong" || return 1
	policy wrong "ttl_max = 90d"
	refused "wrong:2: ttl_max = 90d is not possible" kortelijn policy \
	    load "$R/wrong"
}

approved_is_visible()
{
	loose loose
	kortelijn policy load "$R/loose" >/dev/null &&
	    [ "$(row metadata_after_end '.value + " " + .status')" = \
	        "120d loosened" ] &&
	    kortelijn policy show | grep -q "approved by FG Twentestad" &&
	    [ "$(kortelijn policy show --json | jq -r '.running.looser[] |
	        "\(.key) \(.value) \(.approved_by) \(.state)"')" = \
	        "metadata_after_end 120d FG Twentestad loosened" ] &&
	    [ "$(broker_status '.policy.looser[]')" = \
	        "metadata_after_end = 120d (loosened), approved by FG \
Twentestad until $(today '30 days')" ] &&
	    grep -q 'policy_loosened key="metadata_after_end"' \
	        "$R/broker.log"
}

# What was approved until yesterday, at the next start.
overdue_is_the_default_again()
{
	loose broker/policy.conf "$(today yesterday)" "$(today '9 days ago')"
	stop broker
	broker_start
	[ "$(row metadata_after_end '.value + " " + .status')" = \
	    "90d overdue" ] &&
	    broker_status '.policy.looser[0]' | grep -q "review overdue" &&
	    grep -q 'policy_default_counts key="metadata_after_end"' \
	        "$R/broker.log"
}

# Also when it counts no more.
what_was_looser_is_told_with_its_leaf()
{
	kortelijn policy show | tr -s ' \n' ' ' | grep -q "loaded, the \
newest last:.* leaf [0-9]* [0-9a-f]* metadata_after_end = 120d, approved by FG" &&
	    kortelijn policy show --json | jq -e '.running.loads |
	        length >= 3 and .[0].looser == [] and
	        ([.[].leaf] == ([.[].leaf] | sort)) and
	        any(.[]; .looser | length == 1)' >/dev/null
}

same_file_is_no_load()
{
	local before

	before=$(broker_status .policy.leaf)
	stop broker
	broker_start
	[ "$(broker_status .policy.leaf)" = "$before" ]
}

# ---- at work ----

at_adapter()
{
	adapter "$1" policy show --json |
	    jq -r --arg k "$2" '.rows[] | select(.key == $k) | .value'
}

adapters_show_theirs()
{
	adapter practice-1 policy show >"$R/show.txt" &&
	    grep -q '^P54  draft_max_age = 7d (standaard 7d) \[standaard\]' \
	        "$R/show.txt" &&
	    grep -q 'heeft dit bestand geladen' "$R/show.txt" &&
	    cmp -s "$R/practice-1/keys/policy.conf" \
	        "$ROOT/deploy/conf/policy.conf"
}

# Whoever asks later what was kept sees under which rules.
every_report_tells_what_is_looser()
{
	local reference

	loose loose
	kortelijn policy load "$R/loose" >/dev/null || return 1
	reference=$(refer practice-1 practice-1/van-putten \
	    '.referral_id = "reported"' | jq -r .reference)
	wait_state municipality "$reference" delivered
	kortelijn subject export "$reference" >"$R/page" &&
	    grep -q "metadata_after_end = 120d, goedgekeurd door FG" \
	        "$R/page" &&
	    [ "$(kortelijn subject export "$reference" --json |
	        jq -r '.policy.looser[0].key')" = metadata_after_end ] &&
	    kortelijn erase verify "$reference" | tr -s ' \n' ' ' |
	    grep -q "metadata_after_end = 120d, approved by FG Twentestad on" &&
	    kortelijn policy load "$ROOT/deploy/conf/policy.conf" >/dev/null
}

# The adapter's own policy counts with the very next file.
load_needs_no_restart()
{
	policy mine "consent_max_age_at_send = 3d"
	adapter practice-1 policy load "$R/mine" >/dev/null &&
	    [ "$(at_adapter practice-1 consent_max_age_at_send)" = 3d ] &&
	    [ "$(DAYS=-5 refer practice-1 practice-1/el-amrani |
	        jq -r .code)" = consent_date ] &&
	    adapter practice-1 policy load "$ROOT/deploy/conf/policy.conf" \
	        >/dev/null
}

looser_is_refused_at_adapters()
{
	policy loose "draft_max_age = 30d"
	refused "lacks an \[override\]" adapter practice-1 policy load \
	    "$R/loose" || return 1
	refused "lacks an \[override\]" adapter municipality policy load \
	    "$R/loose" && [ "$(at_adapter municipality draft_max_age)" = 7d ]
}

answer_has()
{
	jq -e "$1" >/dev/null <<<"$ANSWER"
}

# The practice lets it go, the broker does not.
stricter_value_counts_at_every_hop()
{
	policy strict "consent_max_age_at_send = 3d"
	kortelijn policy load "$R/strict" >/dev/null || return 1
	ANSWER=$(DAYS=-5 refer practice-1 practice-1/el-amrani)
	answer_has '.refused == "consent_date" or .code == "consent_date"' &&
	    kortelijn policy load "$ROOT/deploy/conf/policy.conf" >/dev/null
}

# Two wait for a desk that is away: a new broker holds no FETCH of it.
broker_drains()
{
	stop municipality
	stop broker
	broker_start
	GONE=$(refer practice-1 practice-1/el-amrani '.referral_id = "gone"' |
	    jq -r .reference)
	SPOKEN=$(refer practice-1 practice-1/van-putten | jq -r .reference)
	[ -n "$SPOKEN" ] && rm "$R/broker/policy.conf" || return 1
	stop broker
	broker_start
	adapter_start municipality
	adapter_ready practice-1 municipality
	[ "$(broker_status .policy.draining)" = true ] &&
	    broker_status .policy.next_step | grep -q "policy load" &&
	    refused "not found; without a policy" kortelijn policy show &&
	    grep -q 'policy_unreadable' "$R/broker.log" &&
	    grep -q 'draining so=' "$R/broker.log"
}

# withdrawn REFERENCE JQ: the broker's counts.
withdrawn()
{
	adapter practice-1 withdraw "$1" "--wait=$PATIENCE" --json \
	    >"$R/withdrawn.json" &&
	    jq -e "$2" "$R/withdrawn.json" >/dev/null && return
	cat "$R/withdrawn.json"
	return 1
}

draining()
{
	[ "$(broker_status '.refusals.draining // 0')" -gt 0 ]
}

nothing_in_and_nothing_out()
{
	person practice-1/ten-cate-no-address \
	    '.referral_id = "drained"' >"$R/drained.json"
	adapter practice-1 refer "$R/drained.json" >/dev/null || return 1
	wait_for "$PATIENCE" "the broker to say that it drains" draining
	adapter municipality list --json | jq -e --arg gone "$GONE" \
	    --arg spoken "$SPOKEN" '[.referrals[].reference] |
	        index($gone) == null and index($spoken) == null and
	        length == 1' >/dev/null
}

a_load_ends_it()
{
	kortelijn policy load "$ROOT/deploy/conf/policy.conf" >/dev/null &&
	    [ "$(broker_status .policy.draining)" = false ] || return 1
	wait_state practice-1 "$SPOKEN" delivered
	wait_state practice-1 drained delivered
}

adapter_without_policy()
{
	rm "$R/practice-1/keys/policy.conf"
	stop practice-1
	adapter_start practice-1
	adapter_ready practice-1
	[ "$(refer practice-1 practice-1/el-amrani | jq -r .code)" = \
	    no_policy ] &&
	    [ "$(adapter practice-1 status --json |
	        jq -r .policy.draining)" = true ] &&
	    adapter practice-1 status --json |
	        jq -e '[.newest_alarms[].alarm] | index("no_policy")' \
	        >/dev/null && grep -q 'no_policy so=' "$R/practice-1.log"
}

withdrawal_goes_on_at_the_broker()
{
	withdrawn "$GONE" '.withdrawal.erased == 1'
}

withdrawal_goes_on_at_an_adapter()
{
	withdrawn "$SPOKEN" '.withdrawal.released_before > 0'
}

# What the other side sends still comes in, with its receipt.
feedback_comes_in()
{
	desk "$SPOKEN" taken_up
	wait_state practice-1 "$SPOKEN" taken_up
}

adapter_sends_again()
{
	adapter practice-1 policy load "$ROOT/deploy/conf/policy.conf" \
	    >/dev/null &&
	    refer practice-1 practice-1/el-amrani '.referral_id = "again"' \
	        >/dev/null
}

region_begin
broker_make
broker_start
ok shows_every_row_with_its_source shows_every_row
ok stricter_is_free_and_a_leaf stricter_is_free
ok looser_needs_all_four_of_its_approval looser_needs_all_four
ok a_wrong_file_is_refused_with_its_line wrong_is_refused_with_its_line
ok what_is_approved_is_visible_with_who_and_until approved_is_visible
ok an_overdue_review_is_the_default_again overdue_is_the_default_again
ok what_was_looser_is_told_with_its_leaf what_was_looser_is_told_with_its_leaf
ok the_same_file_is_no_load same_file_is_no_load

kortelijn policy load "$ROOT/deploy/conf/policy.conf" >/dev/null ||
    die "policy load"
adapter_make practice-1 practice agb:01000001 "Praktijk De Linde"
adapter_make municipality municipality oin:00000001000000000001 \
    "Meldpunt Twentestad"
adapter_enrol practice-1
adapter_enrol municipality
adapter_start practice-1
adapter_start municipality
adapter_ready practice-1 municipality
ok adapters_show_their_own_in_dutch adapters_show_theirs
ok every_report_tells_what_is_looser every_report_tells_what_is_looser
ok a_load_counts_without_a_restart load_needs_no_restart
ok looser_is_refused_at_adapters_too looser_is_refused_at_adapters
ok the_stricter_value_counts_at_every_hop stricter_value_counts_at_every_hop
ok without_a_policy_the_broker_drains broker_drains
ok nothing_goes_in_and_nothing_out_of_a_broker_that_drains \
    nothing_in_and_nothing_out
ok a_withdrawal_goes_on_at_a_broker_that_drains \
    withdrawal_goes_on_at_the_broker
ok a_load_ends_drain_mode a_load_ends_it
ok without_a_policy_an_adapter_sends_nothing adapter_without_policy
ok what_comes_in_comes_in_without_a_policy feedback_comes_in
ok a_withdrawal_goes_on_without_a_policy withdrawal_goes_on_at_an_adapter
ok an_adapter_sends_again_after_a_load adapter_sends_again
exit "$FAILED"
