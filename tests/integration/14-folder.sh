#!/bin/bash
# The watch folder with what goes wrong there: half-written, doubled, broken
# and forbidden files, a folder that cannot be written.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

drop()
{
	cp "$1" "$F/in/$2.tmp" && mv "$F/in/$2.tmp" "$F/in/$2"
}

# error_is CODE NAME: the file lies in error/ with a note of that code and a
# sentence.
error_is()
{
	wait_for "$PATIENCE" "the error of $2" test -e "$F/error/$2.error.txt"
	grep -q "^Code: $1$" "$F/error/$2.error.txt" &&
	    grep -q "^Reden: .*[.]$" "$F/error/$2.error.txt" &&
	    [ -e "$F/error/$2" ] && [ ! -e "$F/in/$2" ]
}

cases()
{
	adapter practice-1 list --json | jq '.referrals | length'
}

cases_are()
{
	[ "$(cases)" -eq "$1" ]
}

refuses()
{
	person "$3" "${4:-.}" >"$R/file.json"
	drop "$R/file.json" "$2.json"
	error_is "$1" "$2.json"
}

half_written()
{
	local before

	before=$(cases)
	head -c 400 "$R/right.json" >"$F/in/half.json.tmp"
	refuses json broken practice-2/kowalczyk '. | tostring[0:50]' &&
	    [ -e "$F/in/half.json.tmp" ] && cases_are "$before"
}

finished_later()
{
	cp "$R/right.json" "$F/in/half.json.tmp"
	mv "$F/in/half.json.tmp" "$F/in/half.json"
	wait_for "$PATIENCE" "the finished file" cases_are 1
}

same_file_twice()
{
	drop "$R/right.json" again.json
	error_is duplicate_file again.json && cases_are 1
}

not_writable()
{
	rm -rf "$F/out"
	: >"$F/out"
	refer practice-1 practice-1/el-amrani >/dev/null || return 1
	kill -0 "${PID[practice-1]}" || return 1
	rm "$F/out"
	mkdir "$F/out"
}

comes_when_writable()
{
	local ref

	ref=$(adapter practice-1 list --json |
	    jq -r '.referrals[] | select(.referral_id == "P1-2026-002") |
	    .reference')
	wait_state practice-1 "$ref" delivered
	desk "$ref" taken_up
	wait_for "$PATIENCE" "the feedback's file" out_names "$ref"
}

out_names()
{
	grep -rq "$1" "$F/out"
}

region_begin
region_small
F=$R/practice-1/folder
wait_for "$PATIENCE" "the folder" test -d "$F/in"
person practice-1/van-putten >"$R/right.json"

ok half_written_file_waits half_written
ok file_is_taken_when_it_is_finished finished_later
ok same_file_twice_makes_one_case same_file_twice
ok refuses_bsn_with_dots refuses bsn bsn practice-1/jansen-with-bsn
ok refuses_unknown_field refuses field_unknown unknown \
    practice-1/el-amrani '.referral.diagnosis = "P03"'
ok refuses_missing_consent refuses no_consent consent \
    practice-1/el-amrani 'del(.consent)'
ok refuses_old_consent refuses consent_date old \
    practice-1/el-amrani '.consent.given_on = "2020-01-01"'
ok refuses_iban refuses iban iban practice-1/el-amrani \
    '.referral.referrer.name = "NL91ABNA0417164300"'
ok refuses_diagnosis_code refuses medical_code diagnosis \
    practice-1/el-amrani '.referral.name.family_name = "Amrani P76"'
ok refuses_free_text refuses free_text note practice-1/el-amrani \
    '.referral.practical_note = "belt liever in de middag"'
ok refuses_minor refuses under_age minor practice-1/el-amrani \
    '.referral.birth_date = "2020-05-05"'
ok folder_that_cannot_be_written_stops_nothing not_writable
ok files_come_when_it_can_be_written comes_when_writable
exit "$FAILED"
