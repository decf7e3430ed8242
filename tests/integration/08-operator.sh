#!/bin/bash
# The operator's command line: a region from nothing, its people in and out,
# what it answers when something is wrong, and how it prints.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

OUT=			# of the last command, both streams
ALL=			# everything that was ever printed

# run COMMAND...: keeps its output and its exit status in RUN.
run()
{
	OUT=$("$@" </dev/null 2>&1)
	RUN=$?
	ALL+=$OUT$'\n'
}

# fails STATUS WORD COMMAND...: with that status, and WORD in what it says.
fails()
{
	local status=$1 word=$2

	shift 2
	run "$@"
	if [ "$RUN" -eq "$status" ] && grep -q -- "$word" <<<"$OUT"; then
		return
	fi
	say "$*: $RUN, not $status with '$word': $OUT"
	return 1
}

works()
{
	run "$@"
	[ "$RUN" -eq 0 ] || {
		say "$*: $RUN: $OUT"
		return 1
	}
}

K=$B/kortelijn

# ---- authority and broker ----

authority_is_made_once()
{
	works "$K" authority init "$R/a" --realm=training || return 1
	cp "$R/a/authority.key" "$R/kept"
	fails 1 "stays as it is" "$K" authority init "$R/a" --realm=training &&
	    cmp -s "$R/kept" "$R/a/authority.key" &&
	    [ "$(stat -c %a "$R/a/authority.key")" = 600 ]
}

authority_prints_one_fingerprint()
{
	local f

	f=$("$K" authority fingerprint "$R/a" --json | jq -r .fingerprint)
	[[ $f =~ ^([0-9A-Z]{4}-){8}[0-9A-Z]$ ]] &&
	    works "$K" authority fingerprint "$R/broker" &&
	    ! grep -q "$f" <<<"$OUT" &&
	    works "$K" authority fingerprint "$R/a" && grep -q "$f" <<<"$OUT"
}

authority_wants_a_realm()
{
	fails 2 "--realm" "$K" authority init "$R/x" &&
	    fails 2 "realm" "$K" authority init "$R/x" --realm=playground &&
	    [ ! -e "$R/x" ]
}

broker_init_renews_the_card_and_keeps_the_rest()
{
	local before after

	before=$(cat "$R/broker/curve.key" "$R/broker/log.key" \
	    "$R/broker/kortelijnd.conf" | sha256sum)
	cp "$R/broker/broker.card" "$R/old.card"
	works "$K" broker init "$R/broker" --id=oin:00000009000000000001 \
	    --name="Broker Twente" --authority="$R/authority" || return 1
	after=$(cat "$R/broker/curve.key" "$R/broker/log.key" \
	    "$R/broker/kortelijnd.conf" | sha256sum)
	[ "$before" = "$after" ] && ! cmp -s "$R/old.card" \
	    "$R/broker/broker.card" && "$B/kortelijnd" --check \
	    --config="$KORTELIJN_CONFIG" >/dev/null
}

broker_init_names_what_is_wrong()
{
	local init=("$K" broker init "$R/x" --name=X)

	fails 2 "--id" "${init[@]}" "--authority=$R/authority" &&
	    fails 2 "id" "${init[@]}" "--authority=$R/authority" --id=oin:1 &&
	    fails 2 "--authority" "${init[@]}" \
		--id=oin:00000009000000000001 &&
	    fails 4 "nowhere" "${init[@]}" --id=oin:00000009000000000001 \
		"--authority=$R/nowhere" || return 1
	init+=(--id=oin:00000009000000000001 "--authority=$R/authority")
	fails 2 "tcp://" "${init[@]}" --endpoint=tcp://127.0.0.1:99999 &&
	    fails 2 "begin with /" "${init[@]}" --state=state &&
	    [ ! -e "$R/x" ]
}

# ---- enrolment ----

fingerprint()
{
	"$K" enrol show "$R/practice-1/request" --json | jq -r .fingerprint
}

issue()
{
	"$K" enrol issue "$R/practice-1/request" "--authority=$R/authority" \
	    "--out=$R/practice-1/card" "$@"
}

request_shows_who_asks()
{
	works "$K" enrol show "$R/practice-1/request" &&
	    grep -q "agb:01000001" <<<"$OUT" &&
	    grep -q "Praktijk De Linde" <<<"$OUT" &&
	    grep -q "practice" <<<"$OUT" && grep -q "$(fingerprint)" <<<"$OUT"
}

request_that_was_changed_is_refused()
{
	sed 's/A/B/g' "$R/practice-1/request" >"$R/changed"
	fails 4 "changed" "$K" enrol show "$R/changed" &&
	    fails 4 "changed" "$K" enrol issue "$R/changed" \
		"--authority=$R/authority" --fingerprint=X &&
	    fails 4 "nowhere" "$K" enrol show "$R/nowhere"
}

auditor_asks_without_an_adapter()
{
	local ask=("$K" enrol request "$R/auditor" --id=kvk:90000007
		"--name=Rekenkamer Twente" --role=auditor --realm=training
		"--passphrase-file=$R/words")
	local first

	(umask 077 && echo "vier woorden zonder verband" >"$R/words")
	works "${ask[@]}" && grep -q "next step" <<<"$OUT" || return 1
	first=$("${ask[@]}" --json | jq -r .fingerprint)
	works "$K" enrol show "$R/auditor/request" &&
	    grep -q "$first" <<<"$OUT" && grep -q auditor <<<"$OUT" &&
	    [ "$(stat -c %a "$R/auditor/identity.key")" = 600 ] &&
	    grep -q "^kortelijn-sealed-v1 identity " \
		"$R/auditor/identity.key" &&
	    grep -q "^kortelijn-sealed-v1 transport " \
		"$R/auditor/transport.key" &&
	    works "$K" enrol issue "$R/auditor/request" \
		"--authority=$R/authority" "--out=$R/auditor/card" \
		"--fingerprint=$first" --reads=agb:01000001 &&
	    fails 2 "needs --role" "$K" enrol request "$R/auditor" \
		--id=kvk:90000007 --name=x --realm=training &&
	    fails 2 "broker init" "$K" enrol request "$R/auditor" \
		--id=kvk:90000007 --name=x --role=broker --realm=training &&
	    fails 2 "not an id" "$K" enrol request "$R/auditor" --id=kvk:1 \
		--name=x --role=auditor --realm=training
}

auditor_has_a_passphrase()
{
	local ask=("$K" enrol request "$R/auditor" --id=kvk:90000007
		"--name=Rekenkamer Twente" --role=auditor --realm=training)

	(umask 077 && echo "een andere zin dan die" >"$R/other" &&
	    echo "te kort" >"$R/short")
	fails 1 "wrong passphrase" "${ask[@]}" "--passphrase-file=$R/other" &&
	    fails 2 "run it on a terminal" setsid -w "${ask[@]}" &&
	    fails 2 "at least 12" "$K" enrol request "$R/auditor-2" \
		--id=kvk:90000007 --name=x --role=auditor --realm=training \
		"--passphrase-file=$R/short" || return 1
	chmod 644 "$R/words"
	fails 4 "chmod 600" "${ask[@]}" "--passphrase-file=$R/words" &&
	    works "$K" enrol request "$R/plain" --id=kvk:90000007 --name=x \
		--role=partner --realm=training &&
	    fails 4 "without a passphrase" "$K" enrol request "$R/plain" \
		--id=kvk:90000007 --name=x --role=auditor --realm=training \
		"--passphrase-file=$R/other"
}

card_needs_the_right_fingerprint()
{
	fails 1 "other" "$K" enrol issue "$R/practice-1/request" \
	    "--authority=$R/authority" "--out=$R/practice-1/card" \
	    --fingerprint=AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-A &&
	    fails 1 "not confirmed" issue && [ ! -e "$R/practice-1/card" ]
}

# Nobody types it here, but where it is piped in it is read.
whole_fingerprint_is_never_asked_back()
{
	run issue
	! grep -q "$(fingerprint)" <<<"$OUT"
}

card_is_issued_with_its_term()
{
	local days

	works issue "--fingerprint=$(fingerprint)" --days=30 || return 1
	days=$(issue "--fingerprint=$(fingerprint | tr -d - |
	    tr '[:upper:]' '[:lower:]')" --days=30 --json |
	    jq -r .valid_until)
	[ "$(date -u -d "$days" +%F)" = "$(date -u -d '30 days' +%F)" ]
}

card_options_are_checked()
{
	local f

	f=--fingerprint=$(fingerprint)
	fails 2 "--days" issue "$f" --days=0 &&
	    fails 2 "--days" issue "$f" --days=many &&
	    fails 2 "--from" issue "$f" --from=tomorrow &&
	    fails 2 "auditor" issue "$f" --reads-all &&
	    fails 2 "another" issue "$f" --succeeds=agb:01000001 &&
	    fails 2 "other" issue "$f" --other=1 &&
	    fails 2 "--authority" "$K" enrol issue "$R/practice-1/request"
}

card_of_another_authority_is_refused()
{
	"$K" enrol issue "$R/practice-1/request" "--authority=$R/a" \
	    "--fingerprint=$(fingerprint)" "--out=$R/foreign" >/dev/null
	fails 1 "signature" kortelijn enrol accept "$R/foreign" &&
	    ! ls "$R"/broker/cards/*.card 2>/dev/null
}

card_is_kept_for_a_broker_that_does_not_run()
{
	issue "--fingerprint=$(fingerprint)" >/dev/null || return 1
	works kortelijn enrol accept "$R/practice-1/card" --json &&
	    [ "$(jq -r .effective <<<"$OUT")" = "when the broker starts" ] &&
	    ls "$R"/broker/cards/agb-01000001*.card >/dev/null
}

card_counts_at_once_in_a_running_broker()
{
	adapter municipality init "--out=$R/municipality/request" >/dev/null
	"$K" enrol issue "$R/municipality/request" \
	    "--authority=$R/authority" "--out=$R/municipality/card" \
	    "--fingerprint=$("$K" enrol show "$R/municipality/request" \
	    --json | jq -r .fingerprint)" >/dev/null || return 1
	works kortelijn enrol accept "$R/municipality/card" --json &&
	    [ "$(jq -r .effective <<<"$OUT")" = now ] &&
	    works kortelijn participant show oin:00000001000000000001
}

# ---- participants ----

list_shows_everybody()
{
	works kortelijn participant list || return 1
	grep -q "agb:01000001 *practice *valid" <<<"$OUT" &&
	    grep -q "oin:00000009000000000001 *broker *valid" <<<"$OUT" &&
	    [ "$(kortelijn participant list --json |
	    jq '.participants | length')" -ge 3 ]
}

show_tells_one_or_says_that_there_is_none()
{
	[ "$(kortelijn participant show agb:01000001 --json |
	    jq -r .card_1.state)" = valid ] &&
	    fails 1 "no card" kortelijn participant show agb:09999999
}

revocation_counts_at_once()
{
	works kortelijn participant revoke agb:01000001 --reason=left \
	    "--authority=$R/authority" --json &&
	    [ "$(jq -r .effective <<<"$OUT")" = now ] &&
	    [ "$(kortelijn participant show agb:01000001 --json |
	    jq -r .card_1.state)" = revoked ]
}

revocation_outlives_the_broker()
{
	stop broker
	broker_start
	[ "$(kortelijn participant show agb:01000001 --json |
	    jq -r .card_1.state)" = revoked ]
}

revocation_names_what_is_wrong()
{
	local revoke=(kortelijn participant revoke)

	fails 2 "--reason" "${revoke[@]}" agb:01000001 \
	    "--authority=$R/authority" &&
	    fails 2 "replaced" "${revoke[@]}" agb:01000001 --reason=angry \
		"--authority=$R/authority" &&
	    fails 2 "--authority" "${revoke[@]}" agb:01000001 \
		--reason=left &&
	    fails 2 "not an id" "${revoke[@]}" practice --reason=left \
		"--authority=$R/authority" &&
	    fails 1 "no card" "${revoke[@]}" agb:09999999 --reason=left \
		"--authority=$R/authority"
}

# ---- status, checkpoint, store ----

status_tells_how_it_fares()
{
	works kortelijn status && grep -q "training" <<<"$OUT" &&
	    grep -q "^started: *20[0-9][0-9]-" <<<"$OUT" || return 1
	kortelijn status --json | jq -e '.ok and .participants >= 3 and
	    .leaves >= 3 and .not_reported_in == [] and
	    .started_ms > 0 and .started_ms <= .now_ms' >/dev/null
}

checkpoint_is_a_signed_note()
{
	works kortelijn audit checkpoint &&
	    grep -q "^oin-00000009000000000001/log/" <<<"$OUT" &&
	    grep -q "^— oin-00000009000000000001/log/" <<<"$OUT"
}

store_is_not_given_up_while_it_is_there()
{
	fails 1 "runs" kortelijn origin new --reason=test --yes || return 1
	stop broker
	fails 1 "is there" kortelijn origin new --reason=test --yes &&
	    fails 2 "--reason" kortelijn origin new --yes
}

# Without a store nothing starts; with the operator's word a new origin does,
# and says who is missing.
new_store_names_who_has_not_reported_in()
{
	rm "$R/broker-state/data.mdb"
	"$B/kortelijnd" --config="$KORTELIJN_CONFIG" >/dev/null 2>&1
	[ $? -eq 3 ] || return 1
	fails 4 "no checkpoint" kortelijn origin new --reason=disk --yes \
	    "--checkpoint=$R/broker/broker.card" || return 1
	fails 1 "nothing was changed" kortelijn origin new --reason=disk &&
	    works kortelijn origin new --reason=disk --yes || return 1
	broker_start
	[ "$(broker_status '.not_reported_in | sort | join(" ")')" = \
	    "agb:01000001 agb:01000002 oin:00000001000000000001" ] &&
	    works kortelijn status &&
	    grep -q "oin:00000001000000000001" <<<"$OUT"
}

# Whom to call on that day: of a practice no signed paper says it.
contact_is_kept_and_shown_after_a_loss()
{
	local c=$R/broker/contacts

	works kortelijn participant contact agb:01000001 "+31 53 1234567" &&
	    works kortelijn participant contact agb:01000002 053-7654321 &&
	    works kortelijn participant contact agb:01000001 \
		"(053) 111 22 33" &&
	    [ "$(sort "$c")" = "agb:01000001 (053) 111 22 33
agb:01000002 053-7654321" ] &&
	    [ "$(stat -c %a "$c")" = 600 ] || return 1
	fails 2 "no phone number" kortelijn participant contact \
	    agb:01000001 "call me" &&
	    fails 2 "no phone number" kortelijn participant contact \
		agb:01000001 "1+1" &&
	    fails 2 "no participant" kortelijn participant contact \
		agb:1 053-1234567 || return 1
	works kortelijn status && grep -q \
	    "agb:01000001 .*missing .*(053) 111 22 33" <<<"$OUT" &&
	    grep -q "unknown: .*withdrawn" <<<"$OUT" || return 1
	works kortelijn participant contact agb:01000001 &&
	    [ "$(cat "$c")" = "agb:01000002 053-7654321" ] &&
	    works kortelijn status &&
	    ! grep -q "(053) 111 22 33" <<<"$OUT"
}

# log.mark, the export, what is handed in: the newest is named, with its star.
origin_new_says_what_it_found()
{
	local state=$R/broker-state

	kortelijn audit checkpoint >"$R/early.note" &&
	    kortelijn export now >/dev/null || return 1
	stop broker
	rm "$state/data.mdb"
	fails 1 "nothing was changed" kortelijn origin new --reason=disk \
	    "--checkpoint=$R/early.note" || return 1
	grep -q "^  \* log.mark of this machine" <<<"$OUT" &&
	    grep -q "^    newest export  *[0-9]* leaves" <<<"$OUT" &&
	    grep -q "^    --checkpoint  *[0-9]* leaves" <<<"$OUT" &&
	    grep -q "shown by a participant  *none" <<<"$OUT" &&
	    grep -q "stop the other machine" <<<"$OUT" || return 1
	mv "$state" "$state.kept" && mkdir -m 700 "$state" || return 1
	works kortelijn origin new --reason=disk --yes &&
	    grep -q "None was found" <<<"$OUT" || return 1
	cp -r "$state.kept/export" "$state/" &&
	    kortelijn origin new --reason=disk --yes --json |
	    jq -e '.found.export.leaves == .after_leaves and
		.found.log_mark == null' >/dev/null || return 1
	broker_start
	[ ! -e "$R/broker/last-checkpoint" ] &&
	    broker_status '.loss.previous_leaves' | grep -q "^[1-9]"
}

# The whole machine is gone, and the operator has a print of the last one.
new_log_names_the_checkpoint_that_was_kept()
{
	kortelijn audit checkpoint >"$R/kept.note" || return 1
	stop broker
	rm -r "$R/broker-state"
	works kortelijn origin new --reason=fire --yes \
	    "--checkpoint=$R/kept.note" || return 1
	# Once more, without it or with an older one: it stays the newest.
	works kortelijn origin new --reason=fire --yes &&
	    grep -q "^  \* of an 'origin new' before" <<<"$OUT" &&
	    works kortelijn origin new --reason=fire --yes \
		"--checkpoint=$R/early.note" &&
	    grep -q "^  \* of an 'origin new' before" <<<"$OUT" || return 1
	broker_start
	[ ! -e "$R/broker/last-checkpoint" ] &&
	    grep -q "$(head -n 1 "$R/kept.note")" \
		"$R/broker-state/data.mdb"
}

# ---- form ----

help_knows_every_command()
{
	local name

	works "$K" help || return 1
	while read -r name; do
		# shellcheck disable=SC2086
		works "$K" help $name && grep -q "^usage: kortelijn $name" \
		    <<<"$OUT" || return 1
	done < <("$K" help | sed -n 's/^  \([a-z]*\( [a-z]*\)\?\)  .*/\1/p')
	fails 2 "no such command" "$K" help nonsense
}

wrong_usage_is_told()
{
	fails 2 "usage" "$K" && fails 2 "no such command" "$K" nonsense &&
	    fails 2 "usage" "$K" enrol show &&
	    fails 2 "one argument too many" "$K" enrol show a b &&
	    fails 2 "nonsense" kortelijn status --nonsense &&
	    fails 2 "too long" "$K" status \
		--socket="/$(printf 'x%.0s' {1..200})" &&
	    works "$K" --version && works "$K" --help
}

missing_broker_is_told()
{
	fails 3 "not running" "$K" status "--socket=$R/nowhere.sock" &&
	    fails 4 "nowhere.conf" "$K" status "--config=$R/nowhere.conf" &&
	    fails 3 "not running" "$K" participant list \
		"--socket=$R/nowhere.sock"
}

# One object on standard output, whatever happens.
json_answers_always()
{
	local answer

	for answer in \
	    "$(kortelijn status --json)" \
	    "$(kortelijn participant list --json)" \
	    "$(kortelijn participant show agb:01000001 --json)" \
	    "$(kortelijn audit checkpoint --json)" \
	    "$("$K" authority fingerprint "$R/a" --json)" \
	    "$("$K" enrol show "$R/practice-1/request" --json)"; do
		jq -e '.ok == true' <<<"$answer" >/dev/null || {
			say "$answer"
			return 1
		}
	done
	for answer in \
	    "$("$K" status --json "--socket=$R/nowhere" 2>/dev/null)" \
	    "$(kortelijn participant show agb:0 --json 2>/dev/null)" \
	    "$("$K" enrol show "$R/nowhere" --json 2>/dev/null)" \
	    "$("$K" nonsense --json 2>/dev/null)"; do
		jq -e '.ok == false and .exit > 0 and (.text | length > 0)' \
		    <<<"$answer" >/dev/null || {
			say "$answer"
			return 1
		}
	done
}

# Names as long as a card may have them.
tables_fit_eighty_columns()
{
	local name wide

	name=$(printf 'Huisartsenpraktijk %.0s' {1..5})
	adapter_make practice-2 practice agb:01000002 "$name"
	adapter_enrol practice-2
	run kortelijn participant list
	run kortelijn participant show agb:01000002
	run kortelijn status
	run "$K" enrol show "$R/practice-2/request"
	wide=$({ kortelijn participant list
	    kortelijn participant show agb:01000002
	    kortelijn status
	    "$K" enrol show "$R/practice-2/request"
	    "$K" help
	    for name in "authority init" "authority fingerprint" \
		"broker init" "enrol show" "enrol issue" "enrol accept" \
		"participant list" "participant show" "participant revoke" \
		"participant contact" \
		status "audit checkpoint" "audit prove" "audit verify" \
		"audit witness" "audit cosign" "origin new" "export now" \
		"export list" "export open" help; do
		    # shellcheck disable=SC2086
		    "$K" help $name
	    done; } | LC_ALL=C.UTF-8 awk 'length > 80')
	[ -z "$wide" ] || {
		say "$wide"
		return 1
	}
}

# ALL holds what every command above has printed.
# starts_not WORD: the broker stops for an operator and says WORD.
starts_not()
{
	fails 3 "$1" timeout 30 "$B/kortelijnd" "--config=$KORTELIJN_CONFIG"
}

# What is damaged is named with the way out, and never begun anew by itself.
damaged_store_names_the_way_out()
{
	stop broker
	mv "$R/broker-state/slots" "$R/slots"
	starts_not "kortelijn origin new" || return 1
	mv "$R/slots" "$R/broker-state/slots"
	cp "$R/broker-state/data.mdb" "$R/data.mdb"
	printf '%8192s' x | dd of="$R/broker-state/data.mdb" conv=notrunc \
	    2>/dev/null
	starts_not "kortelijn origin new" || return 1
	mv "$R/data.mdb" "$R/broker-state/data.mdb"
	broker_start
}

check_wants_the_card()
{
	mv "$R/broker/broker.card" "$R/card.away"
	fails 3 "broker.card" "$B/kortelijnd" "--config=$KORTELIJN_CONFIG" \
	    --check || return 1
	mv "$R/card.away" "$R/broker/broker.card"
	works "$B/kortelijnd" "--config=$KORTELIJN_CONFIG" --check
}

missing_revocations_are_told()
{
	stop broker
	mv "$R/broker/revocations" "$R/revocations"
	: >"$R/broker.log"
	broker_start
	mv "$R/revocations" "$R/broker/revocations"
	grep -q 'directory_missing of="revocations"' "$R/broker.log"
}

no_secret_is_ever_printed()
{
	local file secret

	for file in "$R"/authority/authority.key "$R"/a/authority.key \
	    "$R"/broker/*.key "$R"/practice-1/keys/*; do
		[ -f "$file" ] || continue
		secret=$(awk '/-secret-/ { print $NF }' "$file")
		[ -n "$secret" ] || continue
		! grep -qF -- "$secret" <<<"$ALL" &&
		    ! grep -qF -- "${secret:4:24}" <<<"$ALL" || return 1
	done
}

region_begin
broker_make
adapter_make practice-1 practice agb:01000001 "Praktijk De Linde"
adapter_make municipality municipality oin:00000001000000000001 \
    "Meldpunt Twentestad"
adapter practice-1 init "--out=$R/practice-1/request" >/dev/null ||
    die "practice-1: init"

ok authority_is_made_once authority_is_made_once
ok authority_prints_one_fingerprint authority_prints_one_fingerprint
ok authority_wants_a_realm authority_wants_a_realm
ok broker_init_renews_the_card_and_keeps_the_rest \
    broker_init_renews_the_card_and_keeps_the_rest
ok broker_init_names_what_is_wrong broker_init_names_what_is_wrong
ok request_shows_who_asks request_shows_who_asks
ok request_that_was_changed_is_refused request_that_was_changed_is_refused
ok auditor_asks_without_an_adapter auditor_asks_without_an_adapter
ok auditor_has_a_passphrase auditor_has_a_passphrase
ok card_needs_the_right_fingerprint card_needs_the_right_fingerprint
ok whole_fingerprint_is_never_asked_back whole_fingerprint_is_never_asked_back
ok card_is_issued_with_its_term card_is_issued_with_its_term
ok card_options_are_checked card_options_are_checked
ok card_of_another_authority_is_refused card_of_another_authority_is_refused
ok card_is_kept_for_a_broker_that_does_not_run \
    card_is_kept_for_a_broker_that_does_not_run
broker_start
ok card_counts_at_once_in_a_running_broker \
    card_counts_at_once_in_a_running_broker
ok list_shows_everybody list_shows_everybody
ok show_tells_one_or_says_that_there_is_none \
    show_tells_one_or_says_that_there_is_none
ok status_tells_how_it_fares status_tells_how_it_fares
ok checkpoint_is_a_signed_note checkpoint_is_a_signed_note
ok tables_fit_eighty_columns tables_fit_eighty_columns
ok json_answers_always json_answers_always
ok help_knows_every_command help_knows_every_command
ok wrong_usage_is_told wrong_usage_is_told
ok missing_broker_is_told missing_broker_is_told
ok revocation_names_what_is_wrong revocation_names_what_is_wrong
ok revocation_counts_at_once revocation_counts_at_once
ok revocation_outlives_the_broker revocation_outlives_the_broker
ok store_is_not_given_up_while_it_is_there \
    store_is_not_given_up_while_it_is_there
ok new_store_names_who_has_not_reported_in \
    new_store_names_who_has_not_reported_in
ok contact_is_kept_and_shown_after_a_loss \
    contact_is_kept_and_shown_after_a_loss
ok origin_new_says_what_it_found origin_new_says_what_it_found
ok new_log_names_the_checkpoint_that_was_kept \
    new_log_names_the_checkpoint_that_was_kept
ok damaged_store_names_the_way_out damaged_store_names_the_way_out
ok check_wants_the_card check_wants_the_card
ok missing_revocations_are_told missing_revocations_are_told
ok no_secret_is_ever_printed no_secret_is_ever_printed

exit "$FAILED"
