#!/bin/bash
# What a practice and a municipality get out of the delivery log by themselves:
# their own messages and no others, proofs that verify when broker and adapters
# are gone, and who asked for it in the access log, all by the reference that
# stands on every page.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

audit()
{
	local name=$1

	shift
	adapter "$name" audit "$@" 2>>"$R/audit.err"
}

# records NAME OPTION...: one JSON object a line.
records()
{
	local name=$1

	shift
	audit "$name" query --json "$@"
}

# events NAME OPTION...: their names, each once, in the order of the alphabet.
events()
{
	records "$@" | jq -r .event | sort -u | tr '\n' ' '
}

# has_all "EVENT..." NAME OPTION...
has_all()
{
	local want=$1 got e

	shift
	got=" $(events "$@")"
	for e in $want; do
		[[ $got == *" $e "* ]] ||
		    { say "no $e in $got"; return 1; }
	done
}

# Of every record with an organisation this one is a party.
only_its_own()
{
	local n

	records "$1" >"$R/$1.records" || return 1
	n=$(jq --arg id "$2" 'select(.org_from != "" or .org_to != "") |
	    select(.org_from != $id and .org_to != $id)' "$R/$1.records" |
	    wc -l)
	[ "$n" -eq 0 ] && [ "$(wc -l <"$R/$1.records")" -gt 5 ]
}

# A case of somebody else is not told from one that is none.
stranger_learns_nothing()
{
	local other none

	other=$(adapter practice-2 audit query "--reference=$1" --json 2>&1)
	[ $? -eq 1 ] || return 1
	none=$(adapter practice-2 audit query --reference=ABCD-EFGH-Z --json \
	    2>&1)
	if [ "$other" != "$none" ] || [[ $other != *referral_unknown* ]]; then
		say "$other, $none"
		return 1
	fi
}

both_parties_have_the_case()
{
	has_all "accepted delivered released" practice-1 \
	    "--reference=$TAKEN" &&
	    has_all "accepted delivered released" municipality \
	    "--reference=$TAKEN"
}

# By the name that the log keeps, which subject log tells.
name_of_the_log_finds_it_too()
{
	local ref

	ref=$(adapter practice-1 subject log "$TAKEN" --json |
	    jq -r '.referrals[0].conv_ref') &&
	    has_all "accepted delivered released" practice-1 \
	    "--reference=$ref"
}

# prove_event NAME REFERENCE EVENT N: N proofs of it.
prove_event()
{
	audit "$1" prove "$2" "--event=$3" "--out=$R/proofs/$1-$3" >/dev/null &&
	    [ "$(find "$R/proofs/$1-$3" -type f | wc -l)" -eq "$4" ]
}

proofs_of_what_was_delivered()
{
	prove_event practice-1 "$TAKEN" accepted 2 &&
	    prove_event practice-1 "$TAKEN" delivered 2 &&
	    prove_event municipality "$TAKEN" released 2
}

proofs_of_what_was_withdrawn()
{
	prove_event practice-1 "$WITHDRAWN" withdrawn 1 &&
	    prove_event practice-1 "$WITHDRAWN" erased 1 &&
	    prove_event practice-1 "$WITHDRAWN" consent_withdrawn 1
}

# Its own records and nobody else's, beside the hashes of all.
takes_its_own_records_along()
{
	audit practice-1 export "$R/mine" --json >"$R/said" &&
	    jq -e '.records > 5 and .absent > 0 and
		.leaves == .records + .absent' "$R/said" >/dev/null &&
	    grep -q 'agb:01000001' "$R/mine/records.csv" &&
	    ! grep -q 'agb:01000002' "$R/mine/records.csv"
}

log_continues()
{
	audit practice-1 prove "--from=$R/early.note" "--out=$R/proofs/later" \
	    >/dev/null
}

# line_of NAME WHO ACT STAFF
line_of()
{
	adapter "$1" subject log "$2" --json | jq -e --arg act "$3" \
	    --arg staff "$4" '[.referrals[].lines[] |
	    select(.act == $act and .staff == $staff)] | any' >/dev/null
}

who_asked_is_written_down()
{
	records practice-1 "--reference=$TAKEN" --staff=fg-1 --role=fg \
	    >/dev/null && line_of practice-1 "$TAKEN" asked_log fg-1 &&
	    ! line_of municipality "$TAKEN" asked_log fg-1
}

role_of_a_record_is_a_filter_of_its_own()
{
	[ "$(records municipality "--reference=$TAKEN" --role=desk \
	    --actor-role=practice | jq -r .actor_role | sort -u)" = practice ]
}

# tells NAME REFERENCE LANGUAGE TEXT...: each TEXT, however the lines break.
tells()
{
	local name=$1 ref=$2 page text

	page=$(audit "$name" story "$ref" "--language=$3" | tr -s ' \n' ' ')
	shift 3
	for text; do
		[[ $page == *"$text"* ]] ||
		    { say "no '$text' in: $page"; return 1; }
	done
}

story_in_dutch_tells_what_happened_and_who_looked()
{
	adapter municipality show "$TAKEN" --staff=desk-7 --role=desk \
	    >/dev/null &&
	    tells municipality "$TAKEN" nl "verstuurde een verwijzing" \
	    "Praktijk De Linde" "is opgepakt" \
	    "In het toegangslogboek van Meldpunt Twentestad" \
	    "desk-7, medewerker meldpunt: bekeek de verwijzing"
}

story_in_english_tells_it_too()
{
	tells practice-1 "$WITHDRAWN" en "The story of $WITHDRAWN" \
	    "In the access log of Praktijk De Linde" "withdrew the consent"
}

# Whose clerk it was is that organisation's to know.
other_side_is_not_told_who()
{
	! tells practice-1 "$TAKEN" nl desk-7 >/dev/null
}

looking_at_the_story_is_a_line_of_it()
{
	adapter practice-1 audit story "$TAKEN" --staff=fg-2 --role=fg --json |
	    jq -e '.access.lines[-1] |
	    .act == "looked" and .staff == "fg-2"' >/dev/null
}

# Not one page or print that names no case.
every_page_has_the_reference()
{
	local page n=0

	for page in "$R"/*/folder/out/*.txt; do
		n=$((n + 1))
		grep -qE '[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]' "$page" ||
		    { say "none on $(basename "$page")"; return 1; }
	done
	[ "$n" -ge 4 ] || return 1
	for page in show "subject export" "subject log"; do
		# shellcheck disable=SC2086 # words of a command
		adapter practice-1 $page "$TAKEN" | grep -qF "$TAKEN" ||
		    { say "none in $page"; return 1; }
	done
	adapter practice-1 withdraw "$WITHDRAWN" "--print=$R/page.html" >/dev/null &&
	    grep -qF "$WITHDRAWN" "$R/page.html" &&
	    adapter municipality list | grep -qF "$TAKEN"
}

# Deliveries do not wait for questions, nor questions for each other.
goes_on_while_many_ask()
{
	local i asks=() ref

	for i in 1 2 3 4 5 6; do
		records municipality >"$R/many.$i" &
		asks+=($!)
	done
	ref=$(refer practice-2 practice-2/olcer-contact-person \
	    '.referral_id += "-meanwhile"' | jq -r .reference)
	for i in "${asks[@]}"; do
		wait "$i" || return 1
	done
	wait_state practice-2 "$ref" delivered
}

# With nothing but the key in a text; neither broker nor adapter runs.
proofs_verify_offline()
{
	local f n=0

	while read -r f; do
		n=$((n + 1))
		"$B/kortelijn-practice" audit verify "$f" \
		    "--vkey=$(cat "$R/vkey")" >"$R/verdict" ||
		    { cat "$R/verdict"; return 1; }
	done < <(find "$R/proofs" -type f -not -path '*later*')
	[ "$n" -eq 9 ]
}

records_taken_along_verify_offline()
{
	"$B/kortelijn-practice" audit verify "$R/mine" \
	    "--vkey=$(cat "$R/vkey")" >"$R/verdict" ||
	    { cat "$R/verdict"; return 1; }
}

continuity_verifies_offline()
{
	"$B/kortelijn-practice" audit verify "$R/early.note" \
	    "$R"/proofs/later/* "--vkey=$(cat "$R/vkey")" >/dev/null
}

# A proof of another's record, and one that was changed.
changed_proof_is_none()
{
	local f=$R/proofs/practice-1-erased

	f=$(find "$f" -type f)
	sed 's/^index .*/index 0/' "$f" >"$R/changed"
	! "$B/kortelijn-practice" audit verify "$R/changed" \
	    "--vkey=$(cat "$R/vkey")" >/dev/null
}

without_a_session_it_says_so()
{
	adapter practice-1 audit query --json 2>&1 | grep -q no_session
}

region_begin
region_usual
mkdir "$R/proofs"
for name in practice-1 practice-2 municipality; do
	adapter_enrol "$name"
done
for name in municipality practice-1 practice-2; do
	adapter_start "$name"
	adapter_ready "$name"
done

TAKEN=$(refer practice-1 practice-1/el-amrani \
    '.consent.feedback_level = 3' | jq -r .reference)
OTHER=$(refer practice-2 practice-2/kowalczyk | jq -r .reference)
wait_state practice-1 "$TAKEN" delivered
wait_state practice-2 "$OTHER" delivered
audit practice-1 checkpoint >"$R/early.note" || die "checkpoint"
audit practice-1 checkpoint --vkey >"$R/vkey" || die "vkey"
desk "$TAKEN" taken_up
wait_state practice-1 "$TAKEN" taken_up
# No FETCH of it is open any more: what comes waits.
stop municipality
stop broker
broker_start
adapter_ready practice-1
WITHDRAWN=$(refer practice-1 practice-1/van-putten | jq -r .reference)
adapter practice-1 withdraw "$WITHDRAWN" "--wait=$PATIENCE" >/dev/null ||
    die "withdraw"
adapter_start municipality
adapter_ready municipality

ok practice_reads_only_its_own only_its_own practice-1 agb:01000001
ok other_practice_reads_only_its_own only_its_own practice-2 agb:01000002
ok desk_reads_only_its_own only_its_own municipality \
    oin:00000001000000000001
ok both_parties_have_the_case both_parties_have_the_case
ok name_of_the_log_finds_it_too name_of_the_log_finds_it_too
ok stranger_learns_nothing stranger_learns_nothing "$TAKEN"
ok who_asked_is_written_down who_asked_is_written_down
ok role_of_a_record_is_a_filter_of_its_own \
    role_of_a_record_is_a_filter_of_its_own
ok story_in_dutch_tells_what_happened_and_who_looked \
    story_in_dutch_tells_what_happened_and_who_looked
ok story_in_english_tells_it_too story_in_english_tells_it_too
ok other_side_is_not_told_who other_side_is_not_told_who
ok looking_at_the_story_is_a_line_of_it looking_at_the_story_is_a_line_of_it
ok every_page_has_the_reference every_page_has_the_reference
ok goes_on_while_many_ask goes_on_while_many_ask
ok proofs_of_what_was_delivered proofs_of_what_was_delivered
ok proofs_of_what_was_withdrawn proofs_of_what_was_withdrawn
ok takes_its_own_records_along takes_its_own_records_along
ok log_continues log_continues

stop broker
wait_for "$PATIENCE" "the session to end" without_a_session_it_says_so
ok without_a_session_it_says_so without_a_session_it_says_so
for name in practice-1 practice-2 municipality; do
	stop "$name"
done
ok proofs_verify_offline proofs_verify_offline
ok records_taken_along_verify_offline records_taken_along_verify_offline
ok continuity_verifies_offline continuity_verifies_offline
ok changed_proof_is_none changed_proof_is_none
exit "$FAILED"
