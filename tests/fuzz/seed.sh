#!/bin/sh
# seed.sh DIR: what fuzz begins with: the vectors, the people of tests/data
# and the example configurations, each behind the number of its reader.
set -eu
dir=$1
mkdir -p "$dir"

# NAME HEX
put() {
	# shellcheck disable=SC2059 # the bytes, as octal escapes
	printf "$(echo "$2" | awk 'BEGIN { h = "0123456789abcdef" } {
		for (i = 1; i < length($0); i += 2) {
			n = 16 * (index(h, substr($0, i, 1)) - 1) + \
			    index(h, substr($0, i + 1, 1)) - 1
			printf "\\%03o", n
		}
	}')" >"$dir/$1"
}

# In the order of enum kl_message_type.
n=0
sed -n 's/^\([a-z_]*\) = \([0-9a-f]*\)$/\1 \2/p' tests/vectors/requests.txt |
while read -r name hex; do
	n=$((n + 1))
	put "message-$name" "00$(printf %02x $n)$hex"
done

# Lines that are nothing but bytes may be any statement, envelope or content.
for file in statements envelope content log note; do
	n=0
	sed -n 's/^.* = \([0-9a-f]\{40,\}\)$/\1/p' "tests/vectors/$file.txt" |
	while read -r hex; do
		n=$((n + 1))
		put "$file-$n-2" "02$hex"
		put "$file-$n-3" "03$hex"
		put "$file-$n-4" "04$hex"
		for type in 01 02 03 04 05 06 07 08 14 15 16; do
			put "$file-$n-1-$type" "01$type$hex"
		done
	done
done

# A REQUEST and KEYS of the pipe.
put pipe-request "05020000000102aabb$(printf %064d 0)0100000003616263"
put pipe-keys "050400000001""00$(printf %064d 0)0100000021$(printf %064d 0)01"

# The beginning of a log and a leaf without its record, as parts of a file of
# the log export; and a head.
put logfile-leaf "090011""01""$(printf %016x 0)$(printf %016x 1)\
0023""02""$(printf %064d 7)0000"
put logfile-head "09$(printf kortelijn-log-export | od -An -v -tx1 |
    tr -d ' \n')0100005f0b$(printf %032d 0)0002610a"

# Proofs and checkpoints, and the text of keys.
sed -n 's/^\([a-z_]*\) = \([0-9a-f]*\)$/\1 \2/p' tests/vectors/proof.txt |
while read -r name hex; do
	put "proof-$name" "0a$hex"
	put "vkey-$name" "0b$hex"
done

# An approval of two organisations.
put approval "0c$(printf '%s\n' '[card]' 'auditor = kvk:87654321' \
    "serial = $(printf %032d 7)" '[agb:01234567]' 'approved_by = houder' \
    'approved_on = 2026-11-20' '[ura:00001234] ; later' \
    'approved_on = 2026-11-21' 'approved_by = x' |
    od -An -v -tx1 | tr -d ' \n')"

# Leaves as an export has them: one without its record, one with each.
sed -n 's/^\([a-z]*_record\) = \([0-9a-f]*\)$/\1 \2/p' tests/vectors/log.txt |
while read -r name hex; do
	put "bundle-$name" "0d0000$(printf %04x $((32 + ${#hex} / 2)))\
$(printf %064d 5)$hex"
done

for file in tests/data/*/*.json deploy/conf/*.conf; do
	case $file in
	*.json) reader='\006' ;;
	*policy.conf) reader='\010' ;;
	*) reader='\007' ;;
	esac
	name=$(echo "$file" | tr / -)
	# shellcheck disable=SC2059
	{ printf "$reader"; cat "$file"; } >"$dir/$name"
done
