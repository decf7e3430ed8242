#!/bin/bash
# Cards: of nobody yet, revoked, expired, of the other realm.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

# session NAME VALUE [CODE]: what the adapter's status says.
session_is()
{
	adapter "$1" status --json |
	    jq -e --arg s "$2" --arg c "${3:-}" '.session == $s and
	    ($c == "" or .code == $c)' >/dev/null
}

# The edge is new after a revocation, so it ends at the handshake.
cut_off()
{
	adapter "$1" status --json | jq -e '.session != "ready"' >/dev/null
}

refused_submit()
{
	local answer

	answer=$(PATIENCE=2 refer practice-1 practice-1/el-amrani)
	[ "$(jq -r '.leaf // empty' <<<"$answer")" = "" ]
}

revoke()
{
	kortelijn participant revoke "$1" --reason=left \
	    --authority="$R/authority" >/dev/null
}

# A card whose days are over.
old_card()
{
	local d=$R/$1

	adapter "$1" init "--out=$d/request" >/dev/null
	"$B/kortelijn" enrol issue "$d/request" --authority="$R/authority" \
	    --out="$d/card" --days=1 --from="$(date -u -d '3 days ago' +%F)" \
	    --fingerprint="$("$B/kortelijn" enrol show "$d/request" --json |
	    jq -r .fingerprint)" >/dev/null
	kortelijn enrol accept "$d/card" >/dev/null
	adapter "$1" accept "--card=$d/card" \
	    "--authority=$R/authority/authority.pub" \
	    "--broker=$R/broker/broker.card" --json >"$R/accepted.json"
}

# Whoever takes up a card that is over is told so there and then.
told_that_it_is_over()
{
	jq -e '.next_step | contains("verlopen")' "$R/accepted.json" >/dev/null
}

# The request of a training adapter, at an authority of production.
other_realm()
{
	"$B/kortelijn" authority init "$R/production" --realm=production \
	    >/dev/null || return 1
	! "$B/kortelijn" enrol issue "$R/practice-1/request" \
	    --authority="$R/production" --out="$R/card" \
	    --fingerprint="$(cat "$R/practice-1/fingerprint")" \
	    2>"$R/realm.txt" && grep -q realm "$R/realm.txt" &&
	    [ ! -e "$R/card" ]
}

# A training card at a broker of production.
training_card_in_production()
{
	"$B/kortelijn" broker init "$R/production-broker" \
	    --id=oin:00000009000000000002 --name=Productie \
	    --authority="$R/production" --state="$R/production-state" \
	    >/dev/null || return 1
	! "$B/kortelijn" enrol accept "$R/practice-1/card" \
	    --config="$R/production-broker/kortelijnd.conf" \
	    2>"$R/realm.txt" &&
	    grep -q "realm training, the broker is of production" \
		"$R/realm.txt" &&
	    ! ls "$R"/production-broker/cards/*.card >"$R/realm.txt" 2>&1
}

region_begin
region_small
"$B/kortelijn" enrol show "$R/practice-1/request" --json |
    jq -r .fingerprint >"$R/practice-1/fingerprint"

ok authority_signs_no_card_of_the_other_realm other_realm
ok broker_takes_no_card_of_the_other_realm training_card_in_production

adapter_make practice-2 practice agb:01000002 "Praktijk Het Veer"
old_card practice-2
adapter_start practice-2
wait_for "$PATIENCE" "practice-2 to be refused" \
    session_is practice-2 not_served
ok expired_card_is_named_when_it_is_taken_up told_that_it_is_over
ok expired_card_is_refused session_is practice-2 not_served card_expired

refer practice-1 practice-1/van-putten >/dev/null || die "refer"
ok revokes revoke agb:01000001
ok revoked_card_cannot_submit refused_submit
wait_for "$PATIENCE" "practice-1 to be cut off" cut_off practice-1
ok revoked_card_is_not_served cut_off practice-1
ok others_are_served_on adapter_ready municipality
exit "$FAILED"
