#!/bin/bash
# What a log tells of a period: a report for auditors, and one for the region
# that tells of no person; with no reference of a case in any of it.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

K=$B/kortelijn
EACH=11			# referrals of each practice: enough to be shown
TWENTE=oin:00000001000000000001
ZALK=oin:00000001000000000002
declare -a NAMES=(practice-1 practice-2 municipality zalk partner)

# days N: everything stands N days from now.
days()
{
	local name

	for name in "${NAMES[@]}" broker; do
		stop "$name"
	done
	DAYS=$1
	conf_set "$KORTELIJN_CONFIG" broker clock_offset "${1}d"
	for name in "${NAMES[@]}"; do
		conf_set "$R/$name/$name.conf" adapter clock_offset "${1}d"
	done
	broker_start
	for name in "${NAMES[@]}"; do
		adapter_start "$name"
	done
	adapter_ready "${NAMES[@]}"
}

# number FILE FILTER VALUE
number()
{
	local found

	found=$(jq -r "$2" "$1")
	[ "$found" = "$3" ] && return
	say "$2 of $1: $found, not $3"
	return 1
}

# refer_some NAME FILE RECEIVER: EACH of them; prints their references.
refer_some()
{
	local i

	for ((i = 1; i <= EACH; i++)); do
		refer "$1" "$2" ".referral_id = \"$1-$i\" |
		    .receiver = \"$3\"" >"$R/told.json" ||
		    { cat "$R/told.json" >&2; return 1; }
		jq -re .reference "$R/told.json" || return 1
	done
}

# ---- a quarter with some of everything -------------------------------------

# One municipality takes up all that it got and ends one; the other takes up
# one, and has to erase another.
quarter_is_made()
{
	local first last reference

	refer_some practice-1 practice-1/van-putten "$TWENTE" \
	    >"$R/refs.practice-1" &&
	    refer_some practice-2 practice-2/kowalczyk "$ZALK" \
	    >"$R/refs.practice-2" || return 1
	first=$(head -1 "$R/refs.practice-1")
	last=$(tail -1 "$R/refs.practice-2")
	wait_state practice-2 "$last" delivered
	for reference in $(<"$R/refs.practice-1"); do
		wait_state municipality "$reference" delivered
		desk "$reference" taken_up
	done
	desk "$first" contact_made help_started completed
	reference=$(head -1 "$R/refs.practice-2")
	wait_state zalk "$reference" delivered
	adapter zalk feedback "$reference" taken_up >/dev/null || return 1
	wait_state practice-2 "$reference" taken_up
	for reference in $(tail -n +2 "$R/refs.practice-1"); do
		wait_state practice-1 "$reference" taken_up
	done
	wait_state practice-1 "$first" completed
	adapter practice-2 withdraw "$last" "--wait=$PATIENCE" --json \
	    >/dev/null || return 1
	wait_state zalk "$last" consent_withdrawn
	adapter zalk erased "$last" --case-system=kept >/dev/null || return 1
	wait_for "$PATIENCE" "the erase receipt" receipt_is_there
}

receipt_is_there()
{
	kortelijn audit query --event=erase_receipt --json |
	    grep -q erase_receipt
}

# ---- for auditors ------------------------------------------------------------

audit_counts_what_happened()
{
	local f=$R/audit-report.json

	kortelijn report audit --json >"$f" || return 1
	number "$f" .all.referrals $((2 * EACH)) &&
	    number "$f" .all.minutes.collected.done $((2 * EACH)) &&
	    number "$f" .all.minutes.taken_up.done $((EACH + 1)) &&
	    number "$f" .all.minutes.ended.done 1 &&
	    number "$f" .withdrawals.all 1 &&
	    number "$f" .withdrawals.receipt_due.kept 1 &&
	    number "$f" '.policies | length' 1 &&
	    number "$f" '.policies[0].held' true &&
	    number "$f" '.looser | length' 0 &&
	    number "$f" .partial false &&
	    number "$f" ".organisations | map(select(.id == \"$TWENTE\")) |
	    .[0].name" "Meldpunt Twentestad"
}

audit_is_a_page()
{
	local f=$R/audit-report.html

	kortelijn report audit "--html=$f" >/dev/null || return 1
	[ "$(stat -c %a "$f")" = 600 ] &&
	    grep -q '<html lang="nl">' "$f" &&
	    grep -q 'Toezichtrapport' "$f" &&
	    grep -q 'Meldpunt Twentestad' "$f" &&
	    grep -q '<svg ' "$f" || return 1
	kortelijn report audit --language=en "--html=$f.en" >/dev/null &&
	    grep -q '<html lang="en">' "$f.en" &&
	    ! grep -qw 'verwijzingen' "$f.en"
}

# What fetches or runs, and what would leave the page.
page_stands_alone()
{
	local f

	for f in "$R"/*report*.html*; do
		! grep -qiE '<script|<link|<img|<iframe|src=|@import|url\(http' \
		    "$f" && ! grep -qiE 'https?:|javascript:| on[a-z]+=' "$f" ||
		    return 1
	done
}

looser_policy_is_told()
{
	local f=$R/looser-report.json

	cp "$R/broker/policy.conf" "$R/looser.conf"
	sed -i 's/^\[policy\]/&\nmetadata_after_end = 120d/' "$R/looser.conf"
	sed -i '/^metadata_after_end = 90d/d' "$R/looser.conf"
	cat >>"$R/looser.conf" <<-END

	[override metadata_after_end]
	legal_basis = AVG 6(1)(e), besluit 2026-31
	approved_by = <b>FG</b>
	approved_on = $(date -u -d -2days +%F)
	review_on = $(date -u -d +300days +%F)
	END
	kortelijn policy load "$R/looser.conf" >/dev/null || return 1
	kortelijn report audit --json >"$f" || return 1
	number "$f" '.policies | length' 2 &&
	    number "$f" '.looser | length' 1 &&
	    number "$f" '.looser[0].key' metadata_after_end &&
	    number "$f" '.looser[0].counted' true &&
	    number "$f" '.looser[0].to' null || return 1
	kortelijn report audit "--html=$R/looser-report.html" >/dev/null
	grep -q 'besluit 2026-31' "$R/looser-report.html" &&
	    grep -q '&lt;b&gt;FG&lt;/b&gt;' "$R/looser-report.html" &&
	    ! grep -q '<b>FG' "$R/looser-report.html"
}

period_is_that_of_the_records()
{
	local f=$R/period-report.json

	kortelijn report audit --from=2019-01-01 --to=2019-12-31 --json >"$f" &&
	    number "$f" .records 0 && number "$f" .all.referrals 0 &&
	    kortelijn report audit --from=2019-01-01 --to=2019-12-31 \
	    "--html=$R/empty-report.html" >/dev/null &&
	    grep -q 'geen bericht aangenomen' "$R/empty-report.html"
}

# ---- for the region ----------------------------------------------------------

# Of today.
quarter()
{
	date -u '+%Y %-m' | while read -r year month; do
		echo "$year-Q$(((month + 2) / 3))"
	done
}

running_quarter_is_not_told()
{
	local f=$R/running-report.json

	kortelijn report region --json >"$f" &&
	    number "$f" '.quarters | length' 0 &&
	    kortelijn report region "--html=$R/running-report.html" \
	    >/dev/null && grep -q 'geen kwartaal' "$R/running-report.html"
}

region_counts_and_hides()
{
	local f=$R/region-report.json

	kortelijn report region "--from=$QUARTER" "--to=$QUARTER" --json \
	    >"$f" || return 1
	number "$f" '.quarters | length' 1 &&
	    number "$f" '.quarters[0].quarter' "$QUARTER" &&
	    number "$f" .hidden_below 10 &&
	    number "$f" '.quarters[0].region.referred' $((2 * EACH)) &&
	    number "$f" '.quarters[0].practices | map(.referred) | add' \
	    $((2 * EACH)) &&
	    number "$f" '.quarters[0].municipalities | map(.name) | join(", ")' \
	    "Meldpunt Twentestad, Gemeente Zalk" &&
	    number "$f" '.quarters[0].municipalities | map(.collected) |
	    join(" ")' "$EACH $EACH" &&
	    number "$f" '.quarters[0].municipalities[1].taken_up' null &&
	    number "$f" '.quarters[0].region.withdrawn' null &&
	    number "$f" '.quarters[0].region.returned' null &&
	    number "$f" '[.. | numbers | select(. < 10)] | length' 0
}

# What one municipality took up is enough to be shown; but with the total the
# other's would follow from it, and so would it in the list of practices.
hidden_count_cannot_be_subtracted()
{
	local f=$R/region-report.json

	number "$f" '.quarters[0] |
	    [.municipalities + [.region], .practices + [.region]] |
	    map(map(select(.taken_up == null)) | length >= 2) | all' true
}

# A partner has no row: what it gets was counted at the municipality.
partner_is_not_told()
{
	number "$R/region-report.json" \
	    '[.. | .id? | select(. == "kvk:90000001")] | length' 0
}

rule_stands_under_each_table()
{
	local f=$R/region-report.html tables

	kortelijn report region "--html=$f" >/dev/null || return 1
	tables=$(grep -c '<abbr title="verborgen">x' "$f")
	[ "$tables" -gt 0 ] && [ "$(stat -c %a "$f")" = 644 ] || return 1
	[ "$(grep -c 'x = verborgen: onder 10' "$f")" -ge 4 ] &&
	    grep -q 'zijn niet van elkaar af te trekken' "$f"
}

spreadsheet_has_the_same()
{
	local f=$R/region-report.csv

	kortelijn report region --csv >"$f" || return 1
	[ "$(head -c 3 "$f" | od -An -tx1 | tr -d ' ')" = efbbbf ] &&
	    grep -q 'Meldpunt Twentestad' "$f" &&
	    grep -q 'Gemeente Zalk' "$f" &&
	    grep -q '"x"' "$f" && grep -q 'x = verborgen' "$f" &&
	    ! grep -qE '"[0-9]"' "$f"
}

stricter_policy_hides_more()
{
	local f=$R/stricter-report.json

	sed 's/^\[policy\]/&\nsmall_numbers_below = 30/' \
	    "$R/broker/policy.conf" >"$R/stricter.conf"
	sed -i '/^small_numbers_below = 10/d' "$R/stricter.conf"
	kortelijn policy load "$R/stricter.conf" >/dev/null || return 1
	kortelijn report region --json >"$f" || return 1
	number "$f" .hidden_below 30 &&
	    number "$f" '.quarters[0].region.referred' null
}

# From an export, with the public cards only, it is the same. What the broker
# says of itself is not in one.
export_gives_the_same_reports()
{
	local d=$R/exported

	kortelijn audit export "$d" >/dev/null 2>&1 || return 1
	kortelijn report region --json >"$R/link-report.json" &&
	    "$K" report region --json "--dir=$d" \
	    "--card=$R/broker/broker.card" "--authority=$R/authority" \
	    >"$R/dir-report.json" || return 1
	cmp "$R/link-report.json" "$R/dir-report.json" || return 1
	"$K" report audit --json "--dir=$d" "--vkey=$(cat "$d/log.vkey")" \
	    >"$R/dir-audit-report.json" || return 1
	number "$R/dir-audit-report.json" .all.referrals $((2 * EACH)) &&
	    number "$R/dir-audit-report.json" '.policies | map(.held) | all' \
	    true && number "$R/dir-audit-report.json" '.log.erasure' null &&
	    "$K" report audit "--html=$R/dir-report.html" "--dir=$d" \
	    "--vkey=$(cat "$d/log.vkey")" >/dev/null &&
	    grep -q 'is daar niet in te zien' "$R/dir-report.html"
}

# Another key has not signed it, and a leaf that was changed is not read.
wrong_export_is_refused()
{
	local d=$R/exported first

	"$K" broker init "$R/other" --id=oin:00000001000000000009 \
	    --name=Ander "--authority=$R/authority" >/dev/null 2>&1
	fails 1 'signed by its broker' "$K" report audit --json "--dir=$d" \
	    "--card=$R/other/broker.card" "--authority=$R/authority" ||
	    return 1
	first=$(find "$d/records" -type f | head -1)
	printf '\xff' | dd of="$first" bs=1 seek=40 conv=notrunc status=none
	fails 4 '' "$K" report region --json "--dir=$d" \
	    "--card=$R/broker/broker.card" "--authority=$R/authority"
}

# An auditor whose card names one practice reads a part, and is told so.
auditor_reads_a_part()
{
	local d=$R/auditor f=$R/part-report.json

	auditor_enrol auditor kvk:90000007 --reads=agb:01000001 || return 1
	"$K" report audit "--as=$d" "--passphrase-file=$R/words" --json \
	    >"$f" || return 1
	number "$f" .all.referrals "$EACH" && number "$f" .partial true &&
	    "$K" report region "--as=$d" "--passphrase-file=$R/words" \
	    "--html=$R/part-report.html" >/dev/null &&
	    grep -q 'deel het niet' "$R/part-report.html"
}

# No report holds what leads to one case: the reference that people say, what
# the log calls it, or its message.
no_report_leads_to_a_case()
{
	kortelijn audit query --json |
	    jq -r '.conv_ref // empty, .msg_ref // empty' | grep . |
	    sort -u >"$R/case-names"
	cat "$R"/refs.* >>"$R/case-names"
	tr -d - <"$R/refs.practice-1" >>"$R/case-names"
	[ "$(wc -l <"$R/case-names")" -gt $((4 * EACH)) ] || return 1
	! grep -iFf "$R/case-names" "$R"/*report*.json "$R"/*report*.html* \
	    "$R"/*report*.csv
}

# ---- what is typed wrong -----------------------------------------------------

wrong_options_are_refused()
{
	fails 2 'either --html=FILE or --json' kortelijn report audit &&
	    fails 2 'either --html=FILE or --json' kortelijn report audit \
	    --html=x --json &&
	    fails 2 'one of --html=FILE, --csv and --json' \
	    kortelijn report region &&
	    fails 2 'is a quarter, such as 2026-Q3' kortelijn report region \
	    --json --from=2026-08 &&
	    fails 2 '--language is nl or en' kortelijn report audit --json \
	    --language=fr &&
	    fails 4 'not found' kortelijn report audit --json \
	    "--dir=$R/nowhere" &&
	    fails 4 '' kortelijn report audit "--html=$R/no/where.html"
}

region_begin
region_usual
adapter_make zalk municipality "$ZALK" "Gemeente Zalk"
for name in "${NAMES[@]}"; do
	adapter_enrol "$name"
done
for name in "${NAMES[@]}"; do
	adapter_start "$name"
done
adapter_ready "${NAMES[@]}"
QUARTER=$(quarter)

ok quarter_with_some_of_everything quarter_is_made
ok audit_counts_what_happened audit_counts_what_happened
ok audit_is_a_page_in_dutch_and_english audit_is_a_page
ok looser_policy_is_told_and_escaped looser_policy_is_told
ok period_is_that_of_the_records period_is_that_of_the_records
ok running_quarter_is_not_told running_quarter_is_not_told
days 95
ok region_counts_and_hides region_counts_and_hides
ok hidden_count_cannot_be_subtracted hidden_count_cannot_be_subtracted
ok partner_is_not_told partner_is_not_told
ok rule_stands_under_each_table rule_stands_under_each_table
ok spreadsheet_has_the_same spreadsheet_has_the_same
ok stricter_policy_hides_more stricter_policy_hides_more
ok export_gives_the_same_reports export_gives_the_same_reports
ok wrong_export_is_refused wrong_export_is_refused
ok auditor_reads_a_part_and_is_told_so auditor_reads_a_part
ok page_stands_alone page_stands_alone
ok no_report_leads_to_a_case no_report_leads_to_a_case
ok wrong_options_are_refused wrong_options_are_refused
exit "$FAILED"
