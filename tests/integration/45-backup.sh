#!/bin/bash
# An adapter's backup: made, checked, restored on an empty machine, and taken
# over with; what was open goes on, what came later is asked again, what was
# erased meanwhile stays erased.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

session_is()
{
	adapter "$1" status --json | jq -e --arg s "$2" '.session == $s'
}

newest()
{
	adapter "$1" backup list --json | jq -r '.dir + "/" + .backups[0].name'
}

key_on_paper()
{
	grep -qE '^([0-9A-Z]{4}[ -]){13}[0-9A-Z]$' "$R/$1.key" &&
	    ! grep -rqF -- "$(cat "$R/$1.key")" "$R/$1" &&
	    ! adapter "$1" backup key "--recovery-out=$R/$1.key" 2>/dev/null
}

made()
{
	adapter "$1" backup now --json |
	    jq -e '.recovery_key and .backup_at and (.backup_overdue | not)' \
	    >/dev/null || return
	cp "$(newest "$1")" "$R/$1.backup"
	[ "$(stat -c %a "$(newest "$1")")" = 600 ]
}

verified()
{
	adapter "$1" backup verify "$R/$1.backup" --json |
	    jq -e '.opened == false' >/dev/null &&
	    adapter "$1" backup verify "$R/$1.backup" --json \
	    --recovery-key=- <"$R/$1.key" |
	    jq -e '.opened and .records > 50' >/dev/null
}

# Cut, changed, longer; another key; none.
damage_is_said()
{
	local b=$R/$1.backup

	head -c -1 "$b" >"$R/cut.backup"
	(cat "$b"; echo) >"$R/long.backup"
	cp "$b" "$R/bit.backup"
	printf '\377' | dd of="$R/bit.backup" bs=1 seek=300 conv=notrunc \
	    status=none
	for b in cut long bit; do
		adapter "$1" backup verify "$R/$b.backup" 2>&1 |
		    grep -q "cut short or changed" || return
		adapter "$1" backup verify "$R/$b.backup" \
		    "--recovery-key=$R/$1.key" 2>&1 |
		    grep -q "cut short or changed" || return
	done
	adapter "$1" backup verify "$R/$1.backup" \
	    "--recovery-key=$R/$2.key" 2>&1 | grep -q "another recovery key" &&
	    adapter "$1" backup verify "$R/$1/$1.conf" 2>&1 |
	    grep -q "no backup"
}

nothing_to_read_in_it()
{
	! grep -qaE 'van Putten|Putten|kortelijn-secret' "$R/$1.backup"
}

# The machine is gone but for its configuration: another begins with that and
# the backup. What the old one had lies in $1-old.
new_machine()
{
	stop "$1"
	mv "$R/$1" "$R/$1-old"
	mkdir -p "$R/$1/folder"
	cp "$R/$1-old/$1.conf" "$R/$1/$1.conf"
	sed -e "s|$R/$1/|$R/$1-old/|" -e "/^trace/d" "$R/$1/$1.conf" \
	    >"$R/$1-old/$1-old.conf"
}

restored()
{
	adapter "$1" restore "$R/cut.backup" --yes \
	    "--recovery-key=$R/$1.key" 2>/dev/null && return 1
	[ -z "$(ls "$R/$1/keys" 2>/dev/null)" ] || return
	adapter "$1" restore "$R/$1.backup" --yes \
	    "--recovery-key=$R/$1.key" >"$R/$1.restored" || return
	cmp "$R/$1/keys/identity.key" "$R/$1-old/keys/identity.key"
}

restored_once()
{
	adapter "$1" restore "$R/$1.backup" --yes \
	    "--recovery-key=$R/$1.key" 2>&1 | grep -q "is there already"
}

must_take_over()
{
	adapter_start "$1"
	wait_for "$PATIENCE" "the restored $1 to be refused" \
	    session_is "$1" instance_conflict
	adapter "$1" take-over --yes >/dev/null &&
	    adapter "$1" status "--wait=$PATIENCE" >/dev/null
}

withdrawn_stays_so()
{
	state_is "$1" "$GONE" consent_withdrawn &&
	    ! adapter "$1" subject export "$GONE" | grep -q Amrani
}

# The content came again: the desk can print it.
asked_again()
{
	adapter municipality subject export "$LATER" | grep -q Amrani
}

open_one_goes_on()
{
	desk "$REF" contact_made
	wait_state practice-1 "$REF" contact_made
}

old_one_is_out()
{
	adapter_start "$1-old"
	wait_for "$PATIENCE" "the old $1 to be refused" \
	    session_is "$1-old" instance_conflict
	stop "$1-old"
}

knows_again()
{
	wait_state practice-1 "$REF" contact_made
}

is_named()
{
	adapter practice-1 list --json |
	    jq -e --arg r "$LATER" 'any(.referrals[]; .reference == $r)' >/dev/null
}

# Taken up before the loss: the practice has no content any more, and the desk
# reads which one it was.
lost_one_knows_again()
{
	wait_state practice-1 "$REF" contact_made
}

lost_one_is_named()
{
	adapter municipality alarms --json | jq -e --arg r "$TAKEN" \
	    'any(.alarms[]; .alarm == "lost_here" and .open and .reference == $r)' \
	    >/dev/null
}

alarm_of_what_came_again_is_closed()
{
	adapter municipality alarms --json | jq -e --arg r "$LATER" \
	    'any(.alarms[]; .alarm == "lost_here" and .reference == $r
	    and (.open | not))' \
	    >/dev/null
}

# Taken up before the loss: the practice has no content any more, and the desk
# reads which one it was.
lost_one_is_named()
{
	adapter municipality alarms --json | jq -e --arg r "$TAKEN" \
	    'any(.alarms[]; .alarm == "lost_here" and .open and .reference == $r)' \
	    >/dev/null
}

alarm_of_what_came_again_is_closed()
{
	adapter municipality alarms --json | jq -e --arg r "$LATER" \
	    'any(.alarms[]; .alarm == "lost_here" and .reference == $r
	    and (.open | not))' \
	    >/dev/null
}

corrected()
{
	adapter municipality show "$REF" --json | jq -e '.corrected'
}

correction_goes_on()
{
	person practice-1/van-putten-correction >"$R/correct.json"
	adapter practice-1 correct "$R/correct.json" >/dev/null &&
	    wait_for "$PATIENCE" "the correction at the desk" corrected
}

withdrawal_goes_on()
{
	adapter practice-1 withdraw "$REF" "--wait=$PATIENCE" >/dev/null &&
	    wait_state municipality "$REF" consent_withdrawn
}

# What was withdrawn is in no backup any more once another was made.
void_ones_go()
{
	local former

	former=$(newest practice-1)
	adapter practice-1 backup now >/dev/null &&
	    [ ! -e "$former" ] &&
	    adapter practice-1 backup list --json |
	    jq -e '.backups | length == 1' >/dev/null
}

# Also if the adapter was off on the day that they should have gone.
old_ones_go()
{
	local dir=$R/practice-1/data/backup f

	stop practice-1
	touch "$dir/agb-01000001-20260101T023000Z.backup" \
	    "$dir/agb-01000001-20260101T023000Z.backup.new" \
	    "$dir/agb-01000002-20260101T023000Z.backup" "$dir/mine"
	adapter_start practice-1
	adapter_ready practice-1
	for f in agb-01000002-20260101T023000Z.backup mine; do
		[ -e "$dir/$f" ] || return
	done
	[ -z "$(find "$dir" -name "agb-01000001-20260101*")" ]
}

# Killed while it makes one: what has its name is whole, and no half is left.
killed_leaves_whole_ones()
{
	local dir=$R/practice-1/data/backup n f asker

	rm -f "$dir"/agb-01000001-*
	for n in 1 2 3 4; do
		adapter practice-1 backup now >/dev/null 2>&1 &
		asker=$!
		stop practice-1 KILL
		wait "$asker"
		adapter_start practice-1
		adapter_ready practice-1
	done
	adapter practice-1 backup now >/dev/null || return
	[ -z "$(find "$dir" -name "agb-01000001-*.new")" ] || return
	for f in "$dir"/agb-01000001-*.backup; do
		adapter practice-1 backup verify "$f" \
		    "--recovery-key=$R/practice-1.key" >/dev/null || return
	done
}

adapter_enrol_with_key()
{
	adapter "$1" init "--recovery-out=$R/$1.key" >"$R/$1-init.txt" ||
	    die "$1: init"
	adapter_enrol "$1"
}

region_begin
broker_make
broker_start
adapter_make practice-1 practice agb:01000001 "Praktijk De Linde"
adapter_make municipality municipality oin:00000001000000000001 \
    "Meldpunt Twentestad"
adapter_enrol_with_key practice-1
adapter_enrol_with_key municipality
adapter_start municipality
adapter_ready municipality
adapter_start practice-1
adapter_ready practice-1

REF=$(refer practice-1 practice-1/van-putten | jq -r .reference)
GONE=$(refer practice-1 practice-1/el-amrani | jq -r .reference)
wait_state practice-1 "$REF" delivered
wait_state practice-1 "$GONE" delivered
desk "$REF" taken_up
wait_state practice-1 "$REF" taken_up

for a in practice-1 municipality; do
	ok "key_of_${a}_is_on_paper_only" key_on_paper "$a"
	ok "${a}_makes_a_backup" made "$a"
	ok "backup_of_${a}_is_whole" verified "$a"
	ok "backup_of_${a}_cannot_be_read" nothing_to_read_in_it "$a"
done
ok damage_and_other_keys_are_said damage_is_said practice-1 municipality

# After the backups: two more, opened, of which one is taken up, and one that
# is withdrawn.
LATER=$(refer practice-1 practice-1/el-amrani \
    '.referral_id = "later-1"' | jq -r .reference)
wait_state practice-1 "$LATER" delivered
TAKEN=$(refer practice-1 practice-1/el-amrani \
    '.referral_id = "later-2"' | jq -r .reference)
wait_state practice-1 "$TAKEN" delivered
desk "$TAKEN" taken_up
wait_state practice-1 "$TAKEN" taken_up
adapter practice-1 withdraw "$GONE" "--wait=$PATIENCE" >/dev/null
wait_state municipality "$GONE" consent_withdrawn

# Sealed while the desk is away, to keys that it will not have.
stop municipality
WAITS=$(refer practice-1 practice-1/el-amrani \
    '.referral_id = "later-3"' | jq -r .reference)

new_machine municipality
ok desk_is_restored restored municipality
ok desk_is_restored_once restored_once municipality
ok desk_takes_over must_take_over municipality
ok withdrawn_at_the_desk_stays_withdrawn withdrawn_stays_so municipality
wait_for "$PATIENCE" "the later referral at the new desk" asked_again
ok what_came_after_the_backup_is_asked_again asked_again
ok what_waited_for_lost_keys_is_sealed_again wait_state practice-1 "$WAITS" \
    delivered
ok what_cannot_come_again_is_named lost_one_is_named
ok alarm_of_what_came_again_closes alarm_of_what_came_again_is_closed
ok open_conversation_goes_on open_one_goes_on
ok old_desk_is_refused old_one_is_out municipality

new_machine practice-1
ok practice_is_restored restored practice-1
ok practice_takes_over must_take_over practice-1
ok withdrawn_at_the_practice_stays_withdrawn withdrawn_stays_so practice-1
ok what_the_practice_lost_is_named is_named
ok what_the_practice_missed_is_sent_again knows_again
ok correction_goes_on correction_goes_on
ok withdrawal_goes_on withdrawal_goes_on
ok backups_of_what_was_withdrawn_go void_ones_go
ok backups_go_after_their_term old_ones_go
ok a_kill_leaves_whole_backups_only killed_leaves_whole_ones
ok old_practice_is_refused old_one_is_out practice-1
exit "$FAILED"
