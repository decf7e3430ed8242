# canaries.sh: what must never be said: the names, numbers and addresses of the
# residents that the tests invent. Looked for in what programs say (logs,
# errors, metrics, reports) and in what the broker keeps. Sourced by bash;
# needs jq, and ROOT, the root of the sources.
# shellcheck shell=bash

# Beside those of tests/data: what unit tests and scripts type in. Numbers of
# organisations are none of them.
canaries_fixed()
{
	sed -e '/^#/d' -e '/^$/d' "$ROOT/tests/data/canaries.txt"
}

# canaries_of DIR...: of all referrals that lie there as JSON. A string of
# fewer than six bytes stands in many a word.
canaries_of()
{
	find "$@" -type f -name '*.json' -size -300k -print0 2>/dev/null |
	    xargs -0 -r -n 1 jq -r '.. | objects |
		select(.name? | type == "object") |
		.name.family_name, .phone, .email, .contact_person.name?,
		.contact_person.phone?, .referrer.name? |
		strings | select(utf8bytelength > 5)' 2>/dev/null
}

# canaries_write FILE DIR...: all of them, each once. What an organisation says
# of itself, and a referrer's number at work, is no secret.
canaries_write()
{
	local file=$1

	shift
	{
		canaries_fixed
		canaries_of "$ROOT"/tests/data/practice-* "$@"
	} | LC_ALL=C sort -u >"$file"
	[ -s "$file" ]
}

# canaries_in LIST FILE...: the files in which one of them stands, as a word.
canaries_in()
{
	local list=$1

	shift
	[ $# -gt 0 ] || return 0
	LC_ALL=C grep -lawF -f "$list" -- "$@" 2>/dev/null
}
