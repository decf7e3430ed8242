#!/bin/bash
# An auditor on another machine: a directory with keys that open with a
# passphrase, and questions over the network with the card of it.
. "$(dirname "$0")/lib.sh"

K=$B/kortelijn

# ---- the directory -------------------------------------------------------

setup_says_what_is_missing()
{
	auditor_make auditor kvk:90000007 --reads=agb:01000001 || return 1
	fails 2 "--authority, --broker-card, --card, --broker" "$K" audit \
	    setup "$R/auditor" "--passphrase-file=$R/words" &&
	    fails 2 "missing: --card, --broker" "$K" audit setup \
		"$R/auditor" "--authority=$R/authority/authority.pub" \
		"--broker-card=$R/broker/broker.card" &&
	    fails 4 "no such directory" "$K" audit setup "$R/nowhere"
}

setup_checks_every_paper()
{
	local s=(auditor_setup auditor)

	"$K" authority init "$R/other" --realm=training >/dev/null || return 1
	fails 4 "not signed by this authority" "${s[@]}" \
	    "--authority=$R/other" || return 1
	fails 4 "not the card of a broker" "$K" audit setup "$R/auditor" \
	    "--card=$R/auditor.card" "--broker-card=$R/auditor.card" \
	    "--authority=$R/authority" "--broker=$ENDPOINT" || return 1
	fails 4 "not the card of an auditor" "$K" audit setup "$R/auditor" \
	    "--card=$R/broker/broker.card" \
	    "--broker-card=$R/broker/broker.card" \
	    "--authority=$R/authority" "--broker=$ENDPOINT" || return 1
	auditor_make second kvk:90000008 || return 1
	fails 4 "another identity.key" "$K" audit setup "$R/auditor" \
	    "--card=$R/second.card" "--broker-card=$R/broker/broker.card" \
	    "--authority=$R/authority" "--broker=$ENDPOINT" || return 1
	mv "$R/auditor/request" "$R/request"
	fails 4 "another transport.key" "$K" audit setup "$R/auditor" \
	    "--card=$R/second.card" "--broker-card=$R/broker/broker.card" \
	    "--authority=$R/authority" "--broker=$ENDPOINT" \
	    "--passphrase-file=$R/words" || return 1
	mv "$R/request" "$R/auditor/request"
	[ ! -e "$R/auditor/auditor.card" ] &&
	    [ ! -e "$R/auditor/authority.pub" ]
}

setup_checks_the_address()
{
	local a

	for a in "" 127.0.0.1:7700 tcp://127.0.0.1 tcp://:7700 tcp://a:b \
	    tcp://a:1,tcp://b:1,tcp://c:1,tcp://d:1,tcp://e:1 'tcp://a:1,'; do
		fails 2 "tcp://HOST:PORT" "$K" audit setup "$R/auditor" \
		    "--card=$R/auditor.card" \
		    "--broker-card=$R/broker/broker.card" \
		    "--authority=$R/authority" "--broker=$a" || return 1
	done
}

setup_asks_for_the_passphrase()
{
	(umask 077 && echo "een andere zin dan die" >"$R/other-words")
	fails 1 "wrong passphrase" auditor_setup auditor \
	    "--passphrase-file=$R/other-words" || return 1
	fails 2 "run it on a terminal" setsid -w "$K" audit setup \
	    "$R/auditor" "--card=$R/auditor.card" \
	    "--broker-card=$R/broker/broker.card" \
	    "--authority=$R/authority" "--broker=$ENDPOINT"
}

setup_pins_the_authority()
{
	works auditor_setup auditor || return 1
	grep -q "reads:.*agb:01000001" <<<"$OUT" &&
	    grep -q "$("$K" authority fingerprint "$R/authority" --json |
		jq -r .fingerprint)" <<<"$OUT" &&
	    fails 4 "another authority is pinned" auditor_setup auditor \
		"--authority=$R/other" &&
	    works "$K" audit setup "$R/auditor" \
		"--broker=tcp://127.0.0.1:1,$ENDPOINT" \
		"--passphrase-file=$R/words" &&
	    [ "$(wc -l <"$R/auditor/broker.address")" -eq 2 ] &&
	    works "$K" audit setup "$R/auditor" "--broker=$ENDPOINT" \
		"--passphrase-file=$R/words" --json &&
	    [ "$(jq -r .next_step <<<"$OUT")" != null ]
}

other_commands_stay_on_this_machine()
{
	fails 2 "--as is for" "$K" status "--as=$R/auditor"
}

# ---- another machine -----------------------------------------------------

# A network namespace, where one can be made; else another directory and
# nothing of this one's environment. FAR is the address of the broker there.
FAR_NS=
far_make()
{
	local ns=kl51-$$ link=k51$$ net=10.213.$(($$ % 250)).

	FAR=$ENDPOINT
	mkdir -p "$R/far"
	[ "$(id -u)" -eq 0 ] && ip netns add "$ns" 2>/dev/null || return 0
	FAR_NS=$ns
	if ip link add "$link" type veth peer name far0 netns "$ns" &&
	    ip addr add "${net}1/30" dev "$link" && ip link set "$link" up &&
	    ip -n "$ns" addr add "${net}2/30" dev far0 &&
	    ip -n "$ns" link set far0 up; then
		conf_set "$R/broker/kortelijnd.conf" broker listen \
		    "tcp://0.0.0.0:$PORT"
		FAR=tcp://${net}1:$PORT
		say "another machine: namespace $ns, the broker at $FAR"
	else
		far_end
	fi
} 2>/dev/null

far_end()
{
	local status=$?

	[ -z "$FAR_NS" ] || ip netns del "$FAR_NS" 2>/dev/null
	FAR_NS=
	return $status
}

# far COMMAND...: there.
far()
{
	local in=()

	[ -z "$FAR_NS" ] || in=(ip netns exec "$FAR_NS")
	(cd "$R/far" && exec "${in[@]}" env -i "PATH=$PATH" \
	    "ASAN_OPTIONS=$ASAN_OPTIONS" "$K" "$@" \
	    "--passphrase-file=$R/words" --config=/nowhere)
}

# query NAME [OPTION...]: as that auditor, one record a line.
query()
{
	local name=$1

	shift
	far audit query "--as=$R/$name" --json "$@"
}

# operator [OPTION...]: the same of the operator.
operator()
{
	kortelijn audit query --json "$@"
}

# Of which organisations the lines of standard input tell.
orgs()
{
	jq -r '.org_from, .org_to' | grep -v '^$' | sort -u
}

# ---- questions -----------------------------------------------------------

card_that_is_not_taken_up_is_told()
{
	fails 1 "enrol accept" query auditor
}

another_machine_asks()
{
	works kortelijn enrol accept "$R/auditor.card" || return 1
	query auditor >"$R/got" 2>"$R/err" || { cat "$R/err"; return 1; }
	[ "$(wc -l <"$R/got")" -gt 10 ] &&
	    jq -e .leaf <"$R/got" >/dev/null &&
	    grep -q '"referral"' "$R/got"
}

# All that concerns it, and nothing else but what concerns nobody.
card_that_names_one_organisation_reads_only_that()
{
	operator >"$R/all" 2>/dev/null || return 1
	grep -q agb:01000002 "$R/all" && ! grep -q agb:01000002 "$R/got" &&
	    jq -c 'select([.org_from, .org_to] | (contains(["agb:01000001"]) or
		. == ["", ""] or contains(["kvk:90000007"]))) | .leaf' \
		"$R/all" | sort >"$R/want" || return 1
	# What was logged after the answer.
	jq -c --argjson last "$(jq -s 'map(.leaf) | max' "$R/got")" \
	    'select(. <= $last)' "$R/want" >"$R/wanted"
	jq -c .leaf "$R/got" | sort | comm -3 - "$R/wanted" >"$R/differs"
	[ ! -s "$R/differs" ] || { cat "$R/differs"; return 1; }
}

every_question_is_a_leaf()
{
	local before after

	before=$(operator --event=query 2>/dev/null | grep -c kvk:90000007)
	query auditor --kind=feedback >/dev/null 2>&1 || return 1
	after=$(operator --event=query 2>/dev/null | grep -c kvk:90000007)
	[ "$after" -eq $((before + 1)) ]
}

wrong_passphrase_is_told()
{
	fails 1 "wrong passphrase" "$K" audit query "--as=$R/auditor" \
	    "--passphrase-file=$R/other-words"
}

# The key that signs as a witness need not be there.
transport_key_alone_is_enough()
{
	local status

	mv "$R/auditor/identity.key" "$R/identity.key" || return 1
	works query auditor --event=origin
	status=$?
	mv "$R/identity.key" "$R/auditor/identity.key" && return "$status"
}

two_at_once_are_refused()
{
	fails 1 "another command works with it" \
	    flock "$R/auditor/lock" "$K" audit query "--as=$R/auditor" \
	    "--passphrase-file=$R/words" || return 1
	works query auditor --event=origin
}

epoch_of()
{
	cut -d' ' -f3 "$R/$1/epoch"
}

every_session_has_an_epoch_of_its_own()
{
	local before

	before=$(epoch_of auditor)
	works query auditor --event=origin &&
	    [ "$(epoch_of auditor)" -gt "$before" ]
}

copy_of_a_directory_is_noticed()
{
	cp -a "$R/auditor" "$R/copy"
	works query copy --event=origin &&
	    fails 1 "--take-over" query auditor --event=origin || return 1
	works "$K" audit setup "$R/auditor" --take-over \
	    "--passphrase-file=$R/words" &&
	    works query auditor --event=origin &&
	    works query auditor --event=origin &&
	    fails 1 "--take-over" query copy --event=origin
}

broker_that_is_not_there_is_told()
{
	cp -a "$R/auditor" "$R/lost"
	echo tcp://127.0.0.1:1 >"$R/lost/broker.address"
	fails 3 "nobody answers" query lost
}

card_that_ended_is_told()
{
	auditor_make ended kvk:90000009 --reads=agb:01000001 \
	    "--from=$(date -u -d '9 days ago' +%F)" --days=2 || return 1
	works auditor_setup ended "--broker=$FAR" &&
	    grep -q "has ended" <<<"$OUT" || return 1
	kortelijn enrol accept "$R/ended.card" >/dev/null 2>&1
	fails 1 "has ended" query ended
}

# What else an auditor asks and takes home, all with the one card.
all_commands_ask_from_there()
{
	local reference as="--as=$R/auditor"

	reference=$(jq -r .reference "$R/sent")
	works far audit checkpoint "$as" &&
	    grep -q '^oin-00000009000000000001/log/' <<<"$OUT" &&
	    works far audit story "$reference" "$as" --language=en &&
	    grep -q agb:01000001 <<<"$OUT" &&
	    works far audit prove "$reference" "$as" "--out=$R/proofs" &&
	    works far audit verify "$R"/proofs/* "$as" &&
	    works far audit export "$R/export" "$as" &&
	    works far audit verify "$R/export" "$as" &&
	    works far report audit "$as" "--html=$R/report.html" &&
	    grep -q '</html>' "$R/report.html"
}

# readme WHO: the commands that README.md gives to them, with this region's
# realm and address.
readme()
{
	awk -v who="\`\`\`$1" '$0 == who { on = 1; next } /^```/ { on = 0 }
	    on' "$ROOT/README.md" | sed \
	    -e "s|^kortelijn |'$K' |" -e "s|--realm=production|--realm=training|" \
	    -e "s|tcp://broker.example:7700|$FAR|"
}

# Two directories: what the auditor has, and what the operator has.
readme_tells_how()
{
	local a=$R/readme o=$R/readme-operator first

	mkdir "$a" "$o" && ln -s "$R/authority" "$o/authority" || return 1
	first=$(readme auditor | head -n 1)
	[ "$(readme auditor | wc -l)" -eq 3 ] &&
	    [ "$(readme operator | wc -l)" -eq 2 ] || return 1
	(cd "$a" && eval "$first '--passphrase-file=$R/words'") \
	    >"$R/readme.said" || return 1
	cp "$a/audit/request" "$o/"
	# The last five letters, as they are read over the phone.
	readme operator | while read -r line; do
		(cd "$o" && awk '/^fingerprint:/ { n = length($2)
		    print substr($2, n - 5) }' "$R/readme.said" |
		    eval "$line '--config=$KORTELIJN_CONFIG'") || exit 1
	done >"$R/readme.issued" 2>&1 || return 1
	cp "$o/auditor.card" "$R/broker/broker.card" \
	    "$R/authority/authority.pub" "$a/"
	readme auditor | tail -n 2 | while read -r line; do
		(cd "$a" && eval "$line '--passphrase-file=$R/words'") ||
		    exit 1
	done >"$R/readme.got" 2>&1 &&
	    grep -q agb:01000001 "$R/readme.got"
}

# ---- while it works ------------------------------------------------------

# A query whose answers nobody takes yet stops at the second page or so.
slow_begin()
{
	rm -f "$R/pipe"
	mkfifo "$R/pipe"
	query auditor >"$R/pipe" 2>"$R/slow.err" &
	SLOW=$!
	exec 9<"$R/pipe"
	wait_for "$PATIENCE" "the first page" slow_asked "$1"
}

slow_asked()
{
	[ "$(operator --event=query 2>/dev/null | grep -c kvk:90000007)" \
	    -gt "$1" ]
}

slow_end()
{
	cat <&9 >"$R/slow"
	exec 9<&-
	wait "$SLOW"
}

asked()
{
	operator --event=query 2>/dev/null | grep -c kvk:90000007
}

query_goes_on_after_the_broker_started_again()
{
	local epoch

	epoch=$(epoch_of auditor)
	slow_begin "$(asked)"
	kill -KILL "$(broker_child core)" "$(broker_child edge)"
	wait_for "$PATIENCE" "the broker again" kortelijn status
	slow_end || { cat "$R/slow.err"; return 1; }
	# A second session in the same command.
	[ "$(epoch_of auditor)" -eq $((epoch + 2)) ] || return 1
	query auditor >"$R/again" 2>/dev/null || return 1
	# Nothing twice, nothing left out.
	jq -c .leaf "$R/slow" >"$R/slow.leaves"
	jq -c .leaf "$R/again" | head -n "$(wc -l <"$R/slow.leaves")" |
	    cmp - "$R/slow.leaves"
}

card_revoked_in_the_middle_ends_it()
{
	slow_begin "$(asked)"
	works kortelijn participant revoke kvk:90000007 --reason=left \
	    "--authority=$R/authority" || return 1
	! slow_end && grep -q "revoked" "$R/slow.err" &&
	    [ -s "$R/slow" ] &&
	    fails 1 "revoked" query auditor
}

# ---- a card that reads all -----------------------------------------------

all_needs_the_approval()
{
	auditor_make everything kvk:90000010 --reads-all || return 1
	SERIAL=$(awk '/^serial:/ { print $2 }' <<<"$OUT")
	works auditor_setup everything "--broker=$FAR" &&
	    works kortelijn enrol accept "$R/everything.card" || return 1
	query everything >"$R/got" 2>/dev/null || return 1
	[ -s "$R/got" ] && [ "$(orgs <"$R/got" | grep -v kvk:90000010 |
	    grep -vc oin:00000009000000000001)" -eq 0 ]
}

approval_opens_what_it_names()
{
	cat >"$R/approval" <<-END
	[card]
	auditor = kvk:90000010
	serial = $SERIAL

	[agb:01000002]
	approved_by = de praktijkhouder
	approved_on = $(date -u +%F)
	END
	works kortelijn enrol accept "$R/everything.card" \
	    "--approval=$R/approval" || return 1
	query everything >"$R/got" 2>/dev/null || return 1
	grep -q agb:01000002 "$R/got" && ! grep -q agb:01000001 "$R/got" &&
	    [ "$(operator --event=reads_all 2>/dev/null |
		grep -c kvk:90000010)" -eq 1 ]
}

# ---- a log that went back ------------------------------------------------

# Leaves under the checkpoint that this auditor saw last.
mark_size()
{
	sed -n 2p "$R/$1"/marks/*.note
}

# Every question is a leaf, which the next one finds under a checkpoint.
mark_grows()
{
	query everything --event=origin && query everything --event=origin &&
	    [ "$(mark_size everything)" -gt "$1" ]
}

# Store and mark are copied back together: the broker cannot see it itself.
log_that_went_back_raises_an_alarm()
{
	local evidence copied

	stop practice-1
	stop practice-2
	stop municipality
	stop broker
	cp -a "$R/broker-state" "$R/state.copy"
	broker_start
	# What the copy holds, which may be more than this auditor saw.
	copied=$(broker_status .leaves)
	wait_for "$PATIENCE" "a later checkpoint" mark_grows "$copied"
	stop broker
	rm -rf "$R/broker-state"
	cp -a "$R/state.copy" "$R/broker-state"
	broker_start
	fails 1 ALARM query everything --event=origin || return 1
	evidence=$(find "$R/everything/alarms" -name '*.note')
	[ "$(grep -c '^oin-00000009000000000001/log/' "$evidence")" -eq 2 ] &&
	    [ "$(grep -c '^$' "$evidence")" -eq 3 ] || return 1
	# Without a broker, and without a network.
	works far audit verify "$evidence" "--as=$R/everything" \
	    --language=en &&
	    [ "$(grep -c "signed by the broker" <<<"$OUT")" -eq 2 ] &&
	    grep -q "checkpoint of $(mark_size everything) records" \
		<<<"$OUT" || return 1
	# An honest broker has been shown it, and stands still.
	wait_for "$PATIENCE" "the broker to stop" not_running broker
	fails 3 "an alarm was raised before" query everything
}

not_running()
{
	! running "$1"
}

region_begin
broker_make
auditor_words
trap 'far_end; region_end' EXIT
far_make

ok setup_says_what_is_missing setup_says_what_is_missing
ok setup_checks_every_paper setup_checks_every_paper
ok setup_checks_the_address setup_checks_the_address
ok setup_asks_for_the_passphrase setup_asks_for_the_passphrase
ok setup_pins_the_authority setup_pins_the_authority
ok other_commands_stay_on_this_machine other_commands_stay_on_this_machine

broker_start
adapter_make practice-1 practice agb:01000001 "Praktijk De Linde"
adapter_make practice-2 practice agb:01000002 "Praktijk Het Veer"
adapter_make municipality municipality oin:00000001000000000001 \
    "Meldpunt Twentestad"
for a in practice-1 practice-2 municipality; do
	adapter_enrol "$a"
done
for a in municipality practice-1 practice-2; do
	adapter_start "$a"
done
adapter_ready practice-1 practice-2 municipality
# More than fits two pages and a pipe.
for i in 1 2 3 4 5 6 7 8 9 10; do
	refer practice-1 practice-1/van-putten ".referral_id = \"P1-$i\"" \
	    >"$R/sent" || die "refer: $(cat "$R/sent")"
	reference=$(jq -r .reference "$R/sent")
	wait_state municipality "$reference" delivered
	desk "$reference" taken_up contact_made intake_started completed
done
refer practice-2 practice-2/kowalczyk >/dev/null || die "refer"
works auditor_setup auditor "--broker=$FAR" || die "setup"

ok card_that_is_not_taken_up_is_told card_that_is_not_taken_up_is_told
ok another_machine_asks another_machine_asks
ok card_that_names_one_organisation_reads_only_that \
    card_that_names_one_organisation_reads_only_that
ok every_question_is_a_leaf every_question_is_a_leaf
ok wrong_passphrase_is_told wrong_passphrase_is_told
ok transport_key_alone_is_enough transport_key_alone_is_enough
ok two_at_once_are_refused two_at_once_are_refused
ok every_session_has_an_epoch_of_its_own every_session_has_an_epoch_of_its_own
ok all_commands_ask_from_there all_commands_ask_from_there
ok copy_of_a_directory_is_noticed copy_of_a_directory_is_noticed
ok broker_that_is_not_there_is_told broker_that_is_not_there_is_told
ok card_that_ended_is_told card_that_ended_is_told
ok readme_tells_how readme_tells_how
ok query_goes_on_after_the_broker_started_again \
    query_goes_on_after_the_broker_started_again
ok card_revoked_in_the_middle_ends_it card_revoked_in_the_middle_ends_it
ok all_needs_the_approval all_needs_the_approval
ok approval_opens_what_it_names approval_opens_what_it_names
ok log_that_went_back_raises_an_alarm log_that_went_back_raises_an_alarm

exit "$FAILED"
