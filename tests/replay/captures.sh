#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What ctmark-replay says of the captures in examples/, and the pictures that it draws of them, byte for
# byte. `captures.sh write` in the build directory writes both anew, to be looked at before it is kept.
. "${top_srcdir:?}/tests/check/tap.sh"
need diff

captures=$top_srcdir/examples/captures
work=$(mktemp -d "${TMPDIR:-/tmp}/captures.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
unset NO_COLOR CLICOLOR CLICOLOR_FORCE
mode=$1

# same FILE WHAT: what was made in $work is what is kept
same()
{
	[ "$mode" = write ] && cp "$work/made" "$1"
	verdict "$2" "$(diff -u "$1" "$work/made" | head -n 30)"
}

# shellcheck disable=SC2086 # words of options
capture()
{
	name=$1 options=$2 drawn=$3
	"$top_builddir/ctmark-replay" $options "$captures/$name.pcap" >"$work/made" 2>&1
	same "$top_srcdir/tests/replay/captures/$name.expected" "$name: every packet"
	"$top_builddir/ctmark-replay" $options --summary "$captures/$name.pcap" >"$work/made" 2>&1
	same "$top_srcdir/tests/replay/captures/$name-summary.expected" "$name: flows"
	"$top_builddir/ctmark-replay" $options $drawn --svg "$work/made" "$captures/$name.pcap" 2>&1
	same "$captures/$name.svg" "$name: its picture"
}

capture tcp-life
capture refused
capture out-of-window
capture ftp '--helpers ftp' '--flow 3-4'
capture icmp-error
capture midstream
capture sctp

told=$(find "$captures" -name '*.pcap' | wc -l)
[ "$told" = 7 ] || not_ok "every capture is looked at" "there are $told"
done_testing
