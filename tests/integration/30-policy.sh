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
	    [ "$(broker_status .policy.sha256)" = \
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
	    [ "$(broker_status '.policy.looser[] |
	        "\(.key) \(.value) \(.approved_by) \(.state)"')" = \
	        "metadata_after_end 120d FG Twentestad loosened" ] &&
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
	    [ "$(broker_status '.policy.looser[0].state')" = overdue ] &&
	    grep -q 'policy_default_counts key="metadata_after_end"' \
	        "$R/broker.log"
}

same_file_is_no_load()
{
	local before

	before=$(broker_status .policy.leaf)
	stop broker
	broker_start
	[ "$(broker_status .policy.leaf)" = "$before" ]
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
ok the_same_file_is_no_load same_file_is_no_load
exit "$FAILED"
