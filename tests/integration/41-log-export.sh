#!/bin/bash
# The nightly export of the log: what is in it, who can open it, what shows
# when it was cut, changed or is of another broker, and that its months follow
# the log's.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

opens()
{
	kortelijn export open "$1" "--recovery-key=${2:-$KEY}" \
	    >"$R/opened" 2>"$R/opened.err"
}

refuses()
{
	! opens "$@" && [ ! -s "$R/opened" ] && [ -s "$R/opened.err" ]
}

first_export_is_made_without_being_asked()
{
	wait_for "$PATIENCE" "the first export" compgen -G "$X/*.klog"
	[ "$(stat -c %a "$(compgen -G "$X/*.klog")")" = 600 ]
}

now_writes_what_has_grown()
{
	kortelijn export now --json >"$R/now" &&
	    jq -e '.ok and (.running | not) and (.overdue | not) and
		.last_ms > 0' "$R/now" >/dev/null &&
	    FILE=$(compgen -G "$X/*.klog") &&
	    [ "$(kortelijn export list --json | jq -r '.files[0].leaves')" -ge \
		"$LEAVES" ]
}

list_has_whole_instants_in_80_columns()
{
	kortelijn export list >"$R/list" &&
	    grep -q "klog.* $(date -u +%F)T[0-9:.]*Z " "$R/list" &&
	    ! grep -q '^.\{81\}' "$R/list"
}

# The log of the store itself, as another program reads it.
says_what_the_log_says()
{
	opens "$FILE" &&
	    "$B/tests/support/logdump" "$KORTELIJN_CONFIG" >"$R/dump" &&
	    diff <(jq -c '[.leaf, .event, .kind, .conv_ref, .msg_ref,
		.org_from]' "$R/opened") \
		<(head -n "$(wc -l <"$R/opened")" "$R/dump" | jq -c '[.leaf,
		.event, .kind, .conv_ref, .msg_ref, .org_from]') &&
	    grep -q '"event":"accepted"' "$R/opened" &&
	    grep -q '"event":"delivered"' "$R/opened" &&
	    grep -q "^verified: leaves 0 to" "$R/opened.err"
}

# On a machine that has neither configuration nor broker.
opens_offline_with_the_card()
{
	KORTELIJN_CONFIG='' "$B/kortelijn" export open "$FILE" \
	    "--recovery-key=$KEY" "--card=$R/broker/broker.card" \
	    "--authority=$R/authority" 2>/dev/null | cmp -s - "$R/opened"
}

nothing_is_legible_without_the_key()
{
	! grep -aq "agb:01000001" "$FILE" &&
	    ! grep -aq "oin:00000001000000000001" "$FILE"
}

wrong_key_opens_nothing()
{
	"$B/kortelijn" authority init "$R/authority-2" --realm=training \
	    >/dev/null && "$B/kortelijn" broker init "$R/broker-2" \
	    --id=oin:00000009000000000002 --name=Other \
	    "--authority=$R/authority-2" "--state=$R/state-2" >/dev/null &&
	    refuses "$FILE" "$R/broker-2/recovery.key" &&
	    refuses "$FILE" "$R/broker/log.key" &&
	    refuses "$FILE" "$R/none.key"
}

other_broker_is_told()
{
	! "$B/kortelijn" export open "$FILE" "--recovery-key=$KEY" \
	    "--card=$R/broker-2/broker.card" "--authority=$R/authority-2" \
	    >"$R/opened" 2>/dev/null && [ ! -s "$R/opened" ]
}

cut_file_is_refused()
{
	local size n

	size=$(stat -c %s "$FILE")
	for n in 0 10 100 $((size / 2)) $((size - 40)) $((size - 1)); do
		head -c "$n" "$FILE" >"$R/cut.klog"
		refuses "$R/cut.klog" || return 1
	done
	{
		cat "$FILE"
		echo
	} >"$R/cut.klog"
	refuses "$R/cut.klog"
}

changed_file_is_refused()
{
	local size n

	size=$(stat -c %s "$FILE")
	for n in 3 30 200 $((size / 3)) $((size - 10)); do
		cp "$FILE" "$R/bad.klog"
		printf '\377\000' | dd of="$R/bad.klog" bs=1 "seek=$n" \
		    conv=notrunc 2>/dev/null
		cmp -s "$FILE" "$R/bad.klog" || refuses "$R/bad.klog" ||
		    return 1
	done
}

list_names_what_is_wrong()
{
	cp "$R/cut.klog" "$X/zz.klog"
	head -c 50 "$FILE" >"$X/zzz.klog"
	kortelijn export list --json | jq -e '.files | length == 3 and
	    (.[0] | has("wrong") | not) and (.[2] | has("wrong"))' \
	    >/dev/null && rm "$X/zz.klog" "$X/zzz.klog"
}

# Five weeks on.
each_month_has_a_file()
{
	stop broker
	conf_set "$KORTELIJN_CONFIG" broker clock_offset 5w
	broker_start
	kortelijn audit checkpoint >/dev/null && kortelijn export now >/dev/null &&
	    [ "$(compgen -G "$X/*.klog" | wc -l)" -ge 2 ] || return 1
	for FILE in "$X"/*.klog; do
		opens "$FILE" || return 1
	done
}

# Also of a log that is no more; and what is missing is written again.
files_go_with_the_term_of_the_log()
{
	local old

	old=$(compgen -G "$X/*.klog")
	rm "$X"/*.klog && : >"$X/20100101T000000Z-00000000.2010-01.klog" ||
	    return 1
	kortelijn export now >/dev/null &&
	    [ "$(compgen -G "$X/*.klog")" = "$old" ]
}

# Nothing is written where nobody looks, and nothing is said to be written.
# STATE_DIR is the broker's own: what comes there is taken in use.
directory_that_was_moved_is_not_written_on()
{
	mv "$X" "$X.away" || return 1
	[ "$(broker_status .export.off)" != null ] &&
	    ! kortelijn export now >/dev/null 2>"$R/err" &&
	    grep -q "put it back" "$R/err" &&
	    mkdir "$X" && kortelijn export now >/dev/null &&
	    compgen -G "$X/*.klog" >/dev/null &&
	    [ "$(broker_status .export.off)" = null ]
}

# As a disk that is mounted too late; the sandbox keeps what is new out.
other_directory_than_at_the_start_is_told()
{
	local far=$R/far

	stop broker
	conf_set "$KORTELIJN_CONFIG" broker export_dir "$far"
	broker_start
	kortelijn export now >/dev/null && compgen -G "$far/*.klog" \
	    >/dev/null || return 1
	mv "$far" "$far.away" && mkdir -m 700 "$far" || return 1
	if kortelijn export now >/dev/null 2>"$R/err"; then
		# No sandbox here: then it goes to the new one.
		compgen -G "$far/*.klog" >/dev/null || return 1
	else
		grep -q "restart the broker" "$R/err" || return 1
	fi
	stop broker
	conf_set "$KORTELIJN_CONFIG" broker export_dir "$X"
	broker_start
}

full_or_missing_disk_is_told_and_stops_nothing()
{
	stop broker
	mv "$X" "$X.gone" && : >"$X" || return 1
	broker_start
	[ "$(broker_status .export.off)" != null ] &&
	    ! kortelijn export now >/dev/null 2>"$R/err" &&
	    grep -q export_dir "$R/err" &&
	    rm "$X" && mv "$X.gone" "$X"
}

missing_key_is_told_and_made_again_by_init()
{
	stop broker
	mv "$KEY" "$R/kept.key" || return 1
	broker_start
	broker_status .export.off | grep -q recovery.key || return 1
	stop broker
	"$B/kortelijn" broker init "$R/broker" --id=oin:00000009000000000001 \
	    --name="Broker Twente" --authority="$R/authority" >/dev/null &&
	    [ -e "$KEY" ] && ! cmp -s "$KEY" "$R/kept.key" || return 1
	broker_start
	[ "$(broker_status .export.off)" = null ]
}

region_begin
region_small
X=$R/broker-state/export
KEY=$R/broker/recovery.key
ok first_export_is_made_without_being_asked \
    first_export_is_made_without_being_asked
REF=$(refer practice-1 practice-1/van-putten . | jq -r .reference)
wait_state practice-1 "$REF" delivered
LEAVES=$(broker_status .leaves)
ok now_writes_what_has_grown now_writes_what_has_grown
ok list_has_whole_instants_in_80_columns list_has_whole_instants_in_80_columns
stop practice-1
stop municipality
stop broker
ok says_what_the_log_says says_what_the_log_says
ok opens_offline_with_the_card opens_offline_with_the_card
ok nothing_is_legible_without_the_key nothing_is_legible_without_the_key
ok wrong_key_opens_nothing wrong_key_opens_nothing
ok other_broker_is_told other_broker_is_told
ok cut_file_is_refused cut_file_is_refused
ok changed_file_is_refused changed_file_is_refused
ok list_names_what_is_wrong list_names_what_is_wrong
ok each_month_has_a_file each_month_has_a_file
ok files_go_with_the_term_of_the_log files_go_with_the_term_of_the_log
ok directory_that_was_moved_is_not_written_on \
    directory_that_was_moved_is_not_written_on
ok other_directory_than_at_the_start_is_told \
    other_directory_than_at_the_start_is_told
ok full_or_missing_disk_is_told_and_stops_nothing \
    full_or_missing_disk_is_told_and_stops_nothing
ok missing_key_is_told_and_made_again_by_init \
    missing_key_is_told_and_made_again_by_init
exit "$FAILED"
