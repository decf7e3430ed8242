#!/bin/bash
# The configurations in deploy/conf are right as they stand, and so is every
# line in them that is commented.
# shellcheck source=tests/integration/lib.sh
. tests/integration/lib.sh
region_begin

# example NAME: with its directories in the region's; uncommented if asked.
example()
{
	sed -e "s|/etc/kortelijn|$R/etc|; s|/var/lib/kortelijn|$R/var|" \
	    -e "s|/srv/kortelijn|$R/srv|" -e "${2:-}" \
	    "$ROOT/deploy/conf/$1.conf" >"$R/$1.conf"
}
ALL='s/^# \([a-z_]* = \)/\1/'

broker_is_right()
{
	example kortelijnd "${1:-}" &&
	    "$B/kortelijnd" "--config=$R/kortelijnd.conf" --check
}

adapter_is_right()
{
	local program=$B/kortelijn-municipality

	[ "$1" != practice ] || program=$B/kortelijn-practice
	rm -rf "$R/etc/$1-keys"
	example "$1" "${2:-}" &&
	    "$program" "--config=$R/$1.conf" init "--out=$R/$1.request" &&
	    "$B/kortelijn" enrol show "$R/$1.request" | grep -q "$1"
}

# The keys of the examples and of what broker init writes are the same.
same_keys()
{
	diff <(sed -nE 's/^(# )?([a-z_]+) = .*/\2/p' "$R/etc/kortelijnd.conf") \
	    <(sed -nE 's/^(# )?([a-z_]+) = .*/\2/p' \
	        "$ROOT/deploy/conf/kortelijnd.conf")
}

unknown_key_stops()
{
	example kortelijnd 's/^listen/lisen/' &&
	    ! "$B/kortelijnd" "--config=$R/kortelijnd.conf" --check \
	        2>"$R/unknown.txt" && grep -q lisen "$R/unknown.txt"
}

mkdir "$R/var" "$R/etc"
"$B/kortelijn" authority init "$R/authority" --realm=training >/dev/null ||
    die "authority init"
"$B/kortelijn" broker init "$R/etc" --id=oin:00000009000000000001 \
    --name=Broker "--authority=$R/authority" >/dev/null || die "broker init"
ok broker_example_is_right broker_is_right
ok broker_example_uncommented_is_right broker_is_right "$ALL"
ok broker_example_has_the_keys_that_init_writes same_keys
ok unknown_key_stops_the_broker_with_its_name unknown_key_stops
for role in practice municipality partner; do
	ok "${role}_example_is_right" adapter_is_right "$role"
	ok "${role}_example_uncommented_is_right" adapter_is_right "$role" \
	    "$ALL"
done
exit "$FAILED"
