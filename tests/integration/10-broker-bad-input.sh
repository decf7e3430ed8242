#!/bin/bash
# What no adapter would send gets a refusal with its code, and edge and core
# run on as the same processes.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

answers()
{
	local got

	got=$("$B/tests/support/peer" "$ENDPOINT" "$R/broker" "$KEYS" "$1")
	[ "$got" = "$2" ] && return
	say "$1: '$got' instead of '$2'"
	return 1
}

same_processes()
{
	[ "$EDGE $CORE" = "$(broker_child edge) $(broker_child core)" ]
}

region_begin
broker_make
broker_start
adapter_make practice-1 practice agb:01000001 "Praktijk De Linde"
adapter_enrol practice-1
KEYS=$R/practice-1/keys
EDGE=$(broker_child edge)
CORE=$(broker_child core)

ok refuses_garbage answers garbage malformed
ok refuses_empty_frame answers empty malformed
ok refuses_frame_above_16_kib answers big-frame frame_too_large
ok refuses_too_many_frames answers many-frames frame_count
ok refuses_truncated_request answers truncated malformed
ok refuses_unknown_field answers unknown-field malformed
ok refuses_non_canonical_bytes answers non-canonical malformed
ok refuses_unknown_request answers unknown-request value_unknown
ok refuses_other_version answers other-version version
ok wants_hello_first answers fetch hello_first
KEYS=-
ok unknown_key_gets_no_handshake answers fetch "no handshake"
ok processes_run_on same_processes
KEYS=$R/practice-1/keys
adapter_start practice-1
adapter_ready practice-1
ok second_instance_is_refused answers hello instance_conflict
ok serves_the_first_instance_on adapter_ready practice-1
exit "$FAILED"
