# scan-lib.sh: an image on a loop device with a region on it, processes that
# are killed at a call of choice, and what to look for on the raw image. Sourced
# by the scripts of this directory, after their head.
# shellcheck shell=bash disable=SC2034
# shellcheck source=tests/integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"

MIB=192
SLOTS=1024
OUT=				# what is not on the image
declare -i ANSWER=0 ERASED=0 KILLS=0

# ---- the image ---------------------------------------------------------------

image_make()
{
	[ "$(id -u)" -eq 0 ] || skip "only root can mount a loop device"
	command -v mkfs.ext4 >/dev/null || skip "no mkfs.ext4 (e2fsprogs)"
	OUT=$(mktemp -d "${TMPDIR:-/tmp}/kortelijn-$TEST.XXXXXX") || exit 2
	R=$OUT/disk
	mkdir "$R"
	truncate -s ${MIB}M "$OUT/image" || die "image"
	mkfs.ext4 -q -F -m 0 "$OUT/image" 2>"$OUT/mkfs.txt" ||
	    die "mkfs.ext4"
	trap image_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	image_mount 2>"$OUT/mount.txt" ||
	    skip "no loop device: $(head -n 1 "$OUT/mount.txt")"
}

image_mount()
{
	mount -t ext4 -o loop,data=ordered "$OUT/image" "$R"
}

# What is not unmounted is in no image.
image_unmount()
{
	local n=0

	until umount "$R" 2>"$OUT/umount.txt"; do
		n=$((n + 1))
		[ $n -lt 50 ] || die "umount: $(cat "$OUT/umount.txt")"
		sleep 0.1
	done
}

image_end()
{
	local status=$? name

	trap - EXIT INT TERM
	[ "$status" -eq 0 ] || [ "$status" -eq 77 ] || show_logs
	for name in "${!PID[@]}"; do
		stop "$name"
	done
	[ -z "${LOAD_PID:-}" ] || kill "$LOAD_PID" 2>/dev/null
	cd / || exit 2
	if mountpoint -q "$R"; then
		umount "$R" || umount -l "$R"
	fi
	[ -n "${KEEP_REGION:-}" ] || rm -rf "$OUT"
	exit "$status"
}

# ---- what runs on it ---------------------------------------------------------

# An hour of the night that is not met on the way.
far_from_now()
{
	TZ=Europe/Amsterdam date -d '+11 hours' +%H:%M
}

conf_for_scan()
{
	conf_set "$1" "$2" erasure verified
	conf_set "$1" "$2" map_mb 16
	conf_set "$1" "$2" slots $SLOTS
	conf_set "$1" "$2" rewrap_at "$(far_from_now)"
	conf_set "$1" "$2" trace "$OUT/$3.trace"
}

region_on_image()
{
	broker_make
	conf_for_scan "$KORTELIJN_CONFIG" broker broker
	adapter_make practice-1 practice agb:01000001 "Praktijk De Linde"
	adapter_make municipality municipality oin:00000001000000000001 \
	    "Meldpunt Twentestad"
	adapter_on_image practice-1
	adapter_on_image municipality
}

adapter_on_image()
{
	conf_for_scan "$R/$1/$1.conf" adapter "$1"
	conf_set "$R/$1/$1.conf" folder enabled no
	conf_set "$R/$1/$1.conf" folder dir "$OUT/$1"
}

# killable WHO: what stands before a program that may be killed, see
# kill_at.c. A sanitizer wants to be the first library otherwise.
killable()
{
	KILLABLE=(env "KL_KILL=$OUT/kill-$1" "KL_KILL_WHO=$1"
	    "ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0"
	    "LD_PRELOAD=$B/tests/fault/libkillat.so")
}

broker_run()
{
	killable --core
	start broker "${KILLABLE[@]}" "$B/kortelijnd" \
	    --config="$KORTELIJN_CONFIG"
	wait_for "$PATIENCE" "the broker" kortelijn status
	wait_for "$PATIENCE" "the broker's port" port_answers
}

practice_run()
{
	killable run
	adapter_start practice-1 "${KILLABLE[@]}"
}

all_run()
{
	broker_run
	practice_run
	adapter_start municipality
	adapter_ready practice-1 municipality
}

all_stop()
{
	stop practice-1
	stop municipality
	stop broker
}

# ---- kills -------------------------------------------------------------------

# arm WHO KIND N: it dies in front of its N-th call of that kind; see
# kill_at.c.
arm()
{
	{
		printf "\\$(printf %03o "$3")\\0\\0\\0%s" "$2"
		head -c 64 /dev/zero
	} | head -c 64 | dd of="$OUT/kill-$1" bs=64 iflag=fullblock \
	    conv=notrunc status=none
}

disarm()
{
	arm "$1" none 0
}

killed()
{
	[ "$(od -An -tu1 -N1 "$OUT/kill-$1" | tr -d ' ')" -eq 0 ]
}

# note_kill WHAT KIND
note_kill()
{
	KILLS=$((KILLS + 1))
	echo "$2" >>"$OUT/killed-$1"
}

# met WHAT KIND...: there was a kill at each of them.
met()
{
	local what=$1 kind

	shift
	say "    $what: $(sort "$OUT/killed-$what" | uniq -c |
	    sed 's/^ *//' | paste -sd,)"
	for kind; do
		grep -qx "$kind" "$OUT/killed-$what" || {
			say "    no kill at $kind"
			return 1
		}
	done
}

broker_again()
{
	stop broker
	broker_run
}

# ---- the library's two participants ------------------------------------------

load_start()
{
	coproc LOAD { exec "$B/tests/fault/erase_load" "$R/broker" \
	    "$R/authority" "$ENDPOINT" "$OUT/seen" 2>"$OUT/load.txt"; }
	load_answer enrolled
}

load_send()
{
	echo "$*" >&"${LOAD[1]}"
}

# load_answer WORD: N of it is in ANSWER.
load_answer()
{
	local line

	read -r -t 180 -u "${LOAD[0]}" line ||
	    die "$1: $(cat "$OUT/load.txt")"
	[ "${line% *}" = "ok $1" ] || die "$1: $line"
	ANSWER=${line##* }
}

load()
{
	load_send "$@"
	load_answer "$1"
}

# ---- slots and master keys ---------------------------------------------------

# What belongs to a store that can be destroyed, by name.
declare -A STORES=()

# Its slots as they are now.
slots_note()
{
	cp "${STORES[$1]}/slots" "$OUT/$1.slots"
}

slots_others()
{
	[ "$("$B/tests/fault/image_scan" --sectors "$OUT/$1.slots" \
	    "${STORES[$1]}/slots" | grep -c '^gone')" -ge "$2" ]
}

# slots_gone NAME N: at least N slots are others than those that were noted;
# what stood in them must not be found from here on.
slots_gone()
{
	local n

	"$B/tests/fault/image_scan" --sectors "$OUT/$1.slots" \
	    "${STORES[$1]}/slots" | tee >(sed -n 's/^gone/slot/p' \
	    >>"$OUT/gone") >(sed -n 's/^kept/slot/p' >"$OUT/$1.kept") |
	    grep -c '^gone' >"$OUT/n"
	n=$(cat "$OUT/n")
	ERASED=$((ERASED + n))
	[ "$n" -ge "$2" ] || die "$1: $n slots are gone, not $2"
}

# A rewrap leaves the blocks of the old file behind, sealed under a key that
# is gone: from there on the master keys count.
masters_note()
{
	local name at key

	for name in "${!STORES[@]}"; do
		for at in 8 520; do
			key=$(od -An -v -tx1 -j $at -N 32 \
			    "${STORES[$name]}/master" | tr -d ' \n')
			[ "$key" = "$(printf '0%.0s' {1..64})" ] ||
			    echo "master $key"
		done
	done >"$OUT/masters.now"
	cat "$OUT/masters.now" >>"$OUT/masters.all"
}

masters_old()
{
	sort -u "$OUT/masters.all" | grep -vxFf "$OUT/masters.now"
}

# ---- scanning ----------------------------------------------------------------

# scan FILE...: prints what of these markers stands on the image.
scan()
{
	"$B/tests/fault/image_scan" "$OUT/image" "$@" >"$OUT/scan.txt" ||
	    die "image_scan"
	cat "$OUT/scan.txt"
}

none_found()
{
	scan "$@" | sed 's/^/    /'
	grep -q ': 0 found$' "$OUT/scan.txt" &&
	    grep -q "for [1-9][0-9]* markers" "$OUT/scan.txt"
}

all_found()
{
	local n

	scan "$@" >/dev/null
	n=$(sed -n 's/^scanned .* for \([0-9]*\) markers.*/\1/p' \
	    "$OUT/scan.txt")
	tail -n 1 "$OUT/scan.txt" | sed 's/^/    /'
	# As hexadecimal text they count apart, and there are none.
	[ "$n" -gt 0 ] && grep -q ": $n found\$" "$OUT/scan.txt"
}

enough_markers()
{
	[ "$(sort -u "$OUT/seen" | wc -l)" -ge 1000 ]
}

