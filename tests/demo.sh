#!/bin/bash
# The main job with real processes on loopback, step by step: make demo.
#
#   tests/demo.sh [KEEP_DIR]
#
# With KEEP_DIR everything stays there and runs on: `. KEEP_DIR/env` puts the
# commands into the PATH, KEEP_DIR/stop ends what runs.
set -o pipefail
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/integration/lib.sh"

KEEP=${1:-}
if [ -n "$KEEP" ] && [ -e "$KEEP/stop" ]; then
	echo "demo: $KEEP holds a region already; end it with $KEEP/stop" \
	    "and remove it, or name another" >&2
	exit 2
fi
if [ -n "$KEEP" ]; then
	region_begin "$KEEP"
else
	region_begin
fi

DESK=municipality
DAY=$(date -u +%F)

# ---- what is printed ----

head_line()
{
	printf '\n== %s\n' "$*"
}

now()
{
	date -u +%T
}

columns()
{
	printf '%-8s  %-11s  %4s  %s\n' time reference leaf "$1"
}

# A line of what happened: time, reference, position in the log, and the rest.
step()
{
	printf '%s  %-11s  %4s  %s\n' "$(now)" "$1" "$2" "$3"
}

# Where the log has the receipt of the message that was accepted at leaf $1.
receipt_leaf()
{
	jq -r --slurp --argjson leaf "$1" '(.[] | select(.ev == "accepted" and
	    .leaf == $leaf) | .msg) as $msg | [.[] | select(.ev ==
	    "delivered" and .msg == $msg) | .leaf] | last // "-"' \
	    "$R/broker.trace"
}

received()
{
	[ "$(receipt_leaf "$1")" != - ]
}

# sent REFERENCE LEAF TEXT: a step with the leaf of its receipt too.
sent()
{
	wait_for "$PATIENCE" "the receipt of leaf $2" received "$2"
	step "$1" "$2" "$(printf '%7s  %s' "$(receipt_leaf "$2")" "$3")"
}

# What an adapter says of one case.
field()
{
	adapter "$1" show "$2" --json | jq -r "$3 // empty"
}

# ---- the region ----

enrol()
{
	adapter_make "$@"
	adapter_enrol "$1"
	adapter_start "$1"
	printf '%-22s  %-13s %s\n' "$3" "$2" "$4"
	printf '%-22s  %s\n' "" "$FINGERPRINT"
}

make_region()
{
	head_line "A training region on loopback: TCP with CURVE, realm training"
	broker_make
	broker_start
	printf 'authority   %s\n' \
	    "$("$B/kortelijn" authority fingerprint "$R/authority" --json |
	    jq -r .fingerprint)"
	printf 'broker      %s\n' "$ENDPOINT"
	printf 'log         %s\n' "$(kortelijn audit checkpoint --json |
	    jq -r .note | head -n 1)"
	head_line "Enrolled: each made its own keys; the card was issued after" \
	    "the fingerprint"
	enrol municipality municipality oin:00000001000000000001 \
	    "Meldpunt Twentestad"
	enrol partner partner kvk:90000001 "Kredietbank Twente"
	adapter_ready municipality partner
	set_profile
	enrol practice-1 practice agb:01000001 "Praktijk De Linde"
	enrol practice-2 practice agb:01000002 "Praktijk Het Veer"
	adapter_ready practice-1 practice-2
	show_profile
}

# What help to expect, signed by the desk.
set_profile()
{
	adapter "$DESK" profile \
	    "$ROOT/tests/data/municipality/profile.json" >/dev/null ||
	    die "profile"
}

show_profile()
{
	head_line "What the practice reads about the desk before it refers"
	wait_for "$PATIENCE" "the profile at the practice" \
	    adapter practice-1 profile oin:00000001000000000001
	adapter practice-1 profile oin:00000001000000000001 |
	    cut -c 1-80 | head -n 12
}

# ---- the loop ----

declare -A REF=() FROM=() LEVEL=() LEAF=()
PEOPLE=()

# send PRACTICE FILE KEY
send()
{
	local answer

	answer=$(refer "$1" "$1/$2") || die "refer $2: $answer"
	REF[$3]=$(jq -r .reference <<<"$answer")
	FROM[$3]=$1
	LEVEL[$3]=$(jq -r .consent.feedback_level "$R/$1/refer.json")
	PEOPLE+=("$3")
	LEAF[$3]=$(jq -r .leaf <<<"$answer")
	step "${REF[$3]}" "${LEAF[$3]}" \
	    "$1 refers, feedback level ${LEVEL[$3]}: accepted"
}

refuse_bsn()
{
	local answer

	if answer=$(refer practice-1 practice-1/jansen-with-bsn); then
		die "a file with a BSN was taken"
	fi
	REFUSED=$((REFUSED + 1))
	step "refused" - "practice-1: $(jq -r '"\(.code) at \(.field)"' \
	    <<<"$answer")"
	jq -r .nl <<<"$answer" | fold -s -w 50 | while read -r line; do
		printf '%29s%s\n' "" "$line"
	done
}
REFUSED=0

# What its practice shows of a case now.
shown()
{
	field "${FROM[$1]}" "${REF[$1]}" .state_nl
}

# The receipt: the desk's adapter opened it and signed that.
wait_delivered()
{
	local key

	for key in "${PEOPLE[@]}"; do
		wait_state "${FROM[$key]}" "${REF[$key]}" delivered
		step "${REF[$key]}" "$(receipt_leaf "${LEAF[$key]}")" \
		    "receipt signed; ${FROM[$key]} shows: $(shown "$key")"
	done
}

# How many steps of its history the practice has of this case.
steps()
{
	field "${FROM[$1]}" "${REF[$1]}" \
	    '[.history[] | select(.kind == "feedback")] | length'
}

# report KEY CODE: the desk reports; the practice shows what its level lets
# through.
# attempt KEY KIND PART: what the desk notes before not_reached; stays there.
attempt()
{
	adapter "$DESK" attempt "${REF[$1]}" --kind="$2" --part-of-day="$3" \
	    >/dev/null || die "attempt"
}

report()
{
	local key=$1 code=$2 answer before

	before=$(steps "$key")
	answer=$(adapter "$DESK" feedback "${REF[$key]}" "$code" --json) ||
	    die "feedback $code: $answer"
	if [ "$(jq -r .sends <<<"$answer")" != true ]; then
		step "${REF[$key]}" - "$(printf '%7s  %-17s %s' - "$code" \
		    "(not told at level ${LEVEL[$key]})")"
		return
	fi
	wait_for "$PATIENCE" "feedback at ${FROM[$key]}" \
	    more_steps "$key" "$before"
	sent "${REF[$key]}" "$(field "${FROM[$key]}" "${REF[$key]}" \
	    '.history[-1].leaf')" \
	    "$(printf '%-17s %s' "$code" "$(shown "$key")")"
}

more_steps()
{
	[ "$(steps "$1")" -gt "$2" ]
}

correct()
{
	local key=$1 file=$2

	jq --arg r "${REF[$key]}" '.correction_of = $r' \
	    "$ROOT/tests/data/$file.json" >"$R/correction.json"
	adapter "${FROM[$key]}" correct "$R/correction.json" >/dev/null ||
	    die "correct"
	wait_state "${FROM[$key]}" "${REF[$key]}" delivered
	sent "${REF[$key]}" "$(field "${FROM[$key]}" "${REF[$key]}" \
	    '[.history[] | select(.kind == "correction" and .what ==
	    "accepted")] | last | .leaf')" \
	    "${FROM[$key]} corrects the phone number"
}

run_loop()
{
	head_line "Referrals, each with the consent that its file states"
	columns "what happened"
	send practice-1 van-putten putten
	send practice-1 el-amrani amrani
	send practice-1 ten-cate-no-address cate
	refuse_bsn
	send practice-2 van-dijk-crisis dijk
	send practice-2 olcer-contact-person olcer
	send practice-2 kowalczyk kowalczyk
	head_line "At the desk: opened, checked, receipt signed"
	columns "what happened"
	wait_delivered
	adapter "$DESK" list | cut -c 1-80
	head_line "The desk takes them up and reports back"
	columns "receipt  desk reports      practice shows"
	for key in "${PEOPLE[@]}"; do
		report "$key" taken_up
	done
	for key in amrani dijk olcer kowalczyk; do
		report "$key" contact_made
	done
	head_line "One cannot be reached; a corrected phone number reopens it"
	report putten contact_attempted
	attempt putten phone morning
	attempt putten phone evening
	attempt putten sms afternoon
	report putten not_reached
	correct putten practice-1/van-putten-correction
	report putten taken_up
	report putten contact_made
	head_line "The rest of the way"
	for key in putten amrani dijk olcer kowalczyk; do
		report "$key" intake_started
	done
	for key in putten amrani dijk olcer kowalczyk; do
		report "$key" completed
	done
}

# ---- afterwards ----

show_end()
{
	head_line "What each practice shows now"
	adapter practice-1 list | cut -c 1-80
	adapter practice-2 list | cut -c 1-80
	head_line "The history of one referral, at the practice"
	adapter practice-1 show "${REF[putten]}" | cut -c 1-80
	head_line "The broker"
	kortelijn status | cut -c 1-80
	head_line "Head of the delivery log"
	kortelijn audit checkpoint | fold -w 80
}

# As an auditor has it: all hashes, records and checkpoints as files, verified
# with public keys alone.
show_log()
{
	local log

	log=$(kortelijn audit checkpoint | head -n 1)
	head_line "The delivery log as an auditor takes it away, and verified" \
	    "offline"
	kortelijn audit export "$R/audit" >/dev/null || die "audit export"
	"$B/kortelijn" audit verify "$R/audit" --config=/dev/null \
	    "--card=$R/broker/broker.card" "--authority=$R/authority" \
	    "--origin=$log" --language=en | cut -c 1-80
	[ "${PIPESTATUS[0]}" = 0 ] || die "the log does not verify"
	printf 'for people  %s\n' "$R/audit/index.html"
}

# What must not be anywhere at the broker: names, postcodes, phone numbers and
# e-mail addresses of the residents, of all files that went out.
canaries()
{
	jq -r '.referral | .name.family_name, .postcode, .phone, .email,
	    .contact_person.name, .contact_person.phone |
	    select(. != null)' "$ROOT"/tests/data/practice-*/*.json |
	    sort -u
}

# Data, logs, trace, and core files wherever a crash would leave them.
check_blind()
{
	local n cores

	head_line "No resident in any file of the broker"
	mapfile -t cores < <(compgen -G "$ROOT/core*")
	canaries >"$R/canaries"
	[ -s "$R/canaries" ] || die "no names to look for"
	# The search finds what is there: the practice's own input.
	grep -rqaF -f "$R/canaries" "$R/practice-1/refer.json" ||
	    die "the search finds nothing anywhere"
	n=$(find "$R/broker" "$R/broker-state" "$R/broker.log" \
	    "$R/broker.trace" "${cores[@]}" -type f 2>/dev/null | wc -l)
	# shellcheck disable=SC2046 # file names that the shell finds
	if grep -rlaF -f "$R/canaries" "$R/broker" "$R/broker-state" \
	    "$R/broker.log" "$R/broker.trace" "${cores[@]}" \
	    >"$R/found" 2>/dev/null; then
		die "found in: $(tr '\n' ' ' <"$R/found")"
	fi
	printf '%d strings looked for in %d files: none found\n' \
	    "$(wc -l <"$R/canaries")" "$n"
}

# "1 correction", "2 corrections".
number()
{
	printf '%d %s%s' "$1" "$2" "$([ "$1" -eq 1 ] || echo s)"
}

# Counted from what the practices' histories and the broker's log say.
count_history()
{
	local practice ref

	for practice in practice-1 practice-2; do
		for ref in $(adapter "$practice" list --json |
		    jq -r '.referrals[].reference // empty'); do
			adapter "$practice" show "$ref" --json
		done
	done | jq -r --slurp "$1"
}

last_line()
{
	local referrals corrections feedback receipts leaves

	referrals=$(count_history '[.[].history[] | select(.kind == "referral"
	    and .what == "accepted")] | length')
	corrections=$(count_history '[.[].history[] | select(.kind ==
	    "correction" and .what == "accepted")] | length')
	feedback=$(count_history '[.[].history[] | select(.kind == "feedback"
	    and .what == "received")] | length')
	receipts=$(grep -c '"ev":"delivered"' "$R/broker.trace")
	leaves=$(broker_status .leaves)
	say ""
	printf 'loop closed: %s, %s, %s, %s, %s, %s\n' \
	    "$(number "$referrals" referral)" \
	    "$(number "$corrections" correction)" \
	    "$(number "$feedback" "feedback message")" \
	    "$(number "$receipts" receipt)" \
	    "$(number "$REFUSED" refusal)" \
	    "$(number "$leaves" "log leave" | sed 's/leave$/leaf/')"
}

# ---- KEEP ----

# wrapper NAME PROGRAM CONFIG
wrapper()
{
	printf '#!/bin/sh\nexec %s "$@" --config=%s\n' "$2" "$3" \
	    >"$R/bin/$1"
	chmod 755 "$R/bin/$1"
}

# Days later, or after a restart, another process may have a number of ours.
stop_script()
{
	local name

	cat <<-END
	#!/bin/sh
	# Ends what the demo left running, and nothing that has its number now.
	end()
	{
		{ tr '\\0' ' ' <"/proc/\$1/cmdline" | grep -qF "$R/"; } \\
		    2>/dev/null && kill "\$1"
	}
	END
	for name in partner municipality practice-2 practice-1 broker; do
		printf 'end %d\n' "${PID[$name]}"
	done
	printf 'rm -f "%s/stop"\n' "$R"
}

keep_region()
{
	local name

	mkdir -p "$R/bin"
	wrapper kortelijn "$B/kortelijn" "$KORTELIJN_CONFIG"
	for name in practice-1 practice-2 municipality partner; do
		wrapper "$name" "$(adapter_program "$name")" \
		    "$R/$name/$name.conf"
	done
	# shellcheck disable=SC2016 # for the shell that reads it
	printf 'PATH=%s/bin:%s\nexport PATH\n' "$R" "\$PATH" >"$R/env"
	stop_script >"$R/stop"
	chmod 755 "$R/stop"
	PID=()
	cat <<-TRY

	Everything runs on in $R. Try:

	  . $R/env
	  kortelijn status                 the broker
	  kortelijn participant list       who takes part
	  practice-1 list                  a practice's referrals
	  practice-1 show ${REF[putten]}      one of them, step by step
	  municipality list                the desk's inbox
	  municipality show ${REF[kowalczyk]}    what the desk reads
	  cp FILE.json $R/practice-1/folder/in/
	  $R/stop      ends it
	TRY
}

say "Kortelijn, a closed loop on $DAY. Times are UTC; people are invented."
make_region
run_loop
show_end
show_log
check_blind
[ -z "$KEEP" ] || keep_region
last_line
