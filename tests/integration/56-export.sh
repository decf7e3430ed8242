#!/bin/bash
# The log as a directory: what is in it, that it shows itself with OpenSSL
# alone and with the program, and that everything that was changed is found.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

K=$B/kortelijn
X='' LEAVES=0 TAKEN_UP=''

# A referral that was taken up, one that was withdrawn.
log_fill()
{
	local a b

	a=$(refer practice-1 practice-1/van-putten | jq -r .reference)
	b=$(refer practice-1 practice-1/van-putten \
	    '.referral_id = "withdrawn"' | jq -r .reference)
	wait_state municipality "$a" delivered
	wait_state municipality "$b" delivered
	desk "$a" taken_up
	wait_state practice-1 "$a" taken_up
	adapter practice-1 withdraw "$b" "--wait=$PATIENCE" >/dev/null ||
	    die "withdraw"
	wait_state municipality "$b" consent_withdrawn
	TAKEN_UP=$a
}

# Offline, on a machine with neither configuration nor broker.
verify()
{
	KORTELIJN_CONFIG='' "$K" audit verify "$1" \
	    "--card=$R/broker/broker.card" "--authority=$R/authority" \
	    "--origin=$ORIGIN" --language=en "${@:2}" >"$R/verified" 2>"$R/verified.err"
}

# ---- what is in it ----

export_has_all_that_was_logged()
{
	X=$R/export
	kortelijn audit export "$X" --json >"$R/said" || {
		cat "$R/said"
		return 1
	}
	LEAVES=$(jq .leaves "$R/said")
	[ "$LEAVES" -gt 15 ] && [ "$LEAVES" = "$(sed -n 2p "$X/checkpoint")" ] &&
	    [ "$(jq .records "$R/said")" = "$LEAVES" ] &&
	    [ "$(jq .absent "$R/said")" = 0 ] &&
	    [ -s "$X/tile/0/000.p/$LEAVES" ] &&
	    [ -s "$X/records/000.p/$LEAVES" ] &&
	    [ "$(stat -c %s "$X/tile/0/000.p/$LEAVES")" = $((32 * LEAVES)) ]
}

csv_has_a_line_for_each_record()
{
	[ "$(tail -n +2 "$X/records.csv" | wc -l)" = "$LEAVES" ] &&
	    head -c 3 "$X/records.csv" | od -An -tx1 | grep -q 'ef bb bf'
}

# As the log itself answers, but for what it wrote since.
reads_as_the_log_does()
{
	local c
	local trust=("--card=$R/broker/broker.card" "--authority=$R/authority")
	local form

	for form in --json --csv --format=nen7513 --format=ldv; do
		c=$LEAVES
		[ "$form" = --csv ] && c=$((c + 1))
		kortelijn audit query "$form" 2>/dev/null | head -n "$c" \
		    >"$R/live" &&
		    KORTELIJN_CONFIG='' "$K" audit query "$form" \
			"--dir=$X" "${trust[@]}" >"$R/offline" &&
		    [ "$(wc -l <"$R/offline")" = "$c" ] &&
		    cmp "$R/live" "$R/offline" || return 1
	done
	[ "$(KORTELIJN_CONFIG='' "$K" audit query "--dir=$X" --json \
	    --event=consent_withdrawn | wc -l)" = 1 ]
}

# Terms are counted by the export's own time.
tells_the_same_story()
{
	local ref
	local same='.terms, .open, .missing, .policies'

	ref=$(KORTELIJN_CONFIG='' "$K" audit query "--dir=$X" --json \
	    --event=consent_withdrawn | jq -r .conv_ref)
	KORTELIJN_CONFIG='' "$K" audit story "$ref" "--dir=$X" --json \
	    "--card=$R/broker/broker.card" "--authority=$R/authority" \
	    >"$R/offline" && kortelijn audit story "$ref" --json >"$R/live" &&
	    diff <(jq -c "$same" "$R/live") <(jq -c "$same" "$R/offline") &&
	    [ "$(jq '.events | length' "$R/offline")" -gt 3 ]
}

says_where_a_spoken_reference_is_known()
{
	! KORTELIJN_CONFIG='' "$K" audit story "$TAKEN_UP" "--dir=$X" \
	    >"$R/offline" 2>"$R/err" && [ ! -s "$R/offline" ] &&
	    grep -q "subject log" "$R/err" &&
	    ! KORTELIJN_CONFIG='' "$K" audit query "--dir=$R/nowhere" \
		2>"$R/err" && grep -q nowhere "$R/err"
}

policy_is_the_file_that_was_loaded()
{
	local f

	f=$(compgen -G "$X/policy/*.conf" | head -n 1)
	[ -n "$f" ] && cmp -s "$f" "$R/broker/policy.conf"
}

cards_are_there_and_no_key()
{
	compgen -G "$X/cards/*.card" >/dev/null &&
	    ! grep -rqs "PRIVATE\|kortelijn-key" "$X"
}

nothing_of_a_person_is_there()
{
	! grep -rqi "putten" "$X"
}

page_stands_by_itself()
{
	grep -q '<html lang="nl"' "$X/index.html" &&
	    ! grep -Eq '<script|src=|href="http|url\(' "$X/index.html" &&
	    grep -qF "$(head -n 1 "$X/checkpoint")" "$X/index.html" &&
	    kortelijn audit export "$R/export-en" --language=en >/dev/null &&
	    grep -q '<html lang="en"' "$R/export-en/index.html"
}

others_cannot_read_it()
{
	[ "$(stat -c %a "$X")" = 700 ] &&
	    ! find "$X" -perm /077 | grep -q .
}

# ---- it shows itself ----

# Exactly the commands that are printed.
openssl_and_a_shell_verify_it()
{
	sed -n 's/^    //p' "$X/VERIFY.txt" >"$R/steps.sh"
	(cd "$X" && sh "$R/steps.sh") >"$R/steps.out" 2>&1
	grep -q "^Signature Verified Successfully" "$R/steps.out" &&
	    grep -q "^root: OK" "$R/steps.out" &&
	    grep -q "^leaf [0-9]*: OK" "$R/steps.out"
}

# Each leaf, with the same commands.
any_record_can_be_chosen()
{
	local n

	for n in 1 $((LEAVES / 2)) $((LEAVES - 1)); do
		sed "s/^LEAF=.*/LEAF=$n/" "$R/steps.sh" >"$R/steps-$n.sh"
		(cd "$X" && sh "$R/steps-$n.sh") 2>&1 |
		    grep -q "^leaf $n: OK" || return 1
	done
}

key_is_the_one_that_is_printed()
{
	local hash

	hash=$(head -n 1 "$R/steps.out" | cut -c 1-64)
	[ ${#hash} = 64 ] && grep -q "^$hash$" "$X/VERIFY.txt"
}

openssl_finds_a_changed_root()
{
	cp -r "$X" "$R/bad"
	flip "$R/bad/tile/0/000.p/$LEAVES" 40
	! (cd "$R/bad" && sh "$R/steps.sh") 2>&1 | grep -q "^root: OK"
	local r=$?

	rm -r "$R/bad"
	return "$r"
}

program_verifies_it()
{
	verify "$X" && grep -q "^rules: all hold" "$R/verified" &&
	    grep -q ": verified$" "$R/verified" &&
	    verify "$X" --json &&
	    jq -e ".ok and .leaves == $LEAVES and .records == $LEAVES and
		.wrong == 0 and .broken == 0 and .open == 0 and
		(.findings | length == 0)" "$R/verified" >/dev/null
}

other_brokers_key_verifies_nothing()
{
	"$K" authority init "$R/authority-2" --realm=training >/dev/null &&
	    "$K" broker init "$R/broker-2" --id=oin:00000009000000000002 \
		--name=Other "--authority=$R/authority-2" \
		"--state=$R/state-2" >/dev/null || return 1
	! KORTELIJN_CONFIG='' "$K" audit verify "$X" \
	    "--card=$R/broker-2/broker.card" \
	    "--authority=$R/authority-2" "--origin=$ORIGIN" >/dev/null \
	    2>"$R/err" && grep -q "not signed by the key" "$R/err"
}

other_log_is_told()
{
	! KORTELIJN_CONFIG='' "$K" audit verify "$X" \
	    "--card=$R/broker/broker.card" "--authority=$R/authority" \
	    "--origin=${ORIGIN%?}" >/dev/null 2>"$R/err" &&
	    grep -q "another log" "$R/err"
}

# ---- what was changed is found ----

# flip FILE OFFSET: one bit of one byte.
flip()
{
	local byte

	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf "%b" "$(printf '\\0%03o' $((byte ^ 1)))" |
	    dd of="$1" bs=1 "seek=$2" conv=notrunc 2>/dev/null
}

# changed FILE OFFSET: is it found, and is the right one found right again?
changed()
{
	local r

	flip "$X/$1" "$2"
	verify "$X"
	r=$?
	flip "$X/$1" "$2"
	[ "$r" -ne 0 ]
}

changed_bytes_are_found()
{
	local f size n

	for f in "tile/0/000.p/$LEAVES" "records/000.p/$LEAVES" checkpoint \
	    log.vkey "$(cd "$X" && compgen -G 'policy/*.conf' | head -n 1)" \
	    "$(cd "$X" && compgen -G 'checkpoints/*' | head -n 1)"; do
		[ -f "$X/$f" ] || continue
		size=$(stat -c %s "$X/$f")
		for n in 0 1 $((size / 2)) $((size - 1)); do
			changed "$f" "$n" || {
				say "$f at $n: not found"
				return 1
			}
		done
	done
	verify "$X"
}

record_that_was_changed_is_named()
{
	flip "$X/records/000.p/$LEAVES" 60
	verify "$X"
	grep -q "^records/000.p/$LEAVES, leaf 0: " "$R/verified"
	local r=$?

	flip "$X/records/000.p/$LEAVES" 60
	return "$r"
}

cut_and_missing_files_are_found()
{
	cp -r "$X" "$R/bad"
	truncate -s -1 "$R/bad/records/000.p/$LEAVES"
	! verify "$R/bad" && rm "$R/bad/tile/0/000.p/$LEAVES" &&
	    ! verify "$R/bad" && rm -r "$R/bad"
}

# ---- it is written whole or not at all ----

nothing_is_written_over()
{
	! kortelijn audit export "$X" >/dev/null 2>"$R/err" &&
	    grep -q "is there already" "$R/err" &&
	    mkdir "$R/mine.part" && : >"$R/mine.part/file" &&
	    ! kortelijn audit export "$R/mine" >/dev/null 2>&1 &&
	    [ -e "$R/mine.part/file" ] && [ ! -e "$R/mine" ]
}

what_was_cut_begins_anew()
{
	mkdir -p "$R/cut.part/tile/0" && : >"$R/cut.part/tile/0/000" &&
	    cp "$X/EXPORT" "$R/cut.part" &&
	    kortelijn audit export "$R/cut" >/dev/null && verify "$R/cut" &&
	    [ ! -e "$R/cut.part" ] && [ ! -e "$R/cut/tile/0/000" ]
}

without_a_broker_nothing_is_left()
{
	stop broker
	kortelijn audit export "$R/none" >/dev/null 2>&1
	[ $? = 3 ] && [ ! -e "$R/none" ]
	local r=$?

	broker_start
	return "$r"
}

# ---- a period, and other eyes ----

period_leaves_records_out_and_no_hash()
{
	kortelijn audit export "$R/period" --to=2001-01-01 --json \
	    >"$R/said" && [ "$(jq .records "$R/said")" = 0 ] &&
	    verify "$R/period" --json &&
	    jq -e '.ok and .records == 0 and .absent == .leaves' \
		"$R/verified" >/dev/null
}

wrong_period_is_refused()
{
	! kortelijn audit export "$R/period-2" --from=yesterday \
	    >/dev/null 2>&1 && [ ! -e "$R/period-2" ] &&
	    [ ! -e "$R/period-2.part" ]
}

auditor_gets_what_its_card_reads()
{
	local d=$R/auditor

	auditor_enrol auditor kvk:90000007 --reads=kvk:90000001 || return 1
	KORTELIJN_CONFIG='' "$K" audit export "$R/theirs" "--as=$d" \
	    "--passphrase-file=$R/words" --json >"$R/said" || return 1
	[ "$(jq .records "$R/said")" -gt 0 ] &&
	    [ "$(jq .absent "$R/said")" -gt 10 ] &&
	    grep -q "kvk:90000007" "$R/theirs/index.html" &&
	    ! grep -q "agb:01000001.*accepted" "$R/theirs/records.csv" &&
	    verify "$R/theirs"
}

witness_line_goes_along()
{
	local d=$R/auditor key

	"$K" audit witness "--as=$d" "--passphrase-file=$R/words" \
	    >"$R/cosigned" 2>"$R/err" || {
		cat "$R/err"
		return 1
	}
	key=$("$K" audit witness "--as=$d" "--passphrase-file=$R/words" \
	    --vkey) &&
	    kortelijn audit export "$R/seen" --json >"$R/said" &&
	    [ "$(jq .witnessed "$R/said")" -gt 0 ] &&
	    verify "$R/seen" "--witness=$key" --json &&
	    jq -e '.ok and .witnesses == 1 and .witnessed > 0' \
		"$R/verified" >/dev/null
}

# Whoever takes it away may have another date than the broker.
clock_of_the_broker_may_be_ahead()
{
	local name

	for name in practice-1 municipality broker; do
		stop "$name"
	done
	conf_set "$KORTELIJN_CONFIG" broker clock_offset 30d
	broker_start
	wait_for "$PATIENCE" "a checkpoint of that day" kept_of_then
	kortelijn audit export "$R/ahead" >"$R/said" 2>&1 &&
	    verify "$R/ahead" && return
	cat "$R/said"
	return 1
}

kept_of_then()
{
	kortelijn audit checkpoint "--day=$(date -d '+20 days' +%F)"
}

# What people open says what was logged.
table_that_was_changed_is_named()
{
	local r

	cp "$X/records.csv" "$R/records.csv"
	sed -i '0,/gelukt/s//mislukt/' "$X/records.csv"
	! verify "$X" && grep -q '^records.csv, leaf 0: ' "$R/verified"
	r=$?
	cp "$R/records.csv" "$X/records.csv"
	return "$r"
}

region_begin
region_small
log_fill
ORIGIN=$(kortelijn audit checkpoint | head -n 1)
ok export_has_all_that_was_logged export_has_all_that_was_logged
ok csv_has_a_line_for_each_record csv_has_a_line_for_each_record
ok reads_as_the_log_does reads_as_the_log_does
ok tells_the_same_story tells_the_same_story
ok says_where_a_spoken_reference_is_known \
    says_where_a_spoken_reference_is_known
ok policy_is_the_file_that_was_loaded policy_is_the_file_that_was_loaded
ok cards_are_there_and_no_key cards_are_there_and_no_key
ok nothing_of_a_person_is_there nothing_of_a_person_is_there
ok page_stands_by_itself page_stands_by_itself
ok others_cannot_read_it others_cannot_read_it
ok openssl_and_a_shell_verify_it openssl_and_a_shell_verify_it
ok any_record_can_be_chosen any_record_can_be_chosen
ok key_is_the_one_that_is_printed key_is_the_one_that_is_printed
ok openssl_finds_a_changed_root openssl_finds_a_changed_root
ok program_verifies_it program_verifies_it
ok other_brokers_key_verifies_nothing other_brokers_key_verifies_nothing
ok other_log_is_told other_log_is_told
ok changed_bytes_are_found changed_bytes_are_found
ok record_that_was_changed_is_named record_that_was_changed_is_named
ok table_that_was_changed_is_named table_that_was_changed_is_named
ok cut_and_missing_files_are_found cut_and_missing_files_are_found
ok nothing_is_written_over nothing_is_written_over
ok what_was_cut_begins_anew what_was_cut_begins_anew
ok without_a_broker_nothing_is_left without_a_broker_nothing_is_left
ok period_leaves_records_out_and_no_hash period_leaves_records_out_and_no_hash
ok wrong_period_is_refused wrong_period_is_refused
ok auditor_gets_what_its_card_reads auditor_gets_what_its_card_reads
ok witness_line_goes_along witness_line_goes_along
ok clock_of_the_broker_may_be_ahead clock_of_the_broker_may_be_ahead
exit "$FAILED"
