#!/bin/bash
# make bench: closed loops with real processes over CURVE on loopback, as a
# table, and as CSV in BUILD/bench.csv.
#
#   tests/bench/bench.sh [library|adapters|stored|erasure|rewrap|query|
#       verify]...
#
# From outside: LOOPS (loops of each run; else by the number in flight),
# IN_FLIGHT ("1 8 64"), MESSAGES (100000), SLOTS (100000), RECORDS (1000000,
# also of the export that is verified).
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"

MODES=${*:-library adapters stored erasure rewrap query verify}
IN_FLIGHT=${IN_FLIGHT:-1 8 64}
MESSAGES=${MESSAGES:-100000}
SLOTS=${SLOTS:-100000}
RECORDS=${RECORDS:-1000000}
QUERY_MS=1000		# a query of 1,000 answers
TARGET_MS=5000		# p99 of an erasure of level 1
CSV=$B/bench.csv
HEAD=mode,in_flight,loops,loops_per_s,accepted_p50_ms,accepted_p99_ms
HEAD=$HEAD,feedback_p50_ms,feedback_p99_ms,broker_cpu_s_per_10000
HEAD=$HEAD,rss_anon_peak_mib,fdatasync_per_loop

# A broker that no limit but the disk holds back.
bench_region()
{
	broker_make
	sed -i -e '/^trace = /d' "$KORTELIJN_CONFIG"
	conf_set "$KORTELIJN_CONFIG" broker map_mb 2048
	conf_set "$KORTELIJN_CONFIG" broker slots "$1"
	conf_set "$KORTELIJN_CONFIG" limits requests_per_minute 10000000
	conf_set "$KORTELIJN_CONFIG" limits bytes_per_day_mb 1048576
	conf_set "$KORTELIJN_CONFIG" limits open_conversations 10000000
}

# A region of its own for each run, so that none finds the store of another.
run()
{
	(
		region_begin
		"$@"
	) || exit 1
}

loops_for()
{
	case $1 in
	1)	echo "${LOOPS:-1000}" ;;
	8)	echo "${LOOPS:-4000}" ;;
	*)	echo "${LOOPS:-10000}" ;;
	esac
}

library()
{
	bench_region 65536
	KL_SYNC_COUNT=$R/syncs LD_PRELOAD=$B/tests/bench/libsynccount.so \
	    "$B/tests/bench/library" "$B/kortelijnd" "$KORTELIJN_CONFIG" \
	    "$R/broker" "$R/authority" "$ENDPOINT" "$1" "$(loops_for "$1")" \
	    2>>"$R/bench.log"
}

# PAIRS practices and as many desks, each with its own store.
adapters()
{
	local i pair names=() pairs=()

	bench_region 65536
	export KL_SYNC_COUNT=$R/syncs
	start broker env "LD_PRELOAD=$B/tests/bench/libsynccount.so" \
	    "$B/kortelijnd" "--config=$KORTELIJN_CONFIG"
	wait_for "$PATIENCE" "the broker" kortelijn status
	for ((i = 1; i <= ${PAIRS:-2}; i++)); do
		adapter_make "practice-$i" practice "agb:0100000$i" "Praktijk"
		adapter_make "desk-$i" municipality \
		    "oin:0000000100000000000$i" "Meldpunt"
		names+=("practice-$i" "desk-$i")
		pair=$R/practice-$i/data/control.sock
		pair=$pair,$R/desk-$i/data/control.sock
		pair=$pair,oin:0000000100000000000$i
		pairs+=("$pair,$R/practice-$i.trace,$R/desk-$i.trace")
	done
	for i in "${names[@]}"; do
		sed -i '/^enabled/s/yes/no/' "$R/$i/$i.conf"
		conf_set "$R/$i/$i.conf" adapter slots 131072
		adapter_enrol "$i"
		adapter_start "$i"
	done
	adapter_ready "${names[@]}"
	person practice-2/kowalczyk >"$R/template.json"
	# The first ones wait for keys and cards of each other.
	"$B/tests/bench/adapters" "${PID[broker]}" "$R/template.json" 8 16 \
	    "${pairs[@]}" >/dev/null 2>>"$R/bench.log"
	"$B/tests/bench/adapters" "${PID[broker]}" "$R/template.json" "$1" \
	    "$(loops_for "$1")" "${pairs[@]}" 2>>"$R/bench.log"
}

stored()
{
	bench_region 262144
	"$B/tests/bench/stored" "$B/kortelijnd" "$KORTELIJN_CONFIG" \
	    "$R/broker" "$R/authority" "$ENDPOINT" "$MESSAGES" \
	    2>>"$R/bench.log"
}

# Until what ended is erased, beside as much traffic as there is.
erasure()
{
	bench_region 65536
	conf_set "$KORTELIJN_CONFIG" broker trace "$R/broker.trace"
	"$B/tests/bench/erasure" "$B/kortelijnd" "$KORTELIJN_CONFIG" \
	    "$R/broker" "$R/authority" "$ENDPOINT" "$R/broker.trace" "$1" \
	    "$(loops_for "$1")" 2>>"$R/bench.log"
}

# A slot file anew, in ms.
rewrap_ms()
{
	local from=${EPOCHREALTIME/./}

	kortelijn rewrap >"$R/rewrap.txt" || return 1
	echo $(((${EPOCHREALTIME/./} - from) / 1000))
}

# The loops of the library, 8 in flight: loops/s, p99 of an acceptance in ms.
traffic()
{
	"$B/tests/bench/library" "$B/kortelijnd" "$KORTELIJN_CONFIG" \
	    "$R/broker" "$R/authority" "$ENDPOINT" 8 "${LOOPS:-4000}" \
	    2>>"$R/bench.log" | cut -d, -f 4,6
}

traffic_quiet()
{
	bench_region "$SLOTS"
	traffic
}

# One after another while $1 runs: the median. The end of the broker may cut
# off the last.
rewraps()
{
	while ! gone "$1"; do
		rewrap_ms
	done 2>/dev/null | sort -n |
	    awk '{ ms[NR] = $1 } END { print ms[int((NR + 1) / 2)] }'
}

traffic_beside()
{
	local beside

	bench_region "$SLOTS"
	traffic >"$R/traffic" &
	wait_for "$PATIENCE" "the broker" kortelijn status
	beside=$(rewraps $!)
	wait $! || return 1
	broker_start
	echo "$(rewrap_ms),$beside,$(cat "$R/traffic")"
}

# What a new slot file costs, and what it costs the others.
rewrap()
{
	local quiet beside

	quiet=$(run traffic_quiet) && beside=$(run traffic_beside) || return 1
	echo "rewrap,$SLOTS,$beside,$quiet"
}

# A long log, and a question of it while a practice submits.
query()
{
	bench_region 65536
	"$B/tests/bench/query" "$B/kortelijnd" "$KORTELIJN_CONFIG" \
	    "$R/broker" "$R/authority" "$ENDPOINT" \
	    "$B/tests/support/logfill" "$RECORDS" 1000 2>>"$R/bench.log" || {
		grep '^query: ' "$R/bench.log"
		return 1
	}
}

table()
{
	column -t -s, -o '  ' | sed 's/^/  /'
}

loops()
{
	local n

	for n in $IN_FLIGHT; do
		run "$1" "$n" >"$B/bench-run" || { cat "$B/bench-run"; exit 1; }
		cat "$B/bench-run" >>"$CSV"
	done
}

erasures()
{
	local n

	for n in $IN_FLIGHT; do
		(run erasure "$n") || return 1
	done
}

# An export of a log, hashed and looked at again. No broker.
verify()
{
	"$B/tests/bench/verify" "$R/export" "$RECORDS"
}

echo "$HEAD" >"$CSV"
printf 'processors: %s; store on %s\n' "$(nproc)" \
    "$(stat -f -c %T "${TMPDIR:-/tmp}")"
for mode in $MODES; do
	case $mode in
	library | adapters)
		loops "$mode"
		;;
	stored)
		run stored >"$B/bench-stored.csv" ||
			{ cat "$B/bench-stored.csv"; exit 1; }
		;;
	erasure)
		erasures >"$B/bench-erasure.csv" ||
			{ cat "$B/bench-erasure.csv"; exit 1; }
		;;
	rewrap)
		rewrap >"$B/bench-rewrap.csv" ||
			{ cat "$B/bench-rewrap.csv"; exit 1; }
		;;
	query)
		run query >"$B/bench-query.csv" ||
			{ cat "$B/bench-query.csv"; exit 1; }
		;;
	verify)
		run verify >"$B/bench-verify.txt" ||
			{ cat "$B/bench-verify.txt"; exit 1; }
		;;
	*)
		die "no such mode: $mode"
		;;
	esac
done
if [[ $MODES =~ library|adapters ]]; then
	{
		echo "mode,in flight,loops,loops/s,acc p50,acc p99,fb p50,fb p99"
		cut -d, -f 1-8 "$CSV" | tail -n +2
	} | table
	printf '  (submit to accepted, submit to feedback: ms)\n\n'
	{
		echo "mode,in flight,CPU s/10000,RssAnon MiB,fdatasync/loop"
		cut -d, -f 1,2,9-11 "$CSV" | tail -n +2
	} | table
fi
if [[ $MODES == *stored* ]]; then
	printf '\n'
	{
		echo "mode,messages,start to serving ms,RssAnon MiB"
		cat "$B/bench-stored.csv"
	} | table
fi
if [[ $MODES == *erasure* ]]; then
	printf '\n'
	{
		echo "mode,in flight,loops,loops/s,rc p50,rc p99,wd p50,wd p99"
		cat "$B/bench-erasure.csv"
	} | table
	printf '  (receipt answered to ERASED, WITHDRAW to its answer: ms; '
	printf 'target: p99 <= %d)\n' "$TARGET_MS"
fi
if [[ $MODES == *rewrap* ]]; then
	printf '\n'
	{
		printf 'mode,slots,alone ms,beside traffic ms,loops/s beside,'
		printf 'acc p99,loops/s without,acc p99\n'
		cat "$B/bench-rewrap.csv"
	} | table
fi
if [[ $MODES == *query* ]]; then
	printf '\n'
	{
		printf 'mode,records,answers,pages,p50,max,RssAnon MiB more,'
		printf 'acc/s without,beside,acc p99 without,beside\n'
		cat "$B/bench-query.csv"
	} | table
	printf '  (a query over CURVE while a practice submits: ms; '
	printf 'targets: <= %d, <= 16 MiB)\n' "$QUERY_MS"
fi
if [[ $MODES == *verify* ]]; then
	printf '\n  verify: %s\n' "$(cat "$B/bench-verify.txt")"
	printf '  (all records, tiles, checkpoints and rules of an export; '
	printf 'target for 1,000,000: <= 5 s)\n'
fi
echo "as CSV: $CSV"
