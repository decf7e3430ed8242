#!/bin/bash
# What make install puts somewhere is enough to build and run a client.
# shellcheck source=tests/integration/lib.sh
. tests/integration/lib.sh
region_begin

P=$R/usr

# The release build, whatever the tests run with.
install_release()
{
	env -u MAKEFLAGS -u MAKELEVEL -u B -u SAN -u COVERAGE \
	    make -s -j2 install "PREFIX=$P" >"$R/install.log" 2>&1
}

installed()
{
	local f

	for f in sbin/kortelijnd bin/kortelijn bin/kortelijn-practice \
	    bin/kortelijn-municipality lib/libkortelijn.a lib/libkortelijn.so \
	    lib/libkortelijn_end.a lib/libkortelijn_end.so \
	    lib/pkgconfig/kortelijn.pc include/kortelijn/base/err.h \
	    share/man/man8/kortelijnd.8 \
	    share/kortelijn/schemas/referral.schema.json; do
		[ -s "$P/$f" ] || { say "$f is not installed"; return 1; }
	done
}

# Only from the installed files: no include path and no library of the tree.
compile()
{
	local flags

	flags=$(PKG_CONFIG_PATH=$P/lib/pkgconfig \
	    pkg-config --cflags --libs "$1") || return
	# shellcheck disable=SC2086 # a list of words
	(cd "$R" && cc -std=c17 -Wall -Wextra -Werror \
	    "$ROOT/tests/example/client.c" $flags -o client)
}

needs_only_the_library()
{
	[ "$(readelf -d "$R/client" | grep NEEDED | grep -vc 'libc\.so')" -eq 1 ]
}

staged()
{
	env -u MAKEFLAGS -u MAKELEVEL -u B -u SAN -u COVERAGE \
	    make -s install PREFIX=/usr "DESTDIR=$R/stage" >/dev/null 2>&1 &&
	    grep -q '^prefix=/usr$' \
	        "$R/stage/usr/lib/pkgconfig/kortelijn.pc"
}

head_of_the_log_is_printed()
{
	LD_LIBRARY_PATH=$P/lib "$R/client" "$R/visitor/keys" "$ENDPOINT" \
	    >"$R/head.txt" 2>"$R/client.log" || return
	grep -q '^oin-00000009000000000001/log/[^ ]* [1-9]' \
	    "$R/head.txt"
}

stranger_is_not_served()
{
	cp -r "$R/visitor/keys" "$R/stranger" &&
	    "$B/kortelijn-practice" "--config=$R/other/other.conf" init \
	        --out="$R/other/request" >/dev/null &&
	    cp "$R/other/keys/transport.key" "$R/stranger/" &&
	    ! LD_LIBRARY_PATH=$P/lib timeout 60 "$R/client" "$R/stranger" \
	        "$ENDPOINT" >"$R/stranger.txt" 2>&1 &&
	    ! grep -q /log/2 "$R/stranger.txt"
}

ok install_of_the_release_build install_release
ok every_kind_of_file_is_installed installed
ok staged_install_keeps_the_prefix staged
ok example_compiles_against_the_installed_library compile kortelijn
ok example_needs_no_other_library needs_only_the_library

broker_make
broker_start
adapter_make visitor practice agb:01000003 "Praktijk De Brink"
adapter_enrol visitor
adapter_make other practice agb:01000004 "Praktijk Onbekend"
ok example_prints_the_head_of_the_log head_of_the_log_is_printed
ok example_with_another_key_sees_nothing stranger_is_not_served
exit "$FAILED"
