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

# ---- deploy/privacy ----

PAPERS=$ROOT/deploy/privacy

# quoted PATTERN: what stands in the papers between accents and is like it.
quoted()
{
	cat "$PAPERS"/*.md | grep -oE "\`[^\`]+\`" | tr -d '\`' |
	    grep -E "$1" | sort -u
}

papers_quote_the_policy()
{
	local term n=0

	while read -r term; do
		n=$((n + 1))
		grep -q "^$term ;" "$ROOT/deploy/conf/policy.conf" || {
			say "$term is not in policy.conf"
			return 1
		}
	done < <(quoted '^[a-z_]+ = ')
	[ "$n" -ge 15 ]
}

# What erases, and keys that are fixed.
papers_name_every_term()
{
	local key

	for key in referral_undelivered_ttl crisis_undelivered_ttl \
	    feedback_undelivered_ttl ttl_max metadata_after_end metadata_max \
	    log_retention draft_max_age practice_copy_after_end \
	    desk_copy_after_export desk_copy_after_end \
	    patient_map_after_end breach_notice_operator; do
		grep -q "\`$key = " "$PAPERS/register.md" || return 1
	done
	while read -r key; do
		[ -e "$ROOT/tests/unit/test_$key.c" ] ||
		    grep -q "\<$key\>" "$ROOT/deploy/conf/policy.conf" ||
		    grep -q "^$key *=\|^# $key *=" \
		        "$ROOT/deploy/conf/kortelijnd.conf" || {
			say "$key is no key"
			return 1
		}
	done < <(quoted '^[a-z]+_[a-z_]+$' | grep -v '^retention_statement$')
}

papers_name_what_there_is()
{
	local name first rest

	while read -r name; do
		compgen -G "$ROOT/tests/*/$name.sh" >/dev/null ||
		    [ -e "$ROOT/tests/unit/test_$name.c" ] || {
			say "no test $name"
			return 1
		}
	done < <(grep -oE "test (\`[^\`]+\`(, )?)+" "$PAPERS/dpia.md" |
	    grep -oE "\`[^\`]+\`" | tr -d '\`')
	while read -r first rest; do
		"$B/$first" help "${rest%% --*}" >/dev/null || {
			say "no command $first $rest"
			return 1
		}
	done < <(quoted '^kortelijn(-[a-z]+)? [a-z]')
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
ok papers_quote_the_policy papers_quote_the_policy
ok papers_name_every_term_and_no_key_that_is_none papers_name_every_term
ok papers_name_tests_and_commands_that_are_there papers_name_what_there_is
for role in practice municipality partner; do
	ok "${role}_example_is_right" adapter_is_right "$role"
	ok "${role}_example_uncommented_is_right" adapter_is_right "$role" \
	    "$ALL"
done
exit "$FAILED"
