#!/bin/bash
# limit: 1800
# An export that is changed in every byte and in many other ways: nothing of it
# may be taken for what the log's key has signed.
#
# From outside: FLIPS (1), how often each byte is changed.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"

region_begin
ok no_changed_export_verifies "$B/tests/fault/export_mutations" \
    "$R/export" "${FLIPS:-1}"
exit "$FAILED"
