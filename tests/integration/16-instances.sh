#!/bin/bash
# A copied adapter folder is refused; take-over goes on with what is open.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

session_is()
{
	adapter "$1" status --json | jq -e --arg s "$2" '.session == $s'
}

# The folder of practice-1 under another name, as a restored backup would be.
copy_practice()
{
	cp -a "$R/practice-1" "$R/copy"
	mv "$R/copy/practice-1.conf" "$R/copy/copy.conf"
	rm -f "$R/copy/data/control.sock"
	sed -i -e "s|$R/practice-1|$R/copy|" -e "/^trace/d" \
	    "$R/copy/copy.conf"
}

refused_as_copy()
{
	wait_for "$PATIENCE" "the copy to be refused" \
	    session_is copy instance_conflict
	adapter practice-1 status --wait=10
}

take_over()
{
	stop practice-1
	adapter copy take-over --yes >/dev/null &&
	    adapter copy status "--wait=$PATIENCE"
}

goes_on()
{
	desk "$REF" contact_made intake_started completed
	wait_state copy "$REF" completed
}

old_one_is_out()
{
	adapter_start practice-1
	wait_for "$PATIENCE" "the old one to be refused" \
	    session_is practice-1 instance_conflict
}

# The desk loses its whole store: what it had is sealed again.
desk_lost()
{
	LOST=$(refer copy practice-1/el-amrani | jq -r .reference)
	wait_state copy "$LOST" delivered
	stop municipality
	rm -rf "$R/municipality/data"
	mkdir "$R/municipality/data"
	adapter_start municipality
	wait_for "$PATIENCE" "the empty desk to be refused" \
	    session_is municipality instance_conflict
	adapter municipality take-over --yes >/dev/null &&
	    adapter municipality status "--wait=$PATIENCE"
}

# The broker names the conversation first; its content comes with the message.
sealed_again()
{
	wait_for "$PATIENCE" "the referral at the new desk" \
	    adapter municipality feedback "$LOST" contact_details_wanted \
	    --wanted=phone
	desk "$LOST" taken_up
	wait_state copy "$LOST" taken_up
}

# Who stands before a store that does not open reads what to do.
half_a_store_names_the_way_out()
{
	stop practice-1
	mv "$R/practice-1/data/slots" "$R/slots"
	adapter practice-1 run 2>&1 | grep -q "put it aside.*take-over" &&
	    mv "$R/slots" "$R/practice-1/data/slots"
}

papers_of_another_realm_are_named()
{
	sed -e 's/^realm = .*/realm = production/' -e '/^trace/d' \
	    "$R/practice-1/practice-1.conf" >"$R/practice-1/other.conf"
	"$B/kortelijn-practice" "--config=$R/practice-1/other.conf" run 2>&1 |
	    grep -q "of another participant, role, realm or key"
}

region_begin
region_small
REF=$(refer practice-1 practice-1/van-putten | jq -r .reference)
wait_state practice-1 "$REF" delivered
desk "$REF" taken_up
wait_state practice-1 "$REF" taken_up
stop practice-1
copy_practice
adapter_start practice-1
adapter_ready practice-1
adapter_start copy
wait_for "$PATIENCE" "the copy's socket" test -S "$R/copy/data/control.sock"

ok copied_folder_is_refused refused_as_copy
ok take_over_makes_it_the_one take_over
ok open_conversation_goes_on goes_on
ok former_instance_is_refused old_one_is_out
ok half_a_store_names_the_way_out half_a_store_names_the_way_out
ok papers_of_another_realm_are_named papers_of_another_realm_are_named
ok empty_desk_takes_over desk_lost
ok what_it_lost_is_sealed_again sealed_again
exit "$FAILED"
