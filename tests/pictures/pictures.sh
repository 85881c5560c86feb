#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Pictures of the scenes in tests/lab/scenes.py, as files: well-formed, the same as ever, bounded.
. "${top_srcdir:?}/tests/check/tap.sh"
need python3

work=$(mktemp -d "${TMPDIR:-/tmp}/pictures.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# lab MODULE ARGUMENT...
lab()
{
	module=$1
	shift
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$top_srcdir/tests python3 -m "lab.$module" "$@" 2>&1
}

# draw SCENE OPTION...: SCENE.svg and SCENE.html; prints what it should not
draw()
{
	scene=$1
	shift
	lab scenes "$scene" "$work/$scene.pcap" || return
	"$top_builddir/ctmark-replay" --svg "$work/$scene.svg" --html "$work/$scene.html" "$@" \
		"$work/$scene.pcap" 2>&1
}

# count PATTERN FILE: how often
count()
{
	grep -o "$1" "$2" | wc -l
}

# smaller FILE BYTES
smaller()
{
	[ "$(wc -c <"$1")" -lt "$2" ] || echo "$1 has $(wc -c <"$1") bytes"
}

printf '[Track]\nHelpers=ftp\n' >"$work/ftp.conf"
for scene in web lost datagrams association long_flow long_flows many_flows; do
	verdict "$scene is drawn" "$(draw $scene)"
done
verdict "ftp is drawn" "$(draw ftp --config "$work/ftp.conf")"
for file in "$work"/*.svg "$work"/*.html; do
	verdict "${file##*/} is as it should be" "$(lab pictures "$file")"
done

# the reference begins with a line that the picture does not have
verdict "web.svg is the same as ever" \
	"$(tail -n +2 "$top_srcdir/tests/pictures/web.svg" | diff - "$work/web.svg")"
verdict "a page to stdout is the same page" \
	"$("$top_builddir/ctmark-replay" --html - "$work/web.pcap" | diff - "$work/web.html")"
verdict "all packets are there" "$([ "$(count 'data-packet="' "$work/web.svg")" = 19 ] &&
	[ "$(count 'class="place"' "$work/web.html")" = 19 ] || echo "not 19")"
verdict "a router's error comes from itself" \
	"$(grep -q '<circle class="f-RELATED_REPLY"' "$work/datagrams.svg" &&
		grep -q 'from 198.51.100.1<' "$work/datagrams.svg" || echo "no router")"
verdict "master and expected flow name each other" \
	"$(grep -q 'expected flow 2<' "$work/ftp.svg" && grep -q 'expected by flow 1<' "$work/ftp.svg" ||
		echo "they do not")"
verdict "a long flow says what is left out" \
	"$(grep -q '9999 packets are not drawn' "$work/long_flow.svg" || echo "it does not")"
verdict "a long flow keeps what is INVALID" \
	"$([ "$(count '<g class="p INVALID"' "$work/long_flow.svg")" = 10 ] || echo "not 10")"
verdict "a long flow is not drawn at length" \
	"$(smaller "$work/long_flow.svg" 300000; smaller "$work/long_flow.html" 600000)"
verdict "long flows are not drawn beyond a height" \
	"$(grep -q '>1[0-9] more flows are not drawn' "$work/long_flows.svg" || echo "they are")"
verdict "many flows are not all drawn" \
	"$(smaller "$work/many_flows.svg" 300000; smaller "$work/many_flows.html" 2000000)"
verdict "many flows say so" "$(grep -q '9976 more flows are not drawn' "$work/many_flows.svg" &&
	grep -q '9900 more flows are not drawn' "$work/many_flows.html" || echo "they do not")"
verdict "a file that cannot be written is an error" "$("$top_builddir/ctmark-replay" \
	--svg "$work/none/x.svg" "$work/web.pcap" 2>"$work/error" && echo "status 0"
	grep -q 'No such file' "$work/error" || cat "$work/error")"
verdict "a full disk is an error" "$([ ! -c /dev/full ] || ! "$top_builddir/ctmark-replay" \
	--html /dev/full "$work/web.pcap" 2>/dev/null || echo "status 0")"
done_testing
