#!/bin/bash
# Checkpoints and proofs of a real broker: what they show, who can check it,
# and that OpenSSL and Go say the same with nothing of ours.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

K=$B/kortelijn

# Somewhere else: public keys only, no configuration, no broker.
offline()
{
	"$K" audit verify "$@" "--vkey=$VKEY" "--witness=$WKEY" --language=en
}

proved()
{
	works offline "$@" --json &&
	    jq -e '.ok and all(.files[]; .proved)' <<<"$OUT" >/dev/null
}

# ---- what the broker hands out -------------------------------------------

checkpoint_is_of_this_broker()
{
	log_covered
	kortelijn audit checkpoint >"$R/first" &&
	    VKEY=$(kortelijn audit checkpoint --vkey) &&
	    ORIGIN=$(head -n 1 "$R/first") &&
	    [[ $VKEY == "$ORIGIN+"* ]] && proved "$R/first" &&
	    works kortelijn audit verify "$R/first" --language=en &&
	    grep -q "^$R/first: proved" <<<"$OUT"
}

every_record_of_a_case_is_proved()
{
	log_covered
	works kortelijn audit prove "$REF" "--out=$R/case" &&
	    [ "$(find "$R/case" -name '*.tlog-proof' | wc -l)" -ge 3 ] &&
	    proved "$R"/case/*.tlog-proof &&
	    jq -e '[.files[].checkpoint.size] | unique | length == 1' \
		<<<"$OUT" >/dev/null &&
	    jq -e '[.files[].record.leaf] | . == sort' <<<"$OUT" >/dev/null
}

one_event_is_one_proof()
{
	kortelijn audit prove "$REF" --event=accepted >"$R/accepted" &&
	    proved "$R/accepted" &&
	    jq -e '.files[0].record | .event == "accepted" and
		.org_from == "agb:01000001" and .kind == "referral"' \
		<<<"$OUT" >/dev/null &&
	    LEAF=$(jq '.files[0].record.leaf' <<<"$OUT") &&
	    kortelijn audit prove "$LEAF" >"$R/leaf" &&
	    proved "$R/leaf"
}

verify_says_what_when_and_by_whom()
{
	works offline "$R/accepted" &&
	    grep -q "record $LEAF: accepted, referral, " <<<"$OUT" &&
	    grep -q "from *agb:01000001" <<<"$OUT" &&
	    grep -q "to *oin:00000001000000000001" <<<"$OUT" &&
	    grep -q "log $ORIGIN" <<<"$OUT" &&
	    grep -q "witnessed by nobody" <<<"$OUT"
}

what_is_wrong_is_not_proved()
{
	sed "s/^index $LEAF\$/index $((LEAF + 1))/" "$R/accepted" >"$R/moved"
	sed 's/$/\r/' "$R/accepted" >"$R/crlf"
	fails 1 "NOT PROVED" offline "$R/moved" &&
	    fails 1 "NOT PROVED" offline "$R/crlf" &&
	    fails 4 "" offline "$R/nowhere" &&
	    fails 1 "another log" "$K" audit verify "$R/accepted" \
		--language=en "--card=$R/broker/broker.card" \
		"--authority=$R/authority" "--origin=${ORIGIN}X" &&
	    fails 2 "which log" "$K" audit verify "$R/accepted" \
		"--card=$R/broker/broker.card" "--authority=$R/authority" &&
	    works "$K" audit verify "$R/accepted" \
		"--card=$R/broker/broker.card" \
		"--authority=$R/authority" "--origin=$ORIGIN"
}

prove_says_what_it_cannot()
{
	fails 2 "what shall be proved" kortelijn audit prove &&
	    fails 2 "--out=DIR" kortelijn audit prove "$REF" &&
	    fails 2 "named by its number" kortelijn audit prove nonsense &&
	    fails 2 "10.7" kortelijn audit prove "$REF" --event=nonsense &&
	    fails 1 "no such record" kortelijn audit prove 999999 &&
	    fails 1 "witness" kortelijn audit prove "$LEAF" --witnessed &&
	    fails 4 "no checkpoint" kortelijn audit prove \
		"--from=$R/broker.txt"
}

log_continues_the_checkpoint_of_before()
{
	refer practice-1 practice-1/el-amrani >/dev/null || return 1
	log_covered
	kortelijn audit prove "--from=$R/first" >"$R/continues" &&
	    proved "$R/continues" "$R/first" &&
	    fails 1 "earlier one" offline "$R/continues" &&
	    works offline "$R/continues" "$R/first" &&
	    grep -q "the first $(sed -n 2p "$R/first") records have stayed" \
		<<<"$OUT"
}

# ---- a witness -----------------------------------------------------------

auditor()
{
	"$K" "$@" "--as=$R/auditor" "--passphrase-file=$R/words"
}

status_says_that_nobody_witnessed()
{
	kortelijn status --json | jq -e '.witnessed.overdue and
	    .witnessed.leaves == 0' >/dev/null
}

# Where the kernel lets us take it away.
no_network()
{
	if unshare -rn true 2>/dev/null; then
		unshare -rn "$@"
	else
		"$@"
	fi
}

# The file goes there and back by hand; the auditor's machine has no network.
witness_signs_without_a_network()
{
	kortelijn audit prove --from-size=0 >"$R/to-auditor" &&
	    works no_network "$K" audit witness "$R/to-auditor" \
		"--as=$R/auditor" "--passphrase-file=$R/words" \
		"--out=$R/cosigned" &&
	    proved "$R/cosigned" &&
	    jq -e '.files[0].witnesses[0].name ==
		"kvk-90000007/witness"' <<<"$OUT" >/dev/null &&
	    works kortelijn audit cosign "$R/cosigned" &&
	    kortelijn audit checkpoint --witnessed |
		cmp - "$R/cosigned" &&
	    kortelijn status --json | jq -e '.witnessed.overdue == false and
		.witnessed.by == ["kvk:90000007"]' >/dev/null
}

records_are_evidenced()
{
	kortelijn audit prove "$LEAF" --witnessed >"$R/evidenced" &&
	    proved "$R/evidenced" &&
	    jq -e '.files[0].witnesses | length == 1' <<<"$OUT" >/dev/null
}

witness_brings_its_line_over_the_network()
{
	refer practice-1 practice-1/ten-cate-no-address >/dev/null || return 1
	log_covered
	works auditor audit witness "--out=$R/cosigned.2" &&
	    kortelijn audit checkpoint --witnessed |
		cmp - "$R/cosigned.2" &&
	    ! cmp -s "$R/cosigned" "$R/cosigned.2"
}

# An old file, and a proof that begins elsewhere.
witness_does_not_go_back()
{
	fails 1 "NOT SIGNED" auditor audit witness "$R/to-auditor" &&
	    grep -q "evidence" <<<"$OUT" || return 1
	# A question is a leaf.
	kortelijn audit prove "$LEAF" >/dev/null
	log_covered
	kortelijn audit prove --from-size=2 >"$R/elsewhere" &&
	    fails 1 "begins at" auditor audit witness "$R/elsewhere"
}

cosign_takes_nothing_else()
{
	kortelijn audit checkpoint >"$R/unsigned"
	fails 1 "no line of an auditor" kortelijn audit cosign \
	    "$R/unsigned" &&
	    fails 1 "no checkpoint" kortelijn audit cosign "$R/accepted"
}

# ---- OpenSSL alone -------------------------------------------------------

# note_split FILE: what is signed in FILE.text, the Ed25519 signature of its
# first line in FILE.sig.
note_split()
{
	sed '/^$/,$d' "$1" >"$1.text"
	grep -a -m 1 "^— " "$1" | awk '{ print $3 }' |
	    openssl base64 -d -A | tail -c 64 >"$1.sig"
}

# The public key as OpenSSL reads it: 12 bytes before the 32 of the vkey.
pem_make()
{
	{
		printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'
		cut -d + -f 3- <<<"$VKEY" | openssl base64 -d -A |
		    tail -c 32
	} | openssl pkey -pubin -inform DER -out "$R/log.pem"
}

openssl_verifies()
{
	note_split "$1"
	openssl pkeyutl -verify -pubin -inkey "$R/log.pem" -rawin \
	    -in "$1.text" -sigfile "$1.sig" >/dev/null 2>&1
}

openssl_verifies_the_checkpoint()
{
	pem_make && openssl_verifies "$R/first" || return 1
	sed -i "2s/.*/1/" "$R/first.text"
	! openssl pkeyutl -verify -pubin -inkey "$R/log.pem" -rawin \
	    -in "$R/first.text" -sigfile "$R/first.sig" >/dev/null 2>&1
}

sha256()
{
	openssl dgst -sha256 -binary
}

unbase64()
{
	openssl base64 -d -A <<<"$1"
}

# The leaf from salt and record, then up the tree, hash by hash.
openssl_climbs_to_the_root()
{
	local f=$1 index last hash

	sed '1,/^$/d' "$f" >"$f.note"
	openssl_verifies "$f.note" || return 1
	index=$(awk '/^index / { print $2; exit }' "$f")
	last=$(($(sed -n 2p "$f.note") - 1))
	unbase64 "$(awk '/^extra / { print $2; exit }' "$f")" | sha256 \
	    >"$f.salted"
	{ printf '\0kortelijn/v1/leaf\0'; cat "$f.salted"; } | sha256 >"$f.h"
	sed '1,/^index /d; /^$/,$d' "$f" >"$f.hashes"
	while read -r hash; do
		unbase64 "$hash" >"$f.other"
		if [ $((index % 2)) -eq 0 ] && [ "$index" -ne "$last" ]; then
			{ printf '\1'; cat "$f.h" "$f.other"; } | sha256
		else
			{ printf '\1'; cat "$f.other" "$f.h"; } | sha256
		fi >"$f.next"
		mv "$f.next" "$f.h"
		while [ "$index" -eq "$last" ] && [ $((index % 2)) -eq 0 ] &&
		    [ "$index" -ne 0 ]; do
			index=$((index / 2))
			last=$((last / 2))
		done
		index=$((index / 2))
		last=$((last / 2))
	done <"$f.hashes"
	[ "$last" -eq 0 ] &&
	    [ "$(openssl base64 -A <"$f.h")" = "$(sed -n 3p "$f.note")" ]
}

openssl_verifies_the_inclusion()
{
	openssl_climbs_to_the_root "$R/accepted" || return 1
	! openssl_climbs_to_the_root "$R/moved"
}

# A witness signs the text behind two lines of its own.
openssl_verifies_the_witness()
{
	local f=$R/cosigned at

	{
		printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'
		cut -d + -f 3- <<<"$WKEY" | openssl base64 -d -A |
		    tail -c 32
	} | openssl pkey -pubin -inform DER -out "$R/witness.pem"
	grep -a "^— kvk-90000007/witness " "$f" | awk '{ print $3 }' |
	    openssl base64 -d -A >"$f.line"
	tail -c 64 "$f.line" >"$f.sig"
	at=$((16#$(tail -c +5 "$f.line" | head -c 8 | od -An -tx1 |
	    tr -d ' \n')))
	{
		printf 'cosignature/v1\ntime %s\n' "$at"
		sed '/^$/,$d' "$f"
	} >"$f.text"
	openssl pkeyutl -verify -pubin -inkey "$R/witness.pem" -rawin \
	    -in "$f.text" -sigfile "$f.sig" >/dev/null 2>&1
}

# ---- Go ------------------------------------------------------------------

go_make()
{
	command -v go >/dev/null &&
	    [ -d /usr/share/gocode/src/golang.org/x/mod/sumdb ] &&
	    GO111MODULE=off GOPATH=/usr/share/gocode \
		GOCACHE=$B/go-cache go build -o "$R/opinion" \
		"$ROOT/tests/support/opinion.go"
}

go_says()
{
	works "$R/opinion" "$@"
}

go_verifies_what_the_broker_handed_out()
{
	go_says checkpoint "$VKEY" "$R/first" &&
	    go_says checkpoint "$VKEY" "$R/cosigned" &&
	    go_says witness "$WKEY" "$R/cosigned" &&
	    go_says inclusion "$VKEY" "$R/accepted" &&
	    go_says inclusion "$VKEY" "$R/evidenced" &&
	    go_says consistency "$VKEY" "$R/continues" "$R/first"
}

go_refuses_what_we_refuse()
{
	! "$R/opinion" inclusion "$VKEY" "$R/moved" 2>/dev/null &&
	    ! "$R/opinion" checkpoint "$VKEY" "$R/accepted" 2>/dev/null &&
	    ! "$R/opinion" consistency "$VKEY" "$R/continues" "$R/cosigned" \
		2>/dev/null
}

# All sizes to 8 whole, and from there to 10,000 roots of all and proofs of
# some: byte for byte the same, and each verifies the other's.
trees_are_those_of_go()
{
	"$B/tests/support/trees" make 10000 "$RANDOM" >"$R/trees" &&
	    "$R/opinion" trees <"$R/trees" >"$R/trees.go" &&
	    cmp "$R/trees" "$R/trees.go" &&
	    works "$B/tests/support/trees" check <"$R/trees.go" &&
	    sed 's/^\(inclusion [0-9]* [0-9]* .*\)A\([^A]*\)$/\1B\2/' \
		"$R/trees" >"$R/trees.bad" &&
	    ! "$B/tests/support/trees" check <"$R/trees.bad" >/dev/null 2>&1
}

# ---- all of it -----------------------------------------------------------

region_begin
region_small
auditor_enrol auditor kvk:90000007 --reads=agb:01000001 || die "no auditor"
WKEY=$(auditor audit witness --vkey) || die "no key of the auditor"
ANSWER=$(refer practice-1 practice-1/van-putten) || die "refer: $ANSWER"
REF=$(jq -r .reference <<<"$ANSWER")
wait_state practice-1 "$REF" delivered

ok checkpoint_is_of_this_broker checkpoint_is_of_this_broker
ok every_record_of_a_case_is_proved every_record_of_a_case_is_proved
ok one_event_is_one_proof one_event_is_one_proof
ok verify_says_what_when_and_by_whom verify_says_what_when_and_by_whom
ok what_is_wrong_is_not_proved what_is_wrong_is_not_proved
ok prove_says_what_it_cannot prove_says_what_it_cannot
ok log_continues_the_checkpoint_of_before \
    log_continues_the_checkpoint_of_before
ok status_says_that_nobody_witnessed status_says_that_nobody_witnessed
ok witness_signs_without_a_network witness_signs_without_a_network
ok records_are_evidenced records_are_evidenced
ok witness_brings_its_line_over_the_network \
    witness_brings_its_line_over_the_network
ok witness_does_not_go_back witness_does_not_go_back
ok cosign_takes_nothing_else cosign_takes_nothing_else
if command -v openssl >/dev/null; then
	ok openssl_verifies_the_checkpoint openssl_verifies_the_checkpoint
	ok openssl_verifies_the_inclusion openssl_verifies_the_inclusion
	ok openssl_verifies_the_witness openssl_verifies_the_witness
else
	say "SKIPPED: OpenSSL's opinion: there is no openssl here"
fi
if go_make; then
	ok go_verifies_what_the_broker_handed_out \
	    go_verifies_what_the_broker_handed_out
	ok go_refuses_what_we_refuse go_refuses_what_we_refuse
	ok trees_are_those_of_go trees_are_those_of_go
else
	say "SKIPPED: Go's opinion: no go, or no" \
	    "golang-golang-x-mod-dev (sumdb) here"
fi
exit $FAILED
