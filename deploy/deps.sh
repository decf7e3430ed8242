#!/bin/sh
# Installs the Debian packages named in the arguments, those that are missing;
# where there is no apt, it prints the list.
set -eu

installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = \
	    installed ]
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps: no apt here. Kortelijn needs what these Debian packages" \
	    "hold:" >&2
	echo "  $*" >&2
	exit 0
fi

missing=
for p; do
	installed "$p" || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "deps: missing, and no sudo to install them:$missing" >&2
		exit 1
	fi
	sudo=sudo
fi
echo "deps: installing$missing"
install_missing()
{
	# shellcheck disable=SC2086 # a list of words
	$sudo env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -qq -y --no-install-recommends $missing \
	    >/dev/null
}
# The package lists of a fresh machine are empty or old.
install_missing 2>/dev/null || {
	$sudo apt-get update -qq
	install_missing
}
