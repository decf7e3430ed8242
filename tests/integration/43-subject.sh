#!/bin/bash
# What a resident may ask of both adapters: which referrals, what is kept, who
# looked, erasure; and that the log still answers when all else is gone.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

# says TEXT COMMAND...: a page that says TEXT, however its lines break.
says()
{
	local text=$1

	shift
	"$@" 2>/dev/null | tr -s ' \n\f' ' ' | grep -qF -- "$text"
}

subject()
{
	local name=$1 what=$2

	shift 2
	adapter "$name" subject "$what" "$@"
}

found()
{
	local name=$1 n=$2

	shift 2
	[ "$(subject "$name" find "$@" --json |
	    jq '.referrals | length')" -eq "$n" ]
}

by_name()
{
	found "$1" "$2" "--name=$3" --birth-date=1987-03-14
}

on_both_sides()
{
	found practice-1 1 "$1" && found municipality 1 "$1"
}

tolerantly()
{
	by_name municipality 1 "AMRÄNI" && by_name practice-1 1 "el amrani"
}

# acts NAME WHO: what the log says was done, in order.
acts()
{
	subject "$1" log "$2" --json |
	    jq -r '[.referrals[].lines[].act] | join(" ")'
}

# line_of NAME WHO ACT FILTER: a line of that act for which FILTER is true.
line_of()
{
	subject "$1" log "$2" --json | jq -e --arg act "$3" \
	    "[.referrals[].lines[] | select(.act == \$act) | $4] | any" \
	    >/dev/null
}

shown_with_staff_and_role()
{
	adapter municipality show "$REF" --staff=j.jansen --role=desk \
	    >/dev/null || return 1
	line_of municipality "$REF" saw \
	    '.staff == "j.jansen" and .role == "desk" and .uid == '"$UID"
}

list_counts_too()
{
	adapter practice-1 list --staff=assistent >/dev/null || return 1
	line_of practice-1 "$PATIENT" listed '.staff == "assistent"'
}

export_is_whole()
{
	subject practice-1 export "$PATIENT" --json --staff=fg --role=fg \
	    >"$R/export.json" || return 1
	jq -e --arg ref "$REF" '.referrals[0] |
	    .reference == $ref and .person == "F. el Amrani" and
	    .content.phone != null and .consent.given_on != null and
	    (.history | length) > 2 and (.receipts | length) > 1 and
	    .signed_receipt != null and
	    (.access.lines | map(.act) | index("exported")) != null' \
	    "$R/export.json" >/dev/null
}

export_is_a_letter()
{
	says "F. el Amrani" subject practice-1 export "$PATIENT" &&
	    says "OEFENING: geen echte gegevens Wat wij over u bewaren" \
		subject municipality export "$REF" &&
	    says "Gegeven op:" subject municipality export "$REF"
}

export_is_a_page()
{
	subject municipality export "$REF" --html="$R/export.html" ||
	    return 1
	grep -q '<html lang="nl">' "$R/export.html" &&
	    grep -q 'el Amrani' "$R/export.html" &&
	    ! grep -Eq 'src=|href=|url\(|@import' "$R/export.html" &&
	    [ "$(stat -c %a "$R/export.html")" = 600 ]
}

several_are_listed_and_nothing_is_done()
{
	subject practice-1 export --name=Amrani --birth-date=1987-03-14 \
	    >"$R/several.txt" 2>"$R/several.err" && return 1
	grep -q "$REF" "$R/several.txt" &&
	    grep -q "$OTHER" "$R/several.txt" &&
	    ! grep -q Geboortedatum "$R/several.txt" &&
	    grep -q -- --all "$R/several.err" || return 1
	# A program is told so by its code.
	subject practice-1 export --name=Amrani --birth-date=1987-03-14 \
	    --json 2>/dev/null | jq -e '.code == "several_found"' \
	    >/dev/null || return 1
	subject practice-1 export --name=Amrani --birth-date=1987-03-14 \
	    --all --json | jq -e '.referrals | length == 2' >/dev/null
}

asks_before_it_erases()
{
	subject practice-1 erase "$REF" </dev/null >/dev/null \
	    2>"$R/asks.err" && return 1
	grep -q "kan niet terug" "$R/asks.err" && found practice-1 1 "$REF"
}

erased_with_a_letter()
{
	local name=$1

	subject "$name" erase "$REF" --yes --staff=fg --role=fg \
	    >"$R/$name-erased.txt" || return 1
	says "Uw gegevens zijn gewist" cat "$R/$name-erased.txt" &&
	    says "$REF: was al klaar" cat "$R/$name-erased.txt" &&
	    found "$name" 0 "$REF" &&
	    ! adapter "$name" show "$REF" >/dev/null 2>&1 || return 1
	subject "$name" find "$REF" | grep -q "Niets gevonden" &&
	    ! adapter "$name" list --json | grep -q "$REF"
}

log_still_answers()
{
	local name=$1

	line_of "$name" "$REF" erased '.staff == "fg" and .role == "fg"' &&
	    acts "$name" "$REF" | grep -q "^took_in .*erased" &&
	    says "wiste de gegevens" subject "$name" log "$REF" &&
	    subject "$name" log --name="EL AMRANI" \
		--birth-date=1987-03-14 --all --json |
	    jq -e --arg ref "$REF" \
		'[.referrals[].reference] | index($ref) != null' >/dev/null
}

answers_by_patient_number()
{
	acts practice-1 "$PATIENT" | grep -q erased
}

after_a_restart()
{
	stop municipality
	adapter_start municipality
	adapter_ready municipality
	log_still_answers municipality
}

# Nobody's name stands in a store in clear, before or after.
nobody_in_clear()
{
	# The card of the other side does, so that grep would find one.
	grep -qa "De Linde" "$R/municipality/data/data.mdb" &&
	    ! grep -qai amrani "$R/practice-1/data/data.mdb" &&
	    ! grep -qai amrani "$R/municipality/data/data.mdb"
}

# Neither a reference nor a name with its day of birth; no whole day; no name.
asks_after_nobody()
{
	local wrong

	for wrong in "" "--name=Amrani" "$REF --name=Amrani" \
	    "--birth-date=1987-03-14"; do
		# shellcheck disable=SC2086 # several words, or none
		subject practice-1 find $wrong >/dev/null 2>&1
		[ $? -eq 2 ] || return 1
	done
	for wrong in "--name=Amrani --birth-date=1987-03" \
	    "--name=Amrani --birth-date=1987-02-30" \
	    "--name=123 --birth-date=1987-03-14" "$REF --role=boss"; do
		# shellcheck disable=SC2086
		subject practice-1 find $wrong --json 2>/dev/null |
		    jq -e '.code == "field_value"' >/dev/null || return 1
	done
}

nobody_says_so()
{
	says "Wij hebben hier niets van u gevonden." \
	    subject municipality export ABCD-EFGH-K
}

# Open: the other side is asked to erase too.
withdrawn_for_the_resident()
{
	subject municipality erase "$OTHER" --yes >"$R/withdrawn.txt" ||
	    return 1
	says "Uw gegevens worden gewist" cat "$R/withdrawn.txt" &&
	    says "$OTHER: liep nog" cat "$R/withdrawn.txt" || return 1
	wait_state practice-1 "$OTHER" consent_withdrawn
	line_of municipality "$OTHER" withdrew '.uid == '"$UID"
}

only_the_withdrawal_is_left()
{
	subject municipality export "$OTHER" --json | jq -e '.referrals[0] |
	    .content == null and .person == null and
	    .withdrawal.scope == "all" and .withdrawal.cause == "resident" and
	    .withdrawal.by == "us"' >/dev/null &&
	    says "ingetrokken" subject municipality export "$OTHER"
}

region_begin
region_small
REF=$(refer practice-1 practice-1/el-amrani | jq -r .reference)
PATIENT=$(jq -r .patient_ref "$ROOT/tests/data/practice-1/el-amrani.json")
wait_state practice-1 "$REF" delivered

ok found_by_reference_on_both_sides \
    on_both_sides "$REF"
ok found_by_the_practices_number found practice-1 1 "$PATIENT"
ok number_is_unknown_to_the_municipality found municipality 0 "$PATIENT"
ok found_by_name_without_case_accents_and_small_words \
    tolerantly
ok other_birth_date_finds_nobody \
    found municipality 0 --name=Amrani --birth-date=1987-04-14
ok who_looked_is_told_with_name_and_role shown_with_staff_and_role
ok list_is_told_too list_counts_too
ok export_has_all_of_it export_is_whole
ok export_reads_as_a_letter export_is_a_letter
ok export_prints_as_a_page export_is_a_page
ok export_of_nobody_says_so nobody_says_so
ok nobody_stands_in_the_store_in_clear nobody_in_clear
ok question_after_nobody_is_refused asks_after_nobody

OTHER=$(refer practice-1 practice-1/el-amrani \
    '.referral_id = "P1-2026-902"' | jq -r .reference)
wait_state practice-1 "$OTHER" delivered
ok several_that_fit_are_listed_and_nothing_is_done \
    several_are_listed_and_nothing_is_done

desk "$REF" taken_up completed
wait_state practice-1 "$REF" completed
ok asks_before_it_erases asks_before_it_erases
ok practice_erases_an_ended_referral erased_with_a_letter practice-1
ok municipality_erases_an_ended_referral erased_with_a_letter municipality
ok log_answers_at_the_practice_after_erasure log_still_answers practice-1
ok log_answers_by_the_practices_number answers_by_patient_number
ok log_answers_at_the_municipality_after_erasure \
    log_still_answers municipality
ok log_answers_after_a_restart after_a_restart

desk "$OTHER" taken_up
wait_state practice-1 "$OTHER" taken_up
ok erasing_an_open_referral_withdraws_it withdrawn_for_the_resident
ok what_is_left_is_the_withdrawal only_the_withdrawal_is_left
exit "$FAILED"
