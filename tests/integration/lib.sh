# lib.sh: a training region with real processes, for the scripts of
# tests/integration, tests/fault, tests/bench and the demo. Sourced by bash.
#
# From outside: B, the build directory. A script calls region_begin, then
# broker_make, adapter_make and so on; whatever it started ends with it.
# shellcheck shell=bash disable=SC2034
set -u
export LC_ALL=C TZ=UTC
umask 077
ulimit -S -c 0

B=$(cd "${B:-build}" && pwd) || exit 2
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TEST=$(basename "$0" .sh)
# Under sanitizers on a busy machine everything takes longer.
PATIENCE=${PATIENCE:-60}

# Sanitizers keep what they need from PTRACE and /proc; leaks in a process
# that is killed say nothing.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}

. "$ROOT/tests/canaries.sh"

R=			# the region's directory
declare -A PID=()	# of what runs, by name
PORT_FD=

say()
{
	printf '%s\n' "$*"
}

die()
{
	say "FAILED: $*"
	exit 1
}

skip()
{
	say "SKIPPED: $*"
	exit 77
}

# ok NAME COMMAND...: one case, named after a behaviour.
ok()
{
	local name=$1

	shift
	if "$@"; then
		say "ok $name"
	else
		say "not ok $name"
		FAILED=1
	fi
}
FAILED=0

# works COMMAND...: it ends with 0; what it says is in OUT.
works()
{
	OUT=$("$@" 2>&1) && return
	say "$*: $?: $OUT"
	return 1
}

# fails CODE TEXT COMMAND...: it ends with CODE and says TEXT.
fails()
{
	local code=$1 text=$2 r

	shift 2
	OUT=$("$@" 2>&1 </dev/null)
	r=$?
	[ "$r" -eq "$code" ] && grep -qF -- "$text" <<<"$OUT" && return
	say "$*: $r, not $code with '$text': $OUT"
	return 1
}

# wait_for SECONDS WHAT COMMAND...: until COMMAND is true.
wait_for()
{
	local until=$((SECONDS + $1)) what=$2

	shift 2
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$until" ] || die "waited in vain for $what"
		sleep 0.05
	done
}

# ---- the region ----

# region_begin [DIR]: a directory of its own, removed at the end; DIR stays.
region_begin()
{
	if [ $# -gt 0 ]; then
		mkdir -p "$1" && R=$(cd "$1" && pwd) || exit 2
		REGION_STAYS=1
	else
		R=$(mktemp -d "${TMPDIR:-/tmp}/kortelijn-$TEST.XXXXXX") || exit 2
		REGION_STAYS=
	fi
	trap region_end EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	# Whoever read along is gone: what was started still ends.
	trap 'exit 141' PIPE
	trap 'exit 143' TERM
}

region_end()
{
	local status=$? name

	trap - EXIT HUP INT TERM
	trap '' PIPE
	[ "$status" -ne 0 ] || region_quiet || status=1
	if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
		show_logs
	fi
	for name in "${!PID[@]}"; do
		stop "$name"
	done
	if [ -z "$REGION_STAYS" ] && [ -z "${KEEP_REGION:-}" ]; then
		rm -rf "$R"
	fi
	exit "$status"
}

# Whatever a script does: no resident in a log, in what the programs tell of
# themselves, or at the broker.
region_quiet()
{
	local name files=() found

	command -v jq >/dev/null && [ -n "$R" ] || return 0
	for name in "${!PID[@]}"; do
		stop "$name"
	done
	mapfile -d '' files < <(find "$R" -type f \( -name '*.log' -o \
	    -name '*.trace' -o -path "$R/broker*" -o -path "$R/standby*" -o \
	    -path "$R/*export*/*" -o -name '*report*' \) -print0)
	canaries_write "$R/canaries.list" "$R" || return 1
	found=$(canaries_in "$R/canaries.list" "${files[@]}")
	[ -n "$found" ] || return 0
	say "not ok no_resident_in_logs_or_at_the_broker"
	say "a resident of the tests stands in:" "$found"
	return 1
}

show_logs()
{
	local log

	for log in "$R"/*.log; do
		[ -s "$log" ] || continue
		say "--- the end of $(basename "$log")"
		tail -n 15 "$log"
	done
}

# The lock keeps two scripts from the same port; the connection shows whether
# anyone else has it. FIRST_PORT and PORTS say where to look.
port_take()
{
	local first=${FIRST_PORT:-7800} ports=${PORTS:-100} n=0 dir

	dir=${TMPDIR:-/tmp}/kortelijn-ports-$UID
	mkdir -p "$dir"
	PORT=$((first + RANDOM % ports))
	while [ $n -lt "$ports" ]; do
		exec {PORT_FD}>"$dir/$PORT"
		if flock -n "$PORT_FD" && ! port_answers; then
			return
		fi
		exec {PORT_FD}>&-
		PORT=$((first + (PORT - first + 1) % ports))
		n=$((n + 1))
	done
	die "no free port from $first on"
}

port_answers()
{
	(exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null
}

# start NAME COMMAND...: in the background; its output goes to NAME.log.
start()
{
	local name=$1

	shift
	if [ -n "$PORT_FD" ]; then
		"$@" >>"$R/$name.log" 2>&1 </dev/null {PORT_FD}>&- &
	else
		"$@" >>"$R/$name.log" 2>&1 </dev/null &
	fi
	PID[$name]=$!
}

# What was killed stays a process until it is waited for.
running()
{
	[ -n "${PID[$1]:-}" ] && ! gone "${PID[$1]}"
}

# gone PID: it has ended, whether or not somebody has taken note of it.
gone()
{
	! grep -qs '^State:.[^Z]' "/proc/$1/status"
}

# stop NAME [SIGNAL]: ends it and waits; its exit status is in STATUS.
stop()
{
	local pid=${PID[$1]:-} n=0

	STATUS=
	[ -n "$pid" ] || return 0
	kill "-${2:-TERM}" "$pid" 2>/dev/null
	while running "$1" && [ $n -lt 200 ]; do
		sleep 0.05
		n=$((n + 1))
	done
	[ $n -lt 200 ] || kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	STATUS=$?
	unset "PID[$1]"
}

# ---- the broker ----

# broker_make: authority, keys, card and configuration, on a port of its own.
broker_make()
{
	port_take
	ENDPOINT=tcp://127.0.0.1:$PORT
	"$B/kortelijn" authority init "$R/authority" --realm=training \
	    >"$R/authority.txt" || die "authority init"
	"$B/kortelijn" broker init "$R/broker" --id=oin:00000009000000000001 \
	    --name="Broker Twente" --authority="$R/authority" \
	    --endpoint="$ENDPOINT" --state="$R/broker-state" \
	    >"$R/broker.txt" || die "broker init"
	# A temporary directory may lie on any file system.
	conf_set "$R/broker/kortelijnd.conf" broker erasure best-effort
	conf_set "$R/broker/kortelijnd.conf" broker trace "$R/broker.trace"
	conf_set "$R/broker/kortelijnd.conf" limits requests_per_minute 100000
	export KORTELIJN_CONFIG=$R/broker/kortelijnd.conf
}

# conf_set FILE SECTION KEY VALUE: replaces the line, or adds one.
conf_set()
{
	sed -i -e "/^# *$3 = /d" -e "/^$3 = /d" \
	    -e "/^\[$2\]/a $3 = $4" "$1"
}

kortelijn()
{
	"$B/kortelijn" "$@" --config="$KORTELIJN_CONFIG"
}

broker_start()
{
	start broker "$B/kortelijnd" --config="$KORTELIJN_CONFIG"
	wait_for "$PATIENCE" "the broker" kortelijn status
	# Edge says no to nobody before it has the keys.
	wait_for "$PATIENCE" "the broker's port" port_answers
}

# broker_status FILTER: of jq, on what `kortelijn status` says.
broker_status()
{
	kortelijn status --json | jq -r "$1"
}

# A checkpoint covers each record within a second.
log_is_covered()
{
	[ "$(kortelijn audit checkpoint --json | jq .size)" -ge \
	    "$(broker_status .leaves)" ]
}

log_covered()
{
	wait_for "$PATIENCE" "a checkpoint over all" log_is_covered
}

# log_breaks_no_rule CONF: the log of a broker that stands still, as an export
# that an auditor verifies.
log_breaks_no_rule()
{
	local x

	x=$(mktemp -d "$R/rules.XXXXXX")/export
	"$B/tests/support/logdump" "$1" "$x" || return 1
	"$B/kortelijn" audit verify "$x" "--vkey=$(cat "$x/log.vkey")" \
	    --language=en \
	    >"$x.verified" 2>&1 && return
	cat "$x.verified"
	return 1
}

# Edge and core, the children of the supervisor.
broker_child()
{
	local pid children

	read -ra children \
	    <"/proc/${PID[broker]}/task/${PID[broker]}/children"
	for pid in "${children[@]}"; do
		if tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q -- "--$1 "; then
			echo "$pid"
			return
		fi
	done
	return 1
}

# ---- adapters ----

# adapter_make NAME ROLE ID TITLE: its directory and configuration.
adapter_make()
{
	local d=$R/$1

	mkdir -p "$d/keys" "$d/data" "$d/folder"
	cat >"$d/$1.conf" <<-CONF
	[adapter]
	role = $2
	id = $3
	name = $4
	data_dir = $d/data
	key_dir = $d/keys
	broker = $ENDPOINT
	realm = training
	erasure = best-effort
	trace = $R/$1.trace

	[folder]
	enabled = yes
	dir = $d/folder
	CONF
}

# The program that a role runs.
adapter_program()
{
	if grep -q '^role = practice' "$R/$1/$1.conf"; then
		echo "$B/kortelijn-practice"
	else
		echo "$B/kortelijn-municipality"
	fi
}

# adapter NAME COMMAND...: the command line of that adapter.
adapter()
{
	local name=$1

	shift
	"$(adapter_program "$name")" "--config=$R/$name/$name.conf" "$@"
}

# adapter_enrol NAME: keys and request, card by the authority, taken up by the
# broker, accepted by the adapter. Its fingerprint is in FINGERPRINT.
adapter_enrol()
{
	local d=$R/$1

	adapter "$1" init "--out=$d/request" >"$d/init.txt" ||
	    die "$1: init"
	FINGERPRINT=$("$B/kortelijn" enrol show "$d/request" --json |
	    jq -r .fingerprint)
	grep -q "$FINGERPRINT" "$d/init.txt" ||
	    die "$1: the adapter prints another fingerprint"
	"$B/kortelijn" enrol issue "$d/request" \
	    --authority="$R/authority" --out="$d/card" \
	    --fingerprint="$FINGERPRINT" >"$d/issue.txt" ||
	    die "$1: enrol issue"
	kortelijn enrol accept "$d/card" >"$d/accepted.txt" ||
	    die "$1: enrol accept"
	adapter "$1" accept "--card=$d/card" \
	    "--authority=$R/authority/authority.pub" \
	    "--broker=$R/broker/broker.card" >"$d/accept.txt" ||
	    die "$1: accept"
}

# adapter_start NAME [COMMAND...]: runs it; COMMAND stands before the program.
adapter_start()
{
	local name=$1

	shift
	start "$name" "$@" "$(adapter_program "$name")" \
	    "--config=$R/$name/$name.conf" run
}

# adapter_ready NAME...: link up, HELLO done, prekeys published.
adapter_ready()
{
	local name

	for name; do
		wait_for "$PATIENCE" "$name to be served" \
		    adapter "$name" status --wait=5
	done
}

# The usual ones: two practices, a municipality, a partner.
region_usual()
{
	broker_make
	broker_start
	adapter_make practice-1 practice agb:01000001 "Praktijk De Linde"
	adapter_make practice-2 practice agb:01000002 "Praktijk Het Veer"
	adapter_make municipality municipality oin:00000001000000000001 \
	    "Meldpunt Twentestad"
	adapter_make partner partner kvk:90000001 "Kredietbank Twente"
}

# region_small: broker, one practice and the municipality, all at work.
region_small()
{
	broker_make
	broker_start
	adapter_make practice-1 practice agb:01000001 "Praktijk De Linde"
	adapter_make municipality municipality oin:00000001000000000001 \
	    "Meldpunt Twentestad"
	adapter_enrol practice-1
	adapter_enrol municipality
	adapter_start practice-1
	adapter_start municipality
	adapter_ready practice-1 municipality
}

# ---- auditors ----

# What opens their keys.
auditor_words()
{
	(umask 077 && echo "vier woorden zonder verband" >"$R/words")
}

# auditor_make NAME ID [OPTION...]: the keys, and a card with these options.
auditor_make()
{
	local d=$R/$1 id=$2 fp

	shift 2
	works "$B/kortelijn" enrol request "$d" "--id=$id" \
	    "--name=Rekenkamer Twente" --role=auditor --realm=training \
	    "--passphrase-file=$R/words" || return 1
	fp=$("$B/kortelijn" enrol show "$d/request" --json |
	    jq -r .fingerprint)
	works "$B/kortelijn" enrol issue "$d/request" \
	    "--authority=$R/authority" "--out=$d.card" "--fingerprint=$fp" "$@"
}

# auditor_setup NAME [OPTION...]: of an option that is there twice, the first
# counts.
auditor_setup()
{
	local d=$R/$1

	shift
	"$B/kortelijn" audit setup "$d" "$@" "--card=$d.card" \
	    "--broker-card=$R/broker/broker.card" \
	    "--authority=$R/authority" "--broker=$ENDPOINT" \
	    "--passphrase-file=$R/words"
}

# auditor_enrol NAME ID [OPTION...]: all of it, the card taken up by the broker.
auditor_enrol()
{
	auditor_words
	auditor_make "$@" &&
	    works kortelijn enrol accept "$R/$1.card" &&
	    works auditor_setup "$1"
}

# ---- people ----

# person FILE [FILTER]: a referral of tests/data with a consent of today, or
# of DAYS from now, and a filter of jq over it.
person()
{
	jq --arg day "$(date -u -d "${DAYS:-0} days" +%F)" \
	    "if .consent then .consent.given_on = \$day else . end |
	    ${2:-.}" "$ROOT/tests/data/$1.json"
}

# refer NAME FILE [FILTER]: prints the answer as JSON; 1 if it was refused.
refer()
{
	person "$2" "${3:-.}" >"$R/$1/refer.json"
	adapter "$1" refer "$R/$1/refer.json" "--wait=$PATIENCE" --json
}

# state NAME REFERENCE: as that adapter shows it.
state()
{
	adapter "$1" show "$2" --json | jq -r .state
}

state_is()
{
	[ "$(state "$1" "$2")" = "$3" ]
}

# wait_state NAME REFERENCE STATE
wait_state()
{
	wait_for "$PATIENCE" "$1 to show $2 as $3" state_is "$1" "$2" "$3"
}

# desk REFERENCE CODE...: one feedback after another.
desk()
{
	local reference=$1 code

	shift
	for code; do
		adapter municipality feedback "$reference" "$code" >/dev/null ||
		    die "feedback $code"
	done
}
