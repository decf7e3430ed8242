#!/bin/bash
# A full disk: the broker says so and starts when there is room; an adapter
# whose disk fills refuses new work with a sentence, loses nothing and goes on.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

# small_disk DIR MIB: a file system of that size.
small_disk()
{
	mkdir -p "$1"
	mount -t tmpfs -o "size=$2m,mode=700" kortelijn-test "$1" 2>/dev/null
}

disks_away()
{
	local name status=$?

	for name in "${!PID[@]}"; do
		stop "$name"
	done
	umount "$R/broker-state" "$R/practice-1/folder" 2>/dev/null
	(exit "$status")
	region_end
}

fill()
{
	dd if=/dev/zero of="$1/filler" bs=64k >/dev/null 2>&1
	[ -s "$1/filler" ]
}

says_full()
{
	start broker "$B/kortelijnd" --config="$KORTELIJN_CONFIG"
	wait_for "$PATIENCE" "the broker's word" \
	    grep -qiE "room|full|ENOSPC|space" "$R/broker.log"
	stop broker
	[ "$STATUS" -ne 0 ]
}

starts_with_room()
{
	rm -f "$R/broker-state/filler"
	: >"$R/broker.log"
	broker_start
}

# A whole referral although the folder's disk takes no file any more.
folder_full()
{
	fill "$R/practice-1/folder" || return 1
	REF=$(refer practice-1 practice-1/van-putten | jq -r .reference)
	wait_state practice-1 "$REF" delivered
	desk "$REF" taken_up
	wait_state practice-1 "$REF" taken_up
	running practice-1
}

file_comes()
{
	rm "$R/practice-1/folder/filler"
	wait_for "$PATIENCE" "the feedback's file" \
	    grep -rq "$REF" "$R/practice-1/folder/out"
}

region_begin
mkdir -p "$R/broker-state"
small_disk "$R/broker-state" 320 || skip "no tmpfs can be mounted here"
trap disks_away EXIT
broker_make
fill "$R/broker-state" || die "the disk does not fill"
ok broker_says_that_its_disk_is_full says_full
ok broker_starts_when_there_is_room starts_with_room
adapter_make practice-1 practice agb:01000001 "Praktijk De Linde"
adapter_make municipality municipality oin:00000001000000000001 \
    "Meldpunt Twentestad"
small_disk "$R/practice-1/folder" 1 || skip "no tmpfs can be mounted here"
for name in practice-1 municipality; do
	adapter_enrol "$name"
	adapter_start "$name"
done
adapter_ready practice-1 municipality
ok full_folder_stops_no_referral folder_full
ok file_comes_when_there_is_room file_comes
exit "$FAILED"
