#!/bin/bash
# An auditor on another machine: a directory with keys that open with a
# passphrase, and questions over the network with the card of it.
. "$(dirname "$0")/lib.sh"

K=$B/kortelijn

# works COMMAND...: it ends with 0; what it says is in OUT.
works()
{
	OUT=$("$@" 2>&1) && return
	say "$*: $?: $OUT"
	return 1
}

# fails CODE TEXT COMMAND...: it ends with CODE and says TEXT.
fails()
{
	local code=$1 text=$2 r

	shift 2
	OUT=$("$@" 2>&1 </dev/null)
	r=$?
	[ "$r" -eq "$code" ] && grep -qF -- "$text" <<<"$OUT" && return
	say "$*: $r, not $code with '$text': $OUT"
	return 1
}

# auditor_make NAME ID [OPTION...]: the keys, and a card with these options.
auditor_make()
{
	local d=$R/$1 id=$2 fp

	shift 2
	works "$K" enrol request "$d" "--id=$id" "--name=Rekenkamer Twente" \
	    --role=auditor --realm=training "--passphrase-file=$R/words" ||
	    return 1
	fp=$("$K" enrol show "$d/request" --json | jq -r .fingerprint)
	works "$K" enrol issue "$d/request" "--authority=$R/authority" \
	    "--out=$d.card" "--fingerprint=$fp" "$@"
}

# auditor_setup NAME [OPTION...]: of an option that is there twice, the first
# counts.
auditor_setup()
{
	local d=$R/$1

	shift
	"$K" audit setup "$d" "$@" "--card=$d.card" \
	    "--broker-card=$R/broker/broker.card" \
	    "--authority=$R/authority" "--broker=$ENDPOINT" \
	    "--passphrase-file=$R/words"
}

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

region_begin
broker_make
(umask 077 && echo "vier woorden zonder verband" >"$R/words")

ok setup_says_what_is_missing setup_says_what_is_missing
ok setup_checks_every_paper setup_checks_every_paper
ok setup_checks_the_address setup_checks_the_address
ok setup_asks_for_the_passphrase setup_asks_for_the_passphrase
ok setup_pins_the_authority setup_pins_the_authority
ok other_commands_stay_on_this_machine other_commands_stay_on_this_machine

exit "$FAILED"
