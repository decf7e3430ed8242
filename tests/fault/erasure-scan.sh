#!/bin/bash
# limit: 1200
# What was erased is nowhere on the raw device: an ext4 image on a loop
# device holds all that a broker and two adapters write (stores, keys,
# configuration, logs, exports, core files), and more than a thousand markers
# go through it: what a broker sees of a message, and who it is about. They
# are delivered, corrected, answered, withdrawn, they expire and reach their
# terms, with kill -9 in front of each write and sync of an erasure and of the
# end of a rewrap. Then the image is unmounted and read byte by byte:
#
# * no marker, at any time: at rest all of it is sealed;
# * no wrapped key of a slot that was erased, while those of slots that were
#   not are all there;
# * after a rewrap no master key of before it, while the one of now is there;
# * what a store without slots deleted is found, or the scan finds nothing.
#
# Not on the image: traces, which only the training realm has, and the folder
# of an adapter, which is another system's. Needs root and a loop device.
# shellcheck source=tests/fault/scan-lib.sh
. "$(dirname "$0")/scan-lib.sh"

# ---- people ------------------------------------------------------------------

random_word()
{
	LC_ALL=C tr -dc '[:lower:]' </dev/urandom | head -c "$1"
}

# mark WORD TEXT
mark()
{
	printf '%s %s\n' "$1" \
	    "$(printf %s "$2" | od -An -v -tx1 | tr -d ' \n')" >>"$OUT/seen"
}

# Whoever it is about: nobody has such a name.
someone()
{
	local name mail phone

	name="V$(random_word 15)"
	mail="$(random_word 16)@myweb.nl"
	phone="+316$((SRANDOM % 90000000 + 10000000))"
	mark name "$name"
	mark mail "$mail"
	mark phone "$phone"
	echo ".referral.name.family_name = \"$name\" |
	    .referral.email = \"$mail\" | .referral.phone = \"$phone\""
}

# refer_someone: the reference is in REF.
refer_someone()
{
	local id patient

	id=R-$(random_word 14)
	patient=P-$(random_word 14)
	mark id "$id"
	mark patient "$patient"
	REF=$(person practice-1/van-putten "$(someone) |
	    .referral_id = \"$id\" | .patient_ref = \"$patient\"" |
	    adapter practice-1 refer - "--wait=$PATIENCE" --json |
	    jq -r .reference)
	case $REF in
	"" | null) die "refer" ;;
	esac
	ID=$id
}

correct_someone()
{
	person practice-1/van-putten-correction "$(someone) |
	    .correction_of = \"$1\"" |
	    adapter practice-1 correct - >"$OUT/correct.txt" || die "correct"
}

withdraw_someone()
{
	adapter practice-1 withdraw "$1" "--wait=$PATIENCE" \
	    >"$OUT/withdraw.txt" || die "withdraw"
}

# ---- the ways of a message at the broker -------------------------------------

delivered_and_told_back()
{
	slots_note broker
	load refer 60 0
	slots_note broker
	load take
	[ "$ANSWER" -eq 60 ] || die "$ANSWER of 60 came"
	load correct 0 30
	load take
	load answer 0 30
	load collect
	[ "$ANSWER" -eq 30 ] || die "$ANSWER of 30 came"
	erased_by_now
	slots_gone broker 60
}

withdrawn()
{
	load refer 30 0
	load look
	slots_note broker
	load withdraw 60 30
	erased_by_now
	slots_gone broker 30
}

expired()
{
	load refer 20 5
	slots_note broker
	wait_for "$PATIENCE" "20 to expire" slots_others broker 20
	slots_gone broker 20
}

# Erasing is the turn after: what comes back from a request of its own comes
# behind that.
erased_by_now()
{
	kortelijn audit checkpoint >/dev/null
}

# What an erasure calls: the slots are zeroed and synced, then it is committed.
ERASURE=(pwrite:slots fdatasync:slots pwrite:data.mdb fdatasync:data.mdb
    pwrite-sync:data.mdb)

# sweep WHAT: one referral after another, each erased by WHAT, with a kill in
# front of the first call of a kind, of the second and so on.
sweep()
{
	local kind n

	for kind in "${ERASURE[@]}"; do
		for n in 1 2 3; do
			sweep_one "$1" "$kind" "$n" || break
		done
	done
}

# sweep_one WHAT KIND N: 1 if it ended before there were so many.
sweep_one()
{
	local first at

	load refer 1 0
	first=$((ANSWER - 1))
	slots_note broker
	at=
	arm --core "$2" "$3"
	case $1 in
	withdraw)	load_send withdraw "$first" 1 ;;
	take)		load_send take ;;
	esac
	until read -r -t 0 -u "${LOAD[0]}"; do
		sleep 0.02
		if [ -z "$at" ] && killed --core; then
			at=$2
			note_kill "$1" "$at"
			broker_again
		fi
	done
	load_answer "$1"
	erased_by_now
	disarm --core
	slots_gone broker 1
	[ -n "$at" ]
}

# ---- the ways of a referral at the adapters ----------------------------------

adapters_deliver()
{
	while [ ${#KEPT[@]} -lt 5 ]; do
		refer_someone
		wait_state municipality "$REF" delivered
		wait_state practice-1 "$REF" delivered
		KEPT+=("$REF")
		KEPT_ID+=("$ID")
	done
	correct_someone "${KEPT_ID[0]}"
	correct_someone "${KEPT_ID[1]}"
	desk "${KEPT[1]}" taken_up contact_made intake_started completed
	wait_state practice-1 "${KEPT[1]}" completed
	adapter municipality handed-over "${KEPT[1]}" >"$OUT/handed.txt" ||
	    die "handed-over"
}
KEPT=()
KEPT_ID=()

adapters_withdraw()
{
	local refs=()

	while [ ${#refs[@]} -lt 3 ]; do
		refer_someone
		wait_state municipality "$REF" delivered
		refs+=("$REF")
	done
	slots_note practice
	slots_note municipality
	for REF in "${refs[@]}"; do
		withdraw_someone "$REF"
		wait_state municipality "$REF" consent_withdrawn
	done
	slots_gone practice 3
	slots_gone municipality 3
}

# The practice withdraws, and is killed at each step of its own erasure.
adapter_sweep()
{
	local kind

	for kind in "${ERASURE[@]}"; do
		refer_someone
		wait_state municipality "$REF" delivered
		slots_note practice
		arm run "$kind" 1
		adapter practice-1 withdraw "$REF" "--wait=$PATIENCE" \
		    >"$OUT/withdraw.txt" 2>&1 &
		ASKED=$!
		wait_for "$PATIENCE" "the withdrawal" killed_or_over run
		practice_again practice "$kind"
		wait "$ASKED"
		withdraw_someone "$REF"
		wait_state municipality "$REF" consent_withdrawn
		slots_gone practice 1
	done
}

# practice_again WHAT KIND: if it was killed.
practice_again()
{
	if killed run; then
		note_kill "$1" "$2"
		stop practice-1
		practice_run
		adapter_ready practice-1
	fi
	disarm run
}

killed_or_over()
{
	killed "$1" || gone "$ASKED"
}

# ---- rewrap ------------------------------------------------------------------

# What a rewrap calls, the directory's name left out: the new file synced, the
# new master key, the new file's name, the end of the old master key.
REWRAP=(pwrite:slots.new fdatasync:slots.new fsync:slots.new pwrite:master
    fdatasync:master renameat:)

rewrap_sweep()
{
	local kind n

	for kind in "${REWRAP[@]}" fsync:broker-state; do
		for n in 1 2; do
			load refer 1 0
			load withdraw $((ANSWER - 1)) 1
			rewrap_one "$kind" "$n" || break
		done
	done
	kortelijn rewrap >/dev/null || die "rewrap"
}

# rewrap_one KIND N: 1 if it ended before there were so many.
rewrap_one()
{
	local r=1

	arm --core "$1" "$2"
	kortelijn rewrap >"$OUT/rewrap.txt" 2>&1 &
	ASKED=$!
	wait_for "$PATIENCE" "the rewrap" killed_or_over --core
	if killed --core; then
		r=0
		note_kill rewrap "$1"
		masters_note
		broker_again
	fi
	wait "$ASKED"
	disarm --core
	masters_note
	return "$r"
}

adapters_rewrap()
{
	local kind

	for kind in "${REWRAP[@]}" fsync:data; do
		arm run "$kind" 1
		adapter practice-1 rewrap >"$OUT/rewrap.txt" 2>&1 &
		ASKED=$!
		wait_for "$PATIENCE" "the rewrap" killed_or_over run
		masters_note
		practice_again practice-rewrap "$kind"
		wait "$ASKED"
		masters_note
	done
	adapter practice-1 rewrap >/dev/null || die "rewrap"
	adapter municipality rewrap >/dev/null || die "rewrap"
}

each_step_of_an_erasure_was_met()
{
	met withdraw "${ERASURE[@]}" && met take "${ERASURE[@]}" &&
	    met practice "${ERASURE[@]}"
}

each_step_of_a_rewrap_was_met()
{
	met rewrap "${REWRAP[@]}" fsync:broker-state &&
	    met practice-rewrap "${REWRAP[@]}" fsync:data
}

# ---- terms -------------------------------------------------------------------

# All three stand at another time from here on.
all_at()
{
	local name

	all_stop
	conf_set "$KORTELIJN_CONFIG" broker clock_offset "$1"
	for name in practice-1 municipality; do
		conf_set "$R/$name/$name.conf" adapter clock_offset "$1"
	done
	all_run
	# No clock of ours is synchronised, and most of what is there is due.
	kortelijn hold release >"$OUT/hold.txt" 2>&1
	adapter practice-1 hold release >"$OUT/hold.txt" 2>&1
	adapter municipality hold release >"$OUT/hold.txt" 2>&1
}

has_expired()
{
	kortelijn erase verify "$1" --json | jq -e '.messages[] |
	    select((.state == "expired" or .state == "unconfirmed")
	    and (.ciphertext | not))' >/dev/null
}

refused_as_unknown()
{
	adapter municipality show "$1" --json |
	    jq -e '.code == "referral_unknown"' >/dev/null
}

copies_ended()
{
	refused_as_unknown "${KEPT[1]}" &&
	    adapter practice-1 show "${KEPT[1]}" --json |
	    jq -e .mapped >/dev/null
}

map_is_still_read()
{
	adapter practice-1 show "${KEPT[1]}" --json |
	    jq -e ".referral_id == \"${KEPT_ID[1]}\"" >/dev/null
}

# ---- core files --------------------------------------------------------------

core_files()
{
	find "$R" "$OUT" -maxdepth 1 -name 'core*' | wc -l
}

# A program of others leaves one where we stand, ours leave none.
no_core_file()
{
	local core

	cd "$R" || return 1
	ulimit -S -c "$(ulimit -H -c)"
	# Sanitizers answer to it themselves otherwise.
	ASAN_OPTIONS=$ASAN_OPTIONS:handle_segv=0:disable_coredump=0
	sh -c 'kill -SEGV $$'
	if [ "$(core_files)" -eq 0 ]; then
		say "SKIPPED: no core file of anybody is written here"
		cd "$ROOT" || return 1
		return
	fi
	rm -f "$R"/core*
	all_run
	core=$(broker_child core) || return 1
	kill -SEGV "$core" "$(broker_child edge)" "${PID[practice-1]}" \
	    "${PID[municipality]}"
	wait "${PID[practice-1]}" "${PID[municipality]}" 2>/dev/null
	wait_for "$PATIENCE" "the end of core" gone "$core"
	stop broker
	unset "PID[practice-1]" "PID[municipality]"
	cd "$ROOT" && [ "$(core_files)" -eq 0 ]
}

# A second one would be one of before.
one_master_of_each()
{
	[ "$(wc -l <"$OUT/masters.now")" -eq ${#STORES[@]} ] &&
	    all_found "$OUT/masters.now"
}

# ---- the run -----------------------------------------------------------------

waiting_one_comes_back_as_it_was_sent()
{
	load begin
	load look
	[ "$ANSWER" -ge 1 ]
}

image_make
for who in --core run; do
	head -c 64 /dev/zero >"$OUT/kill-$who"
done
mkdir "$R/control"
"$B/tests/fault/erase_control" "$R/control" 500 "$OUT/control" ||
    die "erase_control"
region_on_image
STORES=([broker]=$R/broker-state [practice]=$R/practice-1/data
    [municipality]=$R/municipality/data)
load_start
broker_run
adapter_enrol practice-1
adapter_enrol municipality
practice_run
adapter_start municipality
adapter_ready practice-1 municipality
load begin

step()
{
	[ -z "${VERBOSE:-}" ] || say "at $SECONDS s: $*"
	"$@"
}

step delivered_and_told_back
step withdrawn
step expired
step adapters_deliver
step adapters_withdraw
step sweep withdraw
step sweep take
step adapter_sweep
ok each_step_of_an_erasure_was_met_by_a_kill each_step_of_an_erasure_was_met
load refer 4 0
WAITS=$(sed -n 's/^msg //p' "$OUT/seen" | tail -n 1)
for store in "${!STORES[@]}"; do
	slots_note "$store"
done
all_stop
for store in "${!STORES[@]}"; do
	slots_gone "$store" 0
done
masters_note
image_unmount
ok more_than_a_thousand_markers enough_markers
# Blocks of a file that was removed may be another's by now.
grep '^control' "$OUT/control" >"$OUT/deleted"
ok store_without_slots_is_found_out all_found "$OUT/deleted"
ok slots_in_use_are_found all_found "$OUT/broker.kept" \
    "$OUT/practice.kept" "$OUT/municipality.kept"
ok master_keys_of_now_are_found all_found "$OUT/masters.now"
ok no_marker_is_on_the_image none_found "$OUT/seen"
ok no_erased_slot_is_on_the_image none_found "$OUT/gone"

image_mount || die "mount"
all_run
ok waiting_one_comes_back_as_it_was_sent waiting_one_comes_back_as_it_was_sent
step rewrap_sweep
step adapters_rewrap
ok each_step_of_a_rewrap_was_met_by_a_kill each_step_of_a_rewrap_was_met
masters_note
masters_old >"$OUT/masters.old"
all_stop
image_unmount
ok old_master_keys_are_gone none_found "$OUT/masters.old"
ok one_of_each_store_is_found one_master_of_each
ok erased_slots_stay_gone none_found "$OUT/seen" "$OUT/gone"

image_mount || die "mount"
step all_at 45d
ok what_nobody_fetched_has_expired \
    wait_for "$PATIENCE" "the end of what waits" has_expired "$WAITS"
step all_at 95d
step all_at 110d
wait_for "$PATIENCE" "the copies to end" copies_ended
ok what_is_not_over_is_still_read map_is_still_read
all_stop
ok no_core_file_of_ours no_core_file
image_unmount
ok nothing_is_left_after_the_terms none_found "$OUT/seen" "$OUT/gone" \
    "$OUT/masters.old"
say "$(sort -u "$OUT/seen" | wc -l) markers, $ERASED erased slots," \
    "$(wc -l <"$OUT/masters.old") old master keys, $KILLS kills"
exit "$FAILED"
