#!/bin/bash
# Each table of lint catches what it is there for.
set -u
L=tests/lint
FAILED=0

# catches NAME WORD COMMAND...: its output names WORD, for what is on stdin.
catches()
{
	local name=$1 word=$2 out

	shift 2
	out=$("$@")
	if grep -q "$word" <<<"$out"; then
		echo "ok $name"
	else
		echo "not ok $name"
		echo "  $out"
		FAILED=1
	fi
}

include()
{
	local header=${2##*[<\"]}

	catches "$1" "${header%[>\"]}" awk -f $L/layers.awk $L/layers.tab - \
	    <<<"${2/ /:}"
}

name()
{
	catches "$1" "${2##* }" awk -f $L/names.awk $L/names.tab - <<<"$2"
}

form()
{
	catches "$1" "$2" awk -f $L/form.awk -
}

schema()
{
	catches "$1" "$2" awk -f $L/schema.awk -
}

include core_that_opens "broker/core/main.c <kortelijn/crypto/seal.h>"
include ctl_that_opens "broker/ctl/main.c <kortelijn/end/envelope.h>"
include edge_with_a_store "broker/edge/main.c <kortelijn/host/kv.h>"
include core_with_a_network "broker/core/main.c <kortelijn/host/link.h>"
include part_that_looks_up "broker/core/vault.c <kortelijn/host/log.h>"
include domain_with_crypto "proto/domain/state.c <kortelijn/crypto/hash.h>"
include wire_with_crypto "proto/wire/signed.c <kortelijn/crypto/sign.h>"
include zmq_away_from_home "broker/edge/main.c <zmq.h>"
include lmdb_away_from_home "adapters/common/store.c <lmdb.h>"
include adapter_with_broker 'adapters/common/store.c <broker/config.h>'
include unknown_third_party "proto/base/err.c <curl/curl.h>"
name library_without_kl "proto/base/bytes bytes_equal"
name library_of_another_module "proto/base/bytes kl_time_now"
name part_of_another_module "broker/core/vault mailbox_get"
form line_too_long 81 <<<"$(printf '%081d' 0)"
form blank_at_the_end "blanks at the end" <<<"int x; "
form type_beside_the_name "return type" <<<$'static int foo(void)\n{'
schema string_in_a_schema string <<<$'message A {\nrequired string a = 1;'
schema message_in_itself "A of a" <<<$'message A {\nrequired A a = 1;'
exit "$FAILED"
