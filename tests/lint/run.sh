#!/bin/bash
# Lint: rules about files and programs, one line "ok RULE" or "not ok RULE"
# with what was found; ends in "N passed, N failed".
#
# tests/lint/run.sh [RULE...] runs the rules named, or all. A rule is a
# function that prints what it finds: it is kept when it prints nothing.
set -u
export LC_ALL=C
cd "$(dirname "$0")/../.." || exit 2

B=build
RULES="no_marks no_paths_of_a_machine form spacing shellcheck layers
	forbidden_calls clauses schemas json manuals readme_tree gcc clang headers
	names no_state blind_imports blind_objects hardening"
BLIND="$B/kortelijnd $B/kortelijn"
PROGRAMS="$BLIND $B/kortelijn-practice $B/kortelijn-municipality"

# Files of the repository that match the patterns.
files()
{
	git ls-files -- "$@"
}

ours()
{
	files 'include/*.h' 'proto/*.[ch]' 'broker/*.[ch]' 'adapters/*.[ch]'
}

all_c()
{
	files '*.c' '*.h'
}

# ---- words and form ---------------------------------------------------------

rule_no_marks()
{
	files '*.c' '*.h' '*.sh' '*.proto' '*.md' Makefile '.ci/*' |
	    grep -v '^tests/lint/' |
	    xargs grep -nE '\b(TODO|FIXME|XXX|HACK|PLACEHOLDER)\b'
}

rule_no_paths_of_a_machine()
{
	files | grep -v '^tests/lint/' |
	    xargs grep -nIE '(^|[^A-Za-z0-9._$})-])/(work|home|root|Users)/'
}

rule_form()
{
	all_c | xargs awk -f tests/lint/form.awk
}

# One statement a line, without macros, all blanks alike.
statements()
{
	sed -e ':a' -e '/\\$/{N;s/[ \t]*\\\n/ /;ba' -e '}' |
	    grep -v '^#' | tr -s ' \t\n' '   ' |
	    sed -E -e 's/sizeof \(/sizeof(/g; s/([([]) /\1/g; s/" "//g' \
		-e 's/\) ([.-])/)\1/g; s/([.>]) /\1/g' |
	    sed 's/\([;{}]\) /\1\n/g'
	echo
}

# clang-format decides blanks and braces; where a line ends, and how comments
# stand in columns, stays with the author.
rule_spacing()
{
	local f

	for f in $(all_c); do
		diff <(statements <"$f") <(clang-format "$f" | statements) |
		    grep '^[<>]' | cut -c1-100 | sed "s|^|$f: |"
	done
}

rule_shellcheck()
{
	files '*.sh' '.ci/*' | xargs shellcheck -x -e SC2317,SC2119,SC1091
}

# ---- who may use what -------------------------------------------------------

rule_layers()
{
	all_c |
	    xargs grep -HoE '^[ \t]*#[ \t]*include[ \t]+["<][^">]+[">]' |
	    sed -E 's/:[ \t]*#[ \t]*include[ \t]+/:/' |
	    awk -f tests/lint/layers.awk tests/lint/layers.tab -
}

# A copy of the store keeps keys that must die; DUPSORT values and WRITEMAP
# escape its checks; NOSYNC and NOMETASYNC acknowledge what a crash takes back;
# NOMEMINIT writes old memory to disk. zmq_ctx_term may wait for ever. The rest
# runs other code, or has no bound on its length.
rule_forbidden_calls()
{
	local names='mdb_env_copy|mdb_env_copyfd|mdb_env_copy2|zmq_ctx_term'

	names="$names|zmq_socket_monitor_pipes_stats|dlopen|dlsym|system|popen"
	names="$names|alloca|strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi"
	names="$names|atol|mktemp|tmpnam|rand|random"
	ours | xargs grep -nE "(^|[^A-Za-z0-9_])($names)\(" |
	    grep -vE '^[^:]*:[0-9]+:[[:blank:]]*/?\*'
	ours | xargs grep -nwE 'MDB_(DUPSORT|WRITEMAP|NOMEMINIT|NOSYNC)'
	ours | xargs grep -nwE 'MDB_(NOMETASYNC|MAPASYNC)'
}

# ---- formats ----------------------------------------------------------------

rule_schemas()
{
	awk -f tests/lint/schema.awk proto/schema/*.proto
}

rule_json()
{
	local f

	for f in $(files '*.json'); do
		jq empty "$f" 2>&1 | sed "s|^|$f: |"
	done
}

# commands PAGE SOURCE...: each command of the program's tables is in its
# manual.
commands()
{
	local name page=$1

	shift
	sed -n 's/^\t{ "\([a-z][a-z -]*\)", ".*/\1/p' "$@" |
	    while read -r name; do
		[ "$name" = help ] || grep -Eq "^\.It (Xo )?Cm $name( |\$)" \
		    "$page" || echo "$page: no command $name"
	done
}

rule_manuals()
{
	local p

	for p in kortelijnd.8 kortelijnd.conf.5 kortelijn.1 \
	    kortelijn-practice.1 kortelijn-municipality.1 \
	    kortelijn-adapter.conf.5; do
		[ -s "deploy/man/$p" ] || echo "deploy/man/$p is missing"
	done
	files 'deploy/man/*' | xargs -r mandoc -Tlint -Wwarning
	commands deploy/man/kortelijn.1 broker/ctl/main.c
	commands deploy/man/kortelijn-practice.1 \
	    adapters/practice/main.c adapters/common/commands.c
	commands deploy/man/kortelijn-municipality.1 \
	    adapters/municipality/main.c adapters/common/commands.c
}

# The tree stands in README.md between "```tree" and "```", two blanks a level.
# A clause that is cited is there.
rule_clauses()
{
	local cited clause

	files '*.[ch]' '*.proto' '*.py' '*.sh' '*.md' |
	    grep -v '^tests/lint/' | xargs grep -hoE \
	    'PROTOCOL\.md [0-9][0-9.]*((, | and | to )[0-9][0-9.]*)*' |
	    sort -u | while read -r _ cited; do
		for clause in $(echo "$cited" | grep -oE '[0-9]+(\.[0-9]+)*'); do
			grep -qE "^(#+ |\\*\\*)${clause//./\\.}(\\.| |\\*\\*)" \
			    proto/PROTOCOL.md ||
			    echo "PROTOCOL.md has no clause $clause"
		done
	done
}

rule_readme_tree()
{
	awk '/^```tree/ { on = 1; next } /^```/ { on = 0 } on' README.md |
	    awk -f tests/lint/tree.awk <(files) -
}

# ---- what the compilers say -------------------------------------------------

build()
{
	make -s --no-print-directory -j"$(nproc)" -k "$@" 2>&1
}

rule_gcc()
{
	build CC=gcc test-programs
}

rule_clang()
{
	build CC=clang B=$B/clang test-programs
}

# Each header stands on its own feet.
rule_headers()
{
	local h

	for h in $(files '*.h'); do
		gcc -std=c17 -D_GNU_SOURCE -Iinclude -I. -I$B/gen -Wall \
		    -Wextra -fsyntax-only -x c - <<<"#include \"$h\"
			int lint;" 2>&1 | grep -m 1 error | sed "s|^|$h: |"
	done
}

# ---- what the objects say ---------------------------------------------------

objects()
{
	find $B/proto $B/broker $B/adapters -name '*.o'
}

rule_names()
{
	local o

	for o in $(objects); do
		nm -g --defined-only "$o" |
		    awk -v m="${o#"$B"/}" '
			{ sub(/\.o$/, "", m) } $3 != "main" { print m, $3 }'
	done | awk -f tests/lint/names.awk tests/lint/names.tab -
}

# No variable at file scope that changes, but the log's settings and the one
# that says which process may use libzmq.
rule_no_state()
{
	local o

	for o in $(objects); do
		case ${o#"$B"/} in
		proto/host/log.o | proto/host/link.o) continue ;;
		esac
		nm -f sysv "$o" | awk -F'|' -v o="${o#"$B"/}" '
			{ gsub(/ /, "", $1); gsub(/ /, "", $7) }
			$4 ~ /OBJECT|TLS/ && $7 ~ /^\.t?(data|bss)/ &&
			    $7 !~ /rel\.ro/ { print o ": " $1 }'
	done
}

built()
{
	local p missing=0

	for p; do
		[ -e "$p" ] || { echo "$p is not built"; missing=1; }
	done
	return $missing
}

# The broker cannot read: what it and its library import opens nothing, and
# they load no code by name.
rule_blind_imports()
{
	local p opening='crypto_(scalarmult|box|kx)|dlopen|dlsym'

	# shellcheck disable=SC2086 # lists of words
	built $BLIND || return
	for p in $BLIND "$B"/libkortelijn.so.*; do
		nm -D -u "$p" | grep -E "$opening" | sed "s|^|$p: |"
	done
	nm -u $B/libkortelijn.a | grep -E "$opening" |
	    sed "s|^|libkortelijn.a: |"
}

# And nothing of what opens is linked into them.
rule_blind_objects()
{
	local p sealing=$B/sealing.names

	# shellcheck disable=SC2086
	built $BLIND || return
	nm -g --defined-only $B/libkortelijn_end.a |
	    awk 'NF == 3 { print $3 }' | sort -u >"$sealing"
	[ -s "$sealing" ] || echo "libkortelijn_end.a defines nothing"
	for p in $BLIND "$B"/libkortelijn.a "$B"/libkortelijn.so.*; do
		nm --defined-only "$p" | awk 'NF == 3 { print $3 }' |
		    sort -u | comm -12 - "$sealing" | sed "s|^|$p: |"
	done
	rm -f "$sealing"
}

# One program of the release build.
hardened()
{
	local p=$1 elf

	elf=$(readelf -W -h -l -d "$p")
	grep -q 'Type: *DYN' <<<"$elf" || echo "$p: no PIE"
	grep -q GNU_RELRO <<<"$elf" || echo "$p: no RELRO"
	grep -q BIND_NOW <<<"$elf" || echo "$p: binds late"
	grep -q 'GNU_STACK.* RW ' <<<"$elf" || echo "$p: stack can run code"
	! grep -qE 'R(UN)?PATH' <<<"$elf" || echo "$p: has a run path"
	nm -D -u "$p" | grep -q __stack_chk_fail ||
	    echo "$p: no stack protector"
	nm -D -u "$p" | grep -qE '__[a-z]+_chk(@|$)' || echo "$p: no FORTIFY"
}

rule_hardening()
{
	local p

	# shellcheck disable=SC2086
	built $PROGRAMS || return
	for p in $PROGRAMS "$B"/libkortelijn.so.*; do
		hardened "$p"
	done
}

# ---- the run ----------------------------------------------------------------

passed=0
failed=0

run()
{
	local rule=$1 found

	found=$("rule_$rule" 2>&1)
	if [ -z "$found" ]; then
		passed=$((passed + 1))
		echo "ok $rule"
	else
		failed=$((failed + 1))
		echo "not ok $rule"
		echo "$found" | head -n 60 | sed 's/^/    /'
	fi
}

# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $RULES
for rule; do
	run "$rule"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
