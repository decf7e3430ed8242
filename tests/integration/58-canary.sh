#!/bin/bash
# limit: 600
#
# A resident planted wherever a hasty hand can put one: fields, file names,
# arguments of every command that takes one. Nothing of it comes back in logs,
# errors, status, policy, audits, reports, or in any file of the broker.
. "$(dirname "$0")/lib.sh"

command -v jq >/dev/null || skip "needs jq"

NAME=Canarievogel-Zangzaad
BSN=123456782
PHONE=+31612340987
DOTTED=1234.56.782
ERR=		# all that was said on standard error

# hush COMMAND...: what it says on standard error, or as an error in JSON, is
# kept; what it answers to who may ask is not looked at.
hush()
{
	"$@" >"$R/said" 2>>"$ERR" </dev/null
	grep '"ok": *false' "$R/said" >>"$ERR"
	return 0
}

planted()
{
	printf '%s\n' "$NAME" "$BSN" "$PHONE" "$DOTTED"
}

# quiet FILE...: they are there, and none of it stands in them.
quiet()
{
	local f

	[ $# -gt 0 ] || return 1
	for f; do
		[ -e "$f" ] || return 1
	done
	! grep -laF -f <(planted) -- "$@"
}

broker_quiet()
{
	local files

	mapfile -d '' files < <(find "$R/broker" "$R/broker-state" \
	    "$R"/*.log "$R"/*.trace -type f -print0)
	quiet "${files[@]}"
}

# Every command of a program that takes an argument, with each of them.
arguments()
{
	local program=$1 command word

	while read -r command; do
		names_a_file "$program" "$command" && continue
		for word in "$NAME" "$BSN" "$PHONE"; do
			# shellcheck disable=SC2086 # commands of two words
			hush "${@:2}" $command "$word"
			# shellcheck disable=SC2086
			hush "${@:2}" $command "$word" --json
		done
	done < <(commands_of "$program")
}

# A path is repeated in an error, so that its owner finds it; not those of the
# files that are about one resident.
names_a_file()
{
	case $2 in
	run | init | accept) return 0 ;;
	refer | correct | feedback) return 1 ;;
	esac
	# shellcheck disable=SC2086 # commands of two words
	"$B/$1" help $2 | head -n 3 | grep -q 'FILE\|DIR\|PATH'
}

# From the table that `help` prints: one or two words in lower case.
commands_of()
{
	"$B/$1" help | sed -n 's/^  \([a-z][a-z -]*[a-z]\) .*/\1/p' |
	    sed 's/  .*//' | sort -u
}

refused()
{
	! refer practice-1 practice-1/van-putten "$1" >"$R/said" 2>>"$ERR"
	cat "$R/said" >>"$ERR"
}

region_begin
region_small
ERR=$R/errors.txt
: >"$ERR"

# A referral with all of it that is lawful, taken up and reported on.
ref=$(refer practice-1 practice-1/van-putten ".referral.name.family_name =
    \"$NAME\" | .referral.phone = \"$PHONE\"" | jq -r .reference) ||
    die "the referral"
wait_state practice-1 "$ref" delivered
desk "$ref" taken_up contact_made
wait_state practice-1 "$ref" contact_made
ok search_finds_what_is_there \
    grep -rqaF "$NAME" "$R/practice-1/refer.json"

ok refuses_a_bsn_without_saying_it \
    refused ".referral.name.family_name = \"Vogel $DOTTED\""
ok refuses_a_field_without_saying_it \
    refused ".referral[\"$NAME $BSN\"] = \"$PHONE\""
ok refuses_a_value_without_saying_it \
    refused ".referral.help_question = \"$NAME $BSN\""
ok refuses_a_receiver_without_saying_it \
    refused ".receiver = \"$NAME\""

# Files that are named after a person, and files of nonsense.
in=$R/practice-1/folder/in
person practice-1/van-putten >"$in/$NAME-$BSN.json.part"
mv "$in/$NAME-$BSN.json.part" "$in/$NAME-$BSN.json"
printf '{"%s": "%s"' "$NAME" "$PHONE" >"$in/nonsense.json"
folder_empty()
{
	[ -z "$(find "$in" -type f)" ]
}
wait_for "$PATIENCE" "the folder to be read" folder_empty
cat "$R"/practice-1/folder/error/*.txt >>"$ERR" 2>/dev/null

arguments kortelijn kortelijn
arguments kortelijn-practice adapter practice-1
arguments kortelijn-municipality adapter municipality
for option in from to sender receiver kind event reference message outcome \
    role format; do
	hush kortelijn audit query "--$option=$NAME$BSN"
done
ok commands_were_tried test "$(wc -l <"$ERR")" -gt 50
ok errors_say_nothing_of_it quiet "$ERR"

{
	kortelijn status
	kortelijn policy show
	kortelijn audit query
	kortelijn audit query --csv
	kortelijn audit query --format=nen7513
	kortelijn audit query --format=ldv
	kortelijn audit story "$ref"
	adapter practice-1 status
	adapter practice-1 alarms
	adapter practice-1 policy show
	adapter municipality status
	adapter municipality alarms
	kortelijn report audit --html="$R/report.html"
	kortelijn report region --html="$R/region.html"
	kortelijn audit export "$R/audit-export"
} >"$R/told.txt" 2>&1
ok status_audits_and_reports_say_nothing_of_it quiet "$R/told.txt" \
    "$R/report.html" "$R/region.html"
mapfile -d '' exported < <(find "$R/audit-export" -type f -print0)
ok export_holds_nothing_of_it quiet "${exported[@]}"

for name in practice-1 municipality broker; do
	stop "$name"
done
ok logs_and_broker_hold_nothing_of_it broker_quiet

exit "$FAILED"
