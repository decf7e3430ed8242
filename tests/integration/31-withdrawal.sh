#!/bin/bash
# A consent is withdrawn, in all ways in which it can be: what waits goes, who
# has it erases and says so, and who withdrew sees all of it.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

# field NAME REFERENCE FILTER: of what that adapter shows.
field()
{
	adapter "$1" show "$2" --json | jq -r "$3"
}

field_is()
{
	[ "$(field "$1" "$2" "$3")" = "$4" ]
}

# wait_field NAME REFERENCE FILTER VALUE
wait_field()
{
	wait_for "$PATIENCE" "$1 to show $3 of $2 as $4" field_is "$@"
}

# sent FILTER...: a referral that the desk has; its reference.
sent()
{
	local reference

	reference=$(refer practice-1 practice-1/van-putten "$1" |
	    jq -r .reference)
	wait_state municipality "$reference" delivered
	wait_state practice-1 "$reference" delivered
	echo "$reference"
}

withdraw()
{
	adapter "$1" withdraw "$2" "--wait=$PATIENCE" --json "${@:3}"
}

# ---- by the resident, at the practice: all of it ----

done_only_after_the_broker()
{
	[ "$(jq -r .withdrawal.state <<<"$1")" = withdrawn ] &&
	    [ "$(jq .withdrawal.released_before <<<"$1")" = 1 ] &&
	    [ "$(jq -r .state <<<"$1")" = consent_withdrawn ]
}

desk_has_nothing_left()
{
	wait_state municipality "$1" consent_withdrawn
	field_is municipality "$1" '.text // "none"' none &&
	    ! grep -rq "van Putten" "$R"/municipality/data
}

desk_is_asked()
{
	field_is municipality "$1" '.withdrawal.erase_request.adapter_copy' \
	    erased && field_is municipality "$1" '.answer_erase_by != null' \
	    true && adapter municipality status --json |
	    jq -e '.newest_alarms[] | select(.alarm == "erase_asked")' \
	    >/dev/null
}

# What the practice sees only when the desk has spoken.
receipt_comes_back()
{
	adapter municipality erased "$1" --case-system=kept >/dev/null &&
	    wait_field practice-1 "$1" \
	    '.withdrawal.erase_receipts[0].case_system' kept &&
	    field_is practice-1 "$1" \
	    '.withdrawal.erase_receipts[0].adapter_copy' erased
}

# Nobody took the pages of the referral: they go too, and what tells of the
# withdrawal stays.
pages_with_content_go()
{
	wait_for "$PATIENCE" "the pages to go" no_page_of_resident &&
	    grep -lq '"event": "erase_asked"' \
	    "$R/municipality/folder/out/"*"-$1.json"
}

no_page_of_resident()
{
	! grep -rq "van Putten" "$R/municipality/folder"
}

said_once()
{
	! adapter municipality erased "$1" --case-system=erased \
	    >"$R/again.txt" 2>&1 && grep -qi "wissen" "$R/again.txt"
}

nothing_follows()
{
	! adapter municipality feedback "$1" taken_up >"$R/no.txt" 2>&1 &&
	    grep -q ingetrokken "$R/no.txt"
}

page_for_the_resident()
{
	adapter practice-1 withdraw "$1" "--print=$R/page.txt" >/dev/null &&
	    grep -q "U heeft uw toestemming ingetrokken" "$R/page.txt" &&
	    grep -q "$1" "$R/page.txt" && ! grep -q Putten "$R/page.txt" &&
	    adapter practice-1 withdraw "$1" "--print=$R/page.html" \
	    >/dev/null && grep -q "<html" "$R/page.html" &&
	    [ "$(field practice-1 "$1" '[.history[] |
	    select(.what == "withdrawing")] | length')" = 1 ]
}

folder_tells()
{
	wait_for "$PATIENCE" "a page about erasing" grep -lq \
	    '"event": "erase_asked"' "$R"/municipality/folder/out/*.json &&
	    grep -q '"event": "withdrawn"' \
	    "$R"/practice-1/folder/out/*.json
}

resident_withdraws_all()
{
	local reference answer

	reference=$(sent '.referral_id = "w-all"')
	answer=$(withdraw practice-1 "$reference") || die "withdraw"
	ok done_only_after_the_answer done_only_after_the_broker "$answer"
	ok desk_has_nothing_left desk_has_nothing_left "$reference"
	ok desk_is_asked_about_its_case_system desk_is_asked "$reference"
	ok pages_that_nobody_took_go pages_with_content_go "$reference"
	ok receipt_comes_back_when_the_desk_has_spoken receipt_comes_back \
	    "$reference"
	ok desk_says_it_once said_once "$reference"
	ok nothing_is_told_back_any_more nothing_follows "$reference"
	ok page_for_the_resident_can_be_printed_again page_for_the_resident \
	    "$reference"
	ok folders_tell_both_sides folder_tells
}

# ---- feedback only ----

feedback_is_over_and_the_help_goes_on()
{
	wait_field municipality "$1" .feedback_ended true
	field_is municipality "$1" .open true &&
	    field_is municipality "$1" '.text != null' true &&
	    field_is practice-1 "$1" .state taken_up &&
	    adapter practice-1 show "$1" |
	    grep -q "^Terugkoppeling: *de toestemming is voorbij" &&
	    adapter municipality feedback "$1" contact_made --json |
	    jq -e '.sends == false' >/dev/null
}

# The desk keeps the referral: the page may not say that it was erased there,
# or that the law asks to keep it.
page_of_feedback()
{
	adapter "$1" withdraw "$2" --print=- >"$R/feedback.txt" &&
	    grep -q "vertelt uw huisarts niet meer" "$R/feedback.txt" &&
	    tr '\n' ' ' <"$R/feedback.txt" |
	    grep -q "De verwijzing zelf blijft daar" &&
	    ! grep -q "moet van de\|niets meer van u\|Klaar is\|^Ingetrokken" \
	    "$R/feedback.txt"
}

resident_withdraws_feedback()
{
	local reference

	reference=$(sent '.referral_id = "w-feedback"')
	desk "$reference" taken_up
	wait_state practice-1 "$reference" taken_up
	withdraw practice-1 "$reference" --scope=feedback >/dev/null ||
	    die "withdraw feedback"
	ok feedback_ends_and_the_help_goes_on \
	    feedback_is_over_and_the_help_goes_on "$reference"
	ok desk_is_not_asked_about_its_case_system wait_field practice-1 \
	    "$reference" '.withdrawal.erase_receipts | length' 1
	ok page_says_that_the_referral_stays page_of_feedback practice-1 \
	    "$reference"
}

# ---- wrong patient ----

desk_must_not_contact()
{
	wait_state municipality "$1" sent_in_error
	adapter municipality list | grep "$1" |
	    grep -q "Neem geen contact op" &&
	    adapter municipality alarms | grep -A1 "$1" |
	    grep -q "NEEM GEEN CONTACT OP" &&
	    adapter municipality show "$1" | grep -q "NEEM GEEN CONTACT OP" &&
	    wait_for "$PATIENCE" "a page that says so" grep -lq \
	    "NEEM GEEN CONTACT OP" "$R"/municipality/folder/out/*.txt
}

keeping_is_refused()
{
	! adapter municipality erased "$1" --case-system=kept \
	    >"$R/keep.txt" 2>&1 && grep -q "ten onrechte" "$R/keep.txt"
}

# case_system_answers REFERENCE WORD: a file, as a program hands it in.
case_system_answers()
{
	jq -n --arg reference "$1" --arg word "$2" '{ schema: 1,
	    reference: $reference, case_system: $word }' \
	    >"$R/municipality/folder/in/answer.tmp" &&
	    mv "$R/municipality/folder/in/answer.tmp" \
	    "$R/municipality/folder/in/answer.json"
}

note_for_the_practice()
{
	case_system_answers "$1" erased &&
	    wait_field practice-1 "$1" \
	    '.withdrawal.erase_receipts[0].case_system' erased &&
	    adapter practice-1 withdraw "$1" "--print=$R/note.txt" \
	    >/dev/null &&
	    grep -q "Verkeerde persoon" "$R/note.txt" &&
	    grep -q "geopend door Meldpunt Twentestad" "$R/note.txt" &&
	    grep -q "gewist op" "$R/note.txt" && grep -q "$1" "$R/note.txt" &&
	    ! grep -q Putten "$R/note.txt"
}

wrong_patient()
{
	local reference

	reference=$(sent '.referral_id = "w-error"')
	withdraw practice-1 "$reference" --cause=sent-in-error >/dev/null ||
	    die "withdraw in error"
	ok desk_must_not_contact desk_must_not_contact "$reference"
	ok nothing_may_be_kept keeping_is_refused "$reference"
	ok note_says_opened_and_erased note_for_the_practice "$reference"
}

# ---- at the municipality ----

practice_hears_the_fact()
{
	wait_state practice-1 "$1" consent_withdrawn
	wait_field municipality "$1" \
	    '.withdrawal.erase_receipts[0].adapter_copy' erased
}

cause_is_the_practices()
{
	! adapter municipality withdraw "$1" --cause=sent-in-error \
	    >/dev/null 2>&1
}

# Who withdrew before is not asked for it again, so no page may promise an
# answer.
page_of_the_second()
{
	withdraw practice-1 "$1" >/dev/null &&
	    adapter practice-1 withdraw "$1" --print=- |
	    tr '\n' ' ' >"$R/second.txt" &&
	    grep -q "Bij Meldpunt Twentestad was dit al ingetrokken" \
	    "$R/second.txt" && ! grep -q "hebben Meldpunt" "$R/second.txt"
}

page_that_cannot_be_written()
{
	! adapter practice-1 withdraw "$1" "--print=$R/none/page.txt" \
	    >"$R/no.txt" 2>&1 && grep -q "ligt vast" "$R/no.txt"
}

at_the_municipality()
{
	local reference

	reference=$(sent '.referral_id = "w-desk"')
	ok in_error_is_for_the_practice cause_is_the_practices "$reference"
	withdraw municipality "$reference" >/dev/null || die "withdraw there"
	ok practice_hears_the_fact_and_erases practice_hears_the_fact \
	    "$reference"
	ok second_to_withdraw_is_promised_no_answer page_of_the_second \
	    "$reference"
	ok page_that_fails_says_that_the_withdrawal_holds \
	    page_that_cannot_be_written "$reference"
}

# ---- before the broker has seen it ----

withdrawn_unseen()
{
	local own=w-unseen

	stop broker
	person practice-1/van-putten ".referral_id = \"$own\"" \
	    >"$R/unseen.json"
	adapter practice-1 refer "$R/unseen.json" >/dev/null || return 1
	adapter practice-1 withdraw "$own" "--out=$R/withdrawal" >/dev/null ||
	    return 1
	field_is practice-1 "$own" .withdrawal.state withdrawing || return 1
	broker_start
	adapter_ready practice-1 municipality
	wait_field practice-1 "$own" .withdrawal.state withdrawn
	field_is practice-1 "$own" .waiting 0 &&
	    field_is practice-1 "$own" '.reference // "none"' none &&
	    field_is practice-1 "$own" .withdrawal.erased 0 &&
	    adapter practice-1 withdraw "$own" --print=- |
	    grep -q "nog niet verzonden"
}

# A withdrawal outlives the practice that made it.
killed_before_it_leaves()
{
	local reference

	reference=$(sent '.referral_id = "w-kill"')
	stop broker
	adapter practice-1 withdraw "$reference" >/dev/null || return 1
	stop practice-1 KILL
	adapter_start practice-1
	broker_start
	adapter_ready practice-1 municipality
	wait_field practice-1 "$reference" .withdrawal.state withdrawn
	wait_state municipality "$reference" consent_withdrawn
}

# ---- the broker's store is lost ----

# Withdrawn here while the broker was down, and its store is gone since: what
# the practice presents first ends it there and at the desk.
outlives_the_store()
{
	local old=$1 new=$2

	kortelijn audit checkpoint >"$R/checkpoint" || return 1
	stop broker
	adapter practice-1 withdraw "$new" >/dev/null || return 1
	rm -rf "$R/broker-state"
	kortelijn origin new --reason="test" --yes >/dev/null 2>&1 ||
	    return 1
	broker_start
	adapter_ready practice-1 municipality
	wait_field practice-1 "$new" .withdrawal.state withdrawn
	wait_state municipality "$new" consent_withdrawn
	field_is municipality "$old" .state consent_withdrawn &&
	    field_is practice-1 "$old" .withdrawal.state withdrawn
}

lost_store()
{
	local old new

	old=$(sent '.referral_id = "w-old"')
	new=$(sent '.referral_id = "w-new"')
	withdraw practice-1 "$old" >/dev/null || die "withdraw before the loss"
	wait_state municipality "$old" consent_withdrawn
	ok withdrawal_outlives_the_brokers_store outlives_the_store "$old" \
	    "$new"
}

# ---- by the operator, with the party's statement ----

# The practice cannot reach the broker, its signed word can.
statement_is_handed_in()
{
	stop broker
	adapter practice-1 withdraw "$1" "--out=$R/statement" >/dev/null ||
	    return 1
	stop practice-1
	broker_start
	adapter_ready municipality
	kortelijn subject erase "$R/statement" >/dev/null || return 1
	wait_state municipality "$1" consent_withdrawn
	adapter_start practice-1
	adapter_ready practice-1
	wait_field practice-1 "$1" .withdrawal.state withdrawn
}

handed_in()
{
	local reference

	reference=$(sent '.referral_id = "w-operator"')
	ok statement_is_handed_in_by_the_operator statement_is_handed_in \
	    "$reference"
}

# ---- nobody answers ----

alarm_of()
{
	adapter "$1" status --json | jq -e --arg alarm "$2" \
	    '.newest_alarms[] | select(.alarm == $alarm)' >/dev/null
}

# Nine days later, which are five working days at least.
missing_is_told()
{
	local name

	for name in broker practice-1 municipality; do
		stop "$name"
	done
	conf_set "$KORTELIJN_CONFIG" broker clock_offset 9d
	for name in practice-1 municipality; do
		conf_set "$R/$name/$name.conf" adapter clock_offset 9d
	done
	broker_start
	adapter_start practice-1
	adapter_start municipality
	adapter_ready practice-1 municipality
	wait_for "$PATIENCE" "the practice to be told" alarm_of practice-1 \
	    erase_receipt_missing
	wait_for "$PATIENCE" "the desk to be reminded" alarm_of municipality \
	    erase_answer_late
}

nobody_answers()
{
	local reference

	reference=$(sent '.referral_id = "w-silent"')
	withdraw practice-1 "$reference" >/dev/null || die "withdraw"
	wait_state municipality "$reference" consent_withdrawn
	ok missing_answer_is_told_to_both missing_is_told
}

# ---- mistakes ----

unknown_is_said()
{
	! adapter practice-1 withdraw ABCD-EFGH-J >"$R/unknown.txt" 2>&1 &&
	    grep -q "kenmerk" "$R/unknown.txt"
}

region_begin
region_small
resident_withdraws_all
resident_withdraws_feedback
wrong_patient
at_the_municipality
ok referral_that_the_broker_never_saw_is_withdrawn withdrawn_unseen
ok killed_before_it_left_it_is_sent killed_before_it_leaves
ok unknown_reference_is_said unknown_is_said
handed_in
lost_store
nobody_answers
exit "$FAILED"
