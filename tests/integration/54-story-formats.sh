#!/bin/bash
# What the delivery log tells people: one conversation as a story, and records
# as a table, JSON, CSV for Excel, and with the fields of two norms. A region
# goes through a correction, feedback, a withdrawal and a missed term.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

DAY=$(TZ=Europe/Amsterdam date +%F)
PRACTICE=agb:01000001
DESK=oin:00000001000000000001

query()
{
	kortelijn audit query "$@" 2>"$R/said"
}

# records FILTER OPTION...: as JSON lines; how many fit the filter of jq.
records()
{
	query --json "${@:2}" | jq -s "map(select($1)) | length"
}

# story REFERENCE [OPTION]: on one line, so that a sentence is found whole.
story()
{
	kortelijn audit story "$@" >"$R/story" 2>"$R/said" &&
	    tr -s ' \n' ' ' <"$R/story" >"$R/flat"
}

tells()
{
	grep -qF -- "$1" "$R/flat" || { echo "not told: $1"; return 1; }
}

narrow()
{
	! LC_ALL=C.UTF-8 grep -q '^.\{81\}' "$1"
}

# all_at OFFSET: broker and practice at another time from here on.
all_at()
{
	stop practice-1
	stop broker
	conf_set "$KORTELIJN_CONFIG" broker clock_offset "$1"
	conf_set "$R/practice-1/practice-1.conf" adapter clock_offset "$1"
	conf_set "$R/municipality/municipality.conf" adapter clock_offset "$1"
	broker_start
	adapter_start practice-1
	adapter_ready practice-1
}

# ---- what happens ------------------------------------------------------------

corrected()
{
	adapter municipality show "$WITHDRAWN" --json | jq -e .corrected
}

# Corrected, taken up, in progress, withdrawn, erased.
first_case()
{
	WITHDRAWN=$(refer practice-1 practice-1/van-putten |
	    jq -r .reference)
	wait_state practice-1 "$WITHDRAWN" delivered
	person practice-1/van-putten-correction >"$R/correct.json"
	adapter practice-1 correct "$R/correct.json" >/dev/null ||
	    die "correct"
	wait_for "$PATIENCE" "the correction" corrected
	desk "$WITHDRAWN" taken_up contact_made
	wait_state practice-1 "$WITHDRAWN" contact_made
	adapter practice-1 withdraw "$WITHDRAWN" "--wait=$PATIENCE" \
	    >/dev/null || die "withdraw"
	wait_state municipality "$WITHDRAWN" consent_withdrawn
	adapter municipality erased "$WITHDRAWN" --case-system=erased \
	    >/dev/null || die "erased"
	wait_for "$PATIENCE" "the receipt of erasure" receipt_is_in
}

receipt_is_in()
{
	[ "$(records '.event == "erase_receipt"')" = 1 ]
}

told_of_the_deadline()
{
	[ "$(records '.event == "deadline"' "--reference=$LATE")" -ge 1 ]
}

# Nobody collects it in time; then it is opened after all.
second_case()
{
	stop municipality
	LATE=$(refer practice-1 practice-1/van-putten \
	    '.referral_id = "late"' | jq -r .reference)
	all_at 3d
	wait_for "$PATIENCE" "the deadline" told_of_the_deadline
	adapter_start municipality
	adapter_ready municipality
	wait_state practice-1 "$LATE" delivered
}

# ---- stories ------------------------------------------------------------------

story_of_the_first()
{
	story "$WITHDRAWN" && narrow "$R/story" &&
	    tells "Het verhaal van $WITHDRAWN" &&
	    tells "Praktijk De Linde, $PRACTICE, praktijk" &&
	    tells "Meldpunt Twentestad, $DESK, gemeente" &&
	    tells "Praktijk De Linde verstuurde een verwijzing aan Meldpunt" &&
	    tells "verstuurde een correctie van de verwijzing" &&
	    tells "opende de correctie en tekende voor ontvangst." &&
	    tells "dat de verwijzing is opgepakt." &&
	    tells "dat de hulp loopt." &&
	    tells "dat de toestemming is ingetrokken, voor alles." &&
	    tells "De broker vroeg Meldpunt Twentestad om te wissen" &&
	    tells "Meldpunt Twentestad tekende het wisbewijs." &&
	    tells "Wisbewijs van Meldpunt Twentestad, uiterlijk" &&
	    tells "Nog open Niets." &&
	    tells "Niets was ruimer dan de standaard." &&
	    tells "kortelijn-practice subject log $WITHDRAWN" &&
	    tells "kortelijn-municipality subject log $WITHDRAWN"
}

# The policy and the consent are those of the files and of the messages.
story_names_policy_and_consent()
{
	local hash

	hash=$(sha256sum <"$(dirname "$KORTELIJN_CONFIG")/policy.conf" |
	    cut -c 1-16)
	story "$WITHDRAWN" && tells "$hash... geladen op" &&
	    tells "$(query --json "--reference=$WITHDRAWN" \
		--event=accepted --kind=referral | jq -r .body_hash)" &&
	    tells "$(query --json "--reference=$WITHDRAWN" \
		--event=accepted --kind=referral | jq -r .conv_ref)"
}

story_of_the_second()
{
	story "$LATE" --language=en && narrow "$R/story" &&
	    tells "The story of $LATE" &&
	    tells "The referral was not opened by" &&
	    tells ": missed; told on" &&
	    tells "It happened after all, on" &&
	    tells "Meldpunt Twentestad has not yet told that the referral" &&
	    ! grep -q verwijzing "$R/story"
}

story_as_json()
{
	kortelijn audit story "$LATE" --json >"$R/story.json" &&
	    jq -e --arg r "$LATE" '.ok and .reference == $r and
		(.events | length) > 4 and (.parties | length) == 2 and
		([.terms[] | select(.end == "missed_and_told")] | length) == 1
		and .open[0].what == "not_taken_up" and .missing == []' \
		"$R/story.json" >/dev/null
}

# Who tells the story is in it the next time.
story_tells_who_looked()
{
	story "$LATE" &&
	    tells "De beheerder van de broker bekeek dit gesprek" &&
	    [ "$(records '.event == "query"' "--reference=$LATE")" -ge 2 ]
}

# The id in the log and that of the conversation name the same.
story_by_id()
{
	local ref

	ref=$(query --json "--reference=$LATE" | jq -r .conv_ref | head -1)
	story "$ref" && tells "Het verhaal van $ref" &&
	    tells "subject log KENMERK"
}

story_of_nothing()
{
	local status

	kortelijn audit story 00112233445566778899aabbccddeeff \
	    >"$R/story" 2>"$R/said"
	status=$?
	[ "$status" = 1 ] && [ ! -s "$R/story" ] &&
	    grep -q "subject log" "$R/said" &&
	    ! kortelijn audit story ABCD-EFGH-J 2>"$R/said" &&
	    grep -q "check letter" "$R/said"
}

# ---- filters -------------------------------------------------------------------

filters_find()
{
	[ "$(records true --event=accepted --kind=correction)" = 1 ] &&
	    [ "$(records ".org_from == \"$DESK\"" "--sender=$DESK" \
		--kind=feedback --event=accepted)" = 2 ] &&
	    [ "$(records true "--receiver=$PRACTICE" --event=card)" = \
		"$(records ".event == \"card\" and .org_to == \"$PRACTICE\"")" \
		] && [ "$(records true --role=municipality --event=accepted)" \
		= 2 ] && [ "$(records true --outcome=refused)" = \
		"$(records '.outcome == "refused"')" ] &&
	    [ "$(records true "--reference=$WITHDRAWN" \
		--event=consent_withdrawn)" = 1 ]
}

by_message()
{
	local ref

	ref=$(query --json --kind=correction --event=accepted |
	    jq -r .msg_ref)
	[ "$(query --json "--message=$ref" | jq -r .event | tr '\n' ' ')" = \
	    "accepted released delivered erased " ]
}

# Days and minutes are those of people in the Netherlands.
by_time()
{
	[ "$(records true "--from=$DAY" --event=origin)" = 1 ] &&
	    [ "$(records true "--to=$(date -d "$DAY -1 day" +%F)")" = 0 ] &&
	    [ "$(records true "--from=$DAY" "--to=${DAY}T00:01" \
		--event=deadline)" = 0 ] &&
	    [ "$(records true --event=deadline \
		"--from=$(date -d "$DAY +2 days" +%F)")" -ge 1 ]
}

wrong_filters_say_what_is_allowed()
{
	local status

	kortelijn audit query --event=opened >"$R/table" 2>"$R/said"
	status=$?
	[ "$status" = 2 ] && [ ! -s "$R/table" ] &&
	    grep -q "delivered" "$R/said" &&
	    ! kortelijn audit query --from=gisteren 2>"$R/said" &&
	    grep -q "2026-11-24T09:30" "$R/said" &&
	    ! kortelijn audit query --reference=ABCD-EFGH-J \
		>"$R/table" 2>"$R/said" && [ ! -s "$R/table" ] &&
	    ! kortelijn audit query --csv --format=ldv 2>"$R/said" &&
	    grep -q "one form at a time" "$R/said"
}

# ---- forms ----------------------------------------------------------------------

table_fits()
{
	query >"$R/table" && narrow "$R/table" &&
	    grep -q "^REGEL " "$R/table" &&
	    grep -q "^5  .* accepted " "$R/table" &&
	    grep -q "^[0-9]* records$" "$R/said"
}

# hash HEX...: SHA-256 of the bytes, as hex.
hash()
{
	local hex

	hex=$(printf '%s' "$@")
	printf '%b' "$(printf '%s' "$hex" | sed 's/../\\x&/g')" |
	    sha256sum | cut -d ' ' -f 1
}

# Leaf, salt and record hash to the leaf, as anyone can compute it.
json_can_be_proved()
{
	local leaf salt record want

	query --json --event=consent_withdrawn >"$R/json" || return
	read -r want salt record < <(jq -r '[.hash, .salt, .record] |
	    join(" ")' "$R/json")
	leaf=$(hash "$salt" "$record")
	[ "$(hash 00 "$(printf 'kortelijn/v1/leaf' | od -An -tx1 |
	    tr -d ' \n')" 00 "$leaf")" = "$want" ]
}

csv_opens()
{
	query --csv >"$R/csv" &&
	    [ "$(head -c 3 "$R/csv" | od -An -tx1 | tr -d ' ')" = efbbbf ] &&
	    [ "$(grep -c $'\r$' "$R/csv")" = "$(wc -l <"$R/csv")" ] &&
	    [ "$(awk -F '";"' '{ print NF }' "$R/csv" | sort -u)" = 20 ] &&
	    head -1 "$R/csv" | grep -q '"Regel";"Tijd";"Gebeurtenis"' &&
	    grep -q '"Praktijk De Linde"' "$R/csv" &&
	    grep -q '"toestemming ingetrokken"' "$R/csv" &&
	    ! grep -q '"[=+@-]' "$R/csv"
}

nen7513_has_its_fields()
{
	query --format=nen7513 >"$R/nen" && jq -es 'length > 20 and
	    all(.[]; has("EventID") and has("EventActionCode") and
	    has("EventDateTime") and has("EventOutcomeIndicator") and
	    has("users") and has("participants") and
	    has("behandelrelatieProtocol") and has("AuditEnterpriseSiteID")
	    and has("AuditSourceId") and has("AuditSourceTypeCode")) and
	    any(.[]; has("autorisatieProtocol") and
	    has("toestemmingsProfiel") and has("controles"))' "$R/nen" \
	    >/dev/null
}

# Spans of one conversation are one trace; nobody is named.
ldv_names_nobody()
{
	local ref

	ref=$(query --json "--reference=$LATE" | jq -r .conv_ref | head -1)
	query --format=ldv --activity=https://register.example/42 \
	    >"$R/ldv" && jq -es --arg ref "$ref" 'length > 20 and
	    all(.[]; .attributes."dpl.core.processing_activity_id" ==
	    "https://register.example/42" and (.trace_id | length) == 32 and
	    (.span_id | length) == 16) and
	    ([.[].span_id] | unique | length) == length and
	    ([.[] | select(.trace_id == $ref)] | length) > 4' "$R/ldv" \
	    >/dev/null && ! grep -q "$PRACTICE\|$DESK\|practice" "$R/ldv"
}

# No field of the one is in the other.
norms_do_not_mix()
{
	[ -z "$(comm -12 <(jq -r 'keys[]' "$R/nen" | sort -u) \
	    <(jq -r 'keys[]' "$R/ldv" | sort -u))" ]
}

cut_short_is_told()
{
	local status

	kortelijn audit query --json >/dev/full 2>"$R/said"
	status=$?
	[ "$status" = 1 ] && grep -q "cut short after" "$R/said" &&
	    grep -q "No space left" "$R/said" || return
	# A pipe whose reader has gone.
	mkfifo "$R/pipe" && exec 8<>"$R/pipe" || return
	exec 9>"$R/pipe" && exec 8<&- || return
	kortelijn audit query --json >&9 2>"$R/said"
	status=$?
	exec 9>&-
	[ "$status" = 1 ] && grep -q "nobody reads on" "$R/said"
}

questions_are_leaves()
{
	local before

	before=$(records true --event=query)
	query --event=origin >/dev/null
	[ "$(records true --event=query)" = $((before + 2)) ]
}

# The desk's own: the same forms, of what it may read.
desk_asks_too()
{
	adapter municipality audit query --json "--reference=$LATE" \
	    >"$R/desk" 2>"$R/said" &&
	    [ "$(jq -r .event "$R/desk" | grep -c delivered)" = 1 ] &&
	    jq -es 'all(.[]; .org_from != "")' "$R/desk" >/dev/null
}

region_begin
region_small
first_case
second_case
ok story_tells_all_that_happened story_of_the_first
ok story_names_policy_and_consent story_names_policy_and_consent
ok story_tells_a_missed_term story_of_the_second
ok story_is_there_for_programs story_as_json
ok story_tells_who_looked story_tells_who_looked
ok story_is_found_by_id story_by_id
ok story_of_nothing_says_where_to_ask story_of_nothing
ok filters_find_what_they_say filters_find
ok message_is_followed_by_its_id by_message
ok times_are_those_of_the_netherlands by_time
ok wrong_filter_says_what_is_allowed wrong_filters_say_what_is_allowed
ok table_fits_80_columns table_fits
ok json_hashes_to_its_leaf json_can_be_proved
ok csv_is_for_a_dutch_excel csv_opens
ok nen7513_has_its_fields nen7513_has_its_fields
ok ldv_names_nobody ldv_names_nobody
ok norms_share_no_field norms_do_not_mix
ok answer_that_is_cut_short_is_told cut_short_is_told
ok each_question_is_a_leaf questions_are_leaves
ok desk_reads_its_own desk_asks_too
exit "$FAILED"
