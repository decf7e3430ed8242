#!/bin/bash
# The log is asked, over the network with an auditor's card and on the
# broker's machine: what is answered is what the store holds, to whom it may
# be told, while messages go on; and every question is a record.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

K=$B/kortelijn
RECORDS=20000
ANSWERS=1000
ORG=agb:00099999		# of the records that are filled in

# as NAME OPTION...: one record a line; what it says besides is in told.
as()
{
	local who=$1

	shift
	"$K" audit query "--as=$R/$who" "--passphrase-file=$R/words" --json \
	    "$@" 2>"$R/told"
}

operator()
{
	kortelijn audit query --json "$@" 2>"$R/told"
}

leaves()
{
	jq -r .leaf "$1"
}

# What the store holds, as another program reads it, of what $1 selects.
expect()
{
	jq -c "select($1) | .leaf" "$R/dump" >"$R/expected"
}

# same FILE: its leaves are the expected ones, up to where the dump ends.
same()
{
	[ -s "$R/expected" ] &&
	    diff "$R/expected" <(leaves "$1" | awk "\$1 < $DUMPED")
}

# What stands in the log of the broker, which is stopped for it.
dump()
{
	"$B/tests/support/logdump" "$KORTELIJN_CONFIG" >"$R/dump" || return 1
	DUMPED=$(wc -l <"$R/dump")
	broker_start
}

# ---- what is answered ----------------------------------------------------

an_operator_reads_all()
{
	operator >"$R/every" && expect true && same "$R/every"
}

an_auditor_reads_what_its_card_names()
{
	as auditor >"$R/mine" &&
	    expect ".org_from == \"$ORG\" or .org_to == \"$ORG\" or
		.org_from == \"kvk:90000007\" or
		(.org_from == \"\" and .org_to == \"\" and
		.event != \"query\")" && same "$R/mine"
}

filters_find_what_they_name()
{
	as auditor "--sender=$ORG" --event=accepted >"$R/found" &&
	    expect ".org_from == \"$ORG\" and .event == \"accepted\"" &&
	    same "$R/found" && [ "$(wc -l <"$R/found")" -eq "$ANSWERS" ] &&
	    operator --kind=feedback --event=delivered >"$R/found" &&
	    expect '.kind == "feedback" and .event == "delivered"' &&
	    same "$R/found"
}

# What stands on paper, and the id of the adapters.
a_reference_finds_the_conversation()
{
	local spoken conv

	spoken=$(jq -r .reference "$R/referred") &&
	    conv=$(kortelijn subject export "$spoken" --json |
		jq -r .conversation.conv_id) &&
	    operator "--reference=$spoken" --event=accepted >"$R/found" &&
	    [ "$(wc -l <"$R/found")" -eq 1 ] &&
	    operator "--reference=$conv" --event=accepted >"$R/again" &&
	    cmp -s "$R/found" "$R/again"
}

# The same words for what is not there and for what is not his.
nothing_is_told_of_others()
{
	local spoken

	spoken=$(jq -r .reference "$R/referred")
	! as auditor "--reference=$spoken" >"$R/found" || return 1
	cat "$R/told" >>"$R/found"
	! as auditor --reference=0000-0000-0 >"$R/none" || return 1
	cat "$R/told" >>"$R/none"
	[ -s "$R/found" ] && cmp "$R/found" "$R/none"
}

every_question_is_a_record()
{
	local n

	n=$(jq -s 'map(select(.event == "query" and
	    .org_from == "kvk:90000007")) | length' "$R/dump")
	as auditor --event=origin >"$R/found" || return 1
	stop broker
	dump || return 1
	[ "$(jq -s 'map(select(.event == "query" and
	    .org_from == "kvk:90000007")) | length' "$R/dump")" \
	    -gt "$n" ]
}

# ---- meanwhile -----------------------------------------------------------

ask_on()
{
	while [ ! -e "$R/enough" ]; do
		as auditor "--sender=$ORG" >"$R/streamed" || return 1
		echo >>"$R/asked"
	done
}

messages_go_on_while_it_streams()
{
	local asker who r=0

	ask_on 2>"$R/asker.err" &
	asker=$!
	for who in el-amrani ten-cate-no-address; do
		refer practice-1 "practice-1/$who" >"$R/referred-$who" &&
		    wait_state practice-1 "$(jq -r .reference \
			"$R/referred-$who")" delivered || r=1
	done
	: >"$R/enough"
	wait "$asker" || { cat "$R/asker.err"; return 1; }
	[ "$r" -eq 0 ] && [ -s "$R/asked" ] &&
	    [ "$(wc -l <"$R/streamed")" -ge "$ANSWERS" ]
}

# ---- all -----------------------------------------------------------------

card_serial()
{
	kortelijn participant list --json | jq -r --arg id "$1" \
	    '.participants[] | select(.id == $id) | .serial'
}

all_is_nobody_without_an_approval()
{
	kortelijn status --json | jq -r '.reads_all[]' |
	    grep -q "kvk:90000009.*reads nothing of others" &&
	    as all --event=accepted >"$R/found" && [ ! -s "$R/found" ]
}

an_approval_that_does_not_fit_is_refused()
{
	printf '[card]\nauditor = kvk:90000009\nserial = %032d\n' 0 \
	    >"$R/approval"
	printf '[%s]\napproved_by = houder\napproved_on = 2026-01-02\n' \
	    "$ORG" >>"$R/approval"
	! kortelijn enrol accept "$R/all.card" "--approval=$R/approval" \
	    2>"$R/told" && grep -q "another card" "$R/told" &&
	    [ ! -e "$R/broker/approvals" ]
}

an_approval_opens_what_it_names()
{
	sed -i "s/^serial = .*/serial = $(card_serial kvk:90000009)/" \
	    "$R/approval"
	kortelijn enrol accept "$R/all.card" "--approval=$R/approval" \
	    >"$R/said" || return 1
	kortelijn status --json | jq -r '.reads_all[]' |
	    grep -q "kvk:90000009.*reads the records of 1 organisations" &&
	    cmp -s "$R/approval" \
		"$R/broker/approvals/$(card_serial kvk:90000009)" &&
	    as all --event=accepted >"$R/found" &&
	    [ "$(wc -l <"$R/found")" -eq "$ANSWERS" ] &&
	    operator --event=reads_all >"$R/found" &&
	    [ "$(wc -l <"$R/found")" -eq 1 ]
}

it_counts_after_a_start()
{
	stop broker
	broker_start
	as all --event=accepted >"$R/found" &&
	    [ "$(wc -l <"$R/found")" -eq "$ANSWERS" ]
}

region_begin
region_small
refer practice-1 practice-1/van-putten >"$R/referred" || die "refer"
wait_state practice-1 "$(jq -r .reference "$R/referred")" delivered ||
    die "not delivered"
auditor_enrol auditor kvk:90000007 "--reads=$ORG" || die "no auditor"
auditor_enrol all kvk:90000009 --reads-all || die "no auditor of all"
stop broker
"$B/tests/support/logfill" "$KORTELIJN_CONFIG" "$RECORDS" "$ORG" \
    "$ANSWERS" >"$R/filled" || die "logfill"
dump || die "logdump"
adapter_ready practice-1 municipality

ok an_operator_reads_all an_operator_reads_all
ok an_auditor_reads_what_its_card_names an_auditor_reads_what_its_card_names
ok filters_find_what_they_name filters_find_what_they_name
ok a_reference_finds_the_conversation a_reference_finds_the_conversation
ok nothing_is_told_of_others nothing_is_told_of_others
ok every_question_is_a_record every_question_is_a_record
ok messages_go_on_while_it_streams messages_go_on_while_it_streams
ok all_is_nobody_without_an_approval all_is_nobody_without_an_approval
ok an_approval_that_does_not_fit_is_refused \
    an_approval_that_does_not_fit_is_refused
ok an_approval_opens_what_it_names an_approval_opens_what_it_names
ok it_counts_after_a_start it_counts_after_a_start
exit "$FAILED"
