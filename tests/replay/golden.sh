#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What ctmark-replay says of the captures of this directory, byte for byte. make.py makes these;
# `golden.sh write` in the build directory writes what is expected anew, to be read before it is kept.
. "${top_srcdir:?}/tests/check/tap.sh"
need diff

here=$top_srcdir/tests/replay
replay=$top_builddir/ctmark-replay
work=$(mktemp -d "${TMPDIR:-/tmp}/replay.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
unset NO_COLOR CLICOLOR CLICOLOR_FORCE

# expect NAME ARGUMENT...: stdout and stderr are those of NAME.expected
expect()
{
	name=$1
	shift
	(cd "$here" && "$replay" "$@" 2>&1 && echo "exit 0" || echo "exit $?") >"$work/said"
	[ "$mode" = write ] && cp "$work/said" "$here/$name.expected"
	verdict "ctmark-replay $*" "$(diff -u "$here/$name.expected" "$work/said")"
}

case $replay in
/*) ;;
*) replay=$PWD/$replay ;;
esac
mode=$1

for story in tcp icmp fragments other; do
	expect "$story" "$story.pcap"
	expect "$story-json" -j "$story.pcap"
	expect "$story-summary" --summary "$story.pcap"
	expect "$story-summary-json" --summary --json "$story.pcap"
done
expect ftp --helpers ftp ftp.pcap
expect ftp-json --helpers ftp -j ftp.pcap
expect ftp-summary --helpers ftp --summary ftp.pcap
expect ftp-none ftp.pcap
expect config --config replay.conf ftp.pcap
expect config-none --config replay.conf --helpers none --summary ftp.pcap
expect empty empty.pcap
expect empty-json -j empty.pcap
expect empty-summary --summary empty.pcap
expect utc --time utc --color always --count 2 tcp.pcap
expect epoch --time=epoch --flow 2-3 tcp.pcap
expect only --only INVALID,NEW tcp.pcap icmp.pcap
expect choice-summary --summary --flow 2 tcp.pcap
expect explain-seq --explain 5 tcp.pcap
expect explain-seq-json --explain 5 --json tcp.pcap
expect explain-flags --explain 7 --time utc tcp.pcap
expect explain-reopen --explain 11 tcp.pcap
expect explain-related --helpers ftp --explain 6 ftp.pcap
expect explain-error --explain 5 icmp.pcap
expect explain-unasked --explain 3 icmp.pcap
expect explain-marks --config replay.conf --explain 1 tcp.pcap
expect explain-reset --explain 12 tcp.pcap
expect explain-none --explain 777 tcp.pcap
expect bad-explain --explain 0 tcp.pcap
expect bad-flow --flow 3,x tcp.pcap
expect bad-class --only NEW,FOO tcp.pcap
expect count -c 4 other.pcap
expect count-explain -c 4 --explain 5 other.pcap
expect count-bad -c 13 --summary tcp.pcap bad.conf
expect bad-count -c 0 tcp.pcap
expect bad-views --explain 1 --compare tcp.pcap
expect bad-helpers --helpers ftp,tftp tcp.pcap
expect bad-config --config bad.conf tcp.pcap
expect nothing

"$replay" --explain 5 - <"$here/tcp.pcap" >"$work/said" 2>&1
verdict "what is read from standard input is not tried" "$(
	grep -q "cannot be read twice" "$work/said" || cat "$work/said")"

# which flows make room is up to the secret of the table's hashes, and so is whether two do for one
printf '[Track]\nMaxFlows=64\n' >"$work/full.conf"
"$replay" --config "$work/full.conf" --summary -j "$here/full.pcap" >"$work/full" 2>"$work/notes"
alive=$(sed -n '$s/.*"alive":\([0-9]*\),.*/\1/p' "$work/full")
verdict "no more flows than MaxFlows=" "$({ [ "$alive" -gt 50 ] && [ "$alive" -le 64 ]; } || tail -n 1 "$work/full")"
verdict "each flow has a line" "$(grep -c '^{"flow"' "$work/full" >"$work/lines"
	grep -q "\"flows\":$(cat "$work/lines")," "$work/full" || cat "$work/full")"
verdict "a full table is told of" "$(grep -qE 'found the table full|to make room' "$work/notes" ||
	cat "$work/notes")"

# the same, whoever asks how
"$replay" -j "$here/tcp.pcap" | sed -n 's/^{"packet":\([0-9]*\),.*/\1/p' >"$work/numbers"
verdict "each packet once" "$(seq 13 | diff - "$work/numbers")"
verdict "standard input" "$("$replay" - <"$here/tcp.pcap" 2>&1 | sed '$!b' >"$work/one"
	"$replay" "$here/tcp.pcap" 2>&1 | sed '$!b' | diff - "$work/one")"
[ ! -e /dev/full ] || verdict "a full disk is told of" "$("$replay" "$here/tcp.pcap" 2>&1 >/dev/full |
	grep -q 'cannot write: No space left' || echo silent)"

# full ARGUMENT...: a full disk is told of, in one line
full()
{
	"$replay" "$@" "$here/tcp.pcap" >/dev/full 2>"$work/said"
	verdict "a full disk is told of with $*" "$(
		if [ "$(wc -l <"$work/said")" != 1 ] || ! grep -q 'No space left' "$work/said"; then
			cat "$work/said"
		fi
	)"
}
if [ -e /dev/full ]; then
	full -j
	full --summary
	full --explain 5
	full --svg -
	full --html -
fi

# what a picture would be put in the place of
cp "$here/tcp.pcap" "$work/capture"
ln -s capture "$work/same"
"$replay" --svg "$work/same" "$work/capture" 2>"$work/said"
status=$?
verdict "no picture in the place of the capture" "$(
	if [ $status != 2 ] || ! cmp -s "$here/tcp.pcap" "$work/capture"; then
		cat "$work/said"
		echo "status $status"
	fi
)"
"$replay" --svg "$work/both" --html "$work/both" "$work/capture" 2>"$work/said"
verdict "no two pictures in one place" "$([ $? = 2 ] || cat "$work/said")"
"$replay" --svg "$work/capture" "$work/none" 2>"$work/said"
verdict "no capture, and what was there stays" "$(cmp "$here/tcp.pcap" "$work/capture" 2>&1)"
"$replay" --svg "$work/capture" "$here/tcp.pcap" && "$replay" --svg - "$here/tcp.pcap" >"$work/picture"
verdict "a picture in the place of something shorter" "$(cmp "$work/picture" "$work/capture" 2>&1)"
yes | head -n 100000 >"$work/capture"
"$replay" --svg "$work/capture" "$here/tcp.pcap"
verdict "nothing of what was there is left behind it" "$(cmp "$work/picture" "$work/capture" 2>&1)"
done_testing
